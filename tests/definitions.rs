//! Definitions, template, profiles and sample events fit the code.
