//! ECDSA over the challenge (ICAO 9303-11 §6.1.2.3; TR-03111 §4.2.1, §5.2.1).

use openssl::{bn::BigNum, ecdsa::EcdsaSig};

use super::{ActiveAuthError, CHALLENGE, order_length};
use crate::{
    crypto::{Hash, ec::Curve, public_key::PublicKey},
    der::Oid,
};

/// The longest DER signature: two INTEGERs with a zero each, in a SEQUENCE with a length of two.
pub(super) fn longest(curve: Curve) -> usize {
    order_length(curve).saturating_mul(2).saturating_add(9)
}

/// The hash that `ActiveAuthenticationInfo` names. It must be there for such a key; where it is
/// not, the hash is of the curve's size, or one of those that chips use regardless of it.
pub(super) fn hashes(curve: Curve, named: Option<&Oid>) -> Result<Vec<Hash>, ActiveAuthError> {
    if let Some(oid) = named {
        return match named_hash(oid) {
            Some(hash) => Ok(vec![hash]),
            None => Err(ActiveAuthError::Unsupported { oid: oid.clone() }),
        };
    }
    let own = match order_length(curve) {
        0..=24 => Hash::Sha1,
        25..=28 => Hash::Sha224,
        29..=47 => Hash::Sha256,
        48..=63 => Hash::Sha384,
        _ => Hash::Sha512,
    };
    let mut hashes = vec![own];
    hashes.extend([Hash::Sha256, Hash::Sha1].into_iter().filter(|hash| *hash != own));
    Ok(hashes)
}

/// `ecdsa-plain-signatures` (TR-03111 §5.2.1.1), or the identifiers of X9.62, which some issuers
/// write instead. The form of the signature is seen by itself.
fn named_hash(oid: &Oid) -> Option<Hash> {
    Some(match oid.to_string().as_str() {
        "0.4.0.127.0.7.1.1.4.1.1" | "1.2.840.10045.4.1" => Hash::Sha1,
        "0.4.0.127.0.7.1.1.4.1.2" | "1.2.840.10045.4.3.1" => Hash::Sha224,
        "0.4.0.127.0.7.1.1.4.1.3" | "1.2.840.10045.4.3.2" => Hash::Sha256,
        "0.4.0.127.0.7.1.1.4.1.4" | "1.2.840.10045.4.3.3" => Hash::Sha384,
        "0.4.0.127.0.7.1.1.4.1.5" | "1.2.840.10045.4.3.4" => Hash::Sha512,
        _ => return None,
    })
}

/// Tries `r ‖ s`, then the DER form that some chips send, with each hash that may be meant.
pub(super) fn verify(
    key: &PublicKey,
    hashes: &[Hash],
    challenge: &[u8; CHALLENGE],
    signature: &[u8],
) -> Result<Option<(Hash, &'static str)>, ActiveAuthError> {
    let forms = [("plain", plain(signature)), ("DER", EcdsaSig::from_der(signature).ok())];
    for (form, parsed) in forms {
        let Some(parsed) = parsed else { continue };
        for hash in hashes {
            if key.verify_ecdsa(&hash.digest(challenge)?, &parsed)? {
                return Ok(Some((*hash, form)));
            }
        }
    }
    Ok(None)
}

fn plain(signature: &[u8]) -> Option<EcdsaSig> {
    let (r, s) = signature.split_at_checked(signature.len() / 2)?;
    if r.len() != s.len() || r.is_empty() {
        return None;
    }
    EcdsaSig::from_private_components(BigNum::from_slice(r).ok()?, BigNum::from_slice(s).ok()?).ok()
}
