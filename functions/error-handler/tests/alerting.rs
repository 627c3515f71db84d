//! Handling against HTTP stubs of SNS and CloudWatch: an alert goes out whatever fails beside it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a stub that cannot be set up has failed the test"
)]

use aws_sdk_cloudwatch::Client as CloudWatch;
use aws_sdk_sns::Client as Sns;
use aws_smithy_runtime_api::client::http::http_client_fn;
use error_handler::advice::Names;
use error_handler::fetch::Sources;
use error_handler::{Handled, Handler, HandlerError, handle};
use httpmock::{Mock, MockServer};
use pipewarden_shared::alert::Alert;
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::loopback;
use pipewarden_shared::profile::Profile;
use rstest::rstest;
use serde_json::Value;
use std::io::Write;
use std::sync::{Arc, Mutex};
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
    handle_within(server, event, Duration::from_secs(30)).await
}

async fn handle_within(
    server: &MockServer,
    event: &str,
    remaining: Duration,
) -> Result<Option<Handled>, HandlerError> {
    handle(handler(server), Invocation::of(event, remaining)).await
}

fn handler(server: &MockServer) -> Handler {
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
    Handler {
        cloudwatch: CloudWatch::new(&config),
        sns: Sns::new(&config),
        sources: Arc::new(Sources::new(config)),
        topic_arn: "arn:aws:sns:us-east-1:000000000001:alerts".to_owned(),
        profile: Arc::new(profile),
        environment: "dev".to_owned(),
        names: Names::default(),
    }
}

/// A log that a test reads.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
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

/// Whatever fails beside it, the alert is sent where SNS takes it, and the function fails where it does not.
#[rstest]
#[case::nothing(200, 200)]
#[case::the_metrics(200, 500)]
#[case::the_metrics_for_good(200, 400)]
#[case::the_alert(503, 200)]
#[case::the_alert_for_good(403, 200)]
#[case::both(503, 500)]
#[case::both_for_good(403, 400)]
#[tokio::test]
async fn what_fails(#[case] at_sns: u16, #[case] at_cloudwatch: u16) {
    let server = MockServer::start();
    let (alert, metrics) = (sns(&server, at_sns), cloudwatch(&server, at_cloudwatch));
    let answer = handle_within(&server, EVENT, Duration::from_secs(8)).await;
    assert!(metrics.calls() > 0);
    match at_sns {
        200 => {
            alert.assert_calls(1);
            let answer = answer.unwrap().unwrap();
            let counted = if at_cloudwatch == 200 { 2 } else { 0 };
            assert_eq!(
                (answer.alert_sent, answer.metrics_published),
                (true, counted)
            );
        }
        _ => {
            let error = answer.unwrap_err();
            assert_eq!(error.name(), "AlertNotSent");
            let topic = "arn:aws:sns:us-east-1:000000000001:alerts";
            assert!(error.to_string().contains(topic), "{error}");
            // A refusal is not asked for again, what may pass is.
            assert_eq!(alert.calls() > 1, at_sns == 503);
        }
    }
}

#[tokio::test]
async fn an_alert_is_sent_again_until_it_is_taken() {
    let server = MockServer::start();
    cloudwatch(&server, 200);
    let mut refused = sns(&server, 503);
    let handling = handle_within(&server, EVENT, Duration::from_secs(40));
    let recovering = async {
        // More often than the SDK tries by itself.
        while refused.calls() <= 4 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        refused.delete();
        sns(&server, 200)
    };
    let (answer, taken) = tokio::join!(handling, recovering);
    assert!(answer.unwrap().unwrap().alert_sent);
    taken.assert_calls(1);
}

/// Lambda would end it without a word; so it gives up before that, and its log has all of the alert.
#[tokio::test]
async fn an_alert_that_sns_does_not_answer_is_in_the_log() {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.path("/").body_includes("Action=Publish");
        then.status(200)
            .delay(Duration::from_secs(60))
            .body(PUBLISHED);
    });
    cloudwatch(&server, 200);
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(move || writer.clone())
        .finish();
    let _log = tracing::subscriber::set_default(lines);
    let error = handle_within(&server, EVENT, Duration::from_secs(4))
        .await
        .unwrap_err();
    assert_eq!(error.name(), "AlertNotSent");
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("was not sent"))
        .unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    let alert: Alert = serde_json::from_str(line["alert"].as_str().unwrap()).unwrap();
    assert_eq!(alert.error_type.as_str(), "glue_job_failure");
    assert!(!alert.diagnosis.recommended_actions.is_empty());
}

#[tokio::test]
async fn metrics_that_nobody_takes_do_not_hold_up_an_alert() {
    let server = MockServer::start();
    let alert = sns(&server, 200);
    server.mock(|when, then| {
        when.path_includes("PutMetricData");
        then.status(200).delay(Duration::from_secs(60));
    });
    let answer = handle_within(&server, EVENT, Duration::from_secs(6)).await;
    let answer = answer.unwrap().unwrap();
    alert.assert_calls(1);
    assert_eq!((answer.alert_sent, answer.metrics_published), (true, 0));
}

#[tokio::test]
async fn a_panic_is_alerted_with_the_event() {
    let server = MockServer::start();
    let alert = server.mock(|when, then| {
        when.path("/")
            .body_includes("Action=Publish")
            .body_includes("sf-user-dev")
            .body_excludes("hunter22");
        then.status(200)
            .header("content-type", "text/xml")
            .body(PUBLISHED);
    });
    cloudwatch(&server, 200);
    let config = loopback::sdk_config(&server.base_url(), "000000000001");
    let panics = http_client_fn(|_, _| panic!("broken with password=hunter22"));
    let broken = config.to_builder().http_client(panics).build();
    let handler = Handler {
        sources: Arc::new(Sources::new(broken)),
        ..handler(&server)
    };
    let event = include_str!("../../../events/error-handler/eventbridge-execution-failed.json");
    let answer = handle(handler, Invocation::of(event, Duration::from_secs(60))).await;
    let answer = answer.unwrap().unwrap();
    alert.assert_calls(1);
    assert_eq!(answer.error_type.as_str(), "unknown_error");
    assert!(
        answer.error_details.cause.contains("password=***"),
        "{}",
        answer.error_details.cause
    );
    assert_eq!(answer.metrics_published, 2);
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
