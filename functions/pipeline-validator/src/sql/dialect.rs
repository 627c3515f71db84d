//! What the rules and the history of a dimension need of an engine's SQL; everything else they write is standard.

use super::Sql;
use jiff::Timestamp;
use pipewarden_shared::profile::Identifier;

/// How an engine writes what SQL leaves open.
pub trait Dialect: std::fmt::Debug + Send + Sync {
    /// A name, so that any name is a name.
    fn name(&self, name: &str) -> String;

    /// A value as text of any length.
    fn text(&self, value: &str) -> String;

    /// A value as a double.
    fn double(&self, value: &str) -> String;

    /// A value as a timestamp in UTC; NULL where it is none. A text may be in ISO 8601.
    fn timestamp(&self, value: &str) -> String;

    /// The day of a value in UTC; NULL where it has none. A text may be in ISO 8601.
    fn date(&self, value: &str) -> String;

    /// A value as a type; NULL where it is none.
    fn try_cast(&self, value: &str, to: &str) -> String;

    /// A date as a literal, from its ISO form.
    fn date_literal(&self, date: &str) -> String;

    /// A timestamp as a literal.
    fn timestamp_literal(&self, timestamp: Timestamp) -> String;

    /// After every end that a table can hold.
    fn end_of_time(&self) -> &'static str;

    /// A timestamp's seconds since 1970.
    fn epoch(&self, value: &str) -> String;

    /// A timestamp and so many milliseconds.
    fn plus_millis(&self, value: &str, millis: i128) -> String;

    /// How many rows a condition holds for.
    fn count_if(&self, condition: &Sql) -> Sql;

    /// An aggregate over the rows that a condition holds for.
    fn filtered(&self, aggregate: &Sql, condition: &Sql) -> Sql;

    /// The value of the row in which another is greatest.
    fn at_greatest(&self, value: &str, other: &str) -> String;

    /// Whether all of a text matches the pattern that is the value of `?`; never NULL.
    fn matches(&self, value: &str) -> String;

    /// The pattern, as [`Dialect::matches`] takes it, that all of a text has to match.
    fn pattern(&self, pattern: &str) -> String;

    /// The name of the standard deviation of a population.
    fn deviation(&self) -> &'static str;

    /// The name of the variance of a population.
    fn variance(&self) -> &'static str;

    /// The smallest few texts among the rows that a condition holds for, as a JSON array. Each text is of one row.
    fn samples(&self, text: &str, condition: &Sql) -> Sql;

    /// The same where many rows may have one text, which is told once.
    fn distinct_samples(&self, text: &str, condition: &Sql) -> Sql;

    /// Values as texts in a JSON array. A number is told exactly so, whatever its type.
    fn texts(&self, values: &[Sql]) -> Sql;

    /// A whole number that does not fit into an integer as a literal, from its digits.
    fn decimal_literal(&self, digits: &str) -> String;

    /// A number in scientific notation as a literal of a double.
    fn double_literal(&self, number: f64) -> String;

    /// The columns that name a row, as one readable text.
    fn key_text(&self, key: &[String]) -> String;

    /// A column's name.
    fn column(&self, column: &Identifier) -> String {
        self.name(column.as_str())
    }

    /// A table's name, with its database.
    fn table(&self, database: &str, table: &Identifier) -> String {
        format!("{}.{}", self.name(database), self.column(table))
    }
}
