//! The face challenge over HTTP (docs/face-challenge.md).

use super::problem::Problem;
use crate::app::{Access, App, Capture, FaceChallenge, View};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use std::sync::Arc;

/// Draws a face challenge. An earlier one is worth nothing from now on.
#[utoipa::path(post, path = "/v1/enrolments/{id}/face-challenges", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 201, description = "What to do, once and within the minute", body = FaceChallenge),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The chip is not read yet, or there is no consent to biometrics", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Tried too often", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Captures cannot be judged now", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn draw(
    State(app): State<Arc<App>>,
    access: Access,
) -> Result<(StatusCode, Json<FaceChallenge>), Problem> {
    Ok((StatusCode::CREATED, Json(app.draw_challenge(access).await?)))
}

/// Takes the pictures that answer the challenge drawn last, and compares the face with the portrait of the
/// proved chip. Whatever comes of it, that challenge is used up.
#[utoipa::path(put, path = "/v1/enrolments/{id}/face-capture", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), request_body = Capture, responses(
    (status = 200, description = "Taken; the checks tell what was found", body = View),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The chip is not read yet, or there is no consent to biometrics", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No challenge was drawn, or the pictures do not answer it; the text says what to do", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Tried too often", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Captures cannot be judged now, or busy; `Retry-After` says for about how long, and then the try is not counted", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn take(
    State(app): State<Arc<App>>,
    access: Access,
    body: Result<Json<Capture>, JsonRejection>,
) -> Result<Json<View>, Problem> {
    let Json(capture) = body?;
    Ok(Json(app.capture(access, capture).await?))
}
