//! What either side says of a document.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use nfc::{
    check::Outcome,
    files::{FileId, Files},
    lds::sod,
    passive,
    tlv::{self, Tag, encode},
    trust::{Domain, TrustStore},
};
use openssl::cms::{CMSOptions, CmsContentInfo};

use super::seeds::TODAY;

/// Accepted, or why not.
pub(crate) type Verdict = Result<(), String>;

/// What passive authentication finds of EF.SOD alone.
pub(crate) struct Ours {
    /// Signature and digest; the reason code of the first that does not hold.
    pub(crate) verdict: Verdict,
    /// If the signer's certificate is one that the issuer signed, what was relied on: the content,
    /// and the signed part of the certificate.
    pub(crate) relied_on: Option<(Vec<u8>, Vec<u8>)>,
}

/// As anyone would find it who trusts `issuer`.
pub(crate) fn ours(message: &[u8], issuer: &[u8]) -> Ours {
    let files: Files = [(FileId::Sod, file(message))].into_iter().collect();
    let mut trust = TrustStore::new(Domain::Qa);
    trust.add_der(issuer).unwrap();
    let report = passive::verify(&files, &trust, TODAY);
    let outcome = |id| report.checks.iter().find(|check| check.id == id).unwrap().outcome;
    let refused = ["sod.signature", "sod.digest"].into_iter().find_map(|id| match outcome(id) {
        Outcome::Passed => None,
        Outcome::Failed(reason) => Some(reason.code().to_owned()),
        Outcome::NotPerformed(_) => Some(format!("{id} not performed")),
    });
    let chains = outcome("signer.chain") == Outcome::Passed;
    let relied_on = chains.then(|| relied_on(message, report.basis().signer.as_deref().unwrap()));
    Ours { verdict: refused.map_or(Ok(()), Err), relied_on }
}

fn file(message: &[u8]) -> Vec<u8> {
    encode(FileId::Sod.tag(), message)
}

fn relied_on(message: &[u8], signer: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let content = sod::parse(&file(message)).unwrap().content;
    let mut fields = tlv::single(signer, Tag(0x30)).unwrap().reader();
    (content, fields.next_element().unwrap().unwrap().bytes.to_vec())
}

/// OpenSSL in this process; the innermost reason.
pub(crate) fn library(message: &[u8]) -> Verdict {
    let verify = || {
        let options = CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
        CmsContentInfo::from_der(message)?.verify(None, None, None, None, options)
    };
    verify().map_err(|errors| {
        let first = errors.errors().first().and_then(|error| error.reason());
        first.unwrap_or("no reason").to_owned()
    })
}

/// The `openssl` command; `None` if there is none.
pub(crate) fn command(message: &[u8]) -> Option<bool> {
    let mut child = Command::new("openssl")
        .args(["cms", "-verify", "-inform", "DER", "-binary", "-noverify"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(message);
    Some(child.wait().unwrap().success())
}
