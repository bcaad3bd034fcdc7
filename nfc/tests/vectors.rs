//! The worked examples of ICAO 9303-11, from the files in `vectors/`, run through the real state
//! machines: the example's nonces and keys come in as randomness, and every command is compared
//! with the example byte for byte.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use nfc::{
    apdu::{Command, Response},
    bac,
    crypto::{Cipher, Purpose, Secret, dh, ec, kdf, public_key::PublicKey},
    lds::{card_access, security_infos::SecurityInfos},
    link::{self, Batch, Link, LinkError, one_by_one},
    pace::{self, Established, Password, Suite},
    random::{Random, RandomError},
    sm::SecureMessaging,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    #[serde(default)]
    kdf: Vec<Kdf>,
    #[serde(default)]
    nonce: Vec<Nonce>,
    #[serde(default)]
    mapping: Vec<Mapping>,
    #[serde(default)]
    bac: Vec<Access>,
    #[serde(default)]
    pace: Vec<Access>,
}

#[derive(Deserialize)]
struct Kdf {
    id: String,
    cipher: String,
    shared: String,
    encryption: String,
    authentication: String,
}

#[derive(Deserialize)]
struct Nonce {
    id: String,
    information: String,
    key: String,
    sealed: String,
    plain: String,
}

#[derive(Deserialize)]
struct Mapping {
    id: String,
    parameter_id: u32,
    nonce: String,
    private: String,
    public: String,
    peer: String,
    generator: String,
}

#[derive(Deserialize)]
struct Access {
    id: String,
    mapping: Option<String>,
    agreement: Option<String>,
    #[serde(flatten)]
    printed: Option<Printed>,
    can: Option<String>,
    card_access: Option<String>,
    random: Vec<String>,
    exchange: Vec<(String, String)>,
    #[serde(default)]
    messaging: Vec<Protected>,
    static_key: Option<String>,
}

#[derive(Deserialize)]
struct Printed {
    document_number: String,
    birth: String,
    expiry: String,
    information: String,
}

#[derive(Deserialize)]
struct Protected {
    plain: String,
    command: String,
    response: String,
    opened: String,
}

fn vectors() -> Vec<Vectors> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        out.push(toml::from_str(&text).unwrap());
    }
    assert!(!out.is_empty());
    out
}

fn bytes(hex_text: &str) -> Vec<u8> {
    hex::decode(hex_text).unwrap()
}

/// Yields what the example drew, piece by piece.
struct Scripted(std::vec::IntoIter<Vec<u8>>);

impl Scripted {
    fn new(pieces: &[String]) -> Self {
        Self(pieces.iter().map(|piece| bytes(piece)).collect::<Vec<_>>().into_iter())
    }
}

impl Random for Scripted {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), RandomError> {
        let piece = self.0.next().ok_or(RandomError::Exhausted)?;
        assert_eq!(piece.len(), out.len(), "the example drew another length");
        out.copy_from_slice(&piece);
        Ok(())
    }
}

/// A chip that knows its part by heart.
struct Script<'a> {
    exchange: std::slice::Iter<'a, (String, String)>,
}

impl Link for Script<'_> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| {
            let (expected, reply) = self.exchange.next().expect("no more commands in the example");
            assert_eq!(hex::encode_upper(command.encode()), *expected);
            Ok(Response::decode(&bytes(reply)).unwrap())
        })
    }
}

#[test]
fn keys_are_derived() {
    let ciphers = [Cipher::TripleDes, Cipher::Aes128, Cipher::Aes192, Cipher::Aes256];
    let mut count = 0;
    for vector in vectors().iter().flat_map(|v| &v.kdf) {
        let cipher = ciphers.into_iter().find(|c| c.name() == vector.cipher).unwrap();
        let shared = bytes(&vector.shared);
        let key = |purpose| hex::encode_upper(kdf(&shared, purpose, cipher).unwrap().expose());
        assert_eq!(key(Purpose::Encryption), vector.encryption, "{}", vector.id);
        assert_eq!(key(Purpose::Authentication), vector.authentication, "{}", vector.id);
        count += 1;
    }
    assert_eq!(count, 7);
}

#[test]
fn pace_nonces_are_decrypted() {
    for vector in vectors().iter().flat_map(|v| &v.nonce) {
        let digest = nfc::crypto::Hash::Sha1.digest(vector.information.as_bytes()).unwrap();
        let key = kdf(&digest, Purpose::Nonce, Cipher::Aes128).unwrap();
        assert_eq!(hex::encode_upper(key.expose()), vector.key, "{}", vector.id);
        let plain = Cipher::Aes128.decrypt(&key, &[0; 16], &bytes(&vector.sealed)).unwrap();
        assert_eq!(hex::encode_upper(plain), vector.plain, "{}", vector.id);
    }
}

#[test]
fn generators_are_mapped() {
    let mut count = 0;
    for vector in vectors().iter().flat_map(|v| &v.mapping) {
        let found = match dh::Modp::from_parameter_id(vector.parameter_id) {
            Some(group) => map_in_field(vector, group),
            None => map_on_curve(vector),
        };
        let expected = (vector.public.clone(), vector.generator.clone());
        assert_eq!(found, expected, "{}", vector.id);
        count += 1;
    }
    assert_eq!(count, 3);
}

/// Our public key and the mapped generator.
fn map_on_curve(vector: &Mapping) -> (String, String) {
    let curve = ec::Curve::from_parameter_id(vector.parameter_id).unwrap();
    let domain = ec::Domain::new(curve).unwrap();
    let mut random = Scripted::new(std::slice::from_ref(&vector.private));
    let pair = domain.key_pair(domain.scalar(&mut random).unwrap()).unwrap();
    let public = hex::encode_upper(domain.encode(&pair).unwrap());
    let peer = domain.decode(&bytes(&vector.peer)).unwrap();
    let mapped = domain.map(&Secret::new(bytes(&vector.nonce)), &pair, &peer).unwrap();
    (public, hex::encode_upper(mapped.generator().unwrap()))
}

fn map_in_field(vector: &Mapping, group: dh::Modp) -> (String, String) {
    let domain = dh::Domain::new(group).unwrap();
    let mut random = Scripted::new(std::slice::from_ref(&vector.private));
    let pair = domain.key_pair(domain.scalar(&mut random).unwrap()).unwrap();
    let public = hex::encode_upper(domain.encode(&pair));
    let peer = domain.decode(&bytes(&vector.peer)).unwrap();
    let mapped = domain.map(&Secret::new(bytes(&vector.nonce)), &pair, &peer).unwrap();
    (public, hex::encode_upper(mapped.generator()))
}

fn information(vector: &Access) -> String {
    let printed = vector.printed.as_ref().unwrap();
    let key = mrz::AccessKey::new(&printed.document_number, &printed.birth, &printed.expiry);
    let information = key.unwrap().information().to_string();
    assert_eq!(information, printed.information, "{}", vector.id);
    information
}

fn password(vector: &Access) -> Password {
    match &vector.can {
        Some(can) => Password::can(can),
        None => Password::mrz(&information(vector)).unwrap(),
    }
}

/// Sends each example command through the codec, one after the other and as one batch.
fn check_messaging(mut session: SecureMessaging, steps: &[Protected]) {
    let plain: Vec<_> = steps.iter().map(|s| Command::decode(&bytes(&s.plain)).unwrap()).collect();
    let batch = session.wrap_all(&plain).unwrap();
    for (step, (command, in_batch)) in steps.iter().zip(plain.iter().zip(&batch)) {
        let alone = session.wrap_all(std::slice::from_ref(command)).unwrap();
        assert_eq!(hex::encode_upper(alone[0].encode()), step.command);
        assert_eq!(hex::encode_upper(in_batch.encode()), step.command);
        let reply = Response::decode(&bytes(&step.response)).unwrap();
        let (next, opened) = session.unwrap(&reply).unwrap();
        assert_eq!(hex::encode_upper(opened.encode()), step.opened);
        session = next;
    }
}

#[test]
fn bac_runs_as_in_the_example() {
    let mut count = 0;
    for vector in vectors().iter().flat_map(|v| &v.bac) {
        let mut random = Scripted::new(&vector.random);
        let first = bac::start(&information(vector), &mut random).unwrap();
        let mut chip = Script { exchange: vector.exchange.iter() };
        let session = link::drive::<_, nfc::reader::ReadError>(first, &mut chip).unwrap();
        assert_eq!(chip.exchange.len(), 0, "{}", vector.id);
        check_messaging(session, &vector.messaging);
        count += 1;
    }
    assert_eq!(count, 1);
}

fn suite(vector: &Access) -> Suite {
    let file = bytes(vector.card_access.as_ref().unwrap());
    let suites = Suite::choose(&card_access::parse(&file).unwrap());
    let [suite] = suites.as_slice() else { panic!("{} offers one variant", vector.id) };
    assert_eq!(Some(suite.mapping.name()), vector.mapping.as_deref(), "{}", vector.id);
    assert_eq!(Some(suite.agreement.name()), vector.agreement.as_deref(), "{}", vector.id);
    suite.clone()
}

fn run(vector: &Access) -> Established {
    let mut random = Scripted::new(&vector.random);
    let first = pace::start(suite(vector), &password(vector), &mut random).unwrap();
    let mut chip = Script { exchange: vector.exchange.iter() };
    let established = link::drive::<_, nfc::reader::ReadError>(first, &mut chip).unwrap();
    assert_eq!(chip.exchange.len(), 0, "{}", vector.id);
    established
}

#[test]
fn pace_runs_as_in_the_examples() {
    let mut count = 0;
    for vector in vectors().iter().flat_map(|v| &v.pace) {
        assert_eq!(run(vector).session.cipher(), Cipher::Aes128, "{}", vector.id);
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn chip_authentication_mapping_proves_the_static_key_of_the_example() {
    let vectors = vectors();
    let proving = |v: &&Access| v.static_key.is_some();
    let vector = vectors.iter().flat_map(|v| &v.pace).find(proving).unwrap();
    let mapping = run(vector).mapping.unwrap().unwrap();
    let info = bytes(vector.static_key.as_ref().unwrap());
    let infos = SecurityInfos::parse(&nfc::tlv::encode(nfc::tlv::Tag(0x31), &info)).unwrap();
    let key = infos.chip_keys().next().unwrap();
    assert_eq!(key.key_id.as_deref(), Some([u8::try_from(mapping.key_id()).unwrap()].as_slice()));
    let PublicKey::Ec { curve, point } = PublicKey::parse(&key.spki).unwrap() else {
        panic!("the key is on a curve")
    };
    assert_eq!(curve, mapping.curve());
    assert!(mapping.is_proved_by(&point).unwrap());
    let domain = ec::Domain::new(curve).unwrap();
    assert!(!mapping.is_proved_by(&domain.generator().unwrap()).unwrap());
}

/// One changed bit in any byte the chip sends must end the protocol, but in what only the chip
/// authentication mapping and terminal authentication need.
#[test]
fn any_changed_byte_of_the_chip_ends_pace() {
    for vector in vectors().iter().flat_map(|v| &v.pace) {
        for (step, (_, reply)) in vector.exchange.iter().enumerate().skip(1) {
            for index in 0..reply.len() / 2 {
                let mut replies: Vec<_> =
                    vector.exchange.iter().map(|(_, reply)| bytes(reply)).collect();
                replies[step][index] ^= 1;
                let mut random = Scripted::new(&vector.random);
                let first = pace::start(suite(vector), &password(vector), &mut random).unwrap();
                let mut replies = replies.into_iter();
                let result = link::drive(first, &mut Replay(&mut replies));
                let whole = reply.len() / 2;
                check_changed(vector, result, step == 4 && (12..whole - 2).contains(&index));
            }
        }
    }
}

/// `optional` for a byte after the token.
fn check_changed(
    vector: &Access,
    result: Result<Established, nfc::reader::ReadError>,
    optional: bool,
) {
    match (result, vector.mapping.as_deref()) {
        (Err(_), _) => {}
        (Ok(established), Some("CAM")) if optional => {
            let key = bytes(vector.static_key.as_ref().unwrap());
            let point = &key[key.len() - 3 - 65..key.len() - 3];
            let proved = established.mapping.unwrap().is_ok_and(|m| m.is_proved_by(point).unwrap());
            assert!(!proved, "{}", vector.id);
        }
        (Ok(_), _) => assert!(optional, "{} went on with a changed byte", vector.id),
    }
}

/// A chip that sends what it is told, whatever it is asked.
struct Replay<'a>(&'a mut std::vec::IntoIter<Vec<u8>>);

impl Link for Replay<'_> {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |_| {
            let reply = self.0.next().ok_or(LinkError::Lost)?;
            Response::decode(&reply).map_err(|_| LinkError::Lost)
        })
    }
}
