//! What receivers answer, and what follows from it.

use super::{Outcome, Thread};
use pipewarden_shared::mask;
use pipewarden_shared::truncate::characters;
use serde_json::Value;

/// The most characters of an answer that are quoted.
const QUOTED: usize = 300;

/// By the HTTP status alone.
pub(super) fn any(status: u16, body: &str) -> Outcome {
    match status {
        200..=299 => Outcome::Delivered { thread: None },
        408 | 425 | 429 | 500.. => Outcome::Retry { after: None },
        401 | 403 | 404 | 410 => Outcome::BadAddress,
        _ => refused(status, body),
    }
}

fn refused(status: u16, body: &str) -> Outcome {
    Outcome::Refused {
        reason: quoted(status, body),
    }
}

/// An answer as errors quote it. It is masked before it is cut, so that no half of a secret is left at the end.
pub(crate) fn quoted(status: u16, body: &str) -> String {
    let beginning = characters(body.trim(), 4 * QUOTED);
    let body = characters(&mask::secrets(&beginning), QUOTED);
    format!("{status}: {body}")
}

/// An incoming webhook names the error in plain text (Slack reference, incoming webhooks, "Handling errors").
pub(super) fn slack_webhook(status: u16, body: &str) -> Outcome {
    match (status, body.trim()) {
        // The workspace forbids it, or the channel is archived: another address would not help by itself.
        (403, "action_prohibited") | (410, "channel_is_archived") => refused(status, body),
        _ => any(status, body),
    }
}

/// The Web API answers 200 to errors as well: `{"ok": false, "error": "…"}`.
pub(super) fn slack_api(status: u16, body: &str) -> Outcome {
    if !(200..300).contains(&status) {
        return any(status, body);
    }
    let answer: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if answer.get("ok") == Some(&Value::Bool(true)) {
        let text = |name: &str| answer.get(name)?.as_str().map(str::to_owned);
        let thread = text("channel").zip(text("ts"));
        return Outcome::Delivered {
            thread: thread.map(|(channel, ts)| Thread { channel, ts }),
        };
    }
    match answer.get("error").and_then(Value::as_str) {
        Some(
            "ratelimited"
            | "rate_limited"
            | "internal_error"
            | "fatal_error"
            | "request_timeout"
            | "service_unavailable"
            | "team_added_to_org"
            | "message_limit_exceeded",
        ) => Outcome::Retry { after: None },
        Some(
            "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired",
        ) => Outcome::BadAddress,
        Some(
            "message_not_found" | "cant_update_message" | "edit_window_closed" | "thread_not_found",
        ) => Outcome::Gone,
        _ => refused(status, body),
    }
}

/// A workflow answers 200 to a message that Teams refused, and says so in the body.
pub(super) fn teams(status: u16, body: &str) -> Outcome {
    if !(200..300).contains(&status) {
        return any(status, body);
    }
    let lower = body.to_ascii_lowercase();
    match lower.split_once("http error ") {
        Some((_, code)) => match code.get(..3) {
            Some("408" | "425" | "429" | "500" | "502" | "503" | "504") => {
                Outcome::Retry { after: None }
            }
            Some("401" | "403" | "404" | "410") => Outcome::BadAddress,
            _ => refused(status, body),
        },
        None if lower.contains("delivery failed") => refused(status, body),
        None => Outcome::Delivered { thread: None },
    }
}

/// 202 is success; a 400 for the routing key asks for another one.
pub(super) fn pagerduty(status: u16, body: &str) -> Outcome {
    let key = body.to_ascii_lowercase().contains("routing_key")
        || body.to_ascii_lowercase().contains("routing key");
    match status {
        400 if key => Outcome::BadAddress,
        _ => any(status, body),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Channel;
    use super::*;
    use rstest::rstest;

    fn name(outcome: &Outcome) -> &'static str {
        match outcome {
            Outcome::Delivered { .. } => "delivered",
            Outcome::Retry { .. } => "retry",
            Outcome::Refused { .. } => "refused",
            Outcome::BadAddress => "bad address",
            Outcome::Gone => "gone",
        }
    }

    #[rstest]
    #[case(Channel::SlackWebhook, 200, "ok", "delivered")]
    #[case(Channel::SlackWebhook, 429, "rate_limited", "retry")]
    #[case(Channel::SlackWebhook, 400, "invalid_payload", "refused")]
    #[case(Channel::SlackWebhook, 404, "no_service", "bad address")]
    #[case(Channel::SlackWebhook, 403, "invalid_token", "bad address")]
    #[case(Channel::SlackWebhook, 403, "action_prohibited", "refused")]
    #[case(
        Channel::SlackBot,
        200,
        r#"{"ok":false,"error":"ratelimited"}"#,
        "retry"
    )]
    #[case(
        Channel::SlackBot,
        200,
        r#"{"ok":false,"error":"invalid_blocks"}"#,
        "refused"
    )]
    #[case(
        Channel::SlackBot,
        200,
        r#"{"ok":false,"error":"channel_not_found"}"#,
        "refused"
    )]
    #[case(
        Channel::SlackBot,
        200,
        r#"{"ok":false,"error":"token_revoked"}"#,
        "bad address"
    )]
    #[case(
        Channel::SlackBot,
        200,
        r#"{"ok":false,"error":"message_not_found"}"#,
        "gone"
    )]
    #[case(Channel::SlackBot, 200, "<html>", "refused")]
    #[case(Channel::SlackBot, 503, "", "retry")]
    #[case(Channel::PagerDuty, 202, r#"{"status":"success"}"#, "delivered")]
    #[case(Channel::PagerDuty, 429, "", "retry")]
    #[case(Channel::PagerDuty, 500, "", "retry")]
    #[case(
        Channel::PagerDuty,
        400,
        r#"{"errors":["'payload.severity' is invalid"]}"#,
        "refused"
    )]
    #[case(
        Channel::PagerDuty,
        400,
        r#"{"message":"Invalid routing key"}"#,
        "bad address"
    )]
    #[case(Channel::Teams, 202, "", "delivered")]
    #[case(Channel::Teams, 200, "1", "delivered")]
    #[case(
        Channel::Teams,
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 413 with ContextId",
        "refused"
    )]
    #[case(
        Channel::Teams,
        200,
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId",
        "retry"
    )]
    #[case(Channel::Teams, 404, "", "bad address")]
    #[case(Channel::Webhook, 204, "", "delivered")]
    #[case(Channel::Webhook, 422, "no", "refused")]
    #[case(Channel::Webhook, 502, "", "retry")]
    fn an_answer_says_what_to_do(
        #[case] channel: Channel,
        #[case] status: u16,
        #[case] body: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(name(&channel.accepted(status, body)), expected);
    }

    #[test]
    fn slack_tells_the_message_that_others_answer_to() {
        let body = r#"{"ok":true,"channel":"C1","ts":"1772345221.000100"}"#;
        let thread = Thread {
            channel: "C1".to_owned(),
            ts: "1772345221.000100".to_owned(),
        };
        assert_eq!(
            Channel::SlackBot.accepted(200, body),
            Outcome::Delivered {
                thread: Some(thread)
            }
        );
    }

    #[test]
    fn a_refusal_quotes_the_receiver() {
        let Outcome::Refused { reason } = Channel::Webhook.accepted(418, &"x".repeat(900)) else {
            panic!("a 418 is refused");
        };
        assert!(reason.starts_with("418: xxx") && reason.chars().count() < 320);
    }
}
