//! Rules that need a query of their own: those over two tables, and those whose SQL the profile's author wrote.

use super::author::select_of_rule;
use super::compile::Place;
use super::question::{Context, Table};
use super::single::columns;
use super::total::Total;
use crate::dqdl::{RuleType, SingleRule};
use crate::sql::Sql;
use pipewarden_shared::profile::{Dataset, Identifier};
use regex_lite::Regex;

/// The name by which a rule refers to its own table.
const PRIMARY: &str = "primary";

/// What a query of its own tells.
#[derive(Debug, Clone)]
pub(super) enum Across {
    /// The share of rows whose values occur in another table.
    Referential {
        /// Their columns.
        columns: Vec<Identifier>,
        /// The other table.
        reference: Reference,
        /// The columns there, in the same order.
        referred: Vec<Identifier>,
    },
    /// The share of rows that another table has too.
    SameRows {
        /// The other table.
        reference: Reference,
        /// Columns that name a row, here and there.
        keys: Vec<(Identifier, Identifier)>,
        /// Columns whose values are compared, here and there; all others where the rule names none.
        values: Option<Vec<(Identifier, Identifier)>>,
    },
    /// Rows, for each row of another table.
    RowCounts {
        /// The other table.
        reference: Reference,
    },
    /// One aggregate, divided by another.
    Aggregates(OfTable, OfTable),
    /// What the author's query answers.
    Custom {
        /// The query.
        sql: String,
        /// Names in it that stand for tables; `None` is the rule's own.
        tables: Vec<(String, Option<Reference>)>,
        /// Whether its answer is a number; else its rows are those that pass.
        number: bool,
    },
}

/// An aggregate of a column.
#[derive(Debug, Clone)]
pub(super) struct OfTable {
    /// Which.
    pub function: Total,
    /// The table, where it is not the rule's own.
    pub table: Option<Reference>,
    /// The column.
    pub column: Identifier,
}

/// A table that a rule refers to, and which of its rows are looked at: a dataset of the profile.
#[derive(Debug, Clone)]
pub(super) struct Reference(Box<Dataset>);

impl Reference {
    /// The table.
    pub(super) fn table(&self) -> &Identifier {
        &self.0.table
    }

    /// Its rows, with a `FROM`; `own` is the rule's own table.
    pub(super) fn rows(&self, context: &Context<'_>, own: &Table<'_>) -> Sql {
        if self.0.filter.is_none() && self.0.window.is_none() {
            return Sql::of(format!("\nFROM {}", own.named(self.table())));
        }
        let context = Context {
            dataset: &self.0,
            ..*context
        };
        context.table().rows()
    }

    /// The same with rows of any age: new rows refer to old ones.
    fn of_any_age(mut self) -> Self {
        self.0.window = None;
        self
    }
}

impl Place<'_> {
    /// A dataset of the profile.
    ///
    /// # Errors
    /// There is no such dataset.
    pub(super) fn reference(&self, alias: &str) -> Result<Reference, String> {
        let dataset = self.datasets.get(alias).ok_or_else(|| {
            let known: Vec<&str> = self.datasets.keys().map(String::as_str).collect();
            format!(
                "{alias:?} is no dataset of the profile ({})",
                known.join(", ")
            )
        })?;
        Ok(Reference(Box::new(dataset.clone())))
    }
}

impl Across {
    /// The columns of the rule's own table that it cannot do without.
    pub(super) fn columns(&self) -> Vec<&Identifier> {
        match self {
            Self::Referential { columns, .. } => columns.iter().collect(),
            Self::SameRows { keys, values, .. } => keys
                .iter()
                .chain(values.iter().flatten())
                .map(|(own, _)| own)
                .collect(),
            Self::Aggregates(first, second) => [first, second]
                .into_iter()
                .filter(|aggregate| aggregate.table.is_none())
                .map(|aggregate| &aggregate.column)
                .collect(),
            Self::RowCounts { .. } | Self::Custom { .. } => Vec::new(),
        }
    }

    /// The columns of other tables that it cannot do without.
    pub(super) fn referred(&self) -> Vec<(&Identifier, &Identifier)> {
        match self {
            Self::Referential {
                reference,
                referred,
                ..
            } => referred
                .iter()
                .map(|column| (reference.table(), column))
                .collect(),
            Self::SameRows {
                reference,
                keys,
                values,
            } => keys
                .iter()
                .chain(values.iter().flatten())
                .map(|(_, theirs)| (reference.table(), theirs))
                .collect(),
            Self::Aggregates(first, second) => [first, second]
                .into_iter()
                .filter_map(|aggregate| {
                    Some((aggregate.table.as_ref()?.table(), &aggregate.column))
                })
                .collect(),
            Self::RowCounts { .. } | Self::Custom { .. } => Vec::new(),
        }
    }

    /// The other tables.
    pub(super) fn references(&self) -> Vec<&Identifier> {
        match self {
            Self::Referential { reference, .. }
            | Self::SameRows { reference, .. }
            | Self::RowCounts { reference } => vec![reference.table()],
            Self::Aggregates(first, second) => [first, second]
                .into_iter()
                .filter_map(|aggregate| Some(aggregate.table.as_ref()?.table()))
                .collect(),
            Self::Custom { tables, .. } => tables
                .iter()
                .filter_map(|(_, table)| Some(table.as_ref()?.table()))
                .collect(),
        }
    }
}

/// What a rule over two tables asks of them.
///
/// # Errors
/// A parameter that cannot be read, or a table that no dataset of the profile has.
pub(super) fn of(rule: &SingleRule, place: Place<'_>) -> Result<Across, String> {
    let texts: Vec<String> = rule
        .parameters
        .iter()
        .map(|parameter| parameter.text.value())
        .collect();
    match (rule.rule_type, texts.as_slice()) {
        (RuleType::RowCountMatch, [alias]) => {
            let reference = place.reference(alias)?;
            Ok(Across::RowCounts { reference })
        }
        (RuleType::ReferentialIntegrity, [own, theirs]) => referential(own, theirs, place),
        (RuleType::DatasetMatch, [alias, keys, values @ ..]) => Ok(Across::SameRows {
            reference: place.reference(alias)?,
            keys: pairs(keys)?,
            values: values.first().map(|values| pairs(values)).transpose()?,
        }),
        (RuleType::AggregateMatch, [first, second]) => Ok(Across::Aggregates(
            aggregate(first, place)?,
            aggregate(second, place)?,
        )),
        (RuleType::CustomSql, [sql]) => custom(sql, rule.condition.is_some(), place),
        _ => columns(rule).and(Err("it has other parameters".to_owned())),
    }
}

/// `"a,b"` and `"other.{c,d}"`, or `"a"` and `"other.c"`.
fn referential(own: &str, theirs: &str, place: Place<'_>) -> Result<Across, String> {
    let columns = names(own)?;
    let (alias, referred) = theirs
        .rsplit_once(".{")
        .and_then(|(alias, rest)| Some((alias, rest.strip_suffix('}')?)))
        .or_else(|| theirs.rsplit_once('.'))
        .ok_or_else(|| {
            format!("{theirs:?} names no column of another dataset, such as \"users.id\"")
        })?;
    let referred = names(referred)?;
    if columns.len() != referred.len() {
        return Err(format!(
            "{} columns cannot refer to {}",
            columns.len(),
            referred.len()
        ));
    }
    Ok(Across::Referential {
        columns,
        reference: place.reference(alias)?.of_any_age(),
        referred,
    })
}

/// `"a, b"`.
fn names(list: &str) -> Result<Vec<Identifier>, String> {
    list.split(',')
        .map(|name| Identifier::try_from(name.trim().to_owned()))
        .collect()
}

/// `"a->b, c"`: columns here and there, by the same name where only one is written.
fn pairs(list: &str) -> Result<Vec<(Identifier, Identifier)>, String> {
    list.split(',')
        .map(|pair| {
            let (own, theirs) = pair.split_once("->").unwrap_or((pair, pair));
            Ok((
                Identifier::try_from(own.trim().to_owned())?,
                Identifier::try_from(theirs.trim().to_owned())?,
            ))
        })
        .collect()
}

/// `"sum(a)"`, `"avg(other.a)"`.
fn aggregate(text: &str, place: Place<'_>) -> Result<OfTable, String> {
    let wrong =
        || format!("{text:?} is no aggregate such as \"sum(amount)\" or \"avg(users.age)\"");
    let (function, rest) = text.trim().split_once('(').ok_or_else(wrong)?;
    let inside = rest.strip_suffix(')').ok_or_else(wrong)?;
    let function = match function.trim().to_lowercase().as_str() {
        "sum" => Total::Sum,
        "avg" => Total::Mean,
        _ => return Err(wrong()),
    };
    let (alias, column) = match inside.rsplit_once('.') {
        Some((alias, column)) => (Some(alias.trim()), column),
        None => (None, inside),
    };
    let table = match alias {
        None | Some(PRIMARY) => None,
        Some(alias) => Some(place.reference(alias)?),
    };
    Ok(OfTable {
        function,
        table,
        column: Identifier::try_from(column.trim().trim_matches('"').to_owned())?,
    })
}

/// The author's query: one SELECT, in which `primary` and the profile's datasets are tables.
///
/// # Errors
/// It is not one SELECT.
pub(super) fn custom(sql: &str, number: bool, place: Place<'_>) -> Result<Across, String> {
    let sql = select_of_rule("its SQL", sql)?;
    let mentions = |alias: &str| {
        // What cannot be looked for as a word cannot be written without quotes either.
        let word = format!(r"(?i)(^|[^\w.]){}($|[^\w])", regex_lite::escape(alias));
        Regex::new(&word).is_ok_and(|word| word.is_match(&sql))
    };
    let mut tables: Vec<(String, Option<Reference>)> = Vec::new();
    if mentions(PRIMARY) {
        tables.push((PRIMARY.to_owned(), None));
    }
    for alias in place.datasets.keys() {
        if mentions(alias) {
            tables.push((alias.clone(), Some(place.reference(alias)?)));
        }
    }
    Ok(Across::Custom {
        sql,
        tables,
        number,
    })
}
