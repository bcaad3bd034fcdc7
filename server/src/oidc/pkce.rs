//! Proof Key for Code Exchange (RFC 7636): S256 and nothing else (RFC 9700 §2.1.1).

use super::OauthError;
use crate::keys::{base64url, base64url_decode};
use serde::{Deserialize, Serialize};

/// A challenge: base64url of a SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method` (RFC 7636 §4.3).
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`] without a challenge, and for `plain`, which is what an absent method
    /// means.
    pub fn read(challenge: Option<&str>, method: Option<&str>) -> Result<Self, OauthError> {
        let missing = OauthError::InvalidRequest("code_challenge is required (RFC 7636)");
        let challenge = challenge.ok_or(missing)?;
        if method != Some("S256") {
            return Err(OauthError::InvalidRequest("code_challenge_method must be S256"));
        }
        match base64url_decode(challenge) {
            Some(hash) if hash.len() == 32 && challenge.len() == 43 => {
                Ok(Self(challenge.to_owned()))
            }
            _ => Err(OauthError::InvalidRequest("code_challenge is no SHA-256 in base64url")),
        }
    }

    /// Whether `verifier` is what it was made of (RFC 7636 §4.6).
    #[must_use]
    pub fn fits(&self, verifier: &str) -> bool {
        let of_alphabet = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let is_verifier = (43..=128).contains(&verifier.len()) && verifier.bytes().all(of_alphabet);
        let made = base64url(&openssl::sha::sha256(verifier.as_bytes()));
        is_verifier && openssl::memcmp::eq(made.as_bytes(), self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    // proves G8
    #[test]
    fn the_example_of_the_standard_fits_and_nothing_else() {
        let challenge = CodeChallenge::read(Some(CHALLENGE), Some("S256")).unwrap();
        assert!(challenge.fits(VERIFIER));
        for bad in ["", "a", CHALLENGE, &VERIFIER[1..], &format!("{VERIFIER}!")] {
            assert!(!challenge.fits(bad), "{bad}");
        }
    }

    // proves G8
    #[test]
    fn plain_and_none_are_refused() {
        for (challenge, method) in [
            (None, Some("S256")),
            (None, None),
            (Some(CHALLENGE), None),
            (Some(CHALLENGE), Some("plain")),
            (Some(CHALLENGE), Some("s256")),
            (Some(VERIFIER.trim_end_matches('k')), Some("S256")),
            (Some("="), Some("S256")),
        ] {
            assert!(CodeChallenge::read(challenge, method).is_err(), "{challenge:?} {method:?}");
        }
    }
}
