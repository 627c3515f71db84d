//! Decide: the invariants of a type 2 dimension, all in one query over it and its source.

mod query;

use crate::check::Check;
use crate::scan::{Aggregates, Changes, Column, Findings, History, Row, Scan, UnexpectedResult};
use crate::sql::{Dialect, Sql};
use jiff::Timestamp;
use pipewarden_shared::profile::{Dataset, Scd2};
use serde_json::json;

/// An invariant of a type 2 dimension.
#[derive(Debug, Clone, Copy)]
struct Invariant {
    name: &'static str,
    /// Which keys break it, over the columns of the `histories` CTE.
    broken: &'static str,
    /// What it asks for.
    expected: &'static str,
    /// What a key that breaks it has.
    fault: &'static str,
}

const KEY_AND_START: Invariant = Invariant {
    name: "key_and_start",
    broken: "nameless > 0",
    expected: "no version without a key or a start",
    fault: "a version without a key or a start",
};

const ONE_CURRENT_VERSION: Invariant = Invariant {
    name: "one_current_version",
    broken: "begins > 0 AND currents <> CASE WHEN was_deleted AND has_ended THEN 0 ELSE 1 END",
    expected: "one current version of a live key, none of a deleted one",
    fault: "not exactly one current version",
};

/// The same where the last version of a deleted key may stay open and current.
const ONE_CURRENT_VERSION_OR_TOMBSTONE: Invariant = Invariant {
    broken: "begins > 0 AND (currents > 1 OR (currents = 0 AND NOT was_deleted))",
    expected: "one current version of a live key, at most one of a deleted one",
    ..ONE_CURRENT_VERSION
};

const OF_INTERVALS: [Invariant; 5] = [
    Invariant {
        name: "no_overlap",
        broken: "overlaps > 0",
        expected: "no version that begins before an earlier one ended",
        fault: "overlapping versions",
    },
    Invariant {
        name: "no_gap",
        broken: "gaps > 0",
        expected: "no time without a version between two versions",
        fault: "a gap between versions",
    },
    Invariant {
        name: "no_empty_interval",
        broken: "empties > 0",
        expected: "no version that ends before or when it begins",
        fault: "a version that ends before or when it begins",
    },
    Invariant {
        name: "one_version_an_instant",
        broken: "twins > 0",
        expected: "no two versions that begin at the same instant",
        fault: "versions that begin at the same instant",
    },
    Invariant {
        name: "coherent_flags",
        broken: "incoherent > 0",
        expected: "the current version is the open one",
        fault: "a current version that has ended, or an open one that is not current",
    },
];

const NO_IDLE_VERSION: Invariant = Invariant {
    name: "no_version_without_change",
    broken: "idle > 0",
    expected: "no version whose tracked values are those of the one before",
    fault: "a version that changes nothing",
};

const OF_SOURCE: [Invariant; 2] = [
    Invariant {
        name: "no_missed_change",
        broken: "missed > 0",
        expected: "a version begins where the source changed",
        fault: "a change in the source without a version",
    },
    Invariant {
        name: "no_phantom_change",
        broken: "phantoms > 0",
        expected: "the source changed where a version begins",
        fault: "a version that begins where the source did not change",
    },
];

/// The invariants that can be asked of a dimension, by what its profile tells.
fn invariants(scd2: &Scd2) -> Vec<Invariant> {
    let current = if scd2.deleted_stays_current {
        ONE_CURRENT_VERSION_OR_TOMBSTONE
    } else {
        ONE_CURRENT_VERSION
    };
    let mut asked = vec![KEY_AND_START, current];
    asked.extend(OF_INTERVALS);
    if !scd2.tracked.is_empty() {
        asked.push(NO_IDLE_VERSION);
    }
    if scd2.source.is_some() {
        asked.extend(OF_SOURCE);
    }
    asked
}

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
    /// The scan.
    pub scan: Scan,
    answers: Answers,
}

/// Asks every invariant of a dimension.
pub fn question(
    name: &str,
    dataset: &Dataset,
    scd2: &Scd2,
    database: &str,
    dialect: &dyn Dialect,
    since: Option<Timestamp>,
) -> Question {
    let since = since.filter(|_| scd2.recorded_at.is_some());
    let history = query::History {
        dataset,
        scd2,
        database,
        dialect,
        with_changes: since.is_some(),
    };
    let mut aggregates = Aggregates::default();
    let invariants = invariants(scd2);
    let answers = answers(&mut aggregates, dialect, &invariants, since.is_some());
    let begun = since.map(|since| format!("{:.3}", since.as_millisecond() as f64 / 1000.0));
    let ctes = Sql::with(history.ctes(), begun);
    let sql = ctes
        .and_then("\nSELECT\n", &aggregates.select())
        .between("", "\nFROM histories");
    let names = std::iter::once(HAS_KEYS)
        .chain(invariants.iter().map(|invariant| invariant.name))
        .map(|check| format!("{name}.{check}"))
        .collect();
    Question {
        // No value of it asks the clock.
        scan: Scan::new(
            name,
            sql.at(dialect, Timestamp::UNIX_EPOCH),
            names,
            &aggregates,
        ),
        answers,
    }
}

impl Question {
    /// What the scan's row says.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where it is not what the scan asked for.
    pub fn read(&self, row: &Row) -> Result<Findings, UnexpectedResult> {
        findings(&self.scan.dataset, &self.answers, row)
    }
}

/// The check that there is a history at all.
const HAS_KEYS: &str = "has_keys";

/// A query with a row for each key: its text, then whether it breaks each invariant, and the invariants' names.
///
/// The scan counts these rows; tests compare them one by one.
pub fn verdicts_by_key(
    dataset: &Dataset,
    scd2: &Scd2,
    database: &str,
    dialect: &dyn Dialect,
) -> (String, Vec<&'static str>) {
    let history = query::History {
        dataset,
        scd2,
        database,
        dialect,
        with_changes: false,
    };
    let invariants = invariants(scd2);
    let broken: Vec<String> = invariants
        .iter()
        .map(|invariant| invariant.broken.to_owned())
        .collect();
    let sql = format!(
        "{}\nSELECT key_text, {}\nFROM histories",
        history.ctes(),
        broken.join(", ")
    );
    (
        sql,
        invariants.iter().map(|invariant| invariant.name).collect(),
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::profile::Profile;

    fn dimension(since: Option<&str>) -> Question {
        let profile = Profile::parse(include_str!("../../../../pipelines/sf-user.yaml")).unwrap();
        let dataset = &profile.datasets["dim_sf_user"];
        let since = since.map(|since| since.parse().unwrap());
        let scd2 = dataset.scd2.as_ref().unwrap();
        question(
            "dim_sf_user",
            dataset,
            scd2,
            "salesforce",
            &crate::sql::Trino,
            since,
        )
    }

    /// A row of the scan: keys, keys with a version, unsound keys, then each invariant with its samples.
    fn row(
        question: &Question,
        head: [&str; 3],
        broken: &[(&str, &str, &str)],
        tail: &[&str],
    ) -> Vec<Vec<Option<String>>> {
        let mut row: Vec<Option<String>> = head.map(|value| Some(value.to_owned())).to_vec();
        for check in question.scan.answers.iter().skip(1) {
            let found = broken.iter().find(|(name, ..)| check.ends_with(name));
            let (count, samples) =
                found.map_or(("0", "[]"), |(_, count, samples)| (*count, *samples));
            row.extend([Some(count.to_owned()), Some(samples.to_owned())]);
        }
        row.extend(tail.iter().map(|value| Some((*value).to_owned())));
        vec![row]
    }

    fn findings_of(question: &Question, rows: Vec<Vec<Option<String>>>) -> Findings {
        question.read(&question.scan.row(rows).unwrap()).unwrap()
    }

    #[test]
    fn one_query_answers_every_invariant_and_reads_each_table_once() {
        let question = dimension(Some("2026-03-01T06:00:00.5Z"));
        let scan = &question.scan;
        assert_eq!(scan.sql.parameters, ["1772344800.500"]);
        assert_eq!(scan.sql.text.matches("\"dim_sf_user\"").count(), 1);
        assert_eq!(scan.sql.text.matches("\"sf_user_raw\"").count(), 1);
        insta::assert_snapshot!(scan.sql.text);
    }

    #[test]
    fn without_a_start_nothing_is_counted_as_the_runs() {
        let question = dimension(None);
        let scan = &question.scan;
        assert!(scan.sql.parameters.is_empty() && !scan.sql.text.contains('?'));
        let row = row(&question, ["10", "10", "0"], &[], &[]);
        let history = findings_of(&question, row).history.unwrap();
        let expected = History {
            keys: 10,
            unsound: 0,
            changes: None,
        };
        assert_eq!(history, expected);
    }

    #[test]
    fn a_violation_names_the_keys() {
        let question = dimension(Some("2026-03-01T06:00:00Z"));
        let broken = [
            ("one_current_version", "1", "[\"005A\"]"),
            ("no_overlap", "2", "[\"005B\",\"005C\"]"),
        ];
        let row = row(&question, ["10", "10", "3"], &broken, &["4", "5", "6"]);
        let findings = findings_of(&question, row);
        let failed: Vec<_> = findings
            .checks
            .iter()
            .map(|(_, check)| check)
            .filter(|check| !check.passed)
            .map(Check::failure)
            .collect();
        assert_eq!(
            failed,
            [
                "dim_sf_user.one_current_version: 1 of 10 keys have not exactly one current version (e.g. 005A)",
                "dim_sf_user.no_overlap: 2 of 10 keys have overlapping versions (e.g. 005B, 005C)",
            ]
        );
        let changes = findings.history.unwrap().changes.unwrap();
        assert_eq!(
            changes,
            Changes {
                created: 4,
                updated: 5,
                deleted: 6
            }
        );
    }

    #[test]
    fn an_empty_dimension_is_not_sound() {
        let question = dimension(None);
        let row = row(&question, ["3", "0", "3"], &[], &[]);
        let findings = findings_of(&question, row);
        let (_, check) = &findings.checks[0];
        assert_eq!(
            check.failure(),
            "dim_sf_user.has_keys: the dimension is empty"
        );
        assert!(!check.passed);
    }
}
