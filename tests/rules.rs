//! Rules in DQDL over the SQL engine of the local cloud: each means what the reference of AWS Glue says, alone and
//! among a hundred others.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipeline_validator::check::Check;
use pipeline_validator::rules::{Rules, question};
use pipewarden_shared::profile::{Dataset, Profile};
use pipewarden_tests::run_sql;
use serde_json::json;

/// A table with everything that is easy to get wrong: NULL, blanks, quotes, duplicates, negative numbers.
const ROWS: &str = "\
1,alpha,10,2.5,2026-01-01
2,beta,20,-1.5,2026-01-02
3,,30,0,2026-01-03
4,\\N,40,1.0,2026-01-04
5,\"  \",50,\\N,\\N
6,O'Brien,10,3.0,2026-01-05
7,alpha,\\N,4.0,2026-01-06
8,Ünïcode,60,5.5,2026-01-07
";

/// Each rule, and whether it holds for the table.
const RULES: &[(&str, bool)] = &[
    ("RowCount = 8", true),
    ("RowCount between 8 and 10", false),
    ("RowCount not between 8 and 10", true),
    ("RowCount in [7, 8]", true),
    ("RowCount > 2 * 3", true),
    // Without precedence this is (5 + 2) * 2.
    ("RowCount < 5 + 2 * 2", true),
    ("RowCount = 4 where \"amount > 1\"", true),
    ("Completeness \"name\" = 0.875", true),
    ("Completeness \"name\" > 0.9", false),
    ("IsComplete \"id\"", true),
    ("IsComplete \"name\"", false),
    ("IsComplete \"name\" where \"id < 4\"", true),
    ("ColumnValues \"score\" >= 10", false),
    ("ColumnValues \"score\" >= 10 with threshold >= 0.8", true),
    ("ColumnValues \"score\" != 11", true),
    ("ColumnValues \"score\" != 10", false),
    ("ColumnValues \"score\" != NULL", false),
    ("ColumnValues \"score\" in [10,20,30,40,50,60,NULL]", true),
    ("ColumnValues \"score\" in [10,20,30,40,50,60]", false),
    ("ColumnValues \"score\" not in [70]", true),
    ("ColumnValues \"score\" not in [70,NULL]", false),
    (
        "ColumnValues \"amount\" between -2 and 6 where \"amount IS NOT NULL\"",
        true,
    ),
    (
        "ColumnValues \"amount\" between -1.5 and 6 where \"amount IS NOT NULL\"",
        false,
    ),
    ("ColumnValues \"amount\" > -1.50001 where \"id = 2\"", true),
    (
        "ColumnValues \"name\" not in [NULL,EMPTY,WHITESPACES_ONLY] with threshold = 0.625",
        true,
    ),
    (
        "ColumnValues \"name\" in [\"alpha\",\"beta\",\"O'Brien\",\"Ünïcode\",NULL,EMPTY,WHITESPACES_ONLY]",
        true,
    ),
    (
        "ColumnValues \"name\" in [\"alpha\",\"beta\",\"O'Brien\",\"Ünïcode\",NULL,EMPTY]",
        false,
    ),
    ("ColumnValues \"name\" = EMPTY where \"id = 3\"", true),
    (
        "ColumnValues \"name\" = \"alpha\" where \"id in (1, 7)\"",
        true,
    ),
    (
        "ColumnValues \"name\" != \"alpha\" where \"id in (4, 5)\"",
        true,
    ),
    // The whole value has to match, and NULL does not.
    (
        "ColumnValues \"name\" matches \"[a-z]+\" where \"id in (1, 2, 7)\"",
        true,
    ),
    (
        "ColumnValues \"name\" matches \"[a-z]\" where \"id in (1, 2, 7)\"",
        false,
    ),
    (
        "ColumnValues \"name\" matches \".*\" where \"id = 4\"",
        false,
    ),
    (
        "ColumnValues \"name\" not matches \"[a-z]+\" where \"id in (3, 5, 6)\"",
        true,
    ),
    (
        "ColumnValues \"day\" > \"2025-12-31\" where \"day IS NOT NULL\"",
        true,
    ),
    (
        "ColumnValues \"day\" between \"2026-01-01\" and \"2026-01-09\" where \"day IS NOT NULL\"",
        false,
    ),
    ("ColumnLength \"name\" <= 7", true),
    ("ColumnLength \"name\" = 0 where \"id in (3, 4)\"", true),
    ("ColumnLength \"name\" > 0 where \"id = 4\"", false),
    ("Mean \"score\" between 31.4 and 31.5", true),
    ("Sum \"score\" = 220", true),
    ("Sum \"score\" = 100 where \"id < 5\"", true),
    ("StandardDeviation \"score\" between 18.07 and 18.08", true),
    ("Variance \"score\" between 326.5 and 326.6", true),
    ("ColumnCorrelation \"id\" \"score\" > 0", true),
    ("DistinctValuesCount \"score\" = 6", true),
    ("DistinctValuesCount \"name\" = 6", true),
    ("IsUnique \"id\"", true),
    ("IsUnique \"name\"", false),
    // Five of the seven values that are there occur once.
    ("Uniqueness \"name\" between 0.71 and 0.72", true),
    ("UniqueValueRatio \"name\" between 0.83 and 0.84", true),
    ("Uniqueness \"name\" \"score\" = 1.0", true),
    ("Entropy \"score\" between 1.74 and 1.75", true),
    ("IsPrimaryKey \"id\"", true),
    ("IsPrimaryKey \"id\" \"name\"", false),
    ("(IsComplete \"id\") and (IsUnique \"id\")", true),
    ("(IsComplete \"name\") or (RowCount = 8)", true),
    ("(IsComplete \"name\") and (RowCount = 8)", false),
    (
        "(ColumnValues \"score\" > 5) or (ColumnValues \"score\" = NULL)",
        false,
    ),
];

fn dataset() -> Dataset {
    let yaml = "{pipeline: p, metrics: {namespace: N}, datasets: {d: {table: things, key: [id]}}}";
    Profile::parse(yaml).unwrap().datasets["d"].clone()
}

/// The checks of rules, and how many scans answered them.
fn ask(rules: &[&str], rows: &str) -> (Vec<Check>, usize) {
    let dqdl = format!("Rules = [ {} ]", rules.join(", "));
    let rules = Rules::parse(&dqdl).unwrap_or_else(|error| panic!("{error}"));
    let question = question(
        "d",
        &dataset(),
        &rules,
        "lake",
        "2026-01-08T00:00:00Z".parse().unwrap(),
    );
    let file = std::env::temp_dir().join(format!(
        "pipewarden-rules-{}-{}.csv",
        std::process::id(),
        rows.len()
    ));
    std::fs::write(&file, rows).unwrap();
    let queries: Vec<_> = question
        .scans
        .iter()
        .map(|scan| json!({"sql": scan.sql.text, "parameters": scan.sql.parameters}))
        .collect();
    let request = json!({"database": "lake", "queries": queries, "tables": {"things": {"file": file, "columns": [
        ["id", "INTEGER"], ["name", "VARCHAR"], ["score", "INTEGER"], ["amount", "DECIMAL(10,4)"], ["day", "DATE"],
    ]}}});
    let results = run_sql(&request);
    assert_eq!(results.len(), question.scans.len(), "every scan runs");
    (
        question.findings(results).unwrap().checks,
        question.scans.len(),
    )
}

#[test]
fn every_rule_means_what_the_reference_says() {
    let rules: Vec<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    let (checks, scans) = ask(&rules, ROWS);
    for ((rule, holds), check) in RULES.iter().zip(&checks) {
        assert_eq!(check.passed, *holds, "{rule}: {check:?}");
        assert_eq!(check.violations > 0, !holds, "{rule}: {check:?}");
    }
    // One of the rows, and one for each set of columns that is grouped: id, name, score, name and score, id and name.
    assert_eq!(scans, 6, "{} rules", rules.len());
}

#[test]
fn a_rule_says_the_same_alone_as_among_others() {
    let rules: Vec<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    let (together, _) = ask(&rules, ROWS);
    for (rule, check) in rules.iter().zip(&together).step_by(4) {
        let (alone, _) = ask(&[rule], ROWS);
        assert_eq!(&alone[0], check);
    }
}

#[test]
fn samples_name_the_rows_that_fail() {
    let (checks, _) = ask(&["IsComplete \"name\"", "IsUnique \"name\""], ROWS);
    assert_eq!(checks[0].samples, ["4"]);
    assert_eq!(checks[1].samples, ["alpha"]);
    assert_eq!(
        checks[0].failure(),
        "d: IsComplete \"name\": 1 of 8 rows fail (e.g. 4)"
    );
}

#[test]
fn an_empty_table_breaks_no_rule_of_rows_and_has_no_numbers() {
    let (checks, _) = ask(
        &[
            "RowCount > 0",
            "IsComplete \"id\"",
            "IsUnique \"id\"",
            "Mean \"score\" > 0",
            "DistinctValuesCount \"id\" = 0",
        ],
        "",
    );
    let passed: Vec<bool> = checks.iter().map(|check| check.passed).collect();
    assert_eq!(passed, [false, true, true, false, true]);
}

#[test]
fn what_cannot_be_answered_is_refused_by_name() {
    for (rule, reason) in [
        ("RowCount > avg(last(10))", "needs the history"),
        (
            "DataFreshness \"day\" <= 2 days",
            "not answered on Athena yet",
        ),
        (
            "ReferentialIntegrity \"id\" \"other.id\" = 1.0",
            "not answered on Athena yet",
        ),
        ("FileSize > 2 MB", "not answered on Athena yet"),
        ("ColumnValues \"day\" > (now() - 3 days)", "clock"),
        (
            "RowCount > 1 where \"id > 1); DROP TABLE things\"",
            "where clause",
        ),
        ("RowCount > 1 where \"id = 1 -- \"", "comment"),
    ] {
        let error = Rules::parse(&format!("Rules = [ {rule} ]"))
            .unwrap_err()
            .to_string();
        assert!(error.contains(reason), "{rule}: {error}");
    }
}

#[test]
fn a_hostile_name_is_a_name() {
    let rules = Rules::parse(r#"Rules = [ IsComplete "a\"; DROP TABLE x --" ]"#).unwrap();
    let question = question(
        "d",
        &dataset(),
        &rules,
        "la\"ke",
        jiff::Timestamp::UNIX_EPOCH,
    );
    let sql = &question.scans[0].sql.text;
    assert!(
        sql.contains(r#""a""; DROP TABLE x --" IS NOT NULL"#),
        "{sql}"
    );
    assert!(sql.ends_with(r#"FROM "la""ke"."things""#), "{sql}");
}
