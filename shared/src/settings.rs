//! Reads a function's configuration from environment variables; an error names the variable and what it should hold.

use std::path::PathBuf;

/// A configuration that the function cannot start with.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A required variable is unset or empty.
    #[error("environment variable {name} is not set; it should hold {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// A variable holds something else than it should.
    #[error("environment variable {name} is {value:?}; it should hold {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// The profile is in none of the places where it is looked for.
    #[error("no profile {name:?} in {}", .tried.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoProfile {
        /// The value of `PIPELINE_PROFILE`.
        name: String,
        /// Every path that was tried.
        tried: Vec<PathBuf>,
    },
    /// The profile cannot be used.
    #[error(transparent)]
    Profile(#[from] crate::profile::ProfileError),
    /// A part of the profile that only this function reads cannot be used.
    #[error("{part}: {reason}")]
    Unusable {
        /// The part, such as `datasets.orders.rules`.
        part: String,
        /// Why not.
        reason: String,
    },
    /// The TLS roots cannot be used.
    #[error("cannot use the certificate bundle {path}: {reason}")]
    CertificateBundle {
        /// The bundle.
        path: String,
        /// Why not.
        reason: String,
    },
}

/// Returns the value of an optional variable; empty counts as unset.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// Returns the value of a variable that the function cannot do without.
pub fn required(name: &'static str, expected: &'static str) -> Result<String, SettingsError> {
    optional(name).ok_or(SettingsError::Missing { name, expected })
}

/// Returns a whole number within `range`, or `default` where the variable is unset.
pub fn number(
    name: &'static str,
    range: std::ops::RangeInclusive<usize>,
    default: usize,
    expected: &'static str,
) -> Result<usize, SettingsError> {
    let Some(value) = optional(name) else {
        return Ok(default);
    };
    match value.parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(SettingsError::Invalid {
            name,
            value,
            expected,
        }),
    }
}
