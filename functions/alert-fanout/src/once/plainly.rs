//! Without the store: everybody gets every notice, at once.

use super::receiver::Heard;
use super::{Office, Outcome, Tally};
use crate::channel::{Act, Context};
use crate::delivery::{Contact, DeliveryError};
use crate::store::Store;
use futures_util::future::join_all;
use pipewarden_shared::alert::Status;

impl<S: Store> Office<'_, S> {
    /// Sends a notice to everybody whom its route names.
    pub(super) async fn plainly(&self, heard: &Heard<'_>) -> Outcome {
        let status = heard.fact.status;
        if status == Status::Resolved && heard.fact.is_routine {
            // Each run that succeeds says so; only who heard of a failure wants to know, and that is not known.
            tracing::info!("a run's success is told to nobody without the alert table");
            return Outcome::default();
        }
        let Some(card) = heard.card else {
            return Outcome::default();
        };
        let context = Context {
            fingerprint: &heard.fact.fingerprint,
            id: &heard.fact.id,
            status,
            now: self.clock.now(),
            raw: heard.raw,
        };
        let act = match status {
            Status::Firing => Act::Post,
            Status::Resolved => Act::Resolve(None),
        };
        let routed = self.alerting.route(&heard.fact.labels, context.now);
        let (act, context) = (&act, &context);
        let sending = routed.deliveries.iter().filter_map(|delivery| {
            let contact = self.contact(delivery.receiver.name.as_str())?;
            Some(async move {
                let sent = self.carry(contact, card, act, context).await;
                sent.map_err(|error| (Tally::default(), error))?;
                let taken = Tally {
                    delivered: 1,
                    kept: 0,
                };
                self.remembered(contact, status)
                    .map_err(|error| (taken, error))?;
                Ok(taken)
            })
        });
        Outcome::of(join_all(sending).await)
    }

    /// An incident that is not remembered is ended by nobody: it is left to Lambda's retry to remember it, and
    /// PagerDuty makes one of both. Where there is no table at all, none is.
    fn remembered(&self, contact: &Contact, status: Status) -> Result<(), DeliveryError> {
        let opens = status == Status::Firing && contact.receiver.channel.pages();
        if !opens || self.store.is_none() {
            return Ok(());
        }
        Err(DeliveryError::Unwritten {
            receiver: contact.name().to_owned(),
            reason: "the alert table does not answer".to_owned(),
        })
    }
}
