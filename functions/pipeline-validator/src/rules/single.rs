//! One rule of DQDL to what it asks: the one place that knows what each rule type means.

use super::across;
use super::author::condition_of_rule;
use super::compile::{Asks, Expectation, Measure, OfCatalog, Place, Test};
use super::number::NumberTest;
use super::total::{NoNumber, Total};
use super::{data_type, predicate};
use crate::dqdl::condition::Condition;
use crate::dqdl::tree::Parameter;
use crate::dqdl::{RuleType, SingleRule};
use crate::sql::{Dialect, Sql};
use pipewarden_shared::profile::Identifier;
use regex_lite::Regex;

/// What a rule asks.
///
/// # Errors
/// Why it cannot be answered.
pub(super) fn single(rule: &SingleRule, place: Place<'_>) -> Result<Test, String> {
    no_options(rule)?;
    let filter = rule
        .where_clause
        .as_ref()
        .map(|text| condition_of_rule("its where clause", &text.value()))
        .transpose()?;
    let named = |named, measure, asks| {
        Test::One(Box::new(Expectation {
            named,
            measure,
            filter: filter.clone(),
            asks: Asks::Number(asks),
        }))
    };
    let one = |measure, asks| named(name(rule), measure, asks);
    match rule.rule_type {
        RuleType::DetectAnomalies => unusual(rule, place),
        RuleType::RowCountMatch
        | RuleType::ReferentialIntegrity
        | RuleType::DatasetMatch
        | RuleType::AggregateMatch => Ok(one(
            Measure::Across(across::of(rule, place)?),
            number(rule)?,
        )),
        RuleType::CustomSql => {
            let asks = number_or(rule, || threshold(rule))?;
            Ok(one(Measure::Across(across::of(rule, place)?), asks))
        }
        RuleType::SchemaMatch
        | RuleType::ColumnCount
        | RuleType::ColumnExists
        | RuleType::ColumnNamesMatchPattern => {
            let asks = number_or(rule, || Ok(NumberTest::equals(1.0)))?;
            Ok(one(Measure::Catalog(of_catalog(rule, place)?), asks))
        }
        RuleType::FileMatch
        | RuleType::FileUniqueness
        | RuleType::FileFreshness
        | RuleType::FileSize => Err(format!(
            "{} is about files, and Athena answers about tables",
            rule.rule_type
        )),
        RuleType::AllStatistics => Err("AllStatistics is an analyzer".to_owned()),
        RuleType::IsPrimaryKey => primary_key(rule, place.dialect, named),
        _ => of_columns(rule, place.dialect, one),
    }
}

/// Refuses options where the rule type has none.
fn no_options(rule: &SingleRule) -> Result<(), String> {
    match rule.tags.first() {
        Some(tag) if rule.rule_type != RuleType::ColumnDataType => {
            Err(format!("the option {} is not known here", tag.name))
        }
        _ => Ok(()),
    }
}

/// The number that a rule asks for; the other where it has no condition.
fn number_or(
    rule: &SingleRule,
    other: impl FnOnce() -> Result<NumberTest, String>,
) -> Result<NumberTest, String> {
    match rule.condition {
        Some(_) => number(rule),
        None => other(),
    }
}

/// A rule about rows, or about the values of columns.
fn of_columns(
    rule: &SingleRule,
    dialect: &dyn Dialect,
    one: impl Fn(Measure, NumberTest) -> Test,
) -> Result<Test, String> {
    let columns = columns(rule)?;
    let all = || NumberTest::equals(1.0);
    Ok(match (rule.rule_type, columns.as_slice()) {
        (RuleType::ColumnValues, [column]) => {
            let passes = predicate::of_values(dialect, column, condition(rule)?)?;
            one(Measure::Share(column.clone(), passes), threshold(rule)?)
        }
        (RuleType::ColumnDataType, [column]) => {
            let passes = data_type::passes(dialect, column, rule)?;
            one(Measure::Share(column.clone(), passes), threshold(rule)?)
        }
        (RuleType::ColumnLength, [column]) => match condition(rule)? {
            Condition::Number(comparison) => {
                let passes = predicate::of_lengths(dialect, column, comparison)?;
                one(Measure::Share(column.clone(), passes), all())
            }
            _ => return Err("a length is a number".to_owned()),
        },
        (RuleType::DataFreshness, [column]) => match condition(rule)? {
            Condition::Duration(comparison) => {
                let passes = predicate::of_ages(dialect, column, comparison)?;
                one(Measure::Share(column.clone(), passes), all())
            }
            _ => return Err("an age is a duration".to_owned()),
        },
        (RuleType::IsComplete, [column]) => one(complete(dialect, column), all()),
        (RuleType::IsUnique, _) => one(Measure::Uniqueness(columns), all()),
        (rule_type, columns) => match statistic(rule_type, columns, dialect) {
            Some(measure) => one(measure, number(rule)?),
            None => return Err(format!("{rule_type} is not answered on Athena")),
        },
    })
}

/// Each column complete, and all together unique. Each part has a history of its own.
fn primary_key(
    rule: &SingleRule,
    dialect: &dyn Dialect,
    named: impl Fn(String, Measure, NumberTest) -> Test,
) -> Result<Test, String> {
    let columns = columns(rule)?;
    let all = || NumberTest::equals(1.0);
    let unique = named(
        name_of(RuleType::Uniqueness, &rule.parameters, rule),
        Measure::Uniqueness(columns.clone()),
        all(),
    );
    let complete = rule
        .parameters
        .iter()
        .zip(&columns)
        .map(|(parameter, column)| {
            let name = name_of(
                RuleType::Completeness,
                std::slice::from_ref(parameter),
                rule,
            );
            named(name, complete(dialect, column), all())
        });
    Ok(Test::Every(complete.chain([unique]).collect()))
}

/// The number that a rule type measures of columns, where it measures one.
pub(super) fn statistic(
    rule_type: RuleType,
    columns: &[Identifier],
    dialect: &dyn Dialect,
) -> Option<Measure> {
    let double = |column: &Identifier| dialect.double(&dialect.column(column));
    let aggregate = |function: &str, column: &Identifier| {
        let sql = Sql::of(format!("{function}({})", double(column)));
        Measure::Aggregate(vec![column.clone()], sql)
    };
    Some(match (rule_type, columns) {
        (RuleType::RowCount, []) => Measure::Rows,
        (RuleType::Completeness, [column]) => complete(dialect, column),
        (RuleType::Mean, [column]) => Measure::Total(Total::Mean, column.clone(), NoNumber::Fails),
        (RuleType::Sum, [column]) => Measure::Total(Total::Sum, column.clone(), NoNumber::Fails),
        // Deequ's deviation and variance are those of a population.
        (RuleType::StandardDeviation, [column]) => aggregate(dialect.deviation(), column),
        (RuleType::Variance, [column]) => aggregate(dialect.variance(), column),
        (RuleType::ColumnCorrelation, [first, second]) => Measure::Aggregate(
            vec![first.clone(), second.clone()],
            Sql::of(format!("corr({}, {})", double(first), double(second))),
        ),
        (RuleType::DistinctValuesCount, [_]) => Measure::Distinct(columns.to_vec()),
        (RuleType::Uniqueness, [_, ..]) => Measure::Uniqueness(columns.to_vec()),
        (RuleType::UniqueValueRatio, [_]) => Measure::UniqueRatio(columns.to_vec()),
        (RuleType::Entropy, [_]) => Measure::Entropy(columns.to_vec()),
        (RuleType::ColumnCount, []) => Measure::Catalog(OfCatalog::Columns),
        _ => return None,
    })
}

/// DetectAnomalies: each number that the named rule measures is in line with its history.
fn unusual(rule: &SingleRule, place: Place<'_>) -> Result<Test, String> {
    let measures = super::analyze::of_parameters(&rule.parameters, place)?;
    let mut tests: Vec<Test> = measures
        .into_iter()
        .map(|(named, measure)| {
            Test::One(Box::new(Expectation {
                named,
                measure,
                filter: None,
                asks: Asks::Usual,
            }))
        })
        .collect();
    Ok(match (tests.len(), tests.pop()) {
        (1, Some(only)) => only,
        (_, last) => Test::Every(tests.into_iter().chain(last).collect()),
    })
}

fn of_catalog(rule: &SingleRule, place: Place<'_>) -> Result<OfCatalog, String> {
    Ok(match (rule.rule_type, rule.parameters.as_slice()) {
        (RuleType::ColumnCount, []) => OfCatalog::Columns,
        (RuleType::ColumnExists, [column]) => {
            OfCatalog::Exists(Identifier::try_from(column.text.value())?)
        }
        (RuleType::ColumnNamesMatchPattern, [pattern]) => {
            let pattern = pattern.text.raw();
            OfCatalog::Names(Regex::new(pattern).map_err(|error| {
                format!("{pattern:?} is no regular expression that is known here: {error}")
            })?)
        }
        (RuleType::SchemaMatch, [reference]) => {
            OfCatalog::Schema(place.reference(&reference.text.value())?.table().clone())
        }
        _ => return Err("it is not about the catalog".to_owned()),
    })
}

/// What a rule measures, by the name that its history has: the rule without what it asks of the number. Where the
/// condition says which rows pass, it is part of what is measured.
fn name(rule: &SingleRule) -> String {
    let of_rows = matches!(
        rule.rule_type,
        RuleType::ColumnValues
            | RuleType::ColumnDataType
            | RuleType::ColumnLength
            | RuleType::DataFreshness
    );
    let (condition, tags) = if of_rows {
        (rule.condition.clone(), rule.tags.clone())
    } else {
        (None, Vec::new())
    };
    let name = SingleRule {
        condition,
        tags,
        threshold: None,
        labels: Vec::new(),
        ..rule.clone()
    }
    .to_string();
    match (rule.rule_type, &rule.condition) {
        // The same query measures a number where there is a condition.
        (RuleType::CustomSql, None) => format!("{name} share"),
        _ => name,
    }
}

/// The name of what another rule type would measure of these columns and rows.
fn name_of(rule_type: RuleType, columns: &[Parameter], rule: &SingleRule) -> String {
    name(&SingleRule {
        rule_type,
        parameters: columns.to_vec(),
        ..rule.clone()
    })
}

/// The columns that a rule names.
pub(super) fn columns(rule: &SingleRule) -> Result<Vec<Identifier>, String> {
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

fn complete(dialect: &dyn Dialect, column: &Identifier) -> Measure {
    let passes = Sql::of(format!("{} IS NOT NULL", dialect.column(column)));
    Measure::Share(column.clone(), passes)
}
