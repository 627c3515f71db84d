//! Cold start, warm latency, memory and size of the functions, beside an empty one and a peer in Python.

pub mod https_stub;
pub mod measure;
pub mod report;
pub mod rules;
pub mod variant;
