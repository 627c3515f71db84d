//! Measures what Lambda bills and a user waits for: cold start, warm latency, memory and size of each function, beside
//! an empty function on the same runtime and a plain Python equivalent of the metrics publisher.
//!
//! Every variant runs under the stand-in of the Runtime API and calls a stub of AWS over TLS. The variants take turns,
//! so that what else the machine does falls on all of them alike.

use clap::{Parser, ValueEnum};
use pipewarden_bench::alerts::{self, AlertsError};
use pipewarden_bench::https_stub::{HttpsStub, StubError};
use pipewarden_bench::knowledge::{self, KnowledgeError};
use pipewarden_bench::measure::{self, MeasureError, Start};
use pipewarden_bench::report;
use pipewarden_bench::rules::{self, RulesError};
use pipewarden_bench::variant::{Place, Variant};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measured {
    /// Start to first answer, warm latency, memory and size of each function.
    Functions,
    /// Queries and seconds of rules together and one by one, with the Python of `--engine`.
    Rules,
    /// Diagnoses a second, by entries and by length.
    Knowledge,
    /// Alerts a second, and messages of a storm.
    Alerts,
}

/// Measures what was built. Build it first: `make bench` does both.
///
/// Example: `pipewarden-bench functions --starts 25 --only metrics-publisher --only "empty function"`
#[derive(Debug, Clone, Parser)]
struct Args {
    /// What is measured.
    #[arg(default_value = "functions")]
    measured: Measured,
    /// How often each variant is started.
    #[arg(long, default_value_t = 21)]
    starts: usize,
    /// Warm invocations of each start.
    #[arg(long, default_value_t = 10)]
    warm: usize,
    /// Measures only these variants, by the names of the table.
    #[arg(long)]
    only: Vec<String>,
    /// A Python with boto3; `PIPEWARDEN_PYTHON`, else `python3`, where it is not given.
    #[arg(long)]
    python: Option<PathBuf>,
    /// A Python with DuckDB and sqlglot: `make local-cloud` puts one there.
    #[arg(long, default_value = ".pipewarden/venv/bin/python")]
    engine: PathBuf,
    /// Rows of the table that rules are asked of.
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Trusts the system's roots, as with SSL_CERT_FILE set: what parsing some 140 roots costs.
    #[arg(long)]
    system_roots: bool,
    /// The repository.
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Where the built programs are; beside this one where it is not given.
    #[arg(long)]
    binaries: Option<PathBuf>,
    /// Prints JSON instead of a table.
    #[arg(long)]
    json: bool,
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
enum BenchError {
    #[error(transparent)]
    Stub(#[from] StubError),
    #[error(transparent)]
    Measure(#[from] MeasureError),
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error(transparent)]
    Knowledge(#[from] KnowledgeError),
    #[error(transparent)]
    Alerts(#[from] AlertsError),
    #[error("cannot find the programs or their events")]
    Place(#[source] std::io::Error),
    #[error("cannot write the figures as JSON")]
    Json(#[from] serde_json::Error),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                eprintln!("  {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<String, BenchError> {
    let root = std::path::absolute(&args.root).map_err(BenchError::Place)?;
    let own = std::env::current_exe().map_err(BenchError::Place)?;
    let beside = own.parent().unwrap_or(&root);
    let binaries = std::path::absolute(args.binaries.as_deref().unwrap_or(beside))
        .map_err(BenchError::Place)?;
    match args.measured {
        Measured::Functions => functions(args, &root, &binaries).await,
        Measured::Rules => rules_of(args, &root),
        Measured::Knowledge => {
            let all = knowledge::measured(&root, &binaries)?;
            shown(args, &all, || knowledge::table(&all))
        }
        Measured::Alerts => {
            let all = alerts::measured().await?;
            shown(args, &all, || alerts::table(&all))
        }
    }
}

fn shown(
    args: &Args,
    figures: &impl serde::Serialize,
    table: impl FnOnce() -> String,
) -> Result<String, BenchError> {
    if args.json {
        return Ok(serde_json::to_string_pretty(figures)?);
    }
    Ok(table())
}

/// What each function costs beside an empty one.
async fn functions(args: &Args, root: &Path, binaries: &Path) -> Result<String, BenchError> {
    let https = HttpsStub::listen(&root.join("shared/src")).await?;
    let python = python(args);
    let of = |known| {
        if args.system_roots {
            &https.system_roots
        } else {
            known
        }
    };
    let place = Place {
        root,
        binaries,
        python: python.as_deref(),
        endpoint: https.stub.url(),
        aws_roots: of(&https.amazon_roots).path(),
        others_roots: of(&https.common_roots).path(),
    };
    let mut variants = place.variants().map_err(BenchError::Place)?;
    variants.retain(|variant| args.only.is_empty() || args.only.contains(&variant.name));
    let rows = report::rows(&measure(args, &https, variants).await?);
    let roots = if args.system_roots {
        "the system's roots are"
    } else {
        "Amazon's roots are (alert-fanout: those of its receivers besides)"
    };
    shown(args, &rows, || {
        format!(
            "{}\nMedians of {} starts and of {} warm invocations each; {roots} trusted. What pipeline-validator \
             waits between starting a query and looking at it is left out.{}",
            report::table(&rows),
            args.starts,
            args.starts * args.warm,
            if python.is_none() {
                "\nNo Python with boto3: name one with PIPEWARDEN_PYTHON."
            } else {
                ""
            },
        )
    })
}

/// What the planner of rules saves.
fn rules_of(args: &Args, root: &Path) -> Result<String, BenchError> {
    let planned = rules::planned()?;
    let scanned = rules::scanned(root, &args.engine, args.rows)?;
    let both = serde_json::json!({"scanned": scanned, "planned": planned});
    shown(args, &both, || rules::table(&scanned, &planned, args.rows))
}

/// Starts the variants in turn. The first turn is not counted: it reads the files from disk.
async fn measure(
    args: &Args,
    https: &HttpsStub,
    variants: Vec<Variant>,
) -> Result<Vec<(Variant, Vec<Start>)>, MeasureError> {
    let mut measured: Vec<_> = variants
        .into_iter()
        .map(|variant| (variant, Vec::new()))
        .collect();
    for turn in 0..=args.starts {
        for (variant, starts) in &mut measured {
            let start = measure::start(variant, &https.stub, args.warm).await?;
            if turn > 0 {
                starts.push(start);
            }
        }
    }
    Ok(measured)
}

/// The Python to compare with, if it has boto3. It is asked for its path, as it will be started elsewhere.
fn python(args: &Args) -> Option<PathBuf> {
    let configured = std::env::var_os("PIPEWARDEN_PYTHON").map(PathBuf::from);
    let python = args
        .python
        .clone()
        .or(configured)
        .unwrap_or_else(|| PathBuf::from("python3"));
    let asked = Command::new(python)
        .args(["-c", "import boto3, sys; print(sys.executable)"])
        .stderr(Stdio::null())
        .output()
        .ok()
        .filter(|asked| asked.status.success())?;
    Some(PathBuf::from(String::from_utf8(asked.stdout).ok()?.trim()))
}
