//! What the fuzzers run: every function in [`targets`] takes any bytes and panics on a finding.

pub mod budget;
pub mod targets;
