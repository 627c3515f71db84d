//! The rows that pass a rule, as a SQL condition that is never NULL.
//!
//! What a NULL means follows the reference of AWS Glue ("ColumnValues", null behavior): it fails every condition but
//! `!=` and `not in`, unless the condition names it.

use super::number::{constant, symbol};
use crate::dqdl::condition::{
    Comparison, Condition, DateOperand, Expression, Operator, Term, TextCondition, TextOperand,
};
use crate::sql::{self, Sql};
use pipewarden_shared::profile::Identifier;

/// The longest value of a parameter (Athena API reference, ExecutionParameters).
const LONGEST_PARAMETER: usize = 1_024;

/// The rows whose value passes.
///
/// # Errors
/// What the condition asks that cannot be answered.
pub(super) fn of_values(column: &Identifier, condition: &Condition) -> Result<Sql, String> {
    let sql = match condition {
        Condition::Number(comparison) => of_numbers(&sql::quote(column), comparison),
        Condition::Text(condition) => of_texts(column, condition),
        Condition::Date(comparison) => of_dates(column, comparison),
        Condition::Duration(_) | Condition::Size(_) => {
            Err("values have no duration and no size".to_owned())
        }
    }?;
    match sql
        .parameters
        .iter()
        .find(|parameter| parameter.chars().count() > LONGEST_PARAMETER)
    {
        Some(_) => Err(format!(
            "a value of over {LONGEST_PARAMETER} characters cannot be passed to Athena"
        )),
        None => Ok(sql),
    }
}

/// The rows whose length passes; NULL has no characters.
pub(super) fn of_lengths(
    column: &Identifier,
    comparison: &Comparison<Expression>,
) -> Result<Sql, String> {
    let length = format!(
        "length(coalesce(CAST({} AS varchar), ''))",
        sql::quote(column)
    );
    of_numbers(&length, comparison)
}

fn is_null(expression: &Expression) -> bool {
    expression.rest.is_empty() && expression.first == Term::Null
}

fn of_numbers(value: &str, comparison: &Comparison<Expression>) -> Result<Sql, String> {
    compare(value, comparison, |operand| {
        if is_null(operand) {
            Ok(None)
        } else {
            number(operand).map(Some)
        }
    })
}

/// A number exactly as it is written where there is nothing to compute: it may have more digits than a double.
fn number(expression: &Expression) -> Result<String, String> {
    match (&expression.first, expression.rest.as_slice()) {
        (Term::Number(text), []) => Ok(text.clone()),
        _ => constant(expression).map(|value| value.to_string()),
    }
}

fn of_dates(column: &Identifier, comparison: &Comparison<DateOperand>) -> Result<Sql, String> {
    let value = format!("CAST({} AS date)", sql::quote(column));
    compare(&value, comparison, |operand| match operand {
        DateOperand::Date(date) => Ok(Some(format!("DATE '{date}'"))),
        DateOperand::Null => Ok(None),
        DateOperand::Now | DateOperand::Relative { .. } | DateOperand::Time { .. } => {
            Err("a condition on the clock is not answered yet".to_owned())
        }
    })
}

/// A comparison of a SQL value; an operand without a literal is NULL.
fn compare<T>(
    value: &str,
    comparison: &Comparison<T>,
    literal: impl Fn(&T) -> Result<Option<String>, String>,
) -> Result<Sql, String> {
    match comparison {
        Comparison::With { operator, operand } => match (operator, literal(operand)?) {
            (Operator::Equal, None) => Ok(Sql::of(format!("{value} IS NULL"))),
            (Operator::NotEqual, None) => Ok(Sql::of(format!("{value} IS NOT NULL"))),
            (_, None) => Err("NULL has no order".to_owned()),
            (Operator::NotEqual, Some(operand)) => Ok(Sql::with(
                format!("coalesce({value} <> ?, true)"),
                [operand],
            )),
            (operator, Some(operand)) => Ok(Sql::with(
                format!("coalesce({value} {} ?, false)", symbol(*operator)),
                [operand],
            )),
        },
        Comparison::Between { negated, low, high } => {
            let (Some(low), Some(high)) = (literal(low)?, literal(high)?) else {
                return Err("NULL has no order".to_owned());
            };
            let shape = if *negated {
                format!("coalesce({value} <= ? OR {value} >= ?, false)")
            } else {
                format!("coalesce({value} > ? AND {value} < ?, false)")
            };
            Ok(Sql::with(shape, [low, high]))
        }
        Comparison::In { negated, operands } => {
            let operands: Vec<Option<String>> =
                operands.iter().map(literal).collect::<Result<_, _>>()?;
            let with_null = operands.iter().any(Option::is_none);
            Ok(member(
                value,
                operands.into_iter().flatten().collect(),
                with_null,
                *negated,
            ))
        }
    }
}

/// Whether a value is one of a list, or is none of it.
fn member(value: &str, values: Vec<String>, with_null: bool, negated: bool) -> Sql {
    let null = if with_null { "true" } else { "false" };
    let listed = if values.is_empty() {
        Sql::of(format!("coalesce({value} IS NULL AND {null}, false)"))
    } else {
        let marks = vec!["?"; values.len()].join(", ");
        Sql::with(format!("coalesce({value} IN ({marks}), {null})"), values)
    };
    if negated {
        listed.between("NOT ", "")
    } else {
        listed
    }
}

fn of_texts(column: &Identifier, condition: &TextCondition) -> Result<Sql, String> {
    let value = format!("CAST({} AS varchar)", sql::quote(column));
    match condition {
        TextCondition::Equal {
            negated, operand, ..
        } => Ok(of_operands(&value, std::slice::from_ref(operand), *negated)),
        TextCondition::In {
            negated, operands, ..
        } => Ok(of_operands(&value, operands, *negated)),
        TextCondition::Matches { negated, pattern } => {
            // The whole value has to match, as Deequ reads the rule.
            let pattern = sql::literal(&format!("^(?:{})$", pattern.raw()));
            let matches = Sql::with(
                format!("coalesce(regexp_like({value}, ?), false)"),
                [pattern],
            );
            Ok(if *negated {
                matches.between(&format!("({value} IS NOT NULL AND NOT "), ")")
            } else {
                matches
            })
        }
    }
}

fn of_operands(value: &str, operands: &[TextOperand], negated: bool) -> Sql {
    let mut texts = Vec::new();
    let mut keywords = Vec::new();
    let mut with_null = false;
    for operand in operands {
        match operand {
            TextOperand::Text(text) => texts.push(sql::literal(&text.value())),
            TextOperand::Null => with_null = true,
            TextOperand::Empty => keywords.push(format!("coalesce({value} = '', false)")),
            TextOperand::WhitespacesOnly => {
                keywords.push(format!(
                    "coalesce({value} <> '' AND trim({value}) = '', false)"
                ));
            }
        }
    }
    let listed = member(value, texts, with_null, false);
    let others: String = keywords
        .iter()
        .map(|keyword| format!(" OR {keyword}"))
        .collect();
    let any = listed.between("(", &format!("{others})"));
    if negated {
        any.between("NOT ", "")
    } else {
        any
    }
}
