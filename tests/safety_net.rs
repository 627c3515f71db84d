//! Runs that end badly, on the local cloud: each is alerted once, by its Catch or by the safety net.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot be set up has failed"
)]

use pipewarden_shared::alert::{Alert, RecoveryAction};
use pipewarden_tests::World;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a second alert would have to arrive; the first takes less than a second.
const SECOND_ALERT: Duration = Duration::from_secs(4);

/// Alerts that are there after the time that one more would take.
async fn alerts(world: &World, mut alerts: Vec<Alert>) -> Vec<Alert> {
    sleep(SECOND_ALERT).await;
    let late = world.stack.alerts(&world.inbox, false).await.unwrap();
    alerts.extend(late.queued.into_iter().map(|queued| queued.alert));
    alerts
}

#[tokio::test]
async fn a_run_that_its_catch_reported_is_alerted_once() {
    let world = World::deployed(200).await;
    let ended = world.run("glue-failure", true).await;
    let first = ended.alerted.queued.into_iter().map(|queued| queued.alert);
    let alerts = alerts(&world, first.collect()).await;
    let [alert] = alerts.as_slice() else {
        panic!("{} alerts: {alerts:?}", alerts.len());
    };
    assert_eq!(alert.error_type.as_str(), "glue_job_failure");
    assert_eq!(alert.recovery, None, "the safety net had no part in it");
    world.cloud.stop().await;
}

#[tokio::test]
async fn a_run_that_dies_outside_a_catch_is_alerted_once_by_the_safety_net() {
    let world = World::deployed(200).await;
    world.stack.fill("success", 200, |_| {}).await.unwrap();
    let client = aws_sdk_sfn::Client::new(&world.stack.config);
    let machine = world.stack.output("StateMachineArn").unwrap();
    let started = client
        .start_execution()
        .state_machine_arn(machine)
        .input("{}");
    let arn = started.send().await.unwrap().execution_arn;
    // Stopped at its first task, as by hand: nothing in the state machine can catch that.
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let history = client.get_execution_history().execution_arn(&arn);
        let events = history.send().await.unwrap().events;
        if events
            .iter()
            .any(|event| event.task_scheduled_event_details.is_some())
        {
            break;
        }
        assert!(Instant::now() < deadline, "the run does not begin");
        sleep(Duration::from_millis(50)).await;
    }
    let stop = client.stop_execution().execution_arn(&arn);
    stop.error("Operator")
        .cause("stopped by hand")
        .send()
        .await
        .unwrap();
    let first = world.stack.alerts(&world.inbox, true).await.unwrap();
    let first = first.queued.into_iter().map(|queued| queued.alert);
    let alerts = alerts(&world, first.collect()).await;
    let [alert] = alerts.as_slice() else {
        panic!("{} alerts: {alerts:?}\n{}", alerts.len(), world.cloud.log());
    };
    assert_eq!(alert.execution.arn, arn);
    assert_eq!(alert.environment, "dev");
    assert_eq!(alert.state.as_deref(), Some("LoadUsers"));
    assert!(
        alert.diagnosis.error_message.contains("stopped by hand"),
        "{:?}",
        alert.diagnosis
    );
    let recovery = alert.recovery.as_ref().unwrap();
    assert_eq!(recovery.action, RecoveryAction::NotRedriven);
    assert_eq!(recovery.reason, "somebody stopped the run");
    world.cloud.stop().await;
}
