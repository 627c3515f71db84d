//! Metrics publisher: a run's results to CloudWatch metrics.
//!
//! `event -> parse` ([`run`]) `-> decide` ([`metrics`]) `-> act` ([`handle`]).

pub mod metrics;
pub mod run;

use aws_sdk_cloudwatch::Client;
use pipewarden_shared::cloudwatch::{self, LARGEST_BATCH, MetricsNotPublished};
use pipewarden_shared::event::InvalidEvent;
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::profile::{Metrics, Profile};
use pipewarden_shared::settings::{self, SettingsError};
use run::Run;
use serde::Serialize;

/// What the function needs, built once per cold start.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// Where metrics go.
    pub client: Client,
    /// The namespace of the pipeline.
    pub namespace: String,
    /// The most data in one call.
    pub batch_size: usize,
}

/// The function's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Published {
    /// 200: a failure is an error, not another code.
    #[serde(rename = "statusCode")]
    pub status_code: u16,
    /// The run.
    pub execution_id: String,
    /// Where it ran.
    pub environment: String,
    /// How many data arrived.
    pub metrics_published: usize,
    /// From the start of the run to now; null where the start is not known.
    pub execution_duration_minutes: Option<f64>,
}

/// Why metrics were not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The event is not the contract.
    #[error(transparent)]
    InvalidEvent(#[from] InvalidEvent),
    /// CloudWatch did not take all of them.
    #[error(transparent)]
    NotPublished(#[from] MetricsNotPublished),
}

/// Every name under which the function fails.
pub const ERRORS: &[&str] = &[InvalidEvent::NAME, "MetricsNotPublished"];

impl FunctionError for PublishError {
    fn name(&self) -> &'static str {
        match self {
            Self::InvalidEvent(_) => InvalidEvent::NAME,
            Self::NotPublished(_) => "MetricsNotPublished",
        }
    }
}

impl Publisher {
    /// Reads the configuration and builds the client.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is missing or wrong.
    pub fn from_settings() -> Result<Self, SettingsError> {
        let batch_size = settings::number(
            "METRICS_BATCH_SIZE",
            1..=LARGEST_BATCH,
            20,
            "a whole number from 1 to 1000",
        )?;
        // All that it needs of a profile: reading one takes longer than anything else that it does at its start.
        let metrics = match Metrics::from_settings()? {
            Some(metrics) => metrics,
            None => Profile::from_settings()?.metrics,
        };
        Ok(Self {
            client: Client::new(&pipewarden_shared::aws::sdk_config()?),
            namespace: metrics.namespace,
            batch_size,
        })
    }
}

/// Publishes the metrics of a run.
///
/// # Errors
/// [`PublishError`]: the event is not the contract, or CloudWatch did not take every metric.
pub async fn handle(
    publisher: Publisher,
    invocation: Invocation,
) -> Result<Published, PublishError> {
    let now = jiff::Timestamp::now();
    let run = Run::parse(invocation.event()?)?;
    let metrics = metrics::of_run(&run, now);
    let metrics_published = cloudwatch::publish(
        &publisher.client,
        &publisher.namespace,
        &metrics,
        now,
        publisher.batch_size,
    )
    .await?;
    tracing::info!(
        execution_id = run.execution_id,
        environment = run.environment.as_str(),
        metrics_published,
        "published {metrics_published} metrics to {}",
        publisher.namespace
    );
    Ok(Published {
        status_code: 200,
        execution_duration_minutes: metrics::duration_seconds(&run, now)
            .map(|seconds| (seconds / 60.0 * 100.0).round() / 100.0),
        execution_id: run.execution_id,
        environment: run.environment.to_string(),
        metrics_published,
    })
}
