//! The entries as the build script writes them: numbers that point into one text.
//!
//! Pointers would each be relocated when the function starts; numbers are not, and what no failure asks for is never read.

use super::vocabulary::{Rank, Shift};
use pipewarden_shared::failure::{Confidence, Escalation, RootCause};

/// Everything that entries say.
static BLOB: &str = include_str!(concat!(env!("OUT_DIR"), "/knowledge.txt"));

/// A piece of [`BLOB`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    at: u32,
    len: u16,
}

impl Text {
    pub(crate) fn as_str(self) -> &'static str {
        let at = self.at as usize;
        BLOB.get(at..at + usize::from(self.len)).unwrap_or_default()
    }
}

const fn t(at: u32, len: u16) -> Text {
    Text { at, len }
}

/// Some neighbours in one of the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span {
    from: u16,
    len: u16,
}

impl Span {
    pub(crate) fn range(self) -> std::ops::Range<usize> {
        let from = usize::from(self.from);
        from..from + usize::from(self.len)
    }

    pub(crate) fn of<T>(self, table: &'static [T]) -> &'static [T] {
        table.get(self.range()).unwrap_or_default()
    }

    pub(crate) fn texts(self) -> impl Iterator<Item = &'static str> {
        self.of(&TEXTS).iter().map(|text| text.as_str())
    }
}

const fn s(from: u16, len: u16) -> Span {
    Span { from, len }
}

/// A regular expression of an entry, or a text to be found as it is.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) regex: Text,
    /// Whether one of its literals is all there is to match.
    pub(crate) exact: bool,
    /// The most bytes that it matches, where the expression does not say so itself; else 0.
    pub(crate) longest: u16,
    /// How far a match reaches from a literal of it, in bytes.
    pub(crate) reach: u16,
    /// Whether the scan finds it; one that it does not is tried where the others of its group match.
    pub(crate) filed: bool,
    /// The entry that it is of.
    pub(crate) entry: u16,
}

/// A text that every match of some parts holds, in lower case.
#[derive(Debug)]
pub(crate) struct Literal {
    pub(crate) text: Text,
    /// Where its least common gram starts.
    pub(crate) gram_at: u8,
    /// The parts, in [`NEEDED_BY`].
    pub(crate) parts: Span,
}

/// Structured facts; each that is given must hold.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) services: Span,
    pub(crate) errors: Span,
    pub(crate) http_status: Span,
    pub(crate) exit_code: Span,
    pub(crate) athena_category: Span,
    pub(crate) glue_category: Span,
    pub(crate) retryable: Option<bool>,
    /// Whether there is a fact besides the service.
    pub(crate) tell: bool,
}

/// One cause.
#[derive(Debug)]
pub struct Entry {
    pub(crate) id: Text,
    pub(crate) code: RootCause,
    pub(crate) transient: bool,
    pub(crate) confidence: Confidence,
    pub(crate) rank: Rank,
    pub(crate) both: bool,
    pub(crate) patterns: Span,
    pub(crate) unless: Span,
    pub(crate) facts: Option<u16>,
    pub(crate) summary: Text,
    pub(crate) actions: Span,
    pub(crate) steps: Span,
    pub(crate) readings: Span,
    pub(crate) links: Span,
    pub(crate) escalate_to: Escalation,
    pub(crate) shift: Shift,
}

impl Entry {
    /// Its name.
    pub fn id(&self) -> &'static str {
        self.id.as_str()
    }

    /// The cause that it tells.
    pub fn code(&self) -> RootCause {
        self.code
    }

    /// Whether the same run may succeed a little later.
    pub fn transient(&self) -> bool {
        self.transient
    }

    /// How much a match of it says.
    pub fn rank(&self) -> Rank {
        self.rank
    }

    /// How sure it is where nothing contradicts it.
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// Who can act on it.
    pub fn escalate_to(&self) -> Escalation {
        self.escalate_to
    }

    /// Where it moves the severity.
    pub fn shift(&self) -> Shift {
        self.shift
    }

    /// The facts that it asks for.
    pub(crate) fn facts(&self) -> Option<&'static Facts> {
        FACTS.get(usize::from(self.facts?))
    }
}

include!(concat!(env!("OUT_DIR"), "/knowledge.rs"));

#[cfg(test)]
impl Entry {
    /// The same, of a cause that passes or not.
    pub(crate) fn passing(&self, transient: bool) -> &'static Self {
        let sample = Self::sample(self.rank, self.code, self.confidence);
        Box::leak(Box::new(Self {
            transient,
            ..*sample
        }))
    }

    /// An entry that says nothing but how it weighs.
    pub(crate) fn sample(rank: Rank, code: RootCause, confidence: Confidence) -> &'static Self {
        Box::leak(Box::new(Self {
            id: t(0, 0),
            code,
            transient: false,
            confidence,
            rank,
            both: false,
            patterns: s(0, 0),
            unless: s(0, 0),
            facts: None,
            summary: t(0, 0),
            actions: s(0, 0),
            steps: s(0, 0),
            readings: s(0, 0),
            links: s(0, 0),
            escalate_to: Escalation::OnCall,
            shift: Shift::Keep,
        }))
    }
}
