//! What a dataset is asked with: its table, its rules, what the catalog knows, and the clock.

use super::Part;
use crate::catalog::{Schemas, TableName};
use crate::check::Check;
use crate::freshness;
use crate::past::Past;
use crate::rules::compile::Rules;
use crate::scan::{Aggregates, Scan};
use crate::sql::{Dialect, Sql, Value, literal};
use jiff::{Timestamp, tz::TimeZone};
use pipewarden_shared::profile::{Dataset, Identifier, Window, WindowForm};
use std::collections::BTreeSet;

/// What a dataset is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The dataset's name.
    pub name: &'a str,
    /// The table and what is expected of it.
    pub dataset: &'a Dataset,
    /// Its rules.
    pub rules: &'a Rules,
    /// The database of the tables.
    pub database: &'a str,
    /// The engine's SQL.
    pub dialect: &'a dyn Dialect,
    /// The tables' columns; `None` where the catalog was not read, and nothing is known to be missing.
    pub schemas: Option<&'a Schemas>,
    /// Earlier results.
    pub past: &'a Past,
    /// The clock.
    pub now: Timestamp,
}

/// A table, and which of its rows are looked at.
#[derive(Debug)]
pub(in crate::rules) struct Table<'a> {
    pub dialect: &'a dyn Dialect,
    pub database: &'a str,
    pub key_text: String,
    name: String,
    filter: Option<Sql>,
}

impl Table<'_> {
    /// `FROM`, with the rows that are looked at.
    pub(in crate::rules) fn rows(&self) -> Sql {
        match &self.filter {
            None => Sql::of(format!("\nFROM {}", self.name)),
            Some(filter) => filter.between(&format!("\nFROM {}\nWHERE ", self.name), ""),
        }
    }

    /// The same rows, those of them where a condition holds.
    pub(in crate::rules) fn rows_where(&self, condition: &Sql) -> Sql {
        let between = if self.filter.is_some() {
            " AND "
        } else {
            "\nWHERE "
        };
        self.rows().and_then(between, condition)
    }

    /// Another table of the database.
    pub(in crate::rules) fn named(&self, table: &Identifier) -> String {
        self.dialect.table(self.database, table)
    }
}

impl<'a> Context<'a> {
    /// The tables whose columns have to be known.
    pub fn tables(&self) -> BTreeSet<TableName> {
        let history = self.dataset.scd2.as_ref();
        let source = history.and_then(|scd2| scd2.source.as_ref());
        self.rules
            .references()
            .into_iter()
            .chain([&self.dataset.table])
            .chain(source.map(|source| &source.table))
            .map(|table| TableName::of(table.as_str()))
            .collect()
    }

    /// Why nothing can be asked of the rows: the catalog lacks the column that says which of them are looked at.
    pub fn blocked(&self) -> Option<String> {
        let window = self.dataset.window.as_ref()?;
        self.missing(&window.column)
    }

    /// The check that fails where the catalog lacks a column of the key. Rules are asked all the same.
    pub fn key(&self) -> Option<Check> {
        let missing: Vec<String> = self
            .dataset
            .key
            .iter()
            .filter_map(|column| self.missing(column))
            .collect();
        (!missing.is_empty()).then(|| Check {
            name: format!("{}: key", self.name),
            passed: false,
            not_evaluated: None,
            warns: false,
            observed: serde_json::Value::Null,
            expected: "the columns of the key".to_owned(),
            violations: missing.len() as u64,
            samples: Vec::new(),
            sentence: missing.join(", "),
        })
    }

    /// Why a column of the table cannot be asked about; nothing where nobody knows, or where the table is not there.
    fn missing(&self, column: &Identifier) -> Option<String> {
        let table = &self.dataset.table;
        let schema = self.schemas?.get(&TableName::of(table.as_str()))?;
        let missing = schema.column(column.as_str()).is_none();
        missing.then(|| {
            let database = self.database;
            format!("there is no column {column} in {database}.{table}")
        })
    }

    /// What everything else that is asked of the rows stands on: that they can be counted and named.
    pub fn probe(&self) -> Scan {
        let table = self.table();
        let mut aggregates = Aggregates::default();
        aggregates.add("count(*)");
        aggregates.add(self.dialect.samples(&table.key_text, &"true".into()));
        let select = aggregates.select().between("SELECT\n", "");
        let sql = select.and_then("", &table.rows());
        let query = sql.at(self.dialect, self.now);
        Scan::new(self.name, query, Vec::new(), &aggregates)
    }

    /// The checks of a part that has no answer.
    pub fn unanswered(&self, part: &Part, reason: &str) -> Vec<(usize, Check)> {
        let name = |what: &str| format!("{}: {what}", self.name);
        let mut checks = Vec::new();
        if part.load {
            let freshness = self.dataset.freshness.as_ref();
            let name = freshness.map_or_else(
                || name("rows"),
                |freshness| freshness::check(self.name, freshness, None).name,
            );
            checks.push((0, Check::unanswered(name, false, reason)));
        }
        if part.analyzers {
            // Nothing was expected of them, so they only warn.
            let check = Check::unanswered(name("analyzers"), true, reason);
            checks.push((self.rules.len() + 1, check));
        }
        for index in &part.rules {
            if let Some(rule) = self.rules.rules.get(*index) {
                let check = Check::unanswered(name(&rule.name), rule.warns, reason);
                checks.push((index + 1, check));
            }
        }
        checks
    }

    pub(in crate::rules) fn table(&self) -> Table<'a> {
        let key: Vec<String> = self
            .dataset
            .key
            .iter()
            .filter(|column| self.missing(column).is_none())
            .map(|column| self.dialect.column(column))
            .collect();
        let key_text = if key.is_empty() {
            literal("(no key)")
        } else {
            self.dialect.key_text(&key)
        };
        let author = self
            .dataset
            .filter
            .as_ref()
            .map(|text| Sql::of(format!("({text})")));
        let window = self
            .dataset
            .window
            .as_ref()
            .map(|window| self.within(window));
        let filter = match (author, window) {
            (Some(author), Some(window)) => Some(author.and_then(" AND ", &window)),
            (author, window) => author.or(window),
        };
        Table {
            dialect: self.dialect,
            database: self.database,
            key_text,
            name: self.dialect.table(self.database, &self.dataset.table),
            filter,
        }
    }

    /// The condition of a window: a literal, so that partitions are told without a row.
    fn within(&self, window: &Window) -> Sql {
        let begins = self.now.checked_sub(window.last).unwrap_or(Timestamp::MIN);
        let utc = begins.to_zoned(TimeZone::UTC);
        let literal = match &window.form {
            WindowForm::Timestamp => self.dialect.timestamp_literal(begins),
            WindowForm::Date => self.dialect.date_literal(&utc.date().to_string()),
            WindowForm::Text(format) => literal(&utc.strftime(format).to_string()),
        };
        let column = self.dialect.column(&window.column);
        Sql::with(format!("{column} >= ?"), [Value::Literal(literal)])
    }
}
