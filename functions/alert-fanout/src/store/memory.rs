//! A store in memory, with the semantics of the table: what a simulation of storms, faults and kills stands on.

use super::{Expected, Item, Key, Put, Store, StoreError};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A store in memory.
#[derive(Debug, Default)]
pub struct Memory(Mutex<BTreeMap<Key, Item>>);

impl Memory {
    fn items(&self) -> MutexGuard<'_, BTreeMap<Key, Item>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many items there are, expired ones included.
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn alive(item: &&Item, now: Timestamp) -> bool {
    item.expires_at.is_none_or(|expires_at| expires_at > now)
}

impl Store for Memory {
    async fn put(
        &self,
        item: &Item,
        expected: Expected,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        let mut items = self.items();
        let found = items
            .get(&item.key)
            .filter(|found| alive(found, now))
            .cloned();
        match (found, expected) {
            (Some(found), Expected::Nothing) => return Ok(Put::Found(found)),
            (Some(found), Expected::Version(version)) if found.version != version => {
                return Ok(Put::Found(found));
            }
            (None, Expected::Version(_)) => return Ok(Put::Gone),
            (Some(_), Expected::Version(_)) | (None, Expected::Nothing) => {}
        }
        items.insert(item.key.clone(), item.clone());
        Ok(Put::Written)
    }

    async fn get(&self, key: &Key, now: Timestamp) -> Result<Option<Item>, StoreError> {
        Ok(self
            .items()
            .get(key)
            .filter(|item| alive(item, now))
            .cloned())
    }

    async fn list(
        &self,
        partition: &str,
        (from, to): (&str, &str),
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Item>, StoreError> {
        let key = |sort: &str| Key {
            partition: partition.to_owned(),
            sort: sort.to_owned(),
        };
        let items = self.items();
        let found = items.range(key(from)..=key(to)).map(|(_, item)| item);
        Ok(found
            .filter(|item| alive(item, now))
            .take(limit)
            .cloned()
            .collect())
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StoreError> {
        let mut items = self.items();
        for key in keys {
            items.remove(key);
        }
        Ok(())
    }
}
