//! My page for a native app (docs/my-page.md): a session by the app's key and PIN, and what its person sees and
//! does with it.

use super::access::{AnyonesApp, Named, bearer};
use super::problem::Problem;
use crate::app::{
    ActivityKind, ActivityView, App, AppError, Export, Holder, LifeView, Means, MyEnd, MyToken,
    Place, Proof,
};
use axum::Json;
use axum::Router;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::routing::{delete, get, post, put};
use serde::Deserialize;
use std::sync::Arc;

/// Its routes.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/authenticators/{id}/my-page", post(open))
        .route("/v1/my/session", delete(close))
        .route("/v1/my/activities", get(activities))
        .route("/v1/my/export", get(export))
        .route("/v1/my/means", get(means))
        .route("/v1/my/means/{id}/block", post(block))
        .route("/v1/my/means/{id}/reopening", post(reopen))
        .route("/v1/my/means/{id}/loss", post(lose))
        .route("/v1/my/means/{id}/finding", post(find))
        .route("/v1/my/means/{id}/name", put(name))
        .route("/v1/my/block", post(block_all))
}

/// An answer, or what was wrong.
type Answer<T> = Result<Json<T>, Problem>;

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = Problem;

    /// The person whose session the request's token is.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Ok(place) = Place::from_request_parts(parts, app).await;
        Ok(app.holder(bearer(parts).unwrap_or_default(), place).await?)
    }
}

/// Opens a session of My page by the app's key and PIN: it signs `indrul-proof-v1 my-page CHALLENGE`.
#[utoipa::path(post, path = "/v1/authenticators/{id}/my-page", tag = "my page", request_body = Proof,
    params(("id" = String, Path, description = "The app")), responses(
    (status = 201, description = "Opened; the token is shown once", body = MyToken),
    (status = 404, description = "No such app", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "The app or identity cannot be used", body = Problem, content_type = "application/problem+json"),
    (status = 422, description = "Wrong PIN, or no proof of the key", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    AnyonesApp(id): AnyonesApp,
    place: Place,
    body: Result<Json<Proof>, JsonRejection>,
) -> Result<(StatusCode, Json<MyToken>), Problem> {
    let Json(proof) = body?;
    Ok((StatusCode::CREATED, Json(app.my_page_of_app(&id, proof, &place).await?)))
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/my/session", tag = "my page", security(("token" = [])), responses(
    (status = 200, description = "Ended", body = MyEnd),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn close(State(app): State<Arc<App>>, holder: Holder) -> Answer<MyEnd> {
    Ok(Json(app.leave_my_page(holder).await?))
}

/// What of the activities is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    kind: Option<String>,
    before: Option<String>,
}

/// What has happened to the identity, newest first; the address of older ones in `Link` (RFC 8288) where there
/// are any.
#[utoipa::path(get, path = "/v1/my/activities", tag = "my page", security(("token" = [])),
    params(("kind" = Option<ActivityKind>, Query, description = "Those of this kind alone"),
        ("before" = Option<String>, Query, description = "Where the page before ended, as its `Link` says")), responses(
    (status = 200, description = "The activities", body = Vec<ActivityView>),
    (status = 400, description = "No such kind, or not where a page ends", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn activities(
    State(app): State<Arc<App>>,
    holder: Holder,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<(HeaderMap, Json<Vec<ActivityView>>), Problem> {
    let Query(Asked { kind, before }) = asked.map_err(|_| AppError::Malformed)?;
    let kind: Option<ActivityKind> = kind.as_deref().map(str::parse).transpose()?;
    let before = before.as_deref().map(str::parse).transpose()?;
    let page = app.my_activities(&holder, (kind, before)).await?;
    let mut headers = HeaderMap::new();
    if let Some(next) = page.next {
        let kind = kind.map(|kind| format!("&kind={}", kind.as_str())).unwrap_or_default();
        let link = format!("</v1/my/activities?before={next}{kind}>; rel=\"next\"");
        if let Ok(link) = HeaderValue::from_str(&link) {
            headers.insert(header::LINK, link);
        }
    }
    Ok((headers, Json(page.activities)))
}

/// All that is kept of the person, without secrets (GDPR articles 15 and 20), by an approval of the last five minutes.
#[utoipa::path(get, path = "/v1/my/export", tag = "my page", security(("token" = [])), responses(
    (status = 200, description = "All of it", body = Export),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The approval is not of the last minutes", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn export(State(app): State<Arc<App>>, holder: Holder) -> Answer<Export> {
    Ok(Json(app.export_mine(&holder).await?))
}

/// What the person can log in with, oldest first.
#[utoipa::path(get, path = "/v1/my/means", tag = "my page", security(("token" = [])), responses(
    (status = 200, description = "The means", body = Vec<Means>),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn means(State(app): State<Arc<App>>, holder: Holder) -> Answer<Vec<Means>> {
    Ok(Json(app.my_means(&holder).await?))
}

/// Blocks one of them, before it answers. Every session of the identity ends, this one too; of a code device that
/// was not in use none does.
#[utoipa::path(post, path = "/v1/my/means/{id}/block", tag = "my page", security(("token" = [])),
    params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "Blocked", body = Means),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The person has no such means", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block(
    State(app): State<Arc<App>>,
    holder: Holder,
    Named(id): Named,
) -> Answer<Means> {
    Ok(Json(app.block_mine(&holder, &id).await?))
}

/// Opens one again that the person blocked, by an approval of the last five minutes: an app with another one, a code
/// device to be activated anew.
#[utoipa::path(post, path = "/v1/my/means/{id}/reopening", tag = "my page", security(("token" = [])),
    params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "Open again", body = Means),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The approval is not of the last minutes", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The person has no such means", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It does not come back, or there are too many", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The identity was opened again since: a new enrolment, or the Borgercenter, brings it back", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn reopen(
    State(app): State<Arc<App>>,
    holder: Holder,
    Named(id): Named,
) -> Answer<Means> {
    Ok(Json(app.reopen_mine(&holder, &id).await?))
}

/// Says that a code device is lost, before it answers. Where it was in use every session of the identity ends, this
/// one too.
#[utoipa::path(post, path = "/v1/my/means/{id}/loss", tag = "my page", security(("token" = [])),
    params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "Lost", body = Means),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The person has no such means", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "An app, or it is blocked", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn lose(
    State(app): State<Arc<App>>,
    holder: Holder,
    Named(id): Named,
) -> Answer<Means> {
    Ok(Json(app.lose_mine(&holder, &id).await?))
}

/// Says that a code device is found, by an approval of the last five minutes: it is to be activated anew.
#[utoipa::path(post, path = "/v1/my/means/{id}/finding", tag = "my page", security(("token" = [])),
    params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "Found", body = Means),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
    (status = 403, description = "The approval is not of the last minutes", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The person has no such means", body = Problem, content_type = "application/problem+json"),
    (status = 409, description = "It was not lost, or another one is on the way", body = Problem, content_type = "application/problem+json"),
    (status = 410, description = "The identity was opened again since: a new enrolment, or the Borgercenter, brings it back", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn find(
    State(app): State<Arc<App>>,
    holder: Holder,
    Named(id): Named,
) -> Answer<Means> {
    Ok(Json(app.find_mine(&holder, &id).await?))
}

/// What the person calls one of their means.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MeansName {
    /// At most 40 signs; an empty one takes it away.
    #[schema(max_length = 40, example = "My phone")]
    name: String,
}

/// Gives one of them a name.
#[utoipa::path(put, path = "/v1/my/means/{id}/name", tag = "my page", security(("token" = [])), request_body = MeansName,
    params(("id" = String, Path, description = "Which")), responses(
    (status = 200, description = "Called so", body = Means),
    (status = 400, description = "Not readable, or no name", body = Problem, content_type = "application/problem+json"),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The person has no such means", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn name(
    State(app): State<Arc<App>>,
    holder: Holder,
    Named(id): Named,
    body: Result<Json<MeansName>, JsonRejection>,
) -> Answer<Means> {
    let Json(MeansName { name }) = body?;
    Ok(Json(app.name_mine(&holder, &id, &name).await?))
}

/// Blocks the whole identity, before it answers. Only a Borgercenter opens it again.
#[utoipa::path(post, path = "/v1/my/block", tag = "my page", security(("token" = [])), responses(
    (status = 200, description = "Blocked", body = LifeView),
    (status = 401, description = "No session, or it is over", body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn block_all(State(app): State<Arc<App>>, holder: Holder) -> Answer<LifeView> {
    Ok(Json(app.block_all_mine(&holder).await?))
}
