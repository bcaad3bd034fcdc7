//! Logging in to My page and out of it, and approving once more before something that needs it.

use super::super::citizen::{to, trouble};
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CHOICE_AGE, Cookie, Visit};
use super::{Signed, forget};
use crate::app::{App, AppError, MyPurpose};
use crate::http::oidc::Issuer;
use crate::oidc::Params;
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "my/start.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
}

/// Seconds for which a log-in that has begun may come back: as long as its page lives, and a while.
const BEGUN_AGE: u32 = 10 * 60;

/// The page of who is not logged in.
pub(super) fn page(visit: &Visit, error: Option<Why>) -> Response {
    html(&Page { l: Layout::of(visit, 0, "my-title"), error })
}

/// A form came after the session had ended: nothing of it is done.
pub(super) fn over(visit: &Visit) -> Response {
    let page = page(visit, Some(Why::text(visit.language, "my-session-over")));
    (StatusCode::UNAUTHORIZED, page).into_response()
}

pub(super) async fn begin(
    State(app): State<Arc<App>>,
    visit: Visit,
    Issuer(issuer): Issuer,
) -> Response {
    go(&app, &visit, (&issuer, MyPurpose::LogIn), "").await
}

/// Where to go back to after an approval.
#[derive(Deserialize)]
pub(super) struct Next {
    to: String,
}

pub(super) async fn step_up(
    State(app): State<Arc<App>>,
    Signed { visit, .. }: Signed,
    Issuer(issuer): Issuer,
    form: Result<Form<Next>, FormRejection>,
) -> Response {
    let Ok(Form(Next { to })) = form else { return trouble::of(&visit, AppError::Malformed) };
    go(&app, &visit, (&issuer, MyPurpose::StepUp), &to).await
}

/// Sends the browser to the provider, with what it has to bring back.
async fn go(
    app: &App,
    visit: &Visit,
    (issuer, purpose): (&str, MyPurpose),
    next: &str,
) -> Response {
    match app.begin_my_page(issuer, purpose).await {
        Ok(begun) => {
            let next = back_to(next).trim_start_matches("/my").trim_start_matches('/');
            let kept = zeroize::Zeroizing::new(format!("{}.{next}", begun.kept));
            let mut response = to(&begun.address);
            let cookie = visit.set(Cookie::MyBegun, &kept, Some(BEGUN_AGE));
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(error) => trouble::of(visit, error),
    }
}

/// The address of a place by its name: one of our own, whatever the name.
fn back_to(name: &str) -> &'static str {
    match name {
        "means" => "/my/means",
        "contacts" => "/my/contacts",
        "pin" => "/my/pin",
        "erase" => "/my/erase",
        "export" => "/my/export",
        _ => "/my",
    }
}

/// The browser comes back from the provider.
pub(super) async fn back(
    State(app): State<Arc<App>>,
    visit: Visit,
    Issuer(issuer): Issuer,
    RawQuery(query): RawQuery,
) -> Response {
    let Ok(params) = Params::of_query(query.as_deref()) else {
        return trouble::of(&visit, AppError::Malformed);
    };
    let kept = visit.my_begun.as_ref().map_or("", |kept| kept.as_str());
    let (kept, next) = kept.rsplit_once('.').unwrap_or_default();
    let before = visit.my.as_ref().map(|token| token.as_str());
    let mut response = match app.arrive_at_my_page(&issuer, &params, (kept, before)).await {
        Ok(arrived) => {
            let mut response = to(back_to(next));
            let headers = response.headers_mut();
            headers.append(header::SET_COOKIE, visit.set(Cookie::My, &arrived.token, None));
            if let Some(language) = arrived.language {
                let cookie = visit.set(Cookie::Language, &language, Some(CHOICE_AGE));
                headers.append(header::SET_COOKIE, cookie);
            }
            response
        }
        // Refused, left, or not an answer to what this browser began. A session of before stays.
        Err(AppError::Reason(_)) => {
            let why = Why::text(visit.language, "my-not-approved");
            (StatusCode::UNAUTHORIZED, page(&visit, Some(why))).into_response()
        }
        Err(error) => trouble::of(&visit, error),
    };
    response.headers_mut().append(header::SET_COOKIE, visit.erase(Cookie::MyBegun));
    response
}

pub(super) async fn out(State(app): State<Arc<App>>, Signed { visit, holder }: Signed) -> Response {
    match app.leave_my_page(holder).await {
        Ok(_) => ended(&visit, "my-logged-out"),
        Err(error) => trouble::of(&visit, error),
    }
}

#[derive(Template)]
#[template(path = "my/ended.html")]
struct Ended {
    l: Layout,
    text: String,
}

/// The session is over, and this says why.
pub(super) fn ended(visit: &Visit, text: &'static str) -> Response {
    ended_with(visit, visit.language.t(text))
}

pub(super) fn ended_with(visit: &Visit, text: String) -> Response {
    let mut response = html(&Ended { l: Layout::of(visit, 0, "my-ended-title"), text });
    forget(visit, &mut response);
    response
}
