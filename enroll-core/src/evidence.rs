//! The record that an identity rests on (B10, H2), and checking it again offline (H3): a pure
//! function over the record and a trust store.
//!
//! A record is JSON; its identity is the SHA-256 of its canonical form ([`crate::canonical`]), which
//! the signed identity carries. It holds the signed files that prove the document, and the chip's
//! answer to the server's challenge; no portrait and no picture (D8). It is personal data: whoever
//! stores it seals it.

use std::{collections::BTreeMap, fmt};

use nfc::{
    active_auth::ActiveAuthentication,
    files::{FileId, Files},
    passive::{self, Report},
    trust::TrustStore,
};
use serde::{Deserialize, Serialize, de};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::{
    audit::Hash,
    canonical,
    check::{Check, Outcome},
    decide::{Verdict, judge},
    reason::ReasonCode,
};

/// The version of the form below.
pub const VERSION: u8 = 1;

/// Bytes as lower-case hex.
#[derive(Clone, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

/// The length only: some of these are personal data.
impl fmt::Debug for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hex({} bytes)", self.0.len())
    }
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(text).map(Self).map_err(|_| de::Error::custom("not hex"))
    }
}

/// What an identity rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`].
    pub version: u8,
    /// The enrolment.
    pub enrolment: String,
    /// When it was completed.
    #[serde(with = "time::serde::timestamp")]
    pub completed_at: OffsetDateTime,
    /// How the person was proved, such as `self_service_chip_and_face`.
    pub method: String,
    /// Name and version of the software that judged.
    pub software: String,
    /// Issuer, code, expiry and keyed hash of the number of the document.
    pub document: Value,
    /// How the chip was opened.
    #[serde(default)]
    pub access: Value,
    /// The document signer: serial and algorithm among others.
    pub signer: Value,
    /// The issuer's certificate: its SHA-256 among others.
    pub csca: Value,
    /// Every check with its evidence; scores and thresholds of the face stand there.
    pub checks: Vec<Check>,
    /// Files by name, as read: EF.SOD, and of the data groups those without a picture.
    pub files: BTreeMap<String, Hex>,
    /// The chip's answer in active authentication, if it has a key for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_authentication: Option<Answer>,
    /// Role and SHA-256 of each model that was used.
    #[serde(default)]
    pub models: BTreeMap<String, String>,
}

/// A challenge of the server and what the chip answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Eight bytes.
    pub challenge: Hex,
    /// The signature.
    pub signature: Hex,
}

impl From<&nfc::reader::ActiveEvidence> for Answer {
    fn from(evidence: &nfc::reader::ActiveEvidence) -> Self {
        Self {
            challenge: Hex(evidence.challenge.to_vec()),
            signature: Hex(evidence.signature.clone()),
        }
    }
}

/// Files that a record keeps: nothing with a picture in it.
pub const KEPT: [FileId; 4] = [FileId::Sod, FileId::DG1, FileId::DG14, FileId::DG15];

/// Of `files`, what a record keeps.
#[must_use]
pub fn kept(files: &Files) -> BTreeMap<String, Hex> {
    let bytes = |id: FileId| Some((id.to_string(), Hex(files.get(id)?.to_vec())));
    KEPT.into_iter().filter_map(bytes).collect()
}

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
    /// Made by a later version.
    #[error("an evidence record of version {version}, which is not known")]
    Version {
        /// Its version.
        version: u8,
    },
}

/// What must hold for a record to be sound.
const REQUIRED: [&str; 7] = [
    "sod.signature",
    "sod.digest",
    "dg.hash",
    "signer.chain",
    "signer.validity",
    "evidence.agrees",
    "evidence.hash",
];

/// Checks a record again as of the day on which it was made: signature, hashes and chain of the
/// document, the chip's signature over the challenge, and that all of it came out as recorded.
/// `expected` is the hash that the signed identity carries.
///
/// # Errors
/// [`EvidenceError`] if the value is no record.
pub fn verify(
    record: &Value,
    expected: Option<Hash>,
    trust: &TrustStore,
) -> Result<Verified, EvidenceError> {
    let sha256 = Hash(canonical::sha256(record));
    let record = Record::deserialize(record)?;
    if record.version != VERSION {
        return Err(EvidenceError::Version { version: record.version });
    }
    let report = passive::verify_kept(&files(&record), trust, record.completed_at.date());
    let mut checks: Vec<Check> = report.checks.iter().map(Check::from).collect();
    // Whether the unsigned files agreed can be judged at the chip only; they are not kept.
    checks.retain(|check| !["chip.downgrade", "com.content"].contains(&check.id.as_str()));
    checks.extend(answer(&record, &report));
    let agrees = agreement(&record, &checks, &report);
    checks.push(agrees);
    checks.extend(expected.map(|expected| hash(sha256, expected)));
    let required = if expected.is_some() { REQUIRED.as_slice() } else { without_hash() };
    let (verdict, reasons) = judge(&checks, required);
    Ok(Verified { verdict, reasons, sha256, checks })
}

fn without_hash() -> &'static [&'static str] {
    REQUIRED.split_last().map_or(&[], |(_, rest)| rest)
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

/// `evidence.agrees`: what was checked again came out as recorded, with the same issuer, and every
/// file is one that is known.
fn agreement(record: &Record, checks: &[Check], report: &Report) -> Check {
    let outcome =
        |id: &str| record.checks.iter().find(|held| held.id == id).map(|held| held.outcome);
    let mut differ: Vec<&str> = checks
        .iter()
        .filter(|check| check.outcome != Outcome::NotPerformed)
        .filter(|check| outcome(&check.id).is_some_and(|recorded| recorded != check.outcome))
        .map(|check| check.id.as_str())
        .collect();
    // A record that says the chip answered must hold the answer.
    if outcome("active_authentication") == Some(Outcome::Passed)
        && record.active_authentication.is_none()
    {
        differ.push("active_authentication");
    }
    let recorded = record.csca.get("sha256").and_then(Value::as_str);
    let same_issuer = report.csca.as_ref().map(|csca| csca.sha256.as_str()) == recorded;
    let known = record.files.keys().all(|name| name.parse::<FileId>().is_ok());
    let evidence = json!({ "differ": differ, "issuer": same_issuer, "files": known });
    let holds = differ.is_empty() && same_issuer && known;
    Check::of("evidence.agrees", holds, ReasonCode::EVIDENCE_MISMATCH, evidence)
}

/// `evidence.hash`: the record is the one that the identity was issued on.
fn hash(found: Hash, expected: Hash) -> Check {
    let evidence = json!({ "found": found, "expected": expected });
    Check::of("evidence.hash", found == expected, ReasonCode::EVIDENCE_MISMATCH, evidence)
}
