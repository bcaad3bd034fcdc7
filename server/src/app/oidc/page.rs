//! What the browser does that began: takes a user ID, shows the QR code, goes on once the person has
//! approved, or leaves. Its secret opens all of it; nobody else is shown anything.

use super::super::activity::{Activity, What};
use super::super::{App, AppError};
use super::client::active;
use super::{is_waiting, late};
use crate::limits::Kind;
use crate::oidc::halves::{self, Half};
use crate::oidc::request::To;
use crate::oidc::{LogIn, Request, Why};
use crate::storage::{LogInRow, Opens, Tx};
use enroll_core::reason::ReasonCode;
use enroll_core::user_id::UserId;
use serde_json::json;
use tokio::time::Instant;

/// What a page shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageState {
    /// The QR code.
    Showing,
    /// An app has read it.
    Claimed,
    /// The person has approved: the browser goes on by itself, or waits for the app to come back.
    Approved {
        /// Whether the app brings it back.
        by_switch: bool,
    },
    /// It is over.
    Over {
        /// Why.
        why: Why,
    },
    /// It ran out, or there is none.
    Late,
}

/// A user ID as it is typed: as it is kept where it is one, else as it is, without the space that a keyboard adds.
pub(super) fn typed_user_id(text: &str) -> String {
    match UserId::parse(text.trim()) {
        Ok(user_id) => user_id.as_str().to_owned(),
        Err(_) => text.trim().to_lowercase(),
    }
}

fn hash(secret: &str) -> [u8; 32] {
    openssl::sha::sha256(secret.as_bytes())
}

/// The address that an answer goes to, with `iss` (RFC 9207 §2) and, as it came, `state`.
pub(super) fn answer(request: &Request, parts: &[(&str, &str)]) -> String {
    let To::Browser { redirect_uri, state, .. } = &request.to else { return String::new() };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parts);
    query.extend_pairs(state.iter().map(|state| ("state", state)));
    query.append_pair("iss", &request.issuer);
    let sign = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{sign}{}", query.finish())
}

impl App {
    /// The log-in that `browser` has before it, held; and its unit of work.
    pub(super) async fn shown(&self, browser: &str) -> Result<(Tx, LogInRow), AppError> {
        let late = AppError::Reason(ReasonCode::LOG_IN_LATE);
        let mut tx = self.parts.store.begin().await?;
        let found = tx.find_log_in(Opens::Browser, &hash(browser)).await?.ok_or(late)?;
        let row = self.hold_log_in(&mut tx, found.id).await?;
        Ok((tx, row))
    }

    /// Who wants to log in, and what they are asked: the relying party's name. Nothing for a log-in that
    /// there is not.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn relying_party_of(&self, browser: &str) -> Result<Option<String>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let found = tx.find_log_in(Opens::Browser, &hash(browser)).await?;
        let Some(row) = found else { return Ok(None) };
        Ok(tx.relying_party(&row.client_id).await?.map(|row| row.party.name))
    }

    /// Takes the user ID that was typed: only its person's app will fit. The answer and the work are the same
    /// for one that there is not: it is hashed and kept, and nobody is looked up or stopped (G4).
    ///
    /// # Errors
    /// `log_in.late`, and why it is over.
    pub async fn name(&self, browser: &str, user_id: &str) -> Result<(), AppError> {
        let text = typed_user_id(user_id);
        let (mut tx, row) = self.shown(browser).await?;
        if row.state != LogIn::Begun {
            return Err(AppError::Reason(row.state.over()));
        }
        let user_hash = tx.keyed_hash("user_id", text.as_bytes())?;
        tx.save_log_in(&LogInRow { user_hash: Some(user_hash.to_vec()), ..row }).await?;
        Ok(tx.commit().await?)
    }

    /// What the page shows now.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn page_state(&self, browser: &str) -> Result<PageState, AppError> {
        let mut tx = self.parts.store.read().await?;
        let Some(row) = tx.find_log_in(Opens::Browser, &hash(browser)).await? else {
            return Ok(PageState::Late);
        };
        self.spend(Kind::LogIn, row.id.as_bytes(), Instant::now())?;
        Ok(match row.state {
            LogIn::Ended { why, .. } => PageState::Over { why },
            _ if row.expires < self.now() => PageState::Late,
            LogIn::Begun => PageState::Showing,
            LogIn::Claimed { .. } => PageState::Claimed,
            LogIn::Approved { approval } => {
                PageState::Approved { by_switch: approval.back.is_some() }
            }
            _ => PageState::Late,
        })
    }

    /// What one half of the QR code says now, while it is shown.
    ///
    /// # Errors
    /// `log_in.late`, and why it is over.
    pub async fn half(&self, browser: &str, half: Half) -> Result<String, AppError> {
        let late = || AppError::Reason(ReasonCode::LOG_IN_LATE);
        let mut tx = self.parts.store.read().await?;
        let row = tx.find_log_in(Opens::Browser, &hash(browser)).await?.ok_or_else(late)?;
        self.spend(Kind::LogIn, row.id.as_bytes(), Instant::now())?;
        if row.state != LogIn::Begun || row.expires < self.now() {
            return Err(AppError::Reason(row.state.over()));
        }
        let now = (self.now(), self.oidc.half_s);
        halves::shown(&self.parts.keys, row.id, half, now).map_err(AppError::internal)
    }

    /// The address that opens the app on this device.
    ///
    /// # Errors
    /// `log_in.late`, and why it is over.
    pub async fn switch(&self, browser: &str) -> Result<String, AppError> {
        let (mut tx, row) = self.shown(browser).await?;
        if row.state != LogIn::Begun {
            return Err(AppError::Reason(row.state.over()));
        }
        let (token, hash) = self.token()?;
        tx.opens_log_in(row.id, Opens::Switch, &hash).await?;
        tx.commit().await?;
        Ok(format!("{}#log-in={token}", self.oidc.app_url))
    }

    /// The browser goes on: the address of the relying party, with a code. After a switch it brings what the
    /// app took back to it, so that nobody goes on with what another device was switched from (G2).
    ///
    /// # Errors
    /// `log_in.late`, and why it is over.
    pub async fn go_on(&self, browser: &str, back: Option<&str>) -> Result<String, AppError> {
        let (mut tx, mut row) = self.shown(browser).await?;
        let LogIn::Approved { approval } = &row.state else {
            return Err(AppError::Reason(row.state.over()));
        };
        let brought = back.map(|back| hex::encode(hash(back)));
        if approval.back.is_some() && approval.back != brought {
            return Err(AppError::Reason(ReasonCode::LOG_IN_LATE));
        }
        active(&mut tx, &row.client_id).await.map_err(late)?;
        let (code, code_hash) = self.token()?;
        row.state = LogIn::Coded { approval: approval.clone() };
        row.expires = self.in_seconds(self.oidc.code_s);
        tx.save_log_in(&row).await?;
        tx.opens_log_in(row.id, Opens::Code, &code_hash).await?;
        tx.commit().await?;
        Ok(answer(&row.request, &[("code", &code)]))
    }

    /// The person leaves the page before they have approved. Nothing happens to a log-in that is over or
    /// that there is not.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn leave_page(&self, browser: &str) -> Result<(), AppError> {
        let (mut tx, mut row) = match self.shown(browser).await {
            Err(AppError::Reason(_)) => return Ok(()),
            shown => shown?,
        };
        if !is_waiting(&row.state) && !matches!(row.state, LogIn::Approved { .. }) {
            return Ok(());
        }
        if let LogIn::Claimed { by } = &row.state {
            let service = self.service_name(&mut tx, &row).await?;
            let left = Activity::of(What::LogInLeft).at(&service).with(by.app);
            self.note(&mut tx, by.identity, left.begun(&row)).await?;
        }
        row.state = row.state.end(Why::Cancelled, self.now());
        tx.save_log_in(&row).await?;
        tx.audit(self.of_log_in("log_in.cancelled", row.id, json!({}))).await?;
        Ok(tx.commit().await?)
    }

    /// Back to the relying party from a log-in that has ended or is late, with the error of the standard
    /// (OpenID Connect Core §3.1.2.6); nothing for one that there is not, or that still can succeed.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn way_back(&self, browser: &str) -> Result<Option<String>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let found = tx.find_log_in(Opens::Browser, &hash(browser)).await?;
        let Some(row) = found else { return Ok(None) };
        let error = match &row.state {
            LogIn::Ended { why: Why::Level, .. } => "unmet_authentication_requirements",
            LogIn::Ended { why: Why::Code | Why::LoggedOut, .. } => return Ok(None),
            LogIn::Ended { .. } => "access_denied",
            // Also one that was approved and that the browser did not go on with in time.
            LogIn::Begun | LogIn::Claimed { .. } | LogIn::Approved { .. }
                if row.expires < self.now() =>
            {
                "access_denied"
            }
            _ => return Ok(None),
        };
        Ok(Some(answer(&row.request, &[("error", error)])))
    }
}
