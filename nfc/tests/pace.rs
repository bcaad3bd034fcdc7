//! PACE against the emulated chip, which was written from the standard apart from the reader: every
//! mapping, group, cipher and password (ICAO 9303-11 §4.4.3), and then the whole reading with what
//! EF.CardAccess offers, refuses and promises.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use fixtures::{
    catalogue,
    chip::{Chip, Profile},
    passport::Passport,
    portraits::Portraits,
    spec::{Fault, Group, PaceSpec, Spec},
};
use nfc::{
    apdu::{Command, Response, StatusWord},
    check::{Outcome, Reason},
    crypto::ec,
    files::FileId,
    lds::security_infos::SecurityInfos,
    link::{self, Batch, Link, LinkError, one_by_one},
    pace::{self, Agreement, Established, Mapping, Password, Suite},
    random::{Random, RandomError, SystemRandom},
    reader::{
        self, AccessKey, AccessPolicy, BacPolicy, Can, ChipReading, Limits, ReadError, ReadRequest,
        RefusedBy,
    },
    tlv::{self, Tag},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);
const CAN: &str = "512806";
const INFORMATION: &str = "T22000129364081251010318";
/// A file that the open chip holds: what is read after PACE.
const COM: [u8; 6] = [0x60, 0x04, 0x5F, 0x01, 0x01, 0x30];

/// Parameter id and the name in descriptions.
const CURVES: [(u8, &str); 11] = [
    (8, "P-192"),
    (9, "brainpoolP192r1"),
    (10, "P-224"),
    (11, "brainpoolP224r1"),
    (12, "P-256"),
    (13, "brainpoolP256r1"),
    (14, "brainpoolP320r1"),
    (15, "P-384"),
    (16, "brainpoolP384r1"),
    (17, "brainpoolP512r1"),
    (18, "P-521"),
];
const GROUPS: [(u8, &str); 3] = [(0, "modp-1024-160"), (1, "modp-2048-224"), (2, "modp-2048-256")];
const CIPHERS: [&str; 4] = ["3des", "aes-128", "aes-192", "aes-256"];

struct InProcess(Chip);

impl Link for InProcess {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| {
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

fn variant(mapping: &str, group: &str, cipher: &str) -> PaceSpec {
    let text = format!("mapping = '{mapping}'\ngroup = '{group}'\ncipher = '{cipher}'");
    toml::from_str(&text).unwrap()
}

/// The reader's view of the same variant.
fn suite(arc: u8, cipher: u8, parameter_id: u8) -> Option<Suite> {
    let mut info = tlv::encode(Tag(6), &[4, 0, 0x7F, 0, 7, 2, 2, 4, arc, cipher]);
    tlv::push(&mut info, Tag(2), &[2]);
    tlv::push(&mut info, Tag(2), &[parameter_id]);
    let set = tlv::encode(Tag(0x31), &tlv::encode(Tag(0x30), &info));
    Suite::choose(&SecurityInfos::parse(&set).unwrap()).into_iter().next()
}

/// Draws the same bytes again and again: the chip's static key.
struct Ones;

impl Random for Ones {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), RandomError> {
        bytes.fill(1);
        Ok(())
    }
}

/// A chip with this variant alone, and the public point of its key for the chip authentication
/// mapping.
fn chip(variant: &PaceSpec, agreement: Agreement) -> (Chip, Option<Vec<u8>>) {
    let files = BTreeMap::from([("EF.COM".to_owned(), COM.to_vec())]);
    let profile = Profile::open(&files).with_pace(&[*variant], INFORMATION, Some(CAN)).unwrap();
    let (Group::Curve(curve), Agreement::Ecdh(ours)) = (variant.group, agreement) else {
        return (Chip::of(profile), None);
    };
    let domain = ec::Domain::new(ours).unwrap();
    let pair = domain.key_pair(domain.scalar(&mut Ones).unwrap()).unwrap();
    let secret = vec![1; domain.coordinate_length()];
    let profile = profile.with_mapping_secret(curve, &secret).unwrap();
    (Chip::of(profile), Some(domain.encode(&pair).unwrap()))
}

fn establish(chip: &mut InProcess, suite: &Suite, password: &Password) -> Established {
    let first = pace::start(suite.clone(), password, &mut SystemRandom).unwrap();
    link::drive::<_, ReadError>(first, chip).unwrap_or_else(|error| panic!("{suite:?}: {error:?}"))
}

/// Reads EF.COM in the session.
fn read_com(chip: &mut InProcess, established: Established) -> Vec<u8> {
    let select = Command::new(0x00, 0xA4, 0x04, 0x0C).with_data([0xA0, 0, 0, 2, 0x47, 0x10, 1]);
    let read = Command::new(0x00, 0xB0, 0x9E, 0x00).expecting(COM.len());
    let wrapped = established.session.wrap_all(&[select, read]).unwrap();
    let replies = chip.transmit(&Batch::new(wrapped)).unwrap();
    let mut session = established.session;
    let mut last = Vec::new();
    for reply in &replies {
        let (next, opened) = session.unwrap(reply).unwrap();
        assert_eq!(opened.status, StatusWord::OK);
        (session, last) = (next, opened.data);
    }
    last
}

/// Every cipher of a mapping over these groups; how many combinations there are.
fn run_all(mapping: &str, arc: u8, groups: &[(u8, &str)]) -> usize {
    let mut count = 0;
    for (parameter_id, group) in groups {
        for (cipher, name) in (1..).zip(CIPHERS) {
            let Some(suite) = suite(arc, cipher, *parameter_id) else { continue };
            let (chip, static_key) = chip(&variant(mapping, group, name), suite.agreement);
            let mut chip = InProcess(chip);
            let password = match cipher % 2 {
                0 => Password::mrz(INFORMATION).unwrap(),
                _ => Password::can(CAN),
            };
            let mut established = establish(&mut chip, &suite, &password);
            let proof = established.mapping.take();
            assert_eq!(proof.is_some(), suite.mapping == Mapping::ChipAuthentication);
            if let Some(proof) = proof {
                let proof = proof.unwrap();
                assert!(proof.is_proved_by(&static_key.unwrap()).unwrap(), "{group} {name}");
                assert_eq!(proof.key_id(), u32::from(*parameter_id));
            }
            assert_eq!(read_com(&mut chip, established), COM, "{mapping} {group} {name}");
            count += 1;
        }
    }
    count
}

#[test]
fn generic_mapping_over_every_curve() {
    assert_eq!(run_all("gm", 2, &CURVES), 44);
}

#[test]
fn integrated_mapping_over_every_curve_but_p224() {
    assert_eq!(run_all("im", 4, &CURVES), 40);
}

#[test]
fn chip_authentication_mapping_over_every_curve() {
    assert_eq!(run_all("cam", 6, &CURVES), 33);
}

#[test]
fn generic_mapping_in_every_field() {
    assert_eq!(run_all("gm", 1, &GROUPS), 12);
}

#[test]
fn integrated_mapping_in_every_field() {
    assert_eq!(run_all("im", 3, &GROUPS), 12);
}

#[test]
fn another_password_is_denied() {
    for (mapping, arc, group, id) in
        [("gm", 2, "P-256", 12), ("im", 4, "P-256", 12), ("gm", 1, "modp-1024-160", 0)]
    {
        let suite = suite(arc, 2, id).unwrap();
        let (chip, _) = chip(&variant(mapping, group, "aes-128"), suite.agreement);
        let first = pace::start(suite, &Password::can("512807"), &mut SystemRandom).unwrap();
        let result = link::drive::<_, ReadError>(first, &mut InProcess(chip));
        assert_eq!(result.map(drop).unwrap_err().reason(), Reason::AccessDenied);
    }
}

/// The good passport with these variants.
fn passport(pace: &[PaceSpec], change: impl FnOnce(&mut Spec)) -> Passport {
    let mut spec = catalogue::find("good").unwrap().spec;
    spec.access.pace = pace.to_vec();
    change(&mut spec);
    Passport::make(&spec, &Portraits::drawn(), TODAY).unwrap()
}

fn request(passport: &Passport) -> ReadRequest {
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(&passport.trust.csca).unwrap();
    store.add_crl_der(&passport.trust.crl).unwrap();
    ReadRequest {
        key: AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key()),
        trust: Arc::new(store),
        at: TODAY,
        aa_challenge: [0x5A; 8],
        limits: Limits::EXTENDED,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    }
}

fn read_by(passport: &Passport, request: ReadRequest) -> Result<ChipReading, ReadError> {
    link::drive(reader::start(request), &mut InProcess(Chip::new(passport)))
}

fn read(passport: &Passport) -> ChipReading {
    read_by(passport, request(passport)).unwrap()
}

fn failures(reading: &ChipReading) -> Vec<Reason> {
    let failed = reading.checks.iter().filter_map(|check| match check.outcome {
        Outcome::Failed(reason) => Some(reason),
        _ => None,
    });
    failed.collect()
}

fn gm_and_cam() -> [PaceSpec; 2] {
    [variant("gm", "brainpoolP256r1", "aes-256"), variant("cam", "brainpoolP384r1", "aes-192")]
}

fn faults(text: &str) -> Vec<Fault> {
    #[derive(serde::Deserialize)]
    struct Faults {
        faults: Vec<Fault>,
    }
    toml::from_str::<Faults>(text).unwrap().faults
}

#[test]
fn a_chip_that_offers_the_chip_authentication_mapping_is_proved_by_it() {
    let passport = passport(&gm_and_cam(), |_| {});
    let reading = read(&passport);
    assert_eq!(reading.access.mapping, Some("CAM"));
    assert_eq!((reading.access.parameter_id, reading.access.cipher), (Some(16), "AES-192"));
    assert_eq!(failures(&reading), []);
    assert!(reading.files.get(FileId::CardSecurity).is_some());
    let chip = reading.checks.iter().find(|check| check.id == "chip_authentication").unwrap();
    assert_eq!(chip.outcome, Outcome::Passed);
    assert_eq!(chip.evidence["protocol"]["mapping"], "CAM");
    assert_eq!(chip.evidence["protocol"]["key_id"], 16);
    assert_eq!(chip.evidence["card_security"]["signer.chain"], "passed");
    let active = reading.checks.iter().find(|check| check.id == "active_authentication").unwrap();
    assert_eq!(active.outcome, Outcome::Passed);
}

#[test]
fn an_ef_card_security_that_does_not_prove_the_chip_fails_it() {
    let doubts = ["wrong-key", "without-key", "absent"];
    for doubt in doubts {
        let passport = passport(&gm_and_cam(), |spec| {
            let text = format!("bac = true\npace = []\ncard_security = '{doubt}'");
            let access: fixtures::spec::AccessSpec = toml::from_str(&text).unwrap();
            spec.access.card_security = access.card_security;
        });
        let reading = read(&passport);
        assert_eq!(failures(&reading), [Reason::ChipAuthenticationFailed], "{doubt}");
    }
}

#[test]
fn an_ef_card_security_that_nobody_signed_proves_nothing() {
    let passport = passport(&gm_and_cam(), |_| {});
    let files = read(&passport).files;
    let store = request(&passport).trust;
    let verify = |file: &[u8]| {
        nfc::passive::verify_card_security(file, &files, &store, TODAY).verified.is_some()
    };
    let genuine = files.get(FileId::CardSecurity).unwrap();
    assert!(verify(genuine));
    let content = nfc::lds::card_security::parse(genuine).unwrap().content;
    let start = genuine.windows(content.len()).position(|window| window == content).unwrap();
    // Every byte of the content, and the last of the signature.
    for index in (start..start + content.len()).chain([genuine.len() - 1]) {
        let mut changed = genuine.to_vec();
        *changed.get_mut(index).unwrap() ^= 0x01;
        assert!(!verify(&changed), "byte {index}");
    }
    assert!(!verify(&[]));
    // Rightly signed, but content of another type.
    let sod = tlv::single(files.get(FileId::Sod).unwrap(), Tag(0x77)).unwrap();
    assert!(!verify(sod.value));
}

#[test]
fn chip_authentication_data_that_are_not_what_they_should_be_fail_the_chip() {
    for fault in ["missing", "empty", "wrong", "garbled", "not-octet-string", "wrong-tag"] {
        let passport = passport(&gm_and_cam(), |spec| {
            spec.chip.faults =
                faults(&format!("[[faults]]\non = {{}}\ndo = {{ cam = '{fault}' }}"));
        });
        let reading = read(&passport);
        assert_eq!(failures(&reading), [Reason::ChipAuthenticationFailed], "{fault}");
    }
}

#[test]
fn keys_that_the_chip_spoils_end_the_reading() {
    let kinds = ["off-group", "neutral", "zero", "wrong-x", "wrong-y", "too-big", "minus-one"];
    let encodings = ["compressed", "short", "long", "empty", "missing"];
    for (mapping, group) in [("gm", "brainpoolP256r1"), ("im", "P-256"), ("gm", "modp-1024-160")] {
        for (step, key) in [2, 3]
            .into_iter()
            .flat_map(|step| kinds.into_iter().chain(encodings).map(move |key| (step, key)))
        {
            let honest = (mapping == "im" && step == 2)
                // A generator is a point like any other, and DH knows no compression.
                || (key == "minus-one" || key == "compressed") && (key == "minus-one") != group.starts_with("modp");
            let variant = variant(mapping, group, "aes-128");
            let files = BTreeMap::from([("EF.COM".to_owned(), COM.to_vec())]);
            let profile = Profile::open(&files).with_pace(&[variant], "", Some(CAN)).unwrap();
            let script = format!(
                "[[faults]]\non = {{ command = 'general-authenticate', step = {step} }}\ndo = {{ public_key = '{key}' }}"
            );
            let chip = Chip::of(profile).with_faults(faults(&script));
            let (arc, id) = match group {
                "modp-1024-160" => (1, 0),
                "P-256" => (4, 12),
                _ => (2, 13),
            };
            let first =
                pace::start(suite(arc, 2, id).unwrap(), &Password::can(CAN), &mut SystemRandom);
            let result = link::drive::<_, ReadError>(first.unwrap(), &mut InProcess(chip));
            match result {
                Ok(_) => assert!(honest, "{mapping} {group} step {step} {key}"),
                Err(error) => {
                    let reason = error.reason();
                    let expected = [Reason::Protocol, Reason::AccessDenied];
                    assert!(
                        expected.contains(&reason),
                        "{mapping} {group} {step} {key}: {error:?}"
                    );
                    assert!(
                        honest || reason == Reason::Protocol,
                        "{mapping} {group} {step} {key}: {error:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn invalid_and_unknown_entries_are_passed_over() {
    let passport = passport(&[variant("gm", "P-256", "aes-128")], |spec| {
        let text = "bac = true\npace = []\nextra_infos = [\n\
            { info = { invalid-pace = { arcs = [6, 9], parameter_id = 12 } } },\n\
            { info = { invalid-pace = { arcs = [6, 1], parameter_id = 12 } } },\n\
            { info = { pace-domain-parameters = { group = 'P-384', parameter_id = 40 } } },\n]";
        let access: fixtures::spec::AccessSpec = toml::from_str(text).unwrap();
        spec.access.extra_infos = access.extra_infos;
    });
    let reading = read(&passport);
    assert_eq!(reading.access.mapping, Some("GM"));
    assert_eq!(failures(&reading), []);
}

const REFUSES_PACE: &str = "[[faults]]\n\
    on = { command = 'manage-security-environment', protected = false }\ndo = { status = '6A80' }";

#[test]
fn bac_after_a_refused_pace_is_evidence_and_policy() {
    let passport = passport(&[variant("gm", "P-256", "aes-128")], |spec| {
        spec.chip.faults = faults(REFUSES_PACE);
    });
    let reading = read(&passport);
    assert_eq!((reading.access.protocol, reading.access.pace_offered), ("BAC", true));
    let refused: Vec<_> = reading.access.refused.iter().map(|r| (r.announced, &r.by)).collect();
    let by = RefusedBy::Chip("6A80".to_owned());
    assert_eq!(refused, [(false, &by), (true, &by)]);
    assert_eq!(failures(&reading), []);
    for bac in [BacPolicy::Never, BacPolicy::Unoffered] {
        let policy = AccessPolicy { bac, announce_again: false, ..AccessPolicy::default() };
        let error = read_by(&passport, ReadRequest { policy, ..request(&passport) });
        match error.map(drop).unwrap_err() {
            ReadError::NoAccessProtocol { refused } => assert_eq!(refused.len(), 1),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn mappings_that_the_policy_does_not_allow_are_not_used() {
    let passport = passport(&gm_and_cam(), |_| {});
    let policy = AccessPolicy { mappings: vec![Mapping::Generic], ..AccessPolicy::default() };
    let reading = read_by(&passport, ReadRequest { policy, ..request(&passport) }).unwrap();
    assert_eq!((reading.access.mapping, reading.access.cipher), (Some("GM"), "AES-256"));
    assert_eq!(failures(&reading), []);
}

/// 2048-bit keys do not fit a short APDU.
#[test]
fn a_link_of_short_lengths_leaves_out_what_it_cannot_carry() {
    let passport = passport(&[variant("gm", "modp-2048-256", "aes-128")], |_| {});
    let reading = read(&passport);
    assert_eq!((reading.access.protocol, reading.access.agreement), ("PACE", Some("DH")));
    let request = ReadRequest { limits: Limits::SHORT, ..request(&passport) };
    let reading = read_by(&passport, request).unwrap();
    assert_eq!(reading.access.protocol, "BAC");
    assert!(reading.access.refused.iter().all(|refusal| refusal.by == RefusedBy::Link));
    assert!(!reading.access.refused.is_empty());
}

#[test]
fn a_card_access_number_opens_with_every_mapping() {
    for mapping in ["gm", "im", "cam"] {
        let both = [variant(mapping, "P-256", "aes-128"), variant("gm", "P-384", "3des")];
        let passport = passport(&both, |_| {});
        let key = AccessKey::Can(Can::new(CAN));
        let reading = read_by(&passport, ReadRequest { key, ..request(&passport) }).unwrap();
        assert_eq!((reading.access.password, failures(&reading)), ("CAN", vec![]), "{mapping}");
    }
}
