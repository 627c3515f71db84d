//! A store that is waited for so long and no longer, and not asked again in an invocation that it failed in.

use super::{Expected, Item, Key, Put, Store, StoreError};
use jiff::Timestamp;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How long a call may take, the SDK's own retries included. A table answers in 10 ms.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long reading or removing many items may take.
const PATIENCE_FOR_MANY: Duration = Duration::from_secs(15);

/// A store as one invocation uses it.
#[derive(Debug)]
pub struct Patient<'a, S> {
    store: &'a S,
    down: AtomicBool,
}

impl<'a, S: Store> Patient<'a, S> {
    /// A store that has not failed yet.
    pub fn new(store: &'a S) -> Self {
        Self {
            store,
            down: AtomicBool::new(false),
        }
    }

    /// Whether it failed in this invocation.
    pub fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    async fn call<T>(
        &self,
        doing: &'static str,
        patience: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.is_down() {
            return Err(StoreError::Down);
        }
        let outcome = timeout(patience, call)
            .await
            .unwrap_or(Err(StoreError::Slow {
                doing,
                milliseconds: patience.as_millis(),
            }));
        if let Err(error) = &outcome {
            self.down.store(true, Ordering::Relaxed);
            tracing::warn!(error = %error, "{error}; alerts go out without it: not grouped, not counted");
        }
        outcome
    }
}

impl<S: Store> Store for Patient<'_, S> {
    async fn put(
        &self,
        item: &Item,
        expected: Expected,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        self.call("write", PATIENCE, self.store.put(item, expected, now))
            .await
    }

    async fn get(&self, key: &Key, now: Timestamp) -> Result<Option<Item>, StoreError> {
        self.call("read", PATIENCE, self.store.get(key, now)).await
    }

    async fn list(
        &self,
        partition: &str,
        range: (&str, &str),
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Item>, StoreError> {
        let call = self.store.list(partition, range, limit, now);
        self.call("read", PATIENCE_FOR_MANY, call).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StoreError> {
        self.call("remove", PATIENCE_FOR_MANY, self.store.remove(keys))
            .await
    }
}
