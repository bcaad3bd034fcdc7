//! What a relying party sends to the service, beside the browser: the pushed request (RFC 9126), the code
//! (RFC 6749 §4.1.3), userinfo, and the keys. The endpoints are those of the metadata (OpenID Connect
//! Discovery 1.0 §4), read anew each time.

use super::token::{self, Asked, TokenError};
use crate::clock::{EntropyError, SystemEntropy, random};
use crate::keys::base64url;
use crate::oidc::{Level, Scope};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const LONGEST: u64 = 64 * 1024;

/// Why a log-in does not go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum ExchangeError {
    #[error("the service does not answer")]
    Silent(#[source] Box<ureq::Error>),
    #[error("the service refused with {error}")]
    Refused { error: String },
    #[error("the answer lacks {field}")]
    Answer { field: &'static str },
    #[error("the metadata are of another issuer")]
    Issuer,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    #[error("the work was broken off")]
    BrokeOff(#[from] tokio::task::JoinError),
}

/// The service, as one relying party uses it.
#[derive(Clone)]
pub(super) struct Provider(Arc<Inner>);

struct Inner {
    issuer: String,
    client_id: &'static str,
    /// What follows `Basic` (RFC 6749 §2.3.1).
    basic: String,
    agent: ureq::Agent,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Provider({}, {})", self.0.issuer, self.0.client_id)
    }
}

/// What is asked for in a log-in.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) redirect_uri: String,
    pub(super) scopes: &'static [Scope],
    pub(super) reference: &'static str,
    pub(super) level: Level,
    pub(super) language: &'static str,
}

/// A log-in that was begun: what the answer has to fit.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) state: String,
    verifier: String,
    nonce: String,
    wanted: Wanted,
}

/// An approval that waits in the person's app.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    auth_req_id: String,
    nonce: String,
    /// Whose: as the organisation knows them.
    subject: String,
    /// When it may be asked for again, and how long after that (§7.3, §11).
    next: OffsetDateTime,
    interval: Duration,
}

/// What has come of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Nothing yet.
    Waits(Waiting),
    Approved,
    /// Refused, late, or stopped.
    Not,
}

#[cfg(test)]
impl Begun {
    /// One with `state`.
    pub(super) fn of_test(state: &str) -> Self {
        let [verifier, nonce, redirect_uri] = ["verifier", "nonce", "cb"].map(str::to_owned);
        let wanted = Wanted {
            redirect_uri,
            scopes: &[],
            reference: "",
            level: Level::Substantial,
            language: "da",
        };
        Self { state: state.to_owned(), verifier, nonce, wanted }
    }
}

impl Begun {
    /// The language in which it was begun.
    pub(super) fn language(&self) -> &'static str {
        self.wanted.language
    }
}

/// Who has logged in.
pub(super) struct LoggedIn {
    /// Of the ID token.
    pub(super) claims: Value,
    /// Of userinfo.
    pub(super) person: Value,
    pub(super) id_token: String,
}

fn fresh() -> Result<String, EntropyError> {
    Ok(base64url(&random::<32>(&SystemEntropy)?))
}

impl Provider {
    pub(super) fn new(issuer: &str, client_id: &'static str, secret: String) -> Self {
        // Identifier and secret are of letters, digits, `-` and `_`: nothing to escape.
        let basic = openssl::base64::encode_block(format!("{client_id}:{secret}").as_bytes());
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build()
            .into();
        Self(Arc::new(Inner { issuer: issuer.to_owned(), client_id, basic, agent }))
    }

    pub(super) fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Pushes a request: where to send the browser, and what the answer has to fit.
    pub(super) async fn begin(&self, wanted: Wanted) -> Result<(String, Begun), ExchangeError> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.begin(wanted)).await?
    }

    /// Turns the code of an answer into who has logged in.
    pub(super) async fn finish(
        &self,
        code: String,
        begun: Begun,
        now: OffsetDateTime,
    ) -> Result<LoggedIn, ExchangeError> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.finish(&code, &begun, now)).await?
    }

    /// Begins an approval in the app of `subject`, who has logged in before (CIBA Core 1.0 §7.1).
    pub(super) async fn ask(
        &self,
        subject: String,
        message: &'static str,
        now: OffsetDateTime,
    ) -> Result<Waiting, ExchangeError> {
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.ask(subject, message, now)).await?
    }

    /// What has come of an approval so far (§10.1).
    pub(super) async fn poll(
        &self,
        waiting: Waiting,
        now: OffsetDateTime,
    ) -> Result<Outcome, ExchangeError> {
        if now < waiting.next {
            return Ok(Outcome::Waits(waiting));
        }
        let inner = self.0.clone();
        tokio::task::spawn_blocking(move || inner.poll(waiting, now)).await?
    }

    /// The session that a logout token ends (Back-Channel Logout 1.0 §2.6).
    pub(super) async fn logged_out(
        &self,
        token: String,
        now: OffsetDateTime,
    ) -> Result<String, ExchangeError> {
        let inner = self.0.clone();
        let read = move || {
            let jwks = inner.keys(&inner.metadata()?)?;
            Ok(token::logged_out(&token, &jwks, (&inner.issuer, inner.client_id), now)?)
        };
        tokio::task::spawn_blocking(read).await?
    }

    /// Where a person is sent to log out (RP-Initiated Logout 1.0 §2).
    pub(super) fn logout(&self, id_token: &str, (back, state): (&str, &str)) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("id_token_hint", id_token);
        query.append_pair("post_logout_redirect_uri", back).append_pair("state", state);
        format!("{}/oidc/logout?{}", self.0.issuer, query.finish())
    }
}

impl Inner {
    fn metadata(&self) -> Result<Value, ExchangeError> {
        let found = self.get(&format!("{}/.well-known/openid-configuration", self.issuer), None)?;
        // §4.3: that it is the one that was asked.
        if text(&found, "issuer")? == self.issuer { Ok(found) } else { Err(ExchangeError::Issuer) }
    }

    fn keys(&self, metadata: &Value) -> Result<Value, ExchangeError> {
        self.get(text(metadata, "jwks_uri")?, None)
    }

    fn begin(&self, wanted: Wanted) -> Result<(String, Begun), ExchangeError> {
        let metadata = self.metadata()?;
        let (state, nonce, verifier) = (fresh()?, fresh()?, fresh()?);
        let challenge = base64url(&openssl::sha::sha256(verifier.as_bytes()));
        let reference = openssl::base64::encode_block(wanted.reference.as_bytes());
        let shown = json!({ "mitid": { "reference_text": reference } }).to_string();
        let (scope, acr) = (Scope::write(wanted.scopes), wanted.level.uri());
        let request = [
            ("client_id", self.client_id),
            ("response_type", "code"),
            ("redirect_uri", &wanted.redirect_uri),
            ("scope", &scope),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("acr_values", &acr),
            ("idp_params", &shown),
            ("ui_locales", wanted.language),
        ];
        let pushed =
            self.post(text(&metadata, "pushed_authorization_request_endpoint")?, &request)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", self.client_id);
        query.append_pair("request_uri", text(&pushed, "request_uri")?);
        let address = format!("{}?{}", text(&metadata, "authorization_endpoint")?, query.finish());
        Ok((address, Begun { state, verifier, nonce, wanted }))
    }

    fn finish(
        &self,
        code: &str,
        begun: &Begun,
        now: OffsetDateTime,
    ) -> Result<LoggedIn, ExchangeError> {
        let metadata = self.metadata()?;
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &begun.wanted.redirect_uri),
            ("code_verifier", &begun.verifier),
        ];
        let tokens = self.post(text(&metadata, "token_endpoint")?, &grant)?;
        let id_token = text(&tokens, "id_token")?.to_owned();
        let asked = Asked {
            issuer: &self.issuer,
            client_id: self.client_id,
            nonce: &begun.nonce,
            level: begun.wanted.level,
        };
        let claims = token::logged_in(&id_token, &self.keys(&metadata)?, &asked, now)?;
        let access = text(&tokens, "access_token")?;
        let person = self.get(text(&metadata, "userinfo_endpoint")?, Some(access))?;
        // OpenID Connect Core §5.3.2: claims of another subject are nobody's.
        if person.get("sub") != claims.get("sub") {
            return Err(TokenError::Claim { name: "sub" }.into());
        }
        Ok(LoggedIn { claims, person, id_token })
    }

    fn ask(
        &self,
        subject: String,
        message: &str,
        now: OffsetDateTime,
    ) -> Result<Waiting, ExchangeError> {
        let metadata = self.metadata()?;
        let nonce = fresh()?;
        let shown = json!({ "mitid": { "action_text": "APPROVE" } }).to_string();
        let request = [
            ("scope", "openid"),
            ("login_hint", &subject),
            ("binding_message", message),
            ("acr_values", &Level::Substantial.uri()),
            ("idp_params", &shown),
            ("nonce", &nonce),
        ];
        let asked = self.post(text(&metadata, "backchannel_authentication_endpoint")?, &request)?;
        let auth_req_id = text(&asked, "auth_req_id")?.to_owned();
        // Five seconds where the answer has none (§7.3).
        let interval = asked.get("interval").and_then(Value::as_u64).unwrap_or(5);
        let interval = Duration::from_secs(interval.min(60));
        Ok(Waiting { auth_req_id, nonce, subject, next: now + interval, interval })
    }

    fn poll(&self, waiting: Waiting, now: OffsetDateTime) -> Result<Outcome, ExchangeError> {
        let metadata = self.metadata()?;
        let grant = [
            ("grant_type", "urn:openid:params:grant-type:ciba"),
            ("auth_req_id", &waiting.auth_req_id),
        ];
        let tokens = match self.post(text(&metadata, "token_endpoint")?, &grant) {
            Ok(tokens) => tokens,
            Err(ExchangeError::Refused { error }) => {
                let longer = match error.as_str() {
                    "authorization_pending" => 0,
                    "slow_down" => 5,
                    _ => return Ok(Outcome::Not),
                };
                let interval = waiting.interval + Duration::from_secs(longer);
                return Ok(Outcome::Waits(Waiting { interval, next: now + interval, ..waiting }));
            }
            Err(error) => return Err(error),
        };
        let asked = Asked {
            issuer: &self.issuer,
            client_id: self.client_id,
            nonce: &waiting.nonce,
            level: Level::Substantial,
        };
        let id_token = text(&tokens, "id_token")?;
        let claims = token::logged_in(id_token, &self.keys(&metadata)?, &asked, now)?;
        let is_theirs = text(&claims, "sub")? == waiting.subject;
        Ok(if is_theirs { Outcome::Approved } else { Outcome::Not })
    }

    fn get(&self, url: &str, bearer: Option<&str>) -> Result<Value, ExchangeError> {
        let mut request = self.agent.get(url);
        if let Some(token) = bearer {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        answer(request.call())
    }

    fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<Value, ExchangeError> {
        let request = self.agent.post(url).header("authorization", format!("Basic {}", self.basic));
        answer(request.send_form(form.iter().copied()))
    }
}

fn answer(
    answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Value, ExchangeError> {
    let silent = |error| ExchangeError::Silent(Box::new(error));
    let mut answer = answer.map_err(silent)?;
    let body: Value = answer.body_mut().with_config().limit(LONGEST).read_json().map_err(silent)?;
    if answer.status().is_success() {
        return Ok(body);
    }
    let name = body.get("error").or(body.get("code")).and_then(Value::as_str);
    Err(ExchangeError::Refused { error: name.unwrap_or("without a reason").to_owned() })
}

fn text<'a>(answer: &'a Value, field: &'static str) -> Result<&'a str, ExchangeError> {
    answer.get(field).and_then(Value::as_str).ok_or(ExchangeError::Answer { field })
}
