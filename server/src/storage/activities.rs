//! What has happened to identities, as their persons read it (F5): sealed under the master key, for a while.

use super::{StorageError, Tx};
use crate::ids::{ActivityId, IdentityId};
use crate::seal::Place;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// An activity as it is kept.
#[derive(Debug)]
pub struct KeptActivity {
    /// Which.
    pub id: ActivityId,
    /// When, in microseconds since 1970.
    pub at: i64,
    /// What happened.
    pub payload: Zeroizing<Vec<u8>>,
}

impl KeptActivity {
    /// When.
    ///
    /// # Errors
    /// [`StorageError::ImpossibleRow`].
    pub fn moment(&self) -> Result<OffsetDateTime, StorageError> {
        let nanos = i128::from(self.at) * 1000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos).map_err(|_| impossible("happened_at"))
    }
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}

fn impossible(column: &'static str) -> StorageError {
    StorageError::ImpossibleRow { table: "activities", column }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "activities", row, column: "sealed" }
}

impl Tx {
    /// Keeps what has happened to `identity`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_activity(
        &mut self,
        identity: IdentityId,
        (kind, payload): (&str, &[u8]),
        at: OffsetDateTime,
    ) -> Result<(), StorageError> {
        let entropy = self.store.entropy.clone();
        let row = ActivityId::random(entropy.as_ref())?.to_string();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), payload)?;
        sqlx::query(
            "INSERT INTO activities (id, identity, kind, sealed, happened_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(row)
        .bind(identity.to_string())
        .bind(kind.to_owned())
        .bind(sealed)
        .bind(micros(at))
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The newest `limit` activities of `identity`, newest first: those older than `before` and those of
    /// `kind`, where these are given.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn activities(
        &mut self,
        identity: IdentityId,
        kind: Option<&str>,
        before: Option<(i64, ActivityId)>,
        limit: i64,
    ) -> Result<Vec<KeptActivity>, StorageError> {
        let (at, id) = before.map_or((i64::MAX, String::new()), |(at, id)| (at, id.to_string()));
        // Nothing is of no kind: an empty one stands for all.
        let rows = sqlx::query(
            "SELECT id, sealed, happened_at FROM activities WHERE identity = $1
               AND ($2 = '' OR kind = $2) AND (happened_at < $3 OR (happened_at = $3 AND id < $4))
             ORDER BY happened_at DESC, id DESC LIMIT $5",
        )
        .bind(identity.to_string())
        .bind(kind.unwrap_or_default().to_owned())
        .bind(at)
        .bind(id)
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| self.activity(row)).collect()
    }

    fn activity(&self, row: &AnyRow) -> Result<KeptActivity, StorageError> {
        let (name, sealed): (String, Vec<u8>) = (row.try_get("id")?, row.try_get("sealed")?);
        let payload = self.store.keys.master().open(place(&name), &sealed)?;
        let id = name.parse().map_err(|_| impossible("id"))?;
        Ok(KeptActivity { id, at: row.try_get("happened_at")?, payload })
    }

    /// Forgets what happened before `before`. Returns how many.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn forget_activities(&mut self, before: OffsetDateTime) -> Result<u64, StorageError> {
        let done = sqlx::query("DELETE FROM activities WHERE happened_at < $1")
            .bind(micros(before))
            .execute(&mut *self.inner)
            .await?;
        Ok(done.rows_affected())
    }
}
