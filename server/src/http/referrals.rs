//! Cases that go on at a Borgercenter.

use super::access::bearer;
use super::problem::Problem;
use crate::app::{
    Access, App, Booked, GivenPickUp, Kiosk, PickedUp, Referred, Visited, WantedCase, WantedSlot,
    Wish,
};
use crate::registers::Offers;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::sync::Arc;

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

impl FromRequestParts<Arc<App>> for Kiosk {
    type Rejection = Problem;

    /// The kiosk whose credential the request carries.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(app.kiosk(bearer(parts).unwrap_or_default())?)
    }
}

/// Goes on at a Borgercenter: refers an open case, and draws a reference that opens it there. One
/// drawn before is worth nothing any more.
#[utoipa::path(post, path = "/v1/enrolments/{id}/referral", tag = "borgercenter", security(("token" = [])), request_body = Wish,
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 201, description = "Referred; the reference is shown once", body = Referred),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case has ended, or a kiosk goes on with it", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn refer(
    State(app): State<Arc<App>>,
    access: Access,
    body: Result<Json<Wish>, JsonRejection>,
) -> Result<(StatusCode, Json<Referred>), Problem> {
    let Json(wish) = body?;
    Ok((StatusCode::CREATED, Json(app.refer(access, wish).await?)))
}

/// The free times at Borgercenters, and what to bring.
#[utoipa::path(get, path = "/v1/enrolments/{id}/slots", tag = "borgercenter", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "The free times", body = Offers),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case is not referred", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The appointment service does not answer; the reference is valid without a time", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn slots(State(app): State<Arc<App>>, access: Access) -> Answer<Offers> {
    Ok(Json(app.slots(access).await?))
}

/// The time that is booked.
#[utoipa::path(get, path = "/v1/enrolments/{id}/booking", tag = "borgercenter", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "The time, if one is booked", body = Booked),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case is not referred", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn booking(State(app): State<Arc<App>>, access: Access) -> Answer<Booked> {
    Ok(Json(app.booking(access).await?))
}

/// Books a time, in place of the one before. May be repeated.
#[utoipa::path(put, path = "/v1/enrolments/{id}/booking", tag = "borgercenter", security(("token" = [])), request_body = WantedSlot,
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "Booked", body = Booked),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The time is taken or is none, or the case is not referred", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The appointment service does not answer", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn book(
    State(app): State<Arc<App>>,
    access: Access,
    body: Result<Json<WantedSlot>, JsonRejection>,
) -> Answer<Booked> {
    let Json(wanted) = body?;
    Ok(Json(app.book(access, wanted).await?))
}

/// Cancels the time. The reference stays valid.
#[utoipa::path(delete, path = "/v1/enrolments/{id}/booking", tag = "borgercenter", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "Cancelled", body = Booked),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case, or no time is booked", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case is not referred", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "The appointment service does not answer", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn cancel(State(app): State<Arc<App>>, access: Access) -> Answer<Booked> {
    Ok(Json(app.cancel(access).await?))
}

/// Opens a referred case at a kiosk, whose credential is the bearer token. The answer's token does the
/// steps of the case from then on, from the page or the chip; one given before is dead.
#[utoipa::path(post, path = "/v1/kiosk/cases", tag = "borgercenter", security(("token" = [])), request_body = WantedCase,
    responses(
    (status = 201, description = "Opened; the token is shown once", body = Visited),
    (status = 401, description = "Not the credential of a kiosk", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No case has this reference, or not any more", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case has ended", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not a reference", body = Problem, content_type = "application/problem+json"),
    (status = 429, description = "The case was opened too often, or the kiosk has tried too many references", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn visit(
    State(app): State<Arc<App>>,
    kiosk: Kiosk,
    body: Result<Json<WantedCase>, JsonRejection>,
) -> Result<(StatusCode, Json<Visited>), Problem> {
    let Json(wanted) = body?;
    Ok((StatusCode::CREATED, Json(app.visit(&kiosk, wanted).await?)))
}

/// Picks up an identity that was proved at a Borgercenter, with the code that was given to the person
/// there. The answer's token is the owner's.
#[utoipa::path(post, path = "/v1/pick-ups", tag = "borgercenter", request_body = GivenPickUp, responses(
    (status = 201, description = "Picked up; the token is shown once", body = PickedUp),
    (status = 404, description = "The code is unknown, used or too old", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not a pick-up code", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn pick_up(
    State(app): State<Arc<App>>,
    body: Result<Json<GivenPickUp>, JsonRejection>,
) -> Result<(StatusCode, Json<PickedUp>), Problem> {
    let Json(given) = body?;
    Ok((StatusCode::CREATED, Json(app.pick_up(given).await?)))
}
