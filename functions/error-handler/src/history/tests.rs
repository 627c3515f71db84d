//! Histories as Step Functions writes them, and what they tell.

use super::*;
use rstest::rstest;

const HANDLER: &str = "arn:aws:lambda:eu-central-1:123456789012:function:handler";

/// Builds a history, oldest first, each event led to by the one before it.
fn history(kinds: &[Kind]) -> Vec<Event> {
    let mut events: Vec<Event> = kinds
        .iter()
        .enumerate()
        .map(|(index, kind)| {
            let id = i64::try_from(index).unwrap() + 1;
            Event {
                id,
                previous: id - 1,
                at: id * 1_000,
                kind: kind.clone(),
            }
        })
        .collect();
    events.reverse();
    events
}

fn entered(state: &str) -> Kind {
    Kind::Entered {
        state: state.to_owned(),
        is_fail: state == "Failed",
    }
}

fn scheduled(resource: &str, parameters: &str) -> Kind {
    Kind::Scheduled {
        resource: resource.to_owned(),
        parameters: parameters.to_owned(),
    }
}

fn failed(error: &str) -> Kind {
    Kind::Failed {
        error: Some(error.to_owned()),
        cause: Some("why".to_owned()),
    }
}

fn ended() -> Kind {
    Kind::Ended {
        error: None,
        cause: None,
    }
}

fn glue() -> Vec<Kind> {
    vec![
        Kind::Other,
        entered("LoadUsers"),
        scheduled("glue", r#"{"JobName":"load"}"#),
        Kind::Other,
        Kind::Submitted {
            output: r#"{"JobRunId":"jr_1"}"#.to_owned(),
        },
    ]
}

fn handler(outcome: Kind) -> Vec<Kind> {
    let parameters = format!(r#"{{"FunctionName":"{HANDLER}","Payload":{{}}}}"#);
    vec![
        Kind::Other,
        entered("HandleFailure"),
        scheduled("lambda", &parameters),
        Kind::Other,
        outcome,
    ]
}

#[rstest]
#[case::reported(vec![glue(), vec![failed("Boom")], handler(Kind::Succeeded), vec![entered("Failed"), ended()]], true)]
#[case::handler_failed(vec![glue(), vec![failed("Boom")], handler(failed("AlertNotSent")), vec![entered("Failed"), ended()]], false)]
#[case::died_outside(vec![glue(), vec![failed("Boom"), ended()]], false)]
#[case::reported_before_a_redrive(vec![glue(), handler(Kind::Succeeded), vec![ended(), Kind::Redriven], glue(), vec![failed("Boom"), ended()]], false)]
#[case::by_the_older_kind_of_task(vec![vec![entered("H"), scheduled(HANDLER, "{}"), Kind::Succeeded, ended()]], true)]
#[case::another_function(vec![vec![entered("H"), scheduled("lambda", r#"{"FunctionName":"handler-2"}"#), Kind::Succeeded, ended()]], false)]
fn a_report_is_a_task_of_this_function_that_succeeded(
    #[case] kinds: Vec<Vec<Kind>>,
    #[case] expected: bool,
) {
    let events = history(&kinds.concat());
    let at = events[0].at;
    let digest = digest(&events, View::Ended(Some(at)), HANDLER);
    assert_eq!((digest.reported, digest.whole), (expected, true));
}

#[test]
fn a_redrive_after_the_end_hides_nothing() {
    let events = history(
        &[
            glue(),
            vec![failed("Boom"), ended(), Kind::Redriven],
            glue(),
        ]
        .concat(),
    );
    let end = events
        .iter()
        .find(|event| event.kind == ended())
        .unwrap()
        .at;
    let task = digest(&events, View::Ended(Some(end)), HANDLER)
        .task
        .unwrap();
    assert_eq!(task.error.as_deref(), Some("Boom"));
}

#[test]
fn the_task_that_failed_is_told_with_its_names() {
    let events = history(&[glue(), vec![failed("States.TaskFailed"), ended()]].concat());
    let task = digest(&events, View::Ended(None), HANDLER).task.unwrap();
    assert_eq!(task.state.as_deref(), Some("LoadUsers"));
    assert_eq!(task.service, Some(Service::Glue));
    assert_eq!(
        (task.error.as_deref(), task.cause.as_deref()),
        (Some("States.TaskFailed"), Some("why"))
    );
    assert_eq!(
        (task.names["job"].as_str(), task.names["job_run"].as_str()),
        ("load", "jr_1")
    );
}

#[test]
fn what_was_at_work_when_the_time_ran_out_is_told() {
    // Its end has nothing that led to it, and a retry that failed long before is not to blame.
    let mut kinds = [
        vec![entered("Retried"), failed("Old"), Kind::Succeeded],
        glue(),
    ]
    .concat();
    kinds.push(ended());
    let mut events = history(&kinds);
    events[0].previous = 0;
    let task = digest(&events, View::Ended(None), HANDLER).task.unwrap();
    assert_eq!(
        (task.state.as_deref(), task.error),
        (Some("LoadUsers"), None)
    );
    assert_eq!(task.names["job_run"], "jr_1");
}

#[test]
fn a_fail_state_is_known_as_such() {
    let events = history(&[glue(), vec![failed("Boom"), entered("Failed"), ended()]].concat());
    let task = digest(&events, View::Ended(None), HANDLER).task.unwrap();
    assert!(task.is_fail_state);
    assert_eq!(task.state.as_deref(), Some("Failed"));
}

#[test]
fn a_catch_reports_what_failed_before_it() {
    let events = history(&[glue(), vec![failed("States.Timeout")], handler(Kind::Other)].concat());
    let task = digest(&events, View::Caught, HANDLER).task.unwrap();
    assert_eq!(
        (task.state.as_deref(), task.error.as_deref()),
        (Some("LoadUsers"), Some("States.Timeout"))
    );
}

#[test]
fn a_history_that_contradicts_itself_is_read_without_end() {
    let mut events = history(&[glue(), vec![failed("Boom"), ended()]].concat());
    for event in &mut events {
        event.previous = event.id;
    }
    assert!(digest(&events, View::Ended(None), HANDLER).task.is_some());
    assert_eq!(digest(&[], View::Caught, HANDLER), Digest::default());
}
