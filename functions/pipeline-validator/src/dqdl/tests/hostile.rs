//! Names that look like syntax, and rulesets that are too much.

use super::{printed, problems};
use crate::dqdl::Ruleset;
use crate::dqdl::tree::{Rule, Text};
use rstest::rstest;
use std::time::{Duration, Instant};

#[rstest]
#[case::quotes(r#"say "hi""#)]
#[case::semicolon("a; drop table b")]
#[case::keyword("between")]
#[case::rule("IsComplete \"a\"],")]
#[case::unicode("größe 名前 🦀")]
#[case::backslash(r"C:\temp\")]
#[case::comment("# not one")]
#[case::date("2024-01-01")]
#[case::empty("")]
#[case::lines("a\r\nb")]
fn any_name_can_stand_in_quotes(#[case] name: &str) {
    let source = format!("Rules = [ IsComplete {}, RowCount > 0 ]", Text::of(name));
    let ruleset: Ruleset = source.parse().unwrap();
    let Rule::Single(rule) = &ruleset.rules[0] else {
        panic!()
    };
    assert_eq!(rule.parameters[0].text.value(), name);
    assert_eq!(ruleset.rules.len(), 2);
}

#[rstest]
#[case::rules("(", "RowCount > 0", ")")]
#[case::arithmetic("RowCount > ", "(1 + 1)", "")]
#[case::calls("RowCount > ", "f(1)", "")]
fn nesting_is_bounded(#[case] before: &str, #[case] inner: &str, #[case] after: &str) {
    let nest = |depth: usize| {
        let (open, close) = match inner {
            "RowCount > 0" => (before.repeat(depth), after.repeat(depth)),
            "f(1)" => (
                format!("{before}{}", "f(".repeat(depth - 1)),
                ")".repeat(depth - 1),
            ),
            _ => (
                format!("{before}{}", "(1 + ".repeat(depth - 1)),
                ")".repeat(depth - 1),
            ),
        };
        format!("Rules = [ {open}{inner}{close} ]")
    };
    assert_eq!(printed(&nest(64)).len(), 1);
    for depth in [65, 100_000] {
        let problems = problems(&nest(depth));
        assert!(
            problems[0].ends_with("nested more than 64 deep"),
            "{depth}: {problems:?}"
        );
    }
}

#[test]
fn a_mixed_chain_is_bounded_and_a_plain_one_is_not() {
    let chain = |operators: [&str; 2], length: usize| {
        let rules: String = (0..length)
            .map(|i| format!(" {} (RowCount > {i})", operators[i % 2]))
            .collect();
        format!("Rules = [ (RowCount > 0){rules} ]")
    };
    let ruleset: Ruleset = chain(["or", "or"], 10_000).parse().unwrap();
    let Rule::Composite(rule) = &ruleset.rules[0] else {
        panic!()
    };
    assert_eq!(rule.rules.len(), 10_001);
    assert_eq!(printed(&chain(["or", "and"], 100)).len(), 1);
    assert!(problems(&chain(["or", "and"], 1_000))[0].ends_with("nested more than 64 deep"));
}

#[test]
fn ten_thousand_rules_are_read_in_time() {
    let rules: Vec<String> = (0..10_000)
        .map(|i| {
            format!(
                "  ColumnValues \"c{i}\" in [\"a\",\"b\"] where \"x > {i}\" with threshold > 0.9"
            )
        })
        .collect();
    let started = Instant::now();
    assert_eq!(
        printed(&format!("Rules = [\n{}\n]", rules.join(",\n"))).len(),
        10_000
    );
    // Linear takes a fraction of a second, even unoptimised; quadratic would take minutes.
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_flood_of_problems_ends() {
    let source = format!("Rules = [ {} ]", "Foo, ".repeat(50_000));
    let problems = problems(&source);
    assert_eq!(problems.len(), 101);
    assert!(problems[100].contains("was not read"), "{}", problems[100]);
}
