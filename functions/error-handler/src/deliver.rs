//! Act: sends the alert and counts the failure, each within the time that Lambda leaves.

use crate::compose::{self, Message};
use crate::{Handler, HandlerError};
use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::operation::publish::builders::PublishFluentBuilder;
use aws_sdk_sns::types::MessageAttributeValue;
use futures_util::FutureExt;
use jiff::Timestamp;
use pipewarden_shared::alert::Alert;
use pipewarden_shared::cloudwatch::{self, LARGEST_BATCH};
use pipewarden_shared::metric::{Environment, Metric};
use pipewarden_shared::{causes, mask};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// What is left for the alert when everything before it took as long as it may.
pub(crate) const RESERVE: Duration = Duration::from_secs(20);

/// What is left when sending is given up: enough to log the whole alert before Lambda ends the function.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// How long sending is tried however little time is left.
const LEAST: Duration = Duration::from_secs(1);

/// Between two rounds of the SDK's own retries.
const PAUSE: Duration = Duration::from_millis(500);

/// How long counting may take: a function that ends late is retried, and the alert is sent twice.
const LONGEST_COUNT: Duration = Duration::from_secs(10);

/// What counting leaves of the time.
const COUNTED_BY: Duration = Duration::from_secs(5);

/// Sends the alert, as often as it takes; where it cannot be sent, all of it is in the log.
pub(crate) async fn send(
    handler: &Handler,
    alert: &Alert,
    remaining: Duration,
) -> Result<(), HandlerError> {
    let deadline = Instant::now() + remaining.saturating_sub(LAST_WORDS).max(LEAST);
    let message = compose::message(alert).map_err(|source| HandlerError::Unwritable {
        alert_id: alert.id.clone(),
        source,
    })?;
    let call = call(handler, message);
    publish(call, deadline).await.map_err(|source| {
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

fn call(handler: &Handler, message: Message) -> PublishFluentBuilder {
    let mut call = handler
        .sns
        .publish()
        .topic_arn(&handler.topic_arn)
        .subject(message.subject)
        .message_structure("json")
        .message(message.body);
    for (name, value) in message.attributes {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build();
        match value {
            Ok(value) => call = call.message_attributes(name, value),
            // Only a missing data type is refused, and it is given above.
            Err(error) => tracing::error!(error = %error, "cannot attach {name}"),
        }
    }
    call
}

/// Publishes until SNS takes it, refuses it for good, or the deadline is there.
async fn publish(
    call: PublishFluentBuilder,
    deadline: Instant,
) -> Result<(), SdkError<PublishError>> {
    let mut last = None;
    loop {
        let error = match timeout_at(deadline, call.clone().send()).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => {
                let late = || SdkError::timeout_error("SNS did not answer in time");
                return Err(last.unwrap_or_else(late));
            }
        };
        if !may_pass(&error) || Instant::now() + PAUSE >= deadline {
            return Err(error);
        }
        let reason = mask::secrets(&causes::chain(&error));
        tracing::warn!(reason, "SNS has not taken the alert yet: {reason}");
        last = Some(error);
        sleep(PAUSE).await;
    }
}

/// Whether the same call may succeed a little later.
fn may_pass(error: &SdkError<PublishError>) -> bool {
    match error {
        SdkError::ConstructionFailure(_) => false,
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            let is_throttled = error.code().is_some_and(|code| code.contains("Throttl"));
            status >= 500 || status == 429 || is_throttled
        }
        _ => true,
    }
}

/// Counts the failure; returns how many data arrived. Whatever goes wrong here is logged and costs the alert nothing.
pub(crate) async fn count(
    handler: &Handler,
    alert: &Alert,
    now: Timestamp,
    remaining: Duration,
) -> usize {
    let Some(environment) = Environment::parse(&alert.environment) else {
        tracing::error!(
            "{:?} is no environment to count a failure in",
            alert.environment
        );
        return 0;
    };
    let metrics = Metric::of_failure(&environment, alert.error_type, alert.severity);
    let namespace = &handler.profile.metrics.namespace;
    let patience = remaining.saturating_sub(COUNTED_BY).min(LONGEST_COUNT);
    let counting =
        cloudwatch::publish(&handler.cloudwatch, namespace, &metrics, now, LARGEST_BATCH);
    let error = match AssertUnwindSafe(timeout(patience, counting))
        .catch_unwind()
        .await
    {
        Ok(Ok(Ok(published))) => return published,
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(_)) => "CloudWatch did not answer in time".to_owned(),
        Err(_) => "counting panicked".to_owned(),
    };
    tracing::error!(error, "the failure was not counted: {error}");
    0
}
