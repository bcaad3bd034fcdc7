//! Hash functions that documents are signed with (ICAO 9303-12 §4.4).

use openssl::hash::MessageDigest;

use super::CryptoError;
use crate::der::{Algorithm, Oid};

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1, met in old documents only.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

const ALL: [(Hash, &str); 5] = [
    (Hash::Sha1, "1.3.14.3.2.26"),
    (Hash::Sha224, "2.16.840.1.101.3.4.2.4"),
    (Hash::Sha256, "2.16.840.1.101.3.4.2.1"),
    (Hash::Sha384, "2.16.840.1.101.3.4.2.2"),
    (Hash::Sha512, "2.16.840.1.101.3.4.2.3"),
];

impl Hash {
    /// The function that `oid` names.
    #[must_use]
    pub fn from_oid(oid: &Oid) -> Option<Self> {
        ALL.into_iter().find(|(_, text)| oid.is(text)).map(|(hash, _)| hash)
    }

    /// The function that an AlgorithmIdentifier names; it takes no parameters.
    pub(crate) fn from_algorithm(algorithm: &Algorithm) -> Option<Self> {
        Self::from_oid(&algorithm.oid).filter(|_| algorithm.is_bare())
    }

    /// Name as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// Length of a digest in bytes.
    #[must_use]
    pub fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The digest of `data`.
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL is built without the function.
    pub fn digest(self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        Ok(openssl::hash::hash(self.openssl(), data)?.to_vec())
    }

    pub(crate) fn openssl(self) -> MessageDigest {
        match self {
            Self::Sha1 => MessageDigest::sha1(),
            Self::Sha224 => MessageDigest::sha224(),
            Self::Sha256 => MessageDigest::sha256(),
            Self::Sha384 => MessageDigest::sha384(),
            Self::Sha512 => MessageDigest::sha512(),
        }
    }
}
