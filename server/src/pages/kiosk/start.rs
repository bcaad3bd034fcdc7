//! The idle screen: a reference opens its case here. It shows whether reader and camera are there.

use super::super::citizen::{BRIDGE, to, trouble};
use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::{Cookie, Visit};
use super::{Stood, finish};
use crate::app::{App, AppError, WantedCase};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use enroll_core::reference::ALPHABET;
use std::sync::Arc;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "kiosk/start.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    bridge: &'static str,
    /// The signs of a reference, for who has no keyboard.
    signs: Vec<char>,
}

fn page(visit: &Visit, error: Option<Why>) -> Response {
    let l = Layout::of(visit, 0, "kiosk-title");
    let signs = ALPHABET.iter().copied().map(char::from).collect();
    html(&Page { l, error, bridge: BRIDGE, signs })
}

/// Whoever comes back here leaves their case: nothing of it may stand behind a screen that waits.
pub(super) async fn show(State(app): State<Arc<App>>, Stood { visit, .. }: Stood) -> Response {
    match visit.case {
        Some(_) => finish::clear(State(app), visit).await,
        None => page(&visit, None),
    }
}

/// The address of the form, asked for by choosing a language on a page that answered it.
pub(super) async fn again() -> Response {
    to("/kiosk")
}

/// Opens the case of a reference: from here on this browser has its token, until the person leaves.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    Stood { visit, kiosk }: Stood,
    form: Result<Form<WantedCase>, FormRejection>,
) -> Response {
    let Ok(Form(wanted)) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.visit(&kiosk, wanted).await {
        Ok(visited) => {
            let case = Zeroizing::new(format!("{}.{}", visited.id, visited.token));
            let mut response = to("/enrol/next");
            let cookie = visit.set(Cookie::Case, &case, None);
            response.headers_mut().append(header::SET_COOKIE, cookie);
            response
        }
        Err(error @ AppError::Internal(_)) => trouble::of(&visit, error),
        Err(error) => {
            let (status, why) = trouble::told(&visit, error);
            let status = if status.is_success() { StatusCode::CONFLICT } else { status };
            (status, page(&visit, Some(why))).into_response()
        }
    }
}
