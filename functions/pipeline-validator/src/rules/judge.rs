//! What the rows of the scans say of each rule. What cannot be told yet is neither a pass nor a failure.

use super::compile::{Asks, Compiled, Expectation, Measure, Test};
use super::exact::Number;
use super::number::NumberTest;
use super::observe::{Observation, Reads, of_catalog, of_row};
use crate::check::Check;
use crate::past::{FEWEST_RUNS, Past};
use crate::scan::{Column, Row, UnexpectedResult};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Where the answers of a test are, in the shape of the test.
#[derive(Debug, Clone)]
pub(super) enum Answers {
    One(Answer),
    Several(Vec<Answers>),
}

/// Where the answer of an expectation is.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// What it is computed from.
    pub reads: Reads,
    /// Which of the question's scans.
    pub scan: usize,
    /// A few keys that fail.
    pub samples: Option<Column>,
}

/// How an expectation turned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Holds,
    Broken,
    /// It cannot be told yet.
    Open,
}

#[derive(Debug, Clone)]
struct Outcome {
    standing: Standing,
    /// As a reader expects it: a count whole, a share as it is.
    observed: Value,
    expected: String,
    violations: u64,
    samples: Vec<String>,
    sentence: String,
}

/// Judges rules, and keeps what was measured.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    /// The rows of the question's scans; none where a scan gave no answer.
    pub rows: &'a [Option<Row>],
    /// Earlier results.
    pub past: &'a Past,
    /// What was measured, by the measure's name.
    pub measures: BTreeMap<String, f64>,
}

impl Answers {
    /// Whether every scan that it needs gave an answer.
    pub(super) fn are_there(&self, rows: &[Option<Row>]) -> bool {
        match self {
            Self::One(answer) => answer.is_there(rows),
            Self::Several(answers) => answers.iter().all(|answers| answers.are_there(rows)),
        }
    }
}

impl Answer {
    /// Whether the scan that it needs gave an answer.
    pub(super) fn is_there(&self, rows: &[Option<Row>]) -> bool {
        matches!(self.reads, Reads::Known(_) | Reads::Missing(_))
            || rows.get(self.scan).is_some_and(Option::is_some)
    }
}

impl Judge<'_> {
    /// The check of a rule.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where a scan gave something else than was asked for.
    pub(super) fn check(
        &mut self,
        dataset: &str,
        rule: &Compiled,
        answers: &Answers,
    ) -> Result<Check, UnexpectedResult> {
        let outcome = self.outcome(&rule.test, answers)?;
        Ok(Check {
            name: format!("{dataset}: {}", rule.name),
            passed: outcome.standing != Standing::Broken,
            not_evaluated: (outcome.standing == Standing::Open).then(|| outcome.sentence.clone()),
            warns: rule.warns,
            observed: outcome.observed,
            expected: outcome.expected,
            violations: outcome.violations,
            samples: outcome.samples,
            sentence: outcome.sentence,
        })
    }

    /// Keeps what an analyzer measured.
    ///
    /// # Errors
    /// As [`Judge::check`].
    pub(super) fn keep(&mut self, named: &str, answer: &Answer) -> Result<(), UnexpectedResult> {
        self.observe(named, answer, "values").map(|_| ())
    }

    fn outcome(&mut self, test: &Test, answers: &Answers) -> Result<Outcome, UnexpectedResult> {
        match (test, answers) {
            (Test::One(expectation), Answers::One(answer)) => self.one(expectation, answer),
            (Test::Every(tests), Answers::Several(answers)) => self.joined(tests, answers, true),
            (Test::Any(tests), Answers::Several(answers)) => self.joined(tests, answers, false),
            _ => Err(UnexpectedResult::of(
                "a rule",
                "answers in its shape",
                "others",
            )),
        }
    }

    fn joined(
        &mut self,
        tests: &[Test],
        answers: &[Answers],
        every: bool,
    ) -> Result<Outcome, UnexpectedResult> {
        let outcomes = tests
            .iter()
            .zip(answers)
            .map(|(test, answers)| self.outcome(test, answers))
            .collect::<Result<Vec<_>, _>>()?;
        let standing = together(&outcomes, every);
        let told: Vec<&Outcome> = outcomes
            .iter()
            .filter(|outcome| outcome.standing == standing && standing != Standing::Holds)
            .collect();
        let holding = outcomes
            .iter()
            .filter(|outcome| outcome.standing == Standing::Holds)
            .count();
        let sentences: Vec<&str> = told
            .iter()
            .map(|outcome| outcome.sentence.as_str())
            .collect();
        Ok(Outcome {
            standing,
            observed: json!(format!("{holding} of {} hold", outcomes.len())),
            expected: if every { "all of them" } else { "one of them" }.to_owned(),
            violations: told
                .iter()
                .map(|outcome| outcome.violations)
                .max()
                .unwrap_or(0),
            samples: told
                .iter()
                .find(|outcome| !outcome.samples.is_empty())
                .map(|outcome| outcome.samples.clone())
                .unwrap_or_default(),
            sentence: sentences.join(if every { "; " } else { " and " }),
        })
    }

    fn one(
        &mut self,
        expectation: &Expectation,
        answer: &Answer,
    ) -> Result<Outcome, UnexpectedResult> {
        let what = match expectation.measure {
            Measure::Rows => "rows",
            _ => "distinct values",
        };
        let seen = self.observe(&expectation.named, answer, what)?;
        let (expected, passes) = match self.asked(expectation, seen.number) {
            Ok(asked) => asked,
            Err(reason) => {
                return Ok(Outcome {
                    standing: Standing::Open,
                    observed: seen.shown,
                    expected: "what its history tells".to_owned(),
                    violations: 0,
                    samples: Vec::new(),
                    sentence: reason,
                });
            }
        };
        let holds = seen.fault.is_none() && passes.unwrap_or(seen.vacuous);
        let every_row = expected == EVERY_ROW;
        Ok(Outcome {
            standing: if holds {
                Standing::Holds
            } else {
                Standing::Broken
            },
            observed: seen.shown,
            violations: if holds { 0 } else { seen.violations.max(1) },
            samples: if holds { Vec::new() } else { seen.samples },
            sentence: match seen.fault {
                Some(fault) => fault,
                None if every_row => seen.words,
                None => format!("{}, expected {expected}", seen.words),
            },
            expected,
        })
    }

    /// What is asked, in words, and whether a number passes it; a reason where it cannot be told yet.
    fn asked(
        &self,
        expectation: &Expectation,
        number: Option<Number>,
    ) -> Result<(String, Option<bool>), String> {
        let past = self.past.values(&expectation.named);
        match &expectation.asks {
            Asks::Number(test) => {
                let resolved = test.resolve(&past).map_err(|error| error.to_string())?;
                let passes = number.map(|number| resolved.passes(number));
                let of_rows = matches!(
                    expectation.measure,
                    Measure::Share(..) | Measure::Uniqueness(_)
                );
                let expected = if of_rows && *test == NumberTest::equals(1.0) {
                    EVERY_ROW.to_owned()
                } else {
                    resolved.to_string()
                };
                Ok((expected, passes))
            }
            Asks::Usual => {
                let usual = self.past.usual(&expectation.named).ok_or_else(|| {
                    format!(
                        "not enough history: {} of {FEWEST_RUNS} runs with a result",
                        past.len()
                    )
                })?;
                let expected = format!(
                    "{} to {} as in {} earlier runs",
                    rounded(usual.low),
                    rounded(usual.high),
                    usual.runs
                );
                let passes =
                    number.map(|number| (usual.low..=usual.high).contains(&number.value()));
                Ok((expected, passes))
            }
        }
    }

    fn observe(
        &mut self,
        named: &str,
        answer: &Answer,
        what: &str,
    ) -> Result<Observation, UnexpectedResult> {
        let seen = match &answer.reads {
            Reads::Known(known) => of_catalog(known),
            Reads::Missing(reason) => Observation {
                fault: Some(reason.clone()),
                ..Observation::default()
            },
            reads => {
                let row = self
                    .rows
                    .get(answer.scan)
                    .and_then(Option::as_ref)
                    .ok_or_else(|| UnexpectedResult::of("a rule", "the row of its scan", "none"))?;
                let samples = match answer.samples {
                    Some(samples) => row.samples(samples)?,
                    None => Vec::new(),
                };
                Observation {
                    samples,
                    ..of_row(reads, row, what)?
                }
            }
        };
        if let Some(number) = seen.number {
            self.measures.insert(named.to_owned(), number.value());
        }
        Ok(seen)
    }
}

/// How the parts of an `and`, or of an `or`, stand together.
fn together(outcomes: &[Outcome], every: bool) -> Standing {
    // One that is broken decides an `and`, and one that holds an `or`; what is open decides only then.
    let (decides, otherwise) = if every {
        (Standing::Broken, Standing::Holds)
    } else {
        (Standing::Holds, Standing::Broken)
    };
    let has = |standing| outcomes.iter().any(|outcome| outcome.standing == standing);
    match (has(decides), has(Standing::Open)) {
        (true, _) => decides,
        (false, true) => Standing::Open,
        (false, false) => otherwise,
    }
}

/// What a rule expects of whose rows all have to pass.
const EVERY_ROW: &str = "every row passes";

/// A bound for a person: six digits say enough.
fn rounded(number: f64) -> f64 {
    let digits = 5 - number.abs().max(1.0).log10().floor() as i32;
    let scale = 10f64.powi(digits.clamp(0, 12));
    (number * scale).round() / scale
}
