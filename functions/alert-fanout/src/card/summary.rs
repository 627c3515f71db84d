//! One problem in a line or two, for a digest or a storm.

use super::Card;
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use pipewarden_shared::truncate::characters;
use serde::{Deserialize, Serialize};

/// The most characters of the title and of the first line.
const LONGEST: usize = 300;

/// One problem, short enough to be kept until the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// What it is about.
    pub title: String,
    /// What failed and why.
    pub summary: String,
    /// How much it matters.
    pub severity: Severity,
    /// Whether the problem is there or gone.
    pub status: Status,
    /// The pipeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// When it happened first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
    /// How often it happened.
    #[serde(default = "once")]
    pub count: u64,
    /// The page that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

const fn once() -> u64 {
    1
}

impl Summary {
    /// The short form of a card.
    pub fn of(card: &Card) -> Self {
        Self {
            title: characters(&card.title, LONGEST),
            summary: characters(&card.summary, LONGEST),
            severity: card.severity,
            status: card.status,
            pipeline: card
                .pipeline
                .as_deref()
                .map(|name| characters(name, LONGEST)),
            occurred_at: card.occurred_at,
            count: card.repeats.map_or(1, |repeats| repeats.count),
            url: card.buttons.first().map(|button| button.url.clone()),
        }
    }
}
