//! The personal number, with which the case starts.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CASE_AGE, Cookie, Visit};
use super::{consent, to, trouble};
use crate::app::{App, AppError};
use crate::config::Secret;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "citizen/number.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
}

#[derive(Deserialize)]
pub(super) struct Given {
    cpr: Secret,
}

pub(super) async fn show(visit: Visit) -> Response {
    match consent::agreed(&visit) {
        Some(_) => html(&Page { l: Layout::of(&visit, 3, "number-title"), error: None }),
        None => to("/enrol/consent"),
    }
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let Some((version, language)) = consent::agreed(&visit) else { return to("/enrol/consent") };
    let consent =
        json!({ "terms_version": version, "biometrics": true, "language": language.code() });
    let start = json!({ "consent": consent, "cpr": given.cpr.expose().trim() });
    let started = match serde_json::from_value(start) {
        Ok(start) => app.start(start).await,
        Err(_) => Err(AppError::Malformed),
    };
    match started {
        Ok(started) => {
            let case = Zeroizing::new(format!("{}.{}", started.id, started.token));
            let mut response = to("/enrol/page");
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, visit.set(Cookie::Case, &case, Some(CASE_AGE)));
            headers.append(header::SET_COOKIE, visit.erase(Cookie::Agreed));
            response
        }
        Err(AppError::Malformed) => {
            let error = Some(Why::text(visit.language, "number-form"));
            let page = html(&Page { l: Layout::of(&visit, 3, "number-title"), error });
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(AppError::Reason(ReasonCode::CASE_CONSENT)) => to("/enrol/consent"),
        Err(error) => trouble::of(&visit, error),
    }
}
