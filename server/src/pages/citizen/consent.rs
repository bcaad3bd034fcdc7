//! Consent: terms, precautions and privacy (A1), and the recognition of the face apart from them (A2).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::texts::Language;
use super::super::visit::{Cookie, Visit};
use super::{to, trouble};
use crate::app::{App, AppError};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/consent.html")]
struct Page {
    l: Layout,
    version: String,
    error: Option<Why>,
    given: Agreed,
}

/// The boxes that are ticked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Agreed {
    version: String,
    terms: Option<String>,
    care: Option<String>,
    privacy: Option<String>,
    face: Option<String>,
    /// `center` for going on at a Borgercenter, without the face being recognised.
    way: Option<String>,
}

/// What was agreed to.
pub(super) struct Consented<'a> {
    /// The version of the terms.
    pub(super) version: &'a str,
    /// The language in which they were read.
    pub(super) language: Language,
    /// Whether the face may be recognised (A2).
    pub(super) biometrics: bool,
}

/// What the cookie ends with if the face may not be recognised.
const CENTER: &str = "-center";

fn page(app: &App, visit: &Visit, error: Option<&str>, given: Agreed) -> Response {
    let l = Layout::of(visit, 2, "consent-title");
    let error = error.map(|id| Why::text(visit.language, id));
    html(&Page { l, version: app.terms_version().to_owned(), error, given })
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit) -> Response {
    page(&app, &visit, None, Agreed::default())
}

pub(super) async fn agree(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Agreed>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    let refused = |error| {
        let page = page(&app, &visit, Some(error), Agreed::default());
        (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
    };
    if given.version != app.terms_version() {
        return refused("consent-stale");
    }
    let biometrics = given.way.as_deref() != Some("center");
    let all = [&given.terms, &given.care, &given.privacy, &given.face];
    if all.into_iter().take(if biometrics { 4 } else { 3 }).any(Option::is_none) {
        let page = page(&app, &visit, Some("consent-missing"), given);
        return (StatusCode::UNPROCESSABLE_ENTITY, page).into_response();
    }
    let way = if biometrics { "" } else { CENTER };
    let agreed = format!("{}.{}{way}", given.version, visit.language.code());
    let mut response = to("/enrol/number");
    let cookie = visit.set(Cookie::Agreed, &agreed, None);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// What this browser has agreed to.
pub(super) fn agreed(visit: &Visit) -> Option<Consented<'_>> {
    let (version, rest) = visit.agreed.as_deref()?.rsplit_once('.')?;
    let language = rest.strip_suffix(CENTER);
    let biometrics = language.is_none();
    Some(Consented { version, language: Language::of(language.or(Some(rest))), biometrics })
}
