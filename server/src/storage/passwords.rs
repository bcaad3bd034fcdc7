//! Passwords beside code devices: what one is compared with, sealed, and the wrong tries.

use super::{Dialect, StorageError, Tx};
use crate::ids::{IdentityId, LogInId};
use crate::seal::Place;
use enroll_core::code_device::Tries;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A password as it is kept.
pub struct PasswordRow {
    /// What it is compared with.
    pub hash: Zeroizing<Vec<u8>>,
    /// The tries.
    pub tries: Tries,
}

impl std::fmt::Debug for PasswordRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasswordRow({:?})", self.tries)
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "passwords", row, column: "sealed" }
}

impl Tx {
    /// Keeps what a new password is compared with; the tries of the one before are over.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_password(
        &mut self,
        identity: IdentityId,
        hash: &[u8],
    ) -> Result<(), StorageError> {
        let row = identity.to_string();
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), hash)?;
        sqlx::query(
            "INSERT INTO passwords (identity, sealed, tries, untold) VALUES ($1, $2, $3, NULL)
             ON CONFLICT (identity) DO UPDATE SET sealed = excluded.sealed,
               tries = excluded.tries, untold = NULL",
        )
        .bind(row)
        .bind(sealed)
        .bind(serde_json::to_string(&Tries::default())?)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The password of an identity, if it has one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn password(
        &mut self,
        identity: IdentityId,
    ) -> Result<Option<PasswordRow>, StorageError> {
        let row = identity.to_string();
        let impossible = StorageError::ImpossibleRow { table: "passwords", column: "tries" };
        let found = sqlx::query("SELECT sealed, tries FROM passwords WHERE identity = $1")
            .bind(row.clone())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let sealed: Vec<u8> = found.try_get("sealed")?;
        let hash = self.store.keys.master().open(place(&row), &sealed)?;
        let tries: String = found.try_get("tries")?;
        let tries = serde_json::from_str(&tries).map_err(|_| impossible)?;
        Ok(Some(PasswordRow { hash, tries }))
    }

    /// Writes the tries of a person whose profile this unit of work holds. With `tell` they are to be told
    /// until when nothing is taken.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn save_tries(
        &mut self,
        identity: IdentityId,
        tries: &Tries,
        tell: bool,
    ) -> Result<(), StorageError> {
        let until = tries.until.filter(|_| tell).map(OffsetDateTime::unix_timestamp);
        sqlx::query(
            "UPDATE passwords SET tries = $1, untold = COALESCE($2, untold) WHERE identity = $3",
        )
        .bind(serde_json::to_string(tries)?)
        .bind(until)
        .bind(identity.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Whose passwords rest, and until when, who have not been told; at most `most`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn untold_rests(
        &mut self,
        most: i64,
    ) -> Result<Vec<(IdentityId, OffsetDateTime)>, StorageError> {
        let impossible = |column| StorageError::ImpossibleRow { table: "passwords", column };
        let rows = sqlx::query(
            "SELECT identity, untold FROM passwords WHERE untold IS NOT NULL ORDER BY untold LIMIT $1",
        )
        .bind(most)
        .fetch_all(&mut *self.inner)
        .await?;
        let mut found = Vec::new();
        for row in rows {
            let identity: String = row.try_get("identity")?;
            let until = OffsetDateTime::from_unix_timestamp(row.try_get("untold")?);
            found.push((
                identity.parse().map_err(|_| impossible("identity"))?,
                until.map_err(|_| impossible("untold"))?,
            ));
        }
        Ok(found)
    }

    /// The person has been told of the rest that ends at `until`. `false` if somebody else did, or if another
    /// one is to be told.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn told_rest(
        &mut self,
        identity: IdentityId,
        until: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let told =
            sqlx::query("UPDATE passwords SET untold = NULL WHERE identity = $1 AND untold = $2")
                .bind(identity.to_string())
                .bind(until.unix_timestamp())
                .execute(&mut *self.inner)
                .await?;
        Ok(told.rows_affected() == 1)
    }

    /// Whose user ID has this keyed hash, with their profile held; one question, whether there is one or not.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_profile_of(
        &mut self,
        user_hash: &[u8; 32],
    ) -> Result<Option<super::Profile>, StorageError> {
        let lock = match self.store.dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => " FOR UPDATE",
        };
        let query =
            format!("SELECT identity, sealed, life FROM profiles WHERE user_id_hash = $1{lock}");
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(user_hash.to_vec())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map(|row| self.profile_in(&row)).transpose()
    }

    /// Counts a try of a code on the page of a log-in that this unit of work holds; how many there were.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn count_try(&mut self, id: LogInId) -> Result<i64, StorageError> {
        let row = sqlx::query("UPDATE log_ins SET tries = tries + 1 WHERE id = $1 RETURNING tries")
            .bind(id.to_string())
            .fetch_one(&mut *self.inner)
            .await?;
        Ok(row.try_get("tries")?)
    }
}
