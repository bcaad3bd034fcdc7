//! What the commands share that keep rows beside the service: opening them, printing them, and saying why not.

use super::setup::{Place, SetupError, block_on, ended, open_existing_store};
use crate::config::Config;
use crate::http::problem::chain;
use crate::keys::KeyRing;
use crate::storage::Store;
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

/// The rows of a place, which are there already.
pub(super) struct Rows {
    pub store: Store,
    pub keys: Arc<KeyRing>,
    pub config: Config,
}

/// What `work` makes of the rows of `place`.
pub(super) fn on_rows<T>(
    place: &Place,
    work: impl AsyncFnOnce(Rows) -> Result<T, SetupError>,
) -> Result<T, SetupError> {
    block_on(async {
        let config = place.config()?;
        let (store, keys) = open_existing_store(&place.data, &config).await?;
        work(Rows { store, keys, config }).await
    })
}

/// Prints `line` and ends with `status`, or with 2 where nobody reads it.
pub(super) fn print(line: &str, status: u8) -> ExitCode {
    match writeln!(std::io::stdout().lock(), "{line}") {
        Ok(()) => ExitCode::from(status),
        Err(_) => ExitCode::from(2),
    }
}

/// Prints what was found, each as a line.
pub(super) fn print_all<T>(
    found: Result<Vec<T>, SetupError>,
    line: impl Fn(T) -> String,
) -> ExitCode {
    let found = match found {
        Ok(found) => found,
        Err(error) => return ended(Err(error)),
    };
    let mut out = std::io::stdout().lock();
    match found.into_iter().try_for_each(|row| writeln!(out, "{}", line(row))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

/// Says why a command was refused, and ends with `status`.
pub(super) fn refused(error: &(dyn Error + 'static), status: u8) -> ExitCode {
    // A closed standard error leaves nothing to tell anyone.
    let _ = writeln!(std::io::stderr(), "enroll: {}", chain(error));
    ExitCode::from(status)
}

/// Ends as what was to be changed was found: 0 done, 1 not there.
pub(super) fn changed<E>(
    done: Result<Result<bool, E>, SetupError>,
    refused: impl Fn(E) -> ExitCode,
) -> ExitCode {
    match done {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(error)) => refused(error),
        Err(error) => ended(Err(error)),
    }
}
