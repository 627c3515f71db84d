//! Decide: the rules of a dataset, written in DQDL, to as few scans as can answer them.
//!
//! `text -> `[`crate::dqdl`]` -> compile -> question -> judge`: what the engine cannot answer is refused when the profile
//! is checked, not at three in the morning.

mod across;
mod across_sql;
mod analyze;
mod author;
mod compile;
mod data_type;
mod draft;
mod exact;
mod group;
mod judge;
mod number;
mod observe;
mod of_catalog;
mod pattern;
mod predicate;
mod question;
mod single;
mod size;
mod total;

pub(crate) use author::condition_of_author;
pub use compile::{Rules, RulesError, Unanswerable};
pub use question::{Context, Found, Part, Question, question};
