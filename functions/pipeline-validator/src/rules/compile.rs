//! From DQDL to expectations that the engine can answer.

use super::across::Across;
use super::number::NumberTest;
use super::single::single;
use super::size::fits;
use super::total::{NoNumber, Total};
use crate::dqdl::tree::LogicalOperator;
use crate::dqdl::{Diagnostics, Rule, Ruleset};
use crate::sql::{Dialect, Sql};
use pipewarden_shared::profile::{Dataset, Identifier};
use regex_lite::Regex;
use std::collections::BTreeMap;

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

/// Rules and analyzers, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub(super) rules: Vec<Compiled>,
    pub(super) analyzers: Vec<Analysis>,
}

/// A rule, ready to be asked.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    /// The rule as DQDL prints it.
    pub name: String,
    /// Whether it only warns (label `severity=warn`).
    pub warns: bool,
    /// What it asks.
    pub test: Test,
}

/// What an analyzer measures.
#[derive(Debug, Clone)]
pub(super) enum Analysis {
    /// Measures, each by its name.
    Of(Vec<(String, Measure)>),
    /// Every statistic of every column; the catalog tells which there are.
    OfEveryColumn,
}

/// What a rule asks: one thing, or several joined.
#[derive(Debug, Clone)]
pub(super) enum Test {
    /// One expectation.
    One(Box<Expectation>),
    /// Every one of them.
    Every(Vec<Test>),
    /// At least one of them.
    Any(Vec<Test>),
}

/// One expectation, and the rows that it looks at (all, where there is no filter).
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    /// What it measures, by the name that its history has.
    pub named: String,
    /// What it measures.
    pub measure: Measure,
    /// `where`.
    pub filter: Option<Sql>,
    /// What it asks of the measure.
    pub asks: Asks,
}

/// What is asked of a measure.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asks {
    /// That it passes a comparison.
    Number(NumberTest),
    /// That it is not out of line with its history.
    Usual,
}

/// What is measured.
#[derive(Debug, Clone)]
pub(super) enum Measure {
    /// How many rows.
    Rows,
    /// The share of rows that pass, which are told by a column's value.
    Share(Identifier, Sql),
    /// The sum or the mean of a column's numbers.
    Total(Total, Identifier, NoNumber),
    /// An aggregate of columns.
    Aggregate(Vec<Identifier>, Sql),
    /// How many distinct values.
    Distinct(Vec<Identifier>),
    /// Values that occur once, of all rows.
    Uniqueness(Vec<Identifier>),
    /// Values that occur once, of the distinct ones.
    UniqueRatio(Vec<Identifier>),
    /// The entropy, in nats.
    Entropy(Vec<Identifier>),
    /// What the catalog tells.
    Catalog(OfCatalog),
    /// What a query of its own tells.
    Across(Across),
}

/// What the catalog tells of a table.
#[derive(Debug, Clone)]
pub(super) enum OfCatalog {
    /// How many columns.
    Columns,
    /// Whether there is such a column: 1 or 0.
    Exists(Identifier),
    /// The share of column names in which the pattern is found.
    Names(Regex),
    /// The share of columns that another table has too, with the same type.
    Schema(Identifier),
}

/// What a rule is compiled against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The engine's SQL.
    pub dialect: &'a dyn Dialect,
    /// The profile's datasets, to which a rule's references point.
    pub datasets: &'a BTreeMap<String, Dataset>,
}

impl Rules {
    /// Reads rules in DQDL.
    ///
    /// # Errors
    /// [`RulesError`]: the text is no DQDL, or a rule cannot be answered.
    pub fn parse(
        dqdl: &str,
        datasets: &BTreeMap<String, Dataset>,
        dialect: &dyn Dialect,
    ) -> Result<Self, RulesError> {
        let ruleset: Ruleset = dqdl.parse().map_err(RulesError::Syntax)?;
        let place = Place { dialect, datasets };
        let mut rules = Self::default();
        let mut unanswerable = Vec::new();
        for rule in &ruleset.rules {
            let compiled = warns(&ruleset, rule).and_then(|warns| {
                let test = compile(rule, place)?;
                fits(&test)?;
                Ok(Compiled {
                    name: rule.to_string(),
                    warns,
                    test,
                })
            });
            match compiled {
                Ok(compiled) => rules.rules.push(compiled),
                Err(reason) => unanswerable.push(Unanswerable {
                    rule: rule.to_string(),
                    reason,
                }),
            }
        }
        for analyzer in &ruleset.analyzers {
            match super::analyze::analysis(analyzer, place) {
                Ok(analysis) => rules.analyzers.push(analysis),
                Err(reason) => unanswerable.push(Unanswerable {
                    rule: analyzer.to_string(),
                    reason,
                }),
            }
        }
        if unanswerable.is_empty() {
            Ok(rules)
        } else {
            Err(RulesError::Unanswerable(unanswerable))
        }
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether nothing is asked and nothing measured.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.analyzers.is_empty()
    }

    /// Whether results are kept for later runs: a rule looks back at them, or an analyzer collects them.
    pub fn keeps_history(&self) -> bool {
        !self.analyzers.is_empty() || self.rules.iter().any(|rule| rule.test.looks_back())
    }

    /// The tables that its rules refer to, beside their own.
    pub fn references(&self) -> Vec<&Identifier> {
        let mut tables = Vec::new();
        for rule in &self.rules {
            rule.test
                .visit(&mut |expectation| match &expectation.measure {
                    Measure::Across(across) => tables.extend(across.references()),
                    Measure::Catalog(OfCatalog::Schema(table)) => tables.push(table),
                    _ => {}
                });
        }
        tables
    }
}

impl Test {
    /// Shows each expectation.
    pub(super) fn visit<'a>(&'a self, see: &mut impl FnMut(&'a Expectation)) {
        match self {
            Self::One(expectation) => see(expectation),
            Self::Every(tests) | Self::Any(tests) => {
                for test in tests {
                    test.visit(see);
                }
            }
        }
    }

    fn looks_back(&self) -> bool {
        let mut found = false;
        self.visit(&mut |expectation| {
            found |= match &expectation.asks {
                Asks::Number(test) => test.looks_back(),
                Asks::Usual => true,
            };
        });
        found
    }
}

impl Measure {
    /// The columns of the table that it cannot do without.
    pub(super) fn columns(&self) -> Vec<&Identifier> {
        match self {
            Self::Share(column, _) | Self::Total(_, column, _) => vec![column],
            Self::Aggregate(columns, _)
            | Self::Distinct(columns)
            | Self::Uniqueness(columns)
            | Self::UniqueRatio(columns)
            | Self::Entropy(columns) => columns.iter().collect(),
            Self::Across(across) => across.columns(),
            Self::Rows | Self::Catalog(_) => Vec::new(),
        }
    }
}

/// Whether a rule only warns, by its label.
///
/// # Errors
/// A severity that is none: a slip of the pen would stop the pipeline.
fn warns(ruleset: &Ruleset, rule: &Rule) -> Result<bool, String> {
    let mut warns = false;
    for label in ruleset.labels_of(rule) {
        if label.key.value().eq_ignore_ascii_case("severity") {
            let value = label.value.value();
            warns = match value.to_lowercase().as_str() {
                "warn" => true,
                "fail" => false,
                _ => return Err(format!("the severity {value:?} is none of warn and fail")),
            };
        }
    }
    Ok(warns)
}

fn compile(rule: &Rule, place: Place<'_>) -> Result<Test, String> {
    match rule {
        Rule::Single(rule) => single(rule, place),
        Rule::Composite(composite) => {
            let tests = composite
                .rules
                .iter()
                .map(|rule| compile(rule, place))
                .collect::<Result<_, _>>()?;
            Ok(match composite.operator {
                LogicalOperator::And => Test::Every(tests),
                LogicalOperator::Or => Test::Any(tests),
            })
        }
    }
}
