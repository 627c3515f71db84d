//! The rows that pass a rule, as a SQL condition that is never NULL.
//!
//! What a NULL means follows the reference of AWS Glue ("ColumnValues", null behavior): it fails every condition but
//! `!=` and `not in`, unless the condition names it.

use super::exact::MOST_DIGITS;
use super::number::{constant, symbol};
use super::pattern::balanced;
use crate::dqdl::condition::{
    Comparison, Condition, DateOperand, Duration, Expression, Operator, Term, TextCondition,
    TextOperand,
};
use crate::sql::{Dialect, Moment, Sql, Value, literal};
use pipewarden_shared::profile::Identifier;

/// The longest value of a parameter (Athena API reference, ExecutionParameters).
const LONGEST_PARAMETER: usize = 1_024;

/// The rows whose value passes.
///
/// # Errors
/// What the condition asks that cannot be answered.
pub(super) fn of_values(
    dialect: &dyn Dialect,
    column: &Identifier,
    condition: &Condition,
) -> Result<Sql, String> {
    let value = dialect.column(column);
    let sql = match condition {
        Condition::Number(comparison) => of_numbers(dialect, &value, comparison),
        Condition::Text(condition) => of_texts(dialect, &dialect.text(&value), condition),
        Condition::Date(comparison) => of_dates(dialect, &value, comparison),
        Condition::Duration(_) | Condition::Size(_) => {
            Err("values have no duration and no size".to_owned())
        }
    }?;
    let too_long = sql.values.iter().any(|value| match value {
        Value::Literal(literal) => literal.chars().count() > LONGEST_PARAMETER,
        Value::Moment(_) => false,
    });
    if too_long {
        return Err(format!(
            "a value of over {LONGEST_PARAMETER} characters cannot be passed to Athena"
        ));
    }
    Ok(sql)
}

/// The rows whose length passes; NULL has no characters.
pub(super) fn of_lengths(
    dialect: &dyn Dialect,
    column: &Identifier,
    comparison: &Comparison<Expression>,
) -> Result<Sql, String> {
    of_numbers(dialect, &length(dialect, column), comparison)
}

/// How many characters a value has.
pub(super) fn length(dialect: &dyn Dialect, column: &Identifier) -> String {
    let text = dialect.text(&dialect.column(column));
    format!("length(coalesce({text}, ''))")
}

/// The rows whose age passes: how long before now their time lies. NULL has no age.
pub(super) fn of_ages(
    dialect: &dyn Dialect,
    column: &Identifier,
    comparison: &Comparison<Duration>,
) -> Result<Sql, String> {
    // An age of more is a time that lies further back.
    let value = dialect.timestamp(&dialect.column(column));
    let before = |duration: &Duration| {
        let minutes = i64::try_from(duration.minutes()).unwrap_or(i64::MAX);
        Ok(Some(Value::Moment(Moment::Now { minutes: -minutes })))
    };
    let mirrored = match comparison {
        Comparison::With { operator, operand } => Comparison::With {
            operator: match operator {
                Operator::Greater => Operator::Less,
                Operator::GreaterOrEqual => Operator::LessOrEqual,
                Operator::Less => Operator::Greater,
                Operator::LessOrEqual => Operator::GreaterOrEqual,
                Operator::Equal | Operator::NotEqual => {
                    return Err("an age is hardly ever exactly this; use < or >".to_owned());
                }
            },
            operand: *operand,
        },
        Comparison::Between { negated, low, high } => Comparison::Between {
            negated: *negated,
            low: *high,
            high: *low,
        },
        Comparison::In { .. } => {
            return Err("an age is hardly ever exactly one of these; use < or >".to_owned());
        }
    };
    compare(Tested::of(&value), &mirrored, before)
}

fn is_null(expression: &Expression) -> bool {
    expression.rest.is_empty() && expression.first == Term::Null
}

fn of_numbers(
    dialect: &dyn Dialect,
    value: &str,
    comparison: &Comparison<Expression>,
) -> Result<Sql, String> {
    compare(Tested::of(value), comparison, |operand| {
        if is_null(operand) {
            Ok(None)
        } else {
            number(dialect, operand).map(|number| Some(number.into()))
        }
    })
}

/// A number exactly as it is written where there is nothing to compute: it may have more digits than a double.
fn number(dialect: &dyn Dialect, expression: &Expression) -> Result<String, String> {
    match (&expression.first, expression.rest.as_slice()) {
        (Term::Number(text), []) => number_literal(dialect, text).ok_or_else(|| {
            format!("{text} has over {MOST_DIGITS} digits, which no number on Athena has")
        }),
        _ => {
            let value = constant(expression)?;
            Ok(number_literal(dialect, &value.to_string())
                .unwrap_or_else(|| dialect.double_literal(value.value())))
        }
    }
}

/// A number as a literal; nothing where it has more digits than one can have. An integer is a bigint, and what is
/// beyond has to say that it is a decimal.
fn number_literal(dialect: &dyn Dialect, text: &str) -> Option<String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let whole = text.strip_prefix('+').unwrap_or(text);
    match (text.contains('.'), whole.parse::<i64>()) {
        (false, Ok(_)) => Some(text.to_owned()),
        _ if digits > MOST_DIGITS => None,
        (false, Err(_)) => Some(dialect.decimal_literal(text)),
        (true, _) => Some(text.to_owned()),
    }
}

fn of_dates(
    dialect: &dyn Dialect,
    column: &str,
    comparison: &Comparison<DateOperand>,
) -> Result<Sql, String> {
    // Days are compared with days. As soon as the clock is asked, times are compared with times.
    let by_day = comparison
        .operands()
        .into_iter()
        .all(|operand| matches!(operand, DateOperand::Date(_) | DateOperand::Null));
    let value = if by_day {
        dialect.date(column)
    } else {
        dialect.timestamp(column)
    };
    let tested = Tested {
        value: &value,
        stored: column,
    };
    compare(tested, comparison, |operand| {
        Ok(match operand {
            DateOperand::Date(date) => Some(dialect.date_literal(&date.to_string()).into()),
            DateOperand::Null => None,
            DateOperand::Now => Some(Value::Moment(Moment::Now { minutes: 0 })),
            DateOperand::Relative { before, duration } => {
                let minutes = i64::try_from(duration.minutes()).unwrap_or(i64::MAX);
                let minutes = if *before { -minutes } else { minutes };
                Some(Value::Moment(Moment::Now { minutes }))
            }
            DateOperand::Time { time, .. } => Some(Value::Moment(Moment::Today(*time))),
        })
    })
}

/// What is compared.
#[derive(Clone, Copy)]
struct Tested<'a> {
    /// The value as it is compared; NULL where it is NULL, or cannot be read.
    value: &'a str,
    /// The value as it is stored.
    stored: &'a str,
}

impl<'a> Tested<'a> {
    /// What is compared as it is stored.
    fn of(value: &'a str) -> Self {
        Self {
            value,
            stored: value,
        }
    }

    /// Whether what compares as NULL is NULL: a text that is no date is not.
    fn is_null(self) -> String {
        if self.value == self.stored {
            "true".to_owned()
        } else {
            format!("{} IS NULL", self.stored)
        }
    }
}

/// A comparison of a SQL value; an operand without a literal is NULL.
fn compare<T>(
    tested: Tested<'_>,
    comparison: &Comparison<T>,
    literal: impl Fn(&T) -> Result<Option<Value>, String>,
) -> Result<Sql, String> {
    let Tested { value, stored } = tested;
    match comparison {
        Comparison::With { operator, operand } => match (operator, literal(operand)?) {
            (Operator::Equal, None) => Ok(Sql::of(format!("{stored} IS NULL"))),
            (Operator::NotEqual, None) => Ok(Sql::of(format!("{stored} IS NOT NULL"))),
            (_, None) => Err("NULL has no order".to_owned()),
            (Operator::NotEqual, Some(operand)) => Ok(Sql::with(
                format!("coalesce({value} <> ?, {})", tested.is_null()),
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
            let operands: Vec<Option<Value>> =
                operands.iter().map(literal).collect::<Result<_, _>>()?;
            let with_null = operands.iter().any(Option::is_none);
            let values = operands.into_iter().flatten().collect();
            Ok(member(tested, values, with_null, *negated))
        }
    }
}

/// Whether a value is one of a list, or is none of it.
fn member(tested: Tested<'_>, values: Vec<Value>, with_null: bool, negated: bool) -> Sql {
    let Tested { value, stored } = tested;
    if values.is_empty() {
        return Sql::of(match (with_null, negated) {
            (true, false) => format!("{stored} IS NULL"),
            (true, true) => format!("{stored} IS NOT NULL"),
            (false, negated) => negated.to_string(),
        });
    }
    let null = if with_null == negated {
        "false".to_owned()
    } else {
        tested.is_null()
    };
    let marks = vec!["?"; values.len()].join(", ");
    let not = if negated { "NOT " } else { "" };
    Sql::with(
        format!("coalesce({value} {not}IN ({marks}), {null})"),
        values,
    )
}

fn of_texts(dialect: &dyn Dialect, value: &str, condition: &TextCondition) -> Result<Sql, String> {
    match condition {
        TextCondition::Equal {
            negated, operand, ..
        } => Ok(of_operands(value, std::slice::from_ref(operand), *negated)),
        TextCondition::In {
            negated, operands, ..
        } => Ok(of_operands(value, operands, *negated)),
        TextCondition::Matches { negated, pattern } => {
            // The whole value has to match, as Deequ reads the rule.
            balanced(pattern.raw())?;
            let matches = Sql::with(dialect.matches(value), [dialect.pattern(pattern.raw())]);
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
            TextOperand::Text(text) => texts.push(literal(&text.value()).into()),
            TextOperand::Null => with_null = true,
            TextOperand::Empty => keywords.push(format!("coalesce({value} = '', false)")),
            TextOperand::WhitespacesOnly => {
                keywords.push(format!(
                    "coalesce({value} <> '' AND trim({value}) = '', false)"
                ));
            }
        }
    }
    let listed = member(Tested::of(value), texts, with_null, false);
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
