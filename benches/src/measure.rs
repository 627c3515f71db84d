//! One start of a variant: how long it took, how fast it was when warm, how much memory it had.

use crate::variant::Variant;
use pipewarden_local::aws_stub::{AwsStub, Call};
use pipewarden_local::runtime_api::{Invoked, Outcome, Process, StartError};
use std::time::{Duration, Instant};

/// How long any invocation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one start showed, in milliseconds and megabytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// From the start of the process to its first request for an event.
    pub poll_ms: f64,
    /// From the start of the process to its first answer.
    pub answer_ms: f64,
    /// Each invocation after the first.
    pub warm_ms: Vec<f64>,
    /// The most memory it had at once.
    pub peak_rss_mb: Option<f64>,
}

/// A variant that could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// It does not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// It did something else than answer.
    #[error("{variant} did not answer: {outcome}\n{log}")]
    NoAnswer {
        /// The variant.
        variant: String,
        /// What it did.
        outcome: String,
        /// The end of its log.
        log: String,
    },
}

/// Starts a variant, invokes it once cold and `warm` times warm, and ends it.
///
/// # Errors
/// [`MeasureError`] where it does not start or does not answer.
pub async fn start(variant: &Variant, stub: &AwsStub, warm: usize) -> Result<Start, MeasureError> {
    stub.take_calls();
    let mut process = Process::start(&variant.bootstrap).await?;
    let (cold, waited) = invoke(&mut process, variant, stub).await?;
    let times = cold.times;
    let mut start = Start {
        poll_ms: between(times.spawned, times.first_poll.unwrap_or(times.answered)),
        answer_ms: between(times.spawned, times.answered) - waited,
        warm_ms: Vec::with_capacity(warm),
        peak_rss_mb: None,
    };
    for _ in 0..warm {
        let (invoked, waited) = invoke(&mut process, variant, stub).await?;
        let Invoked { times, .. } = invoked;
        start
            .warm_ms
            .push(between(times.offered, times.answered) - waited);
    }
    start.peak_rss_mb = process.id().and_then(peak_rss_mb);
    Ok(start)
}

/// Invokes once; returns also how long the variant waited for a query before it looked at it.
async fn invoke(
    process: &mut Process,
    variant: &Variant,
    stub: &AwsStub,
) -> Result<(Invoked, f64), MeasureError> {
    let invoked = process.invoke(variant.event.clone(), PATIENCE).await;
    if !matches!(invoked.outcome, Outcome::Response(_)) {
        return Err(MeasureError::NoAnswer {
            variant: variant.name.clone(),
            outcome: format!("{:?}", invoked.outcome),
            log: process.log(),
        });
    }
    Ok((invoked, waited(&stub.take_calls())))
}

fn waited(calls: &[Call]) -> f64 {
    let started = calls
        .iter()
        .find(|call| call.operation == "StartQueryExecution");
    let looked_at = calls
        .iter()
        .rev()
        .find(|call| call.operation == "GetQueryExecution");
    match (started, looked_at) {
        (Some(started), Some(looked_at)) => between(started.at, looked_at.at),
        _ => 0.0,
    }
}

fn between(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1e3
}

/// `VmHWM` of a process (Linux: proc_pid_status(5)).
fn peak_rss_mb(id: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1024.0)
}
