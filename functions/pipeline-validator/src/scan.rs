//! A scan: one query whose single row answers many checks.

use crate::check::Check;
use serde_json::Value;

/// A column of a scan's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column(usize);

/// The aggregates that a scan computes. The same aggregate is computed once, whoever asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aggregates(Vec<String>);

impl Aggregates {
    /// Adds an aggregate and returns the column that will hold it.
    pub fn add(&mut self, expression: impl Into<String>) -> Column {
        let expression = expression.into();
        let known = self.0.iter().position(|known| *known == expression);
        Column(known.unwrap_or_else(|| {
            self.0.push(expression);
            self.0.len() - 1
        }))
    }

    /// The select list, a line each.
    pub fn select_list(&self) -> String {
        let columns = self.0.iter().enumerate();
        columns
            .map(|(index, expression)| format!("  {expression} AS c{index}"))
            .collect::<Vec<_>>()
            .join(",\n")
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// A query, and what its row says of each check.
pub struct Scan {
    /// What is scanned.
    pub dataset: String,
    /// The query, for Athena engine v3.
    pub sql: String,
    /// Values of the query's `?`, in order.
    pub parameters: Vec<String>,
    /// The checks that it answers, by name.
    pub answers: Vec<String>,
    /// How many columns the row has.
    width: usize,
    read: Reader,
}

/// Turns the row of a scan into findings.
type Reader = Box<dyn Fn(&Row) -> Result<Findings, UnexpectedResult> + Send + Sync>;

impl std::fmt::Debug for Scan {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Scan")
            .field("dataset", &self.dataset)
            .field("sql", &self.sql)
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

/// What a scan found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Findings {
    /// Each check with its outcome.
    pub checks: Vec<Check>,
    /// Rows of the table.
    pub records: Option<u64>,
    /// Age of the newest record, in seconds.
    pub freshness_seconds: Option<f64>,
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

impl Scan {
    /// Builds a scan.
    pub fn new(
        dataset: &str,
        sql: String,
        parameters: Vec<String>,
        answers: Vec<String>,
        aggregates: &Aggregates,
        read: impl Fn(&Row) -> Result<Findings, UnexpectedResult> + Send + Sync + 'static,
    ) -> Self {
        Self {
            dataset: dataset.to_owned(),
            sql,
            parameters,
            answers,
            width: aggregates.len(),
            read: Box::new(read),
        }
    }

    /// What the rows of the query's result say.
    ///
    /// # Errors
    /// [`UnexpectedResult`] unless there is exactly one row with a value for each aggregate.
    pub fn findings(&self, rows: Vec<Vec<Option<String>>>) -> Result<Findings, UnexpectedResult> {
        let count = rows.len();
        match <[Vec<Option<String>>; 1]>::try_from(rows) {
            Ok([values]) if values.len() == self.width => (self.read)(&Row {
                dataset: self.dataset.clone(),
                values,
            }),
            Ok([values]) => Err(self.unexpected(format!("{} columns", values.len()))),
            Err(_) => Err(self.unexpected(format!("{count} rows"))),
        }
    }

    fn unexpected(&self, got: String) -> UnexpectedResult {
        UnexpectedResult {
            dataset: self.dataset.clone(),
            expected: format!("one row of {} columns", self.width),
            got,
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
    /// A row, for what is read from it.
    pub fn new(dataset: &str, values: Vec<Option<String>>) -> Self {
        Self {
            dataset: dataset.to_owned(),
            values,
        }
    }

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

    /// A number, or nothing for NULL.
    pub fn number(&self, column: Column) -> Result<Option<f64>, UnexpectedResult> {
        self.text(column)
            .map(|text| match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number),
                _ => Err(self.unexpected("a number", text)),
            })
            .transpose()
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
    fn the_same_aggregate_is_computed_once() {
        let mut aggregates = Aggregates::default();
        let rows = aggregates.add("count(*)");
        let newest = aggregates.add("max(t)");
        assert_eq!(aggregates.add("count(*)"), rows);
        assert_ne!(rows, newest);
        assert_eq!(
            aggregates.select_list(),
            "  count(*) AS c0,\n  max(t) AS c1"
        );
    }

    #[test]
    fn a_result_of_another_shape_is_refused() {
        let mut aggregates = Aggregates::default();
        let rows = aggregates.add("count(*)");
        let scan = Scan::new(
            "t",
            String::new(),
            Vec::new(),
            Vec::new(),
            &aggregates,
            move |row| {
                Ok(Findings {
                    records: Some(row.count(rows)?),
                    ..Findings::default()
                })
            },
        );
        let value = |text: &str| Some(text.to_owned());
        assert_eq!(
            scan.findings(vec![vec![value("7")]]).unwrap().records,
            Some(7)
        );
        for (rows, got) in [
            (vec![], "0 rows"),
            (vec![vec![value("1"), value("2")]], "2 columns"),
            (vec![vec![value("-1")]], "\"-1\""),
        ] {
            assert_eq!(scan.findings(rows).unwrap_err().got, got);
        }
    }
}
