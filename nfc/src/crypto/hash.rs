//! Hash functions that documents are signed with (ICAO 9303-12 §4.4).

use openssl::{hash::MessageDigest, sha};

use super::CryptoError;
use crate::{
    der::{Algorithm, OBJECT_ID, OCTET_STRING, Oid, SEQUENCE},
    tlv,
};

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

const ALL: [Hash; 5] = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];

impl Hash {
    /// The function that `oid` names.
    #[must_use]
    pub fn from_oid(oid: &Oid) -> Option<Self> {
        ALL.into_iter().find(|hash| oid.as_bytes() == hash.oid_content())
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
        // Not by `openssl::hash`, which looks the function up anew each time.
        Ok(match self {
            Self::Sha1 => {
                let mut hasher = sha::Sha1::new();
                hasher.update(data);
                hasher.finish().to_vec()
            }
            Self::Sha224 => {
                let mut hasher = sha::Sha224::new();
                hasher.update(data);
                hasher.finish().to_vec()
            }
            Self::Sha256 => {
                let mut hasher = sha::Sha256::new();
                hasher.update(data);
                hasher.finish().to_vec()
            }
            Self::Sha384 => {
                let mut hasher = sha::Sha384::new();
                hasher.update(data);
                hasher.finish().to_vec()
            }
            Self::Sha512 => {
                let mut hasher = sha::Sha512::new();
                hasher.update(data);
                hasher.finish().to_vec()
            }
        })
    }

    /// `DigestInfo ::= SEQUENCE { digestAlgorithm, digest }` (RFC 8017 §9.2), the algorithm's
    /// parameters being NULL or absent.
    pub(crate) fn digest_info(self, digest: &[u8], null: bool) -> Vec<u8> {
        let parameters: &[u8] = if null { &[0x05, 0x00] } else { &[] };
        let mut algorithm = tlv::encode(OBJECT_ID, self.oid_content());
        algorithm.extend(parameters);
        let mut info = tlv::encode(SEQUENCE, &algorithm);
        tlv::push(&mut info, OCTET_STRING, digest);
        tlv::encode(SEQUENCE, &info)
    }

    /// Content bytes of the identifier.
    fn oid_content(self) -> &'static [u8] {
        match self {
            Self::Sha1 => &[0x2B, 0x0E, 0x03, 0x02, 0x1A],
            Self::Sha224 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04],
            Self::Sha256 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01],
            Self::Sha384 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02],
            Self::Sha512 => &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03],
        }
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
