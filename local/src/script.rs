//! Runs a Python script of the local cloud; it reports one JSON object a line.

use crate::place::Place;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// What a script reports.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Report {
    /// Something was done.
    Step {
        /// What.
        text: String,
    },
    /// A resource of the template was left out, because the emulator lacks its type.
    LeftOut {
        /// Its logical id.
        resource: String,
        /// Its type.
        r#type: String,
        /// Why.
        why: String,
    },
    /// The stack is deployed.
    Deployed {
        /// The stack's outputs.
        outputs: BTreeMap<String, String>,
    },
    /// The lake is filled.
    Generated {
        /// Salesforce users.
        users: u64,
        /// Rows of the raw table.
        raw_rows: u64,
        /// Rows of the dimension.
        dim_rows: u64,
    },
    /// The script gave up.
    Error {
        /// Why.
        text: String,
    },
}

/// A script that did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// It could not be run.
    #[error("cannot run {script}")]
    NotRun {
        /// The script.
        script: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It gave up, and said why.
    #[error("{script}: {reason}")]
    Failed {
        /// The script.
        script: String,
        /// What it said.
        reason: String,
    },
}

/// Runs a script to its end; `tell` gets each report as it comes.
///
/// # Errors
/// [`ScriptError`] with the script's own words.
pub async fn run(
    place: &Place,
    script: &str,
    arguments: &[&str],
    mut tell: impl FnMut(Report),
) -> Result<(), ScriptError> {
    let not_run = |source| ScriptError::NotRun {
        script: script.to_owned(),
        source,
    };
    let failed = |reason: String| ScriptError::Failed {
        script: script.to_owned(),
        reason,
    };
    let mut child = started(place, script, arguments).map_err(not_run)?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(failed("its output cannot be read".to_owned()));
    };
    // Read beside the reports: a full pipe would stop the script.
    let complaints = tokio::spawn(async move {
        let mut text = String::new();
        // What cannot be read is not quoted; the exit code still tells.
        let _ = stderr.read_to_string(&mut text).await;
        text
    });
    let mut error = None;
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.map_err(not_run)? {
        match serde_json::from_str(&line) {
            Ok(Report::Error { text }) => error = Some(text),
            Ok(report) => tell(report),
            Err(_) => error = Some(format!("reported what is not known: {line}")),
        }
    }
    let status = child.wait().await.map_err(not_run)?;
    let complaints = complaints.await.unwrap_or_default();
    match error {
        Some(error) => Err(failed(error)),
        None if status.success() => Ok(()),
        None => Err(failed(format!("{status}: {}", complaints.trim()))),
    }
}

fn started(place: &Place, script: &str, arguments: &[&str]) -> std::io::Result<Child> {
    Command::new(&place.python)
        .arg(place.root.join(script))
        .args(arguments)
        .current_dir(&place.root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// Reads `local/lake/scenarios.json` and the like.
///
/// # Errors
/// The file's or the JSON's, as a [`ScriptError`].
pub fn read_json(place: &Place, file: &str) -> Result<Value, ScriptError> {
    let text =
        std::fs::read_to_string(place.root.join(file)).map_err(|source| ScriptError::NotRun {
            script: file.to_owned(),
            source,
        })?;
    serde_json::from_str(&text).map_err(|error| ScriptError::Failed {
        script: file.to_owned(),
        reason: error.to_string(),
    })
}
