//! Whom an organisation knows under which identifier, and the personal number of whom an identity is of, kept
//! as long as the identity may be used.

use super::{StorageError, Tx};
use crate::ids::IdentityId;
use crate::seal::Place;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// What the register knows a person by, and whether they are protected. Personal data: `Debug` shows none.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalNumber {
    /// The number; nobody has one who was enrolled by a P-code.
    pub cpr: Option<String>,
    /// Whether name and address were protected when the identity was issued.
    pub protected: bool,
}

impl std::fmt::Debug for PersonalNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonalNumber(…)")
    }
}

impl Drop for PersonalNumber {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.cpr);
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "personal_numbers", row, column: "sealed" }
}

impl Tx {
    /// Keeps the number of whom an identity is of, in place of what was kept before.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_number(
        &mut self,
        identity: IdentityId,
        number: &PersonalNumber,
    ) -> Result<(), StorageError> {
        let row = identity.to_string();
        let plain = Zeroizing::new(serde_json::to_vec(number)?);
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), &plain)?;
        sqlx::query(
            "INSERT INTO personal_numbers (identity, sealed) VALUES ($1, $2)
             ON CONFLICT (identity) DO UPDATE SET sealed = excluded.sealed, erase_at = NULL",
        )
        .bind(row)
        .bind(sealed)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The number of whom an identity is of, if it was kept.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn number(
        &mut self,
        identity: IdentityId,
    ) -> Result<Option<PersonalNumber>, StorageError> {
        let row = identity.to_string();
        let found = sqlx::query("SELECT sealed FROM personal_numbers WHERE identity = $1")
            .bind(row.clone())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let sealed: Vec<u8> = found.try_get("sealed")?;
        let plain = self.store.keys.master().open(place(&row), &sealed)?;
        Ok(Some(serde_json::from_slice(&plain)?))
    }

    /// Says when the number of an identity is erased: nothing while it can be used.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn keep_number(
        &mut self,
        identity: IdentityId,
        until: Option<OffsetDateTime>,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE personal_numbers SET erase_at = $1 WHERE identity = $2")
            .bind(until.map(OffsetDateTime::unix_timestamp))
            .bind(identity.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Erases the number of an identity. `false` if there was none.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn erase_number(&mut self, identity: IdentityId) -> Result<bool, StorageError> {
        let done = sqlx::query("DELETE FROM personal_numbers WHERE identity = $1")
            .bind(identity.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Erases the numbers that are kept no longer at `now`. Returns whose.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn erase_numbers(
        &mut self,
        now: OffsetDateTime,
    ) -> Result<Vec<IdentityId>, StorageError> {
        let impossible =
            |_| StorageError::ImpossibleRow { table: "personal_numbers", column: "identity" };
        let rows =
            sqlx::query("DELETE FROM personal_numbers WHERE erase_at <= $1 RETURNING identity")
                .bind(now.unix_timestamp())
                .fetch_all(&mut *self.inner)
                .await?;
        let read = |row: &AnyRow| row.try_get::<String, _>("identity")?.parse().map_err(impossible);
        rows.iter().map(read).collect()
    }

    /// Whether a person's number has this keyed hash (`person`).
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn is_person(
        &mut self,
        identity: IdentityId,
        person: &[u8; 32],
    ) -> Result<bool, StorageError> {
        let found = sqlx::query("SELECT person_hash FROM identities WHERE id = $1")
            .bind(identity.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(found) = found else { return Ok(false) };
        let known: Vec<u8> = found.try_get("person_hash")?;
        Ok(known.len() == person.len() && openssl::memcmp::eq(&known, person))
    }

    /// Keeps under which identifier an organisation knows an identity.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn put_subject(
        &mut self,
        (organisation, subject): (&str, &str),
        identity: IdentityId,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO subjects (sector, subject, identity) VALUES ($1, $2, $3)
             ON CONFLICT (sector, subject) DO NOTHING",
        )
        .bind(organisation.to_owned())
        .bind(subject.to_owned())
        .bind(identity.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The organisations that know an identity, and by what.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn subjects(
        &mut self,
        identity: IdentityId,
    ) -> Result<Vec<(String, String)>, StorageError> {
        let rows = sqlx::query(
            "SELECT sector, subject FROM subjects WHERE identity = $1 ORDER BY sector, subject",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("sector")?, row.try_get("subject")?))).collect()
    }

    /// The identity that an organisation knows as `subject`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn subject(
        &mut self,
        organisation: &str,
        subject: &str,
    ) -> Result<Option<IdentityId>, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "subjects", column: "identity" };
        let found = sqlx::query("SELECT identity FROM subjects WHERE sector = $1 AND subject = $2")
            .bind(organisation.to_owned())
            .bind(subject.to_owned())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(row) = found else { return Ok(None) };
        row.try_get::<String, _>("identity")?.parse().map(Some).map_err(|_| impossible)
    }
}
