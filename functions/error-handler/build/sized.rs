//! A knowledge base of another size, for the bench alone: the first entries, or made-up ones added to all.

use crate::check::{self, Checked};
use std::fmt::Write as _;
use std::path::Path;

/// Names how many entries there are to be.
pub const SETTING: &str = "PIPEWARDEN_BENCH_ENTRIES";

/// The shortest word that a made-up pattern is made of.
const SHORTEST_WORD: usize = 5;

/// Cuts the entries to a number, or adds made-up ones up to it. Their patterns are made of the words that the real ones
/// speak in, so that a text comes as close to them as to real ones.
pub fn sized(mut entries: Vec<Checked>, wanted: usize, problems: &mut Vec<String>) -> Vec<Checked> {
    let words: Vec<String> = entries
        .iter()
        .flat_map(|checked| {
            checked
                .entry
                .summary
                .split(|letter: char| !letter.is_ascii_alphabetic())
        })
        .filter(|word| word.len() >= SHORTEST_WORD)
        .map(str::to_ascii_lowercase)
        .collect();
    let made_up = wanted.saturating_sub(entries.len());
    entries.truncate(wanted);
    let word = |place: usize| {
        words
            .get(place % words.len().max(1))
            .map_or("", String::as_str)
    };
    let mut yaml = String::new();
    for number in 0..made_up {
        // Far apart, and never the same three twice.
        let (first, second) = (word(number * 7), word(number * 13 + number / 11));
        let message = format!("{first} {second} {number}");
        // Writing to a String cannot fail.
        let _ = write!(
            yaml,
            "- id: made-up-{number}\n  code: unknown\n  transient: false\n  confidence: low\n  \
             patterns: ['{message}']\n  summary: {message}\n  actions: [Look]\n  steps: [Look]\n  \
             escalate_to: on_call\n  examples: ['{message}']\n"
        );
    }
    entries.extend(check::file(Path::new("more.yaml"), &yaml, problems));
    entries
}
