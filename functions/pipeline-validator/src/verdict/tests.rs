//! What is concluded from checks, and what of it fits into a state.

use super::bounded::LARGEST_ANSWER;
use super::*;
use pipewarden_shared::profile::Profile;
use serde_json::Value;
use std::collections::BTreeSet;

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
    let profile = Profile::parse(include_str!("../../../../pipelines/sf-user.yaml")).unwrap();
    let mut event =
        json!({"validation_type": validation_type, "execution_id": "run-1", "environment": "dev"});
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

fn size(verdict: &Verdict) -> usize {
    serde_json::to_vec(verdict).unwrap().len()
}

#[test]
fn an_answer_fits_where_a_state_can_hold_it() {
    let checks = (0..300)
        .map(|number| check(&format!("check-{number}"), false, vec!["k".repeat(200); 20]))
        .collect();
    let verdict = of_load("SUCCEEDED", checks);
    assert!(size(&verdict) <= LARGEST_ANSWER, "{}", size(&verdict));
    assert!(verdict.truncated);
    assert_eq!(verdict.validation_details.len(), 301);

    let many = (0..10_000)
        .map(|number| check(&format!("check-{number}"), false, vec!["k".repeat(200); 20]))
        .collect();
    let verdict = of_load("SUCCEEDED", many);
    assert!(size(&verdict) <= LARGEST_ANSWER, "{}", size(&verdict));
    assert_eq!(verdict.validation_errors, 10_000);
}

/// A failed check of a rule of 4 KB; every `number` is another rule, told from the others only at its end.
fn long_check(number: usize) -> Check {
    let rule = format!("d: ColumnValues \"a\" in [{}]", "\"ä\", ".repeat(800));
    let end = format!(" with threshold > 0.{number}");
    Check {
        observed: json!("o".repeat(4_000)),
        expected: "e".repeat(4_000),
        ..check(&format!("{rule}{end}"), false, vec!["k".repeat(200); 20])
    }
}

#[rstest::rstest]
#[case::a_few(60)]
#[case::many(3_000)]
fn rules_as_long_as_they_may_be_fit_too(#[case] count: usize) {
    let statistics = (0..500).map(|number| (format!("{}{number}", "m".repeat(4_000)), 1.0));
    let findings = Findings {
        checks: (0..count).map(long_check).enumerate().collect(),
        collects: true,
        measures: statistics.collect(),
        ..Findings::default()
    };
    let verdict = verdict(
        "glue_job_results",
        json!({"glue_job_result": {"JobRunState": "SUCCEEDED"}}),
        vec![findings],
    );
    assert!(size(&verdict) <= LARGEST_ANSWER, "{}", size(&verdict));
    assert_eq!(verdict.validation_errors, count);
    assert!(!verdict.failed_validations.is_empty());
    // Names that were cut are still names: one each, and the same in both places.
    let names: BTreeSet<&String> = verdict.validations_performed.iter().collect();
    assert_eq!(names.len(), verdict.validations_performed.len());
    for name in verdict.validation_details.keys() {
        assert!(names.contains(name), "{name}");
    }
    if count == 60 {
        // The job's own check among them.
        assert_eq!(verdict.validation_details.len(), 61);
    }
}

#[test]
fn what_says_itself_why_it_is_open_is_cut_too() {
    let open =
        |number: usize| Check::unanswered(format!("check-{number}"), false, &"r".repeat(9_000));
    let verdict = of_load("SUCCEEDED", (0..90).map(open).collect());
    assert!(size(&verdict) <= LARGEST_ANSWER, "{}", size(&verdict));
    assert_eq!(verdict.not_evaluated.len(), 90);
}
