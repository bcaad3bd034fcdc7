//! My page as a relying party of our own provider: its request is pushed, approved in the app, and its code
//! exchanged as anybody's are, in this process. Nobody outside can be it: it has no key and no secret, and its
//! identifier is one that no registration can have.

use super::super::{App, AppError};
use super::client::{Client, active};
use super::late;
use crate::ids::LogInId;
use crate::oidc::client::ClientAuth;
use crate::oidc::idp_params::Action;
use crate::oidc::{Approval, Level, LogIn, Params, RelyingParty, Scope, Sector, Why};
use crate::storage::{LogInRow, Opens, Tx};
use enroll_core::reason::ReasonCode;
use serde_json::json;
use time::OffsetDateTime;

/// Its identifier: a registration has no `_`.
const CLIENT_ID: &str = "my_page";
/// Its name, as people read it before they approve.
const NAME: &str = "Min side";
/// Where its answers go.
const BACK: &str = "/my/back";

/// What a person is asked to approve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To log in.
    LogIn,
    /// To do something that needs a fresh approval.
    StepUp,
}

/// A log-in that begins.
pub struct Begun {
    /// Where the browser goes.
    pub address: String,
    /// What it keeps until it comes back: `STATE.VERIFIER`.
    pub kept: String,
}

impl std::fmt::Debug for Begun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Begun(…)")
    }
}

/// A log-in that a person has approved, as a session.
#[derive(Debug)]
pub(in crate::app) struct Opened {
    pub(in crate::app) id: LogInId,
    pub(in crate::app) approval: Approval,
    pub(in crate::app) until: OffsetDateTime,
}

impl App {
    /// The relying party that My page is, reached at `issuer`.
    async fn first_party(&self, issuer: &str) -> Result<Client, AppError> {
        let party = RelyingParty {
            client_id: CLIENT_ID.to_owned(),
            name: NAME.to_owned(),
            organisation: self.server.name.clone(),
            sector: Sector::Public,
            redirect_uris: vec![format!("{issuer}{BACK}")],
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            auth: ClientAuth::PrivateKeyJwt { jwks: json!({ "keys": [] }) },
            scopes: vec![Scope::OpenId],
            ciba: false,
            dpop_bound_access_tokens: false,
            backchannel_authentication_request_signing_alg: None,
        };
        let mut tx = self.parts.store.read().await?;
        if tx.relying_party(CLIENT_ID).await?.is_none() {
            drop(tx);
            tx = self.parts.store.begin().await?;
            tx.add_relying_party(&party, self.now()).await?;
            tx.commit().await?;
        }
        Ok(Client { party, key: None })
    }

    /// Begins a log-in at My page.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn begin_my_page(&self, issuer: &str, purpose: Purpose) -> Result<Begun, AppError> {
        let client = self.first_party(issuer).await?;
        let (state, _) = self.token()?;
        let (verifier, hash) = self.token()?;
        let challenge = crate::keys::base64url(&hash);
        let back = format!("{issuer}{BACK}");
        let (action, text) = match purpose {
            Purpose::LogIn => (Action::LogOn, "Log ind på Min side · Log in to My page"),
            Purpose::StepUp => {
                (Action::Confirm, "Bekræft en ændring på Min side · Confirm a change on My page")
            }
        };
        let text = openssl::base64::encode_block(text.as_bytes());
        let shown = json!({ "mitid": { "action_text": action, "reference_text": text } });
        let (shown, level) = (shown.to_string(), Level::Substantial.uri());
        let form = encoded(&[
            ("client_id", CLIENT_ID),
            ("response_type", "code"),
            ("redirect_uri", &back),
            ("scope", "openid"),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("acr_values", &level),
            ("idp_params", &shown),
        ]);
        let params = Params::read(form.as_bytes()).map_err(late)?;
        let pushed = self.push(&client, &params, issuer.to_owned()).await.map_err(late)?;
        let query = encoded(&[("client_id", CLIENT_ID), ("request_uri", &pushed.request_uri)]);
        let address = format!("/oidc/authorize?{query}");
        Ok(Begun { address, kept: format!("{state}.{verifier}") })
    }

    /// The browser comes back with a code: it is exchanged as by any relying party. `kept` is what it was
    /// given when it began; what it brings must be the answer to that (RFC 9207, RFC 9700 §2.1).
    ///
    /// # Errors
    /// `log_in.late`.
    pub(in crate::app) async fn open_my_page(
        &self,
        issuer: &str,
        params: &Params,
        kept: &str,
    ) -> Result<Opened, AppError> {
        let late_answer = || AppError::Reason(ReasonCode::LOG_IN_LATE);
        let (state, verifier) = kept.split_once('.').ok_or_else(late_answer)?;
        let given = params.get("state").unwrap_or_default();
        let same = given.len() == state.len()
            && openssl::memcmp::eq(given.as_bytes(), state.as_bytes())
            && params.get("iss") == Some(issuer);
        let code = params.get("code").filter(|_| same).ok_or_else(late_answer)?;
        let client = self.first_party(issuer).await?;
        let back = format!("{issuer}{BACK}");
        let form = zeroize::Zeroizing::new(encoded(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &back),
            ("code_verifier", verifier),
        ]));
        let params = Params::read(form.as_bytes()).map_err(late)?;
        let tokens = self.grant(&client, &params).await.map_err(late)?;
        let hash = openssl::sha::sha256(tokens.access_token.as_bytes());
        let mut tx = self.parts.store.begin().await?;
        let row = tx.find_log_in(Opens::Token, &hash).await?.ok_or_else(late_answer)?;
        // Nothing here uses it, and nobody else has it.
        tx.close_log_in(row.id, Opens::Token, &hash).await?;
        tx.commit().await?;
        match row.state {
            LogIn::Granted { approval, .. } => {
                Ok(Opened { id: row.id, approval, until: row.expires })
            }
            _ => Err(late_answer()),
        }
    }

    /// Whether a log-in of My page is a session now.
    pub(in crate::app) async fn is_my_session(
        &self,
        tx: &mut Tx,
        id: LogInId,
    ) -> Result<bool, AppError> {
        let row = tx.seen_log_in(id).await?;
        let is_open =
            |row: LogInRow| matches!(row.state, LogIn::Granted { .. }) && row.expires >= self.now();
        let granted = row.is_some_and(is_open);
        Ok(granted && active(tx, CLIENT_ID).await.is_ok())
    }

    /// Ends the session of a log-in of My page: the person has left.
    pub(in crate::app) async fn end_my_log_in(
        &self,
        tx: &mut Tx,
        id: LogInId,
    ) -> Result<(), AppError> {
        let Some(row) = tx.hold_log_in(id).await? else { return Ok(()) };
        let state = row.state.clone().end(Why::LoggedOut, self.now());
        tx.save_log_in(&LogInRow { state, ..row }).await?;
        Ok(tx.audit(self.of_log_in("log_in.logged_out", id, json!({}))).await?)
    }
}

/// `application/x-www-form-urlencoded`.
fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
