//! A problem: what its notices say together, and what each receiver was told of it.

use super::Claim;
use crate::card::{Card, Summary};
use crate::channel::Thread;
use crate::inbound::{Labels, Notice, digest};
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use pipewarden_shared::profile::alerting::{Label, source};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most notices that are remembered by their ids: a retry of one of them is not counted again.
const REMEMBERED: usize = 32;

/// How long after an alert the alarms that only repeat it may come: CloudWatch looks at periods of five minutes, and
/// waits for some of them.
const FRESH: SignedDuration = SignedDuration::from_mins(30);

/// How much it matters that something ended which nobody knew of.
pub const NEWS: Severity = Severity::Low;

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
    /// Whether it is said each time that all goes well, so that an end of it is no sign of a beginning.
    pub is_routine: bool,
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
            is_routine: matches!(notice, Notice::Event(_)),
            labels: notice.labels(),
            summary: Summary::of(card),
        }
    }

    /// The same fact as news: an end that ends nothing which is known is told all the same, with what can wait.
    #[must_use]
    pub fn as_news(mut self) -> Self {
        self.fingerprint = digest(&["news", &self.fingerprint]);
        self.status = Status::Firing;
        self.labels
            .insert(Label::Status.as_str(), self.status.as_str().to_owned());
        self.labels
            .insert(Label::Severity.as_str(), NEWS.as_str().to_owned());
        self.summary.status = self.status;
        self.summary.severity = NEWS;
        self
    }

    /// What it is remembered by.
    fn trace(&self) -> String {
        digest(&[&self.id, self.status.as_str()])
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
    /// The youngest end that came while the problem was not known to be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unbegun: Option<Timestamp>,
    /// The youngest end that each receiver was told of.
    #[serde(default)]
    pub closed: BTreeMap<String, Timestamp>,
    /// Digests of the last notices' ids.
    #[serde(default)]
    seen: Vec<String>,
}

impl Problem {
    /// What is known after a notice.
    pub fn after(known: Option<Self>, fact: &Fact) -> Self {
        let mut problem = known.unwrap_or_else(|| Self::unheard(fact));
        if problem.has_heard(fact) {
            return problem;
        }
        match fact.status {
            Status::Firing => problem.fired(fact),
            Status::Resolved => problem.ended(fact),
        }
        problem.seen.push(fact.trace());
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
            unbegun: None,
            closed: BTreeMap::new(),
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

    fn ended(&mut self, fact: &Fact) {
        let at = fact.at;
        if self.open && at < self.last {
            return;
        }
        if !self.open && !fact.is_routine && self.resolved_at < Some(at) {
            self.unbegun = Some(at);
        }
        self.open = false;
        self.resolved_at = self.resolved_at.max(Some(at));
    }

    /// Whether a receiver may have been told of a beginning that is not known, and was not told of the end since: it
    /// was told without the store, or by an invocation that failed or was killed before it wrote that down.
    pub fn may_have_paged(&self, receiver: &str, now: Timestamp) -> bool {
        let is_untold = self.closed.get(receiver) < self.resolved_at.as_ref();
        let told = self.told.get(receiver);
        let is_unknown = told.is_none_or(|told| told.episode != self.episode);
        let left = self
            .claims
            .get(receiver)
            .is_some_and(|claim| claim.until <= now);
        let has_traces = is_unknown && (left || self.doubtful.contains(receiver));
        !self.open && is_untold && (self.unbegun == self.resolved_at || has_traces)
    }

    /// Whether a receiver that was told of the problem is still to be told that it is gone.
    pub fn owes_end(&self, receiver: &str) -> bool {
        let told = self.told.get(receiver);
        !self.open && told.is_some_and(|told| told.episode == self.episode && !told.gone)
    }

    /// Whether the notice is one that was heard before.
    pub fn has_heard(&self, fact: &Fact) -> bool {
        self.seen.contains(&fact.trace())
    }

    /// Whether a receiver is spared a notice that this problem holds back.
    ///
    /// An alarm says once that it goes off: an alert keeps it from those only who were told of the alert. An alert
    /// stays open until a run succeeds, so that one which is not fresh says nothing of what an alarm notices now. An
    /// alarm that holds others back, as in a maintenance, says itself when that is over, and is for all.
    pub fn spares(&self, receiver: &str, fact: &Fact) -> bool {
        let is_alarm = |labels| Label::Source.of(labels) == source::CLOUDWATCH;
        if !is_alarm(&fact.labels) || is_alarm(&self.labels()) {
            return true;
        }
        let told = self.told.get(receiver);
        let is_told = told.is_some_and(|told| {
            told.episode == self.episode && !told.gone && told.via != Via::Digest
        });
        is_told && fact.at.duration_since(self.last) <= FRESH
    }

    /// Its labels as rules read them.
    pub fn labels(&self) -> Labels {
        Label::ALL
            .into_iter()
            .filter_map(|label| Some((label.as_str(), self.labels.get(label.as_str())?.clone())))
            .collect()
    }

    /// What a digest or a storm says of it that happened `count` times since the last word on it.
    pub fn summarised(&self, gone: bool, count: u64) -> Summary {
        Summary {
            status: if gone {
                Status::Resolved
            } else {
                Status::Firing
            },
            occurred_at: Some(self.since),
            count,
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
