//! The chip's portrait, to an officer: where the machine did not judge the face, somebody must compare the
//! person with it. It stays sealed from the visit to the ruling, whatever that is (D8), and each look is
//! in the trail before it is answered.

use super::activity::{Activity, By, What};
use super::finish::hold_known;
use super::officer::Officer;
use super::{App, AppError, blocking};
use crate::clock::copenhagen_date;
use crate::ids::EnrolmentId;
use crate::record::Record;
use crate::storage::{StorageError, Tx};
use enroll_core::officer::unjudged_face;
use enroll_core::policy::Policy;
use enroll_core::reason::ReasonCode;
use image::ImageFormat;
use liveness::portrait;
use nfc::files::FileId;
use nfc::passive;
use serde_json::json;
use std::io::Cursor;

/// Under which name stands who was shown the portrait of the chip now held.
const SHOWN: &str = "portrait_shown";

/// Whether an officer has to compare the face with the portrait: the case was at a Borgercenter, waits for
/// an officer's first ruling since then, and the machine did not judge the face.
pub(super) fn is_needed(record: &Record, policy: &Policy) -> bool {
    let waits = record.case.referral();
    waits.is_some_and(|referral| referral.visits > 0 && referral.asked.is_none())
        && unjudged_face(&record.findings, policy)
}

impl App {
    /// The portrait of the case's proved chip, as PNG.
    ///
    /// # Errors
    /// [`AppError::UnknownCase`]; `case.state` if the case does not wait for an officer or holds no
    /// portrait; `face.portrait_unreadable`.
    pub async fn portrait(&self, officer: &Officer, id: &str) -> Result<Vec<u8>, AppError> {
        let id: EnrolmentId = id.parse().map_err(|_| AppError::UnknownCase)?;
        let none = || AppError::Reason(ReasonCode::CASE_STATE);
        let mut tx = self.parts.store.read().await?;
        let before = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        before.record.case.referral().ok_or_else(none)?;
        let chip = self.chip(&mut tx, id).await?;
        drop(tx);
        let (trust, today) = (self.parts.trust.clone(), copenhagen_date(self.now()));
        let shown = blocking(move || {
            let proved = passive::verify_kept(&chip.files(), &trust, today).verified;
            proved.and_then(|lds| lds.get(FileId::DG2).map(png))
        });
        let png = shown.await?.ok_or_else(none)?;
        let png = png.ok_or(AppError::Reason(ReasonCode::FACE_PORTRAIT_UNREADABLE))?;
        let mut tx = self.parts.store.begin().await?;
        let now = tx.enrolment(id).await?.ok_or(AppError::UnknownCase)?;
        if now.version != before.version {
            return Err(none());
        }
        tx.put(id, SHOWN, officer.name.as_bytes()).await?;
        let person = self.subject(&mut tx, id).await?.hash(&tx)?;
        if let Some(identity) = hold_known(&mut tx, &person).await? {
            let by = By::Officer(officer.name.clone());
            let look = Activity::of(What::Looked).by(Some(by)).because("portrait");
            self.note(&mut tx, identity, look).await?;
        }
        let data = json!({ "officer": officer.name });
        tx.audit(self.event("portrait.looked", id, data)).await?;
        tx.commit().await?;
        Ok(png)
    }

    /// The officer who was shown the portrait last.
    pub(super) async fn portrait_shown(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
    ) -> Result<Option<String>, StorageError> {
        let name = tx.get(id, SHOWN).await?;
        Ok(name.map(|name| String::from_utf8_lossy(&name).into_owned()))
    }

    /// The chip is another one, or its portrait is gone: nobody has been shown it.
    pub(super) async fn unshow_portrait(
        &self,
        tx: &mut Tx,
        id: EnrolmentId,
    ) -> Result<(), StorageError> {
        tx.remove(id, SHOWN).await
    }
}

/// The first portrait of a data group 2 in a form that every browser shows, without what else its file
/// carries.
fn png(dg2: &[u8]) -> Option<Vec<u8>> {
    let found = nfc::lds::dg2::portraits(dg2).ok()?;
    let picture = portrait::decode(&found.first()?.bytes).ok()?;
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some(bytes.into_inner())
}
