//! The pseudo-random function of the integrated mapping (ICAO 9303-11 §4.4.3.3.2, figure 2).

use openssl::bn::BigNumRef;

use crate::crypto::{Cipher, CryptoError, Scalar, Secret, reduce};

/// `c0` and `c1` where the nonce has 128 bits: 3DES and AES-128.
const CONSTANTS_128: [[u8; 16]; 2] = [
    [
        0xA6, 0x68, 0x89, 0x2A, 0x7C, 0x41, 0xE3, 0xCA, 0x73, 0x9F, 0x40, 0xB0, 0x57, 0xD8, 0x59,
        0x04,
    ],
    [
        0xA4, 0xE1, 0x36, 0xAC, 0x72, 0x5F, 0x73, 0x8B, 0x01, 0xC1, 0xF6, 0x02, 0x17, 0xC1, 0x88,
        0xAD,
    ],
];
/// `c0` and `c1` where the nonce has 256 bits: AES-192 and AES-256.
const CONSTANTS_256: [[u8; 32]; 2] = [
    [
        0xD4, 0x63, 0xD6, 0x52, 0x34, 0x12, 0x4E, 0xF7, 0x89, 0x70, 0x54, 0x98, 0x6D, 0xCA, 0x0A,
        0x17, 0x4E, 0x28, 0xDF, 0x75, 0x8C, 0xBA, 0xA0, 0x3F, 0x24, 0x06, 0x16, 0x41, 0x4D, 0x5A,
        0x16, 0x76,
    ],
    [
        0x54, 0xBD, 0x72, 0x55, 0xF0, 0xAA, 0xF8, 0x31, 0xBE, 0xC3, 0x42, 0x3F, 0xCF, 0x39, 0xD6,
        0x9B, 0x6C, 0xBF, 0x06, 0x66, 0x77, 0xD0, 0xFA, 0xAE, 0x5A, 0xAD, 0xD9, 0x9D, 0xF8, 0xE5,
        0x35, 0x17,
    ],
];
/// How many more bits than the prime are drawn, so that the remainder is even.
const EXCESS_BITS: usize = 64;

/// Bytes of the chip's nonce: the fewest blocks that hold a key (ICAO 9303-11 §4.4.3.3).
pub(super) fn nonce_length(cipher: Cipher) -> usize {
    cipher.key_length().next_multiple_of(16)
}

/// `R_p(s, t) = int(x₁ ‖ … ‖ xₙ) mod p`: `k₀ = E(t, s)`, then `xᵢ = E(kᵢ₋₁, c₁)` and
/// `kᵢ = E(kᵢ₋₁, c₀)`, each `k` cut to the length of a key, with the fewest `xᵢ` that have 64 bits
/// more than the prime.
///
/// # Errors
/// [`CryptoError::Length`] if `s` or `t` has not the length that the cipher asks for.
pub(super) fn pseudo_random(
    cipher: Cipher,
    s: &Secret,
    t: &[u8],
    prime: &BigNumRef,
) -> Result<Scalar, CryptoError> {
    let length = nonce_length(cipher);
    if s.expose().len() != length {
        return Err(CryptoError::Length { what: "nonce" });
    }
    let (c0, c1): (&[u8], &[u8]) = match (&CONSTANTS_128, &CONSTANTS_256) {
        ([c0, c1], _) if length == c0.len() => (c0, c1),
        (_, [c0, c1]) => (c0, c1),
    };
    let bits = usize::try_from(prime.num_bits()).unwrap_or_default();
    let wanted = bits.saturating_add(EXCESS_BITS).div_ceil(8);
    let mut key = next_key(cipher, &Secret::new(t.to_vec()), s.expose())?;
    let mut out = Vec::with_capacity(wanted.next_multiple_of(length));
    while out.len() < wanted {
        out.extend(cipher.encrypt(&key, &[0; 16], c1)?);
        key = next_key(cipher, &key, c0)?;
    }
    reduce(&Secret::new(out), prime)
}

/// `E(key, input)` in CBC mode, cut to the length of a key.
fn next_key(cipher: Cipher, key: &Secret, input: &[u8]) -> Result<Secret, CryptoError> {
    let mut bytes = cipher.encrypt(key, &[0; 16], input)?;
    bytes.truncate(cipher.key_length());
    Ok(Secret::new(bytes))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::{
        crypto::{dh, ec},
        pace::group::Group,
    };

    #[derive(Deserialize)]
    struct Vectors {
        integrated: Vec<Vector>,
    }

    #[derive(Deserialize)]
    struct Vector {
        id: String,
        cipher: String,
        parameter_id: u32,
        s: String,
        t: String,
        pseudo_random: String,
        reduced: String,
        generator: String,
    }

    fn vectors() -> Vec<Vector> {
        let files = [
            include_str!("../../tests/vectors/icao-9303-11-appendix-h1.toml"),
            include_str!("../../tests/vectors/icao-9303-11-appendix-h2.toml"),
        ];
        files.iter().flat_map(|text| toml::from_str::<Vectors>(text).unwrap().integrated).collect()
    }

    fn element(vector: &Vector, prime: &BigNumRef) -> Scalar {
        assert_eq!(vector.cipher, Cipher::Aes128.name());
        let (s, t) = (hex::decode(&vector.s).unwrap(), hex::decode(&vector.t).unwrap());
        let element = pseudo_random(Cipher::Aes128, &Secret::new(s), &t, prime).unwrap();
        let long = Secret::new(hex::decode(&vector.pseudo_random).unwrap());
        let short = Secret::new(hex::decode(&vector.reduced).unwrap());
        for expected in [long, short] {
            let expected = reduce(&expected, prime).unwrap();
            assert!(expected.equals(&element), "{}", vector.id);
        }
        element
    }

    #[test]
    fn two_nonces_are_mapped_as_in_the_examples() {
        let mut count = 0;
        for vector in vectors() {
            let generator = match dh::Modp::from_parameter_id(vector.parameter_id) {
                Some(group) => {
                    let domain = dh::Domain::new(group).unwrap();
                    let element = element(&vector, domain.prime());
                    domain.map_integrated(&element).unwrap().generator()
                }
                None => {
                    let curve = ec::Curve::from_parameter_id(vector.parameter_id).unwrap();
                    let domain = ec::Domain::new(curve).unwrap();
                    let element = element(&vector, &Group::prime(&domain).unwrap());
                    domain.map_integrated(&element).unwrap().generator().unwrap()
                }
            };
            assert_eq!(hex::encode_upper(generator), vector.generator, "{}", vector.id);
            count += 1;
        }
        assert_eq!(count, 2);
    }

    #[test]
    fn nonces_of_another_length_are_refused() {
        let prime = dh::Domain::new(dh::Modp::Modp1024With160).unwrap().prime().to_owned().unwrap();
        for cipher in [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes192, Cipher::Aes256] {
            let (s, t) = (nonce_length(cipher), cipher.key_length());
            let run = |s, t| pseudo_random(cipher, &Secret::new(vec![7; s]), &vec![7; t], &prime);
            assert!(run(s, t).is_ok());
            assert!(run(s + 16, t).is_err());
            assert!(run(s, t + 8).is_err());
        }
    }
}
