//! What a run left behind: metrics in CloudWatch, alerts on the queue and in the inbox.

use crate::inbox::Inbox;
use crate::stack::{Stack, StackError, refused};
use aws_sdk_cloudwatch::types::Statistic;
use aws_smithy_types::DateTime;
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::alert::Alert;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long an alert may take from the topic to its receivers.
const PATIENCE: Duration = Duration::from_secs(30);

/// A series with what arrived in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The metric's name.
    pub name: String,
    /// Names and values of the dimensions, in order of the names.
    pub dimensions: Vec<(String, String)>,
    /// The unit.
    pub unit: String,
    /// The sum of what arrived.
    pub sum: f64,
    /// How many data arrived.
    pub count: f64,
}

/// An alert on the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Queued {
    /// The alert.
    pub alert: Alert,
    /// The message attributes, by which a subscription filters.
    pub attributes: BTreeMap<String, String>,
}

/// An alert, at each place that it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerted {
    /// On the subscribed queue.
    pub queued: Vec<Queued>,
    /// At the fake Slack.
    pub slack: Vec<Value>,
    /// At the fake Teams.
    pub teams: Vec<Value>,
    /// At the fake webhook.
    pub webhook: Vec<Value>,
}

impl Stack {
    /// Every series of a namespace.
    ///
    /// # Errors
    /// [`StackError`] where the emulator refuses.
    pub async fn metrics(&self, namespace: &str) -> Result<Vec<Series>, StackError> {
        let client = aws_sdk_cloudwatch::Client::new(&self.config);
        let listed = client
            .list_metrics()
            .namespace(namespace)
            .into_paginator()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .map_err(refused("list the metrics"))?
            .into_iter()
            .flat_map(|page| page.metrics.unwrap_or_default());
        let now = Timestamp::now();
        let at = |hours| DateTime::from_secs((now + SignedDuration::from_hours(hours)).as_second());
        let mut series = Vec::new();
        for metric in listed {
            let statistics = client
                .get_metric_statistics()
                .namespace(namespace)
                .set_metric_name(metric.metric_name.clone())
                .set_dimensions(metric.dimensions.clone())
                .start_time(at(-2))
                .end_time(at(1))
                .period(86_400)
                .statistics(Statistic::Sum)
                .statistics(Statistic::SampleCount)
                .send()
                .await
                .map_err(refused("read a metric"))?;
            let mut dimensions: Vec<_> = metric
                .dimensions()
                .iter()
                .map(|dimension| {
                    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
                    (text(dimension.name()), text(dimension.value()))
                })
                .collect();
            dimensions.sort();
            let points = statistics.datapoints();
            let unit = points.iter().find_map(|point| point.unit());
            series.push(Series {
                name: metric.metric_name.unwrap_or_default(),
                dimensions,
                unit: unit.map_or("None", |unit| unit.as_str()).to_owned(),
                sum: points.iter().filter_map(|point| point.sum()).sum(),
                count: points.iter().filter_map(|point| point.sample_count()).sum(),
            });
        }
        Ok(series)
    }

    /// What was alerted: waits for the alert of a run that failed, and looks once after one that did not.
    ///
    /// # Errors
    /// [`StackError`] where the emulator refuses.
    pub async fn alerts(&self, inbox: &Inbox, expected: bool) -> Result<Alerted, StackError> {
        let deadline = Instant::now() + PATIENCE;
        let mut queued = Vec::new();
        loop {
            queued.extend(self.receive().await?);
            let alerted = Alerted {
                queued: queued.clone(),
                slack: inbox.at("/slack"),
                teams: inbox.at("/teams"),
                webhook: inbox.at("/webhook"),
            };
            let complete = !alerted.queued.is_empty()
                && !alerted.slack.is_empty()
                && !alerted.teams.is_empty()
                && !alerted.webhook.is_empty();
            if complete || !expected || Instant::now() > deadline {
                return Ok(alerted);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    async fn receive(&self) -> Result<Vec<Queued>, StackError> {
        let received = aws_sdk_sqs::Client::new(&self.config)
            .receive_message()
            .queue_url(&self.alert_queue)
            .max_number_of_messages(10)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(refused("read the queue of alerts"))?;
        received
            .messages()
            .iter()
            .map(|message| {
                let body = message.body().unwrap_or_default();
                let alert = serde_json::from_str(body).map_err(|error| StackError::Refused {
                    doing: "read an alert from the queue".to_owned(),
                    reason: format!("{error} in {body}"),
                })?;
                let attributes = message.message_attributes().into_iter().flatten();
                let attributes = attributes
                    .map(|(name, value)| {
                        (
                            name.clone(),
                            value.string_value().unwrap_or_default().to_owned(),
                        )
                    })
                    .collect();
                Ok(Queued { alert, attributes })
            })
            .collect()
    }
}
