//! Det Fælles Designsystem (npm `dkfds`) and the reader of QR codes (npm `qr`), served by us from `DATA/pages`, where `scripts/pages` puts it.
//! A file that is not the pinned one is not served: the pages work without any of it, less handsomely.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::Path as File;
use std::sync::Arc;

const PINS: &str = include_str!("../../assets/design.toml");
/// What belongs to the service; the rest is the tests'.
const FOLDER: &str = "pages";

#[derive(Deserialize)]
struct Pins {
    archive: Vec<Archive>,
}

#[derive(Deserialize)]
struct Archive {
    folder: String,
    file: Vec<Pinned>,
}

#[derive(Deserialize)]
struct Pinned {
    name: String,
    sha256: String,
}

/// The files by name.
#[derive(Debug, Clone, Default)]
pub struct Design(Arc<HashMap<String, Vec<u8>>>);

impl Design {
    /// The pinned files in the data directory; the log tells of each that is missing or altered.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the pins are part of the program; a test parses them")]
    pub fn load(data: &File) -> Self {
        let pins: Pins = toml::from_str(PINS).expect("design.toml parses");
        let archives = pins.archive.into_iter().filter(|archive| archive.folder == FOLDER);
        let found = archives.flat_map(|archive| archive.file).filter_map(|pinned| {
            let bytes = std::fs::read(data.join(FOLDER).join(&pinned.name)).unwrap_or_default();
            let fits = hex::encode(openssl::sha::sha256(&bytes)) == pinned.sha256;
            if !fits {
                tracing::warn!(file = pinned.name, "not the pinned file: run scripts/pages");
            }
            fits.then_some((pinned.name, bytes))
        });
        Self(Arc::new(found.collect()))
    }

    /// The routes of the files.
    pub(super) fn router(self) -> Router {
        Router::new()
            .route("/assets/dkfds/{name}", get(file))
            .route("/assets/qr/{name}", get(code))
            .with_state(self)
    }
}

async fn code(design: State<Design>, Path(name): Path<String>) -> Response {
    file(design, Path(format!("qr/{name}"))).await
}

async fn file(State(design): State<Design>, Path(name): Path<String>) -> Response {
    let Some(bytes) = design.0.get(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("woff2") => "font/woff2",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=86400")];
    (headers, bytes.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_file_is_not_served() {
        let data = tempfile::tempdir().unwrap();
        std::fs::create_dir(data.path().join(FOLDER)).unwrap();
        std::fs::write(data.path().join("pages/dkfds.css"), "body{display:none}").unwrap();
        assert!(Design::load(data.path()).0.is_empty());
    }
}
