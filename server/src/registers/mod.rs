//! The registers an enrolment asks (REQUIREMENTS B8, C1, C2): persons and documents; and the
//! Borgercenters' appointments (H6).
//!
//! A register is asked, never trusted to be there: an answer that does not come, or that cannot be
//! read, is *unavailable*, and unavailable is never valid.

pub mod appointments;
pub mod breaker;
pub mod http;
pub mod standin;
mod wire;

pub use appointments::{Appointments, Offers, Reply, Slot};
pub use wire::Person;

use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::PersonAnswer;

/// The registers. Calls may block: run them where that is allowed.
pub trait Registers: Send + Sync {
    /// The person with `cpr`.
    fn person(&self, cpr: &str) -> PersonAnswer;

    /// The status of a document of `issuer`.
    fn document(&self, issuer: &str, number: &str) -> DocumentStatus;

    /// How each register has answered so far.
    fn health(&self) -> Vec<Health> {
        Vec::new()
    }
}

/// How a register has answered so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Which.
    pub register: &'static str,
    /// Whether it is left alone, or only tried.
    pub open: bool,
    /// Calls that brought an answer.
    pub answered: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Calls that were not made, because it was left alone.
    pub spared: u64,
}

/// No register at all: every answer is *unavailable*.
#[derive(Debug, Clone, Copy)]
pub struct NoRegisters;

impl Registers for NoRegisters {
    fn person(&self, _: &str) -> PersonAnswer {
        PersonAnswer::Unavailable
    }

    fn document(&self, _: &str, _: &str) -> DocumentStatus {
        DocumentStatus::Unavailable
    }
}
