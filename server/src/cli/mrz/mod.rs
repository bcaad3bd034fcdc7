//! `enroll mrz`: parse what is printed, read it from a picture.

mod parse;
mod read;

use super::output::{CliError, Output, Status};

/// Sub-commands of `enroll mrz`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Parse the lines of an MRZ
    Parse(parse::Args),
    /// Read the MRZ from pictures of the page
    Read(read::Args),
}

pub(super) fn run(command: &Command, out: &mut Output<'_>) -> Result<Status, CliError> {
    match command {
        Command::Parse(args) => parse::run(args, out),
        Command::Read(args) => read::run(args, out),
    }
}
