//! Two relying parties of the demonstration, "Borger" and "Netbanken", each a site on a port of its own: what
//! a person logs in at. They use the service as any relying party does (docs/log-in.md): pushed request,
//! PKCE, `state`, `nonce`, an ID token that is verified, userinfo, logging out both ways. They keep their
//! sessions in memory.

mod exchange;
mod http;
mod sessions;
mod token;

use crate::app::{App, AppError, disable_relying_party, put_relying_party};
use crate::clock::{Clock as _, SystemClock, SystemEntropy, random};
use crate::keys::base64url;
use crate::oidc::client::ClientAuth;
use crate::oidc::{RelyingParty, Scope, Sector};
use axum::routing::get;
use axum::{Json, Router};
use exchange::Provider;
use serde_json::{Value, json};
use sessions::Sessions;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What a site is.
#[derive(Debug)]
struct Kind {
    client_id: &'static str,
    /// As people read it before they approve.
    name: &'static str,
    organisation: &'static str,
    sector: Sector,
    scopes: &'static [Scope],
    /// Its text before the approval, Danish: at most 130 characters (G3).
    reference: &'static str,
    /// Name of the text under its name.
    lead: &'static str,
    /// What it asks to be approved in the app by itself (CIBA), Danish, if it does.
    payment: Option<&'static str>,
}

const KINDS: [Kind; 2] = [
    Kind {
        client_id: "demo-borger",
        name: "Borger",
        organisation: "Digitaliseringsstyrelsen (demo)",
        sector: Sector::Public,
        scopes: &[Scope::OpenId, Scope::MitId, Scope::Ssn],
        reference: "Log på dine sider hos det offentlige",
        lead: "party-lead-borger",
        payment: None,
    },
    Kind {
        client_id: "demo-netbank",
        name: "Netbanken",
        organisation: "Banken A/S (demo)",
        sector: Sector::Private,
        scopes: &[Scope::OpenId, Scope::MitId],
        reference: "Log på din netbank",
        lead: "party-lead-netbank",
        payment: Some("Betal 100 kr. til Cykelhandleren"),
    },
];

/// One site.
#[derive(Debug)]
struct Party {
    kind: &'static Kind,
    url: String,
    provider: Provider,
    sessions: Sessions,
}

/// Both sites, served until this is dropped.
#[derive(Debug)]
pub struct Parties {
    sites: Vec<Arc<Party>>,
    _serving: JoinSet<()>,
}

/// Why a site is not there.
#[derive(Debug, thiserror::Error)]
pub enum PartyError {
    /// Its address cannot be listened on.
    #[error("cannot listen on {address} for a relying party of the demonstration")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be registered.
    #[error("a relying party of the demonstration cannot be registered")]
    Register(#[from] AppError),
}

impl Parties {
    /// Registers and serves both, on loopback: on the two ports after the service's, or on free ones where
    /// those are taken or the service chose a free one itself. The service is at `issuer`.
    ///
    /// # Errors
    /// [`PartyError`].
    pub async fn start(app: &App, issuer: &str, after: Option<u16>) -> Result<Self, PartyError> {
        let (mut sites, mut serving) = (Vec::new(), JoinSet::new());
        for (kind, next) in KINDS.iter().zip(1..) {
            let port = after.map_or(0, |after| after.saturating_add(next));
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let at = |source| PartyError::Listen { address, source };
            let listener = listen(address).await.map_err(at)?;
            let url = format!("http://{}", listener.local_addr().map_err(at)?);
            let secret = random::<32>(&SystemEntropy).map_err(AppError::from)?;
            let secret = base64url(&secret);
            put_relying_party(
                &app.parts.store,
                &registration(kind, &url, &secret),
                SystemClock.now(),
            )
            .await?;
            let provider = Provider::new(issuer, kind.client_id, secret);
            let site = Arc::new(Party { kind, url, provider, sessions: Sessions::default() });
            let router = http::router(site.clone());
            serving.spawn(async move {
                if let Err(error) = crate::serve(listener, router, std::future::pending()).await {
                    tracing::error!(%error, "a relying party of the demonstration has ended");
                }
            });
            sites.push(site);
        }
        Ok(Self { sites, _serving: serving })
    }

    /// Name and address of each.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.sites.iter().map(|site| (site.kind.name, site.url.as_str()))
    }

    /// `GET /demo/relying-parties`: the same for QA.
    pub fn listed(&self) -> Router {
        let one = |(name, url)| json!({ "name": name, "url": url });
        let list: Vec<Value> = self.addresses().map(one).collect();
        Router::new().route("/demo/relying-parties", get(move || async move { Json(list) }))
    }
}

/// Listens on `address`, or on a free port where that one is taken.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            TcpListener::bind((address.ip(), 0)).await
        }
        bound => bound,
    }
}

/// Disables what a demonstration has left in the store of a service that is none: its secret was anybody's on that
/// machine, and its addresses may be somebody else's by now. The next demonstration registers it anew.
///
/// # Errors
/// [`AppError::Internal`].
pub async fn leave(app: &App) -> Result<(), AppError> {
    for kind in &KINDS {
        let now = SystemClock.now();
        if disable_relying_party(&app.parts.store, kind.client_id, now).await? {
            let client_id = kind.client_id;
            tracing::warn!(
                client_id,
                "a relying party of a demonstration was here, and is disabled"
            );
        }
    }
    Ok(())
}

/// What is registered: with a new secret at each start.
fn registration(kind: &Kind, url: &str, secret: &str) -> RelyingParty {
    let secret_sha256 = hex::encode(openssl::sha::sha256(secret.as_bytes()));
    RelyingParty {
        client_id: kind.client_id.to_owned(),
        name: kind.name.to_owned(),
        organisation: kind.organisation.to_owned(),
        sector: kind.sector,
        redirect_uris: vec![format!("{url}/callback")],
        post_logout_redirect_uris: vec![format!("{url}/logged-out")],
        backchannel_logout_uri: Some(format!("{url}/back-channel-logout")),
        auth: ClientAuth::ClientSecretBasic { secret_sha256 },
        scopes: kind.scopes.to_vec(),
        ciba: kind.payment.is_some(),
        dpop_bound_access_tokens: false,
        backchannel_authentication_request_signing_alg: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_taken_is_no_reason_not_to_start() {
        let taken = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let taken = taken.local_addr().map(|at| (at, taken)).unwrap();
        let other = listen(taken.0).await.unwrap();
        assert_ne!(other.local_addr().unwrap(), taken.0);
    }
}
