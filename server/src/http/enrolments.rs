//! The steps of an enrolment.

use super::problem::Problem;
use crate::app::{Access, App, Finished, Page, PageAnswer, Start, Started, Ticket, View};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::sync::Arc;

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

/// Starts an enrolment.
#[utoipa::path(post, path = "/v1/enrolments", tag = "enrolment", request_body = Start, responses(
    (status = 201, description = "Started, or referred at once where there is no consent to biometrics; the token is shown once", body = Started),
    (status = 400, description = "Not readable, or not one of a personal number and a P-code", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Stale terms", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The P-code is worth nothing", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn start(
    State(app): State<Arc<App>>,
    body: Result<Json<Start>, JsonRejection>,
) -> Result<(StatusCode, Json<Started>), Problem> {
    let Json(start) = body?;
    Ok((StatusCode::CREATED, Json(app.start(start).await?)))
}

/// Where the case stands.
#[utoipa::path(get, path = "/v1/enrolments/{id}", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "The case", body = View),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn view(State(app): State<Arc<App>>, access: Access) -> Answer<View> {
    Ok(Json(app.view(access).await?))
}

/// The lines of a page that a person typed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Typed {
    /// Two lines of 44 characters, or three of 30.
    lines: Vec<String>,
}

/// Reads the printed page, from a picture or from typed lines.
#[utoipa::path(put, path = "/v1/enrolments/{id}/page", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")),
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Typed = "application/json"))),
    responses(
    (status = 200, description = "What the page says", body = PageAnswer),
    (status = 400, description = "Not readable", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Not this step's turn", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "Neither picture nor JSON", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No MRZ found, or not sure enough", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Tried too often", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Busy; `Retry-After` says for about how long, and the try is not counted", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn page(
    State(app): State<Arc<App>>,
    access: Access,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<PageAnswer> {
    let body = body?;
    let page = match media(&headers) {
        Media::Json if body.len() > super::JSON_LIMIT => return Err(Problem::too_large()),
        Media::Json => {
            let typed: Typed = serde_json::from_slice(&body).map_err(|_| Problem::malformed())?;
            Page::Typed(typed.lines)
        }
        Media::Picture => Page::Picture(body.to_vec()),
        Media::Other => return Err(Problem::media_type()),
    };
    Ok(Json(app.page(access, page).await?))
}

/// Asks for a ticket to open the chip relay.
#[utoipa::path(post, path = "/v1/enrolments/{id}/relay-tickets", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 201, description = "A ticket for one use", body = Ticket),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The page is not read yet", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Tried too often", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn ticket(
    State(app): State<Arc<App>>,
    access: Access,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<Ticket>), Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let ticket = app.ticket(access, &format!("http://{host}")).await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

/// Takes a picture of the face and compares it with the portrait of the proved chip.
#[utoipa::path(put, path = "/v1/enrolments/{id}/face", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")),
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"))),
    responses(
    (status = 200, description = "Taken; the checks tell what was found", body = View),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The chip is not read yet, or there is no consent to biometrics", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 413, description = "Too large", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No picture", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The picture cannot be used; the text says what to do", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Tried too often", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Faces cannot be compared now, or busy; `Retry-After` says for about how long, and then the try is not counted", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn face(
    State(app): State<Arc<App>>,
    access: Access,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<View> {
    let body = body?;
    match media(&headers) {
        Media::Picture => Ok(Json(app.face(access, body.to_vec()).await?)),
        _ => Err(Problem::media_type()),
    }
}

/// Decides the case, and issues the identity if everything required holds. May be repeated: an
/// ended case answers as it did when it ended.
#[utoipa::path(post, path = "/v1/enrolments/{id}/finish", tag = "enrolment", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "Decided", body = Finished),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Something is still missing", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Another enrolment has used the P-code up", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn finish(State(app): State<Arc<App>>, access: Access) -> Answer<Finished> {
    Ok(Json(app.finish(access).await?))
}

enum Media {
    Json,
    Picture,
    Other,
}

/// A picture may also come without a type: what it is, its bytes tell.
fn media(headers: &HeaderMap) -> Media {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => Media::Json,
        "" | "application/octet-stream" => Media::Picture,
        kind if kind.starts_with("image/") => Media::Picture,
        _ => Media::Other,
    }
}
