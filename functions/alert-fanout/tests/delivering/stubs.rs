//! The function, and HTTP stubs of AWS and the receivers.

use alert_fanout::delivery::{Contact, Courier, Hosts, Keyring, Services};
use alert_fanout::store::Memory;
use alert_fanout::{Clock, Delivered, Fanout, FanoutError, handle};
use httpmock::{Mock, MockServer};
use pipewarden_shared::lambda::Invocation;
use pipewarden_shared::profile::Profile;
use pipewarden_shared::profile::alerting::Alerting;
use pipewarden_shared::{aws, loopback};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const EVENT: &str =
    include_str!("../../../../events/alert-fanout/glue-job-failure.json");

pub(crate) const SLACK_AND_WEBHOOK: &str = "
  receivers:
    - { name: slack, slack: { secret: slack } }
    - { name: webhook, webhook: { secret: webhook } }
  route: { receiver: [slack, webhook] }
";

/// The function with what a profile says of alerts, and a store in memory.
pub(crate) fn fanout(server: &MockServer, alerts: &str) -> Arc<Fanout<Memory>> {
    let profile = format!("pipeline: sf_user\nmetrics: {{ namespace: Test }}\nalerts:\n{alerts}");
    let profile = Profile::parse(&profile).unwrap();
    let alerting = Alerting::resolve(&profile.alerts, &BTreeMap::new()).unwrap();
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    Arc::new(Fanout {
        store: Some(Memory::default()),
        contacts: Contact::all(&alerting.receivers),
        courier: Courier {
            connector: aws::connector().unwrap(),
            keyring: Keyring {
                services: Services::new(config),
                hosts: Hosts {
                    allowed: alerting.allowed_hosts.clone(),
                    loopback: true,
                },
            },
        },
        alerting,
        watched: None,
        clock: Clock::system(),
    })
}

/// A secret that holds a text.
pub(crate) fn secret<'s>(server: &'s MockServer, name: &str, text: &str) -> Mock<'s> {
    server.mock(|when, then| {
        when.header("x-amz-target", "secretsmanager.GetSecretValue")
            .body_includes(name);
        then.status(200).json_body(json!({"SecretString": text}));
    })
}

/// The secrets of receivers hold their addresses at this server.
pub(crate) fn addresses(server: &MockServer, names: &[&str]) {
    for name in names {
        secret(server, name, &server.url(format!("/{name}")));
    }
}

pub(crate) fn receiver<'s>(server: &'s MockServer, name: &str, status: u16) -> Mock<'s> {
    server.mock(|when, then| {
        when.method("POST").path(format!("/{name}"));
        then.status(status).body("the receiver's words");
    })
}

/// Invokes the function with three seconds to go: it sends for half of that.
pub(crate) async fn deliver(
    fanout: &Arc<Fanout<Memory>>,
    event: &str,
) -> Result<Delivered, FanoutError> {
    handle(
        Arc::clone(fanout),
        Invocation::of(event, Duration::from_secs(3)),
    )
    .await
}

/// The sample event with another alert in it.
pub(crate) fn event(change: impl FnOnce(&mut Value)) -> String {
    let mut event: Value = serde_json::from_str(EVENT).unwrap();
    let sns = &mut event["Records"][0]["Sns"];
    let mut alert: Value = serde_json::from_str(sns["Message"].as_str().unwrap()).unwrap();
    change(&mut alert);
    sns["Message"] = json!(alert.to_string());
    event.to_string()
}

/// The same function at another time.
pub(crate) fn later(fanout: Arc<Fanout<Memory>>, now: &str) -> Arc<Fanout<Memory>> {
    let now = now.parse().unwrap();
    let mut fanout = Arc::into_inner(fanout).unwrap();
    fanout.clock = Clock::of(move || now);
    Arc::new(fanout)
}
