//! What the tree says to whoever compiles it.

use crate::dqdl::condition::{
    Arithmetic, Comparison, Condition, DateOperand, Operator, Size, SizeUnit, Term, TextCondition,
    TextOperand,
};
use crate::dqdl::tree::{Rule, SingleRule, Text};
use crate::dqdl::{RuleType, Ruleset};
use rstest::rstest;

fn single(source: &str) -> SingleRule {
    let ruleset: Ruleset = source.parse().unwrap();
    match ruleset.rules.into_iter().next() {
        Some(Rule::Single(rule)) => *rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn arithmetic_is_folded_from_the_left() {
    let rule = single("Rules = [ RowCount > 5 + 2 * avg(last(3)) ]");
    let Some(Condition::Number(Comparison::With {
        operator: Operator::Greater,
        operand,
    })) = rule.condition
    else {
        panic!("{:?}", rule.condition);
    };
    assert_eq!(operand.first, Term::Number("5".to_owned()));
    assert_eq!(
        operand.rest[0],
        (Arithmetic::Add, Term::Number("2".to_owned()))
    );
    assert!(
        matches!(&operand.rest[1], (Arithmetic::Multiply, Term::Call { name, .. }) if name == "avg")
    );
}

#[test]
fn variables_are_substituted() {
    let rule = single("c = \"id\" l = [\"a\\\"b\"] Rules = [ ColumnValues $c in $l ]");
    assert_eq!(rule.parameters[0].text.value(), "id");
    let Some(Condition::Text(TextCondition::In {
        operands, variable, ..
    })) = rule.condition
    else {
        panic!("{:?}", rule.condition);
    };
    assert_eq!(operands, [TextOperand::Text(Text::of("a\"b"))]);
    assert_eq!(variable.as_deref(), Some("l"));
}

#[rstest]
#[case::noon("12:30 PM", 12, 30)]
#[case::midnight("12:05 AM", 0, 5)]
#[case::evening("9:30 PM", 21, 30)]
#[case::military("09:30", 9, 30)]
fn a_time_of_day_is_read(#[case] written: &str, #[case] hour: i8, #[case] minute: i8) {
    let rule = single(&format!("Rules = [ FileFreshness > \"{written}\" ]"));
    let Some(Condition::Date(Comparison::With {
        operand: DateOperand::Time { time, .. },
        ..
    })) = rule.condition
    else {
        panic!("{:?}", rule.condition);
    };
    assert_eq!((time.hour(), time.minute()), (hour, minute));
}

#[test]
fn a_bare_number_is_a_size_in_bytes() {
    let rule = single("Rules = [ FileSize > 2 ]");
    let bytes = Comparison::With {
        operator: Operator::Greater,
        operand: Size {
            amount: 2,
            unit: SizeUnit::B,
        },
    };
    assert_eq!(rule.condition, Some(Condition::Size(bytes)));
}

#[test]
fn a_rules_own_labels_replace_the_default_ones() {
    let ruleset: Ruleset = r#"DefaultLabels=["f"="monthly", "team"="x"]
        Rules = [ RowCount > 0 labels=["f"="daily"], RowCount > 1 ]"#
        .parse()
        .unwrap();
    let labels = |rule: &Rule| -> Vec<String> {
        ruleset
            .labels_of(rule)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        labels(&ruleset.rules[0]),
        [r#""team"="x""#, r#""f"="daily""#]
    );
    assert_eq!(
        labels(&ruleset.rules[1]),
        [r#""f"="monthly""#, r#""team"="x""#]
    );
}

#[rstest]
#[case(r"a\\b", r"a\b")]
#[case(r#"a\"b"#, "a\"b")]
#[case(r"\d+\.", r"\d+\.")]
fn escapes_are_quotes_and_backslashes(#[case] raw: &str, #[case] value: &str) {
    let rule = single(&format!("Rules = [ CustomSql \"{raw}\" ]"));
    assert_eq!(rule.parameters[0].text.value(), value);
    assert_eq!(rule.parameters[0].text.raw(), raw);
}

#[test]
fn a_span_is_the_rule_in_the_text() {
    let source = "Rules = [ RowCount > 0, (IsComplete \"é\" and RowCount < 9) ]";
    let ruleset: Ruleset = source.parse().unwrap();
    let spans: Vec<&str> = ruleset
        .rules
        .iter()
        .map(|rule| source.get(rule.span().0.clone()).unwrap())
        .collect();
    assert_eq!(
        spans,
        ["RowCount > 0", "(IsComplete \"é\" and RowCount < 9)"]
    );
}

#[test]
fn every_rule_type_has_a_specification() {
    for rule_type in RuleType::ALL {
        assert_eq!(RuleType::named(rule_type.name()), Some(*rule_type));
        assert!(!rule_type.specification().forms.is_empty(), "{rule_type}");
    }
    assert_eq!(RuleType::ALL.len(), 33);
}
