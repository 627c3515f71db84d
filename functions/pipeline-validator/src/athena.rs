//! Act: runs scans on Athena, side by side, and stops what is still running when there is no time left.

use crate::scan::{Scan, UnexpectedResult};
use aws_sdk_athena::Client;
use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration,
};
use futures_util::future::{join_all, try_join_all};
use pipewarden_shared::causes;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The first wait for a query; a scan of a small table answers in well under a second.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait between two looks at a query.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Kept for stopping queries and for answering, out of the function's remaining time.
const RESERVE: Duration = Duration::from_secs(3);

/// What came back of a scan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Values by row and column; `None` for NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Bytes that the query read.
    pub bytes_scanned: u64,
}

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
}

/// Why a scan gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AthenaError {
    /// Too many calls or too many queries at once; later it works.
    #[error("Athena throttles {doing}: {reason}")]
    Throttled {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// The function may not do what it has to.
    #[error("not allowed to {doing}: {reason}")]
    AccessDenied {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// Athena could not be reached, or failed by itself; later it may work.
    #[error("Athena failed to {doing}: {reason}")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// Athena refuses the call: a wrong query, work group or location.
    #[error("Athena refused to {doing}: {reason}")]
    Refused {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// The query failed or was cancelled.
    #[error("query {query_id} on {dataset} ended {state}: {reason}")]
    QueryFailed {
        /// The dataset.
        dataset: String,
        /// Athena's id of the query.
        query_id: String,
        /// FAILED or CANCELLED.
        state: String,
        /// What Athena said.
        reason: String,
    },
    /// The function ran out of time; its queries were stopped.
    #[error("the scans of {} did not end within {} s and were stopped", .datasets.join(", "), .budget.as_secs())]
    TimedOut {
        /// The datasets.
        datasets: Vec<String>,
        /// How long they had.
        budget: Duration,
    },
    /// The result is not what the query asked for.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedResult),
}

impl AthenaError {
    /// The name by which a state machine matches the error.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "AthenaThrottled",
            Self::AccessDenied { .. } => "AthenaAccessDenied",
            Self::Unavailable { .. } => "AthenaUnavailable",
            Self::Refused { .. } => "AthenaQueryRefused",
            Self::QueryFailed { .. } => "AthenaQueryFailed",
            Self::TimedOut { .. } => "ValidationTimedOut",
            Self::Unexpected(_) => "UnexpectedResult",
        }
    }
}

/// The queries that were started and have not ended.
#[derive(Debug)]
struct Running(Mutex<BTreeSet<String>>);

impl Running {
    fn of<'a>(query_ids: impl Iterator<Item = &'a String>) -> Self {
        Self(Mutex::new(query_ids.cloned().collect()))
    }

    fn ended(&self, query_id: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(query_id);
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Athena {
    /// Runs every scan at once and returns their answers in order.
    ///
    /// `token` makes starting idempotent: the same token and scan start one query. When one scan fails or
    /// `remaining` runs out, the other queries are stopped.
    ///
    /// # Errors
    /// [`AthenaError`]: the first scan that failed, or the time that ran out.
    pub async fn answer_all(
        &self,
        scans: &[&Scan],
        token: &str,
        remaining: Duration,
    ) -> Result<Vec<Answer>, AthenaError> {
        let budget = remaining.saturating_sub(RESERVE).max(remaining / 2);
        let deadline = Instant::now() + budget;
        // Every start is awaited, whatever becomes of the others: a query whose id is not known cannot be stopped.
        let starts = scans
            .iter()
            .enumerate()
            .map(|(index, scan)| self.start(scan, format!("{token}-{index}")));
        let started = join_all(starts).await;
        let running = Running::of(started.iter().flatten());
        let outcome = match started.into_iter().collect::<Result<Vec<_>, _>>() {
            Err(error) => Err(error),
            Ok(query_ids) => {
                let answers = scans
                    .iter()
                    .zip(&query_ids)
                    .map(|(scan, query_id)| self.answer(scan, query_id, &running));
                let answered = tokio::time::timeout_at(deadline, try_join_all(answers)).await;
                answered.unwrap_or_else(|_| {
                    Err(AthenaError::TimedOut {
                        datasets: scans.iter().map(|scan| scan.dataset.clone()).collect(),
                        budget,
                    })
                })
            }
        };
        if outcome.is_err() {
            self.stop(running.take()).await;
        }
        outcome
    }

    async fn answer(
        &self,
        scan: &Scan,
        query_id: &str,
        running: &Running,
    ) -> Result<Answer, AthenaError> {
        let execution = self.wait(scan, query_id).await?;
        running.ended(query_id);
        let state = execution.status().and_then(|status| status.state());
        if state != Some(&QueryExecutionState::Succeeded) {
            return Err(failure(scan, query_id, &execution));
        }
        Ok(Answer {
            rows: self.rows(query_id).await?,
            bytes_scanned: execution
                .statistics()
                .and_then(|statistics| statistics.data_scanned_in_bytes())
                .and_then(|bytes| u64::try_from(bytes).ok())
                .unwrap_or(0),
        })
    }

    async fn start(&self, scan: &Scan, token: String) -> Result<String, AthenaError> {
        let doing = format!("start the scan of {}", scan.dataset);
        let parameters = &scan.sql.parameters;
        let parameters = (!parameters.is_empty()).then(|| parameters.clone());
        let location = self.output_location.as_ref().map(|location| {
            ResultConfiguration::builder()
                .output_location(location)
                .build()
        });
        let started = self
            .client
            .start_query_execution()
            .query_string(&scan.sql.text)
            .set_execution_parameters(parameters)
            // 32 to 128 characters (Athena API reference).
            .client_request_token(format!("{token:-<32}"))
            .query_execution_context(
                QueryExecutionContext::builder()
                    .database(&self.database)
                    .build(),
            )
            .work_group(&self.work_group)
            .set_result_configuration(location)
            .send()
            .await
            .map_err(|error| refused(&doing, &error))?;
        started
            .query_execution_id
            .ok_or_else(|| AthenaError::Unavailable {
                doing,
                reason: "the answer has no query id".to_owned(),
            })
    }

    /// Looks at a query until it ends, less and less often.
    async fn wait(&self, scan: &Scan, query_id: &str) -> Result<QueryExecution, AthenaError> {
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(wait).await;
            let answer = self
                .client
                .get_query_execution()
                .query_execution_id(query_id)
                .send()
                .await
                .map_err(|error| {
                    refused(
                        &format!("look at query {query_id} on {}", scan.dataset),
                        &error,
                    )
                })?;
            let execution = answer
                .query_execution
                .unwrap_or_else(|| QueryExecution::builder().build());
            let state = execution.status().and_then(|status| status.state());
            if !matches!(
                state,
                None | Some(QueryExecutionState::Queued | QueryExecutionState::Running)
            ) {
                return Ok(execution);
            }
            wait = wait.mul_f64(1.5).min(LONGEST_WAIT);
        }
    }

    /// Reads every page of a result; its first row is the header.
    async fn rows(&self, query_id: &str) -> Result<Vec<Vec<Option<String>>>, AthenaError> {
        let mut rows = Vec::new();
        let mut pages = self
            .client
            .get_query_results()
            .query_execution_id(query_id)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                refused(&format!("read the result of query {query_id}"), &error)
            })?;
            let found = page
                .result_set()
                .map(|result| result.rows())
                .unwrap_or_default();
            rows.extend(found.iter().map(|row| {
                row.data()
                    .iter()
                    .map(|datum| datum.var_char_value().map(str::to_owned))
                    .collect::<Vec<_>>()
            }));
        }
        Ok(rows.into_iter().skip(1).collect())
    }

    /// Stops queries; one that cannot be stopped is logged, as Athena goes on billing for it.
    async fn stop(&self, query_ids: BTreeSet<String>) {
        join_all(query_ids.iter().map(|query_id| async move {
            let stopping = self
                .client
                .stop_query_execution()
                .query_execution_id(query_id)
                .send();
            match tokio::time::timeout(RESERVE / 2, stopping).await {
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

/// What a failed or cancelled query says of itself.
fn failure(scan: &Scan, query_id: &str, execution: &QueryExecution) -> AthenaError {
    let status = execution.status();
    let error = status.and_then(|status| status.athena_error());
    let reason = status
        .and_then(|status| status.state_change_reason())
        .or_else(|| error.and_then(|error| error.error_message()))
        .unwrap_or("Athena gave no reason")
        .to_owned();
    // Category 1 is Athena's own fault (Athena user guide, "Athena error catalog").
    if error.is_some_and(|error| error.retryable() && error.error_category() == Some(1)) {
        return AthenaError::Unavailable {
            doing: format!("run query {query_id} on {}", scan.dataset),
            reason,
        };
    }
    AthenaError::QueryFailed {
        dataset: scan.dataset.clone(),
        query_id: query_id.to_owned(),
        state: status
            .and_then(|status| status.state())
            .map_or("in no state", |state| state.as_str())
            .to_owned(),
        reason,
    }
}

/// Names the error of a call by what can be done about it.
fn refused<E>(doing: &str, error: &SdkError<E>) -> AthenaError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let doing = doing.to_owned();
    let reason = error
        .message()
        .map_or_else(|| causes::chain(error), str::to_owned);
    match error.code() {
        Some("TooManyRequestsException" | "ThrottlingException" | "Throttling") => {
            AthenaError::Throttled { doing, reason }
        }
        Some("AccessDeniedException" | "AccessDenied" | "UnrecognizedClientException") => {
            AthenaError::AccessDenied { doing, reason }
        }
        Some("InvalidRequestException" | "ValidationException" | "ResourceNotFoundException") => {
            AthenaError::Refused { doing, reason }
        }
        _ => AthenaError::Unavailable { doing, reason },
    }
}
