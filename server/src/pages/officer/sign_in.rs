//! An officer signs in with name, password and one-time code; what was wrong is not told (G4).

use super::super::citizen::to;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{Cookie, Visit};
use super::draft::Draft;
use super::ruling::Given as Filled;
use super::{At, Frame, Signed, case, identities, trouble};
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
    /// What was written when the session ended.
    draft: Option<Draft>,
}

fn page(visit: &Visit, error: Option<Why>, draft: Option<Draft>) -> Response {
    let (l, frame) = (Layout::of_staff(visit, "officer-title"), Frame::of(None, At::Elsewhere));
    html(&Page { l, frame, error, draft })
}

/// The form, with what it brings back of another one.
#[derive(Deserialize)]
pub(super) struct Given {
    name: String,
    password: Secret,
    code: Secret,
    #[serde(default)]
    draft_at: String,
    #[serde(default)]
    draft_id: String,
    #[serde(default)]
    draft: String,
    #[serde(default)]
    draft_by: String,
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
        Ok(_) => page(&visit, None, None),
        Err(_) => match app.supporter(token).await {
            Ok(_) => to("/support"),
            Err(_) => page(&visit, None, None),
        },
    }
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, None, AppError::Malformed) };
    let Given { name, password, code, draft_at: at, draft_id: id, draft: reason, draft_by: by } =
        given;
    let draft = (!reason.is_empty()).then_some(Draft { at, id, reason, by });
    match app.sign_in(SignIn { name, password, code }).await {
        Ok(session) => {
            let own = draft.filter(|draft| draft.by == session.officer);
            let mut response = match (session.role, own) {
                (Role::Support, _) => to("/support"),
                (Role::Borgercenter, None) => to("/officer/cases"),
                (Role::Borgercenter, Some(draft)) => {
                    again(&app, &visit, &session.token, draft).await
                }
            };
            let cookie = visit.set(Cookie::Officer, &session.token, None);
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, cookie);
            for cookie in [Cookie::PCode, Cookie::Ruled] {
                headers.append(header::SET_COOKIE, visit.erase(cookie));
            }
            response
        }
        Err(AppError::Reason(code)) => {
            let page = page(&visit, Some(Why::reason(visit.language, code)), draft);
            (StatusCode::UNAUTHORIZED, page).into_response()
        }
        Err(error) => trouble::of(&visit, None, error),
    }
}

/// The form on which something was written when a session ended, filled in with that.
async fn again(app: &App, visit: &Visit, token: &str, draft: Draft) -> Response {
    let officer = match app.officer(token).await {
        Ok(officer) => officer,
        Err(error) => return trouble::of(visit, None, error),
    };
    let whose = (visit, &officer);
    if draft.at == "/officer/identities" {
        return identities::again(whose, draft);
    }
    let Some(id) = draft.at.strip_prefix("/officer/cases/") else { return to("/officer/cases") };
    let given = Filled { reason: draft.reason.clone(), kept: true, ..Filled::default() };
    match case::page(app, whose, id, (false, given, None)).await {
        Ok(page) => page,
        Err(error) => trouble::unsent((visit, Some(&officer)), error, draft.reason),
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

/// The same, with what was written.
pub(super) fn over_with(visit: &Visit, draft: Option<Draft>) -> Response {
    let page = page(visit, Some(Why::text(visit.language, "officer-session-over")), draft);
    (StatusCode::UNAUTHORIZED, page).into_response()
}

pub(super) async fn out(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
) -> Response {
    match app.sign_out(officer).await {
        Ok(_) => {
            let mut response = to("/officer");
            for cookie in [Cookie::Officer, Cookie::PCode, Cookie::Ruled] {
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
