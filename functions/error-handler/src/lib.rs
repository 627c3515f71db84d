//! Error handler: a failure to a diagnosis, metrics and one alert.
//!
//! | step | modules |
//! |---|---|
//! | parse | [`failure`]: any event to one [`Failure`], its Cause unwrapped ([`cause`]) |
//! | fetch | [`fetch`]: what the event lacks; a Catch with a Cause lacks nothing |
//! | decide | [`safety_net`]: is it told already · [`history`] · [`evidence`] -> [`knowledge`], [`diagnosis`], [`advice`] · [`recovery`]: is the run redriven · [`compose`]: the alert |
//! | act | [`handle`]: redrive, then alert and count side by side (`deliver`); where the diagnosis itself breaks, the event is alerted as it came (`bare`) |

pub mod advice;
mod bare;
pub mod cause;
pub mod compose;
mod deliver;
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
use compose::{Concluded, Place};
use failure::Failure;
use fetch::{Fetched, Sources};
use futures_util::FutureExt;
use jiff::Timestamp;
use pipewarden_shared::alert::{Alert, Diagnosis, Recovery};
use pipewarden_shared::causes;
use pipewarden_shared::failure::ErrorType;
use pipewarden_shared::lambda::{FunctionError, Invocation, panic_message};
use pipewarden_shared::mask;
use pipewarden_shared::profile::Profile;
use pipewarden_shared::settings::{self, SettingsError};
use recovery::Circumstances;
use serde::Serialize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

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
    let alert = match AssertUnwindSafe(concluded(&handler, &invocation, now))
        .catch_unwind()
        .await
    {
        Ok(Some(alert)) => alert,
        Ok(None) => return Ok(None),
        Err(panic) => {
            let reason = mask::secrets(&panic_message(panic.as_ref()));
            tracing::error!(reason, "the event is alerted as it came: {reason}");
            let (profile, environment) = (&handler.profile, &handler.environment);
            bare::alert(&invocation.text, &reason, profile, environment, now)
        }
    };
    let remaining = invocation.remaining();
    // One does not wait for the other, and a failure of the metrics does not silence the alert.
    let (sent, metrics_published) = futures_util::join!(
        deliver::send(&handler, &alert, remaining),
        deliver::count(&handler, &alert, now, remaining)
    );
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

/// The alert about what an event tells; none where it tells of no failure, or of one that was told already.
async fn concluded(handler: &Handler, invocation: &Invocation, now: Timestamp) -> Option<Alert> {
    let Some(failure) = Failure::read(&invocation.text) else {
        tracing::info!("the event tells of no failure");
        return None;
    };
    if safety_net::is_told_elsewhere(&failure, &handler.names) {
        tracing::info!("the job is the state machine's: its execution tells of it");
        return None;
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
        return None;
    }
    let failure = safety_net::completed(failure, &fetched);
    let place = Place {
        environment: handler.environment.clone(),
        function_arn: invocation.function_arn.clone(),
    };
    let remaining = invocation.remaining();
    let concluded = conclude(handler, &failure, fetched, &place, now, remaining).await;
    let alert = compose::alert(&failure, concluded, &handler.profile, &place, now);
    Some(alert)
}

/// What a failure comes from, and what is done about its run.
async fn conclude(
    handler: &Handler,
    failure: &Failure,
    fetched: Fetched,
    place: &Place,
    now: Timestamp,
    remaining: Duration,
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
        Some(decision) => {
            Some(Box::pin(recovery::act(decision, &handler.sources, remaining)).await)
        }
        None => None,
    };
    Concluded {
        evidence,
        diagnosis,
        missing: fetched.missing,
        recovery,
        usual_seconds: fetched.usual_seconds,
    }
}
