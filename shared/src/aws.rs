//! The SDK configuration: what Lambda sets in the environment, and nothing that has to be looked for.
//!
//! `aws-config`'s default chain would bring profile files, SSO, IMDS and a second HTTP stack into a
//! function that gets its credentials and region as environment variables.

use crate::causes;
use crate::settings::{self, SettingsError};
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use std::sync::OnceLock;
use std::time::Duration;

/// Tries of one call, the first included.
const ATTEMPTS: u32 = 4;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest name in a user agent, in characters (AWS SDKs and tools reference, "Application ID").
const LONGEST_APP_NAME: usize = 50;

/// The roots that sign the endpoints of AWS: Amazon Root CA 1 to 4 and Starfield Services G2 (Amazon Trust Services).
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon_roots.pem");

/// The roots that sign most of the web besides: those of DigiCert and Microsoft, on whom Slack, PagerDuty and Teams
/// stand, of Let's Encrypt, Google, Sectigo and GlobalSign.
const COMMON_ROOTS: &[u8] = include_bytes!("common_roots.pem");

/// Builds the configuration that every client of a function shares.
///
/// # Errors
/// [`SettingsError`] where the region is not set or the certificate bundle cannot be used.
pub fn sdk_config() -> Result<SdkConfig, SettingsError> {
    let region = region()?;
    // The SDK's own client would parse the roots once to validate each client's configuration and once more at the
    // first call: 0.5 ms each time. This one gives every client the same connector.
    let connector = connector_to_aws()?;
    let client = http_client_fn(move |_, _| connector.clone());
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
    config.set_app_name(app_name());
    config.set_endpoint_url(settings::optional("AWS_ENDPOINT_URL"));
    config.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    Ok(config.build())
}

/// The connector that every client of [`sdk_config`] shares, for a call that none of them makes.
///
/// # Errors
/// [`SettingsError`] where the region is not set or the certificate bundle cannot be used.
pub fn connector_to_aws() -> Result<SharedHttpConnector, SettingsError> {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    once(&CONNECTOR, || aws_connector(&region()?))
}

fn region() -> Result<String, SettingsError> {
    settings::required("AWS_REGION", "an AWS region such as eu-central-1")
}

/// The function's name, which CloudTrail then shows beside each of its calls, as far as it is recommended to be long.
fn app_name() -> Option<AppName> {
    let name = settings::optional("AWS_LAMBDA_FUNCTION_NAME")?;
    let shown: String = name.chars().take(LONGEST_APP_NAME).collect();
    AppName::new(shown).ok()
}

/// The connector for calls to others than AWS.
///
/// # Errors
/// [`SettingsError`] where the certificate bundle cannot be used.
pub fn connector() -> Result<SharedHttpConnector, SettingsError> {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    once(&CONNECTOR, || {
        if what_to_trust_is_told() {
            system()
        } else {
            known_first(&[AMAZON_ROOTS, COMMON_ROOTS])
        }
    })
}

/// The connector that trusts the roots of the bundle that `SSL_CERT_FILE` names, else the system's. It loads them at
/// the first call.
fn system() -> Result<SharedHttpConnector, SettingsError> {
    static CONNECTOR: OnceLock<SharedHttpConnector> = OnceLock::new();
    once(&CONNECTOR, || secure(TrustStore::default()))
}

fn once(
    kept: &OnceLock<SharedHttpConnector>,
    build: impl FnOnce() -> Result<SharedHttpConnector, SettingsError>,
) -> Result<SharedHttpConnector, SettingsError> {
    if let Some(connector) = kept.get() {
        return Ok(connector.clone());
    }
    let connector = build()?;
    Ok(kept.get_or_init(|| connector).clone())
}

/// Whether somebody says what to trust, or a stand-in takes the calls.
fn what_to_trust_is_told() -> bool {
    ["SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_ENDPOINT_URL"]
        .into_iter()
        .any(|name| settings::optional(name).is_some())
}

/// The connector for AWS: without TLS where a stand-in is named that has none, with everyone's roots where somebody
/// says what to trust or where endpoints are signed by others, else with Amazon's roots first.
fn aws_connector(region: &str) -> Result<SharedHttpConnector, SettingsError> {
    let endpoint = settings::optional("AWS_ENDPOINT_URL");
    if endpoint.is_some_and(|url| url.starts_with("http://")) {
        let connector = Connector::builder()
            .connector_settings(connector_settings())
            .sleep_impl(TokioSleep::new())
            .build_http();
        return Ok(SharedHttpConnector::new(connector));
    }
    if what_to_trust_is_told() || region.starts_with("cn-") || region.contains("-iso") {
        return system();
    }
    known_first(&[AMAZON_ROOTS])
}

fn known_first(roots: &[&[u8]]) -> Result<SharedHttpConnector, SettingsError> {
    let roots = roots.iter().fold(TrustStore::empty(), |all, roots| {
        all.with_pem_certificate(*roots)
    });
    Ok(SharedHttpConnector::new(KnownFirst(secure(roots)?)))
}

fn secure(roots: TrustStore) -> Result<SharedHttpConnector, SettingsError> {
    let connector = Connector::builder()
        .connector_settings(connector_settings())
        .sleep_impl(TokioSleep::new())
        .tls_provider(tls::Provider::rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .tls_context(tls_context(roots)?)
        .build();
    Ok(SharedHttpConnector::new(connector))
}

/// Trusts the few roots that sign what is called: to parse the 140 of a system takes 1 ms, a fifth of a cold start. Where
/// a certificate is of none of them, as behind a proxy that opens TLS, the system's roots decide.
#[derive(Debug)]
struct KnownFirst(SharedHttpConnector);

impl HttpConnector for KnownFirst {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let again = request.try_clone();
        let first = self.0.call(request);
        HttpConnectorFuture::new(async move {
            match (first.await, again) {
                (Err(error), Some(request)) if is_about_the_certificate(&error) => {
                    let system = system().map_err(|error| ConnectorError::user(error.into()))?;
                    system.call(request).await
                }
                (outcome, _) => outcome,
            }
        })
    }
}

fn is_about_the_certificate(error: &ConnectorError) -> bool {
    causes::chain(error).contains("certificate")
}

fn connector_settings() -> HttpConnectorSettings {
    HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
}

fn tls_context(roots: TrustStore) -> Result<TlsContext, SettingsError> {
    TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .map_err(|error| SettingsError::CertificateBundle {
            path: settings::optional("SSL_CERT_FILE").unwrap_or_else(|| "of the system".to_owned()),
            reason: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    #[test]
    fn known_roots_are_among_those_of_mozilla() {
        for (pem, count) in [(AMAZON_ROOTS, 5), (COMMON_ROOTS, 16)] {
            let roots: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
                .collect::<Result<_, _>>()
                .unwrap();
            assert_eq!(roots.len(), count);
            let text = std::str::from_utf8(pem).unwrap();
            let names = text.lines().filter_map(|line| line.strip_prefix("# "));
            for (name, root) in names.zip(&roots) {
                assert!(
                    webpki_root_certs::TLS_SERVER_ROOT_CERTS.contains(root),
                    "{name}"
                );
                assert!(String::from_utf8_lossy(root).contains(name), "{name}");
            }
        }
        known_first(&[AMAZON_ROOTS, COMMON_ROOTS]).unwrap();
    }

    #[tokio::test]
    async fn a_certificate_of_another_root_is_known_as_such() {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let private = rustls::pki_types::PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let server = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private.into())
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(server));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // The client breaks the handshake off.
                let _ = acceptor.accept(stream).await;
            }
        });
        let amazon = secure(TrustStore::empty().with_pem_certificate(AMAZON_ROOTS)).unwrap();
        let request = || {
            let mut request = HttpRequest::empty();
            request
                .set_uri(format!("https://localhost:{port}/"))
                .unwrap();
            request
        };
        let error = amazon.call(request()).await.unwrap_err();
        assert!(
            is_about_the_certificate(&error),
            "{}",
            causes::chain(&error)
        );
        let mut refused = HttpRequest::empty();
        refused.set_uri("https://localhost:1/").unwrap();
        let error = amazon.call(refused).await.unwrap_err();
        assert!(
            !is_about_the_certificate(&error),
            "{}",
            causes::chain(&error)
        );
    }
}
