//! Parameters in `application/x-www-form-urlencoded`: each at most once (RFC 6749 §3.1, §3.2), an empty one
//! as if it were not there.

use super::OauthError;
use serde_json::Value;
use zeroize::Zeroizing;

/// The parameters of one request. May hold secrets: `Debug` shows names only.
pub struct Params(Vec<(String, Zeroizing<String>)>);

impl std::fmt::Debug for Params {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Most parameters of one request: each is looked for among those before it.
const MOST: usize = 40;
/// Longest query, bytes. A body's limit is its router's.
const LONGEST_QUERY: usize = 8 * 1024;

impl Params {
    /// Reads a query.
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`] if it is longer than 8 KiB, and as [`Params::read`].
    pub fn of_query(query: Option<&str>) -> Result<Self, OauthError> {
        let query = query.unwrap_or_default();
        if query.len() > LONGEST_QUERY {
            return Err(OauthError::InvalidRequest("the query is longer than 8 KiB"));
        }
        Self::read(query.as_bytes())
    }

    /// Reads a body.
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`] if there are more than 40 parameters, or one comes twice.
    pub fn read(encoded: &[u8]) -> Result<Self, OauthError> {
        if encoded.iter().filter(|byte| **byte == b'&').count() >= MOST {
            return Err(OauthError::InvalidRequest("more than 40 parameters"));
        }
        let mut found: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded) {
            if found.iter().any(|(known, _)| *known == name) {
                return Err(OauthError::InvalidRequest("a parameter comes more than once"));
            }
            found.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Self(found))
    }

    /// Those of the claims of a signed request (CIBA §7.1.1): a text as it is, anything else as JSON. `None` if
    /// there are more than 40.
    #[must_use]
    pub fn of_claims(claims: serde_json::Map<String, Value>) -> Option<Self> {
        let text = |value: Value| match value {
            Value::String(text) => Zeroizing::new(text),
            other => Zeroizing::new(other.to_string()),
        };
        let there = claims.into_iter().filter(|(_, value)| !value.is_null());
        let found: Vec<_> = there.map(|(name, value)| (name, text(value))).collect();
        (found.len() <= MOST).then_some(Self(found))
    }

    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The parameter `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The parameter `name`.
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`] with `missing` if it is not there.
    pub fn need(&self, name: &str, missing: &'static str) -> Result<&str, OauthError> {
        self.get(name).ok_or(OauthError::InvalidRequest(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_comes_once() {
        let params = Params::read(b"a=1&b=%C3%A6+x&c=").unwrap();
        assert_eq!((params.get("a"), params.get("b")), (Some("1"), Some("æ x")));
        assert_eq!((params.get("c"), params.get("d")), (None, None));
        assert!(Params::read(b"a=1&a=1").is_err());
        assert!(!format!("{params:?}").contains('æ'));
    }

    #[test]
    fn the_claims_of_a_signed_request_are_parameters_too() {
        let claims = serde_json::json!({
            "scope": "openid", "requested_expiry": 60, "idp_params": { "mitid": {} }, "nonce": null,
        });
        let Value::Object(claims) = claims else { panic!("an object") };
        let params = Params::of_claims(claims).unwrap();
        assert_eq!((params.get("scope"), params.get("nonce")), (Some("openid"), None));
        assert_eq!(params.get("requested_expiry"), Some("60"));
        assert_eq!(params.get("idp_params"), Some(r#"{"mitid":{}}"#));
        assert_eq!(params.names().count(), 3);
        let many = (0..41).map(|number| (number.to_string(), Value::from("1"))).collect();
        assert!(Params::of_claims(many).is_none());
    }

    #[test]
    fn there_are_at_most_forty_and_a_query_has_at_most_eight_kibibytes() {
        let many = |count: usize| {
            let pairs: Vec<_> = (0..count).map(|number| format!("p{number}=1")).collect();
            pairs.join("&")
        };
        assert!(Params::read(many(40).as_bytes()).is_ok());
        assert!(Params::read(many(41).as_bytes()).is_err());
        assert!(Params::read("&".repeat(40).as_bytes()).is_err(), "empty ones count");
        let long = |length: usize| format!("a={}", "x".repeat(length - 2));
        assert!(Params::of_query(Some(&long(8192))).is_ok());
        assert!(Params::of_query(Some(&long(8193))).is_err());
        assert!(Params::of_query(None).is_ok());
    }
}
