//! A relying party sends a person to log out (OpenID Connect RP-Initiated Logout 1.0).

use super::super::html;
use super::super::layout::{Layout, Why as Told};
use super::super::visit::Visit;
use super::{to, trouble};
use crate::app::{App, AppError, LoggedOut};
use crate::http::oidc::Issuer;
use crate::oidc::Params;
use askama::Template;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "citizen/log_in/ended.html")]
struct Page {
    l: Layout,
    why: Told,
    party: String,
    way: Option<String>,
}

pub(super) async fn get(
    State(app): State<Arc<App>>,
    visit: Visit,
    issuer: Issuer,
    RawQuery(query): RawQuery,
) -> Response {
    log_out(&app, (&visit, &issuer), query.unwrap_or_default().as_bytes()).await
}

pub(super) async fn post(
    State(app): State<Arc<App>>,
    visit: Visit,
    issuer: Issuer,
    body: Bytes,
) -> Response {
    log_out(&app, (&visit, &issuer), &body).await
}

async fn log_out(
    app: &App,
    (visit, Issuer(issuer)): (&Visit, &Issuer),
    encoded: &[u8],
) -> Response {
    let Ok(params) = Params::read(encoded) else { return trouble::of(visit, AppError::Malformed) };
    match app.log_out(&params, issuer).await {
        Ok(LoggedOut::To(address)) => to(&address),
        Ok(LoggedOut::Here) => html(&Page {
            l: Layout::of(visit, 0, "log-in-out-title"),
            why: Told::text(visit.language, "log-in-out"),
            party: String::new(),
            way: None,
        }),
        Err(error) => trouble::of(visit, error),
    }
}
