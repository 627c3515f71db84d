//! As few scans as can answer the rules of a dataset: one for every aggregate, and one for each set of columns that
//! has to be grouped.

use super::compile::{Expectation, Measure, Rules, Test};
use super::judge::{Answer, Answers, Planned, Reads};
use crate::freshness;
use crate::scan::{Aggregates, Column, Findings, Question, Scan};
use crate::sql::{self, Sql};
use jiff::Timestamp;
use pipewarden_shared::profile::{Dataset, Identifier};
use std::collections::BTreeMap;

/// What a grouped scan is of: the columns, and the filter before the grouping.
type Group = (Vec<Identifier>, Option<Sql>);

/// A scan that is being put together.
#[derive(Debug, Default)]
struct Draft {
    /// Its place among the question's scans.
    place: usize,
    aggregates: Aggregates,
    answers: Vec<String>,
}

/// The scans of a dataset: first that of its rows, then those that group them.
#[derive(Debug)]
struct Drafts {
    key_text: String,
    rows: Draft,
    groups: BTreeMap<Group, Draft>,
}

/// The question that answers every rule of a dataset.
pub fn question(
    name: &str,
    dataset: &Dataset,
    rules: &Rules,
    database: &str,
    now: Timestamp,
) -> Question {
    let mut drafts = Drafts {
        key_text: sql::key_text(&dataset.key),
        rows: Draft::default(),
        groups: BTreeMap::new(),
    };
    // The rows are counted in any case: they are the records of the load.
    let records = drafts.rows.aggregates.add(Sql::of("count(*)"));
    let freshness = dataset.freshness.clone().map(|freshness| {
        drafts
            .rows
            .claim(&freshness::check(name, &freshness, None).name);
        let newest = format!("to_unixtime(max({}))", sql::quote(&freshness.column));
        (freshness, drafts.rows.aggregates.add(newest))
    });
    let planned: Vec<Planned> = rules
        .0
        .iter()
        .map(|rule| Planned {
            answers: drafts.plan(&rule.test, &format!("{name}: {}", rule.name)),
            rule: rule.clone(),
        })
        .collect();
    let table = format!("{}.{}", sql::quoted(database), sql::quote(&dataset.table));
    let scans = drafts.scans(name, &table);
    let owner = name.to_owned();
    Question::new(scans, move |rows| {
        let mut findings = Findings::default();
        if let Some(row) = rows.first() {
            findings.records = Some(row.count(records)?);
            if let Some((freshness, newest)) = &freshness {
                let age = freshness::age(row.number(*newest)?, now);
                findings.freshness_seconds = age.map(|age| age.max(0.0));
                findings
                    .checks
                    .push(freshness::check(&owner, freshness, age));
            }
        }
        for rule in &planned {
            findings.checks.push(rule.check(&owner, rows)?);
        }
        Ok(findings)
    })
}

impl Drafts {
    /// The scans, each in its place.
    fn scans(self, dataset: &str, table: &str) -> Vec<Scan> {
        let rows = self
            .rows
            .aggregates
            .select()
            .between("SELECT\n", &format!("\nFROM {table}"));
        let mut groups: Vec<(Group, Draft)> = self.groups.into_iter().collect();
        groups.sort_by_key(|(_, draft)| draft.place);
        let groups = groups.into_iter().map(|(group, draft)| {
            let sql = grouped(&group, &draft.aggregates, table);
            Scan::new(dataset, sql, draft.answers, &draft.aggregates)
        });
        let first = Scan::new(dataset, rows, self.rows.answers, &self.rows.aggregates);
        std::iter::once(first).chain(groups).collect()
    }

    fn plan(&mut self, test: &Test, rule: &str) -> Answers {
        match test {
            Test::One(expectation) => Answers::One(self.answer(expectation, rule)),
            Test::Every(tests) | Test::Any(tests) => {
                Answers::Several(tests.iter().map(|test| self.plan(test, rule)).collect())
            }
        }
    }

    fn answer(&mut self, expectation: &Expectation, rule: &str) -> Answer {
        let filter = expectation.filter.as_ref();
        match &expectation.measure {
            Measure::Rows => {
                let count = self.count(filter, rule);
                of_rows(Reads::Count(count), None)
            }
            Measure::Share(passes) => {
                let all = self.count(filter, rule);
                let passing = self.count(Some(&both(filter, passes)), rule);
                let failing = both(filter, &passes.between("NOT (", ")"));
                let samples = sql::samples_where(&self.key_text, &failing);
                let samples = self.rows.aggregates.add(samples);
                of_rows(Reads::Share(passing, all), Some(samples))
            }
            Measure::Aggregate(aggregate) => {
                let sql = match filter {
                    Some(filter) => aggregate.and_then(" FILTER (WHERE ", filter).between("", ")"),
                    None => aggregate.clone(),
                };
                self.rows.claim(rule);
                of_rows(Reads::Number(self.rows.aggregates.add(sql)), None)
            }
            Measure::Distinct(columns) => self.grouped(columns, filter, rule, |scan| {
                (Reads::Count(scan.add(Sql::of("count(*)"))), None)
            }),
            Measure::Uniqueness(columns) => self.grouped(columns, filter, rule, |scan| {
                let once = scan.add(Sql::of("count_if(occurrences = 1)"));
                let all = scan.add(Sql::of("sum(occurrences)"));
                let samples = sql::samples("value_text", "occurrences > 1");
                (Reads::Share(once, all), Some(scan.add(Sql::of(samples))))
            }),
            Measure::UniqueRatio(columns) => self.grouped(columns, filter, rule, |scan| {
                let once = scan.add(Sql::of("count_if(occurrences = 1)"));
                (Reads::Share(once, scan.add(Sql::of("count(*)"))), None)
            }),
            Measure::Entropy(columns) => self.grouped(columns, filter, rule, |scan| {
                let entropy = "ln(CAST(sum(occurrences) AS double)) \
                               - sum(occurrences * ln(CAST(occurrences AS double))) / CAST(sum(occurrences) AS double)";
                (Reads::Number(scan.add(Sql::of(entropy))), None)
            }),
        }
    }

    fn count(&mut self, filter: Option<&Sql>, rule: &str) -> Column {
        self.rows.claim(rule);
        self.rows.aggregates.add(match filter {
            Some(filter) => filter.between("count_if(", ")"),
            None => Sql::of("count(*)"),
        })
    }

    /// Rides on the scan that groups these columns, which is made where there is none.
    fn grouped(
        &mut self,
        columns: &[Identifier],
        filter: Option<&Sql>,
        rule: &str,
        add: impl FnOnce(&mut Aggregates) -> (Reads, Option<Column>),
    ) -> Answer {
        let next = self.groups.len() + 1;
        let group = (columns.to_vec(), filter.cloned());
        let draft = self.groups.entry(group).or_insert_with(|| Draft {
            place: next,
            ..Draft::default()
        });
        draft.claim(rule);
        let (reads, samples) = add(&mut draft.aggregates);
        Answer {
            scan: draft.place,
            reads,
            samples,
        }
    }
}

fn of_rows(reads: Reads, samples: Option<Column>) -> Answer {
    Answer {
        scan: 0,
        reads,
        samples,
    }
}

fn both(filter: Option<&Sql>, condition: &Sql) -> Sql {
    match filter {
        Some(filter) => filter.and_then(" AND ", condition),
        None => condition.clone(),
    }
}

impl Draft {
    fn claim(&mut self, rule: &str) {
        if self.answers.last().is_none_or(|last| last != rule) {
            self.answers.push(rule.to_owned());
        }
    }
}

/// The query over the values of these columns, each with how often it occurs.
fn grouped((columns, filter): &Group, aggregates: &Aggregates, table: &str) -> Sql {
    let names: Vec<String> = columns.iter().map(sql::quote).collect();
    // A row without any of the values has no value that could occur twice.
    let present: Vec<String> = names
        .iter()
        .map(|name| format!("{name} IS NOT NULL"))
        .collect();
    let rows = both(
        filter.as_ref(),
        &Sql::of(format!("({})", present.join(" OR "))),
    );
    let source = format!(
        "\nFROM (\n  SELECT {} AS value_text, count(*) AS occurrences\n  FROM {table}\n  WHERE ",
        sql::key_text(columns)
    );
    aggregates
        .select()
        .between("SELECT\n", &source)
        .and_then("", &rows)
        .between("", &format!("\n  GROUP BY {}\n)", names.join(", ")))
}
