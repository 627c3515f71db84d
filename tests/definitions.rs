//! Definitions, template, profiles and code fit each other.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipewarden_local::place::Place;
use pipewarden_shared::profile::Profile;
use serde_json::Value;
use std::collections::BTreeSet;

/// Errors that a task can raise besides those of our functions, by their source.
const SERVICE_ERRORS: &[&str] = &[
    // Step Functions developer guide, "Handling errors".
    "States.ALL",
    "States.DataLimitExceeded",
    // Lambda developer guide and Step Functions best practices, "Handle transient Lambda service exceptions".
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    // Glue API reference, StartJobRun and GetJobRun.
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ThrottlingException",
    "Glue.SdkClientException",
];

fn file(path: &str) -> String {
    let root = Place::find().unwrap_or_else(|error| panic!("{error}")).root;
    std::fs::read_to_string(root.join(path)).unwrap()
}

fn definition() -> Value {
    serde_json::from_str(&file("statemachine/sf-user.asl.json")).unwrap()
}

fn states(definition: &Value) -> impl Iterator<Item = (&String, &Value)> {
    definition["States"].as_object().unwrap().iter()
}

#[test]
fn every_error_that_is_matched_can_be_raised() {
    let raised: BTreeSet<&str> = SERVICE_ERRORS
        .iter()
        .chain(metrics_publisher::ERRORS)
        .chain(pipeline_validator::ERRORS)
        .chain(error_handler::ERRORS)
        .copied()
        .collect();
    let definition = definition();
    let mut matched = 0;
    for (name, state) in states(&definition) {
        for clause in ["Retry", "Catch"]
            .iter()
            .flat_map(|clause| state[clause].as_array().into_iter().flatten())
        {
            for error in clause["ErrorEquals"].as_array().unwrap() {
                assert!(
                    raised.contains(error.as_str().unwrap()),
                    "{name} matches {error}, which nothing raises"
                );
                matched += 1;
            }
        }
    }
    assert!(matched > 0);
}

#[test]
fn every_task_retries_with_jitter_and_catches_everything_with_its_error_type() {
    let definition = definition();
    for (name, state) in states(&definition).filter(|(_, state)| state["Type"] == "Task") {
        for retry in state["Retry"].as_array().unwrap() {
            assert_eq!(retry["JitterStrategy"], "FULL", "{name}");
            assert!(retry["BackoffRate"].as_f64().unwrap() > 1.0, "{name}");
            assert!(
                !retry["ErrorEquals"]
                    .as_array()
                    .unwrap()
                    .contains(&"States.ALL".into()),
                "{name}"
            );
        }
        let last = state["Catch"].as_array().unwrap().last().unwrap();
        assert_eq!(last["ErrorEquals"][0], "States.ALL", "{name}");
        match last["Next"].as_str().unwrap() {
            "HandleFailure" => {
                let error_type = last["Assign"]["failure"]["error_type"].as_str().unwrap();
                assert!(
                    error_type
                        .parse::<pipewarden_shared::failure::ErrorType>()
                        .is_ok(),
                    "{name}: {error_type}"
                );
            }
            // The failure is being handled already; nothing may keep it from ending the run.
            next => assert!(
                ["PublishFailureMetrics", "Failed"].contains(&next),
                "{name}: {next}"
            ),
        }
    }
}

#[test]
fn every_name_in_a_definition_comes_from_the_template() {
    let text = file("statemachine/sf-user.asl.json");
    let template = file("template.yaml");
    let substitutions = template.split("DefinitionSubstitutions:").nth(1).unwrap();
    let substitutions = substitutions.split("Tracing:").next().unwrap();
    let given: BTreeSet<&str> = substitutions
        .lines()
        .filter_map(|line| line.trim().split_once(": ").map(|(name, _)| name))
        .collect();
    let used: BTreeSet<&str> = text
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    assert_eq!(used, given);
    let definition = definition();
    for (name, state) in states(&definition) {
        for field in ["JobName", "FunctionName"] {
            if let Some(value) = state["Arguments"][field].as_str() {
                assert!(
                    value.starts_with("${"),
                    "{name}: {field} is written into the definition"
                );
            }
        }
    }
}

#[test]
fn the_template_allows_the_namespace_of_the_profile() {
    let profile = Profile::parse(&file("pipelines/sf-user.yaml")).unwrap();
    let template = file("template.yaml");
    let parameter = template.split("MetricsNamespace:").nth(1).unwrap();
    let default = parameter
        .lines()
        .find_map(|line| line.trim().strip_prefix("Default: "))
        .unwrap();
    assert_eq!(default, profile.metrics.namespace);
}
