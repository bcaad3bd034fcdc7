//! The forms of relying parties, as they are described at `/openapi.json`; they are read by `oidc::request`
//! and the use cases.

#![expect(dead_code, reason = "described here, read elsewhere")]

use utoipa::ToSchema;

/// A pushed authorization request (RFC 9126 §2.1).
#[derive(ToSchema)]
pub(crate) struct PushForm {
    /// Always `code`.
    #[schema(example = "code")]
    response_type: String,
    /// Which relying party; with `client_secret_basic` it may be absent.
    client_id: Option<String>,
    /// Its secret, with `client_secret_post`.
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `private_key_jwt`.
    client_assertion_type: Option<String>,
    /// The assertion, with `private_key_jwt`.
    client_assertion: Option<String>,
    /// Where the answer goes: exactly as registered.
    redirect_uri: String,
    /// `openid`, and of `mitid`, `ssn`, `ssn.details_name`, `transaction_token` what is registered.
    scope: String,
    /// Comes back as it is.
    state: Option<String>,
    /// Comes back in the ID token.
    nonce: Option<String>,
    /// Base64url of the SHA-256 of the verifier (RFC 7636).
    code_challenge: String,
    /// Always `S256`.
    #[schema(example = "S256")]
    code_challenge_method: String,
    /// The least level, in either spelling.
    #[schema(example = "https://data.gov.dk/concept/core/nsis/Substantial")]
    acr_values: Option<String>,
    /// `none` never succeeds: there are no log-ins without the person.
    prompt: Option<String>,
    /// Every log-in is one of now.
    max_age: Option<String>,
    /// `da` or `en` first.
    ui_locales: Option<String>,
    /// The thumbprint of the key that the code can be used with alone (RFC 9449 §10).
    dpop_jkt: Option<String>,
    /// `{"mitid": {"reference_text", "action_text", "loa_value"}}` as JSON.
    idp_params: Option<String>,
}

/// A log-in that a relying party begins (CIBA §7.1), beside what it proves itself by: the parameters, or `request`
/// with all of them in it.
#[derive(ToSchema)]
pub(crate) struct BackchannelForm {
    /// The other parameters as claims of a JWT that the client signed (CIBA §7.1.1), and nothing beside it.
    request: Option<String>,
    /// As in a pushed request; required.
    scope: Option<String>,
    /// The `sub` by which its organisation knows the person.
    login_hint: Option<String>,
    /// Or an ID token of the person.
    id_token_hint: Option<String>,
    /// What the person is shown: 1 to 130 characters; required.
    binding_message: Option<String>,
    /// Seconds to wait for the person, at most those that it is without.
    #[schema(minimum = 1)]
    requested_expiry: Option<u32>,
    /// The least level.
    acr_values: Option<String>,
    /// As in a pushed request.
    client_id: Option<String>,
    /// As in a pushed request.
    client_secret: Option<String>,
    /// As in a pushed request.
    client_assertion_type: Option<String>,
    /// As in a pushed request.
    client_assertion: Option<String>,
}

/// A request for tokens (RFC 6749 §4.1.3, CIBA §10.1), beside what the client proves itself by.
#[derive(ToSchema)]
pub(crate) struct TokenForm {
    /// `authorization_code`, or `urn:openid:params:grant-type:ciba`.
    #[schema(example = "authorization_code")]
    grant_type: String,
    /// The code.
    code: Option<String>,
    /// As in the request that the code is of.
    redirect_uri: Option<String>,
    /// What the challenge was made of.
    code_verifier: Option<String>,
    /// Of a log-in that the client began.
    auth_req_id: Option<String>,
    /// As in a pushed request.
    client_id: Option<String>,
    /// As in a pushed request.
    client_secret: Option<String>,
    /// As in a pushed request.
    client_assertion_type: Option<String>,
    /// As in a pushed request.
    client_assertion: Option<String>,
}

/// A token to look at or to revoke (RFC 7662 §2.1, RFC 7009 §2.1), beside what the client proves itself by.
#[derive(ToSchema)]
pub(crate) struct GivenToken {
    /// The access token.
    token: String,
    /// Makes no difference.
    token_type_hint: Option<String>,
    /// As in a pushed request.
    client_id: Option<String>,
    /// As in a pushed request.
    client_secret: Option<String>,
    /// As in a pushed request.
    client_assertion_type: Option<String>,
    /// As in a pushed request.
    client_assertion: Option<String>,
}

/// A personal number to compare.
#[derive(ToSchema)]
pub(crate) struct NumberForm {
    /// Ten digits, with a hyphen after the sixth or not.
    #[schema(example = "0101900000")]
    cpr: String,
}
