//! Diffie-Hellman with a chip's static key, whose group is written out in the key (RFC 3279 §2.3.3;
//! PKCS #3) or a standardized one (RFC 5114 §2; TR-03110-3 §A.2.1.1).
//!
//! The key is signed. Its group is checked all the same, so that a senseless one is an error and
//! not a shared secret that anybody knows.

use openssl::{
    bn::{BigNum, BigNumContext, BigNumRef},
    dh::Dh,
};
use zeroize::Zeroizing;

use super::{
    ChipAuthError,
    agreement::{Agreed, no_such_key},
};
use crate::{
    crypto::{CryptoError, Secret},
    der::{self, Algorithm, INTEGER, Oid, SEQUENCE},
    random::{Random, RandomError},
    tlv::{self, Reader},
};

const DH_PUBLIC_NUMBER: &str = "1.2.840.10046.2.1";
const DH_KEY_AGREEMENT: &str = "1.2.840.113549.1.3.1";
const STANDARDIZED: &str = "0.4.0.127.0.7.1.2";

/// Moduli from here up to there are taken, in bits.
const SHORTEST: i32 = 1024;
const LONGEST: i32 = 8192;

/// Whether the identifier names a key of this kind.
pub(super) fn is_dh(oid: &Oid) -> bool {
    oid.is(DH_PUBLIC_NUMBER) || oid.is(DH_KEY_AGREEMENT)
}

/// `Z = y ^ x mod p` in as many bytes as `p` has, and `g ^ x mod p`, for a fresh `x`.
pub(super) fn agree(spki: &[u8], random: &mut dyn Random) -> Result<Agreed, ChipAuthError> {
    let (group, value) = parse(spki)?;
    let peer = group.checked(value).map_err(no_such_key)?;
    let x = group.exponent(random)?;
    let length = i32::try_from(group.length()).unwrap_or_default();
    let shared = group.power(&peer, &x.0)?;
    Ok(Agreed {
        ours: group.power(&group.generator, &x.0)?.0.to_vec_padded(length)?,
        shared: Secret::new(shared.0.to_vec_padded(length)?),
        group: group.name,
    })
}

/// A number that is overwritten when dropped.
struct Private(BigNum);

impl Drop for Private {
    fn drop(&mut self) {
        self.0.clear();
    }
}

struct Group {
    name: String,
    prime: BigNum,
    generator: BigNum,
    /// Of the subgroup, where the key names it.
    order: Option<BigNum>,
}

/// SubjectPublicKeyInfo with the public value as an INTEGER (RFC 3279 §2.3.3).
fn parse(spki: &[u8]) -> Result<(Group, BigNum), ChipAuthError> {
    let mut outer = tlv::single(spki, SEQUENCE)?.reader();
    let algorithm = Algorithm::read(&mut outer)?;
    let bits = der::whole_bytes(&mut outer)?;
    let group = match algorithm.oid.to_string().as_str() {
        STANDARDIZED => standardized(&algorithm.parameters)?,
        DH_PUBLIC_NUMBER => Group::read(&algorithm.parameters, true)?,
        DH_KEY_AGREEMENT => Group::read(&algorithm.parameters, false)?,
        _ => return Err(ChipAuthError::NoSuchKey),
    };
    let value = tlv::single(bits, INTEGER)?;
    Ok((group, BigNum::from_slice(value.value)?))
}

/// The groups with parameter id 0 to 2.
fn standardized(parameters: &[u8]) -> Result<Group, ChipAuthError> {
    let id = der::small_integer(&mut Reader::new(parameters))?;
    let known = known()?;
    let id = usize::try_from(id).unwrap_or(usize::MAX);
    known.into_iter().nth(id).ok_or(ChipAuthError::Unsupported)
}

fn known() -> Result<[Group; 3], openssl::error::ErrorStack> {
    let group = |name: &str, dh: Dh<_>| -> Result<Group, openssl::error::ErrorStack> {
        let order = dh.prime_q().map(BigNumRef::to_owned).transpose()?;
        let (prime, generator) = (dh.prime_p().to_owned()?, dh.generator().to_owned()?);
        Ok(Group { name: name.to_owned(), prime, generator, order })
    };
    Ok([
        group("modp-1024-160", Dh::get_1024_160()?)?,
        group("modp-2048-224", Dh::get_2048_224()?)?,
        group("modp-2048-256", Dh::get_2048_256()?)?,
    ])
}

impl Group {
    /// `SEQUENCE { p, g, q, … }` of X9.42, or `SEQUENCE { p, g, … }` of PKCS #3, whose third
    /// number is a length.
    fn read(parameters: &[u8], with_order: bool) -> Result<Self, ChipAuthError> {
        let mut fields = tlv::single(parameters, SEQUENCE)?.reader();
        let mut number = || -> Result<BigNum, ChipAuthError> {
            let element = fields.expect(INTEGER)?;
            Ok(BigNum::from_slice(element.value)?)
        };
        let (prime, generator) = (number()?, number()?);
        let order = if with_order { Some(number()?) } else { None };
        let bits = prime.num_bits();
        if !(SHORTEST..=LONGEST).contains(&bits) {
            return Err(ChipAuthError::Unsupported);
        }
        let mut group = Self { name: format!("modp-{bits}"), prime, generator, order };
        group.check()?;
        for known in known()? {
            if known.prime == group.prime && known.generator == group.generator {
                group = known;
            }
        }
        Ok(group)
    }

    /// An odd modulus, and a generator that generates the subgroup.
    fn check(&self) -> Result<(), ChipAuthError> {
        let order_fits = self
            .order
            .as_ref()
            .is_none_or(|order| order.num_bits() >= 160 && order.ucmp(&self.prime).is_lt());
        if !self.prime.is_bit_set(0) || !order_fits {
            return Err(ChipAuthError::NoSuchKey);
        }
        self.checked(self.generator.to_owned()?).map(drop).map_err(no_such_key)
    }

    fn length(&self) -> usize {
        usize::try_from(self.prime.num_bytes()).unwrap_or_default()
    }

    /// `1 < y < p - 1`, and `y ^ q = 1 mod p` where the order is known (RFC 2631 §2.1.5).
    fn checked(&self, value: BigNum) -> Result<BigNum, CryptoError> {
        let one = BigNum::from_u32(1)?;
        let mut last = self.prime.to_owned()?;
        last.sub_word(1)?;
        if !(value.ucmp(&one).is_gt() && value.ucmp(&last).is_lt()) {
            return Err(CryptoError::Point);
        }
        match &self.order {
            Some(order) if self.power(&value, order)?.0 != one => Err(CryptoError::Point),
            _ => Ok(value),
        }
    }

    /// Drawn evenly from `1..q`, or from `1..p` where no order is known.
    fn exponent(&self, random: &mut dyn Random) -> Result<Private, CryptoError> {
        let below = self.order.as_ref().unwrap_or(&self.prime);
        let bits = usize::try_from(below.num_bits()).unwrap_or_default();
        let mut bytes = Zeroizing::new(vec![0; bits.div_ceil(8)]);
        let spare = bytes.len().saturating_mul(8).saturating_sub(bits);
        let mask = 0xFF_u8.checked_shr(u32::try_from(spare).unwrap_or_default()).unwrap_or(0);
        for _ in 0..128 {
            random.fill(&mut bytes)?;
            if let Some(first) = bytes.first_mut() {
                *first &= mask;
            }
            let mut x = Private(BigNum::from_slice(&bytes)?);
            if x.0.num_bits() > 0 && x.0.ucmp(below).is_lt() {
                x.0.set_const_time();
                return Ok(x);
            }
        }
        Err(CryptoError::Random(RandomError::Exhausted))
    }

    fn power(&self, base: &BigNumRef, exponent: &BigNumRef) -> Result<Private, CryptoError> {
        let mut out = Private(BigNum::new()?);
        out.0.mod_exp(base, exponent, &self.prime, &mut *BigNumContext::new()?)?;
        Ok(out)
    }
}
