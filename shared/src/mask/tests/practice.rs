//! Forms of secrets that are less usual and occur all the same, and texts of any length.

use super::super::*;
use rstest::rstest;

#[rstest]
#[case::boto3(
    "{'Name': 'DB_PASSWORD', 'Value': 'Zq9'}, {'Name': 'STAGE', 'Value': 'dev'}",
    "{'Name': 'DB_PASSWORD', 'Value': ***}, {'Name': 'STAGE', 'Value': 'dev'}"
)]
#[case::boto3_with_a_quote_inside(
    r#"{'Name': 'DB_PASSWORD', 'Value': "Zq'9"}"#,
    "{'Name': 'DB_PASSWORD', 'Value': ***}"
)]
#[case::value_before_name(
    r#"[{"Value":"dev","Name":"STAGE"},{"Value":"Zq9","Name":"DB_PASSWORD"}]"#,
    r#"[{"Value":"dev","Name":"STAGE"},{"Value":***,"Name":"DB_PASSWORD"}]"#
)]
#[case::value_before_name_in_boto3(
    "{'Value': 'Zq9', 'Name': 'DB_PASSWORD'}",
    "{'Value': ***, 'Name': 'DB_PASSWORD'}"
)]
#[case::arguments(
    r#"["--db_password","Zq9 Zq9","--stage","dev"]"#,
    r#"["--db_password","***","--stage","dev"]"#
)]
#[case::arguments_of_python(
    "['--password', 'Zq9', '--stage', 'dev']",
    "['--password', ***, '--stage', 'dev']"
)]
#[case::arguments_escaped(r#"[\"--password\",\"Zq9\"]"#, r#"[\"--password\",\"***\"]"#)]
#[case::map_of_scala(
    "Map(user -> etl, password -> Zq9Zq9, dbtable -> t)",
    "Map(user -> etl, password -> *** dbtable -> t)"
)]
#[case::tuple_of_scala("List((user,etl), (password,Zq9))", "List((user,etl), (password,***))")]
#[case::pass("pass=Zq9Zq9 host=h", "pass=*** host=h")]
#[case::pass_of_digits("pass=123456", "pass=***")]
#[case::pass_in_json(r#"{"pass": "Zq9", "host": "h"}"#, r#"{"pass": "***", "host": "h"}"#)]
#[case::pass_in_json_escaped(r#"{\"pass\": \"Zq9\"}"#, r#"{\"pass\": \"***\"}"#)]
#[case::pass_in_yaml("pass: Zq9Zq9\nhost: h", "pass: ***\nhost: h")]
#[case::camel_case("dbPass: Zq9Zq9", "dbPass: ***")]
#[case::pw("user=etl pw=Zq9Zq9", "user=etl pw=***")]
#[case::docker(
    r#"{"auths":{"ghcr.io":{"auth":"ZXRsOlpxOVpxOQ=="}}}"#,
    r#"{"auths":{"ghcr.io":{"auth":"***"}}}"#
)]
#[case::identified(
    "ALTER USER etl IDENTIFIED BY Zq9Zq9;",
    "ALTER USER etl IDENTIFIED BY ***;"
)]
#[case::identified_in_quotes(
    r#"GRANT ALL TO etl IDENTIFIED BY "Zq9 Zq9" WITH x"#,
    "GRANT ALL TO etl IDENTIFIED BY *** WITH x"
)]
#[case::mysql("mysql -h db -u etl -pZq9Zq9 app", "mysql -h db -u etl -p*** app")]
#[case::mysqldump("mysqldump -petlZq9 app > x", "mysqldump -p*** app > x")]
#[case::sshpass("sshpass -p Zq9Zq9 sftp etl@h", "sshpass -p *** sftp etl@h")]
#[case::sqlplus(
    "sqlplus -s etl/Zq9Zq9@DWH @load.sql",
    "sqlplus -s etl/***@DWH @load.sql"
)]
#[case::oracle_in_python(
    r#"cx_Oracle.connect("etl/Zq9Zq9@db:1521/dwh")"#,
    r#"cx_Oracle.connect("etl/***@db:1521/dwh")"#
)]
#[case::slash_in_a_url(
    "postgresql://etl:Zq9/Zq9@db:5432/app?contact=a@b.c",
    "postgresql://etl:***@db:5432/app?contact=a@b.c"
)]
#[case::google_chat(
    "https://chat.googleapis.com/v1/spaces/A/messages?key=Zq9Zq9Zq9&token=Zq9Zq9",
    "https://chat.googleapis.com/v1/spaces/A/messages?key=***&token=***"
)]
#[case::azure_function(
    "https://f.azurewebsites.net/api/load?code=Zq9Zq9Zq9==&x=1",
    "https://f.azurewebsites.net/api/load?code=***&x=1"
)]
#[case::azure_header("x-functions-key: Zq9Zq9Zq9", "x-functions-key: ***")]
#[case::token_in_a_url(
    "git clone https://0f1e2d3c4b5a69788796@github.com/o/r",
    "git clone https://***@github.com/o/r"
)]
#[case::pair_of_keys(
    "AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY eu-central-1",
    "*** *** eu-central-1"
)]
#[case::pair_of_keys_in_csv(
    "etl,AKIAIOSFODNN7EXAMPLE,wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "etl,***,***"
)]
#[case::secret_string(
    r#"'SecretString': '{"dbuser":"etl","x":"Zq9"}', 'VersionId': 'v'"#,
    "'SecretString': ***, 'VersionId': 'v'"
)]
#[case::secret_string_in_json(
    r#"{"SecretString": "{\"x\":{\"y\":\"Zq9\"},\"z\":\"Zq9\"}", "VersionId": "v"}"#,
    r#"{"SecretString": ***, "VersionId": "v"}"#
)]
#[case::secret_string_bare("SecretString={x: Zq9} read", "SecretString=*** read")]
#[case::spark_defaults(
    "spark.hadoop.fs.s3a.secret.key wJalrXUtnFEMIZq9\nspark.app.name load",
    "spark.hadoop.fs.s3a.secret.key ***\nspark.app.name load"
)]
#[case::semicolon_in_a_password(
    "Server=h;Password=abcd;XYZ9;Database=d",
    "Server=h;Password=***;Database=d"
)]
#[case::ampersand_in_a_password("password=abcd&XYZ9 host=h", "password=*** host=h")]
#[case::shopify("shpat_0123456789abcdef0123456789abcdef", "***")]
#[case::digital_ocean("dop_v1_0123456789abcdef0123456789abcdef", "***")]
#[case::vault_batch("hvb.AAAAAQJ0123456789abcdefgh", "***")]
#[case::new_relic("NRAK-0123456789ABCDEFGHIJKLMNOPQ", "***")]
#[case::age("AGE-SECRET-KEY-1QQPQZYZ0123456789ABCDEF", "***")]
#[case::linear("lin_api_0123456789abcdefghijABCDEFGHIJ0123456789", "***")]
#[case::slack_client("xoxc-123456789012-abcdef0123", "***")]
fn masks_what_is_written_otherwise(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(secrets(text), expected);
    assert_eq!(secrets(expected), expected, "masked once more");
}

#[rstest]
#[case::counts("Done. PASS=120 WARN=0; pass: 12, pass=3 of 4")]
#[case::prose("rows identified by id are kept; 3 tests pass. Spark passed it")]
#[case::columns("COPY t (password_hash, api_key, id) and KEY (secret_key, id)")]
#[case::image("cannot pull acme/etl@sha256:0f1e2d3c from https://example.com:8443/v2/x@y")]
#[case::action("uses actions/checkout@v4")]
#[case::settings("spark.hadoop.fs.s3a.secret.key is unset")]
#[case::names(r#"{"Name": "STAGE", "Value": "dev"}, ["--stage", "dev"], (user,etl)"#)]
#[case::query("aws secretsmanager get-secret-value --query SecretString --output text")]
#[case::mysql("mysql -h db -u etl -p app --port 3306")]
#[case::pages("https://example.com/list?key=raw/users.csv&code=404")]
fn leaves_what_only_looks_like_it(#[case] text: &str) {
    assert_eq!(secrets(text), text);
}

/// Wherever it stands in a text that is longer than what is looked at in one piece, and however long it is.
#[rstest]
#[case("password=Zq9Zq9", 0)]
#[case("\"password\": \"Zq9Zq9", 40_000)]
#[case("-----BEGIN RSA PRIVATE KEY-----\nZq9Zq9", 40_000)]
#[case("eyJhbGciOiJIUzI1NiJ9.Zq9Zq9Zq9", 9_000)]
fn length_is_no_hiding_place(#[case] secret: &str, #[case] longer: usize) {
    for before in [0, 1, 511, 1_023, 1_024, 1_025, 5_000, 70_000] {
        let noise: String = "a line of no interest\n"
            .chars()
            .cycle()
            .take(before)
            .collect();
        let secret = format!("{secret}{}", "Zq9".repeat(longer / 3));
        let text = format!("{noise} {secret}\" then token=Zq9Zq9 {noise}");
        let masked = secrets(&text);
        let behind: String = masked.chars().skip(before).take(300).collect();
        assert!(!masked.contains("Zq9"), "{before}: {behind}");
        assert!(masked.starts_with(&noise));
    }
}
