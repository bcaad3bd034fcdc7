//! Where a case goes on: the page for the state that it is in, so that coming back later resumes.

use super::{Citizen, to, trouble};
use crate::app::{App, AppError, is_decidable};
use crate::record::Record;
use axum::extract::State;
use axum::response::Response;
use enroll_core::case::{Stage, State as Case};
use std::sync::Arc;

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match place(&app, &citizen).await {
        Ok(path) => to(path),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// The page on which the case goes on.
async fn place(app: &App, citizen: &Citizen) -> Result<&'static str, AppError> {
    let record = app.record(citizen.access.id()).await?;
    Ok(match record.case.state {
        Case::Started => "/enrol/consent",
        // A kiosk goes on with it: nothing can be done from anywhere else.
        Case::Open { visit: Some(_), .. } if citizen.visit.station.is_none() => {
            "/enrol/borgercenter"
        }
        Case::Open { stage, .. } => match stage {
            Stage::Consented => "/enrol/page",
            Stage::PageRead => "/enrol/chip",
            Stage::ChipRead | Stage::DocumentVerified if awaits_face(&record) => "/enrol/face",
            _ => "/enrol/result",
        },
        // What is chosen is chosen on the person's own device.
        Case::IdentityCreated { .. } if citizen.visit.helper => "/enrol/hand-over",
        Case::IdentityCreated { identity, .. } => {
            let owner = match app.owner(&identity.to_string(), &citizen.token).await {
                // It was proved at a Borgercenter: its code sets it up.
                Err(AppError::Unauthorized) => return Ok("/enrol/pick-up"),
                owner => owner?,
            };
            let chosen = app.chosen(owner).await?;
            match (chosen.user_id, chosen.contacts) {
                (false, _) => "/enrol/user-id",
                (true, false) => "/enrol/contacts",
                (true, true) => "/enrol/activate",
            }
        }
        Case::Activated { .. } => "/enrol/done",
        _ => "/enrol/result",
    })
}

/// How far an open case has come; nothing for one that has ended.
pub(super) fn stage(record: &Record) -> Option<Stage> {
    match record.case.state {
        Case::Open { stage, .. } => Some(stage),
        _ => None,
    }
}

/// Whether a step that needs `needed` may be taken now: it has been reached, and nothing is decided yet.
pub(super) async fn may(app: &App, citizen: &Citizen, needed: Stage) -> Result<bool, AppError> {
    let record = app.record(citizen.access.id()).await?;
    Ok(stage(&record).is_some_and(|stage| stage >= needed && stage < Stage::FaceVerified))
}

/// Whether a picture of the face is what the case waits for: its document is proved, or nothing but the
/// proof of the chip itself is missing, which an officer may overrule. There must be consent to it (A2).
pub(super) fn awaits_face(record: &Record) -> bool {
    let is_turn = match stage(record) {
        Some(Stage::ChipRead) => !is_decidable(record),
        Some(at) => at >= Stage::DocumentVerified && at < Stage::FaceVerified,
        None => false,
    };
    is_turn && record.case.allows_biometrics()
}
