//! Elliptic curves: the standardized domain parameters, key pairs and agreement
//! (ICAO 9303-11 §9.5.1, table 11; TR-03111 §4.3).
//!
//! Every point from outside is checked to lie on the curve and not at infinity; all curves here
//! have cofactor 1, so that it then has the right order.

use std::sync::OnceLock;

use openssl::{
    bn::{BigNum, BigNumContext, BigNumContextRef, BigNumRef},
    ec::{EcGroup, EcGroupRef, EcPoint, EcPointRef, PointConversionForm},
    nid::Nid,
};

pub use super::scalar::Scalar;
use super::{CryptoError, Secret, field::Field};
use crate::{
    der::{Id, Oid},
    random::Random,
};

/// A curve of the standardized domain parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// Parameter id 8.
    NistP192,
    /// Parameter id 9.
    BrainpoolP192r1,
    /// Parameter id 10.
    NistP224,
    /// Parameter id 11.
    BrainpoolP224r1,
    /// Parameter id 12.
    NistP256,
    /// Parameter id 13.
    BrainpoolP256r1,
    /// Parameter id 14.
    BrainpoolP320r1,
    /// Parameter id 15.
    NistP384,
    /// Parameter id 16.
    BrainpoolP384r1,
    /// Parameter id 17.
    BrainpoolP512r1,
    /// Parameter id 18.
    NistP521,
}

/// Curve, parameter id, name, OpenSSL's identifier, object identifier.
static CURVES: [(Curve, u32, &str, Nid, Id); 11] = [
    (Curve::NistP192, 8, "secp192r1", Nid::X9_62_PRIME192V1, Id::new("1.2.840.10045.3.1.1")),
    (
        Curve::BrainpoolP192r1,
        9,
        "brainpoolP192r1",
        Nid::BRAINPOOL_P192R1,
        Id::new("1.3.36.3.3.2.8.1.1.3"),
    ),
    (Curve::NistP224, 10, "secp224r1", Nid::SECP224R1, Id::new("1.3.132.0.33")),
    (
        Curve::BrainpoolP224r1,
        11,
        "brainpoolP224r1",
        Nid::BRAINPOOL_P224R1,
        Id::new("1.3.36.3.3.2.8.1.1.5"),
    ),
    (Curve::NistP256, 12, "secp256r1", Nid::X9_62_PRIME256V1, Id::new("1.2.840.10045.3.1.7")),
    (
        Curve::BrainpoolP256r1,
        13,
        "brainpoolP256r1",
        Nid::BRAINPOOL_P256R1,
        Id::new("1.3.36.3.3.2.8.1.1.7"),
    ),
    (
        Curve::BrainpoolP320r1,
        14,
        "brainpoolP320r1",
        Nid::BRAINPOOL_P320R1,
        Id::new("1.3.36.3.3.2.8.1.1.9"),
    ),
    (Curve::NistP384, 15, "secp384r1", Nid::SECP384R1, Id::new("1.3.132.0.34")),
    (
        Curve::BrainpoolP384r1,
        16,
        "brainpoolP384r1",
        Nid::BRAINPOOL_P384R1,
        Id::new("1.3.36.3.3.2.8.1.1.11"),
    ),
    (
        Curve::BrainpoolP512r1,
        17,
        "brainpoolP512r1",
        Nid::BRAINPOOL_P512R1,
        Id::new("1.3.36.3.3.2.8.1.1.13"),
    ),
    (Curve::NistP521, 18, "secp521r1", Nid::SECP521R1, Id::new("1.3.132.0.35")),
];

impl Curve {
    /// All curves, by parameter id.
    pub fn all() -> impl Iterator<Item = Self> {
        CURVES.iter().map(|row| row.0)
    }

    /// The curve with a standardized parameter id (ICAO 9303-11 §9.5.1, table 11).
    #[must_use]
    pub fn from_parameter_id(id: u32) -> Option<Self> {
        CURVES.iter().find(|row| row.1 == id).map(|row| row.0)
    }

    /// The curve that `oid` names.
    #[must_use]
    pub fn from_oid(oid: &Oid) -> Option<Self> {
        CURVES.iter().find(|row| oid.is(row.4)).map(|row| row.0)
    }

    /// Name as reports show it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.2)
    }

    /// OpenSSL's group of the curve.
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL is built without it.
    pub fn group(self) -> Result<EcGroup, CryptoError> {
        let row = self.row().ok_or(CryptoError::Unsupported)?;
        Ok(EcGroup::from_curve_name(row.3)?)
    }

    /// OpenSSL's group of the curve, made once: for those who only read it.
    pub(crate) fn shared_group(self) -> Result<&'static EcGroupRef, CryptoError> {
        static GROUPS: [OnceLock<EcGroup>; CURVES.len()] =
            [const { OnceLock::new() }; CURVES.len()];
        let place = CURVES.iter().position(|row| row.0 == self);
        let slot = place.and_then(|i| GROUPS.get(i)).ok_or(CryptoError::Unsupported)?;
        match slot.get() {
            Some(group) => Ok(group),
            None => {
                let group = self.group()?;
                Ok(slot.get_or_init(|| group))
            }
        }
    }

    fn row(self) -> Option<&'static (Self, u32, &'static str, Nid, Id)> {
        CURVES.iter().find(|row| row.0 == self)
    }
}

/// A group with the generator that keys are made on: the curve's own, or one mapped by PACE.
pub struct Domain {
    group: EcGroup,
    generator: EcPoint,
}

/// A point that was checked to lie on the curve and not at infinity.
pub struct PublicPoint(EcPoint);

/// An ephemeral key pair on a [`Domain`]; the scalar is cleared when dropped.
pub struct KeyPair {
    scalar: Scalar,
    public: EcPoint,
}

impl Domain {
    /// The curve with its own generator.
    ///
    /// # Errors
    /// [`CryptoError::Library`] if OpenSSL is built without the curve.
    pub fn new(curve: Curve) -> Result<Self, CryptoError> {
        let group = curve.group()?;
        let generator = group.generator_opt().ok_or(CryptoError::Unsupported)?.to_owned(&group)?;
        Ok(Self { group, generator })
    }

    /// Bytes of a coordinate.
    #[must_use]
    pub fn coordinate_length(&self) -> usize {
        usize::try_from(self.group.degree()).unwrap_or_default().div_ceil(8)
    }

    /// A point of `04 ‖ x ‖ y` (TR-03111 §3.2.1).
    ///
    /// # Errors
    /// [`CryptoError::Point`] for any other form, a point off the curve, or infinity.
    pub fn decode(&self, bytes: &[u8]) -> Result<PublicPoint, CryptoError> {
        let whole = self.coordinate_length().saturating_mul(2).saturating_add(1);
        if bytes.first() != Some(&4) || bytes.len() != whole {
            return Err(CryptoError::Point);
        }
        let mut context = BigNumContext::new()?;
        let point = EcPoint::from_bytes(&self.group, bytes, &mut context)
            .map_err(|_| CryptoError::Point)?;
        self.checked(point, &mut context).map(PublicPoint)
    }

    /// `04 ‖ x ‖ y` of a key pair's public point.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn encode(&self, pair: &KeyPair) -> Result<Vec<u8>, CryptoError> {
        self.encode_point(&pair.public)
    }

    /// A fresh scalar, drawn evenly from `1..order` by rejection.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if the source fails or keeps yielding scalars out of range.
    pub fn scalar(&self, random: &mut dyn Random) -> Result<Scalar, CryptoError> {
        let mut order = BigNum::new()?;
        self.group.order(&mut order, &mut *BigNumContext::new()?)?;
        Scalar::draw(&order, random)
    }

    /// The key pair of a scalar on this generator.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn key_pair(&self, scalar: Scalar) -> Result<KeyPair, CryptoError> {
        let public =
            self.multiply(&self.generator, scalar.number(), &mut *BigNumContext::new()?)?;
        Ok(KeyPair { scalar, public })
    }

    /// The x-coordinate of `scalar · peer` (TR-03111 §4.3.1).
    ///
    /// # Errors
    /// [`CryptoError::Point`] if the product is at infinity.
    pub fn agree(&self, pair: &KeyPair, peer: &PublicPoint) -> Result<Secret, CryptoError> {
        let mut context = BigNumContext::new()?;
        let product = self.multiply(&peer.0, pair.scalar.number(), &mut context)?;
        let product = self.checked(product, &mut context)?;
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        product.affine_coordinates(&self.group, &mut x, &mut y, &mut context)?;
        let length = i32::try_from(self.coordinate_length()).unwrap_or_default();
        let shared = x.to_vec_padded(length)?;
        x.clear();
        y.clear();
        Ok(Secret::new(shared))
    }

    /// The generic mapping: the same group with generator `s · G + scalar · peer`
    /// (ICAO 9303-11 §4.4.3.3.1; TR-03110-3 §A.3.4.1).
    ///
    /// # Errors
    /// [`CryptoError::Point`] if a part or the sum is at infinity.
    pub fn map(self, s: &Secret, pair: &KeyPair, peer: &PublicPoint) -> Result<Self, CryptoError> {
        let mut context = BigNumContext::new()?;
        let h = self.multiply(&peer.0, pair.scalar.number(), &mut context)?;
        let h = self.checked(h, &mut context)?;
        let nonce = Scalar::from_slice(s.expose())?;
        let sg = self.multiply(&self.generator, nonce.number(), &mut context)?;
        let sg = self.checked(sg, &mut context)?;
        let mut sum = EcPoint::new(&self.group)?;
        sum.add(&self.group, &sg, &h, &mut context)?;
        let generator = self.checked(sum, &mut context)?;
        Ok(Self { group: self.group, generator })
    }

    /// The integrated mapping: the same group with the generator that `element` of the field is
    /// encoded to (ICAO 9303-11 §4.4.3.3.2 and appendix B.2).
    ///
    /// # Errors
    /// [`CryptoError::Unsupported`] if the curve's prime is not 3 modulo 4 (P-224);
    /// [`CryptoError::Point`] for the few elements that have no encoding.
    pub fn map_integrated(self, element: &Scalar) -> Result<Self, CryptoError> {
        let (mut p, mut a, mut b) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
        let mut context = BigNumContext::new()?;
        self.group.components_gfp(&mut p, &mut a, &mut b, &mut context)?;
        if !(p.is_bit_set(0) && p.is_bit_set(1)) {
            return Err(CryptoError::Unsupported);
        }
        let (x, y) = encode_element(element, &p, &a.into(), &b.into())?;
        let mut point = EcPoint::new(&self.group)?;
        point
            .set_affine_coordinates_gfp(&self.group, x.number(), y.number(), &mut context)
            .map_err(|_| CryptoError::Point)?;
        let generator = self.checked(point, &mut context)?;
        Ok(Self { group: self.group, generator })
    }

    /// The prime of the field.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn prime(&self) -> Result<BigNum, CryptoError> {
        let (mut p, mut a, mut b) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
        self.group.components_gfp(&mut p, &mut a, &mut b, &mut *BigNumContext::new()?)?;
        Ok(p)
    }

    /// Whether `point = factor · base`, where a factor outside `1..order` or of another length
    /// than the order never is one.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn is_multiple(
        &self,
        point: &PublicPoint,
        factor: &Secret,
        base: &PublicPoint,
    ) -> Result<bool, CryptoError> {
        let mut context = BigNumContext::new()?;
        let mut order = BigNum::new()?;
        self.group.order(&mut order, &mut context)?;
        let length = usize::try_from(order.num_bytes()).unwrap_or_default();
        let scalar = Scalar::from_slice(factor.expose())?;
        if factor.expose().len() != length || !scalar.is_within(&order) {
            return Ok(false);
        }
        let product = self.multiply(&base.0, scalar.number(), &mut context)?;
        Ok(product.eq(&self.group, &point.0, &mut context)?)
    }

    /// Whether the peer sent the pair's own public point back.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn same(&self, pair: &KeyPair, peer: &PublicPoint) -> Result<bool, CryptoError> {
        Ok(pair.public.eq(&self.group, &peer.0, &mut *BigNumContext::new()?)?)
    }

    /// The generator as `04 ‖ x ‖ y`.
    ///
    /// # Errors
    /// [`CryptoError::Library`].
    pub fn generator(&self) -> Result<Vec<u8>, CryptoError> {
        self.encode_point(&self.generator)
    }

    fn encode_point(&self, point: &EcPointRef) -> Result<Vec<u8>, CryptoError> {
        let mut context = BigNumContext::new()?;
        Ok(point.to_bytes(&self.group, PointConversionForm::UNCOMPRESSED, &mut context)?)
    }

    fn multiply(
        &self,
        point: &EcPointRef,
        scalar: &BigNumRef,
        context: &mut BigNumContextRef,
    ) -> Result<EcPoint, CryptoError> {
        let mut product = EcPoint::new(&self.group)?;
        product.mul2(&self.group, point, scalar, context)?;
        Ok(product)
    }

    fn checked(
        &self,
        point: EcPoint,
        context: &mut BigNumContextRef,
    ) -> Result<EcPoint, CryptoError> {
        if point.is_infinity(&self.group) || !point.is_on_curve(&self.group, context)? {
            return Err(CryptoError::Point);
        }
        Ok(point)
    }
}

/// The point of `y² = x³ + ax + b` that `t` is encoded to (ICAO 9303-11 appendix B.2): with
/// `α = -t²`, `x` is `x₂ = -b a⁻¹ (1 + (α + α²)⁻¹)` or `x₃ = α x₂`, whichever has a `y`; then
/// `A = h(x₂) ^ (p - 1 - (p + 1) / 4)` is the inverse of its root.
fn encode_element(
    t: &Scalar,
    p: &BigNumRef,
    a: &Scalar,
    b: &Scalar,
) -> Result<(Scalar, Scalar), CryptoError> {
    let mut field = Field::new(p)?;
    let one = Scalar::from_slice(&[1])?;
    let t2 = field.square(t)?;
    let alpha = field.negate(&t2)?;
    let alpha2 = field.square(&alpha)?;
    let sum = field.add(&alpha, &alpha2)?;
    if sum.number().num_bits() == 0 {
        return Err(CryptoError::Point);
    }
    let denominator = field.multiply(a, &sum)?;
    let inverse = field.invert(&denominator)?;
    let numerator = field.add(&one, &sum)?;
    let quotient = field.multiply(&numerator, &inverse)?;
    let negative = field.multiply(b, &quotient)?;
    let x2 = field.negate(&negative)?;
    let h2 = curve_value(&mut field, &x2, a, b)?;
    let root = field.power(h2.number(), &*root_exponent(p)?)?;
    let square = field.square(&root)?;
    let test = field.multiply(&square, &h2)?;
    if *test.number() == *one.number() {
        let y = field.multiply(&root, &h2)?;
        return Ok((x2, y));
    }
    let x3 = field.multiply(&alpha, &x2)?;
    let t3 = field.multiply(&t2, t)?;
    let u = field.multiply(&t3, &h2)?;
    let y = field.multiply(&root, &u)?;
    Ok((x3, y))
}

/// `x³ + ax + b`.
fn curve_value(
    field: &mut Field<'_>,
    x: &Scalar,
    a: &Scalar,
    b: &Scalar,
) -> Result<Scalar, CryptoError> {
    let x2 = field.square(x)?;
    let x3 = field.multiply(&x2, x)?;
    let ax = field.multiply(a, x)?;
    let sum = field.add(&x3, &ax)?;
    field.add(&sum, b)
}

/// `p - 1 - (p + 1) / 4`.
fn root_exponent(p: &BigNumRef) -> Result<BigNum, CryptoError> {
    let mut above = p.to_owned()?;
    above.add_word(1)?;
    let mut quarter = BigNum::new()?;
    quarter.rshift(&above, 2)?;
    let mut below = p.to_owned()?;
    below.sub_word(1)?;
    let mut exponent = BigNum::new()?;
    exponent.checked_sub(&below, &quarter)?;
    Ok(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn pair(domain: &Domain) -> KeyPair {
        domain.key_pair(domain.scalar(&mut SystemRandom).unwrap()).unwrap()
    }

    #[test]
    fn both_sides_agree_on_every_curve() {
        for curve in Curve::all() {
            let domain = Domain::new(curve).unwrap();
            let (ours, theirs) = (pair(&domain), pair(&domain));
            let send = |pair| domain.decode(&domain.encode(pair).unwrap()).unwrap();
            let one = domain.agree(&ours, &send(&theirs)).unwrap();
            let other = domain.agree(&theirs, &send(&ours)).unwrap();
            assert_eq!(one.expose(), other.expose(), "{}", curve.name());
            assert_eq!(one.expose().len(), domain.coordinate_length(), "{}", curve.name());
            assert!(domain.same(&ours, &send(&ours)).unwrap());
            assert!(!domain.same(&ours, &send(&theirs)).unwrap());
        }
    }

    #[test]
    fn field_elements_are_encoded_on_every_curve_but_p224() {
        for curve in Curve::all() {
            for element in 2..40_u8 {
                let mapped = Domain::new(curve)
                    .and_then(|d| d.map_integrated(&Scalar::from_slice(&[element]).unwrap()));
                match mapped {
                    Ok(domain) => drop(domain.decode(&domain.generator().unwrap()).unwrap()),
                    Err(error) => {
                        assert_eq!(curve, Curve::NistP224);
                        assert!(matches!(error, CryptoError::Unsupported));
                    }
                }
            }
        }
    }

    #[test]
    fn elements_without_an_encoding_are_refused() {
        for element in [0_u8, 1] {
            let domain = Domain::new(Curve::NistP256).unwrap();
            let result = domain.map_integrated(&Scalar::from_slice(&[element]).unwrap());
            assert!(matches!(result.map(drop), Err(CryptoError::Point)));
        }
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        let domain = Domain::new(Curve::BrainpoolP256r1).unwrap();
        let good = domain.encode(&pair(&domain)).unwrap();
        let mut off = good.clone();
        off[64] ^= 1;
        let mut compressed = good[..33].to_vec();
        compressed[0] = 2;
        let nist = Domain::new(Curve::NistP256).unwrap();
        let elsewhere = nist.encode(&pair(&nist)).unwrap();
        for bytes in [vec![], vec![0], off, compressed, good[..64].to_vec(), vec![4; 65], elsewhere]
        {
            assert!(matches!(domain.decode(&bytes), Err(CryptoError::Point)));
        }
    }
}
