//! What opens a referred case at a Borgercenter: the person's reference, and the session of the kiosk
//! that goes on with it. Only hashes are kept (STYLE 18), one of each for a case.

use super::{StorageError, Tx};
use crate::ids::EnrolmentId;
use sqlx::Row;
use time::OffsetDateTime;

impl Tx {
    /// Keeps the reference of a case, in place of the one before.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn put_reference(
        &mut self,
        hash: &[u8; 32],
        id: EnrolmentId,
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO booking_references (hash, enrolment, expires_at) VALUES ($1, $2, $3)
             ON CONFLICT (enrolment) DO UPDATE SET hash = excluded.hash,
               expires_at = excluded.expires_at",
        )
        .bind(hash.to_vec())
        .bind(id.to_string())
        .bind(expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Lets the reference of a case, if it has one, open it until `until`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn prolong_reference(
        &mut self,
        id: EnrolmentId,
        until: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE booking_references SET expires_at = $1 WHERE enrolment = $2")
            .bind(until.unix_timestamp())
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// The case that a reference opens; it can be used again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn find_reference(
        &mut self,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<EnrolmentId>, StorageError> {
        let found = sqlx::query(
            "SELECT enrolment FROM booking_references WHERE hash = $1 AND expires_at >= $2",
        )
        .bind(hash.to_vec())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        let impossible =
            StorageError::ImpossibleRow { table: "booking_references", column: "enrolment" };
        let Some(row) = found else { return Ok(None) };
        row.try_get::<String, _>("enrolment")?.parse().map(Some).map_err(|_| impossible)
    }

    /// Gives a case to a kiosk, in place of the session before; tickets drawn so far are worth
    /// nothing.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn put_desk_session(
        &mut self,
        hash: &[u8; 32],
        id: EnrolmentId,
        (kiosk, expires): (&str, OffsetDateTime),
    ) -> Result<(), StorageError> {
        self.drop_tickets(id).await?;
        sqlx::query(
            "INSERT INTO desk_sessions (hash, enrolment, kiosk, expires_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (enrolment) DO UPDATE SET hash = excluded.hash, kiosk = excluded.kiosk,
               expires_at = excluded.expires_at",
        )
        .bind(hash.to_vec())
        .bind(id.to_string())
        .bind(kiosk.to_owned())
        .bind(expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The cases whose kiosk's time had run out at `now`, at most `limit`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn left_visits(
        &mut self,
        now: OffsetDateTime,
        limit: i64,
    ) -> Result<Vec<EnrolmentId>, StorageError> {
        let impossible =
            || StorageError::ImpossibleRow { table: "desk_sessions", column: "enrolment" };
        let rows = sqlx::query(
            "SELECT enrolment FROM desk_sessions WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
        )
        .bind(now.unix_timestamp())
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter()
            .map(|row| row.try_get::<String, _>("enrolment")?.parse().map_err(|_| impossible()))
            .collect()
    }

    /// Ends the kiosk's session of a case if its time had run out at `now`; `false` if not.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn end_left_session(
        &mut self,
        id: EnrolmentId,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let ended =
            sqlx::query("DELETE FROM desk_sessions WHERE enrolment = $1 AND expires_at <= $2")
                .bind(id.to_string())
                .bind(now.unix_timestamp())
                .execute(&mut *self.inner)
                .await?;
        Ok(ended.rows_affected() == 1)
    }

    /// The person has left the kiosk: its token is worth nothing, and the time of its session has run out.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn cut_desk_session(
        &mut self,
        id: EnrolmentId,
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE desk_sessions SET expires_at = $1 WHERE enrolment = $2 AND expires_at > $1",
        )
        .bind(now.unix_timestamp())
        .bind(id.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The visit is over: the kiosk's token is worth nothing.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn end_desk_session(&mut self, id: EnrolmentId) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM desk_sessions WHERE enrolment = $1")
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Whether the token with `hash` is that of the kiosk that goes on with the case.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn is_desk_session(
        &mut self,
        hash: &[u8; 32],
        id: EnrolmentId,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let found = sqlx::query(
            "SELECT kiosk FROM desk_sessions WHERE hash = $1 AND enrolment = $2 AND expires_at > $3",
        )
        .bind(hash.to_vec())
        .bind(id.to_string())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        Ok(found.is_some())
    }

    /// Makes the tickets of the case worthless.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn drop_tickets(&mut self, id: EnrolmentId) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM tickets WHERE enrolment = $1")
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}
