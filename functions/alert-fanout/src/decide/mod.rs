//! Decide: what is owed to whom. Pure: time, configuration and what is known come in as arguments.
//!
//! # A problem
//! All notices with one fingerprint are one [`Problem`]. It goes through *episodes*: the first firing begins one, a
//! resolved notice ends it, and a firing that is younger than the end begins the next. Only the times that the notices
//! carry decide, never the order in which they come:
//!
//! | notice | known | what follows |
//! |---|---|---|
//! | firing | nothing | episode 1 begins |
//! | firing | open | counted |
//! | firing, younger than the end | ended | the next episode begins |
//! | firing, older than the end | ended | counted, and nothing is opened; who never heard of the episode hears of it, and of its end |
//! | resolved | open, no younger firing | the episode ends |
//! | resolved, older than a firing | open | nothing |
//! | resolved | nothing | remembered, so that a late firing does not open what has ended |
//!
//! # A delivery
//! For each receiver a problem holds what it was told last ([`Told`]): of which episode, of its end or not. What is
//! owed is the difference, so a retry of a notice owes only what is still missing. A receiver is
//!
//! ```text
//!              claim                     taken                       claim, taken
//! untold ───────────────▶ claimed ───────────────▶ told: it fires ───────────────▶ told: it is gone
//!    ▲                       │ refused, or the claim's time is over
//!    └───────────────────────┘
//! ```
//!
//! A [`Claim`] is held by one invocation, no longer than that can live. Another invocation that meets a claim leaves
//! the receiver to its holder: ten equal alerts at one instant are one message. The holder's notice is retried by
//! Lambda until it is told or in the dead-letter queue, so what others left to it is not lost. Two exceptions wait for
//! the claim's end instead of relying on it: the same notice in another invocation, and a notice of a later episode.
//!
//! # A storm, a digest
//! In each window a receiver gets at most `more_than` different problems as messages of their own ([`Window`]), and as
//! many CRITICAL ones again. What comes after them is kept as [`Pending`] and sent as one summary: the first at once,
//! the others when the window is over. What waits for the digest is kept in the same way. It is removed after the
//! summary was taken. A line says how often its problem happened since the receiver was told before; a summary merges
//! the lines of a problem.
//!
//! # An incident that nobody knows of
//! A pager that was told while the store was down, or by an invocation that did not come to write it down, holds an
//! incident that is not in [`Told`]. It is told of an end where there is a sign of that: the end is of a problem that
//! was not known to be there, or a claim or a failure was left behind. Such an end is not written down as told of the
//! episode, so that a beginning that is still owed is sent.
//!
//! # Being killed
//! | between | what happens then |
//! |---|---|
//! | start and claim | nothing was done; the retry does it |
//! | claim and sending | the retry has the same request id, holds the claim itself, and sends |
//! | sending and writing down | the only window of doubling, one write long: the retry sends again. PagerDuty's `dedup_key` makes one incident of both. Where the write fails, so does the invocation: others may rely on its claim |
//! | writing down and answering | the retry finds nothing owed |
//! | keeping for a summary and writing down | the retry keeps it once more, and the summary counts it once; where the first was sent in between, it is in two summaries |
//! | sending a summary and removing its parts | the next run sends them again, in one more summary |
//!
//! # The bound
//! A receiver sees in each window at most `more_than` messages about problems, as many about CRITICAL ones again, and two
//! summaries; each problem that was told in a message of its own is resolved in one more; each kill, each answer that
//! got lost and each write that failed may double one.

mod claim;
mod pending;
mod problem;
mod storm;
#[cfg(test)]
mod tests;

pub use claim::{Claim, Me, Next, Plan, Task, TaskKind};
pub use pending::{Kind, Line, Pending};
pub use problem::{Fact, NEWS, Problem, Told, Via};
pub use storm::{Admission, Window};
