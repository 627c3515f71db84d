//! Sends metric data to CloudWatch: batches side by side, and an error that names what is missing.

use crate::causes;
use crate::metric::{Metric, Unit};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::error::SdkError;
use aws_sdk_cloudwatch::operation::put_metric_data::PutMetricDataError;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_smithy_types::DateTime;
use futures_util::future::join_all;
use jiff::Timestamp;

/// The most data that one PutMetricData takes (CloudWatch API reference).
pub const LARGEST_BATCH: usize = 1_000;

/// Metrics that did not arrive, although each batch was retried.
#[derive(Debug, thiserror::Error)]
#[error("published {published} metrics to {namespace}, but not {}: {}", .missing.join(", "), causes::chain(.source))]
pub struct MetricsNotPublished {
    /// The namespace they were for.
    pub namespace: String,
    /// How many did arrive.
    pub published: usize,
    /// Names of those that did not.
    pub missing: Vec<&'static str>,
    /// The first batch's error.
    pub source: Box<SdkError<PutMetricDataError>>,
}

/// Publishes `metrics` in batches of at most `batch_size`, all at once, and returns how many there were.
///
/// # Errors
/// [`MetricsNotPublished`] after the client's retries; the batches that did arrive are not sent again.
pub async fn publish(
    client: &Client,
    namespace: &str,
    metrics: &[Metric],
    at: Timestamp,
    batch_size: usize,
) -> Result<usize, MetricsNotPublished> {
    let batches = metrics.chunks(batch_size.clamp(1, LARGEST_BATCH));
    let sent = join_all(batches.map(|batch| async move {
        let sent = client
            .put_metric_data()
            .namespace(namespace)
            .set_metric_data(Some(batch.iter().map(|metric| datum(metric, at)).collect()))
            .send()
            .await;
        (batch, sent)
    }))
    .await;

    let mut missing = Vec::new();
    let mut first_error = None;
    for (batch, sent) in sent {
        if let Err(error) = sent {
            missing.extend(batch.iter().map(|metric| metric.name));
            first_error.get_or_insert(error);
        }
    }
    match first_error {
        None => Ok(metrics.len()),
        Some(source) => Err(MetricsNotPublished {
            namespace: namespace.to_owned(),
            published: metrics.len() - missing.len(),
            missing,
            source: Box::new(source),
        }),
    }
}

fn datum(metric: &Metric, at: Timestamp) -> MetricDatum {
    let dimensions = metric
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(*name).value(value).build());
    MetricDatum::builder()
        .metric_name(metric.name)
        .unit(match metric.unit {
            Unit::Seconds => StandardUnit::Seconds,
            Unit::Count => StandardUnit::Count,
            Unit::Percent => StandardUnit::Percent,
            Unit::Bytes => StandardUnit::Bytes,
        })
        .value(metric.value)
        .set_dimensions(Some(dimensions.collect()))
        .timestamp(DateTime::from_millis(at.as_millisecond()))
        .build()
}
