//! A problem: what its notices say together, and what each receiver was told of it.

use super::Claim;
use crate::card::{Card, Summary};
use crate::channel::Thread;
use crate::inbound::{Labels, Notice, digest};
use jiff::Timestamp;
use pipewarden_shared::alert::Status;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most notices that are remembered by their ids: a retry of one of them is not counted again.
const REMEMBERED: usize = 32;

/// What a notice says of its problem.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// The same for each delivery of this very notice.
    pub id: String,
    /// What makes two notices the same problem.
    pub fingerprint: String,
    /// Whether the problem is there or gone.
    pub status: Status,
    /// When it came to be so.
    pub at: Timestamp,
    /// What routes and rules match on.
    pub labels: Labels,
    /// What it is about, in short.
    pub summary: Summary,
}

impl Fact {
    /// What a notice says. One without a time, or with one that is yet to come, says it of this moment.
    pub fn of(notice: &Notice, card: &Card, now: Timestamp) -> Self {
        Self {
            id: notice.id(),
            fingerprint: notice.fingerprint(),
            status: notice.status(),
            at: card.occurred_at.map_or(now, |at| at.min(now)),
            labels: notice.labels(),
            summary: Summary::of(card),
        }
    }
}

/// How a receiver was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// In a message of its own.
    Message,
    /// In the summary of a storm.
    Storm,
    /// In the digest.
    Digest,
}

/// What a receiver was told last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Of which episode.
    pub episode: u32,
    /// Whether of its end as well.
    pub gone: bool,
    /// How.
    pub via: Via,
    /// When.
    pub at: Timestamp,
    /// How often it had happened by then.
    pub count: u64,
    /// The message, where others can answer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<Thread>,
}

/// A problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What makes two notices the same problem.
    pub fingerprint: String,
    /// What rules match on, from the youngest firing.
    pub labels: BTreeMap<String, String>,
    /// What it is about, from the youngest firing.
    pub summary: Summary,
    /// How many episodes there were, this one included; 0 where only an end is known.
    pub episode: u32,
    /// Whether it is there.
    pub open: bool,
    /// The first firing of this episode.
    pub since: Timestamp,
    /// The youngest firing.
    pub last: Timestamp,
    /// The youngest end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// How often it happened in this episode.
    pub count: u64,
    /// What each receiver was told, by its name.
    #[serde(default)]
    pub told: BTreeMap<String, Told>,
    /// Who is telling it at the moment, by the receiver's name.
    #[serde(default)]
    pub claims: BTreeMap<String, Claim>,
    /// Receivers that may have a message of this episode that nobody knows of: its sender failed or was killed.
    #[serde(default)]
    pub doubtful: BTreeSet<String>,
    /// Digests of the last notices' ids.
    #[serde(default)]
    seen: Vec<String>,
}

impl Problem {
    /// What is known after a notice.
    pub fn after(known: Option<Self>, fact: &Fact) -> Self {
        let id = digest(&[&fact.id, fact.status.as_str()]);
        let mut problem = known.unwrap_or_else(|| Self::unheard(fact));
        if problem.seen.contains(&id) {
            return problem;
        }
        match fact.status {
            Status::Firing => problem.fired(fact),
            Status::Resolved => problem.ended(fact.at),
        }
        problem.seen.push(id);
        let excess = problem.seen.len().saturating_sub(REMEMBERED);
        problem.seen.drain(..excess);
        problem
    }

    fn unheard(fact: &Fact) -> Self {
        Self {
            fingerprint: fact.fingerprint.clone(),
            labels: owned(&fact.labels),
            summary: fact.summary.clone(),
            episode: 0,
            open: false,
            since: fact.at,
            last: fact.at,
            resolved_at: None,
            count: 0,
            told: BTreeMap::new(),
            claims: BTreeMap::new(),
            doubtful: BTreeSet::new(),
            seen: Vec::new(),
        }
    }

    fn fired(&mut self, fact: &Fact) {
        let younger = self.resolved_at.is_none_or(|end| fact.at > end);
        if self.episode == 0 || (!self.open && younger) {
            self.episode = self.episode.saturating_add(1);
            self.open = younger;
            self.since = fact.at;
            self.last = fact.at;
            self.count = 0;
            self.doubtful.clear();
        }
        self.count = self.count.saturating_add(1);
        if fact.at >= self.last {
            self.last = fact.at;
            self.labels = owned(&fact.labels);
            self.summary = fact.summary.clone();
        }
    }

    fn ended(&mut self, at: Timestamp) {
        if self.open && at < self.last {
            return;
        }
        self.open = false;
        self.resolved_at = self.resolved_at.max(Some(at));
    }

    /// Its labels as rules read them.
    pub fn labels(&self) -> Labels {
        use pipewarden_shared::profile::alerting::Label;
        Label::ALL
            .into_iter()
            .filter_map(|label| Some((label.as_str(), self.labels.get(label.as_str())?.clone())))
            .collect()
    }

    /// What a digest or a storm says of it.
    pub fn summarised(&self, gone: bool) -> Summary {
        Summary {
            status: if gone {
                Status::Resolved
            } else {
                Status::Firing
            },
            occurred_at: Some(self.since),
            count: self.count,
            ..self.summary.clone()
        }
    }
}

fn owned(labels: &Labels) -> BTreeMap<String, String> {
    let labels = labels.iter();
    labels
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}
