//! Act: runs scans on Athena, side by side, and stops what is still running when there is no time left.

mod catalog;
mod error;
mod query;

pub use error::AthenaError;

use crate::catalog::{Schemas, TableName};
use crate::engine::{Answer, Engine, QueryFailed};
use crate::scan::Scan;
use crate::sql::{Dialect, Trino};
use aws_sdk_athena::Client;
use futures_util::future::{join_all, try_join_all};
use pipewarden_shared::causes;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that stopping a query may take.
const STOPPING: Duration = Duration::from_millis(1_500);

/// How a query ends that did not end in time.
const TIMED_OUT: &str = "TIMED_OUT";

/// Where and how queries run.
#[derive(Debug, Clone)]
pub struct Athena {
    /// The client.
    pub client: Client,
    /// The Glue database of the tables.
    pub database: String,
    /// The work group, with its limits.
    pub work_group: String,
    /// Where results are written; the work group's own place where unset.
    pub output_location: Option<String>,
    /// The oldest result, in minutes, that answers a query again. Athena never checks whether the data changed since.
    pub reuse_minutes: Option<i32>,
}

/// The queries that were started and have not ended.
#[derive(Debug, Default)]
struct Running(Mutex<BTreeSet<String>>);

impl Running {
    fn started(&self, query_id: &str) {
        self.ids().insert(query_id.to_owned());
    }

    fn ended(&self, query_id: &str) {
        self.ids().remove(query_id);
    }

    fn ids(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for Athena {
    type Error = AthenaError;

    fn dialect(&self) -> &dyn Dialect {
        &Trino
    }

    async fn schemas(&self, tables: &BTreeSet<TableName>) -> Result<Schemas, AthenaError> {
        let found = try_join_all(tables.iter().map(|table| self.schema(table))).await?;
        Ok(tables
            .iter()
            .cloned()
            .zip(found)
            .filter_map(|(table, schema)| Some((table, schema?)))
            .collect())
    }

    async fn answer_all(
        &self,
        scans: &[&Scan],
        token: &str,
        deadline: Instant,
    ) -> Result<Vec<Result<Answer, QueryFailed>>, AthenaError> {
        let begun = Instant::now();
        let running = Running::default();
        // Every start is awaited, whatever becomes of the others: a query whose id is not known cannot be stopped.
        let starts = scans.iter().enumerate().map(|(index, scan)| async move {
            self.start(scan, &format!("{token}-{index}"), deadline)
                .await
        });
        let started = join_all(starts).await;
        for query_id in started.iter().flatten().flatten() {
            running.started(query_id);
        }
        let outcome = match started.into_iter().collect::<Result<Vec<_>, _>>() {
            Err(error) => Err(error),
            Ok(started) => {
                let answers = scans
                    .iter()
                    .zip(started)
                    .map(|(scan, started)| self.in_time(scan, started, &running, deadline));
                try_join_all(answers).await
            }
        };
        // On an error, what still runs; else what was too slow.
        let left = std::mem::take(&mut *running.ids());
        self.stop(left).await;
        let answers = outcome?;
        let late = |answer: &Result<Answer, QueryFailed>| {
            let failed = answer.as_ref().err();
            failed.is_some_and(|failed| failed.state == TIMED_OUT)
        };
        if answers.iter().any(late) && !answers.iter().any(Result::is_ok) {
            return Err(AthenaError::TimedOut {
                datasets: datasets(scans),
                budget: deadline.duration_since(begun),
            });
        }
        Ok(answers)
    }
}

/// The datasets of scans, each once.
fn datasets(scans: &[&Scan]) -> Vec<String> {
    let names: BTreeSet<&String> = scans.iter().map(|scan| &scan.dataset).collect();
    names.into_iter().cloned().collect()
}

impl Athena {
    /// What becomes of a query until the deadline. One that is too slow takes no other with it.
    async fn in_time(
        &self,
        scan: &Scan,
        started: Result<String, QueryFailed>,
        running: &Running,
        deadline: Instant,
    ) -> Result<Result<Answer, QueryFailed>, AthenaError> {
        let query_id = started.as_ref().ok().cloned().unwrap_or_default();
        let following = self.follow(scan, started, running, deadline);
        match tokio::time::timeout_at(deadline, following).await {
            Ok(followed) => followed,
            Err(_) => Ok(Err(QueryFailed {
                dataset: scan.dataset.clone(),
                query_id,
                state: TIMED_OUT.to_owned(),
                reason: "it was still running when the time was over, and was stopped".to_owned(),
                bytes_scanned: 0,
                may_be_split: false,
            })),
        }
    }

    /// Stops queries; one that cannot be stopped is logged, as Athena goes on billing for it.
    async fn stop(&self, query_ids: BTreeSet<String>) {
        join_all(query_ids.iter().map(|query_id| async move {
            let stopping = self
                .client
                .stop_query_execution()
                .query_execution_id(query_id)
                .send();
            match tokio::time::timeout(STOPPING, stopping).await {
                Ok(Ok(_)) => tracing::warn!(query_id, "stopped query {query_id}"),
                Ok(Err(error)) => {
                    let error = causes::chain(&error);
                    tracing::error!(query_id, error, "cannot stop query {query_id}: {error}");
                }
                Err(_) => tracing::error!(query_id, "cannot stop query {query_id} in time"),
            }
        }))
        .await;
    }
}
