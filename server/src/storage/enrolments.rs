//! Enrolments: the case as JSON, the hash of its token, and a version against lost updates.

use super::{StorageError, Tx};
use crate::ids::EnrolmentId;
use crate::record::Record;
use sqlx::Row;
use sqlx::any::AnyRow;
use time::OffsetDateTime;

/// One enrolment as it is stored.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// Which.
    pub id: EnrolmentId,
    /// SHA-256 of its bearer token.
    pub token_hash: [u8; 32],
    /// The case; no personal data.
    pub record: Record,
    /// How often it was written.
    pub version: i64,
    /// When it was started.
    pub created: OffsetDateTime,
    /// When it ends unfinished; kept anew from the case each time it is saved.
    pub expires: OffsetDateTime,
}

impl Tx {
    /// Stores a new enrolment and makes its data key.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn insert_enrolment(&mut self, enrolment: &Enrolment) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO enrolments
               (id, token_hash, record, version, created_at, expires_at, ended, referred_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
        )
        .bind(enrolment.id.to_string())
        .bind(enrolment.token_hash.to_vec())
        .bind(serde_json::to_string(&enrolment.record)?)
        .bind(enrolment.version)
        .bind(enrolment.created.unix_timestamp())
        .bind(enrolment.expires.unix_timestamp())
        .bind(enrolment.record.case.referred_at().map(OffsetDateTime::unix_timestamp))
        .execute(&mut *self.inner)
        .await?;
        self.create_data_key(enrolment.id).await
    }

    /// The enrolment, if there is one.
    ///
    /// # Errors
    /// [`StorageError::ImpossibleRow`] if its row makes no sense.
    pub async fn enrolment(&mut self, id: EnrolmentId) -> Result<Option<Enrolment>, StorageError> {
        sqlx::query(
            "SELECT token_hash, record, version, created_at, expires_at FROM enrolments WHERE id = $1",
        )
        .bind(id.to_string())
        .fetch_optional(&mut *self.inner)
        .await?
        .map(|row| read(id, &row))
        .transpose()
    }

    /// Writes the record of an enrolment read earlier.
    ///
    /// # Errors
    /// [`StorageError::Conflict`] if somebody else wrote it meanwhile.
    pub async fn save(&mut self, enrolment: &Enrolment) -> Result<(), StorageError> {
        let written = sqlx::query(
            "UPDATE enrolments SET record = $1, version = version + 1, ended = $2, expires_at = $5,
               referred_at = $6
             WHERE id = $3 AND version = $4",
        )
        .bind(serde_json::to_string(&enrolment.record)?)
        .bind(i64::from(enrolment.record.has_ended()))
        .bind(enrolment.id.to_string())
        .bind(enrolment.version)
        .bind(enrolment.record.case.deadline.unix_timestamp())
        .bind(enrolment.record.case.referred_at().map(OffsetDateTime::unix_timestamp))
        .execute(&mut *self.inner)
        .await?;
        if written.rows_affected() == 1 { Ok(()) } else { Err(StorageError::Conflict) }
    }

    /// Open enrolments whose time ran out before `now`, at most `limit`.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn overdue(
        &mut self,
        now: OffsetDateTime,
        limit: i64,
    ) -> Result<Vec<EnrolmentId>, StorageError> {
        let rows = sqlx::query(
            "SELECT id FROM enrolments WHERE ended = 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2",
        )
        .bind(now.unix_timestamp())
        .bind(limit)
        .fetch_all(&mut *self.inner)
        .await?;
        rows.iter().map(|row| parse_id(&row.try_get::<String, _>("id")?)).collect()
    }
}

fn parse_id(text: &str) -> Result<EnrolmentId, StorageError> {
    text.parse().map_err(|_| StorageError::ImpossibleRow { table: "enrolments", column: "id" })
}

fn read(id: EnrolmentId, row: &AnyRow) -> Result<Enrolment, StorageError> {
    let impossible = |column| StorageError::ImpossibleRow { table: "enrolments", column };
    let hash: Vec<u8> = row.try_get("token_hash")?;
    let record: String = row.try_get("record")?;
    let moment = |column| {
        OffsetDateTime::from_unix_timestamp(row.try_get(column)?).map_err(|_| impossible(column))
    };
    Ok(Enrolment {
        id,
        token_hash: hash.try_into().map_err(|_| impossible("token_hash"))?,
        record: serde_json::from_str(&record).map_err(|_| impossible("record"))?,
        version: row.try_get("version")?,
        created: moment("created_at")?,
        expires: moment("expires_at")?,
    })
}
