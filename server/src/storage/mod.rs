//! Rows: one concrete [`Store`] over SQLite and PostgreSQL (STYLE 27), the same SQL on both.
//!
//! The database is trusted to keep rows and with nothing else: what is personal is sealed per
//! enrolment before it gets here (DESIGN §1), tokens and tickets are hashes (STYLE 18).
//! A unit of work is a [`Tx`]; one that is dropped leaves nothing behind.

mod activities;
mod audit;
mod authenticators;
mod code_devices;
#[cfg(test)]
mod copies;
mod enrolments;
mod erasures;
mod events;
mod identities;
mod inbox;
mod log_ins;
mod my_sessions;
mod officers;
mod outbox;
mod p_codes;
mod passes;
mod passwords;
mod pick_ups;
mod profiles;
mod referrals;
mod relying_parties;
mod rewrap;
mod sealed;
mod subjects;
#[cfg(test)]
mod tests;
mod tickets;

pub use activities::KeptActivity;
pub use authenticators::AuthenticatorRow;
pub use code_devices::{CodeDeviceRow, OrderNumber};
pub use enrolments::Enrolment;
pub use identities::{Evidence, Identity, Issuing};
pub use inbox::Kept;
pub use log_ins::{LogInRow, Opens};
pub use my_sessions::MySession;
pub use officers::{OfficerRow, Role, RulingRow};
pub use outbox::{Claimed, DeadLetter};
pub use p_codes::PCodeRow;
pub use passes::Pass;
pub use passwords::{PasswordRow, Unpriced};
pub use profiles::{Contacts, Details, Profile, SetUp};
pub use relying_parties::RelyingPartyRow;
pub use rewrap::Rewrapped;
pub use subjects::PersonalNumber;

use crate::clock::{Entropy, EntropyError};
use crate::keys::KeyRing;
use crate::seal::{Place, SealError};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::MigrateError;
use sqlx::{Any, AnyConnection, AnyPool, Executor, Transaction};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zeroize::Zeroizing;

/// Why a row could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migrate(#[from] MigrateError),
    /// A sealed value does not open, or could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A row holds what the program never writes.
    #[error("{table}.{column} holds what no row may hold")]
    ImpossibleRow {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A value has no JSON form.
    #[error("a record cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// Only the embedded database is copied here.
    #[error("the database is PostgreSQL: copy it with pg_dump")]
    NotEmbedded,
    /// Somebody else changed the row since it was read.
    #[error("the enrolment was changed meanwhile")]
    Conflict,
    /// Another identity has the user ID.
    #[error("the user ID is taken")]
    Taken,
    /// The enrolment has ended and its key is erased.
    #[error("the enrolment's data are erased")]
    Erased,
}

/// Which database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// The rows of the service. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    dialect: Dialect,
    keys: Arc<KeyRing>,
    entropy: Arc<dyn Entropy>,
    /// A sealed value of nothing and nobody.
    nothing: Arc<[u8]>,
    effort: Arc<(AtomicU64, AtomicU64)>,
}

/// What was asked of the database, and of the seal of what a person logs in with, since the store was opened: two
/// answers that may not be told apart cost the same of both (G4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Statements.
    pub statements: u64,
    /// Openings of profiles, passwords and seeds, and of nothing where there was none.
    pub openings: u64,
}

/// Where the sealed value of nothing lies.
const NOTHING: Place<'_> = Place { table: "nothing", row: "", column: "sealed" };

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.dialect)
    }
}

/// The URL of the embedded database in `data`.
#[must_use]
pub fn embedded_url(data: &Path) -> String {
    format!("sqlite://{}?mode=rwc", data.join("indrul.db").display())
}

impl Store {
    /// Connects to `url` (`sqlite://…` or `postgres://…`) and brings the schema up to date.
    ///
    /// # Errors
    /// [`StorageError`] if the database cannot be reached or migrated.
    pub async fn open(
        url: &str,
        keys: Arc<KeyRing>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, StorageError> {
        install_default_drivers();
        let dialect = if url.starts_with("postgres") { Dialect::Postgres } else { Dialect::Sqlite };
        let pool = connect(url, dialect).await?;
        match dialect {
            Dialect::Sqlite => sqlx::migrate!("migrations/sqlite").run(&pool).await?,
            Dialect::Postgres => sqlx::migrate!("migrations/postgres").run(&pool).await?,
        }
        // About as long as what people have.
        let nothing = keys.master().seal(entropy.as_ref(), NOTHING, &[0; 256])?.into();
        Ok(Self { pool, dialect, keys, entropy, nothing, effort: Arc::default() })
    }

    /// What was asked so far.
    #[must_use]
    pub fn effort(&self) -> Effort {
        let (statements, openings) = (&self.effort.0, &self.effort.1);
        Effort {
            statements: statements.load(Ordering::Relaxed),
            openings: openings.load(Ordering::Relaxed),
        }
    }

    /// Starts a unit of work. On SQLite it holds the one writer's lock from the start, so that
    /// what it reads is still so when it writes.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn begin(&self) -> Result<Tx, StorageError> {
        let inner = match self.dialect {
            Dialect::Sqlite => self.pool.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.pool.begin().await?,
        };
        Ok(Tx { inner: Counted { inner, effort: self.effort.clone() }, store: self.clone() })
    }

    /// Starts a unit of work that only reads, and on SQLite waits for no writer.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn read(&self) -> Result<Tx, StorageError> {
        let inner = Counted { inner: self.pool.begin().await?, effort: self.effort.clone() };
        Ok(Tx { inner, store: self.clone() })
    }

    /// Empties SQLite's write-ahead log, in which erased rows and keys would live on (D8). A reader
    /// under way can hold it back; the sweeper tries again. PostgreSQL's log is its operator's.
    ///
    /// # Errors
    /// [`StorageError::Database`].
    pub async fn empty_log(&self) -> Result<(), StorageError> {
        if self.dialect == Dialect::Sqlite {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Copies the rows there are now into a new file, without what was erased: a copy holds live rows
    /// only. PostgreSQL is copied by its own programs.
    ///
    /// # Errors
    /// [`StorageError::NotEmbedded`] for PostgreSQL, [`StorageError::Database`] also if the file exists.
    pub async fn copy_to(&self, path: &Path) -> Result<(), StorageError> {
        if self.dialect == Dialect::Postgres {
            return Err(StorageError::NotEmbedded);
        }
        let path = path.display().to_string();
        sqlx::query("VACUUM INTO $1").bind(path).execute(&self.pool).await?;
        Ok(())
    }

    /// Whether the database answers.
    pub async fn answers(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.pool).await.is_ok()
    }

    /// Closes all connections, after what they are doing.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

async fn connect(url: &str, dialect: Dialect) -> Result<AnyPool, StorageError> {
    let mut options = AnyPoolOptions::new().max_connections(8);
    if dialect == Dialect::Sqlite {
        options = options.after_connect(|connection, _| {
            Box::pin(async move {
                // Deleted keys and data are overwritten, not only unlinked (REQUIREMENTS D8).
                for pragma in [
                    "PRAGMA journal_mode = WAL",
                    "PRAGMA synchronous = NORMAL",
                    "PRAGMA secure_delete = ON",
                    "PRAGMA busy_timeout = 10000",
                ] {
                    connection.execute(pragma).await?;
                }
                Ok(())
            })
        });
    }
    Ok(options.connect(url).await?)
}

/// A transaction that counts its statements: each takes the connection once.
struct Counted {
    inner: Transaction<'static, Any>,
    effort: Arc<(AtomicU64, AtomicU64)>,
}

impl Deref for Counted {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl DerefMut for Counted {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        self.effort.0.fetch_add(1, Ordering::Relaxed);
        &mut self.inner
    }
}

/// One unit of work; nothing of it holds before [`Tx::commit`].
pub struct Tx {
    inner: Counted,
    store: Store,
}

impl std::fmt::Debug for Tx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx {
    /// Makes all of it hold.
    ///
    /// # Errors
    /// [`StorageError::Database`]; nothing holds then.
    pub async fn commit(self) -> Result<(), StorageError> {
        Ok(self.inner.inner.commit().await?)
    }

    /// Opens what a person logs in with.
    fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        self.store.effort.1.fetch_add(1, Ordering::Relaxed);
        Ok(self.store.keys.master().open(place, sealed)?)
    }

    /// Opens nothing, where there is nothing to open: whoever waits for the answer waits as long (G4).
    fn open_nothing(&self) {
        self.store.effort.1.fetch_add(1, Ordering::Relaxed);
        // Whatever comes of it: it is worth its time alone.
        let _ = self.store.keys.master().open(NOTHING, &self.store.nothing);
    }
}

/// Fresh databases for tests: SQLite always, PostgreSQL where `INDRUL_TEST_POSTGRES` names one.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use crate::clock::SystemEntropy;

    pub(crate) struct Fresh {
        pub(crate) store: Store,
        dir: tempfile::TempDir,
        pub(crate) url: String,
    }

    impl Fresh {
        pub(crate) fn keys_dir(&self) -> std::path::PathBuf {
            self.dir.path().join("keys")
        }
    }

    impl Store {
        /// The same rows under the keys as they are now.
        pub(crate) fn with_keys(&self, keys: Arc<KeyRing>) -> Self {
            Self { keys, ..self.clone() }
        }
    }

    impl Tx {
        /// An identity of nobody who is known by anything but this number.
        pub(crate) async fn somebody(&mut self, number: u8) -> crate::ids::IdentityId {
            let (case, id) = (tests::enrolment(), crate::ids::IdentityId::random(&SystemEntropy));
            self.insert_enrolment(&case).await.unwrap();
            let record = Zeroizing::new(Vec::new());
            let new = Identity { id: id.unwrap(), enrolment: case.id, record };
            let now = time::macros::datetime!(2026-07-01 12:00 UTC);
            self.put_identity(&new, &[number; 32], now).await.unwrap();
            new.id
        }
    }

    pub(crate) async fn sqlite() -> Fresh {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyRing::open(&dir.path().join("keys"), None, &SystemEntropy).unwrap();
        let url = embedded_url(dir.path());
        let store = Store::open(&url, Arc::new(keys), Arc::new(SystemEntropy)).await.unwrap();
        Fresh { store, dir, url }
    }

    /// The address of a new database on the PostgreSQL at hand.
    pub(crate) async fn empty_database() -> Option<String> {
        let Ok(url) = std::env::var("INDRUL_TEST_POSTGRES") else {
            println!("skipped on PostgreSQL: INDRUL_TEST_POSTGRES is not set");
            return None;
        };
        install_default_drivers();
        let name = format!("indrul_{}", crate::ids::EnrolmentId::random(&SystemEntropy).unwrap());
        let name = name.replace('-', "");
        let admin = AnyPoolOptions::new().max_connections(1).connect(&url).await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::query(create).execute(&admin).await.unwrap();
        admin.close().await;
        let (server, query) = url.split_once('?').map_or((url.as_str(), ""), |(s, q)| (s, q));
        let base = server.rsplit_once('/').unwrap().0;
        Some(format!("{base}/{name}?{query}"))
    }

    pub(crate) async fn postgres() -> Option<Fresh> {
        let url = empty_database().await?;
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyRing::open(&dir.path().join("keys"), None, &SystemEntropy).unwrap();
        let store = Store::open(&url, Arc::new(keys), Arc::new(SystemEntropy)).await.unwrap();
        Some(Fresh { store, dir, url })
    }

    /// One fresh store per database at hand.
    pub(crate) async fn all() -> Vec<Fresh> {
        let mut stores = vec![sqlite().await];
        stores.extend(postgres().await);
        stores
    }
}
