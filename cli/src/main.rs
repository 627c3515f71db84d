//! `pipewarden`: check a profile, show the SQL it compiles to, explain a failure.

mod explain;
mod profile;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Pipewarden at the desk: nothing here needs AWS.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  pipewarden check pipelines/sf-user.yaml
  pipewarden plan pipelines/sf-user.yaml --database salesforce
  pipewarden explain --text 'States.Timeout'
  pipewarden explain events/error-handler/glue-job-failure.json --json

Exit codes: 0 fine, 1 not, 2 wrong arguments."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a profile: exit 0 and what it watches, or exit 1 and what is wrong with it.
    Check(profile::Check),
    /// Show each scan that a profile compiles to: its SQL, and the checks it answers.
    Plan(profile::Plan),
    /// Explain a failure: an event that the error handler takes, or any text.
    Explain(explain::Explain),
}

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// The profile cannot be used.
    #[error("{path}:\n{source}")]
    Profile {
        path: String,
        source: pipewarden_shared::profile::ProfileError,
    },
    /// An input cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        path: String,
        source: std::io::Error,
    },
    /// An answer cannot be written as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check(check) => check.run(),
        Command::Plan(plan) => plan.run(),
        Command::Explain(explain) => explain.run(),
    };
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
