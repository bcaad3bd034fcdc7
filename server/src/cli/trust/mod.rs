//! `enroll trust`: the store of issuers' certificates and revocation lists.

mod chain;
mod import;
mod list;
mod report;
mod signer;
mod source;

use std::{fmt::Write, path::Path};

use nfc::trust::{Anchor, TrustStore, certificate::Certificate};
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::source::Source;
use super::output::{CliError, Output, Status, read};

/// Sub-commands of `enroll trust`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Import master lists, LDIF, certificates and revocation lists, or folders of them
    Import(import::Args),
    /// List the anchors
    List(list::Args),
    /// Show the path from certificates to self-signed anchors
    Chain(chain::Args),
}

pub(super) fn run(command: &Command, out: &mut Output<'_>) -> Result<Status, CliError> {
    match command {
        Command::Import(args) => import::run(args, out),
        Command::List(args) => list::run(args, out),
        Command::Chain(args) => chain::run(args, out),
    }
}

/// A certificate as it is listed.
#[derive(Debug, Serialize)]
struct Listed {
    country: Option<String>,
    subject: String,
    serial: String,
    sha256: String,
    key: String,
    not_before: String,
    not_after: String,
    self_signed: bool,
}

impl Listed {
    fn of(store: &TrustStore, anchor: &Anchor) -> Self {
        let self_signed = store.is_self_signed(anchor);
        Self { key: anchor.key.clone(), ..Self::new(&anchor.certificate, self_signed) }
    }

    /// A certificate that is in no store.
    fn alone(certificate: &Certificate) -> Self {
        Self::new(certificate, certificate.is_self_signed())
    }

    fn new(certificate: &Certificate, self_signed: bool) -> Self {
        let key = certificate.public_key().map(|key| key.describe());
        Self {
            country: certificate.country(),
            subject: certificate.subject.to_string(),
            serial: hex::encode(certificate.serial()),
            sha256: hex::encode(Sha256::digest(&certificate.der)),
            key: key.unwrap_or_else(|error| error.to_string()),
            not_before: certificate.not_before.date().to_string(),
            not_after: certificate.not_after.date().to_string(),
            self_signed,
        }
    }

    /// One line for people.
    fn line(&self) -> String {
        let mut line = self.country.clone().unwrap_or_else(|| "??".to_owned());
        // Writing to a string does not fail.
        let _ = write!(
            line,
            "  {}  {}  until {}  {}",
            self.sha256.get(..16).unwrap_or_default(),
            self.key,
            self.not_after,
            self.subject
        );
        line
    }
}

/// The certificate in a file that the caller named, DER or PEM.
fn certificate(path: &Path) -> Result<Certificate, CliError> {
    let bytes = read(path)?;
    let found = Source::of(bytes.clone()).ok().flatten().and_then(Source::certificate);
    Certificate::parse(&found.unwrap_or(bytes))
        .map_err(|source| CliError::Certificate { path: path.to_owned(), source: source.into() })
}
