//! Act: a message to a receiver over HTTPS.

use crate::notice::Notice;
use crate::slack;
use aws_sdk_secretsmanager::Client as Secrets;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use pipewarden_shared::causes;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The most of an answer that is quoted in an error.
const LONGEST_ANSWER: usize = 300;

/// What a receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A Slack incoming webhook: Block Kit.
    Slack,
    /// Any webhook: the alert's JSON.
    Webhook,
}

impl Channel {
    /// The name in logs and errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Webhook => "webhook",
        }
    }

    /// The body of the request.
    pub fn render(self, notice: &Notice) -> Value {
        match (self, notice) {
            (Self::Slack, notice) => slack::render(notice),
            (Self::Webhook, Notice::Alert(_, json)) => json.clone(),
            (Self::Webhook, Notice::Text { subject, message }) => {
                json!({"subject": subject, "message": message})
            }
        }
    }
}

/// Where messages go: a channel, and the secret that holds its address.
#[derive(Debug)]
pub struct Receiver {
    /// What it understands.
    pub channel: Channel,
    secret_id: String,
    /// Read once, and again after the receiver no longer knew it.
    address: Mutex<Option<SecretString>>,
}

/// Why a receiver did not get a message. No message holds the address: it is the secret.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The secret cannot be read.
    #[error("cannot read the secret of {channel}: {reason}")]
    Secret {
        /// The receiver.
        channel: &'static str,
        /// What Secrets Manager said.
        reason: String,
    },
    /// The secret holds no address that messages may be sent to.
    #[error("the secret of {channel} holds {reason}")]
    Address {
        /// The receiver.
        channel: &'static str,
        /// What it holds.
        reason: &'static str,
    },
    /// The receiver cannot be reached, or does not answer.
    #[error("cannot reach {channel}: {reason}")]
    Unreachable {
        /// The receiver.
        channel: &'static str,
        /// What happened.
        reason: String,
    },
    /// The receiver refused.
    #[error("{channel} answered {status}: {answer}")]
    Refused {
        /// The receiver.
        channel: &'static str,
        /// The HTTP status.
        status: u16,
        /// What it said.
        answer: String,
    },
}

impl Receiver {
    /// A receiver whose address the secret holds.
    pub fn new(channel: Channel, secret_id: String) -> Self {
        Self {
            channel,
            secret_id,
            address: Mutex::new(None),
        }
    }

    /// Sends a notice.
    ///
    /// # Errors
    /// [`DeliveryError`] unless the receiver answers with a 2xx.
    pub async fn deliver(
        &self,
        notice: &Notice,
        secrets: &Secrets,
        connector: &SharedHttpConnector,
    ) -> Result<(), DeliveryError> {
        let address = self.address(secrets).await?;
        let body = self.channel.render(notice).to_string();
        let sent = tokio::time::timeout(PATIENCE, self.post(&address, body, connector)).await;
        let outcome = sent.unwrap_or_else(|_| {
            Err(self.unreachable(format!("no answer within {} s", PATIENCE.as_secs())))
        });
        if let Err(DeliveryError::Refused {
            status: 401 | 403 | 404 | 410,
            ..
        }) = outcome
        {
            // The address may have been replaced: the next message reads the secret again.
            *self.address.lock().await = None;
        }
        outcome
    }

    async fn address(&self, secrets: &Secrets) -> Result<SecretString, DeliveryError> {
        let mut known = self.address.lock().await;
        if let Some(address) = known.as_ref() {
            return Ok(address.clone());
        }
        let channel = self.channel.as_str();
        let secret = secrets
            .get_secret_value()
            .secret_id(&self.secret_id)
            .send()
            .await
            .map_err(|error| DeliveryError::Secret {
                channel,
                reason: causes::chain(&error),
            })?;
        let text = SecretString::from(secret.secret_string.unwrap_or_default());
        let address = address(text.expose_secret())
            .map_err(|reason| DeliveryError::Address { channel, reason })?;
        Ok(known.insert(address).clone())
    }

    async fn post(
        &self,
        address: &SecretString,
        body: String,
        connector: &SharedHttpConnector,
    ) -> Result<(), DeliveryError> {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request
            .headers_mut()
            .insert("content-type", "application/json");
        let prepared = request
            .set_method("POST")
            .and_then(|()| request.set_uri(address.expose_secret()));
        if prepared.is_err() {
            return Err(self.unreachable("its address is not one".to_owned()));
        }
        let response = connector
            .call(request)
            .await
            .map_err(|error| self.unreachable(causes::chain(&error)))?;
        let status = response.status().as_u16();
        if (200..300).contains(&status) {
            return Ok(());
        }
        let answer = ByteStream::new(response.into_body()).collect().await;
        let answer = answer.map(|bytes| bytes.to_vec()).unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer);
        Err(DeliveryError::Refused {
            channel: self.channel.as_str(),
            status,
            answer: pipewarden_shared::truncate::characters(answer.trim(), LONGEST_ANSWER),
        })
    }

    fn unreachable(&self, reason: String) -> DeliveryError {
        DeliveryError::Unreachable {
            channel: self.channel.as_str(),
            reason,
        }
    }
}

/// Reads the address out of a secret: the address itself, or JSON with a `url`.
fn address(secret: &str) -> Result<SecretString, &'static str> {
    let json = serde_json::from_str::<Value>(secret).ok();
    let text = json
        .as_ref()
        .and_then(|json| json.get("url")?.as_str())
        .unwrap_or(secret)
        .trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("no URL");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match scheme {
        "https" if !authority.is_empty() => Ok(SecretString::from(text)),
        "http" if is_loopback(authority) => Ok(SecretString::from(text)),
        "http" => Err("an http URL; only https is sent to"),
        _ => Err("no https URL"),
    }
}

/// Whether a host, with or without a port, is this machine: the local cloud's receivers.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|digit| digit.is_ascii_digit()) => host,
        _ => authority,
    };
    let ip = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "https://hooks.slack.com/services/T/B/X",
        Ok("https://hooks.slack.com/services/T/B/X")
    )]
    #[case("{\"url\": \"https://example.com/a\"}", Ok("https://example.com/a"))]
    #[case(" https://example.com/a\n", Ok("https://example.com/a"))]
    #[case("http://127.0.0.1:8080/a", Ok("http://127.0.0.1:8080/a"))]
    #[case("http://[::1]:8080/a", Ok("http://[::1]:8080/a"))]
    #[case("http://localhost/a", Ok("http://localhost/a"))]
    #[case(
        "http://localhost.evil.example/a",
        Err("an http URL; only https is sent to")
    )]
    #[case(
        "http://127.0.0.1@evil.example/a",
        Err("an http URL; only https is sent to")
    )]
    #[case("http://example.com/a", Err("an http URL; only https is sent to"))]
    #[case("ftp://example.com/a", Err("no https URL"))]
    #[case("", Err("no URL"))]
    fn only_https_and_this_machine(#[case] secret: &str, #[case] expected: Result<&str, &str>) {
        let address = address(secret);
        assert_eq!(
            address
                .as_ref()
                .map(ExposeSecret::expose_secret)
                .map_err(|reason| *reason),
            expected
        );
    }
}
