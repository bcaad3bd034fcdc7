//! Curve parameters written out in full: those of a known curve are taken, anything else is refused
//! before a library computes with it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod authority;

use authority::{Hash, Key, Scheme, bytes, integer, oid, seq};
use nfc::crypto::public_key::{KeyError, PublicKey, SignatureAlgorithm};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::{EcGroup, EcKey, EcPoint, PointConversionForm},
    nid::Nid,
};

/// `ECParameters` (RFC 3279 §2.3.5) of P-256 and a public point.
#[derive(Clone)]
struct Parameters {
    field: Vec<u8>,
    a: Vec<u8>,
    b: Vec<u8>,
    seed: Option<Vec<u8>>,
    generator: Vec<u8>,
    order: Vec<u8>,
    cofactor: Option<Vec<u8>>,
    point: Vec<u8>,
}

fn group() -> EcGroup {
    EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap()
}

fn encode(point: &openssl::ec::EcPointRef, form: PointConversionForm) -> Vec<u8> {
    point.to_bytes(&group(), form, &mut BigNumContext::new().unwrap()).unwrap()
}

/// As an INTEGER: with a zero before a high bit.
fn unsigned(number: &BigNum) -> Vec<u8> {
    bytes(0x02, &[vec![0], number.to_vec()].concat())
}

fn prime_field(prime: &BigNum) -> Vec<u8> {
    seq(&[oid("1.2.840.10045.1.1"), unsigned(prime)])
}

impl Parameters {
    fn right() -> Self {
        let group = group();
        let number = || BigNum::new().unwrap();
        let (mut p, mut a, mut b, mut n) = (number(), number(), number(), number());
        let mut context = BigNumContext::new().unwrap();
        group.components_gfp(&mut p, &mut a, &mut b, &mut context).unwrap();
        group.order(&mut n, &mut context).unwrap();
        let key = EcKey::generate(&group).unwrap();
        Self {
            field: prime_field(&p),
            a: a.to_vec(),
            b: b.to_vec(),
            seed: None,
            generator: encode(group.generator_opt().unwrap(), PointConversionForm::UNCOMPRESSED),
            order: unsigned(&n),
            cofactor: Some(integer(1)),
            point: encode(key.public_key(), PointConversionForm::UNCOMPRESSED),
        }
    }

    fn parse(&self) -> Result<PublicKey, KeyError> {
        let mut curve = vec![bytes(0x04, &self.a), bytes(0x04, &self.b)];
        curve.extend(self.seed.as_ref().map(|seed| bytes(0x03, seed)));
        let mut parameters = vec![
            integer(1),
            self.field.clone(),
            seq(&curve),
            bytes(0x04, &self.generator),
            self.order.clone(),
        ];
        parameters.extend(self.cofactor.clone());
        PublicKey::parse(&info(seq(&parameters), &self.point))
    }

    fn is_unknown(&self) -> bool {
        matches!(self.parse(), Err(KeyError::Curve))
    }
}

/// SubjectPublicKeyInfo.
fn info(parameters: Vec<u8>, point: &[u8]) -> Vec<u8> {
    let algorithm = seq(&[oid("1.2.840.10045.2.1"), parameters]);
    seq(&[algorithm, bytes(0x03, &[&[0], point].concat())])
}

#[test]
fn a_known_curve_is_known_however_it_is_written() {
    let right = Parameters::right();
    let compressed = encode(group().generator_opt().unwrap(), PointConversionForm::COMPRESSED);
    for (what, parameters) in [
        ("as it is", right.clone()),
        ("no cofactor", Parameters { cofactor: None, ..right.clone() }),
        ("compressed generator", Parameters { generator: compressed, ..right.clone() }),
        ("a seed", Parameters { seed: Some(vec![0, 1, 2, 3]), ..right.clone() }),
        ("zeros", Parameters { b: [&[0, 0], right.b.as_slice()].concat(), ..right.clone() }),
    ] {
        assert_eq!(parameters.parse().unwrap().describe(), "EC secp256r1", "{what}");
    }
}

#[test]
fn a_curve_that_differs_in_anything_is_unknown() {
    let right = Parameters::right();
    let changed = |bytes: &[u8], at: usize| {
        let mut bytes = bytes.to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1;
        }
        bytes
    };
    let end = |bytes: &[u8]| changed(bytes, bytes.len() - 1);
    for (what, parameters) in [
        ("prime", Parameters { field: end(&right.field), ..right.clone() }),
        ("a", Parameters { a: end(&right.a), ..right.clone() }),
        ("b", Parameters { b: changed(&right.b, 0), ..right.clone() }),
        ("generator", Parameters { generator: end(&right.generator), ..right.clone() }),
        ("form of it", Parameters { generator: changed(&right.generator, 0), ..right.clone() }),
        ("no generator", Parameters { generator: vec![], ..right.clone() }),
        ("infinity", Parameters { generator: vec![0], ..right.clone() }),
        ("order", Parameters { order: end(&right.order), ..right.clone() }),
        ("cofactor", Parameters { cofactor: Some(integer(2)), ..right.clone() }),
        ("cofactor 0", Parameters { cofactor: Some(integer(0)), ..right.clone() }),
        ("long a", Parameters { a: vec![0xFF; 4096], ..right.clone() }),
    ] {
        assert!(parameters.is_unknown(), "{what}");
    }
}

/// CVE-2020-0601: the curve is right but for its generator, which is the issuer's public point, so
/// that the attacker's private key for that point is 1.
#[test]
fn a_generator_made_for_the_issuers_key_is_refused() {
    let right = Parameters::right();
    let forged = Parameters { generator: right.point.clone(), ..right.clone() };
    assert!(forged.is_unknown());
    // The half of it, with the private key 2.
    let (group, mut context) = (group(), BigNumContext::new().unwrap());
    let point = EcPoint::from_bytes(&group, &right.point, &mut context).unwrap();
    let (mut order, mut half) = (BigNum::new().unwrap(), BigNum::new().unwrap());
    group.order(&mut order, &mut context).unwrap();
    half.mod_inverse(&BigNum::from_u32(2).unwrap(), &order, &mut context).unwrap();
    let mut generator = EcPoint::new(&group).unwrap();
    generator.mul2(&group, &point, &half, &mut context).unwrap();
    let generator = encode(&generator, PointConversionForm::UNCOMPRESSED);
    assert!(Parameters { generator, ..right }.is_unknown());
}

/// CVE-2022-0778: a square root modulo a number that is no prime does not end. Nothing here takes
/// one before the curve is known.
#[test]
fn a_compressed_point_modulo_no_prime_is_refused_at_once() {
    let right = Parameters::right();
    let compressed = [&[2], vec![0x11; 32].as_slice()].concat();
    for prime in [697_u32, 9, 1, 0] {
        let parameters = Parameters {
            field: prime_field(&BigNum::from_u32(prime).unwrap()),
            generator: compressed.clone(),
            point: compressed.clone(),
            ..right.clone()
        };
        assert!(parameters.is_unknown(), "{prime}");
    }
    let huge = seq(&[oid("1.2.840.10045.1.1"), bytes(0x02, &[0x7F; 40_000])]);
    assert!(Parameters { field: huge, ..right }.is_unknown());
}

#[test]
fn binary_fields_and_inherited_curves_are_not_supported() {
    let right = Parameters::right();
    let binary = seq(&[oid("1.2.840.10045.1.2"), seq(&[integer(7)])]);
    let parsed = Parameters { field: binary, ..right.clone() }.parse();
    assert!(matches!(parsed, Err(KeyError::Unsupported { .. })));
    let inherited = PublicKey::parse(&info(vec![5, 0], &right.point));
    assert!(matches!(inherited, Err(KeyError::Malformed(_))));
}

#[test]
fn no_signature_verifies_under_what_is_no_point() {
    let right = Parameters::right();
    let off = [&[4], vec![1; 64].as_slice()].concat();
    let key = Key::usual();
    let (message, algorithm) = (b"message", SignatureAlgorithm::Ecdsa(nfc::crypto::Hash::Sha256));
    let signature = key.sign(message);
    for point in [vec![], vec![0], vec![0; 65], off, right.point[..64].to_vec(), vec![9; 65]] {
        let parsed = Parameters { point: point.clone(), ..right.clone() }.parse().unwrap();
        assert!(parsed.verify(&algorithm, message, &signature).is_err(), "{point:?}");
    }
    let parsed = PublicKey::parse(&key.spki).unwrap();
    assert!(parsed.verify(&algorithm, message, &signature).unwrap());
}

/// Signatures that are no pair of numbers, or one out of range, are wrong under any key.
#[test]
fn numbers_out_of_range_are_no_signature() {
    let algorithm = SignatureAlgorithm::Ecdsa(nfc::crypto::Hash::Sha256);
    let key = PublicKey::parse(&Key::usual().spki).unwrap();
    let zero = seq(&[integer(0), integer(0)]);
    let one = seq(&[integer(1), integer(1)]);
    let long = seq(&[bytes(2, &[0x7F; 5000]), integer(1)]);
    for signature in [vec![], vec![0x30, 0], zero, one, long, vec![0xFF; 64]] {
        assert!(!key.verify(&algorithm, b"message", &signature).unwrap());
    }
    let plain = SignatureAlgorithm::EcdsaPlain(nfc::crypto::Hash::Sha256);
    for signature in [vec![0; 64], vec![0xFF; 64], vec![1; 63], vec![]] {
        assert!(!key.verify(&plain, b"message", &signature).unwrap());
    }
}

/// FIPS 186-4 §4.1: elements of which one is the neutral one, or none of the group.
#[test]
fn dsa_keys_that_verify_everything_are_refused() {
    let key = Key::dsa(2048, 256, Scheme::Dsa(Hash::Sha256)).key.dsa().unwrap();
    let number = |value: &openssl::bn::BigNumRef| value.to_owned().unwrap();
    let (p, q, g, y) = (key.p(), key.q(), key.g(), key.pub_key());
    let small = |value| BigNum::from_u32(value).unwrap();
    let parse = |p: BigNum, q: BigNum, g: BigNum, y: BigNum| {
        let parameters = seq(&[unsigned(&p), unsigned(&q), unsigned(&g)]);
        let bits = [vec![0], unsigned(&y)].concat();
        let algorithm = seq(&[oid("1.2.840.10040.4.1"), parameters]);
        PublicKey::parse(&seq(&[algorithm, bytes(0x03, &bits)]))
    };
    assert_eq!(parse(number(p), number(q), number(g), number(y)).unwrap().describe(), "DSA-2048");
    for (g, y) in [
        (small(1), number(y)),
        (small(0), number(y)),
        (number(p), number(y)),
        (number(g), small(1)),
        (number(g), small(0)),
        (number(g), number(p)),
    ] {
        assert!(parse(number(p), number(q), g, y).is_err());
    }
    let mut huge = BigNum::new().unwrap();
    huge.lshift(&BigNum::from_u32(1).unwrap(), 9000).unwrap();
    let long = parse(huge, number(q), number(g), number(y));
    assert!(matches!(long, Err(KeyError::Long { bits: 9001 })));
}

#[test]
fn rsa_keys_that_prove_nothing_are_weak() {
    let weak = |n: &BigNum, e: u32| {
        let numbers = seq(&[unsigned(n), unsigned(&BigNum::from_u32(e).unwrap())]);
        let algorithm = seq(&[oid("1.2.840.113549.1.1.1"), vec![5, 0]]);
        PublicKey::parse(&seq(&[algorithm, bytes(0x03, &[vec![0], numbers].concat())]))
            .map(|key| key.is_weak())
    };
    let modulus = |bits: i32| {
        let mut n = BigNum::new().unwrap();
        n.rand(bits, openssl::bn::MsbOption::ONE, true).unwrap();
        n
    };
    assert!(!weak(&modulus(1024), 3).unwrap() && !weak(&modulus(2048), 65537).unwrap());
    assert!(weak(&modulus(1023), 65537).unwrap());
    for exponent in [0, 1, 2, 65536] {
        assert!(weak(&modulus(2048), exponent).unwrap_or(true), "{exponent}");
    }
    assert!(matches!(weak(&modulus(9000), 3), Err(KeyError::Long { .. })));
}
