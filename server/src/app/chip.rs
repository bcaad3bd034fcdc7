//! The chip as the relay reads it: what a reading needs, and what comes of it.

use super::document::{Chip, proved_mrz};
use super::{Access, App, AppError};
use crate::clock::{copenhagen_date, random};
use enroll_core::check::Check;
use enroll_core::decide::{Verdict, judge};
use enroll_core::findings::document;
use enroll_core::reason::{ReasonCode, Step};
use nfc::reader::ChipReading;
use serde_json::json;
use time::Date;

/// Checks that speak of the chip, and of what is compared with it.
pub(super) const OF_THE_CHIP: [&str; 9] =
    ["chip", "sod.", "dg.", "signer.", "csca.", "active_", "document.", "face.", "person."];

/// What must have passed for the document to count as proved.
const PROVED: [&str; 7] = [
    "chip.access",
    "sod.signature",
    "sod.digest",
    "dg.hash",
    "signer.chain",
    "signer.validity",
    "signer.country",
];

/// What one reading of the chip needs.
pub struct ChipStart {
    /// From the page.
    pub key: mrz::AccessKey,
    /// The server's challenge for active authentication, for this reading only (B4).
    pub challenge: [u8; 8],
    /// The day on which documents are judged.
    pub today: Date,
}

impl std::fmt::Debug for ChipStart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChipStart(…)")
    }
}

/// What the chip's checks say.
#[derive(Debug, Clone, Copy)]
pub struct ChipVerdict {
    /// In one word.
    pub verdict: Verdict,
}

impl App {
    /// Begins one reading: counts it, and voids what an earlier one said (B5).
    ///
    /// # Errors
    /// `case.*` if it is not the chip's turn.
    pub async fn chip_start(&self, access: Access) -> Result<ChipStart, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        let now = self.now();
        let policy = &self.policy;
        enrolment.record.advance(|case| case.attempt(Step::Chip, policy, now)?.page_read(now))?;
        enrolment.record.findings.forget(&OF_THE_CHIP);
        self.forget_chip(&mut tx, access.id()).await?;
        let page = self.page_mrz(&mut tx, access.id()).await?;
        let key = page.access_key();
        tx.save(&enrolment).await?;
        tx.audit(self.event("chip.started", access.id(), json!({}))).await?;
        tx.commit().await?;
        let challenge = random(self.parts.entropy.as_ref())?;
        Ok(ChipStart { key, challenge, today: copenhagen_date(now) })
    }

    /// Records a reading and judges it, from raw bytes (B6).
    ///
    /// # Errors
    /// `case.*` if the case has moved on meanwhile.
    pub async fn chip_read(
        &self,
        access: Access,
        reading: Box<ChipReading>,
    ) -> Result<ChipVerdict, AppError> {
        let (mut tx, mut enrolment) = self.load(access).await?;
        let now = self.now();
        let dg1 = proved_mrz(reading.report.verified.as_ref());
        let page = self.page_mrz(&mut tx, access.id()).await?;
        let mut checks: Vec<Check> = reading.checks.iter().map(Check::from).collect();
        checks.extend(self.of_document(&page, dg1.as_ref(), copenhagen_date(now)));
        let required: Vec<&str> = PROVED.to_vec();
        let (verdict, reasons) = judge(&checks, &required);
        let genuine = self.is_proved(&checks);
        let record = &mut enrolment.record;
        record.findings.forget(&OF_THE_CHIP);
        record.findings.record_all(checks);
        record.advance(|case| {
            let read = case.chip_read(now)?;
            if genuine { read.document_verified(now) } else { Ok(read) }
        })?;
        self.keep_chip(&mut tx, access.id(), &Chip::of(&reading)).await?;
        tx.save(&enrolment).await?;
        tx.audit(self.event("chip.read", access.id(), json!({ "reasons": reasons }))).await?;
        tx.commit().await?;
        Ok(ChipVerdict { verdict })
    }

    fn of_document(&self, page: &mrz::Mrz, dg1: Option<&mrz::Mrz>, today: Date) -> Vec<Check> {
        let Some(dg1) = dg1 else { return document::unproved() };
        vec![
            document::kind(dg1, &self.policy),
            document::validity(dg1, today),
            document::page_match(page, dg1),
        ]
    }

    /// Whether the issuing state and the chip itself prove the document (B3, B4): every required
    /// check and one of each group of the policy that is about the chip.
    fn is_proved(&self, checks: &[Check]) -> bool {
        let passed = |id: &str| checks.iter().any(|check| check.id == id && check.is_passed());
        let groups = self.policy.any_of.iter();
        PROVED.iter().all(|id| passed(id))
            && groups.into_iter().all(|group| group.iter().any(|id| passed(id)))
    }

    /// Tells the trail that the link was lost; the case goes on.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn chip_lost(&self, access: Access) -> Result<(), AppError> {
        self.trail(access, ReasonCode::CHIP_LINK_LOST).await
    }

    /// Tells the trail why the chip was not read. Returns whether it may be tried again.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn chip_failed(&self, access: Access, reason: ReasonCode) -> Result<bool, AppError> {
        self.trail(access, reason).await?;
        let (_tx, enrolment) = self.load(access).await?;
        let now = self.now();
        Ok(enrolment.record.case.attempt(Step::Chip, &self.policy, now).is_ok())
    }

    async fn trail(&self, access: Access, reason: ReasonCode) -> Result<(), AppError> {
        let mut tx = self.parts.store.begin().await?;
        let data = json!({ "reason": reason });
        tx.audit(self.event("chip.failed", access.id(), data)).await?;
        Ok(tx.commit().await?)
    }
}
