//! What an invocation does next for a receiver, and what follows when it is done.

use super::{Problem, Told, Via};
use crate::channel::Thread;
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::profile::alerting::Timing;
use serde::{Deserialize, Serialize};

/// Who is telling a receiver at the moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The notice.
    pub notice: String,
    /// The invocation's request.
    pub request: String,
    /// The episode that is told.
    pub episode: u32,
    /// When the invocation has ended for sure.
    pub until: Timestamp,
}

/// An invocation with a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The notice.
    pub notice: String,
    /// The request, the same when Lambda retries it.
    pub request: String,
    /// When the invocation has ended for sure.
    pub until: Timestamp,
}

/// How a receiver is to be told of the firing notice at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// At once or with the digest.
    pub timing: Timing,
    /// How long until it is told again.
    pub repeat_interval: SignedDuration,
}

/// What is to be done for a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Of which episode.
    pub episode: u32,
    /// How often it happened until now.
    pub count: u64,
    /// What.
    pub kind: TaskKind,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskKind {
    /// Tell that it fires.
    Tell {
        /// What it was told before, where it is told again.
        before: Option<Told>,
    },
    /// Show in the message that it happened again.
    Count(Thread),
    /// Tell that it is gone: to who was told that it fires, or to a pager that may hold an incident nobody knows of.
    Gone(Option<Told>),
}

/// What an invocation does next for a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing is owed, or another invocation sees to it.
    Nothing,
    /// Another invocation is at it, and this one cannot rely on it.
    Wait,
    /// This; it is claimed.
    Do(Task),
}

impl Problem {
    /// Decides what to do next for a receiver, and claims it.
    ///
    /// `episode` is the one that the notice at hand was counted in, `plan` how the receiver is told of it; without one
    /// it is told of the end only. Receivers with `pages` are told of an end as well where they [may have been
    /// told](Self::may_have_paged) of a beginning that is not known.
    pub fn next(
        &mut self,
        receiver: &str,
        me: &Me,
        episode: u32,
        plan: Option<Plan>,
        pages: bool,
        now: Timestamp,
    ) -> Next {
        let claim = self
            .claims
            .get(receiver)
            .filter(|claim| claim.until > now && claim.request != me.request);
        if let Some(claim) = claim {
            let relies = claim.notice != me.notice && claim.episode >= episode;
            let owed = self.owed(receiver, episode, plan, pages, now).is_some();
            return if relies || !owed {
                Next::Nothing
            } else {
                Next::Wait
            };
        }
        let Some(kind) = self.owed(receiver, episode, plan, pages, now) else {
            return Next::Nothing;
        };
        let told = match kind {
            TaskKind::Tell { before: None } => episode,
            _ => self.episode,
        };
        let claim = Claim {
            notice: me.notice.clone(),
            request: me.request.clone(),
            episode: told,
            until: me.until,
        };
        if self.claims.insert(receiver.to_owned(), claim).is_some() {
            // Whoever held it before did not come to an end.
            self.doubtful.insert(receiver.to_owned());
        }
        Next::Do(Task {
            episode: told,
            count: self.count,
            kind,
        })
    }

    fn owed(
        &self,
        receiver: &str,
        episode: u32,
        plan: Option<Plan>,
        pages: bool,
        now: Timestamp,
    ) -> Option<TaskKind> {
        let told = self.told.get(receiver);
        if plan.is_some() && told.is_none_or(|told| told.episode < episode) {
            return Some(TaskKind::Tell { before: None });
        }
        let Some(told) = told.filter(|told| told.episode == self.episode && !told.gone) else {
            return (pages && self.may_have_paged(receiver, now)).then_some(TaskKind::Gone(None));
        };
        if !self.open {
            return Some(TaskKind::Gone(Some(told.clone())));
        }
        let plan = plan.filter(|_| self.count > told.count)?;
        if now.duration_since(told.at) >= plan.repeat_interval {
            return Some(TaskKind::Tell {
                before: Some(told.clone()),
            });
        }
        // Each update is a call: at 2, 4, 8 … a reader sees how it grows.
        let thread = told.thread.clone().filter(|_| self.count.is_power_of_two());
        thread.map(TaskKind::Count)
    }

    /// Notes that a receiver took what it was sent. A message about a later episode that it took in between stands.
    pub fn took(
        &mut self,
        receiver: &str,
        me: &Me,
        task: &Task,
        via: Via,
        thread: Option<Thread>,
        now: Timestamp,
    ) {
        self.release(receiver, me);
        let known = self.told.get_mut(receiver);
        match (&task.kind, known) {
            (_, Some(known)) if known.episode > task.episode => {}
            (TaskKind::Tell { .. }, known) => {
                let before = known.filter(|known| known.episode == task.episode);
                let told = Told {
                    episode: task.episode,
                    gone: before.as_ref().is_some_and(|before| before.gone),
                    via,
                    at: now,
                    count: task.count,
                    thread: thread.or_else(|| before.and_then(|before| before.thread.clone())),
                };
                self.told.insert(receiver.to_owned(), told);
            }
            (TaskKind::Count(_), Some(known)) => known.count = known.count.max(task.count),
            (TaskKind::Count(_), None) => {}
            (TaskKind::Gone(before), known) => {
                if let (Some(_), Some(known)) = (before, known) {
                    known.gone = true;
                }
                // Not as told of this episode: a beginning that is still owed would not be sent.
                if let Some(end) = self.resolved_at {
                    self.closed.insert(receiver.to_owned(), end);
                }
            }
        }
    }

    /// Notes that a receiver is not shown a count: the next one is tried, and what else is owed is not held up.
    pub fn skipped(&mut self, receiver: &str, me: &Me, task: &Task) {
        self.release(receiver, me);
        let known = self.told.get_mut(receiver);
        if let Some(known) = known.filter(|known| known.episode == task.episode) {
            known.count = known.count.max(task.count);
        }
    }

    /// Notes that a receiver did not take what it was sent, as far as the sender knows.
    pub fn failed(&mut self, receiver: &str, me: &Me) {
        self.doubtful.insert(receiver.to_owned());
        self.release(receiver, me);
    }

    fn release(&mut self, receiver: &str, me: &Me) {
        if self
            .claims
            .get(receiver)
            .is_some_and(|claim| claim.request == me.request)
        {
            self.claims.remove(receiver);
        }
    }
}
