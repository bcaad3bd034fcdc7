//! Issued identities and the keys that verify them.

use super::access::{bearer, id};
use super::problem::Problem;
use crate::app::{App, PublicIdentity};
use axum::Json;
use axum::extract::State;
use axum::http::request::Parts;
use serde_json::Value;
use std::sync::Arc;

/// An issued identity, to who holds the token of the enrolment that issued it.
#[utoipa::path(get, path = "/v1/identities/{id}", tag = "identity", security(("token" = [])),
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "The identity and its signed form", body = PublicIdentity),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn view(
    State(app): State<Arc<App>>,
    mut parts: Parts,
) -> Result<Json<PublicIdentity>, Problem> {
    let id = id(&mut parts, &app).await?;
    let token = bearer(&parts).unwrap_or_default();
    Ok(Json(app.identity(&id, token).await?))
}

/// The public keys that verify identities (RFC 7517 §5).
#[utoipa::path(get, path = "/v1/keys", tag = "identity", responses(
    (status = 200, description = "A JWK set", body = Object),
))]
pub(super) async fn keys(State(app): State<Arc<App>>) -> Json<Value> {
    Json(app.jwks())
}
