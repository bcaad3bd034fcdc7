//! When a page cannot be shown: what happened, what to do now, and the Borgercenter.

use super::super::layout::{Layout, Why};
use super::super::{html, visit::Visit};
use super::to;
use crate::app::AppError;
use crate::http::problem::{after, chain, status_of};
use askama::Template;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use serde::Serialize;

#[derive(Template)]
#[template(path = "citizen/trouble.html")]
struct Page {
    l: Layout,
    why: Why,
    /// Where it goes on: address and text.
    to: Option<(String, &'static str)>,
}

fn page(visit: &Visit, status: StatusCode, title: &'static str, why: Why) -> Response {
    let l = Layout::of(visit, 0, title);
    let to = l.kiosk.is_none().then(|| ("/enrol".to_owned(), "trouble-start"));
    (status, html(&Page { l, why, to })).into_response()
}

/// No case, or not this browser's.
pub(super) fn session(visit: &Visit) -> Response {
    if visit.station.is_some() {
        return to("/kiosk");
    }
    let why = Why::text(visit.language, "trouble-session");
    page(visit, StatusCode::UNAUTHORIZED, "trouble-session-title", why)
}

/// Not sent by our own page.
pub(super) fn origin(visit: &Visit) -> Response {
    let why = Why::text(visit.language, "trouble-origin");
    page(visit, StatusCode::FORBIDDEN, "trouble-origin-title", why)
}

/// An address that leads nowhere.
pub(in crate::pages) async fn missing(visit: Visit) -> Response {
    missing_of(&visit)
}

/// The same where something named in a form or address is not there.
pub(in crate::pages) fn missing_of(visit: &Visit) -> Response {
    let why = Why::text(visit.language, "trouble-missing");
    page(visit, StatusCode::NOT_FOUND, "trouble-missing-title", why)
}

/// An address that is not asked so.
pub(in crate::pages) async fn method(visit: Visit) -> Response {
    method_of(&visit)
}

/// The same for who has the visit at hand.
pub(in crate::pages) fn method_of(visit: &Visit) -> Response {
    let why = Why::text(visit.language, "trouble-method");
    page(visit, StatusCode::METHOD_NOT_ALLOWED, "trouble-method-title", why)
}

/// An address among those of a log-in that leads nowhere.
pub(in crate::pages) async fn missing_in_log_in(visit: Visit) -> Response {
    in_log_in(&visit, StatusCode::NOT_FOUND, "trouble-missing-title")
}

/// One that is not asked so.
pub(in crate::pages) async fn method_in_log_in(visit: Visit) -> Response {
    in_log_in(&visit, StatusCode::METHOD_NOT_ALLOWED, "trouble-method-title")
}

/// Who logs in goes on with that, where this browser has one before it: never to an enrolment.
fn in_log_in(visit: &Visit, status: StatusCode, title: &'static str) -> Response {
    let (text, to) = match &visit.log_in {
        Some((id, _)) => {
            ("trouble-log-in", Some((format!("/log-in?log_in={id}"), "trouble-log-in-on")))
        }
        None => ("trouble-log-in-none", None),
    };
    let (l, why) = (Layout::of(visit, 0, title), Why::text(visit.language, text));
    (status, html(&Page { l, why, to })).into_response()
}

/// An operation that failed.
pub(in crate::pages) fn of(visit: &Visit, error: AppError) -> Response {
    let later = after(&error);
    let (status, why) = told(visit, error);
    with(later, page(visit, status, "trouble-title", why))
}

/// Says when it may be tried again, seconds (RFC 9110 §10.2.3).
fn with(later: Option<u64>, mut response: Response) -> Response {
    response.headers_mut().extend(later.map(|seconds| (header::RETRY_AFTER, seconds.into())));
    response
}

/// What a person is told of `error`, with the status for it.
pub(in super::super) fn told(visit: &Visit, error: AppError) -> (StatusCode, Why) {
    let lang = visit.language;
    match error {
        AppError::Reason(code) => (status_of(code), Why::reason(lang, code)),
        AppError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, Why::text(lang, "trouble-busy")),
        AppError::TooOften(_) => {
            let code = ReasonCode::REQUEST_TOO_OFTEN;
            (StatusCode::TOO_MANY_REQUESTS, Why::reason(lang, code))
        }
        AppError::UnknownCase | AppError::Unauthorized => {
            (StatusCode::UNAUTHORIZED, Why::text(lang, "trouble-session"))
        }
        AppError::Malformed => (StatusCode::BAD_REQUEST, Why::text(lang, "trouble-form")),
        AppError::Internal(source) => {
            tracing::error!(error = %chain(source.as_ref()), "a page failed");
            (StatusCode::INTERNAL_SERVER_ERROR, Why::text(lang, "trouble-internal"))
        }
    }
}

/// What a script shows of `error`.
#[derive(Serialize)]
pub(super) struct Told {
    text: String,
    next: Option<String>,
    code: Option<&'static str>,
    /// Nothing was counted: it may be asked again in a moment.
    busy: bool,
}

/// The same for a script.
pub(in crate::pages) fn json(visit: &Visit, error: AppError) -> Response {
    let later = after(&error);
    let busy = matches!(error, AppError::Busy(_) | AppError::TooOften(_));
    let (status, Why { text, next, code }) = told(visit, error);
    with(later, (status, Json(Told { text, next, code, busy })).into_response())
}
