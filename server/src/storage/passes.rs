//! Secrets that open one thing for one authenticator, once and for a while: challenges, QR codes,
//! codes that block. Only their hashes are kept (STYLE 18).

use super::{StorageError, Tx};
use crate::ids::AuthenticatorId;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

/// What a secret opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// One signature of the device.
    Challenge,
    /// Another app, made of this one (E6).
    Copy,
    /// Blocking the authenticator, from a notice (E7).
    Block,
}

impl Pass {
    fn name(self) -> &'static str {
        match self {
            Self::Challenge => "challenge",
            Self::Copy => "copy",
            Self::Block => "block",
        }
    }
}

impl Tx {
    /// Adds one, and forgets those of all authenticators that are over.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_pass(
        &mut self,
        pass: Pass,
        hash: &[u8; 32],
        id: AuthenticatorId,
        (now, expires): (OffsetDateTime, OffsetDateTime),
    ) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM passes WHERE expires_at < $1")
            .bind(now.unix_timestamp())
            .execute(&mut *self.inner)
            .await?;
        sqlx::query(
            "INSERT INTO passes (hash, authenticator, purpose, expires_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(hash.to_vec())
        .bind(id.to_string())
        .bind(pass.name().to_owned())
        .bind(expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Uses one up: the authenticator it belongs to, or `None` for one that is unknown, used, late
    /// or for something else.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn use_pass(
        &mut self,
        pass: Pass,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<AuthenticatorId>, StorageError> {
        let taken = sqlx::query(
            "DELETE FROM passes WHERE hash = $1 AND purpose = $2 AND expires_at >= $3
             RETURNING authenticator",
        )
        .bind(hash.to_vec())
        .bind(pass.name().to_owned())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        taken.as_ref().map(owner).transpose()
    }

    /// The authenticator that a secret belongs to; it can be used again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn find_pass(
        &mut self,
        pass: Pass,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<AuthenticatorId>, StorageError> {
        let found = sqlx::query(
            "SELECT authenticator FROM passes WHERE hash = $1 AND purpose = $2 AND expires_at >= $3",
        )
        .bind(hash.to_vec())
        .bind(pass.name().to_owned())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.as_ref().map(owner).transpose()
    }
}

fn owner(row: &AnyRow) -> Result<AuthenticatorId, StorageError> {
    row.try_get::<String, _>("authenticator")?
        .parse()
        .map_err(|_| StorageError::ImpossibleRow { table: "passes", column: "authenticator" })
}
