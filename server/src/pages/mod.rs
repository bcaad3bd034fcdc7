//! Pages: rendered on the server, Danish first and English beside it, no inline script or style.
//!
//! All texts are in `texts/da.ftl` and `texts/en.ftl` (`fluent.rs`), but for the reasons, which have a table of
//! their own.

mod app;
mod citizen;
mod design;
mod elsewhere;
pub(crate) mod fluent;
mod kiosk;
mod layout;
pub(crate) mod log_in;
mod my_page;
mod officer;
mod qr;
mod support;
pub mod texts;
pub(crate) mod visit;
pub(crate) mod watch;

pub use app::router as app;
pub use citizen::{root, router};
pub use design::Design;
pub use elsewhere::finish;
pub use log_in::router as log_in;
pub use my_page::router as my_page;
pub(crate) use officer::code_device_state;

use crate::app::{App, AppError};
use axum::Router;
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tower_http::compression::CompressionLayer;

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Files that pages load.
const ASSETS: [(&str, &str, &str); 26] = [
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
    ("app.css", "text/css; charset=utf-8", include_str!("../../assets/app.css")),
    ("app.js", SCRIPT, include_str!("../../assets/app.js")),
    ("app.webmanifest", "application/manifest+json", include_str!("../../assets/app.webmanifest")),
    ("device.js", SCRIPT, include_str!("../../assets/device.js")),
    ("party.css", "text/css; charset=utf-8", include_str!("../../assets/party.css")),
    ("scan.js", SCRIPT, include_str!("../../assets/scan.js")),
    ("code-device.js", SCRIPT, include_str!("../../assets/code-device.js")),
    ("go-on.js", SCRIPT, include_str!("../../assets/go-on.js")),
    ("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

/// The pictures among them.
const ICONS: [(&str, &[u8]); 2] = [
    ("icon-192.png", include_bytes!("../../assets/icon-192.png")),
    ("icon-512.png", include_bytes!("../../assets/icon-512.png")),
];

/// The routes of the files.
pub fn assets() -> Router {
    Router::new().route("/assets/{name}", get(asset)).layer(CompressionLayer::new())
}

async fn asset(Path(name): Path<String>) -> Response {
    let found = ASSETS.iter().find(|(known, ..)| *known == name);
    let icon = ICONS.iter().find(|(known, _)| *known == name);
    let (kind, body) = match (found, icon) {
        (Some((_, kind, body)), _) => (*kind, body.as_bytes()),
        (None, Some((_, body))) => ("image/png", *body),
        (None, None) => return StatusCode::NOT_FOUND.into_response(),
    };
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], body).into_response()
}

/// What a page answers where a limit keeps it back: a page in the person's language, or what its script shows.
pub(crate) fn too_often(app: &App, headers: &HeaderMap, error: AppError) -> Response {
    let visit = visit::Visit::to(app, headers);
    match is_script(headers) {
        true => citizen::trouble::json(&visit, error),
        false => citizen::trouble::of(&visit, error),
    }
}

/// Whether a script asked (W3C Fetch Metadata §2.1), as far as the browser says.
fn is_script(headers: &HeaderMap) -> bool {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match header("sec-fetch-dest") {
        Some(destination) => destination == "empty",
        None => header("accept").is_some_and(|types| types.contains("json")),
    }
}

/// Whether a kiosk asks to be cleared.
pub(crate) fn clears_a_kiosk(app: &App, request: &Request) -> bool {
    let token = || visit::Visit::to(app, request.headers()).station.map(|station| station.token);
    request.uri().path() == "/kiosk/finish"
        && token().is_some_and(|token| app.kiosk(&token).is_ok())
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
