//! From DQDL to expectations that the engine can answer.

use super::number::NumberTest;
use super::predicate;
use crate::dqdl::condition::Condition;
use crate::dqdl::tree::LogicalOperator;
use crate::dqdl::{Diagnostics, Rule, RuleType, Ruleset, SingleRule};
use crate::sql::{self, Sql};
use pipewarden_shared::profile::Identifier;

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The text is no DQDL; the diagnostics show where.
    #[error("the rules are no DQDL: {0}")]
    Syntax(Diagnostics),
    /// Rules that this engine cannot answer.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unanswerable(Vec<Unanswerable>),
}

/// A rule that this engine cannot answer, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{rule}: {reason}")]
pub struct Unanswerable {
    /// The rule.
    pub rule: String,
    /// Why not.
    pub reason: String,
}

/// Rules, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(pub(super) Vec<Compiled>);

/// A rule, ready to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compiled {
    /// The rule as DQDL prints it.
    pub name: String,
    /// Whether it only warns (label `severity=warn`).
    pub warns: bool,
    /// What it asks.
    pub test: Test,
}

/// What a rule asks: one thing, or several joined.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// One expectation.
    One(Expectation),
    /// Every one of them.
    Every(Vec<Test>),
    /// At least one of them.
    Any(Vec<Test>),
}

/// One expectation, and the rows that it looks at (all, where there is no filter).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Expectation {
    /// What it measures.
    pub measure: Measure,
    /// `where`.
    pub filter: Option<Sql>,
    /// What it asks of the measure.
    pub asks: NumberTest,
}

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Measure {
    /// How many rows.
    Rows,
    /// The share of rows that pass.
    Share(Sql),
    /// An aggregate.
    Aggregate(Sql),
    /// How many distinct values.
    Distinct(Vec<Identifier>),
    /// Values that occur once, of all rows.
    Uniqueness(Vec<Identifier>),
    /// Values that occur once, of the distinct ones.
    UniqueRatio(Vec<Identifier>),
    /// The entropy, in nats.
    Entropy(Vec<Identifier>),
}

impl Rules {
    /// Reads rules in DQDL.
    ///
    /// # Errors
    /// [`RulesError`]: the text is no DQDL, or a rule cannot be answered.
    pub fn parse(dqdl: &str) -> Result<Self, RulesError> {
        let ruleset: Ruleset = dqdl.parse().map_err(RulesError::Syntax)?;
        let mut rules = Vec::new();
        let mut unanswerable = Vec::new();
        for rule in &ruleset.rules {
            match compile(rule) {
                Ok(test) => rules.push(Compiled {
                    name: rule.to_string(),
                    warns: warns(&ruleset, rule),
                    test,
                }),
                Err(reason) => unanswerable.push(Unanswerable {
                    rule: rule.to_string(),
                    reason,
                }),
            }
        }
        if let Some(analyzer) = ruleset.analyzers.first() {
            unanswerable.push(Unanswerable {
                rule: analyzer.to_string(),
                reason: "analyzers are not run yet".to_owned(),
            });
        }
        if unanswerable.is_empty() {
            Ok(Self(rules))
        } else {
            Err(RulesError::Unanswerable(unanswerable))
        }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn warns(ruleset: &Ruleset, rule: &Rule) -> bool {
    ruleset.labels_of(rule).iter().any(|label| {
        label.key.value() == "severity" && label.value.value().eq_ignore_ascii_case("warn")
    })
}

fn compile(rule: &Rule) -> Result<Test, String> {
    match rule {
        Rule::Single(rule) => single(rule),
        Rule::Composite(composite) => {
            let tests = composite
                .rules
                .iter()
                .map(compile)
                .collect::<Result<_, _>>()?;
            Ok(match composite.operator {
                LogicalOperator::And => Test::Every(tests),
                LogicalOperator::Or => Test::Any(tests),
            })
        }
    }
}

fn single(rule: &SingleRule) -> Result<Test, String> {
    if let Some(tag) = rule.tags.first() {
        return Err(format!("the option {} is not answered yet", tag.name));
    }
    let filter = rule
        .where_clause
        .as_ref()
        .map(|text| filter(&text.value()))
        .transpose()?;
    let one = |measure, asks| {
        Test::One(Expectation {
            measure,
            filter: filter.clone(),
            asks,
        })
    };
    let columns = columns(rule)?;
    let all = || NumberTest::equals(1.0);
    Ok(match (rule.rule_type, columns.as_slice()) {
        (RuleType::RowCount, []) => one(Measure::Rows, number(rule)?),
        (RuleType::Completeness, [column]) => one(Measure::Share(complete(column)), number(rule)?),
        (RuleType::IsComplete, [column]) => one(Measure::Share(complete(column)), all()),
        (RuleType::ColumnValues, [column]) => {
            let passes = predicate::of_values(column, condition(rule)?)?;
            one(Measure::Share(passes), threshold(rule)?)
        }
        (RuleType::ColumnLength, [column]) => match condition(rule)? {
            Condition::Number(comparison) => one(
                Measure::Share(predicate::of_lengths(column, comparison)?),
                all(),
            ),
            _ => return Err("a length is a number".to_owned()),
        },
        (RuleType::ColumnCorrelation, [first, second]) => {
            let sql = format!("corr({}, {})", double(first), double(second));
            one(Measure::Aggregate(Sql::of(sql)), number(rule)?)
        }
        (rule_type, [column]) if function(rule_type).is_some() => {
            let name = function(rule_type).unwrap_or_default();
            let sql = format!("{name}({})", double(column));
            one(Measure::Aggregate(Sql::of(sql)), number(rule)?)
        }
        (RuleType::DistinctValuesCount, [_]) => one(Measure::Distinct(columns), number(rule)?),
        (RuleType::Uniqueness, _) => one(Measure::Uniqueness(columns), number(rule)?),
        (RuleType::IsUnique, _) => one(Measure::Uniqueness(columns), all()),
        (RuleType::UniqueValueRatio, [_]) => one(Measure::UniqueRatio(columns), number(rule)?),
        (RuleType::Entropy, [_]) => one(Measure::Entropy(columns), number(rule)?),
        (RuleType::IsPrimaryKey, _) => {
            let mut tests: Vec<Test> = columns
                .iter()
                .map(|column| one(Measure::Share(complete(column)), all()))
                .collect();
            tests.push(one(Measure::Uniqueness(columns), all()));
            Test::Every(tests)
        }
        (rule_type, _) => return Err(format!("{rule_type} is not answered on Athena yet")),
    })
}

/// The columns that a rule names; a rule of files or of other datasets has other parameters.
fn columns(rule: &SingleRule) -> Result<Vec<Identifier>, String> {
    rule.parameters
        .iter()
        .map(|parameter| Identifier::try_from(parameter.text.value()))
        .collect()
}

fn condition(rule: &SingleRule) -> Result<&Condition, String> {
    rule.condition
        .as_ref()
        .ok_or_else(|| "it asks nothing".to_owned())
}

fn number(rule: &SingleRule) -> Result<NumberTest, String> {
    match condition(rule)? {
        Condition::Number(comparison) => NumberTest::of(comparison),
        _ => Err("it asks for something else than a number".to_owned()),
    }
}

/// What is asked of the share of rows that pass: all of them, unless there is a threshold.
fn threshold(rule: &SingleRule) -> Result<NumberTest, String> {
    rule.threshold
        .as_ref()
        .map_or_else(|| Ok(NumberTest::equals(1.0)), NumberTest::of)
}

fn complete(column: &Identifier) -> Sql {
    Sql::of(format!("{} IS NOT NULL", sql::quote(column)))
}

fn double(column: &Identifier) -> String {
    format!("CAST({} AS double)", sql::quote(column))
}

/// The aggregate that a statistic of one column is. Deequ's deviation and variance are those of a population.
fn function(rule_type: RuleType) -> Option<&'static str> {
    match rule_type {
        RuleType::Mean => Some("avg"),
        RuleType::Sum => Some("sum"),
        RuleType::StandardDeviation => Some("stddev_pop"),
        RuleType::Variance => Some("var_pop"),
        _ => None,
    }
}

/// A `where` clause, which is SQL of the profile's author: it must not end the query that it stands in.
fn filter(text: &str) -> Result<Sql, String> {
    let mut depth = 0i32;
    let mut quote: Option<char> = None;
    for character in text.chars() {
        match (quote, character) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') => depth -= 1,
            (None, ';' | '?') => return Err(format!("its where clause holds a {character}")),
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    let comment = text.contains("--") || text.contains("/*");
    if depth != 0 || quote.is_some() || comment {
        return Err("its where clause has an open quote or parenthesis, or a comment".to_owned());
    }
    Ok(Sql::of(format!("({text})")))
}
