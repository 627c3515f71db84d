//! What is known of a failure: from its event, from what was fetched, from the configuration.

use super::*;
use crate::fetch::Described;
use crate::history::{Digest, Task};
use rstest::rstest;
use serde_json::json;

const RUN: &str = "arn:aws:states:eu-central-1:123456789012:execution:sf-user-dev:run-1";

fn caught(error_type: &str, error: &str, cause: &str) -> Failure {
    let event = json!({
        "error_type": error_type, "execution_id": RUN, "environment": "dev", "state": "LoadUsers",
        "error_details": {"Error": error, "Cause": cause}
    });
    Failure::parse(&event.to_string())
}

fn configured() -> Names {
    Names {
        glue_job: Some("load".to_owned()),
        dbt_runner: Some("dbt-runner".to_owned()),
        ..Names::default()
    }
}

#[test]
fn a_run_has_its_names() {
    let cause = json!({"JobName": "load-users", "Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "no file s3://lake/landing/part-0.parquet."});
    let failure = caught("glue_job_failure", "States.TaskFailed", &cause.to_string());
    let evidence = of(&failure, &configured(), &Fetched::default());
    for (name, value) in [
        ("job", "load-users"),
        ("job_run", "jr_1"),
        ("log_group", "/aws-glue/jobs"),
        ("execution", RUN),
        ("state_machine", "sf-user-dev"),
        ("region", "eu-central-1"),
        ("account", "123456789012"),
        ("state", "LoadUsers"),
        ("path", "s3://lake/landing/part-0.parquet"),
        ("bucket", "lake"),
    ] {
        assert_eq!(
            evidence.names.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
}

#[rstest]
#[case(
    "dbt_run_failure",
    "DbtRunFailed",
    "model x failed",
    Some(Service::Dbt)
)]
#[case(
    "dbt_run_failure",
    "Boom",
    r#"{"errorType": "Boom", "errorMessage": "x"}"#,
    Some(Service::Dbt)
)]
#[case(
    "dbt_run_failure",
    "Sandbox.Timedout",
    r#"{"errorType": "Sandbox.Timedout", "errorMessage": "x"}"#,
    Some(Service::Lambda)
)]
#[case(
    "validation_failure",
    "AthenaThrottled",
    r#"{"errorType": "AthenaThrottled", "errorMessage": "x"}"#,
    Some(Service::Athena)
)]
#[case(
    "glue_job_failure",
    "Glue.ThrottlingException",
    "x",
    Some(Service::Glue)
)]
#[case("glue_job_failure", "States.Timeout", "", Some(Service::Glue))]
#[case("data_quality_failure", "DataQualityFailed", "x", None)]
fn the_service_is_what_failed(
    #[case] error_type: &str,
    #[case] error: &str,
    #[case] cause: &str,
    #[case] expected: Option<Service>,
) {
    let evidence = of(
        &caught(error_type, error, cause),
        &configured(),
        &Fetched::default(),
    );
    assert_eq!(evidence.service, expected);
}

#[test]
fn what_was_fetched_comes_from_the_inside() {
    let event =
        include_str!("../../../../events/error-handler/eventbridge-execution-timed-out.json");
    let task = Task {
        state: Some("LoadUsers".to_owned()),
        service: Some(Service::Glue),
        names: [("job_run", "jr_1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..Task::default()
    };
    let fetched = Fetched {
        history: Some(Digest {
            task: Some(task),
            ..Digest::default()
        }),
        inner: vec![cause::unwrap_value(
            &json!({"JobRunState": "STOPPED", "Id": "jr_1", "ErrorMessage": null}),
        )],
        ..Fetched::default()
    };
    let evidence = of(&Failure::parse(event), &configured(), &fetched);
    assert_eq!(evidence.errors, ["States.Timeout"]);
    assert_eq!(
        evidence.texts,
        [
            "the job run ended STOPPED without a message",
            "the execution ran out of time (TIMED_OUT)"
        ]
    );
    assert_eq!(
        (
            evidence.names["job_run"].as_str(),
            evidence.names["state"].as_str()
        ),
        ("jr_1", "LoadUsers")
    );
}

#[test]
fn an_event_that_says_why_is_not_contradicted() {
    let fetched = Fetched {
        execution: Some(Described {
            status: "FAILED".to_owned(),
            error: Some("Other".to_owned()),
            cause: Some("other".to_owned()),
            redrives: 0,
            redrivable: true,
            redrivable_reason: None,
            stopped_at: None,
        }),
        ..Fetched::default()
    };
    let evidence = of(
        &caught("glue_job_failure", "Boom", "why"),
        &configured(),
        &fetched,
    );
    assert_eq!(
        (evidence.errors, evidence.texts),
        (vec!["Boom".to_owned()], vec!["why".to_owned()])
    );
}

#[rstest]
#[case("Path does not exist: s3://b/k;", Some("s3://b/k"))]
#[case("'s3a://b/k d'", Some("s3a://b/k"))]
#[case("no path", None)]
fn finds_the_first_uri(#[case] text: &str, #[case] uri: Option<&str>) {
    assert_eq!(s3_uri(text), uri);
}
