//! The local cloud: the suite on this machine, without an AWS account and without Docker. Never deployed.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cloud`] | the emulator as a process |
//! | [`stack`] | the template, deployed into it |
//! | [`execution`] | a run, followed state by state |
//! | [`evidence`] | what the run left behind: metrics, alerts |
//! | [`demo`], [`view`], [`screen`], [`preview`] | all of it, shown to a person |
//! | [`told_causes`] | causes that no scenario brings about, and what is said of them |
//! | [`runtime_api`], [`aws_stub`], [`invoke`] | one function alone, with a sample event |

pub mod aws_stub;
pub mod cloud;
pub mod demo;
pub mod evidence;
pub mod execution;
pub mod inbox;
pub mod invoke;
pub mod place;
pub mod preview;
pub mod runtime_api;
pub mod scenario;
pub mod screen;
pub mod script;
pub mod stack;
pub mod told_causes;
pub mod view;
