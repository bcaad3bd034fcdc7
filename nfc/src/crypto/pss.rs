//! RSASSA-PSS (RFC 8017 §8.1.2, §9.1.2): the salt is as long as the signature says it is, and the
//! mask has the hash that it names.

use openssl::{pkey::Public, rsa::Rsa};

use super::{
    CryptoError, Hash,
    public_key::{KeyError, open},
    signature::Pss,
};

/// Whether `signature` over `message` verifies.
pub(super) fn verify(
    key: &Rsa<Public>,
    pss: &Pss,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, KeyError> {
    let Some(opened) = open(key, signature) else { return Ok(false) };
    let bits = usize::try_from(key.n().num_bits()).unwrap_or_default().saturating_sub(1);
    // Of a modulus with one bit in its first byte that byte is zero and no part of the encoding.
    let encoded = match (opened.split_first(), bits % 8) {
        (Some((0, rest)), 0) => rest,
        (Some(_), 0) | (None, _) => return Ok(false),
        (Some(_), _) => &opened,
    };
    Ok(holds(encoded, bits, pss, &pss.hash.digest(message)?)?)
}

/// EMSA-PSS-VERIFY: `maskedDB ‖ H ‖ BC`, where `DB = 00… ‖ 01 ‖ salt` and
/// `H = Hash(00×8 ‖ digest ‖ salt)`.
fn holds(encoded: &[u8], bits: usize, pss: &Pss, digest: &[u8]) -> Result<bool, CryptoError> {
    let salt_length = usize::try_from(pss.salt).unwrap_or(usize::MAX);
    let Some((&0xBC, rest)) = encoded.split_last() else { return Ok(false) };
    let Some(data_length) = rest.len().checked_sub(pss.hash.length()) else { return Ok(false) };
    let Some((masked, hash)) = rest.split_at_checked(data_length) else { return Ok(false) };
    let Some(salt_start) = data_length.checked_sub(salt_length) else { return Ok(false) };
    // The bits that a number of `bits` bits does not have.
    let first = 0xFF_u8 >> (encoded.len().saturating_mul(8).saturating_sub(bits));
    if masked.first().is_none_or(|byte| byte & !first != 0) {
        return Ok(false);
    }
    let mut data = mask(hash, data_length, pss.mask)?;
    data.iter_mut().zip(masked).for_each(|(byte, masked)| *byte ^= masked);
    if let Some(byte) = data.first_mut() {
        *byte &= first;
    }
    let (padding, salt) = data.split_at_checked(salt_start).unwrap_or_default();
    let Some((&1, zeros)) = padding.split_last() else { return Ok(false) };
    let expected = pss.hash.digest(&[&[0; 8], digest, salt].concat())?;
    Ok(zeros.iter().all(|byte| *byte == 0) && expected == hash)
}

/// MGF1 (RFC 8017 §B.2.1): the hashes of `seed ‖ counter`, cut to `length`.
fn mask(seed: &[u8], length: usize, hash: Hash) -> Result<Vec<u8>, CryptoError> {
    let mut out = Vec::with_capacity(length.saturating_add(hash.length()));
    let mut block = [seed, &[0; 4]].concat();
    for counter in 0_u32.. {
        if out.len() >= length {
            break;
        }
        if let Some(last) = block.last_chunk_mut() {
            *last = counter.to_be_bytes();
        }
        out.extend(hash.digest(&block)?);
    }
    out.truncate(length);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use openssl::{
        hash::MessageDigest,
        pkey::PKey,
        rsa::Padding,
        sign::{RsaPssSaltlen, Signer},
    };

    use super::*;

    /// Moduli of every number of bits in their first byte, with every salt that fits, beside
    /// OpenSSL's signer.
    #[test]
    fn signatures_of_openssl_hold_and_changed_ones_do_not() {
        for bits in [1024, 1025, 1026, 1031, 1032] {
            let rsa = Rsa::generate(bits).unwrap();
            let public = Rsa::from_public_components(
                rsa.n().to_owned().unwrap(),
                rsa.e().to_owned().unwrap(),
            )
            .unwrap();
            let key = PKey::from_rsa(rsa).unwrap();
            for salt in [0, 20, 32, 94] {
                let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
                signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
                signer.set_rsa_mgf1_md(MessageDigest::sha1()).unwrap();
                signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt)).unwrap();
                let signature = signer.sign_oneshot_to_vec(b"message").unwrap();
                let right =
                    Pss { hash: Hash::Sha256, mask: Hash::Sha1, salt: salt.try_into().unwrap() };
                let holds =
                    |pss: &Pss, message: &[u8]| verify(&public, pss, message, &signature).unwrap();
                assert!(holds(&right, b"message"), "{bits} {salt}");
                assert!(!holds(&right, b"massage"), "{bits} {salt}");
                for wrong in [
                    Pss { salt: right.salt + 1, ..right.clone() },
                    Pss { salt: right.salt.wrapping_sub(1), ..right.clone() },
                    Pss { mask: Hash::Sha256, ..right.clone() },
                    Pss { hash: Hash::Sha1, ..right.clone() },
                    Pss { hash: Hash::Sha512, ..right.clone() },
                ] {
                    assert!(!holds(&wrong, b"message"), "{bits} {wrong:?}");
                }
                let mut changed = signature.clone();
                changed[60] ^= 1;
                assert!(!verify(&public, &right, b"message", &changed).unwrap());
                assert!(!verify(&public, &right, b"message", &signature[1..]).unwrap());
            }
        }
    }
}
