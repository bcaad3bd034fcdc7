//! One-use tickets for the chip relay (INTERFACES, *Chip relay*); only their hashes are kept.

use super::{StorageError, Tx};
use crate::ids::EnrolmentId;
use sqlx::Row;
use time::OffsetDateTime;

impl Tx {
    /// Adds a ticket, and makes the enrolment's earlier ones worthless.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_ticket(
        &mut self,
        hash: &[u8; 32],
        id: EnrolmentId,
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM tickets WHERE enrolment = $1")
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        sqlx::query(
            "INSERT INTO tickets (hash, enrolment, expires_at, used) VALUES ($1, $2, $3, 0)",
        )
        .bind(hash.to_vec())
        .bind(id.to_string())
        .bind(expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Uses up a ticket: the enrolment it opens, or `None` for one that is unknown, used or late.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn redeem_ticket(
        &mut self,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<EnrolmentId>, StorageError> {
        let taken = sqlx::query(
            "UPDATE tickets SET used = 1 WHERE hash = $1 AND used = 0 AND expires_at > $2",
        )
        .bind(hash.to_vec())
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        if taken.rows_affected() != 1 {
            return Ok(None);
        }
        let row = sqlx::query("SELECT enrolment FROM tickets WHERE hash = $1")
            .bind(hash.to_vec())
            .fetch_one(&mut *self.inner)
            .await?;
        let impossible = StorageError::ImpossibleRow { table: "tickets", column: "enrolment" };
        row.try_get::<String, _>("enrolment")?.parse().map(Some).map_err(|_| impossible)
    }
}
