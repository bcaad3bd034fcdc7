//! What the owner of an identity sees of it: its apps (F5) and the notices to them (E7).

use super::owner::Owner;
use super::tell::told;
use super::{App, AppError};
use crate::ids::{AuthenticatorId, IdentityId, MessageId};
use crate::relay::wire::Text;
use crate::storage::{AuthenticatorRow, StorageError};
use enroll_core::activation::Authenticator;
use enroll_core::device_key::Purpose;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Most notices shown.
const SHOWN: i64 = 100;

/// An app as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AppView {
    /// Which.
    #[schema(value_type = String)]
    pub id: AuthenticatorId,
    /// `pending`, `waiting`, `active`, `locked`, `blocked` or `dead`.
    #[schema(example = "active")]
    pub state: &'static str,
    /// When it was first seen.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String)]
    pub created: OffsetDateTime,
    /// From when it can be used, for one that is activated.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>)]
    pub usable: Option<OffsetDateTime>,
}

impl AppView {
    /// The view of `row` at `now`.
    #[must_use]
    pub fn of(row: &AuthenticatorRow, now: OffsetDateTime) -> Self {
        let usable = match row.state {
            Authenticator::Active { usable, .. } => Some(usable),
            _ => None,
        };
        Self { id: row.id, state: row.state.name(now), created: row.created, usable }
    }
}

/// A notice in the inbox.
#[derive(Serialize, utoipa::ToSchema)]
pub struct InboxView {
    /// Which.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String)]
    pub at: OffsetDateTime,
    /// In a few words.
    pub subject: Text,
    /// All of it.
    pub text: Text,
}

impl std::fmt::Debug for InboxView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "InboxView({})", self.id)
    }
}

/// That an app asks: a challenge and the key.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AppAsks {
    /// A challenge drawn for this app.
    challenge: String,
    /// The device's signature over `indrul-proof-v1 inbox CHALLENGE`, in base64url.
    signature: String,
}

impl std::fmt::Debug for AppAsks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppAsks(…)")
    }
}

impl App {
    /// The apps of an identity, oldest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn apps(&self, owner: Owner) -> Result<Vec<AppView>, AppError> {
        let mut tx = self.parts.store.read().await?;
        let rows = tx.authenticators(owner.identity).await?;
        Ok(rows.iter().map(|row| AppView::of(row, self.now())).collect())
    }

    /// The notices to the apps of an identity, newest first.
    ///
    /// # Errors
    /// [`AppError`].
    pub async fn inbox(&self, owner: Owner) -> Result<Vec<InboxView>, AppError> {
        self.notices_of(owner.identity).await
    }

    /// The same for an app that can be used, by its key.
    ///
    /// # Errors
    /// `activation.device_key`; why the app or the identity cannot be used.
    pub async fn inbox_of_app(&self, id: &str, asks: AppAsks) -> Result<Vec<InboxView>, AppError> {
        let id: AuthenticatorId = id.parse().map_err(|_| AppError::UnknownCase)?;
        self.prove_key(id, (Purpose::Inbox, None), (&asks.challenge, &asks.signature)).await?;
        let (tx, profile, row) = self.hold_app(id).await?;
        drop(tx);
        profile.life.open().map_err(AppError::Reason)?;
        row.state.usable(self.now()).map_err(AppError::Reason)?;
        self.notices_of(row.identity).await
    }

    async fn notices_of(&self, identity: IdentityId) -> Result<Vec<InboxView>, AppError> {
        let impossible = || StorageError::ImpossibleRow { table: "inbox", column: "sealed" };
        let mut tx = self.parts.store.read().await?;
        let kept = tx.notices(identity, SHOWN).await?;
        let view = |kept: &crate::storage::Kept| {
            let told = told(&kept.payload).ok_or_else(impossible)?;
            let (subject, text) = (Text::from(&told.subject), Text::from(&told.text));
            Ok(InboxView { id: kept.id, at: kept.at, subject, text })
        };
        kept.iter().map(view).collect()
    }
}
