//! Code displays and audio code readers: ordered, activated, lost and found; and the password beside them.

use super::access::Named;
use super::problem::Problem;
use crate::app::{
    ActivatedDevice, App, AppError, AskedCode, ChangedPassword, CodeDeviceView, CodeSent,
    DeviceHolder, FirstDevice, HandOut, NewStanding, Officer, Owner, PasswordKept,
};
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use std::sync::Arc;

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

/// The routes of code devices and their passwords.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/officer/code-devices", post(hand_out))
        .route("/v1/officer/code-devices/{id}", get(look))
        .route("/v1/officer/code-devices/{id}/standing", put(stand_by_officer))
        .route("/v1/code-device-codes", post(send_code))
        .route("/v1/code-device-activations", post(activate))
        .route("/v1/identities/{id}/code-devices", get(list).post(order))
        .route("/v1/identities/{id}/code-devices/{serial}/standing", put(stand))
        .route("/v1/identities/{id}/password", put(password))
}

/// The code devices of the identity, oldest first.
#[utoipa::path(get, path = "/v1/identities/{id}/code-devices", tag = "code device", security(("token" = [])),
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "The devices", body = Vec<CodeDeviceView>),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn list(State(app): State<Arc<App>>, owner: Owner) -> Answer<Vec<CodeDeviceView>> {
    Ok(Json(app.code_devices(owner.into()).await?))
}

/// Orders a code device, as long as the enrolment sets the identity up. It comes inactive.
#[utoipa::path(post, path = "/v1/identities/{id}/code-devices", tag = "code device", security(("token" = [])), request_body = FirstDevice,
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 201, description = "Ordered", body = CodeDeviceView),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Blocked, no user ID, another device is on the way, none in stock, or the identity is set up", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The time to set the identity up ran out, or a wrong user ID was typed too often", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No address for the code that activates it, or not the user ID that was chosen", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn order(
    State(app): State<Arc<App>>,
    owner: Owner,
    body: Result<Json<FirstDevice>, JsonRejection>,
) -> Result<(StatusCode, Json<CodeDeviceView>), Problem> {
    let Json(wanted) = body?;
    Ok((StatusCode::CREATED, Json(app.order_first_code_device(owner, wanted).await?)))
}

/// Asks for the code that activates a device. The answer comes before anything is looked up, and does not tell whether
/// user ID and device fit. A code that is under way stays good: meanwhile none is sent by the same channel.
#[utoipa::path(post, path = "/v1/code-device-codes", tag = "code device", request_body = AskedCode, responses(
    (status = 202, description = "It is sent, if the device is inactive and the person's", body = CodeSent),
    (status = 429, description = "Too often for this device", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Too many wait", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn send_code(
    State(app): State<Arc<App>>,
    body: Result<Json<AskedCode>, JsonRejection>,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let Json(asked) = body?;
    Ok((StatusCode::ACCEPTED, Json(app.ask_device_code(asked)?)))
}

/// Activates a device with the code that was sent and two of its own in a row (RFC 4226 §7.4), and sets the password.
#[utoipa::path(post, path = "/v1/code-device-activations", tag = "code device", request_body = ActivatedDevice, responses(
    (status = 200, description = "Active", body = CodeDeviceView),
    (status = 409, description = "Another device of the person is active", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Something does not fit, which is not told; or a weak password", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "Too often for this device", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "Too many passwords are being hashed", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    body: Result<Json<ActivatedDevice>, JsonRejection>,
) -> Answer<CodeDeviceView> {
    let Json(given) = body?;
    Ok(Json(app.activate_code_device(given).await?))
}

/// Says that a device of the identity is lost, found, blocked or opened again, before it answers.
#[utoipa::path(put, path = "/v1/identities/{id}/code-devices/{serial}/standing", tag = "code device", security(("token" = [])), request_body = NewStanding,
    params(("id" = String, Path, description = "The identity"), ("serial" = String, Path, description = "What is written on the device")), responses(
    (status = 200, description = "It stands so", body = CodeDeviceView),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity or device", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It cannot stand so now, or the identity is blocked", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The identity was opened again since: a new enrolment, or the Borgercenter, brings it back", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn stand(
    State(app): State<Arc<App>>,
    Owned(holder, serial): Owned,
    body: Result<Json<NewStanding>, JsonRejection>,
) -> Answer<CodeDeviceView> {
    let Json(new) = body?;
    Ok(Json(app.stand_code_device(holder, &serial, new).await?))
}

/// Changes the password, by the one before.
#[utoipa::path(put, path = "/v1/identities/{id}/password", tag = "code device", security(("token" = [])), request_body = ChangedPassword,
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "Changed", body = PasswordKept),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The identity is blocked", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The old one does not fit, or a weak new one", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn password(
    State(app): State<Arc<App>>,
    owner: Owner,
    body: Result<Json<ChangedPassword>, JsonRejection>,
) -> Answer<PasswordKept> {
    let Json(given) = body?;
    Ok(Json(app.change_password(owner.into(), given).await?))
}

/// Hands a device of the stock out, inactive, to the person before the officer.
#[utoipa::path(post, path = "/v1/officer/code-devices", tag = "officer", security(("token" = [])), request_body = HandOut, responses(
    (status = 201, description = "Handed out", body = CodeDeviceView),
    (status = 400, description = "Not readable, or neither an identity nor a personal number", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Not in stock, another one is on the way, or the identity is blocked", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn hand_out(
    State(app): State<Arc<App>>,
    officer: Officer,
    body: Result<Json<HandOut>, JsonRejection>,
) -> Result<(StatusCode, Json<CodeDeviceView>), Problem> {
    let Json(given) = body?;
    Ok((StatusCode::CREATED, Json(app.hand_out_code_device(&officer, given).await?)))
}

/// How a device stands. The look is kept in the trail.
#[utoipa::path(get, path = "/v1/officer/code-devices/{id}", tag = "officer", security(("token" = [])),
    params(("id" = String, Path, description = "What is written on the device")), responses(
    (status = 200, description = "It stands so", body = CodeDeviceView),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such device", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn look(
    State(app): State<Arc<App>>,
    officer: Officer,
    Named(serial): Named,
) -> Answer<CodeDeviceView> {
    Ok(Json(app.look_at_code_device(&officer, &serial).await?))
}

/// Says that a device is lost, found, blocked or opened again, before it answers.
#[utoipa::path(put, path = "/v1/officer/code-devices/{id}/standing", tag = "officer", security(("token" = [])), request_body = NewStanding,
    params(("id" = String, Path, description = "What is written on the device")), responses(
    (status = 200, description = "It stands so", body = CodeDeviceView),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such device", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It cannot stand so now, or the identity is blocked", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn stand_by_officer(
    State(app): State<Arc<App>>,
    officer: Officer,
    Named(serial): Named,
    body: Result<Json<NewStanding>, JsonRejection>,
) -> Answer<CodeDeviceView> {
    let Json(new) = body?;
    Ok(Json(app.stand_code_device_by(&officer, &serial, new).await?))
}

/// Who holds the identity in the address, and the serial number there.
pub(super) struct Owned(DeviceHolder, String);

impl FromRequestParts<Arc<App>> for Owned {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let found = Path::<(String, String)>::from_request_parts(parts, app).await;
        let Path((id, serial)) = found.map_err(|_| Problem::from(AppError::UnknownCase))?;
        let owner = app.owner(&id, super::access::bearer(parts).unwrap_or_default()).await?;
        app.spend(crate::limits::Kind::Case, id.as_bytes(), tokio::time::Instant::now())?;
        Ok(Self(owner.into(), serial))
    }
}
