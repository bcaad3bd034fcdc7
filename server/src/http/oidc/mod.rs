//! The endpoints of OpenID Connect: they take forms apart, call one use case each, and answer as the
//! standards say, errors with them (RFC 6749 §5.2).

pub(super) mod apps;
pub(super) mod clients;
pub(super) mod discovery;
pub(super) mod forms;
pub(super) mod tokens;

use super::access::authorization;
use super::problem::Problem;
use super::watch::Caller;
use crate::app::{App, AppError, Audience, Client, Presented};
use crate::oidc::dpop::Carried;
use crate::oidc::{OauthError, Params};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{CONTENT_TYPE, HOST, PRAGMA, WWW_AUTHENTICATE};
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
    /// What follows `DPoP`.
    bound: Option<String>,
    pub(super) issuer: String,
    carried: Carried,
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
        let by = |scheme| authorization(&parts, scheme).map(str::to_owned);
        let (basic, bearer, bound) = (by("basic"), by("bearer"), by("dpop"));
        let carried = carried(&parts, &issuer);
        let body = Bytes::from_request(Request::from_parts(parts, body), app).await;
        let body = body.map_err(|error| Problem::from(error).into_response())?;
        if !is_form && !body.is_empty() {
            return Err(Problem::media_type().into_response());
        }
        let params = Params::read(&body).map_err(IntoResponse::into_response)?;
        Ok(Self { params, basic, bearer, bound, issuer, carried, caller })
    }
}

/// The proofs of a request, and what they have to name (RFC 9449 §4.3).
fn carried(parts: &Parts, issuer: &str) -> Carried {
    let proofs = parts.headers.get_all("dpop").iter();
    // What is no text is no proof.
    let proofs = proofs.map(|proof| proof.to_str().unwrap_or_default().to_owned()).collect();
    let url = format!("{issuer}{}", parts.uri.path());
    Carried { proofs, method: parts.method.as_str().to_owned(), url }
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
            Self::InvalidClient | Self::InvalidToken | Self::UnprovenToken(_) => {
                StatusCode::UNAUTHORIZED
            }
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        for challenge in challenges(&self) {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }
}

/// How to come again: by basic authentication, or with a token of either kind (RFC 6750 §3, RFC 9449 §7.1).
fn challenges(error: &OauthError) -> &'static [&'static str] {
    match error {
        OauthError::InvalidClient => &["Basic realm=\"indrul\""],
        OauthError::InvalidToken => {
            &["Bearer error=\"invalid_token\"", "DPoP error=\"invalid_token\", algs=\"ES256\""]
        }
        OauthError::UnprovenToken(_) => &["DPoP error=\"invalid_dpop_proof\", algs=\"ES256\""],
        OauthError::InsufficientScope => &[
            "Bearer error=\"insufficient_scope\"",
            "DPoP error=\"insufficient_scope\", algs=\"ES256\"",
        ],
        _ => &[],
    }
}

impl Form {
    /// The relying party that the form is of.
    ///
    /// # Errors
    /// [`Refused`].
    async fn client(&self, app: &App) -> Result<Client, Refused> {
        self.client_for(app, Audience::Issuer(&self.issuer)).await
    }

    /// The same, with an assertion for `audience`.
    ///
    /// # Errors
    /// [`Refused`].
    async fn client_for(&self, app: &App, audience: Audience<'_>) -> Result<Client, Refused> {
        let found = app.client(&self.params, self.basic.as_deref(), audience).await;
        self.counted(app, found)
    }

    /// The same, with the key that the request proves, if it does (RFC 9449 §5, §10.1).
    ///
    /// # Errors
    /// [`Refused`].
    async fn client_with_key(&self, app: &App) -> Result<Client, Refused> {
        let client = self.client(app).await?;
        Ok(app.with_key(client, &self.carried).await?)
    }

    /// What was found, counted by the address of the request where nothing was proved: what is proved is
    /// counted by whom it is of.
    fn counted<T>(&self, app: &App, found: Result<T, OauthError>) -> Result<T, Refused> {
        if matches!(
            found,
            Err(OauthError::InvalidClient
                | OauthError::InvalidToken
                | OauthError::UnprovenToken(_))
        ) {
            self.caller.spend(app)?;
        }
        Ok(found?)
    }

    /// The access token of the request: in its header, as a bearer's (RFC 6750 §2.1) or as one that is bound to a
    /// key (RFC 9449 §7.1), or in its body as a bearer's (RFC 6750 §2.2), and not in two places.
    fn token(&self) -> Result<Presented<'_>, OauthError> {
        let in_header = self.bearer.as_deref();
        match (in_header, self.bound.as_deref(), self.params.get("access_token")) {
            (Some(token), None, None) | (None, None, Some(token)) => {
                Ok(Presented { token, bound: None })
            }
            (None, Some(token), None) => Ok(Presented { token, bound: Some(&self.carried) }),
            (None, None, None) => Err(OauthError::InvalidToken),
            _ => Err(OauthError::InvalidRequest("one access token at a time")),
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
