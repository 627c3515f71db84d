//! Trino SQL for Athena engine v3: the only place that knows how it is written.

use pipewarden_shared::profile::Identifier;

/// The most samples of what is wrong that a check carries.
pub const MOST_SAMPLES: usize = 20;

/// The most characters of one sample.
const LONGEST_SAMPLE: usize = 200;

/// After every end that a table can hold.
pub const END_OF_TIME: &str = "TIMESTAMP '9999-12-31 00:00:00'";

/// An identifier in double quotes, so that any name is a name.
pub fn quote(identifier: &Identifier) -> String {
    quoted(identifier.as_str())
}

/// A name in double quotes; a quote inside is doubled.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What makes a column missing: NULL, or nothing but blanks.
pub fn is_missing(column: &Identifier) -> String {
    let column = quote(column);
    format!("({column} IS NULL OR trim(CAST({column} AS varchar)) = '')")
}

/// The columns that name a row as one readable text.
pub fn key_text(key: &[Identifier]) -> String {
    let columns: Vec<String> = key
        .iter()
        .map(|column| format!("coalesce(CAST({} AS varchar), 'NULL')", quote(column)))
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
