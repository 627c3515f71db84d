//! What is remembered between invocations: versioned items that are written only where they are as the writer saw them.
//!
//! One table, two keys. Problems of a pipeline share a partition, so that "every open problem of this pipeline" is one
//! consistent query of the items themselves: a secondary index would lag behind, and a list kept beside them could be
//! lost between two writes.
//!
//! | partition | sort | what it is |
//! |---|---|---|
//! | `pipeline#<environment>#<name>` | `problem#<fingerprint>` | a problem of a pipeline |
//! | `pipeline#<environment>#<name>` | `source#<fingerprint>` | a hint that this problem may hold back others |
//! | `problem#<fingerprint>` | `problem#<fingerprint>` | a problem of no pipeline |
//! | `storm#<receiver>` | begin of the window | who was told of what in the window |
//! | `pending#<receiver>` | `<due>#<kind>#<line>` | a line of a summary that is not sent yet; it never expires |
//! | `summary#<receiver>` | `lease` | who is sending summaries |

mod dynamo;
mod key;
mod memory;
mod patient;

pub use dynamo::Dynamo;
pub use key::{Key, PROBLEMS, SOURCES, pipeline_scope, scope};
pub use memory::Memory;
pub use patient::Patient;

use jiff::Timestamp;
use std::future::Future;

/// Something that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where.
    pub key: Key,
    /// How often it was written; the first time is 1.
    pub version: u64,
    /// What: JSON.
    pub body: String,
    /// When it may be forgotten; it counts as gone from then on.
    pub expires_at: Option<Timestamp>,
}

/// What a writer saw in the place that it writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Nothing,
    /// An item of this version.
    Version(u64),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Written,
    /// It was not: this is there.
    Found(Item),
    /// It was not: nothing is there any more.
    Gone,
}

/// The store does not do what it is asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// It refused, or cannot be reached.
    #[error("cannot {doing} in the alert table: {reason}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        reason: String,
    },
    /// It does not answer.
    #[error("cannot {doing} in the alert table: no answer within {milliseconds} ms")]
    Slow {
        /// What was being done.
        doing: &'static str,
        /// How long it was waited for.
        milliseconds: u128,
    },
    /// It failed before in this invocation.
    #[error("the alert table failed before in this invocation")]
    Down,
    /// Others keep writing to the same item.
    #[error("others keep writing to the same item of the alert table")]
    Contended,
}

/// What remembers.
pub trait Store: Sync {
    /// Writes an item where it is as the writer saw it.
    fn put(
        &self,
        item: &Item,
        expected: Expected,
        now: Timestamp,
    ) -> impl Future<Output = Result<Put, StoreError>>;

    /// Reads an item.
    fn get(
        &self,
        key: &Key,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<Item>, StoreError>>;

    /// Reads the items of a partition whose sort keys are between two, both included, in their order.
    fn list(
        &self,
        partition: &str,
        range: (&str, &str),
        limit: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Item>, StoreError>>;

    /// Forgets items.
    fn remove(&self, keys: &[Key]) -> impl Future<Output = Result<(), StoreError>>;
}
