//! Grouped scans: the values of columns, each with how often it occurs.

use super::question::Table;
use crate::scan::Aggregates;
use crate::sql::Sql;
use pipewarden_shared::profile::Identifier;
use std::collections::BTreeSet;

/// What a grouped scan is of. The same columns in another order or case are the same group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    columns: BTreeSet<String>,
    filter: Option<Sql>,
}

/// What a grouped scan scans: columns as a rule writes them, and the filter before the grouping.
#[derive(Debug)]
pub(super) struct Group {
    columns: Vec<Identifier>,
    filter: Option<Sql>,
}

impl GroupKey {
    pub(super) fn of(columns: &[Identifier], filter: Option<&Sql>) -> Self {
        Self {
            columns: columns.iter().map(folded).collect(),
            filter: filter.cloned(),
        }
    }
}

impl Group {
    pub(super) fn of(columns: &[Identifier], filter: Option<&Sql>) -> Self {
        let mut known = BTreeSet::new();
        let columns = columns.iter().filter(|column| known.insert(folded(column)));
        Self {
            columns: columns.cloned().collect(),
            filter: filter.cloned(),
        }
    }

    /// The query over the values of the columns.
    pub(super) fn sql(&self, aggregates: &Aggregates, table: &Table<'_>) -> Sql {
        let names: Vec<String> = self
            .columns
            .iter()
            .map(|column| table.dialect.column(column))
            .collect();
        // A row without any of the values has no value that could occur twice.
        let present: Vec<String> = names
            .iter()
            .map(|name| format!("{name} IS NOT NULL"))
            .collect();
        let present = Sql::of(format!("({})", present.join(" OR ")));
        let source = format!(
            "\nFROM (\nSELECT {} AS value_text, count(*) AS occurrences",
            table.dialect.key_text(&names)
        );
        aggregates
            .select()
            .between("SELECT\n", &source)
            .and_then("", &table.rows_where(&both(self.filter.as_ref(), &present)))
            .between("", &format!("\nGROUP BY {}\n)", names.join(", ")))
    }
}

/// Two conditions, or one.
pub(super) fn both(filter: Option<&Sql>, condition: &Sql) -> Sql {
    match filter {
        Some(filter) => filter.and_then(" AND ", condition),
        None => condition.clone(),
    }
}

/// A name as the engine compares names.
fn folded(column: &Identifier) -> String {
    column.as_str().to_lowercase()
}
