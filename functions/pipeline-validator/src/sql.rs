//! Trino SQL for Athena engine v3: the only place that knows how it is written.

use pipewarden_shared::profile::Identifier;

/// The most samples of what is wrong that a check carries.
pub const MOST_SAMPLES: usize = 20;

/// The most characters of one sample.
const LONGEST_SAMPLE: usize = 200;

/// After every end that a table can hold.
pub const END_OF_TIME: &str = "TIMESTAMP '9999-12-31 00:00:00'";

/// A piece of SQL and the values of its `?`, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// The values, each as a SQL literal (Athena user guide, "Execution parameters").
    pub parameters: Vec<String>,
}

impl Sql {
    /// SQL without values.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            parameters: Vec::new(),
        }
    }

    /// SQL with values.
    pub fn with(text: impl Into<String>, parameters: impl IntoIterator<Item = String>) -> Self {
        Self {
            text: text.into(),
            parameters: parameters.into_iter().collect(),
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
                    joined.parameters.extend(sql.parameters.iter().cloned());
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

/// An identifier in double quotes, so that any name is a name.
pub fn quote(identifier: &Identifier) -> String {
    quoted(identifier.as_str())
}

/// A name in double quotes; a quote inside is doubled.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns that name a row as one readable text.
pub fn key_text(key: &[Identifier]) -> String {
    let columns: Vec<String> = key
        .iter()
        .map(|column| {
            let text = format!("CAST({} AS varchar)", quote(column));
            format!("coalesce(CASE WHEN trim({text}) = '' THEN '(blank)' ELSE {text} END, 'NULL')")
        })
        .collect();
    format!(
        "substr({}, 1, {LONGEST_SAMPLE})",
        columns.join(" || ' / ' || ")
    )
}

/// The smallest few texts among the rows where `condition` holds, as a JSON array.
///
/// `min(x, n)` keeps n values while it scans, where `array_agg` would keep them all.
pub fn samples(text: &str, condition: &str) -> String {
    format!("json_format(CAST(min({text}, {MOST_SAMPLES}) FILTER (WHERE {condition}) AS json))")
}

/// The same where the condition has values.
pub fn samples_where(text: &str, condition: &Sql) -> Sql {
    Sql {
        text: samples(text, &condition.text),
        parameters: condition.parameters.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_name() {
        assert_eq!(
            quoted("id\"; DROP TABLE x --"),
            "\"id\"\"; DROP TABLE x --\""
        );
    }
}
