//! What is kept for a summary: of a storm, or the digest.

use super::Via;
use crate::card::Summary;
use crate::inbound::digest;
use serde::{Deserialize, Serialize};

/// Which summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A storm's.
    Storm,
    /// The digest.
    Digest,
}

impl Kind {
    /// The name in keys.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Storm => "storm",
            Self::Digest => "digest",
        }
    }

    /// How a receiver that gets it is told.
    pub const fn via(self) -> Via {
        match self {
            Self::Storm => Via::Storm,
            Self::Digest => Via::Digest,
        }
    }
}

/// One line of a summary, until that is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Of which summary.
    pub kind: Kind,
    /// The line.
    pub summary: Summary,
}

impl Pending {
    /// Its sort key: sorted by when it is due, the same for the same thing said twice.
    pub fn sort(&self, due: i64, problem: &str) -> String {
        let line = digest(&[problem, self.summary.status.as_str()]);
        format!("{}#{}#{line}", Self::due(due), self.kind.as_str())
    }

    /// What sorts behind everything that is due at a second.
    pub fn until(second: i64) -> String {
        Self::due(second.saturating_add(1))
    }

    fn due(second: i64) -> String {
        format!("{:012}", second.max(0))
    }
}
