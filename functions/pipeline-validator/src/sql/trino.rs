//! Trino SQL, for Athena engine v3: the only place that knows how it is written.

use super::{Dialect, LONGEST_SAMPLE, MOST_SAMPLES, Part, Sql, literal};
use jiff::Timestamp;

/// How many texts are kept while their distinct ones are looked for.
const MOST_CANDIDATES: usize = 100;

/// Trino SQL, for Athena engine v3.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trino;

impl Dialect for Trino {
    fn name(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\""))
    }

    fn text(&self, value: &str) -> String {
        format!("CAST({value} AS varchar)")
    }

    fn double(&self, value: &str) -> String {
        format!("CAST({value} AS double)")
    }

    fn timestamp(&self, value: &str) -> String {
        // A cast of a text takes no T and no zone, and the function that does takes nothing but a text.
        let iso = format!("from_iso8601_timestamp({})", self.text(value));
        format!(
            "coalesce(TRY_CAST({value} AS timestamp), TRY(CAST({iso} AT TIME ZONE 'UTC' AS timestamp)))"
        )
    }

    fn date(&self, value: &str) -> String {
        // Straight to a date, a text that has a time of the day is none.
        format!("CAST({} AS date)", self.timestamp(value))
    }

    fn try_cast(&self, value: &str, to: &str) -> String {
        format!("TRY_CAST({value} AS {to})")
    }

    fn date_literal(&self, date: &str) -> String {
        format!("DATE '{date}'")
    }

    fn timestamp_literal(&self, timestamp: Timestamp) -> String {
        format!(
            "TIMESTAMP '{}'",
            timestamp.strftime("%Y-%m-%d %H:%M:%S.%3f")
        )
    }

    fn end_of_time(&self) -> &'static str {
        "TIMESTAMP '9999-12-31 00:00:00'"
    }

    fn epoch(&self, value: &str) -> String {
        format!("to_unixtime({value})")
    }

    fn plus_millis(&self, value: &str, millis: i128) -> String {
        format!("date_add('millisecond', {millis}, CAST({value} AS timestamp))")
    }

    fn count_if(&self, condition: &Sql) -> Sql {
        condition.between("count_if(", ")")
    }

    fn filtered(&self, aggregate: &Sql, condition: &Sql) -> Sql {
        aggregate
            .and_then(" FILTER (WHERE ", condition)
            .between("", ")")
    }

    fn at_greatest(&self, value: &str, other: &str) -> String {
        format!("max_by({value}, {other})")
    }

    fn matches(&self, value: &str) -> String {
        format!("coalesce(regexp_like({value}, ?), false)")
    }

    fn pattern(&self, pattern: &str) -> String {
        // regexp_like looks for a part that matches.
        literal(&format!("^(?:{pattern})$"))
    }

    fn deviation(&self) -> &'static str {
        "stddev_pop"
    }

    fn variance(&self) -> &'static str {
        "var_pop"
    }

    fn samples(&self, text: &str, condition: &Sql) -> Sql {
        // `min(x, n)` keeps n values while it scans, where `array_agg` would keep them all. Neither counts a NULL, and
        // CASE makes the text of the rows that are sampled only, where FILTER would make it of all.
        condition.between(
            "json_format(CAST(min(CASE WHEN ",
            &format!(" THEN {text} END, {MOST_SAMPLES}) AS json))"),
        )
    }

    fn distinct_samples(&self, text: &str, condition: &Sql) -> Sql {
        // It keeps so many texts and no more, where `array_agg(DISTINCT x)` would keep them all.
        condition.between(
            &format!(
                "json_format(CAST(slice(array_sort(map_keys(approx_most_frequent({MOST_CANDIDATES}, CASE WHEN "
            ),
            &format!(" THEN {text} END, {MOST_CANDIDATES}))), 1, {MOST_SAMPLES}) AS json))"),
        )
    }

    fn texts(&self, values: &[Sql]) -> Sql {
        let parts = values.iter().enumerate().flat_map(|(index, value)| {
            let before = if index == 0 { "CAST(" } else { ", CAST(" };
            [
                Part::Text(before),
                Part::Sql(value),
                Part::Text(" AS varchar)"),
            ]
        });
        Sql::concat(parts).between("json_format(CAST(ARRAY[", "] AS json))")
    }

    fn decimal_literal(&self, digits: &str) -> String {
        format!("DECIMAL '{digits}'")
    }

    fn double_literal(&self, number: f64) -> String {
        format!("{number:E}")
    }

    fn key_text(&self, key: &[String]) -> String {
        let columns: Vec<String> = key
            .iter()
            .map(|column| {
                let text = self.text(column);
                format!(
                    "coalesce(CASE WHEN trim({text}) = '' THEN '(blank)' ELSE {text} END, 'NULL')"
                )
            })
            .collect();
        format!(
            "substr({}, 1, {LONGEST_SAMPLE})",
            columns.join(" || ' / ' || ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_is_a_name() {
        assert_eq!(
            Trino.name("id\"; DROP TABLE x --"),
            "\"id\"\"; DROP TABLE x --\""
        );
    }

    #[test]
    fn a_moment_is_written_in_utc() {
        let moment: Timestamp = "2026-03-01T06:00:00.25+01:00".parse().unwrap();
        assert_eq!(
            Trino.timestamp_literal(moment),
            "TIMESTAMP '2026-03-01 05:00:00.250'"
        );
    }
}
