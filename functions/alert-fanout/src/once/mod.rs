//! Act: each receiver is told once, with what is remembered; without it, alerts go out all the same.
//!
//! [`Office::hear`] takes a notice, [`Office::succeeded`] the end of a run that ends its pipeline's problems, and
//! [`Office::summaries`] sends what was kept. What is decided is in [`crate::decide`].

mod ledger;
mod plainly;
mod receiver;
mod recovered;
mod source;
mod summaries;
mod telling;
mod turn;

use crate::config::{Clock, Fanout};
use crate::decide::Me;
use crate::delivery::{Contact, Courier, DeliveryError};
use crate::store::{Patient, Store, StoreError};
use crate::success::Watched;
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::lambda::Invocation;
use pipewarden_shared::profile::alerting::Alerting;
use std::time::Duration;
use tokio::time::Instant;

/// What is kept of the function's time to write down what was sent, and to answer.
const RESERVE: Duration = Duration::from_millis(1_500);

/// How far the clocks of two machines may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(2);

/// What one invocation works with.
#[derive(Debug)]
pub(crate) struct Office<'a, S> {
    /// What is remembered; nothing where there is no table.
    pub(crate) store: Option<Patient<'a, S>>,
    /// Who gets what.
    pub(crate) alerting: &'a Alerting,
    /// How they are reached.
    pub(crate) contacts: &'a [Contact],
    /// Who carries messages.
    pub(crate) courier: &'a Courier,
    /// The pipeline that is watched.
    pub(crate) watched: Option<&'a Watched>,
    /// What time it is.
    pub(crate) clock: &'a Clock,
    request: &'a str,
    /// Until when messages may be sent.
    until: Instant,
    /// When the invocation has ended for sure.
    ended: Timestamp,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Messages that were taken.
    pub(crate) delivered: usize,
    /// Lines that were kept for a summary.
    pub(crate) kept: usize,
}

/// What became of a notice, and who was not reached.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was done.
    pub(crate) tally: Tally,
    /// What was not.
    pub(crate) failures: Vec<DeliveryError>,
}

impl Outcome {
    pub(crate) fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.failures.extend(other.failures);
    }

    /// An end that was not told: Lambda tries again.
    fn unended(what: String, error: &StoreError) -> Self {
        Self {
            tally: Tally::default(),
            failures: vec![DeliveryError::Unended {
                what,
                reason: error.to_string(),
            }],
        }
    }

    fn of(outcomes: Vec<Result<Tally, (Tally, DeliveryError)>>) -> Self {
        let mut all = Self::default();
        for outcome in outcomes {
            match outcome {
                Ok(tally) => all.tally.add(tally),
                Err((tally, error)) => {
                    all.tally.add(tally);
                    all.failures.push(error);
                }
            }
        }
        all
    }
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.delivered += other.delivered;
        self.kept += other.kept;
    }
}

impl<'a, S: Store> Office<'a, S> {
    /// The office of an invocation.
    pub(crate) fn open(fanout: &'a Fanout<S>, invocation: &'a Invocation) -> Self {
        let remaining = invocation.remaining();
        let remains = SignedDuration::try_from(remaining)
            .unwrap_or_default()
            .saturating_add(SKEW);
        Self {
            store: fanout.store.as_ref().map(Patient::new),
            alerting: &fanout.alerting,
            contacts: &fanout.contacts,
            courier: &fanout.courier,
            watched: fanout.watched.as_ref(),
            clock: &fanout.clock,
            request: &invocation.request_id,
            until: Instant::now() + remaining.saturating_sub(RESERVE),
            ended: fanout
                .clock
                .now()
                .checked_add(remains)
                .unwrap_or(Timestamp::MAX),
        }
    }

    fn me(&self, notice: &str) -> Me {
        Me {
            notice: notice.to_owned(),
            request: self.request.to_owned(),
            until: self.ended,
        }
    }

    fn contact(&self, receiver: &str) -> Option<&'a Contact> {
        self.contacts
            .iter()
            .find(|contact| contact.name() == receiver)
    }
}
