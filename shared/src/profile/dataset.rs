//! A table and what is expected of it.

use super::{Identifier, Scd2};
use jiff::SignedDuration;
use serde::Deserialize;

/// A table and what is expected of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// The table, in the function's database.
    pub table: Identifier,
    /// The columns that name a row, or an entity where the table holds versions; samples show them.
    pub key: Vec<Identifier>,
    /// What is expected of the rows.
    #[serde(default)]
    pub checks: Vec<Expectation>,
    /// Where the table is a type 2 dimension: how it writes its history.
    #[serde(default)]
    pub scd2: Option<Scd2>,
}

/// One expectation on the rows of a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// The table holds at least so many rows.
    RowCount {
        /// The fewest.
        min: u64,
    },
    /// The newest value of a timestamp column is at most so old.
    Freshness {
        /// The column; values without a zone are UTC.
        column: Identifier,
        /// The oldest it may be, such as `6h`.
        #[serde(deserialize_with = "super::duration")]
        max_age: SignedDuration,
    },
    /// None of these columns is NULL or blank in any row.
    Required {
        /// The columns.
        columns: Vec<Identifier>,
    },
}

impl Dataset {
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let no_key = self
            .key
            .is_empty()
            .then(|| "key: name at least one column".to_owned());
        let checks = self.checks.iter().filter_map(|check| match check {
            Expectation::Freshness { max_age, .. } if !max_age.is_positive() => {
                Some(format!("freshness: max_age {max_age:#} is not positive"))
            }
            Expectation::Required { columns } if columns.is_empty() => {
                Some("required: name at least one column".to_owned())
            }
            _ => None,
        });
        let history = self.scd2.iter().flat_map(Scd2::problems);
        no_key.into_iter().chain(checks).chain(history)
    }
}
