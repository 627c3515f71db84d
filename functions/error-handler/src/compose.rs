//! Decide: the alert, and the SNS message that carries it.

use crate::advice::Names;
use crate::failure::Failure;
use jiff::Timestamp;
use pipewarden_shared::alert::{Alert, Diagnosis, Links, Status, VERSION};
use pipewarden_shared::execution::{self, Execution};
use pipewarden_shared::failure::{ErrorType, RootCause};
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

/// The alert about a failure.
pub fn alert(
    failure: &Failure,
    diagnosis: Diagnosis,
    profile: &Profile,
    names: &Names,
    place: &Place,
    now: Timestamp,
) -> Alert {
    let environment = failure
        .environment
        .as_ref()
        .map_or_else(|| place.environment.clone(), ToString::to_string);
    let short = |text: &str| mask::secrets(&truncate::characters(text, 2_048));
    let execution_id = failure
        .execution_id
        .as_deref()
        .map_or_else(|| "unknown".to_owned(), short);
    let state = failure.state.as_deref().map(short);
    let code = diagnosis.root_cause.code.as_str();
    let error_type = failure.error_type.as_str();
    let state_name = state.as_deref().unwrap_or_default();
    let execution = Execution::from_id(&execution_id);
    Alert {
        version: VERSION,
        // The same run and failure give the same id, however often the handler is retried.
        id: digest(&[
            &execution_id,
            state_name,
            error_type,
            code,
            &diagnosis.error_message,
        ]),
        fingerprint: digest(&[
            &profile.pipeline,
            &environment,
            state_name,
            error_type,
            code,
        ]),
        status: Status::Firing,
        pipeline: profile.pipeline.clone(),
        environment,
        links: links(failure.error_type, &execution, profile, names, place),
        execution,
        state,
        error_type: failure.error_type,
        severity: diagnosis.severity,
        diagnosis,
        occurred_at: now,
    }
}

/// 128 bits of a hash over parts that cannot run into one another.
fn digest(parts: &[&str]) -> String {
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
    error_type: ErrorType,
    execution: &Execution,
    profile: &Profile,
    names: &Names,
    place: &Place,
) -> Links {
    let mut arn = place.function_arn.split(':').skip(1);
    let partition = arn.next();
    let region = arn.nth(1);
    let log_group = match error_type {
        ErrorType::GlueJobFailure => {
            let group = names.glue_log_group.as_deref().unwrap_or("/aws-glue/jobs");
            Some(format!("{group}/error"))
        }
        ErrorType::DbtRunFailure | ErrorType::DbtTestFailure => names
            .dbt_runner
            .as_ref()
            .map(|runner| format!("/aws/lambda/{runner}")),
        _ => None,
    };
    let logs = match (partition, region, log_group) {
        (Some(partition), Some(region), Some(group)) => {
            Some(execution::log_group_url(partition, region, &group))
        }
        _ => None,
    };
    Links {
        execution: execution.url.clone(),
        logs,
        dashboard: profile.alerts.dashboard.clone(),
        runbook: profile
            .alerts
            .runbook
            .as_ref()
            .map(|runbook| format!("{runbook}#{error_type}")),
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

/// The run, the pages that help, and when it happened.
fn whereabouts(alert: &Alert) -> Vec<String> {
    let mut lines = Vec::new();
    lines.push(format!("Execution: {}", alert.execution.arn));
    for (name, link) in [
        ("Console", &alert.links.execution),
        ("Logs", &alert.links.logs),
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
mod tests {
    use super::*;
    use crate::diagnosis;
    use serde_json::Value;

    fn compose(event: &Value, at: &str) -> Alert {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        let failure = Failure::parse(&event.to_string());
        let names = Names {
            execution: "run-1".to_owned(),
            ..Names::default()
        };
        let place = Place {
            environment: "prod".to_owned(),
            function_arn: "arn:aws:lambda:eu-central-1:123456789012:function:handler".to_owned(),
        };
        let diagnosis = diagnosis::of(&failure, &profile, &names);
        alert(
            &failure,
            diagnosis,
            &profile,
            &names,
            &place,
            at.parse().unwrap(),
        )
    }

    fn glue(execution: &str) -> Value {
        json!({
            "error_type": "glue_job_failure", "environment": "dev", "state": "LoadUsers",
            "execution_id": format!("arn:aws:states:eu-central-1:123456789012:execution:sf-user-dev:{execution}"),
            "error_details": {"Error": "States.TaskFailed", "Cause": json!({
                "JobName": "load", "Id": "jr_1", "JobRunState": "FAILED", "ErrorMessage": "ValueError: the extract is cut off"
            }).to_string()}
        })
    }

    const AT: &str = "2026-03-01T06:00:00Z";

    #[test]
    fn reads_as_a_mail() {
        insta::assert_snapshot!(text(&compose(&glue("a"), AT)));
    }

    #[test]
    fn a_retry_has_the_same_id_and_the_next_run_the_same_fingerprint() {
        let first = compose(&glue("a"), AT);
        let retried = compose(&glue("a"), "2026-03-01T06:01:00Z");
        let next_run = compose(&glue("b"), AT);
        assert_eq!(
            (&first.id, &first.fingerprint),
            (&retried.id, &retried.fingerprint)
        );
        assert_ne!(first.id, next_run.id);
        assert_eq!(first.fingerprint, next_run.fingerprint);
    }

    #[test]
    fn what_tells_no_environment_is_of_the_functions_own() {
        let alert = compose(&json!("not a contract"), AT);
        assert_eq!(
            (alert.environment.as_str(), alert.execution.arn.as_str()),
            ("prod", "unknown")
        );
        assert_eq!(alert.error_type, ErrorType::UnknownError);
    }

    #[test]
    fn the_message_fits_sns_and_carries_the_alert() {
        let mut event = glue("a");
        // Quotes grow most: they are escaped twice.
        event["error_details"]["Cause"] = json!("\"\\".repeat(100_000));
        event["validation_result"] = json!({"failed_validations": vec!["\"\n".repeat(1_000); 500]});
        let composed = compose(&event, AT);
        let message = message(&composed).unwrap();
        assert!(
            message.body.len() <= LARGEST_MESSAGE,
            "{}",
            message.body.len()
        );
        assert!(message.subject.len() < 100 && message.subject.is_ascii());
        let body: Value = serde_json::from_str(&message.body).unwrap();
        let carried: Alert = serde_json::from_str(body["sqs"].as_str().unwrap()).unwrap();
        assert_eq!(carried.fingerprint, composed.fingerprint);
        assert_eq!(message.attributes[0], ("severity", "HIGH".to_owned()));
    }

    #[test]
    fn an_alert_reads_back() {
        let composed = compose(&glue("a"), AT);
        let json = serde_json::to_string(&composed).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), composed);
    }
}
