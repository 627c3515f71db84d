//! The SCD2 query against a brute-force reference, key by key, on thousands of random histories; and histories as
//! pipelines write them, none of which may be said to be wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

#[path = "scd2/histories.rs"]
mod histories;
#[path = "scd2/reference.rs"]
mod reference;

use histories::{Deletion, healthy, spoilt};
use pipeline_validator::scd2::{Dimension, verdicts_by_key};
use pipeline_validator::sql::Trino;
use pipewarden_shared::profile::{Dataset, OpenEnd, Profile};
use pipewarden_tests::run_sql;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use reference::{Change, Key, Reference, Values, Version};
use rstest::rstest;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Histories of each configuration.
const KEYS: usize = 2_000;

/// The day on which a random instant 0 falls.
const DAY: &str = "2026-03-01";

/// The minute that it is.
const NOW: i64 = 60;

/// A profile's dataset: what is written besides the names, and which flags are there.
fn dataset(yaml: &str, source: &str, deletion: Deletion) -> Dataset {
    let deleted = match deletion {
        Deletion::Ends => "deleted: is_deleted,",
        Deletion::Begins | Deletion::Marks => "deleted: is_deleted, deleted_stays_current: true,",
        Deletion::Unknown => "",
    };
    let profile = format!(
        "{{pipeline: p, metrics: {{namespace: N}}, datasets: {{d: {{table: dimension, key: [id], scd2: {{
            valid_from: valid_from, valid_to: valid_to, current: is_current, {deleted} tracked: [value, other],
            source: {{table: source, changed_at: changed, {source}}}, {yaml}}}}}}}}}"
    );
    Profile::parse(&profile)
        .unwrap_or_else(|error| panic!("{error}"))
        .datasets["d"]
        .clone()
}

fn instant(minute: i64) -> String {
    format!(
        "{DAY} {:02}:{:02}:00",
        minute.div_euclid(60) + 1,
        minute.rem_euclid(60)
    )
}

fn csv(rows: &[Vec<String>]) -> String {
    rows.iter()
        .map(|row| format!("{}\n", row.join(",")))
        .collect()
}

fn text(value: &Option<String>) -> String {
    let text = value.as_ref().map(|value| format!("\"{value}\""));
    text.unwrap_or_else(|| "\\N".to_owned())
}

/// Runs the query on the histories; the faults of each key that has a row.
fn engine(keys: &[Key], dataset: &Dataset) -> BTreeMap<String, BTreeSet<&'static str>> {
    let scd2 = dataset.scd2.as_ref().unwrap();
    let open = match scd2.open_end {
        OpenEnd::Null => "\\N".to_owned(),
        OpenEnd::Sentinel(_) => "9999-12-31 00:00:00".to_owned(),
    };
    let (mut dimension, mut source) = (Vec::new(), Vec::new());
    for (index, key) in keys.iter().enumerate() {
        dimension.extend(key.versions.iter().map(|version| {
            vec![
                format!("{index}"),
                instant(version.from),
                version.to.map_or_else(|| open.clone(), instant),
                version.current.to_string(),
                version.deleted.to_string(),
                text(&version.values[0]),
                text(&version.values[1]),
            ]
        }));
        source.extend(key.changes.iter().map(|change| {
            vec![
                format!("{index}"),
                instant(change.at),
                change.deleted.to_string(),
                text(&change.values[0]),
                text(&change.values[1]),
            ]
        }));
    }
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("pipewarden-scd2-{}-{next}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, rows: &[Vec<String>]| {
        let path = folder.join(name);
        std::fs::write(&path, csv(rows)).unwrap();
        path
    };
    let (sql, names) = verdicts_by_key(&Dimension {
        dataset,
        scd2,
        database: "lake",
        dialect: &Trino,
        schemas: None,
        now: format!("{}Z", instant(NOW)).parse().unwrap(),
    });
    let request = json!({"database": "lake", "queries": [{"sql": sql, "parameters": []}], "tables": {
        "dimension": {"file": write("dimension.csv", &dimension), "columns": [
            ["id", "VARCHAR"], ["valid_from", "TIMESTAMP"], ["valid_to", "TIMESTAMP"],
            ["is_current", "BOOLEAN"], ["is_deleted", "BOOLEAN"], ["value", "VARCHAR"], ["other", "VARCHAR"]]},
        "source": {"file": write("source.csv", &source), "columns": [
            ["id", "VARCHAR"], ["changed", "TIMESTAMP"], ["gone", "BOOLEAN"], ["value", "VARCHAR"],
            ["other", "VARCHAR"]]},
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

#[rstest]
#[case::half_open("gaps: after_delete", "deleted: gone", Deletion::Ends)]
#[case::any_gap("gaps: allowed", "deleted: gone", Deletion::Ends)]
#[case::tombstones("gaps: forbidden", "deleted: gone", Deletion::Begins)]
#[case::marks("gaps: forbidden", "deleted: gone", Deletion::Marks)]
#[case::sentinel(
    "gaps: after_delete, open_end: 9999-12-31",
    "deleted: gone",
    Deletion::Ends
)]
#[case::closed(
    "gaps: after_delete, interval: {closed: 1m}",
    "deleted: gone",
    Deletion::Ends
)]
#[case::closed_sentinel(
    "gaps: forbidden, interval: {closed: 1m}, open_end: 9999-12-31",
    "deleted: gone",
    Deletion::Begins
)]
#[case::recent("gaps: after_delete", "deleted: gone, keeps: 50m", Deletion::Ends)]
#[case::recent_tombstones("gaps: forbidden", "deleted: gone, keeps: 50m", Deletion::Begins)]
#[case::recent_marks("gaps: forbidden", "deleted: gone, keeps: 50m", Deletion::Marks)]
#[case::derived(
    "gaps: after_delete",
    "deleted: gone, derived: [other]",
    Deletion::Ends
)]
#[case::recent_derived(
    "gaps: after_delete",
    "deleted: gone, derived: [other], keeps: 50m",
    Deletion::Ends
)]
#[case::only_the_source_tells("gaps: forbidden", "deleted: gone", Deletion::Unknown)]
#[case::only_the_dimension_tells("gaps: after_delete", "", Deletion::Ends)]
#[case::only_tombstones_tell("gaps: forbidden", "", Deletion::Begins)]
#[case::only_marks_tell("gaps: forbidden, interval: {closed: 1m}", "", Deletion::Marks)]
#[case::nobody_tells("gaps: forbidden", "keeps: 50m", Deletion::Unknown)]
fn every_key_is_judged_as_the_definitions_say(
    #[case] yaml: &str,
    #[case] source: &str,
    #[case] deletion: Deletion,
) {
    let dataset = dataset(yaml, source, deletion);
    let scd2 = dataset.scd2.as_ref().unwrap();
    let mut runner = TestRunner::deterministic();
    let mut some = |strategy: &dyn Fn(&mut TestRunner) -> Key| -> Vec<Key> {
        (0..KEYS).map(|_| strategy(&mut runner)).collect()
    };
    let (sound, any) = (healthy(scd2, deletion, NOW), spoilt(scd2, deletion, NOW));
    let mut keys = some(&|runner| sound.new_tree(runner).unwrap().current());
    keys.extend(some(&|runner| any.new_tree(runner).unwrap().current()));
    let reference = Reference { scd2, now: NOW };
    let found = engine(&keys, &dataset);
    let nothing = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for (index, key) in keys.iter().enumerate() {
        let expected = reference.faults(key);
        let judged = found.get(&index.to_string()).unwrap_or(&nothing);
        assert_eq!(judged, &expected, "{yaml}, {source}: {key:#?}");
        if index < KEYS {
            assert_eq!(judged, &nothing, "{yaml}, {source}: healthy {key:#?}");
        }
        seen.extend(expected);
    }
    let told = !source.is_empty() && deletion != Deletion::Unknown;
    let of_deletions = ["no_missed_delete", "no_phantom_delete"];
    for fault in ["no_missed_change", "no_phantom_change", "no_wrong_value"]
        .into_iter()
        .chain(of_deletions.into_iter().filter(|_| told))
    {
        assert!(
            seen.contains(fault),
            "{yaml}, {source}: {fault} is never met"
        );
    }
    assert!(seen.len() >= 9, "nearly every fault is met: {seen:?}");
}

/// `from to flags first second`, such as `1 5 d a b`: ended with the flag; `5 - c a b` is open and current.
fn version(text: &str) -> Version {
    let [from, to, flags, first, second] = words(text);
    Version {
        from: from.parse().unwrap(),
        to: to.parse().ok(),
        current: flags.contains('c'),
        deleted: flags.contains('d'),
        values: values(first, second),
    }
}

/// `at flags first second`, such as `5 d a b`: deleted at 5.
fn change(text: &str) -> Change {
    let [at, flags, first, second] = words(text);
    Change {
        at: at.parse().unwrap(),
        deleted: flags.contains('d'),
        values: values(first, second),
    }
}

fn words<const COUNT: usize>(text: &str) -> [&str; COUNT] {
    let words: Vec<&str> = text.split(' ').collect();
    words.try_into().unwrap()
}

fn values(first: &str, second: &str) -> Values {
    [first, second].map(|text| (text != "NULL").then(|| text.to_owned()))
}

/// Judges one key, with the engine and by the definitions.
fn judged(dataset: &Dataset, versions: &[&str], changes: &[&str]) -> Vec<&'static str> {
    let key = Key {
        versions: versions.iter().map(|text| version(text)).collect(),
        changes: changes.iter().map(|text| change(text)).collect(),
    };
    let scd2 = dataset.scd2.as_ref().unwrap();
    let found = engine(std::slice::from_ref(&key), dataset);
    let reference = Reference { scd2, now: NOW };
    assert_eq!(found["0"], reference.faults(&key), "{key:#?}");
    found["0"].iter().copied().collect()
}

#[rstest]
#[case::a_delete_that_was_missed(&["1 - c a b"], &["1 - a b", "5 d a b"], &["no_missed_delete"])]
#[case::a_delete_at_another_time(
    &["1 20 d a b"], &["1 - a b", "5 d a b"], &["no_missed_delete", "no_phantom_delete"]
)]
#[case::a_delete_that_never_was(&["1 20 d a b"], &["1 - a b"], &["no_phantom_delete"])]
#[case::a_delete_of_a_key_that_lives(&["1 - cd a b"], &["1 - a b"], &["no_phantom_delete"])]
#[case::a_change_hidden_by_another(
    &["1 5 - Sales Rep", "5 - c Sales Lead"], &["1 - Sales Rep", "5 - Marketing Lead"], &["no_wrong_value"]
)]
#[case::a_wrong_value(&["1 5 - a b", "5 - c a z"], &["1 - a b", "5 - a c"], &["no_wrong_value"])]
#[case::null_is_no_empty_text(&["1 - c a "], &["1 - a NULL"], &["no_wrong_value"])]
#[case::a_version_of_a_deleted_key(
    &["1 5 d a b", "5 - c a c"], &["1 - a b", "5 d a b"], &["no_phantom_change"]
)]
#[case::deleted_and_created_again(
    &["1 5 d a b", "9 - c a b"], &["9 - a b", "5 d NULL NULL", "1 - a b"], &[]
)]
#[case::deleted_twice(&["1 5 d a b"], &["1 - a b", "5 d a b", "7 d a b"], &[])]
#[case::deleted_and_created_at_one_instant(
    &["1 5 d a b", "5 - c a b"], &["1 - a b", "5 d a b", "5 - a b"], &[]
)]
#[case::changed_and_deleted_at_one_instant(&["1 5 d a b"], &["1 - a b", "5 - a c", "5 d a c"], &[])]
#[case::the_same_twice(&["1 5 - a b", "5 - c a c"], &["1 - a b", "5 - a c", "5 - a c", "8 - a c"], &[])]
#[case::two_values_at_one_instant(&["1 5 - a b", "5 - c a c"], &["1 - a b", "5 - a d", "5 - a c", "8 - a c"], &[])]
#[case::settled_after_two_values(
    &["1 5 - a b", "5 - c a c"], &["1 - a b", "5 - a d", "5 - a c", "8 - a d"], &["no_missed_change"]
)]
#[case::sound(&["1 - c a b"], &["1 - a b"], &[])]
fn a_dimension_is_held_against_its_source(
    #[case] versions: &[&str],
    #[case] changes: &[&str],
    #[case] expected: &[&str],
) {
    let dataset = dataset("gaps: after_delete", "deleted: gone", Deletion::Ends);
    assert_eq!(judged(&dataset, versions, changes), expected);
}

#[rstest]
#[case::begun_at_the_delete(&["1 5 - a b", "5 - cd a b"], &["1 - a b", "5 d a b"], &[])]
#[case::marked(&["1 - cd a b"], &["1 - a b", "5 d a b"], &[])]
#[case::begun_at_another_time(
    &["1 7 - a b", "7 - cd a b"], &["1 - a b", "5 d a b"], &["no_missed_delete", "no_phantom_change"]
)]
#[case::of_a_key_that_lives(
    &["1 5 - a b", "5 - cd a b"], &["1 - a b"], &["no_phantom_change", "no_phantom_delete"]
)]
#[case::back_again(&["1 5 - a b", "5 9 d a b", "9 - c a b"], &["1 - a b", "5 d a b", "9 - a b"], &[])]
fn a_tombstone_stands_where_the_source_deleted(
    #[case] versions: &[&str],
    #[case] changes: &[&str],
    #[case] expected: &[&str],
) {
    let dataset = dataset("gaps: forbidden", "deleted: gone", Deletion::Begins);
    assert_eq!(judged(&dataset, versions, changes), expected);
}

#[rstest]
#[case::older_than_the_log(&["1 20 - a b", "20 - c a c"], &["15 - a b", "20 - a c"], &[])]
#[case::without_a_row(&["1 - c a b"], &["5 - z z"], &[])]
#[case::a_first_row_that_differs(&["1 - c a b"], &["15 - a c"], &["no_missed_change"])]
#[case::a_first_row_that_deletes(&["1 - c a b"], &["15 d a b"], &["no_missed_delete"])]
#[case::a_start_that_the_log_lacks(&["1 20 - a b", "20 - c a c"], &["15 - a b"], &["no_phantom_change"])]
fn what_came_before_a_log_that_keeps_recent_changes_is_not_compared(
    #[case] versions: &[&str],
    #[case] changes: &[&str],
    #[case] expected: &[&str],
) {
    let dataset = dataset(
        "gaps: after_delete",
        "deleted: gone, keeps: 50m",
        Deletion::Ends,
    );
    assert_eq!(judged(&dataset, versions, changes), expected);
}

#[test]
fn a_nested_overlap_is_one_fault_and_no_gap() {
    let dataset = dataset("gaps: forbidden", "deleted: gone", Deletion::Ends);
    let versions = ["0 100 - a a", "2 3 - b b", "50 60 - a a", "100 - c b b"];
    let changes = ["0 - a a", "2 - b b", "50 - a a", "100 - b b"];
    assert_eq!(judged(&dataset, &versions, &changes), ["no_overlap"]);
}
