//! The queries of rules that need one of their own.

use super::across::{Across, OfTable, Reference};
use super::observe::{Figure, Reads};
use super::question::{Context, Table};
use super::total::{NoNumber, sum_and_count};
use crate::scan::{Aggregates, Column};
use crate::sql::{Dialect, Part, Sql};
use pipewarden_shared::profile::Identifier;

/// A query of its own, and where it answers.
pub(super) struct Own {
    /// The query.
    pub sql: Sql,
    /// What it selects.
    pub aggregates: Aggregates,
    /// The answer.
    pub reads: Reads,
    /// A few keys that fail.
    pub samples: Option<Column>,
}

/// The query of a rule. `values` are the columns that DatasetMatch compares where the rule names none.
pub(super) fn query(
    across: &Across,
    context: &Context<'_>,
    table: &Table<'_>,
    values: &[(Identifier, Identifier)],
) -> Own {
    match across {
        Across::Referential {
            columns,
            reference,
            referred,
        } => referential(table, columns, &reference.rows(context, table), referred),
        Across::SameRows {
            reference,
            keys,
            values: named,
        } => same_rows(
            table,
            &reference.rows(context, table),
            keys,
            named.as_deref().unwrap_or(values),
        ),
        Across::RowCounts { reference } => {
            let count = |rows: Sql| rows.between("(SELECT count(*)", ")");
            ratio(
                count(table.rows()),
                count(reference.rows(context, table)),
                Figure::Near,
                Figure::Near,
            )
        }
        Across::Aggregates(first, second) => ratio(
            aggregate(context, table, first),
            aggregate(context, table, second),
            |column| Figure::Total(first.function, column),
            |column| Figure::Total(second.function, column),
        ),
        Across::Custom {
            sql,
            tables,
            number,
        } => custom(context, table, sql, tables, *number),
    }
}

fn ratio(
    first: Sql,
    second: Sql,
    one: impl Fn(Column) -> Figure,
    other: impl Fn(Column) -> Figure,
) -> Own {
    let mut aggregates = Aggregates::default();
    let own = aggregates.add(first);
    let theirs = aggregates.add(second);
    Own {
        sql: aggregates.select().between("SELECT\n", ""),
        aggregates,
        reads: Reads::Ratio(one(own), other(theirs)),
        samples: None,
    }
}

fn aggregate(context: &Context<'_>, table: &Table<'_>, of: &OfTable) -> Sql {
    let (name, rows) = match &of.table {
        None => (&context.dataset.table, table.rows()),
        Some(other) => (other.table(), other.rows(context, table)),
    };
    let total = sum_and_count(context, name, &of.column, NoNumber::Fails, None);
    total.and_then("", &rows).between("(SELECT ", ")")
}

/// Each row of the table beside the values of the other. NULL refers to nothing.
fn referential(
    table: &Table<'_>,
    columns: &[Identifier],
    reference: &Sql,
    referred: &[Identifier],
) -> Own {
    let dialect = table.dialect;
    let own = listed(dialect, columns, "v");
    let theirs = listed(dialect, referred, "w");
    let on: Vec<String> = (0..columns.len())
        .map(|index| format!("p.v{index} = r.w{index}"))
        .collect();
    let mut aggregates = Aggregates::default();
    let all = aggregates.add("count(*)");
    let passing = aggregates.add(dialect.count_if(&"r.present".into()));
    let samples =
        aggregates.add(dialect.distinct_samples("p.key_text", &"r.present IS NULL".into()));
    let rows = table.rows().between(
        &format!("(\n  SELECT {} AS key_text, {own}", table.key_text),
        "\n) AS p",
    );
    let others = reference.between(
        &format!("\nLEFT JOIN (\n  SELECT DISTINCT {theirs}, true AS present"),
        &format!("\n) AS r ON {}", on.join(" AND ")),
    );
    Own {
        sql: Sql::concat([
            Part::Text("SELECT\n"),
            Part::Sql(&aggregates.select()),
            Part::Text("\nFROM "),
            Part::Sql(&rows),
            Part::Sql(&others),
        ]),
        aggregates,
        reads: Reads::Share(passing, all),
        samples: Some(samples),
    }
}

/// Each row of the table beside the row of the same key in the other; two NULLs are the same value.
fn same_rows(
    table: &Table<'_>,
    reference: &Sql,
    keys: &[(Identifier, Identifier)],
    values: &[(Identifier, Identifier)],
) -> Own {
    let dialect = table.dialect;
    let side = |pick: fn(&(Identifier, Identifier)) -> &Identifier| {
        let pick = |pairs: &[_]| pairs.iter().map(pick).cloned().collect::<Vec<_>>();
        with_twins(dialect, &pick(keys), &pick(values))
    };
    let on: Vec<String> = (0..keys.len())
        .map(|index| format!("p.k{index} = r.k{index}"))
        .collect();
    let equal: Vec<String> = std::iter::once("r.twins IS NOT NULL".to_owned())
        .chain((0..values.len()).map(|index| format!("p.v{index} IS NOT DISTINCT FROM r.v{index}")))
        .collect();
    let equal = equal.join(" AND ");
    let mut aggregates = Aggregates::default();
    let all = aggregates.add("count(*)");
    let passing = aggregates.add(dialect.count_if(&equal.as_str().into()));
    let twins = aggregates.add("greatest(coalesce(max(p.twins), 0), coalesce(max(r.twins), 0))");
    let failing = format!("NOT ({equal})");
    let samples = aggregates.add(dialect.distinct_samples("p.key_text", &failing.as_str().into()));
    let rows = table.rows().between(
        &format!(
            "(\n  SELECT {} AS key_text, {}",
            table.key_text,
            side(|(here, _)| here)
        ),
        "\n) AS p",
    );
    let others = reference.between(
        &format!("\nLEFT JOIN (\n  SELECT {}", side(|(_, there)| there)),
        &format!("\n) AS r ON {}", on.join(" AND ")),
    );
    Own {
        sql: Sql::concat([
            Part::Text("SELECT\n"),
            Part::Sql(&aggregates.select()),
            Part::Text("\nFROM "),
            Part::Sql(&rows),
            Part::Sql(&others),
        ]),
        aggregates,
        reads: Reads::ShareOfNamed(passing, all, twins),
        samples: Some(samples),
    }
}

/// The keys and values of one side, each row with how many rows have its keys.
fn with_twins(dialect: &dyn Dialect, keys: &[Identifier], values: &[Identifier]) -> String {
    let within: Vec<String> = keys.iter().map(|key| dialect.column(key)).collect();
    let mut list = vec![listed(dialect, keys, "k")];
    if !values.is_empty() {
        list.push(listed(dialect, values, "v"));
    }
    format!(
        "{}, count(*) OVER (PARTITION BY {}) AS twins",
        list.join(", "),
        within.join(", ")
    )
}

/// The author's query over tables by the names that it uses.
fn custom(
    context: &Context<'_>,
    table: &Table<'_>,
    sql: &str,
    tables: &[(String, Option<Reference>)],
    number: bool,
) -> Own {
    let dialect = table.dialect;
    let mut ctes = Sql::default();
    let mut add = |name: &str, rows: &Sql| {
        let before = if ctes.text.is_empty() { "WITH " } else { ",\n" };
        let cte = rows.between(
            &format!("{before}{} AS (\n  SELECT *", dialect.name(name)),
            "\n)",
        );
        ctes = ctes.and_then("", &cte);
    };
    for (name, other) in tables {
        match other {
            None => add(name, &table.rows()),
            Some(other) => add(name, &other.rows(context, table)),
        }
    }
    let mut aggregates = Aggregates::default();
    let answer = format!("(\n{sql}\n)");
    let (from, reads) = if number {
        let near = aggregates.add(dialect.double("max(answer.value)"));
        let rows = aggregates.add("count(*)");
        let text = aggregates.add(dialect.texts(&["max(answer.value)".into()]));
        (
            format!("\nFROM {answer} AS answer (value)"),
            Reads::OnlyNumber(Figure::Exact(near, text), rows),
        )
    } else {
        let passing = aggregates.add(format!("(SELECT count(*) FROM {answer} AS answer)"));
        let all = aggregates.add(table.rows().between("(SELECT count(*)", ")"));
        (String::new(), Reads::Share(passing, all))
    };
    let select = aggregates.select().between("SELECT\n", &from);
    Own {
        sql: if ctes.text.is_empty() {
            select
        } else {
            ctes.and_then("\n", &select)
        },
        aggregates,
        reads,
        samples: None,
    }
}

/// Columns under names of our own.
fn listed(dialect: &dyn Dialect, columns: &[Identifier], prefix: &str) -> String {
    let columns: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("{} AS {prefix}{index}", dialect.column(column)))
        .collect();
    columns.join(", ")
}
