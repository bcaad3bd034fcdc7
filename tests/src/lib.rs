//! End to end: the fixture passports against the whole system, through memory, relay and pcscd.
//!
//! The only crate that sees both sides, what ships and the fixtures; it is QA's and never ships.

pub mod attacks;
pub mod bridge;
pub mod captures;
pub mod chip_link;
pub mod citizen;
pub mod cli;
pub mod conformance;
pub mod demo;
pub mod device;
pub mod faces;
pub mod figures;
pub mod hostile;
pub mod issuer;
pub mod letters;
pub mod load;
pub mod log_in;
pub mod measure_error;
pub mod memory;
pub mod morphs;
pub mod people;
pub mod person;
pub mod process;
pub mod report;
pub mod requirements;
pub mod run;
pub mod served;
pub mod sound;
pub mod station;
pub mod testing;
pub mod webdriver;
