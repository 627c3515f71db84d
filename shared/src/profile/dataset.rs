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
    /// The rows that are looked at, in SQL; all of them where unset.
    #[serde(default, rename = "where")]
    pub filter: Option<String>,
    /// The newest rows are looked at, by a column that partitions the table or tells its time.
    #[serde(default)]
    pub window: Option<Window>,
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

/// The newest rows: those that a column dates after a moment. Where it partitions the table, no other file is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// The column.
    pub column: Identifier,
    /// How far back, such as `3d`.
    #[serde(deserialize_with = "super::duration")]
    pub last: SignedDuration,
    /// What the column holds.
    #[serde(default, rename = "as")]
    pub form: WindowForm,
}

/// What a column holds that dates a row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum WindowForm {
    /// A timestamp, in UTC.
    #[default]
    Timestamp,
    /// A date; the day in which the window begins is in it.
    Date,
    /// A text in this `strftime` format, whose order is that of time, such as `%Y-%m-%d`.
    Text(String),
}

impl From<String> for WindowForm {
    fn from(text: String) -> Self {
        match text.as_str() {
            "timestamp" => Self::Timestamp,
            "date" => Self::Date,
            _ => Self::Text(text),
        }
    }
}

impl Window {
    fn problems(&self) -> impl Iterator<Item = String> {
        let past = (!self.last.is_positive())
            .then(|| format!("window: last {:#} is not positive", self.last));
        let format = match &self.form {
            WindowForm::Text(format) if !format.contains('%') => Some(format!(
                "window: as {format:?} is not timestamp, date or a format such as %Y-%m-%d"
            )),
            WindowForm::Text(format) => jiff::fmt::strtime::format(
                format,
                &jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC),
            )
            .err()
            .map(|error| format!("window: as {format:?}: {error}")),
            _ => None,
        };
        past.into_iter().chain(format)
    }
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
        let window = self.window.iter().flat_map(Window::problems);
        let part = self.filter.is_some() || self.window.is_some();
        let part_of_history = (part && self.scd2.is_some())
            .then(|| "where and window: a history is looked at as a whole; leave them out or the scd2 block".to_owned());
        no_key
            .into_iter()
            .chain(freshness)
            .chain(history)
            .chain(window)
            .chain(part_of_history)
    }
}
