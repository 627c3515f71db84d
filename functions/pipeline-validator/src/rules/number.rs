//! What a rule asks of a number: a comparison whose arithmetic may look back at earlier results.

use super::exact::Number;
use crate::dqdl::condition::{Comparison, Expression, Operator, Term};
use crate::past::{MOST_RUNS, deviation, median, percentile};
use std::cmp::Ordering;
use std::fmt;

/// A comparison; every function in it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumberTest(Comparison<Expression>);

/// A comparison with its arithmetic done.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resolved(Comparison<Number>);

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoValue {
    /// It never has one.
    #[error("{0}")]
    Wrong(String),
    /// Its arithmetic has no finite result.
    #[error("its arithmetic has no finite result")]
    Infinite,
    /// It has none yet.
    #[error("not enough history: {0}")]
    NotYet(String),
}

/// The value of an expression.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(Number),
    List(Vec<f64>),
}

impl NumberTest {
    /// Takes a comparison whose every operand can have a value.
    ///
    /// # Errors
    /// What cannot be answered: an unknown function, NULL, arithmetic without a finite result.
    pub(super) fn of(comparison: &Comparison<Expression>) -> Result<Self, String> {
        // A history as long as any: what has no value over it never has one.
        let long = [1.0; MOST_RUNS];
        for operand in comparison.operands() {
            match number(operand, &long) {
                // Ones have no deviation, and a division by it may still have a value another day.
                Err(NoValue::Infinite) if looks_back(operand) => {}
                Err(error) => return Err(error.to_string()),
                Ok(_) => {}
            }
        }
        Ok(Self(comparison.clone()))
    }

    /// The test that asks for this value.
    pub(super) fn equals(operand: f64) -> Self {
        Self(Comparison::With {
            operator: Operator::Equal,
            operand: Expression {
                first: Term::Number(operand.to_string()),
                rest: Vec::new(),
            },
        })
    }

    /// Whether it looks back at earlier results.
    pub(super) fn looks_back(&self) -> bool {
        self.0.operands().into_iter().any(looks_back)
    }

    /// Does the arithmetic, with the earlier results of what is compared, newest first.
    ///
    /// # Errors
    /// [`NoValue`]: too few earlier results, or no finite result.
    pub(super) fn resolve(&self, past: &[f64]) -> Result<Resolved, NoValue> {
        Ok(Resolved(match &self.0 {
            Comparison::With { operator, operand } => Comparison::With {
                operator: *operator,
                operand: number(operand, past)?,
            },
            Comparison::Between { negated, low, high } => Comparison::Between {
                negated: *negated,
                low: number(low, past)?,
                high: number(high, past)?,
            },
            Comparison::In { negated, operands } => Comparison::In {
                negated: *negated,
                operands: operands
                    .iter()
                    .map(|operand| number(operand, past))
                    .collect::<Result<_, _>>()?,
            },
        }))
    }
}

impl Resolved {
    /// Whether a number passes. `between` excludes both ends, and `not between` includes them.
    pub(super) fn passes(&self, number: Number) -> bool {
        let is = |operand: &Number| number.compare(*operand);
        match &self.0 {
            Comparison::With { operator, operand } => match (operator, is(operand)) {
                (Operator::NotEqual, order) => order != Some(Ordering::Equal),
                (_, None) => false,
                (Operator::Equal, Some(order)) => order.is_eq(),
                (Operator::Greater, Some(order)) => order.is_gt(),
                (Operator::GreaterOrEqual, Some(order)) => order.is_ge(),
                (Operator::Less, Some(order)) => order.is_lt(),
                (Operator::LessOrEqual, Some(order)) => order.is_le(),
            },
            Comparison::Between { negated, low, high } => {
                let within = is(low) == Some(Ordering::Greater) && is(high) == Some(Ordering::Less);
                within != *negated
            }
            Comparison::In { negated, operands } => {
                let mut operands = operands.iter();
                operands.any(|operand| is(operand) == Some(Ordering::Equal)) != *negated
            }
        }
    }
}

impl fmt::Display for Resolved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        match &self.0 {
            Comparison::With { operator, operand } => {
                write!(formatter, "{} {operand}", symbol(*operator))
            }
            Comparison::Between { negated, low, high } => {
                write!(formatter, "{}between {low} and {high}", not(negated))
            }
            Comparison::In { negated, operands } => {
                let values: Vec<String> = operands.iter().map(ToString::to_string).collect();
                write!(formatter, "{}in [{}]", not(negated), values.join(", "))
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

/// The value of an expression of constants.
///
/// # Errors
/// Why it has none.
pub(super) fn constant(expression: &Expression) -> Result<Number, String> {
    if looks_back(expression) {
        return Err(
            "values of rows are compared with constants, not with earlier results".to_owned(),
        );
    }
    number(expression, &[]).map_err(|error| error.to_string())
}

fn looks_back(expression: &Expression) -> bool {
    let within = |term: &Term| match term {
        Term::Call { .. } => true,
        Term::Group(expression) => looks_back(expression),
        Term::Number(_) | Term::Null => false,
    };
    within(&expression.first) || expression.rest.iter().any(|(_, term)| within(term))
}

fn number(expression: &Expression, past: &[f64]) -> Result<Number, NoValue> {
    match value(expression, past)? {
        Value::Number(number) if number.value().is_finite() => Ok(number),
        Value::Number(_) => Err(NoValue::Infinite),
        Value::List(values) => match values.as_slice() {
            [only] => Ok(Number::near(*only)),
            _ => Err(NoValue::Wrong(
                "a list is no number: take avg(…), max(…) or another function of it".to_owned(),
            )),
        },
    }
}

/// The value of an expression, folded from the left: DQDL has no precedence.
fn value(expression: &Expression, past: &[f64]) -> Result<Value, NoValue> {
    let first = term(&expression.first, past)?;
    if expression.rest.is_empty() {
        return Ok(first);
    }
    let scalar = |value: Value| match value {
        Value::Number(number) => Ok(number),
        Value::List(values) => match values.as_slice() {
            [only] => Ok(Number::near(*only)),
            _ => Err(NoValue::Wrong(
                "a list cannot be computed with: take avg(…) or another function of it".to_owned(),
            )),
        },
    };
    let mut result = scalar(first)?;
    for (operation, operand) in &expression.rest {
        let operand = scalar(term(operand, past)?)?;
        result = result.with(*operation, operand);
    }
    Ok(Value::Number(result))
}

fn term(term: &Term, past: &[f64]) -> Result<Value, NoValue> {
    match term {
        Term::Number(text) => Number::read(text).map(Value::Number).ok_or_else(|| {
            NoValue::Wrong(format!("{text} is not a number that can be computed with"))
        }),
        Term::Null => Err(NoValue::Wrong("NULL is no number".to_owned())),
        Term::Group(expression) => value(expression, past),
        Term::Call { name, arguments } => call(name, arguments, past),
    }
}

/// A function of earlier results, by the names of the DQDL reference ("Dynamic rules").
fn call(name: &str, arguments: &[Expression], past: &[f64]) -> Result<Value, NoValue> {
    let unknown = || {
        NoValue::Wrong(format!(
            "{name}(…) is none of last, index, avg, median, max, min, sum, std, percentile, abs"
        ))
    };
    if name == "last" {
        return last(arguments, past).map(Value::List);
    }
    let (first, rest) = arguments.split_first().ok_or_else(unknown)?;
    let values = match value(first, past)? {
        Value::List(values) => values,
        Value::Number(number) => vec![number.value()],
    };
    let found = match (name, rest) {
        ("avg" | "mean", []) => Some(values.iter().sum::<f64>() / values.len() as f64),
        ("sum", []) => Some(values.iter().sum()),
        ("max", []) => values.iter().copied().reduce(f64::max),
        ("min", []) => values.iter().copied().reduce(f64::min),
        ("median", []) => median(&values),
        ("std", []) => deviation(&values),
        ("abs", []) => values
            .first()
            .filter(|_| values.len() == 1)
            .map(|value| value.abs()),
        ("percentile", [percent]) => percentile(&values, number(percent, past)?.value()),
        // The most recent one has the index 0.
        ("index", [index]) => values
            .get(number(index, past)?.value().max(0.0) as usize)
            .copied(),
        _ => return Err(unknown()),
    };
    found.map(Number::near).map(Value::Number).ok_or_else(|| {
        NoValue::NotYet(format!(
            "{} results are too few for {name}(…)",
            values.len()
        ))
    })
}

/// The results of the last runs, the newest first.
fn last(arguments: &[Expression], past: &[f64]) -> Result<Vec<f64>, NoValue> {
    let wrong = |text: String| Err(NoValue::Wrong(text));
    let count = match arguments {
        [] => 1.0,
        [count] => number(count, past)?.value(),
        _ => return wrong("last takes a number of runs".to_owned()),
    };
    if !(1.0..=MOST_RUNS as f64).contains(&count) {
        return wrong(format!("last takes 1 to {MOST_RUNS} runs"));
    }
    let values: Vec<f64> = past.iter().copied().take(count as usize).collect();
    if values.is_empty() {
        return Err(NoValue::NotYet("no earlier run has a result".to_owned()));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dqdl::{Rule, Ruleset};
    use rstest::rstest;

    fn test(condition: &str) -> Result<NumberTest, String> {
        let ruleset: Ruleset = format!("Rules = [ RowCount {condition} ]").parse().unwrap();
        match &ruleset.rules[0] {
            Rule::Single(rule) => match &rule.condition {
                Some(crate::dqdl::condition::Condition::Number(comparison)) => {
                    NumberTest::of(comparison)
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }

    #[rstest]
    #[case("> 5 + 2 * 2", &[], "> 14")]
    #[case("> last(1)", &[7.0, 1.0], "> 7")]
    #[case("> avg(last(2)) * 0.5", &[30.0, 10.0, 99.0], "> 10")]
    #[case("between min(last(3)) and max(last(3)) + 1", &[4.0, 9.0, 2.0], "between 2 and 10")]
    #[case("> index(last(3), 2)", &[4.0, 9.0, 2.0], "> 2")]
    #[case("> median(last(3)) - std(last(3))", &[2.0, 4.0, 6.0], "> 2")]
    #[case("> percentile(last(5), 75)", &[1.0, 2.0, 3.0, 4.0, 5.0], "> 4")]
    #[case("in [sum(last(2)), 1]", &[1.0, 2.0], "in [3, 1]")]
    fn looks_back_at_earlier_results(
        #[case] condition: &str,
        #[case] past: &[f64],
        #[case] expected: &str,
    ) {
        let resolved = test(condition).unwrap().resolve(past).unwrap();
        assert_eq!(resolved.to_string(), expected);
    }

    #[rstest]
    #[case("> avg(last(10))", &[], "not enough history: no earlier run has a result")]
    #[case("> std(last(10))", &[1.0], "not enough history: 1 results are too few for std(…)")]
    #[case("> index(last(3), 1)", &[1.0], "not enough history: 1 results are too few for index(…)")]
    #[case("> 5 / std(last(2))", &[1.0, 1.0], "its arithmetic has no finite result")]
    fn says_what_is_not_there_yet(
        #[case] condition: &str,
        #[case] past: &[f64],
        #[case] reason: &str,
    ) {
        let error = test(condition).unwrap().resolve(past).unwrap_err();
        assert_eq!(error.to_string(), reason);
    }

    #[rstest]
    #[case("> mode(last(10))", "none of last")]
    #[case("> last(10)", "a list is no number")]
    #[case("> avg(last(1000))", "1 to 100 runs")]
    #[case("> 1 / 0", "no finite result")]
    fn what_never_has_a_value_is_refused(#[case] condition: &str, #[case] reason: &str) {
        let error = test(condition).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}
