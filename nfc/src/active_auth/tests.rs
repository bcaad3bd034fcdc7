use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    active_authentication: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    id: String,
    challenge: String,
    message: Option<String>,
    key: String,
    named: Option<String>,
    signature: String,
    hash: String,
    form: String,
    describe: String,
}

fn vectors() -> Vec<Vector> {
    let files = [
        include_str!("../../tests/vectors/icao-9303-11-appendix-f.toml"),
        include_str!("../../tests/vectors/active-authentication.toml"),
    ];
    let parsed = files.map(|text| toml::from_str::<Vectors>(text).unwrap().active_authentication);
    parsed.into_iter().flatten().collect()
}

impl Vector {
    fn key(&self) -> ActiveAuthentication {
        let named = self.named.as_deref().map(|named| Oid::new(&hex::decode(named).unwrap()));
        ActiveAuthentication::with_key(&hex::decode(&self.key).unwrap(), named.as_ref()).unwrap()
    }

    fn challenge(&self) -> [u8; 8] {
        hex::decode(&self.challenge).unwrap().try_into().unwrap()
    }

    fn signature(&self) -> Vec<u8> {
        hex::decode(&self.signature).unwrap()
    }
}

#[test]
fn every_vector_verifies_and_says_how() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 45);
    for vector in &vectors {
        let (key, signature) = (vector.key(), vector.signature());
        let found = key.verify(&vector.challenge(), &signature).unwrap();
        let found = found.unwrap_or_else(|| panic!("{}", vector.id));
        assert_eq!((found.hash, found.form), (vector.hash.as_str(), vector.form.as_str()));
        assert_eq!(found.key, vector.describe, "{}", vector.id);
        assert!(signature.len() <= key.signature_length(), "{}", vector.id);
    }
}

#[test]
fn a_changed_signature_or_challenge_does_not() {
    for vector in vectors() {
        let (key, challenge) = (vector.key(), vector.challenge());
        let signature = vector.signature();
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            assert_eq!(key.verify(&challenge, &changed).unwrap(), None, "{} {at}", vector.id);
        }
        let mut other = challenge;
        other[7] ^= 1;
        assert_eq!(key.verify(&other, &signature).unwrap(), None, "{}", vector.id);
        for wrong in [&[][..], &[0], &[0xFF; 300], &signature[1..]] {
            assert_eq!(key.verify(&challenge, wrong).unwrap(), None, "{}", vector.id);
        }
    }
}

/// `F` of each RSA vector, opened already, and what may not be changed in it.
#[test]
fn the_message_has_one_form_only() {
    for vector in vectors() {
        let Some(message) = &vector.message else { continue };
        let (message, challenge) = (hex::decode(message).unwrap(), vector.challenge());
        let check = |message: &[u8]| iso9796::check(message, &challenge).unwrap();
        assert_eq!(check(&message).unwrap().name(), vector.hash);
        for header in [0x4A, 0x4B, 0x6B, 0x60, 0x00] {
            let mut changed = message.clone();
            changed[0] = header;
            assert_eq!(check(&changed), None, "{} {header:02X}", vector.id);
        }
        for trailer in [0x31, 0x32, 0x37, 0x39, 0x3A] {
            let mut changed = message.clone();
            let at = changed.len() - 2;
            changed[at..].copy_from_slice(&[trailer, 0xCC]);
            assert_eq!(check(&changed), None, "{} {trailer:02X}", vector.id);
        }
        assert_eq!(check(&message[1..]), None, "{}", vector.id);
        assert_eq!(check(&message[message.len() - 10..]), None, "{}", vector.id);
    }
}

#[test]
fn one_leading_zero_too_many_is_borne() {
    let vectors = vectors();
    let vector = vectors.iter().find(|v| v.id == "rsa-2048-sha-256").unwrap();
    let padded = |zeros: usize| [vec![0; zeros], vector.signature()].concat();
    assert!(vector.key().verify(&vector.challenge(), &padded(1)).unwrap().is_some());
    assert!(vector.key().verify(&vector.challenge(), &padded(2)).unwrap().is_none());
}

/// A key of the modulus `2^bits - 1` and the exponent.
fn rsa(bits: usize, exponent: u8) -> Result<ActiveAuthentication, ActiveAuthError> {
    use crate::tlv::{Tag, encode};
    let modulus = encode(Tag(0x02), &[vec![0], vec![0xFF; bits / 8]].concat());
    let key = [modulus, encode(Tag(0x02), &[exponent])].concat();
    let bit_string = [vec![0], encode(Tag(0x30), &key)].concat();
    let algorithm = hex::decode("300D06092A864886F70D0101010500").unwrap();
    let spki = [algorithm, encode(Tag(0x03), &bit_string)].concat();
    ActiveAuthentication::with_key(&encode(Tag(0x30), &spki), None)
}

#[test]
fn keys_that_prove_nothing_fail() {
    let failed = Outcome::Failed(Reason::ActiveAuthenticationFailed);
    assert!(rsa(1024, 3).is_ok());
    for (bits, exponent) in [(1016, 3), (512, 3), (1024, 1), (1024, 2), (1024, 0)] {
        let error = rsa(bits, exponent).err().unwrap();
        assert_eq!(error.outcome(), failed, "{bits} {exponent}");
    }
}

#[test]
fn unknown_signature_algorithms_leave_the_question_open() {
    let vectors = vectors();
    let vector = vectors.iter().find(|v| v.id == "secp256r1-plain").unwrap();
    let with = |named: &str| {
        let oid = Oid::new(&hex::decode(named).unwrap());
        ActiveAuthentication::with_key(&hex::decode(&vector.key).unwrap(), Some(&oid))
    };
    let unsupported = Outcome::NotPerformed(Some(Reason::ActiveAuthenticationUnsupported));
    for named in ["04007F00070101040106", "04007F000701010401", "2A864886F70D01010B"] {
        assert_eq!(with(named).err().unwrap().outcome(), unsupported, "{named}");
    }
    // ecdsa-with-SHA256, which some issuers write, means the same hash.
    let key = with("2A8648CE3D040302").unwrap();
    assert!(key.verify(&vector.challenge(), &vector.signature()).unwrap().is_some());
    // Another hash than the one that is named does not hold.
    let key = with("2A8648CE3D040303").unwrap();
    assert_eq!(key.verify(&vector.challenge(), &vector.signature()).unwrap(), None);
}
