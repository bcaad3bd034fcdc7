//! Making a browser a kiosk: staff give it the station's credential once.

use super::super::citizen::{to, trouble};
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{CHOICE_AGE, Cookie, Station, Visit};
use crate::app::{App, AppError};
use crate::config::Secret;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "kiosk/station.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
}

#[derive(Deserialize)]
pub(super) struct Given {
    token: Secret,
    mode: String,
}

fn page(visit: &Visit, error: Option<Why>) -> Response {
    let l = Layout::of_staff(visit, "station-title");
    html(&Page { l, error })
}

pub(super) async fn show(visit: Visit) -> Response {
    page(&visit, None)
}

pub(super) async fn set_up(
    State(app): State<Arc<App>>,
    visit: Visit,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let Ok(Form(Given { token, mode })) = form else {
        return trouble::of(&visit, AppError::Malformed);
    };
    let token = Zeroizing::new(token.expose().trim().to_owned());
    if app.kiosk(&token).is_err() {
        let page = page(&visit, Some(Why::text(visit.language, "station-wrong")));
        return (StatusCode::UNAUTHORIZED, page).into_response();
    }
    let station = Station { attended: mode == "attended", token };
    let mut response = to("/kiosk");
    let headers = response.headers_mut();
    for cookie in Cookie::PERSONAL {
        headers.append(header::SET_COOKIE, visit.erase(cookie));
    }
    let cookie = visit.set(Cookie::Station, &station.value(), Some(CHOICE_AGE));
    headers.append(header::SET_COOKIE, cookie);
    response
}
