//! Invokes a built function with a sample event, with neither AWS nor Docker, and shows what it called and answered.

use crate::aws_stub::{AwsStub, Call};
use crate::runtime_api::{ACCOUNT, Bootstrap, Invoked, Outcome, Process, REGION, StartError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Runs a function with an event, against stand-ins of Lambda and of the services that it calls.
///
/// Example: `pipewarden-local invoke --function metrics-publisher --event success`
#[derive(Debug, Clone, clap::Args)]
pub struct InvokeArgs {
    /// The function, such as `metrics-publisher`.
    #[arg(long)]
    pub function: String,
    /// A sample of `events/<function>/`, without its ending, or the path of a file.
    #[arg(long)]
    pub event: String,
    /// The repository: events and profiles are looked up in it.
    #[arg(long, default_value = ".")]
    pub root: PathBuf,
    /// The built function; found beside this program where it is not given.
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// Seconds that the function may take.
    #[arg(long, default_value_t = 60)]
    pub timeout: u64,
    /// Shows the function's log too.
    #[arg(long)]
    pub log: bool,
}

/// An invocation that could not be tried, or shown.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function is not built.
    #[error("there is no {}; build it with `cargo build -p {function}`", .path.display())]
    NotBuilt {
        /// The function.
        function: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The event cannot be read.
    #[error("cannot read the event {}; there are: {}", .path.display(), .known.join(", "))]
    NoEvent {
        /// Where it was looked for.
        path: PathBuf,
        /// The function's samples.
        known: Vec<String>,
        /// Why not.
        source: std::io::Error,
    },
    /// A directory or a port cannot be used.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// The function does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// The bucket where results outlive a validation.
pub const RESULTS_BUCKET: &str = "pipewarden-results";

/// What a reader of an alert's messages has to know: deployed, it is told differently.
const WITHOUT_TABLE: &str =
    "without the alert table: each alert is told at once, as if it were the first\n\n";

/// What is configured for the functions, as the template does it. Each reads what is its own.
///
/// `ALERT_TABLE` is not: the stand-in of AWS has no DynamoDB. So alert-fanout tells every alert as if it were the first,
/// to everybody its route names, and collects nothing.
pub fn environment(endpoint: &str) -> Vec<(String, String)> {
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:{REGION}:{ACCOUNT}:{name}");
    [
        ("LOG_LEVEL", "info".to_owned()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("PIPELINE_PROFILE", "sf-user.yaml".to_owned()),
        ("METRICS_NAMESPACE", "SfUserPipeline".to_owned()),
        ("ENVIRONMENT", "dev".to_owned()),
        ("METRICS_BATCH_SIZE", "20".to_owned()),
        ("ALERT_TOPIC_ARN", arn("sns", "pipewarden-alerts-dev")),
        ("GLUE_JOB_NAME", "sf-user-load-dev".to_owned()),
        ("DBT_RUNNER_FUNCTION", "dbt-runner".to_owned()),
        ("ATHENA_DATABASE", "salesforce".to_owned()),
        ("ATHENA_WORK_GROUP", "pipewarden-dev".to_owned()),
        (
            "ATHENA_OUTPUT_LOCATION",
            "s3://pipewarden-results/athena/".to_owned(),
        ),
        ("RESULTS_BUCKET", RESULTS_BUCKET.to_owned()),
        ("SLACK_SECRET_ARN", arn("secretsmanager", "secret:slack")),
        (
            "PAGERDUTY_SECRET_ARN",
            arn("secretsmanager", "secret:pagerduty"),
        ),
        ("TEAMS_SECRET_ARN", arn("secretsmanager", "secret:teams")),
        (
            "WEBHOOK_SECRET_ARN",
            arn("secretsmanager", "secret:webhook"),
        ),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// Where a function's sample event is, or the path that was given.
pub fn event_path(root: &Path, function: &str, event: &str) -> PathBuf {
    if event.ends_with(".json") || event.contains(std::path::MAIN_SEPARATOR) {
        return PathBuf::from(event);
    }
    root.join("events")
        .join(function)
        .join(format!("{event}.json"))
}

/// Invokes a function and prints its calls and its answer. The exit code is 0 for an answer and 1 for an error.
///
/// # Errors
/// [`InvokeError`] where the invocation could not be tried.
pub async fn run(args: &InvokeArgs) -> Result<ExitCode, InvokeError> {
    let program = binary(args)?;
    let root = std::path::absolute(&args.root).map_err(|source| InvokeError::Io {
        doing: "find the repository",
        source,
    })?;
    let event = read_event(args, &root)?;
    let served = AwsStub::listen().await.map_err(|source| InvokeError::Io {
        doing: "listen on loopback for AWS calls",
        source,
    })?;
    let mut process = Process::start(&Bootstrap {
        name: args.function.clone(),
        program,
        task_root: root,
        environment: environment(served.stub.url()),
        ..Bootstrap::default()
    })
    .await?;
    let invoked = process
        .invoke(event, Duration::from_secs(args.timeout))
        .await;
    let mut text = calls(&served.stub.take_calls());
    if args.function == "alert-fanout" {
        text.push_str(WITHOUT_TABLE);
    }
    if args.log {
        text.push_str(&format!("log\n{}\n", process.log()));
    }
    text.push_str(&answer(&invoked));
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|source| InvokeError::Io {
            doing: "show the answer",
            source,
        })?;
    Ok(match invoked.outcome {
        Outcome::Response(_) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

fn binary(args: &InvokeArgs) -> Result<PathBuf, InvokeError> {
    let beside = |program: PathBuf| program.with_file_name(&args.function);
    let path = match &args.binary {
        Some(path) => std::path::absolute(path),
        None => std::env::current_exe().map(beside),
    }
    .map_err(|source| InvokeError::Io {
        doing: "find the built function",
        source,
    })?;
    if path.is_file() {
        return Ok(path);
    }
    Err(InvokeError::NotBuilt {
        function: args.function.clone(),
        path,
    })
}

fn read_event(args: &InvokeArgs, root: &Path) -> Result<Vec<u8>, InvokeError> {
    let path = event_path(root, &args.function, &args.event);
    std::fs::read(&path).map_err(|source| InvokeError::NoEvent {
        known: samples(&root.join("events").join(&args.function)),
        path,
        source,
    })
}

fn samples(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn calls(calls: &[Call]) -> String {
    if calls.is_empty() {
        return "no calls\n\n".to_owned();
    }
    let mut text = String::from("calls\n");
    for Call {
        service,
        operation,
        summary,
        ..
    } in calls
    {
        text.push_str(&format!("  {service} {operation}: {summary}\n"));
    }
    text.push('\n');
    text
}

/// The outcome as a person reads it, and how long it took.
fn answer(invoked: &Invoked) -> String {
    let times = invoked.times;
    let took = times.answered.duration_since(times.spawned).as_secs_f64() * 1e3;
    match &invoked.outcome {
        Outcome::Response(body) => {
            format!("answer, {took:.1} ms after the start\n{}\n", pretty(body))
        }
        Outcome::Error {
            error_type,
            error_message,
        } => {
            format!("error {error_type}, {took:.1} ms after the start\n{error_message}\n")
        }
        Outcome::Died { status, log } => {
            format!("the process ended ({status}) after {took:.1} ms\n{log}\n")
        }
        Outcome::TimedOut => format!("timed out after {took:.0} ms\n"),
    }
}

fn pretty(body: &[u8]) -> String {
    serde_json::from_slice::<serde_json::Value>(body)
        .and_then(|json| serde_json::to_string_pretty(&json))
        .unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned())
}
