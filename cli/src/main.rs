//! `pipewarden`: check a profile or a ruleset, show the SQL a profile compiles to and where alerts go, explain a failure.

mod dqdl;
mod explain;
mod plan;
mod profile;
mod route;

use clap::{Parser, Subcommand};
use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Pipewarden at the desk: nothing here needs AWS.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  pipewarden check pipelines/sf-user.yaml
  pipewarden plan pipelines/sf-user.yaml --database salesforce
  pipewarden route pipelines/sf-user.yaml --severity HIGH
  pipewarden dqdl check rules.dqdl
  pipewarden explain --text 'States.Timeout'
  pipewarden explain events/error-handler/glue-job-failure.json --json

Exit codes: 0 fine, 1 not, 2 wrong arguments (and a profile that `route` cannot use)."
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
    Plan(plan::Plan),
    /// Show where an alert would go, when, and what would hold it back.
    Route(route::Route),
    /// Check rules in DQDL, the language of AWS Glue Data Quality.
    Dqdl(dqdl::Dqdl),
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
    /// What the profile says about alerts cannot be used.
    #[error("{path}:\n{}", .problems.join("\n"))]
    Alerting { path: String, problems: Vec<String> },
    /// The rules of a dataset cannot be used.
    #[error("datasets.{dataset}.rules:\n{source}")]
    Rules {
        dataset: String,
        source: pipeline_validator::rules::RulesError,
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
    /// What was checked is wrong; for people.
    #[error("{0}")]
    Refused(String),
    /// What was checked is wrong; for tools.
    #[error("{0}")]
    RefusedAsJson(String),
    /// The answer to a question is no; it is an answer all the same.
    #[error("{0}")]
    No(String),
    /// A question cannot be answered, which is not the same as no.
    #[error(transparent)]
    Unusable(Box<Self>),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check(check) => check.run(),
        Command::Plan(plan) => plan.run(),
        Command::Route(route) => route.run(),
        Command::Dqdl(dqdl) => dqdl.run(),
        Command::Explain(explain) => explain.run(),
    };
    match outcome {
        Ok(text) => print(&text, ExitCode::SUCCESS),
        Err(CommandError::RefusedAsJson(text) | CommandError::No(text)) => {
            print(&text, ExitCode::FAILURE)
        }
        Err(CommandError::Refused(diagnostics)) => {
            // Their colours are ours; what they quote was cleaned by the renderer.
            eprintln!("{diagnostics}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {}", shown(&error.to_string()));
            match error {
                CommandError::Unusable(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// A text without what would move a terminal's cursor, change its colours or turn its direction.
fn shown(text: &str) -> Cow<'_, str> {
    let moves = |character: char| {
        let is_break = matches!(character, '\n' | '\t');
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || (character.is_control() && !is_break)
    };
    if text.contains(moves) {
        Cow::Owned(text.replace(moves, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Writes an answer. A reader that has enough, such as `head`, is no failure.
fn print(text: &str, code: ExitCode) -> ExitCode {
    let mut stdout = std::io::stdout();
    let text = if stdout.is_terminal() {
        shown(text)
    } else {
        Cow::Borrowed(text)
    };
    match writeln!(stdout, "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write the answer: {error}");
            ExitCode::FAILURE
        }
        _ => code,
    }
}
