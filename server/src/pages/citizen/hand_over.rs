//! Somebody was helped: the identity is made, and goes on to their own device by a code or its picture (M1).
//! The helper's device has no right to it from then on.

use super::super::html;
use super::super::layout::Layout;
use super::super::qr::{Qr, pick_up_address};
use super::super::visit::Visit;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, PickUp};
use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use enroll_core::case::State as Case;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/hand_over.html")]
struct Page {
    l: Layout,
    /// The code, once it is drawn.
    drawn: Option<Drawn>,
    /// Somebody has picked it up.
    gone: bool,
}

/// A code as it is shown.
struct Drawn {
    code: String,
    /// Where it is typed.
    address: String,
    /// That address with the code, for a camera.
    qr: Qr,
    /// The last day on which it can be used.
    until: String,
}

fn page(visit: &Visit, drawn: Option<Drawn>, gone: bool) -> Response {
    html(&Page { l: Layout::of(visit, 8, "hand-title"), drawn, gone })
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match app.record(citizen.access.id()).await {
        Ok(record) => match record.case.state {
            Case::IdentityCreated { .. } => page(&citizen.visit, None, false),
            Case::Activated { .. } => page(&citizen.visit, None, true),
            _ => to("/enrol/next"),
        },
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// Draws a code, and shows it this once.
pub(super) async fn draw(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    headers: HeaderMap,
) -> Response {
    match app.hand_over(access).await {
        Ok(pick_up) => match Drawn::of(&app, &visit, &headers, &pick_up) {
            Some(drawn) => page(&visit, Some(drawn), false),
            None => trouble::of(&visit, AppError::Malformed),
        },
        Err(AppError::Unauthorized) => page(&visit, None, true),
        Err(error) => trouble::of(&visit, error),
    }
}

impl Drawn {
    fn of(app: &App, visit: &Visit, headers: &HeaderMap, pick_up: &PickUp) -> Option<Self> {
        let address = pick_up_address(app, headers);
        let qr = Qr::of_pick_up(&address, &pick_up.code)?;
        let until = Layout::of(visit, 8, "hand-title").day_of(pick_up.until);
        Some(Self { code: pick_up.code.clone(), address, qr, until })
    }
}
