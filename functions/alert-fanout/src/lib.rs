//! Alert fan-out: alerts to the people and tools that wait for them, once, and none lost.
//!
//! ```text
//! event ─▶ notices ─▶ who gets them ─▶ what is owed ─▶ card ─▶ channel's message ─▶ delivery
//!         inbound     profile          decide, store   card    channel              delivery
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`inbound`] | parse: SNS, alarms, EventBridge, any text |
//! | [`decide`] | decide: problems, claims, storms, digests, and the protocol between them; read its text first |
//! | [`card`], [`channel`] | decide: what a message shows, and how each channel is told |
//! | [`success`] | decide: whether a run of the pipeline succeeded |
//! | [`store`] | act: what is remembered between invocations |
//! | [`delivery`] | act: a message to a receiver, tried again |
//! | `once` | act: one notice, from what is remembered to what is delivered |
//! | [`config`] | the configuration |

pub mod card;
pub mod channel;
pub mod config;
pub mod decide;
pub mod delivery;
pub mod inbound;
mod once;
pub mod store;
pub mod success;

pub use config::{Clock, Fanout};

use delivery::DeliveryError;
use futures_util::future::join_all;
use once::{Office, Outcome};
use pipewarden_shared::event::InvalidEvent;
use pipewarden_shared::lambda::{self, FunctionError, Invocation};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use store::Store;

/// The largest event that is read, in bytes: a message of 256 KiB whose characters are all written as escapes, twice.
const LARGEST_EVENT: usize = 4 * 1024 * 1024;

/// The function's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// 200: a failure is an error, not another code.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// Notices that came.
    pub records: usize,
    /// Messages that were taken.
    pub delivered: usize,
    /// Lines that were kept for a storm's or a digest's summary.
    pub kept: usize,
}

/// Why somebody did not get a message.
#[derive(Debug, thiserror::Error)]
pub enum FanoutError {
    /// The event is of no kind that is known.
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

/// Takes each notice to everybody who is owed it. One receiver's failure holds up no other.
///
/// The event is of SNS, of EventBridge, of an alarm, or the schedule's `{"pipewarden": "digest"}`, at which summaries
/// that are due are sent.
///
/// # Errors
/// [`FanoutError`]: the event is of another kind, or a receiver did not take a message. Lambda tries again then; what
/// others took is not sent to them again.
pub async fn handle<S: Store>(
    fanout: Arc<Fanout<S>>,
    invocation: Invocation,
) -> Result<Delivered, FanoutError> {
    let event = lambda::parse(&invocation.text, LARGEST_EVENT)?;
    let office = Office::open(&fanout, &invocation);
    let (records, outcome) = if event.get("pipewarden").and_then(Value::as_str) == Some("digest") {
        (0, office.summaries().await)
    } else {
        let notices = inbound::parse(&event)?;
        let hearing = notices.iter().map(|notice| async {
            let now = office.clock.now();
            let mut outcome = match fanout
                .watched
                .as_ref()
                .and_then(|watched| watched.success(notice, now))
            {
                Some(success) => office.succeeded(&success).await,
                None => Outcome::default(),
            };
            outcome.add(office.hear(notice).await);
            outcome
        });
        let mut all = Outcome::default();
        join_all(hearing)
            .await
            .into_iter()
            .for_each(|outcome| all.add(outcome));
        (notices.len(), all)
    };
    let Outcome { tally, failures } = outcome;
    if !failures.is_empty() {
        return Err(FanoutError::Undelivered {
            delivered: tally.delivered,
            failures,
        });
    }
    Ok(Delivered {
        status_code: 200,
        records,
        delivered: tally.delivered,
        kept: tally.kept,
    })
}
