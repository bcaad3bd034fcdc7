//! Relying parties, and which of the tokens that they signed for one use were used.

use super::{StorageError, Tx};
use crate::oidc::RelyingParty;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

/// A relying party as it is stored.
#[derive(Debug, Clone)]
pub struct RelyingPartyRow {
    /// Its registration.
    pub party: RelyingParty,
    /// When it was disabled, if it was.
    pub disabled: Option<OffsetDateTime>,
    /// When it was added.
    pub created: OffsetDateTime,
}

impl Tx {
    /// Adds a relying party. `false` if there is one with its identifier.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_relying_party(
        &mut self,
        party: &RelyingParty,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let done = sqlx::query(
            "INSERT INTO relying_parties (client_id, record, disabled_at, created_at)
             VALUES ($1, $2, NULL, $3) ON CONFLICT (client_id) DO NOTHING",
        )
        .bind(party.client_id.clone())
        .bind(serde_json::to_string(party)?)
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Adds a relying party, in the place of one with its identifier.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_relying_party(
        &mut self,
        party: &RelyingParty,
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO relying_parties (client_id, record, disabled_at, created_at)
             VALUES ($1, $2, NULL, $3)
             ON CONFLICT (client_id) DO UPDATE SET record = excluded.record, disabled_at = NULL",
        )
        .bind(party.client_id.clone())
        .bind(serde_json::to_string(party)?)
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// A relying party.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn relying_party(
        &mut self,
        client_id: &str,
    ) -> Result<Option<RelyingPartyRow>, StorageError> {
        let found = sqlx::query(
            "SELECT record, disabled_at, created_at FROM relying_parties WHERE client_id = $1",
        )
        .bind(client_id.to_owned())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.as_ref().map(read).transpose()
    }

    /// All of them, by identifier.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn relying_parties(&mut self) -> Result<Vec<RelyingPartyRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT record, disabled_at, created_at FROM relying_parties ORDER BY client_id",
        )
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Disables one. `false` if there is none, or it was.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn disable_relying_party(
        &mut self,
        client_id: &str,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let done = sqlx::query(
            "UPDATE relying_parties SET disabled_at = $1 WHERE client_id = $2 AND disabled_at IS NULL",
        )
        .bind(now.unix_timestamp())
        .bind(client_id.to_owned())
        .execute(&mut *self.inner)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes note of what a relying party signed for one use, a client assertion, a proof of its key or a request,
    /// and can be used until `expires`. `false` if it was used. The kinds are told apart by what is hashed:
    /// `CLIENT\nJTI`, `dpop\nKEY\nJTI` and `request\nCLIENT\nJTI`, where no part ends a line (`jose::identifier`).
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn use_once(
        &mut self,
        hash: &[u8; 32],
        expires: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let done = sqlx::query(
            "INSERT INTO client_assertions (hash, expires_at) VALUES ($1, $2)
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(hash.to_vec())
        .bind(expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> Result<RelyingPartyRow, StorageError> {
    let impossible = |column| StorageError::ImpossibleRow { table: "relying_parties", column };
    let time =
        |at: i64, column| OffsetDateTime::from_unix_timestamp(at).map_err(|_| impossible(column));
    let record: String = row.try_get("record")?;
    let disabled: Option<i64> = row.try_get("disabled_at")?;
    Ok(RelyingPartyRow {
        party: serde_json::from_str(&record).map_err(|_| impossible("record"))?,
        disabled: disabled.map(|at| time(at, "disabled_at")).transpose()?,
        created: time(row.try_get("created_at")?, "created_at")?,
    })
}
