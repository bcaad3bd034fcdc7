//! `enroll chip`: readers, reading to files, and verifying the files offline.

mod folder;
mod portrait;
mod read;
mod readers;
mod verify;

use super::output::{CliError, Output, Status};

/// Sub-commands of `enroll chip`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// List the readers of this machine
    Readers(readers::Args),
    /// Read a chip to files and judge it
    Read(Box<read::Args>),
    /// Verify the files of a chip against a trust store, offline
    Verify(verify::Args),
}

pub(super) fn run(command: &Command, out: &mut Output<'_>) -> Result<Status, CliError> {
    match command {
        Command::Readers(args) => readers::run(args, out),
        Command::Read(args) => read::run(args, out),
        Command::Verify(args) => verify::run(args, out),
    }
}
