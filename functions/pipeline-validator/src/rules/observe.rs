//! What the row of a scan, or the catalog, says of one measure.

use super::exact::Number;
use super::total::{self, Total};
use crate::dqdl::condition::Arithmetic;
use crate::scan::{Column, Row, UnexpectedResult};
use serde_json::{Value, json};

/// What a measure is computed from.
#[derive(Debug, Clone)]
pub(super) enum Reads {
    /// A count.
    Count(Column),
    /// Passing and all rows.
    Share(Column, Column),
    /// The same, where the most rows of one key have to be one.
    ShareOfNamed(Column, Column, Column),
    /// A number.
    Number(Figure),
    /// A number, and how many rows the author's query gave.
    OnlyNumber(Figure, Column),
    /// Two numbers, the first divided by the second.
    Ratio(Figure, Figure),
    /// No row: the catalog told.
    Known(Known),
    /// Nothing: what the rule is about is not there.
    Missing(String),
}

/// Where a number is told.
#[derive(Debug, Clone, Copy)]
pub(super) enum Figure {
    /// As near as a double comes.
    Near(Column),
    /// As near as a double comes, and as a text, which is exact where it is a number.
    Exact(Column, Column),
    /// As a sum and a count.
    Total(Total, Column),
}

/// What the catalog told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    /// The number.
    pub number: f64,
    /// It in words.
    pub words: String,
    /// What is wrong, by name.
    pub wrong: Vec<String>,
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub(super) struct Observation {
    /// The number; nothing where there is none.
    pub number: Option<Number>,
    /// As a reader expects it: a count whole, a share as it is.
    pub shown: Value,
    /// Rows that fail.
    pub violations: u64,
    /// What was seen.
    pub words: String,
    /// Whether a measure without a value breaks nothing: no rows break no rule about rows.
    pub vacuous: bool,
    /// Why it fails, whatever was measured.
    pub fault: Option<String>,
    /// A few keys that fail.
    pub samples: Vec<String>,
}

/// What the catalog told.
pub(super) fn of_catalog(known: &Known) -> Observation {
    Observation {
        number: Some(Number::near(known.number)),
        shown: json!(known.number),
        violations: known.wrong.len() as u64,
        words: known.words.clone(),
        samples: known.wrong.clone(),
        ..Observation::default()
    }
}

/// What a row tells.
///
/// # Errors
/// [`UnexpectedResult`] where it is something else.
pub(super) fn of_row(
    reads: &Reads,
    row: &Row,
    what: &str,
) -> Result<Observation, UnexpectedResult> {
    match reads {
        Reads::Count(column) => {
            let count = row.count(*column)?;
            Ok(Observation {
                number: Some(Number::of_count(count)),
                shown: json!(count),
                words: format!("{count} {what}"),
                ..Observation::default()
            })
        }
        Reads::Share(passing, all) => Ok(share(row.count(*passing)?, row.count(*all)?)),
        Reads::ShareOfNamed(passing, all, twins) => {
            let fault = (row.count(*twins)? > 1)
                .then(|| "rows cannot be compared: the columns do not name one row".to_owned());
            Ok(Observation {
                fault,
                ..share(row.count(*passing)?, row.count(*all)?)
            })
        }
        Reads::Number(figure) => Ok(number(figure.read(row)?)),
        Reads::OnlyNumber(figure, rows) => {
            let rows = row.count(*rows)?;
            let fault = (rows != 1).then(|| format!("its SQL gave {rows} rows instead of one"));
            Ok(Observation {
                fault,
                ..number(figure.read(row)?)
            })
        }
        Reads::Ratio(first, second) => Ok(ratio(first.read(row)?, second.read(row)?)),
        Reads::Known(_) | Reads::Missing(_) => Ok(Observation::default()),
    }
}

impl Figure {
    fn read(self, row: &Row) -> Result<Option<Number>, UnexpectedResult> {
        match self {
            Self::Near(column) => Ok(row.number(column)?.map(Number::near)),
            Self::Exact(near, text) => match total::exactly(row, text)? {
                Some(number) => Ok(Some(number)),
                None => Self::Near(near).read(row),
            },
            Self::Total(total, column) => total.read(row, column),
        }
    }
}

/// As awslabs/deequ divides (`AggregateMatchExecutor`): nothing by nothing is the same.
fn ratio(first: Option<Number>, second: Option<Number>) -> Observation {
    let is_zero = |number: Number| number.value() == 0.0;
    let ratio = first
        .zip(second)
        .map(|(first, second)| match (is_zero(first), is_zero(second)) {
            (true, true) => Number::of_count(1),
            (false, true) => Number::of_count(0),
            _ => first.with(Arithmetic::Divide, second),
        });
    let shown = |number: Option<Number>| {
        number.map_or_else(|| NO_VALUE.to_owned(), |number| number.to_string())
    };
    Observation {
        words: format!("{} against {}", shown(first), shown(second)),
        ..number(ratio)
    }
}

/// A measure that has no number.
const NO_VALUE: &str = "no value";

fn share(passing: u64, all: u64) -> Observation {
    let share = (all > 0).then(|| passing as f64 / all as f64);
    let failing = all.saturating_sub(passing);
    Observation {
        number: share.map(Number::near),
        shown: json!(share),
        violations: failing,
        words: format!("{failing} of {all} rows fail"),
        vacuous: true,
        ..Observation::default()
    }
}

fn number(number: Option<Number>) -> Observation {
    let shown = match number.and_then(Number::great_whole).map(i64::try_from) {
        Some(Ok(whole)) => json!(whole),
        _ => json!(number.map(Number::value)),
    };
    Observation {
        number,
        shown,
        words: number.map_or_else(|| NO_VALUE.to_owned(), |number| number.to_string()),
        ..Observation::default()
    }
}
