//! What `make smoke` and `make destroy` run, on the deployed suite.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

use pipewarden_local::place::Place;
use pipewarden_tests::World;
use std::process::{Command, Output};

/// The stack of a test's suite.
const STACK: &str = "sf-user";

/// Runs a script of `scripts/` as the owner of the suite's account would.
async fn script(world: &World, name: &str, arguments: &[&str]) -> (bool, String) {
    let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
    let mut command = Command::new(&place.python);
    command
        .arg(place.root.join("scripts").join(name))
        .args(["--stack", STACK, "--endpoint", &world.cloud.endpoint])
        .args(arguments)
        .env("AWS_ACCESS_KEY_ID", "000000000001")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_DEFAULT_REGION", "us-east-1");
    // Apart: the receivers are served by this thread.
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ran.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        status.success(),
        format!("{}{}", text(&stdout), text(&stderr)),
    )
}

#[tokio::test]
async fn each_function_answers_as_it_should() {
    let world = World::deployed(200).await;
    world.run("success", false).await;

    let (passed, quiet) = script(&world, "smoke.py", &["--quiet"]).await;
    assert!(
        passed && quiet.contains("ErrorHandlerFunction: left out"),
        "{quiet}"
    );
    assert!(world.inbox.at("/webhook").is_empty(), "nobody is told");

    let (passed, said) = script(&world, "smoke.py", &[]).await;
    assert!(passed, "{said}");
    for line in [
        "✓ MetricsPublisherFunction: ",
        "✓ PipelineValidatorFunction: ",
        "✓ ErrorHandlerFunction: root cause ",
        "✓ AlertFanoutFunction: 1 notice read, 0 messages delivered",
        "smoke test passed",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }

    let (passed, said) = script(&world, "smoke.py", &["--dataset", "nothing", "--quiet"]).await;
    assert!(
        !passed && said.contains("✗ PipelineValidatorFunction: it failed"),
        "{said}"
    );
    assert!(said.contains("1 functions did not answer"), "{said}");
    world.cloud.stop().await;
}

#[tokio::test]
async fn a_stack_is_destroyed_only_by_its_name_and_with_what_its_buckets_hold() {
    let world = World::deployed(200).await;
    world.run("success", false).await;

    let (passed, said) = script(&world, "destroy.py", &["--confirm", "another"]).await;
    assert!(!passed && said.contains("nothing was deleted"), "{said}");
    assert!(
        script(&world, "smoke.py", &["--quiet"]).await.0,
        "it is still there"
    );

    let (passed, said) = script(&world, "destroy.py", &["--confirm", STACK]).await;
    assert!(
        passed && said.contains(&format!("{STACK} is deleted")),
        "{said}"
    );
    assert!(said.contains("LakeBucket: "), "{said}");
    assert!(!said.contains("LakeBucket: 0 objects"), "{said}");
    let (passed, said) = script(&world, "smoke.py", &["--quiet"]).await;
    assert!(!passed && said.contains("AWS refused"), "{said}");
    world.cloud.stop().await;
}
