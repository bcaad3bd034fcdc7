//! The endpoints of OpenID Connect: they take forms apart, call one use case each, and answer as the
//! standards say, errors with them (RFC 6749 §5.2).

pub(super) mod apps;
pub(super) mod clients;
pub(super) mod discovery;
pub(super) mod forms;
pub(super) mod tokens;

use super::access::bearer;
use super::problem::Problem;
use super::watch::Caller;
use crate::app::{App, AppError, Client};
use crate::oidc::{OauthError, Params};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, PRAGMA, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use std::sync::Arc;

/// The routes for relying parties' own requests, and for apps in a log-in. Where browsers are sent is
/// `pages::log_in`.
pub(super) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/openid-configuration", get(discovery::metadata))
        .route("/oidc/par", post(clients::push))
        .route("/oidc/ciba", post(clients::backchannel))
        .route("/oidc/token", post(tokens::grant))
        .route("/oidc/userinfo", get(tokens::userinfo).post(tokens::post_userinfo))
        .route("/oidc/introspect", post(tokens::introspect))
        .route("/oidc/revoke", post(tokens::revoke))
        .route("/oidc/cpr-match", post(tokens::match_number))
        .route("/v1/authenticators/{id}/log-ins", post(apps::claim))
        .route("/v1/authenticators/{id}/log-ins/{log_in}/approval", post(apps::approve))
        .route("/v1/authenticators/{id}/log-ins/{log_in}/refusal", post(apps::refuse))
}

/// As whom we answer: the public address; where there is none and the demonstration or a test serves on
/// loopback, the one that was asked. `enroll serve` answers as nobody without a public address.
pub(crate) struct Issuer(pub(crate) String);

impl FromRequestParts<Arc<App>> for Issuer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        if let Some(url) = &app.server.public_url {
            return Ok(Self(url.clone()));
        }
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        if app.server.answers_as_host && is_loopback(host) {
            Ok(Self(format!("http://{host}")))
        } else {
            Err(Problem::not_ready())
        }
    }
}

/// `NAME` or `NAME:PORT` of loopback, and nothing else that an address could hold (RFC 9110 §7.2).
fn is_loopback(host: &str) -> bool {
    let names = ["127.0.0.1", "localhost", "[::1]"];
    let port = names.iter().find_map(|name| host.strip_prefix(name));
    match port.map(|port| port.strip_prefix(':').unwrap_or(port)) {
        Some("") => !host.ends_with(':'),
        Some(port) => {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && port.parse::<u16>().is_ok_and(|port| port > 0)
                && host.ends_with(&format!(":{port}"))
        }
        None => false,
    }
}

/// A form of a relying party, with what it proves itself by.
pub(super) struct Form {
    pub(super) params: Params,
    /// What follows `Basic`.
    pub(super) basic: Option<String>,
    /// What follows `Bearer`.
    pub(super) bearer: Option<String>,
    pub(super) issuer: String,
    caller: Caller,
}

impl FromRequest<Arc<App>> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(caller) = Caller::from_request_parts(&mut parts, app).await;
        let Issuer(issuer) = Issuer::from_request_parts(&mut parts, app)
            .await
            .map_err(IntoResponse::into_response)?;
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_form = kind.is_some_and(|kind| {
            let name = kind.split(';').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        let text = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let basic = text.and_then(|text| text.split_once(' '));
        let basic = basic.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let basic = basic.map(|(_, rest)| rest.trim().to_owned());
        let bearer = bearer(&parts).map(str::to_owned);
        let body = Bytes::from_request(Request::from_parts(parts, body), app).await;
        let body = body.map_err(|error| Problem::from(error).into_response())?;
        if !is_form && !body.is_empty() {
            return Err(Problem::media_type().into_response());
        }
        let params = Params::read(&body).map_err(IntoResponse::into_response)?;
        Ok(Self { params, basic, bearer, issuer, caller })
    }
}

/// An error of the standards.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct OauthProblem {
    /// Which.
    #[schema(example = "invalid_request")]
    error: &'static str,
    /// What a developer can do about it.
    error_description: &'static str,
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = OauthProblem { error: self.code(), error_description: self.description() };
        let status = match self {
            Self::App(error) => return Problem::from(error).into_response(),
            Self::InvalidClient | Self::InvalidToken => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = (status, Json(body)).into_response();
        let challenge = match self {
            Self::InvalidClient => Some("Basic realm=\"indrul\""),
            Self::InvalidToken => Some("Bearer error=\"invalid_token\""),
            Self::InsufficientScope => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        };
        let headers = response.headers_mut();
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}

impl Form {
    /// The relying party that the form is of.
    ///
    /// # Errors
    /// [`Refused`].
    async fn client(&self, app: &App) -> Result<Client, Refused> {
        let found = app.client(&self.params, self.basic.as_deref(), &self.issuer).await;
        self.counted(app, found)
    }

    /// What was found, counted by the address of the request where nothing was proved: what is proved is
    /// counted by whom it is of.
    fn counted<T>(&self, app: &App, found: Result<T, OauthError>) -> Result<T, Refused> {
        if matches!(found, Err(OauthError::InvalidClient | OauthError::InvalidToken)) {
            self.caller.spend(app)?;
        }
        Ok(found?)
    }

    /// The access token of the request: in its header, or in its body (RFC 6750 §2), and not in both.
    fn token(&self) -> Result<&str, OauthError> {
        match (&self.bearer, self.params.get("access_token")) {
            (Some(token), None) => Ok(token),
            (None, Some(token)) => Ok(token),
            (Some(_), Some(_)) => Err(OauthError::InvalidRequest("one access token at a time")),
            (None, None) => Err(OauthError::InvalidToken),
        }
    }
}

/// What a failed use case is at an endpoint of the standards.
impl From<AppError> for Refused {
    fn from(error: AppError) -> Self {
        Self(OauthError::App(error))
    }
}

impl From<OauthError> for Refused {
    fn from(error: OauthError) -> Self {
        Self(error)
    }
}

/// An answer that says what was wrong.
#[derive(Debug)]
pub(super) struct Refused(OauthError);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_and_a_port_of_loopback_are_taken_from_a_request() {
        for host in ["127.0.0.1", "localhost:8480", "[::1]:1", "127.0.0.1:65535"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "127.0.0.1:",
            "127.0.0.1:0",
            "127.0.0.1:65536",
            "127.0.0.1:+1",
            "127.0.0.1:1/",
            "127.0.0.1:@evil.invalid",
            "127.0.0.1:80@evil.invalid",
            "127.0.0.180",
            "localhost.evil.invalid",
            "user@localhost",
            "[::1]:80:80",
            "indrul.invalid",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
