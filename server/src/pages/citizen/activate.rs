//! Activating this device as the person's app (E2-E4, E9): the browser makes the key and signs, two codes
//! come by two channels, and the person chooses a PIN.

use super::super::html;
use super::super::layout::Layout;
use super::user_id::owner;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError, NewApp, Owner};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/activate.html")]
struct Page {
    l: Layout,
    /// The app whose codes are under way: a device that has its key goes on with them.
    pending: String,
    /// Whether another user ID may be chosen without the one that is.
    may_choose: bool,
}

/// The user ID, and the public key that the browser made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    user_id: String,
    public_key: String,
}

/// The app, and what activates it as `POST /v1/authenticators/{id}/activation` takes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    app: String,
    activation: Value,
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    if citizen.visit.helper {
        return to("/enrol/next");
    }
    let pending = async {
        let Some(owner) = owner(&app, &citizen).await? else { return Ok(None) };
        let apps = app.apps(owner).await?;
        let pending = apps.iter().rfind(|app| app.state == "pending");
        let pending = pending.map(|app| app.id.to_string()).unwrap_or_default();
        Ok(Some((pending, !app.chosen(owner).await?.is_guarded)))
    };
    match pending.await {
        Ok(Some((pending, may_choose))) => {
            html(&Page { l: Layout::of(&citizen.visit, 8, "activate-title"), pending, may_choose })
        }
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// The right over the identity, of its person's own device: nobody's app stays on a helper's.
async fn own(app: &App, citizen: &Citizen) -> Result<Owner, AppError> {
    if citizen.visit.helper {
        return Err(AppError::Reason(ReasonCode::ACTIVATION_STATE));
    }
    owner(app, citizen).await?.ok_or(AppError::Unauthorized)
}

/// Registers this device for who types the user ID, and sends two codes: `{"id", "challenge"}`.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    body: Result<Json<Key>, JsonRejection>,
) -> Response {
    let registered = async {
        let Json(Key { user_id, public_key }) = body.map_err(|_| AppError::Malformed)?;
        let owner = own(&app, &citizen).await?;
        app.register_app(owner, NewApp::by_sms_and_email(public_key, user_id)).await
    };
    match registered.await {
        Ok(registered) => (StatusCode::CREATED, Json(registered)).into_response(),
        Err(error) => trouble::json(&citizen.visit, error),
    }
}

/// Activates this device: `{"next"}`.
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    body: Result<Json<Given>, JsonRejection>,
) -> Response {
    let activated = async {
        let Json(Given { app: id, activation }) = body.map_err(|_| AppError::Malformed)?;
        let activation = serde_json::from_value(activation).map_err(|_| AppError::Malformed)?;
        if citizen.visit.helper {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_STATE));
        }
        let owned = app.owned_app(&id, &citizen.token).await?;
        app.activate(owned, activation).await
    };
    match activated.await {
        Ok(_) => Json(json!({ "next": "/enrol/done" })).into_response(),
        Err(error) => trouble::json(&citizen.visit, error),
    }
}
