//! Error names that tell a root cause by themselves.

use pipewarden_shared::failure::{Confidence, RootCause};

/// What an error's name tells: code, confidence, whether it is transient, and a sentence.
pub(crate) type Told = (RootCause, Confidence, bool, &'static str);

/// Names that can hardly mean anything else, with or without the service before them, and what they tell.
pub(crate) const NAMED: &[(&[&str], Told)] = &[
    (
        &["DataQualityFailed", "ScdIntegrityFailed", "DbtTestsFailed"],
        (
            RootCause::DataExpectation,
            Confidence::High,
            false,
            "The data is not what the checks expect; running again changes nothing.",
        ),
    ),
    (
        &["States.Timeout", "Sandbox.Timedout", "ValidationTimedOut"],
        (
            RootCause::Timeout,
            Confidence::High,
            false,
            "The task did not end in the time it had.",
        ),
    ),
    (
        &["States.DataLimitExceeded"],
        (
            RootCause::PayloadLimit,
            Confidence::High,
            false,
            "A state's input or output was over 256 KiB.",
        ),
    ),
    (
        &[
            "AthenaThrottled",
            "ThrottlingException",
            "TooManyRequestsException",
            "ConcurrentRunsExceededException",
        ],
        (
            RootCause::Throttling,
            Confidence::High,
            true,
            "Too many calls or too many runs at once; later it works.",
        ),
    ),
    (
        &[
            "AthenaAccessDenied",
            "AccessDeniedException",
            "AccessDenied",
            "States.Permissions",
        ],
        (
            RootCause::Permission,
            Confidence::High,
            false,
            "An identity may not do what it tried.",
        ),
    ),
    (
        &[
            "AthenaUnavailable",
            "InternalServiceException",
            "ServiceException",
            "AWSLambdaException",
        ],
        (
            RootCause::ServiceFault,
            Confidence::Medium,
            true,
            "An AWS service failed by itself; later it may work.",
        ),
    ),
    (
        &["InvalidEvent", "FunctionPanicked"],
        (
            RootCause::CodeError,
            Confidence::Medium,
            false,
            "A function of the pipeline was called wrongly or has a bug.",
        ),
    ),
];
