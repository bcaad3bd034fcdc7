//! What must reach somebody outside, stored in the transaction that makes it necessary and delivered
//! by whichever server claims it (DESIGN §7): at least once, by one server at a time.
//!
//! A claim is a lease: it ends by itself, so what a server held when it died is claimed again. Each
//! claim counts as a try, so that what kills a server is not tried for ever.

use super::{Dialect, StorageError, Tx};
use crate::ids::MessageId;
use crate::seal::Place;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::fmt;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A message that this server holds.
pub struct Claimed {
    /// Which.
    pub id: MessageId,
    /// What proves the claim.
    pub lease: String,
    /// Tries, this one with them.
    pub tries: i64,
    /// When it was sent.
    pub created: OffsetDateTime,
    /// The message; nothing where it does not open: one such must not hold up the others.
    pub payload: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Claimed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claimed({}, try {})", self.id, self.tries)
    }
}

/// A message that was given up, without what it says or to whom.
#[derive(Debug, Clone, Serialize)]
pub struct DeadLetter {
    /// Which.
    pub id: MessageId,
    /// By which channel it was to go.
    pub channel: String,
    /// How often it was tried.
    pub tries: i64,
    /// When it was sent.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
}

fn place(row: &str) -> Place<'_> {
    Place { table: "outbox", row, column: "sealed" }
}

impl Tx {
    /// Stores a message, due at once.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn send(
        &mut self,
        channel: &str,
        payload: &[u8],
        now: OffsetDateTime,
    ) -> Result<MessageId, StorageError> {
        let entropy = self.store.entropy.clone();
        let id = MessageId::random(entropy.as_ref())?;
        let row = id.to_string();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), payload)?;
        sqlx::query(
            "INSERT INTO outbox (id, channel, sealed, tries, due_at, lease, dead, created_at)
             VALUES ($1, $2, $3, 0, $4, NULL, 0, $4)",
        )
        .bind(row)
        .bind(channel.to_owned())
        .bind(sealed)
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(id)
    }

    /// Claims up to `limit` messages of `channel` that are due at `now`, until `until`. What others
    /// are claiming at this moment is passed over, not waited for.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn claim(
        &mut self,
        channel: &str,
        limit: i64,
        (now, until): (OffsetDateTime, OffsetDateTime),
    ) -> Result<Vec<Claimed>, StorageError> {
        // SQLite has one writer, which holds its lock since the beginning of this unit of work.
        // PostgreSQL makes an array of what it locks once; a subquery could be run again, and lock
        // other rows.
        let claim = match self.store.dialect {
            Dialect::Sqlite => {
                "UPDATE outbox SET due_at = $1, lease = $2, tries = tries + 1
                 WHERE id IN (SELECT id FROM outbox WHERE dead = 0 AND due_at <= $3
                   AND channel = $5 ORDER BY due_at, id LIMIT $4)
                 RETURNING id, tries, created_at, sealed"
            }
            Dialect::Postgres => {
                "UPDATE outbox SET due_at = $1, lease = $2, tries = tries + 1
                 WHERE id = ANY (ARRAY (SELECT id FROM outbox WHERE dead = 0 AND due_at <= $3
                   AND channel = $5 ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED))
                 RETURNING id, tries, created_at, sealed"
            }
        };
        let lease = MessageId::random(self.store.entropy.as_ref())?.to_string();
        let rows = sqlx::query(claim)
            .bind(until.unix_timestamp())
            .bind(lease.clone())
            .bind(now.unix_timestamp())
            .bind(limit)
            .bind(channel.to_owned())
            .fetch_all(&mut *self.inner)
            .await?;
        rows.iter().map(|row| self.claimed(row, &lease)).collect()
    }

    fn claimed(&self, row: &AnyRow, lease: &str) -> Result<Claimed, StorageError> {
        let name: String = row.try_get("id")?;
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let payload = self.store.keys.master().open(place(&name), &sealed).ok();
        let (lease, tries) = (lease.to_owned(), row.try_get("tries")?);
        Ok(Claimed { id: id(row)?, lease, tries, created: created(row)?, payload })
    }

    /// Removes a message that was delivered, with what was personal in it, also if the claim has
    /// ended meanwhile: what arrived is not sent again. `false` if another server was here first.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn delivered(&mut self, held: &Claimed) -> Result<bool, StorageError> {
        let done = sqlx::query("DELETE FROM outbox WHERE id = $1")
            .bind(held.id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a message back, to be tried again at `due`. `false` if the claim had ended meanwhile.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn postpone(
        &mut self,
        held: &Claimed,
        due: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let done =
            sqlx::query("UPDATE outbox SET due_at = $1, lease = NULL WHERE id = $2 AND lease = $3")
                .bind(due.unix_timestamp())
                .bind(held.id.to_string())
                .bind(held.lease.clone())
                .execute(&mut *self.inner)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Makes a message a dead letter: kept for its operator, tried no more. `false` if the claim had
    /// ended meanwhile.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn bury(&mut self, held: &Claimed) -> Result<bool, StorageError> {
        let done =
            sqlx::query("UPDATE outbox SET dead = 1, lease = NULL WHERE id = $1 AND lease = $2")
                .bind(held.id.to_string())
                .bind(held.lease.clone())
                .execute(&mut *self.inner)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Erases dead letters that were sent before `before`. Returns which.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn sweep_dead(
        &mut self,
        before: OffsetDateTime,
    ) -> Result<Vec<DeadLetter>, StorageError> {
        let rows = sqlx::query(
            "DELETE FROM outbox WHERE dead = 1 AND created_at < $1
             RETURNING id, channel, tries, created_at",
        )
        .bind(before.unix_timestamp())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(dead_letter).collect()
    }

    /// All dead letters, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn dead_letters(&mut self) -> Result<Vec<DeadLetter>, StorageError> {
        let rows = sqlx::query(
            "SELECT id, channel, tries, created_at FROM outbox WHERE dead = 1
             ORDER BY created_at, id",
        )
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(dead_letter).collect()
    }

    /// Has a dead letter tried once more, at `now`. `false` if there is no such dead letter.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn revive(
        &mut self,
        id: MessageId,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let done = sqlx::query(
            "UPDATE outbox SET dead = 0, tries = 0, due_at = $1 WHERE id = $2 AND dead = 1",
        )
        .bind(now.unix_timestamp())
        .bind(id.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// How many messages wait, and how many are dead.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn outbox_size(&mut self) -> Result<(i64, i64), StorageError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS total, COUNT(CASE WHEN dead = 1 THEN 1 END) AS dead FROM outbox",
        )
        .fetch_one(&mut *self.inner)
        .await?;
        let (total, dead): (i64, i64) = (row.try_get("total")?, row.try_get("dead")?);
        Ok((total - dead, dead))
    }
}

fn id(row: &AnyRow) -> Result<MessageId, StorageError> {
    let impossible = StorageError::ImpossibleRow { table: "outbox", column: "id" };
    row.try_get::<String, _>("id")?.parse().map_err(|_| impossible)
}

fn created(row: &AnyRow) -> Result<OffsetDateTime, StorageError> {
    let impossible = StorageError::ImpossibleRow { table: "outbox", column: "created_at" };
    OffsetDateTime::from_unix_timestamp(row.try_get("created_at")?).map_err(|_| impossible)
}

fn dead_letter(row: &AnyRow) -> Result<DeadLetter, StorageError> {
    let (channel, tries) = (row.try_get("channel")?, row.try_get("tries")?);
    Ok(DeadLetter { id: id(row)?, channel, tries, created: created(row)? })
}
