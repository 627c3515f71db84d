//! Parse: any failure in, one [`Failure`] out. Nothing is refused: what cannot be read is kept and reported.

use pipewarden_shared::event::{Field, InvalidEvent};
use pipewarden_shared::execution::LONGEST_ID;
use pipewarden_shared::failure::ErrorType;
use pipewarden_shared::metric::Environment;
use serde_json::Value;

/// What a run reported as wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Which part reported it.
    pub error_type: ErrorType,
    /// ARN or name of the execution, where it is known.
    pub execution_id: Option<String>,
    /// Where it ran, where that is known.
    pub environment: Option<Environment>,
    /// The state that failed.
    pub state: Option<String>,
    /// The error's name, such as `States.TaskFailed`.
    pub error: Option<String>,
    /// What it says, as it came.
    pub cause: Option<String>,
    /// Validations that failed.
    pub failed_validations: Vec<String>,
    /// The run's score, in percent.
    pub data_quality_score: Option<f64>,
    /// Why some of the event could not be read; the raw event is alerted then.
    pub unread: Option<String>,
    /// The event, as it came.
    pub raw: String,
}

impl Failure {
    /// Whether an event tells of no failure: a run that succeeded or goes on.
    pub fn is_none(event: &Value) -> bool {
        let detail = event.get("detail");
        let state = |name| {
            detail
                .and_then(|detail| detail.get(name))
                .and_then(Value::as_str)
        };
        match event.get("detail-type").and_then(Value::as_str) {
            Some("Step Functions Execution Status Change") => {
                matches!(
                    state("status"),
                    Some("SUCCEEDED" | "RUNNING" | "PENDING_REDRIVE")
                )
            }
            Some("Glue Job State Change") => matches!(
                state("state"),
                Some("SUCCEEDED" | "STARTING" | "RUNNING" | "STOPPING" | "WAITING")
            ),
            _ => false,
        }
    }

    /// Reads an event: a Catch of a state machine, or an EventBridge event of Step Functions or Glue.
    pub fn parse(text: &str) -> Self {
        // Whatever Lambda lets through is read: an alert is never lost to a limit of ours.
        match serde_json::from_str(text) {
            Ok(event) => Self::from_event(&event, text),
            Err(error) => {
                let error = InvalidEvent::new("event", "readable JSON", error.to_string());
                Self::unreadable(text, &error)
            }
        }
    }

    /// A failure of which only a text is known, such as a line of a log, or an error's name.
    pub fn of_text(text: &str) -> Self {
        let text = text.trim();
        let is_name = !text.is_empty() && !text.contains(char::is_whitespace);
        Self {
            error_type: ErrorType::UnknownError,
            execution_id: None,
            environment: None,
            state: None,
            error: is_name.then(|| text.to_owned()),
            cause: (!is_name).then(|| text.to_owned()),
            failed_validations: Vec::new(),
            data_quality_score: None,
            unread: None,
            raw: text.to_owned(),
        }
    }

    fn unreadable(text: &str, error: &InvalidEvent) -> Self {
        Self {
            error: None,
            cause: None,
            unread: Some(error.to_string()),
            raw: text.to_owned(),
            ..Self::of_text("")
        }
    }

    fn from_event(event: &Value, text: &str) -> Self {
        let root = match Field::event(event) {
            Ok(root) => root,
            Err(error) => return Self::unreadable(text, &error),
        };
        let mut reading = Reading::default();
        let failure = match root.get("detail-type").value().and_then(Value::as_str) {
            Some("Step Functions Execution Status Change") => reading.execution_status(&root),
            Some("Glue Job State Change") => reading.job_state(&root),
            _ => reading.catch(&root),
        };
        Self {
            unread: reading.first_problem.map(|problem| problem.to_string()),
            raw: text.to_owned(),
            ..failure
        }
    }
}

/// Reads fields one by one; the first that is wrong is remembered, the others are still read.
#[derive(Debug, Default)]
struct Reading {
    first_problem: Option<InvalidEvent>,
}

impl Reading {
    fn keep<T>(&mut self, read: Result<T, InvalidEvent>) -> Option<T> {
        read.map_err(|problem| {
            self.first_problem.get_or_insert(problem);
        })
        .ok()
    }

    fn text(&mut self, field: &Field<'_>) -> Option<String> {
        self.keep(field.text()).flatten().map(str::to_owned)
    }

    /// A text; anything else is written as JSON, since a Cause may arrive parsed.
    fn text_or_json(&mut self, field: &Field<'_>) -> Option<String> {
        match field.value() {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        }
    }

    fn environment(&mut self, field: &Field<'_>) -> Option<Environment> {
        let text = self.keep(field.required_text(64))?;
        let environment = Environment::parse(text);
        if environment.is_none() {
            let problem = field.wrong("1 to 64 letters, digits, '-', '_' or '.'");
            self.first_problem.get_or_insert(problem);
        }
        environment
    }

    fn catch(&mut self, root: &Field<'_>) -> Failure {
        let error_type = root.get("error_type");
        let named = self.keep(error_type.required_text(256));
        let known = named.and_then(|name| name.parse::<ErrorType>().ok());
        if let (Some(_), None) = (named, known) {
            let problem = error_type.wrong("an error type of the contract");
            self.first_problem.get_or_insert(problem);
        }
        let details = root.get("error_details");
        self.keep(details.object().map(|_| ()));
        let validation = self.validation(root);
        let data_quality_score = self.keep(validation.get("data_quality_score").percent());
        Failure {
            error_type: known.unwrap_or(ErrorType::UnknownError),
            execution_id: self
                .keep(root.get("execution_id").required_text(LONGEST_ID))
                .map(str::to_owned),
            environment: self.environment(&root.get("environment")),
            state: self.text(&root.get("state")),
            error: self.text(&details.get("Error")),
            cause: self.text_or_json(&details.get("Cause")),
            failed_validations: self.texts(&validation.get("failed_validations")),
            data_quality_score: data_quality_score.flatten(),
            unread: None,
            raw: String::new(),
        }
    }

    /// A `validation_result`, with or without the `Payload` that Lambda's invocation puts around it.
    fn validation<'a>(&mut self, root: &Field<'a>) -> Field<'a> {
        let result = root.get("validation_result");
        self.keep(result.object().map(|_| ()));
        let payload = result.get("Payload");
        if payload.is_present() {
            payload
        } else {
            result
        }
    }

    fn texts(&mut self, field: &Field<'_>) -> Vec<String> {
        let items = self.keep(field.array()).flatten().unwrap_or_default();
        items
            .iter()
            .filter_map(|item| self.text_or_json(item))
            .collect()
    }

    /// EventBridge: an execution ended. Our own machines put the error type in `error`.
    fn execution_status(&mut self, root: &Field<'_>) -> Failure {
        let detail = root.get("detail");
        let error = self.text(&detail.get("error"));
        let named = error.as_deref().and_then(|error| error.parse().ok());
        let status = self.text(&detail.get("status"));
        Failure {
            error_type: named.unwrap_or(ErrorType::OrchestrationFailure),
            execution_id: self.text(&detail.get("executionArn")),
            environment: None,
            state: None,
            error: error.or_else(|| status.map(|status| format!("execution {status}"))),
            cause: self.text_or_json(&detail.get("cause")),
            failed_validations: Vec::new(),
            data_quality_score: None,
            unread: None,
            raw: String::new(),
        }
    }

    /// EventBridge: a Glue job run ended.
    fn job_state(&mut self, root: &Field<'_>) -> Failure {
        let detail = root.get("detail");
        Failure {
            error_type: ErrorType::GlueJobFailure,
            execution_id: self.text(&detail.get("jobRunId")),
            environment: None,
            state: None,
            error: self
                .text(&detail.get("state"))
                .map(|state| format!("job run {state}")),
            cause: self.text_or_json(&detail.get("message")),
            failed_validations: Vec::new(),
            data_quality_score: None,
            unread: None,
            raw: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn catch() -> Value {
        json!({
            "error_type": "dbt_run_failure", "execution_id": "run-1", "environment": "dev", "state": "RunDbt",
            "error_details": {"Error": "States.TaskFailed", "Cause": "boom"},
            "validation_result": {"Payload": {"failed_validations": ["a: 1 of 2"], "data_quality_score": 50}}
        })
    }

    #[test]
    fn reads_a_catch() {
        let failure = Failure::parse(&catch().to_string());
        assert_eq!(failure.error_type, ErrorType::DbtRunFailure);
        assert_eq!(failure.execution_id.as_deref(), Some("run-1"));
        assert_eq!(failure.cause.as_deref(), Some("boom"));
        assert_eq!(failure.failed_validations, ["a: 1 of 2"]);
        assert_eq!(failure.data_quality_score, Some(50.0));
        assert_eq!(failure.unread, None);
    }

    #[rstest]
    #[case::no_type(json!({"error_type": null}), "error_type")]
    #[case::other_type(json!({"error_type": "fire"}), "error_type")]
    #[case::type_is_no_text(json!({"error_type": 5}), "error_type")]
    #[case::no_execution(json!({"execution_id": null}), "execution_id")]
    #[case::environment(json!({"environment": "a b"}), "environment")]
    #[case::details(json!({"error_details": "boom"}), "error_details")]
    #[case::validation(json!({"validation_result": [1]}), "validation_result")]
    #[case::score(json!({"validation_result": {"data_quality_score": -1}}), "validation_result.data_quality_score")]
    fn what_is_wrong_is_remembered_and_the_rest_is_read(
        #[case] fields: Value,
        #[case] field: &str,
    ) {
        let mut event = catch();
        for (name, value) in fields.as_object().unwrap() {
            event[name] = value.clone();
        }
        let failure = Failure::parse(&event.to_string());
        assert!(
            failure
                .unread
                .as_ref()
                .unwrap()
                .starts_with(&format!("{field}: ")),
            "{:?}",
            failure.unread
        );
        assert_eq!(failure.state.as_deref(), Some("RunDbt"));
        assert_eq!(failure.raw, event.to_string());
    }

    #[rstest]
    #[case("[1, 2]")]
    #[case("\"the job failed\"")]
    #[case("not JSON")]
    #[case("")]
    #[case("{\"a\": 1e999}")]
    fn anything_is_a_failure(#[case] text: &str) {
        let failure = Failure::parse(text);
        assert_eq!(failure.error_type, ErrorType::UnknownError);
        assert!(failure.unread.is_some());
        assert_eq!(failure.raw, text);
    }

    #[test]
    fn reads_eventbridge() {
        let failure = Failure::parse(&json!({
            "detail-type": "Step Functions Execution Status Change",
            "detail": {"executionArn": "arn:aws:states:eu-west-1:1:execution:m:n", "status": "TIMED_OUT", "error": null}
        }).to_string());
        assert_eq!(failure.error_type, ErrorType::OrchestrationFailure);
        assert_eq!(failure.error.as_deref(), Some("execution TIMED_OUT"));

        let failure = Failure::parse(&json!({
            "detail-type": "Glue Job State Change",
            "detail": {"jobName": "load", "state": "FAILED", "jobRunId": "jr_1", "message": "boom"}
        }).to_string());
        assert_eq!(
            (failure.error_type, failure.cause.as_deref()),
            (ErrorType::GlueJobFailure, Some("boom"))
        );
    }
}
