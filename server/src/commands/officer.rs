//! `enroll officer add|list|disable`: who may decide at Borgercenters.

use super::rows::{changed, on_rows, print, print_all, refused};
use super::setup::{Place, SetupError, ended};
use crate::app::{OfficerError, add_officer, disable_officer};
use crate::clock::{Clock, SystemClock, SystemEntropy};
use crate::config::Secret;
use crate::storage::Role;
use enroll_core::officer::Account;
use serde_json::{Value, json};
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Add, list and disable officers of Borgercenters
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add an officer, and print the secret of their one-time codes: it is shown once
    Add(Add),
    /// List the officers by name
    List(List),
    /// Let an officer sign in no more, and end their sessions; what they decided stays
    Disable(Disable),
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    /// Their name in every record: 2 to 32 signs of a-z, 0-9 and -
    name: String,
    /// What they are there for: borgercenter decides cases, support helps citizens who call
    #[arg(long, value_enum, default_value_t = For::Borgercenter)]
    role: For,
    /// A file whose first line is the password; standard input if not given
    #[arg(long)]
    password_file: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// What an officer is there for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum For {
    Borgercenter,
    Support,
}

impl From<For> for Role {
    fn from(role: For) -> Self {
        match role {
            For::Borgercenter => Self::Borgercenter,
            For::Support => Self::Support,
        }
    }
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    place: Place,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Disable {
    #[command(flatten)]
    place: Place,
    /// Their name
    name: String,
}

/// Runs: 0 done, 1 the name is taken or unknown, 2 a name or password that is none, 3 keys or database
/// cannot be used.
#[must_use]
pub fn run(args: Args) -> ExitCode {
    match args.command {
        Command::Add(args) => add(&args),
        Command::List(args) => list(&args),
        Command::Disable(args) => disable(&args),
    }
}

fn add(args: &Add) -> ExitCode {
    let added = on_rows(&args.place, async |rows| {
        let password = password(args.password_file.as_deref())?;
        let now = SystemClock.now();
        let parts = (&rows.store, rows.keys.as_ref(), &SystemEntropy as &dyn crate::clock::Entropy);
        let who = (args.name.as_str(), Role::from(args.role));
        Ok(add_officer(parts, &rows.config.policy, who, password.expose(), now).await)
    });
    match added {
        Ok(Ok(secret)) => {
            let (name, secret) = (&args.name, secret.base32());
            let uri = format!("otpauth://totp/Indrul:{name}?secret={}&issuer=Indrul", *secret);
            if args.json {
                print(&json!({ "officer": name, "otpauth": uri }).to_string(), 0)
            } else {
                print(&format!("{name}: {uri}"), 0)
            }
        }
        Ok(Err(error)) => told(&error),
        Err(error) => ended(Err(error)),
    }
}

/// The first line of `file`, or of standard input.
fn password(file: Option<&Path>) -> Result<Secret, SetupError> {
    let failed =
        |source| SetupError::File { path: file.unwrap_or(Path::new("-")).to_owned(), source };
    let text = match file {
        Some(path) => std::fs::read_to_string(path).map_err(failed)?,
        None => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map_err(failed)?;
            line
        }
    };
    let first = text.lines().next().unwrap_or_default().to_owned();
    drop(zeroize::Zeroizing::new(text));
    Ok(Secret::from(first))
}

fn told(error: &OfficerError) -> ExitCode {
    let status = match error {
        OfficerError::Taken => 1,
        OfficerError::Name | OfficerError::Password { .. } => 2,
        OfficerError::App(_) => 3,
    };
    refused(error, status)
}

fn list(args: &List) -> ExitCode {
    let found = on_rows(&args.place, async |rows| Ok(rows.store.read().await?.officers().await?));
    print_all(found, |officer| {
        let disabled = match officer.account {
            Account::Active { .. } => None,
            Account::Disabled { at } => Some(at.to_string()),
        };
        if args.json {
            let disabled = disabled.map_or(Value::Null, Value::from);
            json!({ "officer": officer.name, "role": officer.role, "added": officer.created.to_string(), "disabled": disabled })
                .to_string()
        } else {
            let standing = disabled.map_or("active".to_owned(), |at| format!("disabled {at}"));
            format!("{} {} {standing}", officer.name, officer.role.as_str())
        }
    })
}

fn disable(args: &Disable) -> ExitCode {
    let done = on_rows(&args.place, async |rows| {
        Ok(disable_officer(&rows.store, &args.name, SystemClock.now()).await)
    });
    changed(done, |error| told(&OfficerError::App(error)))
}
