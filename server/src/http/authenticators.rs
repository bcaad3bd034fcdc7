//! Apps: registered, activated, copied, blocked.

use super::access::AnyonesApp;
use super::problem::Problem;
use crate::app::{
    Activation, App, AppAsks, AppView, BlockCode, Blocked, Challenge, Copy, InboxView, NewApp,
    Offer, OwnedApp, Owner, Proof, Registered, SelfBlock,
};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use std::sync::Arc;

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

/// The apps of the identity, oldest first.
#[utoipa::path(get, path = "/v1/identities/{id}/authenticators", tag = "authenticator", security(("token" = [])),
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "The apps", body = Vec<AppView>),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(app): State<Arc<App>>, owner: Owner) -> Answer<Vec<AppView>> {
    Ok(Json(app.apps(owner).await?))
}

/// Registers an app for who types the user ID, and sends two codes by two channels. Codes sent before are dead.
#[utoipa::path(post, path = "/v1/identities/{id}/authenticators", tag = "authenticator", security(("token" = [])), request_body = NewApp,
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 201, description = "The codes are under way", body = Registered),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Blocked, no user ID, too many apps, a new phone number, or an app is activated", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The time to set the identity up ran out, or a wrong user ID was typed too often", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not a key, not two channels with an address, or not the user ID that was chosen", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Asked for codes too often", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn register(
    State(app): State<Arc<App>>,
    owner: Owner,
    body: Result<Json<NewApp>, JsonRejection>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let Json(new) = body?;
    Ok((StatusCode::CREATED, Json(app.register_app(owner, new).await?)))
}

/// Activates an app with its key, both codes and a new PIN. May be repeated.
#[utoipa::path(post, path = "/v1/authenticators/{id}/activation", tag = "authenticator", security(("token" = [])), request_body = Activation,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, description = "Activated", body = AppView),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Blocked, too many apps, or not to be activated", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The codes are too old or were wrong too often, or the time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong codes, a weak PIN, or no proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    owned: OwnedApp,
    body: Result<Json<Activation>, JsonRejection>,
) -> Answer<AppView> {
    let Json(given) = body?;
    Ok(Json(app.activate(owned, given).await?))
}

/// Blocks an app, before it answers. It does not come back: another one is activated.
#[utoipa::path(post, path = "/v1/authenticators/{id}/block", tag = "authenticator", security(("token" = [])),
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, description = "Blocked", body = AppView),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block(State(app): State<Arc<App>>, owned: OwnedApp) -> Answer<AppView> {
    Ok(Json(app.block_app(owned).await?))
}

/// Draws a challenge for the key of an app.
#[utoipa::path(post, path = "/v1/authenticators/{id}/challenges", tag = "authenticator",
    params(("id" = String, Path, description = "The app")), responses(
    (status = 201, description = "A challenge for one signature", body = Challenge),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app is waiting, locked, blocked or not activated", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    AnyonesApp(id): AnyonesApp,
) -> Result<(StatusCode, Json<Challenge>), Problem> {
    Ok((StatusCode::CREATED, Json(app.challenge(&id).await?)))
}

/// Makes the QR code by which another app may be made of this one, for its key and PIN.
#[utoipa::path(post, path = "/v1/authenticators/{id}/copies", tag = "authenticator", request_body = Proof,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 201, description = "A QR code for one use", body = Offer),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app is waiting, locked or blocked", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong PIN, or no proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn offer(
    State(app): State<Arc<App>>,
    AnyonesApp(id): AnyonesApp,
    body: Result<Json<Proof>, JsonRejection>,
) -> Result<(StatusCode, Json<Offer>), Problem> {
    let Json(proof) = body?;
    Ok((StatusCode::CREATED, Json(app.offer_copy(&id, proof).await?)))
}

/// Makes an app of another one by its QR code. It can be used after a while.
#[utoipa::path(post, path = "/v1/copies", tag = "authenticator", request_body = Copy, responses(
    (status = 201, description = "Made; it waits", body = AppView),
    (status = 409, description = "Too many apps, or the other app cannot be used", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The QR code is used, too old or unknown", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "A weak PIN, or no proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn copy(
    State(app): State<Arc<App>>,
    body: Result<Json<Copy>, JsonRejection>,
) -> Result<(StatusCode, Json<AppView>), Problem> {
    let Json(copy) = body?;
    Ok((StatusCode::CREATED, Json(app.copy(copy).await?)))
}

/// The notices to the apps of the identity, newest first, for an app and its key.
#[utoipa::path(post, path = "/v1/authenticators/{id}/messages", tag = "authenticator", request_body = AppAsks,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, description = "The notices", body = Vec<InboxView>),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app or identity cannot be used", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn messages(
    State(app): State<Arc<App>>,
    AnyonesApp(id): AnyonesApp,
    body: Result<Json<AppAsks>, JsonRejection>,
) -> Answer<Vec<InboxView>> {
    let Json(asks) = body?;
    Ok(Json(app.inbox_of_app(&id, asks).await?))
}

/// Blocks an app by its own key, before it answers, whatever state it is in.
#[utoipa::path(post, path = "/v1/authenticators/{id}/self-block", tag = "authenticator", request_body = SelfBlock,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 200, description = "Blocked", body = AppView),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block_self(
    State(app): State<Arc<App>>,
    AnyonesApp(id): AnyonesApp,
    body: Result<Json<SelfBlock>, JsonRejection>,
) -> Answer<AppView> {
    let Json(given) = body?;
    Ok(Json(app.block_self(&id, given).await?))
}

/// Blocks the app or the identity that a notice was about, with the code in it.
#[utoipa::path(post, path = "/v1/blocks", tag = "authenticator", request_body = BlockCode, responses(
    (status = 200, description = "Blocked", body = Blocked),
    (status = 401, description = "The code is unknown or too old", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block_by_code(
    State(app): State<Arc<App>>,
    body: Result<Json<BlockCode>, JsonRejection>,
) -> Answer<Blocked> {
    let Json(code) = body?;
    Ok(Json(app.block_by_code(code).await?))
}
