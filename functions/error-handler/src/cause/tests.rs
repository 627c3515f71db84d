//! Every shape of a Cause, and what is told of it.

use super::*;
use crate::evidence::{AthenaFault, Service};
use rstest::rstest;
use serde_json::json;

fn told(error: &str, cause: &Value) -> Unwrapped {
    let cause = match cause {
        Value::String(text) => text.clone(),
        json => json.to_string(),
    };
    unwrap(Some(error), Some(&cause))
}

fn errors(unwrapped: &Unwrapped) -> Vec<&str> {
    let errors = &unwrapped.evidence.errors;
    errors.iter().map(String::as_str).collect()
}

fn first(unwrapped: &Unwrapped) -> &str {
    unwrapped.evidence.texts.first().map_or("", String::as_str)
}

fn name<'a>(unwrapped: &'a Unwrapped, name: &str) -> Option<&'a str> {
    unwrapped.evidence.names.get(name).map(String::as_str)
}

#[rstest]
#[case::python(
    "AthenaThrottled",
    json!({"errorType": "AthenaThrottled", "errorMessage": "slow down", "stackTrace": ["  File \"x\", line 2\n"]}),
    Service::Lambda, &["AthenaThrottled"], "slow down"
)]
#[case::node(
    "Error",
    json!({"errorType": "Runtime.UnhandledPromiseRejection", "errorMessage": "Error: boom", "trace": ["Runtime.UnhandledPromiseRejection: Error: boom"],
        "reason": {"errorType": "Error", "errorMessage": "boom"}}),
    Service::Lambda, &["Runtime.UnhandledPromiseRejection", "Error"], "boom"
)]
#[case::java(
    "java.lang.RuntimeException",
    json!({"errorMessage": "load failed", "errorType": "java.lang.RuntimeException", "stackTrace": [],
        "cause": {"errorMessage": "Connection refused", "errorType": "java.net.ConnectException"}}),
    Service::Lambda, &["java.net.ConnectException", "java.lang.RuntimeException"], "Connection refused"
)]
#[case::boto3_in_a_function(
    "ClientError",
    json!({"errorType": "ClientError", "errorMessage": "An error occurred (AccessDeniedException) when calling the GetTable operation: no"}),
    Service::Lambda, &["AccessDeniedException", "ClientError"],
    "An error occurred (AccessDeniedException) when calling the GetTable operation: no"
)]
#[case::glue(
    "States.TaskFailed",
    json!({"JobName": "load", "Id": "jr_1", "JobRunState": "FAILED", "LogGroupName": "/aws-glue/jobs", "ErrorMessage": "Error Category: PERMISSION_ERROR; Failed Line Number: 3; denied"}),
    Service::Glue, &["States.TaskFailed"], "Error Category: PERMISSION_ERROR; Failed Line Number: 3; denied"
)]
#[case::glue_without_a_message(
    "States.TaskFailed", json!({"JobName": "load", "Id": "jr_1", "JobRunState": "TIMEOUT"}),
    Service::Glue, &["States.TaskFailed"], "the job run ended TIMEOUT without a message"
)]
#[case::ecs_image(
    "States.TaskFailed",
    json!({"ClusterArn": "arn:aws:ecs:eu-central-1:1:cluster/jobs", "TaskArn": "arn:aws:ecs:eu-central-1:1:task/jobs/677f", "StopCode": "TaskFailedToStart",
        "StoppedReason": "CannotPullContainerError: pull access denied", "Containers": [{"Name": "app", "LastStatus": "STOPPED"}]}),
    Service::Ecs, &["TaskFailedToStart", "States.TaskFailed"], "CannotPullContainerError: pull access denied"
)]
#[case::ecs_memory(
    "States.TaskFailed",
    json!({"TaskArn": "t", "StopCode": "EssentialContainerExited", "StoppedReason": "Essential container in task exited",
        "Containers": [{"Name": "sidecar", "ExitCode": 0}, {"Name": "app", "ExitCode": 137, "Reason": "OutOfMemoryError: Container killed due to memory usage"}]}),
    Service::Ecs, &["EssentialContainerExited", "States.TaskFailed"], "OutOfMemoryError: Container killed due to memory usage"
)]
#[case::ecs_not_placed(
    "ECS.AmazonECSException",
    json!({"Failures": [{"Arn": "a", "Reason": "RESOURCE:MEMORY"}], "Tasks": []}),
    Service::Ecs, &["ECS.AmazonECSException"], "RESOURCE:MEMORY"
)]
#[case::athena(
    "States.TaskFailed",
    json!({"QueryExecution": {"QueryExecutionId": "4bc0", "Query": "SELECT 1", "WorkGroup": "primary", "QueryExecutionContext": {"Database": "lake"},
        "Status": {"State": "FAILED", "StateChangeReason": "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist",
            "AthenaError": {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": false, "ErrorMessage": "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist"}}}}),
    Service::Athena, &["States.TaskFailed"], "TABLE_NOT_FOUND: line 1:15: Table 'x' does not exist"
)]
#[case::emr(
    "States.TaskFailed",
    json!({"Step": {"Id": "s-2PZO", "Name": "load", "Status": {"State": "FAILED", "StateChangeReason": {"Message": "Step failed"},
        "FailureDetails": {"Reason": "Unknown Error.", "Message": "Exception in thread \"main\" org.apache.spark.SparkException: Application finished with failed status", "LogFile": "s3://logs/j-1/steps/s-2PZO/stderr.gz"}}}}),
    Service::Emr, &["States.TaskFailed"], "Exception in thread \"main\" org.apache.spark.SparkException: Application finished with failed status"
)]
#[case::emr_serverless(
    "States.TaskFailed",
    json!({"JobRun": {"ApplicationId": "00f1", "JobRunId": "00f2", "State": "FAILED", "StateDetails": "Job failed, please check complete logs"}}),
    Service::EmrServerless, &["States.TaskFailed"], "Job failed, please check complete logs"
)]
#[case::batch(
    "States.TaskFailed",
    json!({"JobId": "b1", "JobName": "load", "JobQueue": "q", "Status": "FAILED", "StatusReason": "Essential container in task exited",
        "Container": {"ExitCode": 3, "LogStreamName": "l"}, "Attempts": []}),
    Service::Batch, &["States.TaskFailed"], "container of the task exited with code 3"
)]
#[case::codebuild(
    "States.TaskFailed",
    json!({"Build": {"BuildStatus": "FAILED", "ProjectName": "dbt", "Logs": {"GroupName": "/aws/codebuild/dbt"}, "Phases": [
        {"PhaseType": "INSTALL", "PhaseStatus": "SUCCEEDED", "Contexts": []},
        {"PhaseType": "BUILD", "PhaseStatus": "FAILED", "Contexts": [{"StatusCode": "COMMAND_EXECUTION_ERROR", "Message": "Error while executing command: dbt run. Reason: exit status 1"}]}]}}),
    Service::CodeBuild, &["COMMAND_EXECUTION_ERROR", "States.TaskFailed"], "Error while executing command: dbt run. Reason: exit status 1"
)]
#[case::redshift(
    "CopyFailed",
    json!({"Id": "d9", "Status": "FAILED", "Error": "ERROR: Cannot COPY into nonexistent table t", "QueryString": "COPY t", "ClusterIdentifier": "dw", "Database": "dev"}),
    Service::Redshift, &["CopyFailed"], "ERROR: Cannot COPY into nonexistent table t"
)]
#[case::events(
    "EventBridge.FailedEntry",
    json!({"Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}], "FailedEntryCount": 1}),
    Service::EventBridge, &["MalformedDetail", "EventBridge.FailedEntry"], "Detail is malformed."
)]
#[case::sdk(
    "S3.NoSuchKeyException",
    json!("The specified key does not exist. (Service: S3, Status Code: 404, Request ID: R)"),
    Service::S3, &["S3.NoSuchKeyException"], "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: R)"
)]
fn shapes(
    #[case] error: &str,
    #[case] cause: Value,
    #[case] service: Service,
    #[case] expected: &[&str],
    #[case] text: &str,
) {
    let told = told(error, &cause);
    assert_eq!(told.evidence.service, Some(service));
    assert_eq!(errors(&told), expected);
    assert_eq!(first(&told), text);
    assert!(told.says_why);
}

#[test]
fn facts_and_names_are_told_apart() {
    let athena = told(
        "States.TaskFailed",
        &json!({"QueryExecution": {"QueryExecutionId": "4bc0", "WorkGroup": "primary", "QueryExecutionContext": {"Database": "lake"},
            "Status": {"State": "FAILED", "AthenaError": {"ErrorCategory": 1, "Retryable": true, "ErrorMessage": "internal"}}}}),
    );
    let fault = AthenaFault {
        category: Some(1),
        retryable: Some(true),
    };
    assert_eq!(athena.evidence.athena, Some(fault));
    for (placeholder, value) in [
        ("query_id", "4bc0"),
        ("work_group", "primary"),
        ("database", "lake"),
    ] {
        assert_eq!(name(&athena, placeholder), Some(value));
    }
    let ecs = told(
        "States.TaskFailed",
        &json!({"ClusterArn": "arn:aws:ecs:eu-central-1:1:cluster/jobs", "TaskArn": "arn:aws:ecs:eu-central-1:1:task/jobs/677f",
            "StopCode": "EssentialContainerExited", "Containers": [{"ExitCode": 137}, {"ExitCode": 0}]}),
    );
    assert_eq!(
        (
            name(&ecs, "cluster"),
            name(&ecs, "task"),
            ecs.evidence.exit_code
        ),
        (Some("jobs"), Some("677f"), Some(137))
    );
    let glue = told(
        "States.TaskFailed",
        &json!({"JobName": "load", "Id": "jr_1", "JobRunState": "FAILED", "LogGroupName": "/aws-glue/jobs", "ErrorMessage": "Error Category: OUT_OF_MEMORY_ERROR; x"}),
    );
    assert_eq!(
        glue.evidence.glue_category.as_deref(),
        Some("OUT_OF_MEMORY_ERROR")
    );
    assert_eq!(
        (
            name(&glue, "job"),
            name(&glue, "job_run"),
            name(&glue, "log_group")
        ),
        (Some("load"), Some("jr_1"), Some("/aws-glue/jobs"))
    );
    let sdk = told(
        "DynamoDB.ResourceNotFoundException",
        &json!(
            "not found (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: R; Proxy: null)"
        ),
    );
    assert_eq!(
        (sdk.evidence.http_status, errors(&sdk)),
        (Some(400), vec!["DynamoDB.ResourceNotFoundException"])
    );
}

/// A Cause of executions in executions around a Glue run.
fn nested(depth: usize) -> String {
    let glue = json!({"JobName": "load", "Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "no rows"}).to_string();
    (0..depth).fold(glue, |cause, level| {
        json!({
            "Cause": cause, "Error": "States.TaskFailed", "Name": "n", "Status": "FAILED", "Input": "{}",
            "ExecutionArn": format!("arn:aws:states:eu-central-1:123456789012:execution:child-{level}:n"),
        })
        .to_string()
    })
}

#[rstest]
#[case(1)]
#[case(3)]
#[case(8)]
fn nested_executions_are_unwrapped_to_the_innermost(#[case] depth: usize) {
    let told = unwrap(Some("States.TaskFailed"), Some(&nested(depth)));
    assert_eq!(first(&told), "no rows");
    assert_eq!(told.evidence.service, Some(Service::Glue));
    assert_eq!(name(&told, "job_run"), Some("jr_1"));
    assert!(
        told.inner_execution.unwrap().contains(":child-0:"),
        "the one that holds the job"
    );
}

#[test]
fn a_nested_execution_without_a_cause_does_not_say_why() {
    let told = told(
        "States.TaskFailed",
        &json!({"Error": "States.Timeout", "ExecutionArn": "arn:aws:states:eu-central-1:1:execution:child:n", "Status": "FAILED", "Input": "{\"Payload\":null}"}),
    );
    assert_eq!(errors(&told), ["States.Timeout", "States.TaskFailed"]);
    assert!(!told.says_why);
    assert_eq!(told.evidence.service, Some(Service::StepFunctions));
}

#[rstest]
#[case::absent(None, None, false)]
#[case::timeout(Some("States.Timeout"), None, false)]
#[case::blank(Some("States.Timeout"), Some(" "), false)]
#[case::named(Some("DbtAnsweredNothing"), None, true)]
#[case::custom_in_a_function(
    Some("CustomException"),
    Some(r#"{"errorMessage": "", "errorType": "CustomException"}"#),
    true
)]
#[case::cut_before_the_reason(
    Some("States.TaskFailed"),
    Some(r#"{"QueryExecution":{"Query":"SELECT aaaa"#),
    false
)]
#[case::cut_after_it(
    Some("States.TaskFailed"),
    Some(r#"{"JobRunState":"FAILED","ErrorMessage":"no rows","Arguments":{"--a"#),
    true
)]
fn whether_it_says_why(
    #[case] error: Option<&str>,
    #[case] cause: Option<&str>,
    #[case] says: bool,
) {
    assert_eq!(unwrap(error, cause).says_why, says);
}

#[test]
fn a_query_that_was_cut_off_is_no_message() {
    let cut = include_str!("../../../../events/error-handler/cut-off-cause.json");
    let event: Value = serde_json::from_str(cut).unwrap();
    let cause = event["error_details"]["Cause"].as_str().unwrap();
    // Step Functions cuts there.
    assert_eq!(cause.chars().count(), 32_768);
    let told = unwrap(Some("States.TaskFailed"), Some(cause));
    assert_eq!(told.evidence.service, Some(Service::Athena));
    assert_eq!((first(&told), told.says_why), (CUT_OFF, false));
}

#[test]
fn what_was_cut_off_is_recovered() {
    let glue = r#"{"JobName":"load","Id":"jr_1","JobRunState":"FAILED","ErrorMessage":"no \"rows\"","Arguments":{"--a"#;
    let told = unwrap(Some("States.TaskFailed"), Some(glue));
    assert_eq!(
        (first(&told), name(&told, "job_run")),
        ("no \"rows\"", Some("jr_1"))
    );

    let function = unwrap(
        Some("Boom"),
        Some(r#"{"errorType":"Boom","errorMessage":"it went wro"#),
    );
    assert_eq!(
        (first(&function), errors(&function)),
        ("it went wro", vec!["Boom"])
    );

    // Inside a nested execution both the outer and the inner JSON have no end.
    let whole = nested(2);
    let (cut, _) = whole.split_once("no rows").unwrap();
    let told = unwrap(Some("States.TaskFailed"), Some(&format!("{cut}no ro")));
    assert_eq!((first(&told), told.says_why), ("no ro", true));
}

#[test]
fn whatever_it_is_it_is_read_without_end() {
    let echo = (0..200).fold("x".to_owned(), |text, _| {
        json!({"Error": "E", "Cause": text})
            .to_string()
            .chars()
            .take(60_000)
            .collect()
    });
    for cause in [
        &echo,
        &"[".repeat(100_000),
        &"{\"a\":".repeat(50_000),
        &"\"".repeat(1_000),
        &"\\".repeat(1_000),
    ] {
        let told = unwrap(Some("States.TaskFailed"), Some(cause));
        assert!(told.evidence.texts.iter().any(|text| !text.is_empty()));
    }
}

#[test]
fn reads_every_recorded_cause() {
    let recorded = include_str!("../../tests/recorded_causes.jsonl");
    for line in recorded.lines() {
        let pair: Value = serde_json::from_str(line).unwrap();
        let (error, cause) = (
            pair["error"].as_str().unwrap(),
            pair["cause"].as_str().unwrap(),
        );
        let told = unwrap(Some(error), Some(cause));
        let outermost = told.evidence.errors.last().unwrap();
        assert!(
            outermost.ends_with(error),
            "{error}: {:?}",
            told.evidence.errors
        );
        let is_json = cause.starts_with('{');
        assert!(
            !is_json
                || told
                    .evidence
                    .texts
                    .iter()
                    .all(|text| !text.starts_with('{'))
                || cause.contains("Value1"),
            "{cause} is kept as JSON"
        );
    }
}
