//! `pipewarden-local`: the demo, and single functions with sample events; what `make demo` and `make invoke` call.

use clap::{Parser, Subcommand};
use pipewarden_local::{demo, invoke};
use pipewarden_shared::causes;
use std::process::ExitCode;

/// Pipewarden on this machine: no AWS account, no Docker.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Examples:
  pipewarden-local demo --scenario scd-overlap
  pipewarden-local demo --scenario all
  pipewarden-local invoke --function metrics-publisher --event success

Exit codes: 0 as it should be, 1 not, 2 wrong arguments, 130 interrupted."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the sf_user pipeline in the local cloud and show what happens.
    Demo(demo::Options),
    /// Run one function with a sample event, against stand-ins for the services it calls.
    Invoke(invoke::InvokeArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options)
            .await
            .map(|as_expected| ExitCode::from(u8::from(!as_expected)))
            .map_err(|error| causes::chain(&error)),
        Command::Invoke(options) => invoke::run(&options)
            .await
            .map_err(|error| causes::chain(&error)),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
