//! The stand-in of the Runtime API with a built function, and with programs that do not do what they should.

// What clippy takes for a test does not reach into the functions that tests share.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use pipewarden_local::aws_stub::AwsStub;
use pipewarden_local::invoke;
use pipewarden_local::runtime_api::{Bootstrap, Outcome, Process, StartError};
use std::path::{Path, PathBuf};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A function that `cargo build` left in the folder above this test's.
fn built(function: &str, endpoint: &str) -> Bootstrap {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().with_file_name(function);
    assert!(
        program.is_file(),
        "{} is not built: `cargo build --workspace`",
        program.display()
    );
    Bootstrap {
        name: function.to_owned(),
        program,
        task_root: root(),
        environment: invoke::environment(endpoint),
        ..Bootstrap::default()
    }
}

fn shell(script: &str) -> Bootstrap {
    Bootstrap {
        name: "shell".to_owned(),
        program: PathBuf::from("/bin/sh"),
        arguments: vec!["-c".into(), script.into()],
        task_root: root(),
        ..Bootstrap::default()
    }
}

fn sample(function: &str, event: &str) -> Vec<u8> {
    std::fs::read(invoke::event_path(&root(), function, event)).unwrap()
}

#[tokio::test]
async fn a_function_answers_one_event_after_another() {
    let served = AwsStub::listen().await.unwrap();
    let mut process = Process::start(&built("metrics-publisher", served.stub.url()))
        .await
        .unwrap();
    for _ in 0..2 {
        let invoked = process
            .invoke(sample("metrics-publisher", "success"), PATIENCE)
            .await;
        let Outcome::Response(body) = &invoked.outcome else {
            panic!("{:?}\n{}", invoked.outcome, process.log());
        };
        let answer: serde_json::Value = serde_json::from_slice(body).unwrap();
        let calls = served.stub.take_calls();
        assert_eq!((answer["statusCode"].as_u64(), calls.len()), (Some(200), 1));
        assert_eq!(
            (calls[0].service.as_str(), calls[0].operation.as_str()),
            ("CloudWatch", "PutMetricData")
        );
        assert!(
            calls[0]
                .summary
                .contains("JobSuccess{dev,Ingestion} 1 Count"),
            "{}",
            calls[0].summary
        );
        let times = invoked.times;
        assert!(
            times
                .first_poll
                .is_some_and(|polled| times.spawned < polled && polled < times.answered)
        );
    }
}

#[tokio::test]
async fn an_event_is_any_bytes_and_the_function_lives_on() {
    let served = AwsStub::listen().await.unwrap();
    let mut process = Process::start(&built("metrics-publisher", served.stub.url()))
        .await
        .unwrap();
    let large = format!("{{\"execution_id\": \"{}\"}}", "x".repeat(6 * 1024 * 1024));
    for event in [large.as_bytes(), b"{\"execution_id\": ", b"\xff\xfe{}", b""] {
        let invoked = process.invoke(event.to_vec(), PATIENCE).await;
        let Outcome::Error { error_type, .. } = &invoked.outcome else {
            panic!("{:?}\n{}", invoked.outcome, process.log());
        };
        assert_eq!(error_type, "InvalidEvent");
    }
    let invoked = process
        .invoke(sample("metrics-publisher", "success"), PATIENCE)
        .await;
    assert!(matches!(invoked.outcome, Outcome::Response(_)));
}

#[tokio::test]
async fn the_end_of_a_process_is_told_with_its_last_words() {
    let mut process = Process::start(&shell("echo configured; echo 'no region' >&2; exit 3"))
        .await
        .unwrap();
    for _ in 0..2 {
        let Outcome::Died { status, log } = process.invoke("{}", PATIENCE).await.outcome else {
            panic!("it is alive");
        };
        assert_eq!(status.code(), Some(3));
        assert!(
            log.contains("configured") && log.contains("no region"),
            "{log}"
        );
    }
}

#[tokio::test]
async fn a_process_that_does_not_answer_is_ended() {
    let mut process = Process::start(&shell("exec sleep 600")).await.unwrap();
    let first = process.invoke("{}", Duration::from_millis(50)).await;
    let second = process.invoke("{}", PATIENCE).await;
    assert_eq!(first.outcome, Outcome::TimedOut);
    assert_eq!(first.times.first_poll, None);
    assert!(matches!(second.outcome, Outcome::Died { .. }));
}

#[tokio::test]
async fn nothing_of_our_environment_is_handed_on() {
    let mut process = Process::start(&shell("/usr/bin/env; exit 1"))
        .await
        .unwrap();
    let Outcome::Died { log, .. } = process.invoke("{}", PATIENCE).await.outcome else {
        panic!("it is alive");
    };
    assert!(
        log.contains("AWS_LAMBDA_FUNCTION_NAME=shell") && log.contains("AWS_REGION="),
        "{log}"
    );
    assert!(
        !log.contains("CARGO_MANIFEST_DIR") && !log.contains("HOME="),
        "{log}"
    );
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let missing = Bootstrap {
        program: PathBuf::from("/nowhere/bootstrap"),
        task_root: root(),
        ..Bootstrap::default()
    };
    let error = Process::start(&missing).await.unwrap_err();
    assert!(matches!(error, StartError::Spawn { program, .. } if program.ends_with("bootstrap")));
}

#[tokio::test]
async fn every_function_finds_what_it_calls() {
    let calls = [
        ("metrics-publisher", "success", &["PutMetricData"][..]),
        (
            "error-handler",
            "glue-job-failure",
            &["PutMetricData", "Publish"],
        ),
        (
            "alert-fanout",
            "glue-job-failure",
            &["GetSecretValue", "GetSecretValue", "POST", "POST"],
        ),
        (
            "pipeline-validator",
            "dataset",
            &[
                "StartQueryExecution",
                "GetQueryExecution",
                "GetQueryResults",
                "GetTableMetadata",
                "GetObject",
                "PutObject",
            ],
        ),
    ];
    for (function, event, expected) in calls {
        let served = AwsStub::listen().await.unwrap();
        let mut process = Process::start(&built(function, served.stub.url()))
            .await
            .unwrap();
        let outcome = process
            .invoke(sample(function, event), PATIENCE)
            .await
            .outcome;
        assert!(
            matches!(outcome, Outcome::Response(_)),
            "{function}: {outcome:?}"
        );
        let asked = served.stub.take_calls();
        let mut operations: Vec<&str> = asked.iter().map(|call| call.operation.as_str()).collect();
        let mut expected = expected.to_vec();
        // How many scans a profile becomes is not what this is about.
        operations.sort_unstable();
        operations.dedup();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(operations, expected, "{function}");
    }
}
