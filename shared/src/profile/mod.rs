//! The profile: one YAML file that describes a pipeline. Parsed and checked here, once, so that nothing checks it again.

pub mod alerting;
mod dataset;
mod identifier;
mod recovery;
mod scd2;

pub use dataset::{Dataset, Freshness, Window, WindowForm};
pub use identifier::Identifier;
pub use recovery::Recovery;
pub use scd2::{GapPolicy, Interval, Keeps, OpenEnd, Scd2, Source};

use crate::failure::{ErrorType, Severity};
use crate::settings::{self, SettingsError};
use serde::Deserialize;
use std::collections::BTreeMap;
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
    /// How often a run that died of a passing cause is started again where it died.
    #[serde(default)]
    pub recovery: Recovery,
}

/// Where metrics go.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// The CloudWatch namespace.
    pub namespace: String,
}

impl Metrics {
    /// What `METRICS_NAMESPACE` says, which stands above the profile: a stack's alarms look there. Nothing where it is
    /// unset.
    ///
    /// # Errors
    /// [`SettingsError`] where it is no namespace.
    pub fn from_settings() -> Result<Option<Self>, SettingsError> {
        match settings::optional("METRICS_NAMESPACE") {
            Some(value) if !is_namespace(&value) => Err(SettingsError::Invalid {
                name: "METRICS_NAMESPACE",
                value,
                expected: "a namespace for custom metrics",
            }),
            namespace => Ok(namespace.map(|namespace| Self { namespace })),
        }
    }
}

/// Whether a text names a namespace that is not AWS's own (PutMetricData API reference, Namespace).
fn is_namespace(text: &str) -> bool {
    let named =
        |character: char| character.is_ascii_alphanumeric() || ".-_/#: ".contains(character);
    (1..=255).contains(&text.len())
        && !text.starts_with([':', ' '])
        && !text.starts_with("AWS/")
        && text.chars().all(named)
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

/// How alerts are weighed, what they link to, and who gets them; [`alerting::Alerting::resolve`] checks the latter.
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
    /// Who gets messages.
    #[serde(default)]
    pub receivers: Option<Vec<alerting::written::Receiver>>,
    /// Which alerts go to whom.
    #[serde(default)]
    pub route: Option<alerting::written::Route>,
    /// The time intervals that routes name.
    #[serde(default)]
    pub time_intervals: Vec<alerting::written::TimeInterval>,
    /// Which alerts hold back which others.
    #[serde(default)]
    pub inhibit_rules: Option<Vec<alerting::written::InhibitRule>>,
    /// From when on many alerts become one summary.
    #[serde(default)]
    pub storm: Option<alerting::written::Storm>,
    /// When the digest is sent.
    #[serde(default)]
    pub digest: Option<alerting::written::Digest>,
    /// Hosts that messages may be sent to, besides those of the channels that are known.
    #[serde(default)]
    pub allowed_hosts: Vec<String>,
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

    /// Reads the profile that `PIPELINE_PROFILE` names: a path, or a file of the function's package or layer. Its
    /// metrics go where [`Metrics::from_settings`] says, where it does.
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
            Some(path) => {
                let mut profile = Self::read(path)?;
                if let Some(metrics) = Metrics::from_settings()? {
                    profile.metrics = metrics;
                }
                Ok(profile)
            }
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
        if !is_namespace(namespace) {
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
        problems.extend(self.recovery.problems());
        problems
    }
}

/// Reads a duration such as `6h`, `90 minutes` or `3 days`; a day has 24 hours.
fn duration<'de, D: serde::Deserializer<'de>>(text: D) -> Result<jiff::SignedDuration, D::Error> {
    jiff::Span::deserialize(text)?
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(serde::de::Error::custom)
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
    use jiff::SignedDuration;

    const SF_USER: &str = include_str!("../../../pipelines/sf-user.yaml");

    fn problem(yaml: &str) -> String {
        Profile::parse(yaml).unwrap_err().to_string()
    }

    #[test]
    fn sf_user_is_a_profile() {
        let profile = Profile::parse(SF_USER).unwrap();
        assert_eq!(profile.metrics.namespace, "SfUserPipeline");
        let raw = &profile.datasets["sf_user_raw"];
        let freshness = raw.freshness.as_ref().unwrap();
        assert_eq!(freshness.max_age, SignedDuration::from_hours(6));
        assert!(raw.rules.as_ref().unwrap().contains("RowCount >= 100"));
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
  b: { table: b, key: [], freshness: { column: c, max_age: -1h } }
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
