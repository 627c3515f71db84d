//! From words to a tree, by recursive descent; one file for each part of the language.

mod condition;
mod cursor;
mod document;
mod labels;
mod number;
mod rule;
mod single;
mod value;
mod variable;

use super::lexer;
use super::problem::Problem;
use super::token::Token;
use super::tree::Ruleset;
use std::collections::HashMap;
use std::ops::Range;

/// How deep parentheses, function calls and composite rules may nest.
pub const DEPTH: usize = 64;

/// After so many problems, the rest of the text is not read.
const PROBLEMS: usize = 100;

/// What is left to read, and what has been found.
struct Parser<'s> {
    source: &'s str,
    tokens: Vec<Token<'s>>,
    position: usize,
    depth: usize,
    ruleset: Ruleset,
    /// The places of the variables in the ruleset.
    variables: HashMap<String, usize>,
    problems: Vec<(Range<usize>, Problem)>,
    /// Whether there were more than are kept.
    gave_up: bool,
}

/// This part cannot be read on; why has been noted.
struct Stop;

type Parsed<T> = Result<T, Stop>;

/// Reads a ruleset.
pub(super) fn parse(source: &str) -> (Ruleset, Vec<(Range<usize>, Problem)>) {
    let mut parser = Parser {
        source,
        tokens: lexer::tokens(source),
        position: 0,
        depth: 0,
        ruleset: Ruleset::default(),
        variables: HashMap::new(),
        problems: Vec::new(),
        gave_up: false,
    };
    parser.document();
    if parser.gave_up {
        let last = parser.problems.last().map(|(span, _)| span.end);
        let place = last.unwrap_or_default();
        parser.problems.push((place..place, Problem::NotRead));
    }
    (parser.ruleset, parser.problems)
}
