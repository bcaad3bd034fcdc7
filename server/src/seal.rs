//! Sealing of what is stored: AES-256-GCM with the place of the value as associated data
//! (STYLE 18), so that no sealed value can be moved to another row or column.
//!
//! A sealed value is `nonce (12) ‖ ciphertext ‖ tag (16)` (NIST SP 800-38D).

use crate::clock::{Entropy, EntropyError, random};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use std::fmt;
use zeroize::Zeroizing;

const NONCE: usize = 12;
const TAG: usize = 16;

/// Why a value could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// Too short to be a sealed value.
    #[error("a sealed value of {length} bytes is too short")]
    Short {
        /// Bytes present.
        length: usize,
    },
    /// Another key, another place, or changed bytes.
    #[error("a sealed value does not open here")]
    Open,
    /// The cipher could not be run.
    #[error("the cipher failed")]
    Cipher(#[from] openssl::error::ErrorStack),
    /// No nonce.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// Where a sealed value belongs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The row's key.
    pub row: &'a str,
    /// The column, or what stands for it.
    pub column: &'a str,
}

impl Place<'_> {
    /// Each part behind its length, so that no two places give the same bytes.
    pub(crate) fn associated(&self) -> Vec<u8> {
        [self.table, self.row, self.column]
            .iter()
            .flat_map(|part| {
                (part.len() as u64)
                    .to_be_bytes()
                    .into_iter()
                    .chain(part.bytes())
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

/// A 256-bit key; zeroized on drop, never shown.
pub struct Key(Zeroizing<[u8; 32]>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// A new random key.
    ///
    /// # Errors
    /// [`EntropyError`] if the random source fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        Ok(Self(Zeroizing::new(random(entropy)?)))
    }

    /// The key of these 32 bytes, or `None` for any other number of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Some(Self(Zeroizing::new(bytes.try_into().ok()?)))
    }

    /// The same key once more, for another use.
    pub(crate) fn copied(&self) -> Self {
        Self(self.0.clone())
    }

    /// The key's bytes, for wrapping under another key.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Seals `plain` for `place`.
    ///
    /// # Errors
    /// [`SealError`] if the cipher or the random source fails.
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        place: Place<'_>,
        plain: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE] = random(entropy)?;
        let mut tag = [0; TAG];
        let cipher = Cipher::aes_256_gcm();
        let (key, place) = (self.expose(), place.associated());
        let text = encrypt_aead(cipher, key, Some(&nonce), &place, plain, &mut tag)?;
        Ok([nonce.as_slice(), &text, &tag].concat())
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`SealError::Open`] for another key or place or changed bytes, [`SealError::Short`].
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let short = SealError::Short { length: sealed.len() };
        let Some((nonce, rest)) = sealed.split_first_chunk::<NONCE>() else { return Err(short) };
        let Some((text, tag)) = rest.split_last_chunk::<TAG>() else { return Err(short) };
        let cipher = Cipher::aes_256_gcm();
        decrypt_aead(cipher, self.expose(), Some(nonce), &place.associated(), text, tag)
            .map(Zeroizing::new)
            .map_err(|_| SealError::Open)
    }

    /// HMAC-SHA-256 of `data` for one purpose: finds equal values without keeping them.
    ///
    /// # Errors
    /// [`SealError::Cipher`] if the library fails.
    pub fn keyed_hash(&self, purpose: &str, data: &[u8]) -> Result<[u8; 32], SealError> {
        let key = PKey::hmac(self.expose())?;
        let mut signer = Signer::new(MessageDigest::sha256(), &key)?;
        signer.update(&(purpose.len() as u64).to_be_bytes())?;
        signer.update(purpose.as_bytes())?;
        signer.update(data)?;
        let mut out = [0; 32];
        signer.sign(&mut out)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    const HERE: Place<'_> = Place { table: "sealed", row: "1", column: "portrait" };

    #[test]
    fn opens_only_in_its_own_place_with_its_own_key() {
        let (key, other) =
            (Key::generate(&SystemEntropy).unwrap(), Key::generate(&SystemEntropy).unwrap());
        let sealed = key.seal(&SystemEntropy, HERE, b"a face").unwrap();
        assert_eq!(key.open(HERE, &sealed).unwrap().as_slice(), b"a face");
        for elsewhere in [
            Place { row: "2", ..HERE },
            Place { column: "face", ..HERE },
            Place { table: "evidence", ..HERE },
            Place { row: "", column: "1portrait", ..HERE },
        ] {
            assert!(matches!(key.open(elsewhere, &sealed), Err(SealError::Open)), "{elsewhere:?}");
        }
        assert!(matches!(other.open(HERE, &sealed), Err(SealError::Open)));
    }

    #[test]
    fn any_changed_byte_is_found() {
        let key = Key::generate(&SystemEntropy).unwrap();
        let sealed = key.seal(&SystemEntropy, HERE, b"data").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(matches!(key.open(HERE, &changed), Err(SealError::Open)), "byte {at}");
        }
        assert!(matches!(key.open(HERE, &sealed[..27]), Err(SealError::Short { length: 27 })));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Key::from_slice(&[7; 32]).unwrap()), "Key(…)");
        assert!(Key::from_slice(&[7; 31]).is_none());
    }
}
