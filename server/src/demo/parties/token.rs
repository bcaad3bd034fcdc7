//! The tokens that a relying party is given, believed only after they were verified: the ID token (OpenID
//! Connect Core §3.1.3.7) and the logout token (Back-Channel Logout 1.0 §2.6).

use crate::oidc::Level;
use crate::oidc::jose::{self, JoseError};
use serde_json::Value;
use time::OffsetDateTime;

/// How far two clocks may be apart, seconds.
const APART: i64 = 30;
/// What the event of a logout token is called.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error(transparent)]
    Jose(#[from] JoseError),
    #[error("the claim {name} is missing or another")]
    Claim { name: &'static str },
}

/// What an ID token has to fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// The least level.
    pub(super) level: Level,
}

/// The claims of an ID token that answers what was asked.
pub(super) fn logged_in(
    token: &str,
    jwks: &Value,
    asked: &Asked<'_>,
    now: OffsetDateTime,
) -> Result<Value, TokenError> {
    let claims = jose::verified(token, jwks, &["JWT"])?;
    ours(&claims, (asked.issuer, asked.client_id), now)?;
    is(&claims, "nonce", asked.nonce)?;
    let level = claims.get("acr").and_then(Value::as_str).and_then(Level::of_uri);
    if level.is_none_or(|level| level < asked.level) {
        return Err(TokenError::Claim { name: "acr" });
    }
    for name in ["sub", "sid"] {
        text(&claims, name)?;
    }
    Ok(claims)
}

/// The session (`sid`) that a logout token ends.
pub(super) fn logged_out(
    token: &str,
    jwks: &Value,
    whose: (&str, &str),
    now: OffsetDateTime,
) -> Result<String, TokenError> {
    let claims = jose::verified(token, jwks, &["logout+jwt"])?;
    ours(&claims, whose, now)?;
    let event = claims.get("events").and_then(|events| events.get(EVENT));
    if !event.is_some_and(Value::is_object) {
        return Err(TokenError::Claim { name: "events" });
    }
    // An ID token is none (§2.4).
    if claims.get("nonce").is_some() {
        return Err(TokenError::Claim { name: "nonce" });
    }
    text(&claims, "jti")?;
    Ok(text(&claims, "sid")?.to_owned())
}

/// That a token is of the issuer, for this client, and of now.
fn ours(
    claims: &Value,
    (issuer, client_id): (&str, &str),
    now: OffsetDateTime,
) -> Result<(), TokenError> {
    is(claims, "iss", issuer)?;
    is(claims, "aud", client_id)?;
    let time = |name| claims.get(name).and_then(Value::as_i64).ok_or(TokenError::Claim { name });
    let now = now.unix_timestamp();
    if time("exp")? + APART <= now {
        return Err(TokenError::Claim { name: "exp" });
    }
    if time("iat")? > now + APART {
        return Err(TokenError::Claim { name: "iat" });
    }
    Ok(())
}

fn is(claims: &Value, name: &'static str, wanted: &str) -> Result<(), TokenError> {
    if text(claims, name)? == wanted { Ok(()) } else { Err(TokenError::Claim { name }) }
}

fn text<'a>(claims: &'a Value, name: &'static str) -> Result<&'a str, TokenError> {
    claims.get(name).and_then(Value::as_str).ok_or(TokenError::Claim { name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use crate::keys::KeyRing;
    use enroll_core::identity::Signer;
    use serde_json::json;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 11:00 UTC);
    const ASKED: Asked<'_> = Asked {
        issuer: "http://127.0.0.1:8480",
        client_id: "netbank",
        nonce: "n",
        level: Level::Substantial,
    };

    fn ring() -> (tempfile::TempDir, KeyRing) {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyRing::open(dir.path(), None, &SystemEntropy).unwrap();
        (dir, keys)
    }

    fn id_token() -> Value {
        let now = NOW.unix_timestamp();
        json!({
            "iss": ASKED.issuer, "aud": "netbank", "sub": "s", "sid": "1", "nonce": "n",
            "iat": now, "exp": now + 300, "acr": Level::Substantial.uri(),
        })
    }

    #[test]
    fn an_id_token_that_answers_something_else_is_not_believed() {
        let (_dir, keys) = ring();
        let judged = |change: &[(&str, Value)]| {
            let mut claims = id_token();
            for (name, value) in change {
                claims[*name] = value.clone();
            }
            logged_in(&keys.sign("JWT", &claims).unwrap(), &keys.jwks(), &ASKED, NOW)
        };
        assert_eq!(judged(&[]).unwrap()["sub"], "s");
        assert!(judged(&[("acr", json!(Level::High.uri()))]).is_ok());
        let now = NOW.unix_timestamp();
        for (name, value) in [
            ("iss", json!("http://evil.invalid")),
            ("aud", json!("borger")),
            ("aud", json!(["netbank"])),
            ("nonce", json!("another")),
            ("nonce", Value::Null),
            ("acr", json!(Level::Low.uri())),
            ("acr", json!("Substantial")),
            ("exp", json!(now - 60)),
            ("iat", json!(now + 60)),
            ("sub", Value::Null),
            ("sid", Value::Null),
        ] {
            let refused = judged(&[(name, value.clone())]);
            assert_eq!(refused, Err(TokenError::Claim { name }), "{name}: {value}");
        }
        let (_other_dir, others) = ring();
        let foreign = others.sign("JWT", &id_token()).unwrap();
        let refused = logged_in(&foreign, &keys.jwks(), &ASKED, NOW);
        assert_eq!(refused, Err(TokenError::Jose(JoseError::Signature)));
    }

    #[test]
    fn a_logout_token_names_a_session_of_ours_and_is_no_id_token() {
        let (_dir, keys) = ring();
        let whose = (ASKED.issuer, ASKED.client_id);
        let good = crate::oidc::claims::logout(ASKED.issuer, "netbank", ("s", "1"), ("j", NOW));
        let judged = |typ: &str, change: &[(&str, Value)]| {
            let mut claims = good.clone();
            for (name, value) in change {
                claims[*name] = value.clone();
            }
            logged_out(&keys.sign(typ, &claims).unwrap(), &keys.jwks(), whose, NOW)
        };
        assert_eq!(judged("logout+jwt", &[]).unwrap(), "1");
        assert_eq!(judged("JWT", &[]), Err(TokenError::Jose(JoseError::Kind)));
        for (name, value) in [
            ("iss", json!("http://evil.invalid")),
            ("aud", json!("borger")),
            ("events", json!({})),
            ("nonce", json!("n")),
            ("sid", Value::Null),
            ("jti", Value::Null),
            ("exp", json!(NOW.unix_timestamp() - 60)),
        ] {
            let refused = judged("logout+jwt", &[(name, value)]);
            assert_eq!(refused, Err(TokenError::Claim { name }));
        }
    }
}
