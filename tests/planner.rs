//! The planner over the SQL engine of the local cloud: few scans, bad rules that do not take good ones with them, parts
//! of tables, earlier results, and input that is hard to get right.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

#[path = "planner/apart.rs"]
mod apart;

use pipeline_validator::past::{Past, Run};
use pipewarden_shared::profile::{Dataset, Window, WindowForm};
use pipewarden_tests::Lake;
use pipewarden_tests::rules::{Asked, ask_rules, ask_with, lake, profile};
use std::collections::BTreeMap;

fn passed(asked: &Asked) -> Vec<bool> {
    asked.checks.iter().map(|check| check.passed).collect()
}

/// Earlier values of a measure, the oldest first.
fn past(measure: &str, values: &[f64]) -> Past {
    values
        .iter()
        .enumerate()
        .fold(Past::default(), |past, (index, value)| {
            past.with(Run {
                execution_id: index.to_string(),
                at: jiff::Timestamp::from_second(index as i64).unwrap(),
                measures: BTreeMap::from([(measure.to_owned(), *value)]),
            })
        })
}

#[test]
fn a_bad_rule_stands_alone_and_the_others_are_answered() {
    // Texts have no mean, and a where clause may be wrong in ways that only the engine sees.
    let mut rules: Vec<String> = (1..20).map(|most| format!("RowCount <= {most}")).collect();
    rules.insert(7, "Mean \"name\" > 1".to_owned());
    rules.push("IsComplete \"id\" where \"nickname = 'x'\"".to_owned());
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let asked = ask_rules(&lake(None), &rules, |_| {});
    for (rule, check) in rules.iter().zip(&asked.checks) {
        let bad = rule.starts_with("Mean") || rule.starts_with("IsComplete");
        assert_eq!(check.not_evaluated.is_some(), bad, "{rule}: {check:?}");
        if bad {
            assert!(
                !check.passed && check.sentence.contains("could not be evaluated: query"),
                "{check:?}"
            );
        }
    }
    assert_eq!(asked.records, Some(8), "the rows are counted all the same");
    // Halving finds two of twenty-one in few rounds: one query each would be twenty-two.
    assert!(asked.queries.len() < 22, "{}", asked.queries.len());
}

#[test]
fn a_missing_column_or_table_is_named_before_anything_runs() {
    let lake = lake(None);
    let asked = ask_rules(
        &lake,
        &[
            "IsComplete \"nickname\"",
            "(RowCount > 1) or (IsUnique \"nickname\")",
            "ReferentialIntegrity \"id\" \"others.uid\" = 1.0",
            "IsComplete \"ID\"",
        ],
        |_| {},
    );
    assert_eq!(passed(&asked), [false, true, false, true]);
    assert_eq!(
        asked.checks[0].failure(),
        "d: IsComplete \"nickname\": there is no column nickname in lake.things"
    );
    assert_eq!(
        asked.checks[2].sentence,
        "there is no column uid in lake.others"
    );
    assert!(
        !lake
            .queries()
            .iter()
            .any(|query| query.contains("nickname"))
    );

    let elsewhere = |dataset: &mut Dataset| {
        dataset.table = "nowhere".to_owned().try_into().unwrap();
    };
    let asked = ask_rules(&lake, &["IsComplete \"id\""], elsewhere);
    assert_eq!(asked.checks[1].sentence, "there is no table lake.nowhere");
}

#[test]
fn a_part_of_the_table_is_a_part_in_every_scan() {
    let since = |form| Window {
        column: "day".to_owned().try_into().unwrap(),
        last: jiff::SignedDuration::from_hours(24 * 5),
        form,
    };
    let rules = [
        "RowCount = 4",
        "IsUnique \"name\"",
        "RowCountMatch \"others\" = 1.0",
        "ReferentialIntegrity \"id\" \"others.id\" < 0.4",
        "AggregateMatch \"sum(id)\" \"sum(others.id)\" between 2.08 and 2.09",
        "CustomSql \"select count(*) from primary\" = 4",
    ];
    for (form, literal) in [
        (WindowForm::Date, "DATE '2026-01-03'"),
        (WindowForm::Text("%Y-%m-%d".to_owned()), "'2026-01-03'"),
        (WindowForm::Timestamp, "TIMESTAMP '2026-01-03 12:00:00.000'"),
    ] {
        // A text is compared with a text: the engine casts the column in this one.
        if form != WindowForm::Date {
            let profile = profile(&rules, |dataset| dataset.window = Some(since(form)));
            let now = "2026-01-08T12:00:00Z".parse().unwrap();
            let plan = pipeline_validator::plan(&profile, "lake", now).unwrap();
            for scan in &plan[0].scans {
                assert!(
                    scan.sql.parameters.contains(&literal.to_owned()),
                    "{scan:?}"
                );
            }
            continue;
        }
        let asked = ask_rules(&lake(None), &rules, |dataset| {
            dataset.window = Some(since(form));
            dataset.filter = Some("amount > 0".to_owned());
        });
        assert_eq!(passed(&asked), [true; 6], "{:?}", asked.checks);
        assert_eq!(asked.records, Some(4));
    }
}

#[test]
fn rules_look_back_at_earlier_runs() {
    let rules = [
        "RowCount >= avg(last(3)) * 0.9",
        "DetectAnomalies \"RowCount\"",
        "RowCount > 1",
    ];
    let profile = profile(&rules, |_| {});
    let young = ask_with(&lake(None), &profile, &past("RowCount", &[8.0, 9.0]));
    assert_eq!(passed(&young), [true, true, true]);
    assert_eq!(young.checks[0].expected, ">= 7.65");
    assert_eq!(
        young.checks[1].not_evaluated.as_deref(),
        Some("not enough history: 2 of 5 runs with a result")
    );

    let grown = ask_with(
        &lake(None),
        &profile,
        &past("RowCount", &[100.0, 101.0, 99.0, 100.0, 102.0]),
    );
    assert_eq!(passed(&grown), [false, false, true]);
    assert_eq!(
        grown.checks[1].failure(),
        "d: DetectAnomalies \"RowCount\": 8 rows, expected 95 to 105 as in 5 earlier runs"
    );

    let none = ask_with(&lake(None), &profile, &Past::default());
    assert_eq!(
        none.checks[0].not_evaluated.as_deref(),
        Some("not enough history: no earlier run has a result")
    );
}

#[test]
fn analyzers_measure_and_expect_nothing() {
    let mut profile = profile(&[], |_| {});
    let dataset = profile.datasets.get_mut("d").unwrap();
    dataset.rules = Some(
        "Rules = [ RowCount > 1 ] Analyzers = [ AllStatistics \"AllColumns\", ColumnCorrelation \"id\" \"score\" ]"
            .to_owned(),
    );
    let asked = ask_with(&lake(None), &profile, &Past::default());
    assert_eq!(asked.checks.len(), 1);
    for (measure, expected) in [
        ("Completeness \"name\"", 0.875),
        ("Mean \"amount\"", 14.5 / 7.0),
        ("ColumnValues \"score\" max", 60.0),
        ("ColumnLength \"name\" max", 7.0),
        ("DistinctValuesCount \"code\"", 7.0),
    ] {
        let found = asked.measures.get(measure).copied();
        assert!(
            found.is_some_and(|found| (found - expected).abs() < 1e-9),
            "{measure}: {found:?}"
        );
    }
    assert!(
        !asked.measures.contains_key("Mean \"name\""),
        "no text is a number"
    );
    // One scan of the rows, and one for each of the six columns.
    assert_eq!(asked.queries.len(), 7);
}

#[test]
fn what_an_author_wrote_is_answered_or_named() {
    let twice = "1,a,1,1,2026-01-01,x\n1,b,1,1,2026-01-01,x\n";
    let asked = ask_rules(
        &lake(Some(twice)),
        &[
            "CustomSql \"select id from primary\" > 0",
            "CustomSql \"select nickname from primary\" > 0",
            "DatasetMatch \"others\" \"id\" \"name\" > 0.0",
        ],
        |_| {},
    );
    assert_eq!(passed(&asked), [false; 3]);
    assert_eq!(
        asked.checks[0].sentence,
        "its SQL gave 2 rows instead of one"
    );
    assert!(asked.checks[1].not_evaluated.is_some());
    assert_eq!(
        asked.checks[2].sentence,
        "rows cannot be compared: the columns do not name one row"
    );
}

#[test]
fn values_that_are_hard_to_hold() {
    let columns = [
        ("id", "INTEGER"),
        ("nothing", "VARCHAR"),
        ("ratio", "DOUBLE"),
        ("money", "DECIMAL(38,10)"),
        ("at", "TIMESTAMP"),
        ("zoned", "TIMESTAMPTZ"),
    ];
    let rows = "\
1,\\N,nan,1234567890123456789012345678.0000000001,1677-09-22 00:00:00,2026-01-08 01:00:00+02
2,\\N,1.5,-1234567890123456789012345678.0000000001,9999-12-31 23:59:59,2026-01-08 12:00:00+00
";
    let lake = Lake::default().with("things", &columns, rows);
    let asked = ask_rules(
        &lake,
        &[
            "Completeness \"nothing\" = 0.0",
            "Mean \"nothing\" > 0",
            "DistinctValuesCount \"nothing\" = 0",
            "IsUnique \"nothing\"",
            "ColumnLength \"nothing\" = 0",
            // NaN is no number that is under 2, and equals nothing.
            "ColumnValues \"ratio\" < 2 with threshold = 0.5",
            "Mean \"ratio\" > 0",
            // More digits than a double has.
            "ColumnValues \"money\" <= 1234567890123456789012345678.0000000001",
            "ColumnValues \"money\" < 1234567890123456789012345678.0000000001 with threshold = 0.5",
            "ColumnValues \"at\" > \"1600-01-01\"",
            "ColumnValues \"at\" < \"9999-12-31\" with threshold = 0.5",
            "RowCount > 100000000000000000000000000000000000000000",
        ],
        |_| {},
    );
    let expected = [
        true, false, true, true, true, true, false, true, true, true, true, false,
    ];
    assert_eq!(passed(&asked), expected, "{:#?}", asked.checks);
    let young = ask_rules(
        &lake,
        &[
            "DataFreshness \"zoned\" < 13 hours where \"id = 1\"",
            "DataFreshness \"zoned\" < 14 hours",
            "ColumnValues \"zoned\" <= now()",
        ],
        |_| {},
    );
    assert_eq!(passed(&young), [false, true, true], "{:#?}", young.checks);
}

#[test]
fn a_thousand_columns_are_a_few_scans() {
    let names: Vec<String> = (0..1_000).map(|index| format!("column {index}")).collect();
    let mut columns: Vec<(&str, &str)> = vec![("id", "INTEGER")];
    columns.extend(names.iter().map(|name| (name.as_str(), "INTEGER")));
    let row = vec!["1"; 1_001].join(",");
    let lake = Lake::default().with("things", &columns, &format!("{row}\n"));
    let rules: Vec<String> = names
        .iter()
        .map(|name| format!("ColumnValues \"{name}\" = 1"))
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let asked = ask_rules(&lake, &rules, |_| {});
    assert_eq!(asked.checks.len(), 1_000);
    assert!(asked.checks.iter().all(|check| check.passed));
    assert!(asked.queries.len() <= 5, "{}", asked.queries.len());
}

#[test]
fn ten_thousand_rules_stay_within_the_limits_of_a_query() {
    let rules: Vec<String> = (0..10_000)
        .map(|index| {
            format!(
                "ColumnValues \"score\" between {index} and {} where \"id > {index}\"",
                index + 9
            )
        })
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let profile = profile(&rules, |_| {});
    let plan = pipeline_validator::plan(&profile, "lake", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let answered: usize = plan[0].scans.iter().map(|scan| scan.answers.len()).sum();
    // One more for the rows that are counted in any case.
    assert_eq!(answered, 10_001);
    for scan in &plan[0].scans {
        let parameters: usize = scan.sql.parameters.iter().map(String::len).sum();
        assert!(scan.sql.text.len() + parameters < 262_144);
    }
    assert!(plan[0].scans.len() < 70, "{}", plan[0].scans.len());
}
