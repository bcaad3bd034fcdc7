//! The personal number, or a P-code of a Borgercenter (A4), with which the case starts.

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CASE_AGE, Cookie, Visit};
use super::consent::Consented;
use super::{center, consent, to, trouble};
use crate::app::{App, AppError, Started};
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
    /// Whether a P-code was given.
    with_code: bool,
}

/// One of the two.
#[derive(Deserialize)]
pub(super) struct Given {
    #[serde(default)]
    cpr: Option<Secret>,
    #[serde(default)]
    p_code: Option<Secret>,
}

fn page(visit: &Visit, error: Option<Why>, with_code: bool) -> Response {
    html(&Page { l: Layout::of(visit, 3, "number-title"), error, with_code })
}

pub(super) async fn show(visit: Visit) -> Response {
    match consent::agreed(&visit) {
        Some(_) => page(&visit, None, false),
        None => to("/enrol/consent"),
    }
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let Some(consented) = consent::agreed(&visit) else { return to("/enrol/consent") };
    let refused = |why| {
        let page = page(&visit, Some(why), given.p_code.is_some());
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    };
    match start(&app, &consented, &given).await {
        Ok(started) => begun(&app, &visit, &consented, &started).await,
        Err(AppError::Malformed) => refused(Why::text(visit.language, "number-form")),
        Err(AppError::Reason(code @ ReasonCode::P_CODE_INVALID)) => {
            refused(Why::reason(visit.language, code))
        }
        Err(AppError::Reason(ReasonCode::CASE_CONSENT)) => to("/enrol/consent"),
        Err(error) => trouble::of(&visit, error),
    }
}

async fn start(app: &App, consented: &Consented<'_>, given: &Given) -> Result<Started, AppError> {
    let Consented { version, language, biometrics } = consented;
    let consent =
        json!({ "terms_version": version, "biometrics": biometrics, "language": language.code() });
    let start = match (&given.cpr, &given.p_code) {
        (Some(cpr), None) => json!({ "consent": consent, "cpr": cpr.expose().trim() }),
        (None, Some(code)) => json!({ "consent": consent, "p_code": code.expose().trim() }),
        _ => return Err(AppError::Malformed),
    };
    app.start(serde_json::from_value(start).map_err(|_| AppError::Malformed)?).await
}

/// Keeps the new case in this browser. Without consent to recognise the face it goes on at a Borgercenter.
async fn begun(app: &App, visit: &Visit, consented: &Consented<'_>, started: &Started) -> Response {
    let case = Zeroizing::new(format!("{}.{}", started.id, started.token));
    let mut response = match consented.biometrics {
        true => to("/enrol/page"),
        false => center::referred(app, visit, &started.id.to_string(), &started.token).await,
    };
    let headers = response.headers_mut();
    if consented.biometrics {
        headers.append(header::SET_COOKIE, visit.erase(Cookie::Reference));
    }
    headers.append(header::SET_COOKIE, visit.set(Cookie::Case, &case, Some(CASE_AGE)));
    headers.append(header::SET_COOKIE, visit.erase(Cookie::Agreed));
    response
}
