//! Personal data of an open enrolment: each value sealed under the enrolment's own data key, which
//! is itself sealed under the master key. Deleting the key row erases all of it (REQUIREMENTS D8).

use super::{StorageError, Tx};
use crate::ids::EnrolmentId;
use crate::seal::{Key, Place, SealError};
use sqlx::Row;
use zeroize::Zeroizing;

impl Tx {
    /// Makes the enrolment's data key. It exists until [`Tx::erase`].
    pub(super) async fn create_data_key(&mut self, id: EnrolmentId) -> Result<(), StorageError> {
        let (row, entropy) = (id.to_string(), self.store.entropy.clone());
        let key = Key::generate(entropy.as_ref())?;
        let place = Place { table: "data_keys", row: &row, column: "wrapped" };
        let wrapped = self.store.keys.master().seal(entropy.as_ref(), place, key.expose())?;
        sqlx::query("INSERT INTO data_keys (enrolment, wrapped) VALUES ($1, $2)")
            .bind(row)
            .bind(wrapped)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    async fn data_key(&mut self, id: EnrolmentId) -> Result<Key, StorageError> {
        let row = id.to_string();
        let found = sqlx::query("SELECT wrapped FROM data_keys WHERE enrolment = $1")
            .bind(row.clone())
            .fetch_optional(&mut *self.inner)
            .await?
            .ok_or(StorageError::Erased)?;
        let wrapped: Vec<u8> = found.try_get("wrapped")?;
        let place = Place { table: "data_keys", row: &row, column: "wrapped" };
        let key = self.store.keys.master().open(place, &wrapped)?;
        let length = key.len();
        Key::from_slice(&key).ok_or(StorageError::Seal(SealError::Short { length }))
    }

    /// Stores `value` sealed under `name`, in place of what was there.
    ///
    /// # Errors
    /// [`StorageError::Erased`] after the enrolment has ended.
    pub async fn put(
        &mut self,
        id: EnrolmentId,
        name: &str,
        value: &[u8],
    ) -> Result<(), StorageError> {
        let (key, row) = (self.data_key(id).await?, id.to_string());
        let place = Place { table: "sealed", row: &row, column: name };
        let bytes = key.seal(self.store.entropy.as_ref(), place, value)?;
        sqlx::query(
            "INSERT INTO sealed (enrolment, name, bytes) VALUES ($1, $2, $3)
             ON CONFLICT (enrolment, name) DO UPDATE SET bytes = excluded.bytes",
        )
        .bind(row)
        .bind(name.to_owned())
        .bind(bytes)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The value under `name`, if there is one.
    ///
    /// # Errors
    /// [`StorageError::Erased`] after the enrolment has ended, [`StorageError::Seal`] if the row
    /// was moved or changed.
    pub async fn get(
        &mut self,
        id: EnrolmentId,
        name: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let (key, row) = (self.data_key(id).await?, id.to_string());
        let found = sqlx::query("SELECT bytes FROM sealed WHERE enrolment = $1 AND name = $2")
            .bind(row.clone())
            .bind(name.to_owned())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let bytes: Vec<u8> = found.try_get("bytes")?;
        let place = Place { table: "sealed", row: &row, column: name };
        Ok(Some(key.open(place, &bytes)?))
    }

    /// Removes the value under `name`, if there is one.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn remove(&mut self, id: EnrolmentId, name: &str) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM sealed WHERE enrolment = $1 AND name = $2")
            .bind(id.to_string())
            .bind(name.to_owned())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Erases the enrolment's personal data: key first, then what it sealed, then
    /// what opens it.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn erase(&mut self, id: EnrolmentId) -> Result<(), StorageError> {
        for statement in [
            "DELETE FROM data_keys WHERE enrolment = $1",
            "DELETE FROM sealed WHERE enrolment = $1",
            "DELETE FROM tickets WHERE enrolment = $1",
            "DELETE FROM booking_references WHERE enrolment = $1",
        ] {
            sqlx::query(statement).bind(id.to_string()).execute(&mut *self.inner).await?;
        }
        Ok(())
    }
}
