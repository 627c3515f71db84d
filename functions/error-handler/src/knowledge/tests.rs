//! The scan against a plain search, and what a hostile text does.

use super::matching::{LONGEST_READ, said};
use super::pattern::{self, Budget};
use super::table::{ALL, GRAMS, LITERALS, PARTS};
use super::{conclude, scan};
use crate::evidence::Evidence;
use proptest::prelude::*;

/// Real messages to make texts of.
fn messages() -> Vec<String> {
    include_str!("../../tests/real_failures.jsonl")
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["cause"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// What the engine does without a scan: the whole text, from each place on.
fn plain(number: u16, text: &str) -> bool {
    let part = &PARTS[usize::from(number)];
    let regex = pattern::compiled(number, part).unwrap();
    let mut from = 0;
    while let Some(found) = regex.find_at(text, from) {
        if part.longest == 0 || found.len() <= usize::from(part.longest) {
            return true;
        }
        from = text.ceil_char_boundary(found.start() + 1);
    }
    false
}

fn scanned(number: u16, text: &str) -> bool {
    let candidates = scan::candidates(text);
    candidates
        .get(&number)
        .is_some_and(|places| pattern::find(number, text, places, &mut Budget::default()).is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Case, line breaks and what stands around do not change what is found.
    #[test]
    fn the_scan_finds_what_a_plain_search_finds(
        message in prop::sample::select(messages()),
        before in "[ a-zA-Z0-9:.\u{e9}\n-]{0,40}",
        upper in any::<bool>(),
        wrapped in any::<bool>(),
        others in prop::collection::vec(0..PARTS.len(), 40),
    ) {
        let mut text = format!("{before}{}", message.chars().take(700).collect::<String>());
        if upper {
            text = text.to_ascii_uppercase();
        }
        if wrapped {
            text = text.replace(' ', "\n   ");
        }
        let likely = scan::candidates(&text).into_keys().map(usize::from);
        for number in likely.chain(others) {
            if PARTS[number].filed {
                let number = u16::try_from(number).unwrap();
                prop_assert_eq!(scanned(number, &text), plain(number, &text), "{} on {:?}", PARTS[usize::from(number)].regex.as_str(), text);
            }
        }
    }

    #[test]
    fn no_text_is_too_much(text in "\\PC{0,200}", times in 1usize..400) {
        let evidence = Evidence { errors: vec![text.clone()], texts: vec![text.repeat(times)], ..Evidence::default() };
        let _ = conclude(&evidence, Some(&format!("{{{text}")));
    }
}

#[test]
fn every_literal_is_found_in_itself() {
    for literal in &LITERALS {
        let text = literal.text.as_str();
        let candidates = scan::candidates(text);
        for part in literal.parts.of(&super::table::NEEDED_BY) {
            assert!(candidates.contains_key(part), "{text}");
        }
    }
    assert_eq!(GRAMS.len(), LITERALS.len());
}

/// A text that names every literal there is, and more of them than are read.
#[test]
fn a_text_that_names_everything_is_bounded() {
    let everything: String = LITERALS
        .iter()
        .map(|literal| format!("{} ", literal.text.as_str()))
        .collect();
    let evidence = Evidence {
        texts: vec![everything.repeat(20); 3],
        ..Evidence::default()
    };
    let read = said(&evidence, None);
    assert!(read.iter().map(|said| said.text.len()).sum::<usize>() <= LONGEST_READ + 3);
    assert!(conclude(&evidence, None).is_some());
}

#[test]
fn a_long_log_is_read_at_both_ends() {
    let noise = "12:00:00 nothing to see\n".repeat(20_000);
    for text in [
        format!("MemoryError\n{noise}"),
        format!("{noise}MemoryError"),
    ] {
        let evidence = Evidence {
            texts: vec![text],
            ..Evidence::default()
        };
        let concluded = conclude(&evidence, None).unwrap();
        assert_eq!(concluded.entry.code().as_str(), "out_of_memory");
    }
}

#[test]
fn every_pattern_compiles() {
    for (number, part) in (0u16..).zip(&PARTS) {
        assert!(
            part.exact || pattern::compiled(number, part).is_some(),
            "{}",
            part.regex.as_str()
        );
    }
    assert!(!ALL.is_empty());
}
