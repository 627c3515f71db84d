//! Publishing against an HTTP stub of CloudWatch: batches, retries, and what is said of a batch that fails.

#![allow(
    clippy::unwrap_used,
    reason = "a stub that cannot be set up has failed the test"
)]

use aws_sdk_cloudwatch::Client;
use httpmock::{Mock, MockServer};
use metrics_publisher::{PublishError, Publisher, handle};
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::loopback;
use std::time::Duration;

const PUT: &str = "/service/GraniteServiceVersion20100801/operation/PutMetricData";

fn publisher(server: &MockServer, batch_size: usize) -> Publisher {
    Publisher {
        client: Client::new(&loopback::sdk_config(&server.base_url(), "000000000001")),
        namespace: "SfUserPipeline".to_owned(),
        batch_size,
    }
}

async fn publish(publisher: Publisher) -> Result<metrics_publisher::Published, PublishError> {
    let event = include_str!("../../../events/metrics-publisher/success.json");
    handle(publisher, Invocation::of(event, Duration::from_secs(30))).await
}

/// CloudWatch takes a call whose body holds this text, or answers it with an error.
fn cloudwatch<'s>(server: &'s MockServer, holding: &str, status: u16) -> Mock<'s> {
    server.mock(|when, then| {
        when.path(PUT).body_includes(holding);
        then.status(status)
            .header("smithy-protocol", "rpc-v2-cbor")
            .header("content-type", "application/cbor")
            .body([0xbf, 0xff]);
    })
}

#[tokio::test]
async fn seventeen_metrics_are_one_call_by_default_and_as_many_as_asked_for() {
    for (batch_size, calls) in [(20, 1), (5, 4), (1, 17)] {
        let server = MockServer::start();
        let taken = cloudwatch(&server, "SfUserPipeline", 200);
        let answer = publish(publisher(&server, batch_size)).await.unwrap();
        assert_eq!(answer.metrics_published, 17);
        taken.assert_calls(calls);
    }
}

#[tokio::test]
async fn a_batch_that_fails_is_retried_and_named_while_the_others_arrive() {
    let server = MockServer::start();
    let failing = cloudwatch(&server, "DbtRunDuration", 503);
    let taken = cloudwatch(&server, "SfUserPipeline", 200);
    let error = publish(publisher(&server, 1)).await.unwrap_err();
    failing.assert_calls(4);
    taken.assert_calls(16);
    assert_eq!(error.name(), "MetricsNotPublished");
    let message = error.to_string();
    assert!(
        message.starts_with("published 16 metrics to SfUserPipeline, but not DbtRunDuration: "),
        "{message}"
    );
}

#[tokio::test]
async fn the_answer_is_the_contract() {
    let server = MockServer::start();
    cloudwatch(&server, "SfUserPipeline", 200);
    let answer = serde_json::to_value(publish(publisher(&server, 20)).await.unwrap()).unwrap();
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["environment"], "dev");
    assert!(
        answer["execution_id"]
            .as_str()
            .unwrap()
            .ends_with("7c0f4a9e-2f3b-4d0e-9a55-3f1d2b6c8e10")
    );
    assert!(answer["execution_duration_minutes"].as_f64().unwrap() > 0.0);
    let known: Vec<&String> = answer
        .as_object()
        .map(|fields| fields.keys().collect())
        .unwrap();
    assert_eq!(known.len(), 5, "{known:?}");
}

#[tokio::test]
async fn an_event_that_is_not_the_contract_reaches_no_service() {
    let server = MockServer::start();
    let call = cloudwatch(&server, "", 200);
    let event = include_str!("../../../events/metrics-publisher/invalid-counter.json");
    let error = handle(
        publisher(&server, 20),
        Invocation::of(event, Duration::from_secs(30)),
    )
    .await
    .unwrap_err();
    assert_eq!(error.name(), "InvalidEvent");
    assert!(
        error
            .to_string()
            .starts_with("dbt_run_result.Payload.models_run: "),
        "{error}"
    );
    call.assert_calls(0);
}
