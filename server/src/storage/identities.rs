//! Issued identities, the evidence each issuing rested on, and which person a document proved
//! (REQUIREMENTS B11, H2). Records are sealed under the master key; persons and documents are found
//! by keyed hashes.

use super::{StorageError, Tx};
use crate::ids::{EnrolmentId, IdentityId};
use crate::seal::Place;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;
use zeroize::Zeroizing;

/// An issued identity.
#[derive(Debug)]
pub struct Identity {
    /// Which.
    pub id: IdentityId,
    /// The enrolment that last issued it.
    pub enrolment: EnrolmentId,
    /// Its signed record.
    pub record: Zeroizing<Vec<u8>>,
}

/// What an identity rests on.
#[derive(Debug)]
pub struct Evidence {
    /// The enrolment it comes from.
    pub enrolment: EnrolmentId,
    /// The identity it proves.
    pub identity: IdentityId,
    /// The evidence record.
    pub record: Zeroizing<Vec<u8>>,
}

/// One issuing of an identity.
#[derive(Debug)]
pub struct Issuing {
    /// The hash of the token of its owner; `None` until it is picked up at a Borgercenter.
    pub token_hash: Option<Vec<u8>>,
    /// When.
    pub at: OffsetDateTime,
}

fn place<'a>(table: &'a str, row: &'a str) -> Place<'a> {
    Place { table, row, column: "sealed" }
}

impl Tx {
    /// A keyed hash for finding equal persons or documents without keeping their numbers.
    ///
    /// # Errors
    /// [`StorageError::Seal`].
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> Result<[u8; 32], StorageError> {
        Ok(self.store.keys.master().keyed_hash(purpose, data)?)
    }

    /// The identity of a person, if one was issued.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn identity_of(
        &mut self,
        person: &[u8; 32],
    ) -> Result<Option<IdentityId>, StorageError> {
        let found = sqlx::query("SELECT id FROM identities WHERE person_hash = $1")
            .bind(person.to_vec())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.map(|row| parse(&row.try_get::<String, _>("id")?, "identities")).transpose()
    }

    /// Stores an identity, in place of an earlier record of the same one.
    ///
    /// # Errors
    /// [`StorageError::Database`], also if the person has another identity.
    pub async fn put_identity(
        &mut self,
        identity: &Identity,
        person: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        let row = identity.id.to_string();
        let sealed = self.store.keys.master().seal(
            self.store.entropy.as_ref(),
            place("identities", &row),
            &identity.record,
        )?;
        sqlx::query(
            "INSERT INTO identities (id, person_hash, enrolment, sealed, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $5)
             ON CONFLICT (id) DO UPDATE SET enrolment = excluded.enrolment,
               sealed = excluded.sealed, updated_at = excluded.updated_at",
        )
        .bind(row)
        .bind(person.to_vec())
        .bind(identity.enrolment.to_string())
        .bind(sealed)
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// An identity by its identifier.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn identity(&mut self, id: IdentityId) -> Result<Option<Identity>, StorageError> {
        let found = sqlx::query("SELECT enrolment, sealed FROM identities WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(row) = found else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let record =
            self.store.keys.master().open(place("identities", &id.to_string()), &sealed)?;
        let enrolment = parse(&row.try_get::<String, _>("enrolment")?, "identities")?;
        Ok(Some(Identity { id, enrolment, record }))
    }

    /// Stores the evidence of one issuing.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_evidence(
        &mut self,
        evidence: &Evidence,
        now: OffsetDateTime,
    ) -> Result<(), StorageError> {
        let row = evidence.enrolment.to_string();
        let sealed = self.store.keys.master().seal(
            self.store.entropy.as_ref(),
            place("evidence", &row),
            &evidence.record,
        )?;
        sqlx::query(
            "INSERT INTO evidence (enrolment, identity, sealed, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(row)
        .bind(evidence.identity.to_string())
        .bind(sealed)
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// All evidence of an identity, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn evidence(&mut self, identity: IdentityId) -> Result<Vec<Evidence>, StorageError> {
        let rows = sqlx::query(
            "SELECT enrolment, sealed FROM evidence WHERE identity = $1 ORDER BY created_at, enrolment",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        let mut found = Vec::new();
        for row in rows {
            let (name, sealed): (String, Vec<u8>) =
                (row.try_get("enrolment")?, row.try_get("sealed")?);
            let record = self.store.keys.master().open(place("evidence", &name), &sealed)?;
            found.push(Evidence { enrolment: parse(&name, "evidence")?, identity, record });
        }
        Ok(found)
    }

    /// Every issuing of an identity, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn issuings(&mut self, identity: IdentityId) -> Result<Vec<Issuing>, StorageError> {
        let impossible = || StorageError::ImpossibleRow { table: "evidence", column: "created_at" };
        let rows = sqlx::query(
            "SELECT token_hash, pick_ups.enrolment AS disowned, owner,
               evidence.created_at AS issued_at FROM evidence
             JOIN enrolments ON enrolments.id = evidence.enrolment
             LEFT JOIN pick_ups ON pick_ups.enrolment = evidence.enrolment
             WHERE identity = $1 ORDER BY evidence.created_at, evidence.enrolment",
        )
        .bind(identity.to_string())
        .fetch_all(&mut *self.inner)
        .await?;
        let read = |row: &AnyRow| {
            let at = OffsetDateTime::from_unix_timestamp(row.try_get("issued_at")?);
            let at = at.map_err(|_| impossible())?;
            Ok(Issuing { token_hash: super::pick_ups::owner(row)?, at })
        };
        rows.iter().map(read).collect()
    }

    /// The person whom a document has proved, if any.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn holder_of(
        &mut self,
        document: &[u8; 32],
    ) -> Result<Option<[u8; 32]>, StorageError> {
        let impossible = StorageError::ImpossibleRow { table: "documents", column: "person_hash" };
        let found = sqlx::query("SELECT person_hash FROM documents WHERE hash = $1")
            .bind(document.to_vec())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(row) = found else { return Ok(None) };
        let person: Vec<u8> = row.try_get("person_hash")?;
        person.try_into().map(Some).map_err(|_| impossible)
    }

    /// Records that a document proved a person, and for which identity: the newest, which does not lose it when what an
    /// erased one rested on is erased. A document of another person is left as it is.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn put_document(
        &mut self,
        document: &[u8; 32],
        person: &[u8; 32],
        identity: IdentityId,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO documents (hash, person_hash, identity) VALUES ($1, $2, $3)
             ON CONFLICT (hash) DO UPDATE SET identity = excluded.identity
               WHERE documents.person_hash = excluded.person_hash",
        )
        .bind(document.to_vec())
        .bind(person.to_vec())
        .bind(identity.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }
}

fn parse<T: std::str::FromStr>(text: &str, table: &'static str) -> Result<T, StorageError> {
    text.parse().map_err(|_| StorageError::ImpossibleRow { table, column: "id" })
}
