//! Any event is a failure, and what it says is read.

use super::*;
use rstest::rstest;
use serde_json::json;

fn catch() -> Value {
    json!({
        "error_type": "dbt_run_failure", "execution_id": "run-1", "environment": "dev", "state": "RunDbt",
        "error_details": {"Error": "States.TaskFailed", "Cause": "boom"},
        "validation_result": {"Payload": {"failed_validations": ["a: 1 of 2"], "data_quality_score": 50}}
    })
}

#[test]
fn reads_a_catch() {
    let failure = Failure::parse(&catch().to_string());
    assert_eq!(failure.error_type, ErrorType::DbtRunFailure);
    assert_eq!(failure.execution_id.as_deref(), Some("run-1"));
    assert_eq!(failure.cause.as_deref(), Some("boom"));
    assert_eq!(failure.failed_validations, ["a: 1 of 2"]);
    assert_eq!(failure.data_quality_score, Some(50.0));
    assert_eq!(failure.unread, None);
}

#[rstest]
#[case::no_type(json!({"error_type": null}), "error_type")]
#[case::other_type(json!({"error_type": "fire"}), "error_type")]
#[case::type_is_no_text(json!({"error_type": 5}), "error_type")]
#[case::no_execution(json!({"execution_id": null}), "execution_id")]
#[case::environment(json!({"environment": "a b"}), "environment")]
#[case::details(json!({"error_details": "boom"}), "error_details")]
#[case::validation(json!({"validation_result": [1]}), "validation_result")]
#[case::score(json!({"validation_result": {"data_quality_score": -1}}), "validation_result.data_quality_score")]
fn what_is_wrong_is_remembered_and_the_rest_is_read(#[case] fields: Value, #[case] field: &str) {
    let mut event = catch();
    for (name, value) in fields.as_object().unwrap() {
        event[name] = value.clone();
    }
    let failure = Failure::parse(&event.to_string());
    assert!(
        failure
            .unread
            .as_ref()
            .unwrap()
            .starts_with(&format!("{field}: ")),
        "{:?}",
        failure.unread
    );
    assert_eq!(failure.state.as_deref(), Some("RunDbt"));
    assert_eq!(failure.raw, event.to_string());
}

#[rstest]
#[case("[1, 2]")]
#[case("\"the job failed\"")]
#[case("not JSON")]
#[case("")]
#[case("{\"a\": 1e999}")]
fn anything_is_a_failure(#[case] text: &str) {
    let failure = Failure::parse(text);
    assert_eq!(failure.error_type, ErrorType::UnknownError);
    assert!(failure.unread.is_some());
    assert_eq!(failure.raw, text);
}

const CATCH: &str = r#"{"error_type": "glue_job_failure", "execution_id": "run-1", "environment": "dev", "error_details": {"Error": "E", "Cause": "boom"}}"#;

#[rstest]
#[case::with_a_byte_order_mark(format!("\u{feff}{CATCH}"))]
#[case::written_into_a_string(Value::from(CATCH).to_string())]
#[case::brought_by_sns(json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": CATCH}}]}).to_string())]
fn an_event_is_unpacked(#[case] event: String) {
    let failure = Failure::parse(&event);
    assert_eq!(failure.error_type, ErrorType::GlueJobFailure);
    assert_eq!(
        (failure.cause.as_deref(), failure.unread),
        (Some("boom"), None)
    );
    assert_eq!(failure.raw, event);
}

#[rstest]
#[case::details_are_a_text(json!({"error_type": "glue_job_failure", "error_details": "boom AccessDenied"}), "boom AccessDenied")]
#[case::destination(json!({"requestPayload": {"message": "no"}, "responsePayload": {"errorMessage": "2026-03-01 Task timed out after 3.00 seconds"}}), "2026-03-01 Task timed out after 3.00 seconds")]
#[case::cluster(json!({"detail-type": "EMR Cluster State Change", "detail": {"state": "TERMINATED_WITH_ERRORS", "stateChangeReason": "{\"code\":\"BOOTSTRAP_FAILURE\",\"message\":\"bootstrap action 1 failed\"}"}}), "BOOTSTRAP_FAILURE: bootstrap action 1 failed")]
#[case::no_json(json!("the job failed: boom"), "the job failed: boom")]
fn an_unknown_event_says_what_its_fields_say(#[case] event: Value, #[case] text: &str) {
    let failure = Failure::parse(&event.to_string());
    assert!(failure.unread.is_some());
    let evidence = &failure.told.evidence;
    assert_eq!(evidence.texts, [text]);
    assert!(evidence.is_gleaned && !failure.told.says_why);
}

#[rstest]
#[case::alone(json!({"Error": "Glue.ThrottlingException", "Cause": "slow down"}), ErrorType::GlueJobFailure)]
#[case::in_a_field(json!({"error": {"Error": "States.TaskFailed", "Cause": {"JobRunState": "FAILED"}}}), ErrorType::GlueJobFailure)]
#[case::of_a_function(json!({"Error": "ValueError", "Cause": "{\"errorType\": \"ValueError\", \"errorMessage\": \"no\"}", "run": 1}), ErrorType::OrchestrationFailure)]
fn reads_the_output_of_a_catch(#[case] event: Value, #[case] expected: ErrorType) {
    let failure = Failure::parse(&event.to_string());
    assert_eq!((failure.error_type, failure.unread), (expected, None));
    assert!(failure.told.says_why);
}
