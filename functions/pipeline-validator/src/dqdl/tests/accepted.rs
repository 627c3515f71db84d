//! Rules that are accepted, and how they are printed. Facts from DQRuleTest.java and DQRulesetTest.java of awslabs/dqdl.

use super::printed;
use crate::dqdl::Ruleset;
use rstest::rstest;

/// Rules that are printed as they are written.
const CANONICAL: &[&str] = &[
    r#"IsPrimaryKey "colA""#,
    r#"IsPrimaryKey colA "col B""#,
    r#"IsPrimaryKey "colA" "colB" "colC""#,
    r#"IsPrimaryKey "colA" where "colA > 100""#,
    "RowCount = 100",
    "RowCount != 100",
    "RowCount = -100",
    r#"RowCount = 100 where "colA > 100""#,
    "RowCount between (0.9 * average(last(10))) and 1.1 * average(last(10))",
    "RowCount not between (0.9 * average(last(10))) and 1.1 * average(last(10))",
    r#"RowCountMatch "reference" between 0.8 and 0.98"#,
    "Completeness of col_1 between 0.5 and 0.8",
    "Completeness OF col_1 not between 0.5 and 0.8",
    r#"Completeness "col_1" between -0.5 and -0.4 where "col-A > 100""#,
    r#"Completeness "col_1" between (0.9 * avg(last(10))) and (1.1 * avg(last(10)))"#,
    r#"ColumnDataType "col_1" != "String""#,
    r#"ColumnDataType "col_1" = "String" with threshold between 0.4 and 0.8"#,
    r#"ColumnDataType "col_1" in ["Date","String"] with threshold > 0.9"#,
    r#"ColumnNamesMatchPattern "aws_.*_[a-zA-Z0-9]+""#,
    r#"ColumnExists "load_dt""#,
    "ColumnCount = avg(std(last(percentile(1,2,3))))",
    "ColumnCount > -100.123456",
    "ColumnCorrelation of col_1 col_2 between 0.4 and 0.8",
    r#"ColumnCorrelation of col_1 and "col abc" between 0.4 and 0.8"#,
    r#"Uniqueness "col_1" "col_2" "col_3" > 0.5"#,
    r#"IsUnique "col_1" "col_2""#,
    r#"ColumnValues "col_1" between "2022-06-01" and "2022-06-30" where "col-A > 100""#,
    r#"ColumnValues "load_dt" > (now() - 1 days)"#,
    r#"ColumnValues "order-id" in [1,2,3,4,NULL]"#,
    r#"ColumnValues "order-id" not in ["1","2","3","4"]"#,
    r#"ColumnValues "col-A" < (now() + 4 minutes)"#,
    r#"ColumnValues "col-A" > "9:30 AM""#,
    r#"ColumnValues "col-A" between "9:00 AM" and "21:50""#,
    r#"Sum "col_A-B.C" > -100.0 where "col-A > 100""#,
    r#"Mean "col_A-B.CD" between -20 and -10"#,
    r#"Variance "col_A-B.CD" <= -10000.0 where "col-A > 100""#,
    r#"ColumnLength "col_A-B.CD" >= 100"#,
    r#"ColumnValues "col-A" not matches "[a-zA-Z0-9]*""#,
    r#"ColumnValues "col-A" matches "[a-z]*" with threshold <= 0.4"#,
    r#"ColumnValues "col-A" >= now()"#,
    r#"ColumnValues "col-A" not between (now() - 3 hours) and (now() + 14 days)"#,
    r#"ColumnValues "col-A" not in [now(),(now() - 3 hours),now(),(now() + 4 days)]"#,
    r#"ColumnValues "col-A" = NULL"#,
    r#"ColumnValues "col-A" != WHITESPACES_ONLY"#,
    r#"ColumnValues "col-A" in ["a",NULL,EMPTY,WHITESPACES_ONLY]"#,
    r#"ColumnValues "col-A" in [NULL]"#,
    r#"ColumnValues "col-A" not in ["2022-01-01",NULL] with threshold > 0.98"#,
    r#"ColumnValues "col-A" <= 0.4 with threshold not between 0.4 and 0.8"#,
    r#"ColumnValues "colA" in [10,20] where "colB is NOT NULL" with threshold > 0.5"#,
    r#"DataFreshness "col-A" <= 3 days where "col-A > 100""#,
    r#"DataFreshness "col-A" between 2 minutes and 4 minutes"#,
    r#"DataFreshness "col-A" not in [2 hours, 4 hours]"#,
    r#"ReferentialIntegrity "col-A,col-B" "reference.{col-A1,col-A2}" = 0.99"#,
    r#"DatasetMatch "reference" "ID1,ID2" "colA,colB,colC" = 0.99"#,
    r#"DatasetMatch "reference" "ID1->ID11,ID2->ID22" between 0.4 and 0.8"#,
    r#"SchemaMatch "ref-1" >= 1.0"#,
    r#"AggregateMatch "sum(col-A)" "sum(reference.colA)" > 0.1"#,
    r#"CustomSql "select count(*) from primary" > 0"#,
    r#"CustomSql "select col-A from primary" with threshold > 0.5"#,
    "DetectAnomalies of RowCount",
    r#"DetectAnomalies of ColumnCorrelation of "colA" and "colB""#,
    r#"FileMatch in ["hashList","hashList"]"#,
    r#"FileMatch "S3://PATH" in ["hashList"] with hashAlgorithm = "MD5""#,
    r#"FileMatch "S3://PATH1" "S3://PATH2" with randomTagThing = "@sampom""#,
    r#"FileMatch "S3://PATH1" in ["a"] with tag1 = "sampom" with tag2 = "pomsam""#,
    "FileUniqueness > 0.5",
    r#"FileUniqueness "S3://PATH1" >= 0.9"#,
    "FileSize between 1 B and 1 GB",
    "FileSize not in [500 KB,150 GB]",
    r#"FileFreshness "S3://PATH" > "21:45" with timeZone = "America/New_York""#,
    r#"FileFreshness "S3://PATH" between "2024-01-01" and (now() + 10 minutes)"#,
    r#"FileFreshness > "9:30 AM" with recentFiles = 1"#,
    r#"FileSize < 5 B labels=["key1"="value1", "key2"="value2"]"#,
    r#"IsPrimaryKey "colZ" labels=["key"="value", "Key"="value2"]"#,
    r#"(RowCount > 0) OR (IsComplete "colA") OR (IsUnique "colA")"#,
    r#"(RowCount > 0) OR ((IsComplete "colA") AND (IsUnique "colA"))"#,
    r#"((RowCount > 0) AND (IsComplete "colB")) OR ((IsComplete "colA") AND (IsUnique "colA"))"#,
    r#"((RowCount > 0) AND (IsComplete "colB")) labels=["team"="finance"]"#,
];

#[test]
fn a_canonical_rule_is_printed_as_it_is_written() {
    for rule in CANONICAL {
        assert_eq!(printed(&format!("Rules = [ {rule} ]")), [*rule]);
    }
}

#[rstest]
#[case::space("RowCount>=5", "RowCount >= 5")]
#[case::signs("RowCount ! = - 5", "RowCount != -5")]
#[case::left_to_right("RowCount > 5+2 * last()", "RowCount > 5 + 2 * last()")]
#[case::lone_terms("RowCount > ((5)) + (avg(last(3)))", "RowCount > 5 + avg(last(3))")]
#[case::double_group("RowCount > ((5 + 2))", "RowCount > (5 + 2)")]
#[case::doc_example(
    r#"DistinctValuesCount "colA" between min(last(10))-1 and max(last(10))+1"#,
    r#"DistinctValuesCount "colA" between min(last(10)) - 1 and max(last(10)) + 1"#
)]
#[case::lists(
    r#"ColumnValues "a" in [ "x" , null, empty ]"#,
    r#"ColumnValues "a" in ["x",NULL,EMPTY]"#
)]
#[case::bytes("FileSize in [3, 4]", "FileSize in [3 B,4 B]")]
#[case::zeros("FileSize > 007 KB", "FileSize > 7 KB")]
#[case::threshold(
    r#"CustomSql "q" with Threshold  > 3"#,
    r#"CustomSql "q" with threshold > 3"#
)]
#[case::threshold_first(
    r#"FileSize > 1 B with a = 1 with threshold > 0.5"#,
    r#"FileSize > 1 B with threshold > 0.5 with a = 1"#
)]
#[case::java_order(
    r#"FileMatch in ["x"] with hashAlgorithm = "MD5" with dataFrame = "true""#,
    r#"FileMatch in ["x"] with dataFrame = "true" with hashAlgorithm = "MD5""#
)]
#[case::labels_then_tags(
    r#"FileSize > 1 B labels=["a"="b"] with c = 1"#,
    r#"FileSize > 1 B with c = 1 labels=["a"="b"]"#
)]
#[case::parentheses(r#"((IsComplete "a"))"#, r#"IsComplete "a""#)]
#[case::capitals(
    "(RowCount > 0) and (RowCount < 9)",
    "(RowCount > 0) AND (RowCount < 9)"
)]
#[case::no_parentheses(
    r#"RowCount > 0 and RowCount between 1 and 9 or IsComplete "a""#,
    r#"((RowCount > 0) AND (RowCount between 1 and 9)) OR (IsComplete "a")"#
)]
#[case::and_before_a_rule(
    r#"IsComplete "id" and RowCount > 0"#,
    r#"(IsComplete "id") AND (RowCount > 0)"#
)]
#[case::and_before_a_column("IsUnique id and Mean", "IsUnique id and Mean")]
#[case::chain(
    "(RowCount > 0) or ((RowCount > 1) or (RowCount > 2))",
    "(RowCount > 0) OR (RowCount > 1) OR (RowCount > 2)"
)]
#[case::and_binds_tighter(
    "(RowCount > 0) or (RowCount > 1) or (RowCount > 2) and (RowCount > 3)",
    "((RowCount > 0) OR (RowCount > 1)) OR ((RowCount > 2) AND (RowCount > 3))"
)]
fn a_rule_is_printed_in_canonical_form(#[case] written: &str, #[case] canonical: &str) {
    assert_eq!(printed(&format!("Rules=[{written}]")), [canonical]);
}

#[rstest]
#[case::text(
    "sql = \"select 1\"\nRules = [ CustomSql $sql between 10 and 20 ]",
    "CustomSql $sql between 10 and 20"
)]
#[case::list(
    "l = [\"a\", \"b\"] Rules = [ ColumnValues \"x\" not in $l ]",
    "ColumnValues \"x\" not in $l"
)]
#[case::text_as_list(
    "l = \"a\" Rules = [ ColumnValues \"x\" in $l ]",
    "ColumnValues \"x\" in $l"
)]
#[case::equal(
    "v = \"a\" Rules = [ ColumnValues \"x\" != $v ]",
    "ColumnValues \"x\" != $v"
)]
#[case::unused("v = \"a\" w = \"\" Rules = [ Mean of $v > 3 ]", "Mean of $v > 3")]
#[case::no_interpolation("id = \"Z\" Rules = [ Mean \"xy$id\" < 20 ]", "Mean \"xy$id\" < 20")]
#[case::comments(
    "# one\nRules = [ # two\n  RowCount > 0 # three\n]\n# four",
    "RowCount > 0"
)]
#[case::windows("\u{feff}Rules = [\r\n  RowCount > 0\r\n]\r\n", "RowCount > 0")]
#[case::hash_in_text(
    "Rules = [ CustomSql \"select # from x\" ]",
    "CustomSql \"select # from x\""
)]
fn a_ruleset_gives_one_rule(#[case] source: &str, #[case] rule: &str) {
    assert_eq!(printed(source), [rule]);
}

#[test]
fn a_whole_ruleset_is_printed_section_by_section() {
    let source = r#"
        Metadata = { "Version": "1.0" }
        DataSources = { "Primary": "orders-table", "AdditionalDataSources": [ "ref-table","other" ] }
        cols=["a","b"]
        DefaultLabels=["team"="finance"]
        Rules = [ IsPrimaryKey "colA" , ColumnValues "c" in $cols ]
        Analyzers = [ RowCount, Completeness "colA", AllStatistics of AllColumns, Uniqueness of "col_A" ]
    "#;
    let ruleset: Ruleset = source.parse().unwrap();
    insta::assert_snapshot!(ruleset, @r#"
    Metadata = {
        "Version": "1.0"
    }

    DataSources = {
        "Primary": "orders-table",
        "AdditionalDataSources": [ "ref-table", "other" ]
    }

    cols = ["a","b"]

    DefaultLabels=["team"="finance"]

    Rules = [
        IsPrimaryKey "colA",
        ColumnValues "c" in $cols
    ]

    Analyzers = [
        RowCount,
        Completeness "colA",
        AllStatistics of AllColumns,
        Uniqueness of "col_A"
    ]
    "#);
    assert_eq!(ruleset.to_string().parse(), Ok(ruleset));
}

#[rstest]
#[case("Analyzers = [ RowCount, Completeness of \"col-A\" ]")]
#[case("Rules = [] Analyzers = [ RowCount, Completeness of \"col-A\" ]")]
fn analyzers_need_no_rules(#[case] source: &str) {
    let ruleset: Ruleset = source.parse().unwrap();
    assert!(ruleset.rules.is_empty());
    let analyzers: Vec<String> = ruleset.analyzers.iter().map(ToString::to_string).collect();
    assert_eq!(analyzers, ["RowCount", "Completeness of \"col-A\""]);
}
