//! What is kept for a summary: of a storm, or the digest.

use super::Via;
use crate::card::Summary;
use crate::inbound::digest;
use pipewarden_shared::alert::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A storm's.
    Storm,
    /// The digest.
    Digest,
}

impl Kind {
    /// The name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storm => "storm",
            Self::Digest => "digest",
        }
    }

    /// How a receiver that gets it is told.
    pub const fn via(self) -> Via {
        match self {
            Self::Storm => Via::Storm,
            Self::Digest => Via::Digest,
        }
    }
}

/// One telling of a problem, the same when it is tried again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Line {
    /// The problem's fingerprint.
    pub problem: String,
    /// Its episode.
    pub episode: u32,
    /// When the receiver was told of this episode before, in seconds since 1970; 0 the first time.
    pub before: i64,
}

impl Line {
    /// What a storm counts it by.
    pub fn telling(&self) -> String {
        format!("{}/{}/{}", self.problem, self.episode, self.before)
    }
}

/// One line of a summary, until that is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Of which summary.
    pub kind: Kind,
    /// What it tells.
    pub line: Line,
    /// In which words, and how often it happened since the telling before.
    pub summary: Summary,
}

impl Pending {
    /// Its sort key: sorted by when it is due, the same for the same thing said twice.
    pub fn sort(&self, due: i64) -> String {
        let line = digest(&[&self.line.telling(), self.summary.status.as_str()]);
        format!("{}#{}#{line}", Self::due(due), self.kind.as_str())
    }

    /// The lines as a summary shows them: each problem once, as it was told last, with the sum of its alerts. A telling
    /// that a retry kept once more, for a later summary, counts once.
    pub fn merged<'p>(lines: impl IntoIterator<Item = &'p Self>) -> Vec<Summary> {
        let mut tellings: BTreeMap<(&Line, bool), &Summary> = BTreeMap::new();
        for Self { line, summary, .. } in lines {
            let is_end = summary.status == Status::Resolved;
            let known = tellings.entry((line, is_end)).or_insert(summary);
            if known.count < summary.count {
                *known = summary;
            }
        }
        let mut problems: BTreeMap<&str, Vec<(u32, bool, &Summary)>> = BTreeMap::new();
        for ((line, is_end), summary) in tellings {
            let told = problems.entry(&line.problem).or_default();
            told.push((line.episode, is_end, summary));
        }
        problems.into_values().filter_map(whole).collect()
    }

    /// What sorts behind everything that is due at a second.
    pub fn until(second: i64) -> String {
        Self::due(second.saturating_add(1))
    }

    fn due(second: i64) -> String {
        format!("{:012}", second.max(0))
    }
}

/// One summary out of all that was told of a problem.
fn whole(told: Vec<(u32, bool, &Summary)>) -> Option<Summary> {
    let counts = told.iter().map(|(_, _, summary)| summary.count);
    let count = counts.fold(0, u64::saturating_add);
    let since = told
        .iter()
        .filter_map(|(_, _, summary)| summary.occurred_at);
    let since = since.min();
    let (_, _, last) = told
        .into_iter()
        .max_by_key(|(episode, is_end, _)| (*episode, *is_end))?;
    Some(Summary {
        count,
        occurred_at: since,
        ..last.clone()
    })
}
