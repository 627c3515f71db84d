//! Decide: which of the entries that hold is the cause, and how sure that is.

use super::matching::Match;
use super::table::Entry;
use super::vocabulary::Rank;
use pipewarden_shared::failure::{Confidence, RootCause};
use std::cmp::Reverse;

/// Up to this many bytes a match that holds another is about the same words; a longer one may span a log.
const LONGEST_SPAN: usize = 400;

/// The entry that tells the cause.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) best: Match,
    /// The entry's, or one step less where others contradict it; low where it only stands in an aside.
    pub(crate) confidence: Confidence,
    /// Whether the same run may succeed a little later, as far as nothing speaks against it.
    pub(crate) transient: bool,
    /// Entries that say otherwise of the same text with as much right.
    pub(crate) rivals: Vec<&'static Entry>,
}

/// Weighs matches: a complaint above an aside, what is specific above what is general, facts above text, the innermost
/// above what wraps it, then the surer, then the longer, then the one that begins first.
pub(crate) fn verdict(matches: &[Match]) -> Option<Verdict> {
    let standing: Vec<&Match> = matches
        .iter()
        .filter(|one| !matches.iter().any(|other| holds(other, one)))
        .collect();
    let best = (*standing.iter().max_by_key(|one| weight(one))?).clone();
    let level = |one: &Match| {
        (
            one.aside,
            one.entry.rank,
            one.basis,
            one.depth,
            one.caused_by,
        )
    };
    let mut rivals: Vec<&'static Entry> = standing
        .iter()
        .filter(|other| level(other) == level(&best) && other.entry.code != best.entry.code)
        .filter(|other| {
            other.entry.confidence >= best.entry.confidence || forbids(other.entry, best.entry)
        })
        .map(|other| other.entry)
        .collect();
    rivals.dedup_by_key(|entry| entry.id());
    let transient = best.entry.transient && !rivals.iter().any(|rival| forbids(rival, best.entry));
    let confidence = match (best.aside, rivals.is_empty(), best.entry.confidence) {
        (false, true, confidence) => confidence,
        (false, false, Confidence::High) => Confidence::Medium,
        _ => Confidence::Low,
    };
    Some(Verdict {
        best,
        confidence,
        transient,
        rivals,
    })
}

/// Whether a cause that does not pass stands against one that does: a retry on the word of the surer one would run into
/// the other.
fn forbids(other: &Entry, best: &Entry) -> bool {
    best.transient && !other.transient && other.confidence >= Confidence::Medium
}

fn weight(one: &Match) -> impl Ord {
    let begins = one.found.iter().map(|found| found.range.start).min();
    // Of wrappers, the one that says anything is worth more than the innermost.
    let says = one.entry.rank != Rank::Wrapper || one.entry.code != RootCause::Unknown;
    let wrapper = (one.entry.rank == Rank::Wrapper).then_some(one.entry.confidence);
    (
        !one.aside,
        one.entry.rank,
        one.basis,
        says,
        wrapper,
        Reverse(one.depth),
        one.caused_by,
        one.entry.confidence,
        one.length(),
        Reverse(begins),
    )
}

/// Whether a match is about the very words of another and more of them, and says no less.
fn holds(outer: &Match, inner: &Match) -> bool {
    let ([outer_found], [inner_found]) = (outer.found.as_slice(), inner.found.as_slice()) else {
        return false;
    };
    let (wide, narrow) = (&outer_found.range, &inner_found.range);
    let level = |one: &Match| (one.depth, one.basis, one.aside, one.caused_by);
    level(outer) == level(inner)
        && outer.entry.rank >= inner.entry.rank
        && wide.len() <= LONGEST_SPAN
        && wide.len() > narrow.len()
        && wide.start <= narrow.start
        && narrow.end <= wide.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::matching::{Basis, Found};
    use Confidence::{High, Low, Medium};
    use Rank::{General, Specific, Wrapper};
    use RootCause::{NestedFailure, Permission, Timeout, Unknown};
    use rstest::rstest;

    fn one(rank: Rank, code: RootCause, confidence: Confidence) -> Match {
        Match {
            entry: Entry::sample(rank, code, confidence),
            basis: Basis::Text,
            depth: 0,
            found: vec![Found {
                part: 0,
                range: 100..120,
            }],
            aside: false,
            caused_by: None,
        }
    }

    fn at(mut one: Match, range: std::ops::Range<usize>) -> Match {
        one.found = vec![Found { part: 0, range }];
        one
    }

    fn out(mut one: Match, depth: usize) -> Match {
        one.depth = depth;
        one
    }

    fn by_facts(mut one: Match) -> Match {
        one.basis = Basis::Facts;
        one
    }

    fn caused_by(mut one: Match, at: usize) -> Match {
        one.caused_by = Some(at);
        one
    }

    fn aside(mut one: Match) -> Match {
        one.aside = true;
        one
    }

    #[rstest]
    #[case::specific_outside_beats_general_inside(
        out(one(Specific, Timeout, Low), 3),
        one(General, Permission, High)
    )]
    #[case::general_beats_wrapper(
        one(General, Timeout, Low),
        by_facts(one(Wrapper, Permission, High))
    )]
    #[case::inside_beats_outside(
        one(Specific, Timeout, Low),
        out(one(Specific, Permission, High), 1)
    )]
    #[case::facts_beat_words(by_facts(one(General, Timeout, Low)), one(General, Permission, High))]
    #[case::surer(one(Specific, Timeout, High), at(one(Specific, Permission, Medium), 0..90))]
    #[case::longer(at(one(Specific, Timeout, High), 0..30), one(Specific, Permission, High))]
    #[case::first(at(one(Specific, Timeout, High), 0..20), one(Specific, Permission, High))]
    #[case::more_of_the_same_words(at(one(Specific, Timeout, Medium), 90..130), one(Specific, Permission, High))]
    #[case::a_wrapper_that_says_something(
        out(one(Wrapper, NestedFailure, Low), 2),
        one(Wrapper, Unknown, Medium)
    )]
    #[case::the_cause_of_it(caused_by(one(Specific, Timeout, Low), 90), at(one(Specific, Permission, High), 0..80))]
    #[case::the_cause_of_the_cause(
        caused_by(one(Specific, Timeout, Low), 90),
        caused_by(one(Specific, Permission, High), 10)
    )]
    #[case::a_complaint(one(General, Timeout, Low), aside(one(Specific, Permission, High)))]
    fn weighs_more(#[case] more: Match, #[case] less: Match) {
        for matches in [[more.clone(), less.clone()], [less, more]] {
            assert_eq!(
                verdict(&matches).unwrap().best.entry.code,
                matches
                    .iter()
                    .find(|one| { matches!(one.entry.code, Timeout | NestedFailure) })
                    .unwrap()
                    .entry
                    .code
            );
        }
    }

    #[rstest]
    #[case::as_sure(at(one(Specific, Permission, High), 0..10), Medium)]
    #[case::the_same_cause(at(one(Specific, Timeout, High), 0..10), High)]
    #[case::less_sure(at(one(Specific, Permission, Low), 0..10), High)]
    #[case::says_less(at(one(General, Permission, High), 0..10), High)]
    #[case::further_out(out(one(Specific, Permission, High), 1), High)]
    #[case::the_same_words(at(one(Specific, Permission, High), 105..110), High)]
    fn contradiction_costs_a_step(#[case] other: Match, #[case] left: Confidence) {
        let verdict = verdict(&[one(Specific, Timeout, High), other]).unwrap();
        assert_eq!(
            (verdict.best.entry.code, verdict.confidence),
            (Timeout, left)
        );
        assert_eq!(verdict.rivals.is_empty(), left == High);
    }

    /// A retry would run into the other; where both pass, or the other is a guess, it may help.
    #[rstest]
    #[case::a_refusal(Medium, false, Medium, false)]
    #[case::a_guess(Low, false, High, true)]
    #[case::another_that_passes(Medium, true, High, true)]
    fn what_does_not_pass_speaks_against_a_retry(
        #[case] sure: Confidence,
        #[case] passes: bool,
        #[case] left: Confidence,
        #[case] transient: bool,
    ) {
        let best = one(Specific, RootCause::Throttling, High);
        let best = Match {
            entry: best.entry.passing(true),
            ..best
        };
        let other = at(one(Specific, Permission, sure), 0..10);
        let other = Match {
            entry: other.entry.passing(passes),
            ..other
        };
        let verdict = verdict(&[best, other]).unwrap();
        assert_eq!(verdict.best.entry.code, RootCause::Throttling);
        assert_eq!((verdict.confidence, verdict.transient), (left, transient));
        assert_eq!(verdict.rivals.is_empty(), transient);
    }

    #[test]
    fn what_only_stands_in_an_aside_is_a_guess() {
        let verdict = verdict(&[aside(one(Specific, Timeout, High))]).unwrap();
        assert_eq!(verdict.confidence, Low);
    }

    #[test]
    fn nothing_tells_nothing() {
        assert!(verdict(&[]).is_none());
    }
}
