//! A dimension beside its source, instant by instant.
//!
//! At an instant the source has said that a key is gone, or lives with some values; where rows of one instant
//! contradict each other nobody knows which came last, and the key's state is unclear until the source says more. It is
//! also unclear before the first row of a source that does not reach back to the beginning. Nothing that follows from
//! an unclear state is held against the dimension.

use super::dimension::Dimension;
use crate::sql::Sql;
use pipewarden_shared::profile::Source;

/// The state of a key that does not live. A text of values begins with a digit or `-`.
const GONE: &str = "'gone'";

/// The state of a key that nobody knows.
const UNCLEAR: &str = "'unclear'";

/// A dimension and its source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comparison<'a> {
    pub dimension: Dimension<'a>,
    pub source: &'a Source,
}

impl Comparison<'_> {
    /// The instants of a version: its start, and its end where its key was deleted then.
    pub(super) fn moments(&self) -> String {
        if !self.deletions() {
            return "  SELECT *, starts AS instant, of_dimension AS begins_here, false AS at_end\n  FROM versions"
                .to_owned();
        }
        // Unnested, so that the dimension is not read again for its ends.
        "    SELECT *, CASE WHEN at_end THEN ends ELSE starts END AS instant, of_dimension AND NOT at_end AS begins_here
    FROM versions
    CROSS JOIN UNNEST(
      CASE WHEN of_dimension AND was_deleted AND ends IS NOT NULL THEN ARRAY[false, true] ELSE ARRAY[false] END
    ) AS moments(at_end)"
            .to_owned()
    }

    /// What an instant has of both.
    pub(super) fn of_instant(&self) -> Vec<String> {
        let told = self.told();
        let begins = self.judged_begins();
        let live = "NOT of_dimension AND NOT was_deleted";
        let mut columns = vec![
            self.count("NOT of_dimension", "sources"),
            self.count("NOT of_dimension AND was_deleted", "goings"),
            self.filtered("min(state)", live, "least_state"),
            self.filtered("max(state)", live, "greatest_state"),
            self.filtered(&format!("min({told})"), live, "source_told"),
            self.filtered(&format!("min({told})"), &begins, "least_told"),
            self.filtered(&format!("max({told})"), &begins, "greatest_told"),
            self.count(&begins, "judged"),
            self.count(&self.unasked_begins(&begins), "unasked"),
        ];
        let last_told = self.dimension.dialect.at_greatest(told, "ordinal");
        columns.push(self.filtered(&last_told, "begins_here", "last_told"));
        if self.deletions() {
            let live_begins = match self.tombstones() {
                true => format!("{begins} AND NOT was_deleted"),
                false => begins,
            };
            columns.push(self.count(&live_begins, "live_begins"));
            columns.push(self.count(
                "begins_here AND was_deleted AND ends IS NULL",
                "open_deleted",
            ));
            columns.push(self.count(
                &format!("of_dimension AND at_end{}", self.since("ends")),
                "deletions",
            ));
        }
        columns
    }

    /// Each instant with the source's state at it and before it, and the version of the dimension before it.
    pub(super) fn compared(&self, keys: &str) -> String {
        let within = format!("PARTITION BY {keys} ORDER BY instant");
        let before = |column: &str, name: &str| {
            format!(
                "last_value({column}) IGNORE NULLS OVER ({within} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS {name}"
            )
        };
        // Before its first row a key of a whole log was not there.
        let at_first = match self.dimension.complete_since(self.source) {
            Some(_) => UNCLEAR,
            None => GONE,
        };
        format!(
            "  SELECT *,
    coalesce(lag(source_now) IGNORE NULLS OVER ({within}), {at_first}) AS source_before,
    {},
    {},
    {}
  FROM (
    SELECT *, CASE
        WHEN sources = 0 THEN NULL
        WHEN goings = sources THEN {GONE}
        WHEN goings > 0 OR least_state <> greatest_state THEN {UNCLEAR}
        ELSE least_state
      END AS source_now
    FROM instants
  )",
            before("last_until", "earlier_until"),
            before("last_told", "earlier_told"),
            before("last_deleted", "earlier_deleted"),
        )
    }

    /// What is wrong with a key.
    pub(super) fn of_key(&self) -> Vec<String> {
        let live = format!("source_now NOT IN ({GONE}, {UNCLEAR})");
        let holds = "coalesce(earlier_told = source_told AND earlier_until > instant, false)";
        let missed = format!(
            "begins = 0 AND {live} AND CASE WHEN source_before = {UNCLEAR} THEN NOT {holds} ELSE source_now <> source_before END"
        );
        let wrong =
            format!("{live} AND (least_told <> source_told OR greatest_told <> source_told)");
        let mut columns = vec![
            self.count(&missed, "missed"),
            self.count(&self.phantom(&live), "phantoms"),
            self.count(&wrong, "wrong"),
        ];
        if self.deletions() {
            columns.push(self.count(&self.kept(), "kept"));
            columns.push(format!(
                "{} + {} AS undeleted",
                self.undeleted(),
                self.open_but_deleted()
            ));
        }
        columns
    }

    /// A version begins where the source did not change.
    fn phantom(&self, live: &str) -> String {
        let mut wrong = vec![
            "source_now IS NULL".to_owned(),
            format!("{live} AND source_now = source_before AND judged > unasked"),
        ];
        if self.deletions() {
            wrong.push(format!(
                "source_now = {GONE} AND (source_before = {GONE} OR live_begins > 0)"
            ));
        }
        format!("judged > 0 AND (({}))", wrong.join(") OR ("))
    }

    /// The source deleted a key that goes on.
    fn kept(&self) -> String {
        let met = if self.tombstones() {
            "(deletions > 0 OR coalesce(coalesce(last_deleted, earlier_deleted) AND coalesce(last_until, earlier_until) >= instant, false))"
        } else {
            "deletions > 0"
        };
        format!(
            "source_now = {GONE} AND NOT {met} AND CASE source_before \
             WHEN {UNCLEAR} THEN coalesce(earlier_until > instant, false) ELSE source_before <> {GONE} END"
        )
    }

    /// A key is deleted where the source did not delete it.
    fn undeleted(&self) -> String {
        let told = if self.tombstones() {
            // Its end may be that of a tombstone: the key was gone before.
            format!("goings > 0 OR source_before IN ({GONE}, {UNCLEAR})")
        } else {
            format!("goings > 0 AND source_before <> {GONE}")
        };
        self.count_of(&format!("deletions > 0 AND NOT ({told})"))
    }

    /// A version says that its key was deleted, is open, and the last that the source says is that the key lives.
    fn open_but_deleted(&self) -> String {
        let dialect = self.dimension.dialect;
        let last = dialect.at_greatest("source_now", "instant");
        let last = dialect
            .filtered(&Sql::of(last), &Sql::of("source_now IS NOT NULL"))
            .text;
        format!(
            "CASE WHEN sum(open_deleted) > 0 AND {last} NOT IN ({GONE}, {UNCLEAR}) THEN 1 ELSE 0 END"
        )
    }

    /// The versions whose start the source can speak of.
    fn judged_begins(&self) -> String {
        let mut begins = format!("begins_here AND starts IS NOT NULL{}", self.since("starts"));
        if self.tombstones() && !self.deletions() {
            // The source does not tell when a tombstone begins.
            begins.push_str(" AND NOT was_deleted");
        }
        begins
    }

    /// Those that may begin without a change: after a deletion that the source does not tell.
    fn unasked_begins(&self, begins: &str) -> String {
        if self.deletions() {
            "false".to_owned()
        } else {
            format!("{begins} AND after_delete")
        }
    }

    /// ` AND` that the source tells every change at that instant.
    fn since(&self, column: &str) -> String {
        self.dimension
            .complete_since(self.source)
            .map(|since| {
                let since = self.dimension.dialect.timestamp_literal(since);
                format!(" AND {column} >= {since}")
            })
            .unwrap_or_default()
    }

    fn deletions(&self) -> bool {
        self.dimension.tells_deletions(self.source)
    }

    fn tombstones(&self) -> bool {
        self.dimension.scd2.deleted_stays_current
    }

    /// The column that holds the values that both have.
    fn told(&self) -> &'static str {
        if self.source.derived.is_empty() {
            "state"
        } else {
            "told"
        }
    }

    fn count(&self, condition: &str, name: &str) -> String {
        format!("{} AS {name}", self.count_of(condition))
    }

    fn count_of(&self, condition: &str) -> String {
        let dialect = self.dimension.dialect;
        dialect.count_if(&Sql::of(condition)).text
    }

    fn filtered(&self, aggregate: &str, condition: &str, name: &str) -> String {
        let dialect = self.dimension.dialect;
        let filtered = dialect.filtered(&Sql::of(aggregate), &Sql::of(condition));
        format!("{} AS {name}", filtered.text)
    }
}
