//! Decide: why it failed, how much that matters, what to do.
//!
//! The knowledge base tells the root cause; where it tells none, it is `unknown` with low confidence, since a confident
//! wrong answer costs more than none.

use crate::advice::{self, Advice, Names};
use crate::evidence::{self, Evidence, Service};
use crate::failure::Failure;
use crate::fetch::Fetched;
use crate::knowledge::severity::{self, Weighed};
use crate::knowledge::vocabulary::{Rank, Shift};
use crate::knowledge::{self, Conclusion};
use pipewarden_shared::alert::{Diagnosis, RootCauseFinding};
use pipewarden_shared::failure::{Confidence, ErrorType, Escalation, RootCause};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::{mask, truncate};

/// The most characters of a message in an alert.
const LONGEST_MESSAGE: usize = 4_000;

/// The most characters of a message that are masked: an event may be megabytes.
const LONGEST_MASKED: usize = 65_536;

/// The most characters of a sentence.
const LONGEST_SENTENCE: usize = 500;

/// The most failed validations in an alert.
const MOST_VALIDATIONS: usize = 20;

/// The most actions, and the most steps.
const MOST_LINES: usize = 10;

/// Diagnoses a failure of which no more is known than its event.
pub fn of(failure: &Failure, profile: &Profile, configured: &Names) -> Diagnosis {
    let evidence = evidence::of(failure, configured, &Fetched::default());
    let names = names_of(&evidence, configured);
    let environment = failure
        .environment
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    of_evidence(failure, &evidence, profile, &names, &environment)
}

/// Diagnoses a failure from what is known of it, in an environment. Everything in it is masked and bounded.
pub fn of_evidence(
    failure: &Failure,
    evidence: &Evidence,
    profile: &Profile,
    names: &Names,
    environment: &str,
) -> Diagnosis {
    let concluded = knowledge::conclude(evidence, failure.cause.as_deref());
    let advice = advice::of(failure.error_type, names);
    let error = evidence
        .errors
        .first()
        .or(failure.error.as_ref())
        .map(String::as_str);
    // Masked before it is cut to what is shown; cut before it is masked only far behind that.
    let message = truncate::characters(&message(failure, evidence, error), LONGEST_MASKED);
    let message = mask::secrets(&message);
    let root_cause = root_cause(failure, concluded.as_ref(), &sentence(&message));
    let shift = concluded
        .as_ref()
        .map_or(Shift::Keep, |concluded| concluded.entry.shift());
    let severity = severity::of(&Weighed {
        error_type: failure.error_type,
        told: profile.alerts.severity.get(&failure.error_type).copied(),
        code: root_cause.code,
        confidence: root_cause.confidence,
        transient: root_cause.transient,
        shift,
        environment,
    });
    let cause = sentence(&cause_sentence(
        failure,
        evidence,
        concluded.as_ref(),
        &message,
    ));
    let (actions, steps, escalate_to) = advised(concluded, &advice);
    Diagnosis {
        error_category: advice.category.to_owned(),
        severity,
        cause,
        error_message: truncate::characters(&message, LONGEST_MESSAGE),
        root_cause,
        recommended_actions: sentences(&actions, MOST_LINES),
        investigation_steps: sentences(&steps, MOST_LINES),
        escalate_to,
        failed_validations: sentences(&failure.failed_validations, MOST_VALIDATIONS),
        data_quality_score: failure.data_quality_score,
    }
}

/// A sentence with words from outside, as an alert has it: masked and bounded.
pub(crate) fn sentence(text: &str) -> String {
    truncate::characters(&mask::secrets(text), LONGEST_SENTENCE)
}

fn sentences(texts: &[String], most: usize) -> Vec<String> {
    let texts = texts.iter().take(most);
    texts.map(|text| sentence(text)).collect()
}

/// What to do, where to look and who can act. Where the cause is not sure, the error type's advice comes behind.
fn advised(
    concluded: Option<Conclusion>,
    advice: &Advice,
) -> (Vec<String>, Vec<String>, Escalation) {
    let Some(concluded) = concluded else {
        return (
            advice.actions.clone(),
            advice.steps.clone(),
            advice.escalate_to,
        );
    };
    let (mut actions, mut steps) = (concluded.actions, concluded.steps);
    if concluded.entry.rank() == Rank::Wrapper || concluded.confidence == Confidence::Low {
        actions.extend(advice.actions.iter().cloned());
        steps.extend(advice.steps.iter().cloned());
    }
    (actions, steps, concluded.entry.escalate_to())
}

/// The names of this run for the error type's advice: those that its evidence tells, else the configured ones.
pub fn names_of(evidence: &Evidence, configured: &Names) -> Names {
    let told = |name: &str| evidence.names.get(name).cloned();
    let glue_log_group = told("log_group").filter(|_| evidence.service == Some(Service::Glue));
    Names {
        glue_job: told("job").or_else(|| configured.glue_job.clone()),
        glue_run: told("job_run").or_else(|| configured.glue_run.clone()),
        glue_log_group: glue_log_group.or_else(|| configured.glue_log_group.clone()),
        cluster: told("cluster"),
        step: told("step"),
        bucket: told("bucket"),
        query_id: told("query_id"),
        execution: told("execution").unwrap_or_else(|| "<execution arn>".to_owned()),
        ..configured.clone()
    }
}

/// What the failed part said; the raw event where it could not be read.
fn message(failure: &Failure, evidence: &Evidence, error: Option<&str>) -> String {
    // Of an event of no known kind, a person sees all.
    let said = said(evidence, error).filter(|_| !evidence.is_gleaned);
    match (&failure.unread, said) {
        (None, said) => said.unwrap_or_else(|| "no error and no cause were given".to_owned()),
        // What was read is worth more than what was not.
        (Some(unread), Some(said)) => {
            format!("{said} (not all of the event could be read: {unread})")
        }
        (Some(unread), None) => format!(
            "could not read the event ({unread}); as it came: {}",
            in_a_line(&failure.raw)
        ),
    }
}

/// Without line breaks: of a message, what is shown first is its first line.
fn in_a_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

/// What an error and the innermost text say.
fn said(evidence: &Evidence, error: Option<&str>) -> Option<String> {
    let innermost = evidence
        .texts
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    Some(match (error, innermost) {
        (Some(error), "") => format!("{error}, without a cause"),
        // The wrapper says nothing that the message does not.
        (Some("States.TaskFailed"), message) => message.to_owned(),
        (Some(error), message) => format!("{error}: {message}"),
        (None, "") => return None,
        (None, message) => message.to_owned(),
    })
}

/// What happened, with the first thing that a person wants to know up front.
fn cause_sentence(
    failure: &Failure,
    evidence: &Evidence,
    concluded: Option<&Conclusion>,
    message: &str,
) -> String {
    if let (
        ErrorType::DataQualityFailure
        | ErrorType::ScdValidationFailure
        | ErrorType::ValidationFailure,
        [first, rest @ ..],
    ) = (failure.error_type, failure.failed_validations.as_slice())
    {
        return match rest.len() {
            0 => first.clone(),
            more => format!("{first}; and {more} more"),
        };
    }
    // Of a long log, or of an event as it came, the line that tells the cause says more than the first ones.
    let words = concluded.and_then(|concluded| concluded.evidence.as_ref());
    match words
        .filter(|_| evidence.is_gleaned || message.lines().count() > 2)
        .filter(|words| evidence.is_gleaned || !gist(message).contains(words.as_str()))
    {
        Some(words) => words.clone(),
        None => gist(message),
    }
}

/// The part of a message that says the most: a Python traceback says it last, dbt in its second line.
fn gist(message: &str) -> String {
    let mut lines = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    if message.contains("Traceback (most recent call last)") {
        lines.next_back().unwrap_or(message).to_owned()
    } else {
        lines.take(2).collect::<Vec<_>>().join(" ")
    }
}

fn root_cause(
    failure: &Failure,
    concluded: Option<&Conclusion>,
    message: &str,
) -> RootCauseFinding {
    let bounded = |text: &str| truncate::characters(&mask::secrets(text), LONGEST_SENTENCE);
    if let Some(concluded) = concluded {
        return RootCauseFinding {
            code: concluded.entry.code(),
            summary: bounded(&concluded.summary),
            confidence: concluded.confidence,
            transient: concluded.transient,
            evidence: concluded
                .evidence
                .as_deref()
                .map_or_else(|| message.to_owned(), bounded),
            knowledge: Some(concluded.entry.id().to_owned()),
        };
    }
    let (code, confidence, summary) = if failure.error_type == ErrorType::DataQualityFailure {
        (
            RootCause::DataExpectation,
            Confidence::Medium,
            "The data is not what the checks expect.",
        )
    } else {
        (
            RootCause::Unknown,
            Confidence::Low,
            "The message is not one that Pipewarden knows; it and the steps say where to look.",
        )
    };
    RootCauseFinding {
        code,
        summary: summary.to_owned(),
        confidence,
        transient: false,
        evidence: message.to_owned(),
        knowledge: None,
    }
}

#[cfg(test)]
mod tests;
