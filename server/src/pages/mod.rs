//! Pages: rendered on the server, Danish first and English beside it, no inline script or style.
//!
//! All texts are in `texts/da.ftl` and `texts/en.ftl` (`fluent.rs`), but for the reasons, which have a table of
//! their own.

mod citizen;
mod design;
pub(crate) mod fluent;
mod kiosk;
mod layout;
pub(crate) mod log_in;
mod officer;
mod qr;
pub mod texts;
pub(crate) mod visit;
pub(crate) mod watch;

pub use citizen::{root, router};
pub use design::Design;
pub use log_in::router as log_in;
pub(crate) use officer::code_device_state;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tower_http::compression::CompressionLayer;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Files that pages load.
const ASSETS: [(&str, &str, &str); 20] = [
    ("indrul.css", "text/css; charset=utf-8", include_str!("../../assets/indrul.css")),
    ("watch.js", SCRIPT, include_str!("../../assets/watch.js")),
    ("again.js", SCRIPT, include_str!("../../assets/again.js")),
    ("citizen.css", "text/css; charset=utf-8", include_str!("../../assets/citizen.css")),
    ("citizen.js", SCRIPT, include_str!("../../assets/citizen.js")),
    ("camera.js", SCRIPT, include_str!("../../assets/camera.js")),
    ("page.js", SCRIPT, include_str!("../../assets/page.js")),
    ("face.js", SCRIPT, include_str!("../../assets/face.js")),
    ("challenge.js", SCRIPT, include_str!("../../assets/challenge.js")),
    ("chip.js", SCRIPT, include_str!("../../assets/chip.js")),
    ("pick_up.js", SCRIPT, include_str!("../../assets/pick_up.js")),
    ("activate.js", SCRIPT, include_str!("../../assets/activate.js")),
    ("desk.css", "text/css; charset=utf-8", include_str!("../../assets/desk.css")),
    ("kiosk.js", SCRIPT, include_str!("../../assets/kiosk.js")),
    ("station.js", SCRIPT, include_str!("../../assets/station.js")),
    ("officer.js", SCRIPT, include_str!("../../assets/officer.js")),
    ("log-in.js", SCRIPT, include_str!("../../assets/log-in.js")),
    ("code-device.js", SCRIPT, include_str!("../../assets/code-device.js")),
    ("go-on.js", SCRIPT, include_str!("../../assets/go-on.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

/// The routes of the files.
pub fn assets() -> Router {
    Router::new().route("/assets/{name}", get(asset)).layer(CompressionLayer::new())
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
