//! Whose an identity is that was proved at a Borgercenter: nobody's from the moment a kiosk opens the
//! case, until a one-time code has made a token for its owner. Only hashes are kept (STYLE 18).

use super::{StorageError, Tx};
use crate::ids::EnrolmentId;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

impl Tx {
    /// From now on the token that started the case gives no right to what comes of it.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn disown(&mut self, id: EnrolmentId) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO pick_ups (enrolment) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Whether a kiosk has opened the case.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn is_disowned(&mut self, id: EnrolmentId) -> Result<bool, StorageError> {
        let found = sqlx::query("SELECT enrolment FROM pick_ups WHERE enrolment = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        Ok(found.is_some())
    }

    /// The hash of the token that acts on what came of the case; `None` while there is none.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn owner_hash(&mut self, id: EnrolmentId) -> Result<Option<Vec<u8>>, StorageError> {
        let found = sqlx::query(
            "SELECT token_hash, pick_ups.enrolment AS disowned, owner FROM enrolments
             LEFT JOIN pick_ups ON pick_ups.enrolment = enrolments.id WHERE enrolments.id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.as_ref().map_or(Ok(None), owner)
    }

    /// From now on what comes of the case is for whoever picks it up, whom somebody helped to it. Whether
    /// that is so: not of a case that a kiosk opened, nor once it was picked up.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn hand_over(&mut self, id: EnrolmentId) -> Result<bool, StorageError> {
        let found = sqlx::query(
            "INSERT INTO pick_ups (enrolment, by_helper) VALUES ($1, 1) ON CONFLICT (enrolment)
             DO UPDATE SET by_helper = 1 WHERE pick_ups.by_helper = 1 AND pick_ups.owner IS NULL
             RETURNING enrolment",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// Keeps the code by which the person picks up what came of the case, if it is nobody's yet; an
    /// earlier one is worth nothing from now on.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn put_pick_up(
        &mut self,
        hash: &[u8; 32],
        id: EnrolmentId,
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE pick_ups SET code = $1, expires_at = $2 WHERE enrolment = $3")
            .bind(hash.to_vec())
            .bind(expires.unix_timestamp())
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Uses a code up: the case whose owner now has the token with the hash `owner`, or `None` for a
    /// code that is unknown, used or late.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn pick_up(
        &mut self,
        hash: &[u8; 32],
        owner: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<EnrolmentId>, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "pick_ups", column: "enrolment" };
        let found = sqlx::query(
            "UPDATE pick_ups SET owner = $1, code = NULL WHERE code = $2 AND expires_at >= $3
             RETURNING enrolment",
        )
        .bind(owner.to_vec())
        .bind(hash.to_vec())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(row) = found else { return Ok(None) };
        row.try_get::<String, _>("enrolment")?.parse().map(Some).map_err(|_| impossible)
    }
}

/// The owner's hash in a row of `token_hash`, `disowned` and `owner`.
pub(super) fn owner(row: &AnyRow) -> Result<Option<Vec<u8>>, StorageError> {
    match row.try_get::<Option<String>, _>("disowned")? {
        Some(_) => Ok(row.try_get("owner")?),
        None => Ok(Some(row.try_get("token_hash")?)),
    }
}
