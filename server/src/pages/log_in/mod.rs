//! The pages of a log-in: a relying party sends a browser here with a pushed request; the person types a user
//! ID or not, and the page shows a QR code in two halves or opens the app on the same device
//! (docs/log-in.md).

pub(crate) mod arrive;
mod ended;
pub(crate) mod logout;
mod qr;
mod start;

use super::citizen::{arrive as citizen_arrive, trouble};
use super::visit::Visit;
use crate::app::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Longest form.
const FORM_LIMIT: usize = 16 * 1024;

/// The routes of the pages, and of where relying parties send browsers.
pub fn router(app: Arc<App>) -> Router {
    let pages = Router::new()
        .route("/log-in", get(start::show).post(start::name))
        .route("/log-in/qr", get(qr::show))
        .route("/log-in/qr/{half}", get(qr::half))
        .route("/log-in/state", get(qr::state))
        .route("/log-in/switch", post(qr::switch))
        .route("/log-in/continue", get(ended::go_on))
        .route("/log-in/cancel", post(ended::cancel))
        .route("/log-in/ended", get(ended::show))
        .route("/log-in/{*rest}", get(trouble::missing))
        .layer(from_fn_with_state(app.clone(), citizen_arrive::arrive));
    // Where others' pages lead to: what these do is guarded by the pushed request or the ID token.
    Router::new()
        .route("/oidc/authorize", get(arrive::get).post(arrive::post))
        .route("/oidc/logout", get(logout::get).post(logout::post))
        .merge(pages)
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
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

/// What opens the log-in before this browser; that of one that brings nothing opens none.
fn secret(visit: &Visit) -> Zeroizing<String> {
    visit.log_in.clone().unwrap_or_default()
}

/// Goes on to `path` with a GET.
fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
