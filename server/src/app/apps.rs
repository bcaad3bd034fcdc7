//! What the owner of an identity sees of it: its apps (F5) and the notices to them (E7).

use super::owner::Owner;
use super::tell::told;
use super::{App, AppError};
use crate::ids::{AuthenticatorId, MessageId};
use crate::relay::wire::Text;
use crate::storage::{AuthenticatorRow, StorageError};
use enroll_core::activation::Authenticator;
use serde::Serialize;
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
        let impossible = || StorageError::ImpossibleRow { table: "inbox", column: "sealed" };
        let mut tx = self.parts.store.read().await?;
        let kept = tx.notices(owner.identity, SHOWN).await?;
        let view = |kept: &crate::storage::Kept| {
            let told = told(&kept.payload).ok_or_else(impossible)?;
            let (subject, text) = (Text::from(&told.subject), Text::from(&told.text));
            Ok(InboxView { id: kept.id, at: kept.at, subject, text })
        };
        kept.iter().map(view).collect()
    }
}
