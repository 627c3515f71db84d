//! Starts the alert fan-out.

use alert_fanout::{Fanout, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    pipewarden_shared::lambda::start(Fanout::from_settings, handle).await
}
