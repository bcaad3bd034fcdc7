//! Tokens, and what they open.

use super::forms::{GivenToken, NumberForm, TokenForm};
use super::{Form, OauthProblem, Refused};
use crate::app::{App, NumberMatch, TokenAnswer};
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Gives tokens for a code, or for a log-in that the client began and the person has approved.
#[utoipa::path(post, path = "/oidc/token", tag = "openid",
    params(("DPoP" = Option<String>, Header, description = "A proof of the key that the access token is to be bound to (RFC 9449 §5)")),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "Tokens", body = TokenAnswer),
    (status = 400, description = "What is wrong with it, or that the person has not answered yet", body = OauthProblem),
    (status = 401, description = "The client did not prove who it is", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "Basic authentication"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn grant(
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<Json<TokenAnswer>, Refused> {
    let client = form.client_with_key(&app).await?;
    Ok(Json(app.grant(&client, &form.params).await?))
}

/// Who has logged in.
#[utoipa::path(get, path = "/oidc/userinfo", tag = "openid", security(("token" = []), ("bound_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key that the token is bound to, with `ath` (RFC 9449 §7.1)")), responses(
    (status = 200, description = "Claims", body = Object),
    (status = 400, description = "Two tokens", body = OauthProblem),
    (status = 401, description = "The token is worth nothing, or is bound to a key that was not proved", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "How tokens are taken, and what was wrong"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn userinfo(
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<Json<Map<String, Value>>, Refused> {
    let found = match form.token() {
        Ok(given) => app.userinfo(&given).await,
        Err(error) => Err(error),
    };
    Ok(Json(form.counted(&app, found)?))
}

/// The same, with the token in the header or in the body (RFC 6750 §2.2).
#[utoipa::path(post, path = "/oidc/userinfo", tag = "openid", security(("token" = []), ("bound_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key that the token is bound to, with `ath` (RFC 9449 §7.1)")), responses(
    (status = 200, description = "Claims", body = Object),
    (status = 400, description = "Two tokens", body = OauthProblem),
    (status = 401, description = "The token is worth nothing, or is bound to a key that was not proved", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "How tokens are taken, and what was wrong"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn post_userinfo(
    app: State<Arc<App>>,
    form: Form,
) -> Result<Json<Map<String, Value>>, Refused> {
    userinfo(app, form).await
}

/// What a token is, to the client that it was given to (RFC 7662).
#[utoipa::path(post, path = "/oidc/introspect", tag = "openid",
    request_body(content = GivenToken, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "`active`, and what it is good for", body = Object),
    (status = 400, description = "No token", body = OauthProblem),
    (status = 401, description = "The client did not prove who it is", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "Basic authentication"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn introspect(
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<Json<Value>, Refused> {
    let client = form.client(&app).await?;
    Ok(Json(app.introspect(&client, &form.params).await?))
}

/// Ends a token (RFC 7009). Its session is ended by `/oidc/logout`.
#[utoipa::path(post, path = "/oidc/revoke", tag = "openid",
    request_body(content = GivenToken, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "It is worth nothing, or was"),
    (status = 400, description = "No token", body = OauthProblem),
    (status = 401, description = "The client did not prove who it is", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "Basic authentication"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn revoke(State(app): State<Arc<App>>, form: Form) -> Result<StatusCode, Refused> {
    let client = form.client(&app).await?;
    app.revoke(&client, &form.params).await?;
    Ok(StatusCode::OK)
}

/// Whether a personal number is that of whom has logged in: three tries in a session.
#[utoipa::path(post, path = "/oidc/cpr-match", tag = "openid", security(("token" = []), ("bound_token" = [])),
    params(("DPoP" = Option<String>, Header, description = "A proof of the key that the token is bound to, with `ath` (RFC 9449 §7.1)")),
    request_body(content = NumberForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "Whether it is", body = NumberMatch),
    (status = 400, description = "No number, or no tries left", body = OauthProblem),
    (status = 401, description = "The token is worth nothing, or is bound to a key that was not proved", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "How tokens are taken, and what was wrong"))),
    (status = 403, description = "The token lacks the scope `mitid`", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "What was wrong"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn match_number(
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<Json<NumberMatch>, Refused> {
    let found = match form.token() {
        Ok(given) => app.match_number(&given, &form.params).await,
        Err(error) => Err(error),
    };
    Ok(Json(form.counted(&app, found)?))
}
