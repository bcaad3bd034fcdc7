//! The token endpoint (RFC 6749 §4.1.3; CIBA §10.1): an approval becomes a session with one ID token and one
//! access token. There are no refresh tokens: who wants to know again asks the person again.

use super::super::App;
use super::client::Client;
use super::session::token_type;
use crate::oidc::claims::Told;
use crate::oidc::log_in::Poll;
use crate::oidc::request::To;
use crate::oidc::{Approval, LogIn, OauthError, Params, Scope, Why};
use crate::storage::{LogInRow, Opens, Tx};
use enroll_core::identity::Signer;
use serde::Serialize;
use serde_json::json;

/// Tokens (RFC 6749 §5.1; OpenID Connect Core §3.1.3.3).
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenAnswer {
    /// For userinfo and the comparison of personal numbers.
    pub access_token: String,
    /// `Bearer`, or `DPoP` for one that is bound to the key that the request proved.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds for which it is good.
    pub expires_in: u32,
    /// What was granted.
    #[schema(example = "openid mitid")]
    pub scope: String,
    /// Who has logged in: a JWS in compact form, ES256.
    pub id_token: String,
    /// With the scope `transaction_token`: what was approved, signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_token: Option<String>,
}

impl std::fmt::Debug for TokenAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TokenAnswer({})", self.scope)
    }
}

/// The grant of CIBA.
pub(crate) const CIBA: &str = "urn:openid:params:grant-type:ciba";

fn refused(why: &'static str) -> OauthError {
    OauthError::InvalidGrant(why)
}

impl App {
    /// Gives tokens for a code, or for a log-in that the relying party began and the person has approved.
    ///
    /// # Errors
    /// [`OauthError`] as the standards name them.
    pub async fn grant(&self, client: &Client, params: &Params) -> Result<TokenAnswer, OauthError> {
        if client.party.dpop_bound_access_tokens && client.key.is_none() {
            return Err(OauthError::InvalidDpopProof("this client's tokens are bound to a key"));
        }
        match params.need("grant_type", "grant_type is required")? {
            "authorization_code" => self.by_code(client, params).await,
            CIBA if client.party.ciba => self.by_poll(client, params).await,
            CIBA => Err(OauthError::UnauthorizedClient("this client may not use CIBA")),
            _ => Err(OauthError::UnsupportedGrantType),
        }
    }

    /// By a code, once: a second use ends what came of the first (RFC 6749 §4.1.2, RFC 9700 §2.1.1).
    async fn by_code(&self, client: &Client, params: &Params) -> Result<TokenAnswer, OauthError> {
        let code = params.need("code", "code is required")?;
        let verifier = params.get("code_verifier").unwrap_or_default();
        let redirected = params.get("redirect_uri").unwrap_or_default();
        let (mut tx, row) = self.hold_opened(client, Opens::Code, code).await?;
        let To::Browser { redirect_uri, challenge, key, .. } = &row.request.to else {
            return Err(refused("the code is of no browser"));
        };
        let approval = match &row.state {
            LogIn::Coded { approval } => approval.clone(),
            LogIn::Granted { .. } => {
                self.end_one(&mut tx, row, Why::Code).await?;
                tx.commit().await?;
                return Err(refused("the code was used before: what came of it is ended"));
            }
            _ => return Err(refused("the log-in has ended")),
        };
        if row.expires < self.now() {
            return Err(refused("the code is too old"));
        }
        if redirected != redirect_uri {
            return Err(refused("redirect_uri is not the one of the request"));
        }
        if !challenge.fits(verifier) {
            // Whoever has the code and not the verifier is not who asked for it.
            self.end_one(&mut tx, row, Why::Code).await?;
            tx.commit().await?;
            return Err(refused("code_verifier does not fit: the code is dead"));
        }
        if key.as_ref().is_some_and(|key| client.key.as_ref() != Some(key)) {
            // Nor is who has not its key (RFC 9449 §10).
            self.end_one(&mut tx, row, Why::Code).await?;
            tx.commit().await?;
            return Err(refused("the code is bound to another key: it is dead"));
        }
        self.tokens(tx, client, row, approval).await
    }

    /// By polling (CIBA §10.1, §11).
    async fn by_poll(&self, client: &Client, params: &Params) -> Result<TokenAnswer, OauthError> {
        let id = params.need("auth_req_id", "auth_req_id is required")?;
        let (mut tx, mut row) = self.hold_opened(client, Opens::Request, id).await?;
        if row.request.to != To::Poll {
            return Err(refused("auth_req_id is none"));
        }
        let now = self.now();
        if row.expires < now && row.state.identity().is_some() {
            return Err(OauthError::ExpiredToken);
        }
        let early = match poll(&mut row.state) {
            Some(poll) => {
                let (next, early) = poll.again(now);
                *poll = next;
                early
            }
            None => false,
        };
        tx.save_log_in(&row).await?;
        match row.state.clone() {
            _ if early => {
                tx.commit().await?;
                Err(OauthError::SlowDown)
            }
            LogIn::Asked { .. } | LogIn::Claimed { .. } => {
                tx.commit().await?;
                Err(OauthError::AuthorizationPending)
            }
            LogIn::Approved { approval } => self.tokens(tx, client, row, approval).await,
            LogIn::Ended { why, .. } => Err(denied(why)),
            _ => Err(refused("auth_req_id was used before")),
        }
    }

    /// The log-in that a secret opens, of this client, with the profile of its person held before it.
    async fn hold_opened(
        &self,
        client: &Client,
        opens: Opens,
        secret: &str,
    ) -> Result<(Tx, LogInRow), OauthError> {
        let unknown = || refused("unknown, or another client's");
        let hash = openssl::sha::sha256(secret.as_bytes());
        let mut tx = self.parts.store.begin().await?;
        let found = tx.find_log_in(opens, &hash).await?.ok_or_else(unknown)?;
        if found.client_id != client.party.client_id {
            let data = json!({ "by": client.party.client_id });
            tx.audit(self.of_log_in("log_in.stolen", found.id, data)).await?;
            tx.commit().await?;
            return Err(unknown());
        }
        if let Some(identity) = found.state.identity() {
            tx.hold_profile(identity).await?;
        }
        let row = tx.hold_log_in(found.id).await?.ok_or_else(unknown)?;
        Ok((tx, row))
    }

    async fn tokens(
        &self,
        mut tx: Tx,
        client: &Client,
        row: LogInRow,
        approval: Approval,
    ) -> Result<TokenAnswer, OauthError> {
        let life = tx.life(approval.identity).await?;
        if life.open().is_err() || life.epoch != approval.epoch {
            return Err(refused("something of the identity was blocked"));
        }
        let (organisation, now) = (&client.party.organisation, self.now());
        let subject = self.pairwise_subject(organisation, approval.identity)?;
        let (access_token, hash) = self.token()?;
        let told = Told {
            id: row.id,
            client_id: &client.party.client_id,
            subject: &subject,
            request: &row.request,
            approval: &approval,
        };
        let expires = self.in_seconds(self.oidc.session_s);
        let id_token = self.parts.keys.sign("JWT", &told.id_token(now, expires))?;
        let wanted = row.request.scopes.contains(&Scope::TransactionToken);
        let sign = || self.parts.keys.sign("transaction+jwt", &told.transaction());
        let transaction_token = wanted.then(sign).transpose()?;
        let scope = Scope::write(&row.request.scopes);
        let data = json!({ "client_id": row.client_id, "loa": told.loa(), "scope": scope, "log_in": row.id });
        let until = self.in_seconds(self.oidc.access_s);
        let key = client.key.clone();
        let token_type = token_type(key.as_ref());
        let state = LogIn::Granted { approval: approval.clone(), until, numbers: 0, key };
        tx.save_log_in(&LogInRow { state, expires, ..row.clone() }).await?;
        tx.opens_log_in(row.id, Opens::Token, &hash).await?;
        tx.put_subject((organisation, &subject), approval.identity).await?;
        tx.audit(self.of_identity("log_in.granted", approval.identity, data)).await?;
        tx.commit().await?;
        let expires_in = self.oidc.access_s;
        Ok(TokenAnswer { access_token, token_type, expires_in, scope, id_token, transaction_token })
    }
}

fn denied(why: Why) -> OauthError {
    match why {
        Why::Level => OauthError::UnmetAuthenticationRequirements,
        Why::Parallel => OauthError::AccessDenied("two log-ins of the person were under way"),
        _ => OauthError::AccessDenied("the person has refused, or the log-in was stopped"),
    }
}

/// Where the polls of a log-in are counted.
fn poll(state: &mut LogIn) -> Option<&mut Poll> {
    match state {
        LogIn::Asked { poll, .. } => Some(poll),
        LogIn::Claimed { by } => by.poll.as_mut(),
        LogIn::Approved { approval } => approval.poll.as_mut(),
        _ => None,
    }
}
