//! Alerts of the deployed suite: told once, ended by the next success, and redriven where nobody took them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use aws_sdk_secretsmanager::Client as Secrets;
use pipewarden_local::inbox::Inbox;
use pipewarden_local::place::Place;
use pipewarden_tests::World;
use serde_json::Value;
use std::process::{Command, Output};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a message may take from the state machine to its receivers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until so many messages were posted to a path.
async fn posted(inbox: &Inbox, path: &str, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let messages = inbox.at(path);
        if messages.len() >= count {
            return messages;
        }
        assert!(
            Instant::now() < deadline,
            "{} of {count} messages at {path}: {messages:?}",
            messages.len()
        );
        sleep(Duration::from_millis(200)).await;
    }
}

fn words(messages: &[Value], pointer: &str) -> Vec<String> {
    let words = messages.iter().map(|message| message.pointer(pointer));
    words
        .map(|word| word.and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test]
async fn a_failure_is_told_once_and_ended_by_the_next_success() {
    let world = World::deployed(200).await;
    world.run("glue-failure", true).await;
    assert_eq!(
        words(&posted(&world.inbox, "/webhook", 1).await, "/status"),
        ["firing"]
    );
    world.run("glue-failure", true).await;
    world.run("success", false).await;

    let webhook = posted(&world.inbox, "/webhook", 2).await;
    assert_eq!(
        words(&webhook, "/status"),
        ["firing", "resolved"],
        "the second failure is counted in the first"
    );
    assert_eq!(webhook[0]["fingerprint"], webhook[1]["fingerprint"]);
    let slack = posted(&world.inbox, "/slack", 2).await;
    assert!(words(&slack, "/text")[1].starts_with('✅'), "{slack:?}");
    assert_eq!(slack.len(), 2);
    world.cloud.stop().await;
}

#[tokio::test]
async fn what_nobody_took_is_redriven() {
    // Receivers that are gone: their addresses are read again at each message.
    let world = World::deployed(404).await;
    world.run("too-few-records", true).await;
    let queue = world.stack.output("UndeliveredAlertsUrl").unwrap();
    let deadline = Instant::now() + PATIENCE;
    while !said(&redrive(&world, &["--dry-run"]).await).contains("1 left in the queue") {
        assert!(Instant::now() < deadline, "nothing arrives in {queue}");
        sleep(Duration::from_millis(500)).await;
    }
    // What a dry run looked at is seen again after its 20 s.
    sleep(Duration::from_secs(21)).await;

    let inbox = Inbox::start(200).await.unwrap();
    let secrets = Secrets::new(&world.stack.config);
    for name in ["slack", "teams", "webhook"] {
        let address = format!("{}/{name}", inbox.address);
        let id = format!("pipewarden/{name}");
        secrets
            .put_secret_value()
            .secret_id(id)
            .secret_string(address)
            .send()
            .await
            .unwrap();
    }
    let output = redrive(&world, &[]).await;
    assert!(
        output.status.success() && said(&output).contains("1 redriven, 0 left"),
        "{}",
        said(&output)
    );
    for path in ["/slack", "/teams", "/webhook"] {
        assert_eq!(inbox.at(path).len(), 1, "{path}");
    }
    assert!(said(&redrive(&world, &[]).await).contains("0 redriven, 0 left"));
    world.cloud.stop().await;
}

async fn redrive(world: &World, arguments: &[&str]) -> Output {
    let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
    let mut command = Command::new(&place.python);
    command
        .arg(place.root.join("scripts/redrive.py"))
        .args(["--stack", "sf-user", "--endpoint", &world.cloud.endpoint])
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "000000000001")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    // Apart: the receivers are served by this thread.
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
