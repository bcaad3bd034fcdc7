//! The trust store: certificates of issuers (CSCA) that documents may chain to, and revocation
//! lists (ICAO 9303-12 §7 and §8). No I/O: whoever owns the files reads them.
//!
//! Every anchor is trusted because it was put here. A library's chain builder is not used: real
//! chains break it, so candidates are found by key identifier and name, and the signature decides.

pub mod certificate;
pub mod crl;
pub mod ldif;
pub mod master_list;

use serde::{Serialize, Serializer};
use time::{Duration, OffsetDateTime};

use self::{certificate::Certificate, crl::Crl};
use crate::{
    crypto::{CryptoError, Hash, public_key::KeyError},
    tlv::TlvError,
};

/// The world that anchors belong to; an enrolment accepts one of them only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Real documents.
    Production,
    /// Fixture documents.
    Qa,
}

impl Domain {
    /// `production` or `qa`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Qa => "qa",
        }
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Domain {
    type Err = UnknownDomain;

    fn from_str(name: &str) -> Result<Self, UnknownDomain> {
        match name {
            "production" => Ok(Self::Production),
            "qa" => Ok(Self::Qa),
            _ => Err(UnknownDomain),
        }
    }
}

impl Serialize for Domain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Neither `production` nor `qa`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a trust domain is production or qa")]
pub struct UnknownDomain;

/// Why something could not be added.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TrustError {
    /// Not a certificate or revocation list.
    #[error("malformed certificate or revocation list")]
    Malformed(#[from] TlvError),
    /// The public key is of no known kind, so that nothing could be verified with it.
    #[error("the public key cannot be used")]
    Key(#[from] KeyError),
    /// A primitive failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// Whether a certificate was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It was, and is now an anchor.
    New,
    /// It was there already, byte for byte.
    Duplicate,
}

/// A trusted issuer's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// The certificate.
    pub certificate: Certificate,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Kind and size of its key.
    pub key: String,
}

/// Anchors and revocation lists of one domain.
#[derive(Debug, Clone)]
pub struct TrustStore {
    domain: Domain,
    anchors: Vec<Anchor>,
    lists: Vec<Crl>,
}

/// Why no path leads from a certificate to an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// No anchor could have issued it.
    #[error("no issuer is known")]
    Unknown,
    /// An anchor with the issuer's key identifier did not make the signature.
    #[error("the issuer's key did not make the signature")]
    Signature,
}

/// The most signatures that are tried for one certificate.
const MOST_TRIES: usize = 64;
/// The longest path of link certificates that is followed.
const LONGEST_PATH: usize = 8;

impl TrustStore {
    /// An empty store.
    #[must_use]
    pub fn new(domain: Domain) -> Self {
        Self { domain, anchors: Vec::new(), lists: Vec::new() }
    }

    /// The domain of all anchors.
    #[must_use]
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// Adds an issuer's certificate.
    ///
    /// # Errors
    /// [`TrustError`] if it cannot be parsed, or its key could verify nothing.
    pub fn add_der(&mut self, der: &[u8]) -> Result<Added, TrustError> {
        let certificate = Certificate::parse(der)?;
        let digest = Hash::Sha256.digest(&certificate.der)?;
        let sha256 = digest.try_into().unwrap_or_default();
        if self.anchors.iter().any(|anchor| anchor.sha256 == sha256) {
            return Ok(Added::Duplicate);
        }
        let key = certificate.public_key()?.describe();
        self.anchors.push(Anchor { certificate, sha256, key });
        Ok(Added::New)
    }

    /// Adds a certificate revocation list. Its signature is checked when it is consulted, since
    /// its issuer may be added later.
    ///
    /// # Errors
    /// [`TrustError::Malformed`].
    pub fn add_crl_der(&mut self, der: &[u8]) -> Result<(), TrustError> {
        self.lists.push(Crl::parse(der)?);
        Ok(())
    }

    /// All anchors, in the order in which they were added.
    #[must_use]
    pub fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    /// The anchor that issued `certificate`: candidates by key identifier, then by name, then by
    /// country; the signature decides.
    ///
    /// # Errors
    /// [`ChainError`].
    pub fn issuer_of(&self, certificate: &Certificate) -> Result<&Anchor, ChainError> {
        let mut candidates: Vec<_> = self
            .anchors
            .iter()
            .filter_map(|anchor| {
                Likeness::of(certificate, &anchor.certificate).map(|l| (l, anchor))
            })
            .collect();
        candidates.sort_by_key(|(likeness, _)| *likeness);
        let signed = candidates
            .iter()
            .take(MOST_TRIES)
            .find(|(_, anchor)| certificate.is_signed_by(&anchor.certificate).unwrap_or(false));
        match (signed, candidates.first()) {
            (Some((_, anchor)), _) => Ok(anchor),
            (None, Some((Likeness::Key, _))) => Err(ChainError::Signature),
            _ => Err(ChainError::Unknown),
        }
    }

    /// The anchors from `certificate`'s issuer on, through link certificates, to a self-signed one
    /// or to the last that is known.
    ///
    /// # Errors
    /// [`ChainError`] if the issuer itself is not known.
    pub fn path(&self, certificate: &Certificate) -> Result<Vec<&Anchor>, ChainError> {
        let mut path = vec![self.issuer_of(certificate)?];
        while let Some(last) = path.last()
            && path.len() < LONGEST_PATH
            && !last.certificate.is_self_signed()
        {
            match self.issuer_of(&last.certificate) {
                Ok(next) if !path.contains(&next) => path.push(next),
                _ => break,
            }
        }
        Ok(path)
    }

    /// For every key that signs for the issuer's name, its newest revocation list that was out by
    /// the end of the day `at`; the newest of them last. A list by one key says nothing of what
    /// another key of the same name has revoked.
    #[must_use]
    pub fn revocations_of(&self, issuer: &Certificate, at: OffsetDateTime) -> Vec<&Crl> {
        let known = at.saturating_add(Duration::DAY);
        let fits = |crl: &&Crl| crl.this_update < known && crl.issuer.is_like(&issuer.subject);
        let newest_by = |anchor: &Anchor| {
            let signed = self.lists.iter().filter(fits);
            let signed = signed.filter(|crl| crl.is_signed_by(&anchor.certificate));
            signed.max_by_key(|crl| crl.this_update)
        };
        let mut lists: Vec<&Crl> = self.anchors.iter().filter_map(newest_by).collect();
        lists.sort_by_key(|crl| crl.this_update);
        lists
    }
}

/// How a certificate and a possible issuer fit, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Key,
    Name,
    Country,
}

impl Likeness {
    fn of(certificate: &Certificate, issuer: &Certificate) -> Option<Self> {
        let key = certificate.authority_key_id.as_ref();
        if key.is_some() && key == issuer.subject_key_id.as_ref() {
            return Some(Self::Key);
        }
        if certificate.issuer.is_like(&issuer.subject) {
            return Some(Self::Name);
        }
        let country = certificate.issuer.country();
        (country.is_some() && country == issuer.subject.country()).then_some(Self::Country)
    }
}
