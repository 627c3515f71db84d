//! Which kind of condition values make, and the values as that kind.

use crate::dqdl::condition::{
    Comparison, Condition, ConditionKind, DateOperand, Duration, Expression, Operator, Size, Term,
    TextCondition, TextOperand,
};
use crate::dqdl::problem::Problem;
use crate::dqdl::tree::Text;
use jiff::civil;

/// A value whose kind depends on the others beside it.
pub(super) enum Value<'s> {
    Text(&'s str),
    Keyword(TextOperand),
    Number(Expression),
    Date(DateOperand),
    Duration(Duration),
    Size(Size),
}

impl Value<'_> {
    fn null(&self) -> bool {
        matches!(self, Self::Number(Expression { first: Term::Null, rest }) if rest.is_empty())
    }

    /// Whether the value can be of a kind. A text that looks like a date is a date, as in Glue's lexer.
    fn can_be(&self, kind: ConditionKind) -> bool {
        match (kind, self) {
            (ConditionKind::Number, Self::Number(_))
            | (ConditionKind::Text, Self::Keyword(_))
            | (ConditionKind::Date, Self::Date(_))
            | (ConditionKind::Duration, Self::Duration(_))
            | (ConditionKind::Size, Self::Size(_)) => true,
            (ConditionKind::Text, Self::Text(text)) => !looks_like_date(text),
            (ConditionKind::Date, Self::Text(text)) => looks_like_date(text),
            (ConditionKind::Text | ConditionKind::Date, value) => value.null(),
            _ => false,
        }
    }
}

/// The condition that a comparison of values is.
pub(super) fn condition(comparison: Comparison<Value<'_>>) -> Result<Condition, Problem> {
    const KINDS: [ConditionKind; 5] = [
        ConditionKind::Number,
        ConditionKind::Text,
        ConditionKind::Date,
        ConditionKind::Duration,
        ConditionKind::Size,
    ];
    let values = comparison.operands();
    // The first that fits, in the order of the grammar: `= NULL` is a number's.
    let kind = KINDS
        .into_iter()
        .find(|kind| values.iter().all(|value| value.can_be(*kind)));
    match kind {
        Some(ConditionKind::Number) => each(comparison, number).map(Condition::Number),
        Some(ConditionKind::Text) => texts(comparison).map(Condition::Text),
        Some(ConditionKind::Date) => each(comparison, date).map(Condition::Date),
        Some(ConditionKind::Duration) => each(comparison, duration).map(Condition::Duration),
        Some(ConditionKind::Size) => each(comparison, size).map(Condition::Size),
        None => Err(Problem::MixedValues),
    }
}

/// The comparison of other values, or why one of them has no counterpart.
pub(super) fn each<T, U>(
    comparison: Comparison<T>,
    change: impl Fn(T) -> Result<U, Problem>,
) -> Result<Comparison<U>, Problem> {
    Ok(match comparison {
        Comparison::With { operator, operand } => Comparison::With {
            operator,
            operand: change(operand)?,
        },
        Comparison::Between { negated, low, high } => Comparison::Between {
            negated,
            low: change(low)?,
            high: change(high)?,
        },
        Comparison::In { negated, operands } => Comparison::In {
            negated,
            operands: operands.into_iter().map(change).collect::<Result<_, _>>()?,
        },
    })
}

fn number(value: Value<'_>) -> Result<Expression, Problem> {
    match value {
        Value::Number(expression) => Ok(expression),
        _ => Err(Problem::MixedValues),
    }
}

fn duration(value: Value<'_>) -> Result<Duration, Problem> {
    match value {
        Value::Duration(duration) => Ok(duration),
        _ => Err(Problem::MixedValues),
    }
}

fn size(value: Value<'_>) -> Result<Size, Problem> {
    match value {
        Value::Size(size) => Ok(size),
        _ => Err(Problem::MixedValues),
    }
}

fn text(value: Value<'_>) -> Result<TextOperand, Problem> {
    match value {
        Value::Text(raw) => Ok(TextOperand::Text(Text::from_raw(raw))),
        Value::Keyword(operand) => Ok(operand),
        _ => Ok(TextOperand::Null),
    }
}

fn texts(comparison: Comparison<Value<'_>>) -> Result<TextCondition, Problem> {
    match each(comparison, text)? {
        Comparison::With {
            operator: Operator::Equal,
            operand,
        } => Ok(TextCondition::Equal {
            negated: false,
            operand,
            variable: None,
        }),
        Comparison::With {
            operator: Operator::NotEqual,
            operand,
        } => Ok(TextCondition::Equal {
            negated: true,
            operand,
            variable: None,
        }),
        Comparison::In { negated, operands } => Ok(TextCondition::In {
            negated,
            operands,
            variable: None,
        }),
        Comparison::With { .. } | Comparison::Between { .. } => Err(Problem::TextOrder),
    }
}

fn date(value: Value<'_>) -> Result<DateOperand, Problem> {
    match value {
        Value::Date(operand) => Ok(operand),
        Value::Text(text) => {
            let operand = match time_of_day(text) {
                Some(time) => Some(DateOperand::Time {
                    time,
                    written: text.to_owned(),
                }),
                None => text.parse().ok().map(DateOperand::Date),
            };
            operand.ok_or_else(|| Problem::NoSuchDate(text.to_owned()))
        }
        _ => Ok(DateOperand::Null),
    }
}

/// The tokens DATE, TIME and MIL_TIME of CommonLexerRules.g4, by their shape: digits are `0`.
fn looks_like_date(text: &str) -> bool {
    let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = text.chars().take(11).map(digit).collect();
    let shapes = [
        "0000-00-00",
        "00:00",
        "0:00 AM",
        "0:00 PM",
        "00:00 AM",
        "00:00 PM",
    ];
    shapes.contains(&shape.as_str())
}

/// `21:45` or `9:30 AM`.
fn time_of_day(text: &str) -> Option<civil::Time> {
    let (clock, half) = match text.split_once(' ') {
        Some((clock, half)) => (clock, Some(half)),
        None => (text, None),
    };
    let (hour, minute) = clock.split_once(':')?;
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.parse().ok()?);
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some("AM") => hour % 12,
        Some(_) => hour % 12 + 12,
    };
    civil::Time::new(hour, minute, 0, 0).ok()
}
