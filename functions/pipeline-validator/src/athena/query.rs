//! One query: started, looked at until it ends, and read. A throttle is waited out while there is time.

use super::error::refused;
use super::{Athena, AthenaError, Running};
use crate::engine::{Answer, QueryFailed};
use crate::scan::Scan;
use aws_sdk_athena::error::SdkError;
use aws_sdk_athena::operation::start_query_execution::StartQueryExecutionError;
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration,
    ResultReuseByAgeConfiguration, ResultReuseConfiguration,
};
use pipewarden_shared::truncate;
use std::time::Duration;
use tokio::time::Instant;

/// The first wait for a query; a scan of a small table answers in well under a second.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait between two looks at a query.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The first and the longest wait after a throttle, before jitter.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(400), Duration::from_secs(10));

/// The code of a query that Athena cannot read (Athena API reference, InvalidRequestException).
const MALFORMED: &str = "MALFORMED_QUERY";

/// The most characters of a reason.
const LONGEST_REASON: usize = 1_000;

/// What a refusal speaks of that is wrong for every query: the work group, the place of results, the database.
/// Athena has one exception for these and for a query that it cannot read or that is too long.
const OF_EVERY_QUERY: [&str; 6] = [
    "workgroup",
    "work group",
    "output location",
    "outputlocation",
    "bucket",
    "result configuration",
];

impl Athena {
    /// Starts a query: its id, or why Athena does not take it.
    pub(super) async fn start(
        &self,
        scan: &Scan,
        token: &str,
        deadline: Instant,
    ) -> Result<Result<String, QueryFailed>, AthenaError> {
        let doing = format!("start the scan of {}", scan.dataset);
        let started = patiently(deadline, || async {
            let parameters = &scan.sql.parameters;
            self.client
                .start_query_execution()
                .query_string(&scan.sql.text)
                .set_execution_parameters((!parameters.is_empty()).then(|| parameters.clone()))
                // 32 to 128 characters (Athena API reference).
                .client_request_token(format!("{token:-<32}"))
                .query_execution_context(
                    QueryExecutionContext::builder()
                        .database(&self.database)
                        .build(),
                )
                .work_group(&self.work_group)
                .set_result_configuration(self.output_location.as_ref().map(|location| {
                    ResultConfiguration::builder()
                        .output_location(location)
                        .build()
                }))
                .set_result_reuse_configuration(self.reuse())
                .send()
                .await
                .map_err(|error| match of_this_query(&error) {
                    Some(reason) => Start::Refused(reason),
                    None => Start::Failed(refused(&doing, &error)),
                })
        })
        .await;
        match started {
            Ok(started) => {
                let no_id = || AthenaError::Unavailable {
                    doing,
                    reason: "the answer has no query id".to_owned(),
                };
                started.query_execution_id.map(Ok).ok_or_else(no_id)
            }
            Err(Start::Failed(error)) => Err(error),
            Err(Start::Refused(reason)) => Ok(Err(not_taken(scan, reason))),
        }
    }

    fn reuse(&self) -> Option<ResultReuseConfiguration> {
        let minutes = self.reuse_minutes?;
        let by_age = ResultReuseByAgeConfiguration::builder()
            .enabled(true)
            .max_age_in_minutes(minutes)
            .build();
        Some(
            ResultReuseConfiguration::builder()
                .result_reuse_by_age_configuration(by_age)
                .build(),
        )
    }

    /// What becomes of a query that was started.
    pub(super) async fn follow(
        &self,
        scan: &Scan,
        started: Result<String, QueryFailed>,
        running: &Running,
        deadline: Instant,
    ) -> Result<Result<Answer, QueryFailed>, AthenaError> {
        let query_id = match started {
            Ok(query_id) => query_id,
            Err(failed) => return Ok(Err(failed)),
        };
        let execution = self.wait(scan, &query_id, deadline).await?;
        running.ended(&query_id);
        let state = execution.status().and_then(|status| status.state());
        let bytes_scanned = bytes(&execution);
        if state != Some(&QueryExecutionState::Succeeded) {
            return failure(scan, &query_id, &execution).map(Err);
        }
        let rows = patiently(deadline, || self.rows(&query_id)).await?;
        Ok(Ok(Answer {
            rows,
            query_id,
            bytes_scanned,
        }))
    }

    /// Looks at a query until it ends, less and less often.
    async fn wait(
        &self,
        scan: &Scan,
        query_id: &str,
        deadline: Instant,
    ) -> Result<QueryExecution, AthenaError> {
        let doing = format!("look at query {query_id} on {}", scan.dataset);
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(wait).await;
            let answer = patiently(deadline, || async {
                self.client
                    .get_query_execution()
                    .query_execution_id(query_id)
                    .send()
                    .await
                    .map_err(|error| refused(&doing, &error))
            })
            .await?;
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
}

/// A query that Athena does not take.
fn not_taken(scan: &Scan, reason: String) -> QueryFailed {
    QueryFailed {
        dataset: scan.dataset.clone(),
        query_id: "(not started)".to_owned(),
        state: "REFUSED".to_owned(),
        reason,
        bytes_scanned: 0,
        may_be_split: true,
    }
}

/// Why a query was not started.
enum Start {
    Refused(String),
    Failed(AthenaError),
}

/// An error that may be a throttle.
trait MayBeThrottle {
    fn is_throttle(&self) -> bool;
}

impl MayBeThrottle for AthenaError {
    fn is_throttle(&self) -> bool {
        matches!(self, Self::Throttled { .. })
    }
}

impl MayBeThrottle for Start {
    fn is_throttle(&self) -> bool {
        matches!(self, Self::Failed(error) if error.is_throttle())
    }
}

/// Tries a call again while it is throttled and there is time: after a random part of a wait that doubles.
async fn patiently<T, E: MayBeThrottle, F: Future<Output = Result<T, E>>>(
    deadline: Instant,
    call: impl Fn() -> F,
) -> Result<T, E> {
    let (mut backoff, longest) = BACKOFF;
    loop {
        match call().await {
            Err(error) if error.is_throttle() => {
                let wait = backoff.mul_f64(fastrand::f64());
                if Instant::now() + wait >= deadline {
                    return Err(error);
                }
                tokio::time::sleep(wait).await;
                backoff = (backoff * 2).min(longest);
            }
            outcome => return outcome,
        }
    }
}

/// What Athena says of a query that it does not take, where it may take another.
fn of_this_query(error: &SdkError<StartQueryExecutionError>) -> Option<String> {
    match error.as_service_error()? {
        StartQueryExecutionError::InvalidRequestException(invalid) => {
            let reason = invalid.message().or(invalid.athena_error_code());
            let reason = reason.unwrap_or("Athena gave no reason");
            // Athena answers with the query itself where that is too long.
            let words = truncate::characters(reason, LONGEST_REASON);
            let lower = words.to_lowercase();
            let of_this_query = invalid.athena_error_code() == Some(MALFORMED)
                || lower.contains("querystring")
                || !OF_EVERY_QUERY.iter().any(|word| lower.contains(word));
            of_this_query.then_some(words)
        }
        _ => None,
    }
}

fn bytes(execution: &QueryExecution) -> u64 {
    execution
        .statistics()
        .and_then(|statistics| statistics.data_scanned_in_bytes())
        .and_then(|bytes| u64::try_from(bytes).ok())
        .unwrap_or(0)
}

/// What a failed or cancelled query says of itself.
fn failure(
    scan: &Scan,
    query_id: &str,
    execution: &QueryExecution,
) -> Result<QueryFailed, AthenaError> {
    let status = execution.status();
    let error = status.and_then(|status| status.athena_error());
    let reason = status
        .and_then(|status| status.state_change_reason())
        .or_else(|| error.and_then(|error| error.error_message()))
        .unwrap_or("Athena gave no reason")
        .to_owned();
    // Category 1 is Athena's own fault (Athena user guide, "Athena error catalog").
    if error.is_some_and(|error| error.retryable() && error.error_category() == Some(1)) {
        return Err(AthenaError::Unavailable {
            doing: format!("run query {query_id} on {}", scan.dataset),
            reason,
        });
    }
    let state = status.and_then(|status| status.state());
    Ok(QueryFailed {
        dataset: scan.dataset.clone(),
        query_id: query_id.to_owned(),
        state: state
            .map_or("in no state", |state| state.as_str())
            .to_owned(),
        reason,
        bytes_scanned: bytes(execution),
        // One that was cancelled, such as over the limit of bytes, would be so again for each half.
        may_be_split: state != Some(&QueryExecutionState::Cancelled),
    })
}
