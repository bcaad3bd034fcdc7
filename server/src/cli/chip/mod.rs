//! `enroll chip`: readers, reading to files, and verifying the files offline.

mod folder;
mod verify;

use super::output::{CliError, Output, Status};

/// Sub-commands of `enroll chip`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Verify the files of a chip against a trust store, offline
    Verify(verify::Args),
}

pub(super) fn run(command: &Command, out: &mut Output<'_>) -> Result<Status, CliError> {
    match command {
        Command::Verify(args) => verify::run(args, out),
    }
}
