//! Starts the alert fan-out.

use alert_fanout::{Fanout, handle};
use std::sync::Arc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    pipewarden_shared::lambda::start(|| Fanout::from_settings().map(Arc::new), handle).await
}
