//! Everything that is wrong or odd in what a profile says, each with the path of its place.

use std::fmt::Display;

/// What was found while a profile was checked.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What makes it unusable.
    pub(super) problems: Vec<String>,
    /// What is likely not meant.
    pub(super) warnings: Vec<String>,
}

impl Findings {
    pub(super) fn problem(&mut self, place: &str, what: impl Display) {
        self.problems.push(format!("alerts.{place}: {what}"));
    }

    pub(super) fn warning(&mut self, place: &str, what: impl Display) {
        self.warnings.push(format!("alerts.{place}: {what}"));
    }

    /// The value, or nothing and a problem more.
    pub(super) fn value<T>(&mut self, place: &str, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|what| self.problem(place, what)).ok()
    }
}
