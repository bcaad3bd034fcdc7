//! A code brings an identity to this device: from the device of somebody who helped, or from a Borgercenter.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CASE_AGE, Cookie, Visit};
use super::{to, trouble};
use crate::app::{App, AppError};
use crate::config::Secret;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "citizen/pick_up.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
}

#[derive(Deserialize)]
pub(super) struct Given {
    code: Secret,
}

fn page(visit: &Visit, error: Option<Why>) -> Response {
    html(&Page { l: Layout::of(visit, 8, "pick-title"), error })
}

pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, None)
}

/// Makes this device the owner's.
pub(super) async fn pick_up(
    State(app): State<Arc<App>>,
    mut visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let given = serde_json::from_value(json!({ "code": given.code.expose() }));
    let picked = match given {
        Ok(given) => app.picked_up(given).await,
        Err(_) => Err(AppError::Malformed),
    };
    match picked {
        Ok((id, picked)) => {
            let case = Zeroizing::new(format!("{id}.{}", picked.token));
            // Whoever picks an identity up here is at home here.
            visit.helper = false;
            let mut response = to("/enrol/next");
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, visit.set(Cookie::Case, &case, Some(CASE_AGE)));
            headers.append(header::SET_COOKIE, visit.erase(Cookie::Helper));
            response
        }
        Err(AppError::Reason(code)) if code.as_str().starts_with("pick_up.") => {
            let page = page(&visit, Some(Why::reason(visit.language, code)));
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(&visit, error),
    }
}
