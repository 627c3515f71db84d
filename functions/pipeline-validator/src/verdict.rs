//! Decide: the checks of a validation to its answer.

use crate::check::Check;
use crate::cost::Cost;
use crate::request::{Request, Subject};
use crate::scan::{Changes, Findings, History};
use jiff::Timestamp;
use pipewarden_shared::glue::{JobRun, JobRunOutcome};
use pipewarden_shared::{mask, truncate};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// The largest answer: 200 KB of the 256 KiB that a state may hold.
const LARGEST_ANSWER: usize = 200_000;

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
        let job = match &request.subject {
            Subject::GlueJobResults(job) => Some(job_status(job)),
            _ => None,
        };
        let tests = match &request.subject {
            Subject::ScdIntegrity(tests) => tests.failed.map(|failed| dbt_tests(failed as u64)),
            _ => None,
        };
        let records = findings
            .iter()
            .filter_map(|findings| findings.records)
            .reduce(|sum, records| sum + records);
        let histories: Vec<_> = findings
            .iter()
            .filter_map(|findings| findings.history)
            .collect();
        let freshness = findings
            .iter()
            .filter_map(|findings| findings.freshness_seconds)
            .reduce(f64::max);
        let statistics = findings
            .iter()
            .filter(|findings| findings.collects)
            .flat_map(|findings| findings.measures.clone())
            .collect();
        let data: Vec<Check> = findings
            .into_iter()
            .flat_map(|findings| findings.checks.into_iter().map(|(_, check)| check))
            .chain(tests)
            .collect();
        // What nobody could tell says nothing against the data, and does not vouch for it either.
        let data_quality_passed = data
            .iter()
            .all(|check| check.passed || check.warns || check.not_evaluated.is_some());
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
            integrity_score: integrity(&histories),
            validations_performed: checks.iter().map(|check| check.name.clone()).collect(),
            validation_errors: failures.len(),
            failed_validations: failures,
            warnings,
            not_evaluated: checks
                .iter()
                .filter_map(|check| {
                    Some(format!("{}: {}", check.name, check.not_evaluated.as_ref()?))
                })
                .collect(),
            records_processed: records.filter(|_| of_load),
            scd_records_created: changes(&histories, |changes| changes.created),
            scd_records_updated: changes(&histories, |changes| changes.updated),
            scd_records_deleted: changes(&histories, |changes| changes.deleted),
            data_freshness_seconds: freshness.map(f64::round),
            validation_details: checks
                .into_iter()
                .map(|check| (check.name.clone(), check))
                .collect(),
            truncated: false,
            details_uri: None,
            statistics,
            cost,
            validated_at: now,
            execution_id: request.execution_id.clone(),
            environment: request.environment.to_string(),
        }
    }

    /// Whether a state machine can hold the answer.
    pub fn fits(&self) -> bool {
        serde_json::to_vec(self).is_ok_and(|json| json.len() <= LARGEST_ANSWER)
    }

    /// Leaves out what can be missed until the answer fits where a state machine can hold it, and says so.
    ///
    /// First samples go, then the ends of long lines, then the details of checks that passed, then those beyond the
    /// first hundred that failed. What decided is counted in any case.
    pub fn within_a_state(mut self) -> Self {
        for most in [10, 3, 1, 0] {
            if self.fits() {
                return self;
            }
            self.truncated = true;
            for check in self.validation_details.values_mut() {
                check.samples.truncate(most);
            }
        }
        let lines = [
            &mut self.failed_validations,
            &mut self.warnings,
            &mut self.not_evaluated,
        ];
        for line in lines.into_iter().flatten() {
            *line = truncate::characters(line, 200);
        }
        if !self.fits() {
            self.validation_details.retain(|_, check| !check.passed);
        }
        if !self.fits() {
            let kept: BTreeSet<String> =
                self.validation_details.keys().take(100).cloned().collect();
            self.validation_details
                .retain(|name, _| kept.contains(name));
            self.failed_validations.truncate(100);
            self.warnings.truncate(100);
            self.not_evaluated.truncate(100);
            self.statistics = std::mem::take(&mut self.statistics)
                .into_iter()
                .take(100)
                .collect();
            self.validations_performed.truncate(100);
        }
        self
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

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::profile::Profile;
    use serde_json::Value;

    fn check(name: &str, passed: bool, samples: Vec<String>) -> Check {
        Check {
            name: name.to_owned(),
            passed,
            not_evaluated: None,
            warns: false,
            observed: json!(1),
            expected: "0".to_owned(),
            violations: 1,
            samples,
            sentence: "1 of 2".to_owned(),
        }
    }

    fn verdict(validation_type: &str, fields: Value, findings: Vec<Findings>) -> Verdict {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        let mut event = json!({"validation_type": validation_type, "execution_id": "run-1", "environment": "dev"});
        for (name, value) in fields.as_object().unwrap() {
            event[name] = value.clone();
        }
        let request = Request::parse(event, &profile).unwrap();
        Verdict::of(
            &request,
            findings,
            Cost::default(),
            "2026-03-01T06:00:00Z".parse().unwrap(),
        )
        .within_a_state()
    }

    fn of_load(state: &str, checks: Vec<Check>) -> Verdict {
        let findings = Findings {
            checks: checks.into_iter().enumerate().collect(),
            records: Some(2),
            ..Findings::default()
        };
        verdict(
            "glue_job_results",
            json!({"glue_job_result": {"JobRunState": state}}),
            vec![findings],
        )
    }

    #[test]
    fn wrong_data_is_told_from_a_job_that_failed() {
        let data = of_load(
            "SUCCEEDED",
            vec![check("a", true, vec![]), check("b", false, vec![])],
        );
        assert!(!data.validation_passed && !data.data_quality_passed);
        assert_eq!(data.failed_validations, ["b: 1 of 2"]);
        assert_eq!(data.data_quality_score, Some(100.0 * 2.0 / 3.0));

        let job = of_load("TIMEOUT", vec![check("a", true, vec![])]);
        assert!(!job.validation_passed && job.data_quality_passed);
        assert_eq!(
            job.failed_validations,
            ["glue_job_status: the Glue job ended TIMEOUT"]
        );
    }

    #[test]
    fn a_warning_lowers_the_score_and_stops_nothing() {
        let warning = Check {
            warns: true,
            ..check("b", false, vec![])
        };
        let verdict = of_load("SUCCEEDED", vec![check("a", true, vec![]), warning]);
        assert!(verdict.validation_passed && verdict.data_quality_passed);
        assert_eq!(verdict.data_quality_score, Some(100.0 * 2.0 / 3.0));
        assert_eq!(verdict.warnings, ["b: 1 of 2"]);
        assert_eq!(
            (verdict.validation_errors, verdict.failed_validations.len()),
            (0, 0)
        );
    }

    #[test]
    fn what_nobody_could_tell_is_in_no_score_and_vouches_for_nothing() {
        let open = Check::unanswered("b".to_owned(), false, "query q failed");
        let young = Check {
            not_evaluated: Some("not enough history: 1 of 5 runs".to_owned()),
            ..check("c", true, vec![])
        };
        let verdict = of_load(
            "SUCCEEDED",
            vec![check("a", false, vec![]), open.clone(), young.clone()],
        );
        assert_eq!(verdict.data_quality_score, Some(50.0));
        assert_eq!(
            verdict.not_evaluated,
            [
                "b: could not be evaluated: query q failed",
                "c: not enough history: 1 of 5 runs"
            ]
        );
        assert_eq!(verdict.validation_errors, 2);

        let unanswered = of_load("SUCCEEDED", vec![check("a", true, vec![]), open]);
        assert!(unanswered.data_quality_passed && !unanswered.validation_passed);
        assert!(of_load("SUCCEEDED", vec![young]).validation_passed);
    }

    #[test]
    fn integrity_is_by_keys() {
        let history = History {
            keys: 200,
            unsound: 1,
            changes: Some(Changes {
                created: 3,
                updated: 2,
                deleted: 1,
            }),
        };
        let findings = Findings {
            checks: vec![(0, check("d.no_gap", true, vec![]))],
            history: Some(history),
            ..Findings::default()
        };
        let verdict = verdict(
            "scd_integrity",
            json!({"dbt_test_result": {"Payload": {"tests_passed": 3, "tests_failed": 1}}}),
            vec![findings],
        );
        assert_eq!(verdict.integrity_score, Some(99.5));
        assert_eq!(verdict.validations_performed, ["d.no_gap", "dbt_tests"]);
        assert_eq!(
            verdict.failed_validations,
            ["dbt_tests: 1 dbt tests failed"]
        );
        assert_eq!(
            (
                verdict.scd_records_created,
                verdict.scd_records_updated,
                verdict.scd_records_deleted
            ),
            (Some(3), Some(2), Some(1))
        );
    }

    #[test]
    fn an_answer_fits_where_a_state_can_hold_it() {
        let checks = (0..300)
            .map(|number| check(&format!("check-{number}"), false, vec!["k".repeat(200); 20]))
            .collect();
        let verdict = of_load("SUCCEEDED", checks);
        let size = serde_json::to_vec(&verdict).unwrap().len();
        assert!(size <= LARGEST_ANSWER, "{size}");
        assert!(verdict.truncated);
        assert_eq!(verdict.validation_details.len(), 301);

        let many = (0..10_000)
            .map(|number| check(&format!("check-{number}"), false, vec!["k".repeat(200); 20]))
            .collect();
        let verdict = of_load("SUCCEEDED", many);
        let size = serde_json::to_vec(&verdict).unwrap().len();
        assert!(size <= LARGEST_ANSWER, "{size}");
        assert_eq!(verdict.validation_errors, 10_000);
    }
}
