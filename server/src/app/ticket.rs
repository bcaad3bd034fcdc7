//! Tickets for the chip relay: one use, 120 seconds, one enrolment (INTERFACES, *Chip relay*).

use super::evidence::document_key;
use super::{Access, App, AppError};
use crate::limits::Kind;
use enroll_core::reason::Step;
use serde::Serialize;
use serde_json::json;
use time::Duration;
use tokio::time::Instant;

/// A ticket.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Ticket {
    /// The ticket itself.
    pub ticket: String,
    /// Where the relay is opened with it.
    #[schema(example = "wss://indrul.invalid/v1/relay?ticket=…")]
    pub url: String,
    /// Seconds until it is worth nothing.
    pub expires_in: u32,
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ticket(…, {} s)", self.expires_in)
    }
}

impl App {
    /// Makes a ticket; earlier ones of the enrolment are worth nothing from now on. `origin` is
    /// where the client reached the server.
    ///
    /// # Errors
    /// `case.state` before the page is read, `case.attempts` if the chip was tried too often;
    /// [`AppError::TooOften`] if that document was, in whatever cases.
    pub async fn ticket(&self, access: Access, origin: &str) -> Result<Ticket, AppError> {
        let (mut tx, enrolment) = self.load(access).await?;
        let now = self.now();
        // Only asks whether the chip may be read now: the relay itself counts the attempt.
        enrolment.record.case.clone().attempt(Step::Chip, &self.policy, now)?;
        let page = self.page_mrz(&mut tx, access.id()).await?;
        self.spend(Kind::Document, document_key(&page).as_bytes(), Instant::now())?;
        let (ticket, hash) = self.token()?;
        let expires_in = self.relay.ticket_seconds;
        tx.add_ticket(&hash, access.id(), now + Duration::seconds(i64::from(expires_in))).await?;
        tx.audit(self.event("chip.ticket", access.id(), json!({}))).await?;
        tx.commit().await?;
        let url = format!("{}/v1/relay?ticket={ticket}", self.socket_origin(origin));
        Ok(Ticket { ticket, url, expires_in })
    }

    /// Uses up a ticket.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] for one that is unknown, used or late.
    pub async fn redeem(&self, ticket: &str) -> Result<Access, AppError> {
        let hash = openssl::sha::sha256(ticket.as_bytes());
        let mut tx = self.parts.store.begin().await?;
        let id = tx.redeem_ticket(&hash, self.now()).await?.ok_or(AppError::Unauthorized)?;
        // A kiosk's session makes the tickets drawn before it worthless.
        let enrolment = tx.enrolment(id).await?.ok_or(AppError::Unauthorized)?;
        tx.commit().await?;
        Ok(Access { id, desk: enrolment.record.case.visit().is_some() })
    }

    /// The public address with a WebSocket scheme.
    fn socket_origin(&self, origin: &str) -> String {
        let http = self.server.public_url.as_deref().unwrap_or(origin);
        match http.split_once("://") {
            Some(("https", rest)) => format!("wss://{rest}"),
            Some((_, rest)) => format!("ws://{rest}"),
            None => format!("ws://{http}"),
        }
    }
}
