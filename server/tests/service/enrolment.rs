//! Whole enrolments with the emulated chip over the relay; the face instrument is a fake.

use super::station::{Call, ChipLink, Station, passport};
use enroll_core::audit::Hash;
use enroll_core::{Verdict, evidence};
use fixtures::chip::Chip;
use fixtures::passport::Passport;
use serde_json::{Value, json};
use server::commands::audit::follow_all;
use server::relay_client::{self, Ended};
use server::storage::StorageError;
use std::sync::atomic::Ordering;

pub struct Case<'a> {
    pub station: &'a Station,
    pub id: String,
    pub path: String,
    pub token: String,
}

impl<'a> Case<'a> {
    pub fn start(station: &'a Station, cpr: &str) -> Self {
        let body = json!({
            "consent": {"terms_version": "2026-02", "biometrics": true, "language": "en"},
            "cpr": cpr,
        })
        .to_string();
        let (status, answer) = station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()));
        assert_eq!(status, 201, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let (id, token) = (text("id"), text("token"));
        let path = format!("/v1/enrolments/{id}");
        Self { station, id, path, token }
    }

    /// A case that is there already, by another token.
    pub fn at(station: &'a Station, id: &str, token: &str) -> Self {
        let path = format!("/v1/enrolments/{id}");
        Self { station, id: id.to_owned(), path, token: token.to_owned() }
    }

    pub fn call(&self, method: &str, step: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let path = format!("{}{step}", self.path);
        let token = self.token.as_str();
        self.station.call(Call { token, kind, ..Call::new(method, &path, body) })
    }

    pub fn page(&self, lines: &[String]) {
        let body = json!({ "lines": lines }).to_string();
        let (status, answer) = self.call("PUT", "/page", "application/json", body.as_bytes());
        assert_eq!(status, 200, "{answer}");
    }

    pub fn chip(&self, chip: Chip) -> Ended {
        let (_, ticket) = self.call("POST", "/relay-tickets", "", b"");
        let url = ticket["url"].as_str().unwrap();
        relay_client::run(url, &mut ChipLink(chip), &mut |_| {}).unwrap()
    }

    pub fn through(&self, passport: &Passport) -> Value {
        self.page(&passport.mrz_lines);
        self.chip(Chip::new(passport));
        let (status, answer) = self.call("PUT", "/face", "image/jpeg", b"a face");
        assert_eq!(status, 200, "{answer}");
        let (status, answer) = self.call("POST", "/finish", "", b"");
        assert_eq!(status, 200, "{answer}");
        answer
    }
}

pub fn reasons(answer: &Value) -> Vec<&str> {
    answer["reasons"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect()
}

#[test]
fn a_good_passport_ends_in_a_signed_identity_with_evidence_and_nothing_else_is_left() {
    // proves B10, C4, D8, E1, H1, H2, H3
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    let answer = case.through(&good);
    let log = std::fs::metadata(station.folder.path().join("indrul.db-wal"));
    assert_eq!(log.map_or(0, |file| file.len()), 0, "erased rows live on in the write-ahead log");
    assert_eq!(
        (&answer["verdict"], &answer["decision"]),
        (&json!("accepted"), &json!("issue")),
        "{answer:#}"
    );
    let identity = &answer["identity"];
    assert_eq!(identity["level"], "Substantial");
    let keys = station.app.jwks();
    let signed = enroll_core::identity::verify(identity["jws"].as_str().unwrap(), &keys).unwrap();
    assert_eq!(signed.name, format!("{} {}", good.holder.given_names, good.holder.surname));

    // Repeated, it answers as before.
    assert_eq!(case.call("POST", "/finish", "", b"").1, answer);
    let path = format!("/v1/identities/{}", identity["id"].as_str().unwrap());
    let call = Call { token: &case.token, ..Call::new("GET", &path, b"") };
    assert_eq!(&station.call(call).1, identity);
    let stranger = Call { token: "x", ..Call::new("GET", &path, b"") };
    assert_eq!(station.call(stranger).0, 401);

    station.runtime.block_on(async {
        let mut tx = station.store.begin().await.unwrap();
        let kept = tx.get(case.id.parse().unwrap(), "chip").await;
        assert!(matches!(kept, Err(StorageError::Erased)));
        let id = identity["id"].as_str().unwrap().parse().unwrap();
        let stored = tx.evidence(id).await.unwrap();
        let record: Value = serde_json::from_slice(&stored[0].record).unwrap();
        let again =
            evidence::verify(&record, Some(signed.evidence_sha256), Some(&station.trust)).unwrap();
        assert_eq!((again.verdict, again.reasons), (Verdict::Accepted, vec![]));
        assert_ne!(again.sha256, Hash::ZERO);
        assert!(record["files"].get("DG2").is_none(), "the portrait is in the evidence");
        assert_eq!(record["method"], "self_service_chip_and_face");
        let document = &record["document"];
        assert_eq!((&document["issuer"], &document["code"]), (&json!("DNK"), &json!("P")));
        assert!(document["expires"].is_string() && document["number_hash"].is_string());
        assert!(!record.to_string().contains(&good.mrz_lines[1][..9]), "the number itself");
        let asked = tx.audit_after(0, 100).await.unwrap().into_iter();
        let asked = asked.filter(|entry| entry.kind == "register.asked");
        let asked: Vec<Value> = asked.map(|entry| entry.data).collect();
        let wanted = ["documents", "persons"];
        assert_eq!(asked, wanted.map(|r| json!({ "register": r, "purpose": "enrolment" })));
        drop(tx);
        let head = follow_all(&station.store).await.unwrap().unwrap();
        assert!(head.seq >= 7, "{head:?}");
    });
}

/// The certificate of an issuer of no fixture of the catalogue.
fn stranger() -> Vec<u8> {
    use fixtures::{catalogue, passport::Passport, portraits::Portraits};
    let mut spec = catalogue::find("good").unwrap().spec;
    spec.seed = "stranger".to_owned();
    let day = time::macros::date!(2026 - 03 - 02);
    Passport::make(&spec, &Portraits::drawn(), day).unwrap().trust.csca
}

/// A good passport of another person.
pub fn somebody_else() -> Passport {
    use fixtures::{catalogue, portraits::Portraits};
    use server::clock::{Clock, SystemClock, copenhagen_date};
    let mut spec = catalogue::find("good").unwrap().spec;
    spec.seed = "somebody else".to_owned();
    spec.holder.surname = "Hansen".to_owned();
    spec.holder.given_names = "Bo".to_owned();
    spec.holder.cpr = "120874-9991".to_owned();
    Passport::make(&spec, &Portraits::drawn(), copenhagen_date(SystemClock.now())).unwrap()
}

/// The command over the station's data; exit status and result.
fn evidence_verify(station: &Station, id: &str, more: &[&str]) -> (i32, Value) {
    let output =
        station.command(&["evidence", "verify", "--json", id]).args(more).output().unwrap();
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap_or_default())
}

#[test]
fn the_evidence_of_an_identity_is_proved_again_from_what_is_stored() {
    // proves H3
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let answer = Case::start(&station, &good.holder.cpr).through(&good);
    let id = answer["identity"]["id"].as_str().unwrap();
    assert_eq!(evidence_verify(&station, id, &[]).0, 3, "there is no trust store");
    let (status, result) = evidence_verify(&station, id, &["--record-only"]);
    assert_eq!((status, &result["verdict"]), (0, &json!("accepted")), "{result:#}");
    let anchors = station.folder.path().join("trust/qa");
    std::fs::create_dir_all(&anchors).unwrap();
    std::fs::write(anchors.join("other.der"), stranger()).unwrap();
    let (status, result) = evidence_verify(&station, id, &[]);
    assert_eq!((status, &result["reasons"]), (1, &json!(["csca.unknown"])), "{result:#}");
    std::fs::write(anchors.join("csca.der"), &good.trust.csca).unwrap();
    let (status, result) = evidence_verify(&station, id, &[]);
    assert_eq!((status, &result["reasons"]), (0, &json!([])), "{result:#}");
    let passed: Vec<_> = result["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["outcome"] == "passed")
        .map(|check| check["id"].as_str().unwrap())
        .collect();
    for check in ["sod.signature", "signer.revocation", "evidence.agrees", "evidence.hash"] {
        assert!(passed.contains(&check), "{check}: {passed:?}");
    }
    let unknown = "00000000-0000-4000-8000-000000000000";
    assert_eq!(evidence_verify(&station, unknown, &["--record-only"]).0, 1);
}

#[test]
fn one_person_gets_one_identity_and_a_document_serves_one_person() {
    // proves B11
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let first = Case::start(&station, &good.holder.cpr).through(&good);
    let second = Case::start(&station, &good.holder.cpr).through(&good);
    assert_eq!(first["identity"]["id"], second["identity"]["id"]);
    let other = Case::start(&station, "010190-0002").through(&good);
    assert_eq!(other["verdict"], "refused");
    assert_eq!(reasons(&other)[0], "document.already_used", "{other:#}");
    assert_eq!(other["identity"], Value::Null);
}

#[test]
fn a_new_proofing_of_a_blocked_identity_ends_at_the_borgercenter() {
    // proves F2
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    let first = case.through(&good);
    let path = format!("/v1/identities/{}/block", first["identity"]["id"].as_str().unwrap());
    let (status, blocked) =
        station.call(Call { token: &case.token, ..Call::new("POST", &path, b"") });
    assert_eq!((status, &blocked["blocked"]), (200, &json!(true)));
    let second = Case::start(&station, &good.holder.cpr).through(&good);
    assert_eq!((&second["decision"], reasons(&second)[0]), (&json!("refer"), "identity.blocked"));
    assert_eq!(second["identity"], Value::Null);
}

#[test]
fn whoever_was_reached_is_told_at_once_when_the_identity_is_issued_again() {
    // proves E7, F1 (a takeover by a new proofing is told of, and can be stopped)
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let first = Case::start(&station, &good.holder.cpr);
    let identity = first.through(&good)["identity"]["id"].as_str().unwrap().to_owned();
    let own = |case: &Case<'_>, method: &str, step: &str, body: &str| {
        let path = format!("/v1/identities/{identity}{step}");
        let call = Call::new(method, &path, body.as_bytes());
        station.call(Call { token: &case.token, ..call })
    };
    let contacts = json!({ "phone": "+4520304050", "email": "anna@example.invalid" });
    assert_eq!(own(&first, "PUT", "/contacts", &contacts.to_string()).0, 200);
    let waiting = || {
        let size = async { station.store.read().await.unwrap().outbox_size().await.unwrap() };
        station.runtime.block_on(size)
    };
    assert_eq!(waiting(), (0, 0), "a first issuing tells nobody");
    let second = Case::start(&station, &good.holder.cpr);
    assert_eq!(second.through(&good)["identity"]["id"], identity.as_str());
    assert_eq!(waiting(), (2, 0), "by SMS and e-mail");
    let (_, inbox) = own(&second, "GET", "/messages", "");
    let text = inbox[0]["text"]["da"].as_str().unwrap();
    assert!(text.contains("udstedt igen") && text.contains("spærrekode"), "{text}");
    assert_eq!(own(&first, "GET", "/messages", "").0, 401);
    assert_eq!(own(&first, "POST", "/block", "").1["blocked"], true);
}

#[test]
fn a_stranger_does_not_learn_whether_a_number_is_blocked() {
    // proves A5
    let (good, other) = (passport("good"), somebody_else());
    let station = Station::start(&[&good, &other], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    let issued = case.through(&good);
    let path = format!("/v1/identities/{}/block", issued["identity"]["id"].as_str().unwrap());
    let block = Call { token: &case.token, ..Call::new("POST", &path, b"") };
    assert_eq!(station.call(block).0, 200);
    let answer = Case::start(&station, &good.holder.cpr).through(&other);
    assert!(reasons(&answer).contains(&"person.mismatch"), "{answer:#}");
    let checks = answer["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["id"] != "identity.open"), "{answer:#}");
}

#[test]
fn each_deviation_is_refused_for_its_own_reason() {
    let good = passport("good");
    for name in ["dg1-changed", "unknown-csca", "clone", "expired"] {
        let entry = fixtures::catalogue::find(name).unwrap();
        let bad = passport(name);
        let station = Station::start(&[&good, &bad], |_| {});
        let answer = Case::start(&station, &bad.holder.cpr).through(&bad);
        let expect = serde_json::to_value(&entry.expect).unwrap();
        let found = json!({"verdict": answer["verdict"], "reasons": reasons(&answer)});
        assert_eq!(found, expect, "{name}: {answer:#}");
        assert_eq!(answer["identity"], Value::Null);
    }
}

#[test]
fn another_face_is_refused_and_its_data_are_erased() {
    // proves D8 (refusal)
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    station.faces.other.store(true, Ordering::Relaxed);
    let case = Case::start(&station, &good.holder.cpr);
    let answer = case.through(&good);
    assert_eq!(reasons(&answer), ["face.mismatch"]);
    let kept = station.runtime.block_on(async {
        station.store.begin().await.unwrap().get(case.id.parse().unwrap(), "cpr").await
    });
    assert!(matches!(kept, Err(StorageError::Erased)));
}

#[test]
fn a_wrong_page_is_told_from_a_broken_link_and_the_case_goes_on() {
    let (good, other) = (passport("good"), passport("expired"));
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    case.page(&other.mrz_lines);
    let denied = case.chip(Chip::new(&good));
    assert_eq!(denied, Ended::Failed { reason: "chip.access_denied".to_owned(), retry: true });
    assert_eq!(case.through(&good)["verdict"], "accepted");
}

#[test]
fn a_face_measured_against_one_chip_says_nothing_of_another() {
    // proves B5, D1
    let (first, second) = (passport("good-jp2"), passport("good"));
    let station = Station::start(&[&first, &second], |_| {});
    let case = Case::start(&station, &second.holder.cpr);
    case.page(&first.mrz_lines);
    case.chip(Chip::new(&first));
    std::thread::scope(|scope| {
        let held = station.faces.hold.lock().unwrap();
        let face = scope.spawn(|| case.call("PUT", "/face", "image/jpeg", b"a face"));
        while !station.faces.busy.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        case.page(&second.mrz_lines);
        case.chip(Chip::new(&second));
        drop(held);
        let (status, answer) = face.join().unwrap();
        assert_eq!((status, &answer["code"]), (409, &json!("case.state")), "{answer}");
    });
    let (status, answer) = case.call("POST", "/finish", "", b"");
    assert_eq!((status, &answer["code"]), (409, &json!("case.state")), "{answer}");
}

#[test]
fn a_finish_without_a_face_is_not_a_decision() {
    let good = passport("good");
    let station = Station::start(&[&good], |_| {});
    let case = Case::start(&station, &good.holder.cpr);
    case.page(&good.mrz_lines);
    assert_eq!(case.chip(Chip::new(&good)), Ended::Finished { verdict: "accepted".to_owned() });
    let (status, answer) = case.call("POST", "/finish", "", b"");
    assert_eq!((status, &answer["code"]), (409, &json!("case.state")), "{answer}");
    let (_, view) = case.call("GET", "", "", b"");
    assert_eq!((&view["state"], &view["verdict"]), (&json!("document_verified"), &Value::Null));
}
