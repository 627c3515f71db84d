//! What the validator needs of the engine that holds the tables.

use crate::catalog::{Schemas, TableName};
use crate::scan::Scan;
use crate::sql::Dialect;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// What came back of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Values by row and column; `None` for NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// The engine's id of the query.
    pub query_id: String,
    /// Bytes that the query read.
    pub bytes_scanned: u64,
}

/// A query that ran and failed by what it asks: another query may still be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query {query_id} on {dataset} ended {state}: {reason}")]
pub struct QueryFailed {
    /// The dataset.
    pub dataset: String,
    /// The engine's id of the query.
    pub query_id: String,
    /// FAILED or CANCELLED.
    pub state: String,
    /// What the engine said.
    pub reason: String,
    /// Bytes that the query read before it failed.
    pub bytes_scanned: u64,
    /// Whether half of what was asked may still be answered.
    pub may_be_split: bool,
}

/// An engine: it knows the tables' columns and runs scans side by side.
///
/// The futures are awaited where they are made, in the function's one thread.
#[allow(async_fn_in_trait, reason = "nobody spawns them")]
pub trait Engine {
    /// Why the engine as a whole gave no answer: throttled, not allowed, out of time.
    type Error: std::error::Error + 'static;

    /// Its SQL.
    fn dialect(&self) -> &dyn Dialect;

    /// The columns of the tables, as the catalog has them; a table that is not there is in no entry.
    ///
    /// # Errors
    /// The catalog cannot be read.
    async fn schemas(&self, tables: &BTreeSet<TableName>) -> Result<Schemas, Self::Error>;

    /// Runs every scan at once and returns what became of each, in order.
    ///
    /// `token` makes starting idempotent: the same token and scan start one query. Whatever still runs at the
    /// `deadline` is stopped.
    ///
    /// # Errors
    /// The engine gave no answer at all; then no query is left running.
    async fn answer_all(
        &self,
        scans: &[&Scan],
        token: &str,
        deadline: Instant,
    ) -> Result<Vec<Result<Answer, QueryFailed>>, Self::Error>;
}
