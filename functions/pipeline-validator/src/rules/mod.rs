//! Decide: the rules of a dataset, written in DQDL, to as few scans as can answer them.
//!
//! `text -> `[`crate::dqdl`]` -> compile -> question`: what the engine cannot answer is refused when the profile is
//! checked, not at three in the morning.

mod compile;
mod judge;
mod number;
mod predicate;
mod question;

pub use compile::{Rules, RulesError, Unanswerable};
pub use question::question;
