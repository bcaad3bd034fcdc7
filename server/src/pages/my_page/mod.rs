//! My page (REQUIREMENTS F1, F2, F5): what has happened to one's identity, what one logs in with, notices, PIN,
//! contacts, all that is kept, and erasing it. A browser gets in by a log-in at our own provider (docs/my-page.md);
//! the token of its session is in a cookie that no script reads.

mod activities;
mod block;
mod contacts;
mod erase;
mod export;
mod log_in;
mod means;
mod overview;
mod password;
mod pin;

use super::citizen::{arrive as citizen_arrive, to, trouble};
use super::layout::{Layout, Why};
use super::visit::{Cookie, Visit};
use crate::app::{App, AppError, Holder, Means, MeansKind, Place};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use std::sync::Arc;

/// Longest form.
const FORM_LIMIT: usize = 16 * 1024;

/// The routes of My page, and of the page that a notice leads to.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/my", get(overview::show))
        .route("/my/log-in", post(log_in::begin))
        .route("/my/approve", post(log_in::step_up))
        .route("/my/back", get(log_in::back))
        .route("/my/log-out", post(log_in::out))
        .route("/my/activities", get(activities::show))
        .route("/my/means", get(means::show))
        .route("/my/means/name", post(means::name))
        .route("/my/means/block", get(means::ask).post(means::block))
        .route("/my/means/reopen", post(means::reopen))
        .route("/my/means/lose", get(means::ask_lost).post(means::lose))
        .route("/my/means/find", post(means::find))
        .route("/my/block", post(means::block_all))
        .route("/my/contacts", get(contacts::show).post(contacts::keep))
        .route("/my/pin", get(pin::show).post(pin::change))
        .route("/my/password", get(password::show).post(password::change))
        .route("/my/export", get(export::show))
        .route("/my/export.json", get(export::file))
        .route("/my/erase", get(erase::show).post(erase::erase))
        .route("/my/{*rest}", get(trouble::missing))
        .route("/block", get(block::show).post(block::send))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(from_fn_with_state(app.clone(), citizen_arrive::arrive))
        .route_layer(from_fn_with_state(app.clone(), crate::http::watch::watch))
        .with_state(app)
        .layer(from_fn(referrer))
}

/// A form's origin is told to ourselves, by which older browsers show where it comes from.
async fn referrer(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let value = HeaderValue::from_static("same-origin");
    response.headers_mut().insert(header::REFERRER_POLICY, value);
    response
}

/// A browser whose person is logged in.
struct Signed {
    visit: Visit,
    holder: Holder,
}

impl FromRequestParts<Arc<App>> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let visit = Visit::of(&parts.headers, app.server.public_url.as_deref());
        let Ok(place) = Place::from_request_parts(parts, app).await;
        let token = visit.my.as_ref().map_or("", |token| token.as_str());
        match app.holder(token, place).await {
            Ok(holder) => Ok(Self { visit, holder }),
            Err(AppError::Unauthorized) if parts.method == Method::GET => Err(to("/my")),
            // Nothing of a form that comes too late is done.
            Err(AppError::Unauthorized) => Err(log_in::over(&visit)),
            Err(error) => Err(trouble::of(&visit, error)),
        }
    }
}

/// A place in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Overview,
    Activities,
    Means,
    Contacts,
    Pin,
    Password,
    Export,
    Erase,
}

impl At {
    /// Address, text and whether it is here, for each place.
    fn places(self) -> [(&'static str, &'static str, bool); 8] {
        [
            ("/my", "my-nav-overview", self == Self::Overview),
            ("/my/activities", "my-nav-activities", self == Self::Activities),
            ("/my/means", "my-nav-means", self == Self::Means),
            ("/my/contacts", "my-nav-contacts", self == Self::Contacts),
            ("/my/pin", "my-nav-pin", self == Self::Pin),
            ("/my/password", "my-nav-password", self == Self::Password),
            ("/my/export", "my-nav-export", self == Self::Export),
            ("/my/erase", "my-nav-erase", self == Self::Erase),
        ]
    }

    /// Its name, for going back to it after an approval.
    fn name(self) -> &'static str {
        match self {
            Self::Overview => "",
            Self::Activities => "activities",
            Self::Means => "means",
            Self::Contacts => "contacts",
            Self::Pin => "pin",
            Self::Password => "password",
            Self::Export => "export",
            Self::Erase => "erase",
        }
    }
}

/// What a person calls one of their means, or what it is and which.
pub(super) fn called(l: &Layout, means: &Means) -> String {
    let which = || means.serial.clone().unwrap_or_else(|| means.number.to_string());
    match (&means.name, means.kind) {
        (Some(name), _) => name.clone(),
        (None, MeansKind::App) => l.with("my-app-number", "count", means.number.to_string()),
        (None, MeansKind::CodeDisplay) => l.with("my-code-display", "which", which()),
        (None, MeansKind::AudioReader) => l.with("my-audio-reader", "which", which()),
    }
}

/// The text of how one of the means stands.
pub(super) fn state(means: &Means) -> &'static str {
    match means.state {
        "pending" => "my-state-pending",
        "waiting" => "my-state-waiting",
        "active" => "my-state-active",
        "locked" => "my-state-locked",
        "blocked" => "my-state-blocked",
        "ordered" => "my-state-ordered",
        "inactive" => "my-state-inactive",
        "lost" => "my-state-lost",
        _ => "my-state-dead",
    }
}

/// What is said of an operation that was refused on its own page; `Err` for what has a page of its own.
fn refused(visit: &Visit, error: AppError) -> Result<Why, AppError> {
    match error {
        AppError::Reason(code) => Ok(Why::reason(visit.language, code)),
        error => Err(error),
    }
}

/// What is said of what failed: a session that a block ended meanwhile is over, and nothing of it is done.
fn failed(visit: &Visit, error: AppError) -> Response {
    match error {
        AppError::Unauthorized => log_in::over(visit),
        error => trouble::of(visit, error),
    }
}

/// The browser forgets its session.
fn forget(visit: &Visit, response: &mut Response) {
    response.headers_mut().append(header::SET_COOKIE, visit.erase(Cookie::My));
}
