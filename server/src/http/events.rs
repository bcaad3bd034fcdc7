//! What registers tell of people and documents.

use super::access::bearer;
use super::problem::Problem;
use crate::app::{App, RegisterEvent, TakenIn, Teller};
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use std::sync::Arc;

impl FromRequestParts<Arc<App>> for Teller {
    type Rejection = Problem;

    /// The register whose credential the request carries.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(app.teller(bearer(parts).unwrap_or_default())?)
    }
}

/// Takes in that a person died or emigrated, or that a document is worth nothing any more. May be
/// repeated with the same identifier.
#[utoipa::path(post, path = "/v1/register-events", tag = "register", security(("token" = [])), request_body = RegisterEvent, responses(
    (status = 200, description = "Taken in", body = TakenIn),
    (status = 400, description = "Not readable, or not with what its kind is of", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "Not the credential of a register", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn take_in(
    State(app): State<Arc<App>>,
    teller: Teller,
    body: Result<Json<RegisterEvent>, JsonRejection>,
) -> Result<Json<TakenIn>, Problem> {
    let Json(event) = body?;
    Ok(Json(app.take_in(teller, event).await?))
}
