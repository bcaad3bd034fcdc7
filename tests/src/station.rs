//! The service in this process, in the QA domain, with stand-in registers, on a folder of its own.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use fixtures::passport::Passport;
use nfc::trust::{Domain, TrustStore};
use server::{
    app::{App, AppError, LoadedFaces, Parts, Rules},
    clock::{SystemClock, SystemEntropy},
    config::{Config, Limits},
    http,
    keys::KeyRing,
    registers::{
        http::HttpRegisters,
        standin::{Holder, Scripted, StandIn},
    },
    storage::{Store, embedded_url},
};

use crate::{
    faces::SeenFaces,
    served::{Database, fresh_database, postgres},
};

/// Why the station could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// The operating system refused something.
    #[error("the station cannot be set up")]
    Io(#[from] std::io::Error),
    /// A trust anchor of a fixture is none.
    #[error("a fixture's trust anchor is not usable")]
    Trust(#[from] nfc::trust::TrustError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] server::keys::KeyError),
    /// Rows.
    #[error(transparent)]
    Storage(#[from] server::storage::StorageError),
    /// The models are missing or altered.
    #[error("the face models cannot be used; fetch them with scripts/models")]
    Models(#[from] liveness::ModelError),
    /// The MRZ reader's own model is damaged.
    #[error(transparent)]
    Mrz(#[from] mrz::reader::ReaderError),
    /// A fixture's holder has another shape than the registers take.
    #[error("a fixture's holder does not fit the registers")]
    Holder(#[from] serde_json::Error),
    /// The service's.
    #[error(transparent)]
    App(#[from] AppError),
    /// `INDRUL_TEST_DATABASE=postgres` without a server.
    #[error("no PostgreSQL: run this under scripts/with-postgres")]
    NoPostgres,
    /// A database cannot be made on PostgreSQL.
    #[error("a database cannot be made")]
    Database(#[from] sqlx::Error),
}

/// What takes long to load and keeps nothing of any case: every station may use the same.
#[derive(Clone)]
pub struct Instruments {
    faces: Arc<SeenFaces<LoadedFaces>>,
    mrz: Arc<mrz::reader::MrzReader>,
}

impl Instruments {
    /// Loads the face models in `models` and the page reader.
    ///
    /// # Errors
    /// [`StationError`] if one is missing or altered.
    pub fn load(models: &Path) -> Result<Self, StationError> {
        Ok(Self {
            faces: Arc::new(SeenFaces::new(LoadedFaces::load(models)?)),
            mrz: Arc::new(mrz::reader::MrzReader::new()?),
        })
    }

    /// How many different pairs of portrait and picture the face networks were asked about.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.faces.pairs()
    }
}

/// A running service; it stops when this is dropped.
pub struct Station {
    /// Runs what the service awaits.
    pub runtime: tokio::runtime::Runtime,
    /// The service's use cases.
    pub app: Arc<App>,
    /// What it trusts.
    pub trust: Arc<TrustStore>,
    address: SocketAddr,
    _registers: StandIn,
    _folder: tempfile::TempDir,
}

impl Station {
    /// Sets the service up for `passports`, with the models in `models`, and lets it listen on a
    /// free loopback port.
    ///
    /// # Errors
    /// [`StationError`].
    pub fn start(passports: &[Passport], models: &Path) -> Result<Self, StationError> {
        Self::with(&Instruments::load(models)?, passports)
    }

    /// As [`Station::start`], with instruments that are loaded already.
    ///
    /// # Errors
    /// [`StationError`].
    pub fn with(instruments: &Instruments, passports: &[Passport]) -> Result<Self, StationError> {
        Self::trusting(instruments, trust(passports)?, scripted(passports)?)
    }

    /// As [`Station::with`], for the issuers in `trust` and the holders in `registers`.
    ///
    /// # Errors
    /// [`StationError`].
    pub fn trusting(
        instruments: &Instruments,
        trust: TrustStore,
        registers: Scripted,
    ) -> Result<Self, StationError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let trust = Arc::new(trust);
        let registers = runtime.block_on(StandIn::start(registers))?;
        let parts =
            runtime.block_on(parts(folder.path(), instruments, &trust, &registers.url()))?;
        // Every passport of a run comes from this one address.
        let mut config = Config { limits: Limits::none(), ..Config::default() };
        config.server.answers_as_host = true;
        let app = Arc::new(App::new(parts, Rules::from(config)));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let router = http::finish(http::router(Arc::clone(&app)));
        let serving = server::serve(listener, router, std::future::pending());
        runtime.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the service stopped");
            }
        });
        Ok(Self { runtime, app, trust, address, _registers: registers, _folder: folder })
    }

    /// Its base address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn trust(passports: &[Passport]) -> Result<TrustStore, StationError> {
    let (mut store, mut other) = (TrustStore::new(Domain::Qa), TrustStore::new(Domain::Production));
    for Passport { trust, .. } in passports {
        for anchor in &trust.anchors {
            store.add_der(anchor)?;
        }
        for signer in &trust.signers {
            store.add_signer_der(signer)?;
        }
        for list in &trust.crls {
            store.add_crl_der(list)?;
        }
        for anchor in &trust.elsewhere {
            other.add_der(anchor)?;
        }
    }
    Ok(store.with_foreign(Arc::new(other)))
}

fn scripted(passports: &[Passport]) -> Result<Scripted, StationError> {
    let mut script = Scripted::default();
    for passport in passports {
        let holder: Holder = serde_json::from_value(serde_json::to_value(&passport.holder)?)?;
        script.add_holder(&holder);
    }
    Ok(script)
}

/// Where the rows are: in `folder`, or in a new database on PostgreSQL (`Database::of_this_run`).
async fn database(folder: &Path) -> Result<String, StationError> {
    match Database::of_this_run() {
        Database::Sqlite => Ok(embedded_url(folder)),
        Database::Postgres => {
            Ok(fresh_database(&postgres().ok_or(StationError::NoPostgres)?).await?)
        }
    }
}

async fn parts(
    folder: &Path,
    instruments: &Instruments,
    trust: &Arc<TrustStore>,
    registers: &str,
) -> Result<Parts, StationError> {
    let entropy = Arc::new(SystemEntropy);
    let keys = Arc::new(KeyRing::open(&folder.join("keys"), None, entropy.as_ref())?);
    let store = Store::open(&database(folder).await?, Arc::clone(&keys), entropy.clone()).await?;
    let url = Some(registers.to_owned());
    let registers = HttpRegisters::new(url.clone(), url, None, Duration::from_secs(5));
    let registers = Arc::new(registers);
    Ok(Parts {
        store,
        keys,
        clock: Arc::new(SystemClock),
        entropy,
        trust: Arc::clone(trust),
        faces: instruments.faces.clone(),
        mrz: instruments.mrz.clone(),
        registers: registers.clone(),
        appointments: registers,
    })
}
