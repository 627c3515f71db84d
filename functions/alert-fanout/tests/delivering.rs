//! Delivering against HTTP stubs of AWS and the receivers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a stub that cannot be set up has failed the test"
)]

use alert_fanout::delivery::{Contact, Courier, Hosts, Keyring};
use alert_fanout::store::Memory;
use alert_fanout::{Clock, Delivered, Fanout, FanoutError, handle};
use httpmock::{Mock, MockServer};
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::profile::alerting::Alerting;
use pipewarden_shared::{aws, loopback};
use rstest::rstest;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

const EVENT: &str = include_str!("../../../events/alert-fanout/glue-job-failure.json");

const SLACK_AND_WEBHOOK: &str = "
  receivers:
    - { name: slack, slack: { secret: slack } }
    - { name: webhook, webhook: { secret: webhook } }
  route: { receiver: [slack, webhook] }
";

/// The function with what a profile says of alerts, and a store in memory.
fn fanout(server: &MockServer, alerts: &str) -> Arc<Fanout<Memory>> {
    let profile = format!("pipeline: sf_user\nmetrics: {{ namespace: Test }}\nalerts:\n{alerts}");
    let profile = Profile::parse(&profile).unwrap();
    let alerting = Alerting::resolve(&profile.alerts, &BTreeMap::new()).unwrap();
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    Arc::new(Fanout {
        store: Some(Memory::default()),
        contacts: alerting.receivers.iter().cloned().map(Contact::new).collect(),
        courier: Courier {
            connector: aws::connector().unwrap(),
            keyring: Keyring {
                secrets: aws_sdk_secretsmanager::Client::new(&config),
                parameters: aws_sdk_ssm::Client::new(&config),
                hosts: Hosts {
                    allowed: alerting.allowed_hosts.clone(),
                    loopback: true,
                },
            },
            topics: aws_sdk_sns::Client::new(&config),
        },
        alerting,
        watched: None,
        clock: Clock::system(),
    })
}

/// A secret that holds a text.
fn secret<'s>(server: &'s MockServer, name: &str, text: &str) -> Mock<'s> {
    server.mock(|when, then| {
        when.header("x-amz-target", "secretsmanager.GetSecretValue").body_includes(name);
        then.status(200).json_body(json!({"SecretString": text}));
    })
}

/// The secrets of receivers hold their addresses at this server.
fn addresses(server: &MockServer, names: &[&str]) {
    for name in names {
        secret(server, name, &server.url(format!("/{name}")));
    }
}

fn receiver<'s>(server: &'s MockServer, name: &str, status: u16) -> Mock<'s> {
    server.mock(|when, then| {
        when.method("POST").path(format!("/{name}"));
        then.status(status).body("the receiver's words");
    })
}

/// Invokes the function with three seconds to go: it sends for half of that.
async fn deliver(fanout: &Arc<Fanout<Memory>>, event: &str) -> Result<Delivered, FanoutError> {
    handle(Arc::clone(fanout), Invocation::of(event, Duration::from_secs(3))).await
}

/// The sample event with another alert in it.
fn event(change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let sns = &mut event["Records"][0]["Sns"];
    let mut alert: Value = serde_json::from_str(sns["Message"].as_str().unwrap()).unwrap();
    change(&mut alert);
    sns["Message"] = json!(alert.to_string());
    event.to_string()
}

#[tokio::test]
async fn each_receiver_gets_what_it_understands_once() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    let slack = server.mock(|when, then| {
        when.path("/slack").body_includes("\"blocks\"");
        then.status(200);
    });
    let webhook = server.mock(|when, then| {
        when.path("/webhook").json_body_includes(r#"{"version": 1, "error_type": "glue_job_failure"}"#);
        then.status(202);
    });
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    assert_eq!(deliver(&fanout, EVENT).await.unwrap().delivered, 2);
    assert_eq!(deliver(&fanout, EVENT).await.unwrap().delivered, 0, "the same again is owed to nobody");
    slack.assert_calls(1);
    webhook.assert_calls(1);
}

#[rstest]
#[case(400)]
#[case(429)]
#[case(500)]
#[case::a_redirect_is_not_followed(307)]
#[tokio::test]
async fn a_retry_sends_only_what_is_still_owed(#[case] status: u16) {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    let elsewhere = receiver(&server, "elsewhere", 200);
    let mut slack = server.mock(|when, then| {
        when.path("/slack");
        then.status(status).header("location", "/elsewhere").body("the receiver's words");
    });
    let webhook = receiver(&server, "webhook", 200);
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    let error = deliver(&fanout, EVENT).await.unwrap_err();
    assert_eq!(error.name(), "AlertNotDelivered");
    let told = format!("1 messages were delivered, 1 were not: slack answered {status}: the receiver's words");
    assert_eq!(error.to_string(), told);
    let again = matches!(status, 429 | 500);
    assert_eq!(slack.calls() > 1, again, "it was asked {} times", slack.calls());

    slack.delete();
    let slack = receiver(&server, "slack", 200);
    assert_eq!(deliver(&fanout, EVENT).await.unwrap().delivered, 1);
    slack.assert_calls(1);
    webhook.assert_calls(1);
    elsewhere.assert_calls(0);
}

#[tokio::test]
async fn a_wish_to_wait_longer_than_there_is_time_is_left_to_lambdas_retry() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "webhook", 200);
    let slack = server.mock(|when, then| {
        when.path("/slack");
        then.status(429).header("retry-after", "30");
    });
    deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT).await.unwrap_err();
    slack.assert_calls(1);
}

#[derive(Debug, Clone, Copy)]
enum Silence {
    Hangs,
    Resets,
}

#[rstest]
#[case(Silence::Hangs, "no answer in time")]
#[case(Silence::Resets, "")]
#[tokio::test]
async fn a_receiver_that_does_not_answer_holds_up_no_other(#[case] silence: Silence, #[case] reason: &str) {
    let server = MockServer::start();
    addresses(&server, &["webhook"]);
    let webhook = receiver(&server, "webhook", 200);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}/topsecret", listener.local_addr().unwrap());
    secret(&server, "slack", &address);
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            // A part of the request has arrived: the connection stands.
            let _ = stream.read(&mut [0; 16]).await;
            match silence {
                Silence::Hangs => kept.push(stream),
                Silence::Resets => drop(stream),
            }
        }
    });
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT).await.unwrap_err().to_string();
    assert!(error.starts_with("1 messages were delivered, 1 were not: cannot reach slack: "), "{error}");
    assert!(error.contains(reason) && !error.contains("topsecret"), "{error}");
    webhook.assert_calls(1);
}

#[rstest]
#[case(401)]
#[case(403)]
#[case(404)]
#[case(410)]
#[tokio::test]
async fn an_address_that_was_replaced_is_read_again_at_once(#[case] status: u16) {
    let server = MockServer::start();
    addresses(&server, &["webhook"]);
    receiver(&server, "webhook", 200);
    let mut before = secret(&server, "slack", &server.url("/before"));
    let old = receiver(&server, "before", 200);
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    deliver(&fanout, EVENT).await.unwrap();
    deliver(&fanout, &event(|alert| alert["fingerprint"] = json!("second"))).await.unwrap();
    assert_eq!(before.calls(), 1, "it is kept in memory");

    let mut old = old;
    old.delete();
    receiver(&server, "before", status);
    before.delete();
    let after = secret(&server, "slack", &server.url("/after"));
    let fresh = receiver(&server, "after", 200);
    deliver(&fanout, &event(|alert| alert["fingerprint"] = json!("third"))).await.unwrap();
    after.assert_calls(1);
    fresh.assert_calls(1);
}

#[tokio::test]
async fn an_address_that_is_wrong_and_stays_so_is_an_error() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "webhook", 200);
    let slack = receiver(&server, "slack", 404);
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT).await.unwrap_err();
    assert!(error.to_string().contains("slack answered 404"), "{error}");
    slack.assert_calls(1);
}

#[rstest]
#[case("https://evil.example/topsecret", "a URL of evil.example, which is not allowed")]
#[case("http://10.0.0.1/topsecret", "an http URL; only https is sent to")]
#[case("topsecret", "no URL")]
#[tokio::test]
async fn nothing_is_sent_to_a_host_that_nobody_allowed(#[case] address: &str, #[case] reason: &str) {
    let server = MockServer::start();
    addresses(&server, &["webhook"]);
    receiver(&server, "webhook", 200);
    secret(&server, "slack", address);
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT).await.unwrap_err().to_string();
    assert!(error.contains(&format!("the secret of slack holds {reason}")), "{error}");
    assert!(!error.contains("topsecret"), "{error}");
}

#[tokio::test]
async fn an_endless_answer_is_read_to_a_limit() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "webhook", 200);
    server.mock(|when, then| {
        when.path("/slack");
        then.status(418).body("x".repeat(5_000_000));
    });
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT).await.unwrap_err();
    assert!(error.to_string().len() < 600, "{error}");
}

#[tokio::test]
async fn a_parameter_holds_a_secret_as_well_and_a_webhook_is_signed() {
    let server = MockServer::start();
    let parameter = server.mock(|when, then| {
        when.header("x-amz-target", "AmazonSSM.GetParameter")
            .json_body_includes(r#"{"Name": "/alerts/webhook", "WithDecryption": true}"#);
        let secret = json!({"url": server.url("/webhook"), "signing_secret": "whsec"}).to_string();
        then.status(200).json_body(json!({"Parameter": {"Value": secret}}));
    });
    let webhook = server.mock(|when, then| {
        when.path("/webhook").header_exists("pipewarden-signature");
        then.status(200);
    });
    let alerts = "
  receivers:
    - { name: webhook, webhook: { secret: 'ssm:/alerts/webhook' } }
  route: { receiver: webhook }
";
    deliver(&fanout(&server, alerts), EVENT).await.unwrap();
    parameter.assert_calls(1);
    webhook.assert_calls(1);
}

#[tokio::test]
async fn a_chat_topic_gets_a_notification() {
    let server = MockServer::start();
    let topic = server.mock(|when, then| {
        when.path("/").body_includes("Action=Publish").body_includes("chat-topic");
        then.status(200).body(
            "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>",
        );
    });
    let alerts = "
  receivers:
    - { name: chat, chatbot: { topic_arn: 'arn:aws:sns:us-east-1:000000000001:chat-topic' } }
  route: { receiver: chat }
";
    assert_eq!(deliver(&fanout(&server, alerts), EVENT).await.unwrap().delivered, 1);
    topic.assert_calls(1);
}

const BOT: &str = "
  receivers:
    - { name: chat, slack: { secret: bot, channel: C0ALERTS } }
    - { name: pager, pagerduty: { secret: pager } }
  route: { receiver: [chat, pager] }
";

/// A Slack and a PagerDuty that take everything.
fn services(server: &MockServer) {
    secret(server, "bot", &json!({"token": "xoxb-1", "url": server.url("/api")}).to_string());
    secret(server, "pager", &json!({"routing_key": "R0UT1NG", "url": server.url("/v2/enqueue")}).to_string());
}

fn slack_call<'s>(server: &'s MockServer, method: &str, body: &str) -> Mock<'s> {
    server.mock(|when, then| {
        when.path(format!("/api/{method}"))
            .header("authorization", "Bearer xoxb-1")
            .json_body_includes(body);
        then.status(200).json_body(json!({"ok": true, "channel": "C1", "ts": "1772345221.000100"}));
    })
}

fn pager_call<'s>(server: &'s MockServer, action: &str) -> Mock<'s> {
    server.mock(|when, then| {
        let body = json!({
            "routing_key": "R0UT1NG",
            "event_action": action,
            "dedup_key": "5f0c8f6f0a3c5a4f7a3e5d1b9c2e8d10",
        });
        when.path("/v2/enqueue").json_body_includes(body.to_string());
        then.status(202);
    })
}

#[tokio::test]
async fn a_problem_is_one_message_that_counts_and_ends() {
    let server = MockServer::start();
    services(&server);
    let posted = slack_call(&server, "chat.postMessage", r#"{"channel": "C0ALERTS"}"#);
    let updated = slack_call(&server, "chat.update", r#"{"channel": "C1", "ts": "1772345221.000100"}"#);
    let triggered = pager_call(&server, "trigger");
    let ended = pager_call(&server, "resolve");
    let fanout = fanout(&server, BOT);
    let again = |id: &'static str| event(move |alert| alert["id"] = json!(id));

    deliver(&fanout, &again("first")).await.unwrap();
    deliver(&fanout, &again("second")).await.unwrap();
    deliver(&fanout, &again("third")).await.unwrap();
    assert_eq!((posted.calls(), updated.calls(), triggered.calls()), (1, 1, 1));

    let end = event(|alert| {
        alert["id"] = json!("end");
        alert["status"] = json!("resolved");
        alert["occurred_at"] = json!("2026-03-01T07:00:00Z");
    });
    deliver(&fanout, &end).await.unwrap();
    deliver(&fanout, &end).await.unwrap();
    assert_eq!((posted.calls(), updated.calls()), (1, 2), "the message is changed, not another one posted");
    assert_eq!((triggered.calls(), ended.calls()), (1, 1));
}

#[tokio::test]
async fn a_message_that_somebody_deleted_is_replaced_at_the_end() {
    let server = MockServer::start();
    services(&server);
    let posted = slack_call(&server, "chat.postMessage", r#"{"channel": "C0ALERTS"}"#);
    let updated = server.mock(|when, then| {
        when.path("/api/chat.update");
        then.status(200).json_body(json!({"ok": false, "error": "message_not_found"}));
    });
    pager_call(&server, "trigger");
    pager_call(&server, "resolve");
    let fanout = fanout(&server, BOT);
    deliver(&fanout, EVENT).await.unwrap();
    let end = event(|alert| {
        alert["id"] = json!("end");
        alert["status"] = json!("resolved");
        alert["occurred_at"] = json!("2026-03-01T07:00:00Z");
    });
    deliver(&fanout, &end).await.unwrap();
    assert_eq!((posted.calls(), updated.calls()), (2, 1));
}

#[tokio::test]
async fn what_can_wait_comes_with_the_digest_and_is_kept_until_it_is_taken() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    let mut down = receiver(&server, "webhook", 400);
    receiver(&server, "slack", 200);
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    let digest = "{\"pipewarden\": \"digest\"}";
    let tomorrow = fanout.clock.now() + jiff::SignedDuration::from_hours(25);
    for name in ["a", "b", "c"] {
        let low = event(|alert| {
            alert["fingerprint"] = json!(name);
            alert["severity"] = json!("LOW");
        });
        assert_eq!(deliver(&fanout, &low).await.unwrap().kept, 2);
    }
    assert_eq!(deliver(&fanout, digest).await.unwrap().delivered, 0, "it is not due");

    let mut fanout = Arc::into_inner(fanout).unwrap();
    fanout.clock = Clock::of(move || tomorrow);
    let fanout = Arc::new(fanout);
    let error = deliver(&fanout, digest).await.unwrap_err();
    assert_eq!(error.name(), "AlertNotDelivered");
    down.delete();
    let webhook = server.mock(|when, then| {
        when.path("/webhook").body_includes("Digest: 3 alerts");
        then.status(200);
    });
    assert_eq!(deliver(&fanout, digest).await.unwrap().delivered, 1, "Slack has it already");
    assert_eq!(deliver(&fanout, digest).await.unwrap().delivered, 0);
    webhook.assert_calls(1);
}

#[tokio::test]
async fn a_critical_failure_holds_back_its_followers() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "slack", 200);
    let webhook = receiver(&server, "webhook", 200);
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    let alert = |name: &'static str, severity: &'static str, pipeline: &'static str| {
        event(move |alert| {
            alert["fingerprint"] = json!(name);
            alert["id"] = json!(name);
            alert["severity"] = json!(severity);
            alert["pipeline"] = json!(pipeline);
        })
    };
    deliver(&fanout, &alert("root", "CRITICAL", "sf_user")).await.unwrap();
    deliver(&fanout, &alert("follower", "MEDIUM", "sf_user")).await.unwrap();
    webhook.assert_calls(1);
    deliver(&fanout, &alert("other", "MEDIUM", "orders")).await.unwrap();
    deliver(&fanout, &alert("high", "HIGH", "sf_user")).await.unwrap();
    webhook.assert_calls(3);

    let end = event(|alert| {
        alert["fingerprint"] = json!("root");
        alert["id"] = json!("end");
        alert["severity"] = json!("CRITICAL");
        alert["status"] = json!("resolved");
        alert["occurred_at"] = json!("2026-03-01T07:00:00Z");
    });
    deliver(&fanout, &end).await.unwrap();
    let again = event(|alert| {
        alert["fingerprint"] = json!("follower");
        alert["id"] = json!("follower again");
        alert["severity"] = json!("MEDIUM");
    });
    deliver(&fanout, &again).await.unwrap();
    webhook.assert_calls(5);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let server = MockServer::start();
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), "{\"Records\": 1}").await.unwrap_err();
    assert_eq!(error.name(), "InvalidEvent");
    assert!(error.to_string().starts_with("Records: "), "{error}");
}
