//! A check: a rule or an SCD2 invariant with its outcome.

use serde::Serialize;
use serde_json::Value;

/// A check with its outcome.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// The check, such as `sf_user_raw: RowCount >= 100`; its key in `validation_details`.
    #[serde(skip)]
    pub name: String,
    /// Whether nothing speaks against it.
    pub passed: bool,
    /// Why it is neither held nor broken: its history is too short, or the engine could not answer it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_evaluated: Option<String>,
    /// Whether a failure only warns: it lowers the score and stops nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub warns: bool,
    /// What was found.
    pub observed: Value,
    /// What was expected, readable.
    pub expected: String,
    /// How many rows or keys break it.
    pub violations: u64,
    /// A few of them.
    pub samples: Vec<String>,
    /// The outcome in a sentence.
    #[serde(skip)]
    pub sentence: String,
}

impl Check {
    /// A check that the engine could not answer: nobody vouches for the data, and nothing is said against it.
    pub fn unanswered(name: String, warns: bool, reason: &str) -> Self {
        let sentence = format!("could not be evaluated: {reason}");
        Self {
            name,
            passed: false,
            not_evaluated: Some(sentence.clone()),
            warns,
            observed: Value::Null,
            expected: "an answer".to_owned(),
            violations: 0,
            samples: Vec::new(),
            sentence,
        }
    }

    /// The failed check in a line for a person: what was found, and a few examples.
    pub fn failure(&self) -> String {
        let mut line = format!("{}: {}", self.name, self.sentence);
        let few: Vec<&str> = self.samples.iter().take(3).map(String::as_str).collect();
        if !few.is_empty() {
            line.push_str(&format!(" (e.g. {})", few.join(", ")));
        }
        line
    }

    /// Why the check could not be told, in a line for a person; nothing where it was.
    pub fn doubt(&self) -> Option<String> {
        let reason = self.not_evaluated.as_ref()?;
        Some(format!("{}: {reason}", self.name))
    }
}
