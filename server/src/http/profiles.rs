//! What an issued identity is used with, set by who holds the token of the enrolment that issued it.

use super::problem::Problem;
use crate::app::{
    App, Blocker, ChosenUserId, InboxView, LifeView, NewReach, NewUserId, Owner, Reach,
};
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use std::sync::Arc;

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

/// Gives the identity a user ID. Once one is chosen with the enrolment, only who types it changes it.
#[utoipa::path(put, path = "/v1/identities/{id}/user-id", tag = "identity", security(("token" = [])), request_body = NewUserId,
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "Kept", body = ChosenUserId),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "Taken, the identity is blocked, or the enrolment has activated an app", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The time to set the identity up ran out, or a wrong user ID was typed too often", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not a user ID, or not the one that was chosen before", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn user_id(
    State(app): State<Arc<App>>,
    owner: Owner,
    body: Result<Json<NewUserId>, JsonRejection>,
) -> Answer<ChosenUserId> {
    let Json(chosen) = body?;
    Ok(Json(app.choose_user_id(owner, chosen).await?))
}

/// Keeps where the person is reached: codes and notices go there. Once that is said and a user ID chosen, only who
/// types it changes it.
#[utoipa::path(put, path = "/v1/identities/{id}/contacts", tag = "identity", security(("token" = [])), request_body = NewReach,
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "Kept", body = Reach),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The identity is blocked, or the enrolment has activated an app", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The time to set the identity up ran out, or a wrong user ID was typed too often", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Not a phone number or an e-mail address, or not the user ID that was chosen", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn contacts(
    State(app): State<Arc<App>>,
    owner: Owner,
    body: Result<Json<NewReach>, JsonRejection>,
) -> Answer<Reach> {
    let Json(reach) = body?;
    Ok(Json(app.reach(owner, reach).await?))
}

/// The notices to the apps of the identity, newest first.
#[utoipa::path(get, path = "/v1/identities/{id}/messages", tag = "identity", security(("token" = [])),
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "The notices", body = Vec<InboxView>),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn inbox(State(app): State<Arc<App>>, owner: Owner) -> Answer<Vec<InboxView>> {
    Ok(Json(app.inbox(owner).await?))
}

/// Blocks the whole identity, before it answers, with the token of any enrolment that issued it. Only
/// a Borgercenter opens it again.
#[utoipa::path(post, path = "/v1/identities/{id}/block", tag = "identity", security(("token" = [])),
    params(("id" = String, Path, description = "The identity")), responses(
    (status = 200, description = "Blocked", body = LifeView),
    (status = 401, description = "Wrong token", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "No such identity", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block(State(app): State<Arc<App>>, by: Blocker) -> Answer<LifeView> {
    Ok(Json(app.block_identity(by).await?))
}
