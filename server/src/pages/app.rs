//! The person's app as a page (docs/log-in.md, *An app*): a shell that a phone can install, with the key in
//! its browser. What it does in a log-in it does at `/v1`, as any app; here is what needs the cookie of the
//! enrolment: the first activation (E2-E4, E9).

use super::citizen::{arrive, trouble};
use super::layout::Layout;
use super::{SCRIPT, html, visit::Visit};
use crate::app::{Activation, App, AppError, NewApp, Owner, Registered};
use crate::limits::Kind;
use askama::Template;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use enroll_core::case::State as Case;
use enroll_core::reason::ReasonCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::time::Instant;

/// Longest body.
const LIMIT: usize = 16 * 1024;

/// The routes of the app.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/app", get(shell))
        .route("/app/worker.js", get(worker))
        .route("/app/setup", get(setup))
        .route("/app/codes", post(codes))
        .route("/app/activation", post(activate))
        .layer(DefaultBodyLimit::max(LIMIT))
        .layer(from_fn_with_state(app.clone(), arrive::arrive))
        .route_layer(from_fn_with_state(app.clone(), crate::http::watch::watch))
        .with_state(app)
}

#[derive(Template)]
#[template(path = "app/app.html")]
struct Page {
    l: Layout,
}

/// The shell: the same for everybody, so that a browser may keep it.
async fn shell(visit: Visit) -> Response {
    let mut l = Layout::of(&visit, 0, "app-title");
    l.helper = false;
    let mut response = html(&Page { l });
    // As everywhere, and that it can be installed (CSP 3 §6.1.9).
    let policy = format!("{}; manifest-src 'self'", crate::http::POLICY);
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// What keeps the shell. Its scope is the page above its own folder (Service Workers §3.4.2).
async fn worker() -> Response {
    let allowed = header::HeaderName::from_static("service-worker-allowed");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(SCRIPT)),
        (allowed, HeaderValue::from_static("/app")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, include_str!("../../assets/app-worker.js")).into_response()
}

/// How far the enrolment of this browser is: `ready` to activate an app, with the app whose codes are under
/// way, and whether another user ID may be chosen without the one that is; `choose` where something comes before that; `none`.
async fn setup(State(app): State<Arc<App>>, visit: Visit) -> Response {
    let found = async {
        let Some(owner) = owner(&app, &visit).await? else { return Ok(json!({ "state": "none" })) };
        let chosen = app.chosen(owner).await?;
        if !chosen.user_id || !chosen.contacts {
            return Ok(json!({ "state": "choose" }));
        }
        let apps = app.apps(owner).await?;
        let pending = apps.iter().rfind(|app| app.state == "pending").map(|app| app.id);
        Ok(json!({ "state": "ready", "pending": pending, "may_choose": !chosen.is_guarded }))
    };
    match found.await {
        Ok(found) => Json(found).into_response(),
        Err(AppError::UnknownCase | AppError::Unauthorized) => {
            Json(json!({ "state": "none" })).into_response()
        }
        Err(error) => trouble::json(&visit, error),
    }
}

/// The right over the identity that this browser's enrolment has made and that has no app yet.
async fn owner(app: &App, visit: &Visit) -> Result<Option<Owner>, AppError> {
    let Some((id, token)) = visit.case.as_ref().filter(|_| !visit.helper) else { return Ok(None) };
    app.spend(Kind::Case, id.as_bytes(), Instant::now())?;
    let access = super::citizen::access(app, id, token).await?;
    match app.record(access.id()).await?.case.state {
        Case::IdentityCreated { identity, .. } => {
            app.owner(&identity.to_string(), token).await.map(Some)
        }
        _ => Ok(None),
    }
}

/// The user ID, and the public key that the browser made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    user_id: String,
    public_key: String,
}

/// Registers this device for who types the user ID, and sends two codes: `{"id", "challenge"}`.
async fn codes(
    State(app): State<Arc<App>>,
    visit: Visit,
    body: Result<Json<Key>, JsonRejection>,
) -> Response {
    match register(&app, &visit, body).await {
        Ok(registered) => (StatusCode::CREATED, Json(registered)).into_response(),
        Err(error) => trouble::json(&visit, error),
    }
}

async fn register(
    app: &App,
    visit: &Visit,
    body: Result<Json<Key>, JsonRejection>,
) -> Result<Registered, AppError> {
    let Json(Key { user_id, public_key }) = body.map_err(|_| AppError::Malformed)?;
    let owner = owner(app, visit).await?.ok_or(AppError::Reason(ReasonCode::ACTIVATION_STATE))?;
    app.register_app(owner, NewApp::by_sms_and_email(public_key, user_id)).await
}

/// The app, and what activates it as `POST /v1/authenticators/{id}/activation` takes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    app: String,
    activation: Value,
}

/// Activates this device: `{}`.
async fn activate(
    State(app): State<Arc<App>>,
    visit: Visit,
    body: Result<Json<Given>, JsonRejection>,
) -> Response {
    let activated = async {
        let Json(Given { app: id, activation }) = body.map_err(|_| AppError::Malformed)?;
        let activation: Activation =
            serde_json::from_value(activation).map_err(|_| AppError::Malformed)?;
        // Nobody's app stays on a helper's device.
        if visit.helper {
            return Err(AppError::Reason(ReasonCode::ACTIVATION_STATE));
        }
        let (case, token) = visit.case.as_ref().ok_or(AppError::Unauthorized)?;
        app.spend(Kind::Case, case.as_bytes(), Instant::now())?;
        let owned = app.owned_app(&id, token).await?;
        app.activate(owned, activation).await
    };
    match activated.await {
        Ok(_) => Json(json!({})).into_response(),
        Err(error) => trouble::json(&visit, error),
    }
}
