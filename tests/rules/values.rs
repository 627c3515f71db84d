//! Values that a double, or a cast, would take for others.

use crate::ask;
use pipeline_validator::check::Check;
use pipewarden_tests::Lake;
use pipewarden_tests::rules::ask_rules;
use rstest::rstest;
use serde_json::json;

/// Ten times 0.10, and the first whole number that a double does not hold.
fn decimals() -> Lake {
    let columns = [
        ("id", "INTEGER"),
        ("amount", "DECIMAL(10,2)"),
        ("big", "BIGINT"),
        ("ratio", "DOUBLE"),
    ];
    let rows: String = (0..10)
        .map(|id| {
            let big = if id == 0 {
                9_007_199_254_740_993_i64
            } else {
                0
            };
            format!("{id},0.10,{big},0.5\n")
        })
        .collect();
    // The same amounts, stored in another order, so that doubles add up to something else.
    let forth: String = (1..=1_000)
        .map(|id| format!("{id},{id}.17,{id},1\n"))
        .collect();
    let back: String = (1..=1_000)
        .rev()
        .map(|id| format!("{id},{id}.17,{id},1\n"))
        .collect();
    let more = forth.replace("1000,1000.17", "1000,1000.18");
    Lake::default()
        .with("things", &columns, &rows)
        .with("forth", &columns, &forth)
        .with("back", &columns, &back)
        .with("more", &columns, &more)
}

fn checked(lake: &Lake, rules: &[&str], table: &str) -> Vec<Check> {
    ask_rules(lake, rules, |dataset| {
        dataset.table = table.to_owned().try_into().unwrap();
    })
    .checks
}

#[rstest]
#[case("Sum \"amount\" = 1.0", true)]
#[case("Mean \"amount\" = 0.1", true)]
#[case("Mean \"amount\" = 0.2 - 0.1", true)]
#[case("Sum \"amount\" in [0.7 + 0.3]", true)]
#[case("Sum \"big\" = 9007199254740993", true)]
#[case("Sum \"big\" = 9007199254740992", false)]
#[case("Sum \"big\" > 9007199254740992", true)]
#[case("Sum \"big\" between 9007199254740992 and 9007199254740994", true)]
#[case("Sum \"ratio\" = 5", true)]
#[case("Mean \"ratio\" = 0.5 where \"id > 3\"", true)]
#[case("CustomSql \"select sum(amount) from primary\" = 1.0", true)]
#[case("CustomSql \"select sum(big) from primary\" = 9007199254740992", false)]
#[case("CustomSql \"select sum(ratio) from primary\" = 5", true)]
#[case("CustomSql \"select true\" = 1", true)]
fn what_is_known_exactly_is_compared_exactly(#[case] rule: &str, #[case] holds: bool) {
    let checks = checked(&decimals(), &[rule], "things");
    assert_eq!(checks[0].passed, holds, "{:?}", checks[0]);
}

#[test]
fn a_great_number_is_told_to_the_last_digit() {
    let checks = checked(&decimals(), &["Sum \"big\" < 5"], "things");
    assert_eq!(checks[0].observed, json!(9_007_199_254_740_993_i64));
    assert_eq!(checks[0].sentence, "9007199254740993, expected < 5");
}

#[rstest]
#[case("back", true)]
#[case("more", false)]
fn sums_of_the_same_decimals_are_the_same(#[case] other: &str, #[case] same: bool) {
    let profile = format!(
        "{{pipeline: p, metrics: {{namespace: N}}, datasets: {{o: {{table: {other}, key: [id]}}, d: {{table: forth, key: [id],
           rules: 'Rules = [ AggregateMatch \"sum(amount)\" \"sum(o.amount)\" = 1.0 ]'}}}}}}"
    );
    let profile = pipewarden_shared::profile::Profile::parse(&profile).unwrap();
    let past = pipeline_validator::past::Past::default();
    let asked = pipewarden_tests::rules::ask_with(&decimals(), &profile, &past);
    assert_eq!(asked.checks[0].passed, same, "{:?}", asked.checks[0]);
}

/// Texts: a day, a time, two in ISO 8601 of which one is of the day before in UTC, nothing, and what is no date.
const TEXTS: &str = "\
1,a,1,1,\\N,2026-01-01
2,a,1,1,\\N,2026-01-01 10:00:00
3,a,1,1,\\N,2026-01-01T10:00:00Z
4,a,1,1,\\N,2026-01-02T01:00:00.250+02:00
5,a,1,1,\\N,\\N
6,a,1,1,\\N,garbage
";

#[rstest]
#[case("ColumnValues \"code\" in [\"2026-01-01\", NULL]", &["6"])]
#[case("ColumnValues \"code\" = \"2026-01-01\"", &["5", "6"])]
#[case("ColumnValues \"code\" != \"2026-01-02\"", &["6"])]
#[case("ColumnValues \"code\" not in [\"2026-01-02\"]", &["6"])]
#[case("ColumnValues \"code\" not in [\"2026-01-02\", NULL]", &["5", "6"])]
#[case("ColumnValues \"code\" != (now() - 2 days)", &["6"])]
#[case("ColumnValues \"code\" between \"2025-12-31\" and \"2026-01-02\"", &["5", "6"])]
// In UTC the time in the other zone is 157 hours before noon of the 8th of January.
#[case("DataFreshness \"code\" < 158 hours", &["1", "2", "3", "5", "6"])]
#[case("ColumnDataType \"code\" = \"TIMESTAMP\"", &["5", "6"])]
#[case("ColumnDataType \"code\" = \"DATE\"", &["2", "3", "4", "5", "6"])]
fn a_text_is_the_time_that_it_writes(#[case] rule: &str, #[case] failing: &[&str]) {
    let (checks, _) = ask(&[rule], Some(TEXTS));
    assert_eq!(checks[0].samples, failing, "{:?}", checks[0]);
}
