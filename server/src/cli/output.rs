//! What commands print and how they end (INTERFACES, *Results*).

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use serde::Serialize;

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
}

impl CliError {
    /// The exit status it means.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Output(_) => Status::Unusable,
        }
    }
}

/// Writes the error and its causes to standard error and gives the exit status.
pub(super) fn report(error: &CliError) -> Status {
    let mut line = format!("enroll: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    // A closed standard error leaves nothing to tell anyone.
    let _ = writeln!(io::stderr(), "{line}");
    error.status()
}
