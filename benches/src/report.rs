//! Medians of what was measured, as a table and as JSON.

use crate::measure::Start;
use crate::variant::{EMPTY, PYTHON, Variant};
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

const COLUMNS: [&str; 10] = [
    "",
    "first poll ms",
    "first answer ms",
    "middle half",
    "x empty",
    "Python x",
    "warm ms",
    "peak RSS MB",
    "binary MB",
    "zip MB",
];

/// What is known of a variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The variant.
    pub name: String,
    /// How often it was started.
    pub starts: usize,
    /// From start to the first poll, the median.
    pub first_poll_ms: f64,
    /// From start to the first answer, the median.
    pub first_answer_ms: f64,
    /// The quartiles of that.
    pub first_answer_quartiles_ms: [f64; 2],
    /// How many times as long as the empty function that is.
    pub times_empty: Option<f64>,
    /// How many times as long Python takes.
    pub times_faster_than_python: Option<f64>,
    /// How many invocations were warm.
    pub warm_invocations: usize,
    /// A warm invocation, the median.
    pub warm_ms: f64,
    /// The most memory, the median.
    pub peak_rss_mb: Option<f64>,
    /// Size of the file.
    pub binary_mb: Option<f64>,
    /// Its size as Lambda stores it.
    pub zip_mb: Option<f64>,
}

/// Sums up each variant's starts.
pub fn rows(measured: &[(Variant, Vec<Start>)]) -> Vec<Row> {
    let answer_of = |name: &str| {
        let (_, starts) = measured.iter().find(|(variant, _)| variant.name == name)?;
        quantile(starts.iter().map(|start| start.answer_ms).collect(), 0.5)
    };
    let (empty, python) = (answer_of(EMPTY), answer_of(PYTHON));
    measured
        .iter()
        .filter_map(|(variant, starts)| row(variant, starts, empty, python))
        .collect()
}

fn row(
    variant: &Variant,
    starts: &[Start],
    empty: Option<f64>,
    python: Option<f64>,
) -> Option<Row> {
    let of =
        |value: fn(&Start) -> f64, part: f64| quantile(starts.iter().map(value).collect(), part);
    let warm: Vec<f64> = starts
        .iter()
        .flat_map(|start| start.warm_ms.iter().copied())
        .collect();
    let first_answer_ms = of(|start| start.answer_ms, 0.5)?;
    let (binary_mb, zip_mb) = variant.binary.as_deref().and_then(sizes).unzip();
    Some(Row {
        name: variant.name.clone(),
        starts: starts.len(),
        first_poll_ms: of(|start| start.poll_ms, 0.5)?,
        first_answer_ms,
        first_answer_quartiles_ms: [
            of(|start| start.answer_ms, 0.25)?,
            of(|start| start.answer_ms, 0.75)?,
        ],
        times_empty: empty.map(|empty| first_answer_ms / empty),
        times_faster_than_python: python.map(|python| python / first_answer_ms),
        warm_invocations: warm.len(),
        warm_ms: quantile(warm, 0.5)?,
        peak_rss_mb: quantile(
            starts
                .iter()
                .filter_map(|start| start.peak_rss_mb)
                .collect(),
            0.5,
        ),
        binary_mb,
        zip_mb,
    })
}

/// The value below which a part of the values is, the nearest one.
fn quantile(mut values: Vec<f64>, part: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values.get((last as f64 * part).round() as usize).copied()
}

/// Size of a file and of its deflated bytes, which is all that a zip of one file is.
fn sizes(path: &Path) -> Option<(f64, f64)> {
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    let bytes = std::fs::read(path).ok()?;
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    deflated.write_all(&bytes).ok()?;
    Some((
        megabytes(bytes.len()),
        megabytes(deflated.finish().ok()?.len()),
    ))
}

/// The rows as a table.
pub fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(COLUMNS);
    for row in rows {
        let optional = |value: Option<f64>, digits: usize| {
            value.map_or_else(String::new, |value| format!("{value:.digits$}"))
        };
        let [low, high] = row.first_answer_quartiles_ms;
        table.add_row([
            row.name.clone(),
            format!("{:.2}", row.first_poll_ms),
            format!("{:.2}", row.first_answer_ms),
            format!("{low:.2} - {high:.2}"),
            optional(row.times_empty, 2),
            optional(row.times_faster_than_python, 0),
            format!("{:.2}", row.warm_ms),
            optional(row.peak_rss_mb, 1),
            optional(row.binary_mb, 1),
            optional(row.zip_mb, 1),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_one_of_the_values() {
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(quantile(vec![9.0, 1.0, 2.0, 3.0, 4.0], 0.25), Some(2.0));
        assert_eq!(quantile(Vec::new(), 0.5), None);
    }
}
