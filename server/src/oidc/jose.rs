//! Signed tokens that others send: client assertions (RFC 7523) and our own ID tokens as hints. ES256 and
//! nothing else; the header's `alg` is compared, never followed (RFC 8725 §3.1).

use crate::keys::base64url_decode;
use enroll_core::device_key::DeviceKey;
use serde_json::Value;
use zeroize::Zeroizing;

/// Longest token that is looked at, bytes.
const LONGEST: usize = 8 * 1024;

/// Why a token is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoseError {
    /// Not three parts of base64url with JSON in them, or too long.
    #[error("not a signed token")]
    Malformed,
    /// Another algorithm, `none` with them, or another type of token.
    #[error("not signed with ES256, or something else")]
    Kind,
    /// None of the keys has made the signature.
    #[error("no key has made the signature")]
    Signature,
}

/// The claims of `token`, if a key of `jwks` (RFC 7517 §5) signed it and its `typ` is one of `types`, or is
/// absent.
///
/// # Errors
/// [`JoseError`].
pub fn verified(token: &str, jwks: &Value, types: &[&str]) -> Result<Value, JoseError> {
    if token.len() > LONGEST {
        return Err(JoseError::Malformed);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let &[head, body, signature] = parts.as_slice() else { return Err(JoseError::Malformed) };
    let header = json(head)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let typ_fits = header.get("typ").is_none()
        || text("typ").is_some_and(|typ| types.iter().any(|t| t.eq_ignore_ascii_case(typ)));
    // What must be understood is not (RFC 7515 §4.1.11).
    if text("alg") != Some("ES256") || !typ_fits || header.get("crit").is_some() {
        return Err(JoseError::Kind);
    }
    let signature = base64url_decode(signature).ok_or(JoseError::Malformed)?;
    let signed = format!("{head}.{body}");
    let keys = public_keys(jwks);
    let mut fitting = keys.iter().filter(|(kid, _)| text("kid").is_none() || *kid == text("kid"));
    if fitting.any(|(_, key)| key.signed(signed.as_bytes(), &signature).is_ok()) {
        json(body)
    } else {
        Err(JoseError::Signature)
    }
}

fn json(part: &str) -> Result<Value, JoseError> {
    let bytes = Zeroizing::new(base64url_decode(part).ok_or(JoseError::Malformed)?);
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| JoseError::Malformed)?;
    if value.is_object() { Ok(value) } else { Err(JoseError::Malformed) }
}

/// The P-256 keys of a set, each with its identifier (RFC 7518 §6.2.1).
fn public_keys(jwks: &Value) -> Vec<(Option<&str>, DeviceKey)> {
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let read = |jwk: &Value| {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let number = |name| base64url_decode(text(name)?).filter(|bytes| bytes.len() == 32);
        if text("kty") != Some("EC") || text("crv") != Some("P-256") {
            return None;
        }
        let raw = [vec![4], number("x")?, number("y")?].concat();
        DeviceKey::from_raw(&raw).ok()
    };
    keys.iter()
        .filter_map(|jwk| Some((jwk.get("kid").and_then(Value::as_str), read(jwk)?)))
        .collect()
}

/// Whether a set has at least one key that can be used, and no private half (RFC 7518 §6.2.2).
#[must_use]
pub fn has_keys(jwks: &Value) -> bool {
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    !public_keys(jwks).is_empty() && keys.iter().all(|jwk| jwk.get("d").is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use crate::keys::{KeyRing, base64url};
    use enroll_core::identity::Signer;
    use serde_json::json;

    #[test]
    fn a_token_of_a_known_key_is_read_and_every_other_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let ring = |name| KeyRing::open(&dir.path().join(name), None, &SystemEntropy).unwrap();
        let (keys, others) = (ring("a"), ring("b"));
        let token = keys.sign("JWT", &json!({"iss": "netbank"})).unwrap();
        assert_eq!(verified(&token, &keys.jwks(), &["JWT"]).unwrap()["iss"], "netbank");
        assert_eq!(verified(&token, &others.jwks(), &["JWT"]), Err(JoseError::Signature));
        assert_eq!(verified(&token, &json!({}), &["JWT"]), Err(JoseError::Signature));
        assert_eq!(verified(&token, &keys.jwks(), &["logout+jwt"]), Err(JoseError::Kind));
        let (_, rest) = token.split_once('.').unwrap();
        let head = |header: Value| format!("{}.{rest}", base64url(header.to_string().as_bytes()));
        for header in [
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({}),
            json!({"alg": "ES256", "crit": ["b64"], "b64": false}),
        ] {
            assert_eq!(verified(&head(header), &keys.jwks(), &["JWT"]), Err(JoseError::Kind));
        }
        let unsigned = format!("{}.", token.rsplit_once('.').unwrap().0);
        assert_eq!(verified(&unsigned, &keys.jwks(), &["JWT"]), Err(JoseError::Malformed));
        for bad in ["", "a.b", "a.b.c.d", &"a".repeat(9000)] {
            assert_eq!(verified(bad, &keys.jwks(), &["JWT"]), Err(JoseError::Malformed));
        }
        assert!(has_keys(&keys.jwks()));
        let mut private = keys.jwks();
        private["keys"][0]["d"] = json!("AAAA");
        assert!(!has_keys(&private) && !has_keys(&json!({"keys": []})));
    }
}
