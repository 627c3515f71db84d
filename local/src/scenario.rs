//! Scenarios: what the lake and dbt are like, and how the run should end.

use crate::place::Place;
use crate::script::{self, ScriptError};
use serde::Deserialize;

/// A scenario of `local/lake/scenarios.json`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What is wrong, in a sentence.
    pub description: String,
    /// How the execution should end.
    pub expected_status: String,
    /// What should be alerted, if anything.
    pub expected_error_type: Option<String>,
}

/// Every scenario.
///
/// # Errors
/// [`ScriptError`] where the file is no list of scenarios.
pub fn all(place: &Place) -> Result<Vec<Scenario>, ScriptError> {
    let file = "local/lake/scenarios.json";
    let scenarios: Vec<Scenario> = serde_json::from_value(script::read_json(place, file)?)
        .map_err(|error| ScriptError::Failed {
            script: file.to_owned(),
            reason: error.to_string(),
        })?;
    Ok(scenarios)
}
