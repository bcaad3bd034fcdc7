//! The service in this process, in the QA domain, with stand-in registers, on a folder of its own.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use fixtures::passport::Passport;
use nfc::trust::{Domain, TrustStore};
use server::{
    app::{App, AppError, LoadedFaces, Parts, Rules},
    clock::{SystemClock, SystemEntropy},
    config::Config,
    http,
    keys::KeyRing,
    registers::{
        http::HttpRegisters,
        standin::{Holder, Scripted, StandIn},
    },
    storage::{Store, embedded_url},
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
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let folder = tempfile::tempdir()?;
        let trust = Arc::new(trust(passports)?);
        let registers = runtime.block_on(StandIn::start(scripted(passports)?))?;
        let parts = runtime.block_on(parts(folder.path(), models, &trust, &registers.url()))?;
        let Config { policy, case, relay, server, .. } = Config::default();
        let app = Arc::new(App::new(parts, Rules { policy, case, relay, server }));
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
    let mut store = TrustStore::new(Domain::Qa);
    for passport in passports {
        store.add_der(&passport.trust.csca)?;
        store.add_crl_der(&passport.trust.crl)?;
    }
    Ok(store)
}

fn scripted(passports: &[Passport]) -> Result<Scripted, StationError> {
    let mut script = Scripted::default();
    for passport in passports {
        let holder: Holder = serde_json::from_value(serde_json::to_value(&passport.holder)?)?;
        script.add_holder(&holder);
    }
    Ok(script)
}

async fn parts(
    folder: &Path,
    models: &Path,
    trust: &Arc<TrustStore>,
    registers: &str,
) -> Result<Parts, StationError> {
    let entropy = Arc::new(SystemEntropy);
    let keys = Arc::new(KeyRing::open(&folder.join("keys"), None, entropy.as_ref())?);
    let store = Store::open(&embedded_url(folder), Arc::clone(&keys), entropy.clone()).await?;
    let url = Some(registers.to_owned());
    Ok(Parts {
        store,
        keys,
        clock: Arc::new(SystemClock),
        entropy,
        trust: Arc::clone(trust),
        faces: Arc::new(LoadedFaces::load(models)?),
        mrz: Arc::new(mrz::reader::MrzReader::new()?),
        registers: Arc::new(HttpRegisters::new(url.clone(), url, None, Duration::from_secs(5))),
    })
}
