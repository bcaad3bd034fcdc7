//! Passive authentication (ICAO 9303-11 §5.1; ICAO 9303-12 §5): that the issuing state signed what
//! the chip holds.
//!
//! Everything read from the chip is untrusted; only the trust store's anchors are trusted. Each
//! check says what it saw. [`VerifiedLds`] is made here and nowhere else, so that chip and active
//! authentication cannot run with keys that nobody signed.

mod card_security;
mod chain;
mod content;
mod country;
mod hashes;
mod signature;

use std::cell::OnceCell;

use mrz::Mrz;
use serde::Serialize;
use serde_json::{Value, json};
use time::{Date, Time};

pub use self::card_security::{CardSecurityReport, VerifiedCardSecurity, verify_card_security};
use self::hashes::Compared;
use crate::{
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    lds::{
        LdsError, dg1, dg14,
        security_infos::SecurityInfos,
        sod::{self, SECURITY_OBJECTS, SecurityObject},
    },
    trust::{Domain, TrustError, TrustStore, certificate::Certificate},
};

/// What passive authentication found.
#[derive(Debug, Clone)]
pub struct Report {
    /// All checks, in the order in which they were run.
    pub checks: Vec<Check>,
    /// The document signer, if its certificate was found.
    pub signer: Option<SignerSummary>,
    /// The trusted issuer, if one was found.
    pub csca: Option<AnchorSummary>,
    /// The data groups, if signature, digest, hashes and chain all hold.
    pub verified: Option<VerifiedLds>,
    /// EF.CardSecurity, if it was read: only chips with the chip authentication mapping have it.
    pub card_security: Option<CardSecurityReport>,
    /// What the verdict rests on besides the files.
    pub basis: Basis,
}

/// The certificates and revocation lists that a verdict rests on: with the files and the date they
/// are all that is needed to reach it again, whatever the store has come to hold since.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basis {
    /// The document signer's certificate, DER: in the document, or found in the store.
    pub signer: Option<Vec<u8>>,
    /// The issuers from the signer's own up, DER.
    pub chain: Vec<Vec<u8>>,
    /// The revocation lists that were consulted, DER.
    pub revocation_lists: Vec<Vec<u8>>,
    /// The issuers that signed these and are not on the chain, DER: after a change of keys a state
    /// may sign its lists with the new key alone.
    pub list_signers: Vec<Vec<u8>>,
}

impl Basis {
    /// A store of these alone. That its anchors are to be trusted is for the caller to know.
    ///
    /// # Errors
    /// [`TrustError`] if something in it cannot be parsed.
    pub fn store(&self, domain: Domain) -> Result<TrustStore, TrustError> {
        let mut store = TrustStore::new(domain);
        if let Some(signer) = &self.signer {
            store.add_signer_der(signer)?;
        }
        for issuer in self.chain.iter().chain(&self.list_signers) {
            store.add_der(issuer)?;
        }
        for list in &self.revocation_lists {
            store.add_crl_der(list)?;
        }
        Ok(store)
    }
}

/// The document signer's certificate in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignerSummary {
    /// Country, two letters.
    pub country: Option<String>,
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// Algorithm of the signature over EF.SOD.
    pub algorithm: Option<String>,
    /// Kind and size of the key.
    pub key: Option<String>,
    /// Start of validity, RFC 3339.
    pub not_before: String,
    /// End of validity, RFC 3339.
    pub not_after: String,
}

/// The trusted issuer's certificate in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnchorSummary {
    /// Country, two letters.
    pub country: Option<String>,
    /// Subject.
    pub subject: String,
    /// Serial number, lower-case hex.
    pub serial: String,
    /// SHA-256 of the certificate, lower-case hex.
    pub sha256: String,
}

/// Data groups that the issuing state signed: made by passive authentication alone.
#[derive(Debug, Clone)]
pub struct VerifiedLds {
    files: Files,
}

impl VerifiedLds {
    /// A signed data group, byte for byte as read.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&[u8]> {
        self.files.get(id)
    }

    /// The signed security options, if the document has a DG14 and it can be parsed.
    #[must_use]
    pub fn security_infos(&self) -> Option<SecurityInfos> {
        dg14::parse(self.get(FileId::DG14)?).ok()
    }
}

/// Runs every check that can be run over the files, as of `at`.
#[must_use]
pub fn verify(files: &Files, trust: &TrustStore, at: Date) -> Report {
    run(files, trust, at, &hashes::REQUIRED)
}

/// As [`verify`], over those files of an earlier reading that a record keeps: a data group that is
/// listed and not there is not missed. Never for a reading, where a chip could withhold one.
#[must_use]
pub fn verify_kept(files: &Files, trust: &TrustStore, at: Date) -> Report {
    run(files, trust, at, &[])
}

/// EF.CardSecurity bears out EF.CardAccess besides DG14, if it is there and proved.
fn run(files: &Files, trust: &TrustStore, at: Date, required: &[FileId]) -> Report {
    let card_security =
        files.get(FileId::CardSecurity).map(|file| verify_card_security(file, files, trust, at));
    let proved = card_security.as_ref().and_then(|report| report.verified.as_ref());
    let report = match files.get(FileId::Sod).map(sod::parse) {
        None => without_sod(Reason::DataGroupMissing, json!({ "missing": ["EF.SOD"] })),
        Some(Ok(signed)) => {
            let at = at.with_time(Time::MIDNIGHT).assume_utc();
            let signature = signature::verify(&signed, &SECURITY_OBJECTS, trust);
            let object = SecurityObject::parse(&signed.content);
            let compared = Compared::new(files, &object);
            let mut hashes = hashes::verify(files, &object, &compared, required, proved);
            let document = Document::new(files);
            hashes.extend(content::verify(&document, &object, &compared));
            let chain = chain::verify(&signature, &document, trust, at);
            let signed = files.only(|id| object.as_ref().is_ok_and(|object| object.lists(id)));
            assemble(signed, signature, hashes, chain)
        }
        Some(Err(error)) => without_sod(Reason::SodMalformed, json!({ "error": chain_of(&error) })),
    };
    Report { card_security, ..report }
}

/// `signed` are the data groups that the LDS security object lists.
fn assemble(
    signed: Files,
    signature: signature::Found,
    hashes: Vec<Check>,
    chain: chain::Found,
) -> Report {
    let signer = signature
        .certificate
        .as_ref()
        .map(|certificate| SignerSummary::new(certificate, signature.algorithm.clone()));
    let checks: Vec<_> = signature.checks.into_iter().chain(hashes).chain(chain.checks).collect();
    let holds = |id: &str| checks.iter().any(|c| c.id == id && c.outcome == Outcome::Passed);
    let proved = ["sod.signature", "sod.digest", "dg.hash", "signer.chain"];
    let verified = proved.iter().all(|id| holds(id)).then_some(VerifiedLds { files: signed });
    let basis = Basis {
        signer: signature.certificate.map(|certificate| certificate.der),
        chain: chain.chain,
        revocation_lists: chain.revocation_lists,
        list_signers: chain.list_signers,
    };
    Report { checks, signer, csca: chain.csca, verified, card_security: None, basis }
}

/// The files with DG1 parsed, once and when it is first asked for.
struct Document<'a> {
    files: &'a Files,
    zone: OnceCell<Option<Result<Mrz, LdsError>>>,
}

impl<'a> Document<'a> {
    fn new(files: &'a Files) -> Self {
        Self { files, zone: OnceCell::new() }
    }

    /// The machine readable zone, if DG1 is there.
    fn zone(&self) -> Option<Result<&Mrz, &LdsError>> {
        let parse = || self.files.get(FileId::DG1).map(dg1::parse);
        self.zone.get_or_init(parse).as_ref().map(Result::as_ref)
    }
}

/// Without EF.SOD nothing else can be checked.
fn without_sod(reason: Reason, evidence: Value) -> Report {
    let mut checks =
        vec![Check { id: "sod.signature", outcome: Outcome::Failed(reason), evidence }];
    let rest = [
        "sod.digest",
        "dg.hash",
        "chip.downgrade",
        "dg.content",
        "com.content",
        "signer.chain",
        "signer.validity",
        "signer.country",
        "signer.revocation",
    ];
    checks.extend(rest.map(|id| not_performed(id, "no EF.SOD could be read")));
    let basis = Basis::default();
    Report { checks, signer: None, csca: None, verified: None, card_security: None, basis }
}

/// A check that could not be run because of what another check found.
pub(crate) fn not_performed(id: &'static str, why: &'static str) -> Check {
    Check { id, outcome: Outcome::NotPerformed(None), evidence: json!({ "why": why }) }
}

/// Evidence with members that are JSON already, or are missing: [`json!`] would copy them.
fn with<const N: usize>(evidence: Value, members: [(&str, Option<Value>); N]) -> Value {
    let Value::Object(mut all) = evidence else { return evidence };
    all.extend(members.map(|(name, value)| (name.to_owned(), value.unwrap_or_default())));
    Value::Object(all)
}

/// An error with its causes, for evidence: our own words only, never the data.
fn chain_of(error: &LdsError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl SignerSummary {
    fn new(certificate: &Certificate, algorithm: Option<String>) -> Self {
        Self {
            country: certificate.country(),
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: hex::encode(&certificate.serial),
            algorithm,
            key: certificate.public_key().ok().map(|key| key.describe()),
            not_before: stamp(certificate.not_before),
            not_after: stamp(certificate.not_after),
        }
    }
}

/// RFC 3339, which can express every instant that certificates have.
fn stamp(at: time::OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
