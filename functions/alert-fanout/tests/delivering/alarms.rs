//! Alarms that only repeat an alert, and ends of what nobody knew of.

use crate::stubs::{SLACK_AND_WEBHOOK, addresses, deliver, event, fanout, later, receiver, secret};
use alert_fanout::success::Watched;
use httpmock::MockServer;
use pipewarden_shared::lambda::FunctionError;
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;

/// A sample alarm under another name.
fn alarm(name: &str, at: &str) -> String {
    let sample = include_str!("../../../../events/alert-fanout/alarm-composite.json");
    let mut event: Value = serde_json::from_str(sample).unwrap();
    let sns = &mut event["Records"][0]["Sns"];
    let mut alarm: Value = serde_json::from_str(sns["Message"].as_str().unwrap()).unwrap();
    alarm["AlarmName"] = json!(name);
    alarm["AlarmArn"] = json!(format!("arn:aws:cloudwatch:eu-central-1:1:alarm:{name}"));
    alarm["StateChangeTime"] = json!(at);
    sns["Message"] = json!(alarm.to_string());
    event.to_string()
}

#[rstest]
#[case::repeats_the_run("sf-user-dev-StepFunctionsFailureAlarm", 0)]
#[case::repeats_its_alarms("sf-user-dev-PipelineHealthCompositeAlarm", 0)]
#[case::repeats_the_cause("sf-user-dev-GlueJobFailureAlarm", 0)]
#[case::another_matter("sf-user-dev-DeadLetterAlarm", 1)]
#[case::another_cause("sf-user-dev-SCDIntegrityAlarm", 1)]
#[case::another_stack("sf-user-dev2-StepFunctionsFailureAlarm", 1)]
#[case::another_pipeline("orders-dev-StepFunctionsFailureAlarm", 1)]
#[tokio::test]
async fn an_alarm_that_only_repeats_an_alert_is_held_back(#[case] name: &str, #[case] more: usize) {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "slack", 200);
    let webhook = receiver(&server, "webhook", 200);
    let fanout = watching(fanout(&server, SLACK_AND_WEBHOOK), "2026-03-01T06:05:00Z");
    deliver(&fanout, &event(|_| {})).await.unwrap();
    deliver(&fanout, &alarm(name, "2026-03-01T06:04:00.000+0000"))
        .await
        .unwrap();
    webhook.assert_calls(1 + more);
}

#[tokio::test]
async fn an_alarm_is_heard_where_no_alert_about_the_run_was_told() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    let slack = receiver(&server, "slack", 200);
    let mut refusing = receiver(&server, "webhook", 400);
    let fanout = watching(fanout(&server, SLACK_AND_WEBHOOK), "2026-03-01T06:05:00Z");
    let error = deliver(&fanout, &event(|_| {})).await.unwrap_err();
    assert_eq!(error.name(), "AlertNotDelivered");
    refusing.delete();
    let webhook = receiver(&server, "webhook", 200);
    let failed = "sf-user-dev-StepFunctionsFailureAlarm";
    deliver(&fanout, &alarm(failed, "2026-03-01T06:04:00.000+0000"))
        .await
        .unwrap();
    assert_eq!((slack.calls(), webhook.calls()), (1, 1));

    // The next run fails as well, hours later, and nothing was said of that one.
    let fanout = later(fanout, "2026-03-01T12:00:00Z");
    deliver(&fanout, &alarm(failed, "2026-03-01T11:59:00.000+0000"))
        .await
        .unwrap();
    slack.assert_calls(2);
}

#[tokio::test]
async fn a_maintenance_keeps_the_pipelines_alarms_quiet_and_no_others() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "slack", 200);
    let webhook = receiver(&server, "webhook", 200);
    let fanout = watching(fanout(&server, SLACK_AND_WEBHOOK), "2026-03-01T06:05:00Z");
    for (name, told) in [
        ("sf-user-dev-MaintenanceAlarm", 1),
        ("sf-user-dev-DataQualityAlarm", 1),
        ("orders-dev-DataQualityAlarm", 2),
    ] {
        deliver(&fanout, &alarm(name, "2026-03-01T06:04:00.000+0000"))
            .await
            .unwrap();
        assert_eq!(webhook.calls(), told, "{name}");
    }
    // What fails in a run is told all the same.
    deliver(&fanout, &event(|_| {})).await.unwrap();
    webhook.assert_calls(3);
}

/// The function that watches the pipeline of the sample alert.
fn watching(
    fanout: Arc<alert_fanout::Fanout<alert_fanout::store::Memory>>,
    now: &str,
) -> Arc<alert_fanout::Fanout<alert_fanout::store::Memory>> {
    let mut fanout = Arc::into_inner(later(fanout, now)).unwrap();
    fanout.watched = Some(Watched {
        state_machine: "arn:aws:states:eu-central-1:1:stateMachine:sf-user-dev".to_owned(),
        pipeline: "sf_user".to_owned(),
        environment: "dev".to_owned(),
    });
    Arc::new(fanout)
}

fn backup(id: &str, state: &str, at: &str) -> String {
    json!({
        "id": id,
        "source": "my.backups",
        "detail-type": "Backup",
        "time": at,
        "resources": ["arn:backup"],
        "detail": {"state": state},
    })
    .to_string()
}

#[tokio::test]
async fn an_unknown_end_of_nothing_is_news_and_waits_for_the_digest() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "slack", 200);
    let webhook = receiver(&server, "webhook", 200);
    let fanout = later(fanout(&server, SLACK_AND_WEBHOOK), "2026-03-01T06:05:00Z");
    let done = backup("1", "COMPLETED", "2026-03-01T06:00:00Z");
    assert_eq!(deliver(&fanout, &done).await.unwrap().kept, 2);
    assert_eq!(deliver(&fanout, &done).await.unwrap().kept, 0, "once");
    webhook.assert_calls(0);

    let said = json!({"Records": [{"Sns": {
        "MessageId": "2",
        "Message": "The disk is fine again.",
        "MessageAttributes": {"status": {"Type": "String", "Value": "resolved"}},
    }}]});
    let kept = deliver(&fanout, &said.to_string()).await.unwrap().kept;
    assert_eq!(kept, 2, "a text is delivered whatever it says");
}

#[tokio::test]
async fn an_unknown_end_of_what_is_there_ends_it() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "slack", 200);
    let webhook = receiver(&server, "webhook", 200);
    let fanout = later(fanout(&server, SLACK_AND_WEBHOOK), "2026-03-01T06:05:00Z");
    let failed = backup("1", "FAILED", "2026-03-01T06:00:00Z");
    let done = backup("2", "COMPLETED", "2026-03-01T06:01:00Z");
    deliver(&fanout, &failed).await.unwrap();
    assert_eq!(deliver(&fanout, &done).await.unwrap().delivered, 2);
    let again = deliver(&fanout, &done).await.unwrap();
    assert_eq!((again.delivered, again.kept), (0, 0));
    webhook.assert_calls(2);
}

#[tokio::test]
async fn a_good_run_that_ends_nothing_is_told_to_nobody() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    let fanout = later(fanout(&server, SLACK_AND_WEBHOOK), "2026-03-01T06:05:00Z");
    let run = json!({
        "id": "1",
        "source": "aws.glue",
        "detail-type": "Glue Job State Change",
        "time": "2026-03-01T06:00:00Z",
        "detail": {"jobName": "load", "state": "SUCCEEDED"},
    });
    let told = deliver(&fanout, &run.to_string()).await.unwrap();
    assert_eq!((told.delivered, told.kept), (0, 0));
}

/// One receiver that wants no ends, and one that is gone: the problem is done with all the same.
#[tokio::test]
async fn a_success_ends_a_problem_for_good() {
    let server = MockServer::start();
    addresses(&server, &["slack", "webhook"]);
    receiver(&server, "slack", 200);
    let webhook = receiver(&server, "webhook", 200);
    secret(&server, "pager", "R0UT1NG");
    let alerts = "
  receivers:
    - { name: slack, slack: { secret: slack }, send_resolved: false }
    - { name: webhook, webhook: { secret: webhook } }
  route: { receiver: [slack, webhook] }
";
    let fanout = watching(fanout(&server, alerts), "2026-03-01T08:00:00Z");
    deliver(&fanout, &event(|_| {})).await.unwrap();
    let success = |id: &str, hour: u32| {
        json!({
            "id": id,
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "time": format!("2026-03-01T0{hour}:00:00Z"),
            "detail": {
                "executionArn": format!("arn:aws:states:eu-central-1:1:execution:sf-user-dev:{id}"),
                "stateMachineArn": "arn:aws:states:eu-central-1:1:stateMachine:sf-user-dev",
                "status": "SUCCEEDED",
            },
        })
        .to_string()
    };
    deliver(&fanout, &success("run-2", 7)).await.unwrap();
    webhook.assert_calls(2);
    let before = problem(&fanout).await;
    deliver(&fanout, &success("run-3", 8)).await.unwrap();
    assert_eq!(
        problem(&fanout).await,
        before,
        "nothing is written of it any more"
    );
}

/// How often the only problem of the pipeline was written.
async fn problem(fanout: &Arc<alert_fanout::Fanout<alert_fanout::store::Memory>>) -> Vec<u64> {
    use alert_fanout::store::{PROBLEMS, Store, pipeline_scope};
    let scope = pipeline_scope("sf_user", "dev");
    let store = fanout.store.as_ref().unwrap();
    let items = store.list(&scope, PROBLEMS, 10, fanout.clock.now()).await;
    items.unwrap().iter().map(|item| item.version).collect()
}
