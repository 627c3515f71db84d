//! Storm control: how many problems a receiver is told one by one in a window of time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a problem gets a message of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It does.
    Alone,
    /// It is the first that does not: the storm begins, and its summary is sent at once.
    Opens,
    /// It is kept for the summary at the end of the window.
    Collected,
}

/// The problems that a receiver was told of in a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Those that got a message of their own, by fingerprint and episode.
    pub alone: Vec<String>,
    /// CRITICAL ones that got a message of their own when there was no room for others.
    #[serde(default)]
    pub critical: Vec<String>,
    /// The first that did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_by: Option<String>,
}

impl Window {
    /// Whether a problem gets a message of its own where `more_than` do, and as many CRITICAL ones again; the same when
    /// it is asked again.
    pub fn admit(&mut self, problem: &str, more_than: u32, is_critical: bool) -> Admission {
        let most = usize::try_from(more_than).unwrap_or(usize::MAX);
        let mut admitted = self.alone.iter().chain(&self.critical);
        if admitted.any(|known| known == problem) {
            return Admission::Alone;
        }
        let room = [(&mut self.alone, true), (&mut self.critical, is_critical)];
        for (places, may) in room {
            if may && places.len() < most {
                places.push(problem.to_owned());
                return Admission::Alone;
            }
        }
        let first = self.opened_by.get_or_insert_with(|| problem.to_owned());
        if first == problem {
            Admission::Opens
        } else {
            Admission::Collected
        }
    }

    /// When the window that a moment is in begins and ends, in seconds since 1970. Windows follow each other.
    pub fn around(now: Timestamp, window: SignedDuration) -> (i64, i64) {
        let length = window.as_secs().max(1);
        let begin = now.as_second().div_euclid(length).saturating_mul(length);
        (begin, begin.saturating_add(length))
    }
}
