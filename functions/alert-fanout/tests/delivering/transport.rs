//! One message: who gets it, what is tried again, and where nothing is sent to.

use crate::stubs::{EVENT, SLACK_AND_WEBHOOK, addresses, deliver, event, fanout, receiver, secret};
use httpmock::MockServer;
use pipewarden_shared::lambda::FunctionError;
use rstest::rstest;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

#[tokio::test]
async fn each_receiver_gets_what_it_understands_once() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    let slack = server.mock(|when, then| {
        when.path("/slack").body_includes("\"blocks\"");
        then.status(200);
    });
    let webhook = server.mock(|when, then| {
        when.path("/webhook")
            .json_body_includes(r#"{"version": 1, "error_type": "glue_job_failure"}"#);
        then.status(202);
    });
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    assert_eq!(deliver(&fanout, EVENT).await.unwrap().delivered, 2);
    assert_eq!(
        deliver(&fanout, EVENT).await.unwrap().delivered,
        0,
        "the same again is owed to nobody"
    );
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
        then.status(status)
            .header("location", "/elsewhere")
            .body("the receiver's words");
    });
    let webhook = receiver(&server, "webhook", 200);
    let fanout = fanout(&server, SLACK_AND_WEBHOOK);
    let error = deliver(&fanout, EVENT).await.unwrap_err();
    assert_eq!(error.name(), "AlertNotDelivered");
    let told = format!(
        "1 messages were delivered, 1 were not: slack answered {status}: the receiver's words"
    );
    assert_eq!(error.to_string(), told);
    let again = matches!(status, 429 | 500);
    assert_eq!(
        slack.calls() > 1,
        again,
        "it was asked {} times",
        slack.calls()
    );

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
    deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT)
        .await
        .unwrap_err();
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
async fn a_receiver_that_does_not_answer_holds_up_no_other(
    #[case] silence: Silence,
    #[case] reason: &str,
) {
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
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("1 messages were delivered, 1 were not: cannot reach slack: "),
        "{error}"
    );
    assert!(
        error.contains(reason) && !error.contains("topsecret"),
        "{error}"
    );
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
    deliver(
        &fanout,
        &event(|alert| alert["fingerprint"] = json!("second")),
    )
    .await
    .unwrap();
    assert_eq!(before.calls(), 1, "it is kept in memory");

    let mut old = old;
    old.delete();
    receiver(&server, "before", status);
    before.delete();
    let after = secret(&server, "slack", &server.url("/after"));
    let fresh = receiver(&server, "after", 200);
    deliver(
        &fanout,
        &event(|alert| alert["fingerprint"] = json!("third")),
    )
    .await
    .unwrap();
    after.assert_calls(1);
    fresh.assert_calls(1);
}

#[tokio::test]
async fn an_address_that_is_wrong_and_stays_so_is_an_error() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "webhook", 200);
    let slack = receiver(&server, "slack", 404);
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("slack answered 404"), "{error}");
    slack.assert_calls(1);
}

#[rstest]
#[case(
    "https://evil.example/topsecret",
    "a URL of evil.example, which is not allowed"
)]
#[case("http://10.0.0.1/topsecret", "an http URL; only https is sent to")]
#[case("topsecret", "no URL")]
#[tokio::test]
async fn nothing_is_sent_to_a_host_that_nobody_allowed(
    #[case] address: &str,
    #[case] reason: &str,
) {
    let server = MockServer::start();
    addresses(&server, &["webhook"]);
    receiver(&server, "webhook", 200);
    secret(&server, "slack", address);
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(&format!("the secret of slack holds {reason}")),
        "{error}"
    );
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
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT)
        .await
        .unwrap_err();
    assert!(error.to_string().len() < 600, "{error}");
}

#[tokio::test]
async fn a_parameter_holds_a_secret_as_well_and_a_webhook_is_signed() {
    let server = MockServer::start();
    let parameter = server.mock(|when, then| {
        when.header("x-amz-target", "AmazonSSM.GetParameter")
            .json_body_includes(r#"{"Name": "/alerts/webhook", "WithDecryption": true}"#);
        let secret = json!({"url": server.url("/webhook"), "signing_secret": "whsec"}).to_string();
        then.status(200)
            .json_body(json!({"Parameter": {"Value": secret}}));
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
    assert_eq!(
        deliver(&fanout(&server, alerts), EVENT)
            .await
            .unwrap()
            .delivered,
        1
    );
    topic.assert_calls(1);
}

#[tokio::test]
async fn an_event_of_another_kind_is_refused() {
    let server = MockServer::start();
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), "{\"Records\": 1}")
        .await
        .unwrap_err();
    assert_eq!(error.name(), "InvalidEvent");
    assert!(error.to_string().starts_with("Records: "), "{error}");
}

#[rstest]
#[case::refused(400, "slack answered 400: ")]
#[case::unknown(404, "slack answered 404: ")]
#[case::busy(503, "slack answered 503: ")]
#[tokio::test]
async fn a_receiver_that_quotes_its_address_gives_nothing_away(
    #[case] status: u16,
    #[case] expected: &str,
) {
    let server = MockServer::start();
    addresses(&server, &["webhook"]);
    receiver(&server, "webhook", 200);
    let key = "k3y-0f-the-hook";
    let held = json!({
        "url": server.url(format!("/hooks/{key}?sig=s1gn4ture")),
        "signing_secret": "whsec-topsecret",
    });
    secret(&server, "slack", &held.to_string());
    server.mock(|when, then| {
        when.path(format!("/hooks/{key}"));
        then.status(status).body(format!(
            "Cannot POST /hooks/{key}?sig=s1gn4ture; no hook {key}; s1gn4ture of whsec-topsecret is wrong"
        ));
    });
    let error = deliver(&fanout(&server, SLACK_AND_WEBHOOK), EVENT)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(expected) && error.contains("Cannot POST"),
        "{error}"
    );
    for part in [key, "s1gn4ture", "whsec-topsecret"] {
        assert!(!error.contains(part), "{error}");
    }
}
