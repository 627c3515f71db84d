//! One run: started, followed state by state, and told as it ended.

use crate::stack::{Stack, StackError, refused};
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a run may take here; the whole pipeline takes some seconds.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often the history is looked at.
const PACE: Duration = Duration::from_millis(150);

/// A state that a run passed.
#[derive(Debug, Clone, PartialEq)]
pub struct Passed {
    /// Its name.
    pub name: String,
    /// Whether its task succeeded; a state without a task always does.
    pub succeeded: bool,
    /// Seconds that it took.
    pub seconds: f64,
    /// What its task answered, or the error and cause that it failed with.
    pub result: Value,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// SUCCEEDED, FAILED or the like.
    pub status: String,
    /// Its error, where it failed.
    pub error: Option<String>,
    /// Its cause, where it failed.
    pub cause: Option<String>,
    /// Its output, where it succeeded.
    pub output: Value,
    /// The states that it passed, in order.
    pub states: Vec<Passed>,
}

impl Execution {
    /// What the task of a state answered; null where the run did not come to it.
    pub fn result(&self, state: &str) -> &Value {
        self.states
            .iter()
            .rev()
            .find(|passed| passed.name == state)
            .map_or(&Value::Null, |passed| &passed.result)
    }
}

impl Stack {
    /// Starts the pipeline and follows it to its end; `tell` gets each state as it passes.
    ///
    /// # Errors
    /// [`StackError`] where the emulator refuses, or the run does not end.
    pub async fn run(&self, mut tell: impl FnMut(&Passed)) -> Result<Execution, StackError> {
        let client = aws_sdk_sfn::Client::new(&self.config);
        let started = client
            .start_execution()
            .state_machine_arn(self.output("StateMachineArn")?)
            .input("{}")
            .send()
            .await
            .map_err(refused("start the execution"))?;
        let arn = started.execution_arn;
        let deadline = Instant::now() + PATIENCE;
        let mut told = 0;
        loop {
            let described = client
                .describe_execution()
                .execution_arn(&arn)
                .send()
                .await
                .map_err(refused("describe the execution"))?;
            // Read after the status: a history that is read first may lack its end.
            let states = passed(&history(&client, &arn).await?);
            states.iter().skip(told).for_each(&mut tell);
            told = states.len();
            let status = described.status.as_str();
            if status != "RUNNING" {
                return Ok(Execution {
                    status: status.to_owned(),
                    error: described.error,
                    cause: described.cause,
                    output: described.output.as_deref().map_or(Value::Null, parse),
                    states,
                    arn,
                });
            }
            if Instant::now() > deadline {
                return Err(StackError::Refused {
                    doing: format!("wait for {arn}"),
                    reason: format!("it is still running after {} s", PATIENCE.as_secs()),
                });
            }
            sleep(PACE).await;
        }
    }
}

async fn history(client: &aws_sdk_sfn::Client, arn: &str) -> Result<Vec<HistoryEvent>, StackError> {
    client
        .get_execution_history()
        .execution_arn(arn)
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .map_err(refused("read the history"))
}

/// The states that a history tells as passed.
fn passed(history: &[HistoryEvent]) -> Vec<Passed> {
    let seconds = |event: &HistoryEvent| event.timestamp.as_secs_f64();
    let mut states = Vec::new();
    let mut entered = 0.0;
    let mut outcome = (true, Value::Null);
    for event in history {
        if event.state_entered_event_details().is_some() {
            entered = seconds(event);
            outcome = (true, Value::Null);
        }
        match event.r#type() {
            HistoryEventType::TaskSucceeded => {
                let output = event
                    .task_succeeded_event_details()
                    .and_then(|details| details.output());
                outcome = (true, output.map_or(Value::Null, parse));
            }
            HistoryEventType::TaskFailed => {
                let details = event.task_failed_event_details();
                let error = details.and_then(|details| details.error());
                let cause = details.and_then(|details| details.cause());
                outcome = (false, json!({"Error": error, "Cause": cause}));
            }
            _ => {}
        }
        if let Some(details) = event.state_exited_event_details() {
            let (succeeded, result) = std::mem::replace(&mut outcome, (true, Value::Null));
            states.push(Passed {
                name: details.name().to_owned(),
                succeeded,
                seconds: seconds(event) - entered,
                result,
            });
        }
    }
    states
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}
