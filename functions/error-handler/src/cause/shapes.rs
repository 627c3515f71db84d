//! The JSON that services put into a Cause: AWS SDK shapes in PascalCase, and the errors of functions.

use super::{Reading, field, text_of};
use crate::evidence::{AthenaFault, Service};
use serde_json::Value;

/// How a shape is read; false where the JSON is of another one.
type Shape = fn(&mut Reading, &Value, usize) -> bool;

/// From the most telling to the most general.
const SHAPES: &[Shape] = &[
    execution,
    function,
    glue,
    emr_serverless,
    athena,
    ecs,
    emr,
    batch,
    codebuild,
    redshift,
    caught,
    entries,
    general,
];

/// The most characters of a stack trace that are kept.
const LONGEST_TRACE: usize = 8_192;

impl Reading {
    pub(super) fn shape(&mut self, value: &Value, depth: usize) -> bool {
        value.is_object() && SHAPES.iter().any(|shape| shape(self, value, depth))
    }

    fn of(&mut self, service: Service) {
        self.found.evidence.service = Some(service);
    }

    /// Messages of a shape, outermost first; each may be JSON again.
    fn messages(&mut self, messages: &[Option<&str>], depth: usize) {
        for message in messages.iter().flatten() {
            self.text(message, depth + 1);
        }
    }

    /// A container that ended: its exit code, and why it was ended where it did not end by itself.
    fn container(&mut self, container: &Value, depth: usize) {
        let code = field(container, "ExitCode")
            .and_then(Value::as_i64)
            .filter(|code| *code != 0)
            .and_then(|code| i32::try_from(code).ok());
        if let Some(code) = code {
            self.found.evidence.exit_code = Some(code);
            let name = text_of(container, "Name").unwrap_or("of the task");
            self.prose(&format!("container {name} exited with code {code}"));
        }
        self.messages(&[text_of(container, "Reason")], depth);
    }
}

/// `states:startExecution.sync`: what DescribeExecution says of the child.
fn execution(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let (Some(arn), Some(status)) = (text_of(value, "ExecutionArn"), text_of(value, "Status"))
    else {
        return false;
    };
    reading.of(Service::StepFunctions);
    reading.found.inner_execution = Some(arn.to_owned());
    let (error, cause) = (text_of(value, "Error"), text_of(value, "Cause"));
    if cause.is_none() {
        reading.prose(&format!(
            "the execution {arn} ended {status} without a cause"
        ));
    }
    // What failed inside tells which service it was.
    let outer = reading.found.evidence.service.take();
    reading.read(error, cause, depth + 1);
    let evidence = &mut reading.found.evidence;
    evidence.service = evidence.service.or(outer);
    true
}

/// A Lambda function's error: Python, Node, Java and Rust agree on two fields.
fn function(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let (error, message) = (text_of(value, "errorType"), field(value, "errorMessage"));
    if error.is_none() && message.is_none() {
        return false;
    }
    reading.of(Service::Lambda);
    if let Some(trace) = field(value, "stackTrace").or_else(|| field(value, "trace")) {
        reading.trace(trace);
    }
    if let Some(error) = error {
        reading.error(error);
        reading.found.says_why = true;
    }
    match message {
        Some(Value::String(message)) => reading.text(message, depth + 1),
        Some(message) => reading.value(message, &message.to_string(), depth + 1),
        None => {}
    }
    // Java puts the cause of an exception inside, Node the reason of a rejected promise.
    for inside in ["cause", "reason"] {
        if let Some(inside) =
            field(value, inside).filter(|inside| inside.is_object() && depth < super::DEEPEST)
        {
            function(reading, inside, depth + 1);
        }
    }
    true
}

impl Reading {
    fn trace(&mut self, trace: &Value) {
        let lines = trace
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let mut text = String::new();
        for line in lines {
            if text.len() + line.len() > LONGEST_TRACE {
                break;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        if !text.trim().is_empty() {
            self.found.evidence.texts.push(text);
        }
    }
}

/// `glue:startJobRun.sync`: a JobRun.
fn glue(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let Some(state) = text_of(value, "JobRunState") else {
        return false;
    };
    reading.of(Service::Glue);
    match text_of(value, "ErrorMessage") {
        Some(message) => {
            reading.found.evidence.glue_category = glue_category(message);
            reading.text(message, depth + 1);
        }
        None => reading.prose(&format!("the job run ended {state} without a message")),
    }
    true
}

/// `Error Category: X; …` at the start of a Glue message.
pub(super) fn glue_category(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("Error Category: ")?;
    let category = rest.split([';', '\n', ' ']).next().unwrap_or(rest);
    let is_category = !category.is_empty()
        && category
            .chars()
            .all(|character| character.is_ascii_uppercase() || character == '_');
    is_category.then(|| category.to_owned())
}

/// `emr-serverless:startJobRun.sync`: a JobRun of another kind.
fn emr_serverless(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let run = field(value, "JobRun").unwrap_or(value);
    if field(run, "ApplicationId").is_none() || field(run, "JobRunId").is_none() {
        return false;
    }
    reading.of(Service::EmrServerless);
    reading.messages(&[text_of(run, "StateDetails")], depth);
    true
}

/// `athena:startQueryExecution.sync`: a QueryExecution.
fn athena(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let query = match field(value, "QueryExecution") {
        Some(query) => query,
        None if field(value, "QueryExecutionId").is_some() => value,
        None => return false,
    };
    reading.of(Service::Athena);
    let Some(status) = field(query, "Status") else {
        return true;
    };
    let fault = field(status, "AthenaError");
    reading.found.evidence.athena = fault.map(|fault| AthenaFault {
        category: field(fault, "ErrorCategory")
            .and_then(Value::as_i64)
            .and_then(|category| category.try_into().ok()),
        retryable: field(fault, "Retryable").and_then(Value::as_bool),
    });
    reading.messages(
        &[
            fault.and_then(|fault| text_of(fault, "ErrorMessage")),
            text_of(status, "StateChangeReason"),
        ],
        depth,
    );
    true
}

/// `ecs:runTask.sync`: a Task, or the failures of one that was not placed.
fn ecs(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let task = field(value, "Tasks")
        .and_then(|tasks| tasks.get(0))
        .unwrap_or(value);
    let failures = field(value, "Failures").and_then(Value::as_array);
    let is_task = ["StopCode", "StoppedReason", "TaskArn"]
        .iter()
        .any(|name| field(task, name).is_some());
    if !is_task && failures.is_none() {
        return false;
    }
    reading.of(Service::Ecs);
    if let Some(code) = text_of(task, "StopCode") {
        reading.error(code);
    }
    reading.messages(&[text_of(task, "StoppedReason")], depth);
    for container in field(task, "Containers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        reading.container(container, depth);
    }
    for failure in failures.into_iter().flatten() {
        reading.messages(
            &[text_of(failure, "Detail"), text_of(failure, "Reason")],
            depth,
        );
    }
    true
}

/// `elasticmapreduce:addStep.sync` and `createCluster.sync`: a Step or a Cluster.
fn emr(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let part = field(value, "Step")
        .or_else(|| field(value, "Cluster"))
        .filter(|part| part.is_object())
        .unwrap_or(value);
    let Some(status) = field(part, "Status").filter(|status| status.is_object()) else {
        return false;
    };
    let (change, failure) = (
        field(status, "StateChangeReason"),
        field(status, "FailureDetails"),
    );
    if change.is_none() && failure.is_none() {
        return false;
    }
    reading.of(Service::Emr);
    reading.messages(
        &[
            change.and_then(|change| text_of(change, "Message")),
            failure.and_then(|failure| text_of(failure, "Reason")),
            failure.and_then(|failure| text_of(failure, "Message")),
        ],
        depth,
    );
    true
}

/// `batch:submitJob.sync`: a JobDetail.
fn batch(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let has = |name| field(value, name).is_some();
    if !(has("JobId") && has("JobQueue") || has("JobName") && has("Attempts")) {
        return false;
    }
    reading.of(Service::Batch);
    reading.messages(&[text_of(value, "StatusReason")], depth);
    let last = field(value, "Attempts")
        .and_then(Value::as_array)
        .and_then(|attempts| attempts.last());
    let attempt = last.and_then(|attempt| field(attempt, "Container"));
    for container in field(value, "Container").into_iter().chain(attempt) {
        reading.container(container, depth);
    }
    true
}

/// `codebuild:startBuild.sync`: a Build.
fn codebuild(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let build = field(value, "Build").unwrap_or(value);
    if field(build, "BuildStatus").is_none() {
        return false;
    }
    reading.of(Service::CodeBuild);
    let phases = field(build, "Phases")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for phase in phases.filter(|phase| text_of(phase, "PhaseStatus") != Some("SUCCEEDED")) {
        for context in field(phase, "Contexts")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(code) = text_of(context, "StatusCode") {
                reading.error(code);
            }
            reading.messages(&[text_of(context, "Message")], depth);
        }
    }
    if let Some(group) = field(build, "Logs").and_then(|logs| text_of(logs, "GroupName")) {
        reading
            .found
            .evidence
            .names
            .insert("log_group".to_owned(), group.to_owned());
    }
    true
}

/// `redshift-data:describeStatement`: its `Error` is a message, not a name.
fn redshift(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let is_statement = [
        "QueryString",
        "RedshiftPid",
        "RedshiftQueryId",
        "SubStatements",
    ]
    .iter()
    .any(|name| field(value, name).is_some());
    if !is_statement {
        return false;
    }
    reading.of(Service::Redshift);
    reading.messages(&[text_of(value, "Error")], depth);
    true
}

/// What a Catch put out, handed on.
fn caught(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    let (error, cause) = (text_of(value, "Error"), field(value, "Cause"));
    if error.is_none() && cause.is_none() {
        return false;
    }
    match cause {
        Some(Value::String(cause)) => reading.read(error, Some(cause), depth + 1),
        Some(cause) => reading.read(error, Some(&cause.to_string()), depth + 1),
        None => reading.read(error, None, depth + 1),
    }
    true
}

/// `events:putEvents`: entries, of which some were refused.
fn entries(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    if field(value, "FailedEntryCount").is_none() {
        return false;
    }
    reading.of(Service::EventBridge);
    let entries = field(value, "Entries")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for entry in entries.take(20) {
        if let Some(code) = text_of(entry, "ErrorCode") {
            reading.error(code);
        }
        reading.messages(&[text_of(entry, "ErrorMessage")], depth);
    }
    true
}

/// Anything that has a message under one of the names that services give it.
fn general(reading: &mut Reading, value: &Value, depth: usize) -> bool {
    const MESSAGES: &[&str] = &[
        "ErrorMessage",
        "FailureReason",
        "Message",
        "StatusReason",
        "StateDetails",
        "Reason",
    ];
    let Some(message) = MESSAGES.iter().find_map(|name| text_of(value, name)) else {
        return false;
    };
    let code = text_of(value, "ErrorCode").or_else(|| text_of(value, "__type"));
    if let Some(code) = code.and_then(|code| code.rsplit('#').next()) {
        reading.error(code);
    }
    reading.messages(&[Some(message)], depth);
    true
}
