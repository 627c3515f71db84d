//! Where things are remembered.

use crate::decide::{Fact, Pending};
use pipewarden_shared::profile::alerting::{Label, Labels};
use std::borrow::Cow;

/// The most bytes of a name in a key; of a longer one its digest stands there.
const LONGEST: usize = 512;

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: String,
}

/// The sort keys of problems.
pub const PROBLEMS: (&str, &str) = ("problem#", "problem#~");

/// The sort keys of hints to problems that may hold back others.
pub const SOURCES: (&str, &str) = ("source#", "source#~");

impl Key {
    /// A problem.
    pub fn problem(fact: &Fact) -> Self {
        Self {
            partition: scope(&fact.labels)
                .unwrap_or_else(|| format!("problem#{}", short(&fact.fingerprint))),
            sort: format!("problem#{}", short(&fact.fingerprint)),
        }
    }

    /// The hint to a problem of a pipeline.
    pub fn source(partition: &str, fingerprint: &str) -> Self {
        Self {
            partition: partition.to_owned(),
            sort: format!("source#{}", short(fingerprint)),
        }
    }

    /// The problem that a hint points to.
    pub fn of_source(&self) -> Option<Self> {
        let fingerprint = self.sort.strip_prefix("source#")?;
        Some(Self {
            partition: self.partition.clone(),
            sort: format!("problem#{fingerprint}"),
        })
    }

    /// The window of a receiver that begins at a second.
    pub fn window(receiver: &str, begin: i64) -> Self {
        Self {
            partition: format!("storm#{receiver}"),
            sort: format!("{begin:012}"),
        }
    }

    /// A line of a summary.
    pub fn pending(receiver: &str, pending: &Pending, due: i64) -> Self {
        Self {
            partition: Self::pending_of(receiver),
            sort: pending.sort(due),
        }
    }

    /// The partition of a receiver's lines.
    pub fn pending_of(receiver: &str) -> String {
        format!("pending#{receiver}")
    }

    /// Who is sending a receiver's summaries.
    pub fn lease(receiver: &str) -> Self {
        Self {
            partition: format!("summary#{receiver}"),
            sort: "lease".to_owned(),
        }
    }
}

/// The partition of a pipeline's problems; nothing where the labels name none.
pub fn scope(labels: &Labels) -> Option<String> {
    match (Label::Pipeline.of(labels), Label::Environment.of(labels)) {
        ("", _) | (_, "") => None,
        (pipeline, environment) => Some(pipeline_scope(pipeline, environment)),
    }
}

/// The partition of a pipeline's problems in an environment.
pub fn pipeline_scope(pipeline: &str, environment: &str) -> String {
    format!("pipeline#{}#{}", short(environment), short(pipeline))
}

/// A name from outside as a part of a key: a sort key has at most 1,024 bytes (DynamoDB developer guide, "Quotas").
fn short(name: &str) -> Cow<'_, str> {
    if name.len() <= LONGEST {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(crate::inbound::digest(&[name]))
    }
}
