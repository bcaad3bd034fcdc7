//! `enroll trust chain`: for each certificate the path to a self-signed anchor, or why there is
//! none.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use enroll_core::reason::ReasonCode;
use nfc::trust::{Domain, TrustStore, certificate::Certificate, master_list};
use serde::Serialize;

use super::{
    super::output::{CliError, Format, Output, Status, read},
    Listed,
    source::{Source, What},
};
use crate::trust_dir::TrustDir;

/// Arguments of `enroll trust chain`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder of the trust store
    store: PathBuf,
    /// Certificates, DER or PEM, or all certificates of a master list or LDIF
    #[arg(required_unless_present = "all")]
    certificates: Vec<PathBuf>,
    /// Every anchor and document signer of the store
    #[arg(long, conflicts_with = "certificates")]
    all: bool,
    /// Only the anchors of this domain
    #[arg(long)]
    domain: Option<Domain>,
}

/// What was found for one certificate.
#[derive(Debug, Serialize)]
struct Found {
    certificate: Listed,
    found: bool,
    domain: Option<Domain>,
    reason: Option<ReasonCode>,
    /// From the issuer up; of a self-signed anchor itself.
    path: Vec<Listed>,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let dir = TrustDir::open(&args.store)?;
    let domains = dir.domains()?.into_iter();
    let wanted = domains.filter(|domain| args.domain.is_none_or(|only| only == *domain));
    let stores = wanted.map(|domain| dir.load(domain)).collect::<Result<Vec<_>, _>>()?;
    let mut every = true;
    let mut tell = |found: Found| {
        every &= found.found;
        out.result(args.format, &found, Found::human)
    };
    if args.all {
        for store in &stores {
            let anchors = store.anchors().iter().map(|anchor| &anchor.certificate);
            for certificate in anchors.chain(store.signers().iter().map(Arc::as_ref)) {
                tell(path(std::slice::from_ref(store), certificate))?;
            }
        }
    }
    for file in &args.certificates {
        for certificate in certificates(file)? {
            tell(path(&stores, &certificate))?;
        }
    }
    Ok(Status::of(every))
}

/// The certificates in a file; it must have one.
fn certificates(file: &Path) -> Result<Vec<Certificate>, CliError> {
    let bytes = read(file)?;
    let unusable =
        |source: nfc::trust::TrustError| CliError::Certificate { path: file.to_owned(), source };
    let offers = match Source::of(bytes.clone()) {
        Ok(Some(source)) => source.offers,
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for offer in &offers {
        match offer.what {
            What::Certificate => found.extend(Certificate::parse(&offer.bytes)),
            What::MasterList => {
                let list = master_list::parse(&offer.bytes).map_err(|e| unusable(e.into()))?;
                found.extend(list.certificates.iter().flat_map(|der| Certificate::parse(der)));
            }
            _ => {}
        }
    }
    if found.is_empty() {
        found.push(Certificate::parse(&bytes).map_err(|error| unusable(error.into()))?);
    }
    Ok(found)
}

/// The best that a store has for the certificate.
fn path(stores: &[TrustStore], certificate: &Certificate) -> Found {
    let mut best = Found {
        certificate: Listed::alone(certificate),
        found: false,
        domain: None,
        reason: ReasonCode::known("csca.unknown"),
        path: Vec::new(),
    };
    for store in stores {
        let (path, reason) = match store.path(certificate) {
            Ok(path) => {
                let steps = path.anchors().map(|anchor| Listed::of(store, anchor)).collect();
                let broken = (!path.is_whole()).then_some(ReasonCode::known("csca.unknown"));
                (steps, broken.flatten())
            }
            Err(error) => (Vec::new(), Some(ReasonCode::from(error.reason()))),
        };
        let found = reason.is_none();
        if found || best.domain.is_none() {
            best = Found { found, domain: Some(store.domain()), reason, path, ..best };
        }
        if found {
            break;
        }
    }
    best
}

impl Found {
    fn human(&self) -> String {
        let subject = &self.certificate.line();
        let steps = self.path.iter().map(|step| {
            let role = if step.self_signed { ", a root" } else { "" };
            format!("\n  issued by {}{role}", step.line())
        });
        let steps: String = steps.collect();
        match self.reason {
            None => format!("{subject}{steps}"),
            Some(reason) if steps.is_empty() => format!("{subject}\n  no path: {reason}"),
            Some(reason) => format!("{subject}{steps}\n  which leads to no root: {reason}"),
        }
    }
}
