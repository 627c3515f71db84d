//! The SDK configuration: what Lambda sets in the environment, and nothing that has to be looked for.
//!
//! `aws-config`'s default chain would bring profile files, SSO, IMDS and a second HTTP stack into a
//! function that gets its credentials and region as environment variables.

use crate::settings::{self, SettingsError};
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use std::sync::OnceLock;
use std::time::Duration;

/// Tries of one call, the first included.
const ATTEMPTS: u32 = 4;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Builds the configuration that every client of a function shares.
///
/// # Errors
/// [`SettingsError`] where the region is not set or the certificate bundle cannot be used.
pub fn sdk_config() -> Result<SdkConfig, SettingsError> {
    let region = settings::required("AWS_REGION", "an AWS region such as eu-central-1")?;
    let client = SharedHttpClient::new(OneConnector(aws_connector()?));
    let flag = |name| settings::optional(name).map(|value| value == "true");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .http_client(client)
        .sleep_impl(TokioSleep::new())
        .time_source(aws_smithy_async::time::SystemTimeSource::new())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(Duration::from_secs(10))
                .build(),
        );
    config.set_endpoint_url(settings::optional("AWS_ENDPOINT_URL"));
    config.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    Ok(config.build())
}

/// The connector of the process, for AWS and for others; the first call loads the roots that it trusts, those of the
/// bundle that `SSL_CERT_FILE` names, else the system's.
///
/// # Errors
/// [`SettingsError`] where the certificate bundle cannot be used.
pub fn connector() -> Result<SharedHttpConnector, SettingsError> {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    if let Some(connector) = CONNECTOR.get() {
        return Ok(connector.clone());
    }
    let connector = Connector::builder()
        .connector_settings(connector_settings())
        .sleep_impl(TokioSleep::new())
        .tls_provider(tls::Provider::rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .tls_context(trusted_roots()?)
        .build();
    Ok(CONNECTOR
        .get_or_init(|| SharedHttpConnector::new(connector))
        .clone())
}

/// The connector for AWS: without TLS where a stand-in of AWS is named that has none.
fn aws_connector() -> Result<SharedHttpConnector, SettingsError> {
    let plain =
        settings::optional("AWS_ENDPOINT_URL").is_some_and(|url| url.starts_with("http://"));
    if !plain {
        return connector();
    }
    let connector = Connector::builder()
        .connector_settings(connector_settings())
        .sleep_impl(TokioSleep::new())
        .build_http();
    Ok(SharedHttpConnector::new(connector))
}

fn connector_settings() -> HttpConnectorSettings {
    HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
}

/// Gives every client the same connector. The SDK's own client would parse the roots once to validate each client's
/// configuration and once more at the first call: 0.5 ms each time.
#[derive(Debug)]
struct OneConnector(SharedHttpConnector);

impl HttpClient for OneConnector {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.clone()
    }
}

fn trusted_roots() -> Result<TlsContext, SettingsError> {
    TlsContext::builder()
        .with_trust_store(TrustStore::default())
        .build()
        .map_err(|error| SettingsError::CertificateBundle {
            path: settings::optional("SSL_CERT_FILE").unwrap_or_else(|| "of the system".to_owned()),
            reason: error.to_string(),
        })
}
