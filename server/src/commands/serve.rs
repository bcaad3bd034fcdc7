//! `enroll serve`: the service for real documents.

use super::setup::{
    Place, SetupError, announce, assemble, block_on, ended, listen, load_trust, registers,
    serve_metrics, start_worker, stop_signal, watch_keys,
};
use crate::app::{LogOuts, Sweeper};
use crate::demo::PartyError;
use crate::pages::Design;
use std::process::ExitCode;

/// Run the enrolment service
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Address and port, instead of the configured one; port 0 picks a free one
    #[arg(long)]
    listen: Option<String>,
}

/// Runs until asked to stop.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    ended(block_on(serve(args)))
}

async fn serve(args: Args) -> Result<(), SetupError> {
    let data = &args.place.data;
    let mut config = args.place.config()?;
    let trust = load_trust(data)?;
    let address = args.listen.unwrap_or_else(|| config.server.listen.clone());
    let registers = registers(&mut config)?;
    let notices = std::mem::take(&mut config.notices);
    let app = assemble(data, config, trust, registers).await?;
    app.prepare().await?;
    crate::demo::leave(&app).await.map_err(PartyError::Register)?;
    let listener = listen(&address).await?;
    let url = listener.local_addr().map(|at| format!("http://{at}")).map_err(SetupError::Serve)?;
    let _worker = start_worker(&app, notices)?;
    let _sweeper = Sweeper::start(app.clone());
    let _log_outs = LogOuts::start(app.clone());
    watch_keys(app.keys());
    serve_metrics(&app).await?;
    announce(&url)?;
    let router = crate::http::router(app.clone())
        .merge(crate::pages::router(app.clone(), Design::load(data)))
        .merge(crate::pages::log_in(app.clone()))
        .merge(crate::pages::app(app.clone()))
        .merge(crate::pages::my_page(app.clone()))
        .merge(crate::pages::root())
        .merge(crate::pages::assets());
    let router = crate::pages::finish(router, app.clone());
    let grace = app.grace();
    crate::serve_until(app, (listener, router), stop_signal(), grace)
        .await
        .map_err(SetupError::Serve)
}
