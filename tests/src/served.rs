//! A real `enroll serve` process, on a folder of its own, in the production domain: with stand-ins for
//! registers, mail and SMS in this process, which outlive it. It can be killed and started again.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use server::{
    notices::standin::StandIns,
    registers::standin::{Scripted, StandIn},
    storage::embedded_url,
};
use sqlx::any::{AnyPoolOptions, install_default_drivers};

use crate::people::People;

/// Why there is no server to work with.
#[derive(Debug, thiserror::Error)]
pub enum ServedError {
    /// The operating system refused something.
    #[error("the server's process or folder cannot be had")]
    Io(#[from] io::Error),
    /// The trust store could not be made.
    #[error("`enroll trust import` failed: {said}")]
    Trust {
        /// What it said.
        said: String,
    },
    /// PostgreSQL.
    #[error("a database cannot be made")]
    Database(#[from] sqlx::Error),
    /// It ended, or said nothing, instead of listening.
    #[error("`enroll serve` did not start; its log ends with: {log}")]
    NotStarted {
        /// The end of its log.
        log: String,
    },
    /// `--database postgres` without a server to make a database on.
    #[error("no PostgreSQL: run this under scripts/with-postgres")]
    NoPostgres,
}

/// Where the server keeps its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Database {
    /// In its folder.
    Sqlite,
    /// A new database on the server that `INDRUL_TEST_POSTGRES` names.
    Postgres,
}

impl Database {
    /// The one that this run is for: PostgreSQL with `INDRUL_TEST_DATABASE=postgres`, else SQLite.
    #[must_use]
    pub fn of_this_run() -> Self {
        match std::env::var("INDRUL_TEST_DATABASE").is_ok_and(|wanted| wanted == "postgres") {
            true => Self::Postgres,
            false => Self::Sqlite,
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Setup<'a> {
    /// The program `enroll`.
    pub program: &'a Path,
    /// The folder with the face models.
    pub models: &'a Path,
    /// Where its rows are.
    pub database: Database,
    /// More of its configuration: lines of `[notices]`, then other tables.
    pub more: &'a str,
    /// What it logs (`INDRUL_LOG`).
    pub log: &'a str,
}

/// The server, running or not. A running one is killed when this is dropped.
pub struct Served {
    /// Runs the stand-ins, and what else is awaited.
    pub runtime: tokio::runtime::Runtime,
    /// The registers.
    pub registers: Arc<StandIn>,
    /// The mail server and the SMS gateway.
    pub post: StandIns,
    /// The database's address.
    pub database: String,
    program: PathBuf,
    log: String,
    folder: tempfile::TempDir,
    listen: String,
    metrics: String,
    process: Option<Child>,
}

/// Longest wait for a start: all models are loaded in it.
const START: Duration = Duration::from_secs(60);

impl Served {
    /// Sets a server up for `people`, their issuers and registers, without starting it.
    ///
    /// # Errors
    /// [`ServedError`].
    pub fn new(setup: &Setup<'_>, people: &People) -> Result<Self, ServedError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let folder = tempfile::tempdir()?;
        std::os::unix::fs::symlink(setup.models.canonicalize()?, folder.path().join("models"))?;
        let mut script = Scripted::default();
        people.holders().for_each(|holder| script.add_holder(&holder));
        let registers = Arc::new(runtime.block_on(StandIn::start(script))?);
        let post = runtime.block_on(StandIns::start())?;
        let database = match setup.database {
            Database::Sqlite => embedded_url(folder.path()),
            Database::Postgres => {
                let server = postgres().ok_or(ServedError::NoPostgres)?;
                runtime.block_on(fresh_database(&server))?
            }
        };
        let (listen, metrics) = (free_address()?, free_address()?);
        let served = Self {
            runtime,
            registers,
            post,
            database,
            program: setup.program.to_owned(),
            log: setup.log.to_owned(),
            folder,
            listen,
            metrics,
            process: None,
        };
        fs::write(served.config_file(), served.config(setup.more))?;
        served.trust(people)?;
        Ok(served)
    }

    /// Starts it, and waits until it listens.
    ///
    /// # Errors
    /// [`ServedError::NotStarted`] if it ends instead.
    pub fn start(&mut self) -> Result<(), ServedError> {
        self.kill();
        let log = File::options().create(true).append(true).open(self.log_file())?;
        let mut process = self
            .enroll(&["serve", "--listen", &self.listen])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let mut line = String::new();
        if let Some(out) = process.stdout.take() {
            BufReader::new(out).read_line(&mut line)?;
        }
        self.process = Some(process);
        if line.starts_with("listening ") {
            return Ok(());
        }
        self.kill();
        Err(ServedError::NotStarted { log: self.end_of_log() })
    }

    /// Starts it as soon as it can be: what it needs may be away for a while.
    ///
    /// # Errors
    /// [`ServedError::NotStarted`] if it cannot be for a minute.
    pub fn start_when_possible(&mut self) -> Result<(), ServedError> {
        let begun = Instant::now();
        loop {
            match self.start() {
                Err(ServedError::NotStarted { .. }) if begun.elapsed() < START => {
                    std::thread::sleep(Duration::from_millis(100));
                }
                done => return done,
            }
        }
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            // One that has ended already is what is wanted.
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Its process, if it was started.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// Its base address: the same after each start.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// Where its metrics are.
    #[must_use]
    pub fn metrics(&self) -> String {
        format!("http://{}/metrics", self.metrics)
    }

    /// Its data directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `enroll ARGS` over its data.
    ///
    /// # Errors
    /// [`ServedError::Io`] if it cannot be run; what it ends in is a result.
    pub fn run(&self, args: &[&str]) -> Result<Output, ServedError> {
        Ok(self.enroll(args).output()?)
    }

    fn enroll(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).arg("--data").arg(self.folder()).arg("--config").arg(self.config_file());
        command.env("INDRUL_LOG", &self.log).stdin(Stdio::null());
        command
    }

    fn config_file(&self) -> PathBuf {
        self.folder().join("indrul.toml")
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("log")
    }

    fn config(&self, more: &str) -> String {
        let mut notices = server::config::Notices::default();
        self.post.configure(&mut notices);
        let (smtp, sms) = (notices.smtp_port, notices.sms_url.unwrap_or_default());
        let (registers, metrics, listen) = (self.registers.url(), &self.metrics, &self.listen);
        let database = match self.database.starts_with("postgres") {
            true => format!("[database]\nurl = \"{}\"\n", self.database),
            false => String::new(),
        };
        // One address and one document may ask as often as they like: everybody is one here.
        format!(
            "{database}
[server]
public_url = \"http://{listen}\"
metrics_listen = \"{metrics}\"
[registers]
persons_url = \"{registers}\"
documents_url = \"{registers}\"
[limits]
address_burst = 0
start_burst = 0
document_burst = 0
case_burst = 0
client_burst = 0
log_in_burst = 0
[policy.activation]
starts = 1000
[notices]
smtp_host = \"127.0.0.1\"
smtp_port = {smtp}
smtp_tls = \"none\"
sms_url = \"{sms}\"
{more}
"
        )
    }

    fn trust(&self, people: &People) -> Result<(), ServedError> {
        let files = self.folder().join("issuer");
        fs::create_dir(&files)?;
        fs::write(files.join("csca.der"), people.csca())?;
        fs::write(files.join("csca.crl"), people.crl())?;
        let imported = Command::new(&self.program)
            .args(["trust", "import", "--domain", "production"])
            .args([&self.folder().join("trust"), &files])
            .output()?;
        let said = String::from_utf8_lossy(&imported.stderr).into_owned();
        if imported.status.success() { Ok(()) } else { Err(ServedError::Trust { said }) }
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        log.lines().next_back().unwrap_or("nothing").to_owned()
    }

    /// What it has logged, over all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A loopback address that was free a moment ago. Its port is below those that systems give to whoever
/// connects: who knocks while the server is away could be given the very port, and find themselves.
fn free_address() -> io::Result<String> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 8_000).unwrap_or(0);
    loop {
        let port = 20_000 + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        match TcpListener::bind(("127.0.0.1", port)) {
            Ok(free) => return Ok(free.local_addr()?.to_string()),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}

/// The PostgreSQL server to make databases on.
pub(crate) fn postgres() -> Option<String> {
    std::env::var("INDRUL_TEST_POSTGRES").ok()
}

/// A new database on `server`, by its address.
pub(crate) async fn fresh_database(server: &str) -> Result<String, sqlx::Error> {
    install_default_drivers();
    let random = tempfile::Builder::new().prefix("").rand_bytes(12).tempdir()?;
    let random = random.path().file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let admin = AnyPoolOptions::new().max_connections(1).connect(server).await?;
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE indrul_{random}"));
    sqlx::query(create).execute(&admin).await?;
    admin.close().await;
    let (base, query) = server.split_once('?').unwrap_or((server, ""));
    let base = base.rsplit_once('/').map_or(base, |(base, _)| base);
    Ok(format!("{base}/indrul_{random}?{query}"))
}
