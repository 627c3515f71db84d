//! What is owed to whom, step by step and in whatever order notices come.

use super::*;
use crate::card::{Card, Summary};
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::alert::Status;
use pipewarden_shared::failure::Severity;
use pipewarden_shared::profile::alerting::{Labels, Timing};
use proptest::prelude::*;
use rstest::rstest;

mod ends;
mod summaries;

const PLAN: Plan = Plan {
    timing: Timing::Now,
    repeat_interval: SignedDuration::from_hours(4),
};

fn minute(minute: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + 60 * minute).unwrap()
}

fn fact(id: &str, status: Status, at: i64) -> Fact {
    let card = Card::new(
        Severity::High,
        "sf_user: glue job failure".to_owned(),
        "it failed".to_owned(),
    );
    Fact {
        id: id.to_owned(),
        fingerprint: "f".to_owned(),
        status,
        at: minute(at),
        is_routine: false,
        labels: Labels::from([("severity", "HIGH".to_owned())]),
        summary: Summary::of(&card),
    }
}

fn me(request: &str) -> Me {
    Me {
        notice: format!("notice of {request}"),
        request: request.to_owned(),
        until: minute(1_000_000),
    }
}

/// A receiver that takes everything at once, and what it was told.
#[derive(Default)]
struct Person {
    problem: Option<Problem>,
    told: Vec<String>,
}

impl Person {
    /// `+6` is a firing of minute 6, `-6` a resolved notice.
    fn hear(&mut self, notice: &str, now: i64) {
        let (status, at) = match notice.split_at(1) {
            ("+", at) => (Status::Firing, at),
            (_, at) => (Status::Resolved, at),
        };
        let fact = fact(notice, status, at.parse().unwrap());
        let mut problem = Problem::after(self.problem.take(), &fact);
        let episode = problem.episode;
        let plan = (status == Status::Firing).then_some(PLAN);
        let me = me(notice);
        while let Next::Do(task) = problem.next("slack", &me, episode, plan, false, minute(now)) {
            self.told.push(match &task.kind {
                TaskKind::Tell { before: None } => format!("fires/{}", task.episode),
                TaskKind::Tell { before: Some(_) } => format!("again/{}x", task.count),
                TaskKind::Count(_) => format!("count/{}", task.count),
                TaskKind::Gone(_) => format!("gone/{}", task.episode),
            });
            problem.took("slack", &me, &task, Via::Message, None, minute(now));
        }
        self.problem = Some(problem);
    }
}

#[rstest]
#[case::once("+1", "fires/1")]
#[case::a_retry("+1 +1 +1", "fires/1")]
#[case::repeats_are_counted("+1 +2 +3", "fires/1")]
#[case::resolved("+1 -2", "fires/1 gone/1")]
#[case::resolved_twice("+1 -2 -2 -3", "fires/1 gone/1")]
#[case::a_new_firing_opens_again("+1 -2 +3 -4", "fires/1 gone/1 fires/2 gone/2")]
#[case::a_late_firing_opens_nothing("+1 -4 +3", "fires/1 gone/1")]
#[case::the_end_comes_first("-4 +3", "fires/1 gone/1")]
#[case::the_end_comes_first_and_it_fires_again("-4 +3 +5", "fires/1 gone/1 fires/2")]
#[case::an_end_older_than_the_firing("+3 -2", "fires/1")]
#[case::an_end_that_a_repeat_overtook("+1 +3 -2 -4", "fires/1 gone/1")]
#[case::an_end_that_a_new_episode_overtook("+1 -2 +5 -3", "fires/1 gone/1 fires/2")]
#[case::only_an_end("-4", "")]
fn times_decide_and_not_the_order(#[case] notices: &str, #[case] told: &str) {
    let mut person = Person::default();
    for notice in notices.split(' ') {
        person.hear(notice, 10);
    }
    assert_eq!(person.told.join(" "), told);
}

#[test]
fn a_problem_that_stays_is_told_again_after_the_interval() {
    let mut person = Person::default();
    for (notice, now) in [
        ("+1", 1),
        ("+60", 60),
        ("+240", 240),
        ("+241", 241),
        ("+242", 242),
        ("+480", 480),
        ("+482", 482),
    ] {
        person.hear(notice, now);
    }
    assert_eq!(person.told, ["fires/1", "again/4x", "again/7x"]);
}

#[test]
fn a_retry_after_the_interval_tells_nothing_again() {
    let mut person = Person::default();
    person.hear("+1", 1);
    // As from the dead-letter queue.
    person.hear("+1", 10_000);
    assert_eq!(person.told, ["fires/1"]);
}

#[test]
fn a_message_that_can_be_changed_shows_how_often_at_powers_of_two() {
    let mut problem = Problem::after(None, &fact("1", Status::Firing, 1));
    let thread = crate::channel::Thread {
        channel: "C".to_owned(),
        ts: "1".to_owned(),
    };
    let mut shown = Vec::new();
    for number in 1..=20 {
        let me = me(&number.to_string());
        problem = Problem::after(
            Some(problem),
            &fact(&number.to_string(), Status::Firing, number),
        );
        let Next::Do(task) = problem.next("slack", &me, 1, Some(PLAN), false, minute(number))
        else {
            continue;
        };
        shown.push(task.count);
        problem.took(
            "slack",
            &me,
            &task,
            Via::Message,
            Some(thread.clone()),
            minute(number),
        );
    }
    assert_eq!(shown, [1, 2, 4, 8, 16]);
}

#[test]
fn ten_at_one_instant_are_one_message() {
    let mut problem = Problem::after(None, &fact("0", Status::Firing, 1));
    let Next::Do(_) = problem.next("slack", &me("0"), 1, Some(PLAN), false, minute(1)) else {
        panic!("the first tells it");
    };
    for number in 1..10 {
        problem = Problem::after(Some(problem), &fact(&number.to_string(), Status::Firing, 1));
        let next = problem.next(
            "slack",
            &me(&number.to_string()),
            1,
            Some(PLAN),
            false,
            minute(1),
        );
        assert_eq!(next, Next::Nothing, "the first sees to it");
    }
}

#[test]
fn a_claim_is_relied_on_only_by_whom_it_serves() {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    let mut holder = me("first try");
    holder.notice = "a".to_owned();
    assert!(matches!(
        problem.next("slack", &holder, 1, Some(PLAN), false, minute(1)),
        Next::Do(_)
    ));

    // Lambda's retry has the same request id.
    assert!(matches!(
        problem
            .clone()
            .next("slack", &holder, 1, Some(PLAN), false, minute(1)),
        Next::Do(_)
    ));
    // SNS brings the same message once more, in another request.
    let mut twin = me("twin");
    twin.notice = "a".to_owned();
    assert_eq!(
        problem
            .clone()
            .next("slack", &twin, 1, Some(PLAN), false, minute(1)),
        Next::Wait
    );
    // A later episode is not what the holder tells.
    let mut ended = Problem::after(Some(problem.clone()), &fact("b", Status::Resolved, 2));
    assert_eq!(
        ended.next("slack", &me("b"), 1, None, false, minute(2)),
        Next::Nothing
    );
    let mut later = Problem::after(Some(ended), &fact("c", Status::Firing, 3));
    assert_eq!(
        later.next("slack", &me("c"), 2, Some(PLAN), false, minute(3)),
        Next::Wait
    );
    // A claim ends with the invocation that holds it.
    let mut orphaned = problem;
    orphaned.claims.get_mut("slack").unwrap().until = minute(2);
    assert!(matches!(
        orphaned.next("slack", &twin, 1, Some(PLAN), false, minute(2)),
        Next::Do(_)
    ));
}

#[test]
fn the_end_that_came_while_the_beginning_was_sent_is_told_by_the_same() {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    let holder = me("a");
    let Next::Do(task) = problem.next("slack", &holder, 1, Some(PLAN), false, minute(1)) else {
        panic!("it is owed");
    };
    problem = Problem::after(Some(problem), &fact("b", Status::Resolved, 2));
    assert_eq!(
        problem.next("slack", &me("b"), 1, None, false, minute(2)),
        Next::Nothing
    );
    problem.took("slack", &holder, &task, Via::Message, None, minute(2));
    let Next::Do(task) = problem.next("slack", &holder, 1, Some(PLAN), false, minute(2)) else {
        panic!("the end is owed");
    };
    assert!(matches!(task.kind, TaskKind::Gone(Some(_))));
}

#[test]
fn a_beginning_that_failed_is_left_to_whoever_comes_next() {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    assert!(matches!(
        problem.next("slack", &me("a"), 1, Some(PLAN), false, minute(1)),
        Next::Do(_)
    ));
    problem.failed("slack", &me("a"));
    problem = Problem::after(Some(problem), &fact("b", Status::Resolved, 2));
    assert_eq!(
        problem.next("slack", &me("b"), 1, None, false, minute(2)),
        Next::Nothing,
        "nobody was told"
    );
    // The retry, then: it is owed, and so is its end.
    assert!(matches!(
        problem.next("slack", &me("a"), 1, Some(PLAN), false, minute(3)),
        Next::Do(_)
    ));
}

#[test]
fn a_message_that_nobody_knows_of_is_remembered_until_the_next_episode() {
    let mut problem = Problem::after(None, &fact("a", Status::Firing, 1));
    let me = me("a");
    assert!(matches!(
        problem.next("slack", &me, 1, Some(PLAN), false, minute(1)),
        Next::Do(_)
    ));
    assert!(problem.doubtful.is_empty());
    // Killed; Lambda tries again.
    assert!(matches!(
        problem.next("slack", &me, 1, Some(PLAN), false, minute(2)),
        Next::Do(_)
    ));
    assert!(problem.doubtful.contains("slack"));
    problem.failed("pager", &me);
    assert!(problem.doubtful.contains("pager"));
    problem = Problem::after(Some(problem), &fact("b", Status::Resolved, 3));
    assert_eq!(problem.doubtful.len(), 2);
    problem = Problem::after(Some(problem), &fact("c", Status::Firing, 4));
    assert!(problem.doubtful.is_empty());
}

#[rstest]
#[case(1_000, 300, (900, 1_200))]
#[case(1_200, 300, (1_200, 1_500))]
#[case(0, 300, (0, 300))]
#[case(7, 0, (7, 8))]
fn windows_follow_each_other(#[case] now: i64, #[case] length: i64, #[case] expected: (i64, i64)) {
    let now = Timestamp::from_second(now).unwrap();
    assert_eq!(
        Window::around(now, SignedDuration::from_secs(length)),
        expected
    );
}

proptest! {
    /// Whatever the order, a problem is there exactly where the youngest firing is younger than the youngest end.
    #[test]
    fn the_youngest_word_counts(notices in proptest::collection::vec((any::<bool>(), 0_i64..12), 1..12)) {
        let mut problem = None;
        for (index, (fires, at)) in notices.iter().enumerate() {
            let status = if *fires { Status::Firing } else { Status::Resolved };
            problem = Some(Problem::after(problem, &fact(&index.to_string(), status, *at)));
        }
        let youngest = |fires: bool| notices.iter().filter(|one| one.0 == fires).map(|one| one.1).max();
        prop_assert_eq!(problem.unwrap().open, youngest(true) > youngest(false));
    }

    /// Whatever comes, and however often it is tried again: who is told at once hears of the last state, each episode
    /// begins before it ends, and nothing is said twice.
    #[test]
    fn what_is_told_is_in_order(notices in proptest::collection::vec((any::<bool>(), 0_i64..12), 1..16)) {
        let mut person = Person::default();
        for (fires, at) in &notices {
            person.hear(&format!("{}{at}", if *fires { '+' } else { '-' }), 20);
        }
        let heard = notices.iter().any(|one| one.0);
        prop_assert_eq!(heard, !person.told.is_empty());
        for (index, told) in person.told.iter().enumerate() {
            let episode = index / 2 + 1;
            let expected = if index % 2 == 0 { format!("fires/{episode}") } else { format!("gone/{episode}") };
            prop_assert_eq!(told, &expected, "{:?}", person.told);
        }
        prop_assert_eq!(person.told.len() % 2 == 1, person.problem.unwrap().open);
    }
}
