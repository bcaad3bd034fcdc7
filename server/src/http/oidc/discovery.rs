//! What there is and where (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).

use super::Issuer;
use crate::app::App;
use crate::oidc::{Level, Scope};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use std::sync::Arc;

/// The provider's metadata.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "openid", responses(
    (status = 200, description = "The metadata", body = Object),
    (status = 503, description = "No public address is configured", body = super::super::problem::Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn metadata(State(_): State<Arc<App>>, Issuer(issuer): Issuer) -> Json<Value> {
    let at = |path: &str| format!("{issuer}{path}");
    let ways = ["private_key_jwt", "client_secret_basic", "client_secret_post"];
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oidc/authorize"),
        "pushed_authorization_request_endpoint": at("/oidc/par"),
        "require_pushed_authorization_requests": true,
        "token_endpoint": at("/oidc/token"),
        "userinfo_endpoint": at("/oidc/userinfo"),
        "introspection_endpoint": at("/oidc/introspect"),
        "revocation_endpoint": at("/oidc/revoke"),
        "end_session_endpoint": at("/oidc/logout"),
        "backchannel_authentication_endpoint": at("/oidc/ciba"),
        "jwks_uri": at("/v1/keys"),
        "scopes_supported": Scope::ALL.map(Scope::name),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "urn:openid:params:grant-type:ciba"],
        "acr_values_supported": Level::ALL.map(Level::uri),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ways,
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "introspection_endpoint_auth_methods_supported": ways,
        "introspection_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "revocation_endpoint_auth_methods_supported": ways,
        "revocation_endpoint_auth_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_user_code_parameter_supported": false,
        "backchannel_authentication_request_signing_alg_values_supported": ["ES256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "session_expiry", "loa", "ial", "aal",
            "mitid.uuid", "mitid.date_of_birth", "mitid.age", "mitid.has_cpr", "mitid.identity_name",
            "mitid.transaction_id", "dk.cpr", "dk.cpr.details_name",
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": ["da", "en"],
    }))
}
