//! Several notices of one problem, and what is kept for later.

use crate::stubs::{EVENT, SLACK_AND_WEBHOOK, addresses, deliver, event, fanout, receiver, secret};
use alert_fanout::Clock;
use httpmock::{Mock, MockServer};
use pipewarden_shared::lambda::FunctionError;
use serde_json::json;
use std::sync::Arc;

const BOT: &str = "
  receivers:
    - { name: chat, slack: { secret: bot, channel: C0ALERTS } }
    - { name: pager, pagerduty: { secret: pager } }
  route: { receiver: [chat, pager] }
";

/// A Slack and a PagerDuty that take everything.
fn services(server: &MockServer) {
    secret(
        server,
        "bot",
        &json!({"token": "xoxb-1", "url": server.url("/api")}).to_string(),
    );
    secret(
        server,
        "pager",
        &json!({"routing_key": "R0UT1NG", "url": server.url("/v2/enqueue")}).to_string(),
    );
}

fn slack_call<'s>(server: &'s MockServer, method: &str, body: &str) -> Mock<'s> {
    server.mock(|when, then| {
        when.path(format!("/api/{method}"))
            .header("authorization", "Bearer xoxb-1")
            .json_body_includes(body);
        then.status(200)
            .json_body(json!({"ok": true, "channel": "C1", "ts": "1772345221.000100"}));
    })
}

fn pager_call<'s>(server: &'s MockServer, action: &str) -> Mock<'s> {
    server.mock(|when, then| {
        let body = json!({
            "routing_key": "R0UT1NG",
            "event_action": action,
            "dedup_key": "5f0c8f6f0a3c5a4f7a3e5d1b9c2e8d10",
        });
        when.path("/v2/enqueue")
            .json_body_includes(body.to_string());
        then.status(202);
    })
}

#[tokio::test]
async fn a_problem_is_one_message_that_counts_and_ends() {
    let server = MockServer::start();
    services(&server);
    let posted = slack_call(&server, "chat.postMessage", r#"{"channel": "C0ALERTS"}"#);
    let updated = slack_call(
        &server,
        "chat.update",
        r#"{"channel": "C1", "ts": "1772345221.000100"}"#,
    );
    let triggered = pager_call(&server, "trigger");
    let ended = pager_call(&server, "resolve");
    let fanout = fanout(&server, BOT);
    let again = |id: &'static str| event(move |alert| alert["id"] = json!(id));

    deliver(&fanout, &again("first")).await.unwrap();
    deliver(&fanout, &again("second")).await.unwrap();
    deliver(&fanout, &again("third")).await.unwrap();
    assert_eq!(
        (posted.calls(), updated.calls(), triggered.calls()),
        (1, 1, 1)
    );

    let end = event(|alert| {
        alert["id"] = json!("end");
        alert["status"] = json!("resolved");
        alert["occurred_at"] = json!("2026-03-01T07:00:00Z");
    });
    deliver(&fanout, &end).await.unwrap();
    deliver(&fanout, &end).await.unwrap();
    assert_eq!(
        (posted.calls(), updated.calls()),
        (1, 2),
        "the message is changed, not another one posted"
    );
    assert_eq!((triggered.calls(), ended.calls()), (1, 1));
}

#[tokio::test]
async fn a_message_that_somebody_deleted_is_replaced_at_the_end() {
    let server = MockServer::start();
    services(&server);
    let posted = slack_call(&server, "chat.postMessage", r#"{"channel": "C0ALERTS"}"#);
    let updated = server.mock(|when, then| {
        when.path("/api/chat.update");
        then.status(200)
            .json_body(json!({"ok": false, "error": "message_not_found"}));
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
    assert_eq!(
        deliver(&fanout, digest).await.unwrap().delivered,
        0,
        "it is not due"
    );

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
    assert_eq!(
        deliver(&fanout, digest).await.unwrap().delivered,
        1,
        "Slack has it already"
    );
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
    deliver(&fanout, &alert("root", "CRITICAL", "sf_user"))
        .await
        .unwrap();
    deliver(&fanout, &alert("follower", "MEDIUM", "sf_user"))
        .await
        .unwrap();
    webhook.assert_calls(1);
    deliver(&fanout, &alert("other", "MEDIUM", "orders"))
        .await
        .unwrap();
    deliver(&fanout, &alert("high", "HIGH", "sf_user"))
        .await
        .unwrap();
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
