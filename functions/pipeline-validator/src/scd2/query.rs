//! The SQL of a dimension's history: each row once, then each instant of a key, then each key.
//!
//! Overlaps are found with a running maximum of the end over earlier versions. The next version's start (LEAD)
//! would see one of the two overlaps in `[0,100), [2,3), [50,60)` and report a gap that is not there. Athena runs a
//! CTE again for each reference, so rows of the dimension and of its source go through the same steps, each read once.

use super::comparison::Comparison;
use super::dimension::Dimension;
use super::rows::Rows;
use crate::sql::Sql;
use pipewarden_shared::profile::{GapPolicy, Source};

/// What a history is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct History<'a> {
    /// The dimension.
    pub dimension: Dimension<'a>,
    /// What it is compared with.
    pub source: Option<&'a Source>,
    /// Whether the query's one parameter is the start of the run, in epoch seconds.
    pub with_changes: bool,
}

impl History<'_> {
    /// CTEs that end in `histories`: a row for each key, with what is wrong with it as counts.
    pub(super) fn ctes(&self) -> String {
        let rows = Rows {
            dimension: self.dimension,
            source: self.source,
            with_changes: self.with_changes,
        };
        let keys = rows.key_names().join(", ");
        let comparison = self.source.map(|source| Comparison {
            dimension: self.dimension,
            source,
        });
        let end_of_time = self.dimension.dialect.end_of_time();
        let within = format!(
            "PARTITION BY {keys}, of_dimension \
             ORDER BY starts, coalesce(ends, {end_of_time}), was_deleted, is_current_version"
        );
        let mut ctes = format!(
            "WITH rows_of_both AS (\n{}\n), versions AS (\n{}\n), instants AS (\n{}\n)",
            rows.select(),
            self.versions(&within, &rows.key_names()),
            self.instants(&keys, comparison.as_ref()),
        );
        if let Some(comparison) = &comparison {
            ctes.push_str(&format!(
                ", compared AS (\n{}\n)",
                comparison.compared(&keys)
            ));
        }
        ctes.push_str(&format!(
            ", histories AS (\n{}\n)",
            self.histories(&keys, comparison.as_ref())
        ));
        ctes
    }

    /// Each row with what comes before it.
    fn versions(&self, within: &str, keys: &[String]) -> String {
        // Without tracked columns nothing is known to be the same.
        let unchanged = if self.dimension.scd2.tracked.is_empty() {
            "false".to_owned()
        } else {
            format!("coalesce(state = lag(state) OVER ({within}), false)")
        };
        let healthy_gap = match self.dimension.scd2.gaps {
            GapPolicy::Forbidden => "false",
            GapPolicy::AfterDelete => "after_delete",
            GapPolicy::Allowed => "true",
        };
        let no_key: Vec<String> = keys.iter().map(|name| format!("{name} IS NULL")).collect();
        let end_of_time = self.dimension.dialect.end_of_time();
        format!(
            "  SELECT *, {healthy_gap} AS healthy_gap, {} AS no_key\n  FROM (\n    SELECT *,\n      \
             coalesce(ends, {end_of_time}) AS lasts_until,\n      \
             max(coalesce(ends, {end_of_time})) OVER ({within} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach,\n      \
             lag(starts) OVER ({within}) AS previous_start,\n      \
             coalesce(lag(was_deleted) OVER ({within}), false) AS after_delete,\n      \
             row_number() OVER ({within}) AS ordinal,\n      \
             {unchanged} AS unchanged\n    FROM rows_of_both\n  )",
            no_key.join(" OR ")
        )
    }

    /// Each instant of a key: what begins there, and with a source what else there is to compare.
    fn instants(&self, keys: &str, comparison: Option<&Comparison<'_>>) -> String {
        let mut columns = self.counts();
        let latest = |value: &str| {
            let value = self.dimension.dialect.at_greatest(value, "ordinal");
            self.filtered(&value, "begins_here")
        };
        columns.push(format!(
            "{} AS last_ordinal",
            self.filtered("max(ordinal)", "begins_here")
        ));
        columns.push(format!("{} AS last_deleted", latest("was_deleted")));
        columns.push(format!("{} AS last_ended", latest("ends IS NOT NULL")));
        columns.push(format!("{} AS last_until", latest("lasts_until")));
        if let Some(comparison) = comparison {
            columns.extend(comparison.of_instant());
        }
        let moments = comparison.map_or_else(
            || {
                "  SELECT *, starts AS instant, of_dimension AS begins_here\n  FROM versions"
                    .to_owned()
            },
            Comparison::moments,
        );
        format!(
            "  SELECT {keys}, instant, min(key_text) AS key_text,\n    {}\n  FROM (\n{moments}\n  )\n  GROUP BY {keys}, instant",
            columns.join(",\n    ")
        )
    }

    /// How many versions that begin at an instant are of each kind.
    fn counts(&self) -> Vec<String> {
        let idle = if self.dimension.scd2.deleted_stays_current {
            // A tombstone may hold the values of the version before.
            "ordinal > 1 AND NOT after_delete AND NOT was_deleted AND unchanged"
        } else {
            "ordinal > 1 AND NOT after_delete AND unchanged"
        };
        [
            ("true", "begins"),
            ("is_current_version", "currents"),
            ("(starts IS NULL OR no_key)", "nameless"),
            ("starts < reach", "overlaps"),
            ("starts > reach AND NOT healthy_gap", "gaps"),
            ("ends <= starts", "empties"),
            ("starts = previous_start", "twins"),
            (idle, "idle"),
            ("is_current_version <> (ends IS NULL)", "incoherent"),
            ("of_this_run AND NOT was_deleted AND ordinal = 1", "created"),
            ("of_this_run AND NOT was_deleted AND ordinal > 1", "updated"),
            ("of_this_run AND was_deleted", "deleted"),
        ]
        .map(|(condition, name)| {
            let count = self.count(&format!("begins_here AND {condition}"));
            format!("{count} AS {name}")
        })
        .to_vec()
    }

    /// Each key.
    fn histories(&self, keys: &str, comparison: Option<&Comparison<'_>>) -> String {
        let dialect = self.dimension.dialect;
        let mut columns = vec![
            "min(key_text) AS key_text".to_owned(),
            format!(
                "coalesce({}, false) AS was_deleted",
                dialect.at_greatest("last_deleted", "last_ordinal")
            ),
            format!(
                "coalesce({}, false) AS has_ended",
                dialect.at_greatest("last_ended", "last_ordinal")
            ),
        ];
        columns.extend(
            [
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
            .map(|name| format!("sum({name}) AS {name}")),
        );
        let from = match comparison {
            None => "instants",
            Some(comparison) => {
                columns.extend(comparison.of_key());
                "compared"
            }
        };
        format!(
            "  SELECT {}\n  FROM {from}\n  GROUP BY {keys}",
            columns.join(",\n    ")
        )
    }

    /// How many rows a condition holds for.
    fn count(&self, condition: &str) -> String {
        let dialect = self.dimension.dialect;
        dialect.count_if(&Sql::of(condition)).text
    }

    fn filtered(&self, aggregate: &str, condition: &str) -> String {
        let dialect = self.dimension.dialect;
        dialect
            .filtered(&Sql::of(aggregate), &Sql::of(condition))
            .text
    }
}
