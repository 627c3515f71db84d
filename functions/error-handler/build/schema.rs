//! An entry of the knowledge base as it stands in YAML. The tests read this file as well.

use super::failure::{Confidence, Escalation, RootCause};
use super::vocabulary::{Rank, Shift};
use serde::Deserialize;

/// One cause.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub id: String,
    pub code: RootCause,
    pub transient: bool,
    pub confidence: Confidence,
    #[serde(default)]
    pub rank: Rank,
    #[serde(default)]
    pub patterns: Vec<Pattern>,
    #[serde(default)]
    pub unless: Vec<String>,
    #[serde(default)]
    pub evidence: Option<Facts>,
    #[serde(default)]
    pub both: bool,
    pub summary: String,
    pub actions: Vec<String>,
    pub steps: Vec<String>,
    #[serde(default)]
    pub readings: Vec<String>,
    pub escalate_to: Escalation,
    #[serde(default)]
    pub severity: Shift,
    #[serde(default)]
    pub links: Vec<String>,
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// A regular expression, or several that must all match.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Pattern {
    One(String),
    All(Vec<String>),
}

impl Pattern {
    pub fn parts(&self) -> &[String] {
        match self {
            Self::One(part) => std::slice::from_ref(part),
            Self::All(parts) => parts,
        }
    }
}

/// Structured facts; each that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    #[serde(default)]
    pub service: Vec<String>,
    #[serde(default)]
    pub error: Vec<String>,
    #[serde(default)]
    pub http_status: Vec<u16>,
    #[serde(default)]
    pub exit_code: Vec<i32>,
    #[serde(default)]
    pub athena_category: Vec<i32>,
    #[serde(default)]
    pub retryable: Option<bool>,
    #[serde(default)]
    pub glue_category: Vec<String>,
}

impl Facts {
    /// Whether there is a fact besides the service, which alone tells nothing.
    pub fn tell(&self) -> bool {
        !self.error.is_empty()
            || !self.http_status.is_empty()
            || !self.exit_code.is_empty()
            || !self.athena_category.is_empty()
            || self.retryable.is_some()
            || !self.glue_category.is_empty()
    }
}

/// A real failure that the entry must win.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Example {
    Text(String),
    Failure(ExampleFailure),
}

/// A failure with what is known besides its text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExampleFailure {
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub cause: Option<String>,
    #[serde(default)]
    pub error_type: Option<String>,
    #[serde(default)]
    pub text: Option<String>,
}

/// An entry of a file, or what is wrong with it, by the line it starts at and the id it seems to have.
pub struct Chunk {
    pub line: usize,
    pub id: String,
    pub entry: Result<Entry, String>,
}

/// Reads a file entry by entry, so that a mistake in one hides none in another.
pub fn read(yaml: &str) -> Vec<Chunk> {
    let mut chunks: Vec<(usize, String)> = Vec::new();
    for (number, line) in yaml.lines().enumerate() {
        if line.starts_with("- ") || chunks.is_empty() {
            chunks.push((number + 1, String::new()));
        }
        if let Some((_, text)) = chunks.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    chunks
        .into_iter()
        .filter(|(_, text)| {
            text.lines().any(|line| {
                !line.trim().is_empty()
                    && !line.trim_start().starts_with('#')
                    && line.trim() != "---"
            })
        })
        .map(|(line, text)| Chunk {
            line,
            id: id_of(&text),
            entry: entry(&text),
        })
        .collect()
}

fn id_of(text: &str) -> String {
    text.lines()
        .find_map(|line| line.trim_start_matches(['-', ' ']).strip_prefix("id:"))
        .map_or_else(
            || "<no id>".to_owned(),
            |id| id.split('#').next().unwrap_or(id).trim().to_owned(),
        )
}

fn entry(text: &str) -> Result<Entry, String> {
    let mut entries: Vec<Entry> =
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    match (entries.pop(), entries.is_empty()) {
        (Some(entry), true) => Ok(entry),
        _ => Err("an entry must start with '- ' in the first column".to_owned()),
    }
}
