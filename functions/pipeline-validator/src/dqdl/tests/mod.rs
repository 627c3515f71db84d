//! What the language accepts, how it is printed, what it refuses and where.

mod accepted;
mod hostile;
mod properties;
mod refused;
mod typed;

use super::{Diagnostics, Ruleset};

/// The rules of a ruleset, as printed.
fn printed(source: &str) -> Vec<String> {
    let ruleset: Ruleset = source.parse().unwrap_or_else(|problems: Diagnostics| {
        panic!("{source}\n{}", problems.render(source, "test", false))
    });
    ruleset.rules.iter().map(ToString::to_string).collect()
}

/// What is wrong with a ruleset.
fn problems(source: &str) -> Vec<String> {
    let (_, diagnostics) = super::parse(source);
    diagnostics.iter().map(ToString::to_string).collect()
}
