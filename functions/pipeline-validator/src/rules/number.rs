//! What a rule asks of a number, with its arithmetic done.

use crate::dqdl::condition::{Arithmetic, Comparison, Expression, Operator, Term};
use std::fmt;

/// A comparison with constants.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumberTest(Comparison<f64>);

impl NumberTest {
    /// Does the arithmetic of a comparison.
    ///
    /// # Errors
    /// What cannot be answered: a function needs the history of earlier results, NULL is no number.
    pub(super) fn of(comparison: &Comparison<Expression>) -> Result<Self, String> {
        Ok(Self(match comparison {
            Comparison::With { operator, operand } => Comparison::With {
                operator: *operator,
                operand: constant(operand)?,
            },
            Comparison::Between { negated, low, high } => Comparison::Between {
                negated: *negated,
                low: constant(low)?,
                high: constant(high)?,
            },
            Comparison::In { negated, operands } => Comparison::In {
                negated: *negated,
                operands: operands.iter().map(constant).collect::<Result<_, _>>()?,
            },
        }))
    }

    /// The test that asks for this value.
    pub(super) fn equals(operand: f64) -> Self {
        Self(Comparison::With {
            operator: Operator::Equal,
            operand,
        })
    }

    /// Whether a number passes. `between` excludes both ends, and `not between` includes them.
    pub(super) fn passes(&self, number: f64) -> bool {
        match &self.0 {
            Comparison::With { operator, operand } => match operator {
                Operator::Equal => number == *operand,
                Operator::NotEqual => number != *operand,
                Operator::Greater => number > *operand,
                Operator::GreaterOrEqual => number >= *operand,
                Operator::Less => number < *operand,
                Operator::LessOrEqual => number <= *operand,
            },
            Comparison::Between { negated, low, high } => {
                (number > *low && number < *high) != *negated
            }
            Comparison::In { negated, operands } => operands.contains(&number) != *negated,
        }
    }
}

impl fmt::Display for NumberTest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Comparison::With { operator, operand } => {
                write!(formatter, "{} {operand}", symbol(*operator))
            }
            Comparison::Between { negated, low, high } => {
                write!(
                    formatter,
                    "{}between {low} and {high}",
                    if *negated { "not " } else { "" }
                )
            }
            Comparison::In { negated, operands } => {
                let values: Vec<String> = operands.iter().map(ToString::to_string).collect();
                write!(
                    formatter,
                    "{}in [{}]",
                    if *negated { "not " } else { "" },
                    values.join(", ")
                )
            }
        }
    }
}

/// The operator as SQL and people write it.
pub(super) const fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "<>",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
    }
}

/// The value of an expression of constants, folded from the left: DQDL has no precedence.
pub(super) fn constant(expression: &Expression) -> Result<f64, String> {
    let mut value = term(&expression.first)?;
    for (operation, operand) in &expression.rest {
        let operand = term(operand)?;
        value = match operation {
            Arithmetic::Add => value + operand,
            Arithmetic::Subtract => value - operand,
            Arithmetic::Multiply => value * operand,
            Arithmetic::Divide => value / operand,
        };
    }
    if value.is_finite() {
        Ok(value)
    } else {
        Err("its arithmetic has no finite result".to_owned())
    }
}

fn term(term: &Term) -> Result<f64, String> {
    match term {
        Term::Number(text) => text
            .parse()
            .map_err(|_| format!("{text} is not a number that can be computed with")),
        Term::Null => Err("NULL is no number".to_owned()),
        Term::Call { name, .. } => Err(format!(
            "{name}(…) needs the history of earlier results, which is not kept yet"
        )),
        Term::Group(expression) => constant(expression),
    }
}
