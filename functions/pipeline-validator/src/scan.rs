//! A scan is one query whose single row answers many checks.

use crate::check::Check;
use crate::sql::{Part, Query, Sql};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// A column of a scan's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column(usize);

impl Column {
    /// A column that no row has.
    pub(crate) const fn none() -> Self {
        Self(usize::MAX)
    }
}

/// The aggregates that a scan computes. The same aggregate is computed once, whoever asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aggregates {
    known: HashMap<Sql, usize>,
    bytes: usize,
}

impl Aggregates {
    /// Adds an aggregate and returns the column that will hold it.
    pub fn add(&mut self, aggregate: impl Into<Sql>) -> Column {
        let aggregate = aggregate.into();
        let next = self.known.len();
        if let Some(column) = self.known.get(&aggregate) {
            return Column(*column);
        }
        self.bytes += aggregate.bytes();
        self.known.insert(aggregate, next);
        Column(next)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many bytes of SQL they are, with their values.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The select list, a line each.
    pub fn select(&self) -> Sql {
        let mut aggregates: Vec<(&Sql, usize)> = self
            .known
            .iter()
            .map(|(aggregate, index)| (aggregate, *index))
            .collect();
        aggregates.sort_by_key(|(_, index)| *index);
        let names: Vec<String> = aggregates
            .iter()
            .map(|(_, index)| format!(" AS c{index}"))
            .collect();
        let parts = aggregates
            .iter()
            .zip(&names)
            .flat_map(|((aggregate, index), name)| {
                let before = if *index == 0 { "  " } else { ",\n  " };
                [Part::Text(before), Part::Sql(aggregate), Part::Text(name)]
            });
        Sql::concat(parts)
    }
}

/// A query whose single row answers checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What is scanned.
    pub dataset: String,
    /// The query, and the values of its `?`.
    pub sql: Query,
    /// The checks that it answers, by name.
    pub answers: Vec<String>,
    /// How many columns the row has.
    width: usize,
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Each check with its outcome, and its place among the dataset's checks.
    pub checks: Vec<(usize, Check)>,
    /// Rows of the table.
    pub records: Option<u64>,
    /// Age of the newest record, in seconds.
    pub freshness_seconds: Option<f64>,
    /// Whether what was measured is kept for later runs.
    pub collects: bool,
    /// What was measured, by the measure's name.
    pub measures: BTreeMap<String, f64>,
    /// Of a dimension: its keys and what the run did to them.
    pub history: Option<History>,
}

/// The keys of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Keys.
    pub keys: u64,
    /// Keys with a violation.
    pub unsound: u64,
    /// What the run did, where rows tell when they were recorded and the run its start.
    pub changes: Option<Changes>,
}

/// What a run did to a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// Keys that are new.
    pub created: u64,
    /// New versions of known keys.
    pub updated: u64,
    /// Keys that were deleted.
    pub deleted: u64,
}

/// A result that is not what the query asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the scan of {dataset} gave {got} where {expected} was asked for")]
pub struct UnexpectedResult {
    /// What was scanned.
    pub dataset: String,
    /// What was asked for.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl UnexpectedResult {
    /// The error of a scan.
    pub(crate) fn of(dataset: &str, expected: &str, got: &str) -> Self {
        Self {
            dataset: dataset.to_owned(),
            expected: expected.to_owned(),
            got: got.to_owned(),
        }
    }
}

impl Scan {
    /// Builds a scan.
    pub fn new(dataset: &str, sql: Query, answers: Vec<String>, aggregates: &Aggregates) -> Self {
        Self {
            dataset: dataset.to_owned(),
            sql,
            answers,
            width: aggregates.len(),
        }
    }

    /// The single row of the query's result.
    ///
    /// # Errors
    /// [`UnexpectedResult`] unless there is exactly one row with a value for each aggregate.
    pub fn row(&self, rows: Vec<Vec<Option<String>>>) -> Result<Row, UnexpectedResult> {
        let expected = format!("one row of {} columns", self.width);
        let count = rows.len();
        match <[Vec<Option<String>>; 1]>::try_from(rows) {
            Ok([values]) if values.len() == self.width => Ok(Row {
                dataset: self.dataset.clone(),
                values,
            }),
            Ok([values]) => {
                let got = format!("{} columns", values.len());
                Err(UnexpectedResult::of(&self.dataset, &expected, &got))
            }
            Err(_) => Err(UnexpectedResult::of(
                &self.dataset,
                &expected,
                &format!("{count} rows"),
            )),
        }
    }
}

/// The single row of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    dataset: String,
    values: Vec<Option<String>>,
}

impl Row {
    fn text(&self, column: Column) -> Option<&str> {
        self.values.get(column.0)?.as_deref()
    }

    fn unexpected(&self, expected: &str, got: &str) -> UnexpectedResult {
        UnexpectedResult {
            dataset: self.dataset.clone(),
            expected: expected.to_owned(),
            got: format!("{:?}", pipewarden_shared::truncate::characters(got, 60)),
        }
    }

    /// A count; a sum over no rows is 0.
    pub fn count(&self, column: Column) -> Result<u64, UnexpectedResult> {
        match self.text(column) {
            None => Ok(0),
            Some(text) => text.parse().map_err(|_| self.unexpected("a count", text)),
        }
    }

    /// A number, or nothing for NULL and for what is none: NaN and the infinities pass no test.
    pub fn number(&self, column: Column) -> Result<Option<f64>, UnexpectedResult> {
        let number = self
            .text(column)
            .map(|text| {
                text.parse::<f64>()
                    .map_err(|_| self.unexpected("a number", text))
            })
            .transpose()?;
        Ok(number.filter(|number| number.is_finite()))
    }

    /// The samples of a check; none for NULL.
    pub fn samples(&self, column: Column) -> Result<Vec<String>, UnexpectedResult> {
        let Some(text) = self.text(column) else {
            return Ok(Vec::new());
        };
        match serde_json::from_str::<Option<Vec<Value>>>(text) {
            Ok(samples) => Ok(samples
                .unwrap_or_default()
                .into_iter()
                .map(|sample| match sample {
                    Value::String(sample) => sample,
                    other => other.to_string(),
                })
                .collect()),
            Err(_) => Err(self.unexpected("a JSON array", text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_aggregate_of_the_same_values_is_computed_once() {
        let mut aggregates = Aggregates::default();
        let rows = aggregates.add("count(*)");
        let low = aggregates.add(Sql::with("count_if(x > ?)", ["1".to_owned()]));
        let high = aggregates.add(Sql::with("count_if(x > ?)", ["2".to_owned()]));
        assert_eq!(aggregates.add("count(*)"), rows);
        assert_ne!(low, high);
        let select = aggregates.select();
        assert_eq!(
            select.text,
            "  count(*) AS c0,\n  count_if(x > ?) AS c1,\n  count_if(x > ?) AS c2"
        );
        assert_eq!(
            select.values,
            ["1", "2"].map(|value| value.to_owned().into())
        );
    }

    #[test]
    fn a_result_of_another_shape_is_refused() {
        let mut aggregates = Aggregates::default();
        let rows = aggregates.add("count(*)");
        let scan = Scan::new("t", Query::default(), Vec::new(), &aggregates);
        let value = |text: &str| Some(text.to_owned());
        let count = |values| scan.row(values).and_then(|row| row.count(rows));
        assert_eq!(count(vec![vec![value("7")]]).unwrap(), 7);
        for (rows, got) in [
            (vec![], "0 rows"),
            (vec![vec![value("1"), value("2")]], "2 columns"),
            (vec![vec![value("-1")]], "\"-1\""),
        ] {
            assert_eq!(count(rows).unwrap_err().got, got);
        }
    }
}
