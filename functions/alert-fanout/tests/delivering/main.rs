//! Delivering against HTTP stubs of AWS and the receivers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a stub that cannot be set up has failed the test"
)]

mod alarms;
mod once;
mod stubs;
mod threads;
mod transport;
