//! Alerts a second, and what a storm of ten thousand sends to people, with the table that remembers and without it.

use alert_fanout::delivery::{Contact, Courier, Hosts, Keyring, Services};
use alert_fanout::store::Memory;
use alert_fanout::{Clock, Fanout, handle};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::lambda::Invocation;
use pipewarden_shared::loopback;
use pipewarden_shared::profile::Profile;
use pipewarden_shared::profile::alerting::Alerting;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Alerts of each night.
const ALERTS: usize = 10_000;

/// How long a night's alerts come, in milliseconds.
const LENGTH: i64 = 30 * 60 * 1_000;

/// How often the schedule sends what is due, in milliseconds.
const SCHEDULE: i64 = 5 * 60 * 1_000;

const PATIENCE: Duration = Duration::from_secs(60);

const PROFILE: &str = "pipeline: sf_user\nmetrics: { namespace: Bench }\nalerts: { allowed_hosts: [alerts.example.com] }\n";

/// The receivers, by the setting that names the secret.
const RECEIVERS: [(&str, &str, &str); 3] = [
    (
        "SLACK_SECRET_ARN",
        "slack",
        "https://hooks.slack.com/services/T/B/X",
    ),
    ("PAGERDUTY_SECRET_ARN", "pagerduty", "R0UT1NGKEY"),
    (
        "WEBHOOK_SECRET_ARN",
        "webhook",
        "https://alerts.example.com/hook",
    ),
];

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum AlertsError {
    /// The configuration of the bench is wrong.
    #[error("the bench's own configuration: {0}")]
    Configuration(String),
    /// An alert was not delivered.
    #[error("an alert was not delivered")]
    Undelivered(#[from] alert_fanout::FanoutError),
}

/// A kind of night.
#[derive(Debug, Clone, Copy)]
struct Night {
    name: &'static str,
    /// Different problems.
    problems: usize,
    /// Whether there is a table.
    remembers: bool,
}

const NIGHTS: [Night; 4] = [
    Night {
        name: "one problem",
        problems: 1,
        remembers: true,
    },
    Night {
        name: "10 problems",
        problems: 10,
        remembers: true,
    },
    Night {
        name: "4,000 problems",
        problems: 4_000,
        remembers: true,
    },
    Night {
        name: "4,000, no table",
        problems: 4_000,
        remembers: false,
    },
];

/// What a night was like.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    /// Which.
    pub name: &'static str,
    /// Alerts that came.
    pub alerts: usize,
    /// Of how many problems.
    pub problems: usize,
    /// Requests to receivers: messages, and counts that are written into messages.
    pub messages: usize,
    /// Alerts that one function takes in a second of its own time.
    pub per_second: f64,
}

/// Receivers that take everything at once, and Secrets Manager.
#[derive(Debug, Clone, Default)]
struct Network(Arc<AtomicUsize>);

impl HttpConnector for Network {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = request.body().bytes().unwrap_or_default();
        let asked: Value = serde_json::from_slice(asked).unwrap_or_default();
        let secret = RECEIVERS
            .iter()
            .find(|(_, id, _)| asked.get("SecretId").is_some_and(|asked| asked == id));
        let body = match secret {
            Some((_, _, secret)) => json!({"SecretString": secret}).to_string(),
            None => {
                self.0.fetch_add(1, Ordering::Relaxed);
                "ok".to_owned()
            }
        };
        let status = if request.uri().contains("pagerduty.com") {
            202
        } else {
            200
        };
        HttpConnectorFuture::ready(
            StatusCode::try_from(status)
                .map(|status| HttpResponse::new(status, SdkBody::from(body)))
                .map_err(|error| {
                    aws_smithy_runtime_api::client::result::ConnectorError::other(
                        Box::new(error),
                        None,
                    )
                }),
        )
    }
}

/// Lets each night happen, as fast as one function takes it; the nights' own time is simulated.
///
/// # Errors
/// [`AlertsError`].
pub async fn measured() -> Result<Vec<Told>, AlertsError> {
    let mut all = Vec::new();
    for night in NIGHTS {
        all.push(told(night).await?);
    }
    Ok(all)
}

async fn told(night: Night) -> Result<Told, AlertsError> {
    let network = Network::default();
    let elapsed = Arc::new(AtomicI64::new(0));
    let fanout = Arc::new(fanout(night, &network, &elapsed)?);
    let mut took = Duration::ZERO;
    let mut due = SCHEDULE;
    for number in 0..ALERTS {
        let at = LENGTH * number as i64 / ALERTS as i64;
        if at >= due {
            elapsed.store(due, Ordering::Relaxed);
            due += SCHEDULE;
            handle(Arc::clone(&fanout), Invocation::of(DIGEST, PATIENCE)).await?;
        }
        elapsed.store(at, Ordering::Relaxed);
        let mut invocation = Invocation::of(&event(number, number % night.problems), PATIENCE);
        invocation.request_id = format!("request-{number}");
        let begun = Instant::now();
        handle(Arc::clone(&fanout), invocation).await?;
        took += begun.elapsed();
    }
    elapsed.store(LENGTH + 2 * SCHEDULE, Ordering::Relaxed);
    handle(fanout, Invocation::of(DIGEST, PATIENCE)).await?;
    Ok(Told {
        name: night.name,
        alerts: ALERTS,
        problems: night.problems,
        messages: network.0.load(Ordering::Relaxed),
        per_second: ALERTS as f64 / took.as_secs_f64(),
    })
}

const DIGEST: &str = r#"{"pipewarden": "digest"}"#;

fn fanout(
    night: Night,
    network: &Network,
    elapsed: &Arc<AtomicI64>,
) -> Result<Fanout<Memory>, AlertsError> {
    let profile =
        Profile::parse(PROFILE).map_err(|error| AlertsError::Configuration(error.to_string()))?;
    let settings: BTreeMap<String, String> = RECEIVERS
        .iter()
        .map(|(setting, secret, _)| ((*setting).to_owned(), (*secret).to_owned()))
        .collect();
    let alerting = Alerting::resolve(&profile.alerts, &settings)
        .map_err(|problems| AlertsError::Configuration(problems.join("; ")))?;
    let connector = SharedHttpConnector::new(network.clone());
    let to_aws = connector.clone();
    let config = loopback::sdk_config("http://127.0.0.1:1", "000000000001")
        .into_builder()
        .http_client(http_client_fn(move |_, _| to_aws.clone()))
        .build();
    let elapsed = Arc::clone(elapsed);
    Ok(Fanout {
        store: night.remembers.then(Memory::default),
        contacts: Contact::all(&alerting.receivers),
        courier: Courier {
            connector,
            keyring: Keyring {
                services: Services::new(config),
                hosts: Hosts {
                    allowed: alerting.allowed_hosts.clone(),
                    loopback: false,
                },
            },
        },
        alerting,
        watched: None,
        clock: Clock::of(move || {
            let since = SignedDuration::from_millis(elapsed.load(Ordering::Relaxed));
            Timestamp::UNIX_EPOCH
                .saturating_add(since)
                .unwrap_or(Timestamp::MAX)
        }),
    })
}

/// An alert about a problem, as SNS brings it.
fn event(number: usize, problem: usize) -> String {
    let alert = json!({
        "version": 1,
        "id": format!("alert-{number}"),
        "fingerprint": format!("problem-{problem}"),
        "status": "firing",
        "pipeline": format!("pipeline-{}", problem % 50),
        "environment": "prod",
        "error_type": "glue_job_failure",
        "severity": "HIGH",
        "diagnosis": {"cause": format!("problem {problem} is there")},
    });
    json!({"Records": [{"Sns": {"MessageId": number.to_string(), "Message": alert.to_string()}}]})
        .to_string()
}

/// The nights as a table.
pub fn table(all: &[Told]) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(vec![
        "a night with",
        "alerts",
        "messages",
        "a receiver",
        "alerts a message",
        "alerts a second",
    ]);
    for told in all {
        table.add_row(vec![
            told.name.to_owned(),
            told.alerts.to_string(),
            told.messages.to_string(),
            format!("{:.0}", told.messages as f64 / RECEIVERS.len() as f64),
            format!(
                "{:.1}",
                (told.alerts * RECEIVERS.len()) as f64 / told.messages as f64
            ),
            format!("{:.0}", told.per_second),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{table}\n{ALERTS} alerts in half an hour of simulated time to Slack, PagerDuty and a webhook that take everything at \
         once; the table is in memory."
    )
}
