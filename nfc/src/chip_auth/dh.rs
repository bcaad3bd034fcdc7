//! Diffie-Hellman with a chip's static key, whose group is written out in the key (RFC 3279 §2.3.3;
//! PKCS #3) or a standardized one (RFC 5114 §2; TR-03110-3 §A.2.1.1).
//!
//! The key is signed. Its group is checked all the same, so that a senseless one is an error and
//! not a shared secret that anybody knows.

use super::{
    ChipAuthError,
    agreement::{Agreed, no_such_key},
};
use crate::{
    crypto::dh::{Domain, Modp},
    der::{self, Algorithm, INTEGER, Oid, SEQUENCE},
    random::Random,
    tlv::{self, Reader},
};

const DH_PUBLIC_NUMBER: &str = "1.2.840.10046.2.1";
const DH_KEY_AGREEMENT: &str = "1.2.840.113549.1.3.1";
const STANDARDIZED: &str = "0.4.0.127.0.7.1.2";

/// Whether the identifier names a key of this kind.
pub(super) fn is_dh(oid: &Oid) -> bool {
    oid.is(DH_PUBLIC_NUMBER) || oid.is(DH_KEY_AGREEMENT)
}

/// `Z = y ^ x mod p` in as many bytes as `p` has, and `g ^ x mod p`, for a fresh `x`.
pub(super) fn agree(spki: &[u8], random: &mut dyn Random) -> Result<Agreed, ChipAuthError> {
    let (domain, value) = parse(spki)?;
    let peer = domain.decode(significant(&value)).map_err(no_such_key)?;
    let pair = domain.key_pair(domain.scalar(random)?)?;
    let bits = domain.prime().num_bits();
    let group = domain.standardized()?;
    Ok(Agreed {
        shared: domain.agree(&pair, &peer)?,
        ours: domain.encode(&pair),
        group: group.map_or_else(|| format!("modp-{bits}"), |group| group.name().to_owned()),
    })
}

/// The bytes of a public value in the key's group; none if it is no such key.
pub(super) fn value_length(spki: &[u8]) -> Option<usize> {
    parse(spki).ok().map(|(domain, _)| domain.length())
}

/// Group and public value of a SubjectPublicKeyInfo (RFC 3279 §2.3.3).
fn parse(spki: &[u8]) -> Result<(Domain, Vec<u8>), ChipAuthError> {
    let mut outer = tlv::single(spki, SEQUENCE)?.reader();
    let algorithm = Algorithm::read(&mut outer)?;
    let bits = der::whole_bytes(&mut outer)?;
    let domain = match algorithm.oid.to_string().as_str() {
        STANDARDIZED => standardized(&algorithm.parameters)?,
        DH_PUBLIC_NUMBER => explicit(&algorithm.parameters, true)?,
        DH_KEY_AGREEMENT => explicit(&algorithm.parameters, false)?,
        _ => return Err(ChipAuthError::NoSuchKey),
    };
    Ok((domain, tlv::single(bits, INTEGER)?.value.to_vec()))
}

fn standardized(parameters: &[u8]) -> Result<Domain, ChipAuthError> {
    let id = der::small_integer(&mut Reader::new(parameters))?;
    let group = Modp::from_parameter_id(id).ok_or(ChipAuthError::Unsupported)?;
    Ok(Domain::new(group)?)
}

/// `SEQUENCE { p, g, q, … }` of X9.42, or `SEQUENCE { p, g, … }` of PKCS #3, whose third number is a
/// length.
fn explicit(parameters: &[u8], with_order: bool) -> Result<Domain, ChipAuthError> {
    let mut fields = tlv::single(parameters, SEQUENCE)?.reader();
    let prime = significant(fields.expect(INTEGER)?.value);
    let generator = significant(fields.expect(INTEGER)?.value);
    let order = if with_order { Some(significant(fields.expect(INTEGER)?.value)) } else { None };
    Domain::explicit(prime, generator, order).map_err(no_such_key)
}

/// A number without the zeros that keep an INTEGER positive.
fn significant(integer: &[u8]) -> &[u8] {
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).unwrap_or_default()
}
