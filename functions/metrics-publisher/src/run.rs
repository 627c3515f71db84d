//! Parse: a run as the state machine describes it.

use pipewarden_shared::dbt::{ModelResults, TestResults};
use pipewarden_shared::event::{Field, InvalidEvent, unwrap_payload};
use pipewarden_shared::execution::RunContext;
use pipewarden_shared::glue::JobRun;
use pipewarden_shared::metric::Environment;
use serde_json::Value;

/// What is known of a run. Everything but its name is optional: a failed run has less.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// ARN or name of the execution.
    pub execution_id: String,
    /// Where it ran.
    pub environment: Environment,
    /// When it began.
    pub start_time: Option<jiff::Timestamp>,
    /// The load.
    pub glue: Option<JobRun>,
    /// What dbt built.
    pub models: ModelResults,
    /// What dbt tested.
    pub tests: TestResults,
    /// The validation of the load.
    pub ingestion: Validation,
    /// The validation of the dimension.
    pub scd: Validation,
}

/// A validator's answer, as far as it is measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Validation {
    /// Checks that passed and checks that were evaluated.
    pub checks: Option<(f64, f64)>,
    /// The validator's own score, in percent.
    pub data_quality_score: Option<f64>,
    /// Keys without any violation, in percent.
    pub integrity_score: Option<f64>,
    /// Checks that failed.
    pub errors: Option<f64>,
    /// Rows of the load.
    pub records_processed: Option<f64>,
    /// Keys that the run brought first.
    pub created: Option<f64>,
    /// Versions of keys that were known.
    pub updated: Option<f64>,
    /// Keys that the run deleted.
    pub deleted: Option<f64>,
    /// Age of the newest record, in seconds.
    pub freshness_seconds: Option<f64>,
    /// What the queries read.
    pub bytes_scanned: Option<f64>,
}

impl Run {
    /// Reads the event of the contract.
    ///
    /// # Errors
    /// [`InvalidEvent`] naming the field that is missing or wrong.
    pub fn parse(mut event: Value) -> Result<Self, InvalidEvent> {
        for result in [
            "dbt_run_result",
            "dbt_test_result",
            "validation_result",
            "scd_validation_result",
        ] {
            unwrap_payload(&mut event, result);
        }
        let event = Field::event(&event)?;
        let run = RunContext::from_event(&event)?;
        Ok(Self {
            execution_id: run.execution_id,
            environment: run.environment,
            start_time: run.start_time,
            glue: JobRun::from_field(&event.get("glue_job_result"))?,
            models: ModelResults::from_field(&event.get("dbt_run_result"))?,
            tests: TestResults::from_field(&event.get("dbt_test_result"))?,
            ingestion: Validation::from_field(&event.get("validation_result"))?,
            scd: Validation::from_field(&event.get("scd_validation_result"))?,
        })
    }
}

impl Validation {
    fn from_field(result: &Field<'_>) -> Result<Self, InvalidEvent> {
        result.object()?;
        let payload = result.get("Payload");
        payload.object()?;
        Ok(Self {
            checks: checks(&payload)?,
            data_quality_score: payload.get("data_quality_score").percent()?,
            integrity_score: payload.get("integrity_score").percent()?,
            errors: payload.get("validation_errors").amount()?,
            records_processed: payload.get("records_processed").amount()?,
            created: payload.get("scd_records_created").amount()?,
            updated: payload.get("scd_records_updated").amount()?,
            deleted: payload.get("scd_records_deleted").amount()?,
            freshness_seconds: payload.get("data_freshness_seconds").amount()?,
            bytes_scanned: payload.get("cost").get("bytes_scanned").amount()?,
        })
    }
}

/// Counts the checks of a validation: by its tally, else by their details, else by their names.
fn checks(payload: &Field<'_>) -> Result<Option<(f64, f64)>, InvalidEvent> {
    let tally = payload.get("checks");
    tally.object()?;
    let (passed, evaluated) = (
        tally.get("passed").amount()?,
        tally.get("evaluated").amount()?,
    );
    if let (Some(passed), Some(evaluated)) = (passed, evaluated) {
        return Ok((evaluated > 0.0 && passed <= evaluated).then_some((passed, evaluated)));
    }
    if payload.get("truncated").boolean()? == Some(true) {
        // The lists are not whole; the validator's own score is.
        return Ok(None);
    }
    let details = payload.get("validation_details");
    if let (Some(_), Some(Value::Object(checks))) = (details.object()?, details.value()) {
        let (mut passed, mut evaluated) = (0.0, 0.0);
        for name in checks.keys() {
            let check = details.get(name);
            let outcome = check.get("passed");
            let held = outcome
                .boolean()?
                .ok_or_else(|| outcome.wrong("true or false"))?;
            // What could not be told counts neither as passed nor as failed.
            if !check.get("not_evaluated").is_present() {
                evaluated += 1.0;
                passed += f64::from(u8::from(held));
            }
        }
        return Ok((evaluated > 0.0).then_some((passed, evaluated)));
    }
    let performed = payload.get("validations_performed").array()?;
    let failed = payload.get("failed_validations").array()?;
    let warned = payload
        .get("warnings")
        .array()?
        .map_or(0, |warnings| warnings.len());
    Ok(match (performed, failed) {
        // More that failed than were done is not an answer to compute with.
        (Some(performed), Some(failed)) if performed.len() >= (failed.len() + warned).max(1) => {
            let passed = performed.len() - failed.len() - warned;
            Some((passed as f64, performed.len() as f64))
        }
        _ => None,
    })
}
