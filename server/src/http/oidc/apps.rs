//! What an app does in a log-in (docs/log-in.md).

use crate::app::{AnsweredLogIn, App, Claimed, Place, Proof, Refusal, Scanned};
use crate::http::access::AnyonesApp;
use crate::http::problem::Problem;
use crate::limits::Kind;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use std::sync::Arc;
use tokio::time::Instant;

/// Brings a log-in before the app: the one whose QR code it read, that opened it, that it has in hand already, or that a
/// relying party began. May be repeated.
#[utoipa::path(post, path = "/v1/authenticators/{id}/log-ins", tag = "authenticator", request_body = Scanned,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, description = "What is asked", body = Claimed),
    (status = 404, description = "No such app, or nothing waits", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app cannot be used; or the log-in was stopped: another at once, another person's, or a level that is not reached", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The log-in is late, used or unknown", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No proof of the key, or halves that do not fit", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn claim(
    State(app): State<Arc<App>>,
    AnyonesApp(id): AnyonesApp,
    place: Place,
    body: Result<Json<Scanned>, JsonRejection>,
) -> Result<Json<Claimed>, Problem> {
    let Json(scanned) = body?;
    Ok(Json(app.claim(&id, scanned, &place).await?))
}

/// Approves the log-in that the app has before it, with its key and PIN. Repeated with another challenge it answers as
/// before; after a switch with another `return_to`, or with none once the browser has gone on.
#[utoipa::path(post, path = "/v1/authenticators/{id}/log-ins/{log_in}/approval", tag = "authenticator", request_body = Proof,
    params(("id" = String, Path, description = "The app"), ("log_in" = String, Path, description = "The log-in")), responses(
    (status = 200, description = "Approved", body = AnsweredLogIn),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app or identity cannot be used, or the log-in was stopped, or the app has answered it the other way", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The log-in is late, used or not before this app", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong PIN, or no proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    AppLogIn(id, log_in): AppLogIn,
    place: Place,
    body: Result<Json<Proof>, JsonRejection>,
) -> Result<Json<AnsweredLogIn>, Problem> {
    let Json(proof) = body?;
    Ok(Json(app.approve_log_in(&id, &log_in, proof, &place).await?))
}

/// Refuses it, with the app's key. May be repeated with another challenge.
#[utoipa::path(post, path = "/v1/authenticators/{id}/log-ins/{log_in}/refusal", tag = "authenticator", request_body = Refusal,
    params(("id" = String, Path, description = "The app"), ("log_in" = String, Path, description = "The log-in")), responses(
    (status = 200, description = "Refused", body = AnsweredLogIn),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app or identity cannot be used, or the log-in was stopped, or the app has answered it the other way", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The log-in is late, used or not before this app", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn refuse(
    State(app): State<Arc<App>>,
    AppLogIn(id, log_in): AppLogIn,
    place: Place,
    body: Result<Json<Refusal>, JsonRejection>,
) -> Result<Json<AnsweredLogIn>, Problem> {
    let Json(refusal) = body?;
    Ok(Json(app.refuse_log_in(&id, &log_in, refusal, &place).await?))
}

/// The app and the log-in of an address, counted against the limit of the app.
pub(crate) struct AppLogIn(String, String);

impl FromRequestParts<Arc<App>> for AppLogIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let found = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Ok(Path((id, log_in))) = found else { return Err(Problem::not_found()) };
        app.spend(Kind::App, id.as_bytes(), Instant::now())?;
        Ok(Self(id, log_in))
    }
}
