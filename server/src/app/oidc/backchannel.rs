//! A relying party begins a log-in by itself (CIBA Core 1.0, poll mode): of a person who has logged in with
//! its organisation before, and whom it names by the identifier that it got then. A user ID is no hint: what
//! somebody begins who knows that alone comes before nobody.

use super::super::App;
use super::super::activity::{Activity, What};
use super::claim::user_hash;
use super::client::{Client, Once};
use crate::ids::IdentityId;
use crate::limits::Kind;
use crate::oidc::client::ClientAuth;
use crate::oidc::log_in::Poll;
use crate::oidc::signed_request::SignedRequest;
use crate::oidc::{LogIn, OauthError, Params, Request, jose};
use crate::storage::Tx;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

/// That a log-in waits for the person (CIBA §7.3).
#[derive(Serialize, utoipa::ToSchema)]
pub struct BackchannelAnswer {
    /// To poll with.
    pub auth_req_id: String,
    /// Seconds until it is late.
    pub expires_in: u32,
    /// Seconds between two polls.
    pub interval: u32,
}

impl std::fmt::Debug for BackchannelAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BackchannelAnswer(…, {} s)", self.expires_in)
    }
}

impl App {
    /// Begins a log-in that waits in the person's app.
    ///
    /// # Errors
    /// [`OauthError`] as the standard names them.
    pub async fn begin_backchannel(
        &self,
        client: &Client,
        params: &Params,
        issuer: String,
    ) -> Result<BackchannelAnswer, OauthError> {
        if !client.party.ciba {
            return Err(OauthError::UnauthorizedClient("this client may not use CIBA"));
        }
        let signed = self.signed_request(client, params, &issuer).await?;
        let params = signed.as_ref().unwrap_or(params);
        let subject = self.hinted(client, params, &issuer)?;
        let expires_in =
            requested_expiry(params)?.map_or(self.oidc.ciba_s, |s| s.min(self.oidc.ciba_s));
        let request = Request::backchannel(params, &client.party, issuer)?;
        let mut tx = self.parts.store.begin().await?;
        let identity = tx.subject(&client.party.organisation, &subject).await?;
        let identity = identity.ok_or(OauthError::UnknownUserId)?;
        // Each one comes before the person, and stops what they have in hand.
        let pair = format!("{}\n{subject}", client.party.client_id);
        self.spend(Kind::Asked, pair.as_bytes(), Instant::now())?;
        let profile = tx.hold_profile(identity).await?;
        profile.life.open().map_err(|_| OauthError::UnknownUserId)?;
        let (token, hash) = self.token()?;
        let interval = self.oidc.ciba_interval_s;
        let state = LogIn::Asked { identity, poll: Poll { at: None, interval } };
        let mut row = self.new_log_in(client, request, state, expires_in)?;
        let user_hash = user_hash(&tx, &profile)?;
        row.user_hash = Some(user_hash.to_vec());
        tx.insert_log_in(&row, &hash, self.now()).await?;
        self.stop_parallel(&mut tx, &row, identity).await?;
        let asked = Activity::of(What::LogInAsked).at(&client.party.name);
        self.note(&mut tx, identity, asked).await?;
        self.tell_begun(&mut tx, client, (identity, &row.id.to_string())).await?;
        tx.commit().await?;
        Ok(BackchannelAnswer { auth_req_id: token, expires_in, interval })
    }

    /// What a signed request asks for (CIBA §7.1.1), if this is one; who is registered so signs each one.
    async fn signed_request(
        &self,
        client: &Client,
        params: &Params,
        issuer: &str,
    ) -> Result<Option<Params>, OauthError> {
        let party = &client.party;
        let none = Value::Null;
        let jwks = match &party.auth {
            ClientAuth::PrivateKeyJwt { jwks } => jwks,
            _ => &none,
        };
        let who = (party.client_id.as_str(), issuer);
        let Some(signed) = SignedRequest::read(params, jwks, who, self.now())? else {
            return match party.backchannel_authentication_request_signing_alg {
                Some(_) => Err(OauthError::InvalidRequest("this client signs its requests")),
                None => Ok(None),
            };
        };
        let once = Once { known_by: signed.known_by, expires: signed.expires };
        if !self.use_once(&once).await? {
            return Err(OauthError::InvalidRequest("the request was used before"));
        }
        Ok(Some(signed.params))
    }

    async fn tell_begun(
        &self,
        tx: &mut Tx,
        client: &Client,
        (identity, log_in): (IdentityId, &str),
    ) -> Result<(), OauthError> {
        let data = json!({ "client_id": client.party.client_id, "log_in": log_in });
        Ok(tx.audit(self.of_identity("log_in.begun_by_relying_party", identity, data)).await?)
    }

    /// Whom the request is of: exactly one hint (CIBA §7.1).
    fn hinted(&self, client: &Client, params: &Params, issuer: &str) -> Result<String, OauthError> {
        if params.get("login_hint_token").is_some() || params.get("user_code").is_some() {
            return Err(OauthError::InvalidRequest(
                "login_hint or id_token_hint, and no user_code",
            ));
        }
        match (params.get("login_hint"), params.get("id_token_hint")) {
            (Some(subject), None) => Ok(subject.to_owned()),
            (None, Some(token)) => {
                let claims = self.own_token(token, issuer)?;
                let text = |name: &str| claims.get(name).and_then(Value::as_str);
                if text("aud") != Some(&client.party.client_id) {
                    return Err(OauthError::InvalidRequest("id_token_hint is another client's"));
                }
                Ok(text("sub").unwrap_or_default().to_owned())
            }
            _ => Err(OauthError::InvalidRequest("exactly one hint is required")),
        }
    }

    /// The claims of an ID token that we gave, also one that is late (OpenID Connect Core §3.1.2.1).
    pub(super) fn own_token(&self, token: &str, issuer: &str) -> Result<Value, OauthError> {
        let wrong = OauthError::InvalidRequest("id_token_hint is not one of ours");
        match jose::verified(token, &self.parts.keys.jwks(), &["JWT"]) {
            Ok(claims) if claims.get("iss").and_then(Value::as_str) == Some(issuer) => Ok(claims),
            _ => Err(wrong),
        }
    }
}

/// For how many seconds the relying party wants to wait at most (CIBA §7.1).
fn requested_expiry(params: &Params) -> Result<Option<u32>, OauthError> {
    let wrong = OauthError::InvalidRequest("requested_expiry is no positive number of seconds");
    match params.get("requested_expiry").map(str::parse) {
        None => Ok(None),
        Some(Ok(seconds @ 1..)) => Ok(Some(seconds)),
        Some(_) => Err(wrong),
    }
}
