//! What the tree means, said in another way: of each node alone, from its path, by brute force.

use super::super::{Timing, written};
use proptest::prelude::*;
use std::collections::BTreeMap;

pub(super) const RECEIVERS: [&str; 4] = ["slack", "pagerduty", "teams", "webhook"];

/// Matchers that a tree is made of: a label, whether it is turned around, the values.
pub(super) const MATCHERS: [(&str, bool, &[&str]); 8] = [
    ("severity", false, &["HIGH"]),
    ("severity", false, &["LOW", "MEDIUM"]),
    ("severity", true, &["LOW"]),
    ("environment", false, &["prod"]),
    ("environment", true, &["prod", "dev"]),
    ("pipeline", false, &["a", ""]),
    ("pipeline", true, &[""]),
    ("status", false, &["resolved"]),
];

/// The matcher as a profile writes it.
fn text((label, negated, values): &(&str, bool, &[&str])) -> String {
    let operator = if *negated { "!~" } else { "=~" };
    format!("{label}{operator}\"{}\"", values.join("|"))
}

fn matches(text_of: &str, labels: &BTreeMap<&'static str, String>) -> bool {
    let (label, negated, values) = MATCHERS.iter().find(|one| text(one) == text_of).unwrap();
    let value = labels.get(label).map_or("", String::as_str);
    values.contains(&value) != *negated
}

fn takes(route: &written::Route, labels: &BTreeMap<&'static str, String>) -> bool {
    route
        .matchers
        .0
        .iter()
        .all(|matcher| matches(matcher, labels))
}

/// The node at the end of a path, by positions.
fn node<'a>(root: &'a written::Route, path: &[usize]) -> &'a written::Route {
    path.iter()
        .fold(root, |route, position| &route.routes[*position])
}

fn paths(root: &written::Route, above: &[usize]) -> Vec<Vec<usize>> {
    let mut all = vec![above.to_vec()];
    for position in 0..node(root, above).routes.len() {
        all.extend(paths(root, &[above, &[position]].concat()));
    }
    all
}

/// Whether an alert comes to a node: it and all above match, and no earlier sibling of any of them keeps the alert.
fn is_reached(
    root: &written::Route,
    path: &[usize],
    labels: &BTreeMap<&'static str, String>,
) -> bool {
    (0..=path.len()).all(|length| takes(node(root, &path[..length]), labels))
        && (0..path.len()).all(|length| {
            let siblings = &node(root, &path[..length]).routes[..path[length]];
            siblings
                .iter()
                .all(|sibling| sibling.continues || !takes(sibling, labels))
        })
}

/// The paths of the nodes that take an alert: an alert comes to them, and none of their children matches.
pub(super) fn taken(
    root: &written::Route,
    labels: &BTreeMap<&'static str, String>,
) -> Vec<Vec<usize>> {
    let mut all = paths(root, &[]);
    all.retain(|path| {
        is_reached(root, path, labels)
            && !node(root, path)
                .routes
                .iter()
                .any(|child| takes(child, labels))
    });
    all
}

/// Who gets an alert, when, and how many seconds until it is told again.
pub(super) fn deliveries(
    root: &written::Route,
    labels: &BTreeMap<&'static str, String>,
    is_morning: bool,
) -> BTreeMap<String, (Timing, i64)> {
    let mut all = BTreeMap::new();
    let on = if is_morning { "mornings" } else { "evenings" };
    let is_gone = labels
        .get("status")
        .is_some_and(|status| status == "resolved");
    for path in taken(root, labels) {
        let own = node(root, &path);
        let has = |names: &[String]| names.iter().any(|name| name == on);
        let inactive = !own.active_time_intervals.is_empty() && !has(&own.active_time_intervals);
        if !is_gone && (inactive || has(&own.mute_time_intervals)) {
            continue;
        }
        let up = || {
            (0..=path.len())
                .rev()
                .map(|length| node(root, &path[..length]))
        };
        let timing = up().find_map(|route| route.timing);
        let repeat = up().find_map(|route| route.repeat_interval.as_deref());
        let seconds = repeat.map_or(4 * 3600, |hours| {
            hours.trim_end_matches('h').parse::<i64>().unwrap() * 3600
        });
        let low = labels
            .get("severity")
            .is_some_and(|severity| severity == "LOW");
        for name in up()
            .find_map(|route| route.receiver.as_ref())
            .into_iter()
            .flat_map(|names| &names.0)
        {
            let timing = match timing {
                _ if name == "pagerduty" => Timing::Now,
                None if low => Timing::Digest,
                None => Timing::Now,
                Some(timing) => timing,
            };
            let this = (timing, seconds);
            all.entry(name.clone())
                .and_modify(|known| *known = this.min(*known))
                .or_insert(this);
        }
    }
    all
}

fn names(of: &'static [&'static str], most: usize) -> impl Strategy<Value = Vec<String>> {
    let name = prop::sample::select(of).prop_map(str::to_owned);
    prop::collection::vec(name, 0..=most)
}

fn leaf() -> impl Strategy<Value = written::Route> {
    const INTERVALS: &[&str] = &["mornings", "evenings"];
    let matcher = prop::sample::select(&MATCHERS[..]).prop_map(|one| text(&one));
    (
        prop::option::of(names(&RECEIVERS, 3).prop_map(written::OneOrMore)),
        prop::collection::vec(matcher, 0..3).prop_map(written::OneOrMore),
        any::<bool>(),
        prop::option::of(prop::sample::select(&[Timing::Now, Timing::Digest][..])),
        prop::option::of((1..9_u8).prop_map(|hours| format!("{hours}h"))),
        names(INTERVALS, 1),
        names(INTERVALS, 1),
    )
        .prop_map(
            |(receiver, matchers, continues, timing, repeat_interval, mute, active)| {
                written::Route {
                    receiver,
                    matchers,
                    continues,
                    timing,
                    repeat_interval,
                    mute_time_intervals: mute,
                    active_time_intervals: active,
                    routes: Vec::new(),
                }
            },
        )
}

/// Any tree, up to four levels deep.
pub(super) fn trees() -> impl Strategy<Value = written::Route> {
    let node = leaf().prop_recursive(3, 40, 4, |below| {
        (leaf(), prop::collection::vec(below, 0..5))
            .prop_map(|(route, routes)| written::Route { routes, ..route })
    });
    (names(&RECEIVERS, 3), prop::collection::vec(node, 0..5)).prop_map(|(receiver, routes)| {
        written::Route {
            receiver: Some(written::OneOrMore(receiver)),
            routes,
            ..written::Route::default()
        }
    })
}

/// Any alert.
pub(super) fn any_labels() -> impl Strategy<Value = BTreeMap<&'static str, String>> {
    let one = |values: &'static [&'static str]| prop::sample::select(values);
    (
        one(&["CRITICAL", "HIGH", "MEDIUM", "LOW", ""]),
        one(&["prod", "dev", "test", ""]),
        one(&["a", "b", ""]),
        one(&["firing", "resolved"]),
    )
        .prop_map(|(severity, environment, pipeline, status)| {
            let all = [
                ("severity", severity),
                ("environment", environment),
                ("pipeline", pipeline),
                ("status", status),
            ];
            let there = all.into_iter().filter(|(_, value)| !value.is_empty());
            there
                .map(|(name, value)| (name, value.to_owned()))
                .collect()
        })
}
