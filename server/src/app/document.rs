//! What is kept of a chip between its reading and the end of the case, sealed. The files are proved
//! anew each time they are used, so that nothing rests on a stored "verified".

use super::{App, AppError, portrait};
use crate::ids::EnrolmentId;
use crate::storage::{Enrolment, StorageError, Tx};
use enroll_core::check::Check;
use enroll_core::evidence::{self, Answer, Hex};
use mrz::Mrz;
use nfc::files::{FileId, Files};
use nfc::passive::{self, VerifiedLds};
use nfc::reader::ChipReading;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::Date;
use zeroize::Zeroizing;

/// A chip as it was read.
#[derive(Serialize, Deserialize)]
pub(super) struct Chip {
    files: BTreeMap<String, Hex>,
    /// How it was opened.
    pub(super) access: Value,
    /// What it answered to the server's challenge.
    pub(super) answer: Option<Answer>,
}

impl Chip {
    pub(super) fn of(reading: &ChipReading) -> Self {
        let files = reading.files.iter();
        Self {
            files: files.map(|(id, bytes)| (id.to_string(), Hex(bytes.to_vec()))).collect(),
            access: json!(reading.access),
            answer: reading.aa_evidence.as_ref().map(Answer::from),
        }
    }

    pub(super) fn files(&self) -> Files {
        let files = self.files.iter();
        files.filter_map(|(name, bytes)| Some((name.parse().ok()?, bytes.0.clone()))).collect()
    }
}

/// Under which name the chip is sealed.
const NAME: &str = "chip";

impl App {
    pub(super) async fn keep_chip(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
        chip: &Chip,
    ) -> Result<(), StorageError> {
        let bytes = Zeroizing::new(serde_json::to_vec(chip)?);
        tx.put(id, NAME, &bytes).await
    }

    /// Forgets the chip: it is read anew (B5).
    pub(super) async fn forget_chip(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
    ) -> Result<(), StorageError> {
        self.unshow_portrait(tx, id).await?;
        tx.remove(id, NAME).await
    }

    /// Forgets of a referred case what nobody needs until its chip is read anew: all files that are no
    /// proof of the document, the portrait with them (D8) unless an officer has to compare the face with
    /// it, and the tickets.
    pub(super) async fn keep_for_desk(
        &self,
        tx: &mut Tx,
        Enrolment { id, record, .. }: &Enrolment,
    ) -> Result<(), AppError> {
        let id = *id;
        tx.drop_tickets(id).await?;
        if let Some(bytes) = tx.get(id, NAME).await? {
            let impossible = StorageError::ImpossibleRow { table: "sealed", column: NAME };
            let mut chip: Chip = serde_json::from_slice(&bytes).map_err(|_| impossible)?;
            let read = chip.files();
            chip.files = evidence::kept(&read);
            match read.get(FileId::DG2) {
                Some(dg2) if portrait::is_needed(record, &self.policy) => {
                    chip.files.insert(FileId::DG2.to_string(), Hex(dg2.to_vec()));
                }
                _ => self.unshow_portrait(tx, id).await?,
            }
            self.keep_chip(tx, id, &chip).await?;
        }
        Ok(())
    }

    /// The chip as it was read last.
    ///
    /// # Errors
    /// `case.state` if none was read since the page or a new start of the chip.
    pub(super) async fn chip(&self, tx: &mut Tx, id: EnrolmentId) -> Result<Chip, AppError> {
        let found = tx.get(id, NAME).await?;
        let bytes = found.ok_or(AppError::Reason(enroll_core::ReasonCode::CASE_STATE))?;
        let impossible = StorageError::ImpossibleRow { table: "sealed", column: NAME };
        serde_json::from_slice(&bytes).map_err(|_| impossible.into())
    }

    /// Passive authentication of `files` on `today`.
    pub(super) fn prove(&self, files: &Files, today: Date) -> passive::Report {
        passive::verify(files, &self.parts.trust, today)
    }

    /// The page's MRZ as it was read or typed.
    pub(super) async fn page_mrz(&self, tx: &mut Tx, id: EnrolmentId) -> Result<Mrz, AppError> {
        let impossible = StorageError::ImpossibleRow { table: "sealed", column: "mrz" };
        let lines = tx.get(id, "mrz").await?.unwrap_or_default();
        let text = std::str::from_utf8(&lines).ok();
        text.and_then(|text| mrz::parse(text).ok()).ok_or_else(|| impossible.into())
    }
}

/// The checks of a proof that was made anew at the end: what was revoked or ran out since the chip
/// was read counts, and the evidence is of one day. How the chip was opened could be judged at the
/// chip only.
pub(super) fn proved_again(report: &passive::Report) -> Vec<Check> {
    let checks = report.checks.iter().filter(|check| check.id != "chip.downgrade");
    checks.map(Check::from).collect()
}

/// The MRZ of a proved data group 1.
pub(super) fn proved_mrz(proved: Option<&VerifiedLds>) -> Option<Mrz> {
    nfc::lds::dg1::parse(proved?.get(FileId::DG1)?).ok()
}
