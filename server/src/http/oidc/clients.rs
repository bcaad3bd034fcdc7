//! Where relying parties begin: pushed requests and CIBA.

use super::forms::{BackchannelForm, PushForm};
use super::{Form, OauthProblem, Refused};
use crate::app::{App, Audience, BackchannelAnswer, Pushed};
use crate::http::problem::Problem;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

/// Takes an authorization request (RFC 9126). Every one is pushed; the browser brings only where it is.
#[utoipa::path(post, path = "/oidc/par", tag = "openid",
    params(("DPoP" = Option<String>, Header, description = "A proof of the key that the code can be used with alone (RFC 9449 §10.1)")),
    request_body(content = PushForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 201, description = "Where the request is", body = Pushed),
    (status = 400, description = "What is wrong with it", body = OauthProblem),
    (status = 401, description = "The client did not prove who it is", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "Basic authentication"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn push(
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<(StatusCode, Json<Pushed>), Refused> {
    let client = form.client_with_key(&app).await?;
    let pushed = app.push(&client, &form.params, form.issuer).await?;
    Ok((StatusCode::CREATED, Json(pushed)))
}

/// Begins a log-in of a person who has logged in with the client's organisation before (CIBA, poll mode): the
/// parameters as they are, or signed in `request`.
#[utoipa::path(post, path = "/oidc/ciba", tag = "openid",
    request_body(content = BackchannelForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, description = "It waits in the person's app", body = BackchannelAnswer),
    (status = 400, description = "What is wrong with it", body = OauthProblem),
    (status = 401, description = "The client did not prove who it is", body = OauthProblem,
        headers(("WWW-Authenticate" = String, description = "Basic authentication"))),
    (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    (status = 415, description = "No form", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No public address is configured", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn backchannel(
    State(app): State<Arc<App>>,
    form: Form,
) -> Result<Json<BackchannelAnswer>, Refused> {
    let client = form.client_for(&app, Audience::Backchannel(&form.issuer)).await?;
    Ok(Json(app.begin_backchannel(&client, &form.params, form.issuer).await?))
}
