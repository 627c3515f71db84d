//! What a profile says becomes what is done; what is wrong with it is said at once.

mod clock;
mod receivers;
mod reference;
mod resolving;
mod routing;

use super::{Alerting, Labels, assumed_settings, settings};
use crate::profile::{Alerts, Profile};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The `alerts:` of a profile.
fn alerts(yaml: &str) -> Alerts {
    let body: String = yaml
        .trim()
        .lines()
        .map(|line| format!("  {line}\n"))
        .collect();
    let head = "pipeline: p\nmetrics: { namespace: N }\nalerts:";
    let profile = match body.trim() {
        "" => format!("{head} {{}}\n"),
        _ => format!("{head}\n{body}"),
    };
    Profile::parse(&profile).unwrap().alerts
}

/// The full example of docs/alerting.md.
fn documented() -> Alerting {
    let page = include_str!("../../../../../docs/alerting.md");
    let (_, example) = page.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let profile = format!("pipeline: p\nmetrics: {{ namespace: N }}\n{example}");
    let alerts = Profile::parse(&profile).unwrap().alerts;
    Alerting::resolve(&alerts, &assumed_settings(&alerts)).unwrap()
}

/// What the function makes of them that has every setting they stand on.
fn resolved(yaml: &str) -> Result<Alerting, Vec<String>> {
    let alerts = alerts(yaml);
    let settings = settings(&alerts)
        .into_iter()
        .map(|name| (name, "the-secret".to_owned()));
    Alerting::resolve(&alerts, &settings.collect::<BTreeMap<_, _>>())
}

/// Labels out of `severity=HIGH pipeline=p`.
fn labels(text: &str) -> Labels {
    let pairs = text
        .split_whitespace()
        .filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| {
            (
                name.parse::<super::Label>().unwrap().as_str(),
                value.to_owned(),
            )
        })
        .collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Who gets an alert: `slack now 4h`.
fn deliveries(alerting: &Alerting, text: &str, moment: &str) -> Vec<String> {
    let labels = labels(text);
    let routed = alerting.route(&labels, at(moment));
    let shown = routed.deliveries.iter().map(|delivery| {
        let (name, timing) = (&delivery.receiver.name, delivery.timing.as_str());
        format!("{name} {timing} {:#}", delivery.repeat_interval)
    });
    shown.collect()
}
