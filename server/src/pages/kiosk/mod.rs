//! The kiosk of a Borgercenter (DESIGN §8, docs/borgercenter.md): an idle screen on which a person opens
//! their case with its reference, the citizen's own pages of page, chip and face, and an end that leaves
//! nothing of them behind.
//!
//! A browser is a kiosk once somebody has given it the station's credential, which is in a cookie that no
//! script can read. The case's cookie lasts no longer than the person.

mod end;
mod finish;
mod start;
mod station;

pub(super) use end::ended;

use super::citizen::to;
use super::visit::Visit;
use crate::app::{App, Kiosk};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

/// The routes of the kiosk's own pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/kiosk", get(start::show))
        .route("/kiosk/cases", get(start::again).post(start::open))
        .route("/kiosk/finish", post(finish::clear))
        .route("/kiosk/station", get(station::show).post(station::set_up))
}

/// A browser that is a kiosk.
struct Stood {
    visit: Visit,
    kiosk: Kiosk,
}

impl FromRequestParts<Arc<App>> for Stood {
    type Rejection = Response;

    /// A browser without a credential, or with one that is none any more, is set up first.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::to(app, &parts.headers);
        let token = visit.station.as_ref().map_or("", |station| station.token.as_str());
        match app.kiosk(token) {
            Ok(kiosk) => Ok(Self { visit, kiosk }),
            Err(_) => Err(to("/kiosk/station")),
        }
    }
}
