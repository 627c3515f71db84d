//! Receivers, their secrets, and the settings they stand on.

use super::super::{Alerting, ReceiverChannel, Secret, assumed_settings, settings};
use super::{alerts, deliveries, resolved};
use crate::profile::Alerts;
use rstest::rstest;
use std::collections::BTreeMap;

const NOON: &str = "2026-11-20T12:00:00Z";

#[test]
fn usual_receivers_are_those_the_function_has_a_setting_for() {
    let slack = [(
        "SLACK_SECRET_ARN".to_owned(),
        "arn:aws:secretsmanager:eu-central-1:1:secret:s".to_owned(),
    )];
    let alerting = Alerting::resolve(&Alerts::default(), &BTreeMap::from(slack)).unwrap();
    assert_eq!(
        deliveries(&alerting, "severity=CRITICAL", NOON),
        ["slack now 4h"]
    );
    let nobody = Alerting::resolve(&Alerts::default(), &BTreeMap::new()).unwrap();
    assert_eq!(
        deliveries(&nobody, "severity=CRITICAL", NOON),
        Vec::<String>::new()
    );
    assert_eq!(
        nobody.warnings,
        ["alerts.receivers: nobody is configured: alerts go to the topic's other subscribers only"]
    );
}

#[test]
fn who_wakes_people_alone_gets_only_what_is_urgent() {
    let key = [("PAGERDUTY_SECRET_ARN".to_owned(), "key".to_owned())];
    let alerting = Alerting::resolve(&Alerts::default(), &BTreeMap::from(key)).unwrap();
    assert_eq!(
        deliveries(&alerting, "severity=HIGH", NOON),
        ["pagerduty now 4h"]
    );
    assert_eq!(
        deliveries(&alerting, "severity=MEDIUM", NOON),
        Vec::<String>::new()
    );
    assert_eq!(
        alerting.warnings,
        ["alerts.receivers: all of them wake people: MEDIUM and LOW go to nobody"]
    );
}

#[rstest]
#[case::written("{ receiver: page, timing: digest }")]
#[case::from_above(
    "{ receiver: team, timing: digest, routes: [{ matchers: severity=HIGH, receiver: page }] }"
)]
#[case::its_receiver_from_above(
    "{ receiver: page, routes: [{ matchers: severity=HIGH, timing: digest }] }"
)]
fn nobody_is_woken_by_a_digest(#[case] route: &str) {
    let yaml = format!(
        "receivers: [{{ name: team, slack: {{}} }}, {{ name: page, pagerduty: {{}} }}]\n\
         route: {{ receiver: [team], routes: [{route}] }}"
    );
    let problems = resolved(&yaml).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains(".timing: page wakes people"),
        "{problems:?}"
    );
}

#[test]
fn a_receiver_without_its_setting_is_left_out_with_a_warning() {
    let yaml = "
receivers:
  - { name: team, slack: {} }
  - { name: on-call, pagerduty: { secret: '${NIGHT_KEY}' } }
route: { receiver: [team, on-call] }";
    let alerts = alerts(yaml);
    let names: Vec<String> = settings(&alerts).into_iter().collect();
    assert_eq!(names, ["NIGHT_KEY", "SLACK_SECRET_ARN"]);
    let settings = BTreeMap::from([("SLACK_SECRET_ARN".to_owned(), "slack".to_owned())]);
    let alerting = Alerting::resolve(&alerts, &settings).unwrap();
    assert_eq!(
        deliveries(&alerting, "severity=HIGH", NOON),
        ["team now 4h"]
    );
    assert_eq!(
        alerting.warnings,
        [
            "alerts.receivers[1].pagerduty.secret: the function has no setting NIGHT_KEY: the receiver gets nothing"
        ]
    );
}

#[test]
fn a_desk_assumes_the_usual_receivers_that_a_tree_names() {
    let names = |yaml: &str| {
        assumed_settings(&alerts(yaml))
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names("route: { receiver: slack, routes: [{ receiver: [pagerduty] }] }"),
        ["PAGERDUTY_SECRET_ARN", "SLACK_SECRET_ARN"]
    );
    assert_eq!(names("").len(), 4);
}

#[rstest]
#[case::xoxb("xoxb-123456789012-abcdefABCDEF")]
#[case::url("https://hooks.slack.com/services/T0/B0/xoxverysecret")]
#[case::any_url("https://example.com/hook")]
#[case::key("an integration key with spaces")]
fn a_secret_in_a_profile_is_refused_and_not_repeated(#[case] secret: &str) {
    let yaml = format!("receivers: [{{ name: a, slack: {{ secret: '{secret}' }} }}]");
    let problems = resolved(&yaml).unwrap_err().join("\n");
    assert!(
        problems.contains("alerts.receivers[0].slack.secret: "),
        "{problems}"
    );
    assert!(!problems.contains(secret), "{problems}");
}

#[rstest]
#[case(
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-AbCdEf",
    false
)]
#[case("alerts/slack", false)]
#[case("ssm:/alerts/slack", true)]
#[case("arn:aws:ssm:eu-central-1:123456789012:parameter/alerts/slack", true)]
fn secrets_are_named(#[case] name: &str, #[case] is_parameter: bool) {
    let yaml = format!(
        "receivers: [{{ name: a, webhook: {{ secret: '{name}' }} }}]\nroute: {{ receiver: a }}"
    );
    let alerting = resolved(&yaml).unwrap();
    let text = name.trim_start_matches("ssm:").to_owned();
    let secret = if is_parameter {
        Secret::Parameter(text)
    } else {
        Secret::SecretsManager(text)
    };
    assert_eq!(
        alerting.receivers[0].channel,
        ReceiverChannel::Webhook { secret }
    );
}
