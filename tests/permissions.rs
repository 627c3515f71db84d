//! What the deployed functions call, as the local cloud sees it, is what their roles allow.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test that cannot be set up has failed; the modules are shared with tests that use the rest"
)]

#[path = "consistency/permissions.rs"]
mod permissions;
#[path = "consistency/template.rs"]
mod template;

use permissions::{FUNCTIONS, IMPLIED};
use pipewarden_tests::World;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use template::Template;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a role allows and these runs have no occasion for: by function and action, with what it is for.
const NOT_MADE_HERE: &[(&str, &str, &str)] = &[
    (
        "PipelineValidatorFunction",
        "athena:StopQueryExecution",
        "a validation that runs out of time",
    ),
    (
        "ErrorHandlerFunction",
        "athena:GetQueryExecution",
        "a failed query whose Cause does not say why",
    ),
    (
        "ErrorHandlerFunction",
        "glue:GetJobRun",
        "a failed job whose Cause does not say why",
    ),
    (
        "ErrorHandlerFunction",
        "states:RedriveExecution",
        "the emulator has no redrive",
    ),
    (
        "AlertFanoutFunction",
        "dynamodb:GetItem",
        "a problem that another invocation is told of meanwhile",
    ),
    (
        "AlertFanoutFunction",
        "dynamodb:BatchWriteItem",
        "lines of a summary that was sent",
    ),
    (
        "AlertFanoutFunction",
        "ssm:GetParameter",
        "a receiver whose secret is a parameter",
    ),
    (
        "AlertFanoutFunction",
        "sns:Publish",
        "a receiver that is a topic of chat applications",
    ),
];

/// The calls of each function.
async fn made(world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let address = world.cloud.endpoint.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = "GET /_pipewarden/calls HTTP/1.0\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (_, body) = response.split_once("\r\n\r\n").unwrap();
    let calls: Value = serde_json::from_str(body).unwrap();
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in calls.as_array().unwrap() {
        let function = call["function"].as_str().unwrap().to_owned();
        let action = call["action"].as_str().unwrap().to_owned();
        made.entry(function).or_default().insert(action);
    }
    made
}

#[tokio::test]
async fn what_is_called_is_allowed_and_what_is_allowed_is_called() {
    let world = World::deployed(200).await;
    for scenario in ["success", "glue-failure", "too-few-records", "success"] {
        world.run(scenario, scenario != "success").await;
    }
    let made = made(&world).await;
    world.cloud.stop().await;
    let template = Template::read();
    let mut problems = Vec::new();
    for function in FUNCTIONS {
        let called: BTreeSet<String> = made
            .iter()
            .filter(|(name, _)| name.contains(function.name))
            .flat_map(|(_, actions)| actions.clone())
            .collect();
        if called.is_empty() {
            problems.push(format!("{} called nothing: {made:?}", function.name));
        }
        let allowed = permissions::allowed(&template, function.name);
        for action in called.difference(&allowed) {
            problems.push(format!(
                "{} calls {action}, which its role does not allow",
                function.name
            ));
        }
        let implied = IMPLIED
            .iter()
            .filter(|implied| {
                implied.functions.is_empty() || implied.functions.contains(&function.name)
            })
            .flat_map(|implied| implied.actions.iter().copied());
        let rare = NOT_MADE_HERE
            .iter()
            .filter(|(name, ..)| *name == function.name)
            .map(|(_, action, _)| *action);
        let excused: BTreeSet<&str> = rare.chain(implied).collect();
        for action in excused.difference(&allowed.iter().map(String::as_str).collect()) {
            if NOT_MADE_HERE.iter().any(|(_, rare, _)| rare == action) {
                problems.push(format!(
                    "{} may not call {action}: it needs no excuse",
                    function.name
                ));
            }
        }
        for action in allowed
            .difference(&called)
            .filter(|action| !excused.contains(action.as_str()))
        {
            problems.push(format!("{} may call {action} and never did", function.name));
        }
    }
    assert!(problems.is_empty(), "\n  {}", problems.join("\n  "));
}
