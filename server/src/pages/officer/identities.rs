//! Opening a blocked identity again (F2, F3).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::draft::{Draft, Sent};
use super::{At, Frame, Signed, trouble};
use crate::app::{App, AppError, Officer};
use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/identities.html")]
struct Page {
    l: Layout,
    frame: Frame,
    error: Option<Why>,
    open: bool,
    given: Given,
}

/// Which identity, and why.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Given {
    id: String,
    reason: String,
    /// Whether the reason is from before the officer signed in.
    #[serde(skip)]
    kept: bool,
}

fn page(
    (visit, officer): (&Visit, &Officer),
    error: Option<Why>,
    open: bool,
    given: Given,
) -> Response {
    let (l, frame) =
        (Layout::of_staff(visit, "officer-identities"), Frame::of(Some(officer), At::Identities));
    html(&Page { l, frame, error, open, given })
}

pub(super) async fn show(
    Signed { visit, officer }: Signed,
    Query(given): Query<Given>,
) -> Response {
    page((&visit, &officer), None, false, given)
}

/// The form with what an officer had written before they signed in.
pub(super) fn again(whose: (&Visit, &Officer), Draft { id, reason, .. }: Draft) -> Response {
    page(whose, None, false, Given { id, reason, kept: true })
}

pub(super) async fn reopen(
    State(app): State<Arc<App>>,
    Sent { signed: Signed { visit, officer }, form }: Sent<Given>,
) -> Response {
    let whose = (&visit, &officer);
    let Ok(Form(given)) = form else {
        return trouble::of(&visit, Some(&officer), AppError::Malformed);
    };
    let opened = match serde_json::from_value(json!({ "reason": given.reason })) {
        Ok(reopening) => app.reopen_by(&officer, given.id.trim(), reopening).await,
        Err(_) => Err(AppError::Malformed),
    };
    let why = match opened {
        Ok(life) => {
            return page(whose, None, !life.blocked, Given { reason: String::new(), ..given });
        }
        Err(AppError::UnknownCase) => Why::text(visit.language, "identities-unknown"),
        Err(AppError::Reason(code)) => Why::reason(visit.language, code),
        Err(error) => {
            return trouble::unsent((&visit, Some(&officer)), error, given.reason);
        }
    };
    (StatusCode::UNPROCESSABLE_ENTITY, page(whose, Some(why), false, given)).into_response()
}
