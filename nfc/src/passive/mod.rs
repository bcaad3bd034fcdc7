//! Passive authentication (ICAO 9303-11 §5.1; ICAO 9303-12 §5): that the issuing state signed what
//! the chip holds.
//!
//! Everything read from the chip is untrusted; only the trust store's anchors are trusted. Each
//! check says what it saw. [`VerifiedLds`] is made here and nowhere else, so that chip and active
//! authentication cannot run with keys that nobody signed.

mod basis;
mod card_security;
mod chain;
mod content;
mod country;
mod hashes;
mod signature;

use std::{cell::OnceCell, sync::Arc};

use mrz::Mrz;
use serde_json::{Value, json};
use time::{Date, Time};

use self::{basis::Ground, hashes::Compared};
pub use self::{
    basis::{AnchorSummary, Basis, SignerSummary},
    card_security::{CardSecurityReport, VerifiedCardSecurity, verify_card_security},
};
use crate::{
    check::{Check, Outcome, Reason},
    evidence::Evidence,
    files::{FileId, Files},
    lds::{
        LdsError, dg1, dg14,
        security_infos::SecurityInfos,
        sod::{self, SECURITY_OBJECTS, SecurityObject},
    },
    trust::TrustStore,
};

/// What passive authentication found.
#[derive(Debug, Clone)]
pub struct Report {
    /// All checks, in the order in which they were run.
    pub checks: Vec<Check>,
    /// The data groups, if signature, digest, hashes and chain all hold.
    pub verified: Option<VerifiedLds>,
    /// EF.CardSecurity, if it was read: only chips with the chip authentication mapping have it.
    pub card_security: Option<CardSecurityReport>,
    ground: Ground,
}

impl Report {
    /// The document signer, if its certificate was found.
    #[must_use]
    pub fn signer(&self) -> Option<SignerSummary> {
        self.ground.signer()
    }

    /// The trusted issuer, if one was found.
    #[must_use]
    pub fn csca(&self) -> Option<AnchorSummary> {
        self.ground.csca()
    }

    /// What the verdict rests on besides the files.
    #[must_use]
    pub fn basis(&self) -> Basis {
        self.ground.basis()
    }
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
    let signed = match files.get(FileId::Sod).map(sod::parse) {
        None => {
            let missing = json!({ "missing": ["EF.SOD"] });
            return without_sod(Reason::DataGroupMissing, missing, card_security);
        }
        Some(Err(error)) => {
            let error = json!({ "error": chain_of(&error) });
            return without_sod(Reason::SodMalformed, error, card_security);
        }
        Some(Ok(signed)) => Arc::new(signed),
    };
    let at = at.with_time(Time::MIDNIGHT).assume_utc();
    let document = Document::new(files);
    let signature = signature::verify(&signed, &SECURITY_OBJECTS, trust);
    let chain = chain::verify(&signature, &document, trust, at);
    let object = SecurityObject::parse(&signed.content).map(Arc::new);
    let proved = card_security.as_ref().and_then(|report| report.verified.as_ref());
    let groups = match &object {
        Ok(object) => over_object(&document, object, required, proved),
        Err(error) => without_object(&document, error),
    };
    let checks: Vec<_> = signature.checks.into_iter().chain(groups).chain(chain.checks).collect();
    let holds = |id: &str| checks.iter().any(|c| c.id == id && c.outcome == Outcome::Passed);
    let proved = ["sod.signature", "sod.digest", "dg.hash", "signer.chain"];
    let listed = |id| object.as_ref().is_ok_and(|object| object.lists(id));
    let verified = proved.iter().all(|id| holds(id));
    let verified = verified.then(|| VerifiedLds { files: files.only(listed) });
    let ground = Ground { algorithm: signature.algorithm, ..chain.ground };
    Report { checks, verified, card_security, ground }
}

/// The checks of the data groups that the LDS security object lists.
fn over_object(
    document: &Document<'_>,
    object: &Arc<SecurityObject>,
    required: &[FileId],
    card_security: Option<&VerifiedCardSecurity>,
) -> [Check; 4] {
    let compared = Arc::new(Compared::new(document.files, object));
    let hashes = hashes::hash_check(document.files, object, &compared, required);
    let downgrade = hashes::downgrade_check(document.files, object, card_security);
    let [signed, com] = content::verify(document, Some(&compared));
    [hashes, downgrade, signed, com]
}

fn without_object(document: &Document<'_>, error: &LdsError) -> [Check; 4] {
    let [hashes, downgrade] = hashes::without_object(error);
    let [signed, com] = content::verify(document, None);
    [hashes, downgrade, signed, com]
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
fn without_sod(
    reason: Reason,
    evidence: Value,
    card_security: Option<CardSecurityReport>,
) -> Report {
    let mut checks = vec![Check::new("sod.signature", Outcome::Failed(reason), evidence)];
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
    Report { checks, verified: None, card_security, ground: Ground::default() }
}

/// A check that could not be run because of what another check found.
pub(crate) fn not_performed(id: &'static str, why: &'static str) -> Check {
    let evidence = Evidence::new(move || json!({ "why": why }));
    Check::new(id, Outcome::NotPerformed(None), evidence)
}

/// Evidence with members besides.
fn with(evidence: Value, members: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let Value::Object(mut all) = evidence else { return evidence };
    all.extend(members.into_iter().map(|(name, value)| (name.to_owned(), value)));
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

/// RFC 3339, which can express every instant that certificates have.
fn stamp(at: time::OffsetDateTime) -> String {
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}
