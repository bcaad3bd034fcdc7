//! The trust store: certificates of issuers (CSCA) that documents may chain to, certificates of
//! document signers that documents may name, and revocation lists (ICAO 9303-12 §7 and §8). No
//! I/O: whoever owns the files reads them.
//!
//! Every anchor is trusted because it was put here. A document signer is not: it is found here
//! where a document leaves it out, and must chain to an anchor like any other.

pub mod certificate;
pub mod crl;
mod index;
pub mod ldif;
pub mod master_list;
mod name;
pub mod path;
pub mod profile;
pub mod revocation;

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Serialize, Serializer};

use self::{certificate::Certificate, crl::Crl, index::Index};
pub use self::{
    index::FoundBy,
    name::Agreement,
    path::{Path, PathError, Step},
};
use crate::{
    cms::SignerIdentifier,
    crypto::{
        CryptoError, Hash,
        public_key::{KeyError, PublicKey},
    },
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

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
    /// It was, and is now in the store.
    New,
    /// It was there already, byte for byte.
    Duplicate,
}

/// A trusted issuer's certificate.
#[derive(Clone)]
pub struct Anchor {
    /// The certificate.
    pub certificate: Certificate,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// Kind and size of its key.
    pub key: String,
    verifying: Arc<PublicKey>,
    /// Equal for equal keys.
    identity: Vec<u8>,
}

/// Anchors are told apart by their bytes.
impl PartialEq for Anchor {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl Eq for Anchor {}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchor({:?}, {})", self.certificate, self.key)
    }
}

/// Anchors, document signers and revocation lists of one domain. A clone shares them.
#[derive(Debug, Clone)]
pub struct TrustStore {
    domain: Domain,
    anchors: Vec<Arc<Anchor>>,
    index: Index,
    signers: Signers,
    lists: Vec<Arc<Crl>>,
    /// Places of lists by their issuer's name.
    lists_by_name: HashMap<Vec<u8>, Vec<usize>>,
    /// By the name of another issuer whose certificates they list.
    lists_by_entry: HashMap<Arc<[u8]>, Vec<usize>>,
    /// By the identifier of the key that signed them.
    lists_by_key_id: HashMap<Vec<u8>, Vec<usize>>,
    /// What was found out since something was last added.
    learnt: OnceLock<Learnt>,
    foreign: Option<Arc<TrustStore>>,
}

/// Facts about what is in the store: each is found out when it is first needed.
#[derive(Debug, Clone)]
struct Learnt {
    /// For each anchor the places of those that issued it, and how they were found.
    issuers: Vec<OnceLock<Vec<(usize, FoundBy)>>>,
    /// For each anchor the way from it up.
    ways: Vec<OnceLock<path::Way>>,
    /// For each list the place of the anchor that signed it.
    list_signers: Vec<OnceLock<Option<usize>>>,
}

impl TrustStore {
    /// An empty store.
    #[must_use]
    pub fn new(domain: Domain) -> Self {
        Self {
            domain,
            anchors: Vec::new(),
            index: Index::default(),
            signers: Signers::default(),
            lists: Vec::new(),
            lists_by_name: HashMap::new(),
            lists_by_entry: HashMap::new(),
            lists_by_key_id: HashMap::new(),
            learnt: OnceLock::new(),
            foreign: None,
        }
    }

    /// The same with the anchors of the other domain known, so that a document of that domain is
    /// named as such (`csca.domain`). They are trusted for nothing.
    #[must_use]
    pub fn with_foreign(mut self, other: Arc<Self>) -> Self {
        self.foreign = Some(other);
        self
    }

    /// The domain of all anchors.
    #[must_use]
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// The store of the other domain, if it is known.
    #[must_use]
    pub fn foreign(&self) -> Option<&Self> {
        self.foreign.as_deref()
    }

    /// Adds an issuer's certificate.
    ///
    /// # Errors
    /// [`TrustError`] if it cannot be parsed, or its key could verify nothing.
    pub fn add_der(&mut self, der: &[u8]) -> Result<Added, TrustError> {
        let certificate = Certificate::parse(der)?;
        let sha256 = sha256(&certificate.der)?;
        if self.index.place(&sha256).is_some() {
            return Ok(Added::Duplicate);
        }
        let verifying = certificate.public_key()?;
        let key = verifying.describe();
        self.index.add(self.anchors.len(), &certificate, sha256);
        let identity = verifying.identity();
        let anchor = Anchor { certificate, sha256, key, verifying, identity };
        self.anchors.push(Arc::new(anchor));
        self.learnt = OnceLock::new();
        Ok(Added::New)
    }

    /// Adds a document signer's certificate: a candidate for the signer of a document that does not
    /// carry it, never an anchor.
    ///
    /// # Errors
    /// [`TrustError`] if it cannot be parsed, or its key could verify nothing.
    pub fn add_signer_der(&mut self, der: &[u8]) -> Result<Added, TrustError> {
        let certificate = Certificate::parse(der)?;
        certificate.public_key()?;
        Ok(self.signers.add(certificate))
    }

    /// Adds a certificate revocation list. Its signature is checked when it is first consulted,
    /// since its issuer may be added later.
    ///
    /// # Errors
    /// [`TrustError::Malformed`].
    pub fn add_crl_der(&mut self, der: &[u8]) -> Result<(), TrustError> {
        let list = Crl::parse(der)?;
        let place = self.lists.len();
        self.lists_by_name.entry(list.issuer.normal().to_vec()).or_default().push(place);
        for issuer in list.other_issuers() {
            self.lists_by_entry.entry(issuer).or_default().push(place);
        }
        if let Some(id) = &list.authority_key_id {
            self.lists_by_key_id.entry(id.clone()).or_default().push(place);
        }
        self.lists.push(Arc::new(list));
        self.learnt = OnceLock::new();
        Ok(())
    }

    /// All anchors, in the order in which they were added.
    #[must_use]
    pub fn anchors(&self) -> &[Arc<Anchor>] {
        &self.anchors
    }

    /// All document signers, in the order in which they were added.
    #[must_use]
    pub fn signers(&self) -> &[Arc<Certificate>] {
        &self.signers.certificates
    }

    /// All revocation lists, in the order in which they were added.
    #[must_use]
    pub fn revocation_lists(&self) -> &[Arc<Crl>] {
        &self.lists
    }

    /// The document signers that `identifier` names.
    pub fn signers_named<'a>(
        &'a self,
        identifier: &'a SignerIdentifier,
    ) -> impl Iterator<Item = &'a Arc<Certificate>> {
        let places = match identifier {
            SignerIdentifier::IssuerAndSerial(_, serial) => {
                self.signers.by_serial.get(crate::der::minimal(serial))
            }
            SignerIdentifier::KeyIdentifier(id) => self.signers.by_key_id.get(id),
        };
        let places = places.map(Vec::as_slice).unwrap_or_default();
        let signers = places.iter().filter_map(|place| self.signers.certificates.get(*place));
        signers.filter(|signer| identifier.names(signer))
    }

    fn learnt(&self) -> &Learnt {
        self.learnt.get_or_init(|| Learnt {
            issuers: vec![OnceLock::new(); self.anchors.len()],
            ways: vec![OnceLock::new(); self.anchors.len()],
            list_signers: vec![OnceLock::new(); self.lists.len()],
        })
    }
}

/// Certificates of document signers.
#[derive(Debug, Clone, Default)]
struct Signers {
    certificates: Vec<Arc<Certificate>>,
    by_serial: HashMap<Vec<u8>, Vec<usize>>,
    by_key_id: HashMap<Vec<u8>, Vec<usize>>,
}

impl Signers {
    fn add(&mut self, certificate: Certificate) -> Added {
        let place = self.certificates.len();
        let serial = crate::der::minimal(certificate.serial()).to_vec();
        let same_serial = self.by_serial.entry(serial).or_default();
        let held = same_serial.iter().filter_map(|place| self.certificates.get(*place));
        if held.into_iter().any(|held| held.der == certificate.der) {
            return Added::Duplicate;
        }
        same_serial.push(place);
        if let Some(id) = certificate.subject_key_id() {
            self.by_key_id.entry(id.to_vec()).or_default().push(place);
        }
        self.certificates.push(Arc::new(certificate));
        Added::New
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Result<[u8; 32], CryptoError> {
    Hash::Sha256.digest(bytes)?.try_into().map_err(|_| CryptoError::Unsupported)
}
