//! The record that an identity rests on (B10, H2), and checking it again offline (H3): a pure
//! function over the record.
//!
//! A record is JSON; its identity is the SHA-256 of its canonical form ([`crate::canonical`]), which
//! the signed identity carries. It holds the signed files that prove the document, the certificates
//! and revocation lists that they were proved with, and the chip's answer to the server's challenge;
//! no portrait and no picture (D8). It is personal data: whoever stores it seals it.

mod verify;

use std::{collections::BTreeMap, fmt};

use nfc::{
    files::{FileId, Files},
    passive,
    trust::{Domain, TrustError, TrustStore},
};
use serde::{Deserialize, Serialize, de};
use serde_json::Value;
use time::{Date, OffsetDateTime};

pub use self::verify::{EvidenceError, Verified, verify};
use crate::check::Check;

/// The version of the form below.
pub const VERSION: u8 = 2;

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
    /// The day as of which the document was judged.
    #[serde(with = "day")]
    pub judged_on: Date,
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
    /// What signer, chain and revocation were judged with.
    pub basis: Basis,
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

time::serde::format_description!(day, Date, "[year]-[month]-[day]");

/// The certificates and revocation lists that passive authentication rested on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The domain of the trust store.
    #[serde(deserialize_with = "domain")]
    pub domain: Domain,
    /// The document signer's certificate.
    pub signer: Option<Hex>,
    /// The issuers from the signer's own up.
    pub chain: Vec<Hex>,
    /// The revocation lists that were consulted.
    pub revocation_lists: Vec<Hex>,
    /// The issuers that signed these and are not on the chain.
    pub list_signers: Vec<Hex>,
}

fn domain<'de, D: de::Deserializer<'de>>(deserializer: D) -> Result<Domain, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

impl Basis {
    /// What `report` rests on, judged in a store of `domain`.
    #[must_use]
    pub fn of(report: &passive::Report, domain: Domain) -> Self {
        let passive::Basis { signer, chain, revocation_lists, list_signers } = report.basis();
        let all = |items: Vec<Vec<u8>>| items.into_iter().map(Hex).collect();
        Self {
            domain,
            signer: signer.map(Hex),
            chain: all(chain),
            revocation_lists: all(revocation_lists),
            list_signers: all(list_signers),
        }
    }

    /// A store of these alone. That its anchors were to be trusted is another matter.
    fn store(&self) -> Result<TrustStore, TrustError> {
        let all = |items: &[Hex]| items.iter().map(|item| item.0.clone()).collect();
        let basis = passive::Basis {
            signer: self.signer.as_ref().map(|signer| signer.0.clone()),
            chain: all(&self.chain),
            revocation_lists: all(&self.revocation_lists),
            list_signers: all(&self.list_signers),
        };
        basis.store(self.domain)
    }
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
