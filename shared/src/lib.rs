//! The common crate: what two or more Pipewarden functions need, and nothing else.
//!
//! | module | what it holds |
//! |---|---|
//! | [`lambda`] | the imperative shell: runs a handler, turns its errors into names that Step Functions can match |
//! | [`event`] | reads outside JSON; a wrong field becomes an [`event::InvalidEvent`] that names it |
//! | [`settings`] | reads environment variables; an error names the variable |
//! | [`profile`] | a pipeline's YAML |
//! | [`aws`] | the SDK configuration, built once per cold start |
//! | [`metric`] | metric data and their names; `cloudwatch` sends them |
//! | [`failure`] | error types, severities, root-cause codes: the closed sets |
//! | [`causes`] | an error and its sources as one line |
//! | [`alert`] | the alert schema |
//! | [`execution`] | execution ids, ARNs and console links |
//! | [`glue`], [`dbt`] | what Glue and dbt say of their runs |
//! | [`loopback`] | the SDK configuration for stand-ins of AWS |
//! | [`mask`], [`truncate`] | what leaves is masked and bounded |
//!
//! A function never imports another function, and nothing here imports a function.

pub mod alert;
pub mod aws;
pub mod causes;
#[cfg(feature = "cloudwatch")]
pub mod cloudwatch;
pub mod dbt;
pub mod event;
pub mod execution;
pub mod failure;
pub mod glue;
pub mod lambda;
pub mod loopback;
pub mod mask;
pub mod metric;
pub mod profile;
pub mod settings;
pub mod truncate;
