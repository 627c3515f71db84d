//! What a profile may say, and what is said of it where it is wrong.

use super::super::{Alerting, ReceiverChannel, Secret, assumed_settings};
use super::{at, deliveries, documented, labels, resolved};
use crate::profile::Profile;
use rstest::rstest;

const NOON: &str = "2026-11-20T12:00:00Z";

#[test]
fn the_full_example_is_used_as_it_is_written() {
    let alerting = documented();
    assert_eq!(alerting.warnings, Vec::<String>::new());
    let channels: Vec<String> = alerting
        .receivers
        .iter()
        .map(|receiver| {
            format!(
                "{} {} {}",
                receiver.name,
                receiver.channel.as_str(),
                receiver.send_resolved
            )
        })
        .collect();
    assert_eq!(
        channels,
        [
            "data-team Slack bot true",
            "on-call PagerDuty true",
            "platform Teams false",
            "ticketing webhook true",
        ]
    );
    assert_eq!(
        alerting.receivers[3].channel,
        ReceiverChannel::Webhook {
            secret: Secret::Parameter("/alerts/ticketing".to_owned())
        }
    );
    // Friday night in Berlin, 23:30: HIGH wakes nobody, CRITICAL does.
    let night = "2026-11-20T22:30:00Z";
    let high = "source=pipewarden severity=HIGH environment=prod root_cause=throttling";
    assert_eq!(
        deliveries(&alerting, high, NOON),
        ["on-call now 1h", "data-team now 4h"]
    );
    assert_eq!(deliveries(&alerting, high, night), ["data-team now 4h"]);
    let critical = "source=pipewarden severity=CRITICAL environment=prod";
    assert_eq!(
        deliveries(&alerting, critical, night),
        ["on-call now 1h", "data-team now 4h"]
    );
    let permission = "source=pipewarden severity=HIGH environment=prod root_cause=permission";
    assert_eq!(
        deliveries(&alerting, permission, NOON),
        ["on-call now 1h", "platform now 24h", "data-team now 4h"]
    );
    let gone =
        "source=pipewarden severity=HIGH environment=prod root_cause=permission status=resolved";
    assert_eq!(
        deliveries(&alerting, gone, night),
        ["on-call now 1h", "data-team now 4h"]
    );
    let dev = "source=pipewarden severity=CRITICAL environment=dev";
    assert_eq!(deliveries(&alerting, dev, NOON), Vec::<String>::new());
    assert!(alerting.allows("tickets.example.com") && alerting.allows("hooks.slack.com"));
    assert!(!alerting.allows("example.com"));
}

#[rstest]
#[case::pages_and_posts("severity=CRITICAL", &["pagerduty now 4h", "slack now 4h", "teams now 4h", "webhook now 4h"])]
#[case::pages_and_posts("severity=HIGH", &["pagerduty now 4h", "slack now 4h", "teams now 4h", "webhook now 4h"])]
#[case::posts("severity=MEDIUM", &["slack now 4h", "teams now 4h", "webhook now 4h"])]
#[case::waits("severity=LOW", &["slack digest 4h", "teams digest 4h", "webhook digest 4h"])]
#[case::text("source=text", &["slack now 4h", "teams now 4h", "webhook now 4h"])]
#[case::end("severity=HIGH status=resolved", &["pagerduty now 4h", "slack now 4h", "teams now 4h", "webhook now 4h"])]
fn without_a_word_the_usual_holds(#[case] labels: &str, #[case] expected: &[&str]) {
    let alerting = resolved("").unwrap();
    assert_eq!(deliveries(&alerting, labels, NOON), expected);
    assert_eq!(alerting.warnings, Vec::<String>::new());
    assert_eq!(
        (alerting.storm.more_than, alerting.storm.window.as_secs()),
        (10, 300)
    );
    assert_eq!(alerting.digest.next(at(NOON)), at("2026-11-21T09:00:00Z"));
    assert!(alerting.allows("contoso.webhook.office.com") && !alerting.allows("example.com"));
}

#[test]
fn what_is_not_used_is_warned_of() {
    let yaml = "
receivers: [{ name: team, slack: {} }, { name: idle, teams: {} }]
route: { receiver: team }
time_intervals: [{ name: nights, time_intervals: [{ weekdays: [monday] }] }]";
    assert_eq!(
        resolved(yaml).unwrap().warnings,
        [
            "alerts.receivers: no route names idle: it gets nothing",
            "alerts.time_intervals: no route names \"nights\"",
        ]
    );
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let yaml = "
receivers:
  - { name: team, slack: { secret: 'https://hooks.slack.com/services/T0/B0/verysecret' } }
  - { name: team, slack: {}, teams: {} }
  - { name: 'a b' }
  - { name: chat, chatbot: { topic_arn: 'arn:aws:sqs:eu-central-1:123456789012:q' } }
  - { name: page, pagerduty: {} }
route:
  matchers: [severity=HIGH]
  mute_time_intervals: [nights]
  routes:
    - { receiver: teem, matchers: [severty=HIGH, 'pipeline=~\"(\"'], repeat_interval: soon }
    - { receiver: page, timing: digest, mute_time_intervals: [night] }
    - { matchers: severity=URGENT }
time_intervals:
  - name: nights
    time_intervals:
      - times: [{ start_time: 22:00, end_time: 06:00 }]
        weekdays: [monday:fryday, 7]
        days_of_month: [0, -1, 1:5]
        months: [13]
        years: [99]
        location: Europe/Berln
      - {}
  - { name: nights, time_intervals: [] }
inhibit_rules:
  - { target_matchers: [severity=LOW], equal: [team] }
storm: { more_than: 0, window: 2d }
digest: { every: 5h, at: '25:00', time_zone: Mars }
allowed_hosts: ['https://example.com/x', 169.254.169.254]";
    let problems = resolved(yaml).unwrap_err();
    let places: Vec<&str> = problems
        .iter()
        .filter_map(|problem| Some(problem.split_once(": ")?.0))
        .collect();
    assert_eq!(
        places,
        [
            "alerts.receivers[0].slack.secret",
            "alerts.receivers[1].name",
            "alerts.receivers[1]",
            "alerts.receivers[2].name",
            "alerts.receivers[2]",
            "alerts.receivers[3].chatbot.topic_arn",
            "alerts.time_intervals[0].time_intervals[0].times[0]",
            "alerts.time_intervals[0].time_intervals[0].weekdays[0]",
            "alerts.time_intervals[0].time_intervals[0].weekdays[1]",
            "alerts.time_intervals[0].time_intervals[0].days_of_month[0]",
            "alerts.time_intervals[0].time_intervals[0].months[0]",
            "alerts.time_intervals[0].time_intervals[0].years[0]",
            "alerts.time_intervals[0].time_intervals[0].location",
            "alerts.time_intervals[0].time_intervals[1]",
            "alerts.time_intervals[1].name",
            "alerts.time_intervals[1].time_intervals",
            "alerts.route.matchers",
            "alerts.route.mute_time_intervals",
            "alerts.route.receiver",
            "alerts.route.routes[0].repeat_interval",
            "alerts.route.routes[0].matchers[0]",
            "alerts.route.routes[0].matchers[1]",
            "alerts.route.routes[0].receiver",
            "alerts.route.routes[1].mute_time_intervals[0]",
            "alerts.route.routes[1].timing",
            "alerts.route.routes[2]",
            "alerts.inhibit_rules[0].source_matchers",
            "alerts.inhibit_rules[0].equal[0]",
            "alerts.storm.more_than",
            "alerts.storm.window",
            "alerts.digest.every",
            "alerts.digest.at",
            "alerts.digest.time_zone",
            "alerts.allowed_hosts[0]",
            "alerts.allowed_hosts[1]",
        ]
    );
    assert!(!problems.join("\n").contains("verysecret"), "{problems:?}");
}

#[rstest]
#[case::typo(
    "- { receiver: slack, matchers: severity=URGENT }",
    "routes[0]: can never match: severity=\"URGENT\"; severity is one of LOW, MEDIUM, HIGH, CRITICAL"
)]
#[case::none_is_without(
    "- { receiver: slack, matchers: 'severity=\"\"' }",
    "routes[0]: can never match"
)]
#[case::equal_for_pattern(
    "- { receiver: slack, matchers: severity=HIGH|CRITICAL }",
    "routes[0]: can never match"
)]
#[case::pattern(
    "- { receiver: slack, matchers: 'error_type=~\"glu_.*\"' }",
    "routes[0]: can never match"
)]
#[case::both(
    "- { receiver: slack, matchers: [pipeline=a, pipeline=b] }",
    "can never match: pipeline=\"a\" and pipeline=\"b\""
)]
#[case::above(
    "- { matchers: severity=HIGH, routes: [{ matchers: severity=LOW }] }",
    "routes[0].routes[0]: can never match"
)]
#[case::after_all(
    "- { receiver: slack }\n    - { matchers: severity=LOW }",
    "routes[1]: can never match: alerts.route.routes[0] takes all of it before"
)]
#[case::after_wider(
    "- { matchers: 'severity=~\"HIGH|LOW\"' }\n    - { matchers: [severity=LOW, pipeline=a] }",
    "routes[1]: can never match"
)]
#[case::after_same(
    "- { matchers: 'pipeline=~\"a.*\"' }\n    - { matchers: ['pipeline=~\"a.*\"', severity=LOW] }",
    "routes[1]: can never match"
)]
fn a_route_that_can_never_match_is_a_problem(#[case] routes: &str, #[case] expected: &str) {
    let problems = resolved(&format!(
        "route:\n  receiver: [slack, pagerduty, teams, webhook]\n  routes:\n    {routes}"
    ))
    .unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(expected), "{problems:?}");
}

#[rstest]
#[case::goes_on("- { receiver: slack, continue: true }\n    - { matchers: severity=LOW }")]
#[case::narrower_first(
    "- { matchers: [severity=LOW, pipeline=a] }\n    - { matchers: severity=LOW }"
)]
#[case::free_names("- { matchers: 'pipeline=~\"a.*\"' }\n    - { matchers: 'pipeline=~\"b.*\"' }")]
#[case::no_cause("- { matchers: root_cause!=\"\" }\n    - { matchers: root_cause!=quota }")]
fn a_route_that_may_match_is_none(#[case] routes: &str) {
    let yaml =
        format!("route:\n  receiver: [slack, pagerduty, teams, webhook]\n  routes:\n    {routes}");
    assert_eq!(resolved(&yaml).unwrap().warnings, Vec::<String>::new());
}

#[test]
fn low_waits_unless_a_route_says_now() {
    let yaml = "
route:
  receiver: [slack, pagerduty]
  routes:
    - { matchers: environment=prod, receiver: slack, timing: now }
    - { matchers: environment=test, receiver: slack, timing: digest }";
    let alerting = resolved(yaml).unwrap();
    assert_eq!(
        deliveries(&alerting, "severity=LOW", NOON),
        ["slack digest 4h", "pagerduty now 4h"]
    );
    assert_eq!(
        deliveries(&alerting, "severity=LOW environment=prod", NOON),
        ["slack now 4h"]
    );
    assert_eq!(
        deliveries(&alerting, "severity=CRITICAL environment=test", NOON),
        ["slack digest 4h"]
    );
}

#[test]
fn inhibition_can_be_switched_off() {
    let (source, target) = (
        labels("severity=CRITICAL pipeline=p environment=prod"),
        labels("severity=LOW pipeline=p environment=prod"),
    );
    assert_eq!(
        resolved("")
            .unwrap()
            .inhibitor(&source, &target)
            .unwrap()
            .to_string(),
        "{severity=\"CRITICAL\", source!=\"cloudwatch\"} holds back {severity=~\"MEDIUM|LOW\", source!=\"cloudwatch\"} of the same pipeline and environment"
    );
    assert_eq!(
        resolved("inhibit_rules: []")
            .unwrap()
            .inhibitor(&source, &target),
        None
    );
}

#[test]
fn a_tree_without_end_is_refused_and_not_walked() {
    let tree = |deep: usize| {
        let (open, close) = ("{ receiver: slack, routes: [", "] }");
        let tree = format!("{}{}", open.repeat(deep), close.repeat(deep));
        Profile::parse(&format!(
            "pipeline: p\nmetrics: {{ namespace: N }}\nalerts: {{ route: {tree} }}"
        ))
    };
    let alerts = tree(30).unwrap().alerts;
    let alerting = Alerting::resolve(&alerts, &assumed_settings(&alerts)).unwrap();
    assert_eq!(
        deliveries(&alerting, "severity=HIGH", NOON),
        ["slack now 4h"]
    );
    assert!(tree(5_000).unwrap_err().to_string().contains("depth"));
}
