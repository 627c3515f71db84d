//! For any text: no panic, and places within it. For any rule: printed and read again, it is the same.

use crate::dqdl::condition::{
    Arithmetic, Comparison, Condition, DateOperand, Duration, DurationUnit, Expression, Operator,
    Term, TextCondition, TextOperand,
};
use crate::dqdl::tree::{Label, Parameter, Rule, Ruleset, SingleRule, Span, Tag, TagValue, Text};
use crate::dqdl::{Diagnostics, RuleType, parse};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Words that rulesets are made of, so that chance gets past the first one.
const WORDS: &[&str] = &[
    "Rules",
    "Analyzers",
    "Metadata",
    "DataSources",
    "DefaultLabels",
    "=",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    ",",
    ":",
    "RowCount",
    "ColumnValues",
    "IsComplete",
    "FileSize",
    "CustomSql",
    "Completeness",
    "Foo",
    "\"a\"",
    "\"2024-01-01\"",
    "\"9:30 AM\"",
    "1",
    "0.5",
    "-",
    "+",
    "*",
    "/",
    ">",
    ">=",
    "!",
    "between",
    "and",
    "or",
    "of",
    "not",
    "in",
    "matches",
    "where",
    "with",
    "threshold",
    "labels",
    "days",
    "KB",
    "now()",
    "NULL",
    "EMPTY",
    "$",
    "$v",
    "v",
    "#",
    "\n",
    "\"",
    "é",
];

fn text() -> impl Strategy<Value = Text> {
    // An x in front, so that it is no date.
    any::<String>().prop_map(|value| Text::of(&format!("x{value}")))
}

fn expression() -> impl Strategy<Value = Expression> {
    let number = "-?[0-9]{1,9}(\\.[0-9]{1,9})?".prop_map(Term::Number);
    let lone = |first| Expression {
        first,
        rest: Vec::new(),
    };
    let leaf = prop_oneof![number, Just(Term::Null)].prop_map(lone);
    leaf.prop_recursive(4, 16, 3, move |inner| {
        let operator = select(vec![
            Arithmetic::Add,
            Arithmetic::Subtract,
            Arithmetic::Multiply,
            Arithmetic::Divide,
        ]);
        let sum = (inner.clone(), operator, inner.clone()).prop_map(|(left, operator, right)| {
            let right = match right.rest.is_empty() {
                true => right.first,
                false => Term::Group(Box::new(right)),
            };
            let mut rest = left.rest;
            rest.push((operator, right));
            Expression {
                first: left.first,
                rest,
            }
        });
        let call = ("[a-m]{2,8}", vec(inner, 0..3)).prop_map(move |(name, arguments)| {
            lone(Term::Call {
                name: format!("f{name}"),
                arguments,
            })
        });
        prop_oneof![sum, call]
    })
}

fn comparison<T: Clone + std::fmt::Debug>(
    operand: impl Strategy<Value = T> + Clone + 'static,
) -> impl Strategy<Value = Comparison<T>> {
    let operator = select(vec![
        Operator::Equal,
        Operator::NotEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::Less,
        Operator::LessOrEqual,
    ]);
    prop_oneof![
        (operator, operand.clone())
            .prop_map(|(operator, operand)| Comparison::With { operator, operand }),
        (any::<bool>(), operand.clone(), operand.clone())
            .prop_map(|(negated, low, high)| Comparison::Between { negated, low, high }),
        (any::<bool>(), vec(operand, 1..4))
            .prop_map(|(negated, operands)| Comparison::In { negated, operands }),
    ]
}

fn date() -> impl Strategy<Value = DateOperand> + Clone {
    let unit = select(vec![
        DurationUnit::Minutes,
        DurationUnit::Hours,
        DurationUnit::Days,
    ]);
    prop_oneof![
        Just(DateOperand::Now),
        (1_i16..9999, 1_i8..=12, 1_i8..=28)
            .prop_map(|(year, month, day)| DateOperand::Date(jiff::civil::date(year, month, day))),
        (any::<bool>(), 0_u32..1_000_000, unit).prop_map(|(before, amount, unit)| {
            DateOperand::Relative {
                before,
                duration: Duration { amount, unit },
            }
        }),
    ]
}

fn words() -> impl Strategy<Value = TextCondition> {
    let operand =
        || prop_oneof![3 => text().prop_map(TextOperand::Text), 1 => Just(TextOperand::Empty)];
    prop_oneof![
        (any::<bool>(), operand()).prop_map(|(negated, operand)| TextCondition::Equal {
            negated,
            operand,
            variable: None
        }),
        (any::<bool>(), vec(operand(), 1..4)).prop_map(|(negated, operands)| TextCondition::In {
            negated,
            operands,
            variable: None
        }),
        (any::<bool>(), text())
            .prop_map(|(negated, pattern)| TextCondition::Matches { negated, pattern }),
    ]
}

prop_compose! {
    fn rule()(
        column in text(),
        condition in prop_oneof![
            comparison(expression().boxed()).prop_map(Condition::Number),
            comparison(date()).prop_map(Condition::Date),
            words().prop_map(Condition::Text),
        ],
        threshold in option::of(comparison(expression().boxed())),
        where_clause in option::of(text()),
        tag in option::of(prop_oneof![
            text().prop_map(|text| TagValue::Text(TextOperand::Text(text))),
            expression().prop_map(TagValue::Number),
        ]),
        label in option::of(text().prop_filter("short", |text| text.raw().len() < 100)),
    ) -> SingleRule {
        SingleRule {
            rule_type: RuleType::ColumnValues,
            parameters: vec![Parameter { text: column, quoted: true, variable: None, connector: None }],
            condition: Some(condition),
            threshold,
            where_clause,
            tags: tag.into_iter().map(|value| Tag { name: "option".to_owned(), value }).collect(),
            labels: label.into_iter().map(|text| Label { key: text.clone(), value: text }).collect(),
            span: Span::default(),
        }
    }
}

/// Rules joined at random, written without regard for the canonical form.
fn joined() -> impl Strategy<Value = String> {
    "RowCount > [0-9]".prop_recursive(5, 24, 3, |inner| {
        (vec(inner, 2..4), select(vec!["and", "or"]), any::<bool>()).prop_map(
            |(rules, by, wrapped)| {
                let rules = rules.join(&format!(" {by} "));
                if wrapped { format!("({rules})") } else { rules }
            },
        )
    })
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(source in any::<String>()) {
        check(&source)?;
    }

    #[test]
    fn any_words_are_read_without_panic(words in vec(select(WORDS), 0..60)) {
        check(&words.join(" "))?;
        check(&format!("v = \"x\" Rules = [ {} ]", words.join(" ")))?;
    }

    #[test]
    fn a_rule_survives_printing(rule in rule()) {
        let ruleset = Ruleset { rules: vec![Rule::Single(Box::new(rule))], ..Ruleset::default() };
        prop_assert_eq!(ruleset.to_string().parse(), Ok(ruleset));
    }

    #[test]
    fn a_composite_survives_printing(source in joined()) {
        let ruleset: Ruleset = format!("Rules = [ {source} ]").parse().unwrap();
        prop_assert_eq!(ruleset.to_string().parse(), Ok(ruleset));
    }
}

/// What is accepted survives printing; what is refused is refused at places that exist.
fn check(source: &str) -> Result<(), TestCaseError> {
    let (ruleset, diagnostics) = parse(source);
    for diagnostic in &diagnostics {
        prop_assert!(source.get(diagnostic.span.clone()).is_some());
        prop_assert!(diagnostic.line >= 1 && diagnostic.column >= 1);
    }
    if diagnostics.is_empty() {
        prop_assert_eq!(ruleset.to_string().parse(), Ok(ruleset));
    } else {
        prop_assert!(
            !Diagnostics(diagnostics)
                .render(source, "any", false)
                .is_empty()
        );
    }
    Ok(())
}
