//! A run that succeeds ends what its pipeline's earlier runs had begun.

use super::ledger::Ledger;
use super::receiver::Heard;
use super::{Office, Outcome};
use crate::card::Summary;
use crate::decide::{Fact, Problem};
use crate::store::{Item, PROBLEMS, Store, pipeline_scope};
use crate::success::Success;
use futures_util::StreamExt;
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use pipewarden_shared::profile::alerting::Label;
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
        let Ok(items) = store.list(&scope, PROBLEMS, MOST, self.clock.now()).await else {
            return Outcome::default();
        };
        let ending = items
            .iter()
            .filter_map(|item| Some((item, fact(item, success)?)));
        let outcomes: Vec<Outcome> = futures_util::stream::iter(ending)
            .map(|(item, fact)| async move {
                let heard = Heard {
                    fact: &fact,
                    card: None,
                    raw: None,
                    plans: BTreeMap::new(),
                    pages_unknown: false,
                };
                self.tell(Ledger::read(store, item), &heard)
                    .await
                    .unwrap_or_default()
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut all = Outcome::default();
        outcomes.into_iter().for_each(|outcome| all.add(outcome));
        all
    }
}

/// What a run's success says of a problem; nothing where it says nothing new.
fn fact(item: &Item, success: &Success) -> Option<Fact> {
    let problem: Problem = serde_json::from_str(&item.body).ok()?;
    let labels = problem.labels();
    let is_alarm = Label::Source.of(&labels) == "cloudwatch";
    let unsaid = problem
        .told
        .values()
        .any(|told| told.episode == problem.episode && !told.gone);
    if is_alarm || (!problem.open && !unsaid) {
        return None;
    }
    let title = format!("run {} succeeded", success.run);
    Some(Fact {
        id: success.id.clone(),
        fingerprint: problem.fingerprint,
        status: Status::Resolved,
        at: success.at,
        labels,
        summary: Summary {
            title,
            summary: String::new(),
            severity: Severity::Low,
            status: Status::Resolved,
            pipeline: Some(success.pipeline.clone()),
            occurred_at: Some(success.at),
            count: 1,
            url: None,
        },
    })
}
