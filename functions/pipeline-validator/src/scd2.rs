//! Decide: the invariants of a type 2 dimension, all in one pass over it.
//!
//! Overlaps are found with a running maximum of the end over earlier versions. The next version's start (LEAD)
//! would see one of the two overlaps in `[0,100), [2,3), [50,60)` and report a gap that is not there. The table
//! is referred to once, as Athena runs a CTE again for each reference.

use crate::check::Check;
use crate::scan::{Aggregates, Changes, Column, Findings, History, Row, Scan, UnexpectedResult};
use crate::sql::{self, END_OF_TIME};
use jiff::Timestamp;
use pipewarden_shared::profile::{Dataset, GapPolicy, OpenEnd, Scd2};
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

const INVARIANTS: [Invariant; 6] = [
    Invariant {
        name: "key_and_start",
        broken: "nameless > 0",
        expected: "no version without a key or a start",
        fault: "a version without a key or a start",
    },
    Invariant {
        name: "one_current_version",
        broken: "currents <> CASE WHEN gone THEN 0 ELSE 1 END",
        expected: "one current version of a live key, none of a deleted one",
        fault: "not exactly one current version",
    },
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
        name: "coherent_flags",
        broken: "incoherent > 0",
        expected: "the current version is the open one",
        fault: "a current version that has ended, or an open one that is not current",
    },
];

/// The columns that answer the invariants and count the run's changes.
#[derive(Debug, Clone)]
struct Answers {
    keys: Column,
    unsound: Column,
    invariants: Vec<(Invariant, Column, Column)>,
    changes: Option<[Column; 3]>,
}

/// The one scan that answers every invariant of a dimension.
pub fn scan(
    name: &str,
    dataset: &Dataset,
    scd2: &Scd2,
    database: &str,
    since: Option<Timestamp>,
) -> Scan {
    let since = since.filter(|_| scd2.recorded_at.is_some());
    let mut aggregates = Aggregates::default();
    let answers = answers(&mut aggregates, since.is_some());
    let sql = query(dataset, scd2, database, since.is_some(), &aggregates);
    let parameters = since.map_or_else(Vec::new, |since| {
        vec![format!("{:.3}", since.as_millisecond() as f64 / 1000.0)]
    });
    let owner = name.to_owned();
    let names = std::iter::once("has_keys").chain(INVARIANTS.map(|invariant| invariant.name));
    let names = names.map(|check| format!("{name}.{check}")).collect();
    Scan::new(name, sql, parameters, names, &aggregates, move |row| {
        findings(&owner, &answers, row)
    })
}

fn answers(aggregates: &mut Aggregates, with_changes: bool) -> Answers {
    let unsound = INVARIANTS.map(|invariant| invariant.broken).join(" OR ");
    Answers {
        keys: aggregates.add("count(*)"),
        unsound: aggregates.add(format!("count_if({unsound})")),
        invariants: INVARIANTS
            .into_iter()
            .map(|invariant| {
                let count = aggregates.add(format!("count_if({})", invariant.broken));
                let samples = aggregates.add(sql::samples("key_text", invariant.broken));
                (invariant, count, samples)
            })
            .collect(),
        changes: with_changes.then(|| {
            ["created", "updated", "deleted"].map(|change| aggregates.add(format!("sum({change})")))
        }),
    }
}

fn query(
    dataset: &Dataset,
    scd2: &Scd2,
    database: &str,
    with_changes: bool,
    aggregates: &Aggregates,
) -> String {
    let keys: Vec<String> = dataset.key.iter().map(sql::quote).collect();
    // Names of our own: a key column may be called as one of the columns below.
    let named: Vec<String> = (0..keys.len()).map(|index| format!("k{index}")).collect();
    let selected: Vec<String> = keys
        .iter()
        .zip(&named)
        .map(|(key, name)| format!("{key} AS {name}"))
        .collect();
    let no_key: Vec<String> = named.iter().map(|name| format!("{name} IS NULL")).collect();
    let (selected, named, no_key) = (selected.join(", "), named.join(", "), no_key.join(" OR "));
    let keys = keys.join(", ");
    let key_text = sql::key_text(&dataset.key);
    let starts = sql::quote(&scd2.valid_from);
    let written_end = sql::quote(&scd2.valid_to);
    let ends = match scd2.open_end {
        OpenEnd::Null => written_end,
        OpenEnd::Sentinel(sentinel) => format!(
            "CASE WHEN {written_end} < TIMESTAMP '{}' THEN {written_end} END",
            sentinel.strftime("%Y-%m-%d %H:%M:%S")
        ),
    };
    let current = sql::quote(&scd2.current);
    let deleted = scd2.deleted.as_ref().map_or_else(
        || "false".to_owned(),
        |column| format!("coalesce({}, false)", sql::quote(column)),
    );
    let healthy_gap = match scd2.gaps {
        GapPolicy::Forbidden => "false",
        GapPolicy::AfterDelete => "after_delete",
        GapPolicy::Allowed => "true",
    };
    let fresh = match (&scd2.recorded_at, with_changes) {
        (Some(column), true) => {
            format!("coalesce(to_unixtime({}) >= ?, false)", sql::quote(column))
        }
        _ => "false".to_owned(),
    };
    let order = format!("PARTITION BY {keys} ORDER BY {starts}, coalesce({ends}, {END_OF_TIME})");
    format!(
        "WITH versions AS (
  SELECT {selected}, {key_text} AS key_text,
    {starts} AS starts, {ends} AS ends,
    coalesce({current}, false) AS is_current_version, {deleted} AS was_deleted,
    max(coalesce({ends}, {END_OF_TIME})) OVER ({order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS reach,
    coalesce(lag({deleted}) OVER ({order}), false) AS after_delete,
    row_number() OVER ({order}) AS ordinal,
    {fresh} AS of_this_run
  FROM {}.{}
), histories AS (
  SELECT min(key_text) AS key_text,
    count_if(is_current_version) AS currents,
    coalesce(max_by(was_deleted AND ends IS NOT NULL, ordinal), false) AS gone,
    count_if(starts IS NULL OR {no_key}) AS nameless,
    count_if(starts < reach) AS overlaps,
    count_if(starts > reach AND NOT {healthy_gap}) AS gaps,
    count_if(ends <= starts) AS empties,
    count_if(is_current_version <> (ends IS NULL)) AS incoherent,
    count_if(of_this_run AND NOT was_deleted AND ordinal = 1) AS created,
    count_if(of_this_run AND NOT was_deleted AND ordinal > 1) AS updated,
    count_if(of_this_run AND was_deleted) AS deleted
  FROM versions
  GROUP BY {named}
)
SELECT
{}
FROM histories",
        sql::quoted(database),
        sql::quote(&dataset.table),
        aggregates.select_list()
    )
}

fn findings(dataset: &str, answers: &Answers, row: &Row) -> Result<Findings, UnexpectedResult> {
    let keys = row.count(answers.keys)?;
    let mut checks = vec![Check {
        name: format!("{dataset}.has_keys"),
        passed: keys > 0,
        observed: json!(keys),
        expected: "at least one key".to_owned(),
        violations: u64::from(keys == 0),
        samples: Vec::new(),
        sentence: "the dimension is empty".to_owned(),
    }];
    for (invariant, count, samples) in &answers.invariants {
        let violations = row.count(*count)?;
        checks.push(Check {
            name: format!("{dataset}.{}", invariant.name),
            passed: violations == 0,
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
        checks,
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

    fn dimension(since: Option<&str>) -> Scan {
        let profile = Profile::parse(include_str!("../../../pipelines/sf-user.yaml")).unwrap();
        let dataset = &profile.datasets["dim_sf_user"];
        let since = since.map(|since| since.parse().unwrap());
        scan(
            "dim_sf_user",
            dataset,
            dataset.scd2.as_ref().unwrap(),
            "salesforce",
            since,
        )
    }

    #[test]
    fn one_pass_answers_every_invariant() {
        let scan = dimension(Some("2026-03-01T06:00:00.5Z"));
        assert_eq!(scan.parameters, ["1772344800.500"]);
        assert_eq!(scan.sql.matches("\"dim_sf_user\"").count(), 1);
        insta::assert_snapshot!(scan.sql);
    }

    #[test]
    fn without_a_start_nothing_is_counted_as_the_runs() {
        let scan = dimension(None);
        assert!(scan.parameters.is_empty() && !scan.sql.contains('?'));
        let zeros = [
            "10", "0", "0", "[]", "0", "[]", "0", "[]", "0", "[]", "0", "[]", "0", "[]",
        ];
        let row = zeros.map(|zero| Some(zero.to_owned())).to_vec();
        let history = scan.findings(vec![row]).unwrap().history.unwrap();
        assert_eq!(
            history,
            History {
                keys: 10,
                unsound: 0,
                changes: None
            }
        );
    }

    #[test]
    fn a_violation_names_the_keys() {
        let row = [
            "10",
            "3",
            "0",
            "[]",
            "1",
            "[\"005A\"]",
            "2",
            "[\"005B\",\"005C\"]",
            "0",
            "null",
            "0",
            "[]",
            "0",
            "[]",
            "4",
            "5",
            "6",
        ];
        let row = row.map(|value| Some(value.to_owned())).to_vec();
        let findings = dimension(Some("2026-03-01T06:00:00Z"))
            .findings(vec![row])
            .unwrap();
        let failed: Vec<_> = findings
            .checks
            .iter()
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
        let mut row = vec![Some("0".to_owned())];
        row.resize(14, None);
        let findings = dimension(None).findings(vec![row]).unwrap();
        assert_eq!(
            findings.checks[0].failure(),
            "dim_sf_user.has_keys: the dimension is empty"
        );
        assert!(!findings.checks[0].passed);
    }
}
