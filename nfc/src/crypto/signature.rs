//! Signature algorithms with their parameters (ICAO 9303-12 §4.4; RFC 4055; RFC 5754; RFC 5758;
//! TR-03111 §5.2.1): read from the identifier of the signature itself, never assumed.

use serde_json::{Value, json};

use super::{Hash, public_key::KeyError};
use crate::{
    der::{self, Algorithm, Id, SEQUENCE},
    tlv::{self, Reader, Tag},
};

pub(super) const RSA: Id = Id::new("1.2.840.113549.1.1.1");
pub(super) const RSA_PSS: Id = Id::new("1.2.840.113549.1.1.10");
pub(super) const DSA: Id = Id::new("1.2.840.10040.4.1");
pub(super) const EC_PUBLIC_KEY: Id = Id::new("1.2.840.10045.2.1");
/// `ecdsa-with-Specified`: the hash stands in the parameters (RFC 3279's successor X9.62 §E.8).
const ECDSA_SPECIFIED: Id = Id::new("1.2.840.10045.4.3");
const MGF1: Id = Id::new("1.2.840.113549.1.1.8");

/// A signature algorithm with its parameters, as a signature's own identifier gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS.
    RsaPss(Pss),
    /// ECDSA with a DER signature.
    Ecdsa(Hash),
    /// ECDSA with the signature `r ‖ s` (TR-03111 §5.2.1.1).
    EcdsaPlain(Hash),
    /// DSA with a DER signature.
    Dsa(Hash),
}

/// RSASSA-PSS parameters (RFC 4055 §3.1), read and never assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pss {
    /// Hash of the message.
    pub hash: Hash,
    /// Hash of the mask generation function.
    pub mask: Hash,
    /// Salt length in bytes.
    pub salt: u32,
}

/// Identifiers that name scheme and hash together.
static SIGNATURES: [(Id, SignatureAlgorithm); 22] = [
    (Id::new("1.2.840.113549.1.1.5"), SignatureAlgorithm::RsaPkcs1(Hash::Sha1)),
    (Id::new("1.2.840.113549.1.1.14"), SignatureAlgorithm::RsaPkcs1(Hash::Sha224)),
    (Id::new("1.2.840.113549.1.1.11"), SignatureAlgorithm::RsaPkcs1(Hash::Sha256)),
    (Id::new("1.2.840.113549.1.1.12"), SignatureAlgorithm::RsaPkcs1(Hash::Sha384)),
    (Id::new("1.2.840.113549.1.1.13"), SignatureAlgorithm::RsaPkcs1(Hash::Sha512)),
    (Id::new("1.2.840.10045.4.1"), SignatureAlgorithm::Ecdsa(Hash::Sha1)),
    (Id::new("1.2.840.10045.4.3.1"), SignatureAlgorithm::Ecdsa(Hash::Sha224)),
    (Id::new("1.2.840.10045.4.3.2"), SignatureAlgorithm::Ecdsa(Hash::Sha256)),
    (Id::new("1.2.840.10045.4.3.3"), SignatureAlgorithm::Ecdsa(Hash::Sha384)),
    (Id::new("1.2.840.10045.4.3.4"), SignatureAlgorithm::Ecdsa(Hash::Sha512)),
    (Id::new("0.4.0.127.0.7.1.1.4.1.1"), SignatureAlgorithm::EcdsaPlain(Hash::Sha1)),
    (Id::new("0.4.0.127.0.7.1.1.4.1.2"), SignatureAlgorithm::EcdsaPlain(Hash::Sha224)),
    (Id::new("0.4.0.127.0.7.1.1.4.1.3"), SignatureAlgorithm::EcdsaPlain(Hash::Sha256)),
    (Id::new("0.4.0.127.0.7.1.1.4.1.4"), SignatureAlgorithm::EcdsaPlain(Hash::Sha384)),
    (Id::new("0.4.0.127.0.7.1.1.4.1.5"), SignatureAlgorithm::EcdsaPlain(Hash::Sha512)),
    (Id::new("1.2.840.10040.4.3"), SignatureAlgorithm::Dsa(Hash::Sha1)),
    (Id::new("2.16.840.1.101.3.4.3.1"), SignatureAlgorithm::Dsa(Hash::Sha224)),
    (Id::new("2.16.840.1.101.3.4.3.2"), SignatureAlgorithm::Dsa(Hash::Sha256)),
    (Id::new("2.16.840.1.101.3.4.3.3"), SignatureAlgorithm::Dsa(Hash::Sha384)),
    (Id::new("2.16.840.1.101.3.4.3.4"), SignatureAlgorithm::Dsa(Hash::Sha512)),
    // The names that OIW gave them first.
    (Id::new("1.3.14.3.2.29"), SignatureAlgorithm::RsaPkcs1(Hash::Sha1)),
    (Id::new("1.3.14.3.2.27"), SignatureAlgorithm::Dsa(Hash::Sha1)),
];

impl SignatureAlgorithm {
    /// From an AlgorithmIdentifier. `digest` is the hash named beside it (CMS), which counts where
    /// the identifier names a key type only.
    pub(crate) fn new(algorithm: &Algorithm, digest: Option<Hash>) -> Result<Self, KeyError> {
        let is = |known: Id| algorithm.oid.is(known);
        let unsupported = || KeyError::Unsupported { oid: algorithm.oid.clone() };
        if is(RSA_PSS) {
            return Pss::read(&algorithm.parameters).map(Self::RsaPss);
        }
        if is(ECDSA_SPECIFIED) {
            let named = Algorithm::read(&mut Reader::new(&algorithm.parameters))?;
            return hash(&named).map(Self::Ecdsa);
        }
        let of_key: Option<fn(Hash) -> Self> = match () {
            () if !algorithm.is_bare() => return Err(unsupported()),
            () if is(RSA) => Some(Self::RsaPkcs1),
            () if is(EC_PUBLIC_KEY) => Some(Self::Ecdsa),
            () if is(DSA) => Some(Self::Dsa),
            () => None,
        };
        match of_key {
            Some(scheme) => digest.map(scheme).ok_or_else(unsupported),
            None => SIGNATURES
                .iter()
                .find(|(oid, _)| is(*oid))
                .map(|(_, known)| known.clone())
                .ok_or_else(unsupported),
        }
    }

    /// The hash of the message.
    #[must_use]
    pub fn hash(&self) -> Hash {
        match self {
            Self::RsaPkcs1(hash) | Self::Ecdsa(hash) | Self::EcdsaPlain(hash) | Self::Dsa(hash) => {
                *hash
            }
            Self::RsaPss(pss) => pss.hash,
        }
    }

    /// Scheme and hash as reports show them, such as `RSA-PSS SHA-256`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::RsaPkcs1(hash) => format!("RSA {}", hash.name()),
            Self::Ecdsa(hash) | Self::EcdsaPlain(hash) => format!("ECDSA {}", hash.name()),
            Self::Dsa(hash) => format!("DSA {}", hash.name()),
            Self::RsaPss(pss) => format!("RSA-PSS {}", pss.hash.name()),
        }
    }

    /// All parameters as evidence.
    #[must_use]
    pub fn evidence(&self) -> Value {
        match self {
            Self::RsaPss(pss) => json!({
                "name": self.describe(), "mgf1": pss.mask.name(), "salt_bytes": pss.salt,
            }),
            Self::EcdsaPlain(_) => json!({ "name": self.describe(), "form": "plain" }),
            _ => json!({ "name": self.describe() }),
        }
    }
}

impl Pss {
    /// `RSASSA-PSS-params`; what is absent has its default, SHA-1 and a salt of 20 bytes.
    fn read(parameters: &[u8]) -> Result<Self, KeyError> {
        let mut pss = Self { hash: Hash::Sha1, mask: Hash::Sha1, salt: 20 };
        if parameters.is_empty() || parameters == [0x05, 0x00] {
            return Ok(pss);
        }
        let mut fields = tlv::single(parameters, SEQUENCE)?.reader();
        if let Some(field) = fields.optional(Tag(0xA0))? {
            pss.hash = hash(&Algorithm::read(&mut field.reader())?)?;
        }
        if let Some(field) = fields.optional(Tag(0xA1))? {
            let mask = Algorithm::read(&mut field.reader())?;
            if !mask.oid.is(MGF1) {
                return Err(KeyError::Unsupported { oid: mask.oid });
            }
            pss.mask = hash(&Algorithm::read(&mut Reader::new(&mask.parameters))?)?;
        }
        if let Some(field) = fields.optional(Tag(0xA2))? {
            pss.salt = der::small_integer(&mut field.reader())?;
        }
        if let Some(field) = fields.optional(Tag(0xA3))? {
            // The only trailer there is (RFC 4055 §3.1).
            if der::small_integer(&mut field.reader())? != 1 {
                return Err(der::malformed(&field).into());
            }
        }
        Ok(pss)
    }
}

fn hash(algorithm: &Algorithm) -> Result<Hash, KeyError> {
    Hash::from_algorithm(algorithm).ok_or(KeyError::Unsupported { oid: algorithm.oid.clone() })
}
