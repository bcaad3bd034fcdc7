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

use crate::commands;
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
    /// Run the enrolment service
    Serve(commands::serve::Args),
    /// Run the service with fixture passports, on made-up registers
    Demo(commands::demo::Args),
    /// Bridge a PC/SC reader to the chip relay
    Kiosk(commands::kiosk::Args),
    /// List, check and rotate the server's keys
    Keys(commands::keys::Args),
    /// Copy the database and the keys, while the server runs
    Backup(commands::backup::Args),
    /// List messages that could not be delivered, and have them tried once more
    Outbox(commands::outbox::Args),
    /// Add, list and disable officers of Borgercenters
    Officer(commands::officer::Args),
    /// Add, list and disable relying parties, at which people log in
    RelyingParty(commands::relying_party::Args),
    /// Keep the stock of code displays and audio code readers
    CodeDevice(commands::code_device::Args),
    /// Verify the audit trail
    Audit(commands::audit::Args),
    /// Verify the evidence of an identity
    Evidence(commands::evidence::Args),
}

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    start_logging();
    run(Cli::parse().command)
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Reasons(args) => print(|out| reasons::run(&args, out)),
        Command::Mrz(command) => print(|out| mrz::run(&command, out)),
        Command::Chip(command) => print(|out| chip::run(&command, out)),
        Command::Face(command) => print(|out| face::run(&command, out)),
        Command::Trust(command) => print(|out| trust::run(&command, out)),
        Command::Serve(args) => commands::serve::run(args),
        Command::Demo(args) => commands::demo::run(args),
        Command::Kiosk(args) => commands::kiosk::run(args),
        Command::Keys(args) => commands::keys::run(args),
        Command::Backup(args) => commands::backup::run(args),
        Command::Outbox(args) => commands::outbox::run(args),
        Command::Officer(args) => commands::officer::run(args),
        Command::RelyingParty(args) => commands::relying_party::run(args),
        Command::CodeDevice(args) => commands::code_device::run(args),
        Command::Audit(args) => commands::audit::run(args),
        Command::Evidence(args) => commands::evidence::run(args),
    }
}

/// Runs a command that prints results.
fn print(command: impl FnOnce(&mut Output<'_>) -> Result<Status, CliError>) -> ExitCode {
    command(&mut Output::stdout()).unwrap_or_else(|error| output::report(&error)).into()
}

/// Logs go to standard error, at `INDRUL_LOG` (default: warnings, and what the service does), as JSON
/// where `INDRUL_LOG_FORMAT` says so.
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("INDRUL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,server=info"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::env::var_os("INDRUL_LOG_FORMAT").is_some_and(|format| format == "json") {
        logs.json().init();
    } else {
        logs.init();
    }
}
