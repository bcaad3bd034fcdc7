//! Erasing an identity at the wish of its person: at once what nobody needs, and later what it rested on.

use super::{StorageError, Tx};
use crate::clock::random;
use crate::ids::IdentityId;
use crate::seal::Place;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;

/// What goes at once. What an app has signed is proved by its public key, which stays as long as the trail.
const AT_ONCE: [&str; 11] = [
    "DELETE FROM activities WHERE identity = $1",
    "DELETE FROM my_sessions WHERE identity = $1",
    "DELETE FROM inbox WHERE identity = $1",
    "DELETE FROM identity_blocks WHERE identity = $1",
    "DELETE FROM subjects WHERE identity = $1",
    "DELETE FROM personal_numbers WHERE identity = $1",
    "DELETE FROM passes WHERE authenticator IN (SELECT id FROM authenticators WHERE identity = $1)",
    "DELETE FROM passwords WHERE identity = $1",
    "DELETE FROM code_device_blocks WHERE device IN (SELECT id FROM code_devices WHERE identity = $1)",
    "UPDATE log_ins SET network = NULL, user_hash = NULL WHERE identity = $1",
    "UPDATE authenticators SET pin = NULL, used_at = NULL WHERE identity = $1",
];

/// What the law asks for, once its time is over. P-codes and the document are found by the same person, who may have
/// another identity now, or be about to: then they are that one's, and so is a P-code of after the erasure.
const LATER: [&str; 5] = [
    "DELETE FROM p_codes WHERE person_hash IN (SELECT person_hash FROM documents WHERE identity = $1)
       AND person_hash NOT IN (SELECT person_hash FROM identities)
       AND created_at <= (SELECT erased_at FROM erasures WHERE identity = $1)",
    "DELETE FROM rulings WHERE enrolment IN (SELECT enrolment FROM evidence WHERE identity = $1)",
    "DELETE FROM evidence WHERE identity = $1",
    "DELETE FROM documents WHERE identity = $1",
    "DELETE FROM rulings WHERE identity = $1",
];

impl Tx {
    /// Holds the row of an identity, before the trail: whoever writes what names it, or issues it anew, comes before or
    /// after. Its profile and log-ins are held before it.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn hold_identity(&mut self, identity: IdentityId) -> Result<(), StorageError> {
        let lock = self.row_lock("");
        let query = format!("SELECT id FROM identities WHERE id = $1{lock}");
        sqlx::query(AssertSqlSafe(query))
            .bind(identity.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Erases what is kept of an identity for its person's use, in a unit of work that holds its profile, and
    /// keeps until `until` what its issuing rested on. The person may be issued another one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn erase_identity(
        &mut self,
        identity: IdentityId,
        (now, until): (OffsetDateTime, OffsetDateTime),
    ) -> Result<(), StorageError> {
        for statement in AT_ONCE {
            sqlx::query(statement).bind(identity.to_string()).execute(&mut *self.inner).await?;
        }
        // Nobody is found by it any more.
        let nobody: [u8; 32] = random(self.store.entropy.as_ref())?;
        sqlx::query("UPDATE identities SET person_hash = $1 WHERE id = $2")
            .bind(nobody.to_vec())
            .bind(identity.to_string())
            .execute(&mut *self.inner)
            .await?;
        sqlx::query(
            "INSERT INTO erasures (identity, erased_at, keep_until) VALUES ($1, $2, $3)
             ON CONFLICT (identity) DO NOTHING",
        )
        .bind(identity.to_string())
        .bind(now.unix_timestamp())
        .bind(until.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Erases what erased identities rested on, where its time is over at `now`: the evidence, the document's
    /// hash, what officers wrote, and the signed record. Returns whose.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn erase_evidence(
        &mut self,
        now: OffsetDateTime,
    ) -> Result<Vec<IdentityId>, StorageError> {
        let impossible = |_| StorageError::ImpossibleRow { table: "erasures", column: "identity" };
        let rows = sqlx::query(
            "UPDATE erasures SET keep_until = NULL WHERE keep_until <= $1 RETURNING identity",
        )
        .bind(now.unix_timestamp())
        .fetch_all(&mut *self.inner)
        .await?;
        let name = |row: &AnyRow| row.try_get::<String, _>("identity");
        let names = rows.iter().map(name).collect::<Result<Vec<_>, _>>()?;
        for name in &names {
            for statement in LATER {
                sqlx::query(statement).bind(name.clone()).execute(&mut *self.inner).await?;
            }
            let place = Place { table: "identities", row: name, column: "sealed" };
            let entropy = self.store.entropy.clone();
            let nothing = self.store.keys.master().seal(entropy.as_ref(), place, b"{}")?;
            sqlx::query("UPDATE identities SET sealed = $1 WHERE id = $2")
                .bind(nothing)
                .bind(name.clone())
                .execute(&mut *self.inner)
                .await?;
        }
        names.iter().map(|name| name.parse().map_err(impossible)).collect()
    }
}
