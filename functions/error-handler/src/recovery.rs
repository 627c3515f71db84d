//! Decide whether a run that died is redriven, and do it: `RedriveExecution` starts it again at the state that failed.
//!
//! Only a run that died outside a Catch is redriven. One whose Catch handled the failure ends in its Fail state, which is
//! where a redrive would begin: it would fail again at once, having cured nothing. Such a run was reported by its Catch,
//! and the safety net does not look at it further. A machine that ends in a Fail state without a report is left for the
//! same reason. The cause must be known to pass: nothing is redriven on a guess, after a person stopped the run, or more
//! often than the profile allows, whoever redrove it before.

use crate::compose;
use crate::deliver;
use crate::failure::{EndStatus, Failure, Source};
use crate::fetch::{self, Described, Fetched, Sources};
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::alert::{Diagnosis, Recovery, RecoveryAction};
use pipewarden_shared::failure::{Confidence, RootCause};
use pipewarden_shared::mask;
use std::time::Duration;

/// How long after its end an execution can be redriven (Step Functions developer guide, "Redriving executions").
const REDRIVABLE_PERIOD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How long the redrive may take; the alert waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What is to be done about a run that died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Redrive it.
    Redrive {
        /// The execution.
        arn: String,
        /// The same for each delivery of the same end, so that it is redriven once.
        token: String,
        /// Why.
        reason: String,
        /// How often it will have been redriven.
        count: u32,
    },
    /// Leave it.
    Leave {
        /// Why.
        reason: String,
        /// How often it has been redriven.
        count: u32,
    },
}

/// What the decision rests on besides the failure.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// Redrives that a run may have here.
    pub budget: u32,
    /// Where it ran.
    pub environment: &'a str,
    /// The time.
    pub now: Timestamp,
}

/// Decides on a run that the safety net alerts; none for anything else.
pub fn decide(
    failure: &Failure,
    fetched: &Fetched,
    diagnosis: &Diagnosis,
    circumstances: Circumstances<'_>,
) -> Option<Decision> {
    let Source::Execution(ended) = &failure.source else {
        return None;
    };
    let arn = failure.execution_id.as_deref()?;
    let count = fetched
        .execution
        .as_ref()
        .map_or(0, |described| described.redrives);
    let obstacle = by_the_run(ended.status, fetched)
        .or_else(|| by_the_cause(diagnosis))
        .or_else(|| by_the_profile(count, circumstances))
        .or_else(|| by_the_service(fetched.execution.as_ref(), circumstances.now));
    Some(match obstacle {
        Some(reason) => Decision::Leave { reason, count },
        None => Decision::Redrive {
            arn: arn.to_owned(),
            token: compose::digest(&["redrive", arn, &count.to_string()]),
            reason: format!(
                "a retry may cure {}, and the run died where no Catch was; redrive {} of {}",
                diagnosis.root_cause.code,
                count.saturating_add(1),
                circumstances.budget
            ),
            count: count.saturating_add(1),
        },
    })
}

/// What of the run itself speaks against it.
fn by_the_run(status: EndStatus, fetched: &Fetched) -> Option<String> {
    if status == EndStatus::Aborted {
        return Some("somebody stopped the run".to_owned());
    }
    let Some(described) = &fetched.execution else {
        return Some("the execution could not be read".to_owned());
    };
    if !matches!(described.status.as_str(), "FAILED" | "TIMED_OUT") {
        return Some(format!("the run is {} since", described.status));
    }
    let Some(history) = &fetched.history else {
        return Some("the execution's history could not be read".to_owned());
    };
    if !history.whole {
        return Some("only the end of the execution's history was read".to_owned());
    }
    let Some(task) = &history.task else {
        return Some("it is not known in which state the run died".to_owned());
    };
    task.is_fail_state.then(|| {
        let state = task.state.as_deref().unwrap_or_default();
        format!("the run ended in its Fail state {state}, where a redrive would begin")
    })
}

fn by_the_cause(diagnosis: &Diagnosis) -> Option<String> {
    let cause = &diagnosis.root_cause;
    if cause.code == RootCause::Unknown || cause.confidence != Confidence::High {
        return Some("the cause is not known well enough".to_owned());
    }
    (!cause.transient).then(|| format!("a retry does not cure {}", cause.code))
}

fn by_the_profile(count: u32, circumstances: Circumstances<'_>) -> Option<String> {
    let Circumstances {
        budget,
        environment,
        ..
    } = circumstances;
    match budget {
        0 => Some(format!("the profile allows no redrives in {environment}")),
        budget if count >= budget => Some(format!(
            "the run was redriven {count} times and the profile allows {budget}"
        )),
        _ => None,
    }
}

fn by_the_service(described: Option<&Described>, now: Timestamp) -> Option<String> {
    let described = described?;
    if !described.redrivable {
        let reason = described.redrivable_reason.as_deref();
        let reason = reason.unwrap_or("without a reason");
        return Some(format!("Step Functions does not redrive it: {reason}"));
    }
    let age = described
        .stopped_at
        .map(|stopped| now.duration_since(stopped));
    age.filter(|age| *age > REDRIVABLE_PERIOD)
        .map(|_| "the run ended more than 14 days ago".to_owned())
}

/// Does what was decided, in a part of the time that `remaining` leaves.
pub async fn act(decision: Decision, sources: &Sources, remaining: Duration) -> Recovery {
    let (arn, token, reason, count) = match decision {
        Decision::Leave { reason, count } => {
            return Recovery {
                action: RecoveryAction::NotRedriven,
                reason,
                count,
            };
        }
        Decision::Redrive {
            arn,
            token,
            reason,
            count,
        } => (arn, token, reason, count),
    };
    let call = sources
        .sfn()
        .redrive_execution()
        .execution_arn(&arn)
        .client_token(token);
    let patience = remaining.saturating_sub(deliver::RESERVE).min(PATIENCE);
    let refused = match tokio::time::timeout(patience, call.send()).await {
        Ok(Ok(_)) => {
            tracing::info!(execution_id = arn, redrives = count, "redriven: {reason}");
            return Recovery {
                action: RecoveryAction::Redriven,
                reason,
                count,
            };
        }
        Ok(Err(error)) => fetch::reason(&error),
        Err(_) => format!("no answer in {} s", patience.as_secs()),
    };
    let refused = mask::secrets(&refused);
    tracing::error!(
        execution_id = arn,
        reason = refused,
        "not redriven: {refused}"
    );
    Recovery {
        action: RecoveryAction::NotRedriven,
        reason: format!("RedriveExecution failed: {refused}"),
        count: count.saturating_sub(1),
    }
}

#[cfg(test)]
mod tests;
