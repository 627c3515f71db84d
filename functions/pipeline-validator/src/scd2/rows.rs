//! The rows of a dimension and of its source, in one shape.

use super::dimension::Dimension;
use pipewarden_shared::profile::{Identifier, Interval, OpenEnd, Source};

/// What the rows are read from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'a> {
    pub dimension: Dimension<'a>,
    pub source: Option<&'a Source>,
    /// Whether rows tell if the run wrote them; its start is the one parameter.
    pub with_changes: bool,
}

impl<'a> Rows<'a> {
    /// Rows of the dimension, and with a source its rows too.
    pub(super) fn select(&self) -> String {
        let mut rows = self.of_dimension();
        if let Some(source) = self.source {
            rows.push_str("\n  UNION ALL\n");
            rows.push_str(&self.of_source(source));
        }
        rows
    }

    /// Names of our own for the key columns: one may be called as a column of the steps that follow.
    pub(super) fn key_names(&self) -> Vec<String> {
        (0..self.dimension.dataset.key.len())
            .map(|index| format!("k{index}"))
            .collect()
    }

    fn of_dimension(&self) -> String {
        let Dimension {
            scd2,
            dialect,
            dataset,
            database,
            ..
        } = self.dimension;
        let starts = dialect.column(&scd2.valid_from);
        let of_this_run = match (&scd2.recorded_at, self.with_changes) {
            (Some(column), true) => {
                let recorded = dialect.epoch(&dialect.column(column));
                format!("coalesce({recorded} >= ?, false)")
            }
            _ => "false".to_owned(),
        };
        format!(
            "  SELECT {}, true AS of_dimension, {starts} AS starts, {} AS ends,\n    \
             coalesce({}, false) AS is_current_version, {} AS was_deleted, {of_this_run} AS of_this_run\n  \
             FROM {}",
            self.columns(|name| name, |column| self.dimension.own_text(column)),
            self.ends(),
            dialect.column(&scd2.current),
            self.flag(scd2.deleted.as_ref()),
            dialect.table(database, &dataset.table)
        )
    }

    /// The instant at which a version is no more; NULL where it is open.
    fn ends(&self) -> String {
        let Dimension { scd2, dialect, .. } = self.dimension;
        let written = dialect.column(&scd2.valid_to);
        let open = match scd2.open_end {
            OpenEnd::Null => written,
            OpenEnd::Sentinel(sentinel) => format!(
                "CASE WHEN {written} < TIMESTAMP '{}' THEN {written} END",
                sentinel.strftime("%Y-%m-%d %H:%M:%S")
            ),
        };
        match scd2.interval {
            Interval::HalfOpen => open,
            Interval::Closed(step) => dialect.plus_millis(&open, step.as_millis()),
        }
    }

    fn of_source(&self, source: &'a Source) -> String {
        let Dimension {
            dataset,
            dialect,
            database,
            ..
        } = self.dimension;
        let changed_at = dialect.column(&source.changed_at);
        // A change of no key is a change of nothing.
        let mut conditions: Vec<String> = std::iter::once(&source.changed_at)
            .chain(dataset.key.iter().map(|key| source.column(key)))
            .map(|column| format!("{} IS NOT NULL", dialect.column(column)))
            .collect();
        let deleted = self.flag(source.deleted.as_ref());
        if source.deleted.is_some() && !self.dimension.tells_deletions(source) {
            // The dimension does not know deletions, so they change nothing in it.
            conditions.push(format!("NOT {deleted}"));
        }
        if let Some(since) = self.dimension.complete_since(source) {
            let since = dialect.timestamp_literal(since);
            conditions.push(format!("{changed_at} >= {since}"));
        }
        let text = |column: &Identifier| self.dimension.source_text(source, column);
        format!(
            "  SELECT {}, false AS of_dimension, {changed_at} AS starts, NULL AS ends,\n    \
             false AS is_current_version, {deleted} AS was_deleted, false AS of_this_run\n  \
             FROM {}\n  WHERE {}",
            self.columns(|name| source.column(name), text),
            dialect.table(database, &source.table),
            conditions.join(" AND ")
        )
    }

    /// Key, its text, all tracked values as one text, and where it differs that of the values that are taken over.
    fn columns<'c>(
        &'c self,
        named: impl Fn(&'c Identifier) -> &'c Identifier,
        text: impl Fn(&Identifier) -> String,
    ) -> String {
        let Dimension {
            scd2,
            dialect,
            dataset,
            ..
        } = self.dimension;
        let keys: Vec<String> = dataset
            .key
            .iter()
            .map(|key| dialect.column(named(key)))
            .collect();
        let selected = keys
            .iter()
            .zip(self.key_names())
            .map(|(key, name)| format!("{key} AS {name}"));
        let key_text = format!("{} AS key_text", dialect.key_text(&keys));
        let tracked: Vec<&Identifier> = scd2.tracked.iter().collect();
        let texts = tracked.iter().map(|column| text(column));
        let state = format!("{} AS state", one_text(texts));
        let derived = self.source.map(|source| &source.derived);
        let told = derived
            .filter(|derived| !derived.is_empty())
            .map(|derived| {
                let told = tracked.iter().filter(|column| !derived.contains(column));
                format!("{} AS told", one_text(told.map(|column| text(column))))
            });
        selected
            .chain([key_text, state])
            .chain(told)
            .collect::<Vec<String>>()
            .join(", ")
    }

    fn flag(&self, column: Option<&Identifier>) -> String {
        let dialect = self.dimension.dialect;
        column.map_or_else(
            || "false".to_owned(),
            |column| format!("coalesce({}, false)", dialect.column(column)),
        )
    }
}

/// Texts as one from which each could be read again: NULL, `''` and `'a', 'b'` beside `'ab', ''` stay apart.
fn one_text(texts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = texts
        .map(|text| format!("coalesce(CAST(length({text}) AS varchar) || ':' || {text}, '-')"))
        .collect();
    if parts.is_empty() {
        "''".to_owned()
    } else {
        parts.join(" || ")
    }
}
