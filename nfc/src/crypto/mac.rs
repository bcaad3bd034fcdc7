//! Message authentication codes of eight bytes (ICAO 9303-11 §9.8.6.2).

use openssl::{pkey::PKey, sign::Signer, symm};

use super::{Cipher, CryptoError, Secret, cipher, pad};

/// The MAC of `message` under `key`, eight bytes.
///
/// 3DES: ISO/IEC 9797-1 algorithm 3 with padding method 2. AES: CMAC (NIST SP 800-38B), cut to
/// eight bytes; where the standard pads before CMAC (secure messaging), the caller does.
///
/// # Errors
/// [`CryptoError::Length`] if the key does not fit the cipher.
pub fn mac(algorithm: Cipher, key: &Secret, message: &[u8]) -> Result<[u8; 8], CryptoError> {
    let full = match algorithm {
        Cipher::TripleDes => retail(key, &pad(message, 8))?,
        Cipher::Aes128 => cmac(&symm::Cipher::aes_128_cbc(), key, message)?,
        Cipher::Aes192 => cmac(&symm::Cipher::aes_192_cbc(), key, message)?,
        Cipher::Aes256 => cmac(&symm::Cipher::aes_256_cbc(), key, message)?,
    };
    full.first_chunk().copied().ok_or(CryptoError::Length { what: "MAC" })
}

fn cmac(algorithm: &symm::Cipher, key: &Secret, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if key.expose().len() != algorithm.key_len() {
        return Err(CryptoError::Length { what: "key" });
    }
    let key = PKey::cmac(algorithm, key.expose())?;
    Ok(Signer::new_without_digest(&key)?.sign_oneshot_to_vec(message)?)
}

/// Algorithm 3: DES in CBC under the first half of the key, the last block triple.
fn retail(key: &Secret, blocks: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let first = key.expose().get(..8).ok_or(CryptoError::Length { what: "key" })?;
    let (head, last) =
        blocks.split_last_chunk::<8>().ok_or(CryptoError::Length { what: "block" })?;
    // Triple DES with three equal keys is DES, which OpenSSL 3 keeps in its legacy provider.
    let single = Secret::new(first.repeat(3));
    let chained = cipher::run(
        symm::Cipher::des_ede3_cbc(),
        symm::Mode::Encrypt,
        single.expose(),
        &[0; 8],
        head,
    )?;
    let chaining = chained.last_chunk::<8>().copied().unwrap_or_default();
    Cipher::TripleDes.encrypt(key, &chaining, last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmac_is_that_of_rfc_4493() {
        let key = Secret::new(hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap());
        let message = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
        assert_eq!(hex::encode(mac(Cipher::Aes128, &key, &[]).unwrap()), "bb1d6929e9593728");
        assert_eq!(hex::encode(mac(Cipher::Aes128, &key, &message).unwrap()), "070a16b46b4d4144");
    }

    #[test]
    fn keys_of_another_length_are_refused() {
        let key = Secret::new(vec![0; 16]);
        assert!(mac(Cipher::Aes256, &key, &[]).is_err());
        assert!(mac(Cipher::TripleDes, &Secret::new(vec![0; 7]), &[]).is_err());
    }
}
