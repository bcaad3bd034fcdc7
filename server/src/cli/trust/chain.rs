//! `enroll trust chain`: the path from a certificate to a self-signed anchor, or why there is none.

use std::path::PathBuf;

use enroll_core::reason::ReasonCode;
use nfc::trust::{Anchor, Domain, TrustStore, certificate::Certificate};
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status, read},
    Listed,
    source::Source,
};
use crate::trust_dir::TrustDir;

/// Arguments of `enroll trust chain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder of the trust store
    store: PathBuf,
    /// The certificate, DER or PEM
    certificate: PathBuf,
    /// Only the anchors of this domain
    #[arg(long)]
    domain: Option<Domain>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let dir = TrustDir::open(&args.store)?;
    let bytes = read(&args.certificate)?;
    let der = match Source::of(&bytes) {
        Source::Certificates(mut found) if !found.is_empty() => found.remove(0),
        _ => bytes,
    };
    let unusable = |source| CliError::Certificate { path: args.certificate.clone(), source };
    let certificate = Certificate::parse(&der).map_err(|error| unusable(error.into()))?;
    let mut result =
        json!({ "found": false, "reason": ReasonCode::known("csca.unknown"), "path": [] });
    for domain in dir.domains()? {
        if args.domain.is_none_or(|only| only == domain) {
            let path = path(&dir.load(domain)?, &certificate, domain);
            if path.get("found") == Some(&Value::Bool(true)) || result.get("domain").is_none() {
                result = path;
            }
            if result.get("found") == Some(&Value::Bool(true)) {
                break;
            }
        }
    }
    let found = result.get("found") == Some(&Value::Bool(true));
    out.result(args.format, &result, human)?;
    Ok(Status::of(found))
}

fn path(store: &TrustStore, certificate: &Certificate, domain: Domain) -> Value {
    match store.path(certificate) {
        Ok(path) => {
            let whole = path.is_whole();
            let reason = (!whole).then(|| ReasonCode::known("csca.unknown")).flatten();
            let anchors: Vec<Listed> = path.anchors().map(|a: &Anchor| Listed::of(a)).collect();
            json!({ "found": whole, "domain": domain, "reason": reason, "path": anchors })
        }
        Err(error) => json!({
            "found": false,
            "domain": domain,
            "reason": error.reason(),
            "path": [],
        }),
    }
}

fn human(result: &Value) -> String {
    let anchors = result.get("path").and_then(Value::as_array).cloned().unwrap_or_default();
    if anchors.is_empty() {
        let reason = result.get("reason").and_then(Value::as_str).unwrap_or_default();
        return format!("no path: {reason}");
    }
    let subject = |anchor: &Value| {
        anchor.get("subject").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    anchors.iter().map(subject).collect::<Vec<_>>().join("\n  issued by ")
}
