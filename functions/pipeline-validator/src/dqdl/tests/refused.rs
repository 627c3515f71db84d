//! What is refused, where, and what is said. Facts from InvalidDQRulesetTest.java, DQRuleTest.java and DQRulesetTest.java
//! of awslabs/dqdl; the cases named `stricter` are ones that it accepts, though they cannot mean what they say.

use super::problems;
use crate::dqdl::{Diagnostics, Ruleset};
use rstest::rstest;

/// Rulesets that awslabs/dqdl refuses.
const REFUSED: &[&str] = &[
    "",
    "Metadata = {}",
    "DataSources = {}",
    r#"Metadata = { "Version": "1.0" }"#,
    r#"Metadata = { "Version": "1.0" } DataSources = { "Primary": "Foo" }"#,
    r#"Metadata = { "VersionFoo": "1.0" } Rules = [ IsPrimaryKey "colA" ]"#,
    r#"DataSources = { "PrimaryFoo": "x" } Rules = [ IsPrimaryKey "colA" ]"#,
    r#"DataSources = { "AdditionalDataSources": "x" } Rules = [ IsPrimaryKey "colA" ]"#,
    "Rules = {",
    "Rules = }",
    "Rules = { }",
    "Rules = [ ]",
    "Rules = [",
    "Rules = ]",
    "Rules = Abcdefg123",
    r#"Rules = [ IsComplete "a" "#,
    r#"Rules11 = [ ColumnValues "load_dt" > (now() - 1 days) ]"#,
    r#"Rules = [ 11ColumnValues "load_dt" > (now() - 1 days) ]"#,
    r#"Rules = [ ColumnValues "load_dt" > (now() - 1) ]"#,
    r#"Rules = [ ColumnValues "load_dt" "load_dt_2" > 1 ]"#,
    r#"Rules = { Completeness "col-A" }"#,
    "Rules = [ ColumnNamesMatchPattern aws_* ]",
    r#"Rules = [ ColumnNamesMatchPattern "aws_*" where "aws_id > 100"]"#,
    r#"Rules = [ IsUnique "col-A" <= 1.5 ]"#,
    r#"Rules = [ IsPrimaryKey "col-A" between 1 and 2 ]"#,
    r#"Rules = [ ColumnDataType "col-A" ]"#,
    r#"Rules = [ ColumnDataType "col-A" with threshold > 0.7 ]"#,
    r#"Rules = [ ColumnDataType "col-A" "col-B" ]"#,
    r#"Rules = [ ColumnDataType "col-A" in [ 1, 2 ] ]"#,
    r#"Rules = [ ColumnDataType "c" in ["Date"] with threshold > 0.9 with threshold > 0.7 ]"#,
    r#"Rules = [ ColumnValues "col-A" matches ]"#,
    r#"Rules = [ ColumnValues "col-A" now() ]"#,
    r#"Rules = [ ColumnValues "col-A" > now() + 1 hours ]"#,
    r#"Rules = [ ColumnValues "col-A" = (now() - 3 weeks) ]"#,
    r#"Rules = [ ColumnValues "col-A" > 0.4 with]"#,
    r#"Rules = [ ColumnValues "col-A" > 0.4 threshold]"#,
    r#"Rules = [ ColumnValues "col-A" > 0.4 with threshold]"#,
    r#"Rules = [ ColumnValues "col-A" > "25:00"]"#,
    r#"Rules = [ ColumnValues "col-A" > "13:30 PM"]"#,
    r#"Rules = [ ColumnValues "col-A" > = 5]"#,
    r#"Rules = [ DataFreshness "col-A" <= 3 ]"#,
    r#"Rules = [ DataFreshness "col-A" between 2 and 4 days ]"#,
    r#"Rules = [ ReferentialIntegrity "col-A" = 0.99 ]"#,
    r#"Rules = [ ReferentialIntegrity "col-A" "r.col-A" = 0.99 where "col-A > 100"]"#,
    r#"Rules = [ DatasetMatch "reference" "ID" ]"#,
    r#"Rules = [ DatasetMatch "r" "ID" "colA" > 0.9 with threshold > 0.9]"#,
    "Rules = [ SchemaMatch with threshold between 0.2 and 0.4 ]",
    "Rules = [ RowCountMatch > 0.1 ]",
    r#"Rules = [ RowCountMatch "reference-1" > 0.1 where "id > 100"]"#,
    r#"Rules = [ AggregateMatch "sum(col-A)" "sum(reference.colA)"]"#,
    "Rules = [ DetectAnomalies ]",
    r#"Rules = [ DetectAnomalies "col-A" where "col-A > 100"]"#,
    r#"Rules = [ AllStatistics "id" ]"#,
    "Rules = [ FileMatch ]",
    "Rules = [ FileMatch in [] ]",
    "Rules = [ FileMatch SHA SHA SHA ]",
    "Rules = [ FileMatch s3Path ]",
    r#"Rules = [ FileMatch "a" "b" in ["x"] ]"#,
    "Rules = [ FileMatch S3://PATH1 ]",
    r#"Rules = [ FileFreshness between "2024-07-15" ]"#,
    r#"Rules = [ FileFreshness "S3://PATH" between and "2024-07-15" ]"#,
    "Rules = [ FileFreshness > (now() 3 days) ]",
    "Rules = [ FileUniqueness ]",
    "Rules = [ FileSize ]",
    "Rules = [ FileSize > 1 SAM]",
    "Rules = [ FileSize > 1.5 ]",
    "Rules = [ FileSize > 99999999999 KB ]",
    r#"Rules = [ FileSize > 1 KB with exampleTag in ["SAM"] ]"#,
    r#"Rules = [ FileSize > 1 KB with exampleTag != "SAM"]"#,
    "Rules = [ FileSize 1 GB]",
    r#"(RowCount > 0) OR (IsComplete "colA") AND (IsUnique "colA"))"#,
    "((RowCount > 0) AND IsComplete",
    "Rules = [ ] Analyzers = [ ]",
    r#"Analyzers = [ RowCount ] Rules = [ RowCount > 0 ]"#,
    r#"Rules = [ IsPrimaryKey "col-A"] Analyzers = [ Completeness "colA", ]"#,
    r#"Rules = [ IsPrimaryKey "col-A"] Analyzers = [ Completeness "colA", Foo ]"#,
    "invalid = [\"X1\"] Rules = [ CustomSql $invalid ]",
    "inner = \"i\" outer = \"outer $inner\" Rules = [ CustomSql $outer ]",
    "_v = \"x\" Rules = [ CustomSql \"q\" ]",
    r#"Rules = [ IsPrimaryKey "c" labels=[key=value] ]"#,
    r#"Rules = [ IsPrimaryKey "c" labels=["key"=""] ]"#,
];

#[test]
fn what_glue_refuses_is_refused() {
    for source in REFUSED {
        let problems = problems(source);
        assert!(!problems.is_empty(), "accepted: {source}");
    }
}

#[rstest]
#[case::unknown_type(
    "Rules = [\n  IsComplet \"x\"\n]",
    "line 2, column 3: `IsComplet` is no rule type"
)]
#[case::count(
    r#"Rules = [ IsComplete "a" "b" ]"#,
    "line 1, column 11: IsComplete takes 1 parameter, found 2"
)]
#[case::counts(
    r#"Rules = [ FileMatch a b c ]"#,
    "line 1, column 11: FileMatch takes 0 to 1 parameters or 2 parameters, found 3"
)]
#[case::no_condition(
    r#"Rules = [ Completeness "é" ]"#,
    "line 1, column 28: expected a comparison of numbers, such as `> 0.9`: Completeness needs one, found `]`"
)]
#[case::condition_not_taken(
    r#"Rules = [ IsComplete "a" > 0.05 ]"#,
    "line 1, column 26: IsComplete takes no condition, found a comparison of numbers"
)]
#[case::wrong_kind(
    r#"Rules = [ DataFreshness "a" > 30 ]"#,
    "line 1, column 29: DataFreshness takes a comparison of durations, such as `<= 24 hours`, found a comparison of numbers"
)]
#[case::mixed(
    r#"Rules = [ ColumnValues "a" in [1,"2"] ]"#,
    "line 1, column 28: expected values of one kind: all numbers, all texts, all dates, all durations or all sizes"
)]
#[case::text_order(
    r#"Rules = [ ColumnValues "a" > "b" ]"#,
    "line 1, column 28: expected a number or a date: a text can only be compared with `=`, `!=`, `in` and `matches`"
)]
#[case::threshold(
    r#"Rules = [ Completeness "a" > 0.4 with threshold > 0.4]"#,
    "line 1, column 34: Completeness takes no `with threshold`"
)]
#[case::where_not_taken(
    r#"Rules = [ ColumnExists "a" where "b > 1"]"#,
    "line 1, column 28: ColumnExists takes no `where` clause"
)]
#[case::where_empty(
    r#"Rules = [ IsComplete "a" where ""]"#,
    "line 1, column 26: expected a condition in SQL after `where`, found an empty text"
)]
#[case::undefined(
    r#"Rules = [ ColumnValues "a" in $b ]"#,
    "line 1, column 31: variable `$b` is not defined"
)]
#[case::redefined(
    "v = \"a\"\nv = \"b\"\nRules = [ CustomSql $v ]",
    "line 2, column 1: variable `v` is already defined"
)]
#[case::list_as_text(
    "v = [\"a\"] Rules = [ CustomSql $v ]",
    "line 1, column 31: expected one text, but variable `$v` is a list"
)]
#[case::analyzer_only(
    r#"Rules = [ AllStatistics "id" > 0 ]"#,
    "line 1, column 11: AllStatistics is an analyzer only: it belongs in `Analyzers = […]`"
)]
#[case::no_analyzer(
    r#"Analyzers = [ IsComplete "a" ]"#,
    "line 1, column 15: IsComplete is true or false: it cannot be an analyzer"
)]
#[case::analyzer_condition(
    r#"Analyzers = [ Completeness "a" > 1.0 ]"#,
    "line 1, column 32: expected `,` or `]`, found a condition: an analyzer has none"
)]
#[case::trailing_comma(
    "Rules = [ RowCount > 0, ]",
    "line 1, column 25: expected a rule, such as `IsComplete \"id\"`, found `]`"
)]
#[case::unclosed(
    "Rules = [ IsComplete \"a ]\n",
    "line 1, column 22: expected `\"` at the end of the text"
)]
#[case::semicolon(
    "Rules = [ RowCount > 0; ]",
    "line 1, column 23: expected `,`, `and`, `or` or `]`, found `;`"
)]
#[case::nothing(
    "Rules = []",
    "line 1, column 1: no rules or analyzers: expected `Rules = […]` with at least one rule"
)]
#[case::no_labels(
    "Rules = [ RowCount > 0 labels=[] ]",
    "line 1, column 24: expected at least one label, such as `\"team\"=\"finance\"`"
)]
#[case::label_twice(
    r#"Rules = [ RowCount > 0 labels=["a"="1", "a"="2"] ]"#,
    "line 1, column 41: the key \"a\" is given twice"
)]
#[case::label_inside(
    r#"Rules = [ (IsComplete "a" labels=["a"="b"]) AND (RowCount > 0) ]"#,
    "line 1, column 11: labels belong to a whole rule: `((…) and (…)) labels=[…]`"
)]
#[case::label_of_last(
    r#"Rules = [ (IsComplete "a") AND (RowCount > 0) labels=["a"="b"] ]"#,
    "line 1, column 32: labels belong to a whole rule: `((…) and (…)) labels=[…]`"
)]
#[case::keyword_as_name(
    "Rules = [ IsComplete days ]",
    "line 1, column 22: expected a name, found `days`, a word of the language: as a name it needs quotes"
)]
#[case::stricter_trailing_text(
    r#"Rules = [ RowCount > 0 ]]"#,
    "line 1, column 25: expected `Analyzers = […]` or the end, found `]`"
)]
#[case::stricter_date(
    r#"Rules = [ ColumnValues "a" > "2024-02-30" ]"#,
    "line 1, column 28: `2024-02-30` is no date or time of day"
)]
#[case::stricter_threshold(
    r#"Rules = [ ColumnValues "a" > 1 with threshold = "0.5" ]"#,
    "line 1, column 32: expected a comparison with a number after `with threshold`, such as `> 0.9`"
)]
#[case::stricter_tag_twice(
    r#"Rules = [ FileSize > 1 B with a = 1 with a = 2 ]"#,
    "line 1, column 37: `with a` is given twice"
)]
#[case::stricter_now(
    "Rules = [ RowCount > now ( ) ]",
    "line 1, column 22: expected `now()`, written without spaces, found `now`"
)]
#[case::stricter_equal_list(
    "l = [\"a\"] Rules = [ ColumnValues \"x\" = $l ]",
    "line 1, column 40: expected one text, but variable `$l` is a list"
)]
#[case::stricter_keyword(
    "v = NULL Rules = [ CustomSql \"q\" ]",
    "line 1, column 5: expected a text in quotes, or a list of them in `[…]`, found `NULL`"
)]
fn a_problem_is_at_its_place(#[case] source: &str, #[case] problem: &str) {
    assert_eq!(problems(source), [problem]);
}

#[test]
fn one_broken_rule_does_not_hide_the_next() {
    let source = "Rules = [\n  IsComplet \"a\",\n  RowCount > ,\n  ColumnValues \"c\" in [\"a\", \"b\",\n  \
                  IsUnique \"a\" > 5,\n  RowCount > 0\n] Analyzers = [ Foo ]";
    let (ruleset, diagnostics) = crate::dqdl::parse(source);
    let lines: Vec<usize> = diagnostics
        .iter()
        .map(|diagnostic| diagnostic.line)
        .collect();
    assert_eq!(lines, [2, 3, 5, 5, 7]);
    assert_eq!(
        ruleset.rules.last().map(ToString::to_string).as_deref(),
        Some("RowCount > 0")
    );
}

#[rstest]
#[case::ten_are_fine(9, 1, None)]
#[case::default_ones_count(9, 2, Some(11))]
fn a_rule_has_at_most_ten_labels(
    #[case] default: usize,
    #[case] own: usize,
    #[case] refused: Option<usize>,
) {
    let labels = |prefix: &str, count: usize| {
        let labels: Vec<String> = (0..count)
            .map(|i| format!("\"{prefix}{i}\"=\"v\""))
            .collect();
        labels.join(",")
    };
    let source = format!(
        "DefaultLabels=[{}] Rules = [ RowCount > 0 labels=[{}] ]",
        labels("d", default),
        labels("o", own)
    );
    let expected: Vec<String> = refused
        .iter()
        .map(|count| format!("{count} labels, default ones included: at most 10 for each rule"))
        .collect();
    let (_, found) = crate::dqdl::parse(&source);
    let found: Vec<String> = found
        .iter()
        .map(|found| found.problem.to_string())
        .collect();
    assert_eq!(found, expected);
}

#[rstest]
#[case::key(128, 256, None)]
#[case::long_key(129, 1, Some("a label's key has 129 characters: at most 128"))]
#[case::long_value(1, 257, Some("a label's value has 257 characters: at most 256"))]
fn a_label_has_a_length(#[case] key: usize, #[case] value: usize, #[case] refused: Option<&str>) {
    let (key, value) = ("k".repeat(key), "v".repeat(value));
    let (_, found) = crate::dqdl::parse(&format!(
        "Rules = [ RowCount > 0 labels=[\"{key}\"=\"{value}\"] ]"
    ));
    let found: Vec<String> = found
        .iter()
        .map(|found| found.problem.to_string())
        .collect();
    assert_eq!(found, refused.into_iter().collect::<Vec<_>>());
}

#[rstest]
#[case(
    "Rules = [ RowCount BETWEEN 1 and 2 ]",
    "did you mean `between`? It is written in lower case"
)]
#[case(
    "Rules = [ FileSize > 1 with a = 1 where \"x\" ]",
    "`where` comes before `with` and `labels`"
)]
#[case("Rules = [ // x\n RowCount > 0 ]", "a comment starts with `#`")]
#[case(
    "Rules = [ Distribution x ]",
    "rule types are case sensitive, such as `IsComplete` or `RowCount`"
)]
fn a_problem_says_what_to_do(#[case] source: &str, #[case] help: &str) {
    let (_, diagnostics) = crate::dqdl::parse(source);
    let found = diagnostics
        .iter()
        .find_map(|diagnostic| diagnostic.problem.help());
    assert_eq!(found.as_deref(), Some(help));
}

#[test]
fn people_see_the_place_and_what_to_do() {
    let source = "Rules = [\n  IsComplete \"id\" IsUnique \"id\",\n  IsComplet \"näme\", // ids\n]";
    let problems: Diagnostics = source.parse::<Ruleset>().unwrap_err();
    insta::assert_snapshot!(problems.render(source, "rules.dqdl", false), @r#"
    error: IsComplete takes 1 parameter, found 3
     --> rules.dqdl:2:3
      |
    2 |   IsComplete "id" IsUnique "id",
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `IsUnique` is read as a parameter: is a comma missing, or are parentheses around the rules?

    error: `IsComplet` is no rule type
     --> rules.dqdl:3:3
      |
    3 |   IsComplet "näme", // ids
      |   ^^^^^^^^^
      |
      = help: did you mean `IsComplete`?

    error: expected a rule, such as `IsComplete "id"`, found `/`
     --> rules.dqdl:3:21
      |
    3 |   IsComplet "näme", // ids
      |                     ^
      |
      = help: a comment starts with `#`
    "#);
}
