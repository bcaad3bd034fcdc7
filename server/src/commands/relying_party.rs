//! `enroll relying-party add|list|disable`: who people can log in at.

use super::rows::{changed, on_rows, print, print_all, refused};
use super::setup::{Place, SetupError, ended};
use crate::app::{AppError, add_relying_party, disable_relying_party};
use crate::clock::{Clock, SystemClock, SystemEntropy, random};
use crate::keys::base64url;
use crate::oidc::client::{ClientAuth, Registration, RegistrationError};
use crate::oidc::{RelyingParty, Scope};
use serde_json::{Value, json};
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
    let added = on_rows(&args.place, async |rows| {
        let secret = base64url(&random::<32>(&SystemEntropy).map_err(crate::keys::KeyError::from)?);
        let read = match read(&args.file, &secret)? {
            Ok(party) => party,
            Err(refused) => return Ok(Err(refused)),
        };
        Ok(match add_relying_party(&rows.store, &read, SystemClock.now()).await {
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
            print(&line, 0)
        }
        Ok(Err(why)) => refused(&why, why.code()),
        Err(error) => ended(Err(error)),
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

fn list(args: &List) -> ExitCode {
    let found =
        on_rows(&args.place, async |rows| Ok(rows.store.read().await?.relying_parties().await?));
    print_all(found, |row| {
        let (party, disabled) = (row.party, row.disabled.map(|at| at.to_string()));
        if args.json {
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
        }
    })
}

fn disable(args: &Disable) -> ExitCode {
    let done = on_rows(&args.place, async |rows| {
        Ok(disable_relying_party(&rows.store, &args.client_id, SystemClock.now()).await)
    });
    changed(done, |error| refused(&Refused::App(error), 3))
}
