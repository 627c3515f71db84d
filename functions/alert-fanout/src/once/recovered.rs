//! A run that succeeds ends what its pipeline's earlier runs had begun.

use super::ledger::Ledger;
use super::receiver::Heard;
use super::{Office, Outcome};
use crate::card::Summary;
use crate::decide::{Fact, Problem};
use crate::store::{Item, PROBLEMS, Store, StoreError, pipeline_scope};
use crate::success::Success;
use futures_util::StreamExt;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use pipewarden_shared::profile::alerting::{Label, source};
use std::collections::BTreeMap;

/// The most problems of a pipeline that are ended.
const MOST: usize = 20_000;

/// Problems that are ended at once.
const AT_ONCE: usize = 8;

impl<S: Store> Office<'_, S> {
    /// Ends the problems of a pipeline whose run succeeded: all that are not younger than its end. Alarms end by
    /// themselves.
    pub(crate) async fn succeeded(&self, success: &Success) -> Outcome {
        let Some(store) = &self.store else {
            tracing::info!("a run's success ends nothing without the alert table");
            return Outcome::default();
        };
        let scope = pipeline_scope(&success.pipeline, &success.environment);
        let items = match store.list(&scope, PROBLEMS, MOST, self.clock.now()).await {
            Ok(items) => items,
            Err(error) => return unended(success, &error),
        };
        let ending = items
            .iter()
            .filter_map(|item| Some((item, self.end_of(item, success)?)));
        let outcomes: Vec<Result<Outcome, StoreError>> = futures_util::stream::iter(ending)
            .map(|(item, fact)| async move {
                let heard = Heard {
                    fact: &fact,
                    card: None,
                    raw: None,
                    plans: BTreeMap::new(),
                };
                self.tell(Ledger::read(store, item), &heard).await
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut all = Outcome::default();
        let mut failed = None;
        for outcome in outcomes {
            match outcome {
                Ok(outcome) => all.add(outcome),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            all.add(unended(success, &error));
        }
        all
    }

    /// What a run's success says of a problem; nothing where it says nothing new.
    fn end_of(&self, item: &Item, success: &Success) -> Option<Fact> {
        let problem: Problem = serde_json::from_str(&item.body).ok()?;
        if Label::Source.of(&problem.labels()) == source::CLOUDWATCH {
            return None;
        }
        let fact = ended_by(&problem, success);
        let now = self.clock.now();
        let heard = Heard {
            fact: &fact,
            card: None,
            raw: None,
            plans: BTreeMap::new(),
        };
        // A receiver that is gone from the profile, or wants no ends, would keep it from ever being done with.
        let mut wanting = self
            .contacts
            .iter()
            .filter(|contact| contact.receiver.send_resolved);
        let is_owed = wanting.any(|contact| {
            let name = contact.name();
            problem.owes_end(name)
                || (problem.may_have_paged(name, now) && self.may_page(&problem, contact, &heard))
        });
        (problem.open || is_owed).then_some(fact)
    }
}

/// Lambda tries again: what was ended is not ended once more.
fn unended(success: &Success, error: &StoreError) -> Outcome {
    let what = format!("the problems of {}", success.pipeline);
    Outcome::unended(what, error)
}

fn ended_by(problem: &Problem, success: &Success) -> Fact {
    Fact {
        id: success.id.clone(),
        fingerprint: problem.fingerprint.clone(),
        status: Status::Resolved,
        at: success.at,
        is_routine: true,
        labels: problem.labels(),
        summary: Summary {
            title: format!("run {} succeeded", success.run),
            summary: String::new(),
            severity: Severity::Low,
            status: Status::Resolved,
            pipeline: Some(success.pipeline.clone()),
            occurred_at: Some(success.at),
            count: 1,
            url: None,
        },
    }
}
