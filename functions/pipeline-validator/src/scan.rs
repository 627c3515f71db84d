//! A scan is one query whose single row answers many checks; a question is what its scans answer together.

use crate::check::Check;
use crate::sql::Sql;
use serde_json::Value;

/// A column of a scan's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column(usize);

/// The aggregates that a scan computes. The same aggregate is computed once, whoever asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aggregates(Vec<Sql>);

impl Aggregates {
    /// Adds an aggregate and returns the column that will hold it.
    pub fn add(&mut self, aggregate: impl Into<Sql>) -> Column {
        let aggregate = aggregate.into();
        let known = self.0.iter().position(|known| *known == aggregate);
        Column(known.unwrap_or_else(|| {
            self.0.push(aggregate);
            self.0.len() - 1
        }))
    }

    /// The select list, a line each.
    pub fn select(&self) -> Sql {
        let mut list = Sql::default();
        for (index, aggregate) in self.0.iter().enumerate() {
            let before = if index == 0 { "  " } else { ",\n  " };
            list = list.and_then("", &aggregate.between(before, &format!(" AS c{index}")));
        }
        list
    }
}

/// A query whose single row answers checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What is scanned.
    pub dataset: String,
    /// The query, for Athena engine v3, and the values of its `?`.
    pub sql: Sql,
    /// The checks that it answers, by name.
    pub answers: Vec<String>,
    /// How many columns the row has.
    width: usize,
}

/// Scans that are answered together, and what their rows say of each check.
pub struct Question {
    /// The scans; they run side by side.
    pub scans: Vec<Scan>,
    read: Reader,
}

/// Turns the rows of a question's scans into findings.
type Reader = Box<dyn Fn(&[Row]) -> Result<Findings, UnexpectedResult> + Send + Sync>;

impl std::fmt::Debug for Question {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Question")
            .field("scans", &self.scans)
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
    pub fn new(dataset: &str, sql: Sql, answers: Vec<String>, aggregates: &Aggregates) -> Self {
        Self {
            dataset: dataset.to_owned(),
            sql,
            answers,
            width: aggregates.0.len(),
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

impl Question {
    /// Builds a question.
    pub fn new(
        scans: Vec<Scan>,
        read: impl Fn(&[Row]) -> Result<Findings, UnexpectedResult> + Send + Sync + 'static,
    ) -> Self {
        Self {
            scans,
            read: Box::new(read),
        }
    }

    /// A question that one scan answers.
    pub fn of_one(
        scan: Scan,
        read: impl Fn(&Row) -> Result<Findings, UnexpectedResult> + Send + Sync + 'static,
    ) -> Self {
        let dataset = scan.dataset.clone();
        Self::new(vec![scan], move |rows| match rows {
            [row] => read(row),
            _ => Err(UnexpectedResult::of(
                &dataset,
                "one row",
                &format!("{} rows", rows.len()),
            )),
        })
    }

    /// What the results of the scans say, in their order.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where a result is not what its scan asked for.
    pub fn findings(
        &self,
        results: Vec<Vec<Vec<Option<String>>>>,
    ) -> Result<Findings, UnexpectedResult> {
        let rows = self
            .scans
            .iter()
            .zip(results)
            .map(|(scan, result)| scan.row(result))
            .collect::<Result<Vec<_>, _>>()?;
        (self.read)(&rows)
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
        assert_eq!(select.parameters, ["1", "2"]);
    }

    #[test]
    fn a_result_of_another_shape_is_refused() {
        let mut aggregates = Aggregates::default();
        let rows = aggregates.add("count(*)");
        let scan = Scan::new("t", Sql::default(), Vec::new(), &aggregates);
        let question = Question::of_one(scan, move |row| {
            Ok(Findings {
                records: Some(row.count(rows)?),
                ..Findings::default()
            })
        });
        let value = |text: &str| Some(text.to_owned());
        let found = question.findings(vec![vec![vec![value("7")]]]).unwrap();
        assert_eq!(found.records, Some(7));
        for (rows, got) in [
            (vec![], "0 rows"),
            (vec![vec![value("1"), value("2")]], "2 columns"),
            (vec![vec![value("-1")]], "\"-1\""),
        ] {
            assert_eq!(question.findings(vec![rows]).unwrap_err().got, got);
        }
    }
}
