//! Decide: how much a failure matters.

use super::vocabulary::Shift;
use pipewarden_shared::failure::{Confidence, ErrorType, RootCause, Severity};
use pipewarden_shared::metric::Environment;

/// What the severity depends on.
#[derive(Debug, Clone, Copy)]
pub struct Weighed<'run> {
    /// Which part failed.
    pub error_type: ErrorType,
    /// The severity that the pipeline's profile gives this error type, if it gives one.
    pub told: Option<Severity>,
    /// Why.
    pub code: RootCause,
    /// How sure that is.
    pub confidence: Confidence,
    /// Whether the same run may succeed a little later.
    pub transient: bool,
    /// What the entry says.
    pub shift: Shift,
    /// Where it ran.
    pub environment: &'run str,
}

/// The severity: what the profile tells, else the error type's, moved by the cause, within LOW and CRITICAL.
pub fn of(weighed: &Weighed<'_>) -> Severity {
    if let Some(told) = weighed.told {
        return told;
    }
    let usual = weighed.error_type.severity();
    let shifted = match weighed.shift {
        Shift::Raise => up(usual),
        Shift::Lower => down(usual),
        Shift::Keep => usual,
    };
    // What a retry cures wakes nobody.
    let cured = if weighed.transient && weighed.confidence == Confidence::High {
        down(shifted)
    } else {
        shifted
    };
    let environment = Environment::parse(weighed.environment);
    let is_production = environment.is_some_and(|environment| environment.is_production());
    let floor = match (weighed.error_type, weighed.code) {
        (ErrorType::TerraformApply, RootCause::Permission | RootCause::Authentication) => {
            Severity::Critical
        }
        (_, RootCause::Permission) if is_production => Severity::High,
        _ => Severity::Low,
    };
    cured.max(floor)
}

fn up(severity: Severity) -> Severity {
    match severity {
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

fn down(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium | Severity::Low => Severity::Low,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Confidence::{High as Sure, Medium as Likely};
    use ErrorType::{GlueJobFailure, QueryFailure, TerraformApply, ValidationFailure};
    use RootCause::{Conflict, Permission, Throttling};
    use Severity::{Critical, High, Low, Medium};
    use rstest::rstest;

    #[rstest]
    #[case::as_usual(GlueJobFailure, None, (Conflict, Sure, false), Shift::Keep, "dev", High)]
    #[case::raised(GlueJobFailure, None, (Conflict, Sure, false), Shift::Raise, "dev", Critical)]
    #[case::raised_no_higher(TerraformApply, None, (Permission, Sure, false), Shift::Raise, "dev", Critical)]
    #[case::lowered(ValidationFailure, None, (Conflict, Sure, false), Shift::Lower, "dev", Low)]
    #[case::cured_by_a_retry(GlueJobFailure, None, (Throttling, Sure, true), Shift::Keep, "prod", Medium)]
    #[case::lowered_no_lower(QueryFailure, None, (Throttling, Sure, true), Shift::Lower, "dev", Low)]
    #[case::perhaps_cured(GlueJobFailure, None, (Throttling, Likely, true), Shift::Keep, "dev", High)]
    #[case::permission_in_production(QueryFailure, None, (Permission, Likely, false), Shift::Lower, "Production", High)]
    #[case::permission_in_production_of_a_region(QueryFailure, None, (Permission, Likely, false), Shift::Keep, "prod-eu", High)]
    #[case::permission_elsewhere(QueryFailure, None, (Permission, Likely, false), Shift::Keep, "dev", Medium)]
    #[case::security(TerraformApply, None, (Permission, Likely, false), Shift::Keep, "dev", Critical)]
    #[case::state(TerraformApply, None, (Conflict, Likely, false), Shift::Raise, "dev", Critical)]
    #[case::told(TerraformApply, Some(Low), (Permission, Sure, false), Shift::Raise, "prod", Low)]
    fn weighs(
        #[case] error_type: ErrorType,
        #[case] told: Option<Severity>,
        #[case] (code, confidence, transient): (RootCause, Confidence, bool),
        #[case] shift: Shift,
        #[case] environment: &str,
        #[case] severity: Severity,
    ) {
        let weighed = Weighed {
            error_type,
            told,
            code,
            confidence,
            transient,
            shift,
            environment,
        };
        assert_eq!(of(&weighed), severity);
    }
}
