//! `enroll trust list`: one object per anchor.

use std::path::PathBuf;

use nfc::trust::{Anchor, Domain, TrustStore};
use serde_json::{Value, json};

use super::{
    super::output::{CliError, Format, Output, Status},
    Listed, with,
};
use crate::trust_dir::TrustDir;

/// Arguments of `enroll trust list`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder of the trust store
    store: PathBuf,
    /// Only the anchors of this domain
    #[arg(long)]
    domain: Option<Domain>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let dir = TrustDir::open(&args.store)?;
    for domain in dir.domains()? {
        if args.domain.is_some_and(|only| only != domain) {
            continue;
        }
        let store = dir.load(domain)?;
        for anchor in store.anchors() {
            let listed = Listed::of(anchor);
            let line = format!("{domain}  {}", listed.line());
            let link_to = link_to(&store, anchor);
            let object = with(&listed, json!({ "domain": domain, "link_to": link_to }));
            out.result(args.format, &object, |_: &Value| line)?;
        }
    }
    Ok(Status::Accepted)
}

/// The anchor that a link certificate was issued by, if it is known.
fn link_to(store: &TrustStore, anchor: &Anchor) -> Option<String> {
    if anchor.certificate.is_self_signed() {
        return None;
    }
    store.issuer_of(&anchor.certificate).ok().map(|issuer| hex::encode(issuer.sha256))
}
