//! The invariants of a type 2 dimension, over the columns of the `histories` CTE.

use pipewarden_shared::profile::Scd2;

/// An invariant of a type 2 dimension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invariant {
    /// Its name, after that of the dataset.
    pub name: &'static str,
    /// Which keys break it.
    pub broken: &'static str,
    /// What it asks for.
    pub expected: &'static str,
    /// What a key that breaks it has.
    pub fault: &'static str,
}

const KEY_AND_START: Invariant = Invariant {
    name: "key_and_start",
    broken: "nameless > 0",
    expected: "no version without a key or a start",
    fault: "a version without a key or a start",
};

const ONE_CURRENT_VERSION: Invariant = Invariant {
    name: "one_current_version",
    broken: "begins > 0 AND currents <> CASE WHEN was_deleted AND has_ended THEN 0 ELSE 1 END",
    expected: "one current version of a live key, none of a deleted one",
    fault: "not exactly one current version",
};

/// The same where the last version of a deleted key may stay open and current.
const ONE_CURRENT_VERSION_OR_TOMBSTONE: Invariant = Invariant {
    broken: "begins > 0 AND (currents > 1 OR (currents = 0 AND NOT was_deleted))",
    expected: "one current version of a live key, at most one of a deleted one",
    ..ONE_CURRENT_VERSION
};

const OF_INTERVALS: [Invariant; 5] = [
    Invariant {
        name: "no_overlap",
        broken: "overlaps > 0",
        expected: "no version that begins before an earlier one ended",
        fault: "overlapping versions",
    },
    Invariant {
        name: "no_gap",
        broken: "gaps > 0",
        expected: "no time without a version between two versions",
        fault: "a gap between versions",
    },
    Invariant {
        name: "no_empty_interval",
        broken: "empties > 0",
        expected: "no version that ends before or when it begins",
        fault: "a version that ends before or when it begins",
    },
    Invariant {
        name: "one_version_an_instant",
        broken: "twins > 0",
        expected: "no two versions that begin at the same instant",
        fault: "versions that begin at the same instant",
    },
    Invariant {
        name: "coherent_flags",
        broken: "incoherent > 0",
        expected: "the current version is the open one",
        fault: "a current version that has ended, or an open one that is not current",
    },
];

const NO_IDLE_VERSION: Invariant = Invariant {
    name: "no_version_without_change",
    broken: "idle > 0",
    expected: "no version whose tracked values are those of the one before",
    fault: "a version that changes nothing",
};

const OF_SOURCE: [Invariant; 3] = [
    Invariant {
        name: "no_missed_change",
        broken: "missed > 0",
        expected: "a version begins where the source changed",
        fault: "a change in the source without a version",
    },
    Invariant {
        name: "no_phantom_change",
        broken: "phantoms > 0",
        expected: "the source changed where a version begins",
        fault: "a version that begins where the source did not change",
    },
    Invariant {
        name: "no_wrong_value",
        broken: "wrong > 0",
        expected: "a version has the tracked values that the source had when it began",
        fault: "a version with other values than the source had when it began",
    },
];

const OF_DELETIONS: [Invariant; 2] = [
    Invariant {
        name: "no_missed_delete",
        broken: "kept > 0",
        expected: "a key is deleted where the source deleted it",
        fault: "a deletion in the source that is not in the dimension",
    },
    Invariant {
        name: "no_phantom_delete",
        broken: "undeleted > 0",
        expected: "the source deleted a key where it is deleted",
        fault: "a deletion that is not in the source",
    },
];

/// The invariants that ask nothing of a source, by what the profile tells.
pub(super) fn of_dimension(scd2: &Scd2) -> Vec<Invariant> {
    let current = if scd2.deleted_stays_current {
        ONE_CURRENT_VERSION_OR_TOMBSTONE
    } else {
        ONE_CURRENT_VERSION
    };
    let mut asked = vec![KEY_AND_START, current];
    asked.extend(OF_INTERVALS);
    if !scd2.tracked.is_empty() {
        asked.push(NO_IDLE_VERSION);
    }
    asked
}

/// The invariants that compare the dimension with its source.
pub(super) fn of_source(tells_deletions: bool) -> Vec<Invariant> {
    let mut asked = OF_SOURCE.to_vec();
    if tells_deletions {
        asked.extend(OF_DELETIONS);
    }
    asked
}
