//! Whom an enrolment is of (A4): a personal number as it was given at its start, or what an officer has
//! issued a P-code for.

use super::{App, AppError};
use crate::ids::{EnrolmentId, PCodeId};
use crate::registers::Registers;
use crate::storage::{PCodeRow, StorageError, Tx};
use enroll_core::findings::person::{PersonAnswer, PersonRecord};
use enroll_core::reason::ReasonCode;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Whom an enrolment is of. Personal data: `Debug` shows none of it.
#[derive(Clone)]
pub(super) enum Subject {
    /// Who has this personal number: the register knows them.
    Cpr(Zeroizing<String>),
    /// Somebody whom an officer has seen and who has none.
    Known(Box<Known>),
}

/// A person without a personal number.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Known {
    /// What tells them from all others.
    pub(super) id: Uuid,
    /// What the officer has seen.
    pub(super) person: PersonRecord,
}

/// A subject as it is sealed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Cpr(String),
    Known(Box<Known>),
    /// Their identity is erased, and the number with it.
    Erased,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject(…)")
    }
}

impl Subject {
    /// What tells this person from all others.
    pub(super) fn hash(&self, tx: &Tx) -> Result<[u8; 32], StorageError> {
        match self {
            Self::Cpr(cpr) => tx.keyed_hash("person", cpr.as_bytes()),
            Self::Known(known) => tx.keyed_hash("person without cpr", known.id.as_bytes()),
        }
    }

    /// What the register says of them, or the officer has seen. May block.
    pub(super) fn answer(&self, registers: &dyn Registers) -> PersonAnswer {
        match self {
            Self::Cpr(cpr) => registers.person(cpr),
            Self::Known(known) => PersonAnswer::Found(known.person.clone()),
        }
    }

    /// The bytes to seal.
    pub(super) fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, AppError> {
        let kept = match self {
            Self::Cpr(cpr) => Kept::Cpr(cpr.to_string()),
            Self::Known(known) => Kept::Known(known.clone()),
        };
        serde_json::to_vec(&kept).map(Zeroizing::new).map_err(AppError::internal)
    }

    /// What these bytes, once sealed, say; nothing once that is erased.
    pub(super) fn of(bytes: &[u8]) -> Result<Option<Self>, AppError> {
        Ok(match serde_json::from_slice(bytes).map_err(AppError::internal)? {
            Kept::Cpr(cpr) => Some(Self::Cpr(Zeroizing::new(cpr))),
            Kept::Known(known) => Some(Self::Known(known)),
            Kept::Erased => None,
        })
    }

    /// The bytes to seal in place of a personal number that is erased.
    pub(super) fn erased() -> Result<Vec<u8>, AppError> {
        serde_json::to_vec(&Kept::Erased).map_err(AppError::internal)
    }
}

/// Under which names the subject, and the P-code that the enrolment was started with, are sealed.
const CPR: &str = "cpr";
const KNOWN: &str = "known";
const P_CODE: &str = "p_code";

impl App {
    /// Keeps whom the enrolment is of, and the P-code that it was started with.
    pub(super) async fn keep_subject(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
        (subject, p_code): (&Subject, Option<PCodeId>),
    ) -> Result<(), AppError> {
        match subject {
            Subject::Cpr(cpr) => tx.put(id, CPR, cpr.as_bytes()).await?,
            Subject::Known(_) => tx.put(id, KNOWN, &subject.bytes()?).await?,
        }
        if let Some(code) = p_code {
            tx.put(id, P_CODE, code.to_string().as_bytes()).await?;
        }
        Ok(())
    }

    /// Whom the enrolment is of.
    pub(super) async fn subject(&self, tx: &mut Tx, id: EnrolmentId) -> Result<Subject, AppError> {
        let missing = |column| StorageError::ImpossibleRow { table: "sealed", column };
        if let Some(known) = tx.get(id, KNOWN).await? {
            return Ok(Subject::of(&known)?.ok_or(missing(KNOWN))?);
        }
        let cpr = tx.get(id, CPR).await?.ok_or(missing(CPR))?;
        Ok(Subject::Cpr(Zeroizing::new(String::from_utf8_lossy(&cpr).into_owned())))
    }

    /// An identity comes of the enrolment: its P-code, if it has one, is used up (A4).
    ///
    /// # Errors
    /// `p_code.invalid` if one has come of another enrolment with it.
    pub(super) async fn use_p_code(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
        now: OffsetDateTime,
    ) -> Result<(), AppError> {
        let Some(code) = tx.get(id, P_CODE).await? else { return Ok(()) };
        let impossible = || StorageError::ImpossibleRow { table: "sealed", column: P_CODE };
        let text = std::str::from_utf8(&code).map_err(|_| impossible())?;
        let row = tx.hold_p_code_of(text.parse().map_err(|_| impossible())?).await?;
        let row = row.ok_or(AppError::Reason(ReasonCode::P_CODE_INVALID))?;
        let state = row.state.clone().used(now).map_err(AppError::Reason)?;
        Ok(tx.save_p_code(&PCodeRow { state, ..row }).await?)
    }
}
