//! An officer signs in with name, password and one-time code; what was wrong is not told (G4).

use super::super::citizen::to;
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{Cookie, Visit};
use super::{At, Frame, Signed, trouble};
use crate::app::{App, AppError, SignIn};
use crate::storage::Role;
use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "officer/sign_in.html")]
struct Page {
    l: Layout,
    frame: Frame,
    error: Option<Why>,
}

fn page(visit: &Visit, error: Option<Why>) -> Response {
    let (l, frame) = (Layout::of_staff(visit, "officer-title"), Frame::of(None, At::Elsewhere));
    html(&Page { l, frame, error })
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
        Ok(_) => page(&visit, None),
        Err(_) => match app.supporter(token).await {
            Ok(_) => to("/support"),
            Err(_) => page(&visit, None),
        },
    }
}

pub(super) async fn send(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<SignIn>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, None, AppError::Malformed) };
    match app.sign_in(given).await {
        Ok(session) => {
            let mut response = to(match session.role {
                Role::Borgercenter => "/officer/cases",
                Role::Support => "/support",
            });
            let cookie = visit.set(Cookie::Officer, &session.token, None);
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, cookie);
            headers.append(header::SET_COOKIE, visit.erase(Cookie::PCode));
            response
        }
        Err(AppError::Reason(code)) => {
            let page = page(&visit, Some(Why::reason(visit.language, code)));
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
    let page = page(visit, Some(Why::text(visit.language, "officer-session-over")));
    (StatusCode::UNAUTHORIZED, page).into_response()
}

pub(super) async fn out(
    State(app): State<Arc<App>>,
    Signed { visit, officer }: Signed,
) -> Response {
    match app.sign_out(officer).await {
        Ok(_) => {
            let mut response = to("/officer");
            for cookie in [Cookie::Officer, Cookie::PCode] {
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
