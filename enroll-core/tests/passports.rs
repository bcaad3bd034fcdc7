//! Fixture passports read in process: what is found and decided of each, and whether its evidence
//! can be checked again. The face is another test's matter: here it is taken as found.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::sync::{Arc, LazyLock};

use enroll_core::{
    Check, Decision, Findings, Policy, Verdict,
    audit::Hash,
    canonical, decide,
    evidence::{self, Answer, Record},
    findings::{document, page, person},
};
use fixtures::{catalogue, chip::Chip, passport::Passport, portraits::Portraits};
use nfc::{
    apdu::Response,
    files::FileId,
    lds::dg1,
    link::{Batch, Link, LinkError, drive, one_by_one},
    random::SystemRandom,
    reader::{self, AccessKey, AccessPolicy, ChipReading, Limits, ReadError, ReadRequest},
    trust::{Domain, TrustStore},
};
use serde_json::{Value, json};
use time::{
    Date,
    macros::{date, datetime},
};

const TODAY: Date = date!(2026 - 03 - 02);

struct InProcess(Chip);

impl Link for InProcess {
    fn transmit(&mut self, batch: &Batch) -> Result<Vec<Response>, LinkError> {
        one_by_one(batch, |command| {
            Response::decode(&self.0.transmit(&command.encode())).map_err(|_| LinkError::Lost)
        })
    }
}

fn make(name: &str) -> Passport {
    let entry = catalogue::find(name).unwrap();
    Passport::make(&entry.spec, &Portraits::drawn(), TODAY).unwrap()
}

static GOOD: LazyLock<Passport> = LazyLock::new(|| make("good"));

/// Trusts what the good passport's issuer is trusted by.
fn trust() -> TrustStore {
    let mut store = TrustStore::new(Domain::Qa);
    store.add_der(&GOOD.trust.csca).unwrap();
    store
}

fn read(passport: &Passport) -> Result<ChipReading, ReadError> {
    let page = mrz::parse(&passport.mrz_lines.join("\n")).unwrap();
    let request = ReadRequest {
        key: AccessKey::Mrz(page.access_key()),
        trust: Arc::new(trust()),
        at: TODAY,
        aa_challenge: *b"\x01\x23\x45\x67\x89\xab\xcd\xef",
        limits: Limits::EXTENDED,
        policy: AccessPolicy::default(),
        random: Box::new(SystemRandom),
    };
    drive(reader::start(request), &mut InProcess(Chip::new(passport)))
}

fn person(passport: &Passport) -> person::PersonAnswer {
    let holder = &passport.holder;
    person::PersonAnswer::Found(person::PersonRecord {
        given_names: holder.given_names.clone(),
        surname: holder.surname.clone(),
        birth_date: date!(1974 - 08 - 12),
        sex: person::PersonSex::Male,
        status: person::PersonStatus::Active,
        protected: false,
    })
}

fn findings(passport: &Passport, reading: &ChipReading) -> Findings {
    let policy = Policy::default();
    let page = mrz::parse(&passport.mrz_lines.join("\n")).unwrap();
    let proved = reading.report.verified.as_ref();
    let dg1 = proved.map(|lds| dg1::parse(lds.get(FileId::DG1).unwrap()).unwrap());
    let mut found: Findings = reading.checks.iter().map(Check::from).collect();
    found.record(page::check_digits(&page));
    found.record_all(match &dg1 {
        None => document::unproved(),
        Some(dg1) => vec![
            document::kind(dg1, &policy),
            document::validity(dg1, TODAY),
            document::page_match(&page, dg1),
            document::status(document::DocumentStatus::Valid),
        ],
    });
    found.record_all(person::checks(&person(passport), dg1.as_ref(), &policy, TODAY));
    for id in ["face.detected", "face.quality", "face.match"] {
        found.record(Check::passed(id, json!({})));
    }
    found
}

fn decided(name: &str) -> Decision {
    let passport = make(name);
    decide(&findings(&passport, &read(&passport).unwrap()), &Policy::default())
}

// proves B2, B3, B4, B7: each bad passport is refused for what is wrong with it and nothing else
#[test]
fn each_passport_of_the_catalogue_is_decided_as_expected() {
    for name in ["good", "dg1-changed", "unknown-csca", "clone", "expired"] {
        let expect = catalogue::find(name).unwrap().expect;
        let decision = decided(name);
        let reasons: Vec<&str> = decision.reasons.iter().map(|reason| reason.as_str()).collect();
        let verdict = serde_json::to_value(decision.verdict).unwrap();
        assert_eq!(reasons, expect.reasons, "{name}");
        assert_eq!(verdict, serde_json::to_value(expect.verdict).unwrap(), "{name}");
    }
}

fn record() -> Value {
    let passport = &*GOOD;
    let reading = read(passport).unwrap();
    let record = Record {
        version: evidence::VERSION,
        enrolment: "5b0a2a1c-0000-4000-8000-000000000001".to_owned(),
        completed_at: datetime!(2026-03-02 10:00 UTC),
        method: "self_service_chip_and_face".to_owned(),
        software: "test".to_owned(),
        document: json!({ "issuer": "DNK", "code": "P" }),
        access: json!(reading.access),
        signer: json!(reading.report.signer),
        csca: json!(reading.report.csca),
        checks: findings(passport, &reading).checks().to_vec(),
        files: evidence::kept(&reading.files),
        active_authentication: reading.aa_evidence.as_ref().map(Answer::from),
        models: std::collections::BTreeMap::new(),
    };
    serde_json::to_value(&record).unwrap()
}

fn refused(record: &Value) -> Vec<&'static str> {
    let verified = evidence::verify(record, None, &trust()).unwrap();
    assert_eq!(verified.verdict, Verdict::Refused, "{:?}", verified.reasons);
    verified.reasons.iter().map(|reason| reason.as_str()).collect()
}

// proves H2, H3
#[test]
fn evidence_can_be_checked_again_after_storage() {
    let record = record();
    let stored: Value = serde_json::from_str(&canonical::text(&record)).unwrap();
    let hash = Hash(canonical::sha256(&record));
    let verified = evidence::verify(&stored, Some(hash), &trust()).unwrap();
    assert_eq!(verified.verdict, Verdict::Accepted, "{:?}", verified.checks);
    assert_eq!(verified.sha256, hash);
    let passed = |id: &str| verified.checks.iter().any(|check| check.id == id && check.is_passed());
    for id in ["sod.signature", "dg.hash", "signer.chain", "active_authentication"] {
        assert!(passed(id), "{id}");
    }
    assert!(!canonical::text(&record).contains(&hex::encode(&GOOD.portrait)), "D8");
}

/// One byte changed in the middle of a value of hex.
fn changed(record: &Value, pointer: &str) -> Value {
    let mut changed = record.clone();
    let text = changed.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let mut bytes = hex::decode(text).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    *changed.pointer_mut(pointer).unwrap() = json!(hex::encode(bytes));
    changed
}

// proves H3
#[test]
fn evidence_that_was_changed_is_refused() {
    let record = record();
    assert!(refused(&changed(&record, "/files/DG1")).contains(&"dg.hash_mismatch"));
    assert!(refused(&changed(&record, "/files/DG15")).contains(&"dg.hash_mismatch"));
    for pointer in ["/active_authentication/signature", "/active_authentication/challenge"] {
        let reasons = refused(&changed(&record, pointer));
        assert!(reasons.contains(&"active_authentication.failed"), "{pointer}: {reasons:?}");
    }
    assert!(!refused(&changed(&record, "/files/EF.SOD")).is_empty());
    assert_eq!(refused(&changed(&record, "/csca/sha256")), ["evidence.mismatch"]);
    let mut unsound = record.clone();
    for check in unsound["checks"].as_array_mut().unwrap() {
        if check["id"] == "sod.signature" {
            check["outcome"] = json!("failed");
        }
    }
    assert_eq!(refused(&unsound), ["evidence.mismatch"]);
}

// proves H3: the identity names the one record that it rests on
#[test]
fn another_record_than_the_identity_rests_on_is_refused() {
    let verified = evidence::verify(&record(), Some(Hash([7; 32])), &trust()).unwrap();
    assert_eq!(verified.verdict, Verdict::Refused);
    assert!(evidence::verify(&json!({ "version": 1 }), None, &trust()).is_err());
}

// proves D6: an issuer that is no longer trusted proves nothing
#[test]
fn without_its_issuer_evidence_proves_nothing() {
    let nobody = TrustStore::new(Domain::Qa);
    let verified = evidence::verify(&record(), None, &nobody).unwrap();
    assert_eq!(verified.verdict, Verdict::Refused);
}
