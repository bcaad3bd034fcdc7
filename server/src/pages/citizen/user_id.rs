//! The user ID (E8).

use super::super::html;
use super::super::layout::{Layout, Why};
use super::super::visit::Visit;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, ChosenUserId, Owner};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::case::State as Case;
use serde::Deserialize;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/user_id.html")]
struct Page {
    l: Layout,
    error: Option<Why>,
    given: String,
}

#[derive(Deserialize)]
pub(super) struct Given {
    user_id: String,
}

fn page(visit: &Visit, error: Option<Why>, given: String) -> Response {
    html(&Page { l: Layout::of(visit, 8, "user-title"), error, given })
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match owner(&app, &citizen).await {
        Ok(Some(_)) => page(&citizen.visit, None, String::new()),
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

pub(super) async fn choose(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    form: Result<Form<Given>, FormRejection>,
) -> Response {
    let visit = &citizen.visit;
    let Ok(Form(Given { user_id })) = form else { return trouble::of(visit, AppError::Malformed) };
    let chosen = match owner(&app, &citizen).await {
        Ok(Some(owner)) => {
            app.choose_user_id(owner, ChosenUserId { user_id: user_id.clone() }).await
        }
        Ok(None) => return to("/enrol/next"),
        Err(error) => Err(error),
    };
    match chosen {
        Ok(_) => to("/enrol/contacts"),
        Err(AppError::Reason(code)) if code.as_str().starts_with("user_id.") => {
            let page = page(visit, Some(Why::reason(visit.language, code)), user_id);
            (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
        }
        Err(error) => trouble::of(visit, error),
    }
}

/// The right over the identity that the case has made and that has no app yet; nothing if there is none.
pub(super) async fn owner(app: &App, citizen: &Citizen) -> Result<Option<Owner>, AppError> {
    match app.record(citizen.access.id()).await?.case.state {
        Case::IdentityCreated { identity, .. } => {
            app.owner(&identity.to_string(), &citizen.token).await.map(Some)
        }
        _ => Ok(None),
    }
}
