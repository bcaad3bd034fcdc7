//! Relying parties, as they are registered (OpenID Connect Dynamic Client Registration §2 has the names, but
//! registration is by an operator's command).

use super::{OauthError, Scope, jose};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whether a relying party is an authority: name and address under protection go to no other (C3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sector {
    /// An authority.
    Public,
    /// Anybody else.
    Private,
}

/// How a relying party proves who it is at the token endpoint (OpenID Connect Core §9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum ClientAuth {
    /// By a secret in HTTP's basic authentication.
    ClientSecretBasic {
        /// SHA-256 of the secret, which has 256 random bits, in hexadecimal.
        secret_sha256: String,
    },
    /// By a secret in the body.
    ClientSecretPost {
        /// As above.
        secret_sha256: String,
    },
    /// By a signed assertion (RFC 7523 §2.2).
    PrivateKeyJwt {
        /// The public keys, as a JWK set.
        jwks: Value,
    },
}

impl ClientAuth {
    /// Its name in metadata.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientSecretBasic { .. } => "client_secret_basic",
            Self::ClientSecretPost { .. } => "client_secret_post",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
        }
    }
}

/// A relying party.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelyingParty {
    /// Its identifier.
    pub client_id: String,
    /// Its name, as people read it before they approve (G3).
    pub name: String,
    /// Whose it is: relying parties of one organisation know a person by one `sub` (OpenID Connect Core §8.1).
    pub organisation: String,
    /// Authority or not.
    pub sector: Sector,
    /// Where answers may go, exactly.
    pub redirect_uris: Vec<String>,
    /// Where a person may be sent after logging out, exactly.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it is told that a session has ended.
    pub backchannel_logout_uri: Option<String>,
    /// How it proves who it is.
    pub auth: ClientAuth,
    /// What it may ask for.
    pub scopes: Vec<Scope>,
    /// Whether it may begin a log-in by itself (CIBA).
    pub ciba: bool,
    /// Whether it gets tokens only that are bound to a key (RFC 9449 §5.2).
    #[serde(default)]
    pub dpop_bound_access_tokens: bool,
    /// What it signs each request with that it begins a log-in by (CIBA §4); one that may leave it out has none.
    #[serde(default)]
    pub backchannel_authentication_request_signing_alg: Option<SigningAlg>,
}

/// What relying parties sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SigningAlg {
    /// ECDSA on P-256 with SHA-256 (RFC 7518 §3.4).
    #[serde(rename = "ES256")]
    Es256,
}

/// A registration as its file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    client_id: String,
    name: String,
    organisation: String,
    sector: Sector,
    #[serde(default)]
    redirect_uris: Vec<String>,
    #[serde(default)]
    post_logout_redirect_uris: Vec<String>,
    backchannel_logout_uri: Option<String>,
    /// `private_key_jwt`, `client_secret_basic` or `client_secret_post`.
    token_endpoint_auth_method: Method,
    /// With `private_key_jwt`: the file of its public keys.
    pub jwks_file: Option<std::path::PathBuf>,
    scopes: Vec<Scope>,
    #[serde(default)]
    ciba: bool,
    #[serde(default)]
    dpop_bound_access_tokens: bool,
    backchannel_authentication_request_signing_alg: Option<SigningAlg>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    ClientSecretBasic,
    ClientSecretPost,
    PrivateKeyJwt,
}

/// Why a registration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// An identifier is a word.
    #[error("client_id has 3 to 64 signs of a-z, 0-9, - and .")]
    ClientId,
    /// People read the name.
    #[error("name and organisation have 1 to 80 characters that show")]
    Name,
    /// An address is not one that may be used.
    #[error("{uri}: https, or http on loopback, without fragment, user and space")]
    Uri {
        /// Which.
        uri: String,
    },
    /// Somewhere the answer has to go.
    #[error("redirect_uris is empty and ciba is not set: nobody could log in")]
    Nowhere,
    /// Without it nobody logs in.
    #[error("scopes must have openid")]
    Scope,
    /// Keys are missing, or given where there are none.
    #[error(
        "private_key_jwt, and nothing else, needs jwks_file with at least one P-256 key and no private one"
    )]
    Keys,
    /// Requests that it begins log-ins by are signed with its keys.
    #[error("backchannel_authentication_request_signing_alg needs ciba and private_key_jwt")]
    Signing,
}

impl Registration {
    /// What is kept, with the SHA-256 of a secret that was drawn for it, or its JWK set. The secret is used
    /// where the method is one of secrets.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn accepted(
        self,
        secret_sha256: [u8; 32],
        jwks: Option<Value>,
    ) -> Result<RelyingParty, RegistrationError> {
        let is_sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
        if !(3..=64).contains(&self.client_id.len()) || !self.client_id.chars().all(is_sign) {
            return Err(RegistrationError::ClientId);
        }
        let is_name =
            |text: &str| super::idp_params::shown(text).is_some() && text.chars().count() <= 80;
        if !is_name(&self.name) || !is_name(&self.organisation) {
            return Err(RegistrationError::Name);
        }
        let uris = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        if let Some(uri) = uris.chain(&self.backchannel_logout_uri).find(|uri| !is_address(uri)) {
            return Err(RegistrationError::Uri { uri: uri.clone() });
        }
        if self.redirect_uris.is_empty() && !self.ciba {
            return Err(RegistrationError::Nowhere);
        }
        if !self.scopes.contains(&Scope::OpenId) {
            return Err(RegistrationError::Scope);
        }
        let secret_sha256 = hex::encode(secret_sha256);
        let auth = match (self.token_endpoint_auth_method, jwks) {
            (Method::ClientSecretBasic, None) => ClientAuth::ClientSecretBasic { secret_sha256 },
            (Method::ClientSecretPost, None) => ClientAuth::ClientSecretPost { secret_sha256 },
            (Method::PrivateKeyJwt, Some(jwks)) if jose::has_keys(&jwks) => {
                ClientAuth::PrivateKeyJwt { jwks }
            }
            _ => return Err(RegistrationError::Keys),
        };
        let signing_alg = self.backchannel_authentication_request_signing_alg;
        if signing_alg.is_some() && !(self.ciba && matches!(auth, ClientAuth::PrivateKeyJwt { .. }))
        {
            return Err(RegistrationError::Signing);
        }
        Ok(RelyingParty {
            client_id: self.client_id,
            name: self.name,
            organisation: self.organisation,
            sector: self.sector,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            backchannel_logout_uri: self.backchannel_logout_uri,
            auth,
            scopes: self.scopes,
            ciba: self.ciba,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            backchannel_authentication_request_signing_alg: signing_alg,
        })
    }
}

/// `https://…`, or `http://` on loopback, in visible ASCII, without user and fragment (RFC 6749 §3.1.2).
fn is_address(uri: &str) -> bool {
    let rest = match uri.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if is_loopback(rest) => rest,
        _ => return false,
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    !host.is_empty()
        && !host.contains('@')
        && uri.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}#".contains(&b))
}

fn is_loopback(rest: &str) -> bool {
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

impl RelyingParty {
    /// That `uri` is one of its addresses for answers, sign for sign (RFC 9700 §2.1).
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`].
    pub fn redirects_to(&self, uri: &str) -> Result<(), OauthError> {
        if self.redirect_uris.iter().any(|known| known == uri) {
            return Ok(());
        }
        Err(OauthError::InvalidRequest("redirect_uri is not one that is registered"))
    }

    /// Of the scopes asked for, those that it gets: all that it may ask for.
    ///
    /// # Errors
    /// [`OauthError::InvalidScope`] without `openid`, or with one that it may not ask for.
    pub fn scopes(&self, asked: &str) -> Result<Vec<Scope>, OauthError> {
        let asked = Scope::read(asked);
        let may = asked.iter().all(|scope| self.scopes.contains(scope));
        if may && asked.contains(&Scope::OpenId) {
            Ok(asked)
        } else {
            Err(OauthError::InvalidScope)
        }
    }

    /// Whether a secret is the one that was given to it.
    #[must_use]
    pub fn has_secret(&self, secret: &str) -> bool {
        let (ClientAuth::ClientSecretBasic { secret_sha256 }
        | ClientAuth::ClientSecretPost { secret_sha256 }) = &self.auth
        else {
            return false;
        };
        let hash = hex::encode(openssl::sha::sha256(secret.as_bytes()));
        hash.len() == secret_sha256.len()
            && openssl::memcmp::eq(hash.as_bytes(), secret_sha256.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registration(
        change: impl FnOnce(&mut Registration),
    ) -> Result<RelyingParty, RegistrationError> {
        let mut registration: Registration = toml::from_str(
            r#"
            client_id = "netbank"
            name = "Netbanken"
            organisation = "Banken A/S"
            sector = "private"
            redirect_uris = ["https://netbank.invalid/cb"]
            token_endpoint_auth_method = "client_secret_basic"
            scopes = ["openid", "mitid"]
            "#,
        )
        .unwrap();
        change(&mut registration);
        registration.accepted(openssl::sha::sha256(b"secret"), None)
    }

    #[test]
    fn a_registration_is_whole_or_refused() {
        let netbank = registration(|_| {}).unwrap();
        assert!(netbank.has_secret("secret") && !netbank.has_secret("Secret"));
        let id = |id: &str| registration(|r| r.client_id = id.to_owned()).unwrap_err();
        assert_eq!(id("Net Bank"), RegistrationError::ClientId);
        let name = registration(|r| r.name = "Net\u{202e}bank".to_owned());
        assert_eq!(name.unwrap_err(), RegistrationError::Name);
        assert_eq!(
            registration(|r| r.redirect_uris.clear()).unwrap_err(),
            RegistrationError::Nowhere
        );
        assert_eq!(registration(|r| r.scopes.clear()).unwrap_err(), RegistrationError::Scope);
        let keys = registration(|r| r.token_endpoint_auth_method = Method::PrivateKeyJwt);
        assert_eq!(keys.unwrap_err(), RegistrationError::Keys);
        let signed = registration(|r| {
            r.backchannel_authentication_request_signing_alg = Some(SigningAlg::Es256);
        });
        assert_eq!(signed.unwrap_err(), RegistrationError::Signing);
    }

    // proves G8
    #[test]
    fn an_address_is_https_or_loopback_and_compared_sign_for_sign() {
        for good in ["https://a.dk/cb?x=1", "http://127.0.0.1:8080/cb", "http://localhost/"] {
            assert!(registration(|r| r.redirect_uris = vec![good.to_owned()]).is_ok(), "{good}");
        }
        for bad in [
            "http://a.dk/cb",
            "https://",
            "https://a.dk/cb#x",
            "https://user@a.dk/",
            "https://a.dk/c b",
            "javascript://a",
            "http://127.0.0.1.a.dk/",
            "",
        ] {
            let refused = registration(|r| r.redirect_uris = vec![bad.to_owned()]);
            assert!(matches!(refused, Err(RegistrationError::Uri { .. })), "{bad}");
        }
        let netbank = registration(|_| {}).unwrap();
        assert!(netbank.redirects_to("https://netbank.invalid/cb").is_ok());
        for other in [
            "https://netbank.invalid/cb/",
            "https://netbank.invalid/CB",
            "https://netbank.invalid/cb?x",
            "",
        ] {
            assert!(netbank.redirects_to(other).is_err(), "{other}");
        }
    }

    #[test]
    fn it_gets_the_scopes_that_it_may_ask_for() {
        let netbank = registration(|_| {}).unwrap();
        assert_eq!(netbank.scopes("openid mitid email").unwrap(), [Scope::OpenId, Scope::MitId]);
        for bad in ["", "mitid", "openid ssn"] {
            assert!(matches!(netbank.scopes(bad), Err(OauthError::InvalidScope)), "{bad}");
        }
    }
}
