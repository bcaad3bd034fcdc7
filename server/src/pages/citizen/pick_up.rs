//! A code brings an identity to this device: from the device of somebody who helped, or from a Borgercenter.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CASE_AGE, Cookie, Visit};
use super::{to, trouble};
use crate::app::{App, AppError, GivenPickUp, PickedUp};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "citizen/pick_up.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
}

fn page(visit: &Visit, error: Option<Why>) -> Response {
    html(&Page { l: Layout::of(visit, 0, "pick-title"), error })
}

pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, None)
}

/// From here on the browser acts with the token of the owner, who is at home here.
pub(super) async fn send(
    State(app): State<Arc<App>>,
    mut visit: Visit,
    form: Result<Form<GivenPickUp>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.pick_up(given).await {
        Ok(PickedUp { token, enrolment, .. }) => {
            let case = Zeroizing::new(format!("{enrolment}.{token}"));
            visit.helper = false;
            let mut response = to("/enrol/next");
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, visit.set(Cookie::Case, &case, Some(CASE_AGE)));
            headers.append(header::SET_COOKIE, visit.erase(Cookie::Helper));
            headers.append(header::SET_COOKIE, visit.erase(Cookie::Reference));
            response
        }
        Err(AppError::Reason(code)) if code.as_str().starts_with("pick_up.") => {
            let page = page(&visit, Some(Why::reason(visit.language, code)));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(&visit, error),
    }
}
