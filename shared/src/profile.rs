//! The profile: one YAML file that describes a pipeline. Parsed and checked here, once, so that nothing checks it again.

use crate::failure::{ErrorType, Severity};
use crate::settings::{self, SettingsError};
use jiff::SignedDuration;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Where a layer shows its files (Lambda developer guide, "Packaging your layer content").
const LAYERS: &str = "/opt";

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the profile {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The text is no profile; the message shows the place.
    #[error("{0}")]
    Syntax(Box<serde_saphyr::Error>),
    /// The parts do not fit.
    #[error("{}", .0.join("\n"))]
    Inconsistent(Vec<String>),
}

/// A pipeline: its metrics, its datasets, what is validated when, and how its alerts are weighed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The pipeline's name in alerts.
    pub pipeline: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// Where its metrics go.
    pub metrics: Metrics,
    /// Which datasets each validation looks at.
    #[serde(default)]
    pub validations: Validations,
    /// The tables, by the name that an event uses.
    #[serde(default)]
    pub datasets: BTreeMap<String, Dataset>,
    /// How its alerts are weighed and what they link to.
    #[serde(default)]
    pub alerts: Alerts,
}

/// Where metrics go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The CloudWatch namespace.
    pub namespace: String,
}

/// Which datasets each `validation_type` looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validations {
    /// After the load.
    #[serde(default)]
    pub glue_job_results: Vec<String>,
    /// After the dimension was built.
    #[serde(default)]
    pub scd_integrity: Vec<String>,
}

/// A table and what is expected of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// The table, in the function's database.
    pub table: Identifier,
    /// The columns that name a row, or an entity where the table holds versions; samples show them.
    pub key: Vec<Identifier>,
    /// What is expected of the rows.
    #[serde(default)]
    pub checks: Vec<Expectation>,
    /// Where the table is a type 2 dimension: how it writes its history.
    #[serde(default)]
    pub scd2: Option<Scd2>,
}

/// One expectation on the rows of a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// The table holds at least so many rows.
    RowCount {
        /// The fewest.
        min: u64,
    },
    /// The newest value of a timestamp column is at most so old.
    Freshness {
        /// The column; values without a zone are UTC.
        column: Identifier,
        /// The oldest it may be, such as `6h`.
        max_age: SignedDuration,
    },
    /// None of these columns is NULL or blank in any row.
    Required {
        /// The columns.
        columns: Vec<Identifier>,
    },
}

/// How a type 2 dimension writes its history. Intervals are half open: `[valid_from, valid_to)`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scd2 {
    /// When a version begins.
    pub valid_from: Identifier,
    /// When it ends.
    pub valid_to: Identifier,
    /// Whether it is the current one.
    pub current: Identifier,
    /// Whether its entity was deleted when it ended.
    #[serde(default)]
    pub deleted: Option<Identifier>,
    /// When the row was written; the run's created, updated and deleted keys are counted by it.
    #[serde(default)]
    pub recorded_at: Option<Identifier>,
    /// How an open version's end is written.
    #[serde(default)]
    pub open_end: OpenEnd,
    /// Which gaps between versions are healthy.
    #[serde(default)]
    pub gaps: GapPolicy,
}

/// How an open version's end is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Option<String>")]
pub enum OpenEnd {
    /// NULL.
    #[default]
    Null,
    /// A far date, such as 9999-12-31: any end at or after it is open.
    Sentinel(jiff::civil::DateTime),
}

impl TryFrom<Option<String>> for OpenEnd {
    type Error = String;

    fn try_from(text: Option<String>) -> Result<Self, String> {
        match text.as_deref() {
            None | Some("null") => Ok(Self::Null),
            Some(text) => text
                .parse()
                .or_else(|_| {
                    text.parse::<jiff::civil::Date>()
                        .map(|date| date.at(0, 0, 0, 0))
                })
                .map(Self::Sentinel)
                .map_err(|_| format!("expected null or a date such as 9999-12-31, got {text:?}")),
        }
    }
}

/// Which gaps between versions are healthy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapPolicy {
    /// None.
    #[default]
    Forbidden,
    /// After a version at whose end the entity was deleted.
    AfterDelete,
    /// Any.
    Allowed,
}

/// How alerts are weighed and what they link to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// Severities that differ from the usual ones.
    #[serde(default)]
    pub severity: BTreeMap<ErrorType, Severity>,
    /// The page that says what to do.
    #[serde(default)]
    pub runbook: Option<String>,
    /// The pipeline's dashboard.
    #[serde(default)]
    pub dashboard: Option<String>,
}

/// A column or table name as the catalog knows it; SQL quotes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Identifier(String);

impl TryFrom<String> for Identifier {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        // 255 characters: Glue API reference, NameString.
        if name.trim().is_empty() || name.chars().nth(255).is_some() {
            return Err("expected a name of 1 to 255 characters".to_owned());
        }
        if name.chars().any(char::is_control) {
            return Err(format!(
                "expected a name without control characters, got {name:?}"
            ));
        }
        Ok(Self(name))
    }
}

impl Identifier {
    /// The name, unquoted.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Profile {
    /// Reads a profile and checks that its parts fit.
    ///
    /// # Errors
    /// [`ProfileError`] with the place in the text, or with everything that does not fit.
    pub fn parse(yaml: &str) -> Result<Self, ProfileError> {
        let profile: Self =
            serde_saphyr::from_str(yaml).map_err(|error| ProfileError::Syntax(Box::new(error)))?;
        let problems = profile.problems();
        if problems.is_empty() {
            Ok(profile)
        } else {
            Err(ProfileError::Inconsistent(problems))
        }
    }

    /// Reads a profile from a file.
    ///
    /// # Errors
    /// As [`Profile::parse`], or [`ProfileError::Unreadable`].
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let yaml = std::fs::read_to_string(path).map_err(|source| ProfileError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&yaml)
    }

    /// Reads the profile that `PIPELINE_PROFILE` names: a path, or a file of the function's package or layer.
    ///
    /// # Errors
    /// [`SettingsError`] where the variable is unset, no such file is there, or it is no profile.
    pub fn from_settings() -> Result<Self, SettingsError> {
        let name = settings::required(
            "PIPELINE_PROFILE",
            "the file of a profile, such as sf-user.yaml",
        )?;
        let tried: Vec<PathBuf> = places(&name).collect();
        match tried.iter().find(|path| path.is_file()) {
            Some(path) => Ok(Self::read(path)?),
            None => Err(SettingsError::NoProfile { name, tried }),
        }
    }

    /// The severity of an error type in this pipeline.
    pub fn severity(&self, error_type: ErrorType) -> Severity {
        self.alerts
            .severity
            .get(&error_type)
            .copied()
            .unwrap_or_else(|| error_type.severity())
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.pipeline.trim().is_empty() {
            problems.push("pipeline: a name is missing".to_owned());
        }
        let namespace = &self.metrics.namespace;
        // PutMetricData API reference, Namespace.
        let named =
            |character: char| character.is_ascii_alphanumeric() || ".-_/#: ".contains(character);
        if namespace.is_empty()
            || namespace.len() > 255
            || namespace.starts_with([':', ' '])
            || namespace.starts_with("AWS/")
            || !namespace.chars().all(named)
        {
            problems.push(format!(
                "metrics.namespace: {namespace:?} is no namespace for custom metrics"
            ));
        }
        for (validation, names) in [
            ("glue_job_results", &self.validations.glue_job_results),
            ("scd_integrity", &self.validations.scd_integrity),
        ] {
            for name in names {
                match self.datasets.get(name) {
                    None => problems.push(format!(
                        "validations.{validation}: there is no dataset {name:?}"
                    )),
                    Some(dataset) if validation == "scd_integrity" && dataset.scd2.is_none() => {
                        problems.push(format!(
                            "validations.scd_integrity: dataset {name:?} has no scd2 block"
                        ));
                    }
                    Some(_) => {}
                }
            }
        }
        for (name, dataset) in &self.datasets {
            problems.extend(
                dataset
                    .problems()
                    .map(|problem| format!("datasets.{name}: {problem}")),
            );
        }
        problems
    }
}

impl Dataset {
    fn problems(&self) -> impl Iterator<Item = String> {
        let no_key = self
            .key
            .is_empty()
            .then(|| "key: name at least one column".to_owned());
        let checks = self.checks.iter().filter_map(|check| match check {
            Expectation::Freshness { max_age, .. } if !max_age.is_positive() => {
                Some(format!("freshness: max_age {max_age:#} is not positive"))
            }
            Expectation::Required { columns } if columns.is_empty() => {
                Some("required: name at least one column".to_owned())
            }
            _ => None,
        });
        no_key.into_iter().chain(checks)
    }
}

/// Where a profile of this name is looked for: the function's own package, its layer, then the folder it runs in.
fn places(name: &str) -> impl Iterator<Item = PathBuf> {
    let package = settings::optional("LAMBDA_TASK_ROOT").map(PathBuf::from);
    let absolute = Path::new(name).is_absolute();
    let folders = if absolute {
        vec![PathBuf::new()]
    } else {
        package
            .map(|package| package.join("pipelines"))
            .into_iter()
            .chain([LAYERS.into(), "pipelines".into(), PathBuf::new()])
            .collect()
    };
    let name = name.to_owned();
    folders.into_iter().map(move |folder| folder.join(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SF_USER: &str = include_str!("../../pipelines/sf-user.yaml");

    fn problem(yaml: &str) -> String {
        Profile::parse(yaml).unwrap_err().to_string()
    }

    #[test]
    fn sf_user_is_a_profile() {
        let profile = Profile::parse(SF_USER).unwrap();
        assert_eq!(profile.metrics.namespace, "SfUserPipeline");
        let raw = &profile.datasets["sf_user_raw"];
        assert_eq!(raw.checks[0], Expectation::RowCount { min: 100 });
        assert!(matches!(
            &raw.checks[1],
            Expectation::Freshness { max_age, .. } if *max_age == SignedDuration::from_hours(6)
        ));
        let scd2 = profile.datasets["dim_sf_user"].scd2.as_ref().unwrap();
        assert_eq!(scd2.gaps, GapPolicy::AfterDelete);
        assert_eq!(scd2.open_end, OpenEnd::Null);
    }

    #[test]
    fn a_typing_error_is_shown_where_it_is() {
        let error = problem(&SF_USER.replace("namespace:", "namespce:"));
        assert!(
            error.contains("namespce") && error.contains("line 7"),
            "{error}"
        );
    }

    #[test]
    fn every_part_that_does_not_fit_is_named() {
        let yaml = "
pipeline: p
metrics: { namespace: ':x' }
validations: { glue_job_results: [a], scd_integrity: [b] }
datasets:
  b: { table: b, key: [], checks: [{ freshness: { column: c, max_age: -1h } }] }
";
        let error = problem(yaml);
        for part in [
            "metrics.namespace",
            "there is no dataset \"a\"",
            "dataset \"b\" has no scd2 block",
            "datasets.b: key",
            "max_age",
        ] {
            assert!(error.contains(part), "{part} is missing in {error}");
        }
    }

    #[test]
    fn the_end_of_an_open_version_may_be_a_date() {
        let open_end = OpenEnd::try_from(Some("9999-12-31".to_owned())).unwrap();
        assert_eq!(
            open_end,
            OpenEnd::Sentinel(jiff::civil::date(9999, 12, 31).at(0, 0, 0, 0))
        );
        assert!(OpenEnd::try_from(Some("never".to_owned())).is_err());
    }

    #[test]
    fn a_severity_can_be_overridden() {
        let yaml = format!("{SF_USER}  severity: {{ dbt_test_failure: CRITICAL }}\n");
        let profile = Profile::parse(&yaml).unwrap();
        assert_eq!(
            profile.severity(ErrorType::DbtTestFailure),
            Severity::Critical
        );
        assert_eq!(profile.severity(ErrorType::DbtRunFailure), Severity::High);
    }
}
