//! A log-in begins: the relying party pushes what it asks for (RFC 9126), and a browser comes with it.

use super::super::{App, AppError, Place};
use super::client::{Client, active};
use super::page::answer;
use crate::ids::LogInId;
use crate::oidc::request::To;
use crate::oidc::{LogIn, OauthError, Params, Request, Why};
use crate::storage::{LogInRow, Opens};
use enroll_core::reason::ReasonCode;
use serde::Serialize;

/// Where a pushed request is (RFC 9126 §2.2).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Pushed {
    /// What the browser brings: one use.
    #[schema(example = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c")]
    pub request_uri: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

impl std::fmt::Debug for Pushed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pushed(…, {} s)", self.expires_in)
    }
}

/// What a browser gets that comes with a pushed request.
pub enum Arrived {
    /// The page of a log-in, which this secret opens.
    Page {
        /// Which.
        log_in: LogInId,
        /// For a cookie.
        browser: String,
        /// The language that the relying party asked for, if it did.
        language: Option<String>,
    },
    /// Back to the relying party at once: nobody may be asked.
    Back(String),
}

impl std::fmt::Debug for Arrived {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Arrived(…)")
    }
}

const URN: &str = "urn:ietf:params:oauth:request_uri:";

impl App {
    /// Takes what a relying party asks for.
    ///
    /// # Errors
    /// [`OauthError`] as the standards name them.
    pub async fn push(
        &self,
        client: &Client,
        params: &Params,
        issuer: String,
    ) -> Result<Pushed, OauthError> {
        let request =
            Request::pushed(params, &client.party, issuer)?.bound_to(client.key.as_ref())?;
        let expires_in = self.oidc.request_s;
        let (token, hash) = self.token()?;
        let row = self.new_log_in(client, request, LogIn::Pushed, expires_in)?;
        let mut tx = self.parts.store.begin().await?;
        tx.insert_log_in(&row, &hash, self.now()).await?;
        tx.commit().await?;
        Ok(Pushed { request_uri: format!("{URN}{token}"), expires_in })
    }

    pub(super) fn new_log_in(
        &self,
        client: &Client,
        request: Request,
        state: LogIn,
        seconds: u32,
    ) -> Result<LogInRow, AppError> {
        Ok(LogInRow {
            id: LogInId::random(self.parts.entropy.as_ref())?,
            client_id: client.party.client_id.clone(),
            user_hash: None,
            request,
            state,
            expires: self.in_seconds(seconds),
            network: None,
        })
    }

    /// A browser comes from `place` with a pushed request, once. What it had open before is left.
    ///
    /// # Errors
    /// `log_in.late` for a request that is unknown, used, late, or another relying party's.
    pub async fn arrive(
        &self,
        (client_id, request_uri): (&str, &str),
        (before, place): (Option<&str>, &Place),
    ) -> Result<Arrived, AppError> {
        let late = || AppError::Reason(ReasonCode::LOG_IN_LATE);
        let token = request_uri.strip_prefix(URN).ok_or_else(late)?;
        let hash = openssl::sha::sha256(token.as_bytes());
        let mut tx = self.parts.store.begin().await?;
        let found = tx.find_log_in(Opens::Request, &hash).await?.ok_or_else(late)?;
        if found.client_id != client_id || active(&mut tx, client_id).await.is_err() {
            return Err(late());
        }
        let mut row = self.hold_log_in(&mut tx, found.id).await?;
        row.state = row.state.begin().map_err(AppError::Reason)?;
        let To::Browser { silent, language, .. } = row.request.to.clone() else {
            return Err(late());
        };
        if silent {
            // There is no session that a browser could have here: every log-in asks the person.
            row.state = row.state.end(Why::Cancelled, self.now());
            tx.save_log_in(&row).await?;
            tx.commit().await?;
            return Ok(Arrived::Back(answer(&row.request, &[("error", "login_required")])));
        }
        let (browser, hash) = self.token()?;
        row.expires = self.in_seconds(self.oidc.log_in_s);
        tx.save_log_in(&row).await?;
        tx.opens_log_in(row.id, Opens::Browser, &hash).await?;
        if let Some(network) = place.network() {
            tx.place_log_in(row.id, network).await?;
        }
        tx.commit().await?;
        if let Some(before) = before {
            // Its own page of before is left, and what an app has of it is no second one beside this.
            self.leave_page(before).await?;
        }
        Ok(Arrived::Page { log_in: row.id, browser, language })
    }
}
