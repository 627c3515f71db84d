//! Decide: which entries hold for a failure.

use super::excerpt::{self, middle_out};
use super::pattern::{self, Budget};
use super::scan::{self, Candidates};
use super::table::{ALL, Entry, Facts, GROUPS, NUMBERS, PARTS, Span};
use super::vocabulary::Rank;
use crate::cause::prose::{own_words, unframed};
use crate::evidence::Evidence;
use std::collections::BTreeSet;
use std::ops::Range;

/// The most bytes of texts that are looked at.
pub(crate) const LONGEST_READ: usize = 65_536;

/// How far from the rest of a match a part may stand that the scan does not look for.
const NEAR: usize = 4_096;

/// The most bytes of an error's name (Step Functions API reference, `SensitiveError`).
const LONGEST_NAME: usize = 256;

/// How many bytes of a line are looked at before a match.
const LONGEST_LINE: usize = 512;

/// What an entry holds by; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Basis {
    /// Words.
    Text,
    /// Structured facts.
    Facts,
}

/// A part of a text that a pattern matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) part: u16,
    pub(crate) range: Range<usize>,
}

/// An entry that holds.
#[derive(Debug, Clone)]
pub(crate) struct Match {
    pub(crate) entry: &'static Entry,
    pub(crate) basis: Basis,
    /// How far out: 0 is the innermost text or error.
    pub(crate) depth: usize,
    /// What was found in the text of that depth.
    pub(crate) found: Vec<Found>,
    /// Whether it stands in a line of a log that is no complaint (INFO, DEBUG, TRACE), or in a warning that the log
    /// went on from to an error.
    pub(crate) aside: bool,
    /// Where the `Caused by:` before it stands, if it is in the line of one: a Java trace tells the inner cause later.
    pub(crate) caused_by: Option<usize>,
}

impl Match {
    /// How many bytes were matched; 0 where a fact was.
    pub(crate) fn length(&self) -> usize {
        self.found.iter().map(|found| found.range.len()).sum()
    }
}

/// A text that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// The most that its words may say: those of a whole JSON are mostly not about the failure.
    pub(crate) most: Rank,
    /// Where its last line begins that tells of an error.
    last_error: Option<usize>,
}

impl Said {
    fn new(text: String, most: Rank) -> Self {
        let last_error = last_error(&text);
        Self {
            text,
            most,
            last_error,
        }
    }
}

/// What is read, from the innermost outwards: each message with the name of its error before it, together within the
/// bound; last the Cause as it came, where it is JSON, for the shapes that tell that something inside failed. All of it
/// is masked before anything cuts it: of a secret that was cut in two, neither half looks like one.
pub(crate) fn said(evidence: &Evidence, raw: Option<&str>) -> Vec<Said> {
    let mut left = LONGEST_READ;
    let depths = evidence.texts.len().max(evidence.errors.len());
    let mut said: Vec<Said> = (0..depths)
        .map(|depth| {
            let text = evidence.texts.get(depth).map(String::as_str);
            let bounded = excerpt::masked(text.unwrap_or_default(), left);
            let bounded = own_words(&unframed(&bounded)).into_owned();
            left -= bounded.len().min(left);
            let error = evidence.errors.get(depth);
            let error = error.map(|error| excerpt::masked(error, LONGEST_READ));
            let text = match error {
                Some(error) if !bounded.contains(&error) => {
                    format!("{}: {bounded}", middle_out(&error, LONGEST_NAME))
                }
                _ => bounded,
            };
            Said::new(text, Rank::Specific)
        })
        .collect();
    if let Some(raw) = raw.filter(|raw| raw.trim_start().starts_with('{')) {
        let said_nothing = evidence.texts.iter().all(|text| text.trim().is_empty());
        let most = if said_nothing {
            Rank::Specific
        } else {
            Rank::Wrapper
        };
        said.push(Said::new(excerpt::masked(raw, left), most));
    }
    said
}

/// The entries that hold and may tell the cause: where one is specific, no general one is tried, and where an inner
/// text tells it, no outer one. With `all`, every entry that holds.
pub(crate) fn matches(evidence: &Evidence, said: &[Said], all: bool) -> Vec<Match> {
    let mut budget = Budget::default();
    let mut matches: Vec<Match> = ALL
        .iter()
        .filter_map(|entry| by_facts(entry, evidence))
        .collect();
    let candidates: Vec<Candidates> = said
        .iter()
        .map(|said| scan::candidates(&said.text))
        .collect();
    for rank in [Rank::Specific, Rank::General, Rank::Wrapper] {
        for (depth, (said, candidates)) in said.iter().zip(&candidates).enumerate() {
            let entries =
                entries(candidates).filter(|entry| entry.rank == rank && rank <= said.most);
            let found = entries
                .filter_map(|entry| by_text(entry, evidence, said, depth, candidates, &mut budget));
            matches.extend(found);
            // Of wrappers, the innermost is not always the one that says the most.
            let tells = |one: &Match| {
                one.entry.rank == rank && one.depth <= depth && one.basis == Basis::Text
            };
            if !all && rank != Rank::Wrapper && matches.iter().any(tells) {
                return matches;
            }
        }
        if !all
            && matches
                .iter()
                .any(|one| one.entry.rank == rank && !one.aside)
        {
            return matches;
        }
    }
    matches
}

fn entries(candidates: &Candidates) -> impl Iterator<Item = &'static Entry> {
    let numbers: BTreeSet<u16> = candidates
        .keys()
        .filter_map(|part| PARTS.get(usize::from(*part)))
        .map(|part| part.entry)
        .collect();
    numbers
        .into_iter()
        .filter_map(|entry| ALL.get(usize::from(entry)))
}

fn by_facts(entry: &'static Entry, evidence: &Evidence) -> Option<Match> {
    let facts = entry.facts().filter(|facts| facts.tell && !entry.both)?;
    let depth = hold(facts, evidence)?;
    // The name of an error is a word like any other; numbers and categories are not.
    let basis = if facts.errors.range().is_empty() {
        Basis::Facts
    } else {
        Basis::Text
    };
    Some(Match {
        entry,
        basis,
        depth,
        found: Vec::new(),
        aside: false,
        caused_by: None,
    })
}

/// The depth of the error that facts name, 0 where they name none; none where one of them does not hold.
fn hold(facts: &Facts, evidence: &Evidence) -> Option<usize> {
    let one_of = |wanted: Span, number: Option<i32>| {
        wanted.range().is_empty()
            || number.is_some_and(|number| wanted.of(&NUMBERS).contains(&number))
    };
    let athena = evidence.athena.unwrap_or_default();
    let service = facts.services.range().is_empty()
        || evidence
            .service
            .is_some_and(|service| facts.services.texts().any(|name| name == service.as_str()));
    let category = facts.glue_category.range().is_empty()
        || evidence
            .glue_category
            .as_deref()
            .is_some_and(|given| facts.glue_category.texts().any(|name| name == given));
    let rest = service
        && category
        && one_of(facts.http_status, evidence.http_status.map(i32::from))
        && one_of(facts.exit_code, evidence.exit_code)
        && one_of(facts.athena_category, athena.category)
        && facts
            .retryable
            .is_none_or(|retryable| athena.retryable == Some(retryable));
    if !rest {
        return None;
    }
    if facts.errors.range().is_empty() {
        return Some(0);
    }
    evidence
        .errors
        .iter()
        .position(|error| facts.errors.texts().any(|name| is_error(error, name)))
}

/// `Service.SomethingException` and `SomethingException` are the same error.
fn is_error(error: &str, name: &str) -> bool {
    // Looked at from its end: a hostile event may name an error of a megabyte.
    let before = error.strip_suffix(name);
    before.is_some_and(|before| before.is_empty() || before.ends_with(['.', '#', '$']))
}

fn by_text(
    entry: &'static Entry,
    evidence: &Evidence,
    said: &Said,
    depth: usize,
    candidates: &Candidates,
    budget: &mut Budget,
) -> Option<Match> {
    let text = said.text.as_str();
    let facts = entry.facts();
    let elsewhere = facts.is_some_and(|facts| {
        let mut services = facts.services.texts().peekable();
        let known = evidence.service.filter(|_| services.peek().is_some());
        known.is_some_and(|service| !services.any(|name| name == service.as_str()))
    });
    let lacking = entry.both && facts.is_none_or(|facts| hold(facts, evidence).is_none());
    if elsewhere || lacking {
        return None;
    }
    let found = found(entry, text, candidates, budget)?;
    let basis = if entry.both && entry.rank != Rank::Wrapper {
        Basis::Facts
    } else {
        Basis::Text
    };
    let begins = found.iter().map(|found| found.range.start);
    let aside = begins.clone().any(|at| {
        let line = before(text, at).1;
        let went_on = said.last_error.is_some_and(|error| error > at);
        is_aside(line) || (went_on && has_word(line, &["WARN", "WARNING"]))
    });
    let caused_by = begins.max().and_then(|at| {
        let (from, line) = before(text, at);
        line.rfind("Caused by:").map(|at| from + at)
    });
    Some(Match {
        entry,
        basis,
        depth,
        found,
        aside,
        caused_by,
    })
}

/// The parts of the group of an entry's patterns that matches the most, unless one of its exceptions holds.
fn found(
    entry: &Entry,
    text: &str,
    candidates: &Candidates,
    budget: &mut Budget,
) -> Option<Vec<Found>> {
    let mut find = |part: usize, near: &Range<usize>| {
        let number = u16::try_from(part).ok()?;
        let places = candidates
            .get(&number)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let may_match = !places.is_empty() || is_unfiled(part);
        let range = may_match
            .then(|| pattern::find(number, text, places, near, budget))
            .flatten()?;
        Some(Found {
            part: number,
            range,
        })
    };
    let is_candidate = |part: usize| {
        let is_found = u16::try_from(part).is_ok_and(|part| candidates.contains_key(&part));
        is_found || is_unfiled(part)
    };
    let groups = entry.patterns.of(&GROUPS).iter();
    let found = groups
        .filter(|group| group.range().all(is_candidate))
        .filter_map(|group| {
            // Those that the scan found first: they tell where to look for the others.
            let (filed, rest): (Vec<usize>, Vec<usize>) =
                group.range().partition(|part| !is_unfiled(*part));
            let mut found = Vec::with_capacity(group.range().len());
            for part in filed.into_iter().chain(rest) {
                let near = around(text, &found);
                found.push(find(part, &near)?);
            }
            Some(found)
        })
        .max_by_key(|found| found.iter().map(|found| found.range.len()).sum::<usize>())?;
    let near = around(text, &found);
    let is_excepted = entry.unless.range().any(|part| find(part, &near).is_some());
    (!is_excepted).then_some(found)
}

/// Whether a part is one that the scan does not look for.
fn is_unfiled(part: usize) -> bool {
    PARTS.get(part).is_some_and(|part| !part.filed)
}

/// The text near what was found.
fn around(text: &str, found: &[Found]) -> Range<usize> {
    let from = found.iter().map(|found| found.range.start).min();
    let to = found.iter().map(|found| found.range.end).max();
    match (from, to) {
        (Some(from), Some(to)) => {
            let from = text.floor_char_boundary(from.saturating_sub(NEAR));
            from..text.ceil_char_boundary((to + NEAR).min(text.len()))
        }
        _ => 0..text.len(),
    }
}

/// The line up to a place, or the end of it, and where that begins.
fn before(text: &str, at: usize) -> (usize, &str) {
    let from = text.floor_char_boundary(at.saturating_sub(LONGEST_LINE));
    let line = text.get(from..at).unwrap_or_default();
    let start = line.rfind('\n').map_or(0, |end| end + 1);
    (from + start, line.get(start..).unwrap_or_default())
}

/// Whether the beginning of a line says that it is no complaint.
fn is_aside(line: &str) -> bool {
    has_word(line, &["INFO", "DEBUG", "TRACE"])
}

fn has_word(line: &str, words: &[&str]) -> bool {
    line.split(|letter: char| !letter.is_ascii_alphabetic())
        .any(|word| words.contains(&word))
}

/// Where the last word of a text stands that tells of an error.
fn last_error(text: &str) -> Option<usize> {
    let is_letter = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric());
    let last = |word: &str| {
        text.rmatch_indices(word).map(|(at, _)| at).find(|at| {
            let before = text.get(..*at).and_then(|text| text.chars().next_back());
            let behind = text.get(at + word.len()..);
            !is_letter(before) && !is_letter(behind.and_then(|text| text.chars().next()))
        })
    };
    ["ERROR", "FATAL", "Traceback"]
        .into_iter()
        .filter_map(last)
        .max()
}
