//! Slack's bot: one message stands for a problem from its beginning to its end.

use crate::stubs::{deliver, event, fanout, later, secret};
use httpmock::{Mock, MockServer};
use serde_json::{Value, json};

const BOT: &str = "
  receivers: [{ name: chat, slack: { secret: bot, channel: C0ALERTS } }]
  route: { receiver: chat }
";

/// A call of Slack's that is answered with a message's timestamp.
fn call<'s>(server: &'s MockServer, method: &str, asked: &Value, ts: &str) -> Mock<'s> {
    server.mock(|when, then| {
        when.path(format!("/api/{method}"))
            .json_body_includes(asked.to_string());
        then.status(200)
            .json_body(json!({"ok": true, "channel": "C1", "ts": ts}));
    })
}

fn token(server: &MockServer) {
    let secret_text = json!({"token": "xoxb-1", "url": server.url("/api")});
    secret(server, "bot", &secret_text.to_string());
}

/// An alert at an hour of the day.
fn at(hour: i64, status: &str) -> String {
    let (id, status) = (format!("{status} at {hour}"), status.to_owned());
    event(|alert| {
        alert["id"] = json!(id);
        alert["status"] = json!(status);
        alert["occurred_at"] = json!(format!("2026-03-01T{hour:02}:00:00Z"));
    })
}

#[tokio::test]
async fn the_message_of_a_problem_that_was_told_again_is_the_one_that_ends() {
    let server = MockServer::start();
    token(&server);
    let reply = call(
        &server,
        "chat.postMessage",
        &json!({"thread_ts": "100.1"}),
        "200.2",
    );
    let again = call(
        &server,
        "chat.postMessage",
        &json!({"thread_ts": "200.2"}),
        "300.3",
    );
    let posted = call(
        &server,
        "chat.postMessage",
        &json!({"channel": "C0ALERTS"}),
        "100.1",
    );
    let ended = call(&server, "chat.update", &json!({"ts": "100.1"}), "100.1");
    let mut fanout = fanout(&server, BOT);
    for (hour, status) in [
        (6, "firing"),
        (11, "firing"),
        (16, "firing"),
        (17, "resolved"),
    ] {
        fanout = later(fanout, &format!("2026-03-01T{hour:02}:00:01Z"));
        deliver(&fanout, &at(hour, status)).await.unwrap();
    }
    assert_eq!(
        (posted.calls(), reply.calls(), again.calls(), ended.calls()),
        (1, 2, 0, 1)
    );
}

#[tokio::test]
async fn a_count_that_slack_does_not_take_leaves_the_end_to_be_told() {
    let server = MockServer::start();
    token(&server);
    call(
        &server,
        "chat.postMessage",
        &json!({"channel": "C0ALERTS"}),
        "100.1",
    );
    let refused = server.mock(|when, then| {
        when.path("/api/chat.update").body_includes("2 times");
        then.status(200)
            .delay(std::time::Duration::from_millis(700))
            .json_body(json!({"ok": false, "error": "invalid_blocks"}));
    });
    let ended = server.mock(|when, then| {
        when.path("/api/chat.update").body_includes("\u{2705}");
        then.status(200)
            .json_body(json!({"ok": true, "channel": "C1", "ts": "100.1"}));
    });
    let fanout = later(fanout(&server, BOT), "2026-03-01T12:00:00Z");
    deliver(&fanout, &at(6, "firing")).await.unwrap();
    let (second, end) = (at(7, "firing"), at(8, "resolved"));
    let counting = deliver(&fanout, &second);
    let ending = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        deliver(&fanout, &end).await
    };
    let (counted, told) = tokio::join!(counting, ending);
    counted.unwrap();
    told.unwrap();
    assert_eq!((refused.calls(), ended.calls()), (1, 1));
}
