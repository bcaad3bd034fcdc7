//! `enroll relying-party add|list|disable`: who people can log in at.

use super::setup::{Place, SetupError, block_on, ended, open_existing_store};
use crate::app::{AppError, add_relying_party, disable_relying_party};
use crate::clock::{Clock, SystemClock, SystemEntropy, random};
use crate::http::problem::chain;
use crate::keys::base64url;
use crate::oidc::client::{ClientAuth, Registration, RegistrationError};
use crate::oidc::{RelyingParty, Scope};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Add, list and disable relying parties of OpenID Connect
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Add a relying party from its file (docs/log-in.md); a secret is drawn and shown once
    Add(Add),
    /// List the relying parties
    List(List),
    /// Let a relying party do nothing more: no log-in, and none of its tokens is good
    Disable(Disable),
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    place: Place,
    /// The registration, TOML
    file: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
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
    /// Its identifier
    client_id: String,
}

/// Why a relying party was not added or disabled.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{} is no registration", path.display())]
    File { path: PathBuf, source: toml::de::Error },
    #[error("{} is no JSON", path.display())]
    Keys { path: PathBuf, source: serde_json::Error },
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    #[error("there is a relying party of that identifier already")]
    Taken,
    #[error("the relying party could not be kept")]
    App(#[from] AppError),
}

impl Refused {
    fn code(&self) -> u8 {
        match self {
            Self::File { .. } | Self::Keys { .. } | Self::Registration(_) => 2,
            Self::Taken => 1,
            Self::App(_) => 3,
        }
    }
}

/// Runs: 0 done, 1 the identifier is taken or unknown, 2 a registration that is none, 3 keys or database
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
    let added = block_on(async {
        let config = args.place.config()?;
        let secret = base64url(&random::<32>(&SystemEntropy).map_err(crate::keys::KeyError::from)?);
        let read = match read(&args.file, &secret)? {
            Ok(party) => party,
            Err(refused) => return Ok(Err(refused)),
        };
        let (store, _) = open_existing_store(&args.place.data, &config).await?;
        let added = add_relying_party(&store, &read, SystemClock.now()).await;
        Ok(match added {
            Ok(true) => Ok((read, secret)),
            Ok(false) => Err(Refused::Taken),
            Err(error) => Err(error.into()),
        })
    });
    match added {
        Ok(Ok((party, secret))) => {
            let has_secret = !matches!(party.auth, ClientAuth::PrivateKeyJwt { .. });
            let secret = has_secret.then_some(secret);
            let id = &party.client_id;
            let line = match (&secret, args.json) {
                (_, true) => json!({ "client_id": id, "client_secret": secret }).to_string(),
                (Some(secret), false) => format!("{id} added; its secret, shown once: {secret}"),
                (None, false) => format!("{id} added"),
            };
            ExitCode::from(if printed(&line) { 0 } else { 2 })
        }
        Ok(Err(refused)) => told(&refused),
        Err(error) => ended(Err::<(), SetupError>(error)),
    }
}

/// The relying party of a file, with `secret` if it has one.
fn read(path: &Path, secret: &str) -> Result<Result<RelyingParty, Refused>, SetupError> {
    let text = text(path)?;
    let registration: Registration = match toml::from_str(&text) {
        Ok(registration) => registration,
        Err(source) => return Ok(Err(Refused::File { path: path.to_owned(), source })),
    };
    let jwks: Option<Value> = match &registration.jwks_file {
        None => None,
        Some(name) => {
            let path = path.parent().unwrap_or(Path::new("")).join(name);
            match serde_json::from_str(&self::text(&path)?) {
                Ok(jwks) => Some(jwks),
                Err(source) => return Ok(Err(Refused::Keys { path, source })),
            }
        }
    };
    let hash = openssl::sha::sha256(secret.as_bytes());
    Ok(registration.accepted(hash, jwks).map_err(Refused::from))
}

fn text(path: &Path) -> Result<String, SetupError> {
    std::fs::read_to_string(path)
        .map_err(|source| SetupError::File { path: path.to_owned(), source })
}

fn told(refused: &Refused) -> ExitCode {
    let line = chain(refused);
    // A closed standard error leaves nothing to tell anyone.
    let _ = writeln!(std::io::stderr(), "enroll: {line}");
    ExitCode::from(refused.code())
}

fn list(args: &List) -> ExitCode {
    let found = block_on(async {
        let config = args.place.config()?;
        let (store, _) = open_existing_store(&args.place.data, &config).await?;
        Ok(store.read().await?.relying_parties().await?)
    });
    let rows = match found {
        Ok(rows) => rows,
        Err(error) => return ended(Err::<(), SetupError>(error)),
    };
    for row in rows {
        let (party, disabled) = (row.party, row.disabled.map(|at| at.to_string()));
        let line = if args.json {
            json!({
                "client_id": party.client_id, "name": party.name, "organisation": party.organisation,
                "sector": party.sector, "redirect_uris": party.redirect_uris, "auth": party.auth.name(),
                "scopes": Scope::write(&party.scopes), "ciba": party.ciba,
                "dpop_bound_access_tokens": party.dpop_bound_access_tokens,
                "backchannel_authentication_request_signing_alg":
                    party.backchannel_authentication_request_signing_alg,
                "disabled": disabled,
            })
            .to_string()
        } else {
            let standing = disabled.map_or("active".to_owned(), |at| format!("disabled {at}"));
            format!("{} {} ({}) {standing}", party.client_id, party.name, party.auth.name())
        };
        if !printed(&line) {
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn disable(args: &Disable) -> ExitCode {
    let done = block_on(async {
        let config = args.place.config()?;
        let (store, _) = open_existing_store(&args.place.data, &config).await?;
        Ok(disable_relying_party(&store, &args.client_id, SystemClock.now()).await)
    });
    match done {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => ExitCode::FAILURE,
        Ok(Err(error)) => told(&Refused::App(error)),
        Err(error) => ended(Err::<(), SetupError>(error)),
    }
}

fn printed(line: &str) -> bool {
    writeln!(std::io::stdout().lock(), "{line}").is_ok()
}
