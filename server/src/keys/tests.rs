//! The key ring with keys in files; the token's tests are in `tests/token.rs`, each process with a
//! token of its own.

use super::*;
use crate::clock::SystemEntropy;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use time::OffsetDateTime;
use time::macros::datetime;

const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

/// A clock that a test sets.
struct Set(Mutex<OffsetDateTime>);

impl Set {
    fn at(now: OffsetDateTime) -> Arc<Self> {
        Arc::new(Self(Mutex::new(now)))
    }

    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }
}

impl Clock for Set {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap()
    }
}

fn decode(text: &str) -> Vec<u8> {
    let standard = text.replace('-', "+").replace('_', "/");
    let padded = format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4));
    openssl::base64::decode_block(&padded).unwrap()
}

/// Checks a JWS against a JWK as a relying party would, from the published values alone.
fn verifies(jws: &str, jwk: &Value) -> bool {
    let parts: Vec<&str> = jws.split('.').collect();
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let number = |name: &str| BigNum::from_slice(&decode(jwk[name].as_str().unwrap())).unwrap();
    let key =
        EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y")).unwrap();
    let pair = decode(parts[2]);
    let (r, s) = pair.split_at(32);
    let signature = EcdsaSig::from_private_components(
        BigNum::from_slice(r).unwrap(),
        BigNum::from_slice(s).unwrap(),
    )
    .unwrap();
    let text = format!("{}.{}", parts[0], parts[1]);
    signature.verify(&openssl::sha::sha256(text.as_bytes()), &key).unwrap()
}

fn open(dir: &Path) -> KeyRing {
    KeyRing::open(dir, None, &SystemEntropy).unwrap()
}

#[test]
fn signatures_verify_with_the_published_key_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let jws = open(dir.path()).sign("JWT", &json!({"sub": "1"})).unwrap();
    let jwks = open(dir.path()).jwks();
    assert!(verifies(&jws, &jwks["keys"][0]));
    let forged = jws.replacen("eyJ", "eyK", 1);
    assert!(!verifies(&forged, &jwks["keys"][0]));
}

#[test]
fn a_new_key_is_published_before_it_signs_and_the_old_one_after() {
    // proves H5 (overlap)
    let dir = tempfile::tempdir().unwrap();
    let clock = Set::at(NOW);
    let rules = || Protection { published: Some(Duration::days(30)), ..Protection::default() };
    let ring = KeyRing::with(dir.path(), rules(), &SystemEntropy, clock.clone()).unwrap();
    let sign = || ring.sign("JWT", &json!({})).unwrap();
    let old = sign();
    let means = (clock.as_ref() as &dyn Clock, &SystemEntropy as &dyn Entropy);
    let rotated = rotate_signing(dir.path(), &rules(), means, Duration::hours(1)).unwrap();
    assert_eq!((rotated.made.number, rotated.destroyed), (2, vec![]));
    ring.refresh().unwrap();
    let jwks = ring.jwks();
    assert!(verifies(&sign(), &jwks["keys"][0]), "the old key still signs");
    clock.pass(Duration::hours(1));
    assert!(verifies(&sign(), &jwks["keys"][1]), "the new key signs");
    assert!(verifies(&old, &ring.jwks()["keys"][0]));
    // The next rotation destroys what no longer signs; it stays published for its thirty days.
    let rotated = rotate_signing(dir.path(), &rules(), means, Duration::hours(1)).unwrap();
    assert_eq!((rotated.made.number, rotated.destroyed), (3, vec![1]));
    assert!(!dir.path().join("signing-1.key").exists());
    ring.refresh().unwrap();
    clock.pass(Duration::days(30));
    let kid = |n: usize| jwks["keys"][n]["kid"].clone();
    let published = || -> Vec<Value> {
        ring.jwks()["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
    };
    assert_eq!(published().len(), 3 - 1, "the first one's last signature is worth nothing now");
    assert_eq!(published()[0], kid(1));
}

#[test]
fn keys_of_before_there_was_a_list_are_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    let ring = open(dir.path());
    for name in ["hash.key", "signing.json"] {
        std::fs::remove_file(dir.path().join(name)).unwrap();
    }
    let text = std::fs::read_to_string(dir.path().join("master.key")).unwrap();
    let master = hex::decode(text.trim().strip_prefix("plain ").unwrap()).unwrap();
    let master = crate::seal::Key::from_slice(&master).unwrap();
    for _ in 0..2 {
        let again = open(dir.path());
        assert_eq!(again.jwks(), ring.jwks());
        let hash = again.master().keyed_hash("person", b"1").unwrap();
        assert_eq!(hash, master.keyed_hash("person", b"1").unwrap(), "nobody is found again");
    }
}

#[test]
fn a_lost_key_is_not_replaced_by_another() {
    // proves B11 (a person is found again, or nothing starts)
    for name in ["hash.key", "master.key"] {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path());
        let path = dir.path().join(name);
        std::fs::remove_file(&path).unwrap();
        let refused = KeyRing::open(dir.path(), None, &SystemEntropy);
        assert!(matches!(refused, Err(KeyError::Malformed { .. })), "{name}");
        assert!(!path.exists(), "a new {name} is written");
    }
}

#[test]
fn a_list_that_somebody_else_wrote_is_refused() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(dir.path());
    open(other.path());
    let path = dir.path().join("signing.json");
    let list = std::fs::read_to_string(&path).unwrap();
    let foreign = std::fs::read_to_string(other.path().join("signing.json")).unwrap();
    for bad in [foreign, list.replacen("\"from\": 0", "\"from\": 1", 1)] {
        std::fs::write(&path, bad).unwrap();
        let refused = KeyRing::open(dir.path(), None, &SystemEntropy);
        assert!(matches!(refused, Err(KeyError::Altered { .. })));
    }
    std::fs::write(&path, "{").unwrap();
    let refused = KeyRing::open(dir.path(), None, &SystemEntropy);
    assert!(matches!(refused, Err(KeyError::Malformed { .. })));
}

#[test]
fn the_passphrase_seals_the_master_key_also_after_its_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let passphrase = || Secret::from("korrekt hest".to_owned());
    let made = KeyRing::open(dir.path(), Some(&passphrase()), &SystemEntropy).unwrap();
    let hash = |ring: &KeyRing| ring.master().keyed_hash("person", b"1").unwrap();
    let place = crate::seal::Place { table: "t", row: "r", column: "c" };
    let sealed = made.master().seal(&SystemEntropy, place, b"a value").unwrap();
    let wrong = KeyRing::open(dir.path(), Some(&Secret::from("x".to_owned())), &SystemEntropy);
    assert!(matches!(wrong, Err(KeyError::Seal(SealError::Open))));
    let none = KeyRing::open(dir.path(), None, &SystemEntropy);
    assert!(matches!(none, Err(KeyError::PassphraseMissing)));
    let rules = Protection { passphrase: Some(passphrase()), ..Protection::default() };
    begin_master_rotation(dir.path(), &rules, &SystemEntropy).unwrap();
    let text = std::fs::read_to_string(dir.path().join("master.key")).unwrap();
    assert!(text.starts_with("scrypt "), "the new key is not sealed");
    let again = KeyRing::open(dir.path(), Some(&passphrase()), &SystemEntropy).unwrap();
    assert_eq!((hash(&again), again.jwks()), (hash(&made), made.jwks()));
    assert_eq!(again.master().open(place, &sealed).unwrap().as_slice(), b"a value");
    end_master_rotation(dir.path()).unwrap();
    let ended = KeyRing::open(dir.path(), Some(&passphrase()), &SystemEntropy).unwrap();
    assert!(matches!(ended.master().open(place, &sealed), Err(SealError::Open)));
    assert_eq!((hash(&ended), ended.jwks()), (hash(&made), made.jwks()));
}

#[test]
fn key_files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path());
    begin_master_rotation(dir.path(), &Protection::default(), &SystemEntropy).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        seen += 1;
    }
    assert_eq!(seen, 5);
}
