//! What is wrong with a history, by the definitions: version against version, change against change.
//!
//! It knows no running maximum, no window and no order of evaluation; it asks each instant anew.

use pipewarden_shared::profile::{GapPolicy, Interval, Keeps, Scd2};
use std::collections::BTreeSet;

/// The tracked values.
pub(crate) type Values = [Option<String>; 2];

/// A row of the dimension; instants are minutes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) from: i64,
    pub(crate) to: Option<i64>,
    pub(crate) current: bool,
    pub(crate) deleted: bool,
    pub(crate) values: Values,
}

/// A row of the source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) at: i64,
    pub(crate) deleted: bool,
    pub(crate) values: Values,
}

/// A key's rows in both tables, in the order in which they arrived.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Key {
    pub(crate) versions: Vec<Version>,
    pub(crate) changes: Vec<Change>,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq)]
enum State {
    Gone,
    Lives(Values),
    Unclear,
}

/// The definitions for one dimension.
pub(crate) struct Reference<'a> {
    pub(crate) scd2: &'a Scd2,
    /// The minute that it is now.
    pub(crate) now: i64,
}

impl Reference<'_> {
    /// What is wrong with a key.
    pub(crate) fn faults(&self, key: &Key) -> BTreeSet<&'static str> {
        let key = &self.named(key.clone());
        let mut found = self.of_dimension(key);
        found.extend(self.of_changes(key));
        if self.tells_deletions() {
            found.extend(self.of_deletions(key));
        }
        found
    }

    /// A key without the flags that the profile does not name.
    fn named(&self, mut key: Key) -> Key {
        let source = self.scd2.source.as_ref().unwrap();
        for version in &mut key.versions {
            version.deleted &= self.scd2.deleted.is_some();
        }
        for change in &mut key.changes {
            change.deleted &= source.deleted.is_some();
        }
        key
    }

    fn of_dimension(&self, key: &Key) -> BTreeSet<&'static str> {
        let versions = self.in_order(key);
        let mut found = BTreeSet::new();
        for (index, version) in versions.iter().enumerate() {
            let earlier = &versions[..index];
            let previous = earlier.last();
            let after_delete = previous.is_some_and(|previous| previous.deleted);
            if earlier
                .iter()
                .any(|earlier| self.end(earlier) > version.from)
            {
                found.insert("no_overlap");
            }
            let reached = earlier
                .iter()
                .any(|earlier| self.end(earlier) >= version.from);
            let healthy = match self.scd2.gaps {
                GapPolicy::Forbidden => false,
                GapPolicy::AfterDelete => after_delete,
                GapPolicy::Allowed => true,
            };
            if previous.is_some() && !reached && !healthy {
                found.insert("no_gap");
            }
            if self.end(version) <= version.from {
                found.insert("no_empty_interval");
            }
            if earlier.iter().any(|earlier| earlier.from == version.from) {
                found.insert("one_version_an_instant");
            }
            if version.current != version.to.is_none() {
                found.insert("coherent_flags");
            }
            let same = previous.is_some_and(|previous| previous.values == version.values);
            let tombstone = self.scd2.deleted_stays_current && version.deleted;
            if same && !after_delete && !tombstone {
                found.insert("no_version_without_change");
            }
        }
        let currents = versions.iter().filter(|version| version.current).count();
        if let Some(last) = versions.last() {
            let allowed = match (last.deleted, self.scd2.deleted_stays_current) {
                (true, true) => currents <= 1,
                (true, false) if last.to.is_some() => currents == 0,
                _ => currents == 1,
            };
            if !allowed {
                found.insert("one_current_version");
            }
        }
        found
    }

    fn of_changes(&self, key: &Key) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        for at in self.instants(key) {
            let Some(State::Lives(values)) = self.said_at(key, at) else {
                continue;
            };
            let begins = key.versions.iter().any(|version| version.from == at);
            let must_begin = match self.before(key, at) {
                // The dimension itself says what was before.
                State::Unclear => !self.last_begun(key, at - 1).is_some_and(|version| {
                    self.end(&version) > at && self.same(&version.values, &values)
                }),
                before => before != State::Lives(values),
            };
            if must_begin && !begins {
                found.insert("no_missed_change");
            }
        }
        let versions = self.in_order(key);
        for (index, version) in versions.iter().enumerate() {
            let tombstone = self.scd2.deleted_stays_current && version.deleted;
            if !self.reaches(version.from) || (tombstone && !self.tells_deletions()) {
                continue;
            }
            let after_delete = index > 0 && versions[index - 1].deleted;
            let before = self.before(key, version.from);
            let may_begin = match self.said_at(key, version.from) {
                None => false,
                Some(State::Unclear) => true,
                Some(State::Gone) => tombstone && before != State::Gone,
                Some(State::Lives(values)) => {
                    if !self.same(&values, &version.values) {
                        found.insert("no_wrong_value");
                    }
                    // A source that does not tell deletions does not tell that a key came back as it was.
                    before != State::Lives(values) || (after_delete && !self.tells_deletions())
                }
            };
            if !may_begin {
                found.insert("no_phantom_change");
            }
        }
        found
    }

    fn of_deletions(&self, key: &Key) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let tombstones = self.scd2.deleted_stays_current;
        for at in self.instants(key) {
            if self.said_at(key, at) != Some(State::Gone) {
                continue;
            }
            let must_end = match self.before(key, at) {
                State::Gone => false,
                State::Lives(_) => true,
                State::Unclear => self
                    .last_begun(key, at - 1)
                    .is_some_and(|version| self.end(&version) > at),
            };
            let ends = key
                .versions
                .iter()
                .any(|version| version.deleted && version.to.is_some() && self.end(version) == at);
            let buried = self
                .last_begun(key, at)
                .is_some_and(|version| tombstones && version.deleted && self.end(&version) >= at);
            if must_end && !ends && !buried {
                found.insert("no_missed_delete");
            }
        }
        for version in key.versions.iter().filter(|version| version.deleted) {
            let told = match version.to.map(|_| self.end(version)) {
                Some(end) => {
                    let before = self.before(key, end);
                    let goes = self.rows(key).any(|row| row.at == end && row.deleted);
                    !self.reaches(end)
                        || if tombstones {
                            goes || !matches!(before, State::Lives(_))
                        } else {
                            goes && before != State::Gone
                        }
                }
                None => !matches!(self.before(key, i64::MAX), State::Lives(_)),
            };
            if !told {
                found.insert("no_phantom_delete");
            }
        }
        found
    }

    fn tells_deletions(&self) -> bool {
        let source = self.scd2.source.as_ref().unwrap();
        self.scd2.deleted.is_some() && source.deleted.is_some()
    }

    /// Whether the source tells every change at that instant.
    fn reaches(&self, at: i64) -> bool {
        let keeps = self.scd2.source.as_ref().unwrap().keeps;
        keeps.is_none_or(|Keeps(keeps)| at >= self.now - keeps.as_mins())
    }

    /// The rows of the source that say something to this dimension.
    fn rows<'k>(&'k self, key: &'k Key) -> impl Iterator<Item = &'k Change> {
        let knows_deletions = self.scd2.deleted.is_some();
        key.changes
            .iter()
            .filter(move |row| self.reaches(row.at) && (knows_deletions || !row.deleted))
    }

    fn instants(&self, key: &Key) -> BTreeSet<i64> {
        self.rows(key).map(|row| row.at).collect()
    }

    /// What the source says at an instant; nothing where it has no row then.
    fn said_at(&self, key: &Key, at: i64) -> Option<State> {
        let said: Vec<State> = self
            .rows(key)
            .filter(|row| row.at == at)
            .map(|row| match row.deleted {
                true => State::Gone,
                false => State::Lives(row.values.clone()),
            })
            .collect();
        let first = said.first()?.clone();
        let agreed = said.iter().all(|state| *state == first);
        Some(if agreed { first } else { State::Unclear })
    }

    /// What the source said last before an instant.
    fn before(&self, key: &Key, at: i64) -> State {
        let latest = self.instants(key).range(..at).next_back().copied();
        let whole = self.scd2.source.as_ref().unwrap().keeps.is_none();
        match latest {
            Some(latest) => self.said_at(key, latest).unwrap(),
            None if whole => State::Gone,
            None => State::Unclear,
        }
    }

    /// The order of the history: by start, then by end, an open end last.
    fn in_order(&self, key: &Key) -> Vec<Version> {
        let mut versions = key.versions.clone();
        versions.sort_by_key(|version| (version.from, self.end(version)));
        versions
    }

    fn last_begun(&self, key: &Key, at: i64) -> Option<Version> {
        self.in_order(key)
            .into_iter()
            .rfind(|version| version.from <= at)
    }

    /// The instant from which on a version is no more.
    fn end(&self, version: &Version) -> i64 {
        let step = match self.scd2.interval {
            Interval::HalfOpen => 0,
            Interval::Closed(step) => step.as_mins(),
        };
        version.to.map_or(i64::MAX, |to| to + step)
    }

    /// Whether values are the same as far as the dimension takes them over.
    fn same(&self, these: &Values, those: &Values) -> bool {
        let derived = &self.scd2.source.as_ref().unwrap().derived;
        let compared = |index: &usize| !derived.contains(&self.scd2.tracked[*index]);
        (0..2)
            .filter(compared)
            .all(|index| these[index] == those[index])
    }
}
