//! Scans that are being put together: each aggregate goes to the scan that can carry it.

use super::across_sql;
use super::compile::{Measure, Test};
use super::group::{Group, GroupKey, both};
use super::judge::{Answer, Answers};
use super::observe::{Figure, Reads};
use super::question::{Context, Part, Table};
use super::total::sum_and_count;
use crate::catalog::{Schema, TableName};
use crate::scan::{Aggregates, Column, Scan};
use crate::sql::Sql;
use pipewarden_shared::profile::Identifier;
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes of a scan that more than one rule shares; Athena takes 262,144 ("Service quotas").
const LARGEST_SCAN: usize = 160_000;

/// The most aggregates of a scan: Trino compiles each to a piece of bytecode, and a class holds only so many.
const MOST_AGGREGATES: usize = 600;

/// A scan that is being put together.
#[derive(Debug, Default)]
struct Draft {
    of: Of,
    aggregates: Aggregates,
    answers: Vec<String>,
}

/// What a draft scans.
#[derive(Debug, Default)]
enum Of {
    /// The rows.
    #[default]
    Rows,
    /// The values of columns, each with how often it occurs.
    Group(Group),
    /// What one rule needs for itself.
    Own(Sql),
}

/// The scans of a dataset.
#[derive(Debug)]
pub(super) struct Drafts<'a> {
    table: &'a Table<'a>,
    context: &'a Context<'a>,
    drafts: Vec<Draft>,
    /// The draft of the rows that still has room.
    open: Option<usize>,
    groups: BTreeMap<GroupKey, usize>,
    /// Groups that are scanned in any case: a count of distinct values rides there.
    wanted: BTreeSet<GroupKey>,
}

impl<'a> Drafts<'a> {
    pub(super) fn new(context: &'a Context<'a>, table: &'a Table<'a>) -> Self {
        Self {
            table,
            context,
            drafts: Vec::new(),
            open: None,
            groups: BTreeMap::new(),
            wanted: BTreeSet::new(),
        }
    }

    /// Notes what the rules of a part group in any case.
    pub(super) fn group_for(&mut self, part: &Part) {
        for rule in part
            .rules
            .iter()
            .filter_map(|index| self.context.rules.rules.get(*index))
        {
            rule.test.visit(&mut |expectation| {
                if let Measure::Uniqueness(columns)
                | Measure::UniqueRatio(columns)
                | Measure::Entropy(columns) = &expectation.measure
                {
                    let filter = expectation.filter.as_ref();
                    self.wanted.insert(GroupKey::of(columns, filter));
                }
            });
        }
    }

    /// The columns that the catalog knows of the table.
    pub(super) fn columns(&self) -> Vec<Identifier> {
        let columns = self
            .schema(&self.context.dataset.table)
            .into_iter()
            .flat_map(|schema| &schema.columns);
        columns
            .filter_map(|column| Identifier::try_from(column.name.clone()).ok())
            .collect()
    }

    /// The columns that the catalog knows of a table; `None` where there is no such table, or nobody knows.
    pub(super) fn schema(&self, table: &Identifier) -> Option<&'a Schema> {
        self.context.schemas?.get(&TableName::of(table.as_str()))
    }

    /// Why a column of the table cannot be asked about; nothing where it can, or where nobody knows.
    pub(super) fn missing(&self, column: &Identifier) -> Option<String> {
        self.missing_of(&self.context.dataset.table, Some(column))
    }

    /// Why a table or its column cannot be asked about.
    pub(super) fn missing_of(
        &self,
        table: &Identifier,
        column: Option<&Identifier>,
    ) -> Option<String> {
        self.context.schemas?;
        let database = self.context.database;
        match (self.schema(table), column) {
            (None, _) => Some(format!("there is no table {database}.{table}")),
            (Some(schema), Some(column)) if schema.column(column.as_str()).is_none() => {
                Some(format!("there is no column {column} in {database}.{table}"))
            }
            _ => None,
        }
    }

    /// Where a test is answered.
    pub(super) fn plan(&mut self, test: &Test, rule: &str) -> Answers {
        match test {
            Test::One(expectation) => {
                let filter = expectation.filter.as_ref();
                Answers::One(self.answer(&expectation.measure, filter, rule))
            }
            Test::Every(tests) | Test::Any(tests) => {
                Answers::Several(tests.iter().map(|test| self.plan(test, rule)).collect())
            }
        }
    }

    /// Where a measure is answered.
    pub(super) fn answer(&mut self, measure: &Measure, filter: Option<&Sql>, rule: &str) -> Answer {
        let own = &self.context.dataset.table;
        let missing = self.missing_of(own, None).or_else(|| {
            let mut columns = measure.columns().into_iter();
            columns.find_map(|column| self.missing(column))
        });
        if let Some(reason) = missing {
            return told(Reads::Missing(reason));
        }
        match measure {
            Measure::Catalog(asked) => told(super::of_catalog::told(self, self.context, asked)),
            Measure::Across(across) => self.across(across, rule),
            Measure::Rows => {
                let scan = self.rows(rule);
                let count = self.count(scan, filter);
                at(scan, Reads::Count(count), None)
            }
            Measure::Share(_, passes) => self.share(passes, filter, rule),
            Measure::Total(total, column, no_number) => {
                let texts = sum_and_count(self.context, own, column, *no_number, filter);
                let scan = self.rows_for(rule, texts.bytes());
                let figure = Figure::Total(*total, self.add(scan, texts));
                at(scan, Reads::Number(figure), None)
            }
            Measure::Aggregate(_, aggregate) => {
                let aggregate = self.where_it_is(aggregate, filter);
                let scan = self.rows_for(rule, aggregate.bytes());
                let figure = Figure::Near(self.add(scan, aggregate));
                at(scan, Reads::Number(figure), None)
            }
            Measure::Distinct(columns) if !self.wanted.contains(&GroupKey::of(columns, filter)) => {
                let names: Vec<String> = columns
                    .iter()
                    .map(|column| self.context.dialect.column(column))
                    .collect();
                let distinct = Sql::of(format!("count(DISTINCT {})", names.join(", ")));
                let distinct = self.where_it_is(&distinct, filter);
                let scan = self.rows(rule);
                at(scan, Reads::Count(self.add(scan, distinct)), None)
            }
            Measure::Distinct(columns)
            | Measure::Uniqueness(columns)
            | Measure::UniqueRatio(columns)
            | Measure::Entropy(columns) => self.grouped(measure, columns, filter, rule),
        }
    }

    fn share(&mut self, passes: &Sql, filter: Option<&Sql>, rule: &str) -> Answer {
        let dialect = self.context.dialect;
        let passing = dialect.count_if(&both(filter, passes));
        let failing = both(filter, &passes.between("NOT (", ")"));
        let samples = dialect.distinct_samples(&self.table.key_text, &failing);
        let scan = self.rows_for(rule, passing.bytes() + samples.bytes());
        let all = self.count(scan, filter);
        let passing = self.add(scan, passing);
        let samples = self.add(scan, samples);
        at(scan, Reads::Share(passing, all), Some(samples))
    }

    /// Rides on the scan that groups these columns, which is made where there is none.
    fn grouped(
        &mut self,
        measure: &Measure,
        columns: &[Identifier],
        filter: Option<&Sql>,
        rule: &str,
    ) -> Answer {
        let key = GroupKey::of(columns, filter);
        let scan = match self.groups.get(&key) {
            Some(scan) => *scan,
            None => {
                let scan = self.open_draft(Of::Group(Group::of(columns, filter)));
                self.groups.insert(key, scan);
                scan
            }
        };
        self.claim(scan, rule);
        let once = self.context.dialect.count_if(&"occurrences = 1".into());
        match measure {
            Measure::Distinct(_) => at(scan, Reads::Count(self.add(scan, "count(*)".into())), None),
            Measure::Uniqueness(_) => {
                let samples = self
                    .context
                    .dialect
                    .samples("value_text", &"occurrences > 1".into());
                let once = self.add(scan, once);
                let all = self.add(scan, "sum(occurrences)".into());
                let samples = self.add(scan, samples);
                at(scan, Reads::Share(once, all), Some(samples))
            }
            Measure::UniqueRatio(_) => {
                let once = self.add(scan, once);
                let all = self.add(scan, "count(*)".into());
                at(scan, Reads::Share(once, all), None)
            }
            _ => {
                let double = |value| self.context.dialect.double(value);
                let entropy = format!(
                    "ln({all}) - sum(occurrences * ln({each})) / {all}",
                    all = double("sum(occurrences)"),
                    each = double("occurrences")
                );
                let figure = Figure::Near(self.add(scan, entropy.into()));
                at(scan, Reads::Number(figure), None)
            }
        }
    }

    /// A rule that needs a query of its own.
    fn across(&mut self, across: &super::across::Across, rule: &str) -> Answer {
        let missing = across
            .references()
            .into_iter()
            .find_map(|table| self.missing_of(table, None))
            .or_else(|| {
                let mut referred = across.referred().into_iter();
                referred.find_map(|(table, column)| self.missing_of(table, Some(column)))
            });
        if let Some(reason) = missing {
            return told(Reads::Missing(reason));
        }
        let values = match self.others(across) {
            Ok(values) => values,
            Err(reason) => return told(Reads::Missing(reason)),
        };
        let own = across_sql::query(across, self.context, self.table, &values);
        let scan = self.open_draft(Of::Own(own.sql));
        self.claim(scan, rule);
        if let Some(draft) = self.drafts.get_mut(scan) {
            draft.aggregates = own.aggregates;
        }
        at(scan, own.reads, own.samples)
    }

    /// The columns that DatasetMatch compares where the rule names none: all but the key, by their names.
    fn others(
        &self,
        across: &super::across::Across,
    ) -> Result<Vec<(Identifier, Identifier)>, String> {
        let super::across::Across::SameRows {
            reference,
            keys,
            values: None,
        } = across
        else {
            return Ok(Vec::new());
        };
        let is_key = |column: &Identifier| {
            let mut keys = keys.iter();
            keys.any(|(own, _)| TableName::of(own.as_str()) == TableName::of(column.as_str()))
        };
        let others: Vec<Identifier> = self
            .columns()
            .into_iter()
            .filter(|column| !is_key(column))
            .collect();
        let missing = others
            .iter()
            .find_map(|column| self.missing_of(reference.table(), Some(column)));
        match missing {
            Some(reason) => Err(reason),
            None => Ok(others
                .into_iter()
                .map(|column| (column.clone(), column))
                .collect()),
        }
    }

    /// The scan of the rows that still has room.
    pub(super) fn rows(&mut self, claim: &str) -> usize {
        self.rows_for(claim, 0)
    }

    /// The scan of the rows that still has room for so many bytes.
    fn rows_for(&mut self, claim: &str, bytes: usize) -> usize {
        let has_room = |draft: &Draft| {
            draft.aggregates.len() < MOST_AGGREGATES
                && draft.aggregates.bytes() + bytes < LARGEST_SCAN
        };
        let scan = match self
            .open
            .filter(|scan| self.drafts.get(*scan).is_some_and(has_room))
        {
            Some(scan) => scan,
            None => self.open_draft(Of::Rows),
        };
        self.open = Some(scan);
        self.claim(scan, claim);
        scan
    }

    fn open_draft(&mut self, of: Of) -> usize {
        self.drafts.push(Draft {
            of,
            ..Draft::default()
        });
        self.drafts.len() - 1
    }

    fn claim(&mut self, scan: usize, rule: &str) {
        if let Some(draft) = self.drafts.get_mut(scan)
            && draft.answers.last().is_none_or(|last| last != rule)
        {
            draft.answers.push(rule.to_owned());
        }
    }

    /// Adds an aggregate to a scan.
    pub(super) fn add(&mut self, scan: usize, aggregate: Sql) -> Column {
        match self.drafts.get_mut(scan) {
            Some(draft) => draft.aggregates.add(aggregate),
            None => Column::none(),
        }
    }

    fn count(&mut self, scan: usize, filter: Option<&Sql>) -> Column {
        let count = match filter {
            Some(filter) => self.context.dialect.count_if(filter),
            None => Sql::of("count(*)"),
        };
        self.add(scan, count)
    }

    fn where_it_is(&self, aggregate: &Sql, filter: Option<&Sql>) -> Sql {
        match filter {
            Some(filter) => self.context.dialect.filtered(aggregate, filter),
            None => aggregate.clone(),
        }
    }

    /// The scans, each in its place.
    pub(super) fn scans(self, context: &Context<'_>) -> Vec<Scan> {
        let table = self.table;
        let scans = self.drafts.into_iter().map(|draft| {
            let sql = match draft.of {
                Of::Rows => draft
                    .aggregates
                    .select()
                    .between("SELECT\n", "")
                    .and_then("", &table.rows()),
                Of::Group(group) => group.sql(&draft.aggregates, table),
                Of::Own(sql) => sql,
            };
            let query = sql.at(context.dialect, context.now);
            Scan::new(context.name, query, draft.answers, &draft.aggregates)
        });
        scans.collect()
    }
}

fn told(reads: Reads) -> Answer {
    at(0, reads, None)
}

fn at(scan: usize, reads: Reads, samples: Option<Column>) -> Answer {
    Answer {
        reads,
        scan,
        samples,
    }
}
