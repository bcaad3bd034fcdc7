//! The passport's page: looked at through the camera, or typed.

use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::super::{fluent, html};
use super::{Citizen, next, to, trouble};
use crate::app::{App, AppError, Page as Given, PageLook};
use askama::Template;
use axum::Form;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, FormRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::case::Stage;
use mrz::reader::Advice;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/page.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    typed: Typed,
}

/// Two lines as a person types them.
#[derive(Default, Deserialize)]
pub(super) struct Typed {
    line1: String,
    line2: String,
}

impl Typed {
    /// Name, label and text of each field.
    fn fields(&self) -> [(&'static str, &'static str, &str); 2] {
        [("line1", "page-line-1", &self.line1), ("line2", "page-line-2", &self.line2)]
    }

    /// Without the spaces that people put in, in capitals.
    fn lines(&self) -> Vec<String> {
        let clean = |line: &String| {
            line.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase()
        };
        [&self.line1, &self.line2].map(clean).into()
    }
}

fn page(visit: &Visit, error: Option<Why>, typed: Typed) -> Response {
    html(&Page { l: Layout::of(visit, 4, "page-title"), error, typed })
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match next::may(&app, &citizen, Stage::Consented).await {
        Ok(true) => page(&citizen.visit, None, Typed::default()),
        Ok(false) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

pub(super) async fn typed(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    form: Result<Form<Typed>, FormRejection>,
) -> Response {
    let Ok(Form(given)) = form else { return trouble::of(&visit, AppError::Malformed) };
    match app.page(access, Given::Typed(given.lines())).await {
        Ok(_) => to("/enrol/chip"),
        Err(AppError::Reason(code)) if code.as_str().starts_with("mrz.") => {
            let page = page(&visit, Some(Why::reason(visit.language, code)), given);
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(&visit, error),
    }
}

/// One frame of the camera: `{"next"}` once the page is read, else `{"advice"}`.
pub(super) async fn frame(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(frame) = body else { return trouble::json(&visit, AppError::Malformed) };
    let looked = app.look_at_page(access, frame.to_vec()).await;
    let advice = match looked {
        Ok(PageLook::Read) => return Json(json!({ "next": "/enrol/chip" })).into_response(),
        Ok(PageLook::Unsure(advice)) => advice.map_or("page-sharper", text_of),
        Ok(PageLook::NotFound(Some(Advice::WholePage) | None)) => "page-searching",
        Ok(PageLook::NotFound(Some(advice))) => text_of(advice),
        Err(error) => return trouble::json(&visit, error),
    };
    Json(json!({ "advice": fluent::text(visit.language, advice) })).into_response()
}

/// The name of the text for `advice`.
fn text_of(advice: Advice) -> &'static str {
    match advice {
        Advice::Closer | Advice::TooLarge => "page-closer",
        Advice::WholePage => "page-whole-page",
        Advice::Glare => "page-glare",
        Advice::Light => "page-light",
        Advice::Sharper => "page-sharper",
    }
}
