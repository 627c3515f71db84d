//! What Athena cannot hold or run is known when the rules are read.

use crate::ask;
use pipeline_validator::rules::Rules;
use pipeline_validator::sql::Trino;
use pipewarden_tests::rules::profile;

#[test]
fn a_rule_that_no_query_can_hold_is_refused_by_its_size() {
    let rule_of = |values: usize| {
        let values: Vec<String> = (0..values)
            .map(|index| format!("\"{index:030}\""))
            .collect();
        format!("ColumnValues \"name\" in [{}]", values.join(", "))
    };
    let datasets = profile(&[], |_| {}).datasets;
    let parse = |rule: &str| Rules::parse(&format!("Rules = [ {rule} ]"), &datasets, &Trino);
    let error = parse(&rule_of(8_000)).unwrap_err().to_string();
    assert!(error.contains("a query on Athena holds 200000"), "{error}");

    // What just fits has a scan of its own, whatever else is asked.
    let large = rule_of(1_500);
    let rules = [
        "IsComplete \"id\"",
        &large,
        &large.replace("name", "code"),
        "RowCount > 1",
    ];
    let profile = profile(&rules, |_| {});
    let plan = pipeline_validator::plan(&profile, "lake", jiff::Timestamp::UNIX_EPOCH).unwrap();
    for scan in &plan[0].scans {
        let parameters: usize = scan.sql.parameters.iter().map(String::len).sum();
        assert!(scan.sql.text.len() + parameters < 262_144);
    }
    assert!(plan[0].scans.len() <= 3, "{}", plan[0].scans.len());
}

#[test]
fn labels_say_which_rules_warn() {
    let rules = [
        "RowCount < 1 labels = [\"severity\"=\"Warn\", \"team\"=\"wran\"]",
        "RowCount < 1 labels = [\"severity\"=\"fail\"]",
        "RowCount < 1",
    ];
    let (checks, _) = ask(&rules, None);
    let warns: Vec<bool> = checks.iter().map(|check| check.warns).collect();
    assert_eq!(warns, [true, false, false]);
}

#[test]
fn numbers_are_written_as_athena_takes_them() {
    for (operand, literal) in [
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775809", "DECIMAL '-9223372036854775809'"),
        ("9223372036854775808", "DECIMAL '9223372036854775808'"),
        ("1.50", "1.50"),
        ("0.1 + 0.2", "0.3"),
        (
            "1000000000000 * 1000000000000",
            "DECIMAL '1000000000000000000000000'",
        ),
        ("1000000000000000000000 * 1000000000000000000000", "1E42"),
    ] {
        let rule = format!("ColumnValues \"score\" < {operand}");
        let profile = profile(&[&rule], |_| {});
        let plan = pipeline_validator::plan(&profile, "lake", jiff::Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(plan[0].scans[0].sql.parameters[0], literal, "{operand}");
        let (checks, _) = ask(&[&format!("{rule} where \"score is not null\"")], None);
        assert!(checks[0].not_evaluated.is_none(), "{:?}", checks[0]);
    }
}
