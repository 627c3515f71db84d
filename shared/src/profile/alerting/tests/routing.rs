//! The tree is walked as its reference says, and what is called unreachable is.

use super::super::findings::Findings;
use super::super::mute::{self, TimeInterval};
use super::super::receiver::{self, Receivers};
use super::super::route::{self, Route};
use super::super::setting;
use super::super::tree::{self, Known};
use super::super::{reach, written};
use super::{alerts, documented, labels, reference};
use jiff::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The first half of each day, and the second.
const INTERVALS: &str = "
time_intervals:
  - { name: mornings, time_intervals: [{ times: [{ start_time: 00:00, end_time: 12:00 }] }] }
  - { name: evenings, time_intervals: [{ times: [{ start_time: 12:00, end_time: 24:00 }] }] }";

struct World {
    receivers: Receivers,
    intervals: Vec<TimeInterval>,
}

impl World {
    fn new() -> Self {
        let mut findings = Findings::default();
        let settings = setting::of_receivers(None)
            .into_iter()
            .map(|name| (name, "secret".to_owned()));
        let settings: BTreeMap<String, String> = settings.collect();
        Self {
            receivers: receiver::resolve(None, &settings, &mut findings),
            intervals: mute::resolve(&alerts(INTERVALS).time_intervals, &mut findings),
        }
    }

    /// The tree, whether or not all of it can be reached.
    fn tree(&self, written: &written::Route) -> Route {
        let known = Known {
            receivers: &self.receivers,
            intervals: &self.intervals,
        };
        tree::resolve(written, &known, &mut Findings::default())
    }
}

fn place(path: &[usize]) -> String {
    let below: String = path
        .iter()
        .map(|position| format!(".routes[{position}]"))
        .collect();
    format!("route{below}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_tree_is_walked_as_its_reference_says(
        written in reference::trees(),
        labels in reference::any_labels(),
        hour in 0..24_i64,
    ) {
        let world = World::new();
        let root = world.tree(&written);
        let at = Timestamp::from_second(1_800_000_000 / 86_400 * 86_400 + hour * 3600).unwrap();
        let routed = route::route(&root, &world.receivers.reachable, &world.intervals, &labels, at);
        let taken: Vec<String> = routed.taken.iter().map(|taken| taken.route.place.clone()).collect();
        let expected: Vec<String> = reference::taken(&written, &labels).iter().map(|path| place(path)).collect();
        prop_assert_eq!(taken, expected);
        let count = routed.deliveries.len();
        let deliveries: BTreeMap<String, _> = routed
            .deliveries
            .into_iter()
            .map(|one| (one.receiver.name.to_string(), (one.timing, one.repeat_interval.as_secs())))
            .collect();
        prop_assert_eq!(count, deliveries.len(), "a receiver gets it twice");
        prop_assert_eq!(deliveries, reference::deliveries(&written, &labels, hour < 12));
    }

    #[test]
    fn what_is_called_unreachable_takes_nothing(written in reference::trees(), labels in reference::any_labels()) {
        let world = World::new();
        let mut findings = Findings::default();
        reach::check(&world.tree(&written), true, &mut findings);
        for path in reference::taken(&written, &labels) {
            let place = format!("alerts.{}: ", place(&path));
            prop_assert!(!findings.problems.iter().any(|problem| problem.starts_with(&place)), "{:?}", findings);
        }
    }
}

#[test]
fn the_way_through_the_tree_is_told() {
    let alerting = documented();
    let labels = labels("source=pipewarden severity=HIGH environment=prod root_cause=quota");
    let night = "2026-11-20T22:30:00Z".parse().unwrap();
    let routed = alerting.route(&labels, night);
    let told: Vec<String> = routed
        .taken
        .iter()
        .map(|taken| {
            let path: Vec<&str> = taken
                .path
                .iter()
                .map(|route| route.place.as_str())
                .collect();
            format!("{} {:?}", path.join(" > "), taken.silenced)
        })
        .collect();
    assert_eq!(
        told,
        [
            "route > route.routes[2] Some(Muted { by: \"nights\" })",
            "route > route.routes[3] Some(Inactive { outside_of: [\"office\"] })",
            "route > route.routes[5] None",
        ]
    );
}
