//! Around every page: what changes something must come from our own page (CSRF), language and display are
//! chosen in the address, and no answer may be kept or framed by others.

use super::super::visit::{CHOICE_AGE, Cookie, Visit, is_ours};
use super::{BRIDGE, to, trouble};
use crate::app::App;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

/// What of the citizen's pages a kiosk goes on with: the rest is for devices of their own.
const AT_A_KIOSK: [&str; 5] =
    ["/enrol/next", "/enrol/page", "/enrol/chip", "/enrol/face", "/enrol/result"];

/// Nor is a kiosk for an officer's session, for a log-in, or for anybody's app, which would stay for the next person.
const NOT_AT_A_KIOSK: [&str; 7] =
    ["/app", "/enrol", "/officer", "/support", "/log-in", "/oidc", "/my"];

/// Lets a request in.
pub(in crate::pages) async fn arrive(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let visit = Visit::to(&app, request.headers());
    if request.method() == Method::GET {
        if let Some(response) = choose(&visit, request.uri()) {
            return response;
        }
    } else if !is_ours(request.headers()) {
        return trouble::origin(&visit);
    }
    let path = request.uri().path();
    let at = |places: &[&str]| places.iter().any(|at| path.starts_with(at));
    if visit.station.is_some() && at(&NOT_AT_A_KIOSK) && !at(&AT_A_KIOSK) {
        return to("/kiosk");
    }
    next.run(request).await
}

/// Where an address chooses language or display: the same page, without that in its address.
pub(in crate::pages) fn choose(visit: &Visit, address: &Uri) -> Option<Response> {
    let chosen = chosen(visit, address.query().unwrap_or_default());
    if chosen.is_empty() {
        return None;
    }
    // Of this host, whatever is asked for: `//` and `/\` begin the name of another (WHATWG URL, relative slash state).
    let path = address.path().trim_start_matches(['/', '\\']);
    let mut response = Redirect::to(&format!("/{path}")).into_response();
    for cookie in chosen {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Some(response)
}

/// The cookies that keep what the address chooses.
fn chosen(visit: &Visit, query: &str) -> Vec<HeaderValue> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let cookie = |(name, value): (&str, &str)| {
        let cookie = match (name, value) {
            ("lang", "da" | "en") => Cookie::Language,
            ("text", "large" | "normal") => Cookie::Text,
            ("contrast", "high" | "normal") => Cookie::Contrast,
            _ => return None,
        };
        Some(visit.set(cookie, value, Some(CHOICE_AGE)))
    };
    pairs.filter_map(cookie).collect()
}

/// Sets the headers of an answer. A form's origin is told to ourselves, by which older browsers show
/// where it comes from; the desk's bridge is the only place beside us that may be connected to.
pub(super) async fn answer(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let policy =
        crate::http::POLICY.replace("connect-src 'self'", &format!("connect-src 'self' {BRIDGE}"));
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    response
}
