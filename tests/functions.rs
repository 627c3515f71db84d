//! The built functions over the Lambda Runtime API: every sample event, and every kind of bad input.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use hyper::body::Bytes;
use pipewarden_local::aws_stub::{AwsStub, Call};
use pipewarden_local::invoke::environment;
use pipewarden_local::place::Place;
use pipewarden_local::runtime_api::{Bootstrap, Outcome, Process};
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Hands a function the events one after another, in one process, and returns the outcomes and the calls it made.
async fn invoke(function: &str, events: Vec<Bytes>) -> (Vec<Outcome>, Vec<Call>) {
    invoke_with(function, events, &[]).await
}

/// As [`invoke`], with these variables besides.
async fn invoke_with(
    function: &str,
    events: Vec<Bytes>,
    variables: &[(&str, &str)],
) -> (Vec<Outcome>, Vec<Call>) {
    let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
    let served = AwsStub::listen().await.unwrap();
    let mut environment = environment(served.stub.url());
    environment.retain(|(name, _)| variables.iter().all(|(other, _)| other != name));
    environment.extend(
        variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );
    let bootstrap = Bootstrap {
        name: function.to_owned(),
        program: place.binaries.join(function),
        task_root: place.root,
        environment,
        ..Bootstrap::default()
    };
    let mut process = Process::start(&bootstrap).await.unwrap();
    let mut outcomes = Vec::new();
    for event in events {
        outcomes.push(process.invoke(event, TIMEOUT).await.outcome);
    }
    (outcomes, served.stub.take_calls())
}

/// Events that no function can take, and the field that the error names.
fn bad_events() -> Vec<(Bytes, &'static str)> {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let run = r#""execution_id": "run-1", "environment": "dev""#;
    vec![
        (Bytes::from_static(b"[]"), "event"),
        (Bytes::from_static(b"null"), "event"),
        (Bytes::from_static(b"\"text\""), "event"),
        (Bytes::from_static(b"7"), "event"),
        (Bytes::from_static(b""), "event"),
        (Bytes::from_static(b"{\"execution_id\": "), "event"),
        (Bytes::from_static(b"\xff\xfe{}"), "event"),
        (
            Bytes::from(format!("{{{run}, \"deep\": {}}}", nested(100_000))),
            "event",
        ),
        (
            Bytes::from(format!("{{{run}, \"pad\": \"{}\"}}", "x".repeat(6_000_000))),
            "event",
        ),
        (
            Bytes::from(format!("{{{run}, \"number\": 1e999}}")),
            "event",
        ),
    ]
}

#[rstest]
#[case("metrics-publisher")]
#[case("pipeline-validator")]
#[case("alert-fanout")]
#[tokio::test]
async fn a_bad_event_is_an_invalid_event_and_the_function_lives_on(#[case] function: &str) {
    let (mut events, fields): (Vec<Bytes>, Vec<&str>) = bad_events().into_iter().unzip();
    let good = if function == "alert-fanout" {
        "plain-text"
    } else {
        "success"
    };
    let good = if function == "pipeline-validator" {
        "dataset"
    } else {
        good
    };
    let path = format!(
        "{}/../events/{function}/{good}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    events.push(Bytes::from(std::fs::read(path).unwrap()));
    let (mut outcomes, _) = invoke(function, events).await;
    let last = outcomes.pop().unwrap();
    for (outcome, field) in outcomes.iter().zip(fields) {
        let Outcome::Error {
            error_type,
            error_message,
        } = outcome
        else {
            panic!("{field}: {outcome:?}");
        };
        assert_eq!(error_type, "InvalidEvent", "{error_message}");
        assert!(
            error_message.starts_with(&format!("{field}: expected ")),
            "{error_message}"
        );
        assert!(error_message.len() < 1_000, "an error is bounded");
    }
    assert!(matches!(last, Outcome::Response(_)), "{last:?}");
}

#[tokio::test]
async fn the_error_handler_alerts_what_it_cannot_read() {
    let (events, _): (Vec<Bytes>, Vec<&str>) = bad_events().into_iter().unzip();
    let count = events.len();
    let (outcomes, calls) = invoke("error-handler", events).await;
    for outcome in &outcomes {
        let Outcome::Response(answer) = outcome else {
            panic!("{outcome:?}");
        };
        let answer: Value = serde_json::from_slice(answer).unwrap();
        assert_eq!(answer["error_type"], "unknown_error");
        assert_eq!(answer["alert_sent"], true);
    }
    let alerts = calls
        .iter()
        .filter(|call| call.operation == "Publish")
        .count();
    assert_eq!(alerts, count, "each is alerted");
}

#[tokio::test]
async fn wrong_types_are_named_by_their_field() {
    let base = json!({"execution_id": "run-1", "environment": "dev"});
    let with = |name: &str, value: Value| {
        let mut event = base.clone();
        event[name] = value;
        Bytes::from(event.to_string())
    };
    let cases = [
        ("start_time", json!("yesterday")),
        ("glue_job_result", json!("SUCCEEDED")),
        ("dbt_run_result", json!([1, 2])),
        ("validation_result", json!(true)),
    ];
    let events = cases
        .iter()
        .map(|(name, value)| with(name, value.clone()))
        .collect();
    let (outcomes, calls) = invoke("metrics-publisher", events).await;
    for (outcome, (field, _)) in outcomes.iter().zip(&cases) {
        assert!(
            matches!(outcome, Outcome::Error { error_type, error_message }
                if error_type == "InvalidEvent" && error_message.starts_with(&format!("{field}: "))),
            "{field}: {outcome:?}"
        );
    }
    assert!(calls.is_empty(), "{calls:?}");
}

#[rstest]
#[case("metrics-publisher", &["invalid-counter"])]
#[case("pipeline-validator", &["unknown-dataset"])]
#[case("error-handler", &[])]
#[case("alert-fanout", &[])]
#[tokio::test]
async fn every_sample_event_does_what_it_is_a_sample_of(
    #[case] function: &str,
    #[case] invalid: &[&str],
) {
    let folder = format!("{}/../events/{function}", env!("CARGO_MANIFEST_DIR"));
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    samples.sort();
    assert!(samples.len() >= 2);
    let events = samples
        .iter()
        .map(|path| Bytes::from(std::fs::read(path).unwrap()))
        .collect();
    let (outcomes, calls) = invoke(function, events).await;
    for (outcome, path) in outcomes.iter().zip(&samples) {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let refused =
            matches!(outcome, Outcome::Error { error_type, .. } if error_type == "InvalidEvent");
        let answered = matches!(outcome, Outcome::Response(_));
        assert!(
            if invalid.contains(&name) {
                refused
            } else {
                answered
            },
            "{name}: {outcome:?}"
        );
    }
    assert!(!calls.is_empty(), "the samples reach the services");
    if function == "alert-fanout" {
        for receiver in ["slack", "pagerduty", "teams", "webhook"] {
            let told =
                |call: &Call| call.service == "webhook" && call.summary.starts_with(receiver);
            assert!(calls.iter().any(told), "{receiver} gets no message");
        }
    }
}

#[rstest]
#[case("metrics-publisher", "success", &[("METRICS_NAMESPACE", "Orders")], "Orders")]
#[case("metrics-publisher", "success", &[("METRICS_NAMESPACE", "Orders"), ("PIPELINE_PROFILE", "")], "Orders")]
#[case("metrics-publisher", "success", &[("METRICS_NAMESPACE", "")], "SfUserPipeline")]
#[case("error-handler", "glue-job-failure", &[("METRICS_NAMESPACE", "Orders")], "Orders")]
#[tokio::test]
async fn metrics_go_where_the_stacks_alarms_look(
    #[case] function: &str,
    #[case] event: &str,
    #[case] variables: &[(&str, &str)],
    #[case] namespace: &str,
) {
    let path = format!(
        "{}/../events/{function}/{event}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let event = Bytes::from(std::fs::read(path).unwrap());
    let (outcomes, calls) = invoke_with(function, vec![event], variables).await;
    assert!(
        matches!(outcomes[..], [Outcome::Response(_)]),
        "{outcomes:?}"
    );
    let metrics: Vec<&Call> = calls
        .iter()
        .filter(|call| call.operation == "PutMetricData")
        .collect();
    assert!(!metrics.is_empty());
    for call in metrics {
        assert!(call.summary.contains(namespace), "{call:?}");
    }
}

#[tokio::test]
async fn a_function_that_is_not_configured_says_what_is_missing() {
    let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
    let bootstrap = Bootstrap {
        name: "error-handler".to_owned(),
        program: place.binaries.join("error-handler"),
        task_root: place.root,
        environment: vec![("PIPELINE_PROFILE".to_owned(), "sf-user.yaml".to_owned())],
        ..Bootstrap::default()
    };
    let mut process = Process::start(&bootstrap).await.unwrap();
    let outcome = process.invoke("{}", TIMEOUT).await.outcome;
    let Outcome::Died { log, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert!(
        log.contains("environment variable ALERT_TOPIC_ARN is not set"),
        "{log}"
    );
}
