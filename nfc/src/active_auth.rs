//! Active Authentication (ICAO 9303-11 §6.1): the chip signs a challenge that we chose.
//!
//! The public key comes from a [`VerifiedLds`] alone. The challenge must be fresh and the
//! caller's; a signature over it can be checked again later with [`verify`].

use openssl::{
    bn::{BigNum, BigNumContext, BigNumRef},
    ecdsa::EcdsaSig,
    pkey::Public,
    rsa::Rsa,
};

use crate::{
    apdu::Command,
    crypto::{
        CryptoError, Hash, equal,
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
    /// DG15 is malformed.
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
}

impl From<CryptoError> for ActiveAuthError {
    fn from(error: CryptoError) -> Self {
        Self::Key(error.into())
    }
}

impl From<openssl::error::ErrorStack> for ActiveAuthError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        Self::Key(error.into())
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
    hash: Option<Hash>,
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

/// RSA moduli below this many bits prove nothing any more.
const SHORTEST_MODULUS: u32 = 1024;

impl ActiveAuthentication {
    /// The key that the issuing state signed.
    ///
    /// # Errors
    /// [`ActiveAuthError`] if there is none or it cannot be used.
    pub fn new(lds: &VerifiedLds) -> Result<Self, ActiveAuthError> {
        let file = lds.get(FileId::DG15).ok_or(ActiveAuthError::NoKey)?;
        let key = PublicKey::parse(dg15::parse(file)?)?;
        if let PublicKey::Rsa(rsa) = &key {
            let bits = u32::try_from(rsa.n().num_bits()).unwrap_or_default();
            if bits < SHORTEST_MODULUS {
                return Err(ActiveAuthError::Weak { bits });
            }
        }
        let named = lds.security_infos().and_then(|infos| infos.active_authentication().cloned());
        let hash = match (named, &key) {
            (Some(oid), PublicKey::Ec { .. }) => Some(plain_ecdsa_hash(&oid)?),
            _ => None,
        };
        Ok(Self { key, hash })
    }

    /// The length of the longest signature in bytes.
    #[must_use]
    pub fn signature_length(&self) -> usize {
        match &self.key {
            PublicKey::Rsa(rsa) => usize::try_from(rsa.size()).unwrap_or_default(),
            // Plain is shorter than DER, which adds at most nine bytes.
            PublicKey::Ec { point, .. } => point.len().saturating_add(9),
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
        match &self.key {
            PublicKey::Rsa(rsa) => {
                let hash = recover(rsa, challenge, signature)?;
                Ok(hash.map(|hash| self.summary(hash, "ISO 9796-2")))
            }
            PublicKey::Ec { .. } => self.verify_ecdsa(challenge, signature),
        }
    }

    fn summary(&self, hash: Hash, form: &'static str) -> Summary {
        Summary { key: self.key.describe(), hash: hash.name(), form }
    }

    /// `r ‖ s` as TR-03111 §5.2.1 has it; some chips send the DER form.
    fn verify_ecdsa(
        &self,
        challenge: &[u8; CHALLENGE],
        signature: &[u8],
    ) -> Result<Option<Summary>, ActiveAuthError> {
        // Without ActiveAuthenticationInfo, which must be there, SHA-256 is what chips use.
        let hash = self.hash.unwrap_or(Hash::Sha256);
        let digest = hash.digest(challenge)?;
        for (form, parsed) in
            [("plain", plain(signature)), ("DER", EcdsaSig::from_der(signature).ok())]
        {
            if let Some(parsed) = parsed
                && self.key.verify_ecdsa(&digest, &parsed)?
            {
                return Ok(Some(self.summary(hash, form)));
            }
        }
        Ok(None)
    }
}

/// `ecdsa-plain-signatures` (TR-03111 §5.2.1.1): the last arc names the hash.
fn plain_ecdsa_hash(oid: &Oid) -> Result<Hash, ActiveAuthError> {
    match oid.to_string().strip_prefix("0.4.0.127.0.7.1.1.4.1.") {
        Some("1") => Ok(Hash::Sha1),
        Some("2") => Ok(Hash::Sha224),
        Some("3") => Ok(Hash::Sha256),
        Some("4") => Ok(Hash::Sha384),
        Some("5") => Ok(Hash::Sha512),
        _ => Err(ActiveAuthError::Unsupported { oid: oid.clone() }),
    }
}

fn plain(signature: &[u8]) -> Option<EcdsaSig> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    if r.len() != s.len() || r.is_empty() {
        return None;
    }
    EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?).ok()
}

/// ISO/IEC 9796-2 signature scheme 1 with partial recovery (ICAO 9303-11 §6.1.2.1):
/// `F = 6A ‖ M1 ‖ H(M1 ‖ RND.IFD) ‖ trailer`. Gives the hash, or `None` if it does not hold.
fn recover(
    key: &Rsa<Public>,
    challenge: &[u8; CHALLENGE],
    signature: &[u8],
) -> Result<Option<Hash>, ActiveAuthError> {
    let Some(message) = open(key, signature)? else { return Ok(None) };
    let Some((hash, rest)) = trailer(&message) else { return Ok(None) };
    let Some((head, digest)) =
        rest.len().checked_sub(hash.length()).and_then(|at| rest.split_at_checked(at))
    else {
        return Ok(None);
    };
    let [0x6A, recovered @ ..] = head else { return Ok(None) };
    let expected = hash.digest(&[recovered, challenge].concat())?;
    Ok(equal(&expected, digest).then_some(hash))
}

/// `J = s^e mod n`, or `n − J`, whichever ends in the nibble C of a trailer.
fn open(key: &Rsa<Public>, signature: &[u8]) -> Result<Option<Vec<u8>>, ActiveAuthError> {
    let signature = BigNum::from_slice(signature)?;
    if !signature.ucmp(key.n()).is_lt() {
        return Ok(None);
    }
    let mut opened = BigNum::new()?;
    opened.mod_exp(&signature, key.e(), key.n(), &mut *BigNumContext::new()?)?;
    if ends_in_c(&opened) {
        return Ok(Some(opened.to_vec()));
    }
    let mut other = BigNum::new()?;
    other.checked_sub(key.n(), &opened)?;
    Ok(ends_in_c(&other).then(|| other.to_vec()))
}

fn ends_in_c(number: &BigNumRef) -> bool {
    !number.is_bit_set(0) && !number.is_bit_set(1) && number.is_bit_set(2) && number.is_bit_set(3)
}

/// The trailer `BC` (SHA-1) or `xx CC` (ISO/IEC 10118-3 number), and what stands before it.
fn trailer(message: &[u8]) -> Option<(Hash, &[u8])> {
    let (rest, hash) = match message {
        [rest @ .., 0xBC] => (rest, Hash::Sha1),
        [rest @ .., 0x33, 0xCC] => (rest, Hash::Sha1),
        [rest @ .., 0x34, 0xCC] => (rest, Hash::Sha256),
        [rest @ .., 0x35, 0xCC] => (rest, Hash::Sha512),
        [rest @ .., 0x36, 0xCC] => (rest, Hash::Sha384),
        [rest @ .., 0x38, 0xCC] => (rest, Hash::Sha224),
        _ => return None,
    };
    Some((hash, rest))
}
