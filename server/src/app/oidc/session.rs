//! What a session's access token opens: userinfo (OpenID Connect Core §5.3), introspection (RFC 7662) and
//! revocation (RFC 7009). Each asks anew whether the session still is one (F1).

use super::super::{App, blocking};
use super::client::{Client, Once, active};
use crate::clock::copenhagen_date;
use crate::ids::IdentityId;
use crate::limits::Kind;
use crate::oidc::claims::{Person, Told, userinfo};
use crate::oidc::dpop::{Carried, Proof, Thumbprint};
use crate::oidc::{Approval, LogIn, OauthError, Params, RelyingParty, Scope, Sector};
use crate::storage::{LogInRow, Opens, PersonalNumber, Tx};
use enroll_core::findings::person::PersonAnswer;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tokio::time::Instant;
use zeroize::Zeroizing;

/// A session that is one at this moment.
pub(super) struct Session {
    pub(super) row: LogInRow,
    pub(super) approval: Approval,
    pub(super) until: OffsetDateTime,
    pub(super) party: RelyingParty,
    /// The key that the token is bound to, if it is.
    pub(super) key: Option<Thumbprint>,
}

/// An access token as it came.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// The token.
    pub token: &'a str,
    /// What it has to be proved by, where it came as one that is bound to a key (RFC 9449 §7.1).
    pub bound: Option<&'a Carried>,
}

impl std::fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Presented(…, {:?})", self.bound)
    }
}

impl App {
    /// The session that an access token opens.
    ///
    /// # Errors
    /// [`OauthError::InvalidToken`].
    pub(super) async fn session(&self, tx: &mut Tx, token: &str) -> Result<Session, OauthError> {
        let session = self.session_of(tx, token).await?;
        if session.until < self.now() { Err(OauthError::InvalidToken) } else { Ok(session) }
    }

    /// The session that an access token is of, also once the token is good for nothing else.
    ///
    /// # Errors
    /// [`OauthError::InvalidToken`].
    pub(super) async fn session_of(&self, tx: &mut Tx, token: &str) -> Result<Session, OauthError> {
        let hash = openssl::sha::sha256(token.as_bytes());
        let row = tx.find_log_in(Opens::Token, &hash).await?.ok_or(OauthError::InvalidToken)?;
        let LogIn::Granted { approval, until, key, .. } = row.state.clone() else {
            return Err(OauthError::InvalidToken);
        };
        let life = tx.life(approval.identity).await?;
        if row.expires < self.now() || life.open().is_err() || life.epoch != approval.epoch {
            return Err(OauthError::InvalidToken);
        }
        let party = active(tx, &row.client_id).await.map_err(|error| match error {
            OauthError::InvalidClient => OauthError::InvalidToken,
            other => other,
        })?;
        Ok(Session { row, approval, until, party, key })
    }

    /// That a token which is bound to a key came with a proof of it, which is used up, and one that is not
    /// as a bearer's (RFC 9449 §7.1, §7.2). A proof is used up after all else of it was looked at, and the relying
    /// party's share only by who has the key.
    ///
    /// # Errors
    /// [`OauthError::InvalidToken`], [`OauthError::UnprovenToken`], or that its share is used up.
    pub(super) async fn proves(
        &self,
        given: &Presented<'_>,
        session: &Session,
    ) -> Result<(), OauthError> {
        let proof = self.proof(given, session)?;
        self.spend(Kind::Client, session.row.client_id.as_bytes(), Instant::now())?;
        let Some(proof) = proof else { return Ok(()) };
        let once = Once { known_by: proof.known_by, expires: proof.expires };
        if self.use_once(&once).await? {
            Ok(())
        } else {
            Err(OauthError::UnprovenToken("the proof was used before"))
        }
    }

    /// The proof of the key that the session's token is bound to, if it is to one.
    fn proof(&self, given: &Presented<'_>, session: &Session) -> Result<Option<Proof>, OauthError> {
        let (key, carried) = match (&session.key, given.bound) {
            (None, None) => return Ok(None),
            (Some(key), Some(carried)) => (key, carried),
            _ => return Err(OauthError::InvalidToken),
        };
        let proof = carried.proof(self.now()).map_err(|error| match error {
            OauthError::InvalidDpopProof(why) => OauthError::UnprovenToken(why),
            other => other,
        })?;
        let unproven = OauthError::UnprovenToken;
        let proof =
            proof.ok_or(unproven("the token is bound to a key: a DPoP header is required"))?;
        if proof.key != *key {
            return Err(unproven(
                "the proof is of another key than the one that the token is bound to",
            ));
        }
        if !proof.is_for(given.token) {
            return Err(unproven("ath is not the hash of the token"));
        }
        Ok(Some(proof))
    }

    /// What the relying party may know of the person.
    ///
    /// # Errors
    /// [`OauthError::InvalidToken`], [`OauthError::UnprovenToken`].
    pub async fn userinfo(&self, given: &Presented<'_>) -> Result<Map<String, Value>, OauthError> {
        let mut tx = self.parts.store.read().await?;
        let session = self.session(&mut tx, given.token).await?;
        tx.commit().await?;
        self.proves(given, &session).await?;
        let mut tx = self.parts.store.read().await?;
        let identity = session.approval.identity;
        let found = tx.identity(identity).await?.ok_or(OauthError::InvalidToken)?;
        let public =
            serde_json::from_slice(&found.record).map_err(super::super::AppError::internal)?;
        let number = tx.number(identity).await?;
        tx.commit().await?;
        let protected = match session.party.sector {
            Sector::Public => false,
            Sector::Private if named(&session.row.request.scopes) => {
                self.is_protected(identity, number.as_ref()).await?
            }
            Sector::Private => true,
        };
        // The register took its time: of what was blocked meanwhile nothing is told.
        let mut tx = self.parts.store.read().await?;
        self.session(&mut tx, given.token).await?;
        drop(tx);
        let organisation = &session.party.organisation;
        let subject = self.pairwise_subject(organisation, identity)?;
        let uuid = self.uuid_of(organisation, identity)?;
        let told = Told {
            id: session.row.id,
            client_id: &session.row.client_id,
            subject: &subject,
            request: &session.row.request,
            approval: &session.approval,
        };
        let cpr = number.as_ref().and_then(|number| number.cpr.as_deref());
        let person = Person { identity: &public, cpr, protected };
        let today = copenhagen_date(self.now());
        Ok(userinfo(&told, &person, (session.party.sector, &uuid), today))
    }

    /// Whether name and address are protected now, as the register says. What cannot be known is protected
    /// (C3).
    async fn is_protected(
        &self,
        identity: IdentityId,
        number: Option<&PersonalNumber>,
    ) -> Result<bool, OauthError> {
        let Some(number) = number else { return Ok(true) };
        let Some(cpr) = number.cpr.clone().map(Zeroizing::new) else { return Ok(number.protected) };
        let mut tx = self.parts.store.begin().await?;
        // With its purpose, before it is asked (C4).
        let data = json!({ "register": "person", "purpose": "log-in" });
        tx.audit(self.of_identity("register.asked", identity, data)).await?;
        tx.commit().await?;
        let registers = self.parts.registers.clone();
        match blocking(move || registers.person(&cpr)).await? {
            PersonAnswer::Found(person) => Ok(person.protected),
            _ => Ok(true),
        }
    }

    /// What a token is, to the client that it was given to; of any other nothing is told (RFC 7662 §2.2).
    ///
    /// # Errors
    /// [`OauthError`], but for a token that is worth nothing.
    pub async fn introspect(&self, client: &Client, params: &Params) -> Result<Value, OauthError> {
        let token = params.need("token", "token is required")?;
        let mut tx = self.parts.store.read().await?;
        let session = match self.session(&mut tx, token).await {
            Ok(session) if session.row.client_id == client.party.client_id => session,
            Ok(_) | Err(OauthError::InvalidToken) => return Ok(json!({ "active": false })),
            Err(error) => return Err(error),
        };
        let subject =
            self.pairwise_subject(&session.party.organisation, session.approval.identity)?;
        let mut told = json!({
            "active": true,
            "client_id": session.row.client_id,
            "scope": Scope::write(&session.row.request.scopes),
            "token_type": token_type(session.key.as_ref()),
            "iss": session.row.request.issuer,
            "sub": subject,
            "sid": session.row.id,
            "exp": session.until.unix_timestamp(),
            "auth_time": session.approval.at.unix_timestamp(),
        });
        // RFC 9449 §6.2.
        if let (Some(key), Value::Object(told)) = (&session.key, &mut told) {
            told.insert("cnf".to_owned(), json!({ "jkt": key }));
        }
        Ok(told)
    }

    /// Ends a token, for the client that it was given to; any other is as good as revoked (RFC 7009 §2.2).
    /// The session stays, so that its client is told of a block (F1): it is ended by logging out.
    ///
    /// # Errors
    /// [`OauthError`].
    pub async fn revoke(&self, client: &Client, params: &Params) -> Result<(), OauthError> {
        let token = params.need("token", "token is required")?;
        let hash = openssl::sha::sha256(token.as_bytes());
        let mut tx = self.parts.store.begin().await?;
        let Some(found) = tx.find_log_in(Opens::Token, &hash).await? else { return Ok(()) };
        if found.client_id != client.party.client_id {
            return Ok(());
        }
        tx.close_log_in(found.id, Opens::Token, &hash).await?;
        tx.audit(self.of_log_in("log_in.revoked", found.id, json!({}))).await?;
        Ok(tx.commit().await?)
    }
}

/// How a token is presented that is bound to `key`, or to none (RFC 6750 §2, RFC 9449 §5).
pub(super) fn token_type(key: Option<&Thumbprint>) -> &'static str {
    if key.is_some() { "DPoP" } else { "Bearer" }
}

/// Whether a name is asked for.
fn named(scopes: &[Scope]) -> bool {
    scopes.iter().any(|scope| matches!(scope, Scope::MitId | Scope::SsnName))
}
