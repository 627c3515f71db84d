//! The SDK configuration for a stand-in of AWS on the loopback: plain HTTP, and retries that hardly wait.
//!
//! The local cloud and the tests use it; no function does.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use std::time::Duration;

/// The region of stand-ins.
pub const REGION: &str = "us-east-1";

/// Clients of the stand-in at `endpoint`. The access key is the account's number, as the local cloud wants it.
pub fn sdk_config(endpoint: &str, account: &str) -> SdkConfig {
    let credentials = Credentials::new(account, "local", None, None, "loopback");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(4)
                .with_initial_backoff(Duration::from_millis(1)),
        )
        .build()
}

/// A connector to it, for a call that no client makes.
pub fn connector() -> SharedHttpConnector {
    let connector = aws_smithy_http_client::Connector::builder()
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .build_http();
    SharedHttpConnector::new(connector)
}
