//! A run laid out for a person: its checks with their figures, its metrics, its alert.

use crate::evidence::{Alerted, Series};
use crate::execution::Execution;
use crate::screen::{bad, bold, dim, good};
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::Value;

/// The states whose tasks validate.
const VALIDATIONS: [&str; 2] = ["ValidateIngestion", "ValidateScd"];

/// An empty table with these columns, as wide as the terminal at most.
pub fn table(columns: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(columns.iter().map(|column| bold(column)));
    if !table.is_tty() {
        table.set_width(140);
    }
    table
}

/// The checks of every validation that the run came to, and what they read.
pub fn checks(execution: &Execution) -> Option<String> {
    let verdicts: Vec<&Value> = VALIDATIONS
        .iter()
        .map(|state| {
            execution
                .result(state)
                .get("Payload")
                .unwrap_or(&Value::Null)
        })
        .filter(|verdict| verdict.is_object())
        .collect();
    if verdicts.is_empty() {
        return None;
    }
    let mut rows = table(&["check", "expected", "observed", "outcome", "samples"]);
    for verdict in &verdicts {
        for name in texts(verdict.get("validations_performed")) {
            let check = verdict.pointer(&format!(
                "/validation_details/{}",
                name.replace('~', "~0").replace('/', "~1")
            ));
            rows.add_row(check_row(&name, check.unwrap_or(&Value::Null)));
        }
    }
    let lines = verdicts.iter().map(|verdict| cost(verdict));
    Some(
        std::iter::once(rows.to_string())
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

fn check_row(name: &str, check: &Value) -> Vec<String> {
    let passed = check.get("passed") == Some(&Value::Bool(true));
    let samples = texts(check.get("samples"));
    let shown = match samples.as_slice() {
        [first, rest @ ..] if !rest.is_empty() => format!("{first} and {} more", rest.len()),
        samples => samples.concat(),
    };
    vec![
        name.to_owned(),
        text(check.get("expected")),
        observed(check.get("observed")),
        match (passed, check.get("warns") == Some(&Value::Bool(true))) {
            (true, _) if check.get("not_evaluated").is_some() => dim("open"),
            (true, _) => good("passed"),
            (false, true) => bold("warned"),
            (false, false) => bad("failed"),
        },
        match check.get("not_evaluated").and_then(Value::as_str) {
            Some(reason) => reason.to_owned(),
            None => shown,
        },
    ]
}

fn cost(verdict: &Value) -> String {
    let number = |path: &str| verdict.pointer(path).and_then(Value::as_f64);
    let mut parts = Vec::new();
    for (name, path) in [
        ("quality", "/data_quality_score"),
        ("integrity", "/integrity_score"),
    ] {
        if let Some(score) = number(path) {
            parts.push(format!("{name} {score:.2} %"));
        }
    }
    let queries = number("/cost/queries").unwrap_or(0.0);
    parts.push(format!(
        "{queries} {}",
        if queries == 1.0 { "query" } else { "queries" }
    ));
    parts.push(format!(
        "{} read",
        bytes(number("/cost/bytes_scanned").unwrap_or(0.0))
    ));
    parts.push(format!(
        "about ${:.5}",
        number("/cost/estimated_usd").unwrap_or(0.0)
    ));
    dim(&format!("  {}", parts.join(" · ")))
}

/// The metrics that arrived.
pub fn metrics(series: &[Series]) -> String {
    let mut rows = table(&["metric", "value", "unit", "dimensions"]);
    if let Some(column) = rows.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for metric in series {
        let dimensions: Vec<String> = metric
            .dimensions
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let value = format!("{:.3}", metric.sum);
        rows.add_row(vec![
            metric.name.clone(),
            value.trim_end_matches('0').trim_end_matches('.').to_owned(),
            metric.unit.clone(),
            dimensions.join(", "),
        ]);
    }
    rows.to_string()
}

/// The alert, and where it arrived.
pub fn alert(alerted: &Alerted) -> Option<String> {
    let alert = &alerted.queued.first()?.alert;
    let diagnosis = &alert.diagnosis;
    let cause = &diagnosis.root_cause;
    let mut lines = vec![
        format!(
            "  {} {}",
            bad(alert.severity.as_str()),
            bold(&diagnosis.cause)
        ),
        format!(
            "  root cause  {} ({} confidence): {}",
            cause.code, cause.confidence, cause.summary
        ),
        format!(
            "  state       {}",
            alert.state.as_deref().unwrap_or("unknown")
        ),
    ];
    for (title, items) in [
        ("failed      ", &diagnosis.failed_validations),
        ("what to do  ", &diagnosis.recommended_actions),
        ("look at     ", &diagnosis.investigation_steps),
    ] {
        for (number, item) in items.iter().enumerate() {
            let title = if number == 0 { title } else { "            " };
            lines.push(format!("  {title}{}. {item}", number + 1));
        }
    }
    lines.push(dim(&format!(
        "  arrived: {} on the queue, {} at Slack, {} at the webhook (fingerprint {})",
        alerted.queued.len(),
        alerted.slack.len(),
        alerted.webhook.len(),
        alert.fingerprint
    )));
    Some(lines.join("\n"))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .map(|item| text(Some(item)))
        .collect()
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// What was found; a share to the digits that a reader compares.
fn observed(value: Option<&Value>) -> String {
    match value.and_then(Value::as_f64) {
        Some(number) if number.fract() != 0.0 => format!("{number:.4}"),
        Some(number) => format!("{number}"),
        None => text(value),
    }
}

fn bytes(count: f64) -> String {
    match count {
        count if count >= 1e9 => format!("{:.1} GB", count / 1e9),
        count if count >= 1e6 => format!("{:.1} MB", count / 1e6),
        count if count >= 1e3 => format!("{:.1} KB", count / 1e3),
        count => format!("{count} B"),
    }
}
