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
use axum::http::{StatusCode, header};
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
    let draft = Draft::own(&visit, &officer, "/officer/identities");
    let given = match draft.filter(|draft| given.id.is_empty() || given.id == draft.id) {
        Some(Draft { id, reason, .. }) => Given { id, reason, kept: true },
        None => given,
    };
    page((&visit, &officer), None, false, given)
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
            let given = Given { reason: String::new(), ..given };
            let mut response = page(whose, None, !life.blocked, given);
            for cookie in Draft::forget(&visit) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            return response;
        }
        Err(AppError::UnknownCase) => Why::text(visit.language, "identities-unknown"),
        Err(AppError::Reason(code)) => Why::reason(visit.language, code),
        Err(error) => {
            return trouble::unsent((&visit, Some(&officer)), error, given.reason);
        }
    };
    (StatusCode::UNPROCESSABLE_ENTITY, page(whose, Some(why), false, given)).into_response()
}
