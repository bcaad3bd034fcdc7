//! Events of registers that were taken in (F4): by the register's own identifier, so that each counts
//! once.

use super::{StorageError, Tx};
use time::OffsetDateTime;

impl Tx {
    /// Takes in an event. `false` if it was before.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_register_event(
        &mut self,
        id: &str,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let added = sqlx::query(
            "INSERT INTO register_events (id, taken_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.to_owned())
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(added.rows_affected() == 1)
    }
}
