//! The pages of officers of Borgercenters (DESIGN §8, docs/borgercenter.md): the queue, what a case rests on,
//! the decision, appointments, P-codes, blocked identities and code devices. Each acts through the use cases that the JSON
//! interface acts through, which keep every look in the trail.

mod appointments;
mod case;
mod checks;
mod code_devices;
mod draft;
mod identities;
mod p_codes;
mod queue;
mod ruling;
mod sign_in;
mod trouble;

pub(crate) use code_devices::state_in_words as code_device_state;
pub(super) use sign_in::over as session_over;

use super::citizen::to;
use super::visit::Visit;
use crate::app::{App, AppError, Officer};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

/// The routes of the officers' pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/officer", get(sign_in::show).post(sign_in::send))
        .route("/officer/sign-out", post(sign_in::out))
        .route("/officer/session", get(sign_in::left))
        .route("/officer/cases", get(queue::show))
        .route("/officer/cases/{id}", get(case::show).post(ruling::rule))
        .route("/officer/cases/{id}/portrait", get(case::portrait))
        .route("/officer/cases/{id}/ruled", get(ruling::ruled))
        .route("/officer/appointments", get(appointments::show))
        .route("/officer/p-codes", get(p_codes::show).post(p_codes::issue))
        .route("/officer/p-codes/issued", get(p_codes::issued))
        .route("/officer/identities", get(identities::show).post(identities::reopen))
        .route("/officer/code-devices", get(code_devices::show).post(code_devices::hand_out))
        .route("/officer/code-devices/standing", post(code_devices::stand))
        .route("/officer/{*rest}", get(trouble::missing))
}

/// A browser in which an officer is signed in.
struct Signed {
    visit: Visit,
    officer: Officer,
}

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::to(app, &parts.headers);
        let token = visit.officer.as_ref().map_or("", |token| token.as_str());
        match app.officer(token).await {
            Ok(officer) => Ok(Self { visit, officer }),
            Err(AppError::Unauthorized) if parts.method == Method::GET => Err(to("/officer")),
            Err(AppError::Unauthorized) => Err(sign_in::over(&visit)),
            Err(error) => Err(trouble::of(&visit, None, error)),
        }
    }
}

/// What every page of an officer knows.
struct Frame {
    /// Who is signed in; nobody on the page on which they do.
    name: Option<String>,
    /// Seconds for which they are.
    left: u32,
    /// In the last of how many that is said.
    warned: u32,
    /// Which of the places in the navigation it is.
    at: At,
}

/// A place in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Queue,
    Appointments,
    PCodes,
    Identities,
    CodeDevices,
    Elsewhere,
}

impl Frame {
    fn of(officer: Option<&Officer>, at: At) -> Self {
        let (left, warned) = officer.map_or((0, 0), |officer| (officer.left(), officer.warned()));
        Self { name: officer.map(|officer| officer.name().to_owned()), left, warned, at }
    }

    /// Address, text and whether it is here, for each place.
    fn places(&self) -> [(&'static str, &'static str, bool); 5] {
        [
            ("/officer/cases", "officer-queue", self.at == At::Queue),
            ("/officer/appointments", "officer-appointments", self.at == At::Appointments),
            ("/officer/p-codes", "officer-p-codes", self.at == At::PCodes),
            ("/officer/identities", "officer-identities", self.at == At::Identities),
            ("/officer/code-devices", "code-devices", self.at == At::CodeDevices),
        ]
    }
}
