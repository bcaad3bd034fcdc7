//! Code devices with their sealed seeds, and the codes of notices that block one. A seed is read to compare a
//! code with, and for nothing else.

use super::{Dialect, StorageError, Tx};
use crate::ids::{CodeDeviceId, IdentityId};
use crate::seal::Place;
use enroll_core::code_device::{CodeDevice, Kind};
use enroll_core::totp::Seed;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};
use time::OffsetDateTime;

/// One code device as it is stored, without its seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeDeviceRow {
    /// Which.
    pub id: CodeDeviceId,
    /// What is written on it.
    pub serial: String,
    /// Whether it shows or speaks.
    pub kind: Kind,
    /// Whose, once it is somebody's.
    pub identity: Option<IdentityId>,
    /// Where it stands.
    pub state: CodeDevice,
    /// The step of the last code that was taken.
    pub step: i64,
}

impl CodeDeviceRow {
    /// The same one as it stands from now on; back in stock it is nobody's.
    #[must_use]
    pub fn becomes(self, state: CodeDevice) -> Self {
        let identity = self.identity.filter(|_| state != CodeDevice::InStock);
        Self { state, identity, ..self }
    }

    /// The number of its order, as long as it is ordered and not sent.
    #[must_use]
    pub fn order(&self) -> Option<OrderNumber> {
        let CodeDevice::Ordered { at } = self.state else { return None };
        let identity = self.identity?;
        let of = format!("{} {identity} {}", self.id, at.unix_timestamp_nanos());
        let [a, b, c, d, ..] = openssl::sha::sha256(of.as_bytes());
        Some(OrderNumber(u32::from_be_bytes([a, b, c, d]) % 100_000_000))
    }
}

/// The number of an order, eight digits: made of the device, whose it is to be, and when it was ordered, so that each
/// order of a device has its own, also those of before there were numbers. It tells nothing of its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OrderNumber(u32);

impl OrderNumber {
    /// The number that is written so.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let whole = text.len() == 8 && text.bytes().all(|sign| sign.is_ascii_digit());
        text.parse().ok().filter(|_| whole).map(Self)
    }
}

impl std::fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08}", self.0)
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "code_devices", row, column: "seed" }
}

const COLUMNS: &str = "id, serial, kind, identity, record, step";

impl Tx {
    /// Adds a device to the stock. `false` if there is one of that serial number already.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn add_code_device(
        &mut self,
        (id, serial, kind): (CodeDeviceId, &str, Kind),
        seed: &Seed,
        now: OffsetDateTime,
    ) -> Result<bool, StorageError> {
        let row = id.to_string();
        let entropy = self.store.entropy.clone();
        let seed = self.store.keys.master().seal(entropy.as_ref(), place(&row), &seed.expose())?;
        let added = sqlx::query(
            "INSERT INTO code_devices (id, serial, kind, seed, state, record, step, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7) ON CONFLICT (serial) DO NOTHING",
        )
        .bind(row)
        .bind(serial.to_owned())
        .bind(kind.as_str())
        .bind(seed)
        .bind(CodeDevice::InStock.name())
        .bind(serde_json::to_string(&CodeDevice::InStock)?)
        .bind(now.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(added.rows_affected() == 1)
    }

    /// What the device's codes are made of; as much work for one that there is not (G4).
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn seed(&mut self, id: CodeDeviceId) -> Result<Option<Seed>, StorageError> {
        let row = id.to_string();
        let found = sqlx::query("SELECT seed FROM code_devices WHERE id = $1")
            .bind(row.clone())
            .fetch_optional(&mut *self.inner)
            .await?;
        let Some(found) = found else {
            self.open_nothing();
            return Ok(None);
        };
        let sealed: Vec<u8> = found.try_get("seed")?;
        let plain = self.open(place(&row), &sealed)?;
        let impossible = StorageError::ImpossibleRow { table: "code_devices", column: "seed" };
        Seed::of(&plain).map(Some).ok_or(impossible)
    }

    /// The device with this serial number; nobody holds it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn code_device_of(
        &mut self,
        serial: &str,
    ) -> Result<Option<CodeDeviceRow>, StorageError> {
        self.code_device("serial = $1", serial, false).await
    }

    /// The device of this number; nobody holds it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn known_code_device(
        &mut self,
        id: CodeDeviceId,
    ) -> Result<Option<CodeDeviceRow>, StorageError> {
        self.code_device("id = $1", &id.to_string(), false).await
    }

    /// A device, which nobody else changes before this unit of work ends. The profile of its person is held
    /// before it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_code_device(
        &mut self,
        id: CodeDeviceId,
    ) -> Result<Option<CodeDeviceRow>, StorageError> {
        self.code_device("id = $1", &id.to_string(), true).await
    }

    /// The device of an identity whose codes count, held.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_active_code_device(
        &mut self,
        identity: IdentityId,
    ) -> Result<Option<CodeDeviceRow>, StorageError> {
        self.code_device("active_of = $1", &identity.to_string(), true).await
    }

    async fn code_device(
        &mut self,
        which: &str,
        value: &str,
        hold: bool,
    ) -> Result<Option<CodeDeviceRow>, StorageError> {
        let lock = if hold { self.row_lock("") } else { "" };
        let query = format!("SELECT {COLUMNS} FROM code_devices WHERE {which}{lock}");
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(value.to_owned())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.as_ref().map(read).transpose()
    }

    /// The device of `kind` that is in stock the longest, held: no other order takes it.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn hold_stock(&mut self, kind: Kind) -> Result<Option<CodeDeviceRow>, StorageError> {
        let lock = self.row_lock(" SKIP LOCKED");
        let query = format!(
            "SELECT {COLUMNS} FROM code_devices WHERE state = $1 AND kind = $2
             ORDER BY created_at, serial LIMIT 1{lock}"
        );
        let found = sqlx::query(AssertSqlSafe(query))
            .bind(CodeDevice::InStock.name())
            .bind(kind.as_str())
            .fetch_optional(&mut *self.inner)
            .await?;
        found.as_ref().map(read).transpose()
    }

    pub(super) fn row_lock(&self, how: &'static str) -> &'static str {
        match (self.store.dialect, how) {
            (Dialect::Sqlite, _) => "",
            (Dialect::Postgres, "") => " FOR UPDATE",
            (Dialect::Postgres, _) => " FOR UPDATE SKIP LOCKED",
        }
    }

    /// The devices of an identity, oldest first.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn code_devices(
        &mut self,
        identity: IdentityId,
    ) -> Result<Vec<CodeDeviceRow>, StorageError> {
        let query = format!(
            "SELECT {COLUMNS} FROM code_devices WHERE identity = $1 ORDER BY created_at, serial"
        );
        let rows = sqlx::query(AssertSqlSafe(query))
            .bind(identity.to_string())
            .fetch_all(&mut *self.inner)
            .await?;
        rows.iter().map(read).collect()
    }

    /// All devices, or those in a state, by serial number.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn all_code_devices(
        &mut self,
        state: Option<&str>,
    ) -> Result<Vec<CodeDeviceRow>, StorageError> {
        let query = format!(
            "SELECT {COLUMNS} FROM code_devices WHERE $1 = '' OR state = $2 ORDER BY serial"
        );
        let state = state.unwrap_or_default();
        let rows = sqlx::query(AssertSqlSafe(query))
            .bind(state.to_owned())
            .bind(state.to_owned())
            .fetch_all(&mut *self.inner)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Writes where a device stands, and whose it is. The step stays.
    ///
    /// # Errors
    /// [`StorageError`]; of the database where the identity has another active one.
    pub async fn save_code_device(&mut self, row: &CodeDeviceRow) -> Result<(), StorageError> {
        let identity = row.identity.map(|id| id.to_string());
        let active = identity.clone().filter(|_| row.state.is_active());
        sqlx::query(
            "UPDATE code_devices SET identity = $1, active_of = $2, state = $3, record = $4
             WHERE id = $5",
        )
        .bind(identity)
        .bind(active)
        .bind(row.state.name())
        .bind(serde_json::to_string(&row.state)?)
        .bind(row.id.to_string())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// Takes the code of `step`, if none of it or a later one was taken (RFC 6238 §5.2). Whether it was: of
    /// two at once on two servers one.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn use_step(&mut self, id: CodeDeviceId, step: i64) -> Result<bool, StorageError> {
        let used = sqlx::query("UPDATE code_devices SET step = $1 WHERE id = $2 AND step < $3")
            .bind(step)
            .bind(id.to_string())
            .bind(step)
            .execute(&mut *self.inner)
            .await?;
        Ok(used.rows_affected() == 1)
    }

    /// Adds a secret that blocks a device of `identity`, from a notice (E7).
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn add_code_device_block(
        &mut self,
        hash: &[u8; 32],
        (device, identity): (CodeDeviceId, IdentityId),
        expires: OffsetDateTime,
    ) -> Result<(), StorageError> {
        sqlx::query(
            "INSERT INTO code_device_blocks (hash, device, identity, expires_at)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(hash.to_vec())
        .bind(device.to_string())
        .bind(identity.to_string())
        .bind(expires.unix_timestamp())
        .execute(&mut *self.inner)
        .await?;
        Ok(())
    }

    /// The device that a secret blocks, and for whom: whose it was then. It can be used again.
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn find_code_device_block(
        &mut self,
        hash: &[u8; 32],
        now: OffsetDateTime,
    ) -> Result<Option<(CodeDeviceRow, IdentityId)>, StorageError> {
        let impossible =
            |column| StorageError::ImpossibleRow { table: "code_device_blocks", column };
        let found = sqlx::query(
            "SELECT device, identity FROM code_device_blocks WHERE hash = $1 AND expires_at >= $2",
        )
        .bind(hash.to_vec())
        .bind(now.unix_timestamp())
        .fetch_optional(&mut *self.inner)
        .await?;
        let Some(row) = found else { return Ok(None) };
        let text = |column| row.try_get::<String, _>(column);
        let id: CodeDeviceId = text("device")?.parse().map_err(|_| impossible("device"))?;
        let Some(device) = self.code_device("id = $1", &id.to_string(), false).await? else {
            return Ok(None);
        };
        let whose = match text("identity")?.as_str() {
            // A server of before wrote it, when no device changed hands.
            "" => device.identity,
            id => Some(id.parse().map_err(|_| impossible("identity"))?),
        };
        Ok(whose.map(|whose| (device, whose)))
    }
}

fn read(row: &AnyRow) -> Result<CodeDeviceRow, StorageError> {
    let impossible = |column| StorageError::ImpossibleRow { table: "code_devices", column };
    let text = |column| row.try_get::<String, _>(column);
    let identity: Option<String> = row.try_get("identity")?;
    let identity = identity.map(|id| id.parse()).transpose();
    Ok(CodeDeviceRow {
        id: text("id")?.parse().map_err(|_| impossible("id"))?,
        serial: text("serial")?,
        kind: Kind::named(&text("kind")?).ok_or(impossible("kind"))?,
        identity: identity.map_err(|_| impossible("identity"))?,
        state: serde_json::from_str(&text("record")?).map_err(|_| impossible("record"))?,
        step: row.try_get("step")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Identity, Store, testing, tests};
    use super::*;
    use crate::clock::SystemEntropy;
    use enroll_core::totp::Algorithm;
    use time::macros::datetime;
    use zeroize::Zeroizing;

    const NOW: OffsetDateTime = datetime!(2026-07-01 12:00 UTC);

    fn seed() -> Seed {
        Seed::new(Algorithm::Sha256, Zeroizing::new(vec![5; 32])).unwrap()
    }

    async fn in_stock(store: &Store, serial: &str) -> CodeDeviceId {
        let id = CodeDeviceId::random(&SystemEntropy).unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(tx.add_code_device((id, serial, Kind::Reader), &seed(), NOW).await.unwrap());
        tx.commit().await.unwrap();
        id
    }

    async fn takes(store: Store, id: CodeDeviceId, step: i64) -> bool {
        let mut tx = store.begin().await.unwrap();
        let taken = tx.use_step(id, step).await.unwrap();
        // Both have asked before one of them is done.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        tx.commit().await.unwrap();
        taken
    }

    #[tokio::test]
    async fn a_code_of_a_server_of_before_blocks_the_device_of_whoever_has_it() {
        // proves E7
        for fresh in testing::all().await {
            let id = in_stock(&fresh.store, "KO-0001").await;
            let mut tx = fresh.store.begin().await.unwrap();
            sqlx::query(
                "INSERT INTO code_device_blocks (hash, device, expires_at) VALUES ($1, $2, $3)",
            )
            .bind(vec![7_u8; 32])
            .bind(id.to_string())
            .bind(NOW.unix_timestamp())
            .execute(&mut *tx.inner)
            .await
            .unwrap();
            assert_eq!(tx.find_code_device_block(&[7; 32], NOW).await.unwrap(), None, "nobody's");
            let row = tx.hold_code_device(id).await.unwrap().unwrap();
            let (anna, case) = (IdentityId::random(&SystemEntropy).unwrap(), tests::enrolment());
            tx.insert_enrolment(&case).await.unwrap();
            let record = Zeroizing::new(Vec::new());
            let new = Identity { id: anna, enrolment: case.id, record };
            tx.put_identity(&new, &[1; 32], NOW).await.unwrap();
            let identity = Some(anna);
            let state = row.state.clone().order(NOW).unwrap();
            let row = CodeDeviceRow { identity, state, ..row };
            tx.save_code_device(&row).await.unwrap();
            let found = tx.find_code_device_block(&[7; 32], NOW).await.unwrap();
            assert_eq!(found, identity.map(|identity| (row, identity)));
        }
    }

    #[tokio::test]
    async fn of_two_servers_at_once_one_takes_a_step() {
        // proves G6
        for fresh in testing::all().await {
            let id = in_stock(&fresh.store, "KO-0001").await;
            for step in 1..4 {
                let [one, other] =
                    [0, 1].map(|_| tokio::spawn(takes(fresh.store.clone(), id, step)));
                let taken = [one.await.unwrap(), other.await.unwrap()];
                assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{step}");
                assert!(!takes(fresh.store.clone(), id, step - 1).await, "an earlier one");
            }
        }
    }

    #[tokio::test]
    async fn a_seed_opens_in_its_own_row_and_a_serial_number_is_there_once() {
        // proves E10
        for fresh in testing::all().await {
            let id = in_stock(&fresh.store, "KO-0001").await;
            let mut tx = fresh.store.begin().await.unwrap();
            assert_eq!(tx.seed(id).await.unwrap().unwrap().expose(), seed().expose());
            let other = CodeDeviceId::random(&SystemEntropy).unwrap();
            let again = (other, "KO-0001", Kind::Display);
            assert!(!tx.add_code_device(again, &seed(), NOW).await.unwrap());
            let second = (other, "KO-0002", Kind::Reader);
            assert!(tx.add_code_device(second, &seed(), NOW).await.unwrap());
            // The sealed seed of one in the row of the other.
            let moved =
                "UPDATE code_devices SET seed = (SELECT seed FROM code_devices WHERE id = $1)
                WHERE id = $2";
            sqlx::query(moved)
                .bind(id.to_string())
                .bind(other.to_string())
                .execute(&mut *tx.inner)
                .await
                .unwrap();
            assert!(matches!(tx.seed(other).await, Err(StorageError::Seal(_))));
            let found = tx.code_device_of("KO-0001").await.unwrap().unwrap();
            assert_eq!((found.id, found.state, found.identity), (id, CodeDevice::InStock, None));
        }
    }
}
