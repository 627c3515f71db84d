//! What the end-to-end tests stand on: the suite, deployed into a local cloud of its own, and one run of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot be set up has failed"
)]

mod lake;
#[path = "rules_lake.rs"]
pub mod rules;

pub use lake::{Lake, LakeError};

use pipewarden_local::cloud::Cloud;
use pipewarden_local::evidence::{Alerted, Series};
use pipewarden_local::execution::Execution;
use pipewarden_local::inbox::Inbox;
use pipewarden_local::place::Place;
use pipewarden_local::stack::{Filled, Stack};
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The namespace of sf_user's metrics.
pub const NAMESPACE: &str = "SfUserPipeline";

/// Salesforce users of a test's lake: enough for every fault of the scenarios.
const USERS: u32 = 2_000;

/// A deployed suite.
pub struct World {
    /// The emulator.
    pub cloud: Cloud,
    /// What is deployed into it.
    pub stack: Stack,
    /// The fake Slack and webhook.
    pub inbox: Inbox,
}

/// A run and what it left behind.
pub struct Ended {
    /// What the lake was filled with.
    pub filled: Filled,
    /// The run.
    pub execution: Execution,
    /// The metrics that arrived.
    pub metrics: Vec<Series>,
    /// The alerts that arrived.
    pub alerted: Alerted,
}

impl World {
    /// Deploys the suite; the fake receivers answer each message with `status`.
    pub async fn deployed(status: u16) -> Self {
        let place = Place::find().unwrap_or_else(|error| panic!("{error}"));
        let cloud = Cloud::start(&place)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let inbox = Inbox::start(status).await.unwrap();
        let stack = Stack::deploy(&place, &cloud, "000000000001", &inbox, |_| {})
            .await
            .unwrap_or_else(|error| panic!("{error}\n{}", cloud.log()));
        Self {
            cloud,
            stack,
            inbox,
        }
    }

    /// Runs a scenario to its end; `alerts` says whether alerts are waited for.
    pub async fn run(&self, scenario: &str, alerts: bool) -> Ended {
        let filled = self
            .stack
            .fill(scenario, USERS, |_| {})
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let execution = self
            .stack
            .run(|_| {})
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let metrics = self
            .stack
            .metrics(NAMESPACE)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        let alerted = self
            .stack
            .alerts(&self.inbox, alerts)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        Ended {
            filled,
            execution,
            metrics,
            alerted,
        }
    }
}

impl Ended {
    /// The sum of a series by its name and exact dimensions, with its unit.
    pub fn metric(&self, name: &str, dimensions: &[(&str, &str)]) -> Option<(f64, &str)> {
        let mut dimensions: Vec<(String, String)> = dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        dimensions.sort();
        self.metrics
            .iter()
            .find(|series| series.name == name && series.dimensions == dimensions)
            .map(|series| (series.sum, series.unit.as_str()))
    }
}

/// The rows of a query, NULL as `None`; or why it has none.
pub type Rows = Result<Vec<Vec<Option<String>>>, String>;

/// Runs Athena SQL on CSV files through the local cloud's engine; see `local/cloud/run_sql.py` for the request.
pub fn run_sql(request: &Value) -> Vec<Rows> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let python = root.join(".pipewarden/venv/bin/python");
    let mut child = Command::new(&python)
        .arg(root.join("local/cloud/run_sql.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{error}; make local-cloud puts {} there", python.display())
        });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request.to_string().as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let answer: Value = serde_json::from_str(line).unwrap();
            match answer.get("error").and_then(Value::as_str) {
                Some(error) => Err(error.to_owned()),
                None => Ok(serde_json::from_value(answer).unwrap()),
            }
        })
        .collect()
}
