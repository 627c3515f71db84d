//! The network of the world: Secrets Manager, and receivers with every fault.

use crate::clouds::{INVOCATION, World, marker};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::time::sleep;

/// What answers to every address.
#[derive(Debug, Clone)]
pub(crate) struct Network(pub(crate) Arc<World>);

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let world = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            let body: Value =
                serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap();
            let uri = request.uri().to_owned();
            match uri.split('/').nth(2) {
                Some("hooks.slack.com") => post(&world, "slack", &body).await,
                Some("slack.com") => post(&world, "bot", &body).await,
                Some("prod-01.westeurope.logic.azure.com") => post(&world, "teams", &body).await,
                Some("events.pagerduty.com") => post(&world, "pagerduty", &body).await,
                Some("alerts.example.com") => post(&world, "webhook", &body).await,
                _ => Ok(secret(&body)),
            }
        })
    }
}

fn secret(asked: &Value) -> HttpResponse {
    let secret = match asked["SecretId"].as_str().unwrap() {
        "slack" => "https://hooks.slack.com/services/T/B/X",
        "bot" => "xoxb-1",
        "teams" => {
            "https://prod-01.westeurope.logic.azure.com/workflows/1/triggers/manual/paths/invoke"
        }
        "pagerduty" => "R0UT1NGKEY",
        _ => "https://alerts.example.com/hook",
    };
    answer(200, None, &json!({"SecretString": secret}).to_string())
}

fn answer(status: u16, retry_after: Option<&'static str>, body: &str) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", seconds);
    }
    response
}

fn reset() -> ConnectorError {
    ConnectorError::io("connection reset by peer".into())
}

/// A message to a receiver, who may do anything with it.
async fn post(
    world: &World,
    receiver: &'static str,
    body: &Value,
) -> Result<HttpResponse, ConnectorError> {
    world.survived().await;
    sleep(world.between(80, 300)).await;
    let elapsed = world.elapsed();
    if world
        .outage
        .is_some_and(|(name, from, to)| name == receiver && (from..to).contains(&elapsed))
    {
        return Ok(answer(503, None, "out of service"));
    }
    if world.hung == Some(receiver) {
        std::future::pending::<()>().await;
    }
    let chance = world.faults().receiver;
    let fault = || world.happens(chance);
    if fault() {
        return Ok(answer(429, None, "rate_limited"));
    } else if fault() {
        return Ok(answer(429, Some("2"), "rate_limited"));
    } else if fault() {
        return Ok(answer(
            429,
            Some("Sun, 01 Mar 2099 00:00:00 GMT"),
            "come back later",
        ));
    } else if fault() {
        return Ok(answer(500, None, "oops"));
    } else if fault() {
        return Ok(refusal(receiver));
    } else if fault() {
        return std::future::pending().await;
    } else if fault() {
        return Err(reset());
    }
    take(world, receiver, body);
    // From here on the receiver has it, and the sender may not hear of it.
    let doubtful = if fault() {
        Some(Err(reset()))
    } else if fault() {
        Some(Ok(answer(502, None, "bad gateway")))
    } else {
        None
    };
    if let Some(outcome) = doubtful {
        world.taken().entry(receiver).or_default().doubtful += 1;
        return outcome;
    }
    if world.perilous().await {
        world.taken().entry(receiver).or_default().doubtful += 1;
        std::future::pending::<()>().await;
    }
    Ok(acceptance(world, receiver))
}

/// What a receiver says of a message that it does not take.
fn refusal(receiver: &str) -> HttpResponse {
    match receiver {
        "bot" => answer(200, None, r#"{"ok": false, "error": "invalid_blocks"}"#),
        _ => answer(400, None, "invalid_payload"),
    }
}

/// What a receiver says of a message that it takes.
fn acceptance(world: &World, receiver: &str) -> HttpResponse {
    match receiver {
        "bot" => {
            let ts = format!(
                "{}.000100",
                world.between(1_000_000_000, 9_999_999_999).as_millis()
            );
            let body = json!({"ok": true, "channel": "C0123456789", "ts": ts});
            answer(200, None, &body.to_string())
        }
        "teams" | "pagerduty" => answer(202, None, ""),
        _ => answer(200, None, "ok"),
    }
}

fn take(world: &World, receiver: &'static str, body: &Value) {
    let text = body.to_string();
    INVOCATION.with(|life| life.last.lock().unwrap().insert(receiver, text.clone()));
    let elapsed = world.elapsed();
    let mut all = world.taken();
    let taken = all.entry(receiver).or_default();
    if text.contains("Alert storm: ") || text.contains("Digest: ") {
        taken.summaries += 1;
        return;
    }
    // A message that the bot changes, or answers in its thread, is no new one in the channel.
    let changes = receiver == "bot" && body.get("ts").is_some();
    if receiver == "bot" && body.get("thread_ts").is_some() {
        return;
    }
    let gone = match receiver {
        "pagerduty" => body["event_action"] == "resolve",
        "webhook" => body["status"] == "resolved",
        _ => text.contains("✅"),
    };
    if changes && !gone {
        return;
    }
    let fingerprint = marker(&text).unwrap_or_else(|| panic!("a message about nothing: {text}"));
    let (of, last) = if gone {
        (&mut taken.gone, "gone")
    } else {
        (&mut taken.alone, "fires")
    };
    *of.entry(fingerprint.clone()).or_default() += 1;
    taken.first.entry(fingerprint.clone()).or_insert(elapsed);
    taken.last.insert(fingerprint, last);
}
