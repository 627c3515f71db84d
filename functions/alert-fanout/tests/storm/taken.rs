//! What may go wrong, and what arrived.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How bad the world is: chances in a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    /// Of being killed, before and after each call.
    pub(crate) kill: u32,
    /// Of each fault of a receiver.
    pub(crate) receiver: u32,
    /// Of the store's refusing a call.
    pub(crate) store: u32,
}

/// What a receiver took.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Problems told in messages of their own, by fingerprint.
    pub(crate) alone: BTreeMap<String, usize>,
    /// Ends, by fingerprint.
    pub(crate) gone: BTreeMap<String, usize>,
    /// When the first message about a problem was taken.
    pub(crate) first: BTreeMap<String, Duration>,
    /// The last word on each fingerprint.
    pub(crate) last: BTreeMap<String, &'static str>,
    /// Summaries.
    pub(crate) summaries: usize,
    /// Problems that were in a summary that was taken.
    pub(crate) summarised: BTreeSet<String>,
    /// Messages that were taken although the sender cannot know: each may be sent once more.
    pub(crate) doubtful: usize,
}

impl Taken {
    /// Whether a problem was told.
    pub(crate) fn knows(&self, fingerprint: &str) -> bool {
        self.alone.contains_key(fingerprint) || self.summarised.contains(fingerprint)
    }
}

/// The alerts in lines: those of a telling that was kept twice count once, and each problem counts.
pub(crate) fn total(lines: &[Value]) -> u64 {
    let mut tellings: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for line in lines {
        let status = line["summary"]["status"].to_string();
        let problem = line["line"]["problem"].to_string();
        let telling = format!("{} {status}", line["line"]);
        let count = line["summary"]["count"].as_u64().unwrap();
        let known = tellings
            .entry(problem)
            .or_default()
            .entry(telling)
            .or_default();
        *known = count.max(*known);
    }
    let problems = tellings
        .values()
        .map(|counts| counts.values().sum::<u64>().max(1));
    problems.sum()
}
