//! DQDL, the Data Quality Definition Language of AWS Glue: text to tree and back.
//!
//! `lexer` makes words of text, `parser` makes a [`tree`] of words, `print` writes it as Glue does. What each rule type
//! takes is in [`specification`] and nowhere else. The parser returns a tree and a list of problems and never fails: one
//! broken rule does not hide the next.
//!
//! Facts come from the AWS Glue documentation and from awslabs/dqdl. Where that accepts what cannot be meant, such as
//! text after the last `]`, this parser refuses; `tests/refused.rs` names each such case.
//!
//! ```
//! use pipeline_validator::dqdl::Ruleset;
//!
//! let ruleset: Ruleset = "Rules = [ Completeness of id>0.9, (RowCount > 0) or (IsUnique id) ]".parse()?;
//! assert_eq!(ruleset.rules[0].to_string(), "Completeness of id > 0.9");
//! assert_eq!(ruleset.rules[1].to_string(), "(RowCount > 0) OR (IsUnique id)");
//! # Ok::<(), pipeline_validator::dqdl::Diagnostics>(())
//! ```

pub mod condition;
mod diagnostic;
mod lexer;
mod order;
mod parser;
mod print;
mod problem;
pub mod specification;
#[cfg(test)]
mod tests;
mod token;
pub mod tree;

pub use diagnostic::{Diagnostic, Diagnostics};
pub use parser::DEPTH;
pub use problem::Problem;
pub use specification::RuleType;
pub use tree::{Analyzer, Rule, Ruleset, SingleRule};

use std::str::FromStr;

/// Reads a ruleset: what could be read of it, and every problem in the order of the text. Without problems the tree is
/// whole, and each rule is one that its [`RuleType`] allows.
pub fn parse(source: &str) -> (Ruleset, Vec<Diagnostic>) {
    let (ruleset, mut problems) = parser::parse(source);
    problems.sort_by_key(|(span, _)| span.start);
    let diagnostics = problems
        .into_iter()
        .map(|(span, problem)| Diagnostic::new(source, span, problem))
        .collect();
    (ruleset, diagnostics)
}

impl FromStr for Ruleset {
    type Err = Diagnostics;

    fn from_str(source: &str) -> Result<Self, Diagnostics> {
        match parse(source) {
            (ruleset, diagnostics) if diagnostics.is_empty() => Ok(ruleset),
            (_, diagnostics) => Err(Diagnostics(diagnostics)),
        }
    }
}
