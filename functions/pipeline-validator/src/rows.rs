//! Decide: the expectations on the rows of a table, all in one scan.

use crate::check::Check;
use crate::scan::{Aggregates, Column, Findings, Row, Scan, UnexpectedResult};
use crate::sql;
use jiff::{SignedDuration, Timestamp};
use pipewarden_shared::profile::{Dataset, Expectation, Identifier};
use serde_json::json;

/// How far ahead of our clock a newest record may be before its time is wrong rather than fresh.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// An expectation, and the columns that answer it.
#[derive(Debug, Clone)]
enum Planned {
    RowCount {
        min: u64,
    },
    Freshness {
        column: Identifier,
        max_age: SignedDuration,
        newest: Column,
    },
    Required {
        column: Identifier,
        missing: Column,
        samples: Column,
    },
}

impl Planned {
    /// The check's name, such as `sf_user_raw.required(email)`.
    fn name(&self, dataset: &str) -> String {
        match self {
            Self::RowCount { .. } => format!("{dataset}.row_count"),
            Self::Freshness { column, .. } => format!("{dataset}.freshness({column})"),
            Self::Required { column, .. } => format!("{dataset}.required({column})"),
        }
    }
}

/// The one scan that answers every expectation on a table.
pub fn scan(name: &str, dataset: &Dataset, database: &str, now: Timestamp) -> Scan {
    let mut aggregates = Aggregates::default();
    let rows = aggregates.add("count(*)");
    let planned: Vec<Planned> = dataset
        .checks
        .iter()
        .flat_map(|expectation| plan(expectation, dataset, &mut aggregates))
        .collect();
    let sql = format!(
        "SELECT\n{}\nFROM {}.{}",
        aggregates.select_list(),
        sql::quoted(database),
        sql::quote(&dataset.table)
    );
    let owner = name.to_owned();
    let answers = planned.iter().map(|planned| planned.name(name)).collect();
    Scan::new(name, sql, Vec::new(), answers, &aggregates, move |row| {
        let mut findings = Findings {
            records: Some(row.count(rows)?),
            ..Findings::default()
        };
        for planned in &planned {
            let check = check(planned, &owner, row, rows, now, &mut findings)?;
            findings.checks.push(check);
        }
        Ok(findings)
    })
}

fn plan(expectation: &Expectation, dataset: &Dataset, aggregates: &mut Aggregates) -> Vec<Planned> {
    match expectation {
        Expectation::RowCount { min } => vec![Planned::RowCount { min: *min }],
        Expectation::Freshness { column, max_age } => vec![Planned::Freshness {
            column: column.clone(),
            max_age: *max_age,
            newest: aggregates.add(format!("to_unixtime(max({}))", sql::quote(column))),
        }],
        Expectation::Required { columns } => columns
            .iter()
            .map(|column| {
                let missing = sql::is_missing(column);
                Planned::Required {
                    column: column.clone(),
                    missing: aggregates.add(format!("count_if({missing})")),
                    samples: aggregates.add(sql::samples(&sql::key_text(&dataset.key), &missing)),
                }
            })
            .collect(),
    }
}

fn check(
    planned: &Planned,
    dataset: &str,
    row: &Row,
    rows: Column,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<Check, UnexpectedResult> {
    Ok(match planned {
        Planned::RowCount { min } => {
            let count = row.count(rows)?;
            Check {
                name: planned.name(dataset),
                passed: count >= *min,
                observed: json!(count),
                expected: format!("at least {min} rows"),
                violations: min.saturating_sub(count),
                samples: Vec::new(),
                sentence: format!("{count} rows, expected at least {min}"),
            }
        }
        Planned::Freshness {
            column,
            max_age,
            newest,
        } => {
            let newest = row.number(*newest)?;
            let age = newest.map(|newest| now.as_millisecond() as f64 / 1000.0 - newest);
            findings.freshness_seconds = age.map(|age| age.max(0.0));
            freshness(planned.name(dataset), column, *max_age, age)
        }
        Planned::Required {
            column,
            missing,
            samples,
        } => {
            let missing = row.count(*missing)?;
            Check {
                name: planned.name(dataset),
                passed: missing == 0,
                observed: json!(missing),
                expected: format!("no row without {column}"),
                violations: missing,
                samples: row.samples(*samples)?,
                sentence: format!("{missing} of {} rows have no {column}", row.count(rows)?),
            }
        }
    })
}

fn freshness(
    name: String,
    column: &Identifier,
    max_age: SignedDuration,
    age: Option<f64>,
) -> Check {
    let limit = max_age.as_secs_f64();
    let (passed, sentence) = match age {
        None => (false, format!("no row has a {column}")),
        Some(age) if age < -CLOCK_SKEW.as_secs_f64() => (
            false,
            format!("the newest {column} is {} in the future", readable(-age)),
        ),
        Some(age) => (
            age <= limit,
            format!(
                "the newest {column} is {} old, expected at most {}",
                readable(age.max(0.0)),
                readable(limit)
            ),
        ),
    };
    Check {
        name,
        passed,
        observed: json!(age.map(f64::round)),
        expected: format!("at most {} old", readable(limit)),
        violations: u64::from(!passed),
        samples: Vec::new(),
        sentence,
    }
}

/// Seconds as a person says them: the two largest units.
fn readable(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let parts = match seconds {
        0..60 => return format!("{seconds} s"),
        60..3_600 => [(minutes, "min"), (seconds % 60, "s")],
        3_600..86_400 => [(hours, "h"), (minutes, "min")],
        _ => [(days, "d"), (hours, "h")],
    };
    parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pipewarden_shared::profile::Profile;
    use rstest::rstest;

    const NOW: &str = "2026-03-01T06:00:00Z";

    fn sf_user_raw() -> Scan {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        scan(
            "sf_user_raw",
            &profile.datasets["sf_user_raw"],
            "salesforce",
            NOW.parse().unwrap(),
        )
    }

    /// A row of the scan: rows, newest, then missing and samples of id, username and email.
    fn findings(
        rows: &str,
        newest: Option<&str>,
        missing_ids: &str,
        ids: Option<&str>,
    ) -> Findings {
        let text = |text: &str| Some(text.to_owned());
        let row = vec![
            text(rows),
            newest.map(str::to_owned),
            text(missing_ids),
            ids.map(str::to_owned),
            text("0"),
            None,
            text("0"),
            None,
        ];
        sf_user_raw().findings(vec![row]).unwrap()
    }

    #[test]
    fn one_scan_answers_every_expectation() {
        insta::assert_snapshot!(sf_user_raw().sql);
    }

    #[rstest]
    #[case::at_the_limit("100", true, "100 rows, expected at least 100")]
    #[case::below("99", false, "99 rows, expected at least 100")]
    fn counts_rows(#[case] rows: &str, #[case] passed: bool, #[case] sentence: &str) {
        let check = &findings(rows, None, "0", None).checks[0];
        assert_eq!((check.passed, check.sentence.as_str()), (passed, sentence));
    }

    #[rstest]
    #[case::at_the_limit(
        Some("1.7723232E9"),
        true,
        "the newest system_modstamp is 6 h old, expected at most 6 h"
    )]
    #[case::over(
        Some("1772323199"),
        false,
        "the newest system_modstamp is 6 h old, expected at most 6 h"
    )]
    #[case::long_ago(
        Some("1772236800"),
        false,
        "the newest system_modstamp is 1 d 6 h old, expected at most 6 h"
    )]
    #[case::our_clock_is_behind(
        Some("1772345400"),
        true,
        "the newest system_modstamp is 0 s old, expected at most 6 h"
    )]
    #[case::in_the_future(
        Some("1772348400"),
        false,
        "the newest system_modstamp is 1 h in the future"
    )]
    #[case::nothing(None, false, "no row has a system_modstamp")]
    fn measures_freshness(
        #[case] newest: Option<&str>,
        #[case] passed: bool,
        #[case] sentence: &str,
    ) {
        let check = &findings("100", newest, "0", None).checks[1];
        assert_eq!((check.passed, check.sentence.as_str()), (passed, sentence));
    }

    #[test]
    fn shows_what_is_missing() {
        let findings = findings(
            "200",
            None,
            "2",
            Some(r#"["NULL / 2026-01-01", "NULL / 2026-01-02"]"#),
        );
        let check = &findings.checks[2];
        assert!(!check.passed);
        assert_eq!(check.violations, 2);
        assert_eq!(
            check.failure(),
            "sf_user_raw.required(id): 2 of 200 rows have no id (e.g. NULL / 2026-01-01, NULL / 2026-01-02)"
        );
    }
}
