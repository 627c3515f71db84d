//! The SQL of each rule type, as it is kept, as sqlglot reads it (in Athena's dialect) and as the local cloud runs it.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipeline_validator::dqdl::RuleType;
use pipewarden_tests::Lake;
use pipewarden_tests::rules::{ask_rules, lake, profile};
use rstest::rstest;
use std::fmt::Write;

/// One rule of each type that is answered by a scan.
#[rstest]
#[case("RowCount > 1 where \"id > 1\"")]
#[case("Completeness \"name\" > 0.5")]
#[case("IsComplete \"id\"")]
#[case("ColumnDataType \"code\" = \"INTEGER\" with threshold > 0.1")]
#[case("ColumnCorrelation \"id\" \"score\" > 0.1")]
#[case("Uniqueness \"name\" \"score\" > 0.5")]
#[case("IsUnique \"id\" where \"id > 1\"")]
#[case("Mean \"score\" > 1")]
#[case("Sum \"score\" > 1 where \"id > 1\"")]
#[case("StandardDeviation \"score\" > 1")]
#[case("Variance \"score\" > 1")]
#[case("Entropy \"score\" > 1")]
#[case("DistinctValuesCount \"score\" > 1")]
#[case("UniqueValueRatio \"score\" > 0.1")]
#[case("ColumnLength \"name\" < 10")]
#[case("IsPrimaryKey \"id\"")]
#[case("ColumnValues \"name\" not in [\"x\", NULL, EMPTY]")]
#[case("DataFreshness \"day\" <= 400 days")]
#[case("CustomSql \"select count(*) from primary\" > 1")]
#[case("ReferentialIntegrity \"id\" \"others.id\" > 0.1")]
#[case("RowCountMatch \"others\" > 1.0")]
#[case("DatasetMatch \"others\" \"id\" \"name\" > 0.1")]
#[case("AggregateMatch \"sum(score)\" \"sum(others.score)\" > 1.0")]
#[case("DetectAnomalies \"ColumnValues\" \"score\"")]
fn golden(#[case] rule: &str) {
    let profile = profile(&[rule], |_| {});
    let now = "2026-01-08T12:00:00Z".parse().unwrap();
    let plans = pipeline_validator::plan(&profile, "lake", now).unwrap();
    let mut text = format!("-- {rule}\n");
    for scan in &plans[0].scans {
        writeln!(text, "{};", scan.sql.text).unwrap();
        if !scan.sql.parameters.is_empty() {
            writeln!(text, "-- with {}", scan.sql.parameters.join(", ")).unwrap();
        }
    }
    let name = rule.split_whitespace().next().unwrap();
    insta::assert_snapshot!(name, text);
    let asked = ask_rules(&lake(None), &[rule], |_| {});
    let check = &asked.checks[0];
    // A history of no run is the one reason not to be evaluated here.
    let young = rule.starts_with("DetectAnomalies");
    assert_eq!(check.not_evaluated.is_some(), young, "{check:?}");
}

/// What the catalog's types change: nothing is rounded that need not be.
#[test]
fn golden_of_types() {
    let columns = [
        ("id", "INTEGER"),
        ("price", "DECIMAL(10,2)"),
        ("views", "BIGINT"),
        ("ratio", "REAL"),
        ("text", "VARCHAR"),
    ];
    let lake = Lake::default()
        .with("things", &columns, "1,0.10,7,0.5,1.5\n")
        .with("others", &columns, "1,0.10,7,0.5,1.5\n");
    let rules = [
        "Sum \"id\" = 1",
        "Sum \"price\" = 0.1",
        "Mean \"views\" = 7",
        "Mean \"ratio\" = 0.5",
        "Sum \"text\" = 1.5",
        "AggregateMatch \"sum(price)\" \"avg(others.views)\" < 1.0",
    ];
    let asked = ask_rules(&lake, &rules, |_| {});
    assert!(
        asked.checks.iter().all(|check| check.passed),
        "{:#?}",
        asked.checks
    );
    insta::assert_snapshot!("types", asked.queries.join(";\n"));
}

/// The rule types that no scan answers, and those that cannot be answered at all: nothing is forgotten above.
#[test]
fn every_rule_type_is_here_or_accounted_for() {
    let of_catalog = [
        "ColumnCount",
        "ColumnNamesMatchPattern",
        "ColumnExists",
        "SchemaMatch",
    ];
    let of_files = ["FileMatch", "FileUniqueness", "FileFreshness", "FileSize"];
    let analyzer = ["AllStatistics"];
    let source = include_str!("golden.rs");
    for rule_type in RuleType::ALL {
        let name = rule_type.name();
        let has_case = source.contains(&format!("#[case(\"{name} "));
        let elsewhere = [&of_catalog[..], &of_files, &analyzer]
            .concat()
            .contains(&name);
        assert!(has_case != elsewhere, "{name}");
    }
}
