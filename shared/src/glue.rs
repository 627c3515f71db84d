//! What Glue says of a job run: the output of `glue:startJobRun.sync`, or the Cause of its failure.

use crate::event::{Field, InvalidEvent};
use serde_json::Value;

/// How a job run ended (Glue API reference, JobRun `JobRunState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobRunOutcome {
    /// `SUCCEEDED`.
    Succeeded,
    /// `FAILED`, `TIMEOUT`, `STOPPED`, `ERROR` or `EXPIRED`.
    Failed,
    /// Not at its end.
    Unfinished,
}

/// A job run, as far as it is told.
#[derive(Debug, Clone, PartialEq)]
pub struct JobRun {
    /// Id of the run.
    pub id: Option<String>,
    /// Name of the job.
    pub job_name: Option<String>,
    /// The state by its Glue name.
    pub state: String,
    /// How it ended.
    pub outcome: JobRunOutcome,
    /// Why it failed.
    pub error_message: Option<String>,
    /// How long it ran, in seconds.
    pub execution_seconds: Option<f64>,
    /// What the job said that it processed (argument `--records-processed`).
    pub records_processed: Option<f64>,
}

impl JobRun {
    /// Reads a `glue_job_result`: a JobRun, or the `{Error, Cause}` of a caught failure.
    ///
    /// # Errors
    /// [`InvalidEvent`] where a field is there and is not what the contract says.
    pub fn from_field(field: &Field<'_>) -> Result<Option<Self>, InvalidEvent> {
        let Some(field) = field.object()? else {
            return Ok(None);
        };
        if let (false, Some(cause)) = (
            field.get("JobRunState").is_present(),
            field.get("Cause").text()?,
        ) {
            return Ok(Some(Self::from_cause(cause)));
        }
        if !field.get("JobRunState").is_present() && field.get("Error").is_present() {
            return Ok(Some(Self::failed(None)));
        }
        Self::from_job_run(field).map(Some)
    }

    /// Reads the Cause of a failed `.sync` task; a Cause that is no JobRun is kept as the message.
    fn from_cause(cause: &str) -> Self {
        serde_json::from_str::<Value>(cause)
            .ok()
            .and_then(|run| {
                run.get("JobRunState")?;
                Self::from_job_run(&Field::named("Cause", &run)).ok()
            })
            .unwrap_or_else(|| Self::failed(Some(cause.to_owned())))
    }

    fn from_job_run(run: &Field<'_>) -> Result<Self, InvalidEvent> {
        let state = run.get("JobRunState").required_text(64)?.to_owned();
        let id = match run.get("JobRunId").text()? {
            Some(id) => Some(id),
            None => run.get("Id").text()?,
        };
        Ok(Self {
            id: id.map(str::to_owned),
            job_name: run.get("JobName").text()?.map(str::to_owned),
            outcome: outcome(&run.get("JobRunState"), &state)?,
            state,
            error_message: run
                .get("ErrorMessage")
                .text()?
                .filter(|message| !message.is_empty())
                .map(str::to_owned),
            execution_seconds: run.get("ExecutionTime").amount()?,
            records_processed: run.get("Arguments").get("--records-processed").amount()?,
        })
    }

    fn failed(error_message: Option<String>) -> Self {
        Self {
            id: None,
            job_name: None,
            state: "FAILED".to_owned(),
            outcome: JobRunOutcome::Failed,
            error_message,
            execution_seconds: None,
            records_processed: None,
        }
    }
}

fn outcome(field: &Field<'_>, state: &str) -> Result<JobRunOutcome, InvalidEvent> {
    match state {
        "SUCCEEDED" => Ok(JobRunOutcome::Succeeded),
        "FAILED" | "TIMEOUT" | "STOPPED" | "ERROR" | "EXPIRED" => Ok(JobRunOutcome::Failed),
        "STARTING" | "RUNNING" | "STOPPING" | "WAITING" => Ok(JobRunOutcome::Unfinished),
        _ => Err(field.wrong("a Glue JobRunState such as SUCCEEDED or FAILED")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Option<JobRun>, InvalidEvent> {
        JobRun::from_field(&Field::named("glue_job_result", &value))
    }

    #[test]
    fn reads_a_job_run() {
        let run = read(json!({
            "JobRunId": "jr_1", "JobRunState": "SUCCEEDED", "ExecutionTime": 312,
            "Arguments": {"--records-processed": "48210"}
        }))
        .unwrap()
        .unwrap();
        assert_eq!(run.outcome, JobRunOutcome::Succeeded);
        assert_eq!(run.execution_seconds, Some(312.0));
        assert_eq!(run.records_processed, Some(48_210.0));
    }

    #[test]
    fn reads_the_job_run_inside_a_cause() {
        let cause = json!({"JobName": "load", "JobRunState": "FAILED", "ErrorMessage": "boom", "ExecutionTime": 7});
        let run = read(json!({"Error": "States.TaskFailed", "Cause": cause.to_string()}))
            .unwrap()
            .unwrap();
        assert_eq!(run.outcome, JobRunOutcome::Failed);
        assert_eq!(run.error_message.as_deref(), Some("boom"));
        assert_eq!(run.execution_seconds, Some(7.0));
    }

    #[test]
    fn a_cause_that_is_cut_off_is_still_a_failure() {
        let run = read(json!({"Error": "States.TaskFailed", "Cause": "{\"JobRunState\":\"FAIL"}))
            .unwrap()
            .unwrap();
        assert_eq!(run.outcome, JobRunOutcome::Failed);
        assert_eq!(
            run.error_message.as_deref(),
            Some("{\"JobRunState\":\"FAIL")
        );
    }

    #[test]
    fn a_wrong_field_is_named() {
        let error = read(json!({"JobRunState": "DONE"})).unwrap_err();
        assert_eq!(error.field, "glue_job_result.JobRunState");
        let error = read(json!({"JobRunState": "SUCCEEDED", "ExecutionTime": []})).unwrap_err();
        assert_eq!(error.field, "glue_job_result.ExecutionTime");
    }
}
