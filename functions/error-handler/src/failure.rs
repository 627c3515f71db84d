//! Parse: any failure in, one [`Failure`] out. Nothing is refused: what cannot be read is kept and reported.

mod gleaned;
mod status_change;

use crate::cause::{self, Unwrapped};
use crate::evidence::Service;
use jiff::Timestamp;
use pipewarden_shared::event::{Field, InvalidEvent};
use pipewarden_shared::execution::LONGEST_ID;
use pipewarden_shared::failure::ErrorType;
use pipewarden_shared::metric::Environment;
use serde::Deserialize;
use serde_json::{Value, json};

/// Who reported a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The Catch of a state machine.
    Catch,
    /// EventBridge: an execution ended.
    Execution(Ended),
    /// EventBridge: a run of a Glue job ended.
    JobRun,
    /// EventBridge: a step of an EMR cluster ended.
    Step,
    /// Somebody at a desk, or something that does not know the contract.
    Text,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndStatus {
    /// It failed.
    Failed,
    /// It ran out of time.
    TimedOut,
    /// Somebody stopped it.
    Aborted,
}

/// An execution that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub status: EndStatus,
    /// When, where that is told.
    pub at: Option<Timestamp>,
}

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
    /// What both say, unwrapped.
    pub told: Unwrapped,
    /// Who reported it.
    pub source: Source,
    /// When the run began, where that is told.
    pub started_at: Option<Timestamp>,
    /// When it happened, where that is told.
    pub occurred_at: Option<Timestamp>,
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
    /// Reads an event; none where it tells of no failure: something that succeeded or goes on.
    pub fn read(text: &str) -> Option<Self> {
        // Whatever Lambda lets through is read: an alert is never lost to a limit of ours.
        let event = match serde_json::from_str::<Value>(text.trim_start_matches(BYTE_ORDER_MARK)) {
            Ok(event) => unpacked(event),
            Err(error) => {
                let error = InvalidEvent::new("event", "readable JSON", error.to_string());
                return Some(Self::unreadable(text, &Value::from(text), &error));
            }
        };
        let root = match Field::event(&event) {
            Ok(root) => root,
            Err(error) => return Some(Self::unreadable(text, &event, &error)),
        };
        let mut reading = Reading::default();
        let failure = match root.get("detail-type").value().and_then(Value::as_str) {
            Some("Step Functions Execution Status Change") => reading.execution(&root)?,
            Some("Glue Job State Change") => reading.job_run(&root)?,
            Some("EMR Step Status Change") => reading.step(&root)?,
            _ => reading.catch(&root),
        };
        let failure = match reading.first_problem {
            Some(_) if failure.says_nothing() => failure.gleaned(&event),
            _ => failure,
        };
        Some(Self {
            unread: reading.first_problem.map(|problem| problem.to_string()),
            raw: text.to_owned(),
            ..failure
        })
    }

    /// Reads an event as a failure, whatever it tells.
    pub fn parse(text: &str) -> Self {
        Self::read(text).unwrap_or_else(|| Self::of_text(text))
    }

    /// A failure of which only a text is known, such as a line of a log, or an error's name.
    pub fn of_text(text: &str) -> Self {
        let text = text.trim_start_matches(BYTE_ORDER_MARK).trim();
        let is_name =
            (1..=LONGEST_NAME).contains(&text.len()) && !text.contains(char::is_whitespace);
        let failure = Self {
            error: is_name.then(|| text.to_owned()),
            cause: (!is_name).then(|| text.to_owned()),
            raw: text.to_owned(),
            ..Self::nothing(Source::Text)
        };
        failure.unwrapped()
    }

    /// A failure of which only a log is known whose entries are JSON; none where a text is no such log.
    pub fn of_log(text: &str) -> Option<Self> {
        let said = gleaned::log(text.trim_start_matches(BYTE_ORDER_MARK))?;
        Some(Self {
            raw: text.to_owned(),
            ..Self::of_text(&said)
        })
    }

    /// A failure of which only the error output of a state is known, `{"Error": …, "Cause": …}`; none of other texts.
    pub fn of_output(text: &str) -> Option<Self> {
        /// What a Catch hands on (Step Functions developer guide, "Error handling").
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase", deny_unknown_fields)]
        struct Output {
            error: String,
            cause: Option<String>,
        }
        let output: Output = serde_json::from_str(text.trim_start_matches(BYTE_ORDER_MARK)).ok()?;
        let failure = Self {
            error: Some(output.error),
            cause: output.cause,
            raw: text.to_owned(),
            ..Self::nothing(Source::Text)
        };
        Some(failure.unwrapped())
    }

    /// A failure of which nothing is known yet.
    fn nothing(source: Source) -> Self {
        Self {
            error_type: ErrorType::UnknownError,
            execution_id: None,
            environment: None,
            state: None,
            error: None,
            cause: None,
            told: Unwrapped::default(),
            source,
            started_at: None,
            occurred_at: None,
            failed_validations: Vec::new(),
            data_quality_score: None,
            unread: None,
            raw: String::new(),
        }
    }

    fn unreadable(text: &str, event: &Value, error: &InvalidEvent) -> Self {
        Self {
            unread: Some(error.to_string()),
            raw: text.to_owned(),
            ..Self::nothing(Source::Text).gleaned(event)
        }
    }

    fn says_nothing(&self) -> bool {
        let evidence = &self.told.evidence;
        evidence.errors.is_empty() && evidence.texts.is_empty()
    }

    /// With what the fields of an event say that is of no known kind. They say what, and not for sure why.
    fn gleaned(mut self, event: &Value) -> Self {
        self.told = cause::unwrap(None, Some(&gleaned::text(event)));
        self.told.says_why = false;
        self.told.evidence.is_gleaned = true;
        self
    }

    fn unwrapped(self) -> Self {
        Self {
            told: cause::unwrap(self.error.as_deref(), self.cause.as_deref()),
            ..self
        }
    }
}

/// The most bytes of an error's name (Step Functions API reference, `SensitiveError`).
const LONGEST_NAME: usize = 256;

/// What stands before the text of a file that some editors wrote.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// An event out of the text that it was written into, and out of the message of SNS that brought it.
fn unpacked(event: Value) -> Value {
    let inside = |text: &str| {
        let inner = serde_json::from_str::<Value>(text.trim_start_matches(BYTE_ORDER_MARK)).ok()?;
        inner.is_object().then_some(inner)
    };
    let event = match event.as_str().and_then(inside) {
        Some(inner) => inner,
        None => event,
    };
    // SNS to Lambda; SNS to SQS to Lambda.
    let message = |event: &Value| {
        let is_notification = event.get("Type").and_then(Value::as_str) == Some("Notification");
        let places = ["/Records/0/Sns/Message", "/Records/0/body", "/Message"];
        let mut texts = places
            .iter()
            .filter(|place| is_notification || **place != "/Message")
            .filter_map(|place| event.pointer(place)?.as_str());
        texts.find_map(inside)
    };
    let mut event = event;
    for _ in 0..2 {
        match message(&event) {
            Some(inner) => event = inner,
            None => break,
        }
    }
    described(event)
}

/// What `DescribeExecution` answers, as the event that EventBridge sends of the same: its detail is alike.
fn described(event: Value) -> Value {
    let has = |name: &str| event.get(name).is_some();
    if has("executionArn") && has("status") && has("stateMachineArn") && !has(gleaned::OURS) {
        json!({"detail-type": "Step Functions Execution Status Change", "detail": event})
    } else {
        event
    }
}

/// The error type of a failure of which only the service is known.
pub fn error_type_of(service: Service) -> ErrorType {
    match service {
        Service::Glue => ErrorType::GlueJobFailure,
        Service::Athena => ErrorType::QueryFailure,
        Service::Emr | Service::EmrServerless => ErrorType::EmrStepFailure,
        Service::Redshift => ErrorType::RedshiftCopyFailure,
        Service::Dbt => ErrorType::DbtRunFailure,
        Service::Snowflake => ErrorType::SnowflakeExternalTable,
        Service::Terraform => ErrorType::TerraformApply,
        Service::Database => ErrorType::DbConnectivity,
        _ => ErrorType::OrchestrationFailure,
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

    /// A Catch by the contract, or what a Catch puts out by itself: `{Error, Cause}`, alone or as `error`.
    fn catch(&mut self, root: &Field<'_>) -> Failure {
        let is_output =
            |field: &Field<'_>| field.get("Error").is_present() || field.get("Cause").is_present();
        let bare = [root.clone(), root.get("error")]
            .into_iter()
            .find(|field| is_output(field));
        let is_bare = !root.get("error_details").is_present() && bare.is_some();
        let details = match bare {
            Some(bare) if is_bare => bare,
            _ => root.get("error_details"),
        };
        self.keep(details.object().map(|_| ()));
        let validation = self.validation(root);
        let data_quality_score = self.keep(validation.get("data_quality_score").percent());
        let failure = Failure {
            error: self.text(&details.get("Error")),
            cause: self.text_or_json(&details.get("Cause")),
            ..Failure::nothing(Source::Catch)
        };
        let failure = failure.unwrapped();
        // Its own output is all that a Catch knows.
        let given = |field: &Field<'_>| !is_bare || field.is_present();
        let (id, environment) = (root.get("execution_id"), root.get("environment"));
        Failure {
            error_type: self.error_type(&root.get("error_type"), &failure.told),
            execution_id: given(&id)
                .then(|| self.keep(id.required_text(LONGEST_ID)))
                .flatten()
                .map(str::to_owned),
            environment: given(&environment)
                .then(|| self.environment(&environment))
                .flatten(),
            state: self.text(&root.get("state")),
            // What only adds to an alert makes no event unreadable.
            started_at: root.get("start_time").timestamp().ok().flatten(),
            failed_validations: self.texts(&validation.get("failed_validations")),
            data_quality_score: data_quality_score.flatten(),
            ..failure
        }
    }

    /// The error type that is named, else that of the service that failed.
    fn error_type(&mut self, field: &Field<'_>, told: &Unwrapped) -> ErrorType {
        let service = told.evidence.service.filter(|_| !field.is_present());
        if let Some(service) = service {
            return error_type_of(service);
        }
        let named = self.keep(field.required_text(256));
        let known = named.and_then(|name| name.parse::<ErrorType>().ok());
        if let (Some(_), None) = (named, known) {
            let problem = field.wrong("an error type of the contract");
            self.first_problem.get_or_insert(problem);
        }
        known.unwrap_or(ErrorType::UnknownError)
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
}

#[cfg(test)]
mod tests;
