//! A problem at its place, for people and for tools.

use super::problem::Problem;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;

/// A problem at its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub problem: Problem,
    /// Where, in bytes.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
}

impl Diagnostic {
    pub(crate) fn new(source: &str, span: Range<usize>, problem: Problem) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            problem,
            span,
            line: before.matches('\n').count().saturating_add(1),
            column: line.chars().count().saturating_add(1),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}: {}",
            self.line, self.column, self.problem
        )
    }
}

/// Everything that is wrong with a ruleset, in the order of its text; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Diagnostic::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl Diagnostics {
    /// Each problem under the line it is in, with a caret. `path` is what the ruleset is called.
    pub fn render(&self, source: &str, path: &str, color: bool) -> String {
        let groups: Vec<Group<'_>> = self
            .0
            .iter()
            .map(|diagnostic| {
                let place = AnnotationKind::Primary.span(diagnostic.span.clone());
                let snippet = Snippet::source(source).path(path).annotation(place);
                let group = Level::ERROR
                    .primary_title(diagnostic.problem.to_string())
                    .element(snippet);
                match diagnostic.problem.help() {
                    Some(help) => group.element(Level::HELP.message(help)),
                    None => group,
                }
            })
            .collect();
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let rendered: Vec<String> = groups
            .iter()
            .map(|group| renderer.render(std::slice::from_ref(group)))
            .collect();
        rendered.join("\n\n")
    }
}
