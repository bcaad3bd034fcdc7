//! Diffie-Hellman in subgroups of prime order: the standardized groups, those that a signed key
//! writes out, key pairs and agreement (ICAO 9303-11 §9.5.1, table 12, and §9.6; RFC 5114 §2;
//! PKCS #3).
//!
//! Every public value from outside is checked to be an element of the subgroup other than one
//! (RFC 2631 §2.1.5): a value of small order would give the private exponent away.

use openssl::{
    bn::{BigNum, BigNumContext, BigNumRef},
    dh::Dh,
    pkey::Params,
};

use super::{CryptoError, Secret, field::Field, scalar::Scalar};
use crate::random::Random;

/// A group of RFC 5114 §2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Modp {
    /// 1024 bits with a subgroup of 160, parameter id 0.
    Modp1024With160,
    /// 2048 bits with a subgroup of 224, parameter id 1.
    Modp2048With224,
    /// 2048 bits with a subgroup of 256, parameter id 2.
    Modp2048With256,
}

/// Group, parameter id, name.
const GROUPS: [(Modp, u32, &str); 3] = [
    (Modp::Modp1024With160, 0, "modp-1024-160"),
    (Modp::Modp2048With224, 1, "modp-2048-224"),
    (Modp::Modp2048With256, 2, "modp-2048-256"),
];

impl Modp {
    /// All groups, by parameter id.
    pub fn all() -> impl Iterator<Item = Self> {
        GROUPS.into_iter().map(|row| row.0)
    }

    /// The group with a standardized parameter id (ICAO 9303-11 §9.5.1, table 12).
    #[must_use]
    pub fn from_parameter_id(id: u32) -> Option<Self> {
        GROUPS.into_iter().find(|row| row.1 == id).map(|row| row.0)
    }

    /// Name as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        GROUPS.into_iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    fn parameters(self) -> Result<Dh<Params>, CryptoError> {
        Ok(match self {
            Self::Modp1024With160 => Dh::get_1024_160()?,
            Self::Modp2048With224 => Dh::get_2048_224()?,
            Self::Modp2048With256 => Dh::get_2048_256()?,
        })
    }
}

/// A subgroup with the generator that keys are made on: the group's own, or one mapped by PACE.
pub struct Domain {
    prime: BigNum,
    /// Of the subgroup. Keys in the form of PKCS #3 do not name it.
    order: Option<BigNum>,
    generator: BigNum,
}

/// Moduli that are written out are taken from here up to there, in bits.
const SHORTEST: i32 = 1024;
const LONGEST: i32 = 8192;
/// The least bits of a subgroup's order.
const LEAST_ORDER: i32 = 160;

/// A public value that was checked to lie in the subgroup and not to be one.
pub struct PublicValue(BigNum);

/// An ephemeral key pair on a [`Domain`]; the exponent is cleared when dropped.
pub struct KeyPair {
    scalar: Scalar,
    public: BigNum,
}

impl Domain {
    /// The group with its own generator.
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL is built without Diffie-Hellman.
    pub fn new(group: Modp) -> Result<Self, CryptoError> {
        let parameters = group.parameters()?;
        Ok(Self {
            prime: parameters.prime_p().to_owned()?,
            order: Some(parameters.prime_q().ok_or(CryptoError::Unsupported)?.to_owned()?),
            generator: parameters.generator().to_owned()?,
        })
    }

    /// A group that is written out in big-endian bytes: its own generator and, where it is named,
    /// the order of the subgroup. One of the standardized groups has its order in any case.
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] for a modulus too short or too long; [`CryptoError::Point`] for
    /// numbers that are no group.
    pub fn explicit(
        prime: &[u8],
        generator: &[u8],
        order: Option<&[u8]>,
    ) -> Result<Self, CryptoError> {
        let order = order.map(BigNum::from_slice).transpose()?;
        let (prime, generator) = (BigNum::from_slice(prime)?, BigNum::from_slice(generator)?);
        if !(SHORTEST..=LONGEST).contains(&prime.num_bits()) {
            return Err(CryptoError::Unsupported);
        }
        let order_fits = order
            .as_ref()
            .is_none_or(|order| order.num_bits() >= LEAST_ORDER && order.ucmp(&prime).is_lt());
        if !prime.is_bit_set(0) || !order_fits {
            return Err(CryptoError::Point);
        }
        let mut domain = Self { prime, order, generator };
        domain.checked(domain.generator.to_owned()?)?;
        if let Some(group) = domain.standardized()? {
            domain = Self::new(group)?;
        }
        Ok(domain)
    }

    /// Which of the standardized groups this is, with its own generator.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn standardized(&self) -> Result<Option<Modp>, CryptoError> {
        for group in Modp::all() {
            let known = group.parameters()?;
            if *known.prime_p() == *self.prime && *known.generator() == *self.generator {
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    /// The prime of the field.
    #[must_use]
    pub fn prime(&self) -> &BigNumRef {
        &self.prime
    }

    /// Bytes of the prime, which is the length of a shared secret.
    #[must_use]
    pub fn length(&self) -> usize {
        usize::try_from(self.prime.num_bytes()).unwrap_or_default()
    }

    /// A public value of big-endian bytes (ICAO 9303-11 §9.4.1), with leading zeros or without.
    ///
    /// # Errors
    /// [`CryptoError::Point`] for a value that is no element of the subgroup, or is one.
    pub fn decode(&self, bytes: &[u8]) -> Result<PublicValue, CryptoError> {
        if bytes.is_empty() || bytes.len() > self.length() {
            return Err(CryptoError::Point);
        }
        self.checked(BigNum::from_slice(bytes)?).map(PublicValue)
    }

    /// The least bytes of a key pair's public value (ICAO 9303-11 §9.4.3).
    #[must_use]
    pub fn encode(&self, pair: &KeyPair) -> Vec<u8> {
        pair.public.to_vec()
    }

    /// A fresh private exponent, drawn evenly from `1..order`, or below the prime where no order is
    /// known.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if the source fails or keeps yielding numbers out of range.
    pub fn scalar(&self, random: &mut dyn Random) -> Result<Scalar, CryptoError> {
        Scalar::draw(self.order.as_ref().unwrap_or(&self.prime), random)
    }

    /// The key pair of an exponent on this generator.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn key_pair(&self, scalar: Scalar) -> Result<KeyPair, CryptoError> {
        let public = self.power(&self.generator, scalar.number())?;
        Ok(KeyPair { public: public.number().to_owned()?, scalar })
    }

    /// `peer ^ scalar mod p` in as many bytes as the prime has (PKCS #3 §8).
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn agree(&self, pair: &KeyPair, peer: &PublicValue) -> Result<Secret, CryptoError> {
        let shared = self.power(&peer.0, pair.scalar.number())?;
        let length = i32::try_from(self.length()).unwrap_or_default();
        Ok(Secret::new(shared.number().to_vec_padded(length)?))
    }

    /// The generic mapping: the same group with generator `g ^ s · peer ^ scalar`
    /// (ICAO 9303-11 §4.4.3.3.1).
    ///
    /// # Errors
    /// [`CryptoError::Point`] if a factor or the product is one.
    pub fn map(self, s: &Secret, pair: &KeyPair, peer: &PublicValue) -> Result<Self, CryptoError> {
        let h = self.power(&peer.0, pair.scalar.number())?;
        let nonce = Scalar::from_slice(s.expose())?;
        let gs = self.power(&self.generator, nonce.number())?;
        self.checked(gs.number().to_owned()?)?;
        let product = Field::new(&self.prime)?.multiply(&gs, &h)?;
        self.with_generator(&product)
    }

    /// The integrated mapping: the same group with generator `element ^ ((p - 1) / q)`
    /// (ICAO 9303-11 §4.4.3.3.2).
    ///
    /// # Errors
    /// [`CryptoError::Point`] if that is one or zero.
    pub fn map_integrated(self, element: &Scalar) -> Result<Self, CryptoError> {
        let mut context = BigNumContext::new()?;
        let mut below = self.prime.to_owned()?;
        below.sub_word(1)?;
        let mut cofactor = BigNum::new()?;
        let order = self.order.as_ref().ok_or(CryptoError::Unsupported)?;
        cofactor.checked_div(&below, order, &mut context)?;
        let generator = self.power(element.number(), &cofactor)?;
        self.with_generator(&generator)
    }

    /// Whether the peer sent the pair's own public value back.
    #[must_use]
    pub fn same(&self, pair: &KeyPair, peer: &PublicValue) -> bool {
        pair.public == peer.0
    }

    /// The generator, in the least bytes.
    #[must_use]
    pub fn generator(&self) -> Vec<u8> {
        self.generator.to_vec()
    }

    fn with_generator(self, generator: &Scalar) -> Result<Self, CryptoError> {
        let generator = self.checked(generator.number().to_owned()?)?;
        Ok(Self { generator, ..self })
    }

    fn power(&self, base: &BigNumRef, exponent: &BigNumRef) -> Result<Scalar, CryptoError> {
        Field::new(&self.prime)?.power(base, exponent)
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
            Some(order) if *self.power(&value, order)?.number() != *one => Err(CryptoError::Point),
            _ => Ok(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn pair(domain: &Domain) -> KeyPair {
        domain.key_pair(domain.scalar(&mut SystemRandom).unwrap()).unwrap()
    }

    #[test]
    fn both_sides_agree_in_every_group() {
        for group in Modp::all() {
            let domain = Domain::new(group).unwrap();
            let (ours, theirs) = (pair(&domain), pair(&domain));
            let send = |pair| domain.decode(&domain.encode(pair)).unwrap();
            let one = domain.agree(&ours, &send(&theirs)).unwrap();
            let other = domain.agree(&theirs, &send(&ours)).unwrap();
            assert_eq!(one.expose(), other.expose(), "{}", group.name());
            assert_eq!(one.expose().len(), domain.length(), "{}", group.name());
            assert!(domain.same(&ours, &send(&ours)));
            assert!(!domain.same(&ours, &send(&theirs)));
        }
    }

    #[test]
    fn values_outside_the_subgroup_are_refused() {
        for group in Modp::all() {
            let domain = Domain::new(group).unwrap();
            let prime = domain.prime.to_vec();
            let mut below = prime.clone();
            *below.last_mut().unwrap() -= 1;
            let mut odd = domain.encode(&pair(&domain));
            *odd.last_mut().unwrap() ^= 1;
            let long = [vec![0], vec![2; prime.len()]].concat();
            for bytes in [vec![], vec![0], vec![1], vec![2], below, prime, odd, long] {
                assert!(matches!(domain.decode(&bytes), Err(CryptoError::Point)));
            }
        }
    }

    #[test]
    fn leading_zeros_do_not_count() {
        let domain = Domain::new(Modp::Modp1024With160).unwrap();
        let mut domain = Domain { generator: BigNum::from_u32(1).unwrap(), ..domain };
        // A value of fewer bytes than the prime: 2 ^ cofactor lies in the subgroup.
        domain = domain.map_integrated(&Scalar::from_slice(&[2]).unwrap()).unwrap();
        let ours = pair(&domain);
        let mut padded = vec![0; domain.length() - domain.encode(&ours).len()];
        padded.extend(domain.encode(&ours));
        assert!(domain.same(&ours, &domain.decode(&padded).unwrap()));
    }
}
