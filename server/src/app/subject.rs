//! Whom an enrolment is of: a personal number, as it was given at its start (A4).

use super::{App, AppError};
use crate::ids::EnrolmentId;
use crate::registers::Registers;
use crate::storage::{StorageError, Tx};
use enroll_core::findings::person::PersonAnswer;
use zeroize::Zeroizing;

/// Whom an enrolment is of. Personal data: `Debug` shows none of it.
#[derive(Clone)]
pub(super) struct Subject {
    cpr: Zeroizing<String>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject(…)")
    }
}

impl Subject {
    /// What tells this person from all others.
    pub(super) fn hash(&self, tx: &Tx) -> Result<[u8; 32], StorageError> {
        tx.keyed_hash("person", self.cpr.as_bytes())
    }

    /// What the register says of them. May block.
    pub(super) fn answer(&self, registers: &dyn Registers) -> PersonAnswer {
        registers.person(&self.cpr)
    }
}

impl App {
    /// Whom the enrolment is of.
    pub(super) async fn subject(&self, tx: &mut Tx, id: EnrolmentId) -> Result<Subject, AppError> {
        let missing = StorageError::ImpossibleRow { table: "sealed", column: "cpr" };
        let cpr = tx.get(id, "cpr").await?.ok_or(missing)?;
        Ok(Subject { cpr: Zeroizing::new(String::from_utf8_lossy(&cpr).into_owned()) })
    }
}
