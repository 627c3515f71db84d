//! `pipewarden route` and what `check` says of alerts, as their users and their tools meet them.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the functions that they share"
)]

use insta::assert_snapshot;
use rstest::rstest;
use serde_json::Value;
use std::process::{Command, Output};

const SF_USER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../pipelines/sf-user.yaml");

/// The full example of docs/alerting.md.
const DOCUMENTED: &str = include_str!("../../docs/alerting.md");

fn pipewarden(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pipewarden"))
        .args(arguments)
        .output()
        .unwrap()
}

/// A profile in a file of its own, gone with the value.
struct Profile(std::path::PathBuf);

impl Profile {
    fn new(test: &str, alerts: &str) -> Self {
        let name = format!("pipewarden-route-{test}-{}.yaml", std::process::id());
        let path = std::env::temp_dir().join(name);
        let head = "pipeline: sf_user\nmetrics: { namespace: SfUserPipeline }\n";
        std::fs::write(&path, format!("{head}{alerts}")).unwrap();
        Self(path)
    }

    fn documented(test: &str) -> Self {
        let (_, example) = DOCUMENTED.split_once("```yaml\n").unwrap();
        Self::new(test, example.split_once("```").unwrap().0)
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Output {
        pipewarden(&[&[command, self.0.to_str().unwrap()], arguments].concat())
    }

    /// The output of a command, and its exit code; the file's own path is left out.
    fn shown(&self, command: &str, arguments: &[&str]) -> String {
        shown(&self.run(command, arguments)).replace(self.0.to_str().unwrap(), "profile.yaml")
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    format!(
        "{}{}exit {}",
        text(&output.stdout),
        text(&output.stderr),
        output.status.code().unwrap()
    )
}

#[test]
fn the_usual_way_of_an_urgent_alert() {
    let output = pipewarden(&[
        "route",
        SF_USER,
        "--severity",
        "HIGH",
        "--at",
        "2026-11-20T12:00:00Z",
    ]);
    let shown = shown(&output);
    assert_snapshot!(shown);
    // What the documentation shows is what is printed.
    let (_, page) = DOCUMENTED
        .split_once("--severity HIGH    # where such an alert would go\n")
        .unwrap();
    let (page, _) = page.split_once("```").unwrap();
    assert_eq!(shown.trim_end_matches("exit 0"), page);
}

#[rstest]
#[case::low_waits("low", &["--severity", "LOW"])]
#[case::weighed_by_the_profile("weighed", &["--error-type", "dbt_test_failure"])]
#[case::an_alarm("alarm", &["--source", "cloudwatch", "--alarm", "cost-of-queries"])]
#[case::an_alarm_of_the_stack("alarm-of-the-stack", &["--source", "cloudwatch", "--alarm", "sf-user-prod-GlueJobFailureAlarm"])]
#[case::an_alert_about_a_run("alert-about-a-run", &["--error-type", "glue_job_failure"])]
#[case::a_text("text", &["--source", "text"])]
#[case::an_alarm_that_states_it("alarm-that-states-it", &["--source", "cloudwatch", "--alarm", "[LOW] disk of the load"])]
fn usual_ways(#[case] name: &str, #[case] arguments: &[&str]) {
    let all = [
        &["route", SF_USER, "--at", "2026-11-20T12:00:00Z"],
        arguments,
    ]
    .concat();
    assert_snapshot!(format!("usual-{name}"), shown(&pipewarden(&all)));
}

#[rstest]
#[case::night("night", &["--severity", "HIGH", "--at", "2026-11-21T03:00:00Z"])]
#[case::critical_at_night("critical-at-night", &["--severity", "CRITICAL", "--at", "2026-11-21T03:00:00Z"])]
#[case::office("office", &["--severity", "HIGH", "--root-cause", "quota", "--at", "2026-11-20T12:00:00Z"])]
#[case::its_end("its-end", &["--severity", "HIGH", "--root-cause", "quota", "--status", "resolved", "--at", "2026-11-21T03:00:00Z"])]
#[case::elsewhere("elsewhere", &["--severity", "CRITICAL", "--environment", "dev", "--at", "2026-11-20T12:00:00Z"])]
#[case::follower("follower", &["--severity", "MEDIUM", "--at", "2026-11-20T12:00:00Z"])]
#[case::digest("digest", &["--source", "cloudwatch", "--alarm", "cost-of-queries", "--at", "2026-11-20T12:00:00Z"])]
fn documented_ways(#[case] name: &str, #[case] arguments: &[&str]) {
    let profile = Profile::documented(name);
    assert_snapshot!(
        format!("documented-{name}"),
        profile.shown("route", arguments)
    );
}

#[test]
fn tools_get_json() {
    let profile = Profile::documented("json");
    let output = profile.run(
        "route",
        &[
            "--severity",
            "HIGH",
            "--at",
            "2026-11-21T03:00:00Z",
            "--json",
        ],
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    insta::assert_json_snapshot!(answer);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn nobody_is_an_answer_with_an_exit_code() {
    let profile = Profile::new(
        "nobody",
        "alerts:
  receivers: [{ name: night-shift, pagerduty: {}, send_resolved: false }]
  route:
    receiver: []
    routes: [{ matchers: severity=CRITICAL, receiver: night-shift, active_time_intervals: [nights] }]
  time_intervals:
    - { name: nights, time_intervals: [{ times: [{ start_time: 00:00, end_time: 06:00 }], location: Europe/Berlin }] }
",
    );
    let mut all = String::new();
    for arguments in [
        &["--severity", "CRITICAL", "--at", "2026-11-20T12:00:00Z"][..],
        &[
            "--severity",
            "CRITICAL",
            "--at",
            "2026-11-21T03:00:00Z",
            "--status",
            "resolved",
        ],
        &[
            "--severity",
            "HIGH",
            "--at",
            "2026-11-21T03:00:00Z",
            "--json",
        ],
    ] {
        all.push_str(&profile.shown("route", arguments));
        all.push_str("\n\n");
    }
    assert_snapshot!(all);
}

#[rstest]
#[case::no_profile(&["route", "/nonexistent.yaml", "--severity", "HIGH"], "cannot read the profile")]
#[case::no_severity(&["route", SF_USER, "--severity", "URGENT"], "unknown name \"URGENT\"; known are LOW, MEDIUM, HIGH, CRITICAL")]
#[case::no_time(&["route", SF_USER, "--at", "tomorrow"], "invalid value 'tomorrow'")]
fn what_cannot_be_asked_is_no_answer(#[case] arguments: &[&str], #[case] expected: &str) {
    let output = pipewarden(arguments);
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn everything_that_is_wrong_is_said_by_route_and_check() {
    let profile = Profile::new(
        "wrong",
        "alerts:
  receivers:
    - { name: team, slack: {} }
    - { name: team, webhook: { secret: 'https://hooks.example.com/T0' } }
  route:
    receiver: teem
    routes:
      - { matchers: ['severity=URGENT'] }
      - { matchers: ['severty=HIGH'], mute_time_intervals: [nights] }
  time_intervals:
    - { name: night, time_intervals: [{ times: [{ start_time: 22:00, end_time: 06:00 }], location: Europe/Berln }] }
",
    );
    let route = profile.shown("route", &["--severity", "HIGH"]);
    assert_snapshot!(route);
    assert_eq!(
        profile.shown("check", &[]),
        route.replace("exit 2", "exit 1")
    );
}

#[test]
fn a_typing_error_is_shown_where_it_is() {
    let profile = Profile::new("typo", "alerts:\n  route:\n    reciever: team\n");
    let shown = profile.shown("route", &["--severity", "HIGH"]);
    assert!(
        shown.contains("reciever") && shown.contains("line 5"),
        "{shown}"
    );
}

#[test]
fn check_names_the_receivers_and_what_is_odd() {
    let profile = Profile::new(
        "odd",
        "alerts:
  receivers: [{ name: team, slack: {} }, { name: idle, teams: {} }]
  route: { receiver: team }
",
    );
    assert_snapshot!(profile.shown("check", &[]));
}

#[test]
fn check_warns_of_an_inhibition_that_cannot_act() {
    let alerts = "alerts:
  inhibit_rules:
    - { source_matchers: ['alarm=\"db-down\"'], target_matchers: ['alarm=~\"etl-.*\"'] }
";
    let profile = Profile::new("inhibition", alerts);
    let shown = profile.shown("check", &[]);
    assert!(
        shown.contains("warning: alerts.inhibit_rules[0].equal: "),
        "{shown}"
    );
    let asked = ["--source", "cloudwatch", "--alarm", "etl-load"];
    let route = profile.shown("route", &asked);
    assert!(!route.contains("held back"), "{route}");
}

#[test]
fn help_shows_how_it_is_used() {
    let output = pipewarden(&["route", "--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        help.contains("pipewarden route pipelines/sf-user.yaml --severity HIGH"),
        "{help}"
    );
    assert!(
        help.contains("Exit codes: 0 somebody gets it, 1 nobody does, 2"),
        "{help}"
    );
}
