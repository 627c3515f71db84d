//! The SDK's events of a history as those that [`crate::history`] decides on.

use crate::history::{Event, Kind};
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};

/// Takes an event over.
pub(super) fn event(event: HistoryEvent) -> Event {
    let at = event.timestamp.to_millis().unwrap_or_default();
    let (id, previous) = (event.id, event.previous_event_id);
    let kind = kind(event);
    Event {
        id,
        previous,
        at,
        kind,
    }
}

/// The details that `$event` has under one of these names, as a failure.
macro_rules! failure {
    ($event:ident: $($details:ident),+) => {
        $(if let Some(details) = $event.$details {
            return Kind::Failed { error: details.error, cause: details.cause };
        })+
    };
}

/// The same for the end of an execution.
macro_rules! end {
    ($event:ident: $($details:ident),+) => {
        $(if let Some(details) = $event.$details {
            return Kind::Ended { error: details.error, cause: details.cause };
        })+
    };
}

fn kind(event: HistoryEvent) -> Kind {
    failure!(event: task_failed_event_details, task_timed_out_event_details, task_start_failed_event_details,
        task_submit_failed_event_details, lambda_function_failed_event_details, lambda_function_timed_out_event_details,
        lambda_function_start_failed_event_details, lambda_function_schedule_failed_event_details,
        activity_failed_event_details, activity_timed_out_event_details, activity_schedule_failed_event_details,
        evaluation_failed_event_details, map_run_failed_event_details);
    end!(event: execution_failed_event_details, execution_timed_out_event_details, execution_aborted_event_details);
    if let Some(details) = event.state_entered_event_details {
        return Kind::Entered {
            state: details.name,
            is_fail: event.r#type == HistoryEventType::FailStateEntered,
        };
    }
    if let Some(details) = event.task_scheduled_event_details {
        return Kind::Scheduled {
            resource: details.resource_type,
            parameters: details.parameters,
        };
    }
    if let Some(details) = event.lambda_function_scheduled_event_details {
        return Kind::Scheduled {
            resource: details.resource,
            parameters: String::new(),
        };
    }
    if let Some(details) = event.task_submitted_event_details {
        return Kind::Submitted {
            output: details.output.unwrap_or_default(),
        };
    }
    if let Some(details) = event.map_run_started_event_details {
        return Kind::MapRun {
            arn: details.map_run_arn.unwrap_or_default(),
        };
    }
    without_details(&event.r#type)
}

/// Details may be absent, as those of a run that was stopped without a word; the type tells then.
fn without_details(kind: &HistoryEventType) -> Kind {
    match kind {
        HistoryEventType::TaskSucceeded | HistoryEventType::LambdaFunctionSucceeded => {
            Kind::Succeeded
        }
        HistoryEventType::ExecutionRedriven => Kind::Redriven,
        HistoryEventType::ExecutionFailed
        | HistoryEventType::ExecutionTimedOut
        | HistoryEventType::ExecutionAborted => Kind::Ended {
            error: None,
            cause: None,
        },
        HistoryEventType::TaskTimedOut | HistoryEventType::LambdaFunctionTimedOut => Kind::Failed {
            error: Some("States.Timeout".to_owned()),
            cause: None,
        },
        _ => Kind::Other,
    }
}
