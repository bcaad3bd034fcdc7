//! Signed tokens that others send: client assertions (RFC 7523), signed requests (CIBA §7.1.1), proofs of
//! possession (RFC 9449) and our own ID tokens as hints. ES256 and nothing else; the header's `alg` is compared,
//! never followed (RFC 8725 §3.1).

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
    /// The header has no public key of P-256, or a private one.
    #[error("no public key of P-256 in the header, or a private one")]
    Key,
}

/// The claims of `token`, if a key of `jwks` (RFC 7517 §5) signed it and its `typ` is one of `types`, or is
/// absent.
///
/// # Errors
/// [`JoseError`].
pub fn verified(token: &str, jwks: &Value, types: &[&str]) -> Result<Value, JoseError> {
    let token = Token::read(token)?;
    if token.header.get("typ").is_some() && !token.is_one_of(types) {
        return Err(JoseError::Kind);
    }
    let (keys, kid) = (public_keys(jwks), token.text("kid"));
    let mut fitting = keys.iter().filter(|(known, _)| kid.is_none() || *known == kid);
    if fitting.any(|(_, key)| token.is_signed_by(key)) {
        json(token.body)
    } else {
        Err(JoseError::Signature)
    }
}

/// The claims of `token`, whose `typ` is `typ`, and the key that its header says signed it (RFC 7515 §4.1.3), which
/// did: nobody says whose key that is.
///
/// # Errors
/// [`JoseError`].
pub fn signed_by_its_own_key(token: &str, typ: &str) -> Result<(Value, DeviceKey), JoseError> {
    let token = Token::read(token)?;
    if !token.is_one_of(&[typ]) {
        return Err(JoseError::Kind);
    }
    let jwk = token.header.get("jwk").ok_or(JoseError::Key)?;
    let key = public_key(jwk).filter(|_| !is_private(jwk)).ok_or(JoseError::Key)?;
    if token.is_signed_by(&key) { Ok((json(token.body)?, key)) } else { Err(JoseError::Signature) }
}

/// Whose claims `token` says that it has: only to find the keys that have to prove it.
#[must_use]
pub fn claimed_issuer(token: &str) -> Option<String> {
    let claims = json(token.split('.').nth(1)?).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// What tells a token from every other one of who signed it (RFC 7519 §4.1.7). It stands at the end of what the
/// token is known again by, after a line for each thing before it: it has no sign that ends a line.
#[must_use]
pub fn identifier(claims: &Value) -> Option<&str> {
    let jti = claims.get("jti").and_then(Value::as_str)?;
    (!jti.is_empty() && !jti.contains(char::is_control)).then_some(jti)
}

/// A token in its parts, whose algorithm is ES256; nobody has looked at its signature.
struct Token<'a> {
    header: Value,
    body: &'a str,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(token: &'a str) -> Result<Self, JoseError> {
        if token.len() > LONGEST {
            return Err(JoseError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(JoseError::Malformed)?;
        let (head, body) = signed.split_once('.').ok_or(JoseError::Malformed)?;
        if body.contains('.') {
            return Err(JoseError::Malformed);
        }
        let header = json(head)?;
        // What must be understood is not (RFC 7515 §4.1.11).
        let is_es256 = header.get("alg").and_then(Value::as_str) == Some("ES256");
        if !is_es256 || header.get("crit").is_some() {
            return Err(JoseError::Kind);
        }
        let signature = base64url_decode(signature).ok_or(JoseError::Malformed)?;
        Ok(Self { header, body, signed, signature })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    fn is_one_of(&self, types: &[&str]) -> bool {
        self.text("typ").is_some_and(|typ| types.iter().any(|t| t.eq_ignore_ascii_case(typ)))
    }

    fn is_signed_by(&self, key: &DeviceKey) -> bool {
        key.signed(self.signed.as_bytes(), &self.signature).is_ok()
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
    keys.iter()
        .filter_map(|jwk| Some((jwk.get("kid").and_then(Value::as_str), public_key(jwk)?)))
        .collect()
}

/// A P-256 key (RFC 7518 §6.2.1).
fn public_key(jwk: &Value) -> Option<DeviceKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let number = |name| base64url_decode(text(name)?).filter(|bytes| bytes.len() == 32);
    if text("kty") != Some("EC") || text("crv") != Some("P-256") {
        return None;
    }
    let raw = [vec![4], number("x")?, number("y")?].concat();
    DeviceKey::from_raw(&raw).ok()
}

/// Whether a key has its private half with it (RFC 7518 §6.2.2).
fn is_private(jwk: &Value) -> bool {
    jwk.get("d").is_some()
}

/// Whether a set has at least one key that can be used, and no private half (RFC 7518 §6.2.2).
#[must_use]
pub fn has_keys(jwks: &Value) -> bool {
    let keys = jwks.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    !public_keys(jwks).is_empty() && !keys.iter().any(is_private)
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
        for bad in ["", "a.b", "a.b.c.d", &format!("{token}.{token}"), &"a".repeat(9000)] {
            assert_eq!(verified(bad, &keys.jwks(), &["JWT"]), Err(JoseError::Malformed));
        }
        assert!(has_keys(&keys.jwks()));
        let mut private = keys.jwks();
        private["keys"][0]["d"] = json!("AAAA");
        assert!(!has_keys(&private) && !has_keys(&json!({"keys": []})));
    }
}
