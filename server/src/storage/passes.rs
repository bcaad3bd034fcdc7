//! Secrets that open one thing for one authenticator, once and for a while: challenges, QR codes,
//! codes that block. Only their hashes are kept (STYLE 18).

use super::{StorageError, Tx};
use crate::ids::{AuthenticatorId, IdentityId};
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

/// Most challenges of one authenticator that live at once: whoever knows its identifier draws them.
const CHALLENGES: i64 = 16;

impl Tx {
    /// Adds one. Of challenges, the oldest make room.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_pass(
        &mut self,
        pass: Pass,
        hash: &[u8; 32],
        id: AuthenticatorId,
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        if pass == Pass::Challenge {
            self.drop_challenges(id).await?;
        }
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

    async fn drop_challenges(&mut self, id: AuthenticatorId) -> Result<(), StorageError> {
        sqlx::query(
            "DELETE FROM passes WHERE hash IN (SELECT hash FROM passes
               WHERE authenticator = $1 AND purpose = 'challenge'
               ORDER BY expires_at DESC, hash LIMIT 1000 OFFSET $2)",
        )
        .bind(id.to_string())
        .bind(CHALLENGES - 1)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Forgets all that are over at `now`, in a unit of work of its own: others wait for the rows it
    /// deletes. Returns how many.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn forget_passes(&mut self, now: OffsetDateTime) -> Result<u64, StorageError> {
        let mut forgotten = 0;
        for query in [
            "DELETE FROM passes WHERE expires_at < $1",
            "DELETE FROM identity_blocks WHERE expires_at < $1",
            "DELETE FROM code_device_blocks WHERE expires_at < $1",
            "DELETE FROM booking_references WHERE expires_at < $1",
            "DELETE FROM officer_sessions WHERE expires_at < $1",
            "UPDATE pick_ups SET code = NULL WHERE code IS NOT NULL AND expires_at < $1",
        ] {
            let done =
                sqlx::query(query).bind(now.unix_timestamp()).execute(&mut *self.inner).await?;
            forgotten += done.rows_affected();
        }
        Ok(forgotten)
    }

    /// Adds a secret that blocks a whole identity, from a notice (E7).
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_identity_block(
        &mut self,
        hash: &[u8; 32],
        identity: IdentityId,
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO identity_blocks (hash, identity, expires_at) VALUES ($1, $2, $3)")
            .bind(hash.to_vec())
            .bind(identity.to_string())
            .bind(expires.unix_timestamp())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// The identity that a secret blocks; it can be used again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn find_identity_block(
        &mut self,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<IdentityId>, StorageError> {
        let impossible =
            StorageError::ImpossibleRow { table: "identity_blocks", column: "identity" };
        let found = sqlx::query(
            "SELECT identity FROM identity_blocks WHERE hash = $1 AND expires_at >= $2",
        )
        .bind(hash.to_vec())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(row) = found else { return Ok(None) };
        row.try_get::<String, _>("identity")?.parse().map(Some).map_err(|_| impossible)
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
