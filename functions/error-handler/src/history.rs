//! Decide: what an execution's history tells, newest event first: whether this function has reported it, and what failed.

use crate::cause::names::{self, function_name};
use crate::cause::{self, Unwrapped, prose};
use crate::evidence::Service;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most events that one event is followed back through; a task has about six.
const LONGEST_CHAIN: usize = 64;

/// An event, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number; the first of an execution is 1.
    pub id: i64,
    /// The number of the event that led to it; 0 for none.
    pub previous: i64,
    /// When it happened, in milliseconds since 1970.
    pub at: i64,
    /// What happened.
    pub kind: Kind,
}

/// What happened (Step Functions API reference, `HistoryEvent`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A state began.
    Entered {
        /// Its name.
        state: String,
        /// Whether it is a Fail state.
        is_fail: bool,
    },
    /// A task was given to a service.
    Scheduled {
        /// The service, as Step Functions names it; the function's ARN for a Lambda task of the older kind.
        resource: String,
        /// What the service was given, JSON.
        parameters: String,
    },
    /// The service took the task and said so.
    Submitted {
        /// What it said, JSON.
        output: String,
    },
    /// A task succeeded.
    Succeeded,
    /// A task, an expression, or a Map failed or ran out of time.
    Failed {
        /// The error's name.
        error: Option<String>,
        /// What it says.
        cause: Option<String>,
    },
    /// A distributed Map began.
    MapRun {
        /// Its ARN.
        arn: String,
    },
    /// The execution was redriven.
    Redriven,
    /// The execution ended.
    Ended {
        /// The error's name.
        error: Option<String>,
        /// What it says.
        cause: Option<String>,
    },
    /// Anything else.
    Other,
}

/// How a history is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The execution has ended, at a time in milliseconds where that is known.
    Ended(Option<i64>),
    /// It goes on: its Catch reports what failed a moment ago.
    Caught,
}

/// What failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// The state.
    pub state: Option<String>,
    /// Whether that is a Fail state: the machine ended itself.
    pub is_fail_state: bool,
    /// The service that had the task.
    pub service: Option<Service>,
    /// The error's name.
    pub error: Option<String>,
    /// What it says.
    pub cause: Option<String>,
    /// Names in what the service was given and said.
    pub names: BTreeMap<String, String>,
}

impl Task {
    /// What the task's Error and Cause tell, and its names.
    pub(crate) fn told(&self) -> Unwrapped {
        let mut told = cause::unwrap(self.error.as_deref(), self.cause.as_deref());
        let evidence = &mut told.evidence;
        evidence.service = evidence.service.or(self.service);
        for (name, value) in &self.names {
            evidence
                .names
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        if let Some(state) = &self.state {
            evidence.names.insert("state".to_owned(), state.clone());
        }
        told
    }
}

/// What a history tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digest {
    /// Whether this function was invoked in it, and succeeded.
    pub reported: bool,
    /// Whether all of it was read that matters.
    pub whole: bool,
    /// What failed, or was at work when the time ran out.
    pub task: Option<Task>,
}

/// The events of the attempt that ended: those since the execution was last redriven, none of a redrive after its end.
fn attempt(events: &[Event], view: View) -> (&[Event], bool) {
    let ended = match view {
        View::Ended(at) => at,
        View::Caught => None,
    };
    let mut start = 0;
    for (index, event) in events.iter().enumerate() {
        if event.kind == Kind::Redriven {
            if ended.is_some_and(|ended| event.at > ended) {
                start = index + 1;
            } else {
                return (events.get(start..index).unwrap_or_default(), true);
            }
        }
    }
    let begins = events.last().is_some_and(|first| first.id == 1);
    (events.get(start..).unwrap_or_default(), begins)
}

/// Whether more of a history has to be read: neither its begin nor a report of this function is there yet.
pub fn is_enough(events: &[Event], view: View, function: &str) -> bool {
    let digest = digest(events, view, function);
    match view {
        View::Ended(_) => digest.reported || digest.whole,
        View::Caught => digest.task.is_some() || digest.whole,
    }
}

/// Reads a history, newest event first; `function` is this function's ARN.
pub fn digest(events: &[Event], view: View, function: &str) -> Digest {
    let (events, whole) = attempt(events, view);
    let chains = Chains::of(events);
    let function = function_name(function);
    let reported = !function.is_empty()
        && events
            .iter()
            .filter(|event| event.kind == Kind::Succeeded)
            .any(|event| chains.function_of(event).as_deref() == Some(function));
    Digest {
        reported,
        whole,
        task: failed(events, view, &chains).map(|event| chains.task(event)),
    }
}

/// The event that failed, or the newest that was at work.
fn failed<'a>(events: &'a [Event], view: View, chains: &Chains<'a>) -> Option<&'a Event> {
    let is_work = |event: &&Event| {
        matches!(
            event.kind,
            Kind::Failed { .. }
                | Kind::Entered { .. }
                | Kind::Scheduled { .. }
                | Kind::Submitted { .. }
        )
    };
    if view == View::Caught {
        return events
            .iter()
            .find(|event| matches!(event.kind, Kind::Failed { .. }));
    }
    let end = events
        .iter()
        .find(|event| matches!(event.kind, Kind::Ended { .. }));
    let led_to_it = end.and_then(|end| chains.back(end).skip(1).find(is_work));
    // An end from outside has nothing that led to it: the newest work was cut short.
    led_to_it.or_else(|| events.iter().find(is_work))
}

/// Events by their numbers.
#[derive(Debug)]
struct Chains<'a> {
    events: BTreeMap<i64, &'a Event>,
}

impl<'a> Chains<'a> {
    fn of(events: &'a [Event]) -> Self {
        Self {
            events: events.iter().map(|event| (event.id, event)).collect(),
        }
    }

    /// An event, and those that led to it.
    fn back(&self, event: &'a Event) -> impl Iterator<Item = &'a Event> {
        let next = |event: &&'a Event| {
            self.events
                .get(&event.previous)
                .copied()
                // Numbers only fall; a history that says otherwise does not make a circle.
                .filter(|previous| previous.id < event.id)
        };
        std::iter::successors(Some(event), next).take(LONGEST_CHAIN)
    }

    /// The function whose invocation an event ended.
    fn function_of(&self, event: &'a Event) -> Option<String> {
        let (resource, parameters) = self.back(event).find_map(|event| match &event.kind {
            Kind::Scheduled {
                resource,
                parameters,
            } => Some((resource, parameters)),
            _ => None,
        })?;
        if resource.contains(":function:") {
            return Some(function_name(resource).to_owned());
        }
        let parameters: Value = serde_json::from_str(parameters).ok()?;
        let function = parameters.get("FunctionName")?.as_str()?;
        Some(function_name(function).to_owned())
    }

    /// What an event was about: the events that led to it, up to the begin of its state.
    fn task(&self, event: &'a Event) -> Task {
        let mut task = Task::default();
        for event in self.back(event) {
            match &event.kind {
                Kind::Failed { error, cause } if task.error.is_none() && task.cause.is_none() => {
                    task.error.clone_from(error);
                    task.cause.clone_from(cause);
                }
                Kind::Submitted { output } => gather(output, &mut task.names),
                Kind::Scheduled {
                    resource,
                    parameters,
                } => {
                    gather(parameters, &mut task.names);
                    if resource.contains(":function:") {
                        let function = function_name(resource).to_owned();
                        task.names.insert("function".to_owned(), function);
                        task.service = Some(Service::Lambda);
                    } else {
                        task.service = prose::service(resource);
                    }
                }
                Kind::MapRun { arn } => {
                    task.names.insert("map_run".to_owned(), arn.clone());
                }
                Kind::Entered { state, is_fail } => {
                    task.state = Some(state.clone());
                    task.is_fail_state = *is_fail;
                    break;
                }
                _ => {}
            }
        }
        task
    }
}

fn gather(json: &str, names: &mut BTreeMap<String, String>) {
    if let Ok(value) = serde_json::from_str::<Value>(json) {
        names::gather(&value, names);
    }
}

#[cfg(test)]
mod tests;
