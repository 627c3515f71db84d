//! Which runs are redriven, and why others are not.

use super::*;
use crate::history::{Digest, Task};
use pipewarden_shared::failure::Escalation;
use pipewarden_shared::failure::Severity;
use rstest::rstest;

const FAILED: &str =
    include_str!("../../../../events/error-handler/eventbridge-execution-failed.json");
const NOW: &str = "2026-03-01T10:05:00Z";

fn diagnosis(code: RootCause, confidence: Confidence, transient: bool) -> Diagnosis {
    serde_json::from_value(serde_json::json!({
        "error_category": "c", "severity": Severity::High, "cause": "c", "error_message": "m",
        "root_cause": {"code": code, "summary": "s", "confidence": confidence, "transient": transient, "evidence": "e"},
        "recommended_actions": [], "investigation_steps": [], "escalate_to": Escalation::OnCall,
    }))
    .unwrap()
}

fn throttled() -> Diagnosis {
    diagnosis(RootCause::Throttling, Confidence::High, true)
}

fn died(redrives: u32) -> Fetched {
    Fetched {
        execution: Some(Described {
            status: "FAILED".to_owned(),
            error: None,
            cause: None,
            redrives,
            redrivable: true,
            redrivable_reason: None,
            stopped_at: Some("2026-03-01T10:00:00Z".parse().unwrap()),
        }),
        history: Some(Digest {
            reported: false,
            whole: true,
            task: Some(Task {
                state: Some("LoadUsers".to_owned()),
                ..Task::default()
            }),
        }),
        ..Fetched::default()
    }
}

fn decided(
    event: &str,
    fetched: &Fetched,
    diagnosis: &Diagnosis,
    budget: u32,
    now: &str,
) -> Decision {
    let circumstances = Circumstances {
        budget,
        environment: "dev",
        now: now.parse().unwrap(),
    };
    decide(&Failure::parse(event), fetched, diagnosis, circumstances).unwrap()
}

#[track_caller]
fn left(decision: Decision) -> String {
    match decision {
        Decision::Leave { reason, .. } => reason,
        Decision::Redrive { reason, .. } => panic!("redriven: {reason}"),
    }
}

#[rstest]
#[case(0, 1)]
#[case(1, 3)]
fn a_passing_cause_is_redriven_within_the_budget(#[case] redrives: u32, #[case] budget: u32) {
    let decision = decided(FAILED, &died(redrives), &throttled(), budget, NOW);
    let Decision::Redrive {
        count,
        reason,
        token,
        ..
    } = decision
    else {
        panic!("{decision:?}");
    };
    assert_eq!(count, redrives + 1);
    assert!(
        reason.contains(&format!("redrive {count} of {budget}")),
        "{reason}"
    );
    // ClientToken: 1 to 64 characters (Step Functions API reference).
    assert_eq!(token.len(), 32);
}

#[test]
fn the_token_is_of_the_execution_and_its_redrives() {
    let token = |redrives| match decided(FAILED, &died(redrives), &throttled(), 9, NOW) {
        Decision::Redrive { token, .. } => token,
        other => panic!("{other:?}"),
    };
    assert_eq!(token(0), token(0));
    assert_ne!(token(0), token(1));
}

#[rstest]
#[case::permanent(
    diagnosis(RootCause::Permission, Confidence::High, false),
    "a retry does not cure permission"
)]
#[case::unknown(
    diagnosis(RootCause::Unknown, Confidence::Low, false),
    "the cause is not known well enough"
)]
#[case::unknown_but_said_to_pass(
    diagnosis(RootCause::Unknown, Confidence::High, true),
    "the cause is not known well enough"
)]
#[case::likely(
    diagnosis(RootCause::Throttling, Confidence::Medium, true),
    "the cause is not known well enough"
)]
#[case::a_guess(
    diagnosis(RootCause::Throttling, Confidence::Low, true),
    "the cause is not known well enough"
)]
fn other_causes_are_left(#[case] diagnosis: Diagnosis, #[case] reason: &str) {
    assert_eq!(left(decided(FAILED, &died(0), &diagnosis, 1, NOW)), reason);
}

#[rstest]
#[case::off(0, 0, "the profile allows no redrives in dev")]
#[case::spent(1, 1, "the run was redriven 1 times and the profile allows 1")]
fn a_budget_ends(#[case] redrives: u32, #[case] budget: u32, #[case] reason: &str) {
    assert_eq!(
        left(decided(FAILED, &died(redrives), &throttled(), budget, NOW)),
        reason
    );
}

#[test]
fn a_run_in_another_condition_is_left() {
    let change = |change: &dyn Fn(&mut Fetched)| {
        let mut fetched = died(0);
        change(&mut fetched);
        left(decided(FAILED, &fetched, &throttled(), 1, NOW))
    };
    let described = |change_it: &dyn Fn(&mut Described)| {
        change(&|fetched| change_it(fetched.execution.as_mut().unwrap()))
    };
    let history = |change_it: &dyn Fn(&mut Digest)| {
        change(&|fetched| change_it(fetched.history.as_mut().unwrap()))
    };
    assert_eq!(
        change(&|fetched| fetched.execution = None),
        "the execution could not be read"
    );
    assert_eq!(
        change(&|fetched| fetched.history = None),
        "the execution's history could not be read"
    );
    assert_eq!(
        described(&|execution| execution.status = "RUNNING".to_owned()),
        "the run is RUNNING since"
    );
    assert_eq!(
        history(&|history| history.whole = false),
        "only the end of the execution's history was read"
    );
    assert_eq!(
        history(&|history| history.task = None),
        "it is not known in which state the run died"
    );
    assert_eq!(
        history(&|history| history.task.as_mut().unwrap().is_fail_state = true),
        "the run ended in its Fail state LoadUsers, where a redrive would begin"
    );
    assert_eq!(
        described(&|execution| {
            execution.redrivable = false;
            execution.redrivable_reason = Some("Execution history event limit exceeded".to_owned());
        }),
        "Step Functions does not redrive it: Execution history event limit exceeded"
    );
    let late = decided(FAILED, &died(0), &throttled(), 1, "2026-03-15T10:00:01Z");
    assert_eq!(left(late), "the run ended more than 14 days ago");
    let aborted = FAILED.replace("\"FAILED\"", "\"ABORTED\"");
    assert_eq!(
        left(decided(&aborted, &died(0), &throttled(), 1, NOW)),
        "somebody stopped the run"
    );
}

#[test]
fn what_is_no_execution_is_nothing_to_redrive() {
    let glue = include_str!("../../../../events/error-handler/eventbridge-glue-job-failed.json");
    let circumstances = Circumstances {
        budget: 1,
        environment: "dev",
        now: NOW.parse().unwrap(),
    };
    assert_eq!(
        decide(&Failure::parse(glue), &died(0), &throttled(), circumstances),
        None
    );
}
