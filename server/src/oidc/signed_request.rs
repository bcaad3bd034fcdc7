//! Signed requests of relying parties that begin a log-in by themselves (CIBA Core 1.0 §7.1.1), with the bounds of
//! FAPI-CIBA §5.2.2.

use super::{OauthError, Params, jose};
use serde_json::Value;
use time::OffsetDateTime;

/// What two clocks may differ by, seconds.
const SKEW: i64 = 60;
/// Longest time from `nbf` to `exp`, and from `nbf` to now, seconds (FAPI-CIBA §5.2.2).
const LONGEST: i64 = 3600;
/// Claims that say what the token is, and ask for nothing.
const OWN: [&str; 6] = ["iss", "aud", "exp", "iat", "nbf", "jti"];
/// What may stand beside a signed request: what the client proves itself by.
const BESIDE: [&str; 5] =
    ["request", "client_id", "client_secret", "client_assertion_type", "client_assertion"];

/// A signed request of now. Whether it was used before is asked elsewhere.
#[derive(Debug)]
pub struct SignedRequest {
    /// What it asks for.
    pub params: Params,
    /// What it is known again by, SHA-256.
    pub known_by: [u8; 32],
    /// When it is late.
    pub expires: OffsetDateTime,
}

impl SignedRequest {
    /// Reads `request` of `params`, if there is one, which a key of `jwks` signed as `client_id` for `issuer`.
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`], which is what CIBA §13 has for it.
    pub fn read(
        params: &Params,
        jwks: &Value,
        (client_id, issuer): (&str, &str),
        now: OffsetDateTime,
    ) -> Result<Option<Self>, OauthError> {
        let Some(token) = params.get("request") else { return Ok(None) };
        if params.names().any(|name| !BESIDE.contains(&name)) {
            return Err(OauthError::InvalidRequest("a signed request has every parameter in it"));
        }
        let read = Self::verified(token, jwks, (client_id, issuer), now);
        read.map(Some).map_err(OauthError::InvalidRequest)
    }

    fn verified(
        token: &str,
        jwks: &Value,
        (client_id, issuer): (&str, &str),
        now: OffsetDateTime,
    ) -> Result<Self, &'static str> {
        let claims = jose::verified(token, jwks, &["JWT", "oauth-authz-req+jwt"])
            .map_err(|_| "request is not signed with ES256 by a registered key of the client")?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(client_id) || text("client_id").is_some_and(|id| id != client_id) {
            return Err("iss of the request must be the client");
        }
        if !is_for(claims.get("aud"), issuer) {
            return Err("aud of the request must be the issuer");
        }
        let expires = current(&claims, now)?;
        let jti = jose::identifier(&claims)
            .ok_or("the request has no jti, or one with control characters")?;
        // With one it could be a client assertion too (RFC 9101 §10.8).
        if claims.get("sub").is_some() {
            return Err("the request has a sub, as a client assertion has");
        }
        if ["request", "request_uri"].iter().any(|name| claims.get(name).is_some()) {
            return Err("the request has another one in it");
        }
        let known_by = openssl::sha::sha256(format!("request\n{client_id}\n{jti}").as_bytes());
        let Value::Object(mut asked) = claims.clone() else { return Err("request is no object") };
        asked.retain(|name, _| !OWN.contains(&name.as_str()));
        let params = Params::of_claims(asked).ok_or("the request has more than 40 parameters")?;
        Ok(Self { params, known_by, expires })
    }
}

/// The issuer, or a list that has it (CIBA §7.1.1: the audience must contain it).
fn is_for(audience: Option<&Value>, issuer: &str) -> bool {
    match audience {
        Some(Value::String(one)) => one == issuer,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(issuer)),
        _ => false,
    }
}

/// When a request of now is late.
fn current(claims: &Value, now: OffsetDateTime) -> Result<OffsetDateTime, &'static str> {
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let now = now.unix_timestamp();
    let (expires, issued, begins) = (
        time("exp").ok_or("the request has no exp")?,
        time("iat").ok_or("the request has no iat")?,
        time("nbf").ok_or("the request has no nbf")?,
    );
    if issued > now + SKEW || begins > now + SKEW {
        return Err("the request is of a time to come");
    }
    if begins < now - LONGEST {
        return Err("nbf of the request is more than 60 minutes past");
    }
    if expires <= now - SKEW {
        return Err("the request is late");
    }
    // Bound first: nothing is added to a time that somebody else wrote.
    if expires.saturating_sub(begins) > LONGEST {
        return Err("the request lives longer than 60 minutes");
    }
    OffsetDateTime::from_unix_timestamp(expires + SKEW).map_err(|_| "exp of the request is no time")
}
