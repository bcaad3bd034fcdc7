//! What a relying party asks for, as it is kept while the log-in lives.

use super::dpop::Thumbprint;
use super::idp_params::{self, Action, IdpParams};
use super::pkce::CodeChallenge;
use super::{Level, OauthError, Params, RelyingParty, Scope};
use serde::{Deserialize, Serialize};

/// Longest `state`, `nonce` and the like, bytes.
const LONGEST: usize = 1024;

/// One request. May hold personal data (the text): `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// As whom we answer.
    pub issuer: String,
    /// Where the answer goes.
    pub to: To,
    /// What is asked for, of what the relying party may ask for.
    pub scopes: Vec<Scope>,
    /// Binds the ID token to the relying party's own session.
    pub nonce: Option<String>,
    /// The least level.
    pub level: Level,
    /// What the person is asked to do.
    pub action: Action,
    /// In the relying party's words (G3).
    pub text: Option<String>,
}

/// Where an answer goes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum To {
    /// Back in the browser, by a code (OpenID Connect Core §3.1).
    Browser {
        /// One of the addresses that are registered.
        redirect_uri: String,
        /// Comes back as it is.
        state: Option<String>,
        /// What the code can be used with (RFC 7636).
        challenge: CodeChallenge,
        /// `prompt=none`: nobody may be asked.
        silent: bool,
        /// The language asked for: `da` or `en`.
        language: Option<String>,
        /// The key that the code can be used with (RFC 9449 §10).
        #[serde(default)]
        key: Option<Thumbprint>,
    },
    /// At the token endpoint, when it is asked (CIBA §10.1).
    Poll,
}

impl std::fmt::Debug for To {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Poll) { "To::Poll" } else { "To::Browser" })
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({:?}, {:?})", self.scopes, self.level)
    }
}

fn short(text: Option<&str>, long: &'static str) -> Result<Option<String>, OauthError> {
    match text {
        Some(text) if text.len() > LONGEST => Err(OauthError::InvalidRequest(long)),
        text => Ok(text.map(str::to_owned)),
    }
}

impl Request {
    /// Reads a pushed authorization request (RFC 9126 §2.1; OpenID Connect Core §3.1.2.1).
    ///
    /// # Errors
    /// [`OauthError`] as the standards name them.
    pub fn pushed(
        params: &Params,
        client: &RelyingParty,
        issuer: String,
    ) -> Result<Self, OauthError> {
        if params.get("request").is_some() {
            return Err(OauthError::RequestNotSupported);
        }
        if params.get("request_uri").is_some() {
            return Err(OauthError::InvalidRequest(
                "request_uri is not pushed (RFC 9126 section 2.1)",
            ));
        }
        let redirect_uri = params.need("redirect_uri", "redirect_uri is required")?;
        client.redirects_to(redirect_uri)?;
        if params.get("response_type") != Some("code") {
            return Err(OauthError::UnsupportedResponseType);
        }
        if !matches!(params.get("response_mode"), None | Some("query")) {
            return Err(OauthError::InvalidRequest("response_mode must be query"));
        }
        let method = params.get("code_challenge_method");
        let challenge = CodeChallenge::read(params.get("code_challenge"), method)?;
        let silent = silent(params.get("prompt"))?;
        let max_age = params.get("max_age").map(str::parse::<u32>);
        // A log-in is always one of now: there is none before it that could be too old.
        if max_age.is_some_and(|parsed| parsed.is_err()) {
            return Err(OauthError::InvalidRequest("max_age is no number of seconds"));
        }
        let language = params.get("ui_locales").unwrap_or_default().split(' ');
        let mut language = language.filter_map(|tag| tag.get(..2)).map(str::to_ascii_lowercase);
        let to = To::Browser {
            redirect_uri: redirect_uri.to_owned(),
            state: short(params.get("state"), "state is too long")?,
            challenge,
            silent,
            language: language.find(|tag| tag == "da" || tag == "en"),
            key: params.get("dpop_jkt").map(Thumbprint::read).transpose()?,
        };
        Self::read(params, client, (issuer, to))
    }

    /// The same, whose code can be used with `proved` alone, the key of the request's own proof, if it has one
    /// (RFC 9449 §10.1).
    ///
    /// # Errors
    /// [`OauthError::InvalidRequest`] if `dpop_jkt` names another one.
    pub fn bound_to(mut self, proved: Option<&Thumbprint>) -> Result<Self, OauthError> {
        if let (To::Browser { key, .. }, Some(proved)) = (&mut self.to, proved) {
            if key.as_ref().is_some_and(|key| key != proved) {
                return Err(OauthError::InvalidRequest("dpop_jkt is not the key of the proof"));
            }
            *key = Some(proved.clone());
        }
        Ok(self)
    }

    /// Reads a request of a log-in that the relying party begins (CIBA §7.1). The text for the person is
    /// required: it is all that tells them what they approve.
    ///
    /// # Errors
    /// [`OauthError`] as the standard names them.
    pub fn backchannel(
        params: &Params,
        client: &RelyingParty,
        issuer: String,
    ) -> Result<Self, OauthError> {
        if params.get("request_uri").is_some() {
            return Err(OauthError::InvalidRequest("request_uri is not taken here"));
        }
        let text = params.get("binding_message").and_then(idp_params::shown);
        let text = text.ok_or(OauthError::InvalidBindingMessage)?;
        let read = Self::read(params, client, (issuer, To::Poll))?;
        Ok(Self { text: Some(text), ..read })
    }

    fn read(
        params: &Params,
        client: &RelyingParty,
        (issuer, to): (String, To),
    ) -> Result<Self, OauthError> {
        let scopes = client.scopes(params.get("scope").unwrap_or_default())?;
        let idp = IdpParams::read(params.get("idp_params"))?;
        let asked = params.get("acr_values").and_then(Level::asked);
        Ok(Self {
            issuer,
            to,
            scopes,
            nonce: short(params.get("nonce"), "nonce is too long")?,
            level: asked.max(idp.level).unwrap_or(Level::Low),
            action: idp.action,
            text: idp.text,
        })
    }
}

/// `prompt` (OpenID Connect Core §3.1.2.1): every log-in asks the person, so that only `none` changes
/// anything.
fn silent(prompt: Option<&str>) -> Result<bool, OauthError> {
    let words: Vec<&str> =
        prompt.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
    match words.as_slice() {
        ["none"] => Ok(true),
        words if words.iter().all(|word| ["login", "consent", "select_account"].contains(word)) => {
            Ok(false)
        }
        _ => Err(OauthError::InvalidRequest("prompt is unknown, or none beside another")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::client::{ClientAuth, Sector};

    fn netbank() -> RelyingParty {
        RelyingParty {
            client_id: "netbank".to_owned(),
            name: "Netbanken".to_owned(),
            organisation: "Banken A/S".to_owned(),
            sector: Sector::Private,
            redirect_uris: vec!["https://netbank.invalid/cb".to_owned()],
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            auth: ClientAuth::ClientSecretPost { secret_sha256: String::new() },
            scopes: vec![Scope::OpenId],
            ciba: true,
            dpop_bound_access_tokens: false,
            backchannel_authentication_request_signing_alg: None,
        }
    }

    const GOOD: &str = "redirect_uri=https://netbank.invalid/cb&response_type=code&scope=openid\
        &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

    fn read(more: &str) -> Result<Request, OauthError> {
        let params = Params::read(format!("{GOOD}{more}").as_bytes())?;
        Request::pushed(&params, &netbank(), "https://i".to_owned())
    }

    #[test]
    fn a_request_is_read_with_what_it_asks_for() {
        let high = Level::High.uri();
        let found = read(&format!("&acr_values={high}&nonce=n&state=s&max_age=0&ui_locales=en-GB"))
            .unwrap();
        assert_eq!((found.level, found.nonce.as_deref()), (Level::High, Some("n")));
        let To::Browser { state, silent, language, .. } = found.to else { panic!("a browser's") };
        assert_eq!((state.as_deref(), silent, language.as_deref()), (Some("s"), false, Some("en")));
        assert_eq!(read("").unwrap().level, Level::Low);
        let To::Browser { silent, .. } = read("&prompt=none").unwrap().to else {
            panic!("a browser's")
        };
        assert!(silent);
    }

    // proves G8
    #[test]
    fn what_is_not_taken_is_refused() {
        for (more, code) in [
            ("&request=x", "request_not_supported"),
            ("&request_uri=x", "invalid_request"),
            ("&response_mode=fragment", "invalid_request"),
            ("&prompt=none login", "invalid_request"),
            ("&prompt=create", "invalid_request"),
            ("&max_age=-1", "invalid_request"),
            ("&dpop_jkt=x", "invalid_request"),
            ("&redirect_uri=https://netbank.invalid/cb", "invalid_request"),
            (&format!("&state={}", "a".repeat(1025)), "invalid_request"),
        ] {
            assert_eq!(read(more).unwrap_err().code(), code, "{more}");
        }
        let params = Params::read(GOOD.replace("=code&", "=token&").as_bytes()).unwrap();
        let refused = Request::pushed(&params, &netbank(), String::new()).unwrap_err();
        assert_eq!(refused.code(), "unsupported_response_type");
    }

    #[test]
    fn a_relying_party_says_what_it_begins() {
        for (message, code) in [("", "invalid_binding_message"), ("%0A", "invalid_binding_message")]
        {
            let text = format!("scope=openid&binding_message={message}");
            let params = Params::read(text.as_bytes()).unwrap();
            let refused = Request::backchannel(&params, &netbank(), String::new()).unwrap_err();
            assert_eq!(refused.code(), code);
        }
        let params = Params::read(b"scope=openid&binding_message=W4SCT").unwrap();
        let found = Request::backchannel(&params, &netbank(), String::new()).unwrap();
        assert_eq!((found.text.as_deref(), found.to), (Some("W4SCT"), To::Poll));
    }
}
