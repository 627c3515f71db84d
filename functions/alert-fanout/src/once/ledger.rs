//! One problem in the store: read, changed and written back only where nobody wrote in between.

use crate::decide::Problem;
use crate::store::{Expected, Item, Key, Patient, Put, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::sleep;

/// How long a problem is remembered after it was last heard of: a message waits 14 days in the dead-letter queue.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(15 * 24);

/// How often a write is tried that others come before of.
const TRIES: u32 = 60;

/// The same for a write that only counts: the count is then too low.
const TRIES_TO_COUNT: u32 = 10;

/// A problem in the store, as one invocation sees it. Its receivers are served at the same time; they take turns here.
#[derive(Debug)]
pub(super) struct Ledger<'a, S> {
    store: &'a Patient<'a, S>,
    key: Key,
    held: Mutex<Held>,
}

#[derive(Debug, Clone)]
struct Held {
    problem: Option<Problem>,
    /// Of the item; nothing where there is none.
    version: Option<u64>,
}

/// What is to be kept of a change.
pub(super) struct Change<T> {
    /// The problem after it.
    pub problem: Problem,
    /// What it says to whom changed it.
    pub says: T,
    /// Whether something is wrong where it cannot be written.
    pub matters: bool,
}

impl<'a, S: Store> Ledger<'a, S> {
    /// A problem that has not been read.
    pub(super) fn unread(store: &'a Patient<'a, S>, key: Key) -> Self {
        Self {
            store,
            key,
            held: Mutex::new(Held {
                problem: None,
                version: None,
            }),
        }
    }

    /// A problem that was read from an item.
    pub(super) fn read(store: &'a Patient<'a, S>, item: &Item) -> Self {
        Self {
            store,
            key: item.key.clone(),
            held: Mutex::new(held(item)),
        }
    }

    /// The problem as it was last seen.
    pub(super) async fn problem(&self) -> Option<Problem> {
        self.held.lock().await.problem.clone()
    }

    /// Changes the problem. Where another invocation changed it first, `change` is asked again about what is there.
    ///
    /// # Errors
    /// [`StoreError`] of the store, or where others keep coming first.
    pub(super) async fn change<T>(
        &self,
        now: Timestamp,
        mut change: impl FnMut(Option<Problem>) -> Change<T>,
    ) -> Result<T, StoreError> {
        let mut held = self.held.lock().await;
        for tries in 1..=TRIES {
            let Change {
                problem,
                says,
                matters,
            } = change(held.problem.clone());
            if held.problem.as_ref() == Some(&problem) || (!matters && tries > TRIES_TO_COUNT) {
                return Ok(says);
            }
            let item = self.item(&problem, held.version, now)?;
            let expected = held.version.map_or(Expected::Nothing, Expected::Version);
            match self.store.put(&item, expected, now).await? {
                Put::Written => {
                    *held = Held {
                        problem: Some(problem),
                        version: Some(item.version),
                    };
                    return Ok(says);
                }
                Put::Found(item) => *held = self::held(&item),
                Put::Gone => {
                    held.problem = None;
                    held.version = None;
                }
            }
            if tries > 2 {
                let most = u64::from(tries.min(20)) * 5;
                sleep(Duration::from_millis(fastrand::u64(1..=most))).await;
            }
        }
        Err(StoreError::Contended)
    }

    /// Reads the problem again.
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub(super) async fn refresh(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut held = self.held.lock().await;
        if let Some(item) = self.store.get(&self.key, now).await? {
            *held = self::held(&item);
        }
        Ok(())
    }

    fn item(
        &self,
        problem: &Problem,
        version: Option<u64>,
        now: Timestamp,
    ) -> Result<Item, StoreError> {
        let body = serde_json::to_string(problem).map_err(|error| StoreError::Refused {
            doing: "write",
            reason: error.to_string(),
        })?;
        Ok(Item {
            key: self.key.clone(),
            version: version.unwrap_or(0).saturating_add(1),
            body,
            expires_at: now.checked_add(REMEMBERED).ok(),
        })
    }
}

/// What an item holds; one that cannot be read is begun anew.
fn held(item: &Item) -> Held {
    let problem = serde_json::from_str(&item.body);
    if let Err(error) = &problem {
        tracing::warn!(key = item.key.sort, error = %error, "a problem in the alert table cannot be read: {error}");
    }
    Held {
        problem: problem.ok(),
        version: Some(item.version),
    }
}
