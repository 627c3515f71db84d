//! An alert of Pipewarden as a reader needs it: an alert of another version of the schema, or with a word that is not
//! known here, is read as far as it goes.

use super::{bounded, digest, json, severity};
use jiff::Timestamp;
use pipewarden_shared::alert::{RunTime, Status, VERSION};
use pipewarden_shared::failure::{ErrorType, Severity};
use serde_json::Value;
use std::collections::BTreeMap;

/// The fields of the schema that are read; others are shown by their names.
const KNOWN: [&str; 18] = [
    "version",
    "id",
    "fingerprint",
    "status",
    "pipeline",
    "environment",
    "execution",
    "state",
    "error_type",
    "severity",
    "diagnosis",
    "links",
    "occurred_at",
    "run",
    "recovery",
    "repeats",
    "root_cause",
    "cause",
];

/// Why it happened, in the words of the alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The cause by its name.
    pub code: String,
    /// The cause in a sentence.
    pub summary: Option<String>,
    /// How sure it is.
    pub confidence: Option<String>,
    /// Whether the same run may succeed if it is tried again.
    pub transient: Option<bool>,
    /// The words that it was concluded from.
    pub evidence: Option<String>,
    /// The entry of the knowledge base that tells it.
    pub knowledge: Option<String>,
}

/// What is read of an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// The same for each delivery of this alert.
    pub id: String,
    /// The same for each alert about this problem.
    pub fingerprint: String,
    /// The version of the schema where it is another than this program's.
    pub other_version: Option<String>,
    /// Whether the problem is there or gone.
    pub status: Status,
    /// How much it matters.
    pub severity: Severity,
    /// The word for it where it is none of this program's.
    pub severity_word: Option<String>,
    /// The pipeline.
    pub pipeline: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The run's name.
    pub execution: Option<String>,
    /// The run's ARN.
    pub execution_arn: Option<String>,
    /// The state that failed.
    pub state: Option<String>,
    /// What failed, such as `glue_job_failure`.
    pub error_type: String,
    /// What happened, in a sentence.
    pub cause: Option<String>,
    /// The message of the failed part.
    pub error_message: Option<String>,
    /// Why it happened.
    pub root_cause: Option<Cause>,
    /// What to do, in order.
    pub actions: Vec<String>,
    /// Where to look, in order.
    pub steps: Vec<String>,
    /// Who can act on it.
    pub escalate_to: Option<String>,
    /// Validations that failed.
    pub failed_validations: Vec<String>,
    /// The run's score in percent.
    pub data_quality_score: Option<f64>,
    /// Pages that help, by name.
    pub links: Vec<(String, String)>,
    /// When it happened.
    pub occurred_at: Option<Timestamp>,
    /// How long the run took.
    pub run: Option<RunTime>,
    /// What was done to cure it without a person.
    pub recovery: Option<String>,
    /// Fields of a later schema that hold a text or number.
    pub others: Vec<(String, String)>,
    /// The alert as it came.
    pub raw: Value,
}

impl Alert {
    /// Reads an alert; nothing where the JSON is no alert.
    pub(super) fn read(json: &Value) -> Option<Self> {
        let fingerprint = json::text(json, "/fingerprint")?;
        let named = ["/pipeline", "/error_type", "/diagnosis"];
        if !named.iter().any(|pointer| json.pointer(pointer).is_some()) {
            return None;
        }
        let word =
            json::first(json, &["/severity", "/diagnosis/severity"]).unwrap_or("MEDIUM".to_owned());
        let (status, unread_status) = status(json);
        let (links, occurred_at) = (links(json), json::time(json, "/occurred_at"));
        let text = |pointer| json::text(json, pointer);
        let version = text("/version").filter(|version| *version != VERSION.to_string());
        Some(Self {
            id: bounded(text("/id").unwrap_or_else(|| digest(&["alert", &json.to_string()]))),
            fingerprint: bounded(fingerprint),
            other_version: version,
            status,
            severity: word.parse().unwrap_or_else(|_| severity(&word)),
            severity_word: word.parse::<Severity>().is_err().then_some(word),
            pipeline: text("/pipeline"),
            environment: text("/environment"),
            execution: json::first(json, &["/execution/name", "/execution/arn", "/execution"]),
            execution_arn: text("/execution/arn"),
            state: text("/state"),
            error_type: text("/error_type")
                .unwrap_or_else(|| ErrorType::UnknownError.as_str().to_owned()),
            cause: json::first(json, &["/diagnosis/cause", "/cause"]),
            error_message: text("/diagnosis/error_message"),
            root_cause: cause(json, "/diagnosis/root_cause").or_else(|| cause(json, "/root_cause")),
            actions: json::texts(json, "/diagnosis/recommended_actions"),
            steps: json::texts(json, "/diagnosis/investigation_steps"),
            escalate_to: text("/diagnosis/escalate_to"),
            failed_validations: json::texts(json, "/diagnosis/failed_validations"),
            data_quality_score: json::number(json, "/diagnosis/data_quality_score"),
            links,
            occurred_at,
            run: json::number(json, "/run/duration_seconds").map(|duration_seconds| RunTime {
                duration_seconds,
                usual_seconds: json::number(json, "/run/usual_seconds"),
            }),
            recovery: recovery(json),
            others: unread_status.into_iter().chain(others(json)).collect(),
            raw: json.clone(),
        })
    }
}

/// The status; a word that is not known counts as firing, and is shown.
fn status(json: &Value) -> (Status, Option<(String, String)>) {
    match json::text(json, "/status") {
        Some(word) if word == Status::Resolved.as_str() => (Status::Resolved, None),
        Some(word) if word != Status::Firing.as_str() => {
            (Status::Firing, Some(("Status".to_owned(), word)))
        }
        _ => (Status::Firing, None),
    }
}

/// `redriven: the failure was transient`, or any other words about it.
fn recovery(json: &Value) -> Option<String> {
    let text = |pointer| json::text(json, pointer);
    let Some(action) = text("/recovery/action") else {
        return json::first(json, &["/recovery/reason", "/recovery"]);
    };
    let mut words = action.replace('_', " ");
    if let Some(count) = json::number(json, "/recovery/count").filter(|count| *count > 1.0) {
        words.push_str(&format!(" ({count} times)"));
    }
    match text("/recovery/reason") {
        Some(reason) => Some(format!("{words}: {reason}")),
        None => Some(words),
    }
}

fn cause(json: &Value, pointer: &str) -> Option<Cause> {
    let cause = json.pointer(pointer)?;
    Some(Cause {
        code: json::text(cause, "/code").or_else(|| json::scalar(cause))?,
        summary: json::text(cause, "/summary"),
        confidence: json::text(cause, "/confidence"),
        transient: cause.get("transient").and_then(Value::as_bool),
        evidence: json::text(cause, "/evidence"),
        knowledge: json::text(cause, "/knowledge"),
    })
}

/// The pages in the order in which they help; those of a later schema come last.
fn links(json: &Value) -> Vec<(String, String)> {
    const ORDER: [&str; 5] = ["execution", "task", "logs", "dashboard", "runbook"];
    let all = json.get("links").and_then(Value::as_object);
    let mut links: Vec<(usize, String, String)> = all
        .into_iter()
        .flatten()
        .filter_map(|(name, link)| {
            let place = ORDER.iter().position(|known| known == name);
            Some((
                place.unwrap_or(ORDER.len()),
                sentence(name),
                json::scalar(link)?,
            ))
        })
        .collect();
    if !links.iter().any(|(place, ..)| *place == 0)
        && let Some(url) = json::text(json, "/execution/url")
    {
        links.push((0, "Execution".to_owned(), url));
    }
    links.sort();
    links
        .into_iter()
        .map(|(_, name, link)| (name, link))
        .collect()
}

fn others(json: &Value) -> Vec<(String, String)> {
    // By name: the order of a JSON object depends on how its reader was built.
    let fields: BTreeMap<&String, &Value> = json.as_object().into_iter().flatten().collect();
    fields
        .into_iter()
        .filter(|(name, _)| !KNOWN.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((sentence(name), json::named(name, value)?)))
        .take(4)
        .collect()
}

/// `data_quality` as `Data quality`.
pub(crate) fn sentence(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => words,
    }
}
