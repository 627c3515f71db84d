//! What is told of a failure, and what of it a person sees first.

use super::*;
use pipewarden_shared::failure::Severity;
use rstest::rstest;
use serde_json::json;

fn diagnose(event: &serde_json::Value) -> Diagnosis {
    let profile = Profile::parse(include_str!("../../../../pipelines/sf-user.yaml")).unwrap();
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
    let cause = json!({"errorType": "AthenaThrottled", "errorMessage": "Athena throttles a scan"});
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
fn an_event_of_no_known_kind_is_told_with_some_doubt() {
    let found = diagnose(&json!({
        "version": "1.0", "requestContext": {"condition": "RetriesExhausted"},
        "responsePayload": {"errorMessage": "java.lang.OutOfMemoryError: Java heap space"}
    }));
    assert_eq!(found.root_cause.code, RootCause::OutOfMemory);
    assert_eq!(found.root_cause.confidence, Confidence::Medium);
    assert!(found.cause.contains("OutOfMemoryError"), "{}", found.cause);
    assert!(
        found.error_message.contains("RetriesExhausted"),
        "as it came: {}",
        found.error_message
    );
}

#[test]
fn what_cannot_be_read_is_attached_masked_and_cut() {
    let profile = Profile::parse(include_str!("../../../../pipelines/sf-user.yaml")).unwrap();
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
