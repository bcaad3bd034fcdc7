//! Where a case goes on: the page for the state that it is in, so that coming back later resumes.

use super::{Citizen, to, trouble};
use crate::app::{App, AppError};
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
        Case::Open { stage, .. } => match stage {
            Stage::Consented => "/enrol/page",
            Stage::PageRead => "/enrol/chip",
            Stage::DocumentVerified => "/enrol/face",
            _ => "/enrol/result",
        },
        // What is chosen is chosen on the person's own device.
        Case::IdentityCreated { .. } if citizen.visit.helper => "/enrol/hand-over",
        Case::IdentityCreated { identity, .. } => {
            let owner = app.owner(&identity.to_string(), &citizen.token).await?;
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
