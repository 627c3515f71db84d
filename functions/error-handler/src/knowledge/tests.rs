//! The scan against a plain search, and what a hostile text does.

use super::matching::{LONGEST_READ, said};
use super::pattern::{self, Budget};
use super::table::{ALL, GRAMS, LITERALS, PARTS};
use super::{conclude, scan};
use crate::evidence::Evidence;
use pipewarden_shared::failure::Confidence;
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
    candidates.get(&number).is_some_and(|places| {
        pattern::find(
            number,
            text,
            places,
            &(0..text.len()),
            &mut Budget::default(),
        )
        .is_some()
    })
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

/// Wherever a log says it.
#[test]
fn a_long_log_is_read_all_through() {
    let noise = "12:00:00 nothing to see\n".repeat(6_000);
    for text in [
        format!("MemoryError\n{noise}{noise}"),
        format!("{noise}java.lang.OutOfMemoryError: Java heap space\n{noise}"),
        format!("{noise}{noise}MemoryError"),
    ] {
        let evidence = Evidence {
            texts: vec![text],
            ..Evidence::default()
        };
        let concluded = conclude(&evidence, None).unwrap();
        assert_eq!(concluded.entry.code().as_str(), "out_of_memory");
    }
}

/// The cause that is told of a text, how sure it is, and whether it passes.
fn told(text: &str) -> (&'static str, Confidence, bool) {
    let evidence = Evidence {
        texts: vec![text.to_owned()],
        ..Evidence::default()
    };
    conclude(&evidence, None).map_or(("unknown", Confidence::Low, false), |concluded| {
        let code = concluded.entry.code().as_str();
        (code, concluded.confidence, concluded.transient)
    })
}

#[test]
fn a_refusal_beside_a_passing_cause_is_not_waited_for() {
    for refusal in ["not authorized to perform: s3:GetObject", "AccessDenied"] {
        let (code, confidence, transient) =
            told(&format!("{refusal}; ThrottlingException: Rate exceeded"));
        assert!(!transient, "{refusal}");
        assert!(
            code == "permission" || confidence < Confidence::High,
            "{refusal}"
        );
    }
}

#[test]
fn a_warning_that_an_error_follows_is_an_aside() {
    let warned = "12:00 WARN RetryHandler: ThrottlingException: Rate exceeded";
    let (code, confidence, _) = told(&format!(
        "{warned}\n12:01 ERROR Main: job aborted, see stack"
    ));
    assert_eq!(confidence, Confidence::Low, "{code}");
    assert_eq!(told(warned).0, "throttling");
    assert!(
        told(warned).1 > Confidence::Low,
        "a warning alone is all there is"
    );
    let (code, ..) = told(&format!(
        "{warned}\n12:01 ERROR Main: AnalysisException: Path does not exist: s3://b/o"
    ));
    assert_eq!(code, "missing_input");
}

/// Secrets whose halves do not look like one.
const SECRETS: &[&str] = &[
    "password=Zq9Zq9Zq9Zq9",
    "\"client_secret\": \"Zq9Zq9Zq9Zq9 Zq9Zq9Zq9Zq9\"",
    "--db-password Zq9Zq9Zq9Zq9",
    "Authorization: Bearer Zq9Zq9Zq9Zq9Zq9Zq9",
    "eyJhbGciOiJIUzI1NiJ9.Zq9Zq9Zq9Zq9Zq9Zq9Zq9Zq9Zq9Zq9Zq9Zq9.Zq9Zq9Zq9Zq9",
    "-----BEGIN RSA PRIVATE KEY-----\nZq9Zq9Zq9Zq9\nZq9Zq9Zq9Zq9\n-----END RSA PRIVATE KEY-----",
    "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=Zq9Zq9Zq9Zq9Zq9Zq9Zq9Zq9&X-Amz-Signature=Zq9Zq9Zq9Zq9",
    "postgresql://etl:Zq9Zq9Zq9Zq9@db:5432/app",
    "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLZq9Z",
    "{'Name': 'DB_PASSWORD', 'Value': 'Zq9Zq9Zq9Zq9'}",
    "https://hooks.slack.com/services/T000/B000/Zq9Zq9Zq9Zq9",
];

/// What shows the words around a match cuts the text; no half of a secret is left at the cut.
#[test]
fn no_part_of_a_secret_is_in_the_evidence() {
    for secret in SECRETS {
        for distance in (0..600).step_by(5) {
            let noise = "w".repeat(distance);
            for text in [
                format!("read {secret} {noise} java.lang.OutOfMemoryError: Java heap space"),
                format!("java.lang.OutOfMemoryError: Java heap space {noise} {secret}"),
            ] {
                let evidence = Evidence {
                    texts: vec![text],
                    ..Evidence::default()
                };
                let words = conclude(&evidence, None).unwrap().evidence.unwrap();
                assert!(words.contains("OutOfMemoryError"), "{words}");
                assert!(!words.contains("Zq9"), "{distance}: {words}");
            }
        }
    }
}

/// Of a long text some is cut before it is masked; no half of a secret is left at those cuts either.
#[test]
fn no_part_of_a_secret_is_left_of_a_long_log() {
    for secret in SECRETS {
        for distance in [0, 900, 1_010, 1_020, 1_030, 1_100, 4_090, 5_110, 5_130] {
            let (noise, much) = ("w ".repeat(distance / 2), "nothing to see\n".repeat(4_000));
            let text = format!("{much}{secret} {noise} ERROR boom {noise} {secret}\n{much}");
            let evidence = Evidence {
                texts: vec![text],
                ..Evidence::default()
            };
            for said in said(&evidence, None) {
                assert!(said.text.contains("ERROR boom"));
                assert!(!said.text.contains("Zq9"), "{distance}: {secret}");
            }
        }
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
