//! Active Authentication (ICAO 9303-11 §6.1): the chip signs a challenge that we chose.
//!
//! The public key comes from a [`VerifiedLds`] alone. The challenge must be fresh and the
//! caller's; a signature over it can be checked again later with
//! [`ActiveAuthentication::verify`].

mod ecdsa;
mod iso9796;

use openssl::{error::ErrorStack, pkey::Public, rsa::Rsa};

use crate::{
    apdu::Command,
    check::{Outcome, Reason},
    crypto::{
        CryptoError, Hash,
        ec::Curve,
        public_key::{KeyError, PublicKey},
    },
    der::Oid,
    files::FileId,
    lds::{LdsError, dg15},
    passive::VerifiedLds,
};

/// The challenge `RND.IFD`, eight bytes.
pub const CHALLENGE: usize = 8;

/// Why active authentication cannot be run or checked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ActiveAuthError {
    /// The document has no DG15.
    #[error("the document has no DG15")]
    NoKey,
    /// DG15 is malformed; `dg.content` says so.
    #[error("DG15 is malformed")]
    Malformed(#[from] LdsError),
    /// The key cannot be used.
    #[error("the public key cannot be used")]
    Key(#[from] KeyError),
    /// DG14 names a signature algorithm that is not supported.
    #[error("the signature algorithm is not supported: {oid}")]
    Unsupported {
        /// Which.
        oid: Oid,
    },
    /// The modulus is too short to prove anything.
    #[error("the modulus has {bits} bits only")]
    Weak {
        /// Its length.
        bits: u32,
    },
    /// The public exponent is even or one, so that anybody could sign.
    #[error("the public exponent proves nothing")]
    Exponent,
}

impl From<CryptoError> for ActiveAuthError {
    fn from(error: CryptoError) -> Self {
        Self::Key(error.into())
    }
}

impl From<ErrorStack> for ActiveAuthError {
    fn from(error: ErrorStack) -> Self {
        Self::Key(error.into())
    }
}

impl ActiveAuthError {
    /// How the check `active_authentication` ends: a key that proves nothing fails; a kind that is
    /// not supported leaves the question open.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::NoKey => Outcome::NotPerformed(Some(Reason::ActiveAuthenticationMissing)),
            Self::Malformed(_) | Self::Key(KeyError::Malformed(_)) => Outcome::NotPerformed(None),
            Self::Unsupported { .. }
            | Self::Key(KeyError::Unsupported { .. } | KeyError::Curve | KeyError::Long { .. }) => {
                Outcome::NotPerformed(Some(Reason::ActiveAuthenticationUnsupported))
            }
            Self::Key(KeyError::Crypto(_)) | Self::Weak { .. } | Self::Exponent => {
                Outcome::Failed(Reason::ActiveAuthenticationFailed)
            }
        }
    }
}

/// INTERNAL AUTHENTICATE (ICAO 9303-11 §6.1.4), expecting up to `ne` bytes.
#[must_use]
pub fn command(challenge: &[u8; CHALLENGE], ne: usize) -> Command {
    Command::new(0x00, 0x88, 0x00, 0x00).with_data(*challenge).expecting(ne)
}

/// The signed key of DG15 with the hash that DG14 names for it.
pub struct ActiveAuthentication {
    key: PublicKey,
    /// Of an elliptic curve key only; the trailer of an RSA signature names its own.
    hashes: Vec<Hash>,
}

/// What a signature that holds was made with.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// Kind and size of the key.
    pub key: String,
    /// The hash.
    pub hash: &'static str,
    /// `plain`, `DER`, or `ISO 9796-2`.
    pub form: &'static str,
}

/// The identifier of DSA keys, with which no chip proves itself.
const DSA: [u8; 7] = [0x2A, 0x86, 0x48, 0xCE, 0x38, 0x04, 0x01];
/// RSA moduli below this many bits prove nothing any more.
const SHORTEST_MODULUS: u32 = 1024;

impl ActiveAuthentication {
    /// The key that the issuing state signed.
    ///
    /// # Errors
    /// [`ActiveAuthError`] if there is none or it cannot be used.
    pub fn new(lds: &VerifiedLds) -> Result<Self, ActiveAuthError> {
        let file = lds.get(FileId::DG15).ok_or(ActiveAuthError::NoKey)?;
        let named = lds.security_infos().and_then(|infos| infos.active_authentication().cloned());
        Self::with_key(dg15::parse(file)?, named.as_ref())
    }

    /// The key of a SubjectPublicKeyInfo, with the signature algorithm that is named for it.
    fn with_key(spki: &[u8], named: Option<&Oid>) -> Result<Self, ActiveAuthError> {
        let key = PublicKey::parse(spki)?;
        let hashes = match &key {
            PublicKey::Rsa(rsa) => {
                check_rsa(rsa)?;
                Vec::new()
            }
            PublicKey::Ec { curve, .. } => ecdsa::hashes(*curve, named)?,
            PublicKey::Dsa(_) => return Err(ActiveAuthError::Unsupported { oid: Oid::new(&DSA) }),
        };
        Ok(Self { key, hashes })
    }

    /// The length of the longest signature in bytes.
    #[must_use]
    pub fn signature_length(&self) -> usize {
        match &self.key {
            PublicKey::Rsa(rsa) => usize::try_from(rsa.size()).unwrap_or_default(),
            PublicKey::Ec { curve, .. } => ecdsa::longest(*curve),
            PublicKey::Dsa(_) => 0,
        }
    }

    /// What the signature over the challenge was made with, or `None` if it does not hold.
    ///
    /// # Errors
    /// [`ActiveAuthError`] if the key cannot be used.
    pub fn verify(
        &self,
        challenge: &[u8; CHALLENGE],
        signature: &[u8],
    ) -> Result<Option<Summary>, ActiveAuthError> {
        let found = match &self.key {
            PublicKey::Rsa(rsa) => {
                iso9796::recover(rsa, challenge, signature)?.map(|hash| (hash, "ISO 9796-2"))
            }
            PublicKey::Ec { .. } => ecdsa::verify(&self.key, &self.hashes, challenge, signature)?,
            PublicKey::Dsa(_) => None,
        };
        let key = self.key.describe();
        Ok(found.map(|(hash, form)| Summary { key, hash: hash.name(), form }))
    }
}

fn check_rsa(key: &Rsa<Public>) -> Result<(), ActiveAuthError> {
    let bits = u32::try_from(key.n().num_bits()).unwrap_or_default();
    if bits < SHORTEST_MODULUS {
        return Err(ActiveAuthError::Weak { bits });
    }
    let odd = key.e().is_bit_set(0) && key.n().is_bit_set(0);
    if odd && key.e().num_bits() > 1 { Ok(()) } else { Err(ActiveAuthError::Exponent) }
}

/// Bytes of the curve's order.
fn order_length(curve: Curve) -> usize {
    let bits = curve.group().map(|group| group.order_bits()).unwrap_or_default();
    usize::try_from(bits).unwrap_or_default().div_ceil(8)
}

#[cfg(test)]
mod tests;
