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

/// A password of which it is not known at what cost it was made.
pub struct Unpriced {
    /// Whose.
    pub identity: IdentityId,
    /// What it is compared with, if that opens.
    pub hash: Option<Zeroizing<Vec<u8>>>,
    /// The same, as it is kept.
    sealed: Vec<u8>,
}

impl std::fmt::Debug for Unpriced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unpriced({})", self.identity)
    }
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
    /// Keeps what a new password is compared with, and at what cost it was made (`m=19456,t=2,p=1`); the tries of
    /// the one before are over.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_password(
        &mut self,
        identity: IdentityId,
        (hash, cost): (&[u8], &str),
    ) -> Result<(), StorageError> {
        let row = identity.to_string();
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), hash)?;
        sqlx::query(
            "INSERT INTO passwords (identity, sealed, cost, tries, untold)
             VALUES ($1, $2, $3, $4, NULL)
             ON CONFLICT (identity) DO UPDATE SET sealed = excluded.sealed,
               cost = excluded.cost, tries = excluded.tries, untold = NULL",
        )
        .bind(row)
        .bind(sealed)
        .bind(cost.to_owned())
        .bind(serde_json::to_string(&Tries::default())?)
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Keeps what the same password is compared with at another cost. The tries stay.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_password_anew(
        &mut self,
        identity: IdentityId,
        (hash, cost): (&[u8], &str),
    ) -> Result<(), StorageError> {
        let row = identity.to_string();
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), hash)?;
        sqlx::query("UPDATE passwords SET sealed = $1, cost = $2 WHERE identity = $3")
            .bind(sealed)
            .bind(cost.to_owned())
            .bind(row)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// What passwords are compared with whose cost is not known (`''`), of the identities after `after` and at most
    /// `most`; nothing for one that does not open.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn passwords_of_no_cost(
        &mut self,
        after: Option<IdentityId>,
        most: i64,
    ) -> Result<Vec<Unpriced>, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "passwords", column: "identity" };
        let rows = sqlx::query(
            "SELECT identity, sealed FROM passwords WHERE cost = '' AND identity > $1
             ORDER BY identity LIMIT $2",
        )
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(most)
        .fetch_all(&mut *self.inner)
        .await?;
        let mut found = Vec::new();
        for row in rows {
            let (id, sealed): (String, Vec<u8>) =
                (row.try_get("identity")?, row.try_get("sealed")?);
            let Ok(identity) = id.parse() else { return Err(impossible) };
            let hash = self.open(place(&id), &sealed).ok();
            found.push(Unpriced { identity, hash, sealed });
        }
        Ok(found)
    }

    /// Sets a password as a server of before does, which knows of no costs.
    #[cfg(test)]
    pub(crate) async fn put_password_as_before(&mut self, identity: IdentityId, hash: &[u8]) {
        let row = identity.to_string();
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), hash).unwrap();
        let set = "INSERT INTO passwords (identity, sealed, tries) VALUES ($1, $2, $3)
             ON CONFLICT (identity) DO UPDATE SET sealed = excluded.sealed, tries = excluded.tries";
        sqlx::query(set)
            .bind(row)
            .bind(sealed)
            .bind(serde_json::to_string(&Tries::default()).unwrap())
            .execute(&mut *self.inner)
            .await
            .unwrap();
    }

    /// Fills in the cost of a password where it is not known. One that was set since it was read stays as it is.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn know_cost(&mut self, of: &Unpriced, cost: &str) -> Result<(), StorageError> {
        let fill =
            "UPDATE passwords SET cost = $1 WHERE identity = $2 AND cost = '' AND sealed = $3";
        sqlx::query(fill)
            .bind(cost.to_owned())
            .bind(of.identity.to_string())
            .bind(of.sealed.clone())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Each cost that a password is known to be kept at: as many questions, of an index, as there are costs, and one.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn password_costs(&mut self) -> Result<Vec<String>, StorageError> {
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().cloned().unwrap_or_default();
            let next = "SELECT cost FROM passwords WHERE cost > $1 ORDER BY cost LIMIT 1";
            let row = sqlx::query(next).bind(after).fetch_optional(&mut *self.inner).await?;
            let Some(row) = row else { return Ok(found) };
            found.push(row.try_get("cost")?);
        }
    }

    /// The password of an identity, if it has one; as much work where it has none (G4).
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
        let Some(found) = found else {
            self.open_nothing();
            return Ok(None);
        };
        let sealed: Vec<u8> = found.try_get("sealed")?;
        let hash = self.open(place(&row), &sealed)?;
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

    /// Holds a user ID, of somebody or of nobody: of several tries at once one is made after another, whoever it is
    /// of (G4). Held before any row. SQLite has one writer at a time.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn hold_user_id(&mut self, user_hash: &[u8; 32]) -> Result<(), StorageError> {
        if self.store.dialect == Dialect::Postgres {
            let [a, b, c, d, e, f, g, h, ..] = *user_hash;
            // As text: the answer has a type that is none.
            sqlx::query("SELECT pg_advisory_xact_lock($1)::text")
                .bind(i64::from_be_bytes([a, b, c, d, e, f, g, h]))
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }

    /// Whose user ID has this keyed hash, with their profile held; one question and as much work, whether there is
    /// one or not (G4).
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
        match found {
            Some(row) => self.profile_in(&row).map(Some),
            None => {
                self.open_nothing();
                Ok(None)
            }
        }
    }

    /// Counts a try of a code on the page of a log-in; how many there were with it. Nothing after `most`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn count_try(&mut self, id: LogInId, most: u16) -> Result<Option<i64>, StorageError> {
        let count = "UPDATE log_ins SET tries = tries + 1 WHERE id = $1 AND tries < $2
             RETURNING tries";
        let row = sqlx::query(count)
            .bind(id.to_string())
            .bind(i64::from(most))
            .fetch_optional(&mut *self.inner)
            .await?;
        Ok(row.map(|row| row.try_get("tries")).transpose()?)
    }
}
