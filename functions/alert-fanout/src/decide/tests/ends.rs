//! Who is told of an end: also a pager that may hold an incident which nobody knows of.

use super::*;

#[test]
fn who_is_woken_hears_of_an_end_whose_beginning_is_not_known() {
    let mut problem = Problem::after(None, &fact("a", Status::Resolved, 4));
    assert_eq!(
        problem
            .clone()
            .next("slack", &me("a"), 0, None, false, minute(4)),
        Next::Nothing
    );
    let Next::Do(task) = problem.next("pager", &me("a"), 0, None, true, minute(4)) else {
        panic!("an incident may be open");
    };
    problem.took("pager", &me("a"), &task, Via::Message, None, minute(4));
    assert_eq!(
        problem.next("pager", &me("a"), 0, None, true, minute(4)),
        Next::Nothing
    );
    // The firing that comes late is owed all the same, and its end after it.
    problem = Problem::after(Some(problem), &fact("b", Status::Firing, 3));
    let Next::Do(task) = problem.next("pager", &me("b"), 1, Some(PLAN), true, minute(5)) else {
        panic!("it is owed");
    };
    problem.took("pager", &me("b"), &task, Via::Message, None, minute(5));
    let Next::Do(task) = problem.next("pager", &me("b"), 1, Some(PLAN), true, minute(5)) else {
        panic!("its end is owed");
    };
    assert!(matches!(task.kind, TaskKind::Gone(Some(_))));
}

/// A pager's problem that began and ended, and whose end it was told.
fn over() -> Problem {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    told(&mut problem, "a", Some(PLAN), 1);
    problem = Problem::after(Some(problem), &fact("b", Status::Resolved, 2));
    told(&mut problem, "b", None, 2);
    problem
}

/// Lets a pager take what it is owed, and says what that was.
fn told(problem: &mut Problem, request: &str, plan: Option<Plan>, now: i64) -> Vec<TaskKind> {
    let me = me(request);
    let mut kinds = Vec::new();
    while let Next::Do(task) = problem.next("pager", &me, problem.episode, plan, true, minute(now))
    {
        problem.took("pager", &me, &task, Via::Message, None, minute(now));
        kinds.push(task.kind);
    }
    kinds
}

#[test]
fn an_incident_that_was_opened_without_the_table_is_closed_by_the_next_end() {
    // The firing after minute 2 was told, and is not known.
    let mut problem = Problem::after(Some(over()), &fact("c", Status::Resolved, 9));
    assert_eq!(told(&mut problem, "c", None, 9), [TaskKind::Gone(None)]);
    assert_eq!(told(&mut problem, "c", None, 9), [], "once");
    // It is not written down as told of an episode: what fires next is told, and its end.
    problem = Problem::after(Some(problem), &fact("d", Status::Firing, 12));
    assert!(matches!(
        told(&mut problem, "d", Some(PLAN), 12)[..],
        [TaskKind::Tell { before: None }]
    ));
    problem = Problem::after(Some(problem), &fact("e", Status::Resolved, 13));
    assert!(matches!(
        told(&mut problem, "e", None, 13)[..],
        [TaskKind::Gone(Some(_))]
    ));
}

#[test]
fn an_end_that_is_said_each_time_all_goes_well_is_no_sign_of_a_beginning() {
    let mut success = fact("c", Status::Resolved, 9);
    success.is_routine = true;
    let mut problem = Problem::after(Some(over()), &success);
    assert_eq!(told(&mut problem, "c", None, 9), []);
}

#[rstest]
#[case::it_failed(true)]
#[case::it_was_killed(false)]
fn an_incident_whose_sender_did_not_write_it_down_is_closed(#[case] failed: bool) {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    let mut sender = me("a");
    sender.until = minute(2);
    assert!(matches!(
        problem.next("pager", &sender, 1, Some(PLAN), true, minute(1)),
        Next::Do(_)
    ));
    if failed {
        problem.failed("pager", &sender);
    }
    let mut success = fact("b", Status::Resolved, 4);
    success.is_routine = true;
    problem = Problem::after(Some(problem), &success);
    assert!(problem.may_have_paged("pager", minute(4)));
    assert_eq!(told(&mut problem, "b", None, 4), [TaskKind::Gone(None)]);
    assert!(!problem.may_have_paged("pager", minute(5)));
}

#[test]
fn a_pager_that_was_spared_a_problem_hears_nothing_of_its_end() {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    problem = Problem::after(Some(problem), &fact("b", Status::Resolved, 2));
    assert_eq!(told(&mut problem, "b", None, 2), []);
}

#[test]
fn a_count_that_is_not_shown_holds_up_no_end() {
    let thread = crate::channel::Thread {
        channel: "C".to_owned(),
        ts: "1".to_owned(),
    };
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    let first = me("a");
    let Next::Do(task) = problem.next("slack", &first, 1, Some(PLAN), false, minute(1)) else {
        panic!("it is owed");
    };
    problem.took(
        "slack",
        &first,
        &task,
        Via::Message,
        Some(thread),
        minute(1),
    );
    problem = Problem::after(Some(problem), &fact("b", Status::Firing, 2));
    let counting = me("b");
    let Next::Do(count) = problem.next("slack", &counting, 1, Some(PLAN), false, minute(2)) else {
        panic!("the count is owed");
    };
    assert!(matches!(count.kind, TaskKind::Count(_)));
    problem = Problem::after(Some(problem), &fact("c", Status::Resolved, 3));
    assert_eq!(
        problem.next("slack", &me("c"), 1, None, false, minute(3)),
        Next::Nothing,
        "it relies on who is counting"
    );
    problem.skipped("slack", &counting, &count);
    let Next::Do(end) = problem.next("slack", &counting, 1, Some(PLAN), false, minute(3)) else {
        panic!("the end is owed");
    };
    assert!(matches!(end.kind, TaskKind::Gone(Some(_))));
}

#[test]
fn a_count_that_is_not_shown_is_not_tried_for_ever() {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    let Next::Do(task) = problem.next("slack", &me("a"), 1, Some(PLAN), false, minute(1)) else {
        panic!("it is owed");
    };
    let thread = crate::channel::Thread {
        channel: "C".to_owned(),
        ts: "1".to_owned(),
    };
    problem.took(
        "slack",
        &me("a"),
        &task,
        Via::Message,
        Some(thread),
        minute(1),
    );
    problem = Problem::after(Some(problem), &fact("b", Status::Firing, 2));
    let Next::Do(count) = problem.next("slack", &me("b"), 1, Some(PLAN), false, minute(2)) else {
        panic!("the count is owed");
    };
    problem.skipped("slack", &me("b"), &count);
    assert_eq!(
        problem.next("slack", &me("b"), 1, Some(PLAN), false, minute(2)),
        Next::Nothing
    );
}

/// An alarm of minute 60, and an alert of the same pipeline that a receiver may have been told of.
#[rstest]
#[case::told(55, Some((false, Via::Message)), true)]
#[case::told_in_a_storm(55, Some((false, Via::Storm)), true)]
#[case::not_told(55, None, false)]
#[case::kept_for_the_digest(55, Some((false, Via::Digest)), false)]
#[case::told_of_its_end(55, Some((true, Via::Message)), false)]
#[case::of_an_earlier_run(29, Some((false, Via::Message)), false)]
#[case::of_just_now(61, Some((false, Via::Message)), true)]
fn an_alarm_is_kept_from_those_who_know_already(
    #[case] fired: i64,
    #[case] known: Option<(bool, Via)>,
    #[case] spared: bool,
) {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, fired));
    if let Some((gone, via)) = known {
        let told = Told {
            episode: 1,
            gone,
            via,
            at: minute(fired),
            count: 1,
            thread: None,
        };
        problem.told.insert("slack".to_owned(), told);
    }
    let mut alarm = fact("b", Status::Firing, 60);
    alarm.labels.insert("source", "cloudwatch".to_owned());
    assert_eq!(problem.spares("slack", &alarm), spared);
    assert!(
        problem.spares("slack", &fact("c", Status::Firing, 60)),
        "an alert is said again by the next run"
    );
}
