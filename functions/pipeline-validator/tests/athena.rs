//! Scans against an HTTP stub of Athena: polling, pages, failures by name, and queries that are stopped.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a stub that cannot be set up has failed the test"
)]

use aws_sdk_athena::Client;
use httpmock::{Mock, MockServer};
use pipeline_validator::athena::{Athena, AthenaError};
use pipeline_validator::catalog::TableName;
use pipeline_validator::engine::{Answer, Engine, QueryFailed};
use pipeline_validator::scan::{Aggregates, Scan};
use pipeline_validator::sql::Query;
use pipewarden_shared::loopback;
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "request";

fn scan(dataset: &str, parameters: &[&str]) -> Scan {
    let sql = Query {
        text: format!("SELECT count(*) AS c0 FROM \"{dataset}\""),
        parameters: parameters
            .iter()
            .map(|parameter| (*parameter).to_owned())
            .collect(),
    };
    Scan::new(dataset, sql, Vec::new(), &Aggregates::default())
}

fn engine(server: &MockServer) -> Athena {
    Athena {
        client: Client::new(&loopback::sdk_config(&server.base_url(), "000000000001")),
        database: "salesforce".to_owned(),
        work_group: "validation".to_owned(),
        output_location: Some("s3://results/athena/".to_owned()),
        reuse_minutes: Some(30),
    }
}

async fn answers(
    server: &MockServer,
    scans: &[Scan],
    remaining: Duration,
) -> Result<Vec<Result<Answer, QueryFailed>>, AthenaError> {
    let scans: Vec<&Scan> = scans.iter().collect();
    let deadline = tokio::time::Instant::now() + remaining;
    engine(server).answer_all(&scans, TOKEN, deadline).await
}

/// Athena answers an operation whose body holds this text.
fn athena<'s>(
    server: &'s MockServer,
    operation: &str,
    holding: &str,
    status: u16,
    answer: Value,
) -> Mock<'s> {
    server.mock(|when, then| {
        when.header("x-amz-target", format!("AmazonAthena.{operation}"))
            .body_includes(holding);
        then.status(status)
            .header("content-type", "application/x-amz-json-1.1")
            .json_body(answer);
    })
}

/// Athena starts the query of a dataset.
fn starts(server: &MockServer, dataset: &str, query_id: &str) {
    let started = json!({"QueryExecutionId": query_id});
    athena(server, "StartQueryExecution", dataset, 200, started);
}

fn state(state: &str) -> Value {
    json!({"QueryExecution": {
        "Status": {"State": state, "StateChangeReason": "COLUMN_NOT_FOUND: line 1:8"},
        "Statistics": {"DataScannedInBytes": 4096}
    }})
}

fn page(rows: &[Value], next: Option<&str>) -> Value {
    let rows: Vec<Value> = rows.iter().map(|row| json!({"Data": [row]})).collect();
    json!({"ResultSet": {"Rows": rows}, "NextToken": next})
}

#[tokio::test]
async fn a_scan_is_started_as_configured_and_its_pages_are_read() {
    let server = MockServer::start();
    let started = server.mock(|when, then| {
        when.header("x-amz-target", "AmazonAthena.StartQueryExecution").json_body_includes(
            r#"{"QueryExecutionContext": {"Database": "salesforce"}, "WorkGroup": "validation",
                "ResultConfiguration": {"OutputLocation": "s3://results/athena/"}, "ExecutionParameters": ["7"],
                "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": true, "MaxAgeInMinutes": 30}},
                "ClientRequestToken": "request-0-----------------------"}"#,
        );
        then.status(200).json_body(json!({"QueryExecutionId": "q1"}));
    });
    athena(&server, "GetQueryExecution", "q1", 200, state("SUCCEEDED"));
    let second = athena(
        &server,
        "GetQueryResults",
        "more",
        200,
        page(&[json!({"VarCharValue": "2"})], None),
    );
    athena(
        &server,
        "GetQueryResults",
        "q1",
        200,
        page(&[json!({"VarCharValue": "c0"}), json!({})], Some("more")),
    );
    let found = answers(&server, &[scan("t", &["7"])], Duration::from_secs(30))
        .await
        .unwrap();
    started.assert_calls(1);
    second.assert_calls(1);
    assert_eq!(
        found,
        [Ok(Answer {
            rows: vec![vec![None], vec![Some("2".to_owned())]],
            query_id: "q1".to_owned(),
            bytes_scanned: 4096
        })]
    );
}

#[tokio::test]
async fn a_query_that_fails_is_named_and_the_others_are_answered() {
    let server = MockServer::start();
    for (dataset, query_id, end) in [
        ("bad", "q-bad", "FAILED"),
        ("good", "q-good", "SUCCEEDED"),
        ("large", "q-large", "CANCELLED"),
    ] {
        starts(&server, dataset, query_id);
        athena(&server, "GetQueryExecution", query_id, 200, state(end));
    }
    athena(
        &server,
        "GetQueryResults",
        "q-good",
        200,
        page(
            &[json!({"VarCharValue": "c0"}), json!({"VarCharValue": "1"})],
            None,
        ),
    );
    let found = answers(
        &server,
        &[scan("bad", &[]), scan("good", &[]), scan("large", &[])],
        Duration::from_secs(30),
    )
    .await
    .unwrap();
    assert!(found[1].is_ok());
    let failed = found[0].as_ref().unwrap_err();
    assert_eq!(
        failed.to_string(),
        "query q-bad on bad ended FAILED: COLUMN_NOT_FOUND: line 1:8"
    );
    // Half of a query over the limit of bytes is over it too.
    let large = found[2].as_ref().unwrap_err();
    assert!(failed.may_be_split && !large.may_be_split);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_fails_alone() {
    let server = MockServer::start();
    let refusal = json!({"__type": "InvalidRequestException", "AthenaErrorCode": "MALFORMED_QUERY",
        "Message": "line 1:8: mismatched input"});
    athena(&server, "StartQueryExecution", "bad", 400, refusal);
    starts(&server, "good", "q1");
    athena(&server, "GetQueryExecution", "q1", 200, state("SUCCEEDED"));
    athena(&server, "GetQueryResults", "q1", 200, page(&[], None));
    let scans = [scan("bad", &[]), scan("good", &[])];
    let found = answers(&server, &scans, Duration::from_secs(30))
        .await
        .unwrap();
    assert!(found[1].is_ok());
    assert_eq!(
        found[0].as_ref().unwrap_err().reason,
        "line 1:8: mismatched input"
    );
}

#[tokio::test]
async fn an_engine_that_gives_no_answer_leaves_no_query_behind() {
    let server = MockServer::start();
    starts(&server, "fault", "q-fault");
    starts(&server, "slow", "q-slow");
    let mut fault = state("FAILED");
    fault["QueryExecution"]["Status"]["AthenaError"] =
        json!({"ErrorCategory": 1, "Retryable": true});
    athena(&server, "GetQueryExecution", "q-fault", 200, fault);
    athena(
        &server,
        "GetQueryExecution",
        "q-slow",
        200,
        state("RUNNING"),
    );
    let stopped = athena(&server, "StopQueryExecution", "q-slow", 200, json!({}));
    let error = answers(
        &server,
        &[scan("slow", &[]), scan("fault", &[])],
        Duration::from_secs(30),
    )
    .await
    .unwrap_err();
    assert_eq!(error.name(), "AthenaUnavailable");
    stopped.assert_calls(1);
}

#[tokio::test]
async fn a_throttle_is_waited_out() {
    let server = MockServer::start();
    let mut throttled = athena(
        &server,
        "StartQueryExecution",
        "t",
        400,
        json!({"__type": "TooManyRequestsException", "Message": "CONCURRENT_QUERY_LIMIT_EXCEEDED"}),
    );
    let scans = [scan("t", &[])];
    let asked = answers(&server, &scans, Duration::from_secs(60));
    let relief = async {
        while throttled.calls() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        throttled.delete();
        starts(&server, "t", "q1");
        athena(&server, "GetQueryExecution", "q1", 200, state("SUCCEEDED"));
        athena(&server, "GetQueryResults", "q1", 200, page(&[], None));
    };
    let (found, ()) = tokio::join!(asked, relief);
    assert!(found.unwrap()[0].is_ok());
}

#[tokio::test]
async fn the_catalog_tells_columns_and_missing_tables() {
    let server = MockServer::start();
    athena(
        &server,
        "GetTableMetadata",
        "users",
        200,
        json!({"TableMetadata": {"Name": "users", "Columns": [{"Name": "id", "Type": "VARCHAR"}],
            "PartitionKeys": [{"Name": "dt", "Type": "date"}]}}),
    );
    let missing = json!({"__type": "MetadataException", "Message":
        "com.amazonaws.services.glue.model.EntityNotFoundException: Entity Not Found (Service: AWSGlue; Status Code: 400)"});
    athena(&server, "GetTableMetadata", "orders", 400, missing);
    let tables = ["Users", "orders"].map(TableName::of).into_iter().collect();
    let schemas = engine(&server).schemas(&tables).await.unwrap();
    assert_eq!(schemas.len(), 1);
    let columns: Vec<(&str, &str)> = schemas[&TableName::of("users")]
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.data_type.as_str()))
        .collect();
    assert_eq!(columns, [("id", "varchar"), ("dt", "date")]);

    let denied = json!({"__type": "MetadataException", "Message": "User is not authorized to perform: glue:GetTable"});
    let server = MockServer::start();
    athena(&server, "GetTableMetadata", "", 400, denied);
    let error = engine(&server).schemas(&tables).await.unwrap_err();
    assert_eq!(error.name(), "AthenaAccessDenied");
}

#[tokio::test]
async fn what_is_still_running_when_time_runs_out_is_stopped() {
    let server = MockServer::start();
    starts(&server, "t", "q1");
    athena(&server, "GetQueryExecution", "q1", 200, state("QUEUED"));
    let stopped = athena(&server, "StopQueryExecution", "q1", 200, json!({}));
    let error = answers(&server, &[scan("t", &[])], Duration::from_millis(500))
        .await
        .unwrap_err();
    assert_eq!(error.name(), "ValidationTimedOut");
    stopped.assert_calls(1);
}

#[tokio::test]
async fn a_scan_that_is_too_slow_is_stopped_and_the_others_are_answered() {
    let server = MockServer::start();
    for (dataset, query_id, end) in [
        ("slow", "q-slow", "RUNNING"),
        ("quick", "q-quick", "SUCCEEDED"),
    ] {
        starts(&server, dataset, query_id);
        athena(&server, "GetQueryExecution", query_id, 200, state(end));
    }
    athena(&server, "GetQueryResults", "q-quick", 200, page(&[], None));
    let stopped = athena(&server, "StopQueryExecution", "q-slow", 200, json!({}));
    let scans = [scan("slow", &[]), scan("quick", &[])];
    let found = answers(&server, &scans, Duration::from_millis(1_500))
        .await
        .unwrap();
    stopped.assert_calls(1);
    assert!(found[1].is_ok());
    let slow = found[0].as_ref().unwrap_err();
    assert_eq!(
        (
            slow.state.as_str(),
            slow.query_id.as_str(),
            slow.may_be_split
        ),
        ("TIMED_OUT", "q-slow", false)
    );
}

#[tokio::test]
async fn a_query_that_is_not_taken_may_be_split_and_the_others_are_answered() {
    for (code, message) in [
        (
            "INVALID_INPUT",
            "Query text is over the limit of 262144 bytes",
        ),
        (
            "INVALID_INPUT",
            "Value 'SELECT bucket' at 'queryString' failed to satisfy constraint",
        ),
        ("MALFORMED_QUERY", "line 1:8: bucket cannot be resolved"),
    ] {
        let server = MockServer::start();
        let refusal = json!({"__type": "InvalidRequestException", "AthenaErrorCode": code, "Message": message});
        athena(&server, "StartQueryExecution", "large", 400, refusal);
        starts(&server, "small", "q1");
        athena(&server, "GetQueryExecution", "q1", 200, state("SUCCEEDED"));
        athena(&server, "GetQueryResults", "q1", 200, page(&[], None));
        let scans = [scan("large", &[]), scan("small", &[])];
        let found = answers(&server, &scans, Duration::from_secs(30))
            .await
            .unwrap();
        assert!(found[1].is_ok());
        let large = found[0].as_ref().unwrap_err();
        assert_eq!(large.reason, message);
        assert!(large.may_be_split);
    }
}

#[tokio::test]
async fn a_refusal_is_named_by_what_can_be_done_about_it() {
    for (code, message, status, name) in [
        ("TooManyRequestsException", "no", 400, "AthenaThrottled"),
        ("ThrottlingException", "no", 400, "AthenaThrottled"),
        ("AccessDeniedException", "no", 400, "AthenaAccessDenied"),
        (
            "InvalidRequestException",
            "WorkGroup validation is not found.",
            400,
            "AthenaQueryRefused",
        ),
        (
            "InvalidRequestException",
            "Unable to verify/create output bucket results",
            400,
            "AthenaQueryRefused",
        ),
        ("InternalServerException", "no", 500, "AthenaUnavailable"),
    ] {
        let server = MockServer::start();
        let refusal = json!({"__type": code, "Message": message});
        athena(&server, "StartQueryExecution", "", status, refusal);
        let error = answers(&server, &[scan("t", &[])], Duration::from_millis(700))
            .await
            .unwrap_err();
        assert_eq!(error.name(), name, "{code}");
        assert!(error.to_string().contains("the scan of t"), "{error}");
    }
}
