//! The SQL of a dimension's history: each row once, then each instant of a key, then each key.
//!
//! Overlaps are found with a running maximum of the end over earlier versions. The next version's start (LEAD)
//! would see one of the two overlaps in `[0,100), [2,3), [50,60)` and report a gap that is not there. Athena runs a
//! CTE again for each reference, so rows of the dimension and of its source go through the same steps, each read once.

use crate::sql::{self, END_OF_TIME};
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
    /// Whether the query's one parameter is the start of the run, in epoch seconds.
    pub with_changes: bool,
}

impl History<'_> {
    /// CTEs that end in `histories`: a row for each key, with what is wrong with it as counts.
    pub(super) fn ctes(&self) -> String {
        let keys = self.key_names().join(", ");
        let within = format!(
            "PARTITION BY {keys}, of_dimension \
             ORDER BY starts, coalesce(ends, {END_OF_TIME}), was_deleted, is_current_version"
        );
        format!(
            "WITH rows_of_both AS (\n{}\n), versions AS (\n{}\n), instants AS (\n{}\n), histories AS (\n{}\n)",
            self.rows_of_both(),
            self.versions(&within),
            instants(&keys),
            histories(&keys)
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
        let starts = sql::quote(&scd2.valid_from);
        let written_end = sql::quote(&scd2.valid_to);
        let open = match scd2.open_end {
            OpenEnd::Null => written_end.clone(),
            OpenEnd::Sentinel(sentinel) => format!(
                "CASE WHEN {written_end} < TIMESTAMP '{}' THEN {written_end} END",
                sentinel.strftime("%Y-%m-%d %H:%M:%S")
            ),
        };
        let ends = match scd2.interval {
            Interval::HalfOpen => open,
            Interval::Closed(step) => format!(
                "date_add('millisecond', {}, CAST({open} AS timestamp))",
                step.as_millis()
            ),
        };
        let current = sql::quote(&scd2.current);
        let deleted = flag(scd2.deleted.as_ref());
        let of_this_run = match (&scd2.recorded_at, self.with_changes) {
            (Some(column), true) => {
                format!("coalesce(to_unixtime({}) >= ?, false)", sql::quote(column))
            }
            _ => "false".to_owned(),
        };
        format!(
            "  SELECT {}, true AS of_dimension, {starts} AS starts, {ends} AS ends,\n    \
             coalesce({current}, false) AS is_current_version, {deleted} AS was_deleted, {of_this_run} AS of_this_run\n  \
             FROM {}.{}",
            self.columns(|name| name),
            sql::quoted(self.database),
            sql::quote(&self.dataset.table)
        )
    }

    fn rows_of_source(&self, source: &Source) -> String {
        let changed_at = sql::quote(&source.changed_at);
        format!(
            "  SELECT {}, false AS of_dimension, {changed_at} AS starts, NULL AS ends,\n    \
             false AS is_current_version, {} AS was_deleted, false AS of_this_run\n  \
             FROM {}.{}\n  WHERE {changed_at} IS NOT NULL",
            self.columns(|name| source.column(name)),
            flag(source.deleted.as_ref()),
            sql::quoted(self.database),
            sql::quote(&source.table)
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
            .map(|(key, name)| format!("{} AS {name}", sql::quote(key)));
        let text = format!("{} AS key_text", sql::key_text(&keys));
        let tracked = self
            .scd2
            .tracked
            .iter()
            .zip(self.tracked_names())
            .map(|(column, name)| {
                format!("CAST({} AS varchar) AS {name}", sql::quote(named(column)))
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
        format!(
            "  SELECT *, {healthy_gap} AS healthy_gap, {} AS no_key\n  FROM (\n    SELECT *,\n      \
             max(coalesce(ends, {END_OF_TIME})) OVER ({within} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach,\n      \
             lag(starts) OVER ({within}) AS previous_start,\n      \
             coalesce(lag(was_deleted) OVER ({within}), false) AS after_delete,\n      \
             row_number() OVER ({within}) AS ordinal,\n      \
             {unchanged} AS unchanged\n    FROM rows_of_both\n  )",
            no_key.join(" OR ")
        )
    }
}

fn flag(column: Option<&Identifier>) -> String {
    column.map_or_else(
        || "false".to_owned(),
        |column| format!("coalesce({}, false)", sql::quote(column)),
    )
}

/// Each instant of a key: what begins there, in the dimension and in the source.
fn instants(keys: &str) -> String {
    format!(
        "  SELECT {keys}, min(key_text) AS key_text,
    count_if(of_dimension) AS begins,
    count_if(NOT of_dimension AND NOT was_deleted AND (ordinal = 1 OR after_delete OR NOT unchanged)) AS changes,
    count_if(is_current_version) AS currents,
    max(ordinal) FILTER (WHERE of_dimension) AS last_ordinal,
    max_by(was_deleted, ordinal) FILTER (WHERE of_dimension) AS last_deleted,
    max_by(ends IS NOT NULL, ordinal) FILTER (WHERE of_dimension) AS last_ended,
    count_if(of_dimension AND (starts IS NULL OR no_key)) AS nameless,
    count_if(of_dimension AND starts < reach) AS overlaps,
    count_if(of_dimension AND starts > reach AND NOT healthy_gap) AS gaps,
    count_if(of_dimension AND ends <= starts) AS empties,
    count_if(of_dimension AND starts = previous_start) AS twins,
    count_if(of_dimension AND ordinal > 1 AND NOT after_delete AND unchanged) AS idle,
    count_if(of_dimension AND is_current_version <> (ends IS NULL)) AS incoherent,
    count_if(of_this_run AND NOT was_deleted AND ordinal = 1) AS created,
    count_if(of_this_run AND NOT was_deleted AND ordinal > 1) AS updated,
    count_if(of_this_run AND was_deleted) AS deleted
  FROM versions
  GROUP BY {keys}, starts"
    )
}

/// Each key.
fn histories(keys: &str) -> String {
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
    coalesce(max_by(last_deleted, last_ordinal), false) AS was_deleted,
    coalesce(max_by(last_ended, last_ordinal), false) AS has_ended,
    count_if(changes > 0 AND begins = 0) AS missed,
    count_if(changes = 0 AND begins > 0) AS phantoms,
    {}
  FROM instants
  GROUP BY {keys}",
        sums.join(", ")
    )
}
