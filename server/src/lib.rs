//! The enrolment service and the command `enroll`.

pub mod cli;
pub mod trust_dir;
