//! The identity that an enrolment issues, and its signed form: a JWS in compact serialisation with
//! ES256 (RFC 7515 §3.1, RFC 7518 §3.4) under the server's key.
//!
//! Reading one trusts the given keys only, and no algorithm but ES256: the header's `alg` is
//! compared, never followed.

use openssl::{
    bn::BigNum,
    ec::{EcGroup, EcKey},
    ecdsa::EcdsaSig,
    error::ErrorStack,
    nid::Nid,
    pkey::Public,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use crate::{audit::Hash, decide::Level};

/// The JWS `typ` of an identity.
pub const KIND: &str = "indrul-identity+jwt";

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// An identity. Personal data: its `Debug` shows the identifier only.
#[derive(Clone, PartialEq, Serialize)]
pub struct Identity {
    /// Its identifier, `sub` of the signed form.
    #[serde(rename = "sub")]
    pub id: Uuid,
    /// Who issued it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// When.
    #[serde(rename = "iat", with = "time::serde::timestamp")]
    pub issued_at: OffsetDateTime,
    /// Level of assurance; High names the officer who gave it (E1).
    #[serde(flatten)]
    pub level: Level,
    /// Name of the subject, as the register has it.
    pub name: String,
    /// Date of birth.
    #[serde(rename = "birthdate", with = "day")]
    pub birth_date: Date,
    /// SHA-256 of the evidence record.
    pub evidence_sha256: Hash,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The same as it is read, before its level is known to be one that exists.
#[derive(Deserialize)]
struct Claims {
    sub: Uuid,
    iss: String,
    #[serde(with = "time::serde::timestamp")]
    iat: OffsetDateTime,
    level: String,
    #[serde(default)]
    officer: Option<String>,
    name: String,
    #[serde(with = "day")]
    birthdate: Date,
    evidence_sha256: Hash,
}

/// Holds the key that signs identities; the server's key ring is one.
pub trait Signer {
    /// Why it can fail.
    type Error;

    /// Signs `claims` as a compact JWS with ES256 and the header `typ` = `kind`.
    ///
    /// # Errors
    /// The key's own.
    fn sign(&self, kind: &str, claims: &Value) -> Result<String, Self::Error>;
}

impl Identity {
    /// The signed form.
    ///
    /// # Errors
    /// The signer's own.
    pub fn sign<S: Signer>(&self, signer: &S) -> Result<String, S::Error> {
        signer.sign(KIND, &self.claims())
    }

    /// What is signed.
    #[must_use]
    pub fn claims(&self) -> Value {
        json!(self)
    }
}

/// Why a signed identity is not one.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Not three parts of base64url with JSON in them.
    #[error("not a signed identity")]
    Malformed,
    /// Another algorithm or kind of token.
    #[error("signed in another way or as something else")]
    Kind,
    /// None of the keys has its identifier.
    #[error("no key with this identifier")]
    UnknownKey,
    /// The key cannot be used.
    #[error("the key cannot be used")]
    Key(#[from] ErrorStack),
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// The claims are not those of an identity, or its level does not exist.
    #[error("the signed claims are not an identity")]
    Claims,
}

/// Verifies a signed identity with the keys of `jwks` (RFC 7517 §5) and gives the identity.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(jws: &str, jwks: &Value) -> Result<Identity, IdentityError> {
    let parts: Vec<&str> = jws.split('.').collect();
    let &[head, body, signature] = parts.as_slice() else { return Err(IdentityError::Malformed) };
    let header: Value = decode_json(head)?;
    if header.get("alg") != Some(&json!("ES256")) || header.get("typ") != Some(&json!(KIND)) {
        return Err(IdentityError::Kind);
    }
    let key = key(jwks, header.get("kid"))?;
    let digest = Sha256::digest(format!("{head}.{body}"));
    if !ecdsa(&decode(signature)?)?.verify(&digest, &key)? {
        return Err(IdentityError::Signature);
    }
    let claims = serde_json::from_value(decode_json(body)?).map_err(|_| IdentityError::Claims)?;
    identity(claims).ok_or(IdentityError::Claims)
}

fn identity(claims: Claims) -> Option<Identity> {
    let Claims { sub, iss, iat, level, officer, name, birthdate, evidence_sha256 } = claims;
    Some(Identity {
        id: sub,
        issuer: iss,
        issued_at: iat,
        level: Level::of_record(&level, officer)?,
        name,
        birth_date: birthdate,
        evidence_sha256,
    })
}

fn key(jwks: &Value, kid: Option<&Value>) -> Result<EcKey<Public>, IdentityError> {
    let found = jwks
        .get("keys")
        .and_then(Value::as_array)
        .and_then(|keys| keys.iter().find(|key| kid.is_some() && key.get("kid") == kid))
        .ok_or(IdentityError::UnknownKey)?;
    let number = |name| -> Result<BigNum, IdentityError> {
        let text = found.get(name).and_then(Value::as_str).ok_or(IdentityError::UnknownKey)?;
        Ok(BigNum::from_slice(&decode(text)?)?)
    };
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    Ok(EcKey::from_public_key_affine_coordinates(&group, &*number("x")?, &*number("y")?)?)
}

/// R and S, 32 bytes each (RFC 7518 §3.4).
fn ecdsa(signature: &[u8]) -> Result<EcdsaSig, IdentityError> {
    let (r, s) = signature.split_at_checked(32).ok_or(IdentityError::Signature)?;
    if s.len() != 32 {
        return Err(IdentityError::Signature);
    }
    Ok(EcdsaSig::from_private_components(BigNum::from_slice(r)?, BigNum::from_slice(s)?)?)
}

fn decode_json(part: &str) -> Result<Value, IdentityError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| IdentityError::Malformed)
}

/// Base64url without padding (RFC 4648 §5, RFC 7515 §2).
fn decode(part: &str) -> Result<Vec<u8>, IdentityError> {
    let url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if part.is_empty() || !part.chars().all(url_safe) {
        return Err(IdentityError::Malformed);
    }
    let padding = "=".repeat((4 - part.len() % 4) % 4);
    let standard = part.replace('-', "+").replace('_', "/") + &padding;
    openssl::base64::decode_block(&standard).map_err(|_| IdentityError::Malformed)
}

#[cfg(test)]
mod tests {
    use openssl::pkey::Private;
    use time::macros::{date, datetime};

    use super::*;
    use crate::{
        decide::{Action, Findings, decide},
        policy::Policy,
    };

    struct Key(EcKey<Private>);

    fn base64url(bytes: &[u8]) -> String {
        let standard = openssl::base64::encode_block(bytes);
        standard.trim_end_matches('=').replace('+', "-").replace('/', "_")
    }

    impl Key {
        fn new() -> Self {
            let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
            Self(EcKey::generate(&group).unwrap())
        }

        fn jwks(&self) -> Value {
            let mut context = openssl::bn::BigNumContext::new().unwrap();
            let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
            let group = self.0.group();
            self.0.public_key().affine_coordinates(group, &mut x, &mut y, &mut context).unwrap();
            let text = |n: &BigNum| base64url(&n.to_vec_padded(32).unwrap());
            json!({"keys": [{"kid": "k1", "kty": "EC", "x": text(&x), "y": text(&y)}]})
        }

        fn seal(&self, header: &Value, claims: &Value) -> String {
            let text = format!(
                "{}.{}",
                base64url(header.to_string().as_bytes()),
                base64url(claims.to_string().as_bytes())
            );
            let signature = EcdsaSig::sign(&Sha256::digest(&text), &self.0).unwrap();
            let r = signature.r().to_vec_padded(32).unwrap();
            let s = signature.s().to_vec_padded(32).unwrap();
            format!("{text}.{}", base64url(&[r, s].concat()))
        }
    }

    impl Signer for Key {
        type Error = std::convert::Infallible;

        fn sign(&self, kind: &str, claims: &Value) -> Result<String, Self::Error> {
            Ok(self.seal(&json!({"alg": "ES256", "kid": "k1", "typ": kind}), claims))
        }
    }

    fn identity() -> Identity {
        let none = Policy { required: Vec::new(), any_of: Vec::new(), ..Policy::default() };
        let Action::Issue { level } = decide(&Findings::new(), &none).action else {
            panic!("nothing is required")
        };
        Identity {
            id: Uuid::from_u128(7),
            issuer: "https://indrul.invalid".to_owned(),
            issued_at: datetime!(2026-03-01 12:00 UTC),
            level: Level::Substantial(level),
            name: "Anna Østergård".to_owned(),
            birth_date: date!(1974 - 08 - 12),
            evidence_sha256: Hash([5; 32]),
        }
    }

    #[test]
    fn a_signed_identity_reads_back() {
        let key = Key::new();
        let Ok(jws) = identity().sign(&key);
        assert_eq!(verify(&jws, &key.jwks()).unwrap(), identity());
    }

    #[test]
    fn every_changed_character_is_found() {
        let key = Key::new();
        let Ok(jws) = identity().sign(&key);
        let jwks = key.jwks();
        for index in (0..jws.len()).step_by(7) {
            let mut bytes = jws.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            assert!(verify(&String::from_utf8(bytes).unwrap(), &jwks).is_err(), "{index}");
        }
        assert!(matches!(verify("a.b", &jwks), Err(IdentityError::Malformed)));
        assert!(matches!(verify(&jws, &json!({"keys": []})), Err(IdentityError::UnknownKey)));
        assert!(matches!(verify(&jws, &Key::new().jwks()), Err(IdentityError::Signature)));
    }

    #[test]
    fn another_algorithm_or_kind_is_refused() {
        let key = Key::new();
        for header in [
            json!({"alg": "none", "kid": "k1", "typ": KIND}),
            json!({"alg": "HS256", "kid": "k1", "typ": KIND}),
            json!({"alg": "ES256", "kid": "k1", "typ": "JWT"}),
        ] {
            let jws = key.seal(&header, &identity().claims());
            assert!(matches!(verify(&jws, &key.jwks()), Err(IdentityError::Kind)), "{header}");
        }
    }

    // proves E1
    #[test]
    fn a_level_above_substantial_is_read_with_its_officer_only() {
        let key = Key::new();
        let read = |level: &str, officer: Value| {
            let mut claims = identity().claims();
            (claims["level"], claims["officer"]) = (json!(level), officer);
            let Ok(jws) = key.sign(KIND, &claims);
            verify(&jws, &key.jwks())
        };
        for (level, officer) in
            [("High", Value::Null), ("Substantial", json!("bc-17")), ("Higher", json!("bc-17"))]
        {
            assert!(matches!(read(level, officer), Err(IdentityError::Claims)), "{level}");
        }
        let high = read("High", json!("bc-17")).unwrap();
        assert_eq!((high.level.as_str(), high.level.officer()), ("High", Some("bc-17")));
        assert_eq!(high.claims()["officer"], "bc-17", "signed again as it was");
    }
}
