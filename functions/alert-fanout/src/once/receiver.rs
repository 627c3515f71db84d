//! What a receiver is owed, as a message or as a line of a summary.

use super::Office;
use crate::card::{Button, Card, Summary};
use crate::channel::{Act, Context, Thread};
use crate::decide::{
    Admission, Fact, Kind, Line, Plan, Problem, Task, TaskKind, Told, Via, Window,
};
use crate::delivery::{Contact, DeliveryError, Message};
use crate::store::{Store, StoreError};
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use pipewarden_shared::mask;
use pipewarden_shared::profile::alerting::{Label, Timing};
use serde_json::Value;
use std::collections::BTreeMap;

/// What an invocation heard.
#[derive(Debug)]
pub(super) struct Heard<'h> {
    /// What it says.
    pub(super) fact: &'h Fact,
    /// What a message about it shows; nothing where a run's success speaks for all problems of its pipeline.
    pub(super) card: Option<&'h Card>,
    /// The notice as it came.
    pub(super) raw: Option<&'h Value>,
    /// Who is told that it fires, and how.
    pub(super) plans: BTreeMap<&'h str, Plan>,
}

/// How a receiver was told.
pub(super) type Done = (Via, Option<Thread>);

impl<S: Store> Office<'_, S> {
    /// Does what is owed.
    pub(super) async fn perform(
        &self,
        problem: &Problem,
        contact: &Contact,
        task: &Task,
        heard: &Heard<'_>,
    ) -> Result<Done, DeliveryError> {
        match &task.kind {
            TaskKind::Tell { before } => {
                let line = line(problem, task, before.as_ref());
                let known = before.as_ref().map_or(0, |told| told.count);
                let summary = problem.summarised(false, task.count.saturating_sub(known));
                if let Some(via) = self.collected(contact, summary, &line, heard).await? {
                    return Ok((via, None));
                }
                let act = before
                    .as_ref()
                    .and_then(|told| told.thread.clone())
                    .map_or(Act::Post, Act::Reply);
                self.send(problem, contact, &act, heard, task.count).await
            }
            TaskKind::Count(thread) => {
                let act = Act::Update(thread.clone());
                self.send(problem, contact, &act, heard, task.count).await
            }
            TaskKind::Gone(told) => {
                self.tell_gone(problem, contact, task, told.as_ref(), heard)
                    .await
            }
        }
    }

    /// Keeps a line for a receiver's summary, where it is told in one; nothing where it is to be told alone.
    async fn collected(
        &self,
        contact: &Contact,
        summary: Summary,
        line: &Line,
        heard: &Heard<'_>,
    ) -> Result<Option<Via>, DeliveryError> {
        let name = contact.name();
        let Some(kind) = self.keeps(contact, line, heard).await else {
            return Ok(None);
        };
        let kept = match kind {
            Kept::Digest => {
                self.keep(name, Kind::Digest, summary, line, self.next_digest())
                    .await
            }
            Kept::Storm => {
                self.keep(name, Kind::Storm, summary, line, self.window().1)
                    .await
            }
            Kept::Opening => self.open_storm(contact, summary, line).await,
        };
        match (kept, kind) {
            (Ok(via), _) => Ok(Some(via)),
            // The retry keeps it, or tells it alone where the store is down: all at once would be the flood that a
            // storm's summary is for.
            (Err(error), Kept::Storm | Kept::Opening) => Err(unkept(contact, &error)),
            (Err(_), Kept::Digest) => Ok(None),
        }
    }

    /// Tells the end of a problem in the way in which its beginning was told.
    async fn tell_gone(
        &self,
        problem: &Problem,
        contact: &Contact,
        task: &Task,
        told: Option<&Told>,
        heard: &Heard<'_>,
    ) -> Result<Done, DeliveryError> {
        let name = contact.name();
        let pages = contact.receiver.channel.pages();
        let via = told.map_or(Via::Message, |told| told.via);
        let (kind, due) = match via {
            // The incident of a storm is closed by people: it is about more than this. One of its own, that its sender
            // does not know of, would stay open.
            Via::Storm if pages && !problem.doubtful.contains(name) => return Ok((via, None)),
            Via::Storm if !pages => (Kind::Storm, self.window().1),
            Via::Digest => (Kind::Digest, self.next_digest()),
            Via::Storm | Via::Message => {
                return self.send_end(problem, contact, told, heard).await;
            }
        };
        let line = line(problem, task, None);
        let known = told.map_or(0, |told| told.count);
        let summary = problem.summarised(true, task.count.saturating_sub(known));
        match self.keep(name, kind, summary, &line, due).await {
            Ok(via) => Ok((via, None)),
            Err(_) => self.send_end(problem, contact, told, heard).await,
        }
    }

    /// Whether a receiver is told in a summary. Without the store it is told at once.
    async fn keeps(&self, contact: &Contact, line: &Line, heard: &Heard<'_>) -> Option<Kept> {
        let plan = heard.plans.get(contact.name())?;
        if plan.timing == Timing::Digest {
            return Some(Kept::Digest);
        }
        let is_critical = Label::Severity.of(&heard.fact.labels) == Severity::Critical.as_str();
        match self.admit(contact, &line.telling(), is_critical).await {
            Ok(Admission::Alone) | Err(_) => None,
            Ok(Admission::Opens) => Some(Kept::Opening),
            Ok(Admission::Collected) => Some(Kept::Storm),
        }
    }

    async fn send(
        &self,
        problem: &Problem,
        contact: &Contact,
        act: &Act,
        heard: &Heard<'_>,
        count: u64,
    ) -> Result<Done, DeliveryError> {
        let Some(card) = heard.card else {
            return Ok((Via::Message, None));
        };
        let card = card.clone().repeated(count, problem.since);
        let context = Context {
            fingerprint: &problem.fingerprint,
            id: &heard.fact.id,
            status: Status::Firing,
            now: self.clock.now(),
            raw: heard.raw,
        };
        self.carry(contact, &card, act, &context).await
    }

    /// Tells that a problem is gone: in the words of the notice that says so, else in those that are remembered.
    async fn send_end(
        &self,
        problem: &Problem,
        contact: &Contact,
        told: Option<&Told>,
        heard: &Heard<'_>,
    ) -> Result<Done, DeliveryError> {
        let own = heard.card.filter(|_| heard.fact.status == Status::Resolved);
        let card = own.cloned().unwrap_or_else(|| ended(problem, heard));
        let context = Context {
            fingerprint: &problem.fingerprint,
            id: &heard.fact.id,
            status: Status::Resolved,
            now: self.clock.now(),
            raw: own.and(heard.raw),
        };
        let act = Act::Resolve(told.and_then(|told| told.thread.clone()));
        self.carry(contact, &card, &act, &context).await
    }

    pub(super) async fn carry(
        &self,
        contact: &Contact,
        card: &Card,
        act: &Act,
        context: &Context<'_>,
    ) -> Result<Done, DeliveryError> {
        let message = Message { card, act, context };
        let thread = self.courier.deliver(contact, message, self.until).await?;
        Ok((Via::Message, thread))
    }

    pub(super) fn window(&self) -> (i64, i64) {
        Window::around(self.clock.now(), self.alerting.storm.window)
    }

    fn next_digest(&self) -> i64 {
        self.alerting.digest.next(self.clock.now()).as_second()
    }

    /// Keeps the line that begins a storm, and sends it at once.
    async fn open_storm(
        &self,
        contact: &Contact,
        summary: Summary,
        line: &Line,
    ) -> Result<Via, StoreError> {
        let via = self
            .keep(
                contact.name(),
                Kind::Storm,
                summary,
                line,
                self.clock.now().as_second(),
            )
            .await?;
        if let Err(error) = self.send_summaries(contact, true).await {
            // It is kept: the schedule sends it.
            let error = mask::secrets(&error.to_string());
            tracing::warn!(error, "the storm's first summary waits: {error}");
        }
        Ok(via)
    }
}

/// In which summary a receiver is told.
enum Kept {
    Digest,
    Storm,
    Opening,
}

/// What is kept for a receiver cannot be written or read.
pub(super) fn unkept(contact: &Contact, error: &StoreError) -> DeliveryError {
    DeliveryError::Kept {
        receiver: contact.name().to_owned(),
        reason: error.to_string(),
    }
}

fn line(problem: &Problem, task: &Task, before: Option<&Told>) -> Line {
    Line {
        problem: problem.fingerprint.clone(),
        episode: task.episode,
        before: before.map_or(0, |told| told.at.as_second()),
    }
}

/// The card of a problem that is gone, from what is remembered of it.
fn ended(problem: &Problem, heard: &Heard<'_>) -> Card {
    let summary = &problem.summary;
    let labels = problem.labels();
    let mut card = Card::new(
        summary.severity,
        summary.title.clone(),
        summary.summary.clone(),
    );
    card.pipeline.clone_from(&summary.pipeline);
    let environment = Label::Environment.of(&labels);
    card.environment = (!environment.is_empty()).then(|| environment.to_owned());
    card.occurred_at = problem.resolved_at;
    card.buttons = summary
        .url
        .iter()
        .map(|url| Button {
            label: "Last failure".to_owned(),
            url: url.clone(),
        })
        .collect();
    let mut say = |name: &str, value: String| card.facts.push((name.to_owned(), value));
    say("Since", problem.since.to_string());
    say("Happened", format!("{} times", problem.count));
    if heard.fact.status == Status::Resolved && heard.card.is_none() {
        say("Ended by", heard.fact.summary.title.clone());
    }
    card.resolved()
}
