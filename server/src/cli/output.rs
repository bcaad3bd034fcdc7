//! What commands print and how they end (INTERFACES, *Results*).

use std::{
    error::Error,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use nfc::trust::TrustError;
use serde::Serialize;

use crate::trust_dir::TrustDirError;

/// How a command ended; its number is the exit status. The greatest of several wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Accepted, valid or found.
    Accepted = 0,
    /// Refused, invalid or not found.
    Refused = 1,
    /// Wrong usage or unreadable input.
    Unusable = 2,
    /// A model, reader or trust store is missing.
    CouldNotRun = 3,
}

impl Status {
    /// Accepted if `holds`, otherwise refused.
    #[must_use]
    pub fn of(holds: bool) -> Self {
        if holds { Self::Accepted } else { Self::Refused }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        ExitCode::from(status as u8)
    }
}

/// Whether results are printed as JSON.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Format {
    /// Print one JSON object per result
    #[arg(long)]
    pub json: bool,
}

/// Where results go; tests collect them.
pub struct Output<'a> {
    sink: Box<dyn Write + 'a>,
}

impl std::fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl<'a> Output<'a> {
    /// Standard output.
    #[must_use]
    pub fn stdout() -> Self {
        Self { sink: Box::new(io::stdout().lock()) }
    }

    /// Any other sink.
    pub fn to(sink: impl Write + 'a) -> Self {
        Self { sink: Box::new(sink) }
    }

    /// Prints `value` as one line of JSON, or the text that `human` makes.
    ///
    /// # Errors
    /// [`CliError::Output`] if the sink is closed.
    pub fn result<T: Serialize>(
        &mut self,
        format: Format,
        value: &T,
        human: impl FnOnce(&T) -> String,
    ) -> Result<(), CliError> {
        let line = if format.json {
            serde_json::to_string(value).map_err(io::Error::from)?
        } else {
            human(value)
        };
        writeln!(self.sink, "{line}")?;
        Ok(self.sink.flush()?)
    }
}

/// Why a command printed no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CliError {
    /// Standard output is closed.
    #[error("the result cannot be written")]
    Output(#[from] io::Error),
    /// A file or folder cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A folder without EF.SOD.bin or any other file of a chip.
    #[error("{} holds no EF.SOD.bin", path.display())]
    NoChipFiles {
        /// The folder.
        path: PathBuf,
    },
    /// The trust store cannot be used.
    #[error("the trust store cannot be used")]
    Trust(#[from] TrustDirError),
    /// A certificate that was named cannot be used.
    #[error("{} is no certificate", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrustError,
    },
}

impl CliError {
    /// The exit status it means.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Trust(TrustDirError::Missing { .. }) => Status::CouldNotRun,
            _ => Status::Unusable,
        }
    }
}

/// Reads a file that the caller named.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::Read { path: path.to_owned(), source })
}

/// Writes the error and its causes to standard error and gives the exit status.
pub(super) fn report(error: &CliError) -> Status {
    complain(&describe(error));
    error.status()
}

/// Writes one line to standard error.
pub(super) fn complain(line: &str) {
    // A closed standard error leaves nothing to tell anyone.
    let _ = writeln!(io::stderr(), "enroll: {line}");
}

/// An error with its causes, in one line.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
