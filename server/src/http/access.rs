//! Bearer tokens (RFC 6750 §2.1).

use super::problem::Problem;
use crate::app::{Access, App, AppError, Blocker, OwnedApp, Owner};
use crate::limits::Kind;
use axum::extract::{FromRequestParts, Path};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use std::sync::Arc;
use tokio::time::Instant;

/// The token of a request, if it carries one.
pub(super) fn bearer(parts: &Parts) -> Option<&str> {
    authorization(parts, "bearer")
}

/// What a request is authorised by, if it is so by `scheme`, whose letters' case makes no difference (RFC 9110
/// §11.1).
pub(super) fn authorization<'a>(parts: &'a Parts, scheme: &str) -> Option<&'a str> {
    let (name, rest) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}

/// The `{id}` of the address.
pub(super) async fn id(parts: &mut Parts, app: &Arc<App>) -> Result<String, Problem> {
    // What is no text is nothing there is.
    let found = Path::<String>::from_request_parts(parts, app).await;
    Ok(found.map_err(|_| AppError::UnknownCase)?.0)
}

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = Problem;

    /// The access that the request's token gives to the enrolment in its address.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let id = id(parts, app).await?;
        let access = app.authorise(&id, bearer(parts).unwrap_or_default()).await?;
        // After the token: who only knows the number uses up nothing of its owner's.
        app.spend(Kind::Case, id.as_bytes(), Instant::now())?;
        Ok(access)
    }
}

impl FromRequestParts<Arc<App>> for Owner {
    type Rejection = Problem;

    /// The right that the request's token gives over the identity in its address.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let id = id(parts, app).await?;
        let owner = app.owner(&id, bearer(parts).unwrap_or_default()).await?;
        // After the token: an identifier that others know must not keep its owner from blocking.
        app.spend(Kind::Case, id.as_bytes(), Instant::now())?;
        Ok(owner)
    }
}

impl FromRequestParts<Arc<App>> for Blocker {
    type Rejection = Problem;

    /// The right to block the identity in the address that the request's token gives.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let id = id(parts, app).await?;
        let blocker = app.blocker(&id, bearer(parts).unwrap_or_default()).await?;
        app.spend(Kind::Case, id.as_bytes(), Instant::now())?;
        Ok(blocker)
    }
}

impl FromRequestParts<Arc<App>> for OwnedApp {
    type Rejection = Problem;

    /// The right that the request's token gives over the app in its address.
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let id = id(parts, app).await?;
        let owned = app.owned_app(&id, bearer(parts).unwrap_or_default()).await?;
        app.spend(Kind::Case, id.as_bytes(), Instant::now())?;
        Ok(owned)
    }
}

/// What the address names, to a handler that finds its right elsewhere.
pub(super) struct Named(pub(super) String);

impl FromRequestParts<Arc<App>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        Ok(Self(id(parts, app).await?))
    }
}

/// The app in the address of a request that needs no token.
pub(super) struct AnyonesApp(pub(super) String);

impl FromRequestParts<Arc<App>> for AnyonesApp {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let id = id(parts, app).await?;
        app.spend(Kind::App, id.as_bytes(), Instant::now())?;
        Ok(Self(id))
    }
}
