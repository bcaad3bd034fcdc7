//! The reader against the emulated chip of `fixtures`, which was written from the standard apart
//! from it: what each passport yields, what each way of being wrong ends in, and what it costs.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex},
};

use fixtures::{
    catalogue,
    chip::Chip,
    passport::Passport,
    portraits::Portraits,
    spec::{Fault, Spec},
};
use nfc::{
    apdu::Response,
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    link::{self, Batch, Counting, Link, LinkError, Traffic, one_by_one},
    passive,
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, Can, ChipReading, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use time::{Date, macros::date};

const TODAY: Date = date!(2026 - 11 - 22);
const CHALLENGE: [u8; 8] = [0x5A; 8];

/// The emulated chip in process; an empty reply is a chip that left the field.
struct InProcess(Chip);

impl Link for InProcess {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| {
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

/// A passport of the catalogue, made once: drawing its pictures takes longest.
fn passport(name: &str) -> Passport {
    static MADE: LazyLock<Mutex<BTreeMap<String, Passport>>> = LazyLock::new(Mutex::default);
    let mut made = MADE.lock().unwrap();
    let make = || make(&catalogue::find(name).unwrap().spec);
    made.entry(name.to_owned()).or_insert_with(make).clone()
}

fn make(spec: &Spec) -> Passport {
    Passport::make(spec, &Portraits::drawn(), TODAY).unwrap()
}

fn trust(passport: &Passport) -> TrustStore {
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(&passport.trust.csca).unwrap();
    store.add_crl_der(&passport.trust.crl).unwrap();
    store
}

fn mrz_key(passport: &Passport) -> AccessKey {
    AccessKey::Mrz(mrz::parse(&passport.mrz_lines.join("\n")).unwrap().access_key())
}

fn request(passport: &Passport, limits: Limits) -> ReadRequest {
    ReadRequest {
        key: mrz_key(passport),
        trust: Arc::new(trust(passport)),
        at: TODAY,
        aa_challenge: CHALLENGE,
        limits,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    }
}

fn run(request: ReadRequest, chip: Chip) -> (Result<ChipReading, ReadError>, Traffic) {
    let mut counting = Counting::new(InProcess(chip));
    let result = link::drive(reader::start(request), &mut counting);
    (result, counting.traffic())
}

fn read(passport: &Passport, limits: Limits) -> (ChipReading, Traffic) {
    let (result, traffic) = run(request(passport, limits), Chip::new(passport));
    (result.unwrap(), traffic)
}

fn failures(checks: &[Check]) -> Vec<Reason> {
    let failed = checks.iter().filter_map(|check| match check.outcome {
        Outcome::Failed(reason) => Some(reason),
        _ => None,
    });
    failed.collect()
}

fn outcome(checks: &[Check], id: &str) -> Outcome {
    checks.iter().find(|check| check.id == id).unwrap_or_else(|| panic!("no check {id}")).outcome
}

/// proves B2, B3, B4
#[test]
fn a_good_passport_passes_every_check_over_pace() {
    let passport = passport("good");
    for limits in [Limits::SHORT, Limits::EXTENDED] {
        let (reading, traffic) = read(&passport, limits);
        println!("good, extended {}: {traffic:?}", limits.extended);
        assert_eq!(reading.access.protocol, "PACE");
        let access = serde_json::to_value(&reading.access).unwrap();
        assert_eq!(access["mapping"], "GM");
        assert_eq!(access["parameter_id"], 13);
        assert_eq!(access["cipher"], "AES-128");
        for check in &reading.checks {
            assert_eq!(check.outcome, Outcome::Passed, "{check:?}");
        }
        let ids: Vec<_> = reading.checks.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), 13, "{ids:?}");
        assert!(reading.report.verified.is_some());
        assert_eq!(reading.aa_evidence.as_ref().unwrap().challenge, CHALLENGE);
        for (id, bytes) in reading.files.iter() {
            assert_eq!(Some(bytes), passport.files.get(&id.to_string()).map(Vec::as_slice), "{id}");
        }
        assert_eq!(reading.files.iter().count(), passport.files.len());
        assert!(traffic.round_trips <= 9, "{traffic:?}");
        let portraits = nfc::lds::dg2::portraits(reading.files.get(FileId::DG2).unwrap()).unwrap();
        assert_eq!(portraits[0].bytes, passport.portrait);
    }
}

#[test]
fn the_number_of_commands_is_near_what_is_possible() {
    let (reading, traffic) = read(&passport("good"), Limits::SHORT);
    // Each file in blocks of 223 bytes; EF.CardAccess, PACE in 5, SELECT, chip authentication in
    // 2, active authentication, and one under the old keys.
    let blocks: usize = reading
        .files
        .iter()
        .filter(|(id, _)| *id != FileId::CardAccess)
        .map(|(_, bytes)| bytes.len().div_ceil(223))
        .sum();
    assert_eq!(traffic.apdus, blocks + 1 + 5 + 1 + 2 + 1 + 1, "{traffic:?}");
}

#[test]
fn a_chip_without_pace_is_read_over_bac() {
    let mut spec = catalogue::find("good").unwrap().spec;
    spec.access.pace = Vec::new();
    let passport = make(&spec);
    let (reading, traffic) = read(&passport, Limits::SHORT);
    println!("BAC: {traffic:?}");
    assert_eq!((reading.access.protocol, reading.access.cipher), ("BAC", "3DES"));
    assert!(!reading.access.pace_offered);
    assert_eq!(failures(&reading.checks), []);
}

#[test]
fn every_reading_ends_as_its_passport_says() {
    for (name, expected) in [
        ("other-face", vec![]),
        ("expired", vec![]),
        ("dg1-changed", vec![Reason::DataGroupHashMismatch]),
        ("unknown-csca", vec![Reason::CscaUnknown]),
        ("clone", vec![Reason::ChipAuthenticationFailed]),
        ("good-jp2", vec![]),
        ("good-pace-only", vec![]),
    ] {
        let (reading, _) = read(&passport(name), Limits::SHORT);
        assert_eq!(failures(&reading.checks), expected, "{name}: {:?}", reading.checks);
    }
}

/// proves B4
#[test]
fn without_signed_keys_the_chip_is_not_called_genuine() {
    for name in ["dg1-changed", "unknown-csca"] {
        let (reading, _) = read(&passport(name), Limits::SHORT);
        assert!(reading.report.verified.is_none());
        for id in ["chip_authentication", "active_authentication"] {
            assert_eq!(outcome(&reading.checks, id), Outcome::NotPerformed(None), "{name} {id}");
        }
    }
}

#[test]
fn a_clone_is_found_out_and_its_files_stay() {
    let (reading, _) = read(&passport("clone"), Limits::SHORT);
    let failed = Outcome::Failed(Reason::ChipAuthenticationFailed);
    assert_eq!(outcome(&reading.checks, "chip_authentication"), failed);
    assert_ne!(outcome(&reading.checks, "active_authentication"), Outcome::Passed);
    assert!(reading.files.get(FileId::DG2).is_some());
}

#[test]
fn a_wrong_key_is_access_denied_and_never_a_lost_link() {
    let good = passport("good");
    let mut without_pace = catalogue::find("good").unwrap().spec;
    without_pace.access.pace = Vec::new();
    for passport in [good, make(&without_pace)] {
        let mut request = request(&passport, Limits::SHORT);
        request.key = AccessKey::Mrz(mrz::AccessKey::new("L898902C", "690806", "940623").unwrap());
        let (result, _) = run(request, Chip::new(&passport));
        assert_eq!(result.unwrap_err().reason(), Reason::AccessDenied);
    }
}

#[test]
fn a_card_access_number_opens_the_chip() {
    let mut spec = catalogue::find("good").unwrap().spec;
    spec.access.can = Some("123456".to_owned());
    let passport = make(&spec);
    for (can, expected) in [("123456", None), ("654321", Some(Reason::AccessDenied))] {
        let mut request = request(&passport, Limits::SHORT);
        request.key = AccessKey::Can(Can::new(can));
        let (result, _) = run(request, Chip::new(&passport));
        assert_eq!(result.err().map(|error| error.reason()), expected);
    }
}

#[test]
fn a_card_torn_out_at_any_command_is_a_lost_link() {
    let passport = passport("good");
    let (_, traffic) = read(&passport, Limits::EXTENDED);
    for after in 0..traffic.apdus {
        let faults = vec![Fault::tear_after(after)];
        let chip = Chip::new(&passport).with_faults(faults);
        let (result, _) = run(request(&passport, Limits::EXTENDED), chip);
        assert_eq!(result.unwrap_err().reason(), Reason::LinkLost, "after {after}");
    }
}

#[test]
fn a_spoiled_reply_ends_the_session() {
    let passport = passport("good");
    for reply in 1..=5 {
        let faults = vec![Fault::corrupt_mac_of(reply)];
        let chip = Chip::new(&passport).with_faults(faults);
        let (result, _) = run(request(&passport, Limits::SHORT), chip);
        assert_eq!(result.unwrap_err().reason(), Reason::SecureMessaging, "reply {reply}");
    }
}

#[test]
fn plain_data_inside_a_session_is_refused() {
    let passport = passport("good");
    // The second protected reply is EF.COM: data without protection.
    let faults = vec![Fault::plain_answer_to(2)];
    let chip = Chip::new(&passport).with_faults(faults);
    let (result, _) = run(request(&passport, Limits::SHORT), chip);
    assert_eq!(result.unwrap_err().reason(), Reason::SecureMessaging);
}

/// One changed byte of any file, wherever it stands, is refused; but for the name by which EF.SOD
/// finds its signer's certificate. Nobody signs that name, Ukraine writes another one, and the key
/// that made the signature is the same: the evidence says that the certificate is not the one named.
#[test]
fn one_changed_byte_of_any_file_is_refused() {
    let passport = passport("good");
    let store = trust(&passport);
    let whole: Files =
        passport.files.iter().map(|(name, b)| (name.parse().unwrap(), b.clone())).collect();
    assert_eq!(failures(&passive::verify(&whole, &store, TODAY).checks), []);
    for (id, bytes) in whole.iter() {
        // Every byte of what is small and unsigned; of the rest enough to meet every element.
        let step = match bytes.len() {
            0..256 => 1,
            256..4096 => 5,
            _ => 997,
        };
        for index in (0..bytes.len()).step_by(step) {
            let mut changed = bytes.to_vec();
            changed[index] ^= 0x01;
            let mut files = whole.clone();
            files.insert(id, changed);
            let report = passive::verify(&files, &store, TODAY);
            let refused = !failures(&report.checks).is_empty();
            let is_named_otherwise = id == FileId::Sod && is_found_unnamed(&report.checks);
            assert!(refused || is_named_otherwise, "{id} byte {index}");
        }
    }
}

fn is_found_unnamed(checks: &[Check]) -> bool {
    let signature = checks.iter().find(|check| check.id == "sod.signature").unwrap();
    signature.outcome == Outcome::Passed
        && signature.evidence.get("signer_from").is_some_and(|from| from == "document_unnamed")
}

/// EF.SOD alone: the verdict is about signature and chain (INTERFACES, `enroll chip verify`).
#[test]
fn the_document_signature_is_checked_alone() {
    let passport = passport("good");
    let files: Files = [(FileId::Sod, passport.files["EF.SOD"].clone())].into_iter().collect();
    let report = passive::verify(&files, &trust(&passport), TODAY);
    assert_eq!(failures(&report.checks), []);
    assert_eq!(outcome(&report.checks, "dg.hash"), Outcome::NotPerformed(None));
    assert_eq!(outcome(&report.checks, "signer.chain"), Outcome::Passed);
    assert!(report.verified.is_none());
}

/// A chip cannot hide its keys by leaving them out of EF.COM or refusing the files. proves B4
#[test]
fn hidden_data_groups_are_missed() {
    let passport = passport("good");
    for hidden in [FileId::DG14, FileId::DG15] {
        let files: Files = passport
            .files
            .iter()
            .map(|(name, bytes)| (name.parse().unwrap(), bytes.clone()))
            .filter(|(id, _): &(FileId, Vec<u8>)| *id != hidden)
            .collect();
        let report = passive::verify(&files, &trust(&passport), TODAY);
        assert_eq!(failures(&report.checks), [Reason::DataGroupMissing], "{hidden}");
        assert!(report.verified.is_none());
    }
}

/// A data group that nobody signed proves nothing, and the face and MRZ must be signed.
#[test]
fn unsigned_data_groups_prove_nothing() {
    let passport = passport("good");
    let mut files: Files =
        passport.files.iter().map(|(name, b)| (name.parse().unwrap(), b.clone())).collect();
    let dg11 = FileId::dg(11).unwrap();
    files.insert(dg11, vec![0x6B, 0x00]);
    let report = passive::verify(&files, &trust(&passport), TODAY);
    assert_eq!(failures(&report.checks), []);
    let verified = report.verified.unwrap();
    assert!(verified.get(dg11).is_none() && verified.get(FileId::DG15).is_some());
}

/// Chips of every algorithm that fixtures can make and this reader does, each named by what it
/// changes in the good passport.
#[test]
fn every_algorithm_family_is_read() {
    let variants = [
        "[access]\npace = [{ group = 'P-256', cipher = 'aes-256' }]",
        "[access]\npace = [{ group = 'brainpoolP384r1', cipher = 'aes-192' }]",
        "[access]\npace = [{ group = 'P-521', cipher = '3des' }]",
        "[access]\npace = [{ group = 'brainpoolP512r1', cipher = 'aes-256' }, \
         { group = 'brainpoolP320r1', cipher = 'aes-128' }]",
        "[[chip_authentication.keys]]\ngroup = 'P-384'\ncipher = 'aes-256'\nparameters = 'explicit'\nkey_id = 7",
        "[[chip_authentication.keys]]\ngroup = 'brainpoolP224r1'\ncipher = '3des'\nparameters = 'named'",
        "[active_authentication]\nkey = 'rsa-2048'\ndigest = 'sha1'",
        "[active_authentication]\nkey = 'rsa-1536'\ndigest = 'sha256'",
        "[active_authentication]\nkey = 'brainpoolP256r1'\ndigest = 'sha384'\nparameters = 'explicit'",
        "[sod]\nversion = 0\ndigest = 'sha1'",
        "[sod]\ndigest = 'sha512'\n[signer]\nkey = 'rsa-2048'\n[csca]\nkey = 'rsa-3072'",
        "[signer]\nkey = 'rsa-pss-2048'\ndigest = 'sha384'\n[csca]\nkey = 'rsa-pss-3072'",
        "[signer]\nkey = 'P-384'\nparameters = 'explicit'\n[csca]\nkey = 'P-521'\nparameters = 'explicit'",
    ];
    for variant in variants {
        let passport = make(&Spec::parse(&format!("base = 'good'\n{variant}")).unwrap());
        let (result, _) = run(request(&passport, Limits::EXTENDED), Chip::new(&passport));
        let reading = result.unwrap_or_else(|error| panic!("{variant}: {error:?}"));
        let not_passed: Vec<_> =
            reading.checks.iter().filter(|check| check.outcome != Outcome::Passed).collect();
        assert!(not_passed.is_empty(), "{variant}: {not_passed:?}");
    }
}

#[test]
fn a_document_without_chip_keys_says_so() {
    for (spec, id, reason) in [
        (
            "active_authentication = false",
            "active_authentication",
            Reason::ActiveAuthenticationMissing,
        ),
        ("chip_authentication = false", "chip_authentication", Reason::ChipAuthenticationMissing),
    ] {
        let passport = make(&Spec::parse(&format!("base = 'good'\n{spec}")).unwrap());
        let (reading, _) = read(&passport, Limits::SHORT);
        for check in &reading.checks {
            let expected = match check.id == id {
                true => Outcome::NotPerformed(Some(reason)),
                false => Outcome::Passed,
            };
            assert_eq!(check.outcome, expected, "{spec}: {check:?}");
        }
    }
}
