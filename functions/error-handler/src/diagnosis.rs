//! Decide: why it failed, how much that matters, what to do.
//!
//! The knowledge base tells the root cause; where it tells none, it is `unknown` with low confidence, since a confident
//! wrong answer costs more than none.

use crate::advice::{self, Advice, Names};
use crate::evidence::{self, Evidence, Service};
use crate::failure::Failure;
use crate::fetch::Fetched;
use crate::knowledge::severity::{self, Weighed};
use crate::knowledge::vocabulary::{Rank, Shift};
use crate::knowledge::{self, Conclusion, LONGEST_READ};
use pipewarden_shared::alert::{Diagnosis, RootCauseFinding};
use pipewarden_shared::failure::{Confidence, ErrorType, Escalation, RootCause};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::{mask, truncate};

/// The most characters of a message in an alert.
const LONGEST_MESSAGE: usize = 4_000;

/// The most characters of a sentence.
const LONGEST_SENTENCE: usize = 500;

/// The most failed validations in an alert.
const MOST_VALIDATIONS: usize = 20;

/// The most actions, and the most steps.
const MOST_LINES: usize = 10;

/// Diagnoses a failure of which no more is known than its event.
pub fn of(failure: &Failure, profile: &Profile, configured: &Names) -> Diagnosis {
    let evidence = evidence::of(failure, configured, &Fetched::default());
    let names = names_of(&evidence, configured);
    let environment = failure
        .environment
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    of_evidence(failure, &evidence, profile, &names, &environment)
}

/// Diagnoses a failure from what is known of it, in an environment. Everything in it is masked and bounded.
pub fn of_evidence(
    failure: &Failure,
    evidence: &Evidence,
    profile: &Profile,
    names: &Names,
    environment: &str,
) -> Diagnosis {
    let concluded = knowledge::conclude(evidence, failure.cause.as_deref());
    let advice = advice::of(failure.error_type, names);
    let error = evidence
        .errors
        .first()
        .or(failure.error.as_ref())
        .map(String::as_str);
    // Cut before it is masked, as an event may be megabytes; far behind what is shown, so that no half of a
    // secret is left at the cut.
    let message = truncate::characters(&message(failure, evidence, error), LONGEST_READ);
    let sentence = |text: &str| truncate::characters(&mask::secrets(text), LONGEST_SENTENCE);
    let root_cause = root_cause(failure, concluded.as_ref(), &sentence(&message));
    let shift = concluded
        .as_ref()
        .map_or(Shift::Keep, |concluded| concluded.entry.shift());
    let severity = severity::of(&Weighed {
        error_type: failure.error_type,
        told: profile.alerts.severity.get(&failure.error_type).copied(),
        code: root_cause.code,
        confidence: root_cause.confidence,
        transient: root_cause.transient,
        shift,
        environment,
    });
    let cause = sentence(&cause_sentence(failure, concluded.as_ref(), &message));
    let (actions, steps, escalate_to) = advised(concluded, &advice);
    let lines = |lines: Vec<String>| {
        lines
            .iter()
            .take(MOST_LINES)
            .map(|line| sentence(line))
            .collect()
    };
    Diagnosis {
        error_category: advice.category.to_owned(),
        severity,
        cause,
        error_message: truncate::characters(&mask::secrets(&message), LONGEST_MESSAGE),
        root_cause,
        recommended_actions: lines(actions),
        investigation_steps: lines(steps),
        escalate_to,
        failed_validations: failure
            .failed_validations
            .iter()
            .take(MOST_VALIDATIONS)
            .map(|validation| sentence(validation))
            .collect(),
        data_quality_score: failure.data_quality_score,
    }
}

/// What to do, where to look and who can act. Where the cause is not sure, the error type's advice comes behind.
fn advised(
    concluded: Option<Conclusion>,
    advice: &Advice,
) -> (Vec<String>, Vec<String>, Escalation) {
    let Some(concluded) = concluded else {
        return (
            advice.actions.clone(),
            advice.steps.clone(),
            advice.escalate_to,
        );
    };
    let (mut actions, mut steps) = (concluded.actions, concluded.steps);
    if concluded.entry.rank() == Rank::Wrapper || concluded.confidence == Confidence::Low {
        actions.extend(advice.actions.iter().cloned());
        steps.extend(advice.steps.iter().cloned());
    }
    (actions, steps, concluded.entry.escalate_to())
}

/// The names of this run for the error type's advice: those that its evidence tells, else the configured ones.
pub fn names_of(evidence: &Evidence, configured: &Names) -> Names {
    let told = |name: &str| evidence.names.get(name).cloned();
    let glue_log_group = told("log_group").filter(|_| evidence.service == Some(Service::Glue));
    Names {
        glue_job: told("job").or_else(|| configured.glue_job.clone()),
        glue_run: told("job_run").or_else(|| configured.glue_run.clone()),
        glue_log_group: glue_log_group.or_else(|| configured.glue_log_group.clone()),
        execution: told("execution").unwrap_or_else(|| "<execution arn>".to_owned()),
        ..configured.clone()
    }
}

/// What the failed part said; the raw event where it could not be read.
fn message(failure: &Failure, evidence: &Evidence, error: Option<&str>) -> String {
    let said = said(evidence, error);
    match (&failure.unread, said) {
        (None, said) => said.unwrap_or_else(|| "no error and no cause were given".to_owned()),
        // What was read is worth more than what was not.
        (Some(unread), Some(said)) => {
            format!("{said} (not all of the event could be read: {unread})")
        }
        (Some(unread), None) => format!(
            "could not read the event ({unread}); as it came: {}",
            failure.raw
        ),
    }
}

/// What an error and the innermost text say.
fn said(evidence: &Evidence, error: Option<&str>) -> Option<String> {
    let innermost = evidence
        .texts
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    Some(match (error, innermost) {
        (Some(error), "") => format!("{error}, without a cause"),
        // The wrapper says nothing that the message does not.
        (Some("States.TaskFailed"), message) => message.to_owned(),
        (Some(error), message) => format!("{error}: {message}"),
        (None, "") => return None,
        (None, message) => message.to_owned(),
    })
}

/// What happened, with the first thing that a person wants to know up front.
fn cause_sentence(failure: &Failure, concluded: Option<&Conclusion>, message: &str) -> String {
    if let (
        ErrorType::DataQualityFailure
        | ErrorType::ScdValidationFailure
        | ErrorType::ValidationFailure,
        [first, rest @ ..],
    ) = (failure.error_type, failure.failed_validations.as_slice())
    {
        return match rest.len() {
            0 => first.clone(),
            more => format!("{first}; and {more} more"),
        };
    }
    // Of a long log, the line that tells the cause says more than its first lines.
    let words = concluded.and_then(|concluded| concluded.evidence.as_ref());
    match words
        .filter(|words| message.lines().count() > 2 && !gist(message).contains(words.as_str()))
    {
        Some(words) => words.clone(),
        None => gist(message),
    }
}

/// The part of a message that says the most: a Python traceback says it last, dbt in its second line.
fn gist(message: &str) -> String {
    let mut lines = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    if message.contains("Traceback (most recent call last)") {
        lines.next_back().unwrap_or(message).to_owned()
    } else {
        lines.take(2).collect::<Vec<_>>().join(" ")
    }
}

fn root_cause(
    failure: &Failure,
    concluded: Option<&Conclusion>,
    message: &str,
) -> RootCauseFinding {
    let bounded = |text: &str| truncate::characters(&mask::secrets(text), LONGEST_SENTENCE);
    if let Some(concluded) = concluded {
        return RootCauseFinding {
            code: concluded.entry.code(),
            summary: bounded(&concluded.summary),
            confidence: concluded.confidence,
            transient: concluded.entry.transient(),
            evidence: concluded
                .evidence
                .as_deref()
                .map_or_else(|| message.to_owned(), bounded),
            knowledge: Some(concluded.entry.id().to_owned()),
        };
    }
    let (code, confidence, summary) = if failure.error_type == ErrorType::DataQualityFailure {
        (
            RootCause::DataExpectation,
            Confidence::Medium,
            "The data is not what the checks expect.",
        )
    } else {
        (
            RootCause::Unknown,
            Confidence::Low,
            "The message is not one that Pipewarden knows; it and the steps say where to look.",
        )
    };
    RootCauseFinding {
        code,
        summary: summary.to_owned(),
        confidence,
        transient: false,
        evidence: message.to_owned(),
        knowledge: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::failure::Severity;
    use rstest::rstest;
    use serde_json::json;

    fn diagnose(event: &serde_json::Value) -> Diagnosis {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        of(
            &Failure::parse(&event.to_string()),
            &profile,
            &Names::default(),
        )
    }

    fn caught(error_type: &str, error: &str, cause: &str) -> Diagnosis {
        diagnose(&json!({
            "error_type": error_type, "execution_id": "run-1", "environment": "dev",
            "error_details": {"Error": error, "Cause": cause}
        }))
    }

    #[rstest]
    #[case("glue_job_failure", Severity::High)]
    #[case("validation_failure", Severity::Medium)]
    #[case("data_quality_failure", Severity::High)]
    #[case("dbt_run_failure", Severity::High)]
    #[case("dbt_test_failure", Severity::Medium)]
    #[case("scd_validation_failure", Severity::High)]
    #[case("unknown_error", Severity::Medium)]
    fn severities(#[case] error_type: &str, #[case] severity: Severity) {
        assert_eq!(caught(error_type, "E", "c").severity, severity);
    }

    #[rstest]
    #[case(
        "DataQualityFailed",
        RootCause::DataExpectation,
        Confidence::High,
        false
    )]
    #[case("States.Timeout", RootCause::Timeout, Confidence::High, false)]
    #[case(
        "Glue.ConcurrentRunsExceededException",
        RootCause::Throttling,
        Confidence::High,
        true
    )]
    #[case("AthenaThrottled", RootCause::Throttling, Confidence::High, true)]
    #[case("AthenaAccessDenied", RootCause::Permission, Confidence::High, false)]
    #[case(
        "Lambda.ServiceException",
        RootCause::ServiceFault,
        Confidence::Medium,
        true
    )]
    #[case("InvalidEvent", RootCause::CodeError, Confidence::Medium, false)]
    #[case("DbtTestsFailed", RootCause::DataExpectation, Confidence::High, false)]
    #[case("DbtTestsErrored", RootCause::Unknown, Confidence::Low, false)]
    #[case("DbtAnsweredNothing", RootCause::Unknown, Confidence::Low, false)]
    #[case("States.TaskFailed", RootCause::Unknown, Confidence::Low, false)]
    fn names_tell_causes(
        #[case] error: &str,
        #[case] code: RootCause,
        #[case] confidence: Confidence,
        #[case] transient: bool,
    ) {
        let found = caught("validation_failure", error, "c").root_cause;
        assert_eq!(
            (found.code, found.confidence, found.transient),
            (code, confidence, transient)
        );
    }

    #[test]
    fn the_innermost_error_is_the_one_that_counts() {
        let cause =
            json!({"errorType": "AthenaThrottled", "errorMessage": "Athena throttles a scan"});
        let found = caught(
            "validation_failure",
            "States.TaskFailed",
            &cause.to_string(),
        );
        assert_eq!(found.root_cause.code, RootCause::Throttling);
        assert_eq!(
            found.error_message,
            "AthenaThrottled: Athena throttles a scan"
        );
    }

    #[test]
    fn a_traceback_says_it_last() {
        let found = caught(
            "glue_job_failure",
            "States.TaskFailed",
            &json!({"JobRunState": "FAILED", "ErrorMessage": "Traceback (most recent call last):\n  File \"x\"\nValueError: no rows"}).to_string(),
        );
        assert_eq!(found.cause, "ValueError: no rows");
    }

    #[test]
    fn failed_checks_come_first() {
        let found = diagnose(&json!({
            "error_type": "data_quality_failure", "execution_id": "run-1", "environment": "dev",
            "error_details": {"Error": "DataQualityFailed", "Cause": "a; b"},
            "validation_result": {"failed_validations": ["a: 1 of 2", "b: 3 of 4"], "data_quality_score": 60}
        }));
        assert_eq!(found.cause, "a: 1 of 2; and 1 more");
        assert_eq!(found.failed_validations.len(), 2);
        assert_eq!(found.data_quality_score, Some(60.0));
    }

    #[test]
    fn a_wrong_field_does_not_hide_the_cause() {
        let found = diagnose(&json!({
            "error_type": "glue_job_failure", "execution_id": "run-1", "environment": "dev",
            "error_details": {"Error": "States.TaskFailed", "Cause": "the disk is full"},
            "validation_result": {"data_quality_score": "n/a"}
        }));
        assert!(
            found.cause.starts_with("the disk is full (not all"),
            "{}",
            found.cause
        );
    }

    #[test]
    fn what_cannot_be_read_is_attached_masked_and_cut() {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        let text = format!("job failed, password=hunter22 {}", "x".repeat(6_000_000));
        let found = of(&Failure::parse(&text), &profile, &Names::default());
        let start = "as it came: job failed, password=*** xxx";
        assert!(
            found.error_message.contains(start),
            "{:.200}",
            found.error_message
        );
        assert_eq!(found.error_message.chars().count(), LONGEST_MESSAGE);
        assert_eq!(found.root_cause.code, RootCause::Unknown);
    }
}
