//! Sessions of My page: the hash of a token, and what it came of (STYLE 18).

use super::{StorageError, Tx};
use crate::ids::{AuthenticatorId, IdentityId, LogInId};
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

/// A session of My page.
#[derive(Debug, Clone)]
pub struct MySession {
    /// Whose.
    pub identity: IdentityId,
    /// The log-in that it ends with; nothing where an app opened it.
    pub log_in: Option<LogInId>,
    /// The app that approved it, if one did.
    pub app: Option<AuthenticatorId>,
    /// The identity's epoch then.
    pub epoch: u64,
    /// When the person approved.
    pub approved: OffsetDateTime,
    /// When it was used last.
    pub seen: OffsetDateTime,
    /// When it ends at the latest.
    pub expires: OffsetDateTime,
}

fn impossible(column: &'static str) -> StorageError {
    StorageError::ImpossibleRow { table: "my_sessions", column }
}

impl Tx {
    /// Opens a session by the token with this hash.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_my_session(
        &mut self,
        hash: &[u8; 32],
        new: &MySession,
    ) -> Result<(), StorageError> {
        let epoch = i64::try_from(new.epoch).map_err(|_| impossible("epoch"))?;
        sqlx::query(
            "INSERT INTO my_sessions (hash, identity, log_in, authenticator, epoch, approved_at,
               seen_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(hash.to_vec())
        .bind(new.identity.to_string())
        .bind(new.log_in.map(|id| id.to_string()))
        .bind(new.app.map(|app| app.to_string()))
        .bind(epoch)
        .bind(new.approved.unix_timestamp())
        .bind(new.seen.unix_timestamp())
        .bind(new.expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The session of the token with this hash.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn my_session(&mut self, hash: &[u8; 32]) -> Result<Option<MySession>, StorageError> {
        let found = sqlx::query(
            "SELECT identity, log_in, authenticator, epoch, approved_at, seen_at, expires_at
             FROM my_sessions WHERE hash = $1",
        )
        .bind(hash.to_vec())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.as_ref().map(read).transpose()
    }

    /// Takes note that a session was used at `now`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn see_my_session(
        &mut self,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE my_sessions SET seen_at = $1 WHERE hash = $2")
            .bind(now.unix_timestamp())
            .bind(hash.to_vec())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn end_my_session(&mut self, hash: &[u8; 32]) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM my_sessions WHERE hash = $1")
            .bind(hash.to_vec())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Forgets sessions that are over at `now`. Returns how many.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn forget_my_sessions(&mut self, now: OffsetDateTime) -> Result<u64, StorageError> {
        let done = sqlx::query("DELETE FROM my_sessions WHERE expires_at < $1")
            .bind(now.unix_timestamp())
            .execute(&mut *self.inner)
            .await?;
        Ok(done.rows_affected())
    }
}

fn read(row: &AnyRow) -> Result<MySession, StorageError> {
    let text = |column| row.try_get::<String, _>(column);
    let time = |column| {
        let at = OffsetDateTime::from_unix_timestamp(row.try_get(column)?);
        at.map_err(|_| impossible(column))
    };
    let log_in: Option<String> = row.try_get("log_in")?;
    let app: Option<String> = row.try_get("authenticator")?;
    Ok(MySession {
        identity: text("identity")?.parse().map_err(|_| impossible("identity"))?,
        log_in: log_in.map(|id| id.parse()).transpose().map_err(|_| impossible("log_in"))?,
        app: app.map(|id| id.parse()).transpose().map_err(|_| impossible("authenticator"))?,
        epoch: u64::try_from(row.try_get::<i64, _>("epoch")?).map_err(|_| impossible("epoch"))?,
        approved: time("approved_at")?,
        seen: time("seen_at")?,
        expires: time("expires_at")?,
    })
}
