//! Inhibition: whether another problem of the same pipeline, that is there, holds a notice back.
//!
//! A problem that may hold back others leaves a hint beside it; the problem itself says whether it is there. So a
//! pipeline with ten thousand problems is asked for the few that matter, and a hint that was left behind does nothing.

use super::Office;
use crate::decide::{Fact, Plan, Problem};
use crate::store::{Expected, Item, Key, PROBLEMS, SOURCES, Store, StoreError};
use futures_util::future::join_all;
use jiff::SignedDuration;
use pipewarden_shared::profile::alerting::{Label, source};
use std::collections::BTreeMap;

/// The most hints that are followed.
const MOST: usize = 50;

/// The most problems of a pipeline that are looked at for an alarm.
const MOST_PROBLEMS: usize = 1_000;

/// How long a hint is kept; a problem is forgotten sooner.
const KEPT: SignedDuration = SignedDuration::from_hours(16 * 24);

impl<'a, S: Store> Office<'a, S> {
    /// Takes from those who would be told of a notice whom another problem spares it.
    pub(super) async fn spare(&self, key: &Key, fact: &Fact, plans: &mut BTreeMap<&'a str, Plan>) {
        let mut rules = self.alerting.inhibit_rules.iter();
        if plans.is_empty()
            || !is_of_pipeline(key)
            || !rules.any(|rule| rule.is_target(&fact.labels))
        {
            return;
        }
        // The store says in the log that it failed; then nothing is held back.
        for problem in self.sources(key, fact).await.unwrap_or_default() {
            let Some(rule) = self.alerting.inhibitor(&problem.labels(), &fact.labels) else {
                continue;
            };
            let before = plans.len();
            plans.retain(|receiver, _| !problem.spares(receiver, fact));
            if plans.len() < before {
                let (fingerprint, rule) = (&fact.fingerprint, rule.to_string());
                tracing::info!(fingerprint, rule, "held back: {rule}");
            }
        }
    }

    /// The problems that may hold a notice back and are there.
    async fn sources(&self, key: &Key, fact: &Fact) -> Result<Vec<Problem>, StoreError> {
        let Some(store) = &self.store else {
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let items = if Label::Source.of(&fact.labels) == source::CLOUDWATCH {
            // Alarms are few: a hint with each alert, for what only they ask for, would cost more.
            store
                .list(&key.partition, PROBLEMS, MOST_PROBLEMS, now)
                .await?
        } else {
            let hints = store.list(&key.partition, SOURCES, MOST, now).await?;
            let named = hints.iter().filter_map(|hint| hint.key.of_source());
            let read = named.map(|source| async move { store.get(&source, now).await });
            let items: Result<Vec<Option<Item>>, StoreError> =
                join_all(read).await.into_iter().collect();
            items?.into_iter().flatten().collect()
        };
        let others = items.iter().filter(|item| item.key != *key);
        let problems = others.filter_map(|item| serde_json::from_str::<Problem>(&item.body).ok());
        Ok(problems.filter(|problem| problem.open).collect())
    }

    /// Leaves a hint where a problem may hold back others.
    pub(super) async fn hint(&self, key: &Key, fact: &Fact) {
        let rules = &self.alerting.inhibit_rules;
        let Some(store) = &self.store else {
            return;
        };
        let mut asked = rules.iter().filter(|rule| !rule.is_about_alarms());
        if !is_of_pipeline(key) || !asked.any(|rule| rule.is_source(&fact.labels)) {
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
