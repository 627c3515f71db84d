//! Inhibition: whether another problem of the same pipeline, that is there, holds a notice back.
//!
//! A problem that may hold back others leaves a hint beside it; the problem itself says whether it is there. So a
//! pipeline with ten thousand problems is asked for the few that matter, and a hint that was left behind does nothing.

use super::Office;
use crate::decide::{Fact, Problem};
use crate::store::{Expected, Item, Key, SOURCES, Store};
use futures_util::future::join_all;
use jiff::SignedDuration;

/// The most problems that are looked at.
const MOST: usize = 50;

/// How long a hint is kept; a problem is forgotten sooner.
const KEPT: SignedDuration = SignedDuration::from_hours(16 * 24);

impl<S: Store> Office<'_, S> {
    /// The rule by which another problem holds a notice back.
    pub(super) async fn held_back(&self, key: &Key, fact: &Fact) -> Option<String> {
        let rules = &self.alerting.inhibit_rules;
        let store = self.store.as_ref()?;
        if !is_of_pipeline(key) || !rules.iter().any(|rule| rule.is_target(&fact.labels)) {
            return None;
        }
        let hints = store
            .list(&key.partition, SOURCES, MOST, self.clock.now())
            .await
            .ok()?;
        let problems = hints
            .iter()
            .filter_map(|hint| hint.key.of_source())
            .filter(|source| source != key);
        let read = problems
            .map(|source| async move { store.get(&source, self.clock.now()).await.ok().flatten() });
        let items = join_all(read).await;
        let problems = items
            .iter()
            .flatten()
            .filter_map(|item| serde_json::from_str::<Problem>(&item.body).ok());
        problems.filter(|problem| problem.open).find_map(|problem| {
            self.alerting
                .inhibitor(&problem.labels(), &fact.labels)
                .map(ToString::to_string)
        })
    }

    /// Leaves a hint where a problem may hold back others.
    pub(super) async fn hint(&self, key: &Key, fact: &Fact) {
        let rules = &self.alerting.inhibit_rules;
        let Some(store) = &self.store else {
            return;
        };
        if !is_of_pipeline(key) || !rules.iter().any(|rule| rule.is_source(&fact.labels)) {
            return;
        }
        let now = self.clock.now();
        let hint = Item {
            key: Key::source(&key.partition, &fact.fingerprint),
            version: 1,
            body: "{}".to_owned(),
            expires_at: now.checked_add(KEPT).ok(),
        };
        // The store says in the log that it failed; then nothing is held back.
        let _ = store.put(&hint, Expected::Nothing, now).await;
    }
}

fn is_of_pipeline(key: &Key) -> bool {
    key.partition.starts_with("pipeline#")
}
