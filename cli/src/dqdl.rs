//! `dqdl`: check rules in the language of AWS Glue Data Quality, without AWS.

use crate::CommandError;
use clap::{Args, Subcommand};
use pipeline_validator::dqdl::{Diagnostics, Ruleset};
use serde_json::{Value, json};
use std::fmt::Display;
use std::io::{self, IsTerminal, Read};

/// Work with DQDL, the rule language of AWS Glue Data Quality.
#[derive(Debug, Args)]
pub(crate) struct Dqdl {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a ruleset: exit 0 and one canonical rule per line, or exit 1 and what is wrong with it.
    Check(Check),
}

/// Check a ruleset.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  pipewarden dqdl check rules.dqdl
  echo 'Rules = [ RowCount > 0, Completeness \"id\" > 0.95 ]' | pipewarden dqdl check -
  pipewarden dqdl check rules.dqdl --json | jq -r '.rules[]'

JSON: {\"rules\": [\"…\"], \"analyzers\": [\"…\"]}, or {\"errors\": [{\"line\": 1, \"column\": 1, \"message\": \"…\"}]}

Exit codes: 0 fine, 1 not, 2 wrong arguments.")]
struct Check {
    /// A file with a ruleset; `-` reads standard input.
    file: String,
    /// Print JSON for tools, on standard output also when something is wrong.
    #[arg(long)]
    json: bool,
}

impl Dqdl {
    pub(crate) fn run(&self) -> Result<String, CommandError> {
        match &self.command {
            Command::Check(check) => check.run(),
        }
    }
}

impl Check {
    fn run(&self) -> Result<String, CommandError> {
        let source = match self.read() {
            Ok(source) => source,
            Err(error) if self.json => return refused(&[problem(1, 1, &error)]),
            Err(error) => return Err(error),
        };
        match source.parse::<Ruleset>() {
            Ok(ruleset) if self.json => Ok(serde_json::to_string_pretty(&json!({
                "rules": strings(&ruleset.rules),
                "analyzers": strings(&ruleset.analyzers),
            }))?),
            Ok(ruleset) => Ok(strings(&ruleset.rules).join("\n")),
            Err(problems) if self.json => refused(&errors(&problems)),
            Err(problems) => {
                let color = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                Err(CommandError::Refused(problems.render(
                    &source,
                    self.name(),
                    color,
                )))
            }
        }
    }

    fn name(&self) -> &str {
        if self.file == "-" {
            "standard input"
        } else {
            &self.file
        }
    }

    fn read(&self) -> Result<String, CommandError> {
        let mut bytes = Vec::new();
        let read = match self.file.as_str() {
            "-" => io::stdin().read_to_end(&mut bytes).map(|_| bytes),
            path => std::fs::read(path),
        };
        // A ruleset with other bytes would be checked as something that it is not.
        read.and_then(|bytes| {
            String::from_utf8(bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
        })
        .map_err(|source| CommandError::Unreadable {
            path: self.name().to_owned(),
            source,
        })
    }
}

fn strings<T: Display>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

fn errors(problems: &Diagnostics) -> Vec<Value> {
    let problems = problems.0.iter();
    problems
        .map(|found| problem(found.line, found.column, &found.problem))
        .collect()
}

fn problem(line: usize, column: usize, message: &impl Display) -> Value {
    json!({"line": line, "column": column, "message": message.to_string()})
}

fn refused(errors: &[Value]) -> Result<String, CommandError> {
    let text = serde_json::to_string_pretty(&json!({ "errors": errors }))?;
    Err(CommandError::RefusedAsJson(text))
}
