//! Decide: which metrics a run has. What is absent publishes nothing, never a false 0 or 100.

use crate::run::Run;
use jiff::Timestamp;
use pipewarden_shared::glue::JobRunOutcome;
use pipewarden_shared::metric::{Metric, RunMetric};

/// Seconds from the start of the run to `now`; a clock that is behind gives 0.
pub fn duration_seconds(run: &Run, now: Timestamp) -> Option<f64> {
    let start = run.start_time?;
    Some(now.duration_since(start).as_secs_f64().max(0.0))
}

/// The metrics of a run.
pub fn of_run(run: &Run, now: Timestamp) -> Vec<Metric> {
    use RunMetric as M;
    let glue = run.glue.as_ref();
    let success = glue.and_then(|job| match job.outcome {
        JobRunOutcome::Succeeded => Some(1.0),
        JobRunOutcome::Failed => Some(0.0),
        JobRunOutcome::Unfinished => None,
    });
    let bytes = [run.ingestion.bytes_scanned, run.scd.bytes_scanned]
        .into_iter()
        .flatten()
        .reduce(|sum, bytes| sum + bytes);
    let values = [
        (M::ExecutionDuration, duration_seconds(run, now)),
        // The job knows what it wrote; the validator counted what is there.
        (
            M::RecordsProcessed,
            glue.and_then(|job| job.records_processed)
                .or(run.ingestion.records_processed),
        ),
        (M::JobSuccess, success),
        (
            M::GlueJobDuration,
            glue.and_then(|job| job.execution_seconds),
        ),
        (M::DbtModelsRun, run.models.run),
        (M::DbtModelsFailed, run.models.failed),
        (M::DbtTestsPassed, run.tests.passed),
        (M::DbtTestsFailed, run.tests.failed),
        (M::DbtRunDuration, run.models.duration_seconds),
        (M::DataQualityScore, data_quality_score(run)),
        (M::ScdIntegrityScore, run.scd.integrity_score),
        (M::RecordsCreated, run.scd.created),
        (M::RecordsUpdated, run.scd.updated),
        (M::RecordsDeleted, run.scd.deleted),
        (M::ScdValidationErrors, run.scd.errors),
        (M::DataFreshness, run.ingestion.freshness_seconds),
        (M::BytesScanned, bytes),
    ];
    values
        .into_iter()
        .filter_map(|(metric, value)| Some(Metric::of_run(metric, value?, &run.environment)))
        .collect()
}

/// 100 × checks passed / checks evaluated, over the validator's rules and the dbt tests of the run.
///
/// Where the validator gave a score and no checks, its score stands.
fn data_quality_score(run: &Run) -> Option<f64> {
    let rules = run.ingestion.checks;
    if let (None, Some(score)) = (rules, run.ingestion.data_quality_score) {
        return Some(score);
    }
    let (passed, evaluated) = [rules, run.tests.evaluated()]
        .into_iter()
        .flatten()
        .reduce(|(passed, evaluated), (more_passed, more_evaluated)| {
            (passed + more_passed, evaluated + more_evaluated)
        })?;
    Some(100.0 * passed / evaluated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn metrics(fields: Value) -> Vec<(&'static str, f64)> {
        let mut event = json!({"execution_id": "run-1", "environment": "dev"});
        for (name, value) in fields.as_object().unwrap() {
            event[name] = value.clone();
        }
        let run = Run::parse(event).unwrap();
        of_run(&run, "2026-03-01T06:10:00Z".parse().unwrap())
            .into_iter()
            .map(|metric| (metric.name, metric.value))
            .collect()
    }

    #[rstest]
    #[case::nothing_known(json!({}), &[])]
    #[case::nothing_but_nulls(json!({"start_time": null, "glue_job_result": null, "dbt_run_result": null}), &[])]
    #[case::start(json!({"start_time": "2026-03-01T06:00:00.000Z"}), &[("ExecutionDuration", 600.0)])]
    #[case::naive_start_is_utc(json!({"start_time": "2026-03-01T06:00:00"}), &[("ExecutionDuration", 600.0)])]
    #[case::clock_behind(json!({"start_time": "2026-03-01T07:00:00+00:00"}), &[("ExecutionDuration", 0.0)])]
    #[case::job_failed(json!({"glue_job_result": {"Error": "States.TaskFailed", "Cause": "no JSON"}}), &[("JobSuccess", 0.0)])]
    #[case::job_running(json!({"glue_job_result": {"JobRunState": "RUNNING", "ExecutionTime": 3}}), &[("GlueJobDuration", 3.0)])]
    #[case::the_job_knows_its_records(
        json!({
            "glue_job_result": {"JobRunState": "SUCCEEDED", "Arguments": {"--records-processed": "7"}},
            "validation_result": {"Payload": {"records_processed": 9}}
        }),
        &[("RecordsProcessed", 7.0), ("JobSuccess", 1.0)]
    )]
    #[case::counters(
        json!({
            "dbt_run_result": {"Payload": {"models_run": 4, "models_failed": 0, "run_duration_seconds": 12.5}},
            "dbt_test_result": {"Payload": {"tests_passed": 9, "tests_failed": 1}}
        }),
        &[
            ("DbtModelsRun", 4.0), ("DbtModelsFailed", 0.0), ("DbtTestsPassed", 9.0), ("DbtTestsFailed", 1.0),
            ("DbtRunDuration", 12.5), ("DataQualityScore", 90.0)
        ]
    )]
    #[case::payload_as_text(
        json!({"dbt_run_result": {"Payload": "{\"models_run\": 2}"}}),
        &[("DbtModelsRun", 2.0)]
    )]
    #[case::score_over_rules_and_tests(
        json!({
            "validation_result": {"Payload": {"validation_details": {"a": {"passed": true}, "b": {"passed": false}}}},
            "dbt_test_result": {"Payload": {"tests_passed": 2, "tests_failed": 0}}
        }),
        &[("DbtTestsPassed", 2.0), ("DbtTestsFailed", 0.0), ("DataQualityScore", 75.0)]
    )]
    #[case::what_could_not_be_told_counts_in_no_score(
        json!({"validation_result": {"Payload": {"validation_details": {
            "a": {"passed": true}, "b": {"passed": false, "not_evaluated": "query q failed"},
            "c": {"passed": true, "not_evaluated": "not enough history"}}}}}),
        &[("DataQualityScore", 100.0)]
    )]
    #[case::the_tally_counts_where_lists_were_cut(
        json!({"validation_result": {"Payload": {
            "checks": {"passed": 3, "evaluated": 4}, "validations_performed": ["a"], "truncated": true}}}),
        &[("DataQualityScore", 75.0)]
    )]
    #[case::score_by_names(
        json!({"validation_result": {"Payload": {"validations_performed": ["a", "b", "c", "d"], "failed_validations": ["b is wrong"]}}}),
        &[("DataQualityScore", 75.0)]
    )]
    #[case::a_warning_lowers_the_score(
        json!({"validation_result": {"Payload": {
            "validations_performed": ["a", "b", "c", "d"], "failed_validations": [], "warnings": ["d is odd"]}}}),
        &[("DataQualityScore", 75.0)]
    )]
    #[case::score_as_given(
        json!({"validation_result": {"Payload": {"data_quality_score": 98.5}}}),
        &[("DataQualityScore", 98.5)]
    )]
    #[case::scd(
        json!({"scd_validation_result": {"Payload": {
            "integrity_score": 99.5, "scd_records_created": 3, "scd_records_updated": 2, "scd_records_deleted": 1,
            "validation_errors": 0, "cost": {"bytes_scanned": 10}
        }},
        "validation_result": {"Payload": {"data_freshness_seconds": 30, "cost": {"bytes_scanned": 5}}}}),
        &[
            ("SCDIntegrityScore", 99.5), ("RecordsCreated", 3.0), ("RecordsUpdated", 2.0), ("RecordsDeleted", 1.0),
            ("SCDValidationErrors", 0.0), ("DataFreshness", 30.0), ("BytesScanned", 15.0)
        ]
    )]
    fn publishes(#[case] fields: Value, #[case] expected: &[(&str, f64)]) {
        assert_eq!(metrics(fields), expected);
    }

    #[rstest]
    #[case(json!({"environment": "dev"}), "execution_id")]
    #[case(json!({"execution_id": "", "environment": "dev"}), "execution_id")]
    #[case(json!({"execution_id": 7, "environment": "dev"}), "execution_id")]
    #[case(json!({"execution_id": "run-1"}), "environment")]
    #[case(json!({"execution_id": "run-1", "environment": "dév"}), "environment")]
    #[case(json!({"execution_id": "run-1", "environment": "dev", "start_time": "yesterday"}), "start_time")]
    #[case(json!({"execution_id": "run-1", "environment": "dev", "glue_job_result": "ok"}), "glue_job_result")]
    #[case(json!({"execution_id": "run-1", "environment": "dev", "dbt_test_result": {"Payload": []}}), "dbt_test_result.Payload")]
    #[case(
        json!({"execution_id": "run-1", "environment": "dev", "scd_validation_result": {"Payload": {"integrity_score": 101}}}),
        "scd_validation_result.Payload.integrity_score"
    )]
    #[case(
        json!({"execution_id": "run-1", "environment": "dev", "validation_result": {"Payload": {"validation_details": {"a": {}}}}}),
        "validation_result.Payload.validation_details.a.passed"
    )]
    #[case(json!([]), "event")]
    fn names_the_wrong_field(#[case] event: Value, #[case] field: &str) {
        assert_eq!(Run::parse(event).unwrap_err().field, field);
    }
}
