//! An officer signs in with name, password and one-time code; what was wrong is not told (G4).

use super::super::citizen::to;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{Cookie, Visit};
use super::draft::Draft;
use super::{At, Frame, Signed, ruling, trouble};
use crate::app::{App, AppError, SignIn};
use crate::config::Secret;
use crate::storage::Role;
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/sign_in.html")]
struct Page {
    l: Layout,
    frame: Frame,
    error: Option<Why>,
    /// Who wrote what waits here since the session ended.
    draft_by: Option<String>,
    /// What was written and does not fit where it would wait.
    unsent: String,
}

fn page(visit: &Visit, error: Option<Why>, draft_by: Option<String>, unsent: String) -> Response {
    let (l, frame) = (Layout::of_staff(visit, "officer-title"), Frame::of(None, At::Elsewhere));
    html(&Page { l, frame, error, draft_by, unsent })
}

/// The form, and who wrote what waits.
fn waiting(visit: &Visit, error: Option<Why>) -> Response {
    page(visit, error, Draft::waiting(visit).map(|draft| draft.by), String::new())
}

/// The form.
#[derive(Deserialize)]
pub(super) struct Given {
    name: String,
    password: Secret,
    code: Secret,
}

/// The form, or the queue for who is signed in; with `?again` the form for them, too.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    visit: Visit,
    RawQuery(asked): RawQuery,
) -> Response {
    let token = visit.officer.as_ref().map_or("", |token| token.as_str());
    match app.officer(token).await {
        Ok(_) if asked.as_deref() != Some("again") => to("/officer/cases"),
        Ok(_) => waiting(&visit, None),
        Err(_) => match app.supporter(token).await {
            Ok(_) => to("/support"),
            Err(_) => waiting(&visit, None),
        },
    }
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, None, AppError::Malformed) };
    let Given { name, password, code } = given;
    match app.sign_in(SignIn { name, password, code }).await {
        Ok(session) => {
            let own = Draft::waiting(&visit).filter(|draft| draft.by == session.officer);
            let mut response = match (session.role, &own) {
                (Role::Support, _) => to("/support"),
                (Role::Borgercenter, None) => to("/officer/cases"),
                (Role::Borgercenter, Some(draft)) => to(&draft.at),
            };
            let mut cookies = vec![visit.set(Cookie::Officer, &session.token, None)];
            cookies.push(visit.erase(Cookie::PCode));
            // What is of somebody else who was signed in here.
            if own.is_none() {
                cookies.extend(Draft::forget(&visit));
            }
            if !ruling::is_of(&visit, &session.officer) {
                cookies.push(visit.erase(Cookie::Ruled));
            }
            for cookie in cookies {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(AppError::Reason(code)) => {
            let page = waiting(&visit, Some(Why::reason(visit.language, code)));
            (StatusCode::UNAUTHORIZED, page).into_response()
        }
        Err(error) => trouble::of(&visit, None, error),
    }
}

/// How long the officer is still signed in: `{"left"}`, seconds.
pub(super) async fn left(Signed { officer, .. }: Signed) -> Json<Value> {
    Json(json!({ "left": officer.left() }))
}

/// A form came after the session had ended: nothing of it is done.
pub(in super::super) fn over(visit: &Visit) -> Response {
    over_with(visit, None)
}

/// The same, with what was filled in.
pub(super) fn over_with(visit: &Visit, draft: Option<Draft>) -> Response {
    let kept = draft.as_ref().and_then(|draft| draft.keep(visit));
    let (by, unsent) = match (draft, &kept) {
        (Some(draft), Some(_)) => (Some(draft.by), String::new()),
        (Some(draft), None) => (None, draft.reason),
        (None, _) => (None, String::new()),
    };
    let over = if by.is_some() { "draft-over" } else { "officer-session-over" };
    let page = page(visit, Some(Why::text(visit.language, over)), by, unsent);
    let mut response = (StatusCode::UNAUTHORIZED, page).into_response();
    for cookie in kept.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) async fn out(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
) -> Response {
    match app.sign_out(officer).await {
        Ok(_) => {
            let mut response = to("/officer");
            let own = [Cookie::PCode, Cookie::Ruled, Cookie::Draft, Cookie::DraftRest];
            for cookie in [Cookie::Officer].into_iter().chain(own) {
                response.headers_mut().append(header::SET_COOKIE, visit.erase(cookie));
            }
            // What was typed and not sent.
            let storage = HeaderValue::from_static("\"storage\"");
            response.headers_mut().insert("clear-site-data", storage);
            response
        }
        Err(error) => trouble::of(&visit, None, error),
    }
}
