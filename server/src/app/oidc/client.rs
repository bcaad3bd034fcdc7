//! How a relying party proves who it is (OpenID Connect Core §9): as it is registered, and in no other way.

use super::super::App;
use crate::limits::Kind;
use crate::oidc::client::ClientAuth;
use crate::oidc::dpop::{Carried, Thumbprint};
use crate::oidc::{OauthError, Params, RelyingParty, jose};
use crate::storage::Tx;
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

/// A relying party that has proved who it is.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) party: RelyingParty,
    /// The key that it has proved beside (RFC 9449 §5), if it has.
    pub(super) key: Option<Thumbprint>,
}

/// What a relying party signed for one use.
pub(super) struct Once {
    /// What it is known again by, SHA-256.
    pub(super) known_by: [u8; 32],
    /// When it is late.
    pub(super) expires: OffsetDateTime,
}

/// Whom a client's assertion may name as its audience: what a client was led to sign for another server is good
/// nowhere.
#[derive(Debug, Clone, Copy)]
pub enum Audience<'a> {
    /// This issuer alone, as one string (FAPI 2.0 Security Profile §5.3.2.1).
    Issuer(&'a str),
    /// This issuer, its token endpoint or its backchannel authentication endpoint, as one string: CIBA Core §7.1
    /// has a provider take all three where a log-in is begun by the relying party.
    Backchannel(&'a str),
}

impl Audience<'_> {
    fn is(self, named: Option<&Value>) -> bool {
        let Some(named) = named.and_then(Value::as_str) else { return false };
        match self {
            Self::Issuer(issuer) => named == issuer,
            Self::Backchannel(issuer) => named
                .strip_prefix(issuer)
                .is_some_and(|path| ["", "/oidc/token", "/oidc/ciba"].contains(&path)),
        }
    }
}

/// Assertions are for one request (RFC 7523 §3).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest life of an assertion, and what two clocks may differ by.
const LIFE: Duration = Duration::minutes(10);
const SKEW: Duration = Duration::seconds(60);

impl App {
    /// The relying party that a request with `params` and, it may be, basic authentication is of.
    ///
    /// # Errors
    /// [`OauthError::InvalidClient`], whatever did not fit; [`OauthError::InvalidRequest`] for two ways at
    /// once (RFC 6749 §2.3).
    pub async fn client(
        &self,
        params: &Params,
        basic: Option<&str>,
        audience: Audience<'_>,
    ) -> Result<Client, OauthError> {
        let (secret, assertion) = (params.get("client_secret"), params.get("client_assertion"));
        let ways = [basic.is_some(), secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(OauthError::InvalidRequest("one way of client authentication at a time"));
        }
        // Nothing is written, and SQLite's one writer not waited for, before the client has proved who it is.
        let mut tx = self.parts.store.read().await?;
        let mut once = None;
        let party = match (basic, secret, assertion) {
            (Some(header), None, None) => self.basic(&mut tx, header).await?,
            (None, Some(secret), None) => {
                let id = params.get("client_id").ok_or(OauthError::InvalidClient)?;
                let party = active(&mut tx, id).await?;
                let is_post = matches!(party.auth, ClientAuth::ClientSecretPost { .. });
                if is_post && party.has_secret(secret) {
                    Ok(party)
                } else {
                    Err(OauthError::InvalidClient)
                }?
            }
            (None, None, Some(assertion)) => {
                if params.get("client_assertion_type") != Some(ASSERTION) {
                    return Err(OauthError::InvalidClient);
                }
                let (party, used) = self.asserted(&mut tx, assertion, audience).await?;
                once = Some(used);
                party
            }
            _ => return Err(OauthError::InvalidClient),
        };
        // What is said beside the proof must be the same.
        if params.get("client_id").is_some_and(|id| id != party.client_id) {
            return Err(OauthError::InvalidClient);
        }
        tx.commit().await?;
        if let Some(used) = once
            && !self.use_once(&used).await?
        {
            return Err(OauthError::InvalidClient);
        }
        self.spend(Kind::Client, party.client_id.as_bytes(), Instant::now())?;
        Ok(Client { party, key: None })
    }

    /// The same client with the key that its request proves, if it does: what it gets is bound to that
    /// (RFC 9449 §5, §10.1).
    ///
    /// # Errors
    /// [`OauthError::InvalidDpopProof`].
    pub async fn with_key(&self, client: Client, carried: &Carried) -> Result<Client, OauthError> {
        let Some(proof) = carried.proof(self.now())? else { return Ok(client) };
        let once = Once { known_by: proof.known_by, expires: proof.expires };
        if !self.use_once(&once).await? {
            return Err(OauthError::InvalidDpopProof("the proof was used before"));
        }
        Ok(Client { key: Some(proof.key), ..client })
    }

    /// Takes note that what a relying party signed for one use was used. `false` if it was before, or is late now that
    /// the one writer was waited for: what is late may be forgotten already.
    pub(super) async fn use_once(&self, once: &Once) -> Result<bool, OauthError> {
        let mut tx = self.parts.store.begin().await?;
        if once.expires <= self.now() {
            return Ok(false);
        }
        let is_first = tx.use_once(&once.known_by, once.expires).await?;
        tx.commit().await?;
        Ok(is_first)
    }

    /// `Basic BASE64(ID:SECRET)`, each form-encoded (RFC 6749 §2.3.1).
    async fn basic(&self, tx: &mut Tx, header: &str) -> Result<RelyingParty, OauthError> {
        let decoded = openssl::base64::decode_block(header).ok().map(zeroize::Zeroizing::new);
        let text = decoded.as_ref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let pair = text.and_then(|text| text.split_once(':'));
        let (id, secret) = pair.ok_or(OauthError::InvalidClient)?;
        let plain = |text: &str| {
            form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned())
        };
        let (id, secret) = plain(id).zip(plain(secret)).ok_or(OauthError::InvalidClient)?;
        let secret = zeroize::Zeroizing::new(secret);
        let party = active(tx, &id).await?;
        let is_basic = matches!(party.auth, ClientAuth::ClientSecretBasic { .. });
        if is_basic && party.has_secret(&secret) {
            Ok(party)
        } else {
            Err(OauthError::InvalidClient)
        }
    }

    /// A signed assertion, for us and of now (RFC 7523 §3; FAPI 2.0 §5.3.2.1): whose it is, and what it is known
    /// again by.
    async fn asserted(
        &self,
        tx: &mut Tx,
        assertion: &str,
        audience: Audience<'_>,
    ) -> Result<(RelyingParty, Once), OauthError> {
        let refused = || OauthError::InvalidClient;
        let id = jose::claimed_issuer(assertion).ok_or_else(refused)?;
        let party = active(tx, &id).await?;
        let ClientAuth::PrivateKeyJwt { jwks } = &party.auth else { return Err(refused()) };
        let types = ["JWT", "client-authentication+jwt"];
        let claims = jose::verified(assertion, jwks, &types).map_err(|_| refused())?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| {
            let at = claims.get(name).and_then(Value::as_i64)?;
            OffsetDateTime::from_unix_timestamp(at).ok()
        };
        let now = self.now();
        let expires = time("exp").ok_or_else(refused)?;
        let begun = ["iat", "nbf"].iter().filter_map(|name| time(name)).all(|at| at <= now + SKEW);
        // Bound first: nothing is added to a time that somebody else wrote.
        let is_current = expires <= now + LIFE && expires > now - SKEW && begun;
        let is_own = text("iss") == Some(&id) && text("sub") == Some(&id);
        if !is_current || !is_own || !audience.is(claims.get("aud")) {
            return Err(refused());
        }
        let used = format!("{id}\n{}", jose::identifier(&claims).ok_or_else(refused)?);
        let known_by = openssl::sha::sha256(used.as_bytes());
        Ok((party, Once { known_by, expires: expires + SKEW }))
    }
}

/// A relying party that is not disabled.
pub(super) async fn active(tx: &mut Tx, client_id: &str) -> Result<RelyingParty, OauthError> {
    match tx.relying_party(client_id).await? {
        Some(row) if row.disabled.is_none() => Ok(row.party),
        _ => Err(OauthError::InvalidClient),
    }
}
