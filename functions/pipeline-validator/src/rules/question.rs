//! As few scans as can answer the rules of a dataset: one for every aggregate, one for each set of columns that has to
//! be grouped, one for each rule over two tables. What the catalog tells is not asked.

mod context;

pub use context::Context;
pub(super) use context::Table;

use super::compile::{Analysis, Rules};
use super::draft::Drafts;
use super::judge::{Answer, Answers, Judge};
use crate::check::Check;
use crate::freshness;
use crate::scan::{Column, Findings, Row, Scan, UnexpectedResult};
use crate::sql::Sql;
use std::collections::BTreeMap;

/// What of a dataset is asked together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// Rows and freshness.
    pub load: bool,
    /// The analyzers.
    pub analyzers: bool,
    /// Rules, by their place.
    pub rules: Vec<usize>,
}

/// Scans that are answered together, and what their rows say.
#[derive(Debug)]
pub struct Question {
    /// The scans; they run side by side.
    pub scans: Vec<Scan>,
    load: Option<Load>,
    rules: Vec<(usize, Answers)>,
    analyses: Vec<(String, Answer)>,
}

/// Where rows and freshness are told.
#[derive(Debug)]
struct Load {
    scan: usize,
    records: Column,
    newest: Option<Newest>,
}

/// Where the newest row's time is told, or why it is not.
#[derive(Debug)]
enum Newest {
    In(Column),
    Missing(String),
}

/// What a question found, and what it could not tell because a scan gave no answer.
#[derive(Debug, Default)]
pub struct Found {
    /// What was found.
    pub findings: Findings,
    /// What has to be asked again.
    pub open: Part,
}

impl Part {
    /// Everything that is asked of a dataset.
    pub fn whole(rules: &Rules) -> Self {
        Self {
            load: true,
            analyzers: !rules.analyzers.is_empty(),
            rules: (0..rules.rules.len()).collect(),
        }
    }

    /// How many things are asked.
    pub fn len(&self) -> usize {
        usize::from(self.load) + usize::from(self.analyzers) + self.rules.len()
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Two halves; what is no rule stands alone.
    pub fn halves(self) -> Vec<Self> {
        let alone = |load, analyzers| Self {
            load,
            analyzers,
            rules: Vec::new(),
        };
        let (first, second) = self.rules.split_at(self.rules.len() / 2);
        [first, second]
            .into_iter()
            .map(|rules| Self {
                rules: rules.to_vec(),
                ..Self::default()
            })
            .chain([alone(self.load, false), alone(false, self.analyzers)])
            .filter(|part| !part.is_empty())
            .collect()
    }
}

/// The question that answers a part of what a dataset is asked.
pub fn question(context: &Context<'_>, part: &Part) -> Question {
    let table = context.table();
    let mut drafts = Drafts::new(context, &table);
    drafts.group_for(part);
    let load = part.load.then(|| {
        let freshness = context.dataset.freshness.as_ref();
        let claim = freshness.map(|freshness| freshness::check(context.name, freshness, None).name);
        let scan = drafts.rows(claim.as_deref().unwrap_or("rows"));
        // The rows are counted in any case: they are the records of the load.
        let records = drafts.add(scan, Sql::of("count(*)"));
        let newest = freshness.map(|freshness| match drafts.missing(&freshness.column) {
            Some(reason) => Newest::Missing(reason),
            None => {
                let column = context.dialect.column(&freshness.column);
                let newest = context.dialect.epoch(&format!("max({column})"));
                Newest::In(drafts.add(scan, Sql::of(newest)))
            }
        });
        Load {
            scan,
            records,
            newest,
        }
    });
    let rules = part
        .rules
        .iter()
        .filter_map(|index| Some((*index, context.rules.rules.get(*index)?)))
        .map(|(index, rule)| {
            let name = format!("{}: {}", context.name, rule.name);
            (index, drafts.plan(&rule.test, &name))
        })
        .collect();
    let analyses = if part.analyzers {
        analyses(context, &mut drafts)
    } else {
        Vec::new()
    };
    Question {
        scans: drafts.scans(context),
        load,
        rules,
        analyses,
    }
}

fn analyses(context: &Context<'_>, drafts: &mut Drafts<'_>) -> Vec<(String, Answer)> {
    let mut measures = BTreeMap::new();
    for analysis in &context.rules.analyzers {
        match analysis {
            Analysis::Of(named) => measures.extend(named.iter().cloned()),
            Analysis::OfEveryColumn => {
                for column in drafts.columns() {
                    measures.extend(super::analyze::every_statistic(&column, context.dialect));
                }
            }
        }
    }
    let name = format!("{}: analyzers", context.name);
    measures
        .into_iter()
        .map(|(named, measure)| {
            let answer = drafts.answer(&measure, None, &name);
            (named, answer)
        })
        .collect()
}

impl Question {
    /// The rules that the catalog answers, without a scan.
    pub fn of_catalog(&self, context: &Context<'_>) -> Vec<String> {
        self.rules
            .iter()
            .filter(|(_, answers)| answers.are_there(&[]))
            .filter_map(|(index, _)| Some(context.rules.rules.get(*index)?.name.clone()))
            .collect()
    }

    /// What the results of the scans say, in their order; `None` where a scan gave no answer.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where a result is not what its scan asked for.
    pub fn read(
        &self,
        context: &Context<'_>,
        rows: &[Option<Row>],
    ) -> Result<Found, UnexpectedResult> {
        let mut found = Found::default();
        if let Some(load) = &self.load {
            match rows.get(load.scan).and_then(Option::as_ref) {
                Some(row) => load.read(context, row, &mut found.findings)?,
                None => found.open.load = true,
            }
        }
        let mut judge = Judge {
            rows,
            past: context.past,
            measures: BTreeMap::new(),
        };
        for (index, answers) in &self.rules {
            match context.rules.rules.get(*index) {
                Some(rule) if answers.are_there(rows) => {
                    let check = judge.check(context.name, rule, answers)?;
                    found.findings.checks.push((index + 1, check));
                }
                _ => found.open.rules.push(*index),
            }
        }
        for (named, answer) in &self.analyses {
            if answer.is_there(rows) {
                judge.keep(named, answer)?;
            } else {
                found.open.analyzers = true;
            }
        }
        found.findings.measures = judge.measures;
        Ok(found)
    }
}

impl Load {
    fn read(
        &self,
        context: &Context<'_>,
        row: &Row,
        findings: &mut Findings,
    ) -> Result<(), UnexpectedResult> {
        findings.records = Some(row.count(self.records)?);
        let (Some(freshness), Some(newest)) = (&context.dataset.freshness, &self.newest) else {
            return Ok(());
        };
        let check = match newest {
            Newest::In(column) => {
                let age = freshness::age(row.number(*column)?, context.now);
                findings.freshness_seconds = age.map(|age| age.max(0.0));
                freshness::check(context.name, freshness, age)
            }
            Newest::Missing(reason) => Check {
                sentence: reason.clone(),
                ..freshness::check(context.name, freshness, None)
            },
        };
        findings.checks.push((0, check));
        Ok(())
    }
}
