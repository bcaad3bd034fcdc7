//! What officers of Borgercenters do.

use super::access::{Named, bearer};
use super::problem::Problem;
use crate::app::{
    App, Appointment, Evidence, Finished, IssuedPCode, LifeView, NewPCode, Officer, OfficerSession,
    Queue, Reopening, Ruling, SignIn, SignedOut, Waiting,
};
use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;
use std::sync::Arc;

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

impl FromRequestParts<Arc<App>> for Officer {
    type Rejection = Problem;

    /// The officer who is signed in with the request's token.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(app.officer(bearer(parts).unwrap_or_default()).await?)
    }
}

/// Signs an officer in, with password and one-time code. Each code is taken once.
#[utoipa::path(post, path = "/v1/officer/sessions", tag = "officer", request_body = SignIn, responses(
    (status = 201, description = "Signed in; the token is shown once", body = OfficerSession),
    (status = 401, description = "Name, password or code does not fit, or the account rests", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    body: Result<Json<SignIn>, JsonRejection>,
) -> Result<(StatusCode, Json<OfficerSession>), Problem> {
    let Json(given) = body?;
    Ok((StatusCode::CREATED, Json(app.sign_in(given).await?)))
}

/// Ends the officer's session.
#[utoipa::path(delete, path = "/v1/officer/sessions", tag = "officer", security(("token" = [])), responses(
    (status = 200, description = "Signed out", body = SignedOut),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn sign_out(State(app): State<Arc<App>>, officer: Officer) -> Answer<SignedOut> {
    Ok(Json(app.sign_out(officer).await?))
}

/// What of the queue is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    after: Option<String>,
}

/// The cases that wait, those that wait longest first; at most 200, and the address of the next page in
/// `Link` (RFC 8288) where there is one.
#[utoipa::path(get, path = "/v1/officer/cases", tag = "officer", security(("token" = [])),
    params(("after" = Option<String>, Query, description = "Where the page before ended, as its `Link` says")), responses(
    (status = 200, description = "The cases", body = Vec<Waiting>),
    (status = 400, description = "Not where a page ends", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn queue(
    State(app): State<Arc<App>>,
    officer: Officer,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<(HeaderMap, Json<Vec<Waiting>>), Problem> {
    let Query(Asked { after }) = asked.map_err(|_| Problem::malformed())?;
    let after = after.map(|after| after.parse()).transpose()?;
    let Queue { cases, next } = app.waiting(&officer, after, i64::MAX).await?;
    let mut headers = HeaderMap::new();
    let link = next.map(|next| format!("</v1/officer/cases?after={next}>; rel=\"next\""));
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        headers.insert(header::LINK, link);
    }
    Ok((headers, Json(cases)))
}

/// The times that are booked for cases which have not ended, earliest first. The look is kept in the trail.
#[utoipa::path(get, path = "/v1/officer/appointments", tag = "officer", security(("token" = [])), responses(
    (status = 200, description = "The times; at most 500", body = Vec<Appointment>),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn appointments(
    State(app): State<Arc<App>>,
    officer: Officer,
) -> Answer<Vec<Appointment>> {
    Ok(Json(app.appointments(&officer).await?))
}

/// What a case rests on. The look is kept in the trail.
#[utoipa::path(get, path = "/v1/officer/cases/{id}", tag = "officer", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "The case", body = Evidence),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case does not wait for an officer", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn look(
    State(app): State<Arc<App>>,
    officer: Officer,
    Named(id): Named,
) -> Answer<Evidence> {
    Ok(Json(app.look_at(&officer, &id).await?))
}

/// The chip's portrait of a case whose face the machine did not judge, to compare the person with. The look
/// is kept in the trail, and nothing keeps the picture.
#[utoipa::path(get, path = "/v1/officer/cases/{id}/portrait", tag = "officer", security(("token" = [])),
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "The portrait", body = Vec<u8>, content_type = "image/png"),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case does not wait for an officer, or holds no portrait", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "The portrait cannot be shown", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn portrait(
    State(app): State<Arc<App>>,
    officer: Officer,
    Named(id): Named,
) -> Result<impl IntoResponse, Problem> {
    let headers = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, app.portrait(&officer, &id).await?))
}

/// Decides a case that waits: approves it, refuses it, or asks for more.
#[utoipa::path(post, path = "/v1/officer/cases/{id}/ruling", tag = "officer", security(("token" = [])), request_body = Ruling,
    params(("id" = String, Path, description = "The enrolment")), responses(
    (status = 200, description = "Decided", body = Finished),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such case", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The case does not wait, no chip was read, or the identity is blocked", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The case's time ran out", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No reason, no presence, a face that nobody judged, a witness who may not vouch, or an objection that no officer overrules", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "A register does not answer", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn rule(
    State(app): State<Arc<App>>,
    officer: Officer,
    Named(id): Named,
    body: Result<Json<Ruling>, JsonRejection>,
) -> Answer<Finished> {
    let Json(ruling) = body?;
    Ok(Json(app.rule(&officer, &id, ruling).await?))
}

/// Opens a blocked identity again. What came of its last renewal does not come back with it.
#[utoipa::path(post, path = "/v1/officer/identities/{id}/reopening", tag = "officer", security(("token" = [])), request_body = Reopening,
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "Open, now or already", body = LifeView),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It does not come back", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "No reason", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn reopen(
    State(app): State<Arc<App>>,
    officer: Officer,
    Named(id): Named,
    body: Result<Json<Reopening>, JsonRejection>,
) -> Answer<LifeView> {
    let Json(reopening) = body?;
    Ok(Json(app.reopen_by(&officer, &id, reopening).await?))
}

/// Issues a P-code, which starts an enrolment instead of a CPR number.
#[utoipa::path(post, path = "/v1/officer/p-codes", tag = "officer", security(("token" = [])), request_body = NewPCode, responses(
    (status = 201, description = "The code is shown once", body = IssuedPCode),
    (status = 400, description = "Not readable, or neither a personal number nor a person", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not signed in", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Nobody is known as that, or they were born on another day", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn p_code(
    State(app): State<Arc<App>>,
    officer: Officer,
    body: Result<Json<NewPCode>, JsonRejection>,
) -> Result<(StatusCode, Json<IssuedPCode>), Problem> {
    let Json(new) = body?;
    Ok((StatusCode::CREATED, Json(app.issue_p_code(&officer, new).await?)))
}
