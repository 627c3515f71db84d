//! Pipeline validator: a table and its rules to a verdict, a score and samples of what is wrong.
//!
//! `event -> parse` ([`request`]) `-> decide` which scans answer it ([`rules`], [`scd2`], written in [`sql`])
//! `-> act` ([`athena`]) `-> decide` what the rows say ([`verdict`]).

pub mod athena;
pub mod check;
pub mod cost;
pub mod dqdl;
pub mod freshness;
pub mod request;
pub mod rules;
pub mod scan;
pub mod scd2;
pub mod sql;
pub mod verdict;

use athena::{Athena, AthenaError};
use cost::Cost;
use jiff::Timestamp;
use pipewarden_shared::event::InvalidEvent;
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::profile::{Dataset, Profile};
use pipewarden_shared::settings::{self, SettingsError};
use request::Request;
use rules::{Rules, RulesError};
use scan::{Question, Scan};
use std::collections::BTreeMap;
use std::sync::Arc;
use verdict::Verdict;

/// What the function needs, built once per cold start.
#[derive(Debug, Clone)]
pub struct Validator {
    /// Where queries run.
    pub athena: Athena,
    /// The pipeline.
    pub profile: Arc<Profile>,
    /// The rules of its datasets, by the names of the datasets.
    pub rules: Arc<BTreeMap<String, Rules>>,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// The event is not the contract.
    #[error(transparent)]
    InvalidEvent(#[from] InvalidEvent),
    /// A scan gave no answer.
    #[error(transparent)]
    Athena(#[from] AthenaError),
}

/// Every name under which the function fails.
pub const ERRORS: &[&str] = &[
    InvalidEvent::NAME,
    "AthenaThrottled",
    "AthenaAccessDenied",
    "AthenaUnavailable",
    "AthenaQueryRefused",
    "AthenaQueryFailed",
    "ValidationTimedOut",
    "UnexpectedResult",
];

impl FunctionError for ValidationError {
    fn name(&self) -> &'static str {
        match self {
            Self::InvalidEvent(_) => InvalidEvent::NAME,
            Self::Athena(error) => error.name(),
        }
    }
}

impl Validator {
    /// Reads the configuration and builds the client.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is missing or wrong.
    pub fn from_settings() -> Result<Self, SettingsError> {
        let profile = Profile::from_settings()?;
        Ok(Self {
            rules: Arc::new(rules_of(&profile).map_err(|(dataset, error)| {
                SettingsError::Unusable {
                    part: format!("datasets.{dataset}.rules"),
                    reason: error.to_string(),
                }
            })?),
            profile: Arc::new(profile),
            athena: Athena {
                client: aws_sdk_athena::Client::new(&pipewarden_shared::aws::sdk_config()?),
                database: settings::required("ATHENA_DATABASE", "the Glue database of the tables")?,
                work_group: settings::optional("ATHENA_WORK_GROUP")
                    .unwrap_or_else(|| "primary".to_owned()),
                output_location: settings::optional("ATHENA_OUTPUT_LOCATION"),
            },
        })
    }
}

/// Reads the rules of a profile's datasets; the error is of the first dataset whose rules cannot be used.
///
/// # Errors
/// The dataset's name and what is wrong with its rules.
pub fn rules_of(profile: &Profile) -> Result<BTreeMap<String, Rules>, (String, RulesError)> {
    let rules = profile.datasets.iter().map(|(name, dataset)| {
        let rules = dataset
            .rules
            .as_deref()
            .map_or_else(|| Ok(Rules::default()), Rules::parse);
        rules
            .map(|rules| (name.clone(), rules))
            .map_err(|error| (name.clone(), error))
    });
    rules.collect()
}

/// The questions that answer everything the profile says of a dataset.
pub fn questions(
    name: &str,
    dataset: &Dataset,
    rules: &Rules,
    database: &str,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Question> {
    let history = dataset
        .scd2
        .as_ref()
        .map(|scd2| scd2::question(name, dataset, scd2, database, since));
    // A table of which nothing is expected is still counted, unless its history is looked at.
    let expected = !rules.is_empty() || dataset.freshness.is_some();
    let rows = (expected || history.is_none())
        .then(|| rules::question(name, dataset, rules, database, now));
    rows.into_iter().chain(history).collect()
}

/// Validates what the event names.
///
/// # Errors
/// [`ValidationError`]: the event is not the contract, or a scan gave no answer. Data that is wrong is no error.
pub async fn handle(
    validator: Validator,
    invocation: Invocation,
) -> Result<Verdict, ValidationError> {
    let now = Timestamp::now();
    let request = Request::parse(invocation.event()?, &validator.profile)?;
    let athena = &validator.athena;
    let no_rules = Rules::default();
    let questions: Vec<Question> = request
        .datasets
        .iter()
        .flat_map(|(name, dataset)| {
            let rules = validator.rules.get(*name).unwrap_or(&no_rules);
            questions(
                name,
                dataset,
                rules,
                &athena.database,
                request.start_time,
                now,
            )
        })
        .collect();
    let scans: Vec<&Scan> = questions
        .iter()
        .flat_map(|question| &question.scans)
        .collect();
    let answers = athena
        .answer_all(&scans, &invocation.request_id, invocation.remaining())
        .await?;
    let bytes: Vec<u64> = answers.iter().map(|answer| answer.bytes_scanned).collect();
    let mut results = answers.into_iter().map(|answer| answer.rows);
    let findings = questions
        .iter()
        .map(|question| {
            let own = results.by_ref().take(question.scans.len()).collect();
            question.findings(own)
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(AthenaError::from)?;
    let verdict = Verdict::of(&request, findings, Cost::of(&bytes), now);
    log(&verdict);
    Ok(verdict)
}

/// One line for each validation.
fn log(verdict: &Verdict) {
    tracing::info!(
        execution_id = verdict.execution_id,
        environment = verdict.environment,
        validation_passed = verdict.validation_passed,
        validation_errors = verdict.validation_errors,
        bytes_scanned = verdict.cost.bytes_scanned,
        "{} of {} checks failed",
        verdict.validation_errors,
        verdict.validations_performed.len()
    );
}
