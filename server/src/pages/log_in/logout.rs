//! A relying party sends a person to log out (OpenID Connect RP-Initiated Logout 1.0).

use super::super::html;
use super::super::layout::{Layout, Why as Told};
use super::super::visit::Visit;
use super::{to, trouble};
use crate::app::{App, AppError, LoggedOut};
use crate::http::oidc::Issuer;
use crate::http::problem::Problem;
use crate::oidc::{OauthError, Params};
use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/log_in/ended.html")]
struct Page {
    l: Layout,
    why: Told,
    party: String,
    way: Option<String>,
}

/// Where a relying party sends a person to log out. Without the ID token of a session nothing is ended.
#[utoipa::path(get, path = "/oidc/logout", tag = "openid",
    params(("id_token_hint" = Option<String>, Query, description = "The ID token of the session"),
        ("client_id" = Option<String>, Query, description = "Which relying party"),
        ("post_logout_redirect_uri" = Option<String>, Query, description = "One that is registered"),
        ("state" = Option<String>, Query, description = "Comes back as it is")), responses(
    (status = 200, description = "A page that says that the session is over, or that nothing has ended", content_type = "text/html"),
    (status = 303, description = "Back to the relying party"),
    (status = 400, description = "A parameter comes twice, or there are too many: a page that says so", content_type = "text/html"),
    (status = 410, description = "The ID token is not one of ours: a page that says so", content_type = "text/html"),
    (status = 500, description = "Our fault: a page that says so", content_type = "text/html"),
    (status = 503, description = "No public address is configured: a page that says so", content_type = "text/html"),
))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    visit: Visit,
    issuer: Result<Issuer, Problem>,
    RawQuery(query): RawQuery,
) -> Response {
    log_out(&app, (&visit, issuer), Params::of_query(query.as_deref())).await
}

/// The same by a form (RP-Initiated Logout §2 has both methods).
#[utoipa::path(post, path = "/oidc/logout", tag = "openid",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "A page that says that the session is over, or that nothing has ended", content_type = "text/html"),
    (status = 303, description = "Back to the relying party"),
    (status = 400, description = "A parameter comes twice, or there are too many: a page that says so", content_type = "text/html"),
    (status = 410, description = "The ID token is not one of ours: a page that says so", content_type = "text/html"),
    (status = 413, description = "Too long", content_type = "text/plain"),
    (status = 500, description = "Our fault: a page that says so", content_type = "text/html"),
    (status = 503, description = "No public address is configured: a page that says so", content_type = "text/html"),
))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    visit: Visit,
    issuer: Result<Issuer, Problem>,
    body: Bytes,
) -> Response {
    log_out(&app, (&visit, issuer), Params::read(&body)).await
}

async fn log_out(
    app: &App,
    (visit, issuer): (&Visit, Result<Issuer, Problem>),
    params: Result<Params, OauthError>,
) -> Response {
    // Only people are sent here.
    let Ok(Issuer(issuer)) = issuer else {
        let page = stayed(visit, "log-in-not-out-title", "log-in-out-nowhere");
        return (StatusCode::SERVICE_UNAVAILABLE, page).into_response();
    };
    let Ok(params) = params else { return trouble::of(visit, AppError::Malformed) };
    match app.log_out(&params, &issuer).await {
        Ok(LoggedOut::To(address)) => to(&address),
        Ok(LoggedOut::Here) => stayed(visit, "log-in-out-title", "log-in-out"),
        Ok(LoggedOut::Nothing) => stayed(visit, "log-in-not-out-title", "log-in-not-out"),
        Err(error) => trouble::of(visit, error),
    }
}

fn stayed(visit: &Visit, title: &'static str, text: &'static str) -> Response {
    html(&Page {
        l: Layout::of(visit, 0, title),
        why: Told::text(visit.language, text),
        party: String::new(),
        way: None,
    })
}
