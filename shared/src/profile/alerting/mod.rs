//! Who gets an alert, and when: receivers, a tree of routes, time intervals, inhibition, storms, digests.
//!
//! [`written`] is what a profile says; [`Alerting::resolve`] checks it and says everything that is wrong with it. Only
//! the function that sends alerts and the command line do so: time zones are 0.3 MB that no other function needs.

mod findings;
mod host;
mod inhibit;
mod label;
mod matcher;
mod mute;
mod pace;
mod range;
mod reach;
mod receiver;
mod route;
mod secret;
mod setting;
#[cfg(test)]
mod tests;
mod tree;
pub mod written;

pub use host::HostPattern;
pub use inhibit::InhibitRule;
pub use label::{Label, Labels, source};
pub use matcher::Matcher;
pub use mute::TimeInterval;
pub use pace::{Digest, Storm};
pub use receiver::{Receiver, ReceiverChannel, ReceiverName};
pub use route::{Delivery, Route, Routed, Silenced, Taken, Timing};
pub use secret::Secret;

use super::Alerts;
use findings::Findings;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Who gets an alert, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerting {
    /// Everybody who can be reached.
    pub receivers: Vec<Receiver>,
    /// The root of the tree.
    pub route: Route,
    /// The time intervals that routes name.
    pub time_intervals: Vec<TimeInterval>,
    /// Which alerts hold back which others.
    pub inhibit_rules: Vec<InhibitRule>,
    /// From when on many alerts become one summary.
    pub storm: Storm,
    /// When the digest is sent.
    pub digest: Digest,
    /// Where messages may be sent to.
    pub allowed_hosts: Vec<HostPattern>,
    /// What is likely not meant, each with its path in the profile.
    pub warnings: Vec<String>,
}

impl Alerting {
    /// Checks what a profile says. `settings` are those of the function that [`settings`] names; a receiver that
    /// stands on one that is not set is left out, with a warning.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path in the profile.
    pub fn resolve(
        alerts: &Alerts,
        settings: &BTreeMap<String, String>,
    ) -> Result<Self, Vec<String>> {
        let mut findings = Findings::default();
        let receivers = receiver::resolve(alerts.receivers.as_deref(), settings, &mut findings);
        let time_intervals = mute::resolve(&alerts.time_intervals, &mut findings);
        let route = tree(alerts, &receivers, &time_intervals, &mut findings);
        let inhibit_rules = match &alerts.inhibit_rules {
            Some(rules) => inhibit::resolve(rules, &mut findings),
            None => inhibit::resolve(&InhibitRule::usual(), &mut findings),
        };
        let storm = pace::storm(&alerts.storm.clone().unwrap_or_default(), &mut findings);
        let digest = pace::digest(&alerts.digest.clone().unwrap_or_default(), &mut findings);
        let allowed_hosts = allowed_hosts(&alerts.allowed_hosts, &mut findings);
        unused(&receivers.reachable, &time_intervals, &route, &mut findings);
        if findings.problems.is_empty() {
            Ok(Self {
                receivers: receivers.reachable,
                route,
                time_intervals,
                inhibit_rules,
                storm,
                digest,
                allowed_hosts,
                warnings: findings.warnings,
            })
        } else {
            Err(findings.problems)
        }
    }

    /// Where an alert with these labels goes at a moment.
    pub fn route(&self, labels: &Labels, at: Timestamp) -> Routed<'_> {
        route::route(
            &self.route,
            &self.receivers,
            &self.time_intervals,
            labels,
            at,
        )
    }

    /// The rule by which one alert, while it fires, holds back the other.
    pub fn inhibitor(&self, source: &Labels, target: &Labels) -> Option<&InhibitRule> {
        self.inhibit_rules
            .iter()
            .find(|rule| rule.inhibits(source, target))
    }

    /// Whether messages may be sent to a host, which is written without a port.
    pub fn allows(&self, host: &str) -> bool {
        self.allowed_hosts
            .iter()
            .any(|pattern| pattern.allows(host))
    }
}

/// The tree of a profile, or the usual one.
fn tree(
    alerts: &Alerts,
    receivers: &receiver::Receivers,
    intervals: &[TimeInterval],
    findings: &mut Findings,
) -> Route {
    let Some(written) = &alerts.route else {
        return tree::usual(&receivers.reachable, findings);
    };
    let known = tree::Known {
        receivers,
        intervals,
    };
    let before = findings.problems.len();
    let route = tree::resolve(written, &known, findings);
    let all_read = findings.problems.len() == before;
    reach::check(&route, all_read, findings);
    route
}

/// The settings of the function that the receivers of a profile stand on.
pub fn settings(alerts: &Alerts) -> BTreeSet<String> {
    setting::of_receivers(alerts.receivers.as_deref())
}

/// Settings to assume of a function that is not at hand: those of [`settings`], but for usual receivers that the tree
/// of the profile never names.
pub fn assumed_settings(alerts: &Alerts) -> BTreeMap<String, String> {
    let names = match (&alerts.receivers, &alerts.route) {
        (None, Some(route)) => setting::of_usual(&named(route)),
        _ => settings(alerts),
    };
    let topics = setting::of_topics(alerts.receivers.as_deref().unwrap_or_default());
    let assumed = names.into_iter().map(|name| {
        let value = if topics.contains(&name) {
            "arn:aws:sns:eu-central-1:000000000000:assumed"
        } else {
            "assumed"
        };
        (name, value.to_owned())
    });
    assumed.collect()
}

/// The receivers that a tree names.
fn named(route: &written::Route) -> BTreeSet<&str> {
    let own = route
        .receiver
        .iter()
        .flat_map(|names| &names.0)
        .map(String::as_str);
    own.chain(route.routes.iter().flat_map(named)).collect()
}

/// Reads the matchers of a list; what cannot be read is a problem.
fn matchers(texts: &written::OneOrMore, place: &str, findings: &mut Findings) -> Vec<Matcher> {
    let texts = texts.0.iter().enumerate();
    let read = texts.filter_map(|(index, text)| {
        findings.value(&format!("{place}[{index}]"), matcher::parse(text))
    });
    read.flatten().collect()
}

fn allowed_hosts(texts: &[String], findings: &mut Findings) -> Vec<HostPattern> {
    let texts = texts.iter().enumerate();
    let named = texts.filter_map(|(index, text)| {
        findings.value(&format!("allowed_hosts[{index}]"), HostPattern::parse(text))
    });
    let named: Vec<HostPattern> = named.collect();
    HostPattern::known().chain(named).collect()
}

/// Warns of what no route names, and of alerts that reach nobody because there is no receiver for them.
fn unused(
    receivers: &[Receiver],
    intervals: &[TimeInterval],
    root: &Route,
    findings: &mut Findings,
) {
    let routes = root.all();
    for receiver in receivers {
        let name = receiver.name.as_str();
        if !routes
            .iter()
            .any(|route| route.receivers.iter().any(|one| one == name))
        {
            findings.warning(
                "receivers",
                format_args!("no route names {name}: it gets nothing"),
            );
        }
    }
    for interval in intervals {
        let names = routes.iter().flat_map(|route| {
            route
                .mute_time_intervals
                .iter()
                .chain(&route.active_time_intervals)
        });
        if !names.into_iter().any(|name| *name == interval.name) {
            findings.warning(
                "time_intervals",
                format_args!("no route names {:?}", interval.name),
            );
        }
    }
}
