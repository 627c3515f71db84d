//! Who is told alone and who in a summary, and what a summary says.

use super::*;

#[test]
fn a_window_admits_so_many_and_one_begins_the_storm() {
    let mut window = Window::default();
    let admitted: Vec<Admission> = ["a", "b", "a", "c", "d", "c", "b"]
        .into_iter()
        .map(|problem| window.admit(problem, 2, false))
        .collect();
    use Admission::{Alone, Collected, Opens};
    assert_eq!(
        admitted,
        [Alone, Alone, Alone, Opens, Collected, Opens, Alone]
    );
}

#[test]
fn a_critical_problem_has_places_of_its_own() {
    let mut window = Window::default();
    let mut admit = |problem, is_critical| window.admit(problem, 2, is_critical);
    use Admission::{Alone, Collected, Opens};
    assert_eq!(
        admit("A", true),
        Alone,
        "with the others while there is room"
    );
    assert_eq!(admit("b", false), Alone);
    assert_eq!(admit("c", false), Opens);
    assert_eq!([admit("D", true), admit("E", true)], [Alone, Alone]);
    assert_eq!(admit("F", true), Collected, "they are bounded as well");
    assert_eq!(admit("D", true), Alone, "the same when it is asked again");
}

/// A line of a problem: its episode, when it was told before, whether it ended, how often since.
fn line(problem: &str, episode: u32, before: i64, is_end: bool, count: u64) -> Pending {
    let mut summary = fact("a", Status::Firing, i64::from(episode)).summary;
    summary.title = problem.to_owned();
    summary.count = count;
    summary.occurred_at = Some(minute(i64::from(episode)));
    if is_end {
        summary.status = Status::Resolved;
    }
    Pending {
        kind: Kind::Digest,
        line: Line {
            problem: problem.to_owned(),
            episode,
            before,
        },
        summary,
    }
}

#[test]
fn lines_are_sorted_by_when_they_are_due() {
    let pending = line("f", 1, 0, false, 1);
    let due = |second| pending.sort(second);
    assert!(due(999) < due(1_000) && due(999_999_999) < due(1_772_000_000));
    assert!(due(1_000) < Pending::until(1_000) && Pending::until(1_000) <= due(1_001));
    assert_eq!(due(5), due(5), "the same line has the same key");
}

#[rstest]
#[case::all_day(&[line("a", 1, 0, false, 1), line("a", 1, 4, false, 6), line("a", 1, 8, false, 6)], &["a firing 13"])]
#[case::kept_twice_by_a_retry(&[line("a", 1, 0, false, 1), line("a", 1, 0, false, 1)], &["a firing 1"])]
#[case::over_within_a_window(&[line("a", 1, 0, false, 1), line("a", 1, 0, true, 0)], &["a resolved 1"])]
#[case::back_again(&[line("a", 2, 0, false, 1), line("a", 1, 0, true, 0), line("a", 1, 0, false, 3)], &["a firing 4"])]
#[case::several(&[line("b", 1, 0, false, 2), line("a", 1, 0, false, 1)], &["a firing 1", "b firing 2"])]
#[case::none(&[], &[])]
fn a_summary_shows_each_problem_once(#[case] lines: &[Pending], #[case] expected: &[&str]) {
    let merged = Pending::merged(lines);
    let shown: Vec<String> = merged
        .iter()
        .map(|summary| {
            format!(
                "{} {} {}",
                summary.title,
                summary.status.as_str(),
                summary.count
            )
        })
        .collect();
    assert_eq!(shown, expected);
    let earliest = lines
        .iter()
        .filter_map(|line| line.summary.occurred_at)
        .min();
    let since = merged
        .iter()
        .filter_map(|summary| summary.occurred_at)
        .min();
    assert_eq!(since, earliest);
}

#[test]
fn the_title_of_a_digest_counts_each_alert_once() {
    let day = [
        line("a", 1, 0, false, 1),
        line("a", 1, 4, false, 6),
        line("a", 1, 8, false, 6),
    ];
    let card = Card::digest(&Pending::merged(&day));
    assert_eq!(card.title, "Digest: 13 alerts");
}
