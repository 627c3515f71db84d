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
    /// How old the newest row may be.
    #[serde(default)]
    pub freshness: Option<Freshness>,
    /// What is expected of the rows, in DQDL. The validator reads it.
    #[serde(default)]
    pub rules: Option<String>,
    /// Where the table is a type 2 dimension: how it writes its history.
    #[serde(default)]
    pub scd2: Option<Scd2>,
}

/// How old the newest row may be. DQDL's DataFreshness asks it of every row, which no log of changes can pass.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// A column of time; values without a zone are UTC.
    pub column: Identifier,
    /// The oldest that its newest value may be, such as `6h`.
    #[serde(deserialize_with = "super::duration")]
    pub max_age: SignedDuration,
}

impl Dataset {
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let no_key = self
            .key
            .is_empty()
            .then(|| "key: name at least one column".to_owned());
        let freshness = self
            .freshness
            .iter()
            .filter(|freshness| !freshness.max_age.is_positive())
            .map(|freshness| format!("freshness: max_age {:#} is not positive", freshness.max_age));
        let history = self.scd2.iter().flat_map(Scd2::problems);
        no_key.into_iter().chain(freshness).chain(history)
    }
}
