//! What a dimension is asked, and how its row is read.

use super::*;
use crate::catalog::{ColumnType, Schema, Schemas, TableName};
use pipewarden_shared::profile::{Dataset, Profile};

fn sf_user() -> Dataset {
    let profile = Profile::parse(include_str!("../../../../pipelines/sf-user.yaml")).unwrap();
    profile.datasets["dim_sf_user"].clone()
}

fn asked(dataset: &Dataset, schemas: Option<&Schemas>, since: Option<&str>) -> Question {
    let dimension = Dimension {
        dataset,
        scd2: dataset.scd2.as_ref().unwrap(),
        database: "salesforce",
        dialect: &crate::sql::Trino,
        schemas,
        now: "2026-03-01T07:00:00Z".parse().unwrap(),
    };
    let since = since.map(|since| since.parse().unwrap());
    question("dim_sf_user", &dimension, since)
}

fn dimension(since: Option<&str>) -> Question {
    asked(&sf_user(), None, since)
}

/// A row of the scan: keys, keys with a version, unsound keys, then each invariant with its samples.
fn row(
    question: &Question,
    head: [&str; 3],
    broken: &[(&str, &str, &str)],
    tail: &[&str],
) -> Vec<Vec<Option<String>>> {
    let mut row: Vec<Option<String>> = head.map(|value| Some(value.to_owned())).to_vec();
    for check in question.scan.as_ref().unwrap().answers.iter().skip(1) {
        let found = broken.iter().find(|(name, ..)| check.ends_with(name));
        let (count, samples) = found.map_or(("0", "[]"), |(_, count, samples)| (*count, *samples));
        row.extend([Some(count.to_owned()), Some(samples.to_owned())]);
    }
    row.extend(tail.iter().map(|value| Some((*value).to_owned())));
    vec![row]
}

fn findings_of(question: &Question, rows: Vec<Vec<Option<String>>>) -> Findings {
    let scan = question.scan.as_ref().unwrap();
    question.read(&scan.row(rows).unwrap()).unwrap()
}

#[test]
fn one_query_answers_every_invariant_and_reads_each_table_once() {
    let question = dimension(Some("2026-03-01T06:00:00.5Z"));
    let scan = question.scan.as_ref().unwrap();
    assert_eq!(scan.sql.parameters, ["1772344800.500"]);
    assert_eq!(scan.sql.text.matches("\"dim_sf_user\"").count(), 1);
    assert_eq!(scan.sql.text.matches("\"sf_user_raw\"").count(), 1);
    insta::assert_snapshot!(scan.sql.text);
}

#[test]
fn without_a_start_nothing_is_counted_as_the_runs() {
    let question = dimension(None);
    let scan = question.scan.as_ref().unwrap();
    assert!(scan.sql.parameters.is_empty() && !scan.sql.text.contains('?'));
    let row = row(&question, ["10", "10", "0"], &[], &[]);
    let history = findings_of(&question, row).history.unwrap();
    let expected = History {
        keys: 10,
        unsound: 0,
        changes: None,
    };
    assert_eq!(history, expected);
}

#[test]
fn a_violation_names_the_keys() {
    let question = dimension(Some("2026-03-01T06:00:00Z"));
    let broken = [
        ("one_current_version", "1", "[\"005A\"]"),
        ("no_overlap", "2", "[\"005B\",\"005C\"]"),
    ];
    let row = row(&question, ["10", "10", "3"], &broken, &["4", "5", "6"]);
    let findings = findings_of(&question, row);
    let failed: Vec<_> = findings
        .checks
        .iter()
        .map(|(_, check)| check)
        .filter(|check| !check.passed)
        .map(Check::failure)
        .collect();
    assert_eq!(
        failed,
        [
            "dim_sf_user.one_current_version: 1 of 10 keys have not exactly one current version (e.g. 005A)",
            "dim_sf_user.no_overlap: 2 of 10 keys have overlapping versions (e.g. 005B, 005C)",
        ]
    );
    let changes = findings.history.unwrap().changes.unwrap();
    assert_eq!(
        changes,
        Changes {
            created: 4,
            updated: 5,
            deleted: 6
        }
    );
}

#[test]
fn an_empty_dimension_is_not_sound() {
    let question = dimension(None);
    let row = row(&question, ["3", "0", "3"], &[], &[]);
    let findings = findings_of(&question, row);
    let (_, check) = &findings.checks[0];
    assert_eq!(
        check.failure(),
        "dim_sf_user.has_keys: the dimension is empty"
    );
    assert!(!check.passed);
}

/// The catalog of sf_user: every column is there but the one that is left out.
fn catalog(without: (&str, &str)) -> Schemas {
    let dimension = "id division department title audit_phase__c is_active valid_from valid_to is_current is_deleted \
                     dbt_updated_at";
    let source = "id division department title audit_phase__c is_active is_deleted system_modstamp";
    [("dim_sf_user", dimension), ("sf_user_raw", source)]
        .map(|(table, columns)| {
            let columns = columns
                .split_whitespace()
                .filter(|column| (table, *column) != without)
                .map(|column| ColumnType {
                    name: column.to_owned(),
                    data_type: "string".to_owned(),
                });
            let columns = columns.collect();
            (TableName::of(table), Schema { columns })
        })
        .into_iter()
        .collect()
}

#[test]
fn a_column_that_the_dimension_lacks_is_named_for_every_check() {
    let schemas = catalog(("dim_sf_user", "title"));
    let question = asked(&sf_user(), Some(&schemas), None);
    assert!(question.scan.is_none());
    let checks = question.without_row("no row");
    assert_eq!(checks.len(), 14);
    for (_, check) in checks {
        assert_eq!(
            check.sentence,
            "could not be evaluated: there is no column title in salesforce.dim_sf_user"
        );
    }
}

#[test]
fn a_column_that_the_source_lacks_leaves_the_dimension_to_be_asked() {
    let schemas = catalog(("sf_user_raw", "title"));
    let question = asked(&sf_user(), Some(&schemas), None);
    let scan = question.scan.as_ref().unwrap();
    assert!(!scan.sql.text.contains("sf_user_raw"));
    let row = row(&question, ["10", "10", "0"], &[], &[]);
    let checks = findings_of(&question, row).checks;
    let open: Vec<&str> = checks
        .iter()
        .filter(|(_, check)| check.not_evaluated.is_some())
        .map(|(_, check)| check.name.as_str())
        .collect();
    assert_eq!(
        open,
        [
            "dim_sf_user.no_missed_change",
            "dim_sf_user.no_phantom_change",
            "dim_sf_user.no_wrong_value",
            "dim_sf_user.no_missed_delete",
            "dim_sf_user.no_phantom_delete"
        ]
    );
    assert!(
        checks[13]
            .1
            .sentence
            .contains("there is no column title in salesforce.sf_user_raw")
    );
}

#[test]
fn values_of_another_type_are_compared_as_the_dimension_holds_them() {
    let typed = |own: &str, other: &str| {
        let mut schemas = catalog(("", ""));
        for (table, data_type) in [("dim_sf_user", own), ("sf_user_raw", other)] {
            let schema = schemas.get_mut(&TableName::of(table)).unwrap();
            for column in &mut schema.columns {
                column.data_type = data_type.to_owned();
            }
        }
        let dataset = sf_user();
        asked(&dataset, Some(&schemas), None).scan.unwrap().sql.text
    };
    let same = typed("double", "double");
    assert!(same.contains("length(CAST(\"title\" AS varchar))") && !same.contains("TRY_CAST"));
    let other = typed("decimal(10,2)", "double");
    assert!(other.contains("CAST(TRY_CAST(\"title\" AS decimal(10,2)) AS varchar)"));
    // Athena would refuse the whole query.
    assert!(!typed("date", "bigint").contains("TRY_CAST"));
}
