//! A world of simulated time: a store with faults, functions that are killed.

use crate::RECEIVERS;
use crate::taken::{Faults, Taken, total};
use alert_fanout::store::{Expected, Item, Key, Memory, Put, Store, StoreError};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep};

tokio::task_local! {
    /// The invocation that is polled.
    pub(crate) static INVOCATION: Arc<Life>;
}

/// The life of an invocation.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// Whether it was killed.
    pub(crate) killed: AtomicBool,
    /// What each receiver took from it last.
    pub(crate) last: Mutex<BTreeMap<&'static str, String>>,
}

/// The world.
#[derive(Debug)]
pub(crate) struct World {
    /// When it began.
    pub(crate) base: Timestamp,
    begin: Instant,
    rng: Mutex<fastrand::Rng>,
    faults: Mutex<Faults>,
    /// A receiver that takes nothing for a while.
    pub(crate) outage: Option<(&'static str, Duration, Duration)>,
    /// A receiver that never answers.
    pub(crate) hung: Option<&'static str>,
    taken: Mutex<BTreeMap<&'static str, Taken>>,
    memory: Memory,
}

impl World {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            base: "2026-03-01T08:30:00Z".parse().unwrap(),
            begin: Instant::now(),
            rng: Mutex::new(fastrand::Rng::with_seed(seed)),
            faults: Mutex::new(faults),
            outage: None,
            hung: None,
            taken: Mutex::default(),
            memory: Memory::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.base + jiff::SignedDuration::try_from(self.begin.elapsed()).unwrap()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    pub(crate) fn taken(&self) -> MutexGuard<'_, BTreeMap<&'static str, Taken>> {
        self.taken.lock().unwrap()
    }

    pub(crate) fn faults(&self) -> Faults {
        *self.faults.lock().unwrap()
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap() = faults;
    }

    pub(crate) fn happens(&self, chance: u32) -> bool {
        self.rng.lock().unwrap().u32(0..1_000) < chance
    }

    pub(crate) fn between(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.rng.lock().unwrap().u64(from..to))
    }

    /// A moment at which the function may be killed.
    pub(crate) async fn perilous(&self) -> bool {
        if !self.happens(self.faults().kill) {
            return false;
        }
        INVOCATION.with(|life| life.killed.store(true, Ordering::Relaxed));
        true
    }

    /// Items that are kept for summaries.
    pub(crate) async fn pending(&self, receiver: &str) -> usize {
        let partition = Key::pending_of(receiver);
        self.memory
            .list(&partition, ("", "~"), usize::MAX, self.now())
            .await
            .unwrap()
            .len()
    }

    async fn called(&self, doing: &'static str) -> Result<(), StoreError> {
        if self.perilous().await {
            std::future::pending::<()>().await;
        }
        sleep(self.between(3, 12)).await;
        if self.happens(self.faults().store) {
            return Err(StoreError::Refused {
                doing,
                reason: "ProvisionedThroughputExceededException".to_owned(),
            });
        }
        Ok(())
    }

    pub(crate) async fn survived(&self) {
        if self.perilous().await {
            std::future::pending::<()>().await;
        }
    }

    /// What is in lines that are forgotten was told: in a summary that says how many there were.
    async fn forgets(&self, keys: &[Key]) {
        for kind in ["storm", "digest"] {
            let mut receiver = None;
            let mut lines: Vec<Value> = Vec::new();
            for key in keys
                .iter()
                .filter(|key| key.sort.contains(&format!("#{kind}#")))
            {
                receiver = receiver_of(key.partition.trim_start_matches("pending#"));
                let item = self.memory.get(key, self.now()).await.unwrap();
                // One that another run has removed already.
                lines.extend(item.map(|item| serde_json::from_str::<Value>(&item.body).unwrap()));
            }
            let Some(receiver) = receiver.filter(|_| !lines.is_empty()) else {
                continue;
            };
            let total = total(&lines);
            let title = if kind == "storm" {
                "Alert storm"
            } else {
                "Digest"
            };
            let said = INVOCATION.with(|life| life.last.lock().unwrap().get(receiver).cloned());
            let said = said.expect("nothing is forgotten before it is told");
            assert!(
                said.contains(&format!("{title}: {total} alert")),
                "{total} lines: {said}"
            );
            let mut taken = self.taken();
            let taken = taken.entry(receiver).or_default();
            for line in &lines {
                let fingerprint = marker(&line["summary"].to_string()).unwrap();
                if line["summary"]["status"] == "firing" {
                    taken.summarised.insert(fingerprint);
                }
            }
        }
    }
}

fn receiver_of(name: &str) -> Option<&'static str> {
    RECEIVERS.into_iter().find(|known| *known == name)
}

/// The problem that a text is about.
pub(crate) fn marker(text: &str) -> Option<String> {
    let at = text.find("problem-")?;
    text.get(at..at + 13).map(str::to_owned)
}

/// The store of the world: the table's semantics, and faults.
#[derive(Debug, Clone)]
pub(crate) struct Shaky(pub(crate) Arc<World>);

impl Store for Shaky {
    async fn put(
        &self,
        item: &Item,
        expected: Expected,
        now: Timestamp,
    ) -> Result<Put, StoreError> {
        self.0.called("write").await?;
        let put = self.0.memory.put(item, expected, now).await;
        self.0.survived().await;
        put
    }

    async fn get(&self, key: &Key, now: Timestamp) -> Result<Option<Item>, StoreError> {
        self.0.called("read").await?;
        self.0.memory.get(key, now).await
    }

    async fn list(
        &self,
        partition: &str,
        range: (&str, &str),
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Item>, StoreError> {
        self.0.called("read").await?;
        self.0.memory.list(partition, range, limit, now).await
    }

    async fn remove(&self, keys: &[Key]) -> Result<(), StoreError> {
        self.0.called("remove").await?;
        self.0.forgets(keys).await;
        self.0.memory.remove(keys).await?;
        self.0.survived().await;
        Ok(())
    }
}

/// Polls a function until it answers or is killed.
pub(crate) async fn live<T>(function: impl Future<Output = T>) -> Option<T> {
    let life = Arc::new(Life::default());
    let mut function = Box::pin(INVOCATION.scope(Arc::clone(&life), function));
    std::future::poll_fn(move |context| {
        if let std::task::Poll::Ready(answer) = function.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(answer));
        }
        if life.killed.load(Ordering::Relaxed) {
            return std::task::Poll::Ready(None);
        }
        std::task::Poll::Pending
    })
    .await
}
