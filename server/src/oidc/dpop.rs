//! Demonstrating Proof of Possession (RFC 9449): a relying party signs, with a key of its own, which request it
//! sends, and its access token is good with that key alone. Nobody says whose the key is: it is told again by its
//! thumbprint.

use super::{OauthError, jose};
use crate::keys::{base64url, base64url_decode};
use enroll_core::device_key::DeviceKey;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// How old a proof may be, and how far its clock may be ahead of ours (RFC 9449 §11.1; FAPI 2.0 §5.3.2.1 has 10
/// and 60 seconds for what is ahead).
const WINDOW: i64 = 60;

/// A key as it is told again: SHA-256 of its members, in base64url (RFC 7638 §3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Thumbprint(String);

impl Thumbprint {
    /// Reads `dpop_jkt` (RFC 9449 §10).
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`].
    pub fn read(text: &str) -> Result<Self, OauthError> {
        match base64url_decode(text) {
            // Written as we write it, so that it can be compared.
            Some(hash) if hash.len() == 32 && base64url(&hash) == text => Ok(Self(text.to_owned())),
            _ => Err(OauthError::InvalidRequest("dpop_jkt is no SHA-256 in base64url")),
        }
    }

    /// Of a key of P-256: its members in the order of their names, without a space (RFC 7638 §3.2).
    fn of(key: &DeviceKey) -> Self {
        // A raw key is 4, x and y (SEC 1 §2.3.3).
        let (x, y) = key.raw().get(1..).unwrap_or_default().split_at(32);
        let (x, y) = (base64url(x), base64url(y));
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        Self(base64url(&openssl::sha::sha256(members.as_bytes())))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a request carries of it, and what a proof has to name.
#[derive(Clone)]
pub struct Carried {
    /// Its `DPoP` headers, as they are: only one is allowed.
    pub proofs: Vec<String>,
    /// Its method.
    pub method: String,
    /// Its address, without query.
    pub url: String,
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Carried({} proofs, {} {})", self.proofs.len(), self.method, self.url)
    }
}

/// A proof of now that names its request. Whether it was used before is asked elsewhere.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The key that made it.
    pub key: Thumbprint,
    /// What it is known again by, SHA-256.
    pub known_by: [u8; 32],
    /// When it is too old.
    pub expires: OffsetDateTime,
    ath: Option<String>,
}

impl Carried {
    /// The proof of the request, if it carries one (RFC 9449 §4.3).
    ///
    /// # Errors
    /// [`OauthError::InvalidDpopProof`].
    pub fn proof(&self, now: OffsetDateTime) -> Result<Option<Proof>, OauthError> {
        match self.proofs.as_slice() {
            [] => Ok(None),
            [one] => self.read(one, now).map(Some).map_err(OauthError::InvalidDpopProof),
            _ => Err(OauthError::InvalidDpopProof("one DPoP header at a time")),
        }
    }

    fn read(&self, proof: &str, now: OffsetDateTime) -> Result<Proof, &'static str> {
        let (claims, key) = jose::signed_by_its_own_key(proof, "dpop+jwt").map_err(
            |_| "the proof is no dpop+jwt that the public key in its header signed with ES256",
        )?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let jti = jose::identifier(&claims)
            .ok_or("the proof has no jti, or one with control characters")?;
        if text("htm") != Some(&self.method) {
            return Err("htm is not the method of the request");
        }
        let named = text("htu").and_then(normal);
        if named.is_none() || named != normal(&self.url) {
            return Err("htu is not the address of the request");
        }
        let issued = current(&claims, now).ok_or("the proof is not of now: iat within a minute")?;
        let key = Thumbprint::of(&key);
        let known_by = openssl::sha::sha256(format!("dpop\n{}\n{jti}", key.0).as_bytes());
        let expires = issued + Duration::seconds(WINDOW + 1);
        Ok(Proof { key, known_by, expires, ath: text("ath").map(str::to_owned) })
    }
}

/// When the proof was made, if that is now. `exp` and `nbf` are none of its claims, but hold where they are there
/// (RFC 7519 §4.1.4, §4.1.5).
fn current(claims: &Value, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let time = |name: &str| claims.get(name).map(Value::as_i64);
    let (issued, now) = (time("iat").flatten()?, now.unix_timestamp());
    let of_now = now.saturating_sub(issued).unsigned_abs() <= WINDOW.unsigned_abs();
    let lives = time("exp").is_none_or(|at| at.is_some_and(|at| at > now.saturating_sub(WINDOW)));
    let begun = time("nbf").is_none_or(|at| at.is_some_and(|at| at <= now.saturating_add(WINDOW)));
    OffsetDateTime::from_unix_timestamp(issued).ok().filter(|_| of_now && lives && begun)
}

impl Proof {
    /// Whether it was made for `token` (`ath`, RFC 9449 §4.3).
    #[must_use]
    pub fn is_for(&self, token: &str) -> bool {
        let hash = base64url(&openssl::sha::sha256(token.as_bytes()));
        self.ath.as_ref().is_some_and(|ath| *ath == hash)
    }
}

/// An address as it is compared: without query and fragment, scheme and host in small letters, without the port
/// of its scheme, and no sign encoded that need not be (RFC 3986 §6.2.2, §6.2.3).
fn normal(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next()?;
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
    let port = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = host.strip_suffix(port).unwrap_or(&host);
    let path = if path.is_empty() { "/".to_owned() } else { plain(path)? };
    (!host.is_empty()).then(|| format!("{scheme}://{host}{path}"))
}

/// `path` with each unreserved sign as itself and every other encoded one in capitals (RFC 3986 §6.2.2.1, §6.2.2.2).
fn plain(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        let byte = u8::from_str_radix(code, 16).ok()?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            plain.push('%');
            plain.push_str(&code.to_ascii_uppercase());
        }
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9449 §4.1: the proof of the example, and the thumbprint of its key as §6.1 has it.
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    const MADE: i64 = 1_562_262_616;

    fn at(second: i64) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(second).unwrap()
    }

    fn carried(proofs: &[&str], method: &str, url: &str) -> Carried {
        let proofs = proofs.iter().map(|proof| (*proof).to_owned()).collect();
        Carried { proofs, method: method.to_owned(), url: url.to_owned() }
    }

    // proves G8
    #[test]
    fn the_example_of_the_standard_proves_its_key_for_its_request_within_a_minute() {
        let sent = carried(&[PROOF], "POST", "https://server.example.com/token");
        for second in [MADE - 60, MADE, MADE + 60] {
            let proof = sent.proof(at(second)).unwrap().unwrap();
            assert_eq!(proof.key, Thumbprint::read(THUMBPRINT).unwrap());
            assert!(!proof.is_for("a token"), "without ath");
        }
        for second in [MADE - 61, MADE + 61] {
            assert!(sent.proof(at(second)).is_err(), "{second}");
        }
        let bad = &PROOF[..PROOF.len() - 4];
        for (proofs, method, url) in [
            (&[PROOF, PROOF][..], "POST", "https://server.example.com/token"),
            (&[bad], "POST", "https://server.example.com/token"),
            (&[""], "POST", "https://server.example.com/token"),
            (&[PROOF], "GET", "https://server.example.com/token"),
            (&[PROOF], "post", "https://server.example.com/token"),
            (&[PROOF], "POST", "https://server.example.com/par"),
            (&[PROOF], "POST", "http://server.example.com/token"),
        ] {
            let error = carried(proofs, method, url).proof(at(MADE)).unwrap_err();
            assert_eq!(error.code(), "invalid_dpop_proof", "{method} {url}");
        }
        assert!(carried(&[], "POST", "").proof(at(MADE)).unwrap().is_none());
    }

    #[test]
    fn an_address_is_compared_as_it_is_meant() {
        let token = Some("https://a.dk/token".to_owned());
        for same in [
            "https://a.dk/token?x=1",
            "https://a.dk/token#x",
            "HTTPS://A.dk:443/token",
            "https://a.dk/%74oken",
        ] {
            assert_eq!(normal(same), token, "{same}");
        }
        for other in [
            "https://a.dk/Token",
            "https://a.dk:444/token",
            "https://user@a.dk/token",
            "https://a.dk/token/",
            "https://a.dk/%2ftoken",
            "http://a.dk:443/token",
            "a.dk/token",
            "https://a.dk/%",
            "https://a.dk/%æ",
            "",
        ] {
            assert_ne!(normal(other), token, "{other}");
        }
        assert_eq!(normal("http://a.dk:80"), normal("http://a.dk/"));
        assert_eq!(normal("http://a.dk/%c3%a6"), normal("http://a.dk/%C3%A6"));
    }

    #[test]
    fn a_thumbprint_is_a_sha_256_as_we_write_it() {
        // The last sign of 43 has two bits that say nothing.
        let other = THUMBPRINT.replace("A4I", "A4J");
        for bad in ["", "AAAA", &THUMBPRINT[1..], &format!("{THUMBPRINT}="), &other] {
            assert!(Thumbprint::read(bad).is_err(), "{bad}");
        }
    }
}
