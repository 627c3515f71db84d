//! Patterns, compiled when a text first may match one, and kept for the life of the process.

use super::table::{PARTS, Part};
use regex_lite::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

static COMPILED: Mutex<BTreeMap<u16, Option<Regex>>> = Mutex::new(BTreeMap::new());

/// How many bytes may still be run through regular expressions for one failure; a hostile text names every literal.
#[derive(Debug)]
pub(crate) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(1 << 21)
    }
}

/// The expression of a part; none where it does not compile, which the build rules out.
pub(crate) fn compiled(number: u16, part: &Part) -> Option<Regex> {
    // A panic inside would leave the cache as it was: what is in it can be used.
    let mut compiled = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
    compiled
        .entry(number)
        .or_insert_with(|| Regex::new(&format!("(?i){}", part.regex.as_str())).ok())
        .clone()
}

/// Where a part matches a text that holds its literals at `places`, which are in order; `near` is where one is looked
/// for of which the scan knows no literal.
pub(crate) fn find(
    number: u16,
    text: &str,
    places: &[Range<usize>],
    near: &Range<usize>,
    budget: &mut Budget,
) -> Option<Range<usize>> {
    let part = PARTS.get(usize::from(number))?;
    if part.exact {
        // The longest of those that begin first: an alternation may hold one text and its beginning.
        let first = places.first()?.start;
        return places
            .iter()
            .filter(|place| place.start == first)
            .max_by_key(|place| place.end)
            .cloned();
    }
    let regex = compiled(number, part)?;
    let windows = if part.filed {
        windows(text, places, part.reach)
    } else {
        std::iter::once(near.clone()).collect()
    };
    windows.into_iter().find_map(|window| {
        let haystack = text.get(..window.end)?;
        let mut from = window.start;
        loop {
            budget.0 = budget.0.checked_sub(window.end - from)?;
            let found = regex.find_at(haystack, from)?.range();
            if part.longest == 0 || found.len() <= usize::from(part.longest) {
                return Some(found);
            }
            // It began too far left; the end may still have a beginning closer by.
            from = text.ceil_char_boundary(found.start + 1);
        }
    })
}

/// The parts of a text around places, at character boundaries, overlapping ones as one.
fn windows(text: &str, places: &[Range<usize>], reach: u16) -> Vec<Range<usize>> {
    let reach = usize::from(reach);
    let mut windows: Vec<Range<usize>> = Vec::new();
    for place in places {
        let from = text.floor_char_boundary(place.start.saturating_sub(reach));
        let to = text.ceil_char_boundary((place.end + reach).min(text.len()));
        match windows.last_mut() {
            Some(last) if from <= last.end => last.end = last.end.max(to),
            _ => windows.push(from..to),
        }
    }
    windows
}

/// The named groups of a match.
pub(crate) fn groups<'text>(
    number: u16,
    text: &'text str,
    found: &Range<usize>,
) -> Vec<(String, &'text str)> {
    let Some(part) = PARTS.get(usize::from(number)).filter(|part| !part.exact) else {
        return Vec::new();
    };
    let Some(regex) = compiled(number, part) else {
        return Vec::new();
    };
    let end = text.ceil_char_boundary((found.end + usize::from(part.reach)).min(text.len()));
    let Some(captures) = text
        .get(..end)
        .and_then(|text| regex.captures_at(text, found.start))
    else {
        return Vec::new();
    };
    regex
        .capture_names()
        .flatten()
        .filter_map(|name| Some((name.to_owned(), captures.name(name)?.as_str())))
        .collect()
}
