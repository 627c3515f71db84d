//! Diagnoses a second, and how they grow with the entries of the knowledge base and the length of a message.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sizes of knowledge bases; `make bench` builds a program with each, and one with the real one.
const SIZES: [&str; 4] = ["150", "1500", "15000", "real"];

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The events cannot be listed.
    #[error("cannot read the events of {folder}")]
    Events {
        /// Where they are.
        folder: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A program is not there, or failed.
    #[error("cannot diagnose with {program} (`make bench` builds it): {reason}")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What was measured with one knowledge base.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures {
    /// Entries.
    pub entries: usize,
    /// Microseconds of the first diagnosis of a process.
    pub first_micros: f64,
    /// Diagnoses of the sample events in a second, from the event's text to what is masked and bounded.
    pub per_second: f64,
    /// How long messages of some lengths take.
    pub lengths: Vec<OfLength>,
}

/// How long a message takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OfLength {
    /// Its length.
    pub bytes: usize,
    /// From the text to the diagnosis.
    pub micros: f64,
}

/// Runs each program.
///
/// # Errors
/// [`KnowledgeError`].
pub fn measured(root: &Path, binaries: &Path) -> Result<Vec<Figures>, KnowledgeError> {
    let events = events(&root.join("events/error-handler"))?;
    let mut all = SIZES
        .iter()
        .map(|size| run(&binaries.join(format!("diagnose-{size}")), &events))
        .collect::<Result<Vec<Figures>, KnowledgeError>>()?;
    all.sort_by_key(|figures| figures.entries);
    Ok(all)
}

fn events(folder: &Path) -> Result<Vec<PathBuf>, KnowledgeError> {
    let unread = |source| KnowledgeError::Events {
        folder: folder.to_owned(),
        source,
    };
    let mut events = std::fs::read_dir(folder)
        .map_err(unread)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(unread))
        .collect::<Result<Vec<PathBuf>, KnowledgeError>>()?;
    events.sort();
    Ok(events)
}

fn run(program: &Path, events: &[PathBuf]) -> Result<Figures, KnowledgeError> {
    let failed = |reason: String| KnowledgeError::Program {
        program: program.to_owned(),
        reason,
    };
    let output = Command::new(program)
        .args(events)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

/// The figures as a table.
pub fn table(all: &[Figures]) -> String {
    let lengths = all
        .first()
        .map(|figures| figures.lengths.as_slice())
        .unwrap_or_default();
    let mut header = vec![
        "entries".to_owned(),
        "first, µs".to_owned(),
        "a second".to_owned(),
    ];
    header.extend(
        lengths
            .iter()
            .map(|of| format!("{} kB, µs", of.bytes.div_ceil(1_000))),
    );
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(header);
    for figures in all {
        let mut row = vec![
            figures.entries.to_string(),
            format!("{:.0}", figures.first_micros),
            format!("{:.0}", figures.per_second),
        ];
        row.extend(figures.lengths.iter().map(|of| format!("{:.0}", of.micros)));
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{table}\nDiagnoses of the sample events, the fastest turn; the first of a process; and of a log that ends with an \
         error, by its length.\nOf a text over 64 KiB the beginning and the end are read. Made-up entries beyond the real \
         ones."
    )
}
