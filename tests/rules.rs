//! Rules in DQDL over the SQL engine of the local cloud: each means what the reference of AWS Glue says, alone and
//! among a hundred others.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

#[path = "rules/limits.rs"]
mod limits;
#[path = "rules/values.rs"]
mod values;

use pipeline_validator::check::Check;
use pipeline_validator::rules::Rules;
use pipeline_validator::sql::Trino;
use pipewarden_tests::rules::{Asked, ask_rules, lake, profile};

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
    // It is the 8th of January 2026, noon. Every row has to be so young, and NULL has no age.
    ("DataFreshness \"day\" <= 8 days", false),
    (
        "DataFreshness \"day\" <= 8 days where \"day is not null\"",
        true,
    ),
    ("DataFreshness \"day\" < 2 hours where \"id = 8\"", false),
    (
        "DataFreshness \"day\" between 12 hours and 30 hours where \"id in (7, 8)\"",
        false,
    ),
    (
        "DataFreshness \"day\" between 35 hours and 37 hours where \"id = 8\"",
        true,
    ),
    (
        "ColumnValues \"day\" > (now() - 8 days) where \"day is not null\"",
        true,
    ),
    ("ColumnValues \"day\" > (now() - 2 days)", false),
    ("ColumnValues \"day\" <= now() where \"id < 5\"", true),
    (
        "ColumnDataType \"code\" = \"INTEGER\" with threshold between 0.3 and 0.4",
        true,
    ),
    ("ColumnDataType \"code\" = \"INTEGER\"", false),
    (
        "ColumnDataType \"code\" = \"DATE\" where \"id in (3, 4)\"",
        true,
    ),
    (
        "ColumnDataType \"code\" != \"DOUBLE\" where \"id = 5\"",
        true,
    ),
    (
        "ColumnDataType \"code\" = \"DATE\" where \"id = 6\" with format = \"dd/MM/yyyy\"",
        true,
    ),
    (
        "ColumnDataType \"code\" = \"DATE\" where \"id = 6\" with format = \"MM/dd/yyyy\"",
        false,
    ),
    (
        "ColumnDataType \"code\" = \"DECIMAL(4,2)\" where \"id in (1, 2)\"",
        true,
    ),
    (
        "ColumnDataType \"score\" = \"LONG\" where \"score is not null\"",
        true,
    ),
    // The catalog.
    ("ColumnCount = 6", true),
    ("ColumnCount > 6", false),
    ("ColumnExists \"Name\"", true),
    ("ColumnExists \"nickname\"", false),
    ("ColumnNamesMatchPattern \"[a-z]+\"", true),
    ("ColumnNamesMatchPattern \"e$\"", false),
    ("SchemaMatch \"others\" = 1.0", false),
    ("SchemaMatch \"others\" >= 0.8", true),
    // Two tables: five of the eight ids are there, and two of the rows are the same.
    ("RowCountMatch \"others\" = 2.0", true),
    ("RowCountMatch \"others\" between 0.9 and 1.1", false),
    ("ReferentialIntegrity \"id\" \"others.id\" = 0.5", true),
    (
        "ReferentialIntegrity \"id,name\" \"others.{id,name}\" = 0.375",
        true,
    ),
    ("ReferentialIntegrity \"id\" \"others.id\" > 0.9", false),
    ("DatasetMatch \"others\" \"id\" \"name\" = 0.375", true),
    ("DatasetMatch \"others\" \"id\" = 0.25", true),
    (
        "DatasetMatch \"others\" \"id->id\" \"score->score\" > 0.9",
        false,
    ),
    (
        "AggregateMatch \"sum(score)\" \"sum(others.score)\" = 2.2",
        true,
    ),
    ("AggregateMatch \"avg(id)\" \"avg(others.id)\" < 1.0", false),
    (
        "CustomSql \"select count(*) from primary where amount > 1\" = 4",
        true,
    ),
    (
        "CustomSql \"select count(*) from primary p join others o on p.id = o.id\" between 5 and 9",
        false,
    ),
    (
        "CustomSql \"with a as (select max(score) m from primary) select m from a\" = 60",
        true,
    ),
    (
        "CustomSql \"select id from primary where score > 5\" with threshold > 0.8",
        true,
    ),
];

/// The checks of rules over the tables of [`lake`], and how many scans answered them.
fn ask(rules: &[&str], rows: Option<&str>) -> (Vec<Check>, usize) {
    let Asked {
        checks, queries, ..
    } = ask_rules(&lake(rows), rules, |_| {});
    (checks, queries.len())
}

#[test]
fn every_rule_means_what_the_reference_says() {
    let rules: Vec<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    let (checks, scans) = ask(&rules, None);
    for ((rule, holds), check) in RULES.iter().zip(&checks) {
        assert_eq!(check.passed, *holds, "{rule}: {check:?}");
        assert_eq!(check.violations > 0, !holds, "{rule}: {check:?}");
    }
    // One of the rows; one for each set of columns that is grouped: id, name, score, name and score, id and name; and
    // one for each of the fourteen rules over two tables or in SQL of their author.
    assert_eq!(scans, 1 + 5 + 14, "{} rules", rules.len());
}

#[test]
fn a_rule_says_the_same_alone_as_among_others() {
    let rules: Vec<&str> = RULES.iter().map(|(rule, _)| *rule).collect();
    let (together, _) = ask(&rules, None);
    for (rule, check) in rules.iter().zip(&together).step_by(11) {
        let (alone, _) = ask(&[rule], None);
        assert_eq!(&alone[0], check);
    }
}

#[test]
fn samples_name_the_rows_that_fail() {
    let (checks, _) = ask(&["IsComplete \"name\"", "IsUnique \"name\""], None);
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
        Some(""),
    );
    let passed: Vec<bool> = checks.iter().map(|check| check.passed).collect();
    assert_eq!(passed, [false, true, true, false, true]);
}

#[test]
fn what_cannot_be_answered_is_refused_by_name() {
    for (rule, reason) in [
        ("RowCount > mode(last(10))", "none of last"),
        ("RowCount > last(10)", "a list is no number"),
        (
            "ColumnValues \"score\" > avg(last(3))",
            "compared with constants",
        ),
        ("DataFreshness \"day\" = 2 days", "use < or >"),
        (
            "ReferentialIntegrity \"id\" \"strangers.id\" = 1.0",
            "\"strangers\" is no dataset of the profile",
        ),
        (
            "ReferentialIntegrity \"id,name\" \"others.id\" = 1.0",
            "2 columns cannot refer to 1",
        ),
        (
            "AggregateMatch \"median(id)\" \"sum(others.id)\" = 1.0",
            "is no aggregate",
        ),
        ("ColumnNamesMatchPattern \"(?=x)\"", "no regular expression"),
        ("ColumnDataType \"id\" = \"MONEY\"", "is none of Boolean"),
        (
            "ColumnDataType \"id\" = \"DATE\" with format = \"d.M.yy\"",
            "is no format",
        ),
        ("CustomSql \"delete from primary\" = 0", "is no SELECT"),
        ("CustomSql \"select 1; drop table x\" = 0", "holds a ;"),
        ("FileSize > 2 MB", "is about files"),
        (
            "FileFreshness \"s3://b/\" > (now() - 1 days)",
            "is about files",
        ),
        (
            "RowCount > 1 where \"id > 1); DROP TABLE things\"",
            "where clause",
        ),
        ("RowCount > 1 where \"id = 1 -- \"", "comment"),
        ("DetectAnomalies \"Median\" \"id\"", "is no rule type"),
        (
            "ColumnValues \"name\" matches \"(unclosed[\"",
            "an open class",
        ),
        (
            "ColumnValues \"score\" > 999999999999999999999999999999999999999",
            "has over 38 digits",
        ),
        (
            "RowCount > 1 labels = [\"severity\"=\"wran\"]",
            "the severity \"wran\" is none of warn and fail",
        ),
    ] {
        let dqdl = format!("Rules = [ {rule} ]");
        let error = Rules::parse(&dqdl, &profile(&[], |_| {}).datasets, &Trino)
            .expect_err(rule)
            .to_string();
        assert!(error.contains(reason), "{rule}: {error}");
    }
}

#[test]
fn a_hostile_name_is_a_name() {
    let hostile = r#"IsComplete "a\"; DROP TABLE x --""#;
    let profile = profile(&[hostile], |_| {});
    let plans = pipeline_validator::plan(&profile, "la\"ke", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let sql = &plans[0].scans[0].sql.text;
    assert!(
        sql.contains(r#""a""; DROP TABLE x --" IS NOT NULL"#),
        "{sql}"
    );
    assert!(sql.ends_with(r#"FROM "la""ke"."things""#), "{sql}");
}
