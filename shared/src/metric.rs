//! Metric data: the table of DESIGN.md as types, so that a wrong unit or dimension cannot be written.

use crate::failure::{ErrorType, Severity};
use std::fmt;

/// Part of a pipeline that a metric is about; the `JobType` dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobType {
    /// The load into the lake.
    Ingestion,
    /// dbt.
    Transformation,
    /// The history of a dimension.
    Scd,
}

impl JobType {
    /// The value of the dimension.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingestion => "Ingestion",
            Self::Transformation => "Transformation",
            Self::Scd => "SCD",
        }
    }
}

/// Units that are published, by their CloudWatch names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A number of things.
    Count,
    /// A share of a hundred.
    Percent,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// The name in CloudWatch.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "Seconds",
            Self::Count => "Count",
            Self::Percent => "Percent",
            Self::Bytes => "Bytes",
        }
    }
}

/// Declares the metrics that follow from a name alone: unit and job type.
macro_rules! metrics {
    ($($(#[$meta:meta])* $name:ident: $text:literal, $unit:ident, $job_type:expr;)+) => {
        /// A metric that is published once a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum RunMetric { $($(#[$meta])* $name),+ }

        impl RunMetric {
            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The metric's name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The metric's unit.
            pub const fn unit(self) -> Unit {
                match self { $(Self::$name => Unit::$unit),+ }
            }

            /// The `JobType` dimension, where it has one.
            pub const fn job_type(self) -> Option<JobType> {
                match self { $(Self::$name => $job_type),+ }
            }
        }
    };
}

metrics! {
    /// From the start of the run to now.
    ExecutionDuration: "ExecutionDuration", Seconds, None;
    /// Records that the load brought.
    RecordsProcessed: "RecordsProcessed", Count, Some(JobType::Ingestion);
    /// 1 where the load succeeded, 0 where it did not.
    JobSuccess: "JobSuccess", Count, Some(JobType::Ingestion);
    /// How long the load took.
    GlueJobDuration: "GlueJobDuration", Seconds, Some(JobType::Ingestion);
    /// Models that dbt built or tried.
    DbtModelsRun: "DbtModelsRun", Count, Some(JobType::Transformation);
    /// Models that failed.
    DbtModelsFailed: "DbtModelsFailed", Count, Some(JobType::Transformation);
    /// Tests that passed.
    DbtTestsPassed: "DbtTestsPassed", Count, Some(JobType::Transformation);
    /// Tests that failed.
    DbtTestsFailed: "DbtTestsFailed", Count, Some(JobType::Transformation);
    /// How long dbt took.
    DbtRunDuration: "DbtRunDuration", Seconds, Some(JobType::Transformation);
    /// Checks passed of those evaluated.
    DataQualityScore: "DataQualityScore", Percent, None;
    /// Keys without any violation.
    ScdIntegrityScore: "SCDIntegrityScore", Percent, None;
    /// Keys that the run brought first.
    RecordsCreated: "RecordsCreated", Count, Some(JobType::Scd);
    /// Versions of keys that were known.
    RecordsUpdated: "RecordsUpdated", Count, Some(JobType::Scd);
    /// Keys that the run deleted.
    RecordsDeleted: "RecordsDeleted", Count, Some(JobType::Scd);
    /// SCD2 checks that failed.
    ScdValidationErrors: "SCDValidationErrors", Count, Some(JobType::Scd);
    /// Age of the newest record.
    DataFreshness: "DataFreshness", Seconds, None;
    /// What the validation's queries read.
    BytesScanned: "BytesScanned", Bytes, None;
}

/// Name of the metric that counts failures.
pub const PIPELINE_ERRORS: &str = "PipelineErrors";

/// The environment of a run: the `Environment` dimension, which CloudWatch wants in ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment(String);

impl Environment {
    /// Takes 1 to 64 characters of letters, digits, `-`, `_` and `.`.
    pub fn parse(text: &str) -> Option<Self> {
        let named =
            |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        ((1..=64).contains(&text.len()) && text.chars().all(named)).then(|| Self(text.to_owned()))
    }

    /// The value of the dimension.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is production: `prod`, `production`, and names that begin so, such as `prod-eu`.
    pub fn is_production(&self) -> bool {
        let first = self.0.split(['-', '_', '.']).next();
        first.is_some_and(|name| {
            name.eq_ignore_ascii_case("prod") || name.eq_ignore_ascii_case("production")
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One datum: a name, a unit, a value and the exact dimensions of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The metric's name.
    pub name: &'static str,
    /// The metric's unit.
    pub unit: Unit,
    /// The value.
    pub value: f64,
    /// Names and values of the dimensions.
    pub dimensions: Vec<(&'static str, String)>,
}

impl Metric {
    /// A metric of a run.
    pub fn of_run(metric: RunMetric, value: f64, environment: &Environment) -> Self {
        let mut dimensions = vec![("Environment", environment.to_string())];
        if let Some(job_type) = metric.job_type() {
            dimensions.push(("JobType", job_type.as_str().to_owned()));
        }
        Self {
            name: metric.as_str(),
            unit: metric.unit(),
            value,
            dimensions,
        }
    }

    /// The count of a failure: by type and severity, and once more by environment alone.
    ///
    /// An alarm can only watch a series whose dimensions it names, and CloudWatch adds up none by itself.
    pub fn of_failure(
        environment: &Environment,
        error_type: ErrorType,
        severity: Severity,
    ) -> [Self; 2] {
        let count = |dimensions| Self {
            name: PIPELINE_ERRORS,
            unit: Unit::Count,
            value: 1.0,
            dimensions,
        };
        let environment = ("Environment", environment.to_string());
        [
            count(vec![
                environment.clone(),
                ("ErrorType", error_type.to_string()),
                ("Severity", severity.to_string()),
            ]),
            count(vec![environment]),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_a_plain_name() {
        assert!(Environment::parse("prod-eu.1").is_some());
        for wrong in ["", ":prod", "prod\n", "prød", &"x".repeat(65)] {
            assert_eq!(Environment::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn no_dimension_is_of_a_run() {
        let environment = Environment::parse("dev").unwrap();
        for metric in RunMetric::ALL {
            let datum = Metric::of_run(*metric, 1.0, &environment);
            let names: Vec<_> = datum.dimensions.iter().map(|(name, _)| *name).collect();
            assert!(
                names == ["Environment"] || names == ["Environment", "JobType"],
                "{names:?}"
            );
        }
    }
}
