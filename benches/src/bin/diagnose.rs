//! Diagnoses with the knowledge base that it was built with, and prints how long that took as JSON.

use error_handler::advice::Names;
use error_handler::failure::Failure;
use error_handler::{diagnosis, knowledge};
use pipewarden_bench::knowledge::{Figures, OfLength};
use pipewarden_shared::profile::Profile;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Lengths of the message, in bytes.
const LENGTHS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// How often each is measured; the fastest counts.
const TURNS: usize = 7;

/// Diagnoses of each turn.
const ROUNDS: u32 = 5;

const PROFILE: &str = "pipeline: sf_user\nmetrics: { namespace: Pipewarden }\n";

/// A line of a log in which nothing went wrong.
const LINE: &str = "2026-03-01 06:00:17,123 INFO [executor-3] storage.BlockManager: Removing block broadcast_41 of size 10240\n";

/// What is at the end of such a log.
const END: &str = "Caused by: java.lang.OutOfMemoryError: Java heap space\n\tat java.util.Arrays.copyOf(Arrays.java:3236)\n";

fn main() -> ExitCode {
    let figures = measured(&std::env::args().skip(1).collect::<Vec<String>>());
    match figures
        .and_then(|figures| serde_json::to_string(&figures).map_err(|error| error.to_string()))
    {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Diagnoses the events of the files that are named, and long messages.
fn measured(files: &[String]) -> Result<Figures, String> {
    let profile = Profile::parse(PROFILE).map_err(|error| error.to_string())?;
    let read =
        |file: &String| std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"));
    let events = files
        .iter()
        .map(read)
        .collect::<Result<Vec<String>, String>>()?;
    let names = Names::default();
    let diagnose = |failure: &Failure| {
        black_box(diagnosis::of(failure, &profile, &names));
    };
    let first = events.first().ok_or("name files with events")?;
    let begun = Instant::now();
    diagnose(&Failure::parse(first));
    let first = begun.elapsed();
    let all = fastest(|| {
        events
            .iter()
            .for_each(|event| diagnose(&Failure::parse(event)))
    });
    let lengths = LENGTHS.map(|bytes| {
        let text = LINE.repeat(bytes / LINE.len()) + END;
        let took = fastest(|| diagnose(&Failure::of_text(&text)));
        OfLength {
            bytes: text.len(),
            micros: took.as_secs_f64() * 1e6,
        }
    });
    Ok(Figures {
        entries: knowledge::len(),
        first_micros: first.as_secs_f64() * 1e6,
        per_second: events.len() as f64 / all.as_secs_f64(),
        lengths: lengths.into(),
    })
}

/// The shortest time of one call.
fn fastest(mut act: impl FnMut()) -> Duration {
    (0..TURNS)
        .map(|_| {
            let begun = Instant::now();
            (0..ROUNDS).for_each(|_| act());
            begun.elapsed() / ROUNDS
        })
        .min()
        .unwrap_or_default()
}
