//! Error handler: a failure to a diagnosis, metrics and one alert.
//!
//! | step | modules |
//! |---|---|
//! | parse | [`failure`]: any event to one [`Failure`], its Cause unwrapped ([`cause`]) |
//! | fetch | [`fetch`]: what the event lacks; a Catch with a Cause lacks nothing |
//! | decide | [`safety_net`]: is it told already · [`history`] · [`evidence`] -> [`knowledge`], [`diagnosis`], [`advice`] · [`recovery`]: is the run redriven · [`compose`]: the alert |
//! | act | [`handle`]: redrive, then alert and count side by side |

pub mod advice;
pub mod cause;
pub mod compose;
pub mod diagnosis;
pub mod evidence;
pub mod failure;
pub mod fetch;
pub mod history;
pub mod knowledge;
pub mod recovery;
pub mod safety_net;

use advice::Names;
use aws_sdk_sns::Client as Sns;
use aws_sdk_sns::error::SdkError;
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use compose::{Concluded, Message, Place};
use failure::Failure;
use fetch::{Fetched, Sources};
use jiff::Timestamp;
use pipewarden_shared::alert::{Alert, Diagnosis, Recovery};
use pipewarden_shared::causes;
use pipewarden_shared::cloudwatch::{self, LARGEST_BATCH};
use pipewarden_shared::failure::ErrorType;
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::metric::{Environment, Metric};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::settings::{self, SettingsError};
use recovery::Circumstances;
use serde::Serialize;
use std::sync::Arc;

/// What the function needs, built once per cold start.
#[derive(Debug, Clone)]
pub struct Handler {
    /// Where metrics go.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Where alerts go.
    pub sns: Sns,
    /// Where evidence is read, and runs are redriven.
    pub sources: Arc<Sources>,
    /// The topic that alerts go to.
    pub topic_arn: String,
    /// The pipeline.
    pub profile: Arc<Profile>,
    /// The environment, for events that do not tell it.
    pub environment: String,
    /// Names that advice is filled in with.
    pub names: Names,
}

/// The function's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Handled {
    /// 200: a failure is an error, not another code.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// Which part failed.
    pub error_type: ErrorType,
    /// The run.
    pub execution_id: String,
    /// Where it ran.
    pub environment: String,
    /// What Pipewarden concludes.
    pub error_details: Diagnosis,
    /// What was done about the run, where it died outside a Catch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// How many data arrived; 0 where CloudWatch did not take them, which is logged.
    pub metrics_published: usize,
    /// True: where the alert could not be sent, the function fails.
    pub alert_sent: bool,
    /// Id of the alert.
    pub alert_id: String,
    /// When it was done.
    pub handled_at: Timestamp,
}

/// Why nobody was told.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    /// SNS did not take the alert.
    #[error("cannot send alert {alert_id} to {topic_arn}: {}", causes::chain(.source))]
    AlertNotSent {
        /// Id of the alert; the log has all of it.
        alert_id: String,
        /// The topic.
        topic_arn: String,
        /// What SNS said.
        source: Box<SdkError<PublishError>>,
    },
    /// The alert could not be written as JSON.
    #[error("cannot write alert {alert_id} as JSON")]
    Unwritable {
        /// Id of the alert.
        alert_id: String,
        /// Why not.
        source: serde_json::Error,
    },
}

/// Every name under which the function fails.
pub const ERRORS: &[&str] = &["AlertNotSent"];

impl FunctionError for HandlerError {
    fn name(&self) -> &'static str {
        "AlertNotSent"
    }
}

impl Handler {
    /// Reads the configuration and builds the clients.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is missing or wrong.
    pub fn from_settings() -> Result<Self, SettingsError> {
        let config = pipewarden_shared::aws::sdk_config()?;
        Ok(Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            sns: Sns::new(&config),
            sources: Arc::new(Sources::new(config)),
            topic_arn: settings::required(
                "ALERT_TOPIC_ARN",
                "the ARN of the topic that alerts go to",
            )?,
            profile: Arc::new(Profile::from_settings()?),
            environment: settings::required(
                "ENVIRONMENT",
                "the name of the environment, such as prod",
            )?,
            names: Names {
                glue_job: settings::optional("GLUE_JOB_NAME"),
                dbt_runner: settings::optional("DBT_RUNNER_FUNCTION"),
                ..Names::default()
            },
        })
    }
}

/// Explains a failure, counts it, sends one alert, and redrives the run where that is safe. What is no failure, or was
/// told already, is answered with nothing.
///
/// # Errors
/// [`HandlerError`] where the alert could not be sent. An event that cannot be read is alerted, and no error.
pub async fn handle(
    handler: Handler,
    invocation: Invocation,
) -> Result<Option<Handled>, HandlerError> {
    let now = Timestamp::now();
    let Some(failure) = Failure::read(&invocation.text) else {
        tracing::info!("the event tells of no failure");
        return Ok(None);
    };
    if safety_net::is_told_elsewhere(&failure, &handler.names) {
        tracing::info!("the job is the state machine's: its execution tells of it");
        return Ok(None);
    }
    let function = invocation.function_arn.as_str();
    // Boxed: as a part of this future it would make every invocation's as large as all that is ever read.
    let fetched = Box::pin(
        handler
            .sources
            .lacking(&failure, function, invocation.remaining()),
    )
    .await;
    if safety_net::is_reported(&failure, &fetched) {
        let execution_id = failure.execution_id.unwrap_or_default();
        tracing::info!(execution_id, "the run's Catch has reported it");
        return Ok(None);
    }
    let failure = safety_net::completed(failure, &fetched);
    let place = Place {
        environment: handler.environment.clone(),
        function_arn: invocation.function_arn.clone(),
    };
    let concluded = conclude(&handler, &failure, fetched, &place, now).await;
    let alert = compose::alert(&failure, concluded, &handler.profile, &place, now);
    // One does not wait for the other, and a failure of the metrics does not silence the alert.
    let (sent, metrics_published) =
        futures_util::join!(send(&handler, &alert), count(&handler, &alert, now));
    sent?;
    log(&alert);
    Ok(Some(Handled {
        status_code: 200,
        error_type: alert.error_type,
        execution_id: alert.execution.arn,
        environment: alert.environment,
        error_details: alert.diagnosis,
        recovery: alert.recovery,
        metrics_published,
        alert_sent: true,
        alert_id: alert.id,
        handled_at: now,
    }))
}

fn log(alert: &Alert) {
    tracing::info!(
        execution_id = alert.execution.arn,
        environment = alert.environment,
        error_type = alert.error_type.as_str(),
        severity = alert.severity.as_str(),
        root_cause = alert.diagnosis.root_cause.code.as_str(),
        alert_id = alert.id,
        "alerted {}: {}",
        alert.error_type,
        alert.diagnosis.cause
    );
}

/// What a failure comes from, and what is done about its run.
async fn conclude(
    handler: &Handler,
    failure: &Failure,
    fetched: Fetched,
    place: &Place,
    now: Timestamp,
) -> Concluded {
    let evidence = evidence::of(failure, &handler.names, &fetched);
    let environment = compose::environment(failure, place);
    let names = diagnosis::names_of(&evidence, &handler.names);
    let profile = &handler.profile;
    let diagnosis = diagnosis::of_evidence(failure, &evidence, profile, &names, &environment);
    let circumstances = Circumstances {
        budget: profile.recovery.budget(&environment),
        environment: &environment,
        now,
    };
    let recovery = match recovery::decide(failure, &fetched, &diagnosis, circumstances) {
        Some(decision) => Some(Box::pin(recovery::act(decision, &handler.sources)).await),
        None => None,
    };
    Concluded {
        evidence,
        diagnosis,
        missing: fetched.missing,
        recovery,
    }
}

async fn send(handler: &Handler, alert: &Alert) -> Result<(), HandlerError> {
    let Message {
        subject,
        body,
        attributes,
    } = compose::message(alert).map_err(|source| HandlerError::Unwritable {
        alert_id: alert.id.clone(),
        source,
    })?;
    let mut publish = handler
        .sns
        .publish()
        .topic_arn(&handler.topic_arn)
        .subject(subject)
        .message_structure("json")
        .message(body);
    for (name, value) in attributes {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build();
        match value {
            Ok(value) => publish = publish.message_attributes(name, value),
            // Only a missing data type is refused, and it is given above.
            Err(error) => tracing::error!(error = %error, "cannot attach {name}"),
        }
    }
    publish.send().await.map(|_| ()).map_err(|source| {
        // Nobody may ever get it: the log keeps the whole alert.
        let json = serde_json::to_string(alert).unwrap_or_default();
        tracing::error!(
            alert = json,
            alert_id = alert.id,
            "alert {} was not sent",
            alert.id
        );
        HandlerError::AlertNotSent {
            alert_id: alert.id.clone(),
            topic_arn: handler.topic_arn.clone(),
            source: Box::new(source),
        }
    })
}

/// Counts the failure; returns how many data arrived.
async fn count(handler: &Handler, alert: &Alert, now: Timestamp) -> usize {
    let Some(environment) = Environment::parse(&alert.environment) else {
        tracing::error!(
            "{:?} is no environment to count a failure in",
            alert.environment
        );
        return 0;
    };
    let metrics = Metric::of_failure(&environment, alert.error_type, alert.severity);
    let namespace = &handler.profile.metrics.namespace;
    match cloudwatch::publish(&handler.cloudwatch, namespace, &metrics, now, LARGEST_BATCH).await {
        Ok(published) => published,
        Err(error) => {
            let error = error.to_string();
            tracing::error!(error, "the failure was not counted: {error}");
            0
        }
    }
}
