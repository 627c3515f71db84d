//! Decide: why it failed, how much that matters, what to do.
//!
//! The root cause is told where the error's name or the failed checks tell it; anything else is `unknown`
//! with low confidence, since a confident wrong answer costs more than none.

use crate::advice::{self, Names};
use crate::cause::{self, Unwrapped};
use crate::failure::Failure;
use crate::names::{NAMED, Told};
use pipewarden_shared::alert::{Diagnosis, RootCauseFinding};
use pipewarden_shared::failure::{Confidence, ErrorType, RootCause};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::{mask, truncate};

/// The most characters of a message in an alert.
const LONGEST_MESSAGE: usize = 4_000;

/// The most characters of a sentence.
const LONGEST_SENTENCE: usize = 500;

/// The most characters that are masked and looked at; far more than any is shown.
const LONGEST_READ: usize = 65_536;

/// The most failed validations in an alert.
const MOST_VALIDATIONS: usize = 20;

/// Diagnoses a failure. Everything in it is masked and bounded.
pub fn of(failure: &Failure, profile: &Profile, names: &Names) -> Diagnosis {
    let unwrapped = unwrapped(failure);
    let names = names_of(failure, names);
    let advice = advice::of(failure.error_type, &names);
    let error = unwrapped.error.as_deref().or(failure.error.as_deref());
    // Cut before it is masked, as an event may be megabytes; far behind what is shown, so that no half of a
    // secret is left at the cut.
    let message = truncate::characters(&message(failure, &unwrapped, error), LONGEST_READ);
    let sentence = |text: &str| truncate::characters(&mask::secrets(text), LONGEST_SENTENCE);
    let root_cause = root_cause(failure, error, &sentence(&message));
    Diagnosis {
        error_category: advice.category.to_owned(),
        severity: profile.severity(failure.error_type),
        cause: sentence(&cause_sentence(failure, &message)),
        error_message: truncate::characters(&mask::secrets(&message), LONGEST_MESSAGE),
        root_cause,
        recommended_actions: advice
            .actions
            .iter()
            .map(|action| sentence(action))
            .collect(),
        investigation_steps: advice.steps.iter().map(|step| sentence(step)).collect(),
        escalate_to: advice.escalate_to,
        failed_validations: failure
            .failed_validations
            .iter()
            .take(MOST_VALIDATIONS)
            .map(|validation| sentence(validation))
            .collect(),
        data_quality_score: failure.data_quality_score,
    }
}

fn unwrapped(failure: &Failure) -> Unwrapped {
    failure
        .cause
        .as_deref()
        .map(cause::unwrap)
        .unwrap_or_default()
}

/// The names of this run: those that its Cause tells, else the configured ones.
pub fn names_of(failure: &Failure, configured: &Names) -> Names {
    let told = unwrapped(failure);
    Names {
        glue_job: told.job_name.or_else(|| configured.glue_job.clone()),
        glue_run: told.job_run_id.or_else(|| configured.glue_run.clone()),
        glue_log_group: told.log_group.or_else(|| configured.glue_log_group.clone()),
        execution: failure
            .execution_id
            .clone()
            .unwrap_or_else(|| "<execution arn>".to_owned()),
        ..configured.clone()
    }
}

/// What the failed part said; the raw event where it could not be read.
fn message(failure: &Failure, unwrapped: &Unwrapped, error: Option<&str>) -> String {
    let said = said(unwrapped, error);
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

/// What an error and its unwrapped cause say.
fn said(unwrapped: &Unwrapped, error: Option<&str>) -> Option<String> {
    Some(match (error, unwrapped.message.as_str()) {
        (Some(error), "") => format!("{error}, without a cause"),
        // The wrapper says nothing that the message does not.
        (Some("States.TaskFailed"), message) => message.to_owned(),
        (Some(error), message) => format!("{error}: {message}"),
        (None, "") => return None,
        (None, message) => message.to_owned(),
    })
}

/// What happened, with the first thing that a person wants to know up front.
fn cause_sentence(failure: &Failure, message: &str) -> String {
    match (failure.error_type, failure.failed_validations.as_slice()) {
        (
            ErrorType::DataQualityFailure
            | ErrorType::ScdValidationFailure
            | ErrorType::ValidationFailure,
            [first, rest @ ..],
        ) => match rest.len() {
            0 => first.clone(),
            more => format!("{first}; and {more} more"),
        },
        _ => gist(message),
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

fn root_cause(failure: &Failure, error: Option<&str>, evidence: &str) -> RootCauseFinding {
    let (code, confidence, transient, summary) = named(failure, error);
    RootCauseFinding {
        code,
        summary: summary.to_owned(),
        confidence,
        transient,
        evidence: evidence.to_owned(),
    }
}

/// The root cause that an error's name tells, or the error type.
fn named(failure: &Failure, error: Option<&str>) -> Told {
    let error = error.unwrap_or_default();
    // `Service.SomethingException` and `SomethingException` are the same error.
    let short = error.rsplit('.').next().unwrap_or(error);
    let known = NAMED
        .iter()
        .find(|(names, _)| names.contains(&error) || names.contains(&short));
    match known {
        Some((_, told)) => *told,
        None if failure.error_type == ErrorType::DataQualityFailure => (
            RootCause::DataExpectation,
            Confidence::Medium,
            false,
            "The data is not what the checks expect.",
        ),
        None => (
            RootCause::Unknown,
            Confidence::Low,
            false,
            "The cause is not known from the error's name; the message and the steps say where to look.",
        ),
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
