//! ISO/IEC 9796-2 digital signature scheme 1 with partial recovery (ICAO 9303-11 §6.1.2.2).

use openssl::{
    bn::{BigNum, BigNumContext, BigNumRef},
    pkey::Public,
    rsa::Rsa,
};

use super::{ActiveAuthError, CHALLENGE};
use crate::crypto::{Hash, equal};

/// `F = 6A ‖ M1 ‖ H(M1 ‖ RND.IFD) ‖ trailer`, as long as the modulus. Gives the hash, or `None` if
/// it does not hold.
pub(super) fn recover(
    key: &Rsa<Public>,
    challenge: &[u8; CHALLENGE],
    signature: &[u8],
) -> Result<Option<Hash>, ActiveAuthError> {
    match open(key, signature)? {
        Some(message) => check(&message, challenge),
        None => Ok(None),
    }
}

/// Checks an opened message of the modulus' length.
pub(super) fn check(
    message: &[u8],
    challenge: &[u8; CHALLENGE],
) -> Result<Option<Hash>, ActiveAuthError> {
    let Some((hash, rest)) = trailer(message) else { return Ok(None) };
    let Some((head, digest)) =
        rest.len().checked_sub(hash.length()).and_then(|at| rest.split_at_checked(at))
    else {
        return Ok(None);
    };
    let [0x6A, recovered @ ..] = head else { return Ok(None) };
    let expected = hash.digest(&[recovered, challenge].concat())?;
    Ok(equal(&expected, digest).then_some(hash))
}

/// `J = s^e mod n`, or `n − J`, whichever ends in the nibble C of a trailer, in as many bytes as
/// the modulus has: a shorter `F` would leave a forger room. Leading zeros of the signature may be
/// missing or one too many.
fn open(key: &Rsa<Public>, signature: &[u8]) -> Result<Option<Vec<u8>>, ActiveAuthError> {
    let length = usize::try_from(key.size()).unwrap_or_default();
    if signature.len() > length.saturating_add(1) {
        return Ok(None);
    }
    let signature = BigNum::from_slice(signature)?;
    if !signature.ucmp(key.n()).is_lt() {
        return Ok(None);
    }
    let mut opened = BigNum::new()?;
    opened.mod_exp(&signature, key.e(), key.n(), &mut *BigNumContext::new()?)?;
    if !ends_in_c(&opened) {
        let mut other = BigNum::new()?;
        other.checked_sub(key.n(), &opened)?;
        opened = other;
    }
    if !ends_in_c(&opened) {
        return Ok(None);
    }
    Ok(Some(opened.to_vec_padded(key.n().num_bytes())?))
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
