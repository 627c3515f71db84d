//! Starts the pipeline validator.

use pipeline_validator::{Validator, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    pipewarden_shared::lambda::start(Validator::from_settings, handle).await
}
