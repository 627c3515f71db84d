//! Decide: the alert about a failure that could not be diagnosed, since the diagnosis itself broke.

use crate::compose;
use jiff::Timestamp;
use pipewarden_shared::alert::{Alert, Diagnosis, Links, RootCauseFinding, Status, VERSION};
use pipewarden_shared::execution::Execution;
use pipewarden_shared::failure::{Confidence, ErrorType, Escalation, RootCause};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::{mask, truncate};

/// The most characters of the event that are looked at.
const LONGEST_EVENT: usize = 65_536;

/// The most characters of it that are shown.
const LONGEST_MESSAGE: usize = 4_000;

/// The most characters of a sentence.
const LONGEST_SENTENCE: usize = 500;

/// What could not be diagnosed is of no known type.
const ERROR_TYPE: ErrorType = ErrorType::UnknownError;

/// The alert with the event as it came. It is made of as little as can be: what broke may break again.
pub(crate) fn alert(
    event: &str,
    reason: &str,
    profile: &Profile,
    environment: &str,
    now: Timestamp,
) -> Alert {
    let event = masked(&truncate::characters(event, LONGEST_EVENT));
    let reason = truncate::characters(&masked(reason), LONGEST_SENTENCE);
    let diagnosis = diagnosis(&event, &reason, profile);
    let problem = [profile.pipeline.as_str(), environment, "panic"];
    Alert {
        version: VERSION,
        id: compose::digest(&[problem.as_slice(), &[event.as_str()]].concat()),
        fingerprint: compose::digest(&problem),
        status: Status::Firing,
        pipeline: profile.pipeline.clone(),
        environment: environment.to_owned(),
        execution: Execution::from_id("unknown"),
        state: None,
        error_type: ERROR_TYPE,
        severity: diagnosis.severity,
        diagnosis,
        recovery: None,
        links: Links {
            dashboard: profile.alerts.dashboard.clone(),
            ..Links::default()
        },
        run: None,
        occurred_at: now,
    }
}

fn diagnosis(event: &str, reason: &str, profile: &Profile) -> Diagnosis {
    Diagnosis {
        error_category: "Error handler".to_owned(),
        severity: profile.severity(ERROR_TYPE),
        cause: format!("A failure was reported that could not be diagnosed: {reason}"),
        error_message: truncate::characters(event, LONGEST_MESSAGE),
        root_cause: RootCauseFinding {
            code: RootCause::Unknown,
            summary: "The error handler broke over this event; what failed stands in the event."
                .to_owned(),
            confidence: Confidence::Low,
            transient: false,
            evidence: truncate::characters(event, LONGEST_SENTENCE),
            knowledge: None,
        },
        recommended_actions: vec![
            "Read the event in the message below: it tells the run and what failed in it."
                .to_owned(),
            "Report the panic to those who look after Pipewarden, with this event.".to_owned(),
        ],
        investigation_steps: vec![
            "Read the error handler's log at this time: it has the panic.".to_owned(),
        ],
        escalate_to: Escalation::PlatformTeam,
        failed_validations: Vec::new(),
        data_quality_score: None,
    }
}

/// A text without secrets; without anything, where masking it breaks as well.
fn masked(text: &str) -> String {
    std::panic::catch_unwind(|| mask::secrets(text)).unwrap_or_else(|_| mask::MASK.to_owned())
}
