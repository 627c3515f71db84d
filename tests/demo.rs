//! The demo as a person runs it: what it prints, how it exits, and that nothing is left running.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipewarden_local::place::Place;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn demo(arguments: &[&str]) -> Command {
    let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
    let mut command = Command::new(place.binaries.join("pipewarden-local"));
    command
        .arg("demo")
        .args(arguments)
        .env("PIPEWARDEN_PYTHON", place.python);
    command
}

fn text(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(both).unwrap()
}

#[test]
fn shows_states_checks_metrics_and_the_alert() {
    let output = demo(&["--scenario", "scd-overlap", "--users", "500"])
        .output()
        .unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for part in [
        "LoadUsers",
        "ValidateScd",
        "FAILED scd_validation_failure, as it should be",
        "dim_sf_user.no_overlap",
        "SCDIntegrityScore",
        "Environment=dev, JobType=SCD",
        "root cause  data_expectation (high confidence)",
        "arrived: 1 on the queue, 1 at Slack, 1 at the webhook",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn a_wrong_scenario_is_answered_with_those_there_are() {
    let output = demo(&["--scenario", "success!"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output)
            .contains("no scenario \"success!\"; there are: all, causes, success, glue-failure")
    );
}

#[test]
fn an_interrupt_leaves_nothing_running() {
    let mut child = demo(&["--scenario", "all", "--users", "500"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The first state has passed when its line is there: everything is up by then.
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let endpoint = lines
        .by_ref()
        .map_while(Result::ok)
        .find_map(|line| {
            line.split_once("http://")
                .map(|(_, address)| address.to_owned())
        })
        .unwrap();
    assert!(
        lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line.contains("LoadUsers"))
    );
    let interrupted = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let rest: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(
        rest.iter()
            .any(|line| line.contains("nothing is left running")),
        "{rest:?}"
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let address = endpoint.trim().parse().unwrap();
    let reached = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2));
    assert!(reached.is_err(), "the emulator still answers at {endpoint}");
}
