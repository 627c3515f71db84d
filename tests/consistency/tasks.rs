//! The state machine may do what its tasks do, and handles the errors that they can raise.

use super::fail_with;
use crate::permissions::{self, FUNCTIONS};
use crate::template::{Template, file};
use serde_json::Value;
use std::collections::BTreeSet;

/// Actions of a state machine for each integration that a task may use (Step Functions developer guide, "IAM policies
/// for integrated services"), and for its own log ("Logging to CloudWatch").
const INTEGRATIONS: &[(&str, &[&str])] = &[
    ("arn:aws:states:::lambda:invoke", &["lambda:InvokeFunction"]),
    (
        "arn:aws:states:::glue:startJobRun.sync",
        &[
            "glue:StartJobRun",
            "glue:GetJobRun",
            "glue:GetJobRuns",
            "glue:BatchStopJobRun",
        ],
    ),
];
const OF_THE_LOG: &[&str] = &[
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
];

fn tasks() -> Vec<(String, Value)> {
    let definition: Value = serde_json::from_str(&file("statemachine/sf-user.asl.json")).unwrap();
    let states = definition["States"].as_object().unwrap().clone();
    states
        .into_iter()
        .filter(|(_, state)| state["Type"] == "Task")
        .collect()
}

#[test]
fn the_state_machine_may_do_what_its_tasks_do_and_no_more() {
    let template = Template::read();
    let mut needed: BTreeSet<String> = OF_THE_LOG
        .iter()
        .map(|action| (*action).to_owned())
        .collect();
    for (name, task) in tasks() {
        let actions = INTEGRATIONS
            .iter()
            .find(|(resource, _)| task["Resource"] == *resource);
        let (_, actions) =
            actions.unwrap_or_else(|| panic!("{name}: {} is not known", task["Resource"]));
        needed.extend(actions.iter().map(|action| (*action).to_owned()));
    }
    let policies = template.properties("PipelineStateMachine")["Policies"]
        .as_array()
        .unwrap();
    let allowed: BTreeSet<String> = policies.iter().flat_map(permissions::actions).collect();
    assert_eq!(allowed, needed);
}

/// Errors of a service that a task calls (Step Functions developer guide, "Handling errors"; Lambda developer guide;
/// Glue API reference, StartJobRun and GetJobRun).
const OF_ANY_TASK: &[&str] = &[
    "States.ALL",
    "States.Timeout",
    "States.TaskFailed",
    "States.Permissions",
    "States.DataLimitExceeded",
];
const OF_LAMBDA: &[&str] = &[
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
];
const OF_GLUE: &[&str] = &[
    "Glue.ConcurrentRunsExceededException",
    "Glue.InternalServiceException",
    "Glue.OperationTimeoutException",
    "Glue.ThrottlingException",
    "Glue.SdkClientException",
];

#[test]
fn every_retry_and_catch_names_an_error_that_its_own_task_can_raise() {
    let mut problems = Vec::new();
    for (name, task) in tasks() {
        let called = task["Arguments"]["FunctionName"]
            .as_str()
            .unwrap_or_default();
        let called = called.trim_start_matches("${").trim_end_matches('}');
        let own = FUNCTIONS.iter().find(|function| function.name == called);
        let service = if task["Resource"].as_str().unwrap().contains("glue") {
            OF_GLUE
        } else {
            OF_LAMBDA
        };
        let raised: BTreeSet<&str> = OF_ANY_TASK
            .iter()
            .chain(service)
            .chain(own.map_or(&[][..], |function| function.errors))
            .copied()
            .collect();
        for clause in ["Retry", "Catch"]
            .iter()
            .flat_map(|kind| task[kind].as_array().into_iter().flatten())
        {
            for error in clause["ErrorEquals"].as_array().unwrap() {
                if !raised.contains(error.as_str().unwrap()) {
                    problems.push(format!("{name} matches {error}, which it cannot raise"));
                }
            }
        }
    }
    fail_with(&problems);
}
