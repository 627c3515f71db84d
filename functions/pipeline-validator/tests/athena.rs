//! Scans against an HTTP stub of Athena: polling, pages, failures by name, and queries that are stopped.

#![allow(
    clippy::unwrap_used,
    reason = "a stub that cannot be set up has failed the test"
)]

use aws_sdk_athena::Client;
use httpmock::{Mock, MockServer};
use pipeline_validator::athena::{Answer, Athena, AthenaError};
use pipeline_validator::scan::{Aggregates, Scan};
use pipeline_validator::sql::Sql;
use pipewarden_shared::loopback;
use serde_json::{Value, json};
use std::time::Duration;

const TOKEN: &str = "request";

fn scan(dataset: &str, parameters: &[&str]) -> Scan {
    let sql = format!("SELECT count(*) AS c0 FROM \"{dataset}\"");
    let parameters = parameters.iter().map(|parameter| (*parameter).to_owned());
    Scan::new(
        dataset,
        Sql::with(sql, parameters),
        Vec::new(),
        &Aggregates::default(),
    )
}

async fn answers(
    server: &MockServer,
    scans: &[Scan],
    remaining: Duration,
) -> Result<Vec<Answer>, AthenaError> {
    let athena = Athena {
        client: Client::new(&loopback::sdk_config(&server.base_url(), "000000000001")),
        database: "salesforce".to_owned(),
        work_group: "validation".to_owned(),
        output_location: Some("s3://results/athena/".to_owned()),
    };
    let scans: Vec<&Scan> = scans.iter().collect();
    athena.answer_all(&scans, TOKEN, remaining).await
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
        [Answer {
            rows: vec![vec![None], vec![Some("2".to_owned())]],
            bytes_scanned: 4096
        }]
    );
}

#[tokio::test]
async fn a_query_that_fails_is_named_and_the_others_are_stopped() {
    let server = MockServer::start();
    athena(
        &server,
        "StartQueryExecution",
        "bad",
        200,
        json!({"QueryExecutionId": "q-bad"}),
    );
    athena(
        &server,
        "StartQueryExecution",
        "slow",
        200,
        json!({"QueryExecutionId": "q-slow"}),
    );
    athena(&server, "GetQueryExecution", "q-bad", 200, state("FAILED"));
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
        &[scan("slow", &[]), scan("bad", &[])],
        Duration::from_secs(30),
    )
    .await
    .unwrap_err();
    assert_eq!(error.name(), "AthenaQueryFailed");
    assert_eq!(
        error.to_string(),
        "query q-bad on bad ended FAILED: COLUMN_NOT_FOUND: line 1:8"
    );
    stopped.assert_calls(1);
}

#[tokio::test]
async fn what_is_still_running_when_time_runs_out_is_stopped() {
    let server = MockServer::start();
    athena(
        &server,
        "StartQueryExecution",
        "t",
        200,
        json!({"QueryExecutionId": "q1"}),
    );
    athena(&server, "GetQueryExecution", "q1", 200, state("QUEUED"));
    let stopped = athena(&server, "StopQueryExecution", "q1", 200, json!({}));
    let error = answers(&server, &[scan("t", &[])], Duration::from_millis(500))
        .await
        .unwrap_err();
    assert_eq!(error.name(), "ValidationTimedOut");
    stopped.assert_calls(1);
}

#[tokio::test]
async fn a_refusal_is_named_by_what_can_be_done_about_it() {
    for (code, status, name) in [
        ("TooManyRequestsException", 400, "AthenaThrottled"),
        ("ThrottlingException", 400, "AthenaThrottled"),
        ("AccessDeniedException", 400, "AthenaAccessDenied"),
        ("InvalidRequestException", 400, "AthenaQueryRefused"),
        ("InternalServerException", 500, "AthenaUnavailable"),
    ] {
        let server = MockServer::start();
        let refusal = json!({"__type": code, "Message": "no"});
        athena(&server, "StartQueryExecution", "", status, refusal);
        let error = answers(&server, &[scan("t", &[])], Duration::from_secs(30))
            .await
            .unwrap_err();
        assert_eq!(error.name(), name, "{code}");
        assert!(error.to_string().contains("the scan of t"), "{error}");
    }
}
