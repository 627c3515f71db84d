//! Decide: what of a text is read, masked: all of it, or of a long log both ends and what is around its complaints.

use pipewarden_shared::mask;
use std::ops::Range;

/// What a log writes where something went wrong.
const COMPLAINTS: &[&str] = &[
    "ERROR",
    "FATAL",
    "Exception",
    "Error:",
    "Traceback",
    "Caused by:",
];

/// The most bytes of each end of a long text.
const END: usize = 16_384;

/// How many bytes around a complaint are read.
const AROUND: usize = 1_024;

/// The most complaints between the ends, of which half are the first ones and half the last.
const MOST_COMPLAINTS: usize = 12;

/// How much more is masked than is read on each side of a cut: a half of a secret does not look like one.
const MARGIN: usize = 4_096;

/// A text of at most `most` bytes. To mask a text costs much more than to look through it: a long one is cut first, and
/// what is close to a cut is dropped once it is masked.
pub(super) fn masked(text: &str, most: usize) -> String {
    if text.len() <= most {
        return mask::secrets(text);
    }
    let text = mask::private_keys(text);
    let pieces: Vec<String> = ranges(&text)
        .into_iter()
        .map(|range| piece(&text, &range))
        .collect();
    // A line break, so that no pattern without one matches across a cut.
    middle_out(&pieces.join("\n"), most)
}

/// What is read of a long text, in order, overlapping parts as one.
fn ranges(text: &str) -> Vec<Range<usize>> {
    let between = END.min(text.len())..text.len().saturating_sub(END);
    let mut places: Vec<usize> = COMPLAINTS
        .iter()
        .flat_map(|word| text.match_indices(word))
        .map(|(at, _)| at)
        .filter(|at| between.contains(at))
        .collect();
    places.sort_unstable();
    places.dedup_by(|later, earlier| *later - *earlier < AROUND);
    let half = MOST_COMPLAINTS / 2;
    if places.len() > MOST_COMPLAINTS {
        let last = places.split_off(places.len() - half);
        places.truncate(half);
        places.extend(last);
    }
    let around = places
        .into_iter()
        .map(|at| at.saturating_sub(AROUND)..(at + AROUND).min(text.len()));
    let ends = [0..between.start, between.end..text.len()];
    let mut all: Vec<Range<usize>> = ends.into_iter().chain(around).collect();
    all.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in all {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A part of a text, masked with what is around it. What is masked is hardly ever longer for it, so that as many bytes
/// as were added hold at least what was added.
fn piece(text: &str, range: &Range<usize>) -> String {
    let from = text.floor_char_boundary(range.start.saturating_sub(MARGIN));
    let to = text.ceil_char_boundary((range.end + MARGIN).min(text.len()));
    let masked = mask::secrets(text.get(from..to).unwrap_or_default());
    let begin = if from == 0 {
        0
    } else {
        MARGIN.min(range.start)
    };
    let end = if to == text.len() { 0 } else { MARGIN };
    let begin = masked.ceil_char_boundary(begin.min(masked.len()));
    let end = masked.floor_char_boundary(masked.len().saturating_sub(end).max(begin));
    masked.get(begin..end).unwrap_or_default().to_owned()
}

/// A text of at most `most` bytes; what is cut of a longer one is its middle.
pub(super) fn middle_out(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let half = most.saturating_sub(1) / 2;
    let head = text
        .get(..text.floor_char_boundary(half))
        .unwrap_or_default();
    let tail = text
        .get(text.ceil_char_boundary(text.len() - half)..)
        .unwrap_or_default();
    format!("{head}\n{tail}")
}
