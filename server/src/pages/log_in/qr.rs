//! The QR code in its two halves, for the browser that began and nobody else; and the app on this device.

use super::super::layout::Layout;
use super::super::qr::Qr;
use super::super::{html, visit::Visit};
use super::start::before;
use super::{Of, trouble};
use crate::app::{App, AppError, PageState};
use crate::http::problem::Problem;
use crate::http::watch::Caller;
use crate::oidc::halves::Half;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/log_in/qr.html")]
struct Page {
    l: Layout,
    party: String,
    log_in: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit, of: Of) -> Response {
    let of = of.or_before(&visit);
    match before(&app, &of.secret(&visit)).await {
        Ok(Some(party)) => {
            let (l, log_in) = (Layout::of(&visit, 0, "log-in-title"), of.name());
            html(&Page { l, party, log_in })
        }
        Ok(None) => of.to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}

/// One half, as a picture.
pub(super) async fn half(
    State(app): State<Arc<App>>,
    visit: Visit,
    of: Of,
    caller: Caller,
    Path(half): Path<String>,
) -> Response {
    let half = match half.as_str() {
        "1" => Half::First,
        "2" => Half::Second,
        _ => return Problem::not_found().into_response(),
    };
    let text = match app.half(&of.secret(&visit), half).await {
        Ok(text) => text,
        Err(error) => {
            // What opens nothing is counted by its address.
            let error = caller.spend(&app).err().unwrap_or(error);
            return Problem::from(error).into_response();
        }
    };
    match Qr::of(&text) {
        Some(code) => ([(header::CONTENT_TYPE, "image/svg+xml")], svg(&code)).into_response(),
        None => Problem::from(AppError::Malformed).into_response(),
    }
}

fn svg(Qr { side, path }: &Qr) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    )
}

/// How far the person has come: `showing`, `claimed`, `approved`, `back` (the app brings them back) or `over`.
pub(super) async fn state(
    State(app): State<Arc<App>>,
    visit: Visit,
    of: Of,
    caller: Caller,
) -> Result<Json<Value>, Problem> {
    let state = match app.page_state(&of.secret(&visit)).await? {
        PageState::Showing => "showing",
        PageState::Claimed => "claimed",
        PageState::Approved { by_switch: false } => "approved",
        PageState::Approved { by_switch: true } => "back",
        PageState::Over { .. } => "over",
        PageState::Late => {
            caller.spend(&app)?;
            "over"
        }
    };
    Ok(Json(json!({ "state": state })))
}

/// The address that opens the app on this device: `{"url"}`.
pub(super) async fn switch(
    State(app): State<Arc<App>>,
    visit: Visit,
    of: Of,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "url": app.switch(&of.secret(&visit)).await? })))
}
