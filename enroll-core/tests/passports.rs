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
    store.add_crl_der(&GOOD.trust.crl).unwrap();
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
    for id in ["face.detected", "face.quality", "face.match", "face.morph"] {
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
        judged_on: TODAY,
        method: "self_service_chip_and_face".to_owned(),
        software: "test".to_owned(),
        document: json!({ "issuer": "DNK", "code": "P", "number_hash": "00" }),
        access: json!(reading.access),
        signer: json!(reading.report.signer()),
        csca: json!(reading.report.csca()),
        basis: evidence::Basis::of(&reading.report, Domain::Qa),
        checks: findings(passport, &reading).checks().to_vec(),
        files: evidence::kept(&reading.files),
        active_authentication: reading.aa_evidence.as_ref().map(Answer::from),
        models: std::collections::BTreeMap::new(),
    };
    serde_json::to_value(&record).unwrap()
}

fn refused(record: &Value) -> Vec<&'static str> {
    let verified = evidence::verify(record, None, Some(&trust())).unwrap();
    assert_eq!(verified.verdict, Verdict::Refused, "{:?}", verified.reasons);
    verified.reasons.iter().map(|reason| reason.as_str()).collect()
}

// proves H2, H3
#[test]
fn evidence_can_be_checked_again_after_storage() {
    let record = record();
    let stored: Value = serde_json::from_str(&canonical::text(&record)).unwrap();
    let hash = Hash(canonical::sha256(&record));
    let verified = evidence::verify(&stored, Some(hash), Some(&trust())).unwrap();
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

/// Every string, number, truth value and nothing in a record, by its place.
fn leaves(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, inner)| leaves(inner, &format!("{place}/{name}"), found));
        }
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered.for_each(|(i, inner)| leaves(inner, &format!("{place}/{i}"), found));
        }
        _ => found.push(place.to_owned()),
    }
}

/// The value at a place, changed in one character, digit or truth; text that is hex stays hex.
fn altered(record: &Value, place: &str) -> Value {
    let mut altered = record.clone();
    let leaf = altered.pointer_mut(place).unwrap();
    *leaf = match &*leaf {
        Value::String(text) if text.is_empty() => json!("0"),
        Value::String(text) => {
            let middle = text.len() / 2;
            let with = if &text[middle..=middle] == "0" { "1" } else { "0" };
            json!(format!("{}{with}{}", &text[..middle], &text[middle + 1..]))
        }
        Value::Number(number) => json!(number.as_f64().unwrap() + 1.0),
        Value::Bool(truth) => json!(!truth),
        _ => json!(true),
    };
    altered
}

/// Parts that are no function of the stored files: only the hash in the signed identity binds them.
const NOT_COMPUTED: [&str; 8] = [
    "/enrolment",
    "/completed_at",
    "/judged_on",
    "/method",
    "/software",
    "/document/number_hash",
    "/access",
    "/models",
];

/// Whether what stands at a place can be computed from what is stored.
fn is_computed(record: &Value, place: &str) -> bool {
    let Some(rest) = place.strip_prefix("/checks/") else {
        return !NOT_COMPUTED.iter().any(|prefix| place.starts_with(prefix));
    };
    let (number, member) = rest.split_once('/').unwrap();
    let id = record["checks"][number.parse::<usize>().unwrap()]["id"].as_str().unwrap();
    let of_files = ["sod.", "dg.", "signer.", "active_authentication"];
    let of_store = ["evidence/anchors", "evidence/tried", "evidence/other_domain"];
    let is_of_store = of_store.contains(&member) || member.contains("DG2");
    let is_free = id == "active_authentication" && member.starts_with("evidence");
    of_files.iter().any(|prefix| id.starts_with(prefix)) && !is_of_store && !is_free
}

// proves H3: no part of a record can be changed
#[test]
fn every_altered_part_of_a_record_is_caught() {
    let record = record();
    let hash = Hash(canonical::sha256(&record));
    let mut places = Vec::new();
    leaves(&record, "", &mut places);
    let (mut computed, mut all) = (0, 0);
    for place in &places {
        let altered = altered(&record, place);
        let verdict = |expected, trust| match evidence::verify(&altered, expected, trust) {
            Ok(verified) => verified.verdict,
            // Not a record any more.
            Err(_) => Verdict::Refused,
        };
        // By the hash in the signed identity, with no trust store at all.
        assert_eq!(verdict(Some(hash), None), Verdict::Refused, "{place}");
        all += 1;
        if is_computed(&record, place) {
            assert_ne!(verdict(None, Some(&trust())), Verdict::Accepted, "{place}");
            computed += 1;
        }
    }
    println!("{all} places altered, {computed} of them caught without the hash");
    assert!(computed * 2 > all, "{computed} of {all}");
}

// proves H3: every byte of what a verdict rests on counts
#[test]
fn every_altered_byte_of_files_and_certificates_is_caught() {
    let record = record();
    let trust = trust();
    let mut places = vec!["/basis/signer".to_owned()];
    places.extend(["EF.SOD", "DG1", "DG14", "DG15"].map(|name| format!("/files/{name}")));
    for (list, count) in [("chain", 1), ("revocation_lists", 1)] {
        assert_eq!(record["basis"][list].as_array().unwrap().len(), count);
        places.extend((0..count).map(|i| format!("/basis/{list}/{i}")));
    }
    for place in places {
        let Some(text) = record.pointer(&place).and_then(Value::as_str) else { continue };
        let bytes = hex::decode(text).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut changed = record.clone();
            let mut other = bytes.clone();
            other[at] ^= 0x10;
            *changed.pointer_mut(&place).unwrap() = json!(hex::encode(other));
            let found = evidence::verify(&changed, None, Some(&trust)).unwrap();
            assert_ne!(found.verdict, Verdict::Accepted, "{place} at {at}");
            assert!(!found.reasons.is_empty(), "{place} at {at}");
        }
    }
}

// proves H3: without a signed identity and without a trust store nobody vouches for a record
#[test]
fn a_record_does_not_vouch_for_itself() {
    let record = record();
    let hash = Hash(canonical::sha256(&record));
    let verdict = |expected, trust| evidence::verify(&record, expected, trust).unwrap().verdict;
    assert_ne!(verdict(None, None), Verdict::Accepted);
    assert_eq!(verdict(Some(hash), None), Verdict::Accepted);
    let mut other = TrustStore::new(Domain::Production);
    other.add_der(&GOOD.trust.csca).unwrap();
    assert_eq!(verdict(Some(hash), Some(&other)), Verdict::Refused, "of another domain");
}

// proves H3: the identity names the one record that it rests on
#[test]
fn another_record_than_the_identity_rests_on_is_refused() {
    let verified = evidence::verify(&record(), Some(Hash([7; 32])), Some(&trust())).unwrap();
    assert_eq!(verified.verdict, Verdict::Refused);
    assert!(evidence::verify(&json!({ "version": 1 }), None, Some(&trust())).is_err());
}

// proves D6: an issuer that is no longer trusted proves nothing
#[test]
fn without_its_issuer_evidence_proves_nothing() {
    let nobody = TrustStore::new(Domain::Qa);
    let verified = evidence::verify(&record(), None, Some(&nobody)).unwrap();
    assert_eq!(verified.verdict, Verdict::Refused);
}
