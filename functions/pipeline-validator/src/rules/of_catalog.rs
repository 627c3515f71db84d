//! Rules about a table's columns: the catalog answers them, without a scan.

use super::compile::OfCatalog;
use super::draft::Drafts;
use super::observe::{Known, Reads};
use super::question::Context;
use crate::catalog::Schema;
use pipewarden_shared::profile::Identifier;
use regex_lite::Regex;

/// What the catalog tells; where it was not read, the rule is left to a run.
pub(super) fn told(drafts: &Drafts<'_>, context: &Context<'_>, asked: &OfCatalog) -> Reads {
    let own = &context.dataset.table;
    let empty = Schema::default();
    let schema = drafts.schema(own).unwrap_or(&empty);
    Reads::Known(match asked {
        OfCatalog::Columns => Known {
            number: schema.columns.len() as f64,
            words: format!("{} columns", schema.columns.len()),
            wrong: Vec::new(),
        },
        OfCatalog::Exists(column) => {
            let missing = schema.column(column.as_str()).is_none();
            Known {
                number: if missing { 0.0 } else { 1.0 },
                words: format!("there is no column {column} in {}.{own}", context.database),
                wrong: Vec::new(),
            }
        }
        OfCatalog::Names(pattern) => matching(schema, pattern),
        OfCatalog::Schema(reference) => match drafts.missing_of(reference, None) {
            Some(reason) => return Reads::Missing(reason),
            None => same(
                schema,
                drafts.schema(reference).unwrap_or(&empty),
                reference,
            ),
        },
    })
}

/// The share of names that match.
fn matching(schema: &Schema, pattern: &Regex) -> Known {
    let names = schema.columns.iter().map(|column| column.name.clone());
    let wrong: Vec<String> = names.filter(|name| !pattern.is_match(name)).collect();
    let (all, right) = (schema.columns.len(), schema.columns.len() - wrong.len());
    Known {
        number: if all == 0 {
            0.0
        } else {
            right as f64 / all as f64
        },
        words: format!("{} of {all} column names do not match", wrong.len()),
        wrong,
    }
}

/// The share of columns that another table has with the same type.
fn same(schema: &Schema, theirs: &Schema, reference: &Identifier) -> Known {
    let differs = |name: &str, data_type: &str| {
        theirs
            .column(name)
            .is_none_or(|other| other.data_type != data_type)
    };
    let wrong: Vec<String> = schema
        .columns
        .iter()
        .filter(|column| differs(&column.name, &column.data_type))
        .map(|column| column.name.clone())
        .collect();
    Known {
        number: schema.share_in(theirs),
        words: format!(
            "{} of {} columns differ from the {} of {reference}",
            wrong.len(),
            schema.columns.len(),
            theirs.columns.len()
        ),
        wrong,
    }
}
