//! Log-ins: one row from the pushed request to the end of the session. Every secret that opens a step of it
//! is kept as its hash alone (STYLE 18); the request is sealed under the master key.

use super::{Dialect, StorageError, Tx};
use crate::clock::random;
use crate::ids::{IdentityId, LogInId};
use crate::oidc::{LogIn, Request};
use crate::seal::Place;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;

/// A secret that opens one step of a log-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opens {
    /// The pushed request (`request_uri`, RFC 9126 §2.2), or what a relying party polls with
    /// (`auth_req_id`, CIBA §7.3).
    Request,
    /// The browser that shows it.
    Browser,
    /// The app on the device of that browser.
    Switch,
    /// The authorization code.
    Code,
    /// The access token.
    Token,
}

impl Opens {
    fn column(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Browser => "browser",
            Self::Switch => "switch",
            Self::Code => "code",
            Self::Token => "token",
        }
    }
}

/// A log-in as it is stored.
#[derive(Debug, Clone)]
pub struct LogInRow {
    /// Which.
    pub id: LogInId,
    /// Whose request it is.
    pub client_id: String,
    /// The keyed hash of the user ID that was typed, or of the person's.
    pub user_hash: Option<Vec<u8>>,
    /// What was asked for.
    pub request: Request,
    /// Where it stands.
    pub state: LogIn,
    /// When what it waits for is late, or its session ends.
    pub expires: OffsetDateTime,
    /// The network of the browser in which it began, as far as is known: personal data.
    pub network: Option<String>,
}

fn place(row: &str) -> Place<'_> {
    Place { table: "log_ins", row, column: "sealed" }
}

fn network_place(row: &str) -> Place<'_> {
    Place { table: "log_ins", row, column: "network" }
}

const COLUMNS: &str = "id, client_id, user_hash, sealed, state, expires_at, network";

impl Tx {
    /// Stores a new log-in that `hash` opens.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn insert_log_in(
        &mut self,
        new: &LogInRow,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        let row = new.id.to_string();
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&new.request)?);
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), &plain)?;
        sqlx::query(
            "INSERT INTO log_ins (id, client_id, request, user_hash, identity, sealed, state,
               expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(row)
        .bind(new.client_id.clone())
        .bind(hash.to_vec())
        .bind(new.user_hash.clone())
        .bind(new.state.identity().map(|id| id.to_string()))
        .bind(sealed)
        .bind(serde_json::to_string(&new.state)?)
        .bind(new.expires.unix_timestamp())
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Writes a log-in that this unit of work holds. The person of one that has ended is kept with it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn save_log_in(&mut self, row: &LogInRow) -> Result<(), StorageError> {
        sqlx::query(
            "UPDATE log_ins SET user_hash = $1, identity = COALESCE($2, identity), state = $3,
               expires_at = $4 WHERE id = $5",
        )
        .bind(row.user_hash.clone())
        .bind(row.state.identity().map(|id| id.to_string()))
        .bind(serde_json::to_string(&row.state)?)
        .bind(row.expires.unix_timestamp())
        .bind(row.id.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Keeps the network of the browser in which a log-in begins, once.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn place_log_in(&mut self, id: LogInId, network: &str) -> Result<(), StorageError> {
        let (row, entropy) = (id.to_string(), self.store.entropy.clone());
        let place = network_place(&row);
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place, network.as_bytes())?;
        sqlx::query("UPDATE log_ins SET network = $1 WHERE id = $2")
            .bind(sealed)
            .bind(row.clone())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Lets `hash` open a step of a log-in, in place of what opened it before.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn opens_log_in(
        &mut self,
        id: LogInId,
        opens: Opens,
        hash: &[u8; 32],
    ) -> Result<(), StorageError> {
        let column = opens.column();
        sqlx::query(AssertSqlSafe(format!("UPDATE log_ins SET {column} = $1 WHERE id = $2")))
            .bind(hash.to_vec())
            .bind(id.to_string())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Lets `hash` open that step of a log-in no more.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn close_log_in(
        &mut self,
        id: LogInId,
        opens: Opens,
        hash: &[u8; 32],
    ) -> Result<(), StorageError> {
        let column = opens.column();
        let query = format!("UPDATE log_ins SET {column} = NULL WHERE id = $1 AND {column} = $2");
        sqlx::query(AssertSqlSafe(query))
            .bind(id.to_string())
            .bind(hash.to_vec())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// The log-in that `hash` opens, and whose it is, as far as is known; nobody holds it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn find_log_in(
        &mut self,
        opens: Opens,
        hash: &[u8; 32],
    ) -> Result<Option<LogInRow>, StorageError> {
        let column = opens.column();
        let query = format!("SELECT {COLUMNS} FROM log_ins WHERE {column} = $1");
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(hash.to_vec())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map(|row| self.log_in(&row)).transpose()
    }

    /// A log-in as it is now, held by nobody.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn seen_log_in(&mut self, id: LogInId) -> Result<Option<LogInRow>, StorageError> {
        let query = format!("SELECT {COLUMNS} FROM log_ins WHERE id = $1");
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(id.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map(|row| self.log_in(&row)).transpose()
    }

    /// A log-in, which nobody else changes before this unit of work ends. Where the profile of its person is
    /// held too, that is held first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_log_in(&mut self, id: LogInId) -> Result<Option<LogInRow>, StorageError> {
        let lock = self.lock();
        let query = format!("SELECT {COLUMNS} FROM log_ins WHERE id = $1{lock}");
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(id.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map(|row| self.log_in(&row)).transpose()
    }

    /// Every log-in of an identity that has not ended, held in the order of their identifiers: whoever holds
    /// several does so in this order.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_log_ins(
        &mut self,
        identity: IdentityId,
        now: OffsetDateTime,
    ) -> Result<Vec<LogInRow>, StorageError> {
        let lock = self.lock();
        self.living(identity, now, lock).await
    }

    /// The same, held by nobody.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn log_ins(
        &mut self,
        identity: IdentityId,
        now: OffsetDateTime,
    ) -> Result<Vec<LogInRow>, StorageError> {
        self.living(identity, now, "").await
    }

    async fn living(
        &mut self,
        identity: IdentityId,
        now: OffsetDateTime,
        lock: &str,
    ) -> Result<Vec<LogInRow>, StorageError> {
        let query = format!(
            "SELECT {COLUMNS} FROM log_ins WHERE identity = $1 AND expires_at >= $2
             ORDER BY id{lock}"
        );
        let rows = sqlx::query(AssertSqlSafe(query))
            .bind(identity.to_string())
            .bind(now.unix_timestamp())
            .fetch_all(&mut *self.inner)
            .await?;
        let mut found = Vec::new();
        for row in rows {
            let row = self.log_in(&row)?;
            if !matches!(row.state, LogIn::Ended { .. }) {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// Leaves the pages on which a user ID was typed to nobody: no person's app fits them any more. They go
    /// on showing what they did, so that whoever typed it learns nothing (G4).
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn disown_pages(&mut self, user_hash: &[u8; 32]) -> Result<(), StorageError> {
        let nobody: [u8; 32] = random(self.store.entropy.as_ref())?;
        sqlx::query("UPDATE log_ins SET user_hash = $1 WHERE user_hash = $2 AND identity IS NULL")
            .bind(nobody.to_vec())
            .bind(user_hash.to_vec())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Forgets log-ins, and what was signed for one use, that are over at `now`. Returns how many.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn forget_log_ins(&mut self, now: OffsetDateTime) -> Result<u64, StorageError> {
        let mut forgotten = 0;
        for query in [
            "DELETE FROM log_ins WHERE expires_at < $1",
            "DELETE FROM client_assertions WHERE expires_at < $1",
        ] {
            let done =
                sqlx::query(query).bind(now.unix_timestamp()).execute(&mut *self.inner).await?;
            forgotten += done.rows_affected();
        }
        Ok(forgotten)
    }

    fn lock(&self) -> &'static str {
        match self.store.dialect {
            Dialect::Sqlite => "",
            Dialect::Postgres => " FOR UPDATE",
        }
    }

    fn log_in(&self, row: &AnyRow) -> Result<LogInRow, StorageError> {
        let impossible = |column| StorageError::ImpossibleRow { table: "log_ins", column };
        let time = |column| {
            let at = OffsetDateTime::from_unix_timestamp(row.try_get(column)?);
            at.map_err(|_| impossible(column))
        };
        let (name, sealed): (String, Vec<u8>) = (row.try_get("id")?, row.try_get("sealed")?);
        let request = self.store.keys.master().open(place(&name), &sealed)?;
        let state: String = row.try_get("state")?;
        let network: Option<Vec<u8>> = row.try_get("network")?;
        let open = |sealed: Vec<u8>| self.store.keys.master().open(network_place(&name), &sealed);
        let network = network.map(open).transpose()?;
        let text = |plain: zeroize::Zeroizing<Vec<u8>>| String::from_utf8(plain.to_vec());
        let network = network.map(text).transpose().map_err(|_| impossible("network"))?;
        Ok(LogInRow {
            id: name.parse().map_err(|_| impossible("id"))?,
            client_id: row.try_get("client_id")?,
            user_hash: row.try_get("user_hash")?,
            request: serde_json::from_slice(&request).map_err(|_| impossible("sealed"))?,
            state: serde_json::from_str(&state).map_err(|_| impossible("state"))?,
            expires: time("expires_at")?,
            network,
        })
    }
}
