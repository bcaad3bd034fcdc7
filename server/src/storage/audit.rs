//! The audit trail as rows (REQUIREMENTS H1): appended in the transaction that does what it tells,
//! chained by `enroll_core::audit`. There is no way here to change or remove a row.

use super::{Dialect, StorageError, Tx};
use enroll_core::audit::{Entry, Event, Head};
use sqlx::Row;
use sqlx::any::AnyRow;

impl Tx {
    /// Appends `event` to the chain. Until the unit of work ends nobody else can append.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn audit(&mut self, event: Event) -> Result<(), StorageError> {
        if self.store.dialect == Dialect::Postgres {
            sqlx::query("LOCK TABLE audit IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *self.inner)
                .await?;
        }
        let entry = self.head().await?.append(event);
        let seq = i64::try_from(entry.seq)
            .map_err(|_| StorageError::ImpossibleRow { table: "audit", column: "seq" })?;
        sqlx::query("INSERT INTO audit (seq, entry) VALUES ($1, $2)")
            .bind(seq)
            .bind(serde_json::to_string(&entry)?)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    async fn head(&mut self) -> Result<Head, StorageError> {
        let last = sqlx::query("SELECT entry FROM audit ORDER BY seq DESC LIMIT 1")
            .fetch_optional(&mut *self.inner)
            .await?;
        Ok(last.map(|row| read(&row)).transpose()?.map_or(Head::EMPTY, |entry| entry.head()))
    }

    /// Up to `limit` entries after `seq`, in order.
    ///
    /// # Errors
    /// [`StorageError::ImpossibleRow`] if a row is no entry at all.
    pub async fn audit_after(&mut self, seq: u64, limit: i64) -> Result<Vec<Entry>, StorageError> {
        let rows = sqlx::query("SELECT entry FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2")
            .bind(i64::try_from(seq).unwrap_or(i64::MAX))
            .bind(limit)
            .fetch_all(&mut *self.inner)
            .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<Entry, StorageError> {
    serde_json::from_str(&row.try_get::<String, _>("entry")?)
        .map_err(|_| StorageError::ImpossibleRow { table: "audit", column: "entry" })
}
