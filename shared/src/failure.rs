//! The closed sets that describe a failure: error types, severities, root-cause codes, confidence, escalation.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares an enum whose variants have one name each in JSON, YAML and metrics.
macro_rules! closed_set {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in JSON, YAML and metrics.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|member| member.as_str() == text)
                    .ok_or_else(|| UnknownName {
                        name: text.to_owned(),
                        known: Self::ALL.iter().map(|member| member.as_str()).collect::<Vec<_>>().join(", "),
                    })
            }
        }
    };
}

/// A name that is not in a closed set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {name:?}; known are {known}")]
pub struct UnknownName {
    /// What was read.
    pub name: String,
    /// What could have been read.
    pub known: String,
}

closed_set! {
    /// How much a failure matters; ordered, so that a comparison reads naturally.
    Severity {
        /// Can wait for the digest.
        Low = "LOW",
        /// Worth a post.
        Medium = "MEDIUM",
        /// Wakes somebody.
        High = "HIGH",
        /// State or security is at stake.
        Critical = "CRITICAL",
    }
}

impl Severity {
    /// The severity that a text states, such as an alarm's name or description: `[HIGH]`, `severity: high`.
    pub fn stated_in(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let states = |severity: &&Self| {
            ["[?]", "SEVERITY: ?", "SEVERITY=?", "SEVERITY ?"]
                .iter()
                .any(|form| upper.contains(&form.replace('?', severity.as_str())))
        };
        Self::ALL.iter().rev().find(states).copied()
    }
}

closed_set! {
    /// Which part of a pipeline reported the failure.
    ErrorType {
        /// The Glue job did not succeed.
        GlueJobFailure = "glue_job_failure",
        /// The validation could not vouch for the run.
        ValidationFailure = "validation_failure",
        /// The data is wrong.
        DataQualityFailure = "data_quality_failure",
        /// A dbt model failed.
        DbtRunFailure = "dbt_run_failure",
        /// A dbt test failed.
        DbtTestFailure = "dbt_test_failure",
        /// The history of a dimension is wrong.
        ScdValidationFailure = "scd_validation_failure",
        /// An EMR step failed.
        EmrStepFailure = "emr_step_failure",
        /// A Redshift COPY failed.
        RedshiftCopyFailure = "redshift_copy_failure",
        /// S3 refused.
        S3Permission = "s3_permission",
        /// A Snowflake external table is wrong.
        SnowflakeExternalTable = "snowflake_external_table",
        /// A database cannot be reached.
        DbConnectivity = "db_connectivity",
        /// Terraform could not apply.
        TerraformApply = "terraform_apply",
        /// Step Functions, Lambda or ECS itself.
        OrchestrationFailure = "orchestration_failure",
        /// An Athena query failed.
        QueryFailure = "query_failure",
        /// Nothing that is known.
        UnknownError = "unknown_error",
    }
}

impl ErrorType {
    /// The severity of this error type where neither the cause nor the profile says otherwise.
    pub const fn severity(self) -> Severity {
        match self {
            Self::GlueJobFailure
            | Self::DataQualityFailure
            | Self::DbtRunFailure
            | Self::ScdValidationFailure
            | Self::EmrStepFailure
            | Self::RedshiftCopyFailure
            | Self::S3Permission
            | Self::DbConnectivity
            | Self::TerraformApply
            | Self::OrchestrationFailure => Severity::High,
            Self::ValidationFailure
            | Self::DbtTestFailure
            | Self::SnowflakeExternalTable
            | Self::QueryFailure
            | Self::UnknownError => Severity::Medium,
        }
    }
}

closed_set! {
    /// What went wrong, at the grain at which a person would do something else.
    RootCause {
        /// An identity may not do what it tried.
        Permission = "permission",
        /// A credential is wrong or expired.
        Authentication = "authentication",
        /// A rate or concurrency limit.
        Throttling = "throttling",
        /// A hard account limit.
        Quota = "quota",
        /// No hosts, no addresses, a node did not start.
        Capacity = "capacity",
        /// Memory ran out.
        OutOfMemory = "out_of_memory",
        /// Time ran out.
        Timeout = "timeout",
        /// Name resolution, routes, database connections.
        Connectivity = "connectivity",
        /// A path or file is not there.
        MissingInput = "missing_input",
        /// A table, column's table, catalog entry or target is not there.
        MissingObject = "missing_object",
        /// Columns or types do not fit.
        SchemaMismatch = "schema_mismatch",
        /// A bad file, a bad value, an overflow.
        MalformedData = "malformed_data",
        /// A test on the data failed.
        DataExpectation = "data_expectation",
        /// A bug, a missing dependency, a bad argument.
        CodeError = "code_error",
        /// A wrong setting.
        Configuration = "configuration",
        /// A lock, a concurrent write, a name that is taken.
        Conflict = "conflict",
        /// The engine ran out of resources for the query.
        QueryResources = "query_resources",
        /// A payload over a limit.
        PayloadLimit = "payload_limit",
        /// AWS's own fault.
        ServiceFault = "service_fault",
        /// A child run, or too many items of a Map, failed.
        NestedFailure = "nested_failure",
        /// Not known.
        Unknown = "unknown",
    }
}

closed_set! {
    /// How sure a diagnosis is.
    Confidence {
        /// A guess, with the places to look.
        Low = "low",
        /// Likely.
        Medium = "medium",
        /// The text can hardly mean anything else.
        High = "high",
    }
}

closed_set! {
    /// Who can act on it.
    Escalation {
        /// The engineer on call can retry or mend it.
        OnCall = "on_call",
        /// It takes those who own permissions, capacity or the code.
        PlatformTeam = "platform_team",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ordered() {
        assert!(Severity::Critical > Severity::High && Severity::Medium > Severity::Low);
    }

    #[test]
    fn names_read_back() {
        for error_type in ErrorType::ALL {
            assert_eq!(error_type.as_str().parse(), Ok(*error_type));
        }
        let error = "glue".parse::<ErrorType>().unwrap_err();
        assert!(error.to_string().contains("glue_job_failure"), "{error}");
    }
}
