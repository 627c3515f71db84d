//! Handling against HTTP stubs of SNS and CloudWatch: an alert goes out whatever fails beside it.

#![allow(
    clippy::unwrap_used,
    reason = "a stub that cannot be set up has failed the test"
)]

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_sns::Client as Sns;
use error_handler::advice::Names;
use error_handler::fetch::Sources;
use error_handler::{Handled, Handler, HandlerError, handle};
use httpmock::{Mock, MockServer};
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::loopback;
use pipewarden_shared::profile::Profile;
use std::sync::Arc;
use std::time::Duration;

const PUBLISHED: &str = r#"<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"#;

fn sns(server: &MockServer, status: u16) -> Mock<'_> {
    server.mock(|when, then| {
        when.path("/").body_includes("Action=Publish");
        then.status(status)
            .header("content-type", "text/xml")
            .body(PUBLISHED);
    })
}

fn cloudwatch(server: &MockServer, status: u16) -> Mock<'_> {
    server.mock(|when, then| {
        when.path_includes("PutMetricData");
        then.status(status)
            .header("smithy-protocol", "rpc-v2-cbor")
            .header("content-type", "application/cbor")
            .body([0xbf, 0xff]);
    })
}

async fn handled(server: &MockServer, event: &str) -> Result<Handled, HandlerError> {
    Ok(handle_event(server, event).await?.unwrap())
}

async fn handle_event(server: &MockServer, event: &str) -> Result<Option<Handled>, HandlerError> {
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
    let handler = Handler {
        cloudwatch: CloudWatch::new(&config),
        sns: Sns::new(&config),
        sources: Arc::new(Sources::new(config)),
        topic_arn: "arn:aws:sns:us-east-1:000000000001:alerts".to_owned(),
        profile: Arc::new(profile),
        environment: "dev".to_owned(),
        names: Names::default(),
    };
    handle(handler, Invocation::of(event, Duration::from_secs(30))).await
}

const EVENT: &str = include_str!("../../../events/error-handler/glue-job-failure.json");

#[tokio::test]
async fn one_alert_is_sent_and_the_failure_is_counted() {
    let server = MockServer::start();
    let (alert, metrics) = (sns(&server, 200), cloudwatch(&server, 200));
    let answer = serde_json::to_value(handled(&server, EVENT).await.unwrap()).unwrap();
    alert.assert_calls(1);
    metrics.assert_calls(1);
    assert_eq!(answer["statusCode"], 200);
    assert_eq!(answer["error_type"], "glue_job_failure");
    assert_eq!(answer["metrics_published"], 2);
    assert_eq!(answer["alert_sent"], true);
    assert_eq!(answer["error_details"]["severity"], "HIGH");
    assert!(answer["error_details"]["root_cause"]["code"].is_string());
    assert!(answer["recovery"].is_null(), "a Catch is not redriven");
    for field in [
        "recommended_actions",
        "investigation_steps",
        "escalate_to",
        "failed_validations",
    ] {
        assert!(!answer["error_details"][field].is_null(), "{field}");
    }
}

#[tokio::test]
async fn a_failure_of_the_metrics_does_not_silence_the_alert() {
    let server = MockServer::start();
    let (alert, _metrics) = (sns(&server, 200), cloudwatch(&server, 500));
    let answer = handled(&server, EVENT).await.unwrap();
    alert.assert_calls(1);
    assert!(answer.alert_sent);
    assert_eq!(answer.metrics_published, 0);
}

#[tokio::test]
async fn an_alert_that_cannot_be_sent_is_an_error_after_its_retries() {
    let server = MockServer::start();
    let (alert, metrics) = (sns(&server, 503), cloudwatch(&server, 200));
    let error = handled(&server, EVENT).await.unwrap_err();
    alert.assert_calls(4);
    metrics.assert_calls(1);
    assert_eq!(error.name(), "AlertNotSent");
    assert!(
        error
            .to_string()
            .contains("arn:aws:sns:us-east-1:000000000001:alerts"),
        "{error}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_alerted_with_its_text() {
    let server = MockServer::start();
    let alert = server.mock(|when, then| {
        when.path("/").body_includes("the%20scheduler%20says");
        then.status(200)
            .header("content-type", "text/xml")
            .body(PUBLISHED);
    });
    cloudwatch(&server, 200);
    let event = include_str!("../../../events/error-handler/not-the-contract.json");
    let answer = handled(&server, event).await.unwrap();
    alert.assert_calls(1);
    assert_eq!(answer.error_type.as_str(), "unknown_error");
}

#[tokio::test]
async fn a_run_that_succeeded_alerts_nobody() {
    let server = MockServer::start();
    let (alert, metrics) = (sns(&server, 200), cloudwatch(&server, 200));
    let event = include_str!("../../../events/error-handler/eventbridge-execution-timed-out.json");
    let event = event.replace("TIMED_OUT", "SUCCEEDED");
    assert_eq!(handle_event(&server, &event).await.unwrap(), None);
    alert.assert_calls(0);
    metrics.assert_calls(0);
}
