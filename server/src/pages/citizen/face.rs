//! The face: advice while the camera looks, and what is compared: one picture, or where the policy asks for
//! it the pictures that answer a challenge (docs/face-challenge.md).

use super::super::layout::Layout;
use super::super::{fluent, html};
use super::{Citizen, next, to, trouble};
use crate::app::{App, AppError, Capture};
use askama::Template;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/face.html")]
struct Page {
    l: Layout,
    /// A single picture is not enough.
    challenge: bool,
    /// How often the face may be tried.
    tries: String,
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match app.record(citizen.access.id()).await {
        Ok(record) if next::awaits_face(&record) => {
            let challenge = app.policy.requires("face.challenge");
            let tries = app.policy.attempts.face.to_string();
            html(&Page { l: Layout::of(&citizen.visit, 6, "face-title"), challenge, tries })
        }
        Ok(_) => to("/enrol/next"),
        Err(error) => trouble::of(&citizen.visit, error),
    }
}

/// One frame of the camera: `{"good"}`, and what to mend if it is not.
pub(super) async fn frame(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(frame) = body else { return trouble::json(&visit, AppError::Malformed) };
    match app.look_at_face(access, frame.to_vec()).await {
        Ok(None) => {
            let advice = fluent::text(visit.language, "face-hold");
            Json(json!({ "good": true, "advice": advice })).into_response()
        }
        Ok(Some(reason)) => {
            let advice = visit.language.text(&reason.entry().next).to_owned();
            Json(json!({ "good": false, "advice": advice })).into_response()
        }
        Err(error) => trouble::json(&visit, error),
    }
}

/// The picture that is compared: `{"taken"}`, or what was wrong with it.
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(picture) = body else { return trouble::json(&visit, AppError::Malformed) };
    match app.face(access, picture.to_vec()).await {
        Ok(_) => Json(json!({ "taken": true })).into_response(),
        Err(error) => trouble::json(&visit, error),
    }
}

/// A challenge for this person, now: `{"nonce", "script"}`.
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
) -> Response {
    match app.draw_challenge(access).await {
        Ok(drawn) => (StatusCode::CREATED, Json(drawn)).into_response(),
        Err(error) => trouble::json(&visit, error),
    }
}

/// The pictures that answer it: `{"taken"}`, or what was wrong with them.
pub(super) async fn capture(
    State(app): State<Arc<App>>,
    Citizen { visit, access, .. }: Citizen,
    body: Result<Json<Capture>, JsonRejection>,
) -> Response {
    let Ok(Json(capture)) = body else { return trouble::json(&visit, AppError::Malformed) };
    match app.capture(access, capture).await {
        Ok(_) => Json(json!({ "taken": true })).into_response(),
        Err(error) => trouble::json(&visit, error),
    }
}
