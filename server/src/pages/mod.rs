//! Pages: rendered on the server, Danish first and English beside it, no inline script or style.
//!
//! The texts are a typed table (`texts.rs`).

pub mod texts;
pub(crate) mod watch;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

/// Files that pages load.
const ASSETS: [(&str, &str, &str); 3] = [
    ("indrul.css", "text/css; charset=utf-8", include_str!("../../assets/indrul.css")),
    ("watch.js", "text/javascript; charset=utf-8", include_str!("../../assets/watch.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

/// The routes of the files.
pub fn assets() -> Router {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Response {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let Some((_, kind, body)) = found else { return StatusCode::NOT_FOUND.into_response() };
    ([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "max-age=300")], *body).into_response()
}

/// A rendered page, or 500.
pub(crate) fn html(page: &impl askama::Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
