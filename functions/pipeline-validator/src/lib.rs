//! Pipeline validator: a table and its rules to a verdict, a score and samples of what is wrong.
//!
//! `event -> parse` ([`request`]) `-> decide` which scans answer it ([`rules`], [`scd2`], written in [`sql`])
//! `-> act` ([`ask`] over an [`engine`]: [`athena`]; [`results`]) `-> decide` what the rows say ([`verdict`]).

pub mod ask;
pub mod athena;
pub mod catalog;
pub mod check;
pub mod cost;
pub mod dqdl;
pub mod engine;
pub mod freshness;
pub mod objects;
pub mod past;
mod plan;
pub mod request;
pub mod results;
pub mod rules;
pub mod scan;
pub mod scd2;
pub mod sql;
pub mod verdict;

pub use plan::{Plan, plan, rules_of};

use ask::{AskError, Asked, Subject};
use athena::{Athena, AthenaError};
use catalog::Schemas;
use cost::Cost;
use engine::Engine;
use futures_util::future::{join_all, try_join_all};
use jiff::Timestamp;
use objects::Bucket;
use past::{Past, Run};
use pipewarden_shared::aws;
use pipewarden_shared::event::InvalidEvent;
use pipewarden_shared::lambda::{FunctionError, Invocation};
use pipewarden_shared::profile::Profile;
use pipewarden_shared::settings::{self, SettingsError};
use request::Request;
use results::{Results, ResultsError, history_key};
use rules::{Context, Rules};
use scan::{Findings, UnexpectedResult};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use verdict::Verdict;

/// Kept for stopping queries and for answering, out of the function's remaining time.
const RESERVE: Duration = Duration::from_secs(3);

/// What the function needs, built once per cold start.
#[derive(Debug, Clone)]
pub struct Validator {
    /// Where queries run.
    pub athena: Athena,
    /// Where results outlive a validation; nowhere where unset.
    pub results: Option<Results>,
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
    /// Athena gave no answer.
    #[error(transparent)]
    Athena(#[from] AthenaError),
    /// A result is not what its scan asked for.
    #[error(transparent)]
    Unexpected(#[from] UnexpectedResult),
    /// Earlier results cannot be read.
    #[error(transparent)]
    Results(#[from] ResultsError),
}

impl From<AskError<AthenaError>> for ValidationError {
    fn from(error: AskError<AthenaError>) -> Self {
        match error {
            AskError::Engine(error) => Self::Athena(error),
            AskError::Unexpected(error) => Self::Unexpected(error),
        }
    }
}

/// Every name under which the function fails.
pub const ERRORS: &[&str] = &[
    InvalidEvent::NAME,
    "AthenaThrottled",
    "AthenaAccessDenied",
    "AthenaUnavailable",
    "AthenaQueryRefused",
    "ValidationTimedOut",
    "UnexpectedResult",
    "ResultsUnavailable",
];

impl FunctionError for ValidationError {
    fn name(&self) -> &'static str {
        match self {
            Self::InvalidEvent(_) => InvalidEvent::NAME,
            Self::Athena(error) => error.name(),
            Self::Unexpected(_) => "UnexpectedResult",
            Self::Results(_) => "ResultsUnavailable",
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
        let unusable = |part: String, reason: String| SettingsError::Unusable { part, reason };
        let rules = rules_of(&profile).map_err(|(dataset, error)| {
            unusable(format!("datasets.{dataset}.rules"), error.to_string())
        })?;
        let config = aws::sdk_config()?;
        let connector = aws::connector_to_aws()?;
        let results = settings::optional("RESULTS_BUCKET").map(|bucket| Results {
            bucket: Bucket::new(&bucket, &config, connector),
        });
        let looks_back = rules.iter().find(|(_, rules)| rules.keeps_history());
        if let (None, Some((dataset, _))) = (&results, looks_back) {
            return Err(unusable(
                format!("datasets.{dataset}.rules"),
                "they look back at earlier results, and RESULTS_BUCKET names no bucket that keeps them"
                    .to_owned(),
            ));
        }
        Ok(Self {
            rules: Arc::new(rules),
            profile: Arc::new(profile),
            results,
            athena: Athena {
                client: aws_sdk_athena::Client::new(&config),
                database: settings::required("ATHENA_DATABASE", "the Glue database of the tables")?,
                work_group: settings::optional("ATHENA_WORK_GROUP")
                    .unwrap_or_else(|| "primary".to_owned()),
                output_location: settings::optional("ATHENA_OUTPUT_LOCATION"),
                reuse_minutes: settings::optional("ATHENA_RESULT_REUSE_MINUTES")
                    .map(|minutes| {
                        minutes.parse().map_err(|_| {
                            unusable(
                                "ATHENA_RESULT_REUSE_MINUTES".to_owned(),
                                format!("{minutes:?} is no number of minutes"),
                            )
                        })
                    })
                    .transpose()?,
            },
        })
    }
}

/// Validates what the event names.
///
/// # Errors
/// [`ValidationError`]: the event is not the contract, or Athena gave no answer. Data that is wrong is no error, and
/// neither is a rule that cannot be evaluated.
pub async fn handle(
    validator: Validator,
    invocation: Invocation,
) -> Result<Verdict, ValidationError> {
    let now = Timestamp::now();
    let remaining = invocation.remaining();
    let budget = remaining.saturating_sub(RESERVE).max(remaining / 2);
    let deadline = Instant::now() + budget;
    let request = Request::parse(invocation.event()?, &validator.profile)?;
    let asked = validator
        .ask(&request, &invocation.request_id, now, deadline)
        .await?;
    let mut findings = asked.findings;
    validator.remember(&request, &mut findings, now).await;
    let verdict = Verdict::of(&request, findings, Cost::of(&asked.queries), now);
    let verdict = validator.bounded(&request, verdict).await;
    log(&verdict);
    Ok(verdict)
}

impl Validator {
    async fn ask(
        &self,
        request: &Request<'_>,
        token: &str,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Asked, ValidationError> {
        let no_rules = Rules::default();
        let no_past = Past::default();
        let of = |name: &str| self.rules.get(name).unwrap_or(&no_rules);
        let contexts: Vec<Context<'_>> = request
            .datasets
            .iter()
            .map(|(name, dataset)| Context {
                name,
                dataset,
                rules: of(name),
                database: &self.athena.database,
                dialect: self.athena.dialect(),
                schemas: None,
                past: &no_past,
                now,
            })
            .collect();
        let tables: BTreeSet<_> = contexts.iter().flat_map(Context::tables).collect();
        let pasts = contexts.iter().map(|context| self.past(request, context));
        let (schemas, pasts): (Result<Schemas, _>, Result<Vec<Past>, _>) =
            futures_util::join!(self.athena.schemas(&tables), try_join_all(pasts));
        let (schemas, pasts) = (schemas?, pasts?);
        let subjects: Vec<Subject<'_>> = contexts
            .into_iter()
            .zip(&pasts)
            .map(|(context, past)| Subject {
                scd2: context.dataset.scd2.as_ref(),
                since: request.start_time,
                context: Context {
                    schemas: Some(&schemas),
                    past,
                    ..context
                },
            })
            .collect();
        Ok(ask::ask(&self.athena, &subjects, token, deadline).await?)
    }

    /// Earlier results, where a dataset's rules look back at them.
    async fn past(
        &self,
        request: &Request<'_>,
        context: &Context<'_>,
    ) -> Result<Past, ResultsError> {
        match &self.results {
            Some(results) if context.rules.keeps_history() => {
                let key = self.history_key(request, context.name);
                Ok(results.past(&key).await?.without(&request.execution_id))
            }
            _ => Ok(Past::default()),
        }
    }

    fn history_key(&self, request: &Request<'_>, dataset: &str) -> String {
        history_key(
            &self.profile.pipeline,
            &request.environment.to_string(),
            dataset,
        )
    }

    /// Keeps what was measured for later runs. One run's results that are not kept are no reason to judge it otherwise.
    async fn remember(&self, request: &Request<'_>, findings: &mut [Findings], now: Timestamp) {
        let Some(results) = &self.results else {
            return;
        };
        let mut runs = Vec::new();
        for ((name, _), findings) in request.datasets.iter().zip(findings) {
            findings.collects = self.rules.get(*name).is_some_and(Rules::keeps_history);
            if findings.collects {
                let run = Run {
                    execution_id: request.execution_id.clone(),
                    at: now,
                    measures: findings.measures.clone(),
                };
                runs.push((self.history_key(request, name), run));
            }
        }
        let kept = join_all(runs.iter().map(|(key, run)| results.add(key, run))).await;
        for error in kept.into_iter().filter_map(Result::err) {
            tracing::error!("this run's results are not kept: {error}");
        }
    }

    /// The answer as a state can hold it; the whole of it goes to S3 where it cannot.
    async fn bounded(&self, request: &Request<'_>, verdict: Verdict) -> Verdict {
        if verdict.fits() {
            return verdict;
        }
        let whole = serde_json::to_vec(&verdict).unwrap_or_default();
        let mut bounded = verdict.within_a_state();
        let Some(results) = &self.results else {
            return bounded;
        };
        let run = pipewarden_shared::execution::Execution::from_id(&request.execution_id).name;
        let key = format!(
            "pipewarden/details/{}/{}/{run}-{}.json",
            self.profile.pipeline,
            request.environment,
            bounded.validated_at.as_millisecond()
        );
        match results.keep_details(&key, &whole).await {
            Ok(uri) => bounded.details_uri = Some(uri),
            Err(error) => tracing::error!("the whole answer is not kept: {error}"),
        }
        bounded
    }
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
