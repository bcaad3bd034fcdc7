//! Rotation of the master key: what the one before has sealed is sealed anew, some rows at a time.
//! Which rows are done shows in the rows themselves, so that a rotation that is cut off goes on by
//! being started again, beside servers that run with both keys.

use super::{StorageError, Store};
use crate::seal::Place;
use sqlx::Row;

/// How many rows one unit of work takes.
const BATCH: i64 = 200;

/// A table with values sealed under the master key.
struct Table {
    name: &'static str,
    column: &'static str,
    /// Row key and value after `$1`, at most `$2`.
    read: &'static str,
    /// Sets the value of `$2` to `$1` if it is still `$3`.
    write: &'static str,
}

/// Every table with such values; whoever adds one adds it here.
const TABLES: [Table; 3] = [
    Table {
        name: "data_keys",
        column: "wrapped",
        read: "SELECT enrolment AS id, wrapped AS value FROM data_keys
               WHERE enrolment > $1 ORDER BY enrolment LIMIT $2",
        write: "UPDATE data_keys SET wrapped = $1 WHERE enrolment = $2 AND wrapped = $3",
    },
    Table {
        name: "identities",
        column: "sealed",
        read: "SELECT id, sealed AS value FROM identities WHERE id > $1 ORDER BY id LIMIT $2",
        write: "UPDATE identities SET sealed = $1 WHERE id = $2 AND sealed = $3",
    },
    Table {
        name: "evidence",
        column: "sealed",
        read: "SELECT enrolment AS id, sealed AS value FROM evidence
               WHERE enrolment > $1 ORDER BY enrolment LIMIT $2",
        write: "UPDATE evidence SET sealed = $1 WHERE enrolment = $2 AND sealed = $3",
    },
];

/// What a pass over all tables found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Values looked at.
    pub seen: u64,
    /// Values that were sealed under the key before, and now are under the one of now.
    pub changed: u64,
}

impl Store {
    /// Seals anew what the master key before has sealed.
    ///
    /// # Errors
    /// [`StorageError::Seal`] for a value that neither key has sealed; what was done stays done.
    pub async fn rewrap(&self) -> Result<Rewrapped, StorageError> {
        let mut found = Rewrapped::default();
        for table in &TABLES {
            let mut after = String::new();
            while let Some(last) = self.rewrap_batch(table, &after, &mut found).await? {
                after = last;
            }
        }
        self.empty_log().await?;
        Ok(found)
    }

    /// The next rows of `table`. Returns the last one's key, or nothing at the end.
    async fn rewrap_batch(
        &self,
        table: &Table,
        after: &str,
        found: &mut Rewrapped,
    ) -> Result<Option<String>, StorageError> {
        let mut tx = self.begin().await?;
        let rows = sqlx::query(table.read)
            .bind(after.to_owned())
            .bind(BATCH)
            .fetch_all(&mut *tx.inner)
            .await?;
        let mut last = None;
        for row in rows {
            let (id, sealed): (String, Vec<u8>) = (row.try_get("id")?, row.try_get("value")?);
            let place = Place { table: table.name, row: &id, column: table.column };
            let anew = self.keys.master().rewrap(self.entropy.as_ref(), place, &sealed)?;
            found.seen += 1;
            if let Some(anew) = anew {
                // A row that was erased or written meanwhile is left as it is now.
                let written = sqlx::query(table.write)
                    .bind(anew)
                    .bind(id.clone())
                    .bind(sealed)
                    .execute(&mut *tx.inner)
                    .await?;
                found.changed += written.rows_affected();
            }
            last = Some(id);
        }
        tx.commit().await?;
        Ok(last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use crate::clock::SystemEntropy;
    use crate::ids::EnrolmentId;
    use crate::keys::{KeyRing, Protection, begin_master_rotation, end_master_rotation};
    use crate::storage::{Identity, Rewrapped, Store};
    use std::path::Path;
    use std::sync::Arc;
    use time::macros::datetime;
    use zeroize::Zeroizing;

    fn ring(dir: &Path) -> Arc<KeyRing> {
        Arc::new(KeyRing::open(dir, None, &SystemEntropy).unwrap())
    }

    /// Enough enrolments for three batches, with a value each, and one identity.
    async fn filled(store: &Store) -> Vec<EnrolmentId> {
        let mut ids = Vec::new();
        let mut tx = store.begin().await.unwrap();
        for _ in 0..450 {
            let enrolment = crate::storage::tests::enrolment();
            tx.insert_enrolment(&enrolment).await.unwrap();
            ids.push(enrolment.id);
        }
        tx.put(ids[0], "cpr", b"0101900000").await.unwrap();
        let id = crate::ids::IdentityId::random(&SystemEntropy).unwrap();
        let record = Zeroizing::new(b"an identity".to_vec());
        let person = tx.keyed_hash("person", b"0101900000").unwrap();
        let identity = Identity { id, enrolment: ids[0], record };
        tx.put_identity(&identity, &person, datetime!(2026-01-01 0:00 UTC)).await.unwrap();
        tx.commit().await.unwrap();
        ids
    }

    #[tokio::test]
    async fn a_rotation_goes_on_where_it_was_cut_off_and_the_old_key_is_of_no_use_then() {
        // proves H5 (rotation of the master key)
        for fresh in testing::all().await {
            let (dir, store) = (fresh.keys_dir(), &fresh.store);
            let ids = filled(store).await;
            let before = std::fs::read_to_string(dir.join("master.key")).unwrap();
            begin_master_rotation(&dir, &Protection::default(), &SystemEntropy).unwrap();
            let store = store.with_keys(ring(&dir));
            // One batch, and then the power fails.
            let mut found = Rewrapped::default();
            store.rewrap_batch(&super::TABLES[0], "", &mut found).await.unwrap();
            assert_eq!(found, Rewrapped { seen: 200, changed: 200 });
            let mut tx = store.begin().await.unwrap();
            assert_eq!(tx.get(ids[0], "cpr").await.unwrap().unwrap().as_slice(), b"0101900000");
            drop(tx);
            begin_master_rotation(&dir, &Protection::default(), &SystemEntropy).unwrap();
            let store = store.with_keys(ring(&dir));
            assert_eq!(store.rewrap().await.unwrap(), Rewrapped { seen: 451, changed: 251 });
            assert_eq!(store.rewrap().await.unwrap(), Rewrapped { seen: 451, changed: 0 });
            end_master_rotation(&dir).unwrap();

            let store = store.with_keys(ring(&dir));
            let mut tx = store.begin().await.unwrap();
            for id in &ids {
                tx.get(*id, "cpr").await.unwrap();
            }
            // The same person is still found.
            let person = tx.keyed_hash("person", b"0101900000").unwrap();
            let identity = tx.identity_of(&person).await.unwrap().unwrap();
            let kept = tx.identity(identity).await.unwrap().unwrap();
            assert_eq!(kept.record.as_slice(), b"an identity");
            drop(tx);
            std::fs::write(dir.join("master.key"), before).unwrap();
            assert!(KeyRing::open(&dir, None, &SystemEntropy).is_err(), "the old key still opens");
        }
    }
}
