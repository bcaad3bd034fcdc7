//! Key derivation (ICAO 9303-11 §9.7.1; TR-03110-3 §A.2.3).

use zeroize::Zeroizing;

use super::{Cipher, CryptoError, Hash, Secret};

/// What a derived key is for: the 32-bit counter of the derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Encryption, counter 1.
    Encryption,
    /// Message authentication, counter 2.
    Authentication,
    /// The PACE nonce (`Kπ`), counter 3.
    Nonce,
}

/// `KDF(K, c) = H(K ‖ c)`, cut to the cipher's key length: SHA-1 for 3DES and AES-128, SHA-256 for
/// AES-192 and AES-256. A 3DES key gets its parity bits.
///
/// # Errors
/// [`CryptoError::Library`] if OpenSSL lacks the hash function.
pub fn kdf(shared: &[u8], purpose: Purpose, cipher: Cipher) -> Result<Secret, CryptoError> {
    let counter: u8 = match purpose {
        Purpose::Encryption => 1,
        Purpose::Authentication => 2,
        Purpose::Nonce => 3,
    };
    let hash = match cipher {
        Cipher::TripleDes | Cipher::Aes128 => Hash::Sha1,
        Cipher::Aes192 | Cipher::Aes256 => Hash::Sha256,
    };
    let input = Zeroizing::new([shared, &[0, 0, 0, counter]].concat());
    let digest = Zeroizing::new(hash.digest(&input)?);
    let mut key = digest.iter().copied().take(cipher.key_length()).collect::<Vec<_>>();
    if cipher == Cipher::TripleDes {
        key.iter_mut().for_each(|byte| *byte = odd_parity(*byte));
    }
    Ok(Secret::new(key))
}

/// The byte with its lowest bit set so that the number of ones is odd.
fn odd_parity(byte: u8) -> u8 {
    let high = byte & 0xFE;
    high | u8::from(high.count_ones().is_multiple_of(2))
}
