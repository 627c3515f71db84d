//! The tree of routes, walked as Alertmanager walks it.

use super::label::{Label, Labels};
use super::matcher::Matcher;
use super::mute::TimeInterval;
use super::receiver::Receiver;
use crate::alert::Status;
use crate::failure::Severity;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When a receiver is told; the more urgent is the smaller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timing {
    /// At once.
    Now,
    /// With the digest.
    Digest,
}

impl Timing {
    /// The name in profiles and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Digest => "digest",
        }
    }
}

/// A node of the tree; what it does not say itself is as in the node above.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Where it is in the profile, such as `route.routes[0]`.
    pub place: String,
    /// What an alert has to be for this node.
    pub matchers: Vec<Matcher>,
    /// Who gets it, by name.
    pub receivers: Vec<String>,
    /// When it is sent; where no node says it, LOW waits for the digest and all else is sent at once.
    pub timing: Option<Timing>,
    /// How long until the same problem is told again.
    pub repeat_interval: SignedDuration,
    /// Whether the next nodes of the same level are tried as well.
    pub continues: bool,
    /// Time intervals in which nothing is sent.
    pub mute_time_intervals: Vec<String>,
    /// Time intervals outside of which nothing is sent.
    pub active_time_intervals: Vec<String>,
    /// The nodes below, in order.
    pub routes: Vec<Route>,
}

/// A node that takes an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken<'a> {
    /// The way to it: from the root to the node itself.
    pub path: Vec<&'a Route>,
    /// The node.
    pub route: &'a Route,
    /// Why it sends nothing, where it does not.
    pub silenced: Option<Silenced<'a>>,
}

/// Why a node sends nothing at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Silenced<'a> {
    /// One of its `mute_time_intervals` is on.
    Muted {
        /// The interval.
        by: &'a str,
    },
    /// None of its `active_time_intervals` is on.
    Inactive {
        /// The intervals.
        outside_of: &'a [String],
    },
}

/// A message that a receiver gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery<'a> {
    /// Who.
    pub receiver: &'a Receiver,
    /// When.
    pub timing: Timing,
    /// How long until the same problem is told again.
    pub repeat_interval: SignedDuration,
}

/// Where an alert goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed<'a> {
    /// The nodes that take it, in order.
    pub taken: Vec<Taken<'a>>,
    /// Who gets it, each receiver once: of several nodes the most urgent decides.
    pub deliveries: Vec<Delivery<'a>>,
}

impl Route {
    /// The nodes that take an alert, each with the way to it. The first child that matches takes it, and the next ones
    /// as well where it says `continue`; where no child does, the node itself takes it.
    fn walk<'a>(
        &'a self,
        labels: &Labels,
        above: &[&'a Self],
        found: &mut Vec<Vec<&'a Self>>,
    ) -> bool {
        if !self.matchers.iter().all(|matcher| matcher.matches(labels)) {
            return false;
        }
        let path: Vec<&Self> = above.iter().copied().chain([self]).collect();
        let mut taken = false;
        for child in &self.routes {
            if child.walk(labels, &path, found) {
                taken = true;
                if !child.continues {
                    break;
                }
            }
        }
        if !taken {
            found.push(path);
        }
        true
    }

    /// Why the node sends nothing at a moment. A resolved notice is never held back: without it an incident that was
    /// opened before the interval would stay open (prometheus/alertmanager issue 3664).
    fn silenced<'a>(
        &'a self,
        labels: &Labels,
        at: Timestamp,
        intervals: &[TimeInterval],
    ) -> Option<Silenced<'a>> {
        if Label::Status.of(labels) == Status::Resolved.as_str() {
            return None;
        }
        let is_on = |name: &&String| {
            let named = intervals.iter().filter(|interval| interval.name == **name);
            named.into_iter().any(|interval| interval.contains(at))
        };
        let active = &self.active_time_intervals;
        if !active.is_empty() && !active.iter().any(|name| is_on(&name)) {
            return Some(Silenced::Inactive { outside_of: active });
        }
        let muted = self.mute_time_intervals.iter().find(is_on);
        muted.map(|by| Silenced::Muted { by })
    }

    fn timing(&self, labels: &Labels, receiver: &Receiver) -> Timing {
        let waits = Label::Severity.of(labels) == Severity::Low.as_str();
        match self.timing {
            _ if receiver.channel.pages() => Timing::Now,
            Some(timing) => timing,
            None if waits => Timing::Digest,
            None => Timing::Now,
        }
    }

    /// The node and all below it.
    pub(super) fn all(&self) -> Vec<&Self> {
        let below = self.routes.iter().flat_map(Self::all);
        [self].into_iter().chain(below).collect()
    }
}

/// Where an alert goes at a moment.
pub(super) fn route<'a>(
    root: &'a Route,
    receivers: &'a [Receiver],
    intervals: &[TimeInterval],
    labels: &Labels,
    at: Timestamp,
) -> Routed<'a> {
    let mut paths = Vec::new();
    root.walk(labels, &[], &mut paths);
    let taken: Vec<Taken<'a>> = paths
        .into_iter()
        .filter_map(|path| {
            let route = *path.last()?;
            let silenced = route.silenced(labels, at, intervals);
            Some(Taken {
                path,
                route,
                silenced,
            })
        })
        .collect();
    let is_gone = Label::Status.of(labels) == Status::Resolved.as_str();
    let mut deliveries = Vec::new();
    for taken in taken.iter().filter(|taken| taken.silenced.is_none()) {
        let named = taken.route.receivers.iter();
        let known = named.filter_map(|name| receivers.iter().find(|one| one.name.as_str() == name));
        for receiver in known.filter(|receiver| receiver.send_resolved || !is_gone) {
            let delivery = Delivery {
                receiver,
                timing: taken.route.timing(labels, receiver),
                repeat_interval: taken.route.repeat_interval,
            };
            add(delivery, &mut deliveries);
        }
    }
    Routed { taken, deliveries }
}

/// Adds a delivery, or makes the one that its receiver has as urgent.
fn add<'a>(delivery: Delivery<'a>, deliveries: &mut Vec<Delivery<'a>>) {
    let urgency = |delivery: &Delivery<'_>| (delivery.timing, delivery.repeat_interval);
    match deliveries
        .iter_mut()
        .find(|one| one.receiver == delivery.receiver)
    {
        Some(known) if urgency(&delivery) < urgency(known) => *known = delivery,
        Some(_) => {}
        None => deliveries.push(delivery),
    }
}
