//! Public keys and signatures of documents and chips: RSA and ECDSA (ICAO 9303-12 §4.4;
//! RFC 8017; TR-03111 §4.2).
//!
//! Keys and signatures come from outside. Curve parameters written out in full are accepted only
//! if they equal a known curve in field, coefficients, generator, order and cofactor: OpenSSL
//! never parses them (CVE-2020-0601, CVE-2022-0778).

use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroupRef, EcKey, EcPoint},
    ecdsa::EcdsaSig,
    pkey::{PKey, Public},
    rsa::{Padding, Rsa},
    sign::{RsaPssSaltlen, Verifier},
};
use serde_json::{Value, json};

use super::{CryptoError, Hash, ec::Curve};
use crate::{
    der::{self, Algorithm, INTEGER, OBJECT_ID, OCTET_STRING, Oid, SEQUENCE},
    tlv::{self, Reader, Tag, TlvError},
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
    /// OpenSSL refused the key.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl From<openssl::error::ErrorStack> for KeyError {
    fn from(error: openssl::error::ErrorStack) -> Self {
        Self::Crypto(error.into())
    }
}

const RSA: &str = "1.2.840.113549.1.1.1";
const RSA_PSS: &str = "1.2.840.113549.1.1.10";
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
const EC_DH: &str = "1.3.132.1.12";
/// `standardizedDomainParameters` (TR-03110-3 §A.2.1.1).
const STANDARDIZED: &str = "0.4.0.127.0.7.1.2";
const MGF1: &str = "1.2.840.113549.1.1.8";

impl PublicKey {
    /// A key of a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).
    ///
    /// # Errors
    /// [`KeyError`] for malformed bytes, other key types, or unknown curves.
    pub fn parse(spki: &[u8]) -> Result<Self, KeyError> {
        let mut outer = Reader::new(spki).expect(SEQUENCE)?.reader();
        let algorithm = Algorithm::read(&mut outer)?;
        let bits = der::whole_bytes(&mut outer)?;
        match algorithm.oid.to_string().as_str() {
            RSA | RSA_PSS => Self::rsa(bits),
            EC_PUBLIC_KEY | EC_DH | STANDARDIZED => {
                Ok(Self::Ec { curve: curve(&algorithm.parameters)?, point: bits.to_vec() })
            }
            _ => Err(KeyError::Unsupported { oid: algorithm.oid }),
        }
    }

    fn rsa(bits: &[u8]) -> Result<Self, KeyError> {
        let mut inner = Reader::new(bits).expect(SEQUENCE)?.reader();
        let modulus = BigNum::from_slice(inner.expect(INTEGER)?.value)?;
        let exponent = BigNum::from_slice(inner.expect(INTEGER)?.value)?;
        Ok(Self::Rsa(Rsa::from_public_components(modulus, exponent)?))
    }

    /// Kind and size, such as `RSA-3072` or `EC brainpoolP256r1`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Rsa(key) => format!("RSA-{}", key.n().num_bits()),
            Self::Ec { curve, .. } => format!("EC {}", curve.name()),
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
                let key = PKey::from_rsa(key.clone())?;
                let mut verifier = Verifier::new(hash.openssl(), &key)?;
                verifier.set_rsa_padding(Padding::PKCS1)?;
                Ok(verifier.verify_oneshot(signature, message).unwrap_or(false))
            }
            (Self::Rsa(key), SignatureAlgorithm::RsaPss(pss)) => {
                let key = PKey::from_rsa(key.clone())?;
                let mut verifier = Verifier::new(pss.hash.openssl(), &key)?;
                verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
                verifier.set_rsa_mgf1_md(pss.mask.openssl())?;
                let salt = i32::try_from(pss.salt).map_err(|_| CryptoError::Unsupported)?;
                verifier.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt))?;
                Ok(verifier.verify_oneshot(signature, message).unwrap_or(false))
            }
            (Self::Ec { .. }, SignatureAlgorithm::Ecdsa(hash)) => {
                match EcdsaSig::from_der(signature) {
                    Ok(parsed) => self.verify_ecdsa(&hash.digest(message)?, &parsed),
                    Err(_) => Ok(false),
                }
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
        let group = curve.group()?;
        let mut context = BigNumContext::new()?;
        let point = EcPoint::from_bytes(&group, point, &mut context)?;
        let key = EcKey::from_public_key(&group, &point)?;
        key.check_key()?;
        Ok(signature.verify(digest, &key).unwrap_or(false))
    }
}

/// The curve of EC key parameters: a name, a standardized id, or all values written out.
fn curve(parameters: &[u8]) -> Result<Curve, KeyError> {
    let mut reader = Reader::new(parameters);
    if let Some(name) = reader.optional(OBJECT_ID)? {
        let oid = Oid::new(name.value);
        return Curve::from_oid(&oid.to_string()).ok_or(KeyError::Unsupported { oid });
    }
    if let Some(id) = reader.optional(INTEGER)? {
        return der::unsigned(id.value).and_then(Curve::from_parameter_id).ok_or(KeyError::Curve);
    }
    let explicit = Explicit::read(&mut reader)?;
    for candidate in Curve::all() {
        if explicit.equals(&*candidate.group()?)? {
            return Ok(candidate);
        }
    }
    Err(KeyError::Curve)
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

const PRIME_FIELD: &str = "1.2.840.10045.1.1";

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

    fn equals(&self, group: &EcGroupRef) -> Result<bool, CryptoError> {
        let mut context = BigNumContext::new()?;
        let (mut p, mut a, mut b) = (BigNum::new()?, BigNum::new()?, BigNum::new()?);
        group.components_gfp(&mut p, &mut a, &mut b, &mut context)?;
        let (mut x, mut y) = (BigNum::new()?, BigNum::new()?);
        let Some(generator) = group.generator_opt() else { return Ok(false) };
        generator.affine_coordinates(group, &mut x, &mut y, &mut context)?;
        let mut order = BigNum::new()?;
        group.order(&mut order, &mut context)?;
        Ok(same(&self.prime, &p)
            && same(&self.a, &a)
            && same(&self.b, &b)
            && same(&self.order, &order)
            && self.cofactor.is_none_or(|c| c == 1)
            && self.same_generator(&x, &y))
    }

    /// The generator, uncompressed or compressed.
    fn same_generator(&self, x: &BigNum, y: &BigNum) -> bool {
        let Some((form, rest)) = self.generator.split_first() else { return false };
        match form {
            4 => rest
                .split_at_checked(rest.len() / 2)
                .is_some_and(|(gx, gy)| gx.len() == gy.len() && same(gx, x) && same(gy, y)),
            2 | 3 => same(rest, x) && (*form == 3) == y.is_bit_set(0),
            _ => false,
        }
    }
}

/// Whether big-endian bytes, leading zeros aside, are the number.
fn same(bytes: &[u8], number: &BigNum) -> bool {
    let significant: Vec<u8> = bytes.iter().copied().skip_while(|b| *b == 0).collect();
    significant == number.to_vec()
}

/// A signature algorithm with its parameters, as a signature's own identifier gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS.
    RsaPss(Pss),
    /// ECDSA with a DER signature.
    Ecdsa(Hash),
}

/// RSASSA-PSS parameters (RFC 4055 §3.1), read and never assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pss {
    /// Hash of the message.
    pub hash: Hash,
    /// Hash of the mask generation function.
    pub mask: Hash,
    /// Salt length in bytes.
    pub salt: u32,
}

/// Identifiers that name scheme and hash together.
const SIGNATURES: [(&str, SignatureAlgorithm); 10] = [
    ("1.2.840.113549.1.1.5", SignatureAlgorithm::RsaPkcs1(Hash::Sha1)),
    ("1.2.840.113549.1.1.14", SignatureAlgorithm::RsaPkcs1(Hash::Sha224)),
    ("1.2.840.113549.1.1.11", SignatureAlgorithm::RsaPkcs1(Hash::Sha256)),
    ("1.2.840.113549.1.1.12", SignatureAlgorithm::RsaPkcs1(Hash::Sha384)),
    ("1.2.840.113549.1.1.13", SignatureAlgorithm::RsaPkcs1(Hash::Sha512)),
    ("1.2.840.10045.4.1", SignatureAlgorithm::Ecdsa(Hash::Sha1)),
    ("1.2.840.10045.4.3.1", SignatureAlgorithm::Ecdsa(Hash::Sha224)),
    ("1.2.840.10045.4.3.2", SignatureAlgorithm::Ecdsa(Hash::Sha256)),
    ("1.2.840.10045.4.3.3", SignatureAlgorithm::Ecdsa(Hash::Sha384)),
    ("1.2.840.10045.4.3.4", SignatureAlgorithm::Ecdsa(Hash::Sha512)),
];

impl SignatureAlgorithm {
    /// From an AlgorithmIdentifier. `digest` is the hash named beside it (CMS), which counts where
    /// the identifier names a key type only.
    pub(crate) fn new(algorithm: &Algorithm, digest: Option<Hash>) -> Result<Self, KeyError> {
        let dotted = algorithm.oid.to_string();
        let unsupported = || KeyError::Unsupported { oid: algorithm.oid.clone() };
        if dotted != RSA_PSS && !algorithm.is_bare() {
            return Err(unsupported());
        }
        match dotted.as_str() {
            RSA => digest.map(Self::RsaPkcs1).ok_or_else(unsupported),
            EC_PUBLIC_KEY => digest.map(Self::Ecdsa).ok_or_else(unsupported),
            RSA_PSS => Pss::read(&algorithm.parameters).map(Self::RsaPss),
            _ => SIGNATURES
                .iter()
                .find(|(oid, _)| *oid == dotted)
                .map(|(_, known)| known.clone())
                .ok_or_else(unsupported),
        }
    }

    /// The hash of the message.
    #[must_use]
    pub fn hash(&self) -> Hash {
        match self {
            Self::RsaPkcs1(hash) | Self::Ecdsa(hash) => *hash,
            Self::RsaPss(pss) => pss.hash,
        }
    }

    /// Scheme and hash as reports show them, such as `RSA-PSS SHA-256`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::RsaPkcs1(hash) => format!("RSA {}", hash.name()),
            Self::Ecdsa(hash) => format!("ECDSA {}", hash.name()),
            Self::RsaPss(pss) => format!("RSA-PSS {}", pss.hash.name()),
        }
    }

    /// All parameters as evidence.
    #[must_use]
    pub fn evidence(&self) -> Value {
        match self {
            Self::RsaPss(pss) => json!({
                "name": self.describe(), "mgf1": pss.mask.name(), "salt_bytes": pss.salt,
            }),
            _ => json!({ "name": self.describe() }),
        }
    }
}

impl Pss {
    /// `RSASSA-PSS-params`; what is absent has its default, SHA-1 and a salt of 20 bytes.
    fn read(parameters: &[u8]) -> Result<Self, KeyError> {
        let mut pss = Self { hash: Hash::Sha1, mask: Hash::Sha1, salt: 20 };
        if parameters.is_empty() || parameters == [0x05, 0x00] {
            return Ok(pss);
        }
        let mut fields = tlv::single(parameters, SEQUENCE)?.reader();
        if let Some(field) = fields.optional(Tag(0xA0))? {
            pss.hash = hash(&Algorithm::read(&mut field.reader())?)?;
        }
        if let Some(field) = fields.optional(Tag(0xA1))? {
            let mask = Algorithm::read(&mut field.reader())?;
            if !mask.oid.is(MGF1) {
                return Err(KeyError::Unsupported { oid: mask.oid });
            }
            pss.mask = hash(&Algorithm::read(&mut Reader::new(&mask.parameters))?)?;
        }
        if let Some(field) = fields.optional(Tag(0xA2))? {
            pss.salt = der::small_integer(&mut field.reader())?;
        }
        Ok(pss)
    }
}

fn hash(algorithm: &Algorithm) -> Result<Hash, KeyError> {
    Hash::from_algorithm(algorithm).ok_or(KeyError::Unsupported { oid: algorithm.oid.clone() })
}
