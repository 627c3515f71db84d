//! How a type 2 dimension writes its history.

use super::Identifier;
use jiff::SignedDuration;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// How a type 2 dimension writes its history. The dataset's key names the entity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scd2 {
    /// When a version begins.
    pub valid_from: Identifier,
    /// When it ends.
    pub valid_to: Identifier,
    /// Whether it is the current one.
    pub current: Identifier,
    /// Whether its entity was deleted when it ended.
    #[serde(default)]
    pub deleted: Option<Identifier>,
    /// Whether the last version of a deleted entity may stay open and current, as a tombstone.
    #[serde(default)]
    pub deleted_stays_current: bool,
    /// When the row was written; the run's created, updated and deleted keys are counted by it.
    #[serde(default)]
    pub recorded_at: Option<Identifier>,
    /// How an open version's end is written.
    #[serde(default)]
    pub open_end: OpenEnd,
    /// Whether a version's end is still part of it.
    #[serde(default)]
    pub interval: Interval,
    /// Which gaps between versions are healthy.
    #[serde(default)]
    pub gaps: GapPolicy,
    /// The columns whose changes make a new version. Without them no version is said to change nothing.
    #[serde(default)]
    pub tracked: Vec<Identifier>,
    /// The raw log of changes that the dimension is built from; its changes and the versions must agree.
    #[serde(default)]
    pub source: Option<Source>,
}

/// The raw log of changes that a dimension is built from: one row a change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The table, in the function's database.
    pub table: Identifier,
    /// When the row's values came to be.
    pub changed_at: Identifier,
    /// Whether the entity was deleted then.
    #[serde(default)]
    pub deleted: Option<Identifier>,
    /// Key and tracked columns that are called otherwise in the source, by their names in the dimension.
    #[serde(default)]
    pub columns: BTreeMap<Identifier, Identifier>,
    /// Tracked columns that the dimension does not take over as they are: that they change is compared, not to what.
    #[serde(default)]
    pub derived: BTreeSet<Identifier>,
    /// How far back it reaches, such as `90d`; to the beginning where unset. What came before is not compared.
    #[serde(default)]
    pub keeps: Option<Keeps>,
}

/// How far back a log of changes reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Keeps(#[serde(deserialize_with = "super::duration")] pub SignedDuration);

impl Source {
    /// What a column of the dimension is called in the source.
    pub fn column<'a>(&'a self, name: &'a Identifier) -> &'a Identifier {
        self.columns.get(name).unwrap_or(name)
    }
}

/// How an open version's end is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Option<String>")]
pub enum OpenEnd {
    /// NULL.
    #[default]
    Null,
    /// A far date, such as 9999-12-31: any end at or after it is open.
    Sentinel(jiff::civil::DateTime),
}

impl TryFrom<Option<String>> for OpenEnd {
    type Error = String;

    fn try_from(text: Option<String>) -> Result<Self, String> {
        match text.as_deref() {
            None | Some("null") => Ok(Self::Null),
            Some(text) => text
                .parse()
                .or_else(|_| {
                    text.parse::<jiff::civil::Date>()
                        .map(|date| date.at(0, 0, 0, 0))
                })
                .map(Self::Sentinel)
                .map_err(|_| format!("expected null or a date such as 9999-12-31, got {text:?}")),
        }
    }
}

/// Whether a version's end is still part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// No: `[valid_from, valid_to)`. The next version begins when this one ends.
    #[default]
    HalfOpen,
    /// Yes: `[valid_from, valid_to]`. The next version begins one such step after this one ends.
    Closed(#[serde(deserialize_with = "super::duration")] SignedDuration),
}

/// Which gaps between versions are healthy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapPolicy {
    /// None.
    #[default]
    Forbidden,
    /// After a version at whose end the entity was deleted.
    AfterDelete,
    /// Any.
    Allowed,
}

impl Scd2 {
    pub(super) fn problems(&self) -> impl Iterator<Item = String> {
        let step = match self.interval {
            // Columns of time hold milliseconds.
            Interval::Closed(step) if step.as_millis() < 1 => Some(format!(
                "interval: a step of {step:#} is under a millisecond"
            )),
            _ => None,
        };
        let untracked = (self.source.is_some() && self.tracked.is_empty())
            .then(|| "source: without tracked columns it has no changes to compare".to_owned());
        step.into_iter()
            .chain(untracked)
            .chain(
                self.source
                    .iter()
                    .flat_map(|source| self.problems_of(source)),
            )
            .map(|problem| format!("scd2.{problem}"))
    }

    fn problems_of(&self, source: &Source) -> Vec<String> {
        let untracked = source
            .derived
            .iter()
            .filter(|column| !self.tracked.contains(column))
            .map(|column| format!("source.derived: {column} is not tracked"));
        let keeps = source
            .keeps
            .filter(|Keeps(keeps)| !keeps.is_positive())
            .map(|Keeps(keeps)| format!("source.keeps: {keeps:#} is not positive"));
        untracked.chain(keeps).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_open_version_may_be_a_date() {
        let open_end = OpenEnd::try_from(Some("9999-12-31".to_owned())).unwrap();
        let expected = jiff::civil::date(9999, 12, 31).at(0, 0, 0, 0);
        assert_eq!(open_end, OpenEnd::Sentinel(expected));
        assert!(OpenEnd::try_from(Some("never".to_owned())).is_err());
    }

    #[test]
    fn an_interval_may_be_closed() {
        let yaml = "{valid_from: a, valid_to: b, current: c, interval: {closed: 1d}, source: {table: r, changed_at: t}}";
        let scd2: Scd2 = serde_saphyr::from_str(yaml).unwrap();
        assert_eq!(
            scd2.interval,
            Interval::Closed(SignedDuration::from_hours(24))
        );
        let problems: Vec<String> = scd2.problems().collect();
        assert_eq!(
            problems,
            ["scd2.source: without tracked columns it has no changes to compare"]
        );
    }

    #[test]
    fn a_source_may_keep_recent_changes_only() {
        let scd2 = |source: &str| -> Scd2 {
            let yaml = format!(
                "{{valid_from: a, valid_to: b, current: c, tracked: [d], source: {{table: r, changed_at: t, {source}}}}}"
            );
            serde_saphyr::from_str(&yaml).unwrap()
        };
        let sound = scd2("keeps: 90d, derived: [d]");
        assert_eq!(sound.problems().count(), 0);
        let keeps = sound.source.unwrap().keeps;
        assert_eq!(keeps, Some(Keeps(SignedDuration::from_hours(90 * 24))));
        let problems: Vec<String> = scd2("keeps: 0d, derived: [e]").problems().collect();
        assert_eq!(
            problems,
            [
                "scd2.source.derived: e is not tracked",
                "scd2.source.keeps: 0s is not positive"
            ]
        );
    }
}
