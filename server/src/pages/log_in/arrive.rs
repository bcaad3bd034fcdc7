//! The authorization endpoint (RFC 6749 §3.1, RFC 9126 §4): a browser comes with a pushed request.

use super::super::visit::{CHOICE_AGE, Cookie, Visit};
use super::{Of, to, trouble};
use crate::app::{App, AppError, Arrived, Place};
use crate::oidc::{OauthError, Params};
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::header;
use axum::response::Response;
use std::sync::Arc;

/// Where a relying party sends a browser with a pushed request: it gets a cookie and the page of the log-in, or
/// goes back at once where nobody may be asked.
#[utoipa::path(get, path = "/oidc/authorize", tag = "openid",
    params(("client_id" = String, Query, description = "Which relying party"),
        ("request_uri" = String, Query, description = "What pushing answered")), responses(
    (status = 303, description = "To the page of the log-in, or back with `error`, `state` and `iss`"),
    (status = 400, description = "A parameter is missing or comes twice, or there are too many: a page that says so", content_type = "text/html"),
    (status = 410, description = "The request is used, late, unknown or another's: a page that says so", content_type = "text/html"),
    (status = 500, description = "Our fault: a page that says so", content_type = "text/html"),
))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    visit: Visit,
    place: Place,
    RawQuery(query): RawQuery,
) -> Response {
    arrive(&app, (&visit, &place), Params::of_query(query.as_deref())).await
}

/// The same by a form (OpenID Connect Core §3.1.2.1 has both methods).
#[utoipa::path(post, path = "/oidc/authorize", tag = "openid",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 303, description = "To the page of the log-in, or back with `error`, `state` and `iss`"),
    (status = 400, description = "A parameter is missing or comes twice, or there are too many: a page that says so", content_type = "text/html"),
    (status = 410, description = "The request is used, late, unknown or another's: a page that says so", content_type = "text/html"),
    (status = 413, description = "Too long", content_type = "text/plain"),
    (status = 500, description = "Our fault: a page that says so", content_type = "text/html"),
))]
pub(crate) async fn post(
    State(app): State<Arc<App>>,
    visit: Visit,
    place: Place,
    body: Bytes,
) -> Response {
    arrive(&app, (&visit, &place), Params::read(&body)).await
}

async fn arrive(
    app: &App,
    (visit, place): (&Visit, &Place),
    params: Result<Params, OauthError>,
) -> Response {
    let Ok(params) = params else { return trouble::of(visit, AppError::Malformed) };
    let (client_id, request_uri) = (params.get("client_id"), params.get("request_uri"));
    let Some(request) = client_id.zip(request_uri) else {
        return trouble::of(visit, AppError::Malformed);
    };
    let before = visit.log_in.as_ref().map(|(_, secret)| secret.as_str());
    match app.arrive(request, (before, place)).await {
        Ok(Arrived::Page { log_in, browser, language }) => {
            let mut response = Of(Some(log_in)).to("/log-in");
            let headers = response.headers_mut();
            let cookie = visit.set(Cookie::LogIn, &format!("{log_in}.{browser}"), None);
            headers.append(header::SET_COOKIE, cookie);
            if let Some(language) = language {
                let cookie = visit.set(Cookie::Language, &language, Some(CHOICE_AGE));
                headers.append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(Arrived::Back(address)) => to(&address),
        Err(error) => trouble::of(visit, error),
    }
}
