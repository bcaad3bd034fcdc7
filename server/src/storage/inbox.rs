//! Notices to the apps of an identity (E7), sealed under the master key.

use super::{StorageError, Tx};
use crate::ids::{IdentityId, MessageId};
use crate::seal::Place;
use sqlx::Row;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// A notice as it is kept.
#[derive(Debug)]
pub struct Kept {
    /// Which.
    pub id: MessageId,
    /// When it was sent.
    pub at: OffsetDateTime,
    /// The notice.
    pub payload: Zeroizing<Vec<u8>>,
}

fn place(row: &str) -> Place<'_> {
    Place { table: "inbox", row, column: "sealed" }
}

impl Tx {
    /// Keeps a notice for the apps of `identity`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_notice(
        &mut self,
        identity: IdentityId,
        payload: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        let entropy = self.store.entropy.clone();
        let row = MessageId::random(entropy.as_ref())?.to_string();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), payload)?;
        sqlx::query("INSERT INTO inbox (id, identity, sealed, created_at) VALUES ($1, $2, $3, $4)")
            .bind(row)
            .bind(identity.to_string())
            .bind(sealed)
            .bind(now.unix_timestamp())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// The newest `limit` notices of `identity`, newest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn notices(
        &mut self,
        identity: IdentityId,
        limit: i64,
    ) -> Result<Vec<Kept>, StorageError> {
        let impossible = |column| StorageError::ImpossibleRow { table: "inbox", column };
        let rows = sqlx::query(
            "SELECT id, sealed, created_at FROM inbox WHERE identity = $1
             ORDER BY created_at DESC, id LIMIT $2",
        )
        .bind(identity.to_string())
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        let mut found = Vec::new();
        for row in rows {
            let (name, sealed): (String, Vec<u8>) = (row.try_get("id")?, row.try_get("sealed")?);
            let payload = self.store.keys.master().open(place(&name), &sealed)?;
            let at = OffsetDateTime::from_unix_timestamp(row.try_get("created_at")?)
                .map_err(|_| impossible("created_at"))?;
            found.push(Kept { id: name.parse().map_err(|_| impossible("id"))?, at, payload });
        }
        Ok(found)
    }
}
