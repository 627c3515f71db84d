//! An EventBridge event of any source and type, as SNS or EventBridge itself brings it.

use super::{Envelope, digest, json, service};
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use serde_json::Value;

/// What is read of an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id; the same for each delivery of it.
    pub id: String,
    /// Who sent it, such as `aws.glue`.
    pub source: String,
    /// What it tells, such as `Glue Job State Change`.
    pub detail_type: String,
    /// The account.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
    /// What it says.
    pub told: Told,
    /// The event as it came.
    pub raw: Value,
}

/// What an event says, in the words of people.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What it is about: the same for two events on the same problem.
    pub subject: String,
    /// What happened, in a few words.
    pub title: String,
    /// What happened and why.
    pub summary: String,
    /// How much it matters.
    pub severity: Severity,
    /// Whether the problem is there or gone.
    pub status: Status,
    /// What failed, by the name that Pipewarden has for it.
    pub error_type: Option<&'static str>,
    /// The state machine, where it is about one.
    pub pipeline: Option<String>,
    /// What else a reader wants to know.
    pub facts: Vec<(String, String)>,
    /// Pages that help.
    pub links: Vec<(String, String)>,
    /// How long it took, in seconds.
    pub duration: Option<f64>,
}

impl Event {
    /// Reads an event; nothing where the JSON is none.
    pub(super) fn read(json: &Value, envelope: &Envelope) -> Option<Self> {
        let source = json::text(json, "/source")?;
        let detail_type = json::text(json, "/detail-type")?;
        let id = json::text(json, "/id").or_else(|| envelope.message_id.clone());
        let mut event = Self {
            id: id.unwrap_or_else(|| digest(&["event", &json.to_string()])),
            source,
            detail_type,
            account: json::text(json, "/account"),
            region: json::text(json, "/region"),
            time: json::time(json, "/time"),
            resources: json::texts(json, "/resources"),
            told: Told::nothing(),
            raw: json.clone(),
        };
        event.told = service::told(&event);
        Some(event)
    }

    /// The detail, or null.
    pub(super) fn detail(&self) -> &Value {
        self.raw.get("detail").unwrap_or(&Value::Null)
    }
}

impl Told {
    fn nothing() -> Self {
        Self {
            subject: String::new(),
            title: String::new(),
            summary: String::new(),
            severity: Severity::Medium,
            status: Status::Firing,
            error_type: None,
            pipeline: None,
            facts: Vec::new(),
            links: Vec::new(),
            duration: None,
        }
    }
}
