//! What commands print and how they end (INTERFACES, *Results*).

use std::{
    error::Error,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use enroll_core::canonical::normal;
use liveness::{ModelError, portrait::DecodeError};
use nfc::{lds::LdsError, link::LinkError, random::RandomError, trust::TrustError};
use serde::Serialize;
use serde_json::Value;

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

    /// Prints `value` as one line of JSON with fractions to six decimals, or the text that `human` makes.
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
            normal(&serde_json::to_value(value).map_err(io::Error::from)?).to_string()
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
    /// No reader is connected.
    #[error("no reader is connected")]
    NoReader,
    /// The reader or the card in it cannot be used.
    #[error("the chip cannot be reached")]
    Link(#[from] LinkError),
    /// The source of randomness failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// What was given as MRZ is none.
    #[error("not an MRZ")]
    Mrz(#[from] mrz::ParseError),
    /// What was given cannot open a chip.
    #[error(transparent)]
    Key(#[from] mrz::AccessKeyError),
    /// The recogniser of the MRZ cannot be used.
    #[error("the MRZ cannot be read")]
    MrzReader(#[from] mrz::reader::ReaderError),
    /// A picture cannot be decoded.
    #[error("{} is no picture that can be used", path.display())]
    Picture {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DecodeError,
    },
    /// A DG2 without a portrait that can be cut out.
    #[error("{} holds no portrait", path.display())]
    Portrait {
        /// The file.
        path: PathBuf,
        /// Why.
        source: LdsError,
    },
    /// The description of a capture cannot be used.
    #[error("{} describes no capture", path.display())]
    Challenge {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The face models are missing or altered.
    #[error("the face models cannot be used; fetch them with `scripts/models {}`", data.display())]
    Models {
        /// The data directory.
        data: PathBuf,
        /// Why.
        source: ModelError,
    },
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
            Self::Trust(TrustDirError::Missing { .. })
            | Self::NoReader
            | Self::Link(_)
            | Self::Random(_)
            | Self::MrzReader(_)
            | Self::Models { .. } => Status::CouldNotRun,
            _ => Status::Unusable,
        }
    }
}

/// Reads a file that the caller named.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|source| CliError::Read { path: path.to_owned(), source })
}

/// The text in a member of a result, or nothing.
pub(super) fn text_in<'a>(result: &'a Value, name: &str) -> &'a str {
    result.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Reads a text that the caller named; `-` is standard input.
pub(super) fn text_of(path: &Path) -> Result<String, CliError> {
    let failed = |source| CliError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    if path == Path::new("-") {
        let input = io::stdin().lock().take(LONGEST_TEXT);
        io::BufReader::new(input).read_to_string(&mut text).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(LONGEST_TEXT).read_to_string(&mut text).map_err(failed)?;
    }
    Ok(text)
}

/// The most bytes taken of a text.
const LONGEST_TEXT: u64 = 4096;

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
