//! The HTTP interface under `/v1` (DESIGN §7). A handler takes the request apart, calls one use
//! case and renders its result; nothing is decided here.

mod access;
mod authenticators;
mod captures;
mod code_devices;
mod described;
mod enrolments;
mod events;
mod health;
mod identities;
mod my_page;
mod officers;
pub(crate) mod oidc;
mod openapi;
pub mod problem;
mod profiles;
mod referrals;
mod relay;
pub(crate) mod watch;

use crate::app::App;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use problem::Problem;
use std::sync::Arc;

/// Longest JSON body.
const JSON_LIMIT: usize = 16 * 1024;
/// Longest capture: 160 pictures of 640 by 480, in base64.
pub(crate) const CAPTURE_LIMIT: usize = 24 << 20;

/// The routes of the service.
pub fn router(app: Arc<App>) -> Router {
    let pictures = Router::new()
        .route("/v1/enrolments/{id}/page", put(enrolments::page))
        .route("/v1/enrolments/{id}/face", put(enrolments::face))
        .layer(DefaultBodyLimit::max(app.server.max_picture));
    let captures = Router::new()
        .route("/v1/enrolments/{id}/face-capture", put(captures::take))
        .layer(DefaultBodyLimit::max(CAPTURE_LIMIT));
    Router::new()
        .route("/v1/enrolments", post(enrolments::start))
        .route("/v1/enrolments/{id}", get(enrolments::view))
        .route("/v1/enrolments/{id}/relay-tickets", post(enrolments::ticket))
        .route("/v1/enrolments/{id}/face-challenges", post(captures::draw))
        .route("/v1/enrolments/{id}/finish", post(enrolments::finish))
        .route("/v1/enrolments/{id}/referral", post(referrals::refer))
        .route("/v1/enrolments/{id}/slots", get(referrals::slots))
        .route(
            "/v1/enrolments/{id}/booking",
            get(referrals::booking).put(referrals::book).delete(referrals::cancel),
        )
        .route("/v1/kiosk/cases", post(referrals::visit))
        .route("/v1/pick-ups", post(referrals::pick_up))
        .route("/v1/officer/sessions", post(officers::sign_in).delete(officers::sign_out))
        .route("/v1/officer/p-codes", post(officers::p_code))
        .route("/v1/officer/cases", get(officers::queue))
        .route("/v1/officer/appointments", get(officers::appointments))
        .route("/v1/officer/cases/{id}", get(officers::look))
        .route("/v1/officer/cases/{id}/portrait", get(officers::portrait))
        .route("/v1/officer/cases/{id}/ruling", post(officers::rule))
        .route("/v1/officer/identities/{id}/reopening", post(officers::reopen))
        .route("/v1/register-events", post(events::take_in))
        .route("/v1/relay", get(relay::open))
        .merge(held())
        .route("/v1/keys", get(identities::keys))
        .route("/openapi.json", get(openapi::document))
        .merge(oidc::router())
        .merge(code_devices::router())
        .merge(my_page::router())
        .layer(DefaultBodyLimit::max(JSON_LIMIT))
        .merge(pictures)
        .merge(captures)
        .method_not_allowed_fallback(|| async { Problem::method() })
        .route_layer(from_fn_with_state(app.clone(), watch::watch))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(app)
}

/// What the person of an identity, or an app of theirs, asks.
fn held() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/identities/{id}", get(identities::view))
        .route("/v1/identities/{id}/user-id", put(profiles::user_id))
        .route("/v1/identities/{id}/contacts", put(profiles::contacts))
        .route("/v1/identities/{id}/messages", get(profiles::inbox))
        .route("/v1/identities/{id}/block", post(profiles::block))
        .route(
            "/v1/identities/{id}/authenticators",
            get(authenticators::list).post(authenticators::register),
        )
        .route("/v1/authenticators/{id}/activation", post(authenticators::activate))
        .route("/v1/authenticators/{id}/block", post(authenticators::block))
        .route("/v1/authenticators/{id}/challenges", post(authenticators::challenge))
        .route("/v1/authenticators/{id}/copies", post(authenticators::offer))
        .route("/v1/authenticators/{id}/messages", post(authenticators::messages))
        .route("/v1/authenticators/{id}/self-block", post(authenticators::block_self))
        .route("/v1/copies", post(authenticators::copy))
        .route("/v1/blocks", post(authenticators::block_by_code))
}

/// Name of an operation in logs and metrics.
fn operation(method: &Method, pattern: &str) -> &'static str {
    match (method.as_str(), pattern) {
        ("POST", "/v1/enrolments") => "start",
        (_, "/v1/enrolments/{id}") => "view",
        (_, "/v1/enrolments/{id}/page") => "page",
        (_, "/v1/enrolments/{id}/face") => "face",
        (_, "/v1/enrolments/{id}/face-challenges") => "draw_challenge",
        (_, "/v1/enrolments/{id}/face-capture") => "capture",
        (_, "/v1/enrolments/{id}/relay-tickets") => "ticket",
        (_, "/v1/enrolments/{id}/finish") => "finish",
        (_, "/v1/enrolments/{id}/referral") => "refer",
        (_, "/v1/enrolments/{id}/slots") => "slots",
        ("PUT", "/v1/enrolments/{id}/booking") => "book",
        ("DELETE", "/v1/enrolments/{id}/booking") => "cancel",
        (_, "/v1/enrolments/{id}/booking") => "booking",
        (_, "/v1/kiosk/cases") => "visit",
        (_, "/v1/pick-ups") => "pick_up",
        ("POST", "/v1/officer/sessions") => "sign_in",
        (_, "/v1/officer/sessions") => "sign_out",
        (_, "/v1/officer/p-codes") => "p_code",
        (_, "/v1/officer/cases") => "queue",
        (_, "/v1/officer/appointments") => "appointments",
        (_, "/v1/officer/cases/{id}") => "look",
        (_, "/v1/officer/cases/{id}/portrait") => "portrait",
        (_, "/v1/officer/cases/{id}/ruling") => "rule",
        (_, "/v1/officer/identities/{id}/reopening") => "reopen",
        (_, "/v1/register-events") => "register_event",
        (_, "/v1/relay") => "relay",
        (_, "/v1/identities/{id}") => "identity",
        (_, "/v1/identities/{id}/user-id") => "user_id",
        (_, "/v1/identities/{id}/contacts") => "contacts",
        (_, "/v1/identities/{id}/messages") => "messages",
        (_, "/v1/identities/{id}/block") => "block_identity",
        ("POST", "/v1/identities/{id}/authenticators") => "register_app",
        (_, "/v1/identities/{id}/authenticators") => "apps",
        (_, "/v1/authenticators/{id}/activation") => "activate",
        (_, "/v1/authenticators/{id}/block") => "block_app",
        (_, "/v1/authenticators/{id}/challenges") => "challenge",
        (_, "/v1/authenticators/{id}/copies") => "offer",
        (_, "/v1/authenticators/{id}/messages") => "app_messages",
        (_, "/v1/authenticators/{id}/self-block") => "block_self",
        (_, "/v1/authenticators/{id}/log-ins") => "claim_log_in",
        (_, "/v1/authenticators/{id}/log-ins/{log_in}/approval") => "approve_log_in",
        (_, "/v1/authenticators/{id}/log-ins/{log_in}/refusal") => "refuse_log_in",
        (_, "/v1/authenticators/{id}/my-page") => "open_my_page",
        (_, path) if path.starts_with("/v1/my/") => my_page_operation(path),
        (_, "/v1/copies") => "copy",
        (_, "/v1/blocks") => "block_by_code",
        (_, "/v1/keys") => "keys",
        (_, "/openapi.json") => "openapi",
        (_, "/enrol/page/frame" | "/enrol/face/frame") => "frame",
        (method, path) => device_operation(method, path).unwrap_or_else(|| page_or_log_in(path)),
    }
}

/// The same of calls about code devices, if `pattern` is one.
fn device_operation(method: &str, pattern: &str) -> Option<&'static str> {
    Some(match (method, pattern) {
        (_, "/v1/officer/code-devices") => "hand_out_code_device",
        (_, "/v1/officer/code-devices/{id}") => "look_at_code_device",
        (_, "/v1/officer/code-devices/{id}/standing") => "stand_code_device",
        (_, "/v1/code-device-codes") => "send_device_code",
        (_, "/v1/code-device-activations") => "activate_code_device",
        ("POST", "/v1/identities/{id}/code-devices") => "order_code_device",
        (_, "/v1/identities/{id}/code-devices") => "code_devices",
        (_, "/v1/identities/{id}/code-devices/{serial}/standing") => "stand_code_device",
        (_, "/v1/identities/{id}/password") => "change_password",
        _ => return None,
    })
}

/// The same of My page's JSON calls.
fn my_page_operation(pattern: &str) -> &'static str {
    match pattern {
        "/v1/my/activities" => "my_activities",
        "/v1/my/export" => "my_export",
        "/v1/my/means" => "my_means",
        "/v1/my/means/{id}/block" => "my_block",
        "/v1/my/means/{id}/reopening" => "my_reopening",
        "/v1/my/means/{id}/loss" => "my_loss",
        "/v1/my/means/{id}/finding" => "my_finding",
        "/v1/my/means/{id}/name" => "my_name",
        "/v1/my/block" => "my_block_all",
        _ => "my_session",
    }
}

/// The same of what is no JSON call of the service's own.
fn page_or_log_in(pattern: &str) -> &'static str {
    match pattern {
        "/.well-known/openid-configuration" => "oidc_metadata",
        "/oidc/par" => "oidc_push",
        "/oidc/ciba" => "oidc_ciba",
        "/oidc/token" => "oidc_token",
        "/oidc/userinfo" => "oidc_userinfo",
        "/oidc/introspect" => "oidc_introspect",
        "/oidc/revoke" => "oidc_revoke",
        "/oidc/cpr-match" => "oidc_cpr_match",
        "/log-in/state" | "/log-in/qr/{half}" => "log_in_poll",
        path if path.starts_with("/log-in") || path.starts_with("/oidc/") => "log_in_pages",
        path if ["/app", "/enrol", "/kiosk", "/officer", "/support", "/my", "/block"]
            .iter()
            .any(|at| path.starts_with(at)) =>
        {
            "pages"
        }
        _ => "other",
    }
}

/// What every router of the service shares: answers for addresses and methods that are none, and
/// the headers of every answer, where it has none of its own.
pub fn finish(router: Router) -> Router {
    let router = router.fallback(|| async { Problem::not_found() });
    secured(router.method_not_allowed_fallback(|| async { Problem::method() }))
}

/// The headers of every answer alone.
pub(crate) fn secured(router: Router) -> Router {
    router.layer(from_fn(secure))
}

/// Scripts, styles and connections of our own only, and nothing inline.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

async fn secure(request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("permissions-policy"), "camera=(self)"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis());
    tracing::debug!(%method, path, status, ms, "answered");
    response
}
