//! The command line (DESIGN §10, INTERFACES *`enroll` by example*): one file per command.
//!
//! Results go to standard output, one JSON object each with `--json`; logs and errors go to
//! standard error. The exit status is [`output::Status`].

mod chip;
mod face;
mod mrz;
pub mod output;
mod reasons;
mod today;
mod trust;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use output::{CliError, Output, Status};

/// Electronic identity from a passport.
#[derive(Debug, Parser)]
#[command(name = "enroll", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List every reason code with its texts and next step
    Reasons(reasons::Args),
    /// Parse and read the machine readable zone
    #[command(subcommand)]
    Mrz(mrz::Command),
    /// Read and verify the chip
    #[command(subcommand)]
    Chip(chip::Command),
    /// Compare faces and judge pictures of them
    #[command(subcommand)]
    Face(face::Command),
    /// Keep the trust store
    #[command(subcommand)]
    Trust(trust::Command),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    start_logging();
    run(Cli::parse().command)
}

fn run(command: Command) -> ExitCode {
    let mut out = Output::stdout();
    match command {
        Command::Reasons(args) => finish(reasons::run(&args, &mut out)),
        Command::Mrz(command) => finish(mrz::run(&command, &mut out)),
        Command::Chip(command) => finish(chip::run(&command, &mut out)),
        Command::Face(command) => finish(face::run(&command, &mut out)),
        Command::Trust(command) => finish(trust::run(&command, &mut out)),
    }
}

fn finish(result: Result<Status, CliError>) -> ExitCode {
    result.unwrap_or_else(|error| output::report(&error)).into()
}

/// Logs go to standard error, at `INDRUL_LOG` (default: warnings, and what the service does).
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("INDRUL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,server=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
