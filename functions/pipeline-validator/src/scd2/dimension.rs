//! A dimension and its source, as far as the profile and the catalog know them.

use crate::catalog::{Schema, Schemas, TableName};
use crate::sql::Dialect;
use jiff::Timestamp;
use pipewarden_shared::profile::{Dataset, Identifier, Keeps, Scd2, Source};

/// A dimension and what its history is read with.
#[derive(Debug, Clone, Copy)]
pub struct Dimension<'a> {
    /// The dimension.
    pub dataset: &'a Dataset,
    /// How it writes its history.
    pub scd2: &'a Scd2,
    /// The database of the tables.
    pub database: &'a str,
    /// The engine's SQL.
    pub dialect: &'a dyn Dialect,
    /// The tables' columns; `None` where the catalog was not read, and nothing is known to be missing.
    pub schemas: Option<&'a Schemas>,
    /// The clock: a source may reach back from it only so far.
    pub now: Timestamp,
}

impl<'a> Dimension<'a> {
    /// Why its history cannot be looked at.
    pub(super) fn missing(&self) -> Option<String> {
        let scd2 = self.scd2;
        let columns = [&scd2.valid_from, &scd2.valid_to, &scd2.current];
        let named = [&scd2.deleted, &scd2.recorded_at];
        let columns = columns
            .into_iter()
            .chain(&self.dataset.key)
            .chain(named.into_iter().flatten())
            .chain(&scd2.tracked);
        self.missing_of(&self.dataset.table, columns)
    }

    /// Why its history cannot be compared with its source.
    pub(super) fn missing_of_source(&self, source: &'a Source) -> Option<String> {
        let taken = self.dataset.key.iter().chain(&self.scd2.tracked);
        let columns = std::iter::once(&source.changed_at)
            .chain(source.deleted.as_ref())
            .chain(taken.map(|column| source.column(column)));
        self.missing_of(&source.table, columns)
    }

    fn missing_of<'c>(
        &self,
        table: &Identifier,
        mut columns: impl Iterator<Item = &'c Identifier>,
    ) -> Option<String> {
        let place = format!("{}.{table}", self.database);
        match self.schemas?.get(&TableName::of(table.as_str())) {
            None => Some(format!("there is no table {place}")),
            Some(schema) => columns
                .find(|column| schema.column(column.as_str()).is_none())
                .map(|column| format!("there is no column {column} in {place}")),
        }
    }

    /// The instant from which on the source tells every change; from the beginning on where there is none.
    pub(super) fn complete_since(&self, source: &Source) -> Option<Timestamp> {
        let Keeps(keeps) = source.keeps?;
        Some(self.now.checked_sub(keeps).unwrap_or(Timestamp::MIN))
    }

    /// Whether both the dimension and its source tell deletions.
    pub(super) fn tells_deletions(&self, source: &Source) -> bool {
        self.scd2.deleted.is_some() && source.deleted.is_some()
    }

    /// A tracked value of the dimension as text: `''` stays apart from NULL.
    pub(super) fn own_text(&self, column: &Identifier) -> String {
        let value = self.dialect.column(column);
        let own = self.data_type(&self.dataset.table, column);
        match own.as_deref() {
            // Tables of different formats keep timestamps in different precision.
            Some("timestamp") => self
                .dialect
                .text(&self.dialect.try_cast(&value, "timestamp")),
            _ => self.dialect.text(&value),
        }
    }

    /// The same value of the source, as the dimension's type would hold it: 1.50 and 1.5E0 are not two values.
    pub(super) fn source_text(&self, source: &Source, column: &Identifier) -> String {
        let theirs = source.column(column);
        let value = self.dialect.column(theirs);
        let own = self.data_type(&self.dataset.table, column);
        let other = self.data_type(&source.table, theirs);
        let (Some(own), Some(other), false) = (own, other, source.derived.contains(column)) else {
            return self.dialect.text(&value);
        };
        let held = match (own.as_str(), other.as_str()) {
            ("timestamp", "timestamp") => self.dialect.try_cast(&value, "timestamp"),
            (own, other) if own == other || !may_be_cast(other, own) => value,
            ("timestamp", _) => self.dialect.timestamp(&value),
            ("date", _) => self.dialect.date(&value),
            (own, _) => self.dialect.try_cast(&value, own),
        };
        self.dialect.text(&held)
    }

    /// The type of a column, as SQL writes it, where a text can be cast to it.
    fn data_type(&self, table: &Identifier, column: &Identifier) -> Option<String> {
        let schema: &Schema = self.schemas?.get(&TableName::of(table.as_str()))?;
        let written = &schema.column(column.as_str())?.data_type;
        let family = written.split(['(', '<']).next().unwrap_or_default();
        let name = match family {
            // The catalog writes Hive's names.
            "string" => "varchar",
            "int" => "integer",
            "float" => "real",
            "boolean" | "tinyint" | "smallint" | "integer" | "bigint" | "real" | "double"
            | "date" => family,
            // In milliseconds, whatever its table's format keeps.
            "timestamp" => "timestamp",
            "decimal" | "char" | "varchar" => written,
            _ => return None,
        };
        Some(name.to_owned())
    }
}

/// Whether an engine casts one type to another at all: it would refuse the whole query otherwise.
fn may_be_cast(from: &str, to: &str) -> bool {
    let is_text = |name: &str| name.contains("char");
    let is_time = |name: &str| matches!(name, "date" | "timestamp");
    is_text(from) || is_text(to) || is_time(from) == is_time(to)
}
