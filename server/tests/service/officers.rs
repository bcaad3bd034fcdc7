//! Officers: signing in, the queue, what they look at and decide.

use super::borgercenter::{code, open, refused, with_kiosk};
use super::enrolment::{Case, reasons, somebody_else};
use super::events::waiting;
use super::station::{Call, Station, passport};
use enroll_core::audit::Entry;
use enroll_core::totp::TotpSecret;
use enroll_core::{Verdict, evidence};
use fixtures::chip::Chip;
use fixtures::passport::Passport;
use serde_json::{Value, json};
use server::app::{add_officer, disable_officer};
use server::clock::{Clock, SystemClock, SystemEntropy};
use server::config::Config;
use server::storage::{Role, StorageError};
use std::sync::atomic::Ordering;

const PASSWORD: &str = "hest batteri hæfteklamme";
pub const WHY: &str = "Set og sammenlignet.";

/// A kiosk, and passwords that are hashed quickly.
pub fn quick(config: &mut Config) {
    with_kiosk(config);
    (config.policy.activation.pin_memory_kib, config.policy.activation.pin_passes) = (64, 1);
}

fn added(station: &Station, name: &str) -> TotpSecret {
    let keys = station.app.keys();
    let mut config = Config::default();
    quick(&mut config);
    let parts = (&station.store, keys.as_ref(), &SystemEntropy as &dyn server::clock::Entropy);
    let who = (name, Role::Borgercenter);
    let new = add_officer(parts, &config.policy, who, PASSWORD, SystemClock.now());
    station.runtime.block_on(new).unwrap()
}

fn now_code(secret: &TotpSecret) -> String {
    secret.code(SystemClock.now().unix_timestamp() / 30).unwrap().to_string()
}

fn sign_in(station: &Station, name: &str, password: &str, code: &str) -> (u16, Value) {
    let body = json!({ "name": name, "password": password, "code": code }).to_string();
    station.call(Call::new("POST", "/v1/officer/sessions", body.as_bytes()))
}

/// An officer who is signed in.
pub struct Signed<'a> {
    station: &'a Station,
    token: String,
}

impl<'a> Signed<'a> {
    pub fn new(station: &'a Station, name: &str) -> Self {
        let secret = added(station, name);
        let (status, answer) = sign_in(station, name, PASSWORD, &now_code(&secret));
        assert_eq!(status, 201, "{answer}");
        Self { station, token: answer["token"].as_str().unwrap().to_owned() }
    }

    pub fn call(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/v1/officer{path}");
        self.station.call(Call { token: &self.token, ..Call::new(method, &path, body.as_bytes()) })
    }

    pub fn look(&self, case: &Case<'_>) -> (u16, Value) {
        self.call("GET", &format!("/cases/{}", case.id), &Value::Null)
    }

    /// Media type, caching rule and bytes of the chip's portrait.
    pub fn portrait(&self, case: &Case<'_>) -> (String, String, Vec<u8>) {
        let url = format!("{}/v1/officer/cases/{}/portrait", self.station.url, case.id);
        let request = ureq::get(url).header("authorization", format!("Bearer {}", self.token));
        let mut answer = request.call().unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let (kind, cache) = (header("content-type"), header("cache-control"));
        (kind, cache, answer.body_mut().read_to_vec().unwrap())
    }

    pub fn rule(&self, case: &Case<'_>, body: &Value) -> (u16, Value) {
        self.call("POST", &format!("/cases/{}/ruling", case.id), body)
    }
}

fn trail(station: &Station) -> Vec<Entry> {
    let found = station.runtime.block_on(async {
        station.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
    });
    enroll_core::audit::verify(&found, None).unwrap();
    found
}

/// A good passport whose holder is called otherwise in the register.
pub fn known_as(given_names: &str, surname: &str) -> Passport {
    let mut found = passport("good");
    found.holder.given_names = given_names.to_owned();
    found.holder.surname = surname.to_owned();
    found
}

/// The evidence of an identity that was just issued.
fn evidence_of(station: &Station, done: &Value) -> Value {
    let id = done["identity"]["id"].as_str().unwrap().parse().unwrap();
    let kept = station
        .runtime
        .block_on(async { station.store.begin().await.unwrap().evidence(id).await.unwrap() });
    serde_json::from_slice(&kept.last().unwrap().record).unwrap()
}

/// What has happened to an identity that was issued, as it is kept for its person.
fn activities_of(station: &Station, done: &Value) -> Vec<Value> {
    let id = done["identity"]["id"].as_str().unwrap().parse().unwrap();
    let kept = station.runtime.block_on(async {
        station.store.begin().await.unwrap().activities(id, None, None, 99).await.unwrap()
    });
    kept.iter().map(|one| serde_json::from_slice(&one.payload).unwrap()).collect()
}

/// The case at the kiosk up to its decision.
fn at_the_kiosk(home: &Case<'_>, passport: &Passport, referred: &Value) -> Value {
    let desk = home.visited(referred);
    desk.page(&passport.mrz_lines);
    desk.chip(Chip::new(passport));
    desk.face();
    let (status, answer) = desk.finish();
    assert_eq!(status, 200, "{answer}");
    answer
}

#[test]
fn an_officer_signs_in_with_password_and_code_and_nothing_tells_what_was_wrong() {
    // proves G4, G6
    for station in Station::all(&[], quick) {
        let secret = added(&station, "bc-17");
        let good = now_code(&secret);
        let wrong = refused(401, "officer.sign_in");
        assert_eq!(code(sign_in(&station, "bc-17", "hest batteri", &good)), wrong);
        assert_eq!(code(sign_in(&station, "bc-17", PASSWORD, "x")), wrong);
        let refusals = || {
            let refused = |entry: &Entry| entry.kind == "officer.sign_in_refused";
            trail(&station).into_iter().filter(refused).collect::<Vec<_>>()
        };
        let known = refusals().len();
        assert_eq!(code(sign_in(&station, "nobody", PASSWORD, &good)), wrong);
        assert_eq!(refusals().len(), known + 1, "as much is written as for a known name");
        assert!(!format!("{:?}", refusals()).contains("nobody"));
        assert_eq!(code(sign_in(&station, "../æ", PASSWORD, &good)), wrong);
        let (status, session) = sign_in(&station, "bc-17", PASSWORD, &good);
        assert_eq!((status, &session["expires_in"]), (201, &json!(1800)), "{session}");
        assert_eq!(code(sign_in(&station, "bc-17", PASSWORD, &good)), wrong, "the code is used");

        let token = session["token"].as_str().unwrap();
        let queue = |token: &str| {
            station.call(Call { token, ..Call::new("GET", "/v1/officer/cases", b"") }).0
        };
        assert_eq!((queue(token), queue("x"), queue("")), (200, 401, 401));
        let out = Call { token, ..Call::new("DELETE", "/v1/officer/sessions", b"") };
        assert_eq!((station.call(out).0, queue(token)), (200, 401), "signed out");

        let other = Signed::new(&station, "bc-18");
        assert_eq!(queue(&other.token), 200);
        let disabled = disable_officer(&station.store, "bc-18", SystemClock.now());
        assert!(station.runtime.block_on(disabled).unwrap());
        assert_eq!(queue(&other.token), 401, "disabled");
        let kinds: Vec<String> = trail(&station).into_iter().map(|entry| entry.kind).collect();
        for kind in ["officer.added", "officer.signed_in", "officer.sign_in_refused"] {
            assert!(kinds.iter().any(|found| found == kind), "{kind}: {kinds:?}");
        }
    }
}

#[test]
fn an_account_rests_after_wrong_tries_also_when_they_come_at_once() {
    for station in Station::all(&[], quick) {
        let secret = added(&station, "bc-17");
        std::thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| sign_in(&station, "bc-17", PASSWORD, "000000x"));
            }
        });
        let right = sign_in(&station, "bc-17", PASSWORD, &now_code(&secret));
        assert_eq!(code(right), refused(401, "officer.sign_in"));
    }
}

#[test]
fn a_near_match_is_looked_at_and_approved_in_the_officers_name() {
    // proves C1, E1, A5, C4
    let near = known_as("Søren Ærø Sofus", "Kjærgård");
    for station in Station::all(&[&near], quick) {
        let home = Case::start(&station, &near.holder.cpr);
        let answer = home.through(&near);
        assert_eq!(
            (&answer["decision"], reasons(&answer)),
            (&json!("refer"), vec!["person.mismatch"])
        );
        assert!(!answer.to_string().contains("near"), "the person learns how near");

        let officer = Signed::new(&station, "bc-17");
        let (_, queue) = officer.call("GET", "/cases", &Value::Null);
        assert_eq!(
            (&queue[0]["id"], &queue[0]["reasons"]),
            (&json!(home.id), &json!(["person.mismatch"]))
        );
        let (status, look) = officer.look(&home);
        assert_eq!((status, &look["names"]), (200, &json!("near")), "{look:#}");
        assert_eq!(look["person"]["given_names"], "Søren Ærø Sofus");
        assert_eq!(look["document"]["surname"], near.mrz_lines[0][5..].split('<').next().unwrap());
        let looked = trail(&station).into_iter().filter(|entry| entry.kind == "case.looked");
        assert_eq!(
            looked.map(|entry| entry.data["officer"].clone()).collect::<Vec<_>>(),
            ["bc-17"]
        );

        let short = officer.rule(&home, &json!({ "decision": "approve", "reason": "ok" }));
        assert_eq!(code(short), refused(422, "officer.reason"));
        let (status, done) = officer.rule(&home, &json!({ "decision": "approve", "reason": WHY }));
        assert_eq!((status, &done["identity"]["level"]), (200, &json!("Substantial")), "{done:#}");
        assert_eq!(done["identity"]["name"], "Søren Ærø Sofus Kjærgård");
        assert_eq!(home.finish().1["identity"], done["identity"], "it is the person's");
        assert_eq!(code(officer.look(&home)), refused(409, "case.state"), "it waits no more");

        let signed = enroll_core::identity::verify(
            done["identity"]["jws"].as_str().unwrap(),
            &station.app.jwks(),
        )
        .unwrap();
        let id = done["identity"]["id"].as_str().unwrap().parse().unwrap();
        let kept = station
            .runtime
            .block_on(async { station.store.begin().await.unwrap().evidence(id).await.unwrap() });
        let record: Value = serde_json::from_slice(&kept[0].record).unwrap();
        let again = evidence::verify(&record, Some(signed.evidence_sha256), Some(&station.trust));
        let again = again.unwrap();
        assert_eq!((again.verdict, again.reasons), (Verdict::Accepted, vec![]));
        assert_eq!(record["method"], "officer");
        let checks = record["checks"].as_array().unwrap();
        let by = checks.iter().find(|check| check["id"] == "officer.approved").unwrap();
        assert_eq!(by["evidence"]["officer"], "bc-17");
        let ruled =
            trail(&station).into_iter().find(|entry| entry.kind == "officer.ruled").unwrap();
        assert_eq!(
            (&ruled.data["officer"], &ruled.data["decision"]),
            (&json!("bc-17"), &json!("approve"))
        );
        assert!(!ruled.data.to_string().contains(WHY), "the reason is sealed");
    }
}

#[test]
fn the_queue_comes_in_pages_of_which_none_repeats_or_leaves_out_a_case() {
    for station in Station::all(&[], quick) {
        let all: Vec<String> = (0..5)
            .map(|_| {
                let home = Case::start(&station, "0101900000");
                home.refer(&json!({}));
                home.id
            })
            .collect();
        let officer = Signed::new(&station, "bc-17");
        let page = |after| {
            station.runtime.block_on(async {
                let signed = station.app.officer(&officer.token).await.unwrap();
                station.app.waiting(&signed, after, 2).await.unwrap()
            })
        };
        let (mut found, mut after) = (Vec::new(), None);
        for size in [2, 2, 1] {
            let queue = page(after);
            assert_eq!(queue.cases.len(), size);
            assert_eq!(queue.next.is_some(), size == 2, "{:?}", queue.next);
            found.extend(queue.cases.into_iter().map(|case| case.id.to_string()));
            // As it is written in the address of the next page.
            after = queue.next.map(|next| next.to_string().parse().unwrap());
        }
        let (mut all, mut sorted) = (all, found);
        all.sort();
        sorted.sort();
        assert_eq!(sorted, all);
        let (status, queue) = officer.call("GET", "/cases", &Value::Null);
        assert_eq!((status, queue.as_array().unwrap().len()), (200, 5));
        for wrong in ["x", "1.x", ".00000000-0000-4000-8000-000000000000"] {
            let (status, _) = officer.call("GET", &format!("/cases?after={wrong}"), &Value::Null);
            assert_eq!(status, 400, "{wrong}");
        }
        let looked = trail(&station).into_iter().filter(|entry| entry.kind == "queue.looked");
        assert_eq!(looked.count(), 4, "each page is a look");
    }
}

#[test]
fn officers_see_the_times_that_are_booked_and_the_look_is_in_the_trail() {
    for station in Station::all(&[], quick) {
        let home = Case::start(&station, "0101900000");
        home.refer(&json!({}));
        let officer = Signed::new(&station, "bc-17");
        let times = || officer.call("GET", "/appointments", &Value::Null);
        assert_eq!(times(), (200, json!([])));
        let wanted = br#"{"slot": "slot-2"}"#;
        let (status, booked) = home.call("PUT", "/booking", "application/json", wanted);
        assert_eq!(status, 200, "{booked}");
        let (_, found) = times();
        assert_eq!(found, json!([{ "case": home.id, "booking": booked["booking"] }]));
        officer.rule(&home, &json!({ "decision": "refuse", "reason": WHY }));
        assert_eq!(times(), (200, json!([])), "the case has ended");
        let looked = trail(&station).into_iter().filter(|e| e.kind == "appointments.looked");
        assert_eq!(looked.map(|e| e.data["officer"].clone()).collect::<Vec<_>>(), ["bc-17"; 3]);
    }
}

#[test]
fn another_person_is_not_approved_and_a_refusal_keeps_its_reason_only() {
    // proves C1, D8, H6
    let other = known_as("Birthe", "Holm");
    for station in Station::all(&[&other], quick) {
        let home = Case::start(&station, &other.holder.cpr);
        assert_eq!(home.through(&other)["decision"], "refer");
        let officer = Signed::new(&station, "bc-17");
        assert_eq!(officer.look(&home).1["names"], "different");
        let approve = json!({ "decision": "approve", "reason": WHY });
        assert_eq!(code(officer.rule(&home, &approve)), refused(422, "person.mismatch"));
        let refuse = json!({ "decision": "refuse", "reason": "Ikke samme person." });
        let (status, done) = officer.rule(&home, &refuse);
        assert_eq!((status, reasons(&done)), (200, vec!["officer.refused"]), "{done:#}");
        assert_eq!((home.state().as_str(), &done["identity"]), ("refused", &Value::Null));
        assert_eq!(code(officer.rule(&home, &approve)), refused(409, "case.state"), "once");
        let id = home.id.parse().unwrap();
        let (left, rulings) = station.runtime.block_on(async {
            let mut tx = station.store.begin().await.unwrap();
            (tx.get(id, "cpr").await, tx.rulings(id).await.unwrap())
        });
        assert!(matches!(left, Err(StorageError::Erased)));
        assert_eq!(rulings[0].officer, "bc-17");
        assert!(String::from_utf8_lossy(&rulings[0].payload).contains("Ikke samme person."));
    }
}

#[test]
fn high_is_given_by_an_officer_in_person_only_and_raises_the_identity_there_is() {
    // proves E1, F5 (the person sees who looked)
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let first = Case::start(&station, &good.holder.cpr).through(&good);
        let home = Case::start(&station, &good.holder.cpr);
        let referred = home.refer(&json!({ "high": true }));
        assert_eq!(reasons(&referred), ["referral.high"]);
        let officer = Signed::new(&station, "bc-17");
        let high = |in_person: bool| json!({ "decision": "approve", "reason": WHY, "level": "high", "in_person": in_person });
        assert_eq!(
            code(officer.rule(&home, &high(true))),
            refused(409, "case.incomplete"),
            "no chip yet"
        );
        let done = at_the_kiosk(&home, &good, &referred);
        assert_eq!(
            (&done["decision"], reasons(&done)),
            (&json!("refer"), vec!["referral.high"]),
            "{done:#}"
        );
        assert_eq!(officer.look(&home).1["identity"], first["identity"]["id"]);
        let looks = activities_of(&station, &first)
            .into_iter()
            .filter(|one| one["what"] == "looked" && one["by"]["officer"] == "bc-17");
        assert_eq!(looks.count(), 1);
        assert_eq!(code(officer.rule(&home, &high(false))), refused(422, "officer.presence"));
        let (status, done) = officer.rule(&home, &high(true));
        assert_eq!((status, &done["identity"]["level"]), (200, &json!("High")), "{done:#}");
        assert_eq!(done["identity"]["id"], first["identity"]["id"], "the same identity");
        let jws = done["identity"]["jws"].as_str().unwrap();
        let signed = enroll_core::identity::verify(jws, &station.app.jwks()).unwrap();
        assert_eq!(signed.level.officer(), Some("bc-17"), "in the record");
    }
}

#[test]
fn an_officer_asks_for_more_and_the_case_goes_on() {
    let near = known_as("Søren Ærø Sofus", "Kjærgård");
    for station in Station::all(&[&near], quick) {
        let home = Case::start(&station, &near.holder.cpr);
        home.through(&near);
        let referred = home.refer(&json!({}));
        let officer = Signed::new(&station, "bc-17");
        let more = json!({ "decision": "more", "reason": "Tag din vielsesattest med." });
        let (status, done) = officer.rule(&home, &more);
        assert_eq!((status, reasons(&done)), (200, vec!["officer.more"]), "{done:#}");
        let (_, view) = home.call("GET", "", "", b"");
        assert_eq!((&view["state"], &view["asked"]), (&json!("referred"), &more["reason"]));
        assert_eq!(officer.look(&home).1["rulings"][0]["reason"], more["reason"]);
        assert_eq!(officer.call("GET", "/cases", &Value::Null).1[0]["asked_by"], "bc-17");
        let again = at_the_kiosk(&home, &near, &referred);
        assert_eq!(reasons(&again), ["person.mismatch"]);
        let approve = json!({ "decision": "approve", "reason": WHY, "in_person": true });
        assert_eq!(officer.rule(&home, &approve).1["decision"], "issue");
    }
}

#[test]
fn the_portrait_goes_with_any_ruling_and_is_not_kept_of_a_face_that_was_judged() {
    // proves D8
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let has = |case: &Case<'_>| {
            let id = case.id.parse().unwrap();
            let chip = station.runtime.block_on(async {
                station.store.begin().await.unwrap().get(id, "chip").await.unwrap().unwrap()
            });
            serde_json::from_slice::<Value>(&chip).unwrap()["files"]["DG2"].is_string()
        };
        let home = Case::start(&station, &good.holder.cpr);
        at_the_kiosk(&home, &good, &home.refer(&json!({ "high": true })));
        assert!(!has(&home), "the machine has judged the face");

        let home = without_biometrics(&station, &good);
        at_the_kiosk(&home, &good, &home.refer(&json!({})));
        assert!(has(&home));
        let officer = Signed::new(&station, "bc-17");
        officer.portrait(&home);
        let more = json!({ "decision": "more", "reason": "Kom igen med dit pas." });
        assert_eq!(officer.rule(&home, &more).0, 200);
        assert!(!has(&home), "it goes with the ruling");
        let gone = officer.call("GET", &format!("/cases/{}/portrait", home.id), &Value::Null);
        assert_eq!(code(gone), refused(409, "case.state"));
        let compared = json!({
            "decision": "approve", "reason": WHY, "in_person": true, "portrait_compared": true,
        });
        assert_eq!(code(officer.rule(&home, &compared)), refused(422, "officer.portrait"));
    }
}

/// A case of somebody who lets no program recognise their face.
fn without_biometrics<'a>(station: &'a Station, passport: &Passport) -> Case<'a> {
    let body = json!({
        "consent": {"terms_version": "2026-02", "biometrics": false, "language": "da"},
        "cpr": passport.holder.cpr,
    })
    .to_string();
    let (_, started) = station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()));
    let text = |name: &str| started[name].as_str().unwrap().to_owned();
    Case::at(station, &text("id"), &text("token"))
}

#[test]
fn an_officer_looks_at_the_face_of_who_does_not_consent_to_a_program() {
    // proves A2
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let home = without_biometrics(&station, &good);
        at_the_kiosk(&home, &good, &home.refer(&json!({})));
        let officer = Signed::new(&station, "bc-17");
        let approve = |in_person: bool| json!({ "decision": "approve", "reason": WHY, "in_person": in_person });
        assert_eq!(code(officer.rule(&home, &approve(false))), refused(422, "officer.presence"));
        let unseen = refused(422, "officer.portrait");
        assert_eq!(code(officer.rule(&home, &approve(true))), unseen);
        let compared = |level: &str| {
            json!({
                "decision": "approve", "reason": WHY, "in_person": true, "portrait_compared": true, "level": level,
            })
        };
        assert_eq!(code(officer.rule(&home, &compared("substantial"))), unseen, "not looked at");
        assert_eq!(officer.look(&home).1["portrait"], true);
        let (kind, cache, png) = officer.portrait(&home);
        assert_eq!((kind.as_str(), cache.as_str()), ("image/png", "no-store"));
        assert!(png.starts_with(b"\x89PNG\r\n"));
        let other = Signed::new(&station, "bc-18");
        assert_eq!(code(other.rule(&home, &compared("substantial"))), unseen, "by another officer");
        assert_eq!(code(officer.rule(&home, &compared("high"))), refused(422, "officer.high_face"));
        let (status, done) = officer.rule(&home, &compared("substantial"));
        assert_eq!((status, &done["decision"]), (200, &json!("issue")), "{done:#}");
        let looked = trail(&station).into_iter().find(|entry| entry.kind == "portrait.looked");
        assert_eq!(looked.unwrap().data["officer"], "bc-17");
        let record = evidence_of(&station, &done);
        let checks = record["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["id"] == "officer.portrait_compared").unwrap();
        assert_eq!(
            (&check["outcome"], &check["evidence"]["officer"]),
            (&json!("passed"), &json!("bc-17"))
        );
        assert!(record["files"].get("DG2").is_none(), "the portrait is in the evidence");
        let left = station.runtime.block_on(async {
            station.store.begin().await.unwrap().get(home.id.parse().unwrap(), "chip").await
        });
        assert!(matches!(left, Err(StorageError::Erased)));
    }
}

#[test]
fn a_suspected_morph_goes_to_an_officer_who_compares_the_portrait() {
    // proves D7
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        station.faces.morph.store(true, Ordering::Relaxed);
        let home = Case::start(&station, &good.holder.cpr);
        let answer = home.through(&good);
        assert_eq!(answer["verdict"], "inconclusive", "{answer:#}");
        assert_eq!(reasons(&answer), ["face.morph_suspected"]);
        assert_eq!(answer["identity"], Value::Null);
        // Another picture, which is not suspected, settles nothing.
        station.faces.morph.store(false, Ordering::Relaxed);
        let again = at_the_kiosk(&home, &good, &home.refer(&json!({})));
        assert_eq!(reasons(&again), ["face.morph_suspected"]);
        assert_eq!(again["identity"], Value::Null);
        let officer = Signed::new(&station, "bc-17");
        let look = officer.look(&home).1;
        assert_eq!(look["portrait"], true, "{look:#}");
        let checks = look["checks"].as_array().unwrap();
        let morph = checks.iter().find(|check| check["id"] == "face.morph").unwrap();
        assert_eq!(morph["outcome"], "failed");
        let compared = json!({
            "decision": "approve", "reason": WHY, "in_person": true, "portrait_compared": true,
        });
        assert_eq!(code(officer.rule(&home, &compared)), refused(422, "officer.portrait"));
        officer.portrait(&home);
        let (status, done) = officer.rule(&home, &compared);
        assert_eq!((status, &done["decision"]), (200, &json!("issue")), "{done:#}");
    }
}

#[test]
fn a_blocked_identity_is_opened_by_an_officer_with_a_reason() {
    // proves F2, F3
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let first = Case::start(&station, &good.holder.cpr);
        let identity = first.through(&good)["identity"]["id"].as_str().unwrap().to_owned();
        let block = format!("/v1/identities/{identity}/block");
        let contacts = json!({ "phone": "+4520304050", "notices": ["sms"] }).to_string();
        let path = format!("/v1/identities/{identity}/contacts");
        let put = Call { token: &first.token, ..Call::new("PUT", &path, contacts.as_bytes()) };
        assert_eq!(station.call(put).0, 200);
        let blocked = station.call(Call { token: &first.token, ..Call::new("POST", &block, b"") });
        assert_eq!(blocked.0, 200);
        let home = Case::start(&station, &good.holder.cpr);
        assert_eq!(reasons(&home.through(&good)), ["identity.blocked"]);
        let officer = Signed::new(&station, "bc-17");
        let approve = json!({ "decision": "approve", "reason": WHY });
        assert_eq!(code(officer.rule(&home, &approve)), refused(409, "identity.blocked"));
        assert_eq!(officer.look(&home).1["identity"], identity.as_str());
        let reopen = |why: &str| {
            officer.call(
                "POST",
                &format!("/identities/{identity}/reopening"),
                &json!({ "reason": why }),
            )
        };
        assert_eq!(code(reopen("   nej    ")), refused(422, "officer.reason"));
        let before = waiting(&station);
        let (status, life) = reopen(WHY);
        assert_eq!((status, &life["blocked"]), (200, &json!(false)), "{life}");
        assert_eq!(waiting(&station), before + 1, "the holder is told");
        assert_eq!(reopen(WHY), (200, life), "repeated");
        assert_eq!(waiting(&station), before + 1);
        let ruled = trail(&station).into_iter().filter(|entry| entry.kind == "officer.ruled");
        assert_eq!(ruled.count(), 1, "nothing was ruled again");
        assert_eq!(officer.rule(&home, &approve).1["decision"], "issue", "now it can be renewed");
        let opened = trail(&station).into_iter().find(|entry| entry.kind == "identity.reopened");
        assert_eq!(opened.unwrap().data["actor"]["officer"], "bc-17");
        let nobody = "/identities/00000000-0000-4000-8000-000000000000/reopening";
        let unknown = officer.call("POST", nobody, &json!({ "reason": WHY }));
        assert_eq!(code(unknown), refused(404, "case.unknown"));
        let none = officer.call("POST", "/identities/x/reopening", &json!({ "reason": WHY }));
        assert_eq!(code(none), refused(404, "case.unknown"));
        let asked = in_vain(&station);
        let id = json!("00000000-0000-4000-8000-000000000000");
        let of = |named| json!({ "officer": "bc-17", "for": "reopening", "named": named });
        assert_eq!(asked, [of(id), of(Value::Null)]);
    }
}

/// What officers asked for in vain.
pub fn in_vain(station: &Station) -> Vec<Value> {
    let found = trail(station).into_iter().filter(|entry| entry.kind == "officer.asked_in_vain");
    found.map(|entry| entry.data).collect()
}

/// What the person of `identity` gets as an export, by a session that has just begun.
fn exported(station: &Station, identity: &str) -> Value {
    let token = format!("my page of {identity}");
    let identity = identity.parse().unwrap();
    let now = SystemClock.now();
    let session = server::storage::MySession {
        identity,
        log_in: None,
        app: None,
        epoch: station.runtime.block_on(station.app.life(identity)).unwrap().epoch,
        approved: now,
        seen: now,
        expires: now + time::Duration::HOUR,
    };
    station.runtime.block_on(async {
        let mut tx = station.store.begin().await.unwrap();
        tx.add_my_session(&openssl::sha::sha256(token.as_bytes()), &session).await.unwrap();
        tx.commit().await.unwrap();
    });
    let call = Call { token: &token, ..Call::new("GET", "/v1/my/export", b"") };
    let (status, export) = station.call(call);
    assert_eq!(status, 200, "{export:#}");
    export
}

#[test]
fn a_witness_vouches_by_the_policys_rules() {
    // Another document than the witness's.
    let (mut person, witness) = (passport("good-jp2"), somebody_else());
    person.holder.given_names = "Birthe".to_owned();
    person.holder.surname = "Holm".to_owned();
    for allowed in [true, false] {
        let change = |config: &mut Config| {
            quick(config);
            if allowed {
                (config.policy.witness.identity_s, config.policy.witness.most) = (0, 1);
            }
        };
        for station in Station::all(&[&person, &witness], change) {
            let vouching = Case::start(&station, &witness.holder.cpr).through(&witness);
            let vouching = vouching["identity"]["id"].as_str().unwrap().to_owned();
            std::thread::sleep(std::time::Duration::from_millis(1_100));
            let officer = Signed::new(&station, "bc-17");
            let ruled = |in_person: bool| {
                let home = Case::start(&station, &person.holder.cpr);
                at_the_kiosk(&home, &person, &home.refer(&json!({})));
                let answer = officer.rule(&home, &json!({
                    "decision": "approve", "reason": WHY, "in_person": in_person, "witness": vouching,
                }));
                let seen =
                    format!("{}{}{}", home.call("GET", "", "", b"").1, home.finish().1, answer.1);
                assert!(!seen.contains(&vouching), "the person learns who has an identity");
                answer
            };
            if !allowed {
                assert_eq!(code(ruled(true)), refused(422, "witness.not_allowed"), "too new");
                let asked = json!({ "officer": "bc-17", "for": "witness", "named": vouching });
                assert_eq!(in_vain(&station), [asked]);
                continue;
            }
            assert_eq!(code(ruled(false)), refused(422, "officer.presence"), "nobody was there");
            let (status, done) = ruled(true);
            assert_eq!((status, &done["decision"]), (200, &json!("issue")), "{done:#}");
            assert!(evidence_of(&station, &done).to_string().contains(&vouching), "it is kept");
            let export = exported(&station, done["identity"]["id"].as_str().unwrap());
            let approved = export["evidence"][0]["checks"].as_array().unwrap();
            assert!(approved.iter().any(|check| check["id"] == "officer.approved"), "{export:#}");
            assert!(!export.to_string().contains(&vouching), "the person reads who vouched");
            assert_eq!(code(ruled(true)), refused(422, "witness.not_allowed"), "once is enough");
            // Who vouched reads when, and not for whom.
            let own = exported(&station, &vouching);
            let times = own["vouched"].as_array().unwrap();
            assert!(times.len() == 1 && times[0]["at"].is_string(), "{own:#}");
            assert_eq!(times[0].as_object().unwrap().len(), 1);
            for hidden in [done["identity"]["id"].as_str().unwrap(), "Birthe", "Holm"] {
                assert!(!own.to_string().contains(hidden), "{hidden} of whom they vouched for");
            }
        }
    }
}

#[test]
fn nobody_vouches_for_who_was_born_on_another_day() {
    // proves C1
    let (mut person, witness) = (passport("good-jp2"), somebody_else());
    person.holder.birth_date = "1974-08-13".to_owned();
    let change = |config: &mut Config| {
        quick(config);
        config.policy.witness.identity_s = 0;
    };
    for station in Station::all(&[&person, &witness], change) {
        let vouching = Case::start(&station, &witness.holder.cpr).through(&witness);
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let officer = Signed::new(&station, "bc-17");
        let home = Case::start(&station, &person.holder.cpr);
        at_the_kiosk(&home, &person, &home.refer(&json!({})));
        let ruled = officer.rule(&home, &json!({
            "decision": "approve", "reason": WHY, "in_person": true, "witness": vouching["identity"]["id"],
        }));
        assert_eq!(code(ruled), refused(422, "person.mismatch"));
    }
}

#[test]
fn a_kiosk_or_a_person_is_no_officer() {
    for station in Station::all(&[], quick) {
        let home = Case::start(&station, "120874-0002");
        let referred = home.refer(&json!({}));
        let path = format!("/v1/officer/cases/{}", home.id);
        for token in [home.token.as_str(), super::borgercenter::KIOSK, ""] {
            let answer = station.call(Call { token, ..Call::new("GET", &path, b"") });
            assert_eq!(code(answer), refused(401, "request.token"));
        }
        let officer = Signed::new(&station, "bc-17");
        let reference = referred["reference"].as_str().unwrap();
        assert_eq!(code(open(&station, &officer.token, reference)), refused(401, "request.token"));
        let unknown = officer.call("GET", "/cases/x", &Value::Null);
        assert_eq!(code(unknown), refused(404, "case.unknown"));
    }
}

/// `enroll officer` over the station's data; exit status and standard output.
fn enroll(station: &Station, args: &[&str], password: &str) -> (i32, String) {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = station
        .command(&["officer"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // One that needs no password may have ended already.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn officers_are_added_listed_and_disabled_on_the_command_line() {
    let station = Station::start(&[], quick);
    let (status, out) = enroll(&station, &["add", "--json", "bc-17"], PASSWORD);
    let answer: Value = serde_json::from_str(&out).unwrap();
    let uri = answer["otpauth"].as_str().unwrap();
    assert!(status == 0 && uri.starts_with("otpauth://totp/Indrul:bc-17?secret="), "{out}");
    assert!(!out.contains(PASSWORD));
    assert_eq!(enroll(&station, &["add", "bc-17"], PASSWORD).0, 1, "taken");
    assert_eq!(enroll(&station, &["add", "bc-18"], "kort").0, 2, "a short password");
    assert_eq!(enroll(&station, &["add", "BC 18"], PASSWORD).0, 2, "no name");
    assert_eq!(enroll(&station, &["add", "su-3", "--role", "support"], PASSWORD).0, 0);
    assert_eq!(enroll(&station, &["add", "su-4", "--role", "boss"], PASSWORD).0, 2);
    let listed = "bc-17 borgercenter active\nsu-3 support active\n".to_owned();
    assert_eq!(enroll(&station, &["list"], ""), (0, listed));
    assert_eq!(enroll(&station, &["disable", "su-3"], "").0, 0);
    assert_eq!(enroll(&station, &["disable", "bc-17"], "").0, 0);
    assert_eq!(enroll(&station, &["disable", "bc-19"], "").0, 1);
    let (_, out) = enroll(&station, &["list", "--json"], "");
    for (line, role) in out.lines().zip(["borgercenter", "support"]) {
        let listed: Value = serde_json::from_str(line).unwrap();
        assert!(listed["disabled"].is_string() && listed["role"] == role, "{out}");
    }
    assert_eq!(out.lines().count(), 2);
}
