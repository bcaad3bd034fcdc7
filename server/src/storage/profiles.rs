//! What an identity is used with: its user ID, the person's contacts, and whether it is blocked.
//! User ID and contacts are sealed under the master key; a user ID is found by its keyed hash.

use super::{Dialect, StorageError, Tx};
use crate::ids::{AuthenticatorId, CodeDeviceId, EnrolmentId, IdentityId};
use crate::notices::{Address, Channel};
use crate::seal::Place;
use enroll_core::life::Life;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;
use std::fmt;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// Where a person is reached.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contacts {
    /// Phone number with its country code, `+4512345678`.
    pub phone: Option<String>,
    /// When it took the place of another one; nothing for a first one (E5).
    #[serde(with = "time::serde::rfc3339::option")]
    pub phone_changed: Option<OffsetDateTime>,
    /// E-mail address.
    pub email: Option<String>,
    /// By which of them notices come.
    pub notices: Vec<Channel>,
}

impl Contacts {
    /// The person's address on `channel`, if it is known.
    #[must_use]
    pub fn address(&self, channel: Channel) -> Option<Address> {
        let at = match channel {
            Channel::Sms => self.phone.clone(),
            Channel::Email => self.email.clone(),
        };
        at.map(|at| Address { channel, at })
    }
}

impl fmt::Debug for Contacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contacts(…)")
    }
}

/// How far an enrolment has come in setting an identity up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetUp {
    /// Which.
    pub by: EnrolmentId,
    /// Whether a user ID was chosen with it.
    pub chosen: bool,
    /// How often another user ID than the chosen one was typed.
    pub wrong: u16,
}

/// What is sealed of a profile.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The user ID, if one is chosen.
    pub user_id: Option<String>,
    /// Where the person is reached, if they said so.
    pub contacts: Option<Contacts>,
    /// The enrolment that sets the identity up, or did.
    #[serde(default)]
    pub set_up: Option<SetUp>,
    /// Whether each log-in is told (M3).
    #[serde(default)]
    pub log_in_notices: bool,
    /// The language of the person's pages, if they chose one: `da` or `en`.
    #[serde(default)]
    pub language: Option<String>,
    /// What the person calls their apps.
    #[serde(default)]
    pub names: BTreeMap<AuthenticatorId, String>,
    /// What the person calls their code devices.
    #[serde(default)]
    pub device_names: BTreeMap<CodeDeviceId, String>,
}

impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Details(…)")
    }
}

/// The profile of one identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Whose.
    pub identity: IdentityId,
    /// User ID and contacts.
    pub details: Details,
    /// Whether it can be used.
    pub life: Life,
}

fn place(row: &str) -> Place<'_> {
    Place { table: "profiles", row, column: "sealed" }
}

impl Tx {
    /// The profile of an issued identity, which nobody else changes before this unit of work ends:
    /// whatever happens to an identity and its apps happens one after the other.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_profile(&mut self, identity: IdentityId) -> Result<Profile, StorageError> {
        sqlx::query(
            "INSERT INTO profiles (identity, user_id_hash, sealed, life) VALUES ($1, NULL, NULL, $2)
             ON CONFLICT (identity) DO NOTHING",
        )
        .bind(identity.to_string())
        .bind(serde_json::to_string(&Life::default())?)
        .execute(&mut *self.inner)
        .await?;
        let select = match self.store.dialect {
            Dialect::Sqlite => "SELECT sealed, life FROM profiles WHERE identity = $1",
            Dialect::Postgres => "SELECT sealed, life FROM profiles WHERE identity = $1 FOR UPDATE",
        };
        let row =
            sqlx::query(select).bind(identity.to_string()).fetch_one(&mut *self.inner).await?;
        self.profile(identity, &row)
    }

    /// The profile of an issued identity as it is now, held by nobody: to be looked at.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn seen_profile(&mut self, identity: IdentityId) -> Result<Profile, StorageError> {
        let found = sqlx::query("SELECT sealed, life FROM profiles WHERE identity = $1")
            .bind(identity.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        let none = || Profile { identity, details: Details::default(), life: Life::default() };
        found.map_or_else(|| Ok(none()), |row| self.profile(identity, &row))
    }

    /// Whether an identity can be used, and its epoch: what every session and token is checked
    /// against (F1).
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn life(&mut self, identity: IdentityId) -> Result<Life, StorageError> {
        let found = sqlx::query("SELECT life FROM profiles WHERE identity = $1")
            .bind(identity.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map_or_else(|| Ok(Life::default()), |row| life(&row))
    }

    /// The identity that has the user ID with this keyed hash.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn identity_by_user_id(
        &mut self,
        hash: &[u8; 32],
    ) -> Result<Option<IdentityId>, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "profiles", column: "identity" };
        let found = sqlx::query("SELECT identity FROM profiles WHERE user_id_hash = $1")
            .bind(hash.to_vec())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(row) = found else { return Ok(None) };
        row.try_get::<String, _>("identity")?.parse().map(Some).map_err(|_| impossible)
    }

    /// The profile in a row of `identity`, `sealed` and `life`.
    pub(super) fn profile_in(&self, row: &AnyRow) -> Result<Profile, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "profiles", column: "identity" };
        let identity: String = row.try_get("identity")?;
        self.profile(identity.parse().map_err(|_| impossible)?, row)
    }

    fn profile(&self, identity: IdentityId, row: &AnyRow) -> Result<Profile, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "profiles", column: "sealed" };
        let details = match row.try_get::<Option<Vec<u8>>, _>("sealed")? {
            None => Details::default(),
            Some(sealed) => {
                let name = identity.to_string();
                let plain = self.open(place(&name), &sealed)?;
                serde_json::from_slice(&plain).map_err(|_| impossible)?
            }
        };
        Ok(Profile { identity, details, life: life(row)? })
    }

    /// Writes a profile that this unit of work holds.
    ///
    /// # Errors
    /// [`StorageError::Taken`] if another identity has the user ID.
    pub async fn save_profile(&mut self, profile: &Profile) -> Result<(), StorageError> {
        let row = profile.identity.to_string();
        let plain = Zeroizing::new(serde_json::to_vec(&profile.details)?);
        let entropy = self.store.entropy.clone();
        let sealed = self.store.keys.master().seal(entropy.as_ref(), place(&row), &plain)?;
        let user_id = profile.details.user_id.as_deref();
        let hash = user_id.map(|id| self.keyed_hash("user_id", id.as_bytes())).transpose()?;
        let saved = sqlx::query(
            "UPDATE profiles SET user_id_hash = $1, sealed = $2, life = $3 WHERE identity = $4",
        )
        .bind(hash.map(|hash| hash.to_vec()))
        .bind(sealed)
        .bind(serde_json::to_string(&profile.life)?)
        .bind(row)
        .execute(&mut *self.inner)
        .await;
        match saved {
            Ok(_) => Ok(()),
            Err(error) if is_unique(&error) => Err(StorageError::Taken),
            Err(error) => Err(error.into()),
        }
    }
}

fn is_unique(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

fn life(row: &AnyRow) -> Result<Life, StorageError> {
    serde_json::from_str(&row.try_get::<String, _>("life")?)
        .map_err(|_| StorageError::ImpossibleRow { table: "profiles", column: "life" })
}
