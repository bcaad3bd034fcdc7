//! When a page of an officer cannot be shown.

use super::super::citizen::trouble::told;
use super::super::layout::{Layout, Why};
use super::super::{html, visit::Visit};
use super::{At, Frame, Signed};
use crate::app::{AppError, Officer};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[derive(Template)]
#[template(path = "officer/trouble.html")]
struct Page {
    l: Layout,
    frame: Frame,
    why: Why,
    /// What was written on a form of which nothing was done.
    unsent: String,
}

/// An operation that failed.
pub(super) fn of(visit: &Visit, officer: Option<&Officer>, error: AppError) -> Response {
    unsent((visit, officer), error, String::new())
}

/// The same of a form that took time to write: what was written is shown, where the form itself cannot be.
pub(super) fn unsent(
    (visit, officer): (&Visit, Option<&Officer>),
    error: AppError,
    written: String,
) -> Response {
    let lang = visit.language;
    let (status, why) = match error {
        AppError::UnknownCase => (StatusCode::NOT_FOUND, Why::text(lang, "officer-unknown")),
        error => told(visit, error),
    };
    page((visit, officer), status, why, written)
}

/// An address that leads nowhere.
pub(super) async fn missing(Signed { visit, officer }: Signed) -> Response {
    let why = Why::text(visit.language, "officer-unknown");
    page((&visit, Some(&officer)), StatusCode::NOT_FOUND, why, String::new())
}

/// A page that is shown for a short while only.
pub(super) fn over((visit, officer): (&Visit, &Officer), text: &str) -> Response {
    let why = Why::text(visit.language, text);
    page((visit, Some(officer)), StatusCode::NOT_FOUND, why, String::new())
}

fn page(
    (visit, officer): (&Visit, Option<&Officer>),
    status: StatusCode,
    why: Why,
    unsent: String,
) -> Response {
    let (l, frame) = (Layout::of_staff(visit, "trouble-title"), Frame::of(officer, At::Elsewhere));
    (status, html(&Page { l, frame, why, unsent })).into_response()
}
