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
}

/// An operation that failed.
pub(super) fn of(visit: &Visit, officer: Option<&Officer>, error: AppError) -> Response {
    let lang = visit.language;
    let (status, why) = match error {
        AppError::UnknownCase => (StatusCode::NOT_FOUND, Why::text(lang, "officer-unknown")),
        error => told(visit, error),
    };
    page(visit, officer, status, why)
}

/// An address that leads nowhere.
pub(super) async fn missing(Signed { visit, officer }: Signed) -> Response {
    let why = Why::text(visit.language, "officer-unknown");
    page(&visit, Some(&officer), StatusCode::NOT_FOUND, why)
}

fn page(visit: &Visit, officer: Option<&Officer>, status: StatusCode, why: Why) -> Response {
    let (l, frame) = (Layout::of_staff(visit, "trouble-title"), Frame::of(officer, At::Elsewhere));
    (status, html(&Page { l, frame, why })).into_response()
}
