//! Public keys of documents and chips: RSA, ECDSA and DSA (ICAO 9303-12 §4.4; RFC 8017;
//! TR-03111 §4.2; FIPS 186-4 §4).
//!
//! Keys and signatures come from outside. Curve parameters written out in full are accepted only
//! if they equal a known curve in field, coefficients, generator, order and cofactor: OpenSSL
//! never parses them (CVE-2020-0601, CVE-2022-0778).

use std::sync::LazyLock;

use openssl::{
    bn::{BigNum, BigNumContext, BigNumRef},
    dsa::{Dsa, DsaRef},
    ec::{EcGroupRef, EcKey, EcPoint},
    ecdsa::EcdsaSig,
    pkey::{PKey, Public},
    rsa::{Padding, Rsa},
    sign::Verifier,
};

pub use super::signature::{Pss, SignatureAlgorithm};
use super::{
    CryptoError, Hash,
    ec::Curve,
    pss,
    signature::{DSA, EC_PUBLIC_KEY, RSA, RSA_PSS},
};
use crate::{
    der::{self, Algorithm, INTEGER, Id, OBJECT_ID, OCTET_STRING, Oid, SEQUENCE},
    tlv::{self, Reader, TlvError},
};

/// A public key that can verify signatures.
pub enum PublicKey {
    /// RSA.
    Rsa(Rsa<Public>),
    /// A point of a known curve.
    Ec {
        /// The curve.
        curve: Curve,
        /// `04 ‖ x ‖ y` or a compressed form, as in the key.
        point: Vec<u8>,
    },
    /// DSA.
    Dsa(DsaKey),
}

/// A DSA key, and the same as OpenSSL's provider has it: that takes as long as a signature does, so
/// it is made once.
pub struct DsaKey {
    key: Dsa<Public>,
    opened: PKey<Public>,
}

impl DsaKey {
    fn new(key: Dsa<Public>) -> Result<Self, CryptoError> {
        Ok(Self { opened: PKey::from_dsa(key.clone())?, key })
    }
}

impl std::ops::Deref for DsaKey {
    type Target = DsaRef<Public>;

    fn deref(&self) -> &DsaRef<Public> {
        &self.key
    }
}

/// Why bytes are no usable key, or a signature could not be tried.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    /// Not a SubjectPublicKeyInfo.
    #[error("malformed public key")]
    Malformed(#[from] TlvError),
    /// A key type, curve or signature algorithm that is not known.
    #[error("the key or signature algorithm is not supported: {oid}")]
    Unsupported {
        /// What was asked for.
        oid: Oid,
    },
    /// Explicit curve parameters that are not exactly those of a known curve.
    #[error("the curve is none of the known ones")]
    Curve,
    /// A modulus so long that a signature takes too long to try.
    #[error("a key of {bits} bits is longer than any in use")]
    Long {
        /// Its length.
        bits: i32,
    },
    /// OpenSSL refused the key.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<openssl::error::ErrorStack> for KeyError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        Self::Crypto(error.into())
    }
}

const EC_DH: Id = Id::new("1.3.132.1.12");
/// `standardizedDomainParameters` (TR-03110-3 §A.2.1.1).
const STANDARDIZED: Id = Id::new("0.4.0.127.0.7.1.2");

/// The longest modulus in bits; real ones have up to 6144.
const LONGEST_MODULUS: i32 = 8192;
/// As much padding as an encoding under the longest modulus could have.
static FILLED: [u8; 1024] = [0xFF; 1024];
/// Shorter moduli have been factored, or soon will be.
const SHORTEST_MODULUS: i32 = 1024;

impl PublicKey {
    /// A key of a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`] for malformed bytes, other key types, or unknown curves.
    pub fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        let mut outer = Reader::new(spki).expect(SEQUENCE)?.reader();
        let algorithm = Algorithm::read(&mut outer)?;
        let bits = der::whole_bytes(&mut outer)?;
        let is = |known: &Id| algorithm.oid.is(*known);
        match () {
            () if [RSA, RSA_PSS].iter().any(is) => Self::rsa(bits),
            () if [EC_PUBLIC_KEY, EC_DH, STANDARDIZED].iter().any(is) => {
                Ok(Self::Ec { curve: curve(&algorithm.parameters)?, point: bits.to_vec() })
            }
            () if is(&DSA) => Self::dsa(&algorithm.parameters, bits),
            () => Err(KeyError::Unsupported { oid: algorithm.oid }),
        }
    }

    fn rsa(bits: &[u8]) -> Result<Self, KeyError> {
        let mut inner = Reader::new(bits).expect(SEQUENCE)?.reader();
        let modulus = modulus(&mut inner)?;
        let exponent = BigNum::from_slice(inner.expect(INTEGER)?.value)?;
        Ok(Self::Rsa(Rsa::from_public_components(modulus, exponent)?))
    }

    /// `Dss-Parms ::= SEQUENCE { p, q, g }` and an INTEGER (RFC 3279 §2.3.2). Parameters that are
    /// left to be inherited are not supported.
    fn dsa(parameters: &[u8], bits: &[u8]) -> Result<Self, KeyError> {
        let mut fields = Reader::new(parameters).expect(SEQUENCE)?.reader();
        let p = modulus(&mut fields)?;
        let q = BigNum::from_slice(fields.expect(INTEGER)?.value)?;
        let g = BigNum::from_slice(fields.expect(INTEGER)?.value)?;
        let y = BigNum::from_slice(tlv::single(bits, INTEGER)?.value)?;
        let one = BigNum::from_u32(1)?;
        // The neutral element, or no element at all, would verify what nobody signed.
        if !(g > one && g < p && y > one && y < p && q > one && q < p) {
            return Err(CryptoError::Point.into());
        }
        Ok(Self::Dsa(DsaKey::new(Dsa::from_public_components(p, q, g, y)?)?))
    }

    /// Kind and size, such as `RSA-3072` or `EC brainpoolP256r1`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Rsa(key) => format!("RSA-{}", key.n().num_bits()),
            Self::Ec { curve, .. } => format!("EC {}", curve.name()),
            Self::Dsa(key) => format!("DSA-{}", key.p().num_bits()),
        }
    }

    /// Whether a signature under it proves nothing: the key is too short, or its exponent one that
    /// anybody can invert.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        match self {
            Self::Rsa(key) => {
                let odd = key.e().is_bit_set(0) && key.n().is_bit_set(0);
                !odd || key.e().num_bits() < 2 || key.n().num_bits() < SHORTEST_MODULUS
            }
            Self::Dsa(key) => key.p().num_bits() < SHORTEST_MODULUS,
            Self::Ec { .. } => false,
        }
    }

    /// Bytes that equal keys have alike, however their algorithms and curves are written.
    #[must_use]
    pub(crate) fn identity(&self) -> Vec<u8> {
        let numbers = |kind: u8, parts: &[&BigNumRef]| {
            let parts = parts.iter().map(|part| tlv::encode(INTEGER, &part.to_vec()));
            std::iter::once(vec![kind]).chain(parts).flatten().collect()
        };
        match self {
            Self::Rsa(key) => numbers(1, &[key.n(), key.e()]),
            Self::Dsa(key) => numbers(2, &[key.p(), key.q(), key.g(), key.pub_key()]),
            Self::Ec { curve, point } => [curve.name().as_bytes(), point].concat(),
        }
    }

    /// Whether it is the same key, however its algorithm and curve are written.
    #[must_use]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rsa(one), Self::Rsa(two)) => one.n() == two.n() && one.e() == two.e(),
            (Self::Dsa(one), Self::Dsa(two)) => {
                one.p() == two.p()
                    && one.q() == two.q()
                    && one.g() == two.g()
                    && one.pub_key() == two.pub_key()
            }
            (Self::Ec { curve, point }, Self::Ec { curve: other, point: others }) => {
                curve == other && point == others
            }
            _ => false,
        }
    }

    /// Whether signatures of the algorithm are made with keys of this kind.
    #[must_use]
    pub fn fits(&self, algorithm: &SignatureAlgorithm) -> bool {
        use SignatureAlgorithm as A;
        match self {
            Self::Rsa(_) => matches!(algorithm, A::RsaPkcs1(_) | A::RsaPss(_)),
            Self::Ec { .. } => matches!(algorithm, A::Ecdsa(_) | A::EcdsaPlain(_)),
            Self::Dsa(_) => matches!(algorithm, A::Dsa(_)),
        }
    }

    /// Whether `signature` over `message` verifies. A signature of the wrong form, or of another
    /// key type, is simply wrong.
    ///
    /// # Errors
    /// [`KeyError`] if the key itself cannot be used.
    pub fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, KeyError> {
        match (self, algorithm) {
            (Self::Rsa(key), SignatureAlgorithm::RsaPkcs1(hash)) => {
                verify_pkcs1(key, *hash, message, signature)
            }
            (Self::Rsa(key), SignatureAlgorithm::RsaPss(pss)) => {
                pss::verify(key, pss, message, signature)
            }
            (Self::Ec { .. }, SignatureAlgorithm::Ecdsa(hash)) => {
                match EcdsaSig::from_der(signature) {
                    Ok(parsed) => self.verify_ecdsa(&hash.digest(message)?, &parsed),
                    Err(_) => Ok(false),
                }
            }
            (Self::Ec { curve, .. }, SignatureAlgorithm::EcdsaPlain(hash)) => {
                match plain(*curve, signature)? {
                    Some(parsed) => self.verify_ecdsa(&hash.digest(message)?, &parsed),
                    None => Ok(false),
                }
            }
            (Self::Dsa(key), SignatureAlgorithm::Dsa(hash)) => {
                let mut verifier = Verifier::new(hash.openssl(), &key.opened)?;
                Ok(verifier.verify_oneshot(signature, message).unwrap_or(false))
            }
            _ => Ok(false),
        }
    }

    /// Whether an ECDSA signature over a digest verifies; false for an RSA key.
    ///
    /// # Errors
    /// [`KeyError`] if the key is no point of its curve.
    pub fn verify_ecdsa(&self, digest: &[u8], signature: &EcdsaSig) -> Result<bool, KeyError> {
        let Self::Ec { curve, point } = self else { return Ok(false) };
        let group = curve.shared_group()?;
        let mut context = BigNumContext::new()?;
        // On the curve, or an error; and with cofactor 1 then of the right order.
        let point = EcPoint::from_bytes(group, point, &mut context)?;
        if point.is_infinity(group) {
            return Err(CryptoError::Point.into());
        }
        let key = EcKey::from_public_key(group, &point)?;
        Ok(signature.verify(digest, &key).unwrap_or(false))
    }
}

/// A modulus of RSA or DSA.
fn modulus(fields: &mut Reader<'_>) -> Result<BigNum, KeyError> {
    let number = BigNum::from_slice(fields.expect(INTEGER)?.value)?;
    match number.num_bits() {
        bits if bits > LONGEST_MODULUS => Err(KeyError::Long { bits }),
        _ => Ok(number),
    }
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §8.2.2, §9.2): every byte of the encoding is compared, so that nothing
/// can hide in it. The hash's identifier may lack its NULL, as RFC 8017 §9.2 notes and as some
/// issuers write it, which OpenSSL refuses.
fn verify_pkcs1(
    key: &Rsa<Public>,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> Result<bool, KeyError> {
    let Some(opened) = open(key, signature) else { return Ok(false) };
    let digest = hash.digest(message)?;
    Ok([true, false].into_iter().any(|null| {
        let padding = opened.strip_suffix(hash.digest_info(&digest, null).as_slice());
        matches!(padding, Some([0, 1, filled @ .., 0])
            if filled.len() >= 8 && FILLED.get(..filled.len()) == Some(filled))
    }))
}

/// The encoded message that a signature is made of, as long as the modulus, if it can be one
/// (RSAVP1, RFC 8017 §5.2.2).
pub(super) fn open(key: &Rsa<Public>, signature: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(key.size()).ok()?;
    if signature.len() != length {
        return None;
    }
    let mut opened = vec![0; length];
    key.public_decrypt(signature, &mut opened, Padding::NONE).ok()?;
    Some(opened)
}

/// `r ‖ s`, each as long as the order (TR-03111 §5.2.1.1); where it has another length, the DER
/// form that some signers use under the same identifier.
fn plain(curve: Curve, signature: &[u8]) -> Result<Option<EcdsaSig>, KeyError> {
    let bits = curve.shared_group()?.order_bits();
    let length = usize::try_from(bits).unwrap_or_default().div_ceil(8);
    if signature.len() != length.saturating_mul(2) {
        return Ok(EcdsaSig::from_der(signature).ok());
    }
    let (r, s) = signature.split_at_checked(length).unwrap_or_default();
    let (r, s) = (BigNum::from_slice(r)?, BigNum::from_slice(s)?);
    Ok(EcdsaSig::from_private_components(r, s).ok())
}

/// The curve of EC key parameters: a name, a standardized id, or all values written out.
fn curve(parameters: &[u8]) -> Result<Curve, KeyError> {
    let mut reader = Reader::new(parameters);
    if let Some(name) = reader.optional(OBJECT_ID)? {
        let oid = Oid::new(name.value);
        return Curve::from_oid(&oid).ok_or(KeyError::Unsupported { oid });
    }
    if let Some(id) = reader.optional(INTEGER)? {
        return der::unsigned(id.value).and_then(Curve::from_parameter_id).ok_or(KeyError::Curve);
    }
    let explicit = Explicit::read(&mut reader)?;
    known_curves()
        .iter()
        .find(|(_, known)| explicit.equals(known))
        .map(|(curve, _)| *curve)
        .ok_or(KeyError::Curve)
}

/// The parameters of every known curve, computed once.
fn known_curves() -> &'static [(Curve, Known)] {
    static KNOWN: LazyLock<Vec<(Curve, Known)>> = LazyLock::new(|| {
        // A curve that OpenSSL was built without is not known.
        Curve::all().filter_map(|c| Some((c, Known::of(c.shared_group().ok()?).ok()?))).collect()
    });
    &KNOWN
}

/// The parameters of a curve, without leading zeros.
struct Known {
    prime: Vec<u8>,
    a: Vec<u8>,
    b: Vec<u8>,
    order: Vec<u8>,
    x: Vec<u8>,
    y: Vec<u8>,
}

impl Known {
    fn of(group: &EcGroupRef) -> Result<Self, CryptoError> {
        let mut context = BigNumContext::new()?;
        let (mut p, mut a, mut b) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
        group.components_gfp(&mut p, &mut a, &mut b, &mut context)?;
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        let generator = group.generator_opt().ok_or(CryptoError::Unsupported)?;
        generator.affine_coordinates(group, &mut x, &mut y, &mut context)?;
        let mut order = BigNum::new()?;
        group.order(&mut order, &mut context)?;
        let [prime, a, b, order, x, y] = [p, a, b, order, x, y].map(|number| number.to_vec());
        Ok(Self { prime, a, b, order, x, y })
    }
}

/// `ECParameters` over a prime field, as unsigned bytes (RFC 3279 §2.3.5).
struct Explicit {
    prime: Vec<u8>,
    a: Vec<u8>,
    b: Vec<u8>,
    generator: Vec<u8>,
    order: Vec<u8>,
    cofactor: Option<u32>,
}

const PRIME_FIELD: Id = Id::new("1.2.840.10045.1.1");

impl Explicit {
    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyError> {
        let mut outer = reader.expect(SEQUENCE)?.reader();
        outer.expect(INTEGER)?;
        let mut field = outer.expect(SEQUENCE)?.reader();
        let oid = der::oid(&mut field)?;
        if !oid.is(PRIME_FIELD) {
            return Err(KeyError::Unsupported { oid });
        }
        let prime = field.expect(INTEGER)?.value.to_vec();
        let mut coefficients = outer.expect(SEQUENCE)?.reader();
        let a = coefficients.expect(OCTET_STRING)?.value.to_vec();
        let b = coefficients.expect(OCTET_STRING)?.value.to_vec();
        let generator = outer.expect(OCTET_STRING)?.value.to_vec();
        let order = outer.expect(INTEGER)?.value.to_vec();
        let cofactor = match outer.optional(INTEGER)? {
            Some(tlv) => Some(der::unsigned(tlv.value).ok_or(KeyError::Curve)?),
            None => None,
        };
        Ok(Self { prime, a, b, generator, order, cofactor })
    }

    fn equals(&self, known: &Known) -> bool {
        same(&self.prime, &known.prime)
            && same(&self.a, &known.a)
            && same(&self.b, &known.b)
            && same(&self.order, &known.order)
            && self.cofactor.is_none_or(|c| c == 1)
            && self.same_generator(known)
    }

    /// The generator, uncompressed or compressed.
    fn same_generator(&self, known: &Known) -> bool {
        let Some((form, rest)) = self.generator.split_first() else { return false };
        match form {
            4 => rest
                .split_at_checked(rest.len() / 2)
                .is_some_and(|(x, y)| x.len() == y.len() && same(x, &known.x) && same(y, &known.y)),
            2 | 3 => {
                let is_odd = known.y.last().is_some_and(|last| last & 1 == 1);
                same(rest, &known.x) && (*form == 3) == is_odd
            }
            _ => false,
        }
    }
}

/// Whether big-endian bytes, leading zeros aside, are the number.
fn same(bytes: &[u8], number: &[u8]) -> bool {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..) == Some(number)
}
