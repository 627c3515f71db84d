//! Alert fan-out: an alert on SNS to Slack and webhooks.
//!
//! `event -> parse` ([`notice`]) `-> decide` what each channel shows ([`slack`]) `-> act` ([`delivery`]).

pub mod delivery;
pub mod notice;
pub mod slack;

use aws_sdk_secretsmanager::Client as Secrets;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use delivery::{Channel, DeliveryError, Receiver};
use futures_util::future::join_all;
use pipewarden_shared::event::InvalidEvent;
use pipewarden_shared::lambda::{self, FunctionError, Invocation};
use pipewarden_shared::settings::{self, SettingsError};
use serde::Serialize;
use std::sync::Arc;

/// The largest event that is read, in bytes: a message of 256 KiB whose characters are all written as escapes, twice.
const LARGEST_EVENT: usize = 4 * 1024 * 1024;

/// What the function needs, built once per cold start.
#[derive(Debug, Clone)]
pub struct Fanout {
    /// Who gets messages.
    pub receivers: Arc<[Receiver]>,
    /// Where their addresses are.
    pub secrets: Secrets,
    /// How they are reached.
    pub connector: SharedHttpConnector,
}

/// The function's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// 200: a failure is an error, not another code.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// Records that came.
    pub records: usize,
    /// Messages that were taken.
    pub delivered: usize,
}

/// Why somebody did not get a message.
#[derive(Debug, thiserror::Error)]
pub enum FanoutError {
    /// The event is not of SNS.
    #[error(transparent)]
    InvalidEvent(#[from] InvalidEvent),
    /// A receiver did not take a message; the others did.
    #[error("{delivered} messages were delivered, {} were not: {}", .failures.len(), describe(.failures))]
    Undelivered {
        /// Messages that were taken.
        delivered: usize,
        /// What happened to the others.
        failures: Vec<DeliveryError>,
    },
}

fn describe(failures: &[DeliveryError]) -> String {
    let texts: Vec<String> = failures.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

impl FunctionError for FanoutError {
    fn name(&self) -> &'static str {
        match self {
            Self::InvalidEvent(_) => InvalidEvent::NAME,
            Self::Undelivered { .. } => "AlertNotDelivered",
        }
    }
}

impl Fanout {
    /// Reads the configuration and builds the clients. A receiver without a secret is not configured.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is missing or wrong.
    pub fn from_settings() -> Result<Self, SettingsError> {
        let configured = [
            (Channel::Slack, "SLACK_SECRET_ARN"),
            (Channel::Webhook, "WEBHOOK_SECRET_ARN"),
        ];
        let receivers: Arc<[Receiver]> = configured
            .into_iter()
            .filter_map(|(channel, variable)| {
                Some(Receiver::new(channel, settings::optional(variable)?))
            })
            .collect();
        if receivers.is_empty() {
            tracing::warn!(
                "no receiver is configured: alerts go to the topic's other subscribers only"
            );
        }
        Ok(Self {
            receivers,
            secrets: Secrets::new(&pipewarden_shared::aws::sdk_config()?),
            connector: pipewarden_shared::aws::connector()?,
        })
    }
}

/// Delivers each record to each receiver. One receiver's failure does not hold up another.
///
/// # Errors
/// [`FanoutError`]: the event is not of SNS, or a receiver did not take a message. Lambda tries again then.
pub async fn handle(fanout: Fanout, invocation: Invocation) -> Result<Delivered, FanoutError> {
    let event = lambda::parse(&invocation.text, LARGEST_EVENT)?;
    let notices = notice::parse(&event)?;
    let deliveries = notices.iter().flat_map(|notice| {
        fanout
            .receivers
            .iter()
            .map(|receiver| receiver.deliver(notice, &fanout.secrets, &fanout.connector))
    });
    let outcomes = join_all(deliveries).await;
    let owed = outcomes.len();
    let failures: Vec<DeliveryError> = outcomes.into_iter().filter_map(Result::err).collect();
    let delivered = owed - failures.len();
    if !failures.is_empty() {
        return Err(FanoutError::Undelivered {
            delivered,
            failures,
        });
    }
    tracing::info!(
        delivered,
        records = notices.len(),
        "delivered {delivered} messages"
    );
    Ok(Delivered {
        status_code: 200,
        records: notices.len(),
        delivered,
    })
}
