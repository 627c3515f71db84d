//! Decide: the invariants of a type 2 dimension, all in one query over it and its source.

mod comparison;
mod dimension;
mod invariant;
mod query;
mod rows;
#[cfg(test)]
mod tests;

pub use dimension::Dimension;

use crate::check::Check;
use crate::scan::{Aggregates, Changes, Column, Findings, History, Row, Scan, UnexpectedResult};
use crate::sql::{Dialect, Sql};
use invariant::Invariant;
use jiff::Timestamp;
use serde_json::json;

/// The columns that answer the invariants and count the run's changes.
#[derive(Debug, Clone)]
struct Answers {
    keys: Column,
    versioned: Column,
    unsound: Column,
    invariants: Vec<(Invariant, Column, Column)>,
    changes: Option<[Column; 3]>,
}

/// The question of every invariant of a dimension; one scan answers it.
#[derive(Debug)]
pub struct Question {
    /// The scan; none where the catalog lacks what it would read.
    pub scan: Option<Scan>,
    dataset: String,
    answers: Answers,
    /// Checks that the catalog leaves without an answer, each with why.
    unanswered: Vec<(String, String)>,
}

/// The check that there is a history at all.
const HAS_KEYS: &str = "has_keys";

/// Asks every invariant of a dimension that the catalog lets be asked.
pub fn question(name: &str, dimension: &Dimension<'_>, since: Option<Timestamp>) -> Question {
    let Dimension { scd2, dialect, .. } = *dimension;
    let since = since.filter(|_| scd2.recorded_at.is_some());
    let missing = dimension.missing();
    let mut asked = invariant::of_dimension(scd2);
    let mut unanswered = Vec::new();
    let mut compared = None;
    if let Some(source) = &scd2.source {
        let of_source = invariant::of_source(dimension.tells_deletions(source));
        if let Some(reason) = dimension.missing_of_source(source) {
            let names = of_source.iter().map(|invariant| invariant.name);
            unanswered = named(names.map(|check| format!("{name}.{check}")), &reason);
        } else {
            compared = Some(source);
            asked.extend(of_source);
        }
    }
    let history = query::History {
        dimension: *dimension,
        source: compared,
        with_changes: since.is_some(),
    };
    let mut aggregates = Aggregates::default();
    let answers = answers(&mut aggregates, dialect, &asked, since.is_some());
    let begun = since.map(|since| format!("{:.3}", since.as_millisecond() as f64 / 1000.0));
    let sql = Sql::with(history.ctes(), begun)
        .and_then("\nSELECT\n", &aggregates.select())
        .between("", "\nFROM histories");
    let names: Vec<String> = std::iter::once(HAS_KEYS)
        .chain(asked.iter().map(|invariant| invariant.name))
        .map(|check| format!("{name}.{check}"))
        .collect();
    // No value of it asks the clock.
    let query = sql.at(dialect, Timestamp::UNIX_EPOCH);
    let scan = match missing {
        None => Some(Scan::new(name, query, names, &aggregates)),
        Some(reason) => {
            unanswered = [named(names, &reason), unanswered].concat();
            None
        }
    };
    Question {
        scan,
        dataset: name.to_owned(),
        answers,
        unanswered,
    }
}

/// Checks without an answer, each with why.
fn named(checks: impl IntoIterator<Item = String>, reason: &str) -> Vec<(String, String)> {
    let checks = checks.into_iter();
    checks.map(|check| (check, reason.to_owned())).collect()
}

impl Question {
    /// What the scan's row says, and what no row could say.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where it is not what the scan asked for.
    pub fn read(&self, row: &Row) -> Result<Findings, UnexpectedResult> {
        let mut found = findings(&self.dataset, &self.answers, row)?;
        let place = found.checks.len();
        let unanswered = self.unanswered().into_iter();
        found
            .checks
            .extend(unanswered.map(|(at, check)| (place + at, check)));
        Ok(found)
    }

    /// Every check, where the scan gave no row.
    pub fn without_row(&self, reason: &str) -> Vec<(usize, Check)> {
        let scanned = self.scan.iter().flat_map(|scan| &scan.answers);
        let scanned: Vec<Check> = scanned
            .map(|name| Check::unanswered(name.clone(), false, reason))
            .collect();
        let unanswered = self.unanswered().into_iter().map(|(_, check)| check);
        scanned.into_iter().chain(unanswered).enumerate().collect()
    }

    fn unanswered(&self) -> Vec<(usize, Check)> {
        self.unanswered
            .iter()
            .map(|(name, reason)| Check::unanswered(name.clone(), false, reason))
            .enumerate()
            .collect()
    }
}

/// A query with a row for each key: its text, then whether it breaks each invariant, and the invariants' names.
///
/// The scan counts these rows; tests compare them one by one.
pub fn verdicts_by_key(dimension: &Dimension<'_>) -> (String, Vec<&'static str>) {
    let source = dimension.scd2.source.as_ref();
    let history = query::History {
        dimension: *dimension,
        source,
        with_changes: false,
    };
    let mut asked = invariant::of_dimension(dimension.scd2);
    asked.extend(
        source
            .into_iter()
            .flat_map(|source| invariant::of_source(dimension.tells_deletions(source))),
    );
    let broken: Vec<&str> = asked.iter().map(|invariant| invariant.broken).collect();
    let sql = format!(
        "{}\nSELECT key_text, {}\nFROM histories",
        history.ctes(),
        broken.join(", ")
    );
    (sql, asked.iter().map(|invariant| invariant.name).collect())
}

fn answers(
    aggregates: &mut Aggregates,
    dialect: &dyn Dialect,
    invariants: &[Invariant],
    with_changes: bool,
) -> Answers {
    let count_if = |condition: &str| dialect.count_if(&condition.into());
    let unsound: Vec<String> = invariants
        .iter()
        .map(|invariant| format!("({})", invariant.broken))
        .collect();
    Answers {
        keys: aggregates.add("count(*)"),
        versioned: aggregates.add(count_if("begins > 0")),
        unsound: aggregates.add(count_if(&unsound.join(" OR "))),
        invariants: invariants
            .iter()
            .map(|invariant| {
                let count = aggregates.add(count_if(invariant.broken));
                let samples = aggregates.add(dialect.samples("key_text", &invariant.broken.into()));
                (*invariant, count, samples)
            })
            .collect(),
        changes: with_changes.then(|| {
            ["created", "updated", "deleted"].map(|change| aggregates.add(format!("sum({change})")))
        }),
    }
}

fn findings(dataset: &str, answers: &Answers, row: &Row) -> Result<Findings, UnexpectedResult> {
    let keys = row.count(answers.keys)?;
    let versioned = row.count(answers.versioned)?;
    let mut checks = vec![Check {
        name: format!("{dataset}.{HAS_KEYS}"),
        passed: versioned > 0,
        not_evaluated: None,
        warns: false,
        observed: json!(versioned),
        expected: "at least one key".to_owned(),
        violations: u64::from(versioned == 0),
        samples: Vec::new(),
        sentence: "the dimension is empty".to_owned(),
    }];
    for (invariant, count, samples) in &answers.invariants {
        let violations = row.count(*count)?;
        checks.push(Check {
            name: format!("{dataset}.{}", invariant.name),
            passed: violations == 0,
            not_evaluated: None,
            warns: false,
            observed: json!(violations),
            expected: invariant.expected.to_owned(),
            violations,
            samples: row.samples(*samples)?,
            sentence: format!("{violations} of {keys} keys have {}", invariant.fault),
        });
    }
    let changes = match answers.changes {
        None => None,
        Some([created, updated, deleted]) => Some(Changes {
            created: row.count(created)?,
            updated: row.count(updated)?,
            deleted: row.count(deleted)?,
        }),
    };
    Ok(Findings {
        checks: checks.into_iter().enumerate().collect(),
        history: Some(History {
            keys,
            unsound: row.count(answers.unsound)?,
            changes,
        }),
        ..Findings::default()
    })
}
