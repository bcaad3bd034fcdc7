//! For those who watch the service and send requests its way.

use super::problem::Problem;
use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;

/// How the service is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    status: &'static str,
}

/// Whether the process runs.
#[utoipa::path(get, path = "/health/live", tag = "operation", responses(
    (status = 200, description = "It does", body = Health),
))]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// Whether requests should be sent here: the database answers, and the service is not ending.
#[utoipa::path(get, path = "/health/ready", tag = "operation", responses(
    (status = 200, description = "They should", body = Health),
    (status = 503, description = "Not now", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    if app.is_ready().await {
        Ok(Json(Health { status: "ready" }))
    } else {
        Err(Problem::not_ready())
    }
}
