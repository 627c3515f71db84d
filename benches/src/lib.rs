//! Cold start, warm latency, memory and size of the functions beside their peers; queries, diagnoses and alerts.

pub mod alerts;
pub mod https_stub;
pub mod knowledge;
pub mod measure;
pub mod report;
pub mod rules;
pub mod variant;
