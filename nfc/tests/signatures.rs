//! EF.SOD in every algorithm and form that is taken, and in those that are not: `sod.signature` and
//! `sod.digest`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod authority;

use authority::{
    Hash, Key, STATE, SUBJECT_KEY_ID, Scheme, Sod, Template, bytes, dg1, failures, integer, name,
    oid, seq, tlv,
};
use nfc::{
    check::Reason,
    files::{FileId, Files},
    passive::{self, Report},
    trust::{Domain, TrustStore},
};
use openssl::nid::Nid;
use time::macros::date;

/// A state: its key, its store, and a document signer.
struct State {
    store: TrustStore,
    signer: Key,
    certificate: Vec<u8>,
}

impl State {
    fn new(signer: Key) -> Self {
        let csca = Key::usual();
        let mut store = TrustStore::new(Domain::Qa);
        store.add_der(&Template::issuer(&csca, &csca).sign(&csca)).unwrap();
        let certificate = Template::signer(&signer, &csca).sign(&csca);
        Self { store, signer, certificate }
    }

    fn sod(&self) -> Sod {
        Sod::of(&[(1, dg1())], self.certificate.clone())
    }

    fn judge(&self, sod: &Sod) -> Report {
        judge(sod.sign(&self.signer), &self.store)
    }
}

fn judge(sod: Vec<u8>, store: &TrustStore) -> Report {
    let files: Files = [(FileId::DG1, dg1()), (FileId::Sod, sod)].into_iter().collect();
    passive::verify(&files, store, date!(2026 - 07 - 01))
}

fn remarks(report: &Report) -> Vec<String> {
    let check = report.checks.iter().find(|check| check.id == "sod.signature").unwrap();
    serde_json::from_value(check.evidence["remarks"].clone()).unwrap()
}

const ALL: [Hash; 5] = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];

/// One changed byte of the signature, wherever it stands, and it is no signature any more.
fn holds_and_breaks(key: Key) {
    let what = format!("{:?}", key.scheme);
    let state = State::new(key);
    let file = state.sod().sign(&state.signer);
    let report = judge(file.clone(), &state.store);
    assert_eq!(failures(&report), [], "{what}: {:?}", report.checks);
    assert!(report.verified.is_some(), "{what}");
    for from_end in [1, 9] {
        let mut changed = file.clone();
        let at = changed.len() - from_end;
        changed[at] ^= 4;
        let reasons = failures(&judge(changed, &state.store));
        assert_eq!(reasons, [Reason::SodSignatureInvalid], "{what}");
    }
}

#[test]
fn rsa_holds_with_every_hash_and_salt() {
    let rsa = Key::rsa(2048, Scheme::Pkcs1(Hash::Sha256));
    for hash in ALL {
        for scheme in [
            Scheme::Pkcs1(hash),
            Scheme::Pkcs1Bare(hash),
            Scheme::Pkcs1NoNull(hash),
            Scheme::Pss(hash, 20),
            Scheme::Pss(hash, 32),
            Scheme::Pss(hash, 0),
            Scheme::Pss(hash, 64),
        ] {
            holds_and_breaks(Key { scheme, ..rsa.clone() });
        }
    }
}

#[test]
fn ecdsa_holds_on_every_curve_in_every_form() {
    for curve in [
        Nid::X9_62_PRIME192V1,
        Nid::SECP224R1,
        Nid::X9_62_PRIME256V1,
        Nid::SECP384R1,
        Nid::SECP521R1,
        Nid::BRAINPOOL_P224R1,
        Nid::BRAINPOOL_P256R1,
        Nid::BRAINPOOL_P320R1,
        Nid::BRAINPOOL_P384R1,
        Nid::BRAINPOOL_P512R1,
    ] {
        holds_and_breaks(Key::ec(curve, Scheme::Ecdsa(Hash::Sha256)));
        holds_and_breaks(Key::ec_explicit(curve, Scheme::Ecdsa(Hash::Sha384)));
        holds_and_breaks(Key::ec(curve, Scheme::EcdsaPlain(Hash::Sha256)));
    }
    for hash in ALL {
        let curve = Nid::BRAINPOOL_P256R1;
        holds_and_breaks(Key::ec(curve, Scheme::Ecdsa(hash)));
        holds_and_breaks(Key::ec(curve, Scheme::EcdsaPlain(hash)));
        holds_and_breaks(Key::ec(curve, Scheme::EcdsaSpecified(hash)));
    }
}

/// ICAO 9303-12 §4.4; TR-03105-5.1 LDS_H_08, 97, 98.
#[test]
fn dsa_holds() {
    holds_and_breaks(Key::dsa(1024, 160, Scheme::Dsa(Hash::Sha1)));
    holds_and_breaks(Key::dsa(2048, 224, Scheme::Dsa(Hash::Sha224)));
    holds_and_breaks(Key::dsa(2048, 256, Scheme::Dsa(Hash::Sha256)));
}

#[test]
fn algorithms_of_the_store_hold_too() {
    for csca in [
        Key::dsa(2048, 256, Scheme::Dsa(Hash::Sha256)),
        Key::rsa(2048, Scheme::Pss(Hash::Sha512, 20)),
        Key::ec_explicit(Nid::BRAINPOOL_P384R1, Scheme::EcdsaPlain(Hash::Sha384)),
    ] {
        let signer = Key::usual();
        let mut store = TrustStore::new(Domain::Qa);
        store.add_der(&Template::issuer(&csca, &csca).sign(&csca)).unwrap();
        let certificate = Template::signer(&signer, &csca).sign(&csca);
        let sod = Sod::of(&[(1, dg1())], certificate).sign(&signer);
        assert_eq!(failures(&judge(sod, &store)), [], "{:?}", csca.scheme);
    }
}

#[test]
fn md5_is_refused_wherever_it_stands() {
    let state = State::new(Key::rsa(2048, Scheme::Pkcs1(Hash::Md5)));
    let reasons = failures(&state.judge(&state.sod()));
    assert_eq!(reasons, [Reason::SodAlgorithm; 2], "signature and content");

    let state = State::new(Key::usual());
    let reasons = failures(&state.judge(&Sod { hash: Hash::Md5, ..state.sod() }));
    assert_eq!(reasons, [Reason::SodAlgorithm], "data groups");

    // The signer's certificate.
    let csca = Key::rsa(2048, Scheme::Pkcs1(Hash::Md5));
    let signer = Key::usual();
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(&Template::issuer(&csca, &csca).sign(&csca)).unwrap();
    let certificate = Template::signer(&signer, &csca).sign(&csca);
    let sod = Sod::of(&[(1, dg1())], certificate).sign(&signer);
    assert_eq!(failures(&judge(sod, &store)), [Reason::SodAlgorithm], "certificate");
}

/// Real passports hash the content with one function and the attributes with another. What an
/// attacker changes in the unsigned name of the function has a digest of another length.
#[test]
fn a_digest_of_another_function_than_named_is_refused() {
    let state = State::new(Key::rsa(2048, Scheme::Pkcs1(Hash::Sha256)));
    let report = state.judge(&Sod { digest: Some(Hash::Sha512), ..state.sod() });
    assert_eq!(failures(&report), []);
    assert_eq!(remarks(&report), ["hashes_differ"]);
    for confused in [Hash::Sha1, Hash::Sha224, Hash::Sha384, Hash::Sha512] {
        let right = state.sod().right_attributes(Hash::Sha256);
        let sod = Sod { digest: Some(confused), attributes: Some(right), ..state.sod() };
        assert_eq!(failures(&state.judge(&sod)), [Reason::SodDigestMismatch], "{confused:?}");
    }
}

const DIGEST: &str = "1.2.840.113549.1.9.4";
const TIME: &str = "1.2.840.113549.1.9.5";

#[test]
fn attributes_stand_once_and_have_one_value() {
    let state = State::new(Key::usual());
    let right = state.sod().right_attributes(Hash::Sha256);
    for (i, attribute) in right.iter().enumerate() {
        let twice = [right.clone(), vec![attribute.clone()]].concat();
        let sod = Sod { attributes: Some(twice), ..state.sod() };
        assert_eq!(failures(&state.judge(&sod)), [Reason::SodMalformed], "attribute {i} twice");
    }
    let digest = bytes(0x04, &Hash::Sha256.digest(&state.sod().content()));
    let mut two = right.clone();
    two[1] = Sod::attribute(DIGEST, &[digest.clone(), digest]);
    let sod = Sod { attributes: Some(two), ..state.sod() };
    assert_eq!(failures(&state.judge(&sod)), [Reason::SodMalformed], "two values");
    for missing in [0, 1] {
        let mut fewer = right.clone();
        fewer.remove(missing);
        let sod = Sod { attributes: Some(fewer), ..state.sod() };
        assert_eq!(failures(&state.judge(&sod)), [Reason::SodMalformed], "{missing} missing");
    }
    let more = [right, vec![Sod::attribute("1.2.3.4", &[integer(1)])]].concat();
    let sod = Sod { attributes: Some(more), ..state.sod() };
    assert_eq!(failures(&state.judge(&sod)), [], "an unknown attribute");
}

/// What nobody signed is not read: here a signing time at which the signer was not valid.
#[test]
fn unsigned_attributes_are_not_read() {
    let state = State::new(Key::usual());
    let late = Sod::attribute(TIME, &[authority::utc(date!(2045 - 01 - 01))]);
    let report = state.judge(&Sod { unsigned: vec![late], ..state.sod() });
    assert_eq!(failures(&report), []);
    assert_eq!(remarks(&report), ["unsigned_attributes"]);
}

#[test]
fn there_is_one_signer() {
    let state = State::new(Key::usual());
    for signers in [0, 2] {
        let reasons = failures(&state.judge(&Sod { signers, ..state.sod() }));
        assert_eq!(reasons, [Reason::SodMalformed], "{signers}");
    }
}

#[test]
fn the_signer_is_named_by_either_means() {
    let state = State::new(Key::usual());
    let by_key = bytes(0x80, &state.signer.id());
    let report = state.judge(&Sod { identifier: by_key.clone(), version: 3, ..state.sod() });
    assert_eq!((failures(&report), remarks(&report)), (vec![], vec![]));
    // Versions that do not go with it are met.
    for sod in
        [Sod { identifier: by_key, version: 1, ..state.sod() }, Sod { version: 3, ..state.sod() }]
    {
        let report = state.judge(&sod);
        assert_eq!(failures(&report), []);
        assert_eq!(remarks(&report), ["signer_info_version"]);
    }
    // The issuer in another string type, case and order; the serial number with a zero too many.
    let part = |kind, tag, text: &str| tlv(0x31, &[seq(&[oid(kind), bytes(tag, text.as_bytes())])]);
    let other = seq(&[part("2.5.4.3", 0x13, "csca "), part("2.5.4.6", 0x13, "ut")]);
    let identifier = seq(&[other, bytes(0x02, &[0, 0x21])]);
    assert_eq!(failures(&state.judge(&Sod { identifier, ..state.sod() })), []);
    for wrong in [seq(&[name(STATE, "CSCA"), bytes(0x02, &[0x22])]), bytes(0x80, &[7; 20])] {
        let reasons = failures(&state.judge(&Sod { identifier: wrong, ..state.sod() }));
        assert_eq!(reasons, [Reason::SignerNotFound]);
    }
}

/// Ukraine names another issuer than its certificates have; some certificates have no identifier.
#[test]
fn a_signer_that_is_named_otherwise_is_found_by_its_signature() {
    let state = State::new(Key::usual());
    let renamed = seq(&[name(STATE, "CSCB"), bytes(0x02, &[0x21])]);
    let report = state.judge(&Sod { identifier: renamed.clone(), ..state.sod() });
    assert_eq!(failures(&report), []);
    assert_eq!(report.checks[0].evidence["signer_from"], "document_unnamed");
    // The signature decides all the same.
    let stranger = Key::usual();
    let reasons =
        failures(&judge(Sod { identifier: renamed, ..state.sod() }.sign(&stranger), &state.store));
    assert_eq!(reasons, [Reason::SodSignatureInvalid]);

    let csca = Key::usual();
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(&Template::issuer(&csca, &csca).sign(&csca)).unwrap();
    let bare = Template::signer(&state.signer, &csca).without(SUBJECT_KEY_ID).sign(&csca);
    let by_key = bytes(0x80, &state.signer.id());
    let sod = Sod { identifier: by_key, version: 3, ..Sod::of(&[(1, dg1())], bare) };
    assert_eq!(failures(&judge(sod.sign(&state.signer), &store)), []);
}

#[test]
fn the_content_is_of_a_type_that_real_documents_have() {
    let state = State::new(Key::usual());
    for content_type in ["1.3.27.1.1.1", "1.2.528.1.1006.1.20.1", "1.2.840.113549.1.7.1"] {
        let sod = Sod { content_type, ..state.sod() };
        assert_eq!(failures(&state.judge(&sod)), [], "{content_type}");
        // The signed type is the one that stands beside the content.
        let attributes = Some(state.sod().right_attributes(Hash::Sha256));
        let sod = Sod { attributes, ..sod };
        assert_eq!(failures(&state.judge(&sod)), [Reason::SodMalformed], "{content_type}");
    }
    for content_type in ["0.4.0.127.0.7.3.2.1", "2.23.136.1.1.2"] {
        let sod = Sod { content_type, ..state.sod() };
        assert_eq!(failures(&state.judge(&sod)), [Reason::SodMalformed], "{content_type}");
    }
}

#[test]
fn the_right_one_of_several_certificates_is_taken() {
    let state = State::new(Key::usual());
    let stranger = Key::usual();
    // Same issuer and serial number, another key; what is no certificate; another signer.
    let double = Template::signer(&stranger, &stranger).sign(&stranger);
    let other = Template { serial: vec![7], ..Template::signer(&stranger, &stranger) };
    let junk = seq(&[integer(1)]);
    let certificates = vec![double, junk, other.sign(&stranger), state.certificate.clone()];
    assert_eq!(failures(&state.judge(&Sod { certificates, ..state.sod() })), []);
}

/// TR-03105-5.1 LDS_H_15.
#[test]
fn a_signer_that_was_left_out_is_found_in_the_store_and_trusted_for_nothing() {
    let mut state = State::new(Key::usual());
    let bare = Sod { certificates: vec![], ..state.sod() };
    assert_eq!(failures(&state.judge(&bare)), [Reason::SignerNotFound]);
    state.store.add_signer_der(&state.certificate).unwrap();
    let report = state.judge(&bare);
    assert_eq!(failures(&report), []);
    assert_eq!(report.basis().signer.as_ref(), Some(&state.certificate));
    let by_key = Sod { identifier: bytes(0x80, &state.signer.id()), version: 3, ..bare.clone() };
    assert_eq!(failures(&state.judge(&by_key)), []);

    let mut nobody = TrustStore::new(Domain::Qa);
    nobody.add_signer_der(&state.certificate).unwrap();
    let reasons = failures(&judge(bare.sign(&state.signer), &nobody));
    assert_eq!(reasons, [Reason::CscaUnknown]);
}

/// Indefinite lengths down to the content, as some states' files have them.
#[test]
fn ber_is_taken() {
    let state = State::new(Key::usual());
    let der = state.sod().message(&state.signer);
    let file = tlv(0x77, &[indefinite(&der, 3)]);
    assert_ne!(file, tlv(0x77, &[der]));
    assert_eq!(failures(&judge(file, &state.store)), []);
}

/// `levels` of constructed elements get an indefinite length; a content is cut in two.
fn indefinite(element: &[u8], levels: usize) -> Vec<u8> {
    let mut reader = nfc::tlv::Reader::new(element);
    let mut out = Vec::new();
    while let Some(tlv) = reader.next_element().unwrap() {
        // Certificates and signed attributes stay as they are, as signers leave them.
        let is_content = levels == 0 && tlv.tag.0 == 0xA0 && tlv.value.first() == Some(&0x04);
        if levels > 0 && tlv.tag.is_constructed() {
            out.extend([tlv.bytes[0], 0x80]);
            out.extend(indefinite(tlv.value, levels - 1));
            out.extend([0, 0]);
        } else if is_content {
            let content = tlv.reader().next_element().unwrap().unwrap().value;
            let (one, two) = content.split_at(5);
            out.extend([0xA0, 0x80, 0x24, 0x80]);
            out.extend([bytes(0x04, one), bytes(0x04, two)].concat());
            out.extend([0; 4]);
        } else {
            out.extend(tlv.bytes);
        }
    }
    out
}
