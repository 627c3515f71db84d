//! Alerts as people and machines get them.

use super::*;
use crate::advice::Names;
use crate::fetch::Fetched;
use crate::{diagnosis, evidence};
use pipewarden_shared::failure::ErrorType;
use rstest::rstest;
use serde_json::Value;

fn compose(event: &Value, at: &str) -> Alert {
    compose_with(event, at, None, Vec::new())
}

fn compose_with(
    event: &Value,
    at: &str,
    recovery: Option<Recovery>,
    missing: Vec<String>,
) -> Alert {
    let profile = Profile::parse(include_str!("../../../../pipelines/sf-user.yaml")).unwrap();
    let failure = Failure::parse(&event.to_string());
    let place = Place {
        environment: "prod".to_owned(),
        function_arn: "arn:aws:lambda:eu-central-1:123456789012:function:handler".to_owned(),
    };
    let names = Names::default();
    let evidence = evidence::of(&failure, &names, &Fetched::default());
    let concluded = Concluded {
        diagnosis: diagnosis::of(&failure, &profile, &names),
        evidence,
        missing,
        recovery,
        usual_seconds: None,
    };
    alert(&failure, concluded, &profile, &place, at.parse().unwrap())
}

fn glue(execution: &str) -> Value {
    json!({
        "error_type": "glue_job_failure", "environment": "dev", "state": "LoadUsers",
        "execution_id": format!("arn:aws:states:eu-central-1:123456789012:execution:sf-user-dev:{execution}"),
        "error_details": {"Error": "States.TaskFailed", "Cause": json!({
            "JobName": "load", "Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "ValueError: the extract is cut off"
        }).to_string()}
    })
}

const AT: &str = "2026-03-01T06:00:00Z";

#[test]
fn reads_as_a_mail() {
    insta::assert_snapshot!(text(&compose(&glue("a"), AT)));
}

#[rstest]
#[case::catch(json!({"start_time": "2026-03-01T05:26:00Z"}), Some(2_040.0))]
#[case::not_told(json!({}), None)]
#[case::no_time(json!({"start_time": "soon"}), None)]
#[case::clocks_apart(json!({"start_time": "2026-03-01T06:00:01Z"}), None)]
fn says_how_long_the_run_took(#[case] more: Value, #[case] seconds: Option<f64>) {
    let mut event = glue("a");
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let alert = compose(&event, AT);
    assert_eq!(alert.run.map(|run| run.duration_seconds), seconds);
    assert_eq!(
        text(&alert).contains("\nRun time: 34 min\n"),
        seconds.is_some()
    );
}

#[test]
fn a_mail_says_what_was_done_and_what_could_not_be_read() {
    let recovery = Recovery {
        action: RecoveryAction::Redriven,
        reason: "a retry may cure throttling, and the run died where no Catch was; redrive 1 of 1"
            .to_owned(),
        count: 1,
    };
    let missing = vec![
        "Could not read the history of arn:x: AccessDeniedException: password=hunter22".to_owned(),
    ];
    let mail = text(&compose_with(&glue("a"), AT, Some(recovery), missing));
    let lines: Vec<&str> = mail
        .lines()
        .filter(|line| line.contains("Recovery") || line.contains("Could not"))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_retry_has_the_same_id_and_the_next_run_the_same_fingerprint() {
    let first = compose(&glue("a"), AT);
    let retried = compose(&glue("a"), "2026-03-01T06:01:00Z");
    let next_run = compose(&glue("b"), AT);
    assert_eq!(
        (&first.id, &first.fingerprint),
        (&retried.id, &retried.fingerprint)
    );
    assert_ne!(first.id, next_run.id);
    assert_eq!(first.fingerprint, next_run.fingerprint);
}

#[test]
fn a_redriven_run_that_fails_again_is_another_alert_about_the_same_problem() {
    let event = include_str!("../../../../events/error-handler/eventbridge-execution-failed.json");
    let mut event: Value = serde_json::from_str(event).unwrap();
    let first = compose(&event, AT);
    assert_eq!(
        compose(&event, "2026-03-01T07:00:00Z").id,
        first.id,
        "delivered twice"
    );
    event["detail"]["stopDate"] = json!(1_772_362_800_000_i64);
    let second = compose(&event, AT);
    assert_ne!(second.id, first.id);
    assert_eq!(second.fingerprint, first.fingerprint);
    assert_eq!(second.occurred_at.as_millisecond(), 1_772_362_800_000);
}

#[test]
fn what_tells_no_environment_is_of_the_functions_own() {
    let alert = compose(&json!("not a contract"), AT);
    assert_eq!(
        (alert.environment.as_str(), alert.execution.arn.as_str()),
        ("prod", "unknown")
    );
    assert_eq!(alert.error_type, ErrorType::UnknownError);
}

#[rstest]
#[case::glue(
    "glue-job-failure",
    "https://eu-central-1.console.aws.amazon.com/gluestudio/home?region=eu-central-1#/job/sf-user-load-dev/run/jr_5b1d",
    "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group/$252Faws-glue$252Fjobs$252Ferror$3FlogStreamNameFilter$3Djr_5b1d"
)]
#[case::athena(
    "athena-query-failure",
    "https://eu-central-1.console.aws.amazon.com/athena/home?region=eu-central-1#/query-editor/history/",
    ""
)]
#[case::ecs(
    "ecs-task-failure",
    "https://eu-central-1.console.aws.amazon.com/ecs/v2/clusters/",
    ""
)]
#[case::emr(
    "eventbridge-emr-step-failed",
    "https://eu-central-1.console.aws.amazon.com/emr/home?region=eu-central-1#/clusterDetails/j-1YONHTCP3YZKC",
    ""
)]
fn the_failed_part_has_its_page(#[case] sample: &str, #[case] page: &str, #[case] logs: &str) {
    let path = format!(
        "{}/../../events/error-handler/{sample}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let event = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let links = compose(&event, AT).links;
    assert!(
        links.task.as_deref().unwrap().starts_with(page),
        "{links:?}"
    );
    assert_eq!(links.logs.unwrap_or_default(), logs);
}

#[test]
fn pages_are_of_the_runs_partition() {
    let mut event = glue("a");
    event["execution_id"] = json!("arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:m:n");
    let links = compose(&event, AT).links;
    for page in [links.execution, links.logs, links.task] {
        let page = page.unwrap();
        assert!(
            page.starts_with("https://us-gov-west-1.console.amazonaws-us-gov.com/"),
            "{page}"
        );
    }
}

#[test]
fn the_message_fits_sns_and_carries_the_alert() {
    let mut event = glue("a");
    // Quotes grow most: they are escaped twice.
    event["error_details"]["Cause"] = json!("\"\\".repeat(100_000));
    event["validation_result"] = json!({"failed_validations": vec!["\"\n".repeat(1_000); 500]});
    let composed = compose(&event, AT);
    let message = message(&composed).unwrap();
    assert!(
        message.body.len() <= LARGEST_MESSAGE,
        "{}",
        message.body.len()
    );
    assert!(message.subject.len() < 100 && message.subject.is_ascii());
    let body: Value = serde_json::from_str(&message.body).unwrap();
    let carried: Alert = serde_json::from_str(body["sqs"].as_str().unwrap()).unwrap();
    assert_eq!(carried.fingerprint, composed.fingerprint);
    assert_eq!(message.attributes[0], ("severity", "HIGH".to_owned()));
}

#[test]
fn an_alert_reads_back() {
    let recovery = Recovery {
        action: RecoveryAction::NotRedriven,
        reason: "a retry does not cure permission".to_owned(),
        count: 0,
    };
    for recovery in [None, Some(recovery)] {
        let composed = compose_with(&glue("a"), AT, recovery, Vec::new());
        let json = serde_json::to_string(&composed).unwrap();
        assert_eq!(json.contains("not_redriven"), composed.recovery.is_some());
        assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), composed);
    }
}
