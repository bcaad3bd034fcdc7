//! The end: a receipt.

use super::super::html;
use super::super::layout::Layout;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, PublicIdentity};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use enroll_core::case::State as Case;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/done.html")]
struct Page {
    l: Layout,
    identity: PublicIdentity,
    number: String,
    /// The app, or what is written on the code device, that the identity was activated with.
    means: Means,
}

enum Means {
    App(String),
    CodeDevice(String),
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match receipt(&app, &citizen).await {
        Ok(Some(page)) => html(&page),
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

async fn receipt(app: &App, citizen: &Citizen) -> Result<Option<Page>, AppError> {
    let record = app.record(citizen.access.id()).await?;
    let Case::Activated { identity, authenticator, .. } = record.case.state else {
        return Ok(None);
    };
    let identity = app.identity(&identity.to_string(), &citizen.token).await?;
    let l = Layout::of(&citizen.visit, 8, "done-title");
    let number = citizen.access.id().to_string();
    let means = match app.serial_of(authenticator).await? {
        Some(serial) => Means::CodeDevice(serial),
        None => Means::App(authenticator.to_string()),
    };
    Ok(Some(Page { l, identity, number, means }))
}
