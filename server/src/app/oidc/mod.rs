//! Logging in at relying parties (REQUIREMENTS G): one file per step. The words of the protocol are in
//! `crate::oidc`; what follows a step is decided here, under the locks of the person's profile and the
//! log-in, in that order.
//!
//! A log-in is approved by an app that read the QR code from the page, or was opened by it on the same
//! device, or by password and code on the page itself: knowing somebody's user ID brings nothing before them
//! (docs/log-in.md).

mod approve;
mod backchannel;
mod begin;
mod claim;
mod client;
mod code;
mod end;
mod first_party;
mod grant;
mod number;
mod page;
mod register;
mod session;

pub use approve::{Answered as AnsweredLogIn, Refusal};
pub use backchannel::BackchannelAnswer;
pub use begin::{Arrived, Pushed};
pub use claim::{Claimed, Scanned};
pub use client::{Audience, Client};
pub use code::{AskedOf, TypedCode};
pub use end::{LogOuts, LoggedOut};
pub(in crate::app) use first_party::Opened;
pub use first_party::{Begun, Purpose as MyPurpose};
pub use grant::TokenAnswer;
pub use number::NumberMatch;
pub use page::PageState;
pub use register::{add_relying_party, disable_relying_party, put_relying_party};
pub use session::Presented;

pub(super) use claim::user_hash;

use super::{App, AppError};
use crate::ids::{IdentityId, LogInId};
use crate::keys::base64url;
use crate::oidc::{LogIn, OauthError, Why};
use crate::storage::{LogInRow, Tx};
use enroll_core::reason::ReasonCode;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

impl App {
    fn in_seconds(&self, seconds: u32) -> OffsetDateTime {
        self.now() + Duration::seconds(i64::from(seconds))
    }

    /// The name of who a log-in is at, as people read it.
    pub(in crate::app) async fn service_name(
        &self,
        tx: &mut Tx,
        row: &LogInRow,
    ) -> Result<String, AppError> {
        let found = tx.relying_party(&row.client_id).await?;
        Ok(found.map_or_else(|| row.client_id.clone(), |row| row.party.name))
    }

    /// A log-in, held, if it is not late.
    async fn hold_log_in(&self, tx: &mut Tx, id: LogInId) -> Result<LogInRow, AppError> {
        let late = AppError::Reason(ReasonCode::LOG_IN_LATE);
        match tx.hold_log_in(id).await? {
            Some(row) if row.expires >= self.now() => Ok(row),
            _ => Err(late),
        }
    }

    /// Stops `row`, which can be put before a person, and whatever else is before them, if anything is (G2);
    /// whether there was. The person's profile and `row` are held.
    async fn stop_parallel(
        &self,
        tx: &mut Tx,
        row: &LogInRow,
        identity: IdentityId,
    ) -> Result<bool, AppError> {
        let living = tx.hold_log_ins(identity, self.now()).await?;
        let beside = |other: &LogInRow| other.id != row.id && other.state.is_under_way();
        let others: Vec<_> = living.into_iter().filter(beside).collect();
        if others.is_empty() {
            return Ok(false);
        }
        for other in others {
            self.end_one(tx, other, Why::Parallel).await?;
        }
        self.end_one(tx, row.clone(), Why::Parallel).await?;
        tx.audit(self.of_log_in("log_in.parallel", row.id, json!({}))).await?;
        Ok(true)
    }

    /// The identifier by which an organisation knows a person (OpenID Connect Core §8.1): a keyed hash, so
    /// that two organisations cannot tell that it is one person.
    fn pairwise_subject(
        &self,
        organisation: &str,
        identity: IdentityId,
    ) -> Result<String, AppError> {
        Ok(base64url(&self.pairwise("subject", organisation, identity)?))
    }

    /// The same as a UUID, for `mitid.uuid`.
    fn uuid_of(&self, organisation: &str, identity: IdentityId) -> Result<String, AppError> {
        let hash = self.pairwise("subject uuid", organisation, identity)?;
        let (first, _) = hash.split_first_chunk::<16>().ok_or(AppError::Malformed)?;
        Ok(uuid::Builder::from_random_bytes(*first).into_uuid().to_string())
    }

    fn pairwise(
        &self,
        purpose: &str,
        organisation: &str,
        identity: IdentityId,
    ) -> Result<[u8; 32], AppError> {
        let text = format!("{identity}\n{organisation}");
        let master = self.parts.keys.master();
        master.keyed_hash(purpose, text.as_bytes()).map_err(AppError::internal)
    }

    fn of_log_in(&self, kind: &str, id: LogInId, data: Value) -> enroll_core::audit::Event {
        let mut data = data;
        if let Value::Object(fields) = &mut data {
            fields.insert("log_in".to_owned(), json!(id));
        }
        enroll_core::audit::Event { time: self.now(), kind: kind.to_owned(), case: None, data }
    }
}

/// What is told of a log-in whose relying party may do nothing more.
fn late(error: OauthError) -> AppError {
    match error {
        OauthError::App(error) => error,
        _ => AppError::Reason(ReasonCode::LOG_IN_LATE),
    }
}

/// Whether a page's log-in can be gone on with in the browser.
fn is_waiting(state: &LogIn) -> bool {
    matches!(state, LogIn::Begun | LogIn::Claimed { .. })
}
