//! The SCD2 query against a brute-force reference, key by key, on thousands of random histories.
//!
//! The reference follows the definitions, version against version; it knows no running maximum and no window.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipeline_validator::scd2::verdicts_by_key;
use pipeline_validator::sql::Trino;
use pipewarden_shared::profile::{Dataset, GapPolicy, Interval, OpenEnd, Profile, Scd2};
use pipewarden_tests::run_sql;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Histories of each configuration.
const KEYS: usize = 2_000;

/// The day on which a random instant 0 falls.
const DAY: &str = "2026-03-01";

/// A row of the dimension; instants are minutes.
#[derive(Debug, Clone, PartialEq)]
struct Version {
    from: i64,
    to: Option<i64>,
    current: bool,
    deleted: bool,
    value: Option<&'static str>,
}

/// A row of the source.
#[derive(Debug, Clone, PartialEq)]
struct Change {
    at: i64,
    deleted: bool,
    value: Option<&'static str>,
}

type Key = (Vec<Version>, Vec<Change>);

fn value() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![Just(None), Just(Some("")), Just(Some("a")), Just(Some("b"))]
}

/// Histories that are mostly sound, so that faults stand alone, and some that are anything.
fn key() -> impl Strategy<Value = Key> {
    let lengths = prop::collection::vec((1i64..4, value(), 0..20u8), 0..6);
    let faults = prop::collection::vec((any::<prop::sample::Index>(), 0..9u8), 0..3);
    (lengths, faults, any::<bool>()).prop_map(|(lengths, faults, ends_deleted)| {
        let (mut versions, mut changes) = sound(&lengths, ends_deleted);
        for (index, fault) in faults {
            spoil(&mut versions, &mut changes, index, fault);
        }
        // Two rows of one interval have no order of their own.
        let mut seen = BTreeSet::new();
        versions.retain(|version| seen.insert((version.from, version.to)));
        let mut seen = BTreeSet::new();
        changes.retain(|change| seen.insert(change.at));
        (versions, changes)
    })
}

fn sound(lengths: &[(i64, Option<&'static str>, u8)], ends_deleted: bool) -> Key {
    let (mut versions, mut changes) = (Vec::<Version>::new(), Vec::<Change>::new());
    let mut from = 0;
    for (index, (length, value, twist)) in lengths.iter().enumerate() {
        let last = index + 1 == lengths.len();
        let deleted = *twist == 0 || (last && ends_deleted);
        let to = (!last || deleted).then_some(from + length);
        versions.push(Version {
            from,
            to,
            current: to.is_none(),
            deleted,
            value: *value,
        });
        changes.push(Change {
            at: from,
            deleted: false,
            value: *value,
        });
        if deleted {
            changes.push(Change {
                at: from + length,
                deleted: true,
                value: *value,
            });
        }
        // A deleted entity may come back later.
        from += length
            + if deleted {
                i64::from(*twist % 3) + 1
            } else {
                0
            };
    }
    (versions, changes)
}

fn spoil(
    versions: &mut Vec<Version>,
    changes: &mut Vec<Change>,
    index: prop::sample::Index,
    fault: u8,
) {
    if versions.is_empty() || changes.is_empty() {
        return;
    }
    let change = index.index(changes.len());
    let index = index.index(versions.len());
    let version = &mut versions[index];
    match fault {
        0 => version.to = version.to.map(|to| to + 2),
        1 => version.to = version.to.map(|to| to - 1),
        2 => version.current = !version.current,
        3 => version.deleted = !version.deleted,
        4 => version.from += 1,
        5 => version.value = Some("a"),
        6 => {
            versions.remove(index);
        }
        7 => {
            changes.remove(change);
        }
        _ => changes.push(Change {
            at: 17,
            deleted: false,
            value: Some("c"),
        }),
    }
}

/// What is wrong with a key, by the definitions.
fn faults(key: &Key, scd2: &Scd2) -> BTreeSet<&'static str> {
    let step = match scd2.interval {
        Interval::HalfOpen => 0,
        Interval::Closed(step) => step.as_mins(),
    };
    let (versions, changes) = key;
    let mut versions = versions.clone();
    // The order of the history: by start, then by end, an open end last.
    versions.sort_by_key(|version| (version.from, version.to.unwrap_or(i64::MAX)));
    let end = |version: &Version| version.to.map_or(i64::MAX, |to| to + step);
    let mut found = BTreeSet::new();
    for (index, version) in versions.iter().enumerate() {
        let earlier = &versions[..index];
        let previous = earlier.last();
        let after_delete = previous.is_some_and(|previous| previous.deleted);
        if earlier.iter().any(|earlier| end(earlier) > version.from) {
            found.insert("no_overlap");
        }
        let reached = earlier.iter().any(|earlier| end(earlier) >= version.from);
        let healthy = match scd2.gaps {
            GapPolicy::Forbidden => false,
            GapPolicy::AfterDelete => after_delete,
            GapPolicy::Allowed => true,
        };
        if previous.is_some() && !reached && !healthy {
            found.insert("no_gap");
        }
        if end(version) <= version.from {
            found.insert("no_empty_interval");
        }
        if earlier.iter().any(|earlier| earlier.from == version.from) {
            found.insert("one_version_an_instant");
        }
        if version.current != version.to.is_none() {
            found.insert("coherent_flags");
        }
        if previous.is_some_and(|previous| previous.value == version.value) && !after_delete {
            found.insert("no_version_without_change");
        }
    }
    let currents = versions.iter().filter(|version| version.current).count();
    if let Some(last) = versions.last() {
        let allowed = match (last.deleted, scd2.deleted_stays_current) {
            (true, true) => currents <= 1,
            (true, false) if last.to.is_some() => currents == 0,
            _ => currents == 1,
        };
        if !allowed {
            found.insert("one_current_version");
        }
    }
    let begins: BTreeSet<i64> = versions.iter().map(|version| version.from).collect();
    let changed = change_points(changes);
    if changed.difference(&begins).next().is_some() {
        found.insert("no_missed_change");
    }
    if begins.difference(&changed).next().is_some() {
        found.insert("no_phantom_change");
    }
    found
}

/// Where the source says that something new began.
fn change_points(changes: &[Change]) -> BTreeSet<i64> {
    let by_time: BTreeMap<i64, &Change> =
        changes.iter().map(|change| (change.at, change)).collect();
    let mut before: Option<&Change> = None;
    let mut points = BTreeSet::new();
    for (at, change) in by_time {
        let new = before.is_none_or(|before| before.deleted || before.value != change.value);
        if new && !change.deleted {
            points.insert(at);
        }
        before = Some(change);
    }
    points
}

fn instant(minute: i64) -> String {
    format!(
        "{DAY} {:02}:{:02}:00",
        minute / 60 + 1,
        minute.rem_euclid(60)
    )
}

fn csv(rows: &[Vec<String>]) -> String {
    rows.iter()
        .map(|row| format!("{}\n", row.join(",")))
        .collect()
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "\\N".to_owned(), |value| format!("\"{value}\""))
}

/// Runs the query on the histories; the faults of each key that has a row.
fn engine(
    keys: &[Key],
    dataset: &Dataset,
    scd2: &Scd2,
) -> BTreeMap<String, BTreeSet<&'static str>> {
    let open = match scd2.open_end {
        OpenEnd::Null => "\\N".to_owned(),
        OpenEnd::Sentinel(_) => "9999-12-31 00:00:00".to_owned(),
    };
    let (mut dimension, mut source) = (Vec::new(), Vec::new());
    for (index, (versions, changes)) in keys.iter().enumerate() {
        dimension.extend(versions.iter().map(|version| {
            vec![
                format!("{index}"),
                instant(version.from),
                version.to.map_or_else(|| open.clone(), instant),
                version.current.to_string(),
                version.deleted.to_string(),
                text(version.value),
            ]
        }));
        source.extend(changes.iter().map(|change| {
            vec![
                format!("{index}"),
                instant(change.at),
                change.deleted.to_string(),
                text(change.value),
            ]
        }));
    }
    let folder = std::env::temp_dir().join(format!("pipewarden-scd2-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, rows: &[Vec<String>]| {
        let path = folder.join(name);
        std::fs::write(&path, csv(rows)).unwrap();
        path
    };
    let (sql, names) = verdicts_by_key(dataset, scd2, "lake", &Trino);
    let request = json!({"database": "lake", "queries": [{"sql": sql, "parameters": []}], "tables": {
        "dimension": {"file": write("dimension.csv", &dimension), "columns": [
            ["id", "VARCHAR"], ["valid_from", "TIMESTAMP"], ["valid_to", "TIMESTAMP"],
            ["is_current", "BOOLEAN"], ["is_deleted", "BOOLEAN"], ["value", "VARCHAR"]]},
        "source": {"file": write("source.csv", &source), "columns": [
            ["id", "VARCHAR"], ["changed", "TIMESTAMP"], ["gone", "BOOLEAN"], ["value", "VARCHAR"]]},
    }});
    let results = run_sql(&request);
    std::fs::remove_dir_all(&folder).unwrap();
    let rows = results.into_iter().next().unwrap();
    let rows = rows.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    rows.into_iter()
        .map(|row| {
            let broken = names
                .iter()
                .zip(&row[1..])
                .filter(|(_, broken)| broken.as_deref() == Some("true"));
            (
                row[0].clone().unwrap(),
                broken.map(|(name, _)| *name).collect(),
            )
        })
        .collect()
}

fn dataset(yaml: &str) -> Dataset {
    let profile = format!(
        "{{pipeline: p, metrics: {{namespace: N}}, datasets: {{d: {{table: dimension, key: [id], scd2: {{
            valid_from: valid_from, valid_to: valid_to, current: is_current, deleted: is_deleted, tracked: [value],
            source: {{table: source, changed_at: changed, deleted: gone}}, {yaml}}}}}}}}}"
    );
    Profile::parse(&profile)
        .unwrap_or_else(|error| panic!("{error}"))
        .datasets["d"]
        .clone()
}

#[rstest]
#[case::half_open("gaps: after_delete")]
#[case::no_gap("gaps: forbidden")]
#[case::any_gap("gaps: allowed")]
#[case::tombstones("gaps: after_delete, deleted_stays_current: true")]
#[case::sentinel("gaps: after_delete, open_end: 9999-12-31")]
#[case::closed("gaps: after_delete, interval: {closed: 1m}")]
#[case::closed_sentinel("gaps: forbidden, interval: {closed: 1m}, open_end: 9999-12-31")]
fn every_key_is_judged_as_the_definitions_say(#[case] yaml: &str) {
    let dataset = dataset(yaml);
    let scd2 = dataset.scd2.as_ref().unwrap();
    let mut runner = TestRunner::deterministic();
    let keys: Vec<Key> = (0..KEYS)
        .map(|_| key().new_tree(&mut runner).unwrap().current())
        .collect();
    let found = engine(&keys, &dataset, scd2);
    let mut seen = BTreeSet::new();
    for (index, key) in keys.iter().enumerate() {
        let expected = faults(key, scd2);
        let judged = found.get(&index.to_string());
        if key.0.is_empty() && key.1.is_empty() {
            assert_eq!(judged, None);
            continue;
        }
        assert_eq!(judged, Some(&expected), "{yaml}: {key:?}");
        seen.extend(expected);
    }
    let sound = keys
        .iter()
        .filter(|key| faults(key, scd2).is_empty())
        .count();
    assert!(
        sound > KEYS / 10,
        "only {sound} histories are sound: the faults prove little"
    );
    assert!(seen.len() >= 8, "every fault is met: {seen:?}");
}

#[test]
fn a_nested_overlap_is_one_fault_and_no_gap() {
    let dataset = dataset("gaps: forbidden");
    let version = |from, to, value| Version {
        from,
        to,
        current: to.is_none(),
        deleted: false,
        value,
    };
    let versions = vec![
        version(0, Some(100), Some("a")),
        version(2, Some(3), Some("b")),
        version(50, Some(60), Some("a")),
        version(100, None, Some("b")),
    ];
    let changes = versions.iter().map(|version| Change {
        at: version.from,
        deleted: false,
        value: version.value,
    });
    let key = (versions.clone(), changes.collect());
    let found = engine(&[key], &dataset, dataset.scd2.as_ref().unwrap());
    assert_eq!(found["0"], BTreeSet::from(["no_overlap"]));
}
