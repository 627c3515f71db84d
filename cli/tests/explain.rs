//! `pipewarden explain` as its users and their tools meet it.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in the functions that they share"
)]

use rstest::rstest;
use serde_json::Value;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs `pipewarden explain` on a text as standard input.
fn explain(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_pipewarden"))
        .args(["explain", "-"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn read(input: &str) -> String {
    let output = explain(&[], input);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn details(input: &str) -> Value {
    let output = explain(&["--json"], input);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_person_learns_whether_to_wait_and_whom_to_ask() {
    let text = read(
        "An error occurred (ThrottlingException) when calling the GetPartitions operation: Rate exceeded",
    );
    for line in [
        "root cause: throttling",
        "will waiting help? yes",
        "escalate to: ",
        "told by: ",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(read("java.lang.OutOfMemoryError: Java heap space").contains("will waiting help? no"));
}

/// A message, as it stands in what people paste: a log whose entries are JSON, JSON in a line of a log, a frame.
#[rstest]
#[case::json(r#"{"level":"error","time":"2026-03-16","msg":"pq: PAM authentication failed for user \"etl\""}"#)]
#[case::json_lines(
    "{\"level\":\"info\",\"message\":\"connecting\"}\n{\"level\":\"error\",\"message\":\"PAM authentication failed for user \\\"etl\\\"\"}\n"
)]
#[case::json_in_a_line(
    r#"10:02:11 worker-3 {"msg":"PAM authentication\nfailed for user \"etl\""}"#
)]
#[case::framed(
    "╭─ Error ───────────────╮\n│ PAM authentication    │\n│ failed for user \"etl\" │\n╰───────────────────────╯"
)]
fn what_was_put_around_a_message_hides_nothing(#[case] input: &str) {
    let details = details(input);
    let cause = &details["root_cause"];
    assert_eq!(cause["code"], "authentication", "{details}");
    assert_eq!(cause["confidence"], "high", "{details}");
}

/// What a logger calls no error is none, in JSON as in words.
#[test]
fn an_entry_of_information_is_no_complaint() {
    let log = "{\"level\":\"info\",\"message\":\"java.lang.OutOfMemoryError: Java heap space is retried\"}\n\
        {\"level\":\"error\",\"message\":\"FATAL: password authentication failed for user etl\"}";
    assert_eq!(details(log)["root_cause"]["code"], "authentication");
}

/// What a person has at hand of a run that failed, besides events.
#[rstest]
#[case::described(
    r#"{"executionArn": "arn:aws:states:eu-central-1:111111111111:execution:etl:run-1", "stateMachineArn": "arn:aws:states:eu-central-1:111111111111:stateMachine:etl",
        "name": "run-1", "status": "TIMED_OUT", "startDate": "2026-03-01T06:00:00.123000+01:00", "stopDate": "2026-03-01T07:00:00.456000+01:00"}"#
)]
#[case::output(r#"{"Error": "States.Timeout", "Cause": ""}"#)]
#[case::output_without_cause(r#"{"Error": "States.Timeout"}"#)]
#[case::in_a_queue(
    r#"{"Records": [{"messageId": "1", "body": "{\"Type\": \"Notification\", \"Message\": \"{\\\"source\\\": \\\"aws.states\\\", \\\"detail-type\\\": \\\"Step Functions Execution Status Change\\\", \\\"detail\\\": {\\\"status\\\": \\\"TIMED_OUT\\\"}}\"}"}]}"#
)]
fn what_is_at_hand_is_read(#[case] input: &str) {
    let details = details(input);
    assert_eq!(details["root_cause"]["code"], "timeout", "{details}");
    let message = details["error_message"].as_str().unwrap();
    assert!(!message.contains("could not read"), "{message}");
}

/// Of an event that is not known a person sees what it holds, whatever its line breaks.
#[test]
fn an_unknown_event_is_shown() {
    let text = read("{\n  \"shipped\": {\n    \"order\": 12\n  }\n}\n");
    assert!(
        text.lines().next().unwrap().contains("\"order\": 12"),
        "{text}"
    );
}

#[test]
fn help_shows_how_it_is_used() {
    let output = Command::new(env!("CARGO_BIN_EXE_pipewarden"))
        .args(["explain", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(
        help.contains("| pipewarden explain -") && help.contains("Exit codes: 0"),
        "{help}"
    );
}

const SUCCEEDED: &str = r#"{"detail-type": "Step Functions Execution Status Change", "detail": {"status": "SUCCEEDED"}}"#;

#[test]
fn an_event_that_tells_of_no_failure_is_called_that() {
    for event in [
        SUCCEEDED.to_owned(),
        SUCCEEDED.replace("SUCCEEDED", "RUNNING"),
    ] {
        assert!(read(&event).starts_with("The event tells of no failure"));
        assert_eq!(details(&event), Value::Null);
    }
}

#[test]
fn a_text_that_is_not_known_is_not_called_an_event() {
    let text = read("the order could not be booked because of the weather");
    assert!(text.contains("root cause: unknown") && text.contains("will waiting help? not known"));
    assert!(text.contains("more of the log"), "{text}");
    assert!(!text.contains("raw event"), "{text}");
}

#[test]
fn the_part_that_failed_is_the_one_that_the_text_is_about() {
    let found = details("HIVE_METASTORE_ERROR: Table sf_user_raw is missing (Service: Athena)");
    assert_ne!(found["error_category"], "Unknown");
}

#[rstest]
#[case::byte_order_mark("\u{feff}java.lang.OutOfMemoryError: Java heap space")]
#[case::destination(
    r#"{"responsePayload": {"errorMessage": "java.lang.OutOfMemoryError: Java heap space"}}"#
)]
#[case::string(r#""java.lang.OutOfMemoryError: Java heap space""#)]
fn what_is_in_a_wrapping_is_found(#[case] input: &str) {
    assert_eq!(details(input)["root_cause"]["code"], "out_of_memory");
}

#[rstest]
#[case("")]
#[case(" \n")]
#[case("\u{feff}")]
fn nothing_cannot_be_explained(#[case] input: &str) {
    let output = explain(&[], input);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("the input is empty")
    );
}
