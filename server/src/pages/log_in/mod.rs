//! The pages of a log-in: a relying party sends a browser here with a pushed request; the person types a user
//! ID or not, and the page shows a QR code in two halves, opens the app on the same device, or takes password
//! and code of a code device (docs/log-in.md).

pub(crate) mod arrive;
mod code;
mod ended;
pub(crate) mod logout;
mod qr;
mod start;

use super::citizen::{arrive as citizen_arrive, trouble};
use super::visit::Visit;
use crate::app::App;
use crate::ids::LogInId;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use std::convert::Infallible;
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
        .route("/log-in/code", get(code::show).post(code::send))
        .route("/log-in/state", get(qr::state))
        .route("/log-in/switch", post(qr::switch))
        .route("/log-in/continue", get(ended::go_on))
        .route("/log-in/cancel", post(ended::cancel))
        .route("/log-in/ended", get(ended::show))
        .route("/log-in/{*rest}", get(trouble::missing_in_log_in))
        .method_not_allowed_fallback(trouble::method_in_log_in)
        .layer(from_fn_with_state(app.clone(), citizen_arrive::arrive));
    // Where others' pages lead to: what these do is guarded by the pushed request or the ID token.
    Router::new()
        .route("/oidc/authorize", get(arrive::get).post(arrive::post))
        .route("/oidc/logout", get(logout::get).post(logout::post))
        .merge(pages)
        .method_not_allowed_fallback(trouble::method_in_log_in)
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

/// The log-in that a page is of, as each of its requests says (`?log_in=`): a browser has one cookie, and
/// another tab may have begun another log-in since. What a page does it does to its own or to none.
#[derive(Debug, Clone, Copy)]
struct Of(Option<LogInId>);

impl<S: Sync> FromRequestParts<S> for Of {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "log_in");
        Ok(Self(found.and_then(|(_, value)| value.parse().ok())))
    }
}

impl Of {
    /// For a page that is only shown: where its address names none, the one before this browser.
    fn or_before(self, visit: &Visit) -> Self {
        Self(self.0.or(visit.log_in.as_ref().map(|(id, _)| *id)))
    }

    /// What opens it, if it is the one before this browser; else what opens none.
    fn secret(self, visit: &Visit) -> Zeroizing<String> {
        match &visit.log_in {
            Some((id, secret)) if self.0 == Some(*id) => secret.clone(),
            _ => Zeroizing::default(),
        }
    }

    /// Its identifier, as a page has it.
    fn name(self) -> String {
        self.0.map(|id| id.to_string()).unwrap_or_default()
    }

    /// Goes on to `path`, of the same log-in.
    fn to(self, path: &str) -> Response {
        match self.0 {
            Some(id) => to(&format!("{path}?log_in={id}")),
            None => to(path),
        }
    }
}

/// Goes on to `path` with a GET.
fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
