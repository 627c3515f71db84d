//! Analyzers and DetectAnomalies: the numbers that a rule type measures, each by the name that its history has.

use super::across;
use super::compile::{Analysis, Measure, Place};
use super::predicate;
use super::single::statistic;
use super::total::{NoNumber, Total};
use crate::dqdl::tree::Parameter;
use crate::dqdl::{Analyzer, RuleType};
use crate::sql::{Dialect, Sql};
use pipewarden_shared::profile::Identifier;

/// The parameter of AllStatistics that stands for every column.
const EVERY_COLUMN: &str = "AllColumns";

/// What an analyzer measures.
///
/// # Errors
/// Why it cannot be measured.
pub(super) fn analysis(analyzer: &Analyzer, place: Place<'_>) -> Result<Analysis, String> {
    let parameters: Vec<String> = analyzer
        .parameters
        .iter()
        .map(|parameter| parameter.text.value())
        .collect();
    match (analyzer.rule_type, parameters.as_slice()) {
        (RuleType::AllStatistics, [all]) if all == EVERY_COLUMN => Ok(Analysis::OfEveryColumn),
        (RuleType::AllStatistics, [column]) => {
            let column = Identifier::try_from(column.clone())?;
            Ok(Analysis::Of(every_statistic(&column, place.dialect)))
        }
        (rule_type, _) => measures(rule_type, &parameters, place).map(Analysis::Of),
    }
}

/// What DetectAnomalies looks at: a rule type by its name, and that rule's parameters.
pub(super) fn of_parameters(
    parameters: &[Parameter],
    place: Place<'_>,
) -> Result<Vec<(String, Measure)>, String> {
    let texts: Vec<String> = parameters
        .iter()
        .map(|parameter| parameter.text.value())
        .collect();
    let (name, rest) = texts
        .split_first()
        .ok_or_else(|| "it names no rule".to_owned())?;
    // The reference writes CustomSQL here, and CustomSql elsewhere.
    let rule_type = RuleType::ALL
        .iter()
        .copied()
        .find(|rule_type| rule_type.name().eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("{name:?} is no rule type"))?;
    measures(rule_type, rest, place)
}

/// The numbers that a rule type measures.
fn measures(
    rule_type: RuleType,
    parameters: &[String],
    place: Place<'_>,
) -> Result<Vec<(String, Measure)>, String> {
    let named = parameters
        .iter()
        .fold(rule_type.to_string(), |name, parameter| {
            format!(
                "{name} \"{}\"",
                parameter.replace('\\', "\\\\").replace('"', "\\\"")
            )
        });
    if let (RuleType::CustomSql, [sql]) = (rule_type, parameters) {
        let custom = Measure::Across(across::custom(sql, true, place)?);
        return Ok(vec![(named, custom)]);
    }
    let columns: Vec<Identifier> = parameters
        .iter()
        .map(|parameter| Identifier::try_from(parameter.clone()))
        .collect::<Result<_, _>>()?;
    match (rule_type, columns.as_slice()) {
        (RuleType::ColumnLength, [column]) => Ok(lengths(&named, column, place.dialect)),
        (RuleType::ColumnValues, [column]) => Ok(values(&named, column, place.dialect)),
        _ => statistic(rule_type, &columns, place.dialect)
            .map(|measure| vec![(named, measure)])
            .ok_or_else(|| format!("{rule_type} measures no number of these parameters")),
    }
}

/// The shortest and the longest value.
fn lengths(named: &str, column: &Identifier, dialect: &dyn Dialect) -> Vec<(String, Measure)> {
    let length = predicate::length(dialect, column);
    of_both_ends(named, column, &length)
}

/// The least and the greatest value of a column of numbers; a text that is none is left out.
fn values(named: &str, column: &Identifier, dialect: &dyn Dialect) -> Vec<(String, Measure)> {
    let value = dialect.try_cast(&dialect.text(&dialect.column(column)), "double");
    of_both_ends(named, column, &value)
}

fn of_both_ends(named: &str, column: &Identifier, value: &str) -> Vec<(String, Measure)> {
    ["min", "max"]
        .map(|function| {
            let aggregate = Sql::of(format!("{function}({value})"));
            (
                format!("{named} {function}"),
                Measure::Aggregate(vec![column.clone()], aggregate),
            )
        })
        .to_vec()
}

/// Every statistic of a column; those of numbers are left out where it has none.
pub(super) fn every_statistic(
    column: &Identifier,
    dialect: &dyn Dialect,
) -> Vec<(String, Measure)> {
    let columns = std::slice::from_ref(column);
    let mut measures: Vec<(String, Measure)> = vec![("RowCount".to_owned(), Measure::Rows)];
    for rule_type in [
        RuleType::Completeness,
        RuleType::Uniqueness,
        RuleType::UniqueValueRatio,
        RuleType::DistinctValuesCount,
        RuleType::Entropy,
    ] {
        measures.extend(
            statistic(rule_type, columns, dialect)
                .map(|measure| (format!("{rule_type} \"{column}\""), measure)),
        );
    }
    for (rule_type, total) in [(RuleType::Mean, Total::Mean), (RuleType::Sum, Total::Sum)] {
        measures.push((
            format!("{rule_type} \"{column}\""),
            Measure::Total(total, column.clone(), NoNumber::IsLeftOut),
        ));
    }
    let value = dialect.try_cast(&dialect.text(&dialect.column(column)), "double");
    measures.push((
        format!("{} \"{column}\"", RuleType::StandardDeviation),
        Measure::Aggregate(
            columns.to_vec(),
            Sql::of(format!("{}({value})", dialect.deviation())),
        ),
    ));
    measures.extend(values(
        &format!("ColumnValues \"{column}\""),
        column,
        dialect,
    ));
    measures.extend(lengths(
        &format!("ColumnLength \"{column}\""),
        column,
        dialect,
    ));
    measures
}
