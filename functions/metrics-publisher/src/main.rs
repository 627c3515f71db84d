//! Starts the metrics publisher.

use metrics_publisher::{Publisher, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    pipewarden_shared::lambda::start(Publisher::from_settings, handle).await
}
