//! From the command line, the configuration and the data directory to a running service.

use crate::app::{App, LoadedFaces, Parts, Rules};
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{self, Config, ConfigError, Notices, Secret};
use crate::keys::{KeyError, KeyRing, Protection, Token, TokenError};
use crate::notices::{Post, Running, Worker};
use crate::registers::http::{HttpRegisters, RegisterError};
use crate::storage::{StorageError, Store, embedded_url};
use crate::trust_dir::{TrustDir, TrustDirError};
use mrz::reader::{MrzReader, ReaderError};
use nfc::trust::{Domain, TrustStore};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Where the state lies and what configures it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Place {
    /// Data directory: trust, models, database, keys
    #[arg(long, env = "INDRUL_DATA", default_value = "./data")]
    pub data: PathBuf,
    /// Configuration file (TOML)
    #[arg(long, env = "INDRUL_CONFIG")]
    pub config: Option<PathBuf>,
}

impl Place {
    /// The configuration, with the environment's overrides.
    pub(super) fn config(&self) -> Result<Config, SetupError> {
        Ok(Config::load(self.config.as_deref(), std::env::vars())?)
    }
}

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The face models are missing or altered.
    #[error("the face models cannot be used: run scripts/models {}", data.display())]
    Models {
        /// The data directory.
        data: PathBuf,
        /// Why.
        source: liveness::ModelError,
    },
    /// The page reader cannot be used.
    #[error("the page reader cannot be used")]
    Reader(#[from] ReaderError),
    /// The trust store cannot be used.
    #[error(transparent)]
    Trust(#[from] TrustDirError),
    /// A production service must not trust test issuers.
    #[error("the trust store holds a qa anchor: a production server does not start with one")]
    QaAnchor,
    /// A production service without issuers would refuse everybody.
    #[error("the trust store is empty: import one with `enroll trust import`")]
    NoAnchors,
    /// A file cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder for what is made cannot be had.
    #[error("cannot make {}", path.display())]
    Output {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// E-mail cannot be sent as configured.
    #[error(transparent)]
    Smtp(#[from] crate::notices::smtp::SmtpError),
    /// The registers cannot be asked.
    #[error(transparent)]
    Registers(#[from] RegisterError),
    /// Anybody could read the metrics there.
    #[error("{address} is no loopback address: the metrics are not served there")]
    MetricsAddress {
        /// The address.
        address: String,
    },
    /// The fixtures cannot be had.
    #[error(transparent)]
    Fixtures(#[from] crate::demo::CatalogueError),
    /// The demonstration's relying parties cannot be had.
    #[error(transparent)]
    Parties(#[from] crate::demo::PartyError),
    /// The simulated code devices cannot be kept.
    #[error(transparent)]
    Stock(#[from] crate::app::StockError),
    /// What is kept could not be made ready.
    #[error("the service could not be made ready")]
    Prepare(#[from] crate::app::AppError),
    /// There is no demonstration of real issuers.
    #[error(transparent)]
    NotQa(#[from] crate::demo::NotQa),
    /// The server ended.
    #[error("the server ended")]
    Serve(#[source] std::io::Error),
    /// The runtime cannot be started.
    #[error("the runtime cannot be started")]
    Runtime(#[source] std::io::Error),
}

impl SetupError {
    /// 2 for what the caller can mend in the command or its files, 3 for what is missing.
    fn code(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::Registers(_)
            | Self::Output { .. }
            | Self::Listen { .. }
            | Self::Smtp(_)
            | Self::MetricsAddress { .. } => 2,
            _ => 3,
        }
    }
}

/// Tells why and with what status a command ends.
pub(super) fn ended(result: Result<(), SetupError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::rows::refused(&error, error.code()),
    }
}

/// Runs `work` to its end on a new runtime.
pub(super) fn block_on<T>(
    work: impl Future<Output = Result<T, SetupError>>,
) -> Result<T, SetupError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(SetupError::Runtime)?;
    let done = runtime.block_on(work);
    // Work that still runs and that nobody waits for does not hold the process up.
    runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

/// Keys and rows that are there already: what verifies must not make what it then finds whole.
pub(super) async fn open_existing_store(
    data: &Path,
    config: &Config,
) -> Result<(Store, Arc<KeyRing>), SetupError> {
    let mut needed = vec![data.join("keys/master.key")];
    if config.database.url.is_none() {
        needed.push(data.join("indrul.db"));
    }
    for path in needed {
        std::fs::metadata(&path).map_err(|source| SetupError::File { path, source })?;
    }
    open_store(data, config).await
}

/// Keys and rows.
pub(super) async fn open_store(
    data: &Path,
    config: &Config,
) -> Result<(Store, Arc<KeyRing>), SetupError> {
    std::fs::create_dir_all(data)
        .map_err(|source| SetupError::File { path: data.to_owned(), source })?;
    let entropy = Arc::new(SystemEntropy);
    let protection = protection(&config.keys)?;
    let keys =
        KeyRing::with(&data.join("keys"), protection, entropy.as_ref(), Arc::new(SystemClock))?;
    let keys = Arc::new(keys);
    let url = config
        .database
        .url
        .as_ref()
        .map_or_else(|| embedded_url(data), |url| url.expose().to_owned());
    let store = Store::open(&url, keys.clone(), entropy).await?;
    Ok((store, keys))
}

/// What protects the keys; a token is logged in to.
pub(super) fn protection(keys: &config::Keys) -> Result<Protection, KeyError> {
    let passphrase =
        keys.passphrase.as_ref().map(|secret| Secret::from(secret.expose().to_owned()));
    let token = match &keys.token_module {
        Some(module) => {
            let pin = keys.token_pin.as_ref().ok_or(TokenError::NoPin)?;
            let label = keys.token_label.as_deref().unwrap_or("indrul");
            Some(Arc::new(Token::open(module, label, pin)?))
        }
        None => None,
    };
    let published = keys.published_days.map(|days| time::Duration::days(days.into()));
    Ok(Protection { passphrase, token, published })
}

/// The face models in `data`.
pub(super) fn load_faces(data: &Path) -> Result<LoadedFaces, SetupError> {
    LoadedFaces::load(&data.join("models"))
        .map_err(|source| SetupError::Models { data: data.to_owned(), source })
}

/// The registers that the configuration names.
pub(super) fn registers(config: &mut Config) -> Result<Arc<HttpRegisters>, SetupError> {
    Ok(Arc::new(HttpRegisters::of(&mut config.registers)?))
}

/// A running worker that empties the service's outbox by the channels of `rules`.
pub(super) fn start_worker(app: &App, mut rules: Notices) -> Result<Running, SetupError> {
    for (channel, configured) in
        [("email", rules.smtp_host.is_some()), ("sms", rules.sms_url.is_some())]
    {
        if !configured {
            tracing::warn!(channel, "no messages leave by this channel: see [notices]");
        }
    }
    let post = Arc::new(Post::new(&mut rules)?);
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let store = app.parts.store.clone();
    Ok(Worker::new(store, post, clock, entropy, Arc::new(rules)).start(app.ending.clone()))
}

/// The service of these parts.
pub(super) async fn assemble(
    data: &Path,
    config: Config,
    trust: TrustStore,
    registers: Arc<HttpRegisters>,
) -> Result<Arc<App>, SetupError> {
    let faces = load_faces(data)?;
    let mrz = MrzReader::new()?;
    let (store, keys) = open_store(data, &config).await?;
    let parts = Parts {
        store,
        keys,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        trust: Arc::new(trust),
        faces: Arc::new(faces),
        mrz: Arc::new(mrz),
        registers: registers.clone(),
        appointments: registers,
    };
    Ok(Arc::new(App::new(parts, Rules::from(config))))
}

/// Listens on `address`.
pub(super) async fn listen(address: &str) -> Result<tokio::net::TcpListener, SetupError> {
    tokio::net::TcpListener::bind(address)
        .await
        .map_err(|source| SetupError::Listen { address: address.to_owned(), source })
}

/// Serves the metrics on their own address, if the configuration has one; only this machine may reach
/// it.
pub(super) async fn serve_metrics(app: &Arc<App>) -> Result<(), SetupError> {
    let Some(address) = app.metrics_address() else { return Ok(()) };
    let listener = listen(address).await?;
    let at = listener.local_addr().map_err(SetupError::Serve)?;
    if !at.ip().is_loopback() {
        return Err(SetupError::MetricsAddress { address: address.to_owned() });
    }
    let (router, ending) = (crate::metrics::router(app.clone()), app.clone());
    tracing::info!(%at, "metrics");
    tokio::spawn(async move {
        let stop = async move { ending.ending.begun().await };
        if let Err(error) = crate::serve(listener, router, stop).await {
            tracing::error!(%error, "the metrics are not served any more");
        }
    });
    Ok(())
}

/// Takes in, again and again, signing keys that were made since.
pub(super) fn watch_keys(keys: Arc<KeyRing>) {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(KEYS).await;
            let keys = keys.clone();
            let refreshed = tokio::task::spawn_blocking(move || keys.refresh()).await;
            if let Ok(Err(error)) = refreshed {
                let error = crate::http::problem::chain(&error);
                tracing::error!(%error, "new keys cannot be taken in");
            }
        }
    });
}

/// Time between two looks for new signing keys.
const KEYS: Duration = Duration::from_secs(60);

/// Tells on standard output where the server is reached, in a form that programs can read.
pub(super) fn announce(url: &str) -> Result<(), SetupError> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening {url}").and_then(|()| out.flush()).map_err(SetupError::Serve)
}

/// Ends when the process is asked to end.
pub(super) async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = interrupt.await;
        }
    }
    tracing::info!("stopping");
}

/// The anchors for real documents that `enroll trust import` put into `data/trust`.
pub(super) fn load_trust(data: &Path) -> Result<TrustStore, SetupError> {
    let folder = TrustDir::open(&data.join("trust"))?;
    if folder.domains()?.contains(&Domain::Qa) {
        return Err(SetupError::QaAnchor);
    }
    let store = folder.load(Domain::Production)?;
    if store.anchors().is_empty() { Err(SetupError::NoAnchors) } else { Ok(store) }
}
