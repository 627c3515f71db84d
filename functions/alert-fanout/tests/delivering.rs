//! Delivering against HTTP stubs of Secrets Manager and the receivers.

#![allow(
    clippy::unwrap_used,
    reason = "a stub that cannot be set up has failed the test"
)]

use alert_fanout::delivery::{Channel, Receiver};
use alert_fanout::{Delivered, Fanout, FanoutError, handle};
use aws_sdk_secretsmanager::Client as Secrets;
use httpmock::{Mock, MockServer};
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::{aws, loopback};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const EVENT: &str = include_str!("../../../events/alert-fanout/glue-job-failure.json");

fn fanout(server: &MockServer) -> Fanout {
    Fanout {
        receivers: Arc::new([
            Receiver::new(Channel::Slack, "slack".to_owned()),
            Receiver::new(Channel::Webhook, "webhook".to_owned()),
        ]),
        secrets: Secrets::new(&loopback::sdk_config(&server.base_url(), "000000000001")),
        connector: aws::connector().unwrap(),
    }
}

/// The secret of a receiver holds its address at this server.
fn secret<'s>(server: &'s MockServer, name: &str) -> Mock<'s> {
    let address = server.url(format!("/{name}"));
    server.mock(|when, then| {
        when.header("x-amz-target", "secretsmanager.GetSecretValue")
            .body_includes(name);
        then.status(200).json_body(json!({"SecretString": address}));
    })
}

fn receiver<'s>(server: &'s MockServer, name: &str, status: u16) -> Mock<'s> {
    server.mock(|when, then| {
        when.method("POST")
            .path(format!("/{name}"))
            .header("content-type", "application/json");
        then.status(status).body("the receiver's words");
    })
}

async fn deliver(fanout: &Fanout, event: &str) -> Result<Delivered, FanoutError> {
    handle(
        fanout.clone(),
        Invocation::of(event, Duration::from_secs(30)),
    )
    .await
}

#[tokio::test]
async fn each_receiver_gets_what_it_understands() {
    let server = MockServer::start();
    secret(&server, "slack");
    secret(&server, "webhook");
    let slack = server.mock(|when, then| {
        when.path("/slack").body_includes("\"blocks\"");
        then.status(200);
    });
    let webhook = server.mock(|when, then| {
        when.path("/webhook")
            .json_body_includes(r#"{"version": 1, "error_type": "glue_job_failure"}"#);
        then.status(202);
    });
    let delivered = deliver(&fanout(&server), EVENT).await.unwrap();
    assert_eq!(delivered.delivered, 2);
    slack.assert_calls(1);
    webhook.assert_calls(1);
}

#[tokio::test]
async fn one_receivers_failure_holds_up_no_other_and_is_named() {
    for status in [400, 429, 500] {
        let server = MockServer::start();
        secret(&server, "slack");
        secret(&server, "webhook");
        receiver(&server, "slack", status);
        let webhook = receiver(&server, "webhook", 200);
        let error = deliver(&fanout(&server), EVENT).await.unwrap_err();
        assert_eq!(error.name(), "AlertNotDelivered");
        assert_eq!(
            error.to_string(),
            format!(
                "1 messages were delivered, 1 were not: slack answered {status}: the receiver's words"
            )
        );
        webhook.assert_calls(1);
    }
}

#[tokio::test]
async fn a_secret_is_read_once_and_again_when_its_address_is_gone() {
    let server = MockServer::start();
    let read = secret(&server, "slack");
    secret(&server, "webhook");
    receiver(&server, "webhook", 200);
    let mut slack = receiver(&server, "slack", 200);
    let fanout = fanout(&server);
    deliver(&fanout, EVENT).await.unwrap();
    deliver(&fanout, EVENT).await.unwrap();
    read.assert_calls(1);

    slack.delete();
    receiver(&server, "slack", 404);
    deliver(&fanout, EVENT).await.unwrap_err();
    deliver(&fanout, EVENT).await.unwrap_err();
    read.assert_calls(2);
}

#[tokio::test]
async fn no_error_tells_the_address() {
    let server = MockServer::start();
    secret(&server, "webhook");
    receiver(&server, "webhook", 200);
    let refused = server.mock(|when, then| {
        when.header("x-amz-target", "secretsmanager.GetSecretValue")
            .body_includes("slack");
        then.status(200)
            .json_body(json!({"SecretString": "http://127.0.0.1:1/T000/B000/topsecret"}));
    });
    let error = deliver(&fanout(&server), EVENT)
        .await
        .unwrap_err()
        .to_string();
    refused.assert_calls(1);
    assert!(error.contains("cannot reach slack"), "{error}");
    assert!(!error.contains("topsecret"), "{error}");
}

#[tokio::test]
async fn an_event_that_is_not_of_sns_is_refused() {
    let server = MockServer::start();
    let error = deliver(&fanout(&server), "{\"Records\": 1}")
        .await
        .unwrap_err();
    assert_eq!(error.name(), "InvalidEvent");
    assert!(error.to_string().starts_with("Records: "), "{error}");
}
