//! `enroll demo`: the service with a QA trust store, fixture passports and stand-in registers.

use super::setup::{
    Place, SetupError, announce, assemble, block_on, ended, listen, start_worker, stop_signal,
};
use crate::app::{App, LogOuts, Sweeper};
use crate::config::{self, Config};
use crate::demo::{Catalogue, Demo, Fixtures, Parties};
use crate::notices::standin::StandIns;
use crate::pages::Design;
use crate::registers::http::HttpRegisters;
use crate::registers::standin::{Scripted, StandIn};
use nfc::trust::{Domain, TrustStore};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Run the service with fixture passports, on made-up registers
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Address and port; port 0 picks a free one
    #[arg(long, default_value = "127.0.0.1:8480")]
    listen: String,
    /// The QA program `fixtures`; beside this program if not given
    #[arg(long)]
    fixtures: Option<PathBuf>,
}

/// Runs until asked to stop.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    ended(block_on(demo(args)))
}

async fn demo(args: Args) -> Result<(), SetupError> {
    let data = args.place.data.clone();
    let mut config = args.place.config()?;
    // Models first: without them nothing else is worth the wait.
    drop(super::setup::load_faces(&data)?);
    let program = args.fixtures.map_or_else(beside, Ok)?;
    let (catalogue, trust, script) = make(&program, &data).await?;
    let standin = StandIn::start(script).await.map_err(SetupError::Serve)?;
    let registers = stand_in_registers(&standin, &config)?;
    let script = (standin.control(), config.registers.timeout_ms);
    let post = StandIns::start().await.map_err(SetupError::Serve)?;
    let mut notices = std::mem::take(&mut config.notices);
    post.configure(&mut notices);
    config.server.public_url = None;
    config.server.answers_as_host = true;
    let listener = listen(&args.listen).await?;
    let url = listener.local_addr().map(|at| format!("http://{at}")).map_err(SetupError::Serve)?;
    config.server.block_at = format!("{url}/block");
    let app = assemble(&data, config, trust, registers).await?;
    app.prepare().await?;
    let _worker = start_worker(&app, notices)?;
    let _sweeper = Sweeper::start(app.clone());
    let _log_outs = LogOuts::start(app.clone());
    let parties = relying_parties(&app, &args.listen, &listener).await?;
    crate::demo::stock(&app).await?;
    let pages = crate::pages::router(app.clone(), Design::load(&data));
    let fixtures = Fixtures { catalogue, program, data };
    let demo = Arc::new(Demo::new(app.clone(), fixtures, url.clone(), script)?);
    let router = crate::http::router(app.clone())
        .merge(pages)
        .merge(crate::pages::log_in(app.clone()))
        .merge(crate::pages::app(app.clone()))
        .merge(crate::pages::my_page(app.clone()))
        .merge(crate::demo::router(demo))
        .merge(crate::demo::messages(post.mailbox.clone()))
        .merge(parties.listed())
        .merge(crate::pages::assets());
    announce(&url)?;
    let (router, grace) = (crate::pages::finish(router, app.clone()), app.grace());
    crate::serve_until(app, (listener, router), stop_signal(), grace)
        .await
        .map_err(SetupError::Serve)
}

/// The sites that people log in at. They know the service by its loopback address: as another one it does
/// not answer relying parties.
async fn relying_parties(
    app: &App,
    asked: &str,
    listener: &tokio::net::TcpListener,
) -> Result<Parties, SetupError> {
    let port = listener.local_addr().map_err(SetupError::Serve)?.port();
    let chosen = (!asked.ends_with(":0")).then_some(port);
    let parties = Parties::start(app, &format!("http://127.0.0.1:{port}"), chosen).await?;
    let mut out = std::io::stdout().lock();
    for (name, url) in parties.addresses() {
        writeln!(out, "{name} {url}").map_err(SetupError::Serve)?;
    }
    Ok(parties)
}

/// Makes the fixtures, away from the runtime's threads: keys and pictures take a while.
async fn make(
    program: &Path,
    data: &Path,
) -> Result<(Catalogue, TrustStore, Scripted), SetupError> {
    let (program, data) = (program.to_owned(), data.to_owned());
    let made = tokio::task::spawn_blocking(move || {
        let (mut trust, mut script) = (TrustStore::new(Domain::Qa), Scripted::default());
        let catalogue = Catalogue::make(&program, &data, &mut trust, &mut script)?;
        Ok((catalogue, trust, script))
    });
    made.await.map_err(|error| SetupError::Runtime(std::io::Error::other(error)))?
}

fn stand_in_registers(
    standin: &StandIn,
    config: &Config,
) -> Result<Arc<HttpRegisters>, SetupError> {
    let base = Some(standin.url());
    let mut rules = config::Registers {
        persons_url: base.clone(),
        documents_url: base.clone(),
        appointments_url: base,
        timeout_ms: config.registers.timeout_ms,
        ..config::Registers::default()
    };
    Ok(Arc::new(HttpRegisters::of(&mut rules)?))
}

/// The program `fixtures` in the folder of this program.
fn beside() -> Result<PathBuf, SetupError> {
    let path = PathBuf::from("fixtures");
    let me = std::env::current_exe().map_err(|source| SetupError::File { path, source })?;
    Ok(me.with_file_name("fixtures"))
}
