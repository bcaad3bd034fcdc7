use openssl::{bn::BigNum, dh::Dh};

use super::*;
use crate::random::SystemRandom;

const CA: &str = "04007F00070202";

/// `ChipAuthenticationInfo` and keys, as DG14 has them.
#[derive(Default)]
struct Dg14(Vec<u8>);

impl Dg14 {
    fn info(self, agreement: u8, cipher: u8, version: u8, key_id: Option<u8>) -> Self {
        let oid = [hex::decode(CA).unwrap(), vec![0x03, agreement, cipher]].concat();
        let body = [tlv::encode(Tag(0x06), &oid), vec![0x02, 1, version], id(key_id)].concat();
        self.entry(&body)
    }

    fn key(self, agreement: u8, spki: &[u8], key_id: Option<u8>) -> Self {
        let oid = [hex::decode(CA).unwrap(), vec![0x01, agreement]].concat();
        let body = [tlv::encode(Tag(0x06), &oid), spki.to_vec(), id(key_id)].concat();
        self.entry(&body)
    }

    fn entry(mut self, body: &[u8]) -> Self {
        tlv::push(&mut self.0, Tag(0x30), body);
        self
    }

    fn prepare(&self) -> Result<ChipAuthentication, ChipAuthError> {
        let infos = SecurityInfos::parse(&tlv::encode(Tag(0x31), &self.0)).unwrap();
        Offered::of(&infos)?.prepare(Lengths::Extended, &mut SystemRandom)
    }

    fn outcome(&self) -> Outcome {
        self.prepare().err().expect("cannot be run").outcome()
    }
}

fn id(key_id: Option<u8>) -> Vec<u8> {
    key_id.map(|id| vec![0x02, 1, id]).unwrap_or_default()
}

fn spki(oid: &str, parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = [tlv::encode(Tag(0x06), &hex::decode(oid).unwrap()), parameters.to_vec()];
    let mut body = tlv::encode(Tag(0x30), &algorithm.concat());
    tlv::push(&mut body, Tag(0x03), &[&[0], key].concat());
    tlv::encode(Tag(0x30), &body)
}

fn integer(number: &openssl::bn::BigNumRef) -> Vec<u8> {
    tlv::encode(Tag(0x02), &[vec![0], number.to_vec()].concat())
}

const STANDARDIZED: &str = "04007F00070102";
const DH_PUBLIC_NUMBER: &str = "2A8648CE3E0201";
const DH_KEY_AGREEMENT: &str = "2A864886F70D010301";
const EC_PUBLIC_KEY: &str = "2A8648CE3D0201";

fn ec(last: u8) -> Vec<u8> {
    let group = crate::crypto::ec::Curve::BrainpoolP256r1;
    let domain = crate::crypto::ec::Domain::new(group).unwrap();
    let mut point = domain.generator().unwrap();
    point[64] ^= last;
    spki(EC_PUBLIC_KEY, &hex::decode("06092B2403030208010107").unwrap(), &point)
}

/// `g ^ 5` of the 2048-bit group with a subgroup of 224, written out, or standardized.
fn dh(form: &str, value: Option<u32>) -> Vec<u8> {
    let group = Dh::get_2048_224().unwrap();
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    let mut key = BigNum::new().unwrap();
    let five = BigNum::from_u32(5).unwrap();
    key.mod_exp(group.generator(), &five, group.prime_p(), &mut context).unwrap();
    let key = value.map_or(key, |value| BigNum::from_u32(value).unwrap());
    let [p, g] = [integer(group.prime_p()), integer(group.generator())];
    let parameters = match form {
        STANDARDIZED => vec![0x02, 1, 1],
        DH_PUBLIC_NUMBER => {
            tlv::encode(Tag(0x30), &[p, g, integer(group.prime_q().unwrap())].concat())
        }
        _ => tlv::encode(Tag(0x30), &[p, g].concat()),
    };
    spki(form, &parameters, &integer(&key))
}

const UNSUPPORTED: Outcome = Outcome::NotPerformed(Some(Reason::ChipAuthenticationUnsupported));
const FAILED: Outcome = Outcome::Failed(Reason::ChipAuthenticationFailed);

#[test]
fn curves_come_before_primes_and_aes_before_triple_des() {
    let dg14 = Dg14::default()
        .info(2, 1, 1, Some(1))
        .info(1, 3, 1, Some(2))
        .info(2, 2, 1, Some(1))
        .key(1, &dh(STANDARDIZED, None), Some(2))
        .key(2, &ec(0), Some(1));
    let prepared = dg14.prepare().unwrap();
    let summary = prepared.summary;
    assert_eq!((summary.agreement, summary.cipher), ("ECDH", "AES-128"));
    assert_eq!(
        (summary.curve.as_str(), summary.key_id.as_deref()),
        ("brainpoolP256r1", Some("01"))
    );
    let [mse, agree] = prepared.commands.as_slice() else { panic!("two commands") };
    assert_eq!(mse.header(), [0x00, 0x22, 0x41, 0xA4]);
    assert_eq!(hex::encode(&mse.data), "800a04007f00070202030202840101");
    assert_eq!(agree.header(), [0x00, 0x86, 0x00, 0x00]);
}

#[test]
fn triple_des_is_one_command() {
    for dg14 in [
        Dg14::default().info(2, 1, 1, None).key(2, &ec(0), None),
        Dg14::default().key(2, &ec(0), None),
    ] {
        let prepared = dg14.prepare().unwrap();
        let [mse] = prepared.commands.as_slice() else { panic!("one command") };
        assert_eq!(mse.header(), [0x00, 0x22, 0x41, 0xA6]);
        assert_eq!((mse.data[0], prepared.summary.cipher), (0x91, "3DES"));
    }
}

#[test]
fn groups_modulo_a_prime_are_read_in_every_form() {
    for (form, name) in [
        (STANDARDIZED, "modp-2048-224"),
        (DH_PUBLIC_NUMBER, "modp-2048-224"),
        (DH_KEY_AGREEMENT, "modp-2048-224"),
    ] {
        let dg14 = Dg14::default().info(1, 4, 1, None).key(1, &dh(form, None), None);
        let prepared = dg14.prepare().unwrap();
        assert_eq!((prepared.summary.agreement, prepared.summary.curve.as_str()), ("DH", name));
        // The least bytes of a number below the prime (ICAO 9303-11 §9.4.1).
        assert!((200..=2 * 4 + 256).contains(&prepared.commands[1].data.len()));
    }
}

#[test]
fn both_sides_agree_modulo_a_prime() {
    // The chip's private key is 5: its side is ours ^ 5.
    let agreed = dh::agree(&dh(STANDARDIZED, None), &mut SystemRandom).unwrap();
    let group = Dh::get_2048_224().unwrap();
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    let mut shared = BigNum::new().unwrap();
    let ours = BigNum::from_slice(&agreed.ours).unwrap();
    let five = BigNum::from_u32(5).unwrap();
    shared.mod_exp(&ours, &five, group.prime_p(), &mut context).unwrap();
    assert_eq!(agreed.shared.expose(), shared.to_vec_padded(256).unwrap());
}

#[test]
fn keys_outside_their_group_fail() {
    for value in [0, 1, 2] {
        let dg14 = Dg14::default().info(1, 2, 1, None);
        assert_eq!(dg14.key(1, &dh(STANDARDIZED, Some(value)), None).outcome(), FAILED, "{value}");
    }
    let off = Dg14::default().info(2, 2, 1, None).key(2, &ec(1), None);
    assert_eq!(off.outcome(), FAILED, "no point of the curve");
    let swapped = Dg14::default().info(2, 2, 1, None).key(2, &dh(DH_PUBLIC_NUMBER, None), None);
    assert_eq!(swapped.outcome(), FAILED, "a number where a point should be");
    let swapped = Dg14::default().info(1, 2, 1, None).key(1, &ec(0), None);
    assert_eq!(swapped.outcome(), FAILED, "a point where a number should be");
    let empty = Dg14::default().info(2, 2, 1, None).key(2, &[0x30, 0], None);
    assert_eq!(empty.outcome(), FAILED, "no key at all");
}

#[test]
fn references_must_lead_to_a_key() {
    let key = ec(0);
    let base = || Dg14::default().info(2, 2, 1, Some(1));
    assert_eq!(base().outcome(), FAILED, "no key");
    assert_eq!(base().key(2, &key, Some(2)).outcome(), FAILED, "another reference");
    assert_eq!(base().key(1, &dh(STANDARDIZED, None), Some(1)).outcome(), FAILED, "another kind");
    assert!(base().key(2, &key, None).prepare().is_ok(), "the only key needs none");
    let several = base().key(2, &key, None).key(2, &key, Some(3));
    assert_eq!(several.outcome(), FAILED, "one of several keys without a reference");
    // A variant without its key does not hide one that has it.
    let other = base().info(2, 4, 1, Some(3)).key(2, &key, Some(3)).prepare().unwrap();
    assert_eq!(other.summary.cipher, "AES-256");
    // Nor does a key that is none.
    let other = base().key(2, &ec(1), Some(1)).info(2, 1, 1, Some(3)).key(2, &key, Some(3));
    assert_eq!(other.prepare().unwrap().summary.cipher, "3DES");
}

#[test]
fn what_is_not_supported_is_left_open() {
    let missing = Outcome::NotPerformed(Some(Reason::ChipAuthenticationMissing));
    assert_eq!(Dg14::default().outcome(), missing);
    let key = ec(0);
    assert_eq!(Dg14::default().info(3, 2, 1, None).key(2, &key, None).outcome(), UNSUPPORTED);
    let curve = spki(EC_PUBLIC_KEY, &hex::decode("06052B8104000A").unwrap(), &[4; 65]);
    assert_eq!(Dg14::default().info(2, 2, 1, None).key(2, &curve, None).outcome(), UNSUPPORTED);
    assert_eq!(
        Dg14::default().info(2, 2, 2, None).key(2, &key, None).outcome(),
        Outcome::NotPerformed(None),
        "DG14 is malformed"
    );
}

/// TR-03105-5.1 ISO7816_D_10: what one authentication used must never come again.
#[test]
fn every_authentication_makes_a_key_pair_of_its_own() {
    for dg14 in [
        Dg14::default().info(2, 2, 1, None).key(2, &ec(0), None),
        Dg14::default().info(2, 1, 1, None).key(2, &ec(0), None),
        Dg14::default().info(1, 2, 1, None).key(1, &dh(STANDARDIZED, None), None),
    ] {
        let public = || dg14.prepare().unwrap().commands.last().unwrap().data.clone();
        let seen: std::collections::BTreeSet<_> = std::iter::repeat_with(public).take(8).collect();
        assert_eq!(seen.len(), 8);
    }
}

fn infos(dg14: &Dg14) -> SecurityInfos {
    SecurityInfos::parse(&tlv::encode(Tag(0x31), &dg14.0)).unwrap()
}

/// Long data go in a chain if the chip takes chains, and not at all otherwise.
#[test]
fn what_is_too_long_for_short_lengths_is_chained_or_left() {
    let dg14 = Dg14::default().info(1, 2, 1, None).key(1, &dh(STANDARDIZED, None), None);
    let infos = infos(&dg14);
    assert!(is_long(&infos));
    let prepare = |lengths| Offered::of(&infos).unwrap().prepare(lengths, &mut SystemRandom);
    assert_eq!(prepare(Lengths::Short(223)).err().unwrap().outcome(), UNSUPPORTED);
    let chained = prepare(Lengths::Chained(223)).unwrap().commands;
    let [_, first, last] = chained.as_slice() else { panic!("three commands") };
    assert_eq!((first.header(), first.ne), ([0x10, 0x86, 0x00, 0x00], None));
    assert_eq!((last.header(), last.ne), ([0x00, 0x86, 0x00, 0x00], Some(256)));
    assert_eq!(first.data.len(), 223);
    let whole = [first.data.as_slice(), &last.data].concat();
    let public = tlv::single(tlv::single(&whole, Tag(0x7C)).unwrap().value, Tag(0x80)).unwrap();
    assert!((200..=256).contains(&public.value.len()));
}

/// Key by key, in the order of preference, and 3DES in the end over MSE:Set AT.
#[test]
fn after_a_refusal_the_next_key_is_there() {
    let dg14 = Dg14::default()
        .info(2, 1, 1, Some(1))
        .info(2, 2, 1, Some(2))
        .key(2, &ec(0), Some(1))
        .key(2, &ec(0), Some(2));
    let mut offered = Offered::of(&infos(&dg14)).unwrap();
    let mut prepare = || offered.prepare(Lengths::Extended, &mut SystemRandom);
    let headers: Vec<_> = std::iter::from_fn(|| {
        let prepared = prepare().ok()?;
        let summary = prepared.summary;
        Some((summary.cipher, summary.key_id.unwrap(), prepared.commands[0].header()[3]))
    })
    .collect();
    let expected = [("AES-128", "02", 0xA4), ("3DES", "01", 0xA6), ("3DES", "01", 0xA4)];
    let expected: Vec<_> = expected.map(|(c, id, p2)| (c, id.to_owned(), p2)).to_vec();
    assert_eq!(headers, expected);
}
