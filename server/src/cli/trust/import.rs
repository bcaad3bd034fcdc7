//! `enroll trust import`: nothing that a file holds aborts the import; each certificate that cannot
//! be used is listed with its reason.

use std::path::{Path, PathBuf};

use nfc::trust::{
    Domain, TrustStore,
    certificate::Certificate,
    master_list::{MasterList, Signer},
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    super::output::{CliError, Format, Output, Status, complain, describe, read},
    source::Source,
};
use crate::trust_dir::{Stored, TrustDir};

/// Arguments of `enroll trust import`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    format: Format,
    /// Folder of the trust store; made if it does not exist
    store: PathBuf,
    /// Master lists, certificates, revocation lists, or folders of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The world the anchors belong to: production or qa
    #[arg(long)]
    domain: Domain,
    /// The certificate that must have issued (or be) the signer of a master list
    #[arg(long, value_name = "CERT")]
    signer: Option<PathBuf>,
    /// Import a master list even if its own signature does not verify
    #[arg(long)]
    unverified: bool,
}

/// What one file came to.
#[derive(Debug, Serialize)]
struct Imported {
    file: PathBuf,
    kind: &'static str,
    imported: usize,
    duplicates: usize,
    rejected: Vec<Rejected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signer: Option<Value>,
}

/// A certificate that could not be used.
#[derive(Debug, Serialize)]
struct Rejected {
    index: usize,
    sha256: String,
    reason: String,
}

pub(super) fn run(args: &Args, out: &mut Output<'_>) -> Result<Status, CliError> {
    let import = Import {
        domain: args.domain,
        signer: args.signer.as_deref().map(certificate).transpose()?,
        unverified: args.unverified,
        dir: TrustDir::create(&args.store)?,
    };
    let mut worst = Status::Accepted;
    for file in args.files.iter().flat_map(|path| expand(path)) {
        let (status, result) = import.file(&file)?;
        out.result(args.format, &result, human)?;
        worst = worst.max(status);
    }
    Ok(worst)
}

struct Import {
    domain: Domain,
    signer: Option<Certificate>,
    unverified: bool,
    dir: TrustDir,
}

impl Import {
    fn file(&self, path: &Path) -> Result<(Status, Imported), CliError> {
        let source = match read(path) {
            Ok(bytes) => Source::of(&bytes),
            Err(error) => {
                complain(&describe(&error));
                Source::Unknown
            }
        };
        let mut result = Imported::empty(path, source.kind());
        let status = match source {
            Source::MasterList(list) => self.master_list(&list, &mut result)?,
            Source::Certificates(found) => {
                self.certificates(&found, &mut result)?;
                Status::of(result.taken() > 0)
            }
            Source::RevocationLists(found) => {
                self.revocations(&found, &mut result);
                Status::of(result.taken() > 0)
            }
            Source::Unknown => Status::Unusable,
        };
        Ok((status, result))
    }

    fn master_list(&self, list: &MasterList, result: &mut Imported) -> Result<Status, CliError> {
        let by = self.issuer_of_signer(list)?;
        let verified = list.signer.verified && by.is_some();
        result.signer = Some(signer(&list.signer, verified, by));
        if verified || self.unverified {
            self.certificates(&list.certificates, result)?;
        }
        Ok(Status::of(verified))
    }

    /// Which trusted key stands behind the signer of a master list: the certificate given, an
    /// anchor of the store, or one of the list itself. The last says only that the list is whole
    /// and its issuer consistent, and is named so in the result.
    fn issuer_of_signer(&self, list: &MasterList) -> Result<Option<&'static str>, CliError> {
        let Some(signer) = &list.signer.certificate else { return Ok(None) };
        if let Some(given) = &self.signer {
            let holds = given.der == signer.der || signer.is_signed_by(given).unwrap_or(false);
            return Ok(holds.then_some("signer"));
        }
        if self.dir.load(self.domain)?.issuer_of(signer).is_ok() {
            return Ok(Some("store"));
        }
        let mut own = TrustStore::new(self.domain);
        for der in &list.certificates {
            // One that cannot be parsed cannot have issued the signer.
            let _ = own.add_der(der);
        }
        Ok(own.issuer_of(signer).is_ok().then_some("list"))
    }

    fn certificates(&self, found: &[Vec<u8>], result: &mut Imported) -> Result<(), CliError> {
        for (index, der) in found.iter().enumerate() {
            match TrustStore::new(self.domain).add_der(der) {
                Ok(_) => result.count(self.dir.add_certificate(self.domain, der)?),
                Err(error) => result.reject(index, der, describe(&error)),
            }
        }
        Ok(())
    }

    fn revocations(&self, found: &[Vec<u8>], result: &mut Imported) {
        for (index, der) in found.iter().enumerate() {
            match self.dir.add_crl(self.domain, der) {
                Ok(stored) => result.count(stored),
                Err(error) => result.reject(index, der, describe(&error)),
            }
        }
    }
}

impl Imported {
    fn empty(file: &Path, kind: &'static str) -> Self {
        let file = file.to_owned();
        Self { file, kind, imported: 0, duplicates: 0, rejected: Vec::new(), signer: None }
    }

    fn taken(&self) -> usize {
        self.imported + self.duplicates
    }

    fn count(&mut self, stored: Stored) {
        match stored {
            Stored::New => self.imported += 1,
            Stored::Duplicate => self.duplicates += 1,
        }
    }

    fn reject(&mut self, index: usize, der: &[u8], reason: String) {
        let sha256 = hex::encode(Sha256::digest(der));
        self.rejected.push(Rejected { index, sha256, reason });
    }
}

fn signer(signer: &Signer, verified: bool, by: Option<&'static str>) -> Value {
    let certificate = signer.certificate.as_ref();
    json!({
        "verified": verified,
        "signature": signer.verified,
        "trusted_by": by,
        "subject": certificate.map(|c| c.subject.to_string()),
        "serial": certificate.map(|c| hex::encode(&c.serial)),
    })
}

fn certificate(path: &Path) -> Result<Certificate, CliError> {
    let bytes = read(path)?;
    let der = match Source::of(&bytes) {
        Source::Certificates(mut found) if !found.is_empty() => found.remove(0),
        _ => bytes,
    };
    Certificate::parse(&der)
        .map_err(|source| CliError::Certificate { path: path.to_owned(), source: source.into() })
}

/// A file itself, or the files of a folder and its folders, in order of name.
fn expand(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_owned()] };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    // A link to a folder is not followed, so that there is no circle.
    paths.retain(|path| !(path.is_symlink() && path.is_dir()));
    paths.iter().flat_map(|path| expand(path)).collect()
}

fn human(result: &Imported) -> String {
    let Imported { file, kind, imported, duplicates, rejected, signer } = result;
    let mut text = format!(
        "{}: {kind}, {imported} imported, {duplicates} known, {} rejected",
        file.display(),
        rejected.len()
    );
    if let Some(signer) = signer {
        let holds = if signer.get("verified") == Some(&Value::Bool(true)) { "" } else { "not " };
        text.push_str(&format!("; signature {holds}verified"));
    }
    for Rejected { index, sha256, reason } in rejected {
        text.push_str(&format!("\n  {index} {sha256} {reason}"));
    }
    text
}
