//! The enrolment service and the command `enroll`.

pub mod cli;
