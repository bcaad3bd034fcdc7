//! Checking a record again (H3): passive authentication from the files, certificates and revocation
//! lists in it, as of the day on which it was judged, and whether all came out as recorded.
//!
//! The record vouches for itself in nothing. That it is the one that was made then says the hash in
//! the signed identity; that its issuer is to be trusted says a trust store. One of the two must be
//! there, and what is there must hold.

use nfc::{
    active_auth::ActiveAuthentication,
    files::{FileId, Files},
    lds::dg1,
    passive::{self, Report},
    trust::TrustStore,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::Duration;

use super::{Answer, Basis, Record, VERSION};
use crate::{
    audit::Hash,
    canonical,
    check::Check,
    decide::{Verdict, judge},
    reason::ReasonCode,
};

/// What came of checking a record again.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// In one word.
    pub verdict: Verdict,
    /// What decided it, worst first.
    pub reasons: Vec<ReasonCode>,
    /// The SHA-256 of the record's canonical form.
    pub sha256: Hash,
    /// What was checked again.
    pub checks: Vec<Check>,
}

/// The value is no record.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// Members are missing or of the wrong kind.
    #[error("not an evidence record")]
    Malformed(#[from] serde_json::Error),
    /// Made by another version.
    #[error("an evidence record of version {version}, which is not known")]
    Version {
        /// Its version.
        version: u8,
    },
}

/// What must hold for a record to be sound, besides who vouches for it.
const REQUIRED: [&str; 6] = [
    "sod.signature",
    "sod.digest",
    "dg.hash",
    "signer.chain",
    "signer.validity",
    "evidence.agrees",
];

/// Whether the unsigned files agreed can be judged at the chip only; they are not kept.
const AT_THE_CHIP: [&str; 2] = ["chip.downgrade", "com.content"];

/// Checks a record again. `expected` is the hash that the signed identity carries; `trust` says
/// which issuers are trusted today. Without both nothing vouches for the record, and it is not
/// accepted.
///
/// # Errors
/// [`EvidenceError`] if the value is no record.
pub fn verify(
    record: &Value,
    expected: Option<Hash>,
    trust: Option<&TrustStore>,
) -> Result<Verified, EvidenceError> {
    let sha256 = Hash(canonical::sha256(record));
    let record = Record::deserialize(record)?;
    if record.version != VERSION {
        return Err(EvidenceError::Version { version: record.version });
    }
    // What cannot be parsed proves nothing.
    let basis = record.basis.store().unwrap_or_else(|_| TrustStore::new(record.basis.domain));
    let report = passive::verify_kept(&files(&record), &basis, record.judged_on);
    let mut checks: Vec<Check> = report.checks.iter().map(Check::from).collect();
    checks.retain(|check| !AT_THE_CHIP.contains(&check.id.as_str()));
    checks.extend(answer(&record, &report));
    let agrees = agreement(&record, &checks, &report);
    checks.push(agrees);
    checks.extend(expected.map(|expected| hash(sha256, expected)));
    checks.push(trusted(&record, &report, trust));
    let mut required = REQUIRED.to_vec();
    required.extend(expected.map(|_| "evidence.hash"));
    if trust.is_some() || expected.is_none() {
        required.push("evidence.trust");
    }
    let (verdict, reasons) = judge(&checks, &required);
    Ok(Verified { verdict, reasons, sha256, checks })
}

fn files(record: &Record) -> Files {
    let files = record.files.iter();
    files.filter_map(|(name, bytes)| Some((name.parse().ok()?, bytes.0.clone()))).collect()
}

/// `active_authentication`, again, under the signed key of DG15.
fn answer(record: &Record, report: &Report) -> Option<Check> {
    let id = "active_authentication";
    let answer = record.active_authentication.as_ref()?;
    let Some(lds) = &report.verified else {
        return Some(Check::waiting(id, "passive authentication"));
    };
    let holds = ActiveAuthentication::new(lds)
        .ok()
        .zip(challenge(answer))
        .and_then(|(key, challenge)| key.verify(&challenge, &answer.signature.0).ok().flatten());
    let reason = ReasonCode::nearest("active_authentication.failed");
    Some(Check::of(id, holds.is_some(), reason, json!({ "signature": holds })))
}

fn challenge(answer: &Answer) -> Option<[u8; 8]> {
    answer.challenge.0.as_slice().try_into().ok()
}

/// `evidence.agrees`: what was checked again came out as recorded, with the same evidence, signer,
/// issuer and basis, and every file is one that is known.
fn agreement(record: &Record, checks: &[Check], report: &Report) -> Check {
    let recorded = |id: &str| record.checks.iter().find(|held| held.id == id);
    let mut differ: Vec<&str> = checks
        .iter()
        .filter(|again| !recorded(&again.id).is_some_and(|held| is_same(held, again)))
        .map(|check| check.id.as_str())
        .collect();
    // A record that says the chip answered must hold the answer.
    let answered = recorded("active_authentication").is_some_and(Check::is_passed);
    let parts = [
        ("active_authentication", !answered || record.active_authentication.is_some()),
        ("signer", record.signer == json!(report.signer())),
        ("csca", record.csca == json!(report.csca())),
        ("basis", record.basis == Basis::of(report, record.basis.domain)),
        ("document", is_same_document(record, report)),
        ("files", record.files.keys().all(|name| name.parse::<FileId>().is_ok())),
        ("judged_on", is_of_its_day(record)),
    ];
    differ.extend(parts.iter().filter(|(_, same)| !same).map(|(name, _)| *name));
    let evidence = json!({ "differ": differ });
    Check::of("evidence.agrees", differ.is_empty(), ReasonCode::EVIDENCE_MISMATCH, evidence)
}

/// Judged on the day of completion, as days are counted where it was.
fn is_of_its_day(record: &Record) -> bool {
    let apart = record.completed_at.date() - record.judged_on;
    (-Duration::DAY..=Duration::DAY).contains(&apart)
}

/// What the record says of the document is what the proved data group 1 says.
fn is_same_document(record: &Record, report: &Report) -> bool {
    let file = report.verified.as_ref().and_then(|lds| lds.get(FileId::DG1));
    let Some(mrz) = file.and_then(|file| dg1::parse(file).ok()) else { return false };
    let fields = mrz.fields();
    let said = |name: &str, value: &str| record.document.get(name).is_none_or(|is| is == value);
    said("issuer", &fields.issuer)
        && said("code", &fields.document_code)
        && said("expires", fields.expiry_date.as_str())
}

fn is_same(held: &Check, again: &Check) -> bool {
    held.outcome == again.outcome
        && held.reason == again.reason
        && is_same_evidence(&again.id, &held.evidence, &again.evidence)
}

/// Members of evidence that depend on what else was in the trust store.
const OF_THE_STORE: [(&str, &[&str]); 2] = [
    ("signer.chain", &["anchors", "tried", "other_domain"]),
    ("signer.revocation", &["not_signed_by_the_issuer"]),
];

/// Checks of each file: files with a picture are not kept, so there was more then than there is now.
const OF_EACH_FILE: [&str; 2] = ["dg.hash", "dg.content"];

fn is_same_evidence(id: &str, held: &Value, again: &Value) -> bool {
    if OF_EACH_FILE.contains(&id) {
        return is_part(again, held);
    }
    let varies = OF_THE_STORE.iter().find(|(of, _)| *of == id).map_or(&[][..], |(_, names)| names);
    without(held, varies) == without(again, varies)
}

fn without(evidence: &Value, names: &[&str]) -> Option<Map<String, Value>> {
    let mut members = evidence.as_object()?.clone();
    members.retain(|name, _| !names.contains(&name.as_str()));
    Some(members)
}

/// Whether every member of `part` is in `whole` with the same value.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => part
            .iter()
            .all(|(name, value)| whole.get(name).is_some_and(|found| is_part(value, found))),
        _ => part == whole,
    }
}

/// `evidence.hash`: the record is the one that the identity was issued on.
fn hash(found: Hash, expected: Hash) -> Check {
    let evidence = json!({ "found": found, "expected": expected });
    Check::of("evidence.hash", found == expected, ReasonCode::EVIDENCE_MISMATCH, evidence)
}

/// `evidence.trust`: the issuer is an anchor of the trust store, byte for byte.
fn trusted(record: &Record, report: &Report, trust: Option<&TrustStore>) -> Check {
    let id = "evidence.trust";
    let Some(trust) = trust else { return Check::waiting(id, "a trust store") };
    let issuer = report.csca().map(|csca| csca.sha256);
    let is_issuer = |sha256: &[u8]| issuer.as_ref().is_some_and(|i| *i == hex::encode(sha256));
    let holds = trust.domain() == record.basis.domain
        && trust.anchors().iter().any(|anchor| is_issuer(&anchor.sha256));
    let evidence = json!({ "domain": trust.domain(), "issuer": issuer });
    Check::of(id, holds, ReasonCode::nearest("csca.unknown"), evidence)
}
