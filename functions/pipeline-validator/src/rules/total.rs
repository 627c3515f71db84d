//! Sums and means that are told exactly: the catalog knows which columns a double would round.

use super::exact::Number;
use super::question::Context;
use crate::catalog::TableName;
use crate::dqdl::condition::Arithmetic;
use crate::scan::{Column, Row, UnexpectedResult};
use crate::sql::{Dialect, Sql};
use pipewarden_shared::profile::Identifier;

/// What is told of a column's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    Sum,
    Mean,
}

/// What becomes of a value that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoNumber {
    /// It is asked for in vain: the engine refuses.
    Fails,
    /// It is left out.
    IsLeftOut,
}

/// A column's sum and how many numbers it is of, as texts.
pub(super) fn sum_and_count(
    context: &Context<'_>,
    table: &Identifier,
    column: &Identifier,
    no_number: NoNumber,
    filter: Option<&Sql>,
) -> Sql {
    let dialect = context.dialect;
    let value = summand(context, table, column, no_number);
    let aggregates = ["sum", "count"].map(|function| {
        let aggregate = Sql::of(format!("{function}({value})"));
        match filter {
            Some(filter) => dialect.filtered(&aggregate, filter),
            None => aggregate,
        }
    });
    dialect.texts(&aggregates)
}

/// What is added up. A decimal stays one; where nothing is known of the column, its type decides.
fn summand(
    context: &Context<'_>,
    table: &Identifier,
    column: &Identifier,
    no_number: NoNumber,
) -> String {
    let dialect = context.dialect;
    let value = dialect.column(column);
    let lenient = |dialect: &dyn Dialect| dialect.try_cast(&dialect.text(&value), "double");
    let data_type = context
        .schemas
        .and_then(|schemas| schemas.get(&TableName::of(table.as_str())))
        .and_then(|schema| schema.column(column.as_str()))
        .map(|column| column.data_type.as_str());
    let name = |data_type: &str| data_type.split('(').next().map(str::to_owned);
    match (data_type.and_then(name).as_deref(), no_number) {
        // These are added up as bigints, which two thousand million rows do not fill.
        (Some("tinyint" | "smallint" | "int" | "integer" | "decimal"), _) => value,
        (Some("bigint"), _) => format!("CAST({value} AS decimal(38, 0))"),
        (None, NoNumber::Fails) => value,
        (Some(_), NoNumber::Fails) => dialect.double(&value),
        (_, NoNumber::IsLeftOut) => lenient(dialect),
    }
}

impl Total {
    /// What [`sum_and_count`] tells; nothing where there is no number.
    ///
    /// # Errors
    /// [`UnexpectedResult`] where it is something else.
    pub(super) fn read(
        self,
        row: &Row,
        column: Column,
    ) -> Result<Option<Number>, UnexpectedResult> {
        let texts = row.samples(column)?;
        let [sum, count] = texts.as_slice() else {
            return Err(UnexpectedResult::of(
                "a rule",
                "a sum and a count",
                "others",
            ));
        };
        let count = Number::read(count).filter(|count| count.value() > 0.0);
        Ok(Number::read(sum).zip(count).map(|(sum, count)| match self {
            Self::Sum => sum,
            Self::Mean => sum.with(Arithmetic::Divide, count).rounded(),
        }))
    }
}

/// A number that is told as a text, exactly; nothing where it is none.
///
/// # Errors
/// [`UnexpectedResult`] where it is no JSON array.
pub(super) fn exactly(row: &Row, column: Column) -> Result<Option<Number>, UnexpectedResult> {
    let texts = row.samples(column)?;
    Ok(texts.first().and_then(|text| Number::read(text)))
}
