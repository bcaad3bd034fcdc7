//! The citizen's enrolment, page by page (DESIGN §8, REQUIREMENTS M1): forms that the server renders and
//! reads, and small scripts where a camera or a chip is needed. Each page acts through the use cases that
//! the JSON interface acts through; the token is in a cookie that no script can read.

mod activate;
pub(super) mod arrive;
mod center;
mod chip;
mod code_device;
mod consent;
mod contacts;
mod done;
mod face;
mod hand_over;
mod next;
mod number;
mod order;
mod page;
mod pick_up;
mod result;
mod start;
pub(super) mod trouble;
mod user_id;

use super::design::Design;
use super::visit::Visit;
use super::{kiosk, officer, support};
use crate::app::{Access, App, AppError};
use crate::limits::Kind;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts};
use axum::http::request::Parts;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::convert::Infallible;
use std::sync::Arc;
use tokio::time::Instant;
use tower_http::compression::CompressionLayer;
use zeroize::Zeroizing;

/// Longest form.
const FORM_LIMIT: usize = 16 * 1024;
/// Where the bridge of a desk's reader listens (docs/bridges.md).
pub(super) const BRIDGE: &str = "ws://127.0.0.1:8490";

/// The routes of the pages and of what they load.
pub fn router(app: Arc<App>, design: Design) -> Router {
    let pictures = Router::new()
        .route("/enrol/page/frame", post(page::frame))
        .route("/enrol/face/frame", post(face::frame))
        .route("/enrol/face/picture", post(face::picture))
        .layer(DefaultBodyLimit::max(app.server.max_picture));
    let captures = Router::new()
        .route("/enrol/face/capture", post(face::capture))
        .layer(DefaultBodyLimit::max(crate::http::CAPTURE_LIMIT));
    Router::new()
        .route("/enrol", get(start::show))
        .route("/enrol/again", get(start::ask_again).post(start::again))
        .route("/enrol/helper", get(start::unasked).post(start::help))
        .route("/enrol/leave", post(start::leave))
        .route("/enrol/next", get(next::show))
        .route("/enrol/consent", get(consent::show).post(consent::agree))
        .route("/enrol/borgercenter", get(center::show).post(center::book))
        .route("/enrol/borgercenter/reference", post(center::reference))
        .route("/enrol/borgercenter/cancel", post(center::cancel))
        .route("/enrol/pick-up", get(pick_up::show).post(pick_up::send))
        .route("/enrol/number", get(number::show).post(number::send))
        .route("/enrol/page", get(page::show).post(page::typed))
        .route("/enrol/chip", get(chip::show))
        .route("/enrol/chip/ticket", post(chip::ticket))
        .route("/enrol/chip/state", get(chip::state))
        .route("/enrol/face", get(face::show))
        .route("/enrol/face/challenge", post(face::challenge))
        .route("/enrol/result", get(result::show).post(result::decide))
        .route("/enrol/hand-over", get(hand_over::show).post(hand_over::draw))
        .route("/enrol/user-id", get(user_id::show).post(user_id::choose))
        .route("/enrol/contacts", get(contacts::show).post(contacts::keep))
        .route("/enrol/activate", get(activate::show).post(activate::activate))
        .route("/enrol/activate/app", post(activate::register))
        .route("/enrol/code-device", get(code_device::show).post(code_device::ask))
        .route("/enrol/code-device/activate", post(code_device::activate))
        .route("/enrol/order", get(order::show).post(order::order))
        .route("/enrol/done", get(done::show))
        .route("/enrol/{*rest}", get(trouble::missing))
        .merge(kiosk::routes())
        .merge(officer::routes())
        .merge(support::routes())
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .merge(pictures)
        .merge(captures)
        .method_not_allowed_fallback(trouble::method)
        .layer(from_fn_with_state(app.clone(), arrive::arrive))
        .route_layer(from_fn_with_state(app.clone(), crate::http::watch::watch))
        .with_state(app)
        .merge(design.router())
        .layer(from_fn(arrive::answer))
        .layer(CompressionLayer::new())
}

/// `/` of a service without a demonstration: the pages.
pub fn root() -> Router {
    Router::new().route("/", get(|| async { Redirect::to("/enrol") }))
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::to(app, &parts.headers))
    }
}

/// A browser that has a case, and may act on it.
struct Citizen {
    visit: Visit,
    access: Access,
    token: Zeroizing<String>,
}

impl FromRequestParts<Arc<App>> for Citizen {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let mut visit = Visit::to(app, &parts.headers);
        let Some((id, token)) = visit.case.take() else { return Err(trouble::session(&visit)) };
        let kind = if parts.uri.path().ends_with("/frame") { Kind::Frame } else { Kind::Case };
        // Who only knows the number uses up nothing of its owner's.
        let found = async {
            let access = access(app, &id, &token).await?;
            app.spend(kind, id.as_bytes(), Instant::now())?;
            Ok(access)
        };
        match found.await {
            Ok(access) => Ok(Self { visit, access, token }),
            Err(AppError::UnknownCase | AppError::Unauthorized) => Err(trouble::session(&visit)),
            Err(error) => Err(trouble::of(&visit, error)),
        }
    }
}

/// The access to the case `id` that `token` gives: of who began it, of a kiosk, or of who picked up what
/// came of it.
pub(super) async fn access(app: &App, id: &str, token: &str) -> Result<Access, AppError> {
    match app.authorise(id, token).await {
        Err(AppError::Unauthorized) => app.authorise_owner(id, token).await,
        found => found,
    }
}

/// Goes on to `path` with a GET.
pub(super) fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
