//! P-codes (A4), found by a keyed hash; whose one is lies sealed under the master key.

use super::{Dialect, StorageError, Tx};
use crate::ids::{IdentityId, PCodeId};
use crate::seal::Place;
use enroll_core::p_code::Issued;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::fmt;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A P-code as it is stored. `Debug` does not show whose it is.
pub struct PCodeRow {
    /// Which.
    pub id: PCodeId,
    /// Where it stands.
    pub state: Issued,
    /// Whose it is.
    pub subject: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for PCodeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PCodeRow({})", self.id)
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "p_codes", row, column: "sealed" }
}

impl Tx {
    /// Adds a code that `officer` issues to the person with the keyed hash `person`. `false` if there is the same code already.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_p_code(
        &mut self,
        hash: &[u8; 32],
        (new, person): (&PCodeRow, &[u8; 32]),
        (officer, now): (&str, OffsetDateTime),
    ) -> Result<bool, StorageError> {
        let (row, entropy) = (new.id.to_string(), self.store.entropy.clone());
        let place = place(&row);
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place, &new.subject)?;
        let added = sqlx::query(
            "INSERT INTO p_codes (id, hash, record, officer, sealed, created_at, person_hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(row)
        .bind(hash.to_vec())
        .bind(serde_json::to_string(&new.state)?)
        .bind(officer.to_owned())
        .bind(sealed)
        .bind(now.unix_timestamp())
        .bind(person.to_vec())
        .execute(&mut *self.inner)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// The code of this hash, which nobody else changes before this unit of work ends.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_p_code(&mut self, hash: &[u8; 32]) -> Result<Option<PCodeRow>, StorageError> {
        let select = match self.store.dialect {
            Dialect::Sqlite => "SELECT id, record, sealed FROM p_codes WHERE hash = $1",
            Dialect::Postgres => {
                "SELECT id, record, sealed FROM p_codes WHERE hash = $1 FOR UPDATE"
            }
        };
        let found =
            sqlx::query(select).bind(hash.to_vec()).fetch_optional(&mut *self.inner).await?;
        found.map(|row| self.p_code(&row)).transpose()
    }

    /// The same by its identifier.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_p_code_of(&mut self, id: PCodeId) -> Result<Option<PCodeRow>, StorageError> {
        let select = match self.store.dialect {
            Dialect::Sqlite => "SELECT id, record, sealed FROM p_codes WHERE id = $1",
            Dialect::Postgres => "SELECT id, record, sealed FROM p_codes WHERE id = $1 FOR UPDATE",
        };
        let found =
            sqlx::query(select).bind(id.to_string()).fetch_optional(&mut *self.inner).await?;
        found.map(|row| self.p_code(&row)).transpose()
    }

    /// The first code that was issued to a person.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn first_p_code(
        &mut self,
        person: &[u8; 32],
    ) -> Result<Option<PCodeRow>, StorageError> {
        let found = sqlx::query(
            "SELECT id, record, sealed FROM p_codes WHERE person_hash = $1
             ORDER BY created_at, id LIMIT 1",
        )
        .bind(person.to_vec())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.map(|row| self.p_code(&row)).transpose()
    }

    /// The codes that were issued to the person of an identity, oldest first, each with who issued it and when.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn p_codes_of(
        &mut self,
        identity: IdentityId,
    ) -> Result<Vec<(PCodeRow, String, OffsetDateTime)>, StorageError> {
        let impossible = || StorageError::ImpossibleRow { table: "p_codes", column: "created_at" };
        let rows = sqlx::query(
            "SELECT id, record, sealed, officer, created_at FROM p_codes
             WHERE person_hash = (SELECT person_hash FROM identities WHERE id = $1)
             ORDER BY created_at, id",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        let read = |row: &AnyRow| {
            let at = OffsetDateTime::from_unix_timestamp(row.try_get("created_at")?);
            Ok((self.p_code(row)?, row.try_get("officer")?, at.map_err(|_| impossible())?))
        };
        rows.iter().map(read).collect()
    }

    fn p_code(&self, row: &AnyRow) -> Result<PCodeRow, StorageError> {
        let impossible = |column| StorageError::ImpossibleRow { table: "p_codes", column };
        let name: String = row.try_get("id")?;
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let subject = self.store.keys.master().open(place(&name), &sealed)?;
        let record: String = row.try_get("record")?;
        Ok(PCodeRow {
            id: name.parse().map_err(|_| impossible("id"))?,
            state: serde_json::from_str(&record).map_err(|_| impossible("record"))?,
            subject,
        })
    }

    /// Seals `subject` in place of whose a code is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_p_code_subject(
        &mut self,
        id: PCodeId,
        subject: &[u8],
    ) -> Result<(), StorageError> {
        let (row, entropy) = (id.to_string(), self.store.entropy.clone());
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), subject)?;
        sqlx::query("UPDATE p_codes SET sealed = $1 WHERE id = $2")
            .bind(sealed)
            .bind(row)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Writes the state of a code that this unit of work holds.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn save_p_code(&mut self, code: &PCodeRow) -> Result<(), StorageError> {
        sqlx::query("UPDATE p_codes SET record = $1 WHERE id = $2")
            .bind(serde_json::to_string(&code.state)?)
            .bind(code.id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}
