//! The tree of routes, out of what a profile says.

use super::findings::Findings;
use super::mute::TimeInterval;
use super::pace::duration;
use super::receiver::{Receiver, Receivers};
use super::route::{Route, Timing};
use super::{matchers, written};
use jiff::SignedDuration;

/// How long until the same problem is told again, where no route says otherwise.
const REPEAT_INTERVAL: SignedDuration = SignedDuration::from_hours(4);

const SHORTEST_REPEAT: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_REPEAT: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Everything that nodes can name.
pub(super) struct Known<'a> {
    pub(super) receivers: &'a Receivers,
    pub(super) intervals: &'a [TimeInterval],
}

pub(super) fn resolve(root: &written::Route, known: &Known<'_>, findings: &mut Findings) -> Route {
    for (key, is_there) in [
        ("matchers", !root.matchers.0.is_empty()),
        ("continue", root.continues),
        ("mute_time_intervals", !root.mute_time_intervals.is_empty()),
        (
            "active_time_intervals",
            !root.active_time_intervals.is_empty(),
        ),
    ] {
        if is_there {
            findings.problem(
                &format!("route.{key}"),
                "the root takes every alert at any time: write it on a route below",
            );
        }
    }
    if root.receiver.is_none() {
        findings.problem(
            "route.receiver",
            "the root needs one: it gets what no other route takes",
        );
    }
    node(root, "route".to_owned(), None, known, findings)
}

fn node(
    written: &written::Route,
    place: String,
    above: Option<&Route>,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Route {
    intervals_are_there(written, &place, known.intervals, findings);
    let repeat = written.repeat_interval.as_deref();
    let repeat = repeat.map(|text| duration(text, SHORTEST_REPEAT, LONGEST_REPEAT));
    let repeat = repeat.and_then(|read| findings.value(&format!("{place}.repeat_interval"), read));
    let mut route = Route {
        matchers: matchers(&written.matchers, &format!("{place}.matchers"), findings),
        receivers: match (&written.receiver, above) {
            (Some(names), _) => names.0.clone(),
            (None, above) => above
                .map(|above| above.receivers.clone())
                .unwrap_or_default(),
        },
        timing: written.timing.or_else(|| above?.timing),
        repeat_interval: repeat
            .or_else(|| Some(above?.repeat_interval))
            .unwrap_or(REPEAT_INTERVAL),
        continues: written.continues,
        mute_time_intervals: written.mute_time_intervals.clone(),
        active_time_intervals: written.active_time_intervals.clone(),
        routes: Vec::new(),
        place,
    };
    if let Some(names) = &written.receiver {
        receivers_are_there(&names.0, &route.place, known.receivers, findings);
    }
    if written.receiver.is_some() || written.timing.is_some() {
        digest_is_for_those_who_read(&route, known.receivers, findings);
    }
    let children = written.routes.iter().enumerate();
    route.routes = children
        .map(|(index, child)| {
            let place = format!("{}.routes[{index}]", route.place);
            node(child, place, Some(&route), known, findings)
        })
        .collect();
    route
}

fn intervals_are_there(
    route: &written::Route,
    place: &str,
    intervals: &[TimeInterval],
    findings: &mut Findings,
) {
    for (key, names) in [
        ("mute_time_intervals", &route.mute_time_intervals),
        ("active_time_intervals", &route.active_time_intervals),
    ] {
        for (index, name) in names.iter().enumerate() {
            if !intervals.iter().any(|interval| &interval.name == name) {
                let place = format!("{place}.{key}[{index}]");
                findings.problem(&place, format_args!("there is no time interval {name:?}"));
            }
        }
    }
}

fn receivers_are_there(
    names: &[String],
    place: &str,
    receivers: &Receivers,
    findings: &mut Findings,
) {
    let place = format!("{place}.receiver");
    for name in names {
        let is_reachable = receivers
            .reachable
            .iter()
            .any(|one| one.name.as_str() == name);
        if !receivers.names.contains(name) {
            let known: Vec<&str> = receivers.names.iter().map(String::as_str).collect();
            let known = known.join(", ");
            findings.problem(
                &place,
                format_args!("there is no receiver {name:?}; known are {known}"),
            );
        } else if !is_reachable && !receivers.declared {
            findings.warning(
                &place,
                format_args!(
                    "the function has no setting for the secret of {name}: it gets nothing"
                ),
            );
        }
    }
}

fn digest_is_for_those_who_read(route: &Route, receivers: &Receivers, findings: &mut Findings) {
    let mut reachable = receivers
        .reachable
        .iter()
        .filter(|_| route.timing == Some(Timing::Digest));
    let pager = reachable.find(|one| {
        one.channel.pages() && route.receivers.iter().any(|name| one.name.as_str() == name)
    });
    if let Some(pager) = pager {
        findings.problem(
            &format!("{}.timing", route.place),
            format_args!(
                "{} wakes people and takes no digest: give it a route with timing: now",
                pager.name
            ),
        );
    }
}

/// The tree of a profile that has none: everything is posted, and CRITICAL and HIGH page as well.
pub(super) fn usual(receivers: &[Receiver], findings: &mut Findings) -> Route {
    let names = |pages: bool| {
        let all = receivers
            .iter()
            .filter(move |receiver| receiver.channel.pages() == pages);
        all.map(|receiver| receiver.name.as_str().to_owned())
    };
    if receivers.is_empty() {
        findings.warning(
            "receivers",
            "nobody is configured: alerts go to the topic's other subscribers only",
        );
    } else if names(false).next().is_none() {
        findings.warning(
            "receivers",
            "all of them wake people: MEDIUM and LOW go to nobody",
        );
    }
    let root = Route {
        place: "route".to_owned(),
        matchers: Vec::new(),
        receivers: names(false).collect(),
        timing: None,
        repeat_interval: REPEAT_INTERVAL,
        continues: false,
        mute_time_intervals: Vec::new(),
        active_time_intervals: Vec::new(),
        routes: Vec::new(),
    };
    let urgent = Route {
        place: "route.routes[0]".to_owned(),
        matchers: super::matcher::parse("severity=~\"CRITICAL|HIGH\"").unwrap_or_default(),
        receivers: names(true).chain(names(false)).collect(),
        ..root.clone()
    };
    let routes = match names(true).next() {
        Some(_) => vec![urgent],
        None => Vec::new(),
    };
    Route { routes, ..root }
}
