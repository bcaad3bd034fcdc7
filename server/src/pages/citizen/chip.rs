//! The chip: a ticket for the relay, which the native shell or the desk's bridge opens (docs/bridges.md),
//! and how far the reading is.

use super::super::layout::{Layout, Why};
use super::super::{fluent, html, texts};
use super::{Citizen, next, to, trouble};
use crate::app::{App, Progress};
use askama::Template;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::HOST;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use enroll_core::case::Stage;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/chip.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    /// The page has to be read again first.
    page_again: bool,
    bridge: &'static str,
}

#[derive(Deserialize)]
pub(super) struct Ended {
    /// Why the last reading failed.
    reason: Option<String>,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    Query(ended): Query<Ended>,
) -> Response {
    match next::may(&app, &citizen, Stage::PageRead).await {
        Ok(true) => {}
        Ok(false) => return to("/enrol/next"),
        Err(error) => return trouble::of(&citizen.visit, error),
    }
    let visit = &citizen.visit;
    let reason = ended.reason.as_deref().and_then(ReasonCode::known);
    let error = reason.map(|code| Why::reason(visit.language, code));
    let page_again = reason == Some(ReasonCode::CHIP_ACCESS_DENIED);
    let title = if visit.station.is_some() { "kiosk-chip-title" } else { "chip-title" };
    let l = Layout::of(visit, 5, title);
    html(&Page { l, error, page_again, bridge: super::BRIDGE })
}

/// A ticket: `{"url"}`, where the relay is opened once.
pub(super) async fn ticket(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    headers: HeaderMap,
) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    match app.ticket(access, &format!("http://{host}")).await {
        Ok(ticket) => (StatusCode::CREATED, Json(json!({ "url": ticket.url }))).into_response(),
        Err(error) => trouble::json(&visit, error),
    }
}

/// How far the reading is: `{"text", "percent"}` while a relay is open, `{"read"}` once it is done.
pub(super) async fn state(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
) -> Response {
    let record = match app.record(access.id()).await {
        Ok(record) => record,
        Err(error) => return trouble::json(&visit, error),
    };
    let read = next::stage(&record).is_none_or(|stage| stage >= Stage::ChipRead);
    let (text, percent) = match app.progress(access.id()) {
        Some(at) => (texts::reading(at.step), percent(&at)),
        None if visit.station.is_some() => ("kiosk-chip-waiting", 0),
        None => ("chip-waiting", 0),
    };
    let text = fluent::text(visit.language, text);
    Json(json!({ "read": read, "text": text, "percent": percent })).into_response()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=100 first"
)]
fn percent(at: &Progress) -> u32 {
    (at.done.clamp(0.0, 1.0) * 100.0) as u32
}
