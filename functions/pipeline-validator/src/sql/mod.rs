//! Pieces of SQL with the values of their `?`, and the seam to the engine's dialect.

mod dialect;
mod trino;

pub use dialect::Dialect;
pub use trino::Trino;

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// The most samples of what is wrong that a check carries.
pub const MOST_SAMPLES: usize = 20;

/// The most characters of one sample.
pub const LONGEST_SAMPLE: usize = 200;

/// The value of a `?`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// A SQL literal.
    Literal(String),
    /// A time that the clock tells when the question is asked.
    Moment(Moment),
}

/// A time that the clock tells when the question is asked. SQL itself never asks the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// So many minutes from now; negative ones are past.
    Now {
        /// The minutes.
        minutes: i64,
    },
    /// This time of the day that it is now, in UTC.
    Today(civil::Time),
}

impl Moment {
    /// The moment, when it is `now`; the end of time where it lies beyond.
    pub fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Now { minutes } => now
                .checked_add(SignedDuration::from_mins(minutes))
                .unwrap_or(if minutes < 0 {
                    Timestamp::MIN
                } else {
                    Timestamp::MAX
                }),
            Self::Today(time) => now
                .to_zoned(TimeZone::UTC)
                .date()
                .to_datetime(time)
                .to_zoned(TimeZone::UTC)
                .map_or(now, |zoned| zoned.timestamp()),
        }
    }
}

impl From<String> for Value {
    fn from(literal: String) -> Self {
        Self::Literal(literal)
    }
}

/// A piece of SQL and the values of its `?`, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// The values.
    pub values: Vec<Value>,
}

/// A query as an engine takes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The text.
    pub text: String,
    /// The values of its `?`, each as a SQL literal (Athena user guide, "Execution parameters").
    pub parameters: Vec<String>,
}

impl Sql {
    /// SQL without values.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            values: Vec::new(),
        }
    }

    /// SQL with values.
    pub fn with<V: Into<Value>>(
        text: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self {
            text: text.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// Puts text and pieces one behind the other.
    pub fn concat<'a>(parts: impl IntoIterator<Item = Part<'a>>) -> Self {
        let mut joined = Self::default();
        for part in parts {
            match part {
                Part::Text(text) => joined.text.push_str(text),
                Part::Sql(sql) => {
                    joined.text.push_str(&sql.text);
                    joined.values.extend(sql.values.iter().cloned());
                }
            }
        }
        joined
    }

    /// Puts text around this piece.
    pub fn between(&self, before: &str, after: &str) -> Self {
        Self::concat([Part::Text(before), Part::Sql(self), Part::Text(after)])
    }

    /// This piece and another, with text between them.
    pub fn and_then(&self, between: &str, other: &Self) -> Self {
        Self::concat([Part::Sql(self), Part::Text(between), Part::Sql(other)])
    }

    /// How many bytes it is, with its values.
    pub fn bytes(&self) -> usize {
        let values = self.values.iter().map(|value| match value {
            Value::Literal(literal) => literal.len(),
            Value::Moment(_) => 40,
        });
        self.text.len() + values.sum::<usize>()
    }

    /// The query that this is when it is `now`.
    pub fn at(self, dialect: &dyn Dialect, now: Timestamp) -> Query {
        Query {
            text: self.text,
            parameters: self
                .values
                .into_iter()
                .map(|value| match value {
                    Value::Literal(literal) => literal,
                    Value::Moment(moment) => dialect.timestamp_literal(moment.at(now)),
                })
                .collect(),
        }
    }
}

impl From<&str> for Sql {
    fn from(text: &str) -> Self {
        Self::of(text)
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self::of(text)
    }
}

/// A part of what [`Sql::concat`] puts together.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// Text without values.
    Text(&'a str),
    /// SQL with its values.
    Sql(&'a Sql),
}

/// A text as a SQL literal.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
