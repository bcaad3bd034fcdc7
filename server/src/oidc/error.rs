//! What an endpoint answers when it refuses (RFC 6749 §5.2, and the standards named beside each).

use crate::app::AppError;
use crate::storage::StorageError;

/// Why a request of a relying party is refused.
#[derive(Debug, thiserror::Error)]
pub enum OauthError {
    /// Something is missing, twice there, or not what it has to be.
    #[error("invalid_request: {0}")]
    InvalidRequest(&'static str),
    /// The client did not prove who it is.
    #[error("invalid_client")]
    InvalidClient,
    /// The code is unknown, used, late, another client's, or its proof does not fit.
    #[error("invalid_grant: {0}")]
    InvalidGrant(&'static str),
    /// The client may not do this.
    #[error("unauthorized_client: {0}")]
    UnauthorizedClient(&'static str),
    /// There is no such grant here.
    #[error("unsupported_grant_type")]
    UnsupportedGrantType,
    /// There is no such type of answer here.
    #[error("unsupported_response_type")]
    UnsupportedResponseType,
    /// No scope that the client may ask for.
    #[error("invalid_scope")]
    InvalidScope,
    /// The access token is missing, late, or its session has ended (RFC 6750 §3.1).
    #[error("invalid_token")]
    InvalidToken,
    /// The proof of a key is missing where it is required, or does not fit (RFC 9449 §5).
    #[error("invalid_dpop_proof: {0}")]
    InvalidDpopProof(&'static str),
    /// The same of a proof that an access token came with (RFC 9449 §7.1).
    #[error("invalid_dpop_proof: {0}")]
    UnprovenToken(&'static str),
    /// The access token does not reach so far (RFC 6750 §3.1).
    #[error("insufficient_scope")]
    InsufficientScope,
    /// Signed requests are not pushed (OpenID Connect Core §6).
    #[error("request_not_supported")]
    RequestNotSupported,
    /// Nobody known by the hint (CIBA §13).
    #[error("unknown_user_id")]
    UnknownUserId,
    /// The text for the person is missing or too long (CIBA §13).
    #[error("invalid_binding_message")]
    InvalidBindingMessage,
    /// The person has not answered yet (CIBA §11).
    #[error("authorization_pending")]
    AuthorizationPending,
    /// Asked again too soon (CIBA §11).
    #[error("slow_down")]
    SlowDown,
    /// The person has not answered in time (CIBA §11).
    #[error("expired_token")]
    ExpiredToken,
    /// The person has refused, or the log-in was stopped.
    #[error("access_denied: {0}")]
    AccessDenied(&'static str),
    /// The level asked for cannot be reached (OpenID Connect Core Unmet Authentication Requirements 1.0).
    #[error("unmet_authentication_requirements")]
    UnmetAuthenticationRequirements,
    /// Our own fault, or too busy.
    #[error(transparent)]
    App(#[from] AppError),
}

impl From<StorageError> for OauthError {
    fn from(error: StorageError) -> Self {
        Self::App(error.into())
    }
}

impl From<crate::keys::KeyError> for OauthError {
    fn from(error: crate::keys::KeyError) -> Self {
        Self::App(error.into())
    }
}

impl OauthError {
    /// The value of `error`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient(_) => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidToken => "invalid_token",
            Self::InvalidDpopProof(_) | Self::UnprovenToken(_) => "invalid_dpop_proof",
            Self::InsufficientScope => "insufficient_scope",
            Self::RequestNotSupported => "request_not_supported",
            Self::UnknownUserId => "unknown_user_id",
            Self::InvalidBindingMessage => "invalid_binding_message",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::AccessDenied(_) => "access_denied",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::App(_) => "server_error",
        }
    }

    /// The value of `error_description`: for developers, in ASCII.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::InvalidRequest(why)
            | Self::InvalidGrant(why)
            | Self::UnauthorizedClient(why)
            | Self::InvalidDpopProof(why)
            | Self::UnprovenToken(why)
            | Self::AccessDenied(why) => why,
            Self::InvalidClient => "the client is unknown, disabled, or did not prove who it is",
            Self::UnsupportedGrantType => "authorization_code and CIBA are the grants there are",
            Self::UnsupportedResponseType => "response_type must be code",
            Self::InvalidScope => "openid is required, and nothing that the client may not ask for",
            Self::InvalidToken => {
                "the token is missing, late, its session has ended, or it is bound to a key and came without"
            }
            Self::InsufficientScope => "the token does not have the scope for this",
            Self::RequestNotSupported => "push the parameters themselves (RFC 9126)",
            Self::UnknownUserId => "nobody who has logged in here before is known by the hint",
            Self::InvalidBindingMessage => "binding_message is required: 1 to 130 signs",
            Self::AuthorizationPending => "the person has not answered yet",
            Self::SlowDown => "ask less often: five seconds more between two polls",
            Self::ExpiredToken => "the person has not answered in time",
            Self::UnmetAuthenticationRequirements => "the level asked for is not reached",
            Self::App(_) => "our fault, or too busy: try again in a moment",
        }
    }
}
