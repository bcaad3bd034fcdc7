//! QR codes (ISO/IEC 18004) as one path of an SVG picture.

use crate::app::App;
use axum::http::HeaderMap;
use axum::http::header::HOST;
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write as _;

/// Light modules around it (ISO/IEC 18004 §6.3.8).
const QUIET: i32 = 4;

/// A code as the pages draw it.
pub(super) struct Qr {
    /// Modules on a side, with the quiet zone.
    pub(super) side: i32,
    /// A square of one unit for each dark module.
    pub(super) path: String,
}

/// Where a pick-up code is typed, as the person's own device reaches it.
pub(super) fn pick_up_address(app: &App, headers: &HeaderMap) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let public = app.server.public_url.clone().unwrap_or_else(|| format!("http://{host}"));
    format!("{}/enrol/pick-up", public.trim_end_matches('/'))
}

impl Qr {
    /// That address with the code, for a camera. The code is behind the `#`: no server, log or referrer ever sees it
    /// there (RFC 3986 §3.5).
    pub(super) fn of_pick_up(address: &str, code: &str) -> Option<Self> {
        Self::of(&format!("{address}#{code}"))
    }

    /// The code of `text`; nothing if it is too long for one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let mut path = String::new();
        for y in 0..code.size() {
            for x in (0..code.size()).filter(|&x| code.get_module(x, y)) {
                // Writing to a String cannot fail.
                let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
            }
        }
        Some(Self { side: code.size() + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_corners_have_their_finder_and_the_zone_around_is_light() {
        let qr = Qr::of("https://indrul.invalid/enrol/pick-up#7KQ2-M4XB-9RDT-H3W2").unwrap();
        let dark = |x: i32, y: i32| qr.path.contains(&format!("M{x} {y}h"));
        let far = qr.side - QUIET - 7;
        for (x, y) in [(QUIET, QUIET), (far, QUIET), (QUIET, far)] {
            assert!((0..7).all(|i| dark(x + i, y) && dark(x, y + i) && dark(x + i, y + 6)));
            assert!(!dark(x + 1, y + 1) && dark(x + 3, y + 3));
        }
        assert!((0..qr.side).all(|i| (0..QUIET).all(|edge| !dark(i, edge) && !dark(edge, i))));
        assert!(Qr::of(&"x".repeat(4000)).is_none());
    }
}
