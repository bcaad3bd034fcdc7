//! `enroll trust`: the store of issuers' certificates and revocation lists.

mod chain;
mod import;
mod list;
mod source;

use std::fmt::Write;

use nfc::trust::{Anchor, certificate::Certificate};
use serde::Serialize;
use serde_json::{Value, json};

use super::output::{CliError, Output, Status};

/// Sub-commands of `enroll trust`.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Import master lists, certificates and revocation lists, or folders of them
    Import(import::Args),
    /// List the anchors
    List(list::Args),
    /// Show the path from a certificate to a self-signed anchor
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
    fn of(anchor: &Anchor) -> Self {
        Self::new(&anchor.certificate, hex::encode(anchor.sha256), anchor.key.clone())
    }

    fn new(certificate: &Certificate, sha256: String, key: String) -> Self {
        Self {
            country: certificate.country(),
            subject: certificate.subject.to_string(),
            serial: hex::encode(&certificate.serial),
            sha256,
            key,
            not_before: certificate.not_before.date().to_string(),
            not_after: certificate.not_after.date().to_string(),
            self_signed: certificate.is_self_signed(),
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

/// `value` with the members of `more` added.
fn with(value: &Listed, more: Value) -> Value {
    let mut object = json!(value);
    if let (Value::Object(object), Value::Object(more)) = (&mut object, more) {
        object.extend(more);
    }
    object
}
