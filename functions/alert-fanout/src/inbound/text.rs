//! Any message that has no known form, delivered as it is.

use super::{Envelope, budget, json, severity};
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;

/// The most characters of a text.
const LONGEST_TEXT: usize = 8_000;

/// The most characters of its subject.
const LONGEST_SUBJECT: usize = 200;

/// A text, masked and bounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// What SNS says about it.
    pub envelope: Envelope,
    /// The text.
    pub message: String,
    /// Its facts, where it is a notification whose form is known, such as one of AWS Budgets.
    pub facts: Vec<(String, String)>,
}

impl Text {
    pub(super) fn new(message: &str, mut envelope: Envelope) -> Self {
        envelope.subject = envelope
            .subject
            .map(|subject| json::shown(&subject, LONGEST_SUBJECT));
        let message = json::shown(message, LONGEST_TEXT);
        Self {
            facts: budget::facts(&message),
            envelope,
            message,
        }
    }

    /// The subject, or the empty text.
    pub fn subject(&self) -> String {
        self.envelope.subject.clone().unwrap_or_default()
    }

    /// A message attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.envelope.attributes.get(name).map(String::as_str)
    }

    /// The severity of the message attribute; MEDIUM without one.
    pub(crate) fn severity(&self) -> Severity {
        self.attribute("severity")
            .map_or(Severity::Medium, severity)
    }

    /// The status of the message attribute; firing without one.
    pub(super) fn status(&self) -> Status {
        match self.attribute("status") {
            Some("resolved") => Status::Resolved,
            _ => Status::Firing,
        }
    }
}
