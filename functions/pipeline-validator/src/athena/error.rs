//! Why Athena gave no answer, by what can be done about it.

use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use pipewarden_shared::causes;
use std::time::Duration;

/// Why Athena gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum AthenaError {
    /// Too many calls or too many queries at once; later it works.
    #[error("Athena throttles {doing}: {reason}")]
    Throttled {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// The function may not do what it has to.
    #[error("not allowed to {doing}: {reason}")]
    AccessDenied {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// Athena could not be reached, or failed by itself; later it may work.
    #[error("Athena failed to {doing}: {reason}")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// Athena refuses the call: a wrong query, work group or location.
    #[error("Athena refused to {doing}: {reason}")]
    Refused {
        /// What was being done.
        doing: String,
        /// What Athena said.
        reason: String,
    },
    /// The function ran out of time; its queries were stopped.
    #[error("the scans of {} did not end within {} s and were stopped", .datasets.join(", "), .budget.as_secs())]
    TimedOut {
        /// The datasets.
        datasets: Vec<String>,
        /// How long they had.
        budget: Duration,
    },
}

impl AthenaError {
    /// The name by which a state machine matches the error.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Throttled { .. } => "AthenaThrottled",
            Self::AccessDenied { .. } => "AthenaAccessDenied",
            Self::Unavailable { .. } => "AthenaUnavailable",
            Self::Refused { .. } => "AthenaQueryRefused",
            Self::TimedOut { .. } => "ValidationTimedOut",
        }
    }
}

/// Names the error of a call by what can be done about it.
pub(super) fn refused<E>(doing: &str, error: &SdkError<E>) -> AthenaError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let doing = doing.to_owned();
    let reason = error
        .message()
        .map_or_else(|| causes::chain(error), str::to_owned);
    match error.code() {
        Some("TooManyRequestsException" | "ThrottlingException" | "Throttling") => {
            AthenaError::Throttled { doing, reason }
        }
        Some("AccessDeniedException" | "AccessDenied" | "UnrecognizedClientException") => {
            AthenaError::AccessDenied { doing, reason }
        }
        Some("InvalidRequestException" | "ValidationException" | "ResourceNotFoundException") => {
            AthenaError::Refused { doing, reason }
        }
        _ => AthenaError::Unavailable { doing, reason },
    }
}
