//! Activating this device as the person's app (E2-E4, E9): the browser makes the key and signs, two codes
//! come by two channels, and the person chooses a PIN.

use super::super::html;
use super::super::layout::Layout;
use super::user_id::owner;
use super::{Citizen, to, trouble};
use crate::app::{App, AppError};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/activate.html")]
struct Page {
    l: Layout,
    /// The app whose codes are under way: a device that has its key goes on with them.
    pending: String,
}

/// The public key that the browser made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
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
        Ok(Some(pending.map(|app| app.id.to_string()).unwrap_or_default()))
    };
    match pending.await {
        Ok(Some(pending)) => {
            html(&Page { l: Layout::of(&citizen.visit, 8, "activate-title"), pending })
        }
        Ok(None) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// Registers this device and sends two codes: `{"id", "challenge"}`.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    citizen: Citizen,
    body: Result<Json<Key>, JsonRejection>,
) -> Response {
    let registered = async {
        let Json(Key { public_key }) = body.map_err(|_| AppError::Malformed)?;
        let owner = owner(&app, &citizen).await?.ok_or(AppError::Unauthorized)?;
        let channels = json!(["sms", "email"]);
        let new = json!({ "public_key": public_key, "channels": channels });
        let new = serde_json::from_value(new).map_err(|_| AppError::Malformed)?;
        app.register_app(owner, new).await
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
        let owned = app.owned_app(&id, &citizen.token).await?;
        app.activate(owned, activation).await
    };
    match activated.await {
        Ok(_) => Json(json!({ "next": "/enrol/done" })).into_response(),
        Err(error) => trouble::json(&citizen.visit, error),
    }
}
