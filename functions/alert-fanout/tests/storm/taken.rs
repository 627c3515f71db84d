//! What may go wrong, and what arrived.

use std::collections::{BTreeMap, BTreeSet};

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
