//! Primitives over OpenSSL, as ICAO 9303-11 §9.7 and TR-03110-3 §A.2 use them.
//!
//! Nothing here knows a protocol. Keys are [`Secret`]s; only the default provider of OpenSSL 3 is
//! needed, so single DES is built from EDE3 with three equal keys.

mod cipher;
pub mod dh;
pub mod ec;
mod field;
mod hash;
mod kdf;
mod mac;
mod pss;
pub mod public_key;
mod scalar;
mod signature;

use std::fmt;

use openssl::error::ErrorStack;
use zeroize::Zeroizing;

pub(crate) use self::scalar::reduce;
pub use self::{
    cipher::{Cipher, pad, unpad},
    hash::Hash,
    kdf::{Purpose, kdf},
    mac::mac,
    scalar::Scalar,
};
use crate::random::RandomError;

/// Bytes that must not leave the process: zeroed when dropped, never shown, never copied.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Why a primitive could not be computed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CryptoError {
    /// OpenSSL refused or failed.
    #[error("the cryptographic library failed")]
    Library(#[from] ErrorStack),
    /// A key, block or vector of the wrong length.
    #[error("wrong length for {what}")]
    Length {
        /// What had it.
        what: &'static str,
    },
    /// Padding that is not ISO/IEC 9797-1 method 2.
    #[error("wrong padding")]
    Padding,
    /// Bytes that are no element of the group, or its neutral element.
    #[error("not a valid element of the group")]
    Point,
    /// A key or signature algorithm that is not supported.
    #[error("the algorithm is not supported")]
    Unsupported,
    /// The source of randomness failed.
    #[error("no randomness")]
    Random(#[from] RandomError),
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && openssl::memcmp::eq(a, b)
}
