//! Apps of identities: the public key of the device, the state, and the PIN's hash, sealed.

use super::{StorageError, Tx};
use crate::ids::{AuthenticatorId, IdentityId};
use crate::seal::Place;
use enroll_core::activation::Authenticator;
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::HashMap;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// One app as it is stored.
#[derive(Debug, Clone)]
pub struct AuthenticatorRow {
    /// Which.
    pub id: AuthenticatorId,
    /// Whose.
    pub identity: IdentityId,
    /// The raw public key of the device.
    pub public_key: Vec<u8>,
    /// What the device signs to be activated; for a copied one, the hash of the QR code.
    pub challenge: String,
    /// Where it stands.
    pub state: Authenticator,
    /// When it was first seen.
    pub created: OffsetDateTime,
}

fn place(row: &str) -> Place<'_> {
    Place { table: "authenticators", row, column: "pin" }
}

impl Tx {
    /// Stores a new app.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn insert_authenticator(
        &mut self,
        new: &AuthenticatorRow,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO authenticators (id, identity, public_key, challenge, record, pin, created_at)
             VALUES ($1, $2, $3, $4, $5, NULL, $6)",
        )
        .bind(new.id.to_string())
        .bind(new.identity.to_string())
        .bind(new.public_key.clone())
        .bind(new.challenge.clone())
        .bind(serde_json::to_string(&new.state)?)
        .bind(new.created.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Writes an app's state.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn save_authenticator(
        &mut self,
        changed: &AuthenticatorRow,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE authenticators SET record = $1 WHERE id = $2")
            .bind(serde_json::to_string(&changed.state)?)
            .bind(changed.id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// An app.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn authenticator(
        &mut self,
        id: AuthenticatorId,
    ) -> Result<Option<AuthenticatorRow>, StorageError> {
        let found = sqlx::query(
            "SELECT id, identity, public_key, challenge, record, created_at FROM authenticators
             WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.as_ref().map(read).transpose()
    }

    /// The app of the device with `public_key` whose `challenge` is this one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn authenticator_of(
        &mut self,
        public_key: &[u8],
        challenge: &str,
    ) -> Result<Option<AuthenticatorRow>, StorageError> {
        let found = sqlx::query(
            "SELECT id, identity, public_key, challenge, record, created_at FROM authenticators
             WHERE public_key = $1 AND challenge = $2",
        )
        .bind(public_key.to_vec())
        .bind(challenge.to_owned())
        .fetch_optional(&mut *self.inner)
        .await?;
        found.as_ref().map(read).transpose()
    }

    /// All apps of an identity, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn authenticators(
        &mut self,
        identity: IdentityId,
    ) -> Result<Vec<AuthenticatorRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT id, identity, public_key, challenge, record, created_at FROM authenticators
             WHERE identity = $1 ORDER BY created_at, id",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Takes note that an app was used.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn app_used(
        &mut self,
        id: AuthenticatorId,
        at: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("UPDATE authenticators SET used_at = $1 WHERE id = $2")
            .bind(at.unix_timestamp())
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// When the apps of an identity were used last; none is there that was not.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn apps_used(
        &mut self,
        identity: IdentityId,
    ) -> Result<HashMap<AuthenticatorId, OffsetDateTime>, StorageError> {
        let impossible = |column| StorageError::ImpossibleRow { table: "authenticators", column };
        let rows = sqlx::query(
            "SELECT id, used_at FROM authenticators WHERE identity = $1 AND used_at IS NOT NULL",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        let mut used = HashMap::new();
        for row in rows {
            let id: String = row.try_get("id")?;
            let at = OffsetDateTime::from_unix_timestamp(row.try_get("used_at")?);
            let id = id.parse().map_err(|_| impossible("id"))?;
            used.insert(id, at.map_err(|_| impossible("used_at"))?);
        }
        Ok(used)
    }

    /// Keeps what a PIN is compared with.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_pin(&mut self, id: AuthenticatorId, pin: &[u8]) -> Result<(), StorageError> {
        let row = id.to_string();
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), pin)?;
        sqlx::query("UPDATE authenticators SET pin = $1 WHERE id = $2")
            .bind(sealed)
            .bind(row)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// What the app's PIN is compared with, if it has one.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn pin(
        &mut self,
        id: AuthenticatorId,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        let row = id.to_string();
        let found = sqlx::query("SELECT pin FROM authenticators WHERE id = $1")
            .bind(row.clone())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(found) = found else { return Ok(None) };
        let sealed: Option<Vec<u8>> = found.try_get("pin")?;
        let open = |sealed: Vec<u8>| self.store.keys.master().open(place(&row), &sealed);
        Ok(sealed.map(open).transpose()?)
    }
}

fn read(row: &AnyRow) -> Result<AuthenticatorRow, StorageError> {
    let impossible = |column| StorageError::ImpossibleRow { table: "authenticators", column };
    let text = |column| row.try_get::<String, _>(column);
    Ok(AuthenticatorRow {
        id: text("id")?.parse().map_err(|_| impossible("id"))?,
        identity: text("identity")?.parse().map_err(|_| impossible("identity"))?,
        public_key: row.try_get("public_key")?,
        challenge: text("challenge")?,
        state: serde_json::from_str(&text("record")?).map_err(|_| impossible("record"))?,
        created: OffsetDateTime::from_unix_timestamp(row.try_get("created_at")?)
            .map_err(|_| impossible("created_at"))?,
    })
}
