//! Decide: the alert, and the SNS message that carries it.

use crate::diagnosis::sentence;
use crate::evidence::{Evidence, Service};
use crate::failure::{Failure, Source};
use jiff::Timestamp;
use pipewarden_shared::alert::{
    Alert, Diagnosis, Links, Recovery, RecoveryAction, RunTime, Status, VERSION,
};
use pipewarden_shared::execution::{Console, Execution, LONGEST_ID};
use pipewarden_shared::failure::RootCause;
use pipewarden_shared::profile::Profile;
use pipewarden_shared::{mask, truncate};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The largest SNS message, attributes included (SNS API reference): 256 KiB, less room for the attributes.
const LARGEST_MESSAGE: usize = 262_144 - 4_096;

/// The longest subject (SNS API reference): under 100 characters.
const LONGEST_SUBJECT: usize = 99;

/// What is known of the place where the function runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The environment, for events that do not tell it.
    pub environment: String,
    /// ARN of the function: its partition and region make the console links.
    pub function_arn: String,
}

/// An alert as SNS takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The subject of the e-mail.
    pub subject: String,
    /// The body for `MessageStructure=json`: a text for people, JSON for Lambda, SQS and HTTPS.
    pub body: String,
    /// Names and values of the message attributes.
    pub attributes: Vec<(&'static str, String)>,
}

/// What was concluded of a failure, and done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Concluded {
    /// What is known of it.
    pub evidence: Evidence,
    /// What it comes from.
    pub diagnosis: Diagnosis,
    /// What could not be read, and why, in a sentence each.
    pub missing: Vec<String>,
    /// What was done about the run.
    pub recovery: Option<Recovery>,
    /// How long a run usually takes, in seconds, where that is known.
    pub usual_seconds: Option<f64>,
}

/// The environment of a failure: the one that it tells, else the function's own.
pub fn environment(failure: &Failure, place: &Place) -> String {
    let told = failure.environment.as_ref().map(ToString::to_string);
    told.unwrap_or_else(|| place.environment.clone())
}

/// The alert about a failure.
pub fn alert(
    failure: &Failure,
    concluded: Concluded,
    profile: &Profile,
    place: &Place,
    now: Timestamp,
) -> Alert {
    let Concluded {
        evidence,
        mut diagnosis,
        missing,
        recovery,
        usual_seconds,
    } = concluded;
    let environment = environment(failure, place);
    let execution_id = failure
        .execution_id
        .as_deref()
        .map_or_else(|| "unknown".to_owned(), name);
    let state = failure.state.as_deref().map(name);
    let execution = Execution::from_id(&execution_id);
    let problem = [
        state.as_deref().unwrap_or_default(),
        failure.error_type.as_str(),
        diagnosis.root_cause.code.as_str(),
    ];
    let id = id(failure, &execution_id, &problem, &diagnosis);
    let pipeline = [profile.pipeline.as_str(), environment.as_str()];
    let fingerprint = digest(&[pipeline.as_slice(), problem.as_slice()].concat());
    let occurred_at = failure.occurred_at.unwrap_or(now);
    let missing = missing.iter().map(|missing| sentence(missing));
    diagnosis.investigation_steps.extend(missing);
    Alert {
        version: VERSION,
        id,
        fingerprint,
        status: Status::Firing,
        pipeline: profile.pipeline.clone(),
        environment,
        links: links(failure, &evidence, &execution, profile, place),
        execution,
        state,
        error_type: failure.error_type,
        severity: diagnosis.severity,
        diagnosis,
        recovery: recovery.map(told),
        run: run_time(failure.started_at, occurred_at, usual_seconds),
        occurred_at,
    }
}

/// A name from outside, as an alert has it.
fn name(text: &str) -> String {
    truncate::characters(&mask::secrets(text), LONGEST_ID)
}

fn told(recovery: Recovery) -> Recovery {
    Recovery {
        reason: sentence(&recovery.reason),
        ..recovery
    }
}

/// How long a run took; nothing where its end is before its start, as clocks may say.
fn run_time(
    begun: Option<Timestamp>,
    ended: Timestamp,
    usual_seconds: Option<f64>,
) -> Option<RunTime> {
    let duration_seconds = ended.duration_since(begun?).as_secs_f64();
    (duration_seconds >= 0.0).then_some(RunTime {
        duration_seconds,
        usual_seconds,
    })
}

/// The same for the same run and failure, however often the handler is retried; a redriven run fails anew.
fn id(failure: &Failure, execution_id: &str, problem: &[&str], diagnosis: &Diagnosis) -> String {
    let attempt = match &failure.source {
        Source::Execution(ended) => ended.at.map(|at| at.to_string()),
        _ => None,
    };
    let mut parts = vec![execution_id];
    parts.extend(problem);
    parts.push(&diagnosis.error_message);
    parts.extend(attempt.as_deref());
    digest(&parts)
}

/// 128 bits of a hash over parts that cannot run into one another.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()
        .iter()
        .take(16)
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn links(
    failure: &Failure,
    evidence: &Evidence,
    execution: &Execution,
    profile: &Profile,
    place: &Place,
) -> Links {
    // The run is in its own region; what has no run is in the function's.
    let console = Console::of_arn(&execution.arn).or_else(|| Console::of_arn(&place.function_arn));
    let name = |name: &str| evidence.names.get(name).map(String::as_str);
    let logs = console.zip(name("log_group")).map(|(console, group)| {
        if evidence.service == Some(Service::Glue) {
            console.log_group(&format!("{group}/error"), name("job_run"))
        } else {
            console.log_group(group, None)
        }
    });
    Links {
        execution: execution.url.clone(),
        logs,
        task: console.and_then(|console| task(console, evidence)),
        dashboard: profile.alerts.dashboard.clone(),
        runbook: profile
            .alerts
            .runbook
            .as_ref()
            .map(|runbook| format!("{runbook}#{}", failure.error_type)),
    }
}

/// The page of the part that failed.
fn task(console: Console<'_>, evidence: &Evidence) -> Option<String> {
    let name = |name: &str| evidence.names.get(name).map(String::as_str);
    match evidence.service? {
        Service::Glue => Some(console.glue_run(name("job")?, name("job_run")?)),
        Service::Athena => Some(console.athena_query(name("query_id")?)),
        Service::Emr => Some(console.emr_cluster(name("cluster")?)),
        Service::Ecs => Some(console.ecs_task(name("cluster")?, name("task")?)),
        _ => None,
    }
}

/// The SNS message of an alert.
///
/// # Errors
/// The serializer's, which an alert does not cause.
pub fn message(alert: &Alert) -> Result<Message, serde_json::Error> {
    let subject = format!(
        "[{}] {} {}: {}",
        alert.severity, alert.pipeline, alert.environment, alert.diagnosis.cause
    );
    let mut alert = alert.clone();
    let mut body = body(&alert)?;
    // Three copies of the JSON, each escaped once more, can grow over the limit; evidence goes first.
    if body.len() > LARGEST_MESSAGE {
        alert.diagnosis.root_cause.evidence.clear();
        alert.diagnosis.error_message = truncate::bytes(&alert.diagnosis.error_message, 1_000);
        for validation in &mut alert.diagnosis.failed_validations {
            *validation = truncate::bytes(validation, 200);
        }
        body = self::body(&alert)?;
    }
    Ok(Message {
        subject: truncate::ascii_line(&subject, LONGEST_SUBJECT),
        body,
        attributes: vec![
            ("severity", alert.severity.to_string()),
            ("error_type", alert.error_type.to_string()),
            ("pipeline", alert.pipeline.clone()),
            ("environment", alert.environment.clone()),
            ("status", alert.status.as_str().to_owned()),
        ],
    })
}

fn body(alert: &Alert) -> Result<String, serde_json::Error> {
    let json = serde_json::to_string(alert)?;
    let text = text(alert);
    serde_json::to_string(&json!({
        "default": text, "email": text, "lambda": json, "sqs": json, "https": json,
    }))
}

/// The alert as a mail: what happened first, then why, then what to do.
pub fn text(alert: &Alert) -> String {
    let diagnosis = &alert.diagnosis;
    let cause = &diagnosis.root_cause;
    let mut lines = vec![
        format!(
            "{} {} in {} ({})",
            alert.severity, alert.error_type, alert.pipeline, alert.environment
        ),
        diagnosis.cause.clone(),
        String::new(),
        format!(
            "Root cause: {} (confidence: {}, {})",
            cause.code,
            cause.confidence,
            match (cause.transient, cause.code) {
                (true, _) => "a retry may cure it",
                (false, RootCause::Unknown) => "whether a retry helps is not known",
                (false, _) => "a retry will not cure it",
            }
        ),
        cause.summary.clone(),
        format!("Escalate to: {}", diagnosis.escalate_to),
    ];
    lines.extend(alert.run.map(|run| format!("Run time: {run}")));
    lines.extend(alert.recovery.as_ref().map(recovery));
    let mut section = |title: &str, items: &[String]| {
        if !items.is_empty() {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(number, item)| format!("  {}. {item}", number + 1)),
            );
        }
    };
    section("Failed validations", &diagnosis.failed_validations);
    section("What to do", &diagnosis.recommended_actions);
    section("Where to look", &diagnosis.investigation_steps);
    section("Message", std::slice::from_ref(&diagnosis.error_message));
    lines.push(String::new());
    lines.extend(whereabouts(alert));
    lines.join("\n")
}

/// What was done about the run.
fn recovery(recovery: &Recovery) -> String {
    let done = match recovery.action {
        RecoveryAction::Redriven => "redriven, the run goes on where it died",
        RecoveryAction::NotRedriven => "none, the run is left as it is",
    };
    format!("Recovery: {done}: {}", recovery.reason)
}

/// The run, the pages that help, and when it happened.
fn whereabouts(alert: &Alert) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(format!("Execution: {}", alert.execution.arn));
    for (name, link) in [
        ("Console", &alert.links.execution),
        ("Logs", &alert.links.logs),
        ("Failed part", &alert.links.task),
        ("Dashboard", &alert.links.dashboard),
        ("Runbook", &alert.links.runbook),
    ] {
        lines.extend(link.as_ref().map(|link| format!("{name}: {link}")));
    }
    lines.push(format!(
        "Occurred at {} - alert {}",
        alert.occurred_at, alert.id
    ));
    lines
}

#[cfg(test)]
mod tests;
