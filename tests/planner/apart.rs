//! What is the same is asked once, and what differs is kept apart: rows of other datasets, groups, samples, histories.

use crate::{passed, past};
use pipeline_validator::past::Past;
use pipewarden_shared::profile::{Window, WindowForm};
use pipewarden_tests::rules::{ask_rules, ask_with, lake, profile};

#[test]
fn the_rows_of_another_dataset_are_those_that_it_looks_at() {
    let rules = [
        "RowCountMatch \"some\" = 4.0",
        "AggregateMatch \"sum(id)\" \"sum(some.id)\" = 7.2",
        "CustomSql \"select count(*) from some\" = 2",
        "DatasetMatch \"some\" \"id\" \"name\" = 0.25",
        // New rows refer to old ones: the window of the other dataset is no bound, its where is.
        "ReferentialIntegrity \"id\" \"some.id\" = 0.375",
        "RowCountMatch \"d\" = 1.0",
    ];
    let mut profile = profile(&rules, |_| {});
    let mut some = profile.datasets["others"].clone();
    some.filter = Some("id <= 3".to_owned());
    some.window = Some(Window {
        column: "day".to_owned().try_into().unwrap(),
        last: jiff::SignedDuration::from_hours(24 * 6),
        form: WindowForm::Date,
    });
    profile.datasets.insert("some".to_owned(), some);
    let asked = ask_with(&lake(None), &profile, &Past::default());
    assert_eq!(passed(&asked), [true; 6], "{:#?}", asked.checks);
    // The bound of the window prunes the other table's partitions as it does those of its own.
    let bounded = |query: &&String| query.contains("\"day\" >= ?");
    assert_eq!(asked.queries.iter().filter(bounded).count(), 4);
}

#[test]
fn the_same_columns_are_grouped_once() {
    let asked = ask_rules(
        &lake(None),
        &[
            "IsUnique \"score\" \"name\"",
            "IsUnique \"name\" \"score\"",
            "IsUnique \"NAME\" \"score\" \"name\"",
            "Uniqueness \"name\" \"score\" > 0.5",
            "DistinctValuesCount \"SCORE\" > 1",
            "Entropy \"score\" > 1",
        ],
        |_| {},
    );
    assert!(
        passed(&asked).iter().all(|passed| *passed),
        "{:#?}",
        asked.checks
    );
    // The rows; name and score; score.
    assert_eq!(asked.queries.len(), 3, "{:#?}", asked.queries);
}

#[test]
fn a_key_of_many_rows_is_one_sample() {
    let rows: String = (0..60)
        .map(|row| format!("{},x,-1,1,2026-01-01,x\n", if row < 50 { 1 } else { row }))
        .collect();
    let asked = ask_rules(
        &lake(Some(&rows)),
        &[
            "ColumnValues \"score\" > 0",
            "ReferentialIntegrity \"score\" \"others.score\" = 1.0",
            "DatasetMatch \"others\" \"score\" \"name\" = 1.0",
        ],
        |_| {},
    );
    for check in &asked.checks {
        assert_eq!(
            check.samples,
            [
                "1", "50", "51", "52", "53", "54", "55", "56", "57", "58", "59"
            ],
            "{check:?}"
        );
    }
}

#[test]
fn each_condition_on_values_has_a_history_of_its_own() {
    let rules = [
        "ColumnValues \"name\" in [\"alpha\"] with threshold >= avg(last(2))",
        "ColumnValues \"name\" matches \"[a-z]+\" with threshold >= avg(last(2)) * 0.9",
        "CustomSql \"select max(id) from primary\" >= last(1)",
        "CustomSql \"select max(id) from primary\" with threshold >= last(1)",
        "ColumnDataType \"code\" = \"DATE\" with threshold >= last(1)",
        "ColumnDataType \"code\" = \"DATE\" with threshold >= last(1) with format = \"dd/MM/yyyy\"",
    ];
    let profile = profile(&rules, |_| {});
    let measures = ask_with(&lake(None), &profile, &Past::default()).measures;
    for (measure, expected) in [
        ("ColumnValues \"name\" in [\"alpha\"]", 0.25),
        ("ColumnValues \"name\" matches \"[a-z]+\"", 0.375),
        ("CustomSql \"select max(id) from primary\"", 8.0),
        ("CustomSql \"select max(id) from primary\" share", 0.125),
        ("ColumnDataType \"code\" = \"DATE\"", 0.25),
        (
            "ColumnDataType \"code\" = \"DATE\" with format = \"dd/MM/yyyy\"",
            0.125,
        ),
    ] {
        assert_eq!(measures.get(measure), Some(&expected), "{measures:#?}");
    }
    // The number of a rule goes by the rule, whatever it asks of it.
    let low = ask_with(
        &lake(None),
        &profile,
        &past("ColumnValues \"name\" in [\"alpha\"]", &[0.9]),
    );
    assert!(!low.checks[0].passed && low.checks[1].not_evaluated.is_some());
}
