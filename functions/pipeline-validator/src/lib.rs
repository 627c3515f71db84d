//! Pipeline validator: a table and its rules to a verdict, a score and samples of what is wrong.
//!
//! `event -> parse` ([`request`]) `-> decide` which scans answer it ([`rows`], [`scd2`], written in [`sql`])
//! `-> act` ([`athena`]) `-> decide` what the rows say ([`verdict`]).

pub mod athena;
pub mod check;
pub mod request;
pub mod rows;
pub mod scan;
pub mod scd2;
pub mod sql;
pub mod verdict;

use athena::{Answer, Athena, AthenaError};
use jiff::Timestamp;
use pipewarden_shared::event::InvalidEvent;
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::profile::{Dataset, Profile};
use pipewarden_shared::settings::{self, SettingsError};
use request::Request;
use scan::Scan;
use std::sync::Arc;
use verdict::{Cost, Verdict};

/// What the function needs, built once per cold start.
#[derive(Debug, Clone)]
pub struct Validator {
    /// Where queries run.
    pub athena: Athena,
    /// The pipeline.
    pub profile: Arc<Profile>,
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
        Ok(Self {
            profile: Arc::new(Profile::from_settings()?),
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

/// The scans that answer everything the profile says of a dataset.
pub fn scans(
    name: &str,
    dataset: &Dataset,
    database: &str,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Scan> {
    let history = dataset
        .scd2
        .as_ref()
        .map(|scd2| scd2::scan(name, dataset, scd2, database, since));
    // A table without expectations on its rows is still counted, unless its history is looked at.
    let rows = (history.is_none() || !dataset.checks.is_empty())
        .then(|| rows::scan(name, dataset, database, now));
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
    let scans: Vec<Scan> = request
        .datasets
        .iter()
        .flat_map(|(name, dataset)| scans(name, dataset, &athena.database, request.start_time, now))
        .collect();
    let answers = athena
        .answer_all(&scans, &invocation.request_id, invocation.remaining())
        .await?;
    let bytes: Vec<u64> = answers.iter().map(|answer| answer.bytes_scanned).collect();
    let findings = scans
        .iter()
        .zip(answers)
        .map(|(scan, Answer { rows, .. })| scan.findings(rows))
        .collect::<Result<Vec<_>, _>>()
        .map_err(AthenaError::from)?;
    let verdict = Verdict::of(&request, findings, Cost::of(&bytes), now);
    tracing::info!(
        execution_id = request.execution_id,
        environment = request.environment.as_str(),
        validation_passed = verdict.validation_passed,
        validation_errors = verdict.validation_errors,
        bytes_scanned = verdict.cost.bytes_scanned,
        "{} of {} checks failed",
        verdict.validation_errors,
        verdict.validations_performed.len()
    );
    Ok(verdict)
}
