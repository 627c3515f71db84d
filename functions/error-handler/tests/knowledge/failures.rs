//! Real failures with the causes that their owners found.

use error_handler::failure::Failure;
use serde::Deserialize;
use serde_json::json;

/// One failure. `source` is where it was read.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) error_type: String,
    pub(crate) error: Option<String>,
    pub(crate) cause: String,
    pub(crate) code: String,
}

impl Case {
    /// Every one of them.
    pub(crate) fn all() -> Vec<Self> {
        include_str!("../real_failures.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The failure as the error handler gets it.
    pub(crate) fn failure(&self) -> Failure {
        catch(&self.error_type, self.error.as_deref(), Some(&self.cause))
    }
}

/// A failure as a Catch of a state machine tells it.
pub(crate) fn catch(error_type: &str, error: Option<&str>, cause: Option<&str>) -> Failure {
    let event = json!({
        "error_type": error_type, "execution_id": "run-1", "environment": "dev",
        "error_details": {"Error": error, "Cause": cause}
    });
    Failure::parse(&event.to_string())
}
