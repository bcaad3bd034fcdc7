//! The face: advice while the camera looks, and the picture that is compared.

use super::super::layout::Layout;
use super::super::{fluent, html};
use super::{Citizen, next, to, trouble};
use crate::app::{App, AppError};
use askama::Template;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/face.html")]
struct Page {
    l: Layout,
}

pub(super) async fn show(State(app): State<Arc<App>>, citizen: Citizen) -> Response {
    match app.record(citizen.access.id()).await {
        Ok(record) if next::awaits_face(&record) => {
            html(&Page { l: Layout::of(&citizen.visit, 6, "face-title") })
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
