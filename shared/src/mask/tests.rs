//! Real forms of secrets, and texts that look like some and are none.

mod practice;

use super::*;
use rstest::rstest;

#[test]
fn every_form_compiles() {
    for form in &FORMS {
        form.regex().unwrap();
    }
}

#[test]
fn signs_are_looked_for_in_lower_case() {
    let signs = FORMS
        .iter()
        .flat_map(|form| [form.signs, form.besides])
        .flatten();
    assert!(signs.into_iter().all(|sign| *sign == sign.to_lowercase()));
}

#[rstest]
#[case("key AKIAIOSFODNN7EXAMPLE used", "key *** used")]
#[case(
    "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "aws_secret_access_key=***"
)]
#[case(
    "POST https://hooks.slack.com/services/T000/B000/XXXX failed",
    "POST https://hooks.slack.com/*** failed"
)]
#[case(
    "jdbc:postgresql://etl:s3cr3t@db.internal:5432/app",
    "jdbc:postgresql://etl:***@db.internal:5432/app"
)]
#[case(
    "jdbc:redshift://h:5439/d?user=etl&password=hunter22&ssl=true",
    "jdbc:redshift://h:5439/d?user=etl&password=***&ssl=true"
)]
#[case(
    r#"{"password": "hunter22", "user": "etl"}"#,
    r#"{"password": "***", "user": "etl"}"#
)]
#[case(
    r#"{\"client_secret\":\"abc123def\"}"#,
    r#"{\"client_secret\":\"***\"}"#
)]
#[case("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***")]
#[case("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF123", "token ***")]
#[case(
    "session 00D300000000XyZ!AQ4AQFtYpMuzqE1.abcdefghijklmnop",
    "session ***"
)]
#[case(
    r#"{"password": "p@ss,word1!xx", "user": "etl"}"#,
    r#"{"password": "***", "user": "etl"}"#
)]
#[case(r#"{"password": "correct horse battery"}"#, r#"{"password": "***"}"#)]
#[case(r#"{"password": "a\"b c"}"#, r#"{"password": "***"}"#)]
#[case("Server=h;Password=Hunter,2Secret;Db=d", "Server=h;Password=***;Db=d")]
#[case(
    "postgres://u:p@Hunter2Secret@db:5432/app",
    "postgres://u:***@db:5432/app"
)]
#[case(
    "run --db-password hunter22 --verbose",
    "run --db-password *** --verbose"
)]
#[case("<password>hunter22</password>", "<password>***</password>")]
#[case("DB_PASS='hunter22'", "DB_PASS='***'")]
#[case("SECRET_KEY=hunter22", "SECRET_KEY=***")]
#[case("passcode=123456", "passcode=***")]
#[case("secret access key: wJalrXUtnFEMI", "secret access key: ***")]
#[case("the password is hunter22", "the password is ***")]
#[case("xoxb-123456789012-abcdefABCDEF", "***")]
#[case("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "***")]
#[case(
    "https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA%2F1&X-Amz-Signature=0f0f",
    "https://b.s3.amazonaws.com/k?X-Amz-Credential=***&X-Amz-Signature=***"
)]
fn masks(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(secrets(text), expected);
}

#[test]
fn a_long_text_is_masked_as_a_short_one() {
    let text = format!("failed, password=hunter22 {}", "x".repeat(70_000));
    assert!(secrets(&text).starts_with("failed, password=*** xxx"));
}

#[rstest]
#[case(
    "An error occurred (AccessDeniedException): User is not authorized to perform glue:GetTable"
)]
#[case("s3://bucket/path/to/key.parquet not found")]
#[case("The security token included in the request is expired")]
#[case("Table sf_user_raw: 3 of 5 checks failed; 12 tokens left")]
#[case("Done. PASS=120 WARN=0 ERROR=0 SKIP=0 TOTAL=120")]
#[case("The specified key does not exist. (Service: S3, Status Code: 404)")]
#[case("IsPrimaryKey \"id\": 2 of 9 rows fail")]
fn leaves_what_is_no_secret(#[case] text: &str) {
    assert_eq!(secrets(text), text);
}

/// Secrets as they are written where pipelines run. Each example has the form of the real thing and is made up.
#[rstest]
#[case::session_token_in_an_environment(
    "AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjEHcaCXVzLWVhc3QtMSJHMEUCIQDx+/w==",
    "AWS_SESSION_TOKEN=***"
)]
#[case::secret_key_in_an_environment(
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nAWS_REGION=eu-central-1",
    "AWS_SECRET_ACCESS_KEY=***\nAWS_REGION=eu-central-1"
)]
#[case::security_token_header(
    "x-amz-security-token: IQoJb3JpZ2luX2VjEHca",
    "x-amz-security-token: ***"
)]
#[case::spark_setting(
    "--conf spark.hadoop.fs.s3a.secret.key=wJalrXUtnFEMI/K7MDENG",
    "--conf spark.hadoop.fs.s3a.secret.key=***"
)]
#[case::spark_session("fs.s3a.session.token=FwoGZXIvYXdzEBYaD", "fs.s3a.session.token=***")]
#[case::azure_account(
    "fs.azure.account.key.lake.dfs.core.windows.net=Zm9vYmFyYmF6",
    "fs.azure.account.key.lake.dfs.core.windows.net=***"
)]
#[case::azure_storage(
    "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=Zm9vYmFyYmF6cXV4;EndpointSuffix=core.windows.net",
    "DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=***;EndpointSuffix=core.windows.net"
)]
#[case::teams_workflow(
    "https://prod-12.westeurope.logic.azure.com:443/workflows/0f1e/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers&sv=1.0&sig=Ab_Cd-Ef",
    "https://prod-12.westeurope.logic.azure.com:443/workflows/0f1e/triggers/manual/paths/invoke?***"
)]
#[case::teams_power_platform(
    "https://default0f1e.4d.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/9a8b/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers&sv=1.0&sig=Ab_Cd-Ef",
    "https://default0f1e.4d.environment.api.powerplatform.com:443/powerautomate/automations/direct/workflows/9a8b/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers&sv=1.0&sig=***"
)]
#[case::teams_connector(
    "https://contoso.webhook.office.com/webhookb2/0f1e@2d3c/IncomingWebhook/4b5a/6978",
    "https://contoso.webhook.office.com/***"
)]
#[case::teams_old_connector(
    "https://outlook.office.com/webhook/0f1e@2d3c/IncomingWebhook/4b5a",
    "https://outlook.office.com/***"
)]
#[case::pagerduty_key(
    r#"{"routing_key": "R0ABCDEFGHIJKLMNOPQRSTUVWXYZ0123", "event_action": "trigger"}"#,
    r#"{"routing_key": "***", "event_action": "trigger"}"#
)]
#[case::pagerduty_setting(
    "PAGERDUTY_INTEGRATION_KEY=0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "PAGERDUTY_INTEGRATION_KEY=***"
)]
#[case::pagerduty_url(
    "POST https://events.pagerduty.com/integration/0f1e2d3c4b5a69788796a5b4c3d2e1f0/enqueue",
    "POST https://events.pagerduty.com/integration/***/enqueue"
)]
#[case::pagerduty_header(
    "Authorization: Token token=y_NbAkKc66ryYTWUXYEu",
    "Authorization: Token token=***"
)]
#[case::slack_user("xoxp-123456789012-123456789012-abcdef0123456789", "***")]
#[case::slack_app("xapp-1-A0123456789-1234567890123-0123456789abcdef", "***")]
#[case::slack_workflow(
    "https://hooks.slack.com/triggers/T000/123/0f1e2d",
    "https://hooks.slack.com/***"
)]
#[case::github(
    "remote: https://x-access-token:ghs_16C7e42F292c6912E7710c838347Ae178B4a@github.com/o/r",
    "remote: https://x-access-token:***@github.com/o/r"
)]
#[case::github_fine("github_pat_11ABCDEFG0123456789_abcdefghijklmnopqrstuvwxyz", "***")]
#[case::gitlab("glpat-ABCdef0123456789_-xy", "***")]
#[case::salesforce_session(
    "INVALID_SESSION_ID for 00D5g000004XyZaEAK!AQ4AQFtYpMuzqE1.abcdefghijklmnop",
    "INVALID_SESSION_ID for ***"
)]
#[case::salesforce_refresh(
    "grant 5Aep861TSESvWeug_xvFHRBTTbf_YrTWgEyjBJrfrvDCVK9Go4c8BzYFkPfb",
    "grant ***"
)]
#[case::salesforce_password(
    "SF_PASSWORD=hunter22SecurityTok3n SF_SECURITY_TOKEN=AbCdEfGh",
    "SF_PASSWORD=*** SF_SECURITY_TOKEN=***"
)]
#[case::jdbc_postgresql(
    "jdbc:postgresql://h:5432/db?user=u&password=p",
    "jdbc:postgresql://h:5432/db?user=u&password=***"
)]
#[case::jdbc_sqlserver(
    "jdbc:sqlserver://h:1433;databaseName=d;user=sa;password=Hunter22!;encrypt=true",
    "jdbc:sqlserver://h:1433;databaseName=d;user=sa;password=***;encrypt=true"
)]
#[case::jdbc_oracle(
    "jdbc:oracle:thin:scott/tiger@//h:1521/svc",
    "jdbc:oracle:thin:scott/***@//h:1521/svc"
)]
#[case::jdbc_snowflake(
    "jdbc:snowflake://acme.snowflakecomputing.com/?user=etl&password=Hunter22&db=D",
    "jdbc:snowflake://acme.snowflakecomputing.com/?user=etl&password=***&db=D"
)]
#[case::jdbc_redshift_iam(
    "jdbc:redshift:iam://h:5439/dev?AccessKeyID=x&SecretAccessKey=wJalrXUtnFEMI&DbUser=etl",
    "jdbc:redshift:iam://h:5439/dev?AccessKeyID=x&SecretAccessKey=***&DbUser=etl"
)]
#[case::sqlalchemy(
    "redshift+psycopg2://etl:hunter22@dw.abc.eu-central-1.redshift.amazonaws.com:5439/dev",
    "redshift+psycopg2://etl:***@dw.abc.eu-central-1.redshift.amazonaws.com:5439/dev"
)]
#[case::short_url_password("postgres://u:p@h/db", "postgres://u:***@h/db")]
#[case::redis_without_user("redis://:hunter22@cache:6379/0", "redis://:***@cache:6379/0")]
#[case::redshift_copy(
    "COPY t FROM 's3://b/k' ACCESS_KEY_ID 'AKIAIOSFODNN7EXAMPLE' SECRET_ACCESS_KEY 'wJalrXUtnFEMI' CSV",
    "COPY t FROM 's3://b/k' ACCESS_KEY_ID '***' SECRET_ACCESS_KEY '***' CSV"
)]
#[case::redshift_credentials(
    "CREDENTIALS 'aws_access_key_id=AKIAIOSFODNN7EXAMPLE;aws_secret_access_key=wJalrXUtnFEMI'",
    "CREDENTIALS 'aws_access_key_id=***;aws_secret_access_key=***'"
)]
#[case::create_user(
    "CREATE USER etl PASSWORD 'hunter22'",
    "CREATE USER etl PASSWORD '***'"
)]
#[case::snowflake_stage(
    "CREATE STAGE s CREDENTIALS=(AWS_KEY_ID='x' AWS_SECRET_KEY='wJalrXUtnFEMI')",
    "CREATE STAGE s CREDENTIALS=***'x' AWS_SECRET_KEY='***')"
)]
#[case::basic_header("Authorization: Basic ZXRsOmh1bnRlcjIy", "Authorization: Basic ***")]
#[case::basic_header_escaped(
    r#"{\"Authorization\": \"Basic ZXRsOmh1bnRlcjIy\"}"#,
    r#"{\"Authorization\": \"Basic ***\"}"#
)]
#[case::bearer_in_a_sentence("sent with bearer 0f1e2d3c4b5a6978", "sent with bearer ***")]
#[case::cookie("Set-Cookie: sid=0f1e2d3c; Path=/", "Set-Cookie: ***")]
#[case::api_key_header("x-api-key: 0f1e2d3c4b5a6978", "x-api-key: ***")]
#[case::curl(
    "+ curl -sf -u etl:hunter22 https://h/api",
    "+ curl -sf -u etl:*** https://h/api"
)]
#[case::pem(
    "key -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY----- used",
    "key *** used"
)]
#[case::pem_in_json(r#""private_key": "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\n", "client_email": "a@b.iam""#, r#""private_key": "***", "client_email": "a@b.iam""#)]
#[case::pgp(
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----",
    "***"
)]
#[case::presigned(
    "GET https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIA%2F1&X-Amz-Security-Token=IQoJ%2F&X-Amz-Signature=0f0f",
    "GET https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Signature=***"
)]
#[case::presigned_by_google(
    "https://storage.googleapis.com/b/k?X-Goog-Credential=etl%40p&X-Goog-Signature=0f0f",
    "https://storage.googleapis.com/b/k?X-Goog-Credential=***&X-Goog-Signature=***"
)]
#[case::shared_access_signature(
    "https://lake.blob.core.windows.net/c/k?sv=2022-11-02&ss=b&sig=Ab%2FCd%3D",
    "https://lake.blob.core.windows.net/c/k?sv=2022-11-02&ss=b&sig=***"
)]
#[case::google_api_key("key AIzaSyA1234567890abcdefghijklmnopqrstuv", "key ***")]
#[case::google_token("ya29.a0AfH6SMBx1234567890abcdefghij", "***")]
#[case::stripe("STRIPE sk_live_51ABCdefGHIjklMNO", "STRIPE ***")]
#[case::databricks("dapi0123456789abcdef0123456789abcdef", "***")]
#[case::dbt_cloud("dbtc_AbCdEf0123456789_-=", "***")]
#[case::json(
    r#"{"user": "etl", "password": "hunter22", "host": "h"}"#,
    r#"{"user": "etl", "password": "***", "host": "h"}"#
)]
#[case::json_in_json_in_json(
    r#"{\\\"password\\\":\\\"hunter22\\\"}"#,
    r#"{\\\"password\\\":\\\"***\\\"}"#
)]
#[case::python_arguments(
    "psycopg2.connect(host='h', user='etl', password='hunter22', port=5439)",
    "psycopg2.connect(host='h', user='etl', password='***', port=5439)"
)]
#[case::python_dictionary(
    "{'user': 'etl', 'password': 'hunter22'}",
    "{'user': 'etl', 'password': '***'}"
)]
#[case::yaml(
    "  user: etl\n  password: hunter22\n  host: h",
    "  user: etl\n  password: ***\n  host: h"
)]
#[case::yaml_block("password: |\n  hunter22\nhost: h", "password: |\n  ***\nhost: h")]
#[case::dbt_profile(
    "user: etl\npass: x\nprivate_key_passphrase: hunter22",
    "user: etl\npass: x\nprivate_key_passphrase: ***"
)]
#[case::environment_dump(
    "PATH=/usr/bin\nDB_PASSWORD=hunter22\nHOME=/root",
    "PATH=/usr/bin\nDB_PASSWORD=***\nHOME=/root"
)]
#[case::postgres_environment("PGPASSWORD=hunter22 psql -h h", "PGPASSWORD=*** psql -h h")]
#[case::container_environment(
    r#"{"Environment":[{"Name":"DB_PASSWORD","Value":"hunter22"},{"Name":"STAGE","Value":"dev"}]}"#,
    r#"{"Environment":[{"Name":"DB_PASSWORD","Value":"***"},{"Name":"STAGE","Value":"dev"}]}"#
)]
#[case::container_environment_escaped(
    r#"{\"name\":\"API_TOKEN\",\"value\":\"0f1e2d\"}"#,
    r#"{\"name\":\"API_TOKEN\",\"value\":\"***\"}"#
)]
#[case::glue_arguments(
    r#""Arguments":{"--db_password":"hunter22","--environment":"dev"}"#,
    r#""Arguments":{"--db_password":"***","--environment":"dev"}"#
)]
#[case::airflow("AIRFLOW__CORE__FERNET_KEY=ZmVybmV0", "AIRFLOW__CORE__FERNET_KEY=***")]
#[case::sentry(
    "https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/2",
    "https://***@o1.ingest.sentry.io/2"
)]
#[case::terraform(r#"password = "hunter22""#, r#"password = "***""#)]
fn masks_what_is_seen_in_pipelines(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(secrets(text), expected);
}

#[rstest]
#[case::execution(
    "arn:aws:states:eu-central-1:123456789012:execution:sf-user-dev:7c0f4a9e-2f3b-4d0e-9a55-3f1d2b6c8e10"
)]
#[case::secret_arn(
    "cannot read arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod/slack-AbCdEf: denied"
)]
#[case::key_arn("arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab")]
#[case::role(
    "arn:aws:sts::123456789012:assumed-role/etl/session is not authorized to perform: secretsmanager:GetSecretValue"
)]
#[case::path("s3://lake-123456789012/raw/sf_user/dt=2026-03-01/part-00000-0f1e2d3c.snappy.parquet")]
#[case::query_id("query 4bc0d9e5-9a1f-4d6e-8b7d-0c7b0a5e4f21 on sf_user_raw ended FAILED")]
#[case::job_run("jr_abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789")]
#[case::commit("built from 38cd797f0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
#[case::digest("sha256:0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0")]
#[case::data_set(
    "dim_sf_user.no_overlap: 5 of 20000 keys have overlapping versions (e.g. 0055g00000A1bCdAAF)"
)]
#[case::salesforce_id("0055g00000A1bCdAAF and 00D5g000004XyZaEAK")]
#[case::keys("Primary key: id; partition key: dt; duplicate key value violates unique constraint")]
#[case::denial("password authentication failed for user \"etl\"")]
#[case::expired("the password is expired, the token is not")]
#[case::absent("password: null, token=None")]
#[case::prose_behind_a_name("ExpiredToken: The provided token has expired.")]
#[case::prose_behind_a_header("get credentials: operation error STS; Authorization: server error")]
#[case::step(
    "Step s-36ZWOFMZ19IUZ (CustomJAR) in Amazon EMR cluster j-1YONHTCP3YZKC failed at 2026-03-01 20:53 UTC."
)]
#[case::image("123456789012.dkr.ecr.eu-central-1.amazonaws.com/extract@sha256:0f1e2d3c")]
#[case::console(
    "https://eu-central-1.console.aws.amazon.com/states/home?region=eu-central-1#/v2/executions/details/arn:aws:states:eu-central-1:1:execution:m:n"
)]
#[case::address("mailto etl@example.com or https://example.com:8443/path")]
#[case::id_of_a_secret(
    "aws secretsmanager get-secret-value --secret-id prod/snowflake --query SecretString"
)]
#[case::time("2026-03-01T06:00:00.000Z 17:43:01,123 ERROR [main]")]
fn leaves_what_is_seen_in_pipelines(#[case] text: &str) {
    assert_eq!(secrets(text), text);
}
