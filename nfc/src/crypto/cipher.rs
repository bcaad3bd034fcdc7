//! Block ciphers in CBC mode, and padding (ICAO 9303-11 §9.8.6; ISO/IEC 9797-1 padding method 2).

use openssl::symm;
use zeroize::Zeroizing;

use super::{CryptoError, Secret};

/// A block cipher of secure messaging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cipher {
    /// Two-key triple DES, 16 bytes.
    TripleDes,
    /// AES with a key of 16 bytes.
    Aes128,
    /// AES with a key of 24 bytes.
    Aes192,
    /// AES with a key of 32 bytes.
    Aes256,
}

impl Cipher {
    /// Length of a key in bytes.
    #[must_use]
    pub fn key_length(self) -> usize {
        match self {
            Self::TripleDes | Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Length of a block in bytes.
    #[must_use]
    pub fn block(self) -> usize {
        if self == Self::TripleDes { 8 } else { 16 }
    }

    /// Name as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TripleDes => "3DES",
            Self::Aes128 => "AES-128",
            Self::Aes192 => "AES-192",
            Self::Aes256 => "AES-256",
        }
    }

    /// The cipher that the last arc of a PACE or chip authentication identifier names
    /// (TR-03110-3 §A.1.1.1): 1 is 3DES, 2 to 4 AES with 128, 192, 256 bits.
    #[must_use]
    pub fn from_arc(arc: u8) -> Option<Self> {
        match arc {
            1 => Some(Self::TripleDes),
            2 => Some(Self::Aes128),
            3 => Some(Self::Aes192),
            4 => Some(Self::Aes256),
            _ => None,
        }
    }

    /// Encrypts whole blocks in CBC mode.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for a wrong key, vector or partial block.
    pub fn encrypt(self, key: &Secret, iv: &[u8], blocks: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.cbc(symm::Mode::Encrypt, key, iv, blocks)
    }

    /// Decrypts whole blocks in CBC mode.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for a wrong key, vector or partial block.
    pub fn decrypt(self, key: &Secret, iv: &[u8], blocks: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.cbc(symm::Mode::Decrypt, key, iv, blocks)
    }

    /// One block in ECB mode: `E(K, block)`.
    pub(crate) fn encrypt_block(self, key: &Secret, block: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.encrypt(key, &[0; 16], block)
    }

    fn cbc(
        self,
        mode: symm::Mode,
        key: &Secret,
        iv: &[u8],
        blocks: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        if key.expose().len() != self.key_length() {
            return Err(CryptoError::Length { what: "key" });
        }
        let iv = iv.get(..self.block()).ok_or(CryptoError::Length { what: "vector" })?;
        let (algorithm, key) = match self {
            Self::TripleDes => (symm::Cipher::des_ede3_cbc(), two_key(key.expose())?),
            Self::Aes128 => (symm::Cipher::aes_128_cbc(), Zeroizing::new(key.expose().to_vec())),
            Self::Aes192 => (symm::Cipher::aes_192_cbc(), Zeroizing::new(key.expose().to_vec())),
            Self::Aes256 => (symm::Cipher::aes_256_cbc(), Zeroizing::new(key.expose().to_vec())),
        };
        run(algorithm, mode, &key, iv, blocks)
    }
}

/// `K1 ‖ K2 ‖ K1`, which EDE3 wants of a two-key triple DES key.
fn two_key(key: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let first = key.get(..8).ok_or(CryptoError::Length { what: "key" })?;
    Ok(Zeroizing::new([key, first].concat()))
}

/// CBC over whole blocks without padding.
pub(super) fn run(
    algorithm: symm::Cipher,
    mode: symm::Mode,
    key: &[u8],
    iv: &[u8],
    blocks: &[u8],
) -> Result<Vec<u8>, CryptoError> {
    let block = algorithm.block_size();
    if !blocks.len().is_multiple_of(block) {
        return Err(CryptoError::Length { what: "block" });
    }
    let mut crypter = symm::Crypter::new(algorithm, mode, key, Some(iv))?;
    crypter.pad(false);
    let mut out = vec![0; blocks.len().saturating_add(block)];
    let length = crypter.update(blocks, &mut out)?;
    out.truncate(length);
    Ok(out)
}

/// `data ‖ 80 ‖ 00…` up to a whole block (ISO/IEC 9797-1, padding method 2).
#[must_use]
pub fn pad(data: &[u8], block: usize) -> Vec<u8> {
    let mut out = data.to_vec();
    out.push(0x80);
    out.resize(out.len().next_multiple_of(block), 0);
    out
}

/// `data` without its padding.
///
/// # Errors
/// [`CryptoError::Padding`] if there is none.
pub fn unpad(data: &[u8]) -> Result<&[u8], CryptoError> {
    let end = data.iter().rposition(|b| *b != 0).ok_or(CryptoError::Padding)?;
    match data.split_at_checked(end) {
        Some((plain, [0x80, ..])) => Ok(plain),
        _ => Err(CryptoError::Padding),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_method_two() {
        assert_eq!(pad(&[1, 2], 4), [1, 2, 0x80, 0]);
        assert_eq!(pad(&[1, 2, 3, 4], 4), [1, 2, 3, 4, 0x80, 0, 0, 0]);
        assert_eq!(unpad(&[1, 0x80, 0, 0]).unwrap(), [1]);
        assert!(matches!(unpad(&[1, 0, 0]), Err(CryptoError::Padding)));
        assert!(matches!(unpad(&[0, 0]), Err(CryptoError::Padding)));
    }

    #[test]
    fn decrypting_undoes_encrypting() {
        for cipher in [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes192, Cipher::Aes256] {
            let key = Secret::new((0..cipher.key_length()).map(|i| i as u8).collect());
            let plain = pad(b"chip", cipher.block());
            let sealed = cipher.encrypt(&key, &[7; 16], &plain).unwrap();
            assert_ne!(sealed, plain);
            assert_eq!(cipher.decrypt(&key, &[7; 16], &sealed).unwrap(), plain);
            assert!(cipher.decrypt(&key, &[7; 16], &sealed[1..]).is_err());
        }
    }
}
