//! What the rows of the scans say of each rule.

use super::compile::{Compiled, Expectation, Measure, Test};
use super::number::NumberTest;
use crate::check::Check;
use crate::scan::{Column, Row, UnexpectedResult};
use serde_json::{Value, json};

/// A rule, and where its answers are.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub rule: Compiled,
    pub answers: Answers,
}

/// Where the answers of a test are, in the shape of the test.
#[derive(Debug, Clone)]
pub(super) enum Answers {
    One(Answer),
    Several(Vec<Answers>),
}

/// Where the answer of an expectation is.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// Which of the question's scans.
    pub scan: usize,
    /// What it is computed from.
    pub reads: Reads,
    /// A few keys that fail.
    pub samples: Option<Column>,
}

/// What a measure is computed from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reads {
    /// A count.
    Count(Column),
    /// Passing and all rows.
    Share(Column, Column),
    /// A number.
    Number(Column),
}

/// How an expectation turned out.
#[derive(Debug, Clone)]
struct Outcome {
    passed: bool,
    /// As a reader expects it: a count whole, a share as it is.
    observed: Value,
    expected: String,
    violations: u64,
    samples: Vec<String>,
    sentence: String,
}

impl Planned {
    /// The check of this rule.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where a scan gave something else than was asked for.
    pub(super) fn check(&self, dataset: &str, rows: &[Row]) -> Result<Check, UnexpectedResult> {
        let outcome = outcome(&self.rule.test, &self.answers, rows)?;
        Ok(Check {
            name: format!("{dataset}: {}", self.rule.name),
            passed: outcome.passed,
            warns: self.rule.warns,
            observed: outcome.observed,
            expected: outcome.expected,
            violations: outcome.violations,
            samples: outcome.samples,
            sentence: outcome.sentence,
        })
    }
}

fn outcome(test: &Test, answers: &Answers, rows: &[Row]) -> Result<Outcome, UnexpectedResult> {
    match (test, answers) {
        (Test::One(expectation), Answers::One(answer)) => one(expectation, answer, rows),
        (Test::Every(tests), Answers::Several(answers)) => joined(tests, answers, rows, true),
        (Test::Any(tests), Answers::Several(answers)) => joined(tests, answers, rows, false),
        _ => Err(UnexpectedResult::of(
            "a rule",
            "answers in its shape",
            "others",
        )),
    }
}

fn joined(
    tests: &[Test],
    answers: &[Answers],
    rows: &[Row],
    every: bool,
) -> Result<Outcome, UnexpectedResult> {
    let outcomes = tests
        .iter()
        .zip(answers)
        .map(|(test, answers)| outcome(test, answers, rows))
        .collect::<Result<Vec<_>, _>>()?;
    let passed = if every {
        outcomes.iter().all(|outcome| outcome.passed)
    } else {
        outcomes.iter().any(|outcome| outcome.passed)
    };
    let failed: Vec<&Outcome> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
    let sentences: Vec<&str> = failed
        .iter()
        .map(|outcome| outcome.sentence.as_str())
        .collect();
    let first = failed.iter().find(|outcome| !outcome.samples.is_empty());
    Ok(Outcome {
        passed,
        observed: json!(format!(
            "{} of {} hold",
            outcomes.len() - failed.len(),
            outcomes.len()
        )),
        expected: if every { "all of them" } else { "one of them" }.to_owned(),
        violations: if passed {
            0
        } else {
            failed
                .iter()
                .map(|outcome| outcome.violations)
                .max()
                .unwrap_or(0)
        },
        samples: if passed {
            Vec::new()
        } else {
            first
                .map(|outcome| outcome.samples.clone())
                .unwrap_or_default()
        },
        sentence: sentences.join(if every { "; " } else { " and " }),
    })
}

fn one(
    expectation: &Expectation,
    answer: &Answer,
    rows: &[Row],
) -> Result<Outcome, UnexpectedResult> {
    let row = rows
        .get(answer.scan)
        .ok_or_else(|| UnexpectedResult::of("a rule", "the row of its scan", "none"))?;
    let (observed, violations, words) = match answer.reads {
        Reads::Count(column) => {
            let count = row.count(column)?;
            let what = match expectation.measure {
                Measure::Rows => "rows",
                _ => "distinct values",
            };
            (Some(count as f64), 0, format!("{count} {what}"))
        }
        Reads::Share(passing, all) => {
            let (passing, all) = (row.count(passing)?, row.count(all)?);
            let share = (all > 0).then(|| passing as f64 / all as f64);
            let failing = all.saturating_sub(passing);
            (share, failing, format!("{failing} of {all} rows fail"))
        }
        Reads::Number(column) => {
            let number = row.number(column)?;
            (
                number,
                0,
                number.map_or_else(|| "no value".to_owned(), |number| number.to_string()),
            )
        }
    };
    let passed = match observed {
        Some(observed) => expectation.asks.passes(observed),
        // No rows break no rule about rows; a number that is not there is none that was asked for.
        None => matches!(answer.reads, Reads::Share(..)),
    };
    let every_row =
        matches!(answer.reads, Reads::Share(..)) && expectation.asks == NumberTest::equals(1.0);
    Ok(Outcome {
        passed,
        observed: match answer.reads {
            Reads::Count(column) => json!(row.count(column)?),
            Reads::Share(..) | Reads::Number(_) => json!(observed),
        },
        expected: if every_row {
            "every row passes".to_owned()
        } else {
            expectation.asks.to_string()
        },
        violations: if passed { 0 } else { violations.max(1) },
        samples: match answer.samples {
            Some(samples) if !passed => row.samples(samples)?,
            _ => Vec::new(),
        },
        sentence: if every_row {
            words
        } else {
            format!("{words}, expected {}", expectation.asks)
        },
    })
}
