//! Parse: what was brought to the function, as notices. Whatever it is, it becomes one; nothing is dropped.
//!
//! An SNS record may hold an alert of Pipewarden, a CloudWatch alarm, an EventBridge event or any other text. An
//! event that EventBridge or an alarm hands over without SNS is read as well.

pub mod alarm;
pub mod alert;
mod budget;
pub mod event;
mod json;
mod service;
pub mod text;

use alarm::Alarm;
use alert::Alert;
use event::Event;
use pipewarden_shared::alert::Status;
use pipewarden_shared::event::{Field, InvalidEvent};
use pipewarden_shared::failure::{ErrorType, RootCause, Severity};
pub use pipewarden_shared::profile::alerting::Labels;
use pipewarden_shared::profile::alerting::source;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::str::FromStr;
use text::Text;

pub(crate) use json::masked;

/// The longest fingerprint and id that are kept as they are: PagerDuty's `dedup_key` has at most 255 characters.
const LONGEST_ID: usize = 255;

/// What one record says.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// An alert of Pipewarden, of any version of its schema.
    Alert(Box<Alert>),
    /// A CloudWatch alarm that changed its state.
    Alarm(Box<Alarm>),
    /// An EventBridge event.
    Event(Box<Event>),
    /// Any other text, with the subject that it came under.
    Text(Box<Text>),
}

/// What SNS says about a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The id that SNS gave the message; the same for each delivery of it.
    pub message_id: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// Its attributes that are texts.
    pub attributes: BTreeMap<String, String>,
}

/// Reads an event: the records of SNS, or one event as it is.
///
/// # Errors
/// [`InvalidEvent`] for an event of another kind; a message of any content is a notice.
pub fn parse(event: &Value) -> Result<Vec<Notice>, InvalidEvent> {
    if event.get("Records").is_none()
        && let Some(notice) = structured(event, &Envelope::default())
    {
        return Ok(vec![notice]);
    }
    let event = Field::event(event)?;
    let records = event.get("Records");
    let records = match records.array()? {
        Some(items) if !items.is_empty() => items,
        _ => return Err(records.wrong("the records of an SNS event")),
    };
    records.iter().map(record).collect()
}

fn record(record: &Field<'_>) -> Result<Notice, InvalidEvent> {
    let sns = record.get("Sns");
    let message = sns.get("Message");
    let text = message
        .text()?
        .ok_or_else(|| message.wrong("the message of an SNS record"))?;
    let sns = sns.value().unwrap_or(&Value::Null);
    let attributes = sns.get("MessageAttributes").and_then(Value::as_object);
    let envelope = Envelope {
        message_id: json::text(sns, "/MessageId"),
        subject: json::text(sns, "/Subject"),
        attributes: attributes
            .into_iter()
            .flatten()
            .filter_map(|(name, attribute)| Some((name.clone(), json::text(attribute, "/Value")?)))
            .collect(),
    };
    Ok(notice(text, envelope))
}

fn notice(message: &str, envelope: Envelope) -> Notice {
    serde_json::from_str::<Value>(message)
        .ok()
        .and_then(|json| structured(&json, &envelope))
        .unwrap_or_else(|| Notice::Text(Box::new(Text::new(message, envelope))))
}

/// A message that is of a known form.
fn structured(json: &Value, envelope: &Envelope) -> Option<Notice> {
    Alert::read(json)
        .map(|alert| Notice::Alert(Box::new(alert)))
        .or_else(|| Alarm::read(json).map(|alarm| Notice::Alarm(Box::new(alarm))))
        .or_else(|| Event::read(json, envelope).map(|event| Notice::Event(Box::new(event))))
}

impl Notice {
    /// What makes two notices the same problem.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Alert(alert) => alert.fingerprint.clone(),
            Self::Alarm(alarm) => digest(&["alarm", alarm.identity()]),
            Self::Event(event) => digest(&[
                "event",
                &event.source,
                &event.detail_type,
                &event.told.subject,
            ]),
            Self::Text(text) => digest(&["text", &text.subject(), &text.message]),
        }
    }

    /// The same for each delivery of this very notice.
    pub fn id(&self) -> String {
        bounded(match self {
            Self::Alert(alert) => alert.id.clone(),
            Self::Alarm(alarm) => {
                let changed_at = alarm.changed_at.map(|time| time.to_string());
                digest(&[
                    "alarm",
                    alarm.identity(),
                    &alarm.state,
                    &changed_at.unwrap_or_default(),
                ])
            }
            Self::Event(event) => event.id.clone(),
            Self::Text(text) => text
                .envelope
                .message_id
                .clone()
                .unwrap_or_else(|| self.fingerprint()),
        })
    }

    /// Whether the problem is there or gone.
    pub fn status(&self) -> Status {
        match self {
            Self::Alert(alert) => alert.status,
            Self::Alarm(alarm) => alarm.status(),
            Self::Event(event) => event.told.status,
            Self::Text(text) => text.status(),
        }
    }

    /// Whether it says that something ended of which it is not sure that it ever began: an event of a service that is
    /// not known, or a text. Of the others each good end is told, and only those that end a problem are news.
    pub fn may_be_news(&self) -> bool {
        let may = match self {
            Self::Alert(_) | Self::Alarm(_) => false,
            Self::Event(event) => !service::is_known(&event.detail_type),
            Self::Text(_) => true,
        };
        may && self.status() == Status::Resolved
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Alert(alert) => alert.severity,
            Self::Alarm(alarm) => alarm.severity(),
            Self::Event(event) => event.told.severity,
            Self::Text(text) => text.severity(),
        }
    }

    /// The notice as it came, nothing masked; a text has none.
    pub fn raw(&self) -> Option<&Value> {
        match self {
            Self::Alert(alert) => Some(&alert.raw),
            Self::Alarm(alarm) => Some(&alarm.raw),
            Self::Event(event) => Some(&event.raw),
            Self::Text(_) => None,
        }
    }

    /// What routes match on: `source`, `status`, `severity`, and what else the notice names of `pipeline`,
    /// `environment`, `error_type`, `root_cause` and `alarm`. A name outside of a closed set is none.
    pub fn labels(&self) -> Labels {
        let mut labels = Labels::from([
            ("status", self.status().as_str().to_owned()),
            ("severity", self.severity().as_str().to_owned()),
        ]);
        let mut say = |name, value: Option<&str>| {
            if let Some(value) = value {
                labels.insert(name, value.to_owned());
            }
        };
        match self {
            Self::Alert(alert) => {
                let cause = alert.root_cause.as_ref().map(|cause| cause.code.as_str());
                say("source", Some(source::PIPEWARDEN));
                say("pipeline", alert.pipeline.as_deref());
                say("environment", alert.environment.as_deref());
                say("error_type", known::<ErrorType>(Some(&alert.error_type)));
                say("root_cause", known::<RootCause>(cause));
            }
            Self::Alarm(alarm) => {
                say("source", Some(source::CLOUDWATCH));
                say("alarm", Some(&alarm.name));
                say("environment", alarm.environment());
            }
            Self::Event(event) => {
                say("source", Some(source::EVENTBRIDGE));
                say("pipeline", event.told.pipeline.as_deref());
                say("error_type", event.told.error_type);
            }
            Self::Text(text) => {
                say("source", Some(source::TEXT));
                say("pipeline", text.attribute("pipeline"));
                say("environment", text.attribute("environment"));
                say(
                    "error_type",
                    known::<ErrorType>(text.attribute("error_type")),
                );
            }
        }
        labels
    }
}

/// A name that is in a closed set.
fn known<Set: FromStr>(name: Option<&str>) -> Option<&str> {
    name.filter(|name| name.parse::<Set>().is_ok())
}

/// 32 hexadecimal digits that stand for the parts: half of a SHA-256.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// An id of any length as one that every receiver and store takes.
fn bounded(id: String) -> String {
    if id.chars().nth(LONGEST_ID).is_some() {
        digest(&["id", &id])
    } else {
        id
    }
}

/// A severity by any word that is used for one.
///
/// An unknown word counts as HIGH: a problem that is weighed too light is missed.
pub(crate) fn severity(word: &str) -> Severity {
    match word.trim().to_ascii_uppercase().as_str() {
        "CRITICAL" | "FATAL" | "EMERGENCY" => Severity::Critical,
        "MEDIUM" | "WARN" | "WARNING" | "MODERATE" => Severity::Medium,
        "LOW" | "INFO" | "INFORMATIONAL" | "NOTICE" => Severity::Low,
        _ => Severity::High,
    }
}

#[cfg(test)]
pub(crate) mod tests;
