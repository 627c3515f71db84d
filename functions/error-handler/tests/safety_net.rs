//! Runs that die outside a Catch, against HTTP stubs: what is read, what is alerted, what is redriven.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a stub that cannot be set up has failed the test"
)]

#[path = "safety_net/stubs.rs"]
mod stubs;

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_sns::Client as Sns;
use error_handler::advice::Names;
use error_handler::fetch::Sources;
use error_handler::{Handled, Handler, handle};
use httpmock::MockServer;
use pipewarden_shared::alert::{Recovery, RecoveryAction};
use pipewarden_shared::lambda::Invocation;
use pipewarden_shared::loopback;
use pipewarden_shared::profile::Profile;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use stubs::{ARN, ENDED, FUNCTION, Stubs, failed, history, load, reported};

const FAILED: &str =
    include_str!("../../../events/error-handler/eventbridge-execution-failed.json");
const TIMED_OUT: &str =
    include_str!("../../../events/error-handler/eventbridge-execution-timed-out.json");
const GLUE_EVENT: &str =
    include_str!("../../../events/error-handler/eventbridge-glue-job-failed.json");
const CAUGHT: &str = include_str!("../../../events/error-handler/glue-job-failure.json");

async fn handled(server: &MockServer, event: &str) -> Option<Handled> {
    handled_in(server, event, "dev", Duration::from_secs(60)).await
}

async fn handled_in(
    server: &MockServer,
    event: &str,
    environment: &str,
    remaining: Duration,
) -> Option<Handled> {
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    let handler = Handler {
        cloudwatch: CloudWatch::new(&config),
        sns: Sns::new(&config),
        sources: Arc::new(Sources::new(config)),
        topic_arn: "arn:aws:sns:us-east-1:000000000001:alerts".to_owned(),
        profile: Arc::new(Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap()),
        environment: environment.to_owned(),
        names: Names {
            glue_job: Some("sf-user-load-dev".to_owned()),
            ..Names::default()
        },
    };
    let mut invocation = Invocation::of(event, remaining);
    invocation.function_arn = FUNCTION.to_owned();
    handle(handler, invocation).await.unwrap()
}

const THROTTLED: (&str, &str) = (
    "Glue.ConcurrentRunsExceededException",
    "Concurrent runs exceeded for sf-user-load-dev (Service: Glue, Status Code: 400, Request ID: R)",
);

fn throttled() -> Value {
    json!({"error": THROTTLED.0, "cause": THROTTLED.1})
}

#[tokio::test]
async fn a_run_is_held_against_those_that_succeeded() {
    let server = MockServer::start();
    let told = server.mock(|when, then| {
        when.path("/")
            .body_includes("Action=Publish")
            .body_includes("usually%2012%20min");
        then.status(200)
            .header("content-type", "text/xml")
            .body(stubs::PUBLISHED);
    });
    let stubs = Stubs::new(&server);
    stubs.describes(&throttled());
    stubs.tells_history(&load());
    stubs.tells_of_runs_that_took(&[700.0, 720.0, 4_000.0]);
    handled(&server, FAILED).await.unwrap();
    told.assert_calls(1);
}

#[tokio::test]
async fn a_run_that_its_catch_reported_is_not_alerted_again() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.describes(&throttled());
    stubs.tells_history(&[load(), reported()].concat());
    let redrive = stubs.redrives();
    assert_eq!(handled(&server, FAILED).await, None);
    stubs.alerts.assert_calls(0);
    redrive.assert_calls(0);
}

#[tokio::test]
async fn a_run_that_died_of_a_passing_cause_is_redriven_and_alerted_once() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    let described = stubs.describes(&throttled());
    stubs.tells_history(&[load(), failed(THROTTLED.0, THROTTLED.1)].concat());
    let redrive = server.mock(|when, then| {
        when.header("x-amz-target", "AWSStepFunctions.RedriveExecution")
            .body_includes(ARN)
            .body_matches(r#""clientToken":"[0-9a-f]{32}""#);
        then.status(200)
            .body(json!({"redriveDate": ENDED + 5.0}).to_string());
    });
    let answer = handled(&server, FAILED).await.unwrap();
    stubs.alerts.assert_calls(1);
    described.assert_calls(1);
    redrive.assert_calls(1);
    assert_eq!(answer.error_type.as_str(), "glue_job_failure");
    assert!(
        answer.error_details.root_cause.transient,
        "{:?}",
        answer.error_details.root_cause
    );
    let recovery = answer.recovery.unwrap();
    assert_eq!(
        (recovery.action, recovery.count),
        (RecoveryAction::Redriven, 1)
    );
}

async fn recovery_of(execution: Value, events: Vec<Value>, environment: &str) -> (Recovery, usize) {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.describes(&execution);
    stubs.tells_history(&events);
    let redrive = stubs.redrives();
    let answer = handled_in(&server, FAILED, environment, Duration::from_secs(60))
        .await
        .unwrap();
    stubs.alerts.assert_calls(1);
    (answer.recovery.unwrap(), redrive.calls())
}

#[rstest]
#[case::permanent(json!({"error": "Glue.AccessDeniedException", "cause": "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: glue:StartJobRun on resource: x (Service: Glue, Status Code: 400, Request ID: R)"}), "dev", "a retry does not cure permission")]
#[case::unknown(json!({"error": "Mystery", "cause": "it did not work out"}), "dev", "the cause is not known well enough")]
#[case::production(throttled(), "prod", "the profile allows no redrives in prod")]
#[case::spent(json!({"error": THROTTLED.0, "cause": THROTTLED.1, "redriveCount": 1}), "dev", "the run was redriven 1 times and the profile allows 1")]
#[case::too_late(json!({"error": THROTTLED.0, "cause": THROTTLED.1, "redriveStatus": "NOT_REDRIVABLE", "redriveStatusReason": "Execution redrivable period exceeded"}), "dev", "Step Functions does not redrive it: Execution redrivable period exceeded")]
#[case::delivered_twice(json!({"error": null, "cause": null, "status": "RUNNING", "redriveCount": 1}), "dev", "the run is RUNNING since")]
#[tokio::test]
async fn any_other_run_is_left_and_the_alert_says_why(
    #[case] execution: Value,
    #[case] environment: &str,
    #[case] reason: &str,
) {
    let (error, cause) = match (execution["error"].as_str(), execution["cause"].as_str()) {
        (Some(error), Some(cause)) => (error.to_owned(), cause.to_owned()),
        _ => (THROTTLED.0.to_owned(), THROTTLED.1.to_owned()),
    };
    let (recovery, redrives) = recovery_of(
        execution,
        [load(), failed(&error, &cause)].concat(),
        environment,
    )
    .await;
    assert_eq!(
        (recovery.action, redrives),
        (RecoveryAction::NotRedriven, 0)
    );
    assert_eq!(recovery.reason, reason);
}

#[tokio::test]
async fn a_machine_that_ended_itself_is_not_redriven_into_its_fail_state() {
    let end = vec![
        json!({"type": "FailStateEntered", "stateEnteredEventDetails": {"name": "GiveUp"}}),
        json!({"type": "ExecutionFailed", "executionFailedEventDetails": {"error": THROTTLED.0, "cause": THROTTLED.1}}),
    ];
    let (recovery, redrives) = recovery_of(throttled(), [load(), end].concat(), "dev").await;
    assert_eq!(redrives, 0);
    assert_eq!(
        recovery.reason,
        "the run ended in its Fail state GiveUp, where a redrive would begin"
    );
}

#[tokio::test]
async fn a_redrive_that_is_refused_is_told() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.describes(&throttled());
    stubs.tells_history(&[load(), failed(THROTTLED.0, THROTTLED.1)].concat());
    stubs.refuses("AWSStepFunctions.RedriveExecution");
    let recovery = handled(&server, FAILED).await.unwrap().recovery.unwrap();
    stubs.alerts.assert_calls(1);
    assert_eq!(
        (recovery.action, recovery.count),
        (RecoveryAction::NotRedriven, 0)
    );
    assert!(
        recovery
            .reason
            .starts_with("RedriveExecution failed: AccessDeniedException: User: "),
        "{}",
        recovery.reason
    );
}

#[tokio::test]
async fn what_may_not_be_read_stops_no_alert_and_is_said() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.refuses("AWSStepFunctions.DescribeExecution");
    stubs.refuses("AWSStepFunctions.GetExecutionHistory");
    let redrive = stubs.redrives();
    let answer = handled(&server, FAILED).await.unwrap();
    stubs.alerts.assert_calls(1);
    redrive.assert_calls(0);
    let steps = answer.error_details.investigation_steps.join("\n");
    for what in ["execution", "the history of"] {
        let said = format!("Could not read {what} {ARN}: AccessDeniedException: User: ");
        assert!(steps.contains(&said), "{steps}");
    }
    assert_eq!(
        answer.recovery.unwrap().reason,
        "the execution could not be read"
    );
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_not_waited_for() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    for target in [
        "AWSStepFunctions.DescribeExecution",
        "AWSStepFunctions.GetExecutionHistory",
    ] {
        server.mock(|when, then| {
            when.header("x-amz-target", target);
            then.status(200).delay(Duration::from_secs(30)).body("{}");
        });
    }
    // 20 s are for the alert and 10 for a redrive, one is left to read in.
    let answer = handled_in(&server, FAILED, "dev", Duration::from_secs(31))
        .await
        .unwrap();
    stubs.alerts.assert_calls(1);
    let steps = answer.error_details.investigation_steps.join("\n");
    assert!(steps.contains("it took too long"), "{steps}");
}

#[tokio::test]
async fn what_ran_when_the_time_ran_out_is_read() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.describes(&json!({"status": "TIMED_OUT"}));
    let end = json!({"type": "ExecutionTimedOut", "executionTimedOutEventDetails": {}});
    stubs.tells_history(&[load(), vec![end]].concat());
    let run = server.mock(|when, then| {
        when.header("x-amz-target", "AWSGlue.GetJobRun").body_includes("sf-user-load-dev").body_includes("jr_1");
        let run = json!({"Id": "jr_1", "JobName": "sf-user-load-dev", "JobRunState": "STOPPED", "ErrorMessage": "the cluster has no more hosts"});
        then.status(200).body(json!({"JobRun": run}).to_string());
    });
    let answer = handled(&server, TIMED_OUT).await.unwrap();
    run.assert_calls(1);
    assert_eq!(answer.error_type.as_str(), "glue_job_failure");
    assert!(
        answer
            .error_details
            .error_message
            .contains("the cluster has no more hosts"),
        "{}",
        answer.error_details.error_message
    );
}

#[tokio::test]
async fn a_long_history_is_read_in_pages_up_to_a_bound() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.describes(&throttled());
    let mut page = history(&failed(THROTTLED.0, THROTTLED.1));
    for event in page["events"].as_array_mut().unwrap() {
        event["id"] = json!(event["id"].as_i64().unwrap() + 20_000);
    }
    page["nextToken"] = json!("more");
    let pages = stubs.answers("AWSStepFunctions.GetExecutionHistory", &page);
    let answer = handled(&server, FAILED).await.unwrap();
    pages.assert_calls(5);
    assert_eq!(
        answer.recovery.unwrap().reason,
        "only the end of the execution's history was read"
    );
}

#[rstest]
#[case::the_pipelines_own("sf-user-load-dev", 0)]
#[case::another("load-accounts", 1)]
#[tokio::test]
async fn a_glue_job_is_alerted_unless_its_execution_tells_of_it(
    #[case] job: &str,
    #[case] alerts: usize,
) {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    let run = stubs.answers("AWSGlue.GetJobRun", &json!({"JobRun": {"Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "the extract is cut off"}}));
    let event = GLUE_EVENT.replace("sf-user-load-dev", job);
    let answer = handled(&server, &event).await;
    stubs.alerts.assert_calls(alerts);
    run.assert_calls(alerts);
    if let Some(answer) = answer {
        assert!(
            answer
                .error_details
                .error_message
                .contains("the extract is cut off")
        );
        assert_eq!(answer.recovery, None);
    }
}

#[tokio::test]
async fn a_catch_with_its_cause_reads_nothing() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    let anything = server.mock(|when, then| {
        when.header_exists("x-amz-target");
        then.status(500);
    });
    handled(&server, CAUGHT).await.unwrap();
    stubs.alerts.assert_calls(1);
    anything.assert_calls(0);
}

#[tokio::test]
async fn a_catch_without_a_cause_reads_the_history_and_the_query() {
    let server = MockServer::start();
    let stubs = Stubs::new(&server);
    stubs.tells_history(&[
        json!({"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "CountUsers"}}),
        json!({"type": "TaskScheduled", "taskScheduledEventDetails": {"resourceType": "athena", "resource": "startQueryExecution.sync", "region": "eu-central-1", "parameters": "{\"WorkGroup\":\"primary\"}"}}),
        json!({"type": "TaskSubmitted", "taskSubmittedEventDetails": {"resourceType": "athena", "resource": "startQueryExecution.sync", "output": "{\"QueryExecutionId\":\"4bc0\"}"}}),
        json!({"type": "TaskTimedOut", "taskTimedOutEventDetails": {"resourceType": "athena", "resource": "startQueryExecution.sync", "error": "States.Timeout"}}),
        json!({"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "HandleFailure"}}),
    ]);
    let query = stubs.answers("AmazonAthena.GetQueryExecution", &json!({"QueryExecution": {"QueryExecutionId": "4bc0",
        "Status": {"State": "RUNNING", "StateChangeReason": "Query exhausted resources at this scale factor"}}}));
    let event = json!({"error_type": "query_failure", "execution_id": ARN, "environment": "dev", "state": "CountUsers", "error_details": {"Error": "States.Timeout"}});
    let answer = handled(&server, &event.to_string()).await.unwrap();
    query.assert_calls(1);
    assert!(
        answer
            .error_details
            .error_message
            .contains("Query exhausted resources"),
        "{}",
        answer.error_details.error_message
    );
}
