//! One receiver and one problem: what is owed, one thing after the other, each claimed before and written down after.

use super::ledger::{Change, Ledger};
use super::receiver::{Done, Heard};
use super::{Office, Tally};
use crate::decide::{Me, Next, Problem, Task, TaskKind, Via};
use crate::delivery::{Contact, DeliveryError};
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use pipewarden_shared::mask;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A receiver's turn.
#[derive(Debug)]
pub(super) struct Turn<'t, 'a, S> {
    pub(super) office: &'t Office<'a, S>,
    pub(super) ledger: &'t Ledger<'a, S>,
    pub(super) contact: &'t Contact,
    pub(super) me: &'t Me,
    /// The episode that what was heard is counted in.
    pub(super) episode: u32,
    pub(super) heard: &'t Heard<'t>,
}

impl<S: Store> Turn<'_, '_, S> {
    /// Does for the receiver what it is owed, until nothing is.
    pub(super) async fn serve(&self, mut next: Next) -> Result<Tally, (Tally, DeliveryError)> {
        let mut tally = Tally::default();
        loop {
            next = match next {
                Next::Nothing => return Ok(tally),
                Next::Wait => self.ask_again().await.map_err(|error| (tally, error))?,
                Next::Do(task) => self
                    .act(&task, &mut tally)
                    .await
                    .map_err(|error| (tally, error))?,
            };
        }
    }

    /// Does one thing, and decides what is next.
    async fn act(&self, task: &Task, tally: &mut Tally) -> Result<Next, DeliveryError> {
        let Some(problem) = self.ledger.problem().await else {
            return Ok(Next::Nothing);
        };
        let done = self
            .office
            .perform(&problem, self.contact, task, self.heard)
            .await;
        let counts = matches!(task.kind, TaskKind::Count(_));
        match &done {
            Ok((Via::Message, _)) if !counts => tally.delivered += 1,
            Ok((Via::Storm | Via::Digest, _)) => tally.kept += 1,
            _ => {}
        }
        let written = self.write_down(task, &done).await;
        let receiver = self.contact.name();
        match (done, written) {
            (Err(error), Ok(next)) if counts => {
                let error = mask::secrets(&error.to_string());
                tracing::warn!(receiver, error, "the count is not shown: {error}");
                Ok(next)
            }
            (Err(error), _) => Err(error),
            (Ok(_), Ok(next)) => Ok(next),
            // Others may have left to this claim what they owe, and only a retry sees to it now.
            (Ok(_), Err(error)) => Err(DeliveryError::Unwritten {
                receiver: receiver.to_owned(),
                reason: error.to_string(),
            }),
        }
    }

    /// Waits a little for the invocation that is at it, and looks again.
    async fn ask_again(&self) -> Result<Next, DeliveryError> {
        let claimed = || DeliveryError::Claimed {
            receiver: self.contact.name().to_owned(),
        };
        let pause = Duration::from_millis(fastrand::u64(300..900));
        if Instant::now() + pause >= self.office.until {
            return Err(claimed());
        }
        sleep(pause).await;
        let now = self.office.clock.now();
        self.ledger.refresh(now).await.map_err(|_| claimed())?;
        let asked = self
            .ledger
            .change(now, |known| self.following(known, now, |_| {}));
        asked.await.map_err(|_| claimed())
    }

    /// Writes down what became of a task, and decides what is next.
    async fn write_down(
        &self,
        task: &Task,
        done: &Result<Done, DeliveryError>,
    ) -> Result<Next, StoreError> {
        let now = self.office.clock.now();
        let receiver = self.contact.name();
        let write = self.ledger.change(now, |known| match done {
            Ok((via, thread)) => self.following(known, now, |problem| {
                problem.took(receiver, self.me, task, *via, thread.clone(), now);
            }),
            Err(_) if matches!(task.kind, TaskKind::Count(_)) => {
                self.following(known, now, |problem| {
                    problem.skipped(receiver, self.me, task);
                })
            }
            Err(_) => {
                let mut problem = self.known(known);
                problem.failed(receiver, self.me);
                changed(problem, Next::Nothing)
            }
        });
        write.await
    }

    fn following(
        &self,
        known: Option<Problem>,
        now: Timestamp,
        note: impl FnOnce(&mut Problem),
    ) -> Change<Next> {
        let mut problem = self.known(known);
        note(&mut problem);
        let next = self.office.next(
            &mut problem,
            self.contact,
            self.me,
            self.episode,
            self.heard,
            now,
        );
        changed(problem, next)
    }

    /// The problem; what was heard of it, where it was forgotten in between.
    fn known(&self, known: Option<Problem>) -> Problem {
        known.unwrap_or_else(|| Problem::after(None, self.heard.fact))
    }
}

fn changed(problem: Problem, says: Next) -> Change<Next> {
    Change {
        problem,
        says,
        matters: true,
    }
}
