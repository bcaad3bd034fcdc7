//! Officers, their sessions, and what they ruled. Secrets and reasons are sealed under the master key;
//! tokens are hashes (STYLE 18).

use super::{Dialect, StorageError, Tx};
use crate::ids::{EnrolmentId, IdentityId, RulingId};
use crate::seal::Place;
use enroll_core::officer::Account;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::fmt;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// What an officer is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Cases, P-codes and blocked identities, at a Borgercenter.
    Borgercenter,
    /// Citizens who call: blocks, and has codes sent anew.
    Support,
}

impl Role {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Borgercenter => "borgercenter",
            Self::Support => "support",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Borgercenter, Self::Support].into_iter().find(|role| role.as_str() == name)
    }
}

/// An officer as they are stored. `Debug` shows no secret.
pub struct OfficerRow {
    /// Their name, which every record carries.
    pub name: String,
    /// What they are there for.
    pub role: Role,
    /// Whether they may sign in.
    pub account: Account,
    /// The password's hash and the secret of the one-time codes.
    pub secrets: Zeroizing<Vec<u8>>,
    /// Since when there is the account.
    pub created: OffsetDateTime,
}

impl fmt::Debug for OfficerRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OfficerRow({})", self.name)
    }
}

/// What an officer decided. `Debug` shows no reason.
pub struct RulingRow {
    /// Which.
    pub id: RulingId,
    /// Of which case, if of one.
    pub enrolment: Option<EnrolmentId>,
    /// Of which identity, if there is one.
    pub identity: Option<IdentityId>,
    /// Who.
    pub officer: String,
    /// Who vouched for the person, if somebody did.
    pub witness: Option<IdentityId>,
    /// What, and why.
    pub payload: Zeroizing<Vec<u8>>,
    /// When.
    pub at: OffsetDateTime,
}

impl fmt::Debug for RulingRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RulingRow({})", self.id)
    }
}

fn officer_place(row: &str) -> Place<'_> {
    Place { table: "officers", row, column: "sealed" }
}

fn ruling_place(row: &str) -> Place<'_> {
    Place { table: "rulings", row, column: "sealed" }
}

fn moment(row: &AnyRow, table: &'static str) -> Result<OffsetDateTime, StorageError> {
    OffsetDateTime::from_unix_timestamp(row.try_get("created_at")?)
        .map_err(|_| StorageError::ImpossibleRow { table, column: "created_at" })
}

impl Tx {
    /// Adds an officer. `false` if there is one of that name already.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_officer(&mut self, new: &OfficerRow) -> Result<bool, StorageError> {
        let entropy = self.store.entropy.clone();
        let place = officer_place(&new.name);
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place, &new.secrets)?;
        let added = sqlx::query(
            "INSERT INTO officers (name, record, sealed, created_at, role) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name) DO NOTHING",
        )
        .bind(new.name.clone())
        .bind(serde_json::to_string(&new.account)?)
        .bind(sealed)
        .bind(new.created.unix_timestamp())
        .bind(new.role.as_str())
        .execute(&mut *self.inner)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// An officer, whom nobody else changes before this unit of work ends.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_officer(&mut self, name: &str) -> Result<Option<OfficerRow>, StorageError> {
        let select = match self.store.dialect {
            Dialect::Sqlite => {
                "SELECT name, role, record, sealed, created_at FROM officers WHERE name = $1"
            }
            Dialect::Postgres => {
                "SELECT name, role, record, sealed, created_at FROM officers WHERE name = $1 FOR UPDATE"
            }
        };
        let found =
            sqlx::query(select).bind(name.to_owned()).fetch_optional(&mut *self.inner).await?;
        found.map(|row| self.officer(&row)).transpose()
    }

    /// All officers, by name.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn officers(&mut self) -> Result<Vec<OfficerRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT name, role, record, sealed, created_at FROM officers ORDER BY name",
        )
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| self.officer(row)).collect()
    }

    fn officer(&self, row: &AnyRow) -> Result<OfficerRow, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "officers", column: "record" };
        let name: String = row.try_get("name")?;
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let secrets = self.store.keys.master().open(officer_place(&name), &sealed)?;
        let record: String = row.try_get("record")?;
        let account = serde_json::from_str(&record).map_err(|_| impossible)?;
        let role = Role::named(&row.try_get::<String, _>("role")?);
        let role = role.ok_or(StorageError::ImpossibleRow { table: "officers", column: "role" })?;
        Ok(OfficerRow { name, role, account, secrets, created: moment(row, "officers")? })
    }

    /// Writes an officer's standing; the sessions of one who may not sign in end.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn save_officer(&mut self, officer: &OfficerRow) -> Result<(), StorageError> {
        sqlx::query("UPDATE officers SET record = $1 WHERE name = $2")
            .bind(serde_json::to_string(&officer.account)?)
            .bind(officer.name.clone())
            .execute(&mut *self.inner)
            .await?;
        if matches!(officer.account, Account::Disabled { .. }) {
            sqlx::query("DELETE FROM officer_sessions WHERE officer = $1")
                .bind(officer.name.clone())
                .execute(&mut *self.inner)
                .await?;
        }
        Ok(())
    }

    /// Signs an officer in.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_officer_session(
        &mut self,
        hash: &[u8; 32],
        officer: &str,
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query("INSERT INTO officer_sessions (hash, officer, expires_at) VALUES ($1, $2, $3)")
            .bind(hash.to_vec())
            .bind(officer.to_owned())
            .bind(expires.unix_timestamp())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Who is signed in with the token of this hash, what for, and until when.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn officer_of(
        &mut self,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<(String, Role, OffsetDateTime)>, StorageError> {
        let impossible = |table, column| StorageError::ImpossibleRow { table, column };
        let found = sqlx::query(
            "SELECT officer, role, officer_sessions.expires_at AS until
             FROM officer_sessions JOIN officers ON name = officer
             WHERE hash = $1 AND officer_sessions.expires_at > $2",
        )
        .bind(hash.to_vec())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let until = OffsetDateTime::from_unix_timestamp(row.try_get("until")?)
            .map_err(|_| impossible("officer_sessions", "expires_at"))?;
        let role = Role::named(&row.try_get::<String, _>("role")?)
            .ok_or_else(|| impossible("officers", "role"))?;
        Ok(Some((row.try_get("officer")?, role, until)))
    }

    /// Signs an officer out.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn end_officer_session(&mut self, hash: &[u8; 32]) -> Result<(), StorageError> {
        sqlx::query("DELETE FROM officer_sessions WHERE hash = $1")
            .bind(hash.to_vec())
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }

    /// Keeps what an officer decided.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_ruling(&mut self, ruling: &RulingRow) -> Result<(), StorageError> {
        let (row, entropy) = (ruling.id.to_string(), self.store.entropy.clone());
        let place = ruling_place(&row);
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place, &ruling.payload)?;
        sqlx::query(
            "INSERT INTO rulings (id, enrolment, identity, officer, witness, sealed, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(row)
        .bind(ruling.enrolment.map(|id| id.to_string()))
        .bind(ruling.identity.map(|id| id.to_string()))
        .bind(ruling.officer.clone())
        .bind(ruling.witness.map(|id| id.to_string()))
        .bind(sealed)
        .bind(ruling.at.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// What was decided of a case, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn rulings(&mut self, id: EnrolmentId) -> Result<Vec<RulingRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT id, enrolment, identity, officer, witness, sealed, created_at FROM rulings
             WHERE enrolment = $1 ORDER BY created_at, id",
        )
        .bind(id.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| self.ruling(row)).collect()
    }

    /// What officers decided on an identity, and on the cases that it came of, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn rulings_on(
        &mut self,
        identity: IdentityId,
    ) -> Result<Vec<RulingRow>, StorageError> {
        let rows = sqlx::query(
            "SELECT id, enrolment, identity, officer, witness, sealed, created_at FROM rulings
             WHERE identity = $1
               OR enrolment IN (SELECT enrolment FROM evidence WHERE identity = $1)
             ORDER BY created_at, id",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| self.ruling(row)).collect()
    }

    fn ruling(&self, row: &AnyRow) -> Result<RulingRow, StorageError> {
        let impossible = |column| StorageError::ImpossibleRow { table: "rulings", column };
        let name: String = row.try_get("id")?;
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let payload = self.store.keys.master().open(ruling_place(&name), &sealed)?;
        let identity = |column| -> Result<Option<IdentityId>, StorageError> {
            let text: Option<String> = row.try_get(column)?;
            text.map(|text| text.parse()).transpose().map_err(|_| impossible(column))
        };
        let enrolment: Option<String> = row.try_get("enrolment")?;
        Ok(RulingRow {
            id: name.parse().map_err(|_| impossible("id"))?,
            enrolment: enrolment
                .map(|text| text.parse())
                .transpose()
                .map_err(|_| impossible("enrolment"))?,
            identity: identity("identity")?,
            officer: row.try_get("officer")?,
            witness: identity("witness")?,
            payload,
            at: moment(row, "rulings")?,
        })
    }

    /// How often the holder of an identity has vouched for somebody since `since`.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn vouched(
        &mut self,
        witness: IdentityId,
        since: OffsetDateTime,
    ) -> Result<i64, StorageError> {
        let row = sqlx::query(
            "SELECT COUNT(*) AS times FROM rulings WHERE witness = $1 AND created_at > $2",
        )
        .bind(witness.to_string())
        .bind(since.unix_timestamp())
        .fetch_one(&mut *self.inner)
        .await?;
        Ok(row.try_get("times")?)
    }

    /// When the holder of an identity vouched for somebody, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn vouched_at(
        &mut self,
        witness: IdentityId,
    ) -> Result<Vec<OffsetDateTime>, StorageError> {
        let rows = sqlx::query(
            "SELECT created_at FROM rulings WHERE witness = $1 ORDER BY created_at, id",
        )
        .bind(witness.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| moment(row, "rulings")).collect()
    }

    /// Since when a person has had their identity.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn identity_since(
        &mut self,
        identity: IdentityId,
    ) -> Result<Option<OffsetDateTime>, StorageError> {
        let found = sqlx::query("SELECT created_at FROM identities WHERE id = $1")
            .bind(identity.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map(|row| moment(&row, "identities")).transpose()
    }

    /// Cases that wait for a Borgercenter, those that wait longest first, at most `limit`, each with the
    /// moment since which it waits: those behind `after`, where one is given.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn referred(
        &mut self,
        after: Option<(i64, EnrolmentId)>,
        limit: i64,
    ) -> Result<Vec<(i64, EnrolmentId)>, StorageError> {
        let impossible = || StorageError::ImpossibleRow { table: "enrolments", column: "id" };
        let (since, id) = after.map_or((i64::MIN, String::new()), |(at, id)| (at, id.to_string()));
        let rows = sqlx::query(
            "SELECT id, referred_at FROM enrolments WHERE referred_at IS NOT NULL
               AND (referred_at > $1 OR (referred_at = $1 AND id > $2))
             ORDER BY referred_at, id LIMIT $3",
        )
        .bind(since)
        .bind(id)
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter()
            .map(|row| {
                let id = row.try_get::<String, _>("id")?.parse().map_err(|_| impossible())?;
                Ok((row.try_get("referred_at")?, id))
            })
            .collect()
    }

    /// Cases that have not ended and for which `name` is sealed, at most `limit`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn holding(
        &mut self,
        name: &str,
        limit: i64,
    ) -> Result<Vec<EnrolmentId>, StorageError> {
        let impossible = || StorageError::ImpossibleRow { table: "sealed", column: "enrolment" };
        let rows =
            sqlx::query("SELECT enrolment FROM sealed WHERE name = $1 ORDER BY enrolment LIMIT $2")
                .bind(name.to_owned())
                .bind(limit)
                .fetch_all(&mut *self.inner)
                .await?;
        rows.iter()
            .map(|row| row.try_get::<String, _>("enrolment")?.parse().map_err(|_| impossible()))
            .collect()
    }
}
