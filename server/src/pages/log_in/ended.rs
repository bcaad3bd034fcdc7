//! A log-in goes on at the relying party, or has ended: what happened, what to do now, and the way back. An
//! approval, a refusal, a time-out and leaving each say what they are.

use super::super::layout::{Layout, Why as Told};
use super::super::{html, visit::Visit};
use super::{Of, to, trouble};
use crate::app::{App, AppError, PageState};
use crate::oidc::Why;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/log_in/ended.html")]
struct Page {
    l: Layout,
    why: Told,
    party: String,
    /// Back to the relying party.
    way: Option<String>,
}

/// What an app took back to the browser of its device.
#[derive(Deserialize)]
pub(super) struct Brought {
    back: Option<String>,
}

pub(super) async fn go_on(
    State(app): State<Arc<App>>,
    visit: Visit,
    of: Of,
    Query(Brought { back }): Query<Brought>,
) -> Response {
    match app.go_on(&of.secret(&visit), back.as_deref()).await {
        Ok(address) => to(&address),
        Err(AppError::Reason(_)) => of.to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}

pub(super) async fn cancel(State(app): State<Arc<App>>, visit: Visit, of: Of) -> Response {
    match app.leave_page(&of.secret(&visit)).await {
        Ok(()) => of.to("/log-in/ended"),
        Err(error) => trouble::of(&visit, error),
    }
}

pub(super) async fn show(State(app): State<Arc<App>>, visit: Visit, of: Of) -> Response {
    let of = of.or_before(&visit);
    match ended(&app, &visit, of).await {
        Ok(Some(page)) => html(&page),
        Ok(None) => of.to("/log-in/qr"),
        Err(error) => trouble::of(&visit, error),
    }
}

/// The page of a log-in that is over; nothing for one that is under way.
async fn ended(app: &App, visit: &Visit, of: Of) -> Result<Option<Page>, AppError> {
    let (secret, lang) = (of.secret(visit), visit.language);
    let why = match app.page_state(&secret).await? {
        PageState::Over { why: Why::Refused } => Told::text(lang, "log-in-refused"),
        PageState::Over { why: Why::Cancelled } => Told::text(lang, "log-in-cancelled"),
        PageState::Over { why } => Told::reason(lang, why.reason()),
        PageState::Late => Told::reason(lang, ReasonCode::LOG_IN_LATE),
        // Another device's browser began it, and the app has not come back to that.
        PageState::Approved { by_switch: true } => Told::text(lang, "log-in-back"),
        _ => return Ok(None),
    };
    let way = app.way_back(&secret).await?;
    let party = app.relying_party_of(&secret).await?.unwrap_or_default();
    Ok(Some(Page { l: Layout::of(visit, 0, "log-in-ended-title"), why, party, way }))
}
