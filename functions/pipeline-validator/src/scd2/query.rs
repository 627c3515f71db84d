//! The SQL of a dimension's history: each row once, then each instant of a key, then each key.
//!
//! Overlaps are found with a running maximum of the end over earlier versions. The next version's start (LEAD)
//! would see one of the two overlaps in `[0,100), [2,3), [50,60)` and report a gap that is not there. Athena runs a
//! CTE again for each reference, so rows of the dimension and of its source go through the same steps, each read once.

use crate::sql::{Dialect, Sql};
use pipewarden_shared::profile::{Dataset, GapPolicy, Identifier, Interval, OpenEnd, Scd2, Source};

/// What a history is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct History<'a> {
    /// The dimension.
    pub dataset: &'a Dataset,
    /// How it writes its history.
    pub scd2: &'a Scd2,
    /// The Glue database of the tables.
    pub database: &'a str,
    /// The engine's SQL.
    pub dialect: &'a dyn Dialect,
    /// Whether the query's one parameter is the start of the run, in epoch seconds.
    pub with_changes: bool,
}

impl History<'_> {
    /// CTEs that end in `histories`: a row for each key, with what is wrong with it as counts.
    pub(super) fn ctes(&self) -> String {
        let keys = self.key_names().join(", ");
        let end_of_time = self.dialect.end_of_time();
        let within = format!(
            "PARTITION BY {keys}, of_dimension \
             ORDER BY starts, coalesce(ends, {end_of_time}), was_deleted, is_current_version"
        );
        format!(
            "WITH rows_of_both AS (\n{}\n), versions AS (\n{}\n), instants AS (\n{}\n), histories AS (\n{}\n)",
            self.rows_of_both(),
            self.versions(&within),
            self.instants(&keys),
            self.histories(&keys)
        )
    }

    /// Names of our own for the key columns: one may be called as a column of the steps below.
    fn key_names(&self) -> Vec<String> {
        (0..self.dataset.key.len())
            .map(|index| format!("k{index}"))
            .collect()
    }

    fn tracked_names(&self) -> Vec<String> {
        (0..self.scd2.tracked.len())
            .map(|index| format!("t{index}"))
            .collect()
    }

    /// Rows of the dimension, and with a source its rows too, in the same shape.
    fn rows_of_both(&self) -> String {
        let mut rows = self.rows_of_dimension();
        if let Some(source) = &self.scd2.source {
            rows.push_str("\n  UNION ALL\n");
            rows.push_str(&self.rows_of_source(source));
        }
        rows
    }

    fn rows_of_dimension(&self) -> String {
        let scd2 = self.scd2;
        let starts = self.dialect.column(&scd2.valid_from);
        let written_end = self.dialect.column(&scd2.valid_to);
        let open = match scd2.open_end {
            OpenEnd::Null => written_end.clone(),
            OpenEnd::Sentinel(sentinel) => format!(
                "CASE WHEN {written_end} < TIMESTAMP '{}' THEN {written_end} END",
                sentinel.strftime("%Y-%m-%d %H:%M:%S")
            ),
        };
        let ends = match scd2.interval {
            Interval::HalfOpen => open,
            Interval::Closed(step) => self.dialect.plus_millis(&open, step.as_millis()),
        };
        let current = self.dialect.column(&scd2.current);
        let deleted = self.flag(scd2.deleted.as_ref());
        let of_this_run = match (&scd2.recorded_at, self.with_changes) {
            (Some(column), true) => {
                let recorded = self.dialect.epoch(&self.dialect.column(column));
                format!("coalesce({recorded} >= ?, false)")
            }
            _ => "false".to_owned(),
        };
        format!(
            "  SELECT {}, true AS of_dimension, {starts} AS starts, {ends} AS ends,\n    \
             coalesce({current}, false) AS is_current_version, {deleted} AS was_deleted, {of_this_run} AS of_this_run\n  \
             FROM {}.{}",
            self.columns(|name| name),
            self.dialect.name(self.database),
            self.dialect.column(&self.dataset.table)
        )
    }

    fn rows_of_source(&self, source: &Source) -> String {
        let changed_at = self.dialect.column(&source.changed_at);
        format!(
            "  SELECT {}, false AS of_dimension, {changed_at} AS starts, NULL AS ends,\n    \
             false AS is_current_version, {} AS was_deleted, false AS of_this_run\n  \
             FROM {}.{}\n  WHERE {changed_at} IS NOT NULL",
            self.columns(|name| source.column(name)),
            self.flag(source.deleted.as_ref()),
            self.dialect.name(self.database),
            self.dialect.column(&source.table)
        )
    }

    /// Key, its text, and the tracked values as text: `''` stays apart from NULL, and types need not agree.
    fn columns<'c>(&'c self, named: impl Fn(&'c Identifier) -> &'c Identifier) -> String {
        let keys: Vec<Identifier> = self
            .dataset
            .key
            .iter()
            .map(|key| named(key).clone())
            .collect();
        let selected = keys
            .iter()
            .zip(self.key_names())
            .map(|(key, name)| format!("{} AS {name}", self.dialect.column(key)));
        let names: Vec<String> = keys.iter().map(|key| self.dialect.column(key)).collect();
        let text = format!("{} AS key_text", self.dialect.key_text(&names));
        let tracked = self
            .scd2
            .tracked
            .iter()
            .zip(self.tracked_names())
            .map(|(column, name)| {
                let value = self.dialect.column(named(column));
                format!("{} AS {name}", self.dialect.text(&value))
            });
        let columns: Vec<String> = selected.chain([text]).chain(tracked).collect();
        columns.join(", ")
    }

    /// Each row with what comes before it.
    fn versions(&self, within: &str) -> String {
        let same: Vec<String> = self
            .tracked_names()
            .iter()
            .map(|name| format!("{name} IS NOT DISTINCT FROM lag({name}) OVER ({within})"))
            .collect();
        // Without tracked columns nothing is known to be the same.
        let unchanged = if same.is_empty() {
            "false".to_owned()
        } else {
            same.join(" AND ")
        };
        let healthy_gap = match self.scd2.gaps {
            GapPolicy::Forbidden => "false",
            GapPolicy::AfterDelete => "after_delete",
            GapPolicy::Allowed => "true",
        };
        let no_key: Vec<String> = self
            .key_names()
            .iter()
            .map(|name| format!("{name} IS NULL"))
            .collect();
        let end_of_time = self.dialect.end_of_time();
        format!(
            "  SELECT *, {healthy_gap} AS healthy_gap, {} AS no_key\n  FROM (\n    SELECT *,\n      \
             max(coalesce(ends, {end_of_time})) OVER ({within} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach,\n      \
             lag(starts) OVER ({within}) AS previous_start,\n      \
             coalesce(lag(was_deleted) OVER ({within}), false) AS after_delete,\n      \
             row_number() OVER ({within}) AS ordinal,\n      \
             {unchanged} AS unchanged\n    FROM rows_of_both\n  )",
            no_key.join(" OR ")
        )
    }

    fn flag(&self, column: Option<&Identifier>) -> String {
        column.map_or_else(
            || "false".to_owned(),
            |column| format!("coalesce({}, false)", self.dialect.column(column)),
        )
    }

    /// How many rows a condition holds for.
    fn count(&self, condition: &str) -> String {
        self.dialect.count_if(&Sql::of(condition)).text
    }

    /// An aggregate over the rows of the dimension.
    fn of_dimension(&self, aggregate: &str) -> String {
        let aggregate = Sql::of(aggregate);
        self.dialect
            .filtered(&aggregate, &Sql::of("of_dimension"))
            .text
    }

    /// Each instant of a key: what begins there, in the dimension and in the source.
    fn instants(&self, keys: &str) -> String {
        let counts: Vec<String> = [
            ("of_dimension", "begins"),
            (
                "NOT of_dimension AND NOT was_deleted AND (ordinal = 1 OR after_delete OR NOT unchanged)",
                "changes",
            ),
            ("is_current_version", "currents"),
            ("of_dimension AND (starts IS NULL OR no_key)", "nameless"),
            ("of_dimension AND starts < reach", "overlaps"),
            ("of_dimension AND starts > reach AND NOT healthy_gap", "gaps"),
            ("of_dimension AND ends <= starts", "empties"),
            ("of_dimension AND starts = previous_start", "twins"),
            ("of_dimension AND ordinal > 1 AND NOT after_delete AND unchanged", "idle"),
            ("of_dimension AND is_current_version <> (ends IS NULL)", "incoherent"),
            ("of_this_run AND NOT was_deleted AND ordinal = 1", "created"),
            ("of_this_run AND NOT was_deleted AND ordinal > 1", "updated"),
            ("of_this_run AND was_deleted", "deleted"),
        ]
        .map(|(condition, name)| format!("{} AS {name}", self.count(condition)))
        .to_vec();
        format!(
            "  SELECT {keys}, min(key_text) AS key_text,
    {},
    {} AS last_ordinal,
    {} AS last_deleted,
    {} AS last_ended
  FROM versions
  GROUP BY {keys}, starts",
            counts.join(",\n    "),
            self.of_dimension("max(ordinal)"),
            self.of_dimension(&self.dialect.at_greatest("was_deleted", "ordinal")),
            self.of_dimension(&self.dialect.at_greatest("ends IS NOT NULL", "ordinal")),
        )
    }

    /// Each key.
    fn histories(&self, keys: &str) -> String {
        let sums: Vec<String> = [
            "begins",
            "currents",
            "nameless",
            "overlaps",
            "gaps",
            "empties",
            "twins",
            "idle",
            "incoherent",
            "created",
            "updated",
            "deleted",
        ]
        .map(|name| format!("sum({name}) AS {name}"))
        .to_vec();
        format!(
            "  SELECT min(key_text) AS key_text,
    coalesce({}, false) AS was_deleted,
    coalesce({}, false) AS has_ended,
    {} AS missed,
    {} AS phantoms,
    {}
  FROM instants
  GROUP BY {keys}",
            self.dialect.at_greatest("last_deleted", "last_ordinal"),
            self.dialect.at_greatest("last_ended", "last_ordinal"),
            self.count("changes > 0 AND begins = 0"),
            self.count("changes = 0 AND begins > 0"),
            sums.join(", ")
        )
    }
}
