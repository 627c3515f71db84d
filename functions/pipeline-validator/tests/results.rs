//! Earlier results against an HTTP stub of S3: nothing yet, one run more, and a run that came before.

#![allow(
    clippy::unwrap_used,
    reason = "a stub that cannot be set up has failed the test"
)]

use httpmock::{HttpMockRequest, HttpMockResponse, MockServer};
use pipeline_validator::objects::Bucket;
use pipeline_validator::past::{Past, Run};
use pipeline_validator::results::{Results, history_key};
use pipewarden_shared::loopback;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

fn results(server: &MockServer) -> Results {
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    Results {
        bucket: Bucket::new("results", &config, loopback::connector()),
    }
}

fn key() -> String {
    history_key("sf_user", "dev", "sf_user_raw")
}

fn run(execution_id: &str, rows: f64) -> Run {
    Run {
        execution_id: execution_id.to_owned(),
        at: "2026-03-01T06:00:00Z".parse().unwrap(),
        measures: BTreeMap::from([("RowCount".to_owned(), rows)]),
    }
}

fn kept(runs: &[Run]) -> Value {
    let past = runs
        .iter()
        .cloned()
        .fold(Past::default(), |past, run| past.with(run));
    serde_json::to_value(past).unwrap()
}

const NOTHING: &str = "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>";
const OVERTAKEN: &str = "<Error><Code>PreconditionFailed</Code><Message>no</Message></Error>";

#[tokio::test]
async fn the_first_run_finds_nothing_and_replaces_nobody() {
    let server = MockServer::start();
    let path = format!("/results/{}", key());
    server.mock(|when, then| {
        when.method("GET").path(&path);
        then.status(404).body(NOTHING);
    });
    let put = server.mock(|when, then| {
        when.method("PUT")
            .path(&path)
            .header("if-none-match", "*")
            .json_body(kept(&[run("a", 7.0)]));
        then.status(200);
    });
    let results = results(&server);
    assert_eq!(results.past(&key()).await.unwrap(), Past::default());
    results.add(&key(), &run("a", 7.0)).await.unwrap();
    put.assert_calls(1);
}

#[tokio::test]
async fn a_run_that_others_came_before_is_added_to_theirs() {
    let server = MockServer::start();
    let path = format!("/results/{}", key());
    // What is there changes between the first reading and the first writing.
    let reads = AtomicUsize::new(0);
    server.mock(|when, then| {
        when.method("GET").path(&path);
        then.respond_with(move |_: &HttpMockRequest| {
            let (version, runs) = match reads.fetch_add(1, Ordering::SeqCst) {
                0 => ("\"1\"", kept(&[])),
                _ => ("\"2\"", kept(&[run("theirs", 5.0)])),
            };
            HttpMockResponse::builder()
                .status(200)
                .header("etag", version)
                .body(runs.to_string())
                .build()
        });
    });
    let refused = server.mock(|when, then| {
        when.method("PUT").path(&path).header("if-match", "\"1\"");
        then.status(412).body(OVERTAKEN);
    });
    let taken = server.mock(|when, then| {
        when.method("PUT")
            .path(&path)
            .header("if-match", "\"2\"")
            .json_body(kept(&[run("theirs", 5.0), run("ours", 7.0)]));
        then.status(200);
    });
    results(&server)
        .add(&key(), &run("ours", 7.0))
        .await
        .unwrap();
    refused.assert_calls(1);
    taken.assert_calls(1);
}

#[tokio::test]
async fn what_is_no_history_is_named() {
    for (status, body, part) in [
        (
            200,
            json!({"runs": "x"}).to_string(),
            "cannot understand s3://results/",
        ),
        (
            403,
            "<Error><Code>AccessDenied</Code><Message>no</Message></Error>".to_owned(),
            "cannot read s3://results/",
        ),
    ] {
        let server = MockServer::start();
        server.mock(|when, then| {
            when.method("GET");
            then.status(status).body(&body);
        });
        let error = results(&server).past(&key()).await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn s3_that_is_busy_is_asked_again_and_a_request_is_signed() {
    let server = MockServer::start();
    let asked = AtomicUsize::new(0);
    let get = server.mock(|when, then| {
        when.method("GET")
            .header_exists("x-amz-content-sha256")
            .header_exists("x-amz-date")
            .header_includes("authorization", "/us-east-1/s3/aws4_request");
        then.respond_with(move |_: &HttpMockRequest| {
            let (status, body) = match asked.fetch_add(1, Ordering::SeqCst) {
                0 => (503, "<Error><Code>SlowDown</Code></Error>".to_owned()),
                1 => (500, String::new()),
                _ => (200, kept(&[run("a", 7.0)]).to_string()),
            };
            HttpMockResponse::builder()
                .status(status)
                .body(body)
                .build()
        });
    });
    let past = results(&server).past(&key()).await.unwrap();
    assert_eq!(serde_json::to_value(past).unwrap(), kept(&[run("a", 7.0)]));
    get.assert_calls(3);
}
