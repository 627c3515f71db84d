//! Decide: the checks of a validation to its answer.

mod bounded;
#[cfg(test)]
mod tests;

use crate::check::Check;
use crate::cost::Cost;
use crate::request::{Request, Subject};
use crate::scan::{Changes, Findings, History};
use jiff::Timestamp;
use pipewarden_shared::glue::{JobRun, JobRunOutcome};
use pipewarden_shared::{mask, truncate};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

/// The validator's answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether nothing speaks against the run.
    pub validation_passed: bool,
    /// Whether the data is as expected, whatever the job said.
    pub data_quality_passed: bool,
    /// 100 × checks passed / checks evaluated; null where none was.
    pub data_quality_score: Option<f64>,
    /// The checks behind that score.
    pub checks: Tally,
    /// 100 × keys without any violation / keys; null where no dimension was looked at.
    pub integrity_score: Option<f64>,
    /// Every check that was done, by name.
    pub validations_performed: Vec<String>,
    /// Those that failed, each readable by a person.
    pub failed_validations: Vec<String>,
    /// Those that only warn and failed: they lower the score and stop nothing.
    pub warnings: Vec<String>,
    /// Those that could not be told, each with why: they count in no score.
    pub not_evaluated: Vec<String>,
    /// How many failed, warnings excepted.
    pub validation_errors: usize,
    /// Rows of the load.
    pub records_processed: Option<u64>,
    /// Keys that the run brought first.
    pub scd_records_created: Option<u64>,
    /// Versions of keys that were known.
    pub scd_records_updated: Option<u64>,
    /// Keys that the run deleted.
    pub scd_records_deleted: Option<u64>,
    /// Age of the newest record, in seconds.
    pub data_freshness_seconds: Option<f64>,
    /// Each check with what was found.
    pub validation_details: BTreeMap<String, Check>,
    /// Whether details were left out, because a state cannot hold them all.
    pub truncated: bool,
    /// Where the whole answer is, where details were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details_uri: Option<String>,
    /// What was measured, by the measure's name; what analyzers collect is here.
    pub statistics: BTreeMap<String, f64>,
    /// What the validation read, and about what that costs.
    pub cost: Cost,
    /// When it was done.
    pub validated_at: Timestamp,
    /// The run.
    pub execution_id: String,
    /// Where it ran.
    pub environment: String,
}

/// How many checks were evaluated, and how many of them passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Those that passed.
    pub passed: usize,
    /// Those that could be told.
    pub evaluated: usize,
}

impl Tally {
    fn of(checks: &[Check]) -> Self {
        let evaluated = checks.iter().filter(|check| check.not_evaluated.is_none());
        Self {
            passed: evaluated.clone().filter(|check| check.passed).count(),
            evaluated: evaluated.count(),
        }
    }
}

impl Verdict {
    /// Concludes from what the scans found. It may be larger than a state can hold.
    pub fn of(request: &Request<'_>, findings: Vec<Findings>, cost: Cost, now: Timestamp) -> Self {
        let found = Found::of(findings);
        let (job, tests) = of_subject(&request.subject);
        let data: Vec<Check> = found.checks.into_iter().chain(tests).collect();
        // What nobody could tell says nothing against the data, and does not vouch for it either.
        let fine = |check: &Check| check.passed || check.warns || check.not_evaluated.is_some();
        let data_quality_passed = data.iter().all(fine);
        let checks: Vec<Check> = job.into_iter().chain(data).collect();
        let (failures, warnings) = (failed(&checks, false), failed(&checks, true));
        let tally = Tally::of(&checks);
        let of_load = matches!(
            request.subject,
            Subject::GlueJobResults(_) | Subject::Dataset
        );
        Self {
            validation_passed: failures.is_empty(),
            data_quality_passed,
            data_quality_score: percent(tally.passed, tally.evaluated),
            checks: tally,
            integrity_score: integrity(&found.histories),
            validations_performed: checks.iter().map(|check| check.name.clone()).collect(),
            validation_errors: failures.len(),
            failed_validations: failures,
            warnings,
            not_evaluated: checks.iter().filter_map(Check::doubt).collect(),
            records_processed: found.records.filter(|_| of_load),
            scd_records_created: changes(&found.histories, |changes| changes.created),
            scd_records_updated: changes(&found.histories, |changes| changes.updated),
            scd_records_deleted: changes(&found.histories, |changes| changes.deleted),
            data_freshness_seconds: found.freshness_seconds.map(f64::round),
            validation_details: checks
                .into_iter()
                .map(|check| (check.name.clone(), check))
                .collect(),
            truncated: false,
            details_uri: None,
            statistics: found.statistics,
            cost,
            validated_at: now,
            execution_id: request.execution_id.clone(),
            environment: request.environment.to_string(),
        }
    }
}

/// What all scans found together.
struct Found {
    checks: Vec<Check>,
    records: Option<u64>,
    histories: Vec<History>,
    freshness_seconds: Option<f64>,
    statistics: BTreeMap<String, f64>,
}

impl Found {
    fn of(findings: Vec<Findings>) -> Self {
        let all = || findings.iter();
        Self {
            records: all()
                .filter_map(|findings| findings.records)
                .reduce(|sum, records| sum + records),
            histories: all().filter_map(|findings| findings.history).collect(),
            freshness_seconds: all()
                .filter_map(|findings| findings.freshness_seconds)
                .reduce(f64::max),
            statistics: all()
                .filter(|findings| findings.collects)
                .flat_map(|findings| findings.measures.clone())
                .collect(),
            checks: findings
                .into_iter()
                .flat_map(|findings| findings.checks.into_iter().map(|(_, check)| check))
                .collect(),
        }
    }
}

/// What others say of the run: the job's own state, and the dbt tests.
fn of_subject(subject: &Subject) -> (Option<Check>, Option<Check>) {
    match subject {
        Subject::GlueJobResults(job) => (Some(job_status(job)), None),
        Subject::ScdIntegrity(tests) => {
            let failed = tests.failed.map(|failed| failed as u64);
            (None, failed.map(dbt_tests))
        }
        _ => (None, None),
    }
}

/// The failed checks that stop a run, or those that only warn.
fn failed(checks: &[Check], warns: bool) -> Vec<String> {
    checks
        .iter()
        .filter(|check| !check.passed && check.warns == warns)
        .map(Check::failure)
        .collect()
}

/// The share of keys without any violation, over all dimensions.
fn integrity(histories: &[History]) -> Option<f64> {
    let keys: u64 = histories.iter().map(|history| history.keys).sum();
    let unsound: u64 = histories.iter().map(|history| history.unsound).sum();
    percent(keys.saturating_sub(unsound) as usize, keys as usize)
}

/// What the run did to all dimensions; nothing where one of them does not tell.
fn changes(histories: &[History], pick: fn(Changes) -> u64) -> Option<u64> {
    let counts: Option<Vec<u64>> = histories
        .iter()
        .map(|history| history.changes.map(pick))
        .collect();
    counts
        .filter(|counts| !counts.is_empty())
        .map(|counts| counts.iter().sum())
}

fn percent(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}

/// Whether the job says that it succeeded.
fn job_status(job: &JobRun) -> Check {
    let passed = job.outcome == JobRunOutcome::Succeeded;
    let name = job.job_name.as_deref().unwrap_or("the Glue job");
    let mut sentence = format!("{name} ended {}", job.state);
    if let Some(message) = &job.error_message {
        sentence.push_str(": ");
        sentence.push_str(&truncate::characters(&mask::secrets(message), 300));
    }
    Check {
        name: "glue_job_status".to_owned(),
        passed,
        not_evaluated: None,
        warns: false,
        observed: json!(job.state),
        expected: "SUCCEEDED".to_owned(),
        violations: u64::from(!passed),
        samples: Vec::new(),
        sentence,
    }
}

/// Whether the dbt tests of the run passed.
fn dbt_tests(failed: u64) -> Check {
    Check {
        name: "dbt_tests".to_owned(),
        passed: failed == 0,
        not_evaluated: None,
        warns: false,
        observed: json!(failed),
        expected: "no failed dbt test".to_owned(),
        violations: failed,
        samples: Vec::new(),
        sentence: format!("{failed} dbt tests failed"),
    }
}
