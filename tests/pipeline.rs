//! The pipeline from StartExecution to what arrived: status, metrics, alert. The faults are in the data.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipewarden_tests::{Ended, World};
use rstest::rstest;
use serde_json::Value;

const DEV: (&str, &str) = ("Environment", "dev");
const INGESTION: (&str, &str) = ("JobType", "Ingestion");
const TRANSFORMATION: (&str, &str) = ("JobType", "Transformation");
const SCD: (&str, &str) = ("JobType", "SCD");

fn states(ended: &Ended) -> Vec<&str> {
    ended
        .execution
        .states
        .iter()
        .map(|state| state.name.as_str())
        .collect()
}

#[tokio::test]
async fn a_healthy_run_is_measured_and_alerts_nobody() {
    let world = World::deployed(200).await;
    let ended = world.run("success", false).await;

    assert_eq!(ended.execution.status, "SUCCEEDED", "{:?}", ended.execution);
    assert_eq!(
        states(&ended),
        [
            "Begin",
            "LoadUsers",
            "ValidateIngestion",
            "IngestionGoodEnough",
            "RunDbt",
            "DbtRunSucceeded",
            "TestDbt",
            "DbtTestsPassed",
            "ValidateScd",
            "ScdSound",
            "PublishMetrics",
            "Succeeded",
        ]
    );
    assert_eq!(ended.execution.output["metrics_published"], 17);
    let rows = ended.filled.raw_rows as f64;
    let expected = [
        ("RecordsProcessed", vec![DEV, INGESTION], rows, "Count"),
        ("JobSuccess", vec![DEV, INGESTION], 1.0, "Count"),
        ("DbtModelsRun", vec![DEV, TRANSFORMATION], 4.0, "Count"),
        ("DbtModelsFailed", vec![DEV, TRANSFORMATION], 0.0, "Count"),
        ("DbtTestsPassed", vec![DEV, TRANSFORMATION], 8.0, "Count"),
        ("DbtTestsFailed", vec![DEV, TRANSFORMATION], 0.0, "Count"),
        ("DataQualityScore", vec![DEV], 100.0, "Percent"),
        ("SCDIntegrityScore", vec![DEV], 100.0, "Percent"),
        ("SCDValidationErrors", vec![DEV, SCD], 0.0, "Count"),
    ];
    for (name, dimensions, value, unit) in expected {
        assert_eq!(
            ended.metric(name, &dimensions),
            Some((value, unit)),
            "{name}"
        );
    }
    for (name, dimensions, unit) in [
        ("ExecutionDuration", vec![DEV], "Seconds"),
        ("GlueJobDuration", vec![DEV, INGESTION], "Seconds"),
        ("DbtRunDuration", vec![DEV, TRANSFORMATION], "Seconds"),
        ("DataFreshness", vec![DEV], "Seconds"),
        ("BytesScanned", vec![DEV], "Bytes"),
        ("RecordsCreated", vec![DEV, SCD], "Count"),
        ("RecordsUpdated", vec![DEV, SCD], "Count"),
        ("RecordsDeleted", vec![DEV, SCD], "Count"),
    ] {
        let (value, found) = ended
            .metric(name, &dimensions)
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(found, unit, "{name}");
        assert!(value >= 0.0, "{name}");
    }
    assert_eq!(
        ended.metrics.len(),
        17,
        "nothing but the table of metrics is published"
    );
    let changed = ended.metric("RecordsUpdated", &[DEV, SCD]).unwrap().0;
    assert!(changed > 0.0, "the run's own versions are counted");
    assert!(ended.alerted.queued.is_empty() && ended.alerted.slack.is_empty());
    world.cloud.stop().await;
}

#[rstest]
#[case::glue(
    "glue-failure",
    "glue_job_failure",
    "HIGH",
    "LoadUsers",
    "is not readable as Parquet"
)]
#[case::too_few(
    "too-few-records",
    "data_quality_failure",
    "HIGH",
    "ValidateIngestion",
    "sf_user_raw: RowCount >= 100: 40 rows, expected >= 100"
)]
#[case::stale(
    "stale-data",
    "data_quality_failure",
    "HIGH",
    "ValidateIngestion",
    "the newest system_modstamp is 1 d 6 h old, expected at most 6 h"
)]
#[case::missing(
    "missing-ids",
    "data_quality_failure",
    "HIGH",
    "ValidateIngestion",
    "sf_user_raw: ColumnValues \"id\" not in [NULL,EMPTY,WHITESPACES_ONLY]: 260 of"
)]
#[case::dbt_run(
    "dbt-run-failure",
    "dbt_run_failure",
    "HIGH",
    "RunDbt",
    "model.sf_user.dim_sf_user"
)]
#[case::dbt_test(
    "dbt-test-failure",
    "dbt_test_failure",
    "MEDIUM",
    "TestDbt",
    "Got 199 results"
)]
#[case::duplicate(
    "scd-duplicate-current",
    "scd_validation_failure",
    "HIGH",
    "ValidateScd",
    "dim_sf_user.one_current_version: 25 of 2000 keys"
)]
#[case::overlap(
    "scd-overlap",
    "scd_validation_failure",
    "HIGH",
    "ValidateScd",
    "dim_sf_user.no_overlap: 31 of 2000 keys"
)]
#[case::gap(
    "scd-gap",
    "scd_validation_failure",
    "HIGH",
    "ValidateScd",
    "dim_sf_user.no_gap: 20 of 2000 keys"
)]
#[case::missed(
    "scd-missed-change",
    "scd_validation_failure",
    "HIGH",
    "ValidateScd",
    "dim_sf_user.no_missed_change: 15 of 2000 keys"
)]
#[case::missed_delete(
    "scd-missed-delete",
    "scd_validation_failure",
    "HIGH",
    "ValidateScd",
    "dim_sf_user.no_missed_delete: 12 of 2000 keys"
)]
#[case::phantom(
    "scd-phantom-change",
    "scd_validation_failure",
    "HIGH",
    "ValidateScd",
    "dim_sf_user.no_phantom_change: 15 of 2000 keys"
)]
#[tokio::test]
async fn a_fault_is_found_measured_and_alerted_once(
    #[case] scenario: &str,
    #[case] error_type: &str,
    #[case] severity: &str,
    #[case] state: &str,
    #[case] cause: &str,
) {
    let world = World::deployed(200).await;
    let ended = world.run(scenario, true).await;
    let execution = &ended.execution;

    assert_eq!(
        (execution.status.as_str(), execution.error.as_deref()),
        ("FAILED", Some(error_type))
    );
    let told = execution.cause.as_deref().unwrap();
    assert!(
        told.starts_with(&format!("{state}: ")) && told.contains(cause),
        "{told}"
    );

    let [queued] = ended.alerted.queued.as_slice() else {
        panic!("one alert is expected: {:?}", ended.alerted.queued);
    };
    let alert = &queued.alert;
    assert_eq!(alert.error_type.as_str(), error_type);
    assert_eq!(alert.severity.as_str(), severity);
    assert_eq!(alert.state.as_deref(), Some(state));
    assert_eq!(alert.execution.arn, execution.arn);
    assert!(
        alert.diagnosis.cause.contains(cause),
        "{}",
        alert.diagnosis.cause
    );
    assert!(!alert.diagnosis.recommended_actions.is_empty());
    for (name, value) in [
        ("severity", severity),
        ("error_type", error_type),
        ("pipeline", "sf_user"),
        ("environment", "dev"),
        ("status", "firing"),
    ] {
        assert_eq!(
            queued.attributes.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }

    let [slack] = ended.alerted.slack.as_slice() else {
        panic!("one message is expected: {:?}", ended.alerted.slack);
    };
    assert!(slack["attachments"][0]["blocks"].is_array(), "{slack}");
    let [webhook] = ended.alerted.webhook.as_slice() else {
        panic!("one post is expected: {:?}", ended.alerted.webhook);
    };
    assert_eq!(
        webhook["fingerprint"],
        Value::String(alert.fingerprint.clone())
    );

    let counted = [DEV, ("ErrorType", error_type), ("Severity", severity)];
    assert_eq!(
        ended.metric("PipelineErrors", &counted),
        Some((1.0, "Count"))
    );
    assert_eq!(ended.metric("PipelineErrors", &[DEV]), Some((1.0, "Count")));
    assert!(
        ended.metric("ExecutionDuration", &[DEV]).is_some(),
        "a failed run is measured"
    );
    let success = if scenario == "glue-failure" { 0.0 } else { 1.0 };
    assert_eq!(
        ended.metric("JobSuccess", &[DEV, INGESTION]),
        Some((success, "Count"))
    );
    world.cloud.stop().await;
}

#[tokio::test]
async fn a_warning_lowers_the_score_and_the_run_goes_on() {
    let world = World::deployed(200).await;
    let ended = world.run("warning", false).await;
    assert_eq!(ended.execution.status, "SUCCEEDED", "{:?}", ended.execution);
    let verdict = &ended.execution.result("ValidateIngestion")["Payload"];
    let warnings = verdict["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{verdict}");
    assert!(
        warnings[0]
            .as_str()
            .unwrap()
            .starts_with("sf_user_raw: Completeness \"manager_id\" >= 0.9")
    );
    assert_eq!(verdict["failed_validations"].as_array().unwrap().len(), 0);
    // 7 of 8 checks of the load, and 8 of 8 dbt tests.
    let score = ended.metric("DataQualityScore", &[DEV]).unwrap().0;
    assert!((score - 100.0 * 15.0 / 16.0).abs() < 1e-9, "{score}");
    assert!(ended.alerted.queued.is_empty());
    world.cloud.stop().await;
}

#[tokio::test]
async fn scores_are_what_the_data_says() {
    let world = World::deployed(200).await;
    let ended = world.run("scd-overlap", true).await;
    let integrity = ended.metric("SCDIntegrityScore", &[DEV]).unwrap().0;
    assert!(
        (integrity - 100.0 * (2_000.0 - 31.0) / 2_000.0).abs() < 1e-6,
        "{integrity}"
    );
    assert_eq!(
        ended.metric("SCDValidationErrors", &[DEV, SCD]),
        Some((1.0, "Count"))
    );
    let verdict = &ended.execution.result("ValidateScd")["Payload"];
    let overlap = &verdict["validation_details"]["dim_sf_user.no_overlap"];
    assert_eq!(overlap["violations"], 31);
    assert_eq!(overlap["samples"].as_array().unwrap().len(), 20);
    world.cloud.stop().await;
}

#[tokio::test]
async fn a_run_that_nobody_could_be_told_of_says_so() {
    let world = World::deployed(200).await;
    let sns = aws_sdk_sns::Client::new(&world.stack.config);
    let topic = world.stack.output("AlertTopicArn").unwrap();
    sns.delete_topic().topic_arn(topic).send().await.unwrap();

    let ended = world.run("too-few-records", false).await;
    assert_eq!(
        ended.execution.error.as_deref(),
        Some("data_quality_failure")
    );
    let cause = ended.execution.cause.as_deref().unwrap();
    assert!(cause.contains("no alert was sent: AlertNotSent"), "{cause}");
    assert!(
        ended.metric("ExecutionDuration", &[DEV]).is_some(),
        "it is measured all the same"
    );
    world.cloud.stop().await;
}
