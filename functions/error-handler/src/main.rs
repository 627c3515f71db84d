//! Starts the error handler.

use error_handler::{Handler, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    pipewarden_shared::lambda::start(Handler::from_settings, handle).await
}
