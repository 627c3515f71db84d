//! What the planner saves: queries and seconds for 1, 10 and 100 rules on ten million rows beside one query for each
//! rule, and how long planning takes as rules grow.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use pipeline_validator::Plan;
use pipewarden_shared::profile::Profile;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Rules that are asked together.
const RULES: [usize; 3] = [1, 10, 100];

/// Rules that are planned.
const PLANNED: [usize; 5] = [1, 10, 100, 1_000, 10_000];

/// How often each plan is made; the fastest counts.
const TURNS: usize = 5;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The rules are no profile.
    #[error("cannot plan rules: {0}")]
    Plan(String),
    /// The engine could not be started or did not answer.
    #[error("cannot run queries with {python}: {reason}")]
    Engine {
        /// The Python.
        python: String,
        /// What happened.
        reason: String,
    },
}

/// So many rules, together and one by one.
#[derive(Debug, Clone, Serialize)]
pub struct Scanned {
    /// Rules.
    pub rules: usize,
    /// Queries of the plan.
    pub queries: usize,
    /// Seconds that they took.
    pub seconds: f64,
    /// Seconds that one query for each rule took.
    pub seconds_one_by_one: f64,
}

/// How long it takes to read and plan so many rules.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// Rules.
    pub rules: usize,
    /// Scans of the plan.
    pub scans: usize,
    /// Microseconds from the profile to the SQL.
    pub micros: f64,
}

/// What the engine says of a round.
#[derive(Debug, Deserialize)]
struct Round {
    name: String,
    seconds: f64,
}

/// The rule at a place: of the kinds that people write, on ever other columns and values.
fn rule(index: usize) -> String {
    let column = char::from(b'a' + (index % 10) as u8);
    let value = 1_000 + index;
    match index % 7 {
        0 => format!("Completeness \"{column}\" > 0.{}", 10 + index % 80),
        1 => format!(
            "ColumnValues \"{column}\" between -1 and {}",
            100_003 + value
        ),
        2 => format!("Mean \"{column}\" < {}", 100_000 + value),
        3 => format!("ColumnValues \"{column}\" != {value} with threshold > 0.5"),
        4 => format!("ColumnLength \"name\" < {value}"),
        5 => format!(
            "ColumnValues \"name\" matches \"name [0-9]{{1,{}}}\"",
            4 + index % 90
        ),
        _ => format!("Sum \"{column}\" > {value} where \"id > {value}\""),
    }
}

fn profile(rules: impl Iterator<Item = String>) -> Result<Profile, RulesError> {
    let rules: Vec<String> = rules.collect();
    let yaml = "{pipeline: p, metrics: {namespace: N}, datasets: {d: {table: things, key: [id]}}}";
    let mut profile = Profile::parse(yaml).map_err(|error| RulesError::Plan(error.to_string()))?;
    for dataset in profile.datasets.values_mut() {
        dataset.rules = Some(format!("Rules = [ {} ]", rules.join(", ")));
    }
    Ok(profile)
}

fn plan(profile: &Profile) -> Result<Vec<Plan<'_>>, RulesError> {
    pipeline_validator::plan(profile, "lake", jiff::Timestamp::UNIX_EPOCH)
        .map_err(|(_, error)| RulesError::Plan(error.to_string()))
}

/// The queries of rules, planned together.
fn queries(rules: impl Iterator<Item = String>) -> Result<Vec<Value>, RulesError> {
    let profile = profile(rules)?;
    let plans = plan(&profile)?;
    let scans = plans.iter().flat_map(|plan| &plan.scans);
    Ok(scans
        .map(|scan| json!({"sql": scan.sql.text, "parameters": scan.sql.parameters}))
        .collect())
}

/// Runs rules together and one by one.
///
/// # Errors
/// [`RulesError`]: the engine could not be started or did not answer.
pub fn scanned(root: &Path, python: &Path, rows: u64) -> Result<Vec<Scanned>, RulesError> {
    let mut rounds = Vec::new();
    let mut counts = Vec::new();
    for count in RULES {
        let together = queries((0..count).map(rule))?;
        let mut alone = Vec::new();
        for index in 0..count {
            alone.extend(queries(std::iter::once(rule(index)))?);
        }
        counts.push((count, together.len()));
        rounds.push(json!({"name": format!("{count} together"), "queries": together}));
        rounds.push(json!({"name": format!("{count} alone"), "queries": alone}));
    }
    let found = run(root, python, &json!({"rows": rows, "rounds": rounds}))?;
    let seconds = |name: String| {
        let round = found.iter().find(|round| round.name == name);
        round.map_or(f64::NAN, |round| round.seconds)
    };
    Ok(counts
        .into_iter()
        .map(|(rules, queries)| Scanned {
            rules,
            queries,
            seconds: seconds(format!("{rules} together")),
            seconds_one_by_one: seconds(format!("{rules} alone")),
        })
        .collect())
}

fn run(root: &Path, python: &Path, request: &Value) -> Result<Vec<Round>, RulesError> {
    let failed = |reason: String| RulesError::Engine {
        python: python.display().to_string(),
        reason,
    };
    let mut child = Command::new(python)
        .arg(root.join("benches/peers/ten_million_rows.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin
            .write_all(request.to_string().as_bytes())
            .map_err(|error| failed(error.to_string()))?;
    }
    let output = child
        .wait_with_output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).map_err(|error| failed(error.to_string())))
        .collect()
}

/// Plans ever more rules.
///
/// # Errors
/// [`RulesError::Plan`].
pub fn planned() -> Result<Vec<Planned>, RulesError> {
    PLANNED
        .iter()
        .map(|count| {
            let profile = profile((0..*count).map(rule))?;
            let mut best = Duration::MAX;
            let mut scans = 0;
            for _ in 0..TURNS {
                let begun = Instant::now();
                let plans = plan(&profile)?;
                best = best.min(begun.elapsed());
                scans = plans.iter().map(|plan| plan.scans.len()).sum();
            }
            Ok(Planned {
                rules: *count,
                scans,
                micros: best.as_secs_f64() * 1e6,
            })
        })
        .collect()
}

/// Both as tables.
pub fn table(scanned: &[Scanned], planned: &[Planned], rows: u64) -> String {
    let mut scans = Table::new();
    scans.load_style(UTF8_HORIZONTAL_ONLY).set_header(vec![
        "rules",
        "queries",
        "seconds",
        "one query a rule, s",
        "x faster",
    ]);
    for row in scanned {
        scans.add_row(vec![
            row.rules.to_string(),
            row.queries.to_string(),
            format!("{:.3}", row.seconds),
            format!("{:.3}", row.seconds_one_by_one),
            format!("{:.1}", row.seconds_one_by_one / row.seconds),
        ]);
    }
    let mut plans = Table::new();
    plans.load_style(UTF8_HORIZONTAL_ONLY).set_header(vec![
        "rules planned",
        "scans",
        "ms",
        "µs a rule",
    ]);
    for row in planned {
        plans.add_row(vec![
            row.rules.to_string(),
            row.scans.to_string(),
            format!("{:.3}", row.micros / 1e3),
            format!("{:.2}", row.micros / row.rules as f64),
        ]);
    }
    for table in [&mut scans, &mut plans] {
        for column in table.column_iter_mut() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!(
        "{scans}\nOn {rows} rows of Parquet in DuckDB, in process: queries one after the other, the fastest of three turns.\n\
         {plans}\nFrom the profile's DQDL to SQL, the fastest of {TURNS}."
    )
}
