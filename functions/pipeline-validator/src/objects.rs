//! Act: objects of S3: read, and written where nobody came before.
//!
//! Two calls are all that is needed. The SDK's client of S3 would be an eighth of the function, most of it tables of
//! checksums that nothing here asks for; so requests are signed by the SDK's own signer and sent over its connector.

use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pipewarden_shared::causes;
use std::time::{Duration, SystemTime};
use tokio::time::{sleep, timeout};

/// Tries of one call, the first included.
const ATTEMPTS: u32 = 4;

/// How long a try may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The longest pause before the second try; each next one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// What a key may hold as it is (Amazon S3 API reference, "Create a canonical request": `UriEncode`), and the slashes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    name: String,
    /// The address of its objects, up to the key.
    address: String,
    region: String,
    credentials: Option<SharedCredentialsProvider>,
    /// Who asks, as the SDK's clients say it.
    agent: String,
    connector: SharedHttpConnector,
}

/// An object and its version.
#[derive(Debug)]
pub(crate) struct Object {
    /// What it holds.
    pub(crate) bytes: Vec<u8>,
    /// Its entity tag.
    pub(crate) version: Option<String>,
}

/// Where an object is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Over<'a> {
    /// Whatever is there.
    Anything,
    /// Nothing.
    Nothing,
    /// One version, and no later one.
    Version(&'a str),
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is there.
    Written,
    /// Somebody wrote another.
    Overtaken,
}

/// Why an object cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObjectError {
    /// There are no credentials, or the request cannot be signed or sent.
    #[error("the request cannot be made: {0}")]
    Request(String),
    /// S3 was not reached.
    #[error("S3 cannot be reached: {0}")]
    Unreachable(String),
    /// S3 says no.
    #[error("{code} (HTTP {status}): {message}")]
    Refused {
        /// HTTP's status.
        status: u16,
        /// S3's code.
        code: String,
        /// What S3 said.
        message: String,
    },
}

impl ObjectError {
    /// Whether a later try may work (Amazon S3 API reference, "Error responses").
    fn passes(&self) -> bool {
        match self {
            Self::Request(_) => false,
            Self::Unreachable(_) => true,
            Self::Refused { status, code, .. } => {
                *status >= 500
                    || *status == 429
                    || matches!(code.as_str(), "RequestTimeout" | "SlowDown")
            }
        }
    }
}

impl Bucket {
    /// A bucket by its name. An endpoint of one's own, such as the local cloud's, has no host name for each bucket; a
    /// name with a dot fits no certificate.
    pub fn new(name: &str, config: &SdkConfig, connector: SharedHttpConnector) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let address = match config.endpoint_url() {
            Some(own) => format!("{}/{name}", own.trim_end_matches('/')),
            None => {
                let host = host(
                    &region,
                    config.use_fips().unwrap_or_default(),
                    config.use_dual_stack().unwrap_or_default(),
                );
                if name.contains('.') {
                    format!("https://{host}/{name}")
                } else {
                    format!("https://{name}.{host}")
                }
            }
        };
        Self {
            name: name.to_owned(),
            address,
            region,
            credentials: config.credentials_provider(),
            agent: config.app_name().map_or_else(
                || "pipewarden".to_owned(),
                |name| format!("pipewarden app/{name}"),
            ),
            connector,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads an object; nothing where there is none.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Object>, ObjectError> {
        match self.call("GET", key, &[], &[]).await {
            Ok((bytes, version)) => Ok(Some(Object { bytes, version })),
            Err(ObjectError::Refused { code, .. }) if code == "NoSuchKey" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes an object of JSON.
    pub(crate) async fn put(
        &self,
        key: &str,
        json: &[u8],
        over: Over<'_>,
    ) -> Result<Put, ObjectError> {
        let mut headers = vec![("content-type", "application/json")];
        match over {
            Over::Anything => {}
            Over::Nothing => headers.push(("if-none-match", "*")),
            Over::Version(version) => headers.push(("if-match", version)),
        }
        match self.call("PUT", key, &headers, json).await {
            Ok(_) => Ok(Put::Written),
            Err(ObjectError::Refused { code, .. })
                if matches!(
                    code.as_str(),
                    "PreconditionFailed" | "ConditionalRequestConflict"
                ) =>
            {
                Ok(Put::Overtaken)
            }
            Err(error) => Err(error),
        }
    }

    /// Calls S3, and again where that may help. Returns the body and its version.
    async fn call(
        &self,
        method: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<(Vec<u8>, Option<String>), ObjectError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let request = self.request(method, key, headers, body).await?;
            let tried = timeout(PATIENCE, self.attempt(request))
                .await
                .unwrap_or_else(|_| Err(ObjectError::Unreachable("no answer in time".to_owned())));
            match tried {
                Err(error) if tries < ATTEMPTS && error.passes() => {
                    let most = FIRST_PAUSE.saturating_mul(1 << (tries - 1));
                    sleep(most.mul_f64(fastrand::f64())).await;
                }
                done => return done,
            }
        }
    }

    /// A signed request.
    async fn request(
        &self,
        method: &str,
        key: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<HttpRequest, ObjectError> {
        let unmade =
            |error: &(dyn std::error::Error + 'static)| ObjectError::Request(causes::chain(error));
        let credentials = match &self.credentials {
            Some(credentials) => credentials.provide_credentials().await,
            None => return Err(ObjectError::Request("there are no credentials".to_owned())),
        };
        let identity = credentials.map_err(|error| unmade(&error))?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(of_s3())
            .build()
            .map_err(|error| unmade(&error))?
            .into();
        let address = format!("{}/{}", self.address, utf8_percent_encode(key, ENCODED));
        let signable = SignableRequest::new(
            method,
            &address,
            headers.iter().copied(),
            SignableBody::Bytes(body),
        )
        .map_err(|error| unmade(&error))?;
        let (signed, _) = sign(signable, &parameters)
            .map_err(|error| unmade(&error))?
            .into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body.to_vec()));
        request.set_method(method).map_err(|error| unmade(&error))?;
        request.set_uri(address).map_err(|error| unmade(&error))?;
        let unsigned = [("user-agent", self.agent.as_str())];
        let all = headers.iter().copied().chain(unsigned);
        for (name, value) in all.chain(signed.headers()) {
            request
                .headers_mut()
                .try_insert(name.to_owned(), value.to_owned())
                .map_err(|error| unmade(&error))?;
        }
        Ok(request)
    }

    async fn attempt(
        &self,
        request: HttpRequest,
    ) -> Result<(Vec<u8>, Option<String>), ObjectError> {
        let response = self
            .connector
            .call(request)
            .await
            .map_err(|error| ObjectError::Unreachable(causes::chain(&error)))?;
        let status = response.status();
        let version = response.headers().get("etag").map(str::to_owned);
        let bytes = read(response).await?;
        if status.is_success() {
            return Ok((bytes, version));
        }
        let text = String::from_utf8_lossy(&bytes);
        Err(ObjectError::Refused {
            status: status.as_u16(),
            code: element(&text, "Code").unwrap_or("no code").to_owned(),
            message: element(&text, "Message").unwrap_or_default().to_owned(),
        })
    }
}

/// How S3 wants a request signed: the path as it is sent, and a checksum of the body.
fn of_s3() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings
}

async fn read(response: HttpResponse) -> Result<Vec<u8>, ObjectError> {
    let body = ByteStream::new(response.into_body()).collect().await;
    body.map(|bytes| bytes.to_vec())
        .map_err(|error| ObjectError::Unreachable(causes::chain(&error)))
}

/// The text of an element of S3's error, which is flat.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(text, _)| text)
}

/// The host of a region (AWS general reference, "Amazon Simple Storage Service endpoints and quotas").
fn host(region: &str, fips: bool, dual_stack: bool) -> String {
    let service = if fips { "s3-fips" } else { "s3" };
    let dual = if dual_stack { ".dualstack" } else { "" };
    let suffix = match region.split('-').next().unwrap_or_default() {
        "cn" => "amazonaws.com.cn",
        "eusc" => "amazonaws.eu",
        "us" if region.starts_with("us-iso-") => "c2s.ic.gov",
        "us" if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    };
    format!("{service}{dual}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::loopback;
    use rstest::rstest;

    #[rstest]
    #[case("eu-central-1", false, false, "s3.eu-central-1.amazonaws.com")]
    #[case("us-east-1", true, true, "s3-fips.dualstack.us-east-1.amazonaws.com")]
    #[case("cn-north-1", false, false, "s3.cn-north-1.amazonaws.com.cn")]
    #[case("us-gov-west-1", true, false, "s3-fips.us-gov-west-1.amazonaws.com")]
    #[case("us-iso-east-1", false, false, "s3.us-iso-east-1.c2s.ic.gov")]
    fn each_region_has_its_host(
        #[case] region: &str,
        #[case] fips: bool,
        #[case] dual_stack: bool,
        #[case] expected: &str,
    ) {
        assert_eq!(host(region, fips, dual_stack), expected);
    }

    #[rstest]
    #[case("results", "https://results.s3.us-east-1.amazonaws.com")]
    #[case::dotted("my.results", "https://s3.us-east-1.amazonaws.com/my.results")]
    fn a_bucket_has_a_host_where_a_certificate_fits(#[case] name: &str, #[case] expected: &str) {
        let mut config = loopback::sdk_config("http://127.0.0.1:1", "1").into_builder();
        config.set_endpoint_url(None);
        let bucket = Bucket::new(name, &config.build(), loopback::connector());
        assert_eq!(bucket.address, expected);
    }

    #[test]
    fn an_error_is_told_by_its_code() {
        let xml = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>No &amp; no</Message></Error>";
        assert_eq!(element(xml, "Code"), Some("NoSuchKey"));
        assert_eq!(element(xml, "Message"), Some("No &amp; no"));
        assert_eq!(element("<html>", "Code"), None);
    }
}
