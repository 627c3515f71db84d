//! The knowledge base as a whole: each entry wins its own examples, real failures are told right, nothing is there twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot read its data has failed"
)]

#[path = "knowledge/failures.rs"]
mod failures;
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "the build script's, which uses all of it"
)]
#[path = "../build/schema.rs"]
mod schema;

use error_handler::advice::Names;
use error_handler::knowledge::vocabulary;
use error_handler::{diagnosis, evidence, failure::Failure, fetch::Fetched, knowledge};
use failures::Case;
use pipewarden_shared::alert::Diagnosis;
use pipewarden_shared::failure;
use pipewarden_shared::failure::Confidence;
use pipewarden_shared::profile::Profile;
use schema::{Entry, Example};
use std::collections::BTreeMap;

/// Every entry, as its file has it.
fn entries() -> Vec<Entry> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/knowledge");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    files.sort();
    files
        .iter()
        .flat_map(|file| schema::read(&std::fs::read_to_string(file).unwrap()))
        .map(|chunk| {
            chunk
                .entry
                .unwrap_or_else(|problem| panic!("{}: {problem}", chunk.id))
        })
        .collect()
}

fn failure_of(example: &Example) -> Failure {
    match example {
        Example::Text(text) => Failure::of_text(text),
        Example::Failure(given) => {
            let error_type = given.error_type.as_deref().unwrap_or("unknown_error");
            let cause = given.cause.as_deref().or(given.text.as_deref());
            failures::catch(error_type, given.error.as_deref(), cause)
        }
    }
}

fn evidence_of(failure: &Failure) -> evidence::Evidence {
    evidence::of(failure, &Names::default(), &Fetched::default())
}

fn diagnose(failure: &Failure) -> Diagnosis {
    let profile = Profile::parse("pipeline: p\nmetrics: { namespace: P }\n").unwrap();
    diagnosis::of(failure, &profile, &Names::default())
}

/// Where two entries know the same words, either may tell it, as long as both tell the same cause.
#[test]
fn every_example_is_told_by_its_entry_or_one_that_says_the_same() {
    let mut lost = Vec::new();
    for entry in entries() {
        for example in &entry.examples {
            let failure = failure_of(example);
            let found = diagnose(&failure).root_cause;
            if (found.code, found.transient) != (entry.code, entry.transient) {
                let holding = knowledge::holding(&evidence_of(&failure), failure.cause.as_deref());
                let text: String = format!("{example:?}").chars().take(300).collect();
                lost.push(format!(
                    "{} ({}, {}) lost to {:?} ({}, {}); hold: {holding:?}\n    {text}",
                    entry.id,
                    entry.code,
                    entry.transient,
                    found.knowledge,
                    found.code,
                    found.transient
                ));
            }
        }
    }
    assert!(
        lost.is_empty(),
        "{} examples:\n{}",
        lost.len(),
        lost.join("\n")
    );
}

#[test]
fn every_entry_with_examples_wins_one_of_them() {
    let mut shadowed = Vec::new();
    for entry in entries().iter().filter(|entry| !entry.examples.is_empty()) {
        let winners: Vec<Option<String>> = entry
            .examples
            .iter()
            .map(|example| diagnose(&failure_of(example)).root_cause.knowledge)
            .collect();
        if !winners.contains(&Some(entry.id.clone())) {
            shadowed.push(format!("{} loses to {winners:?}", entry.id));
        }
    }
    assert!(
        shadowed.is_empty(),
        "{} entries:\n{}",
        shadowed.len(),
        shadowed.join("\n")
    );
}

#[test]
fn no_pattern_is_there_twice() {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut twice = Vec::new();
    for entry in entries() {
        let service = entry
            .evidence
            .as_ref()
            .map(|facts| facts.service.join(","))
            .unwrap_or_default();
        for pattern in &entry.patterns {
            let key =
                format!("{service}|{:?}|{:?}", pattern.parts(), entry.unless).to_ascii_lowercase();
            if let Some(other) = seen.insert(key, entry.id.clone()) {
                twice.push(format!("{} and {other}: {:?}", entry.id, pattern.parts()));
            }
        }
    }
    assert!(twice.is_empty(), "{}", twice.join("\n"));
}

#[test]
fn every_service_is_known() {
    for entry in entries() {
        for service in entry.evidence.iter().flat_map(|facts| &facts.service) {
            let known = evidence::Service::ALL
                .iter()
                .any(|known| known.as_str() == service);
            assert!(known, "{}: there is no service {service:?}", entry.id);
        }
    }
}

#[test]
fn there_are_enough() {
    assert!(knowledge::len() >= 150, "{} entries", knowledge::len());
}

/// Failures of which the code is not told, with the reason.
const NOT_TOLD: &[(&str, &str)] = &[(
    "dq-002",
    "its owner knew of a bad file; the message says only that expectations failed, which is what is told",
)];

#[test]
fn real_failures_are_told() {
    let mut wrong = Vec::new();
    for case in Case::all() {
        let found = diagnose(&case.failure()).root_cause;
        let excepted = NOT_TOLD.iter().any(|(id, _)| *id == case.id);
        let is_right = found.code.as_str() == case.code;
        let sure = found.confidence == Confidence::High;
        if !is_right && (sure || !excepted) {
            wrong.push(format!(
                "{}: {} is told as {} ({}, {:?})\n    {}",
                case.id, case.code, found.code, found.confidence, found.knowledge, found.evidence
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        Case::all().len(),
        wrong.join("\n")
    );
}

/// Words and facts that mean something else than they seem to: error type, error, cause, and the code that is right.
const TRAPS: &[(&str, &str, &str, &str)] = &[
    // The flag of the JVM is echoed; nothing ran out of memory.
    (
        "emr_step_failure",
        "",
        "bash -c \"java -Xmx5g '-XX:OnOutOfMemoryError=kill -9 %p' org.apache.spark.Backend\" exited with code 1",
        "unknown",
    ),
    // The category of Glue is a hint.
    (
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobRunState":"FAILED","ErrorMessage":"Error Category: INVALID_ARGUMENT_ERROR; Failed Line Number: 48; NameError: name 'col' is not defined"}"#,
        "code_error",
    ),
    (
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobRunState":"FAILED","ErrorMessage":"Error Category: UNCLASSIFIED_ERROR; An error occurred (ThrottlingException) when calling the GetPartitions operation: Rate exceeded"}"#,
        "throttling",
    ),
    // Nothing but the category is known.
    (
        "glue_job_failure",
        "States.TaskFailed",
        r#"{"JobRunState":"FAILED","ErrorMessage":"Error Category: OUT_OF_MEMORY_ERROR; the run has ended"}"#,
        "out_of_memory",
    ),
    // Facts alone.
    (
        "orchestration_failure",
        "States.TaskFailed",
        r#"{"ClusterArn":"arn:aws:ecs:eu-west-1:1:cluster/etl","Containers":[{"ExitCode":137,"Name":"load"}],"StopCode":"EssentialContainerExited","StoppedReason":"Essential container in task exited","TaskArn":"arn:aws:ecs:eu-west-1:1:task/etl/1"}"#,
        "out_of_memory",
    ),
    (
        "orchestration_failure",
        "Kinesis.KinesisException",
        "no (Service: Kinesis, Status Code: 403, Request ID: x)",
        "permission",
    ),
    (
        "orchestration_failure",
        "Kinesis.KinesisException",
        "no (Service: Kinesis, Status Code: 503, Request ID: x)",
        "service_fault",
    ),
    (
        "orchestration_failure",
        "Kinesis.KinesisException",
        "no (Service: Kinesis, Status Code: 429, Request ID: x)",
        "throttling",
    ),
    // A permission under the name of any task that failed.
    (
        "orchestration_failure",
        "States.TaskFailed",
        "The role arn:aws:iam::1:role/a is not authorized to assume the task state's role, arn:aws:iam::1:role/b.",
        "permission",
    ),
    // A log tells of many things that are no complaint.
    (
        "glue_job_failure",
        "",
        "10:00 INFO Rate exceeded, trying again\n10:01 INFO connect timed out, trying again\n10:02 ERROR AnalysisException: Path does not exist: s3://b/orders",
        "missing_input",
    ),
    // Nothing can be told.
    (
        "unknown_error",
        "",
        "Job failed. See logs for details.",
        "unknown",
    ),
    (
        "unknown_error",
        "",
        "the order could not be booked because of the weather",
        "unknown",
    ),
];

#[test]
fn traps_are_not_walked_into() {
    let mut wrong = Vec::new();
    for (error_type, error, cause, code) in TRAPS {
        let error = (!error.is_empty()).then_some(*error);
        let found = diagnose(&failures::catch(error_type, error, Some(cause))).root_cause;
        if found.code.as_str() != *code {
            wrong.push(format!(
                "{code} is told as {} ({:?}): {cause}",
                found.code, found.knowledge
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is said of each recorded Cause, read by eye when it changes.
#[test]
fn recorded_causes_are_told() {
    let recorded = include_str!("recorded_causes.jsonl");
    let mut table = String::new();
    for line in recorded.lines() {
        let recorded: serde_json::Value = serde_json::from_str(line).unwrap();
        let failure = failures::catch(
            "orchestration_failure",
            recorded["error"].as_str(),
            recorded["cause"].as_str(),
        );
        let found = diagnose(&failure).root_cause;
        let message: String = found.evidence.replace('\n', " ").chars().take(90).collect();
        table.push_str(&format!(
            "{:<38} {:<16} {:<7}{:<38} {message}\n",
            recorded["error"].as_str().unwrap_or("-"),
            found.code.as_str(),
            found.confidence.as_str(),
            found.knowledge.as_deref().unwrap_or("-"),
        ));
    }
    insta::assert_snapshot!(table);
}
