//! Cases that go on at a Borgercenter, with the emulated chip over the relay.

use super::enrolment::{Case, reasons};
use super::station::{Call, Station, passport};
use fixtures::chip::Chip;
use serde_json::{Value, json};
use server::app::AppError;
use server::config::{Config, Secret};
use server::relay_client::Ended;

pub const KIOSK: &str = "0123456789abcdef0123456789abcdef";

/// A configuration with a kiosk in it.
pub fn with_kiosk(config: &mut Config) {
    config.kiosks.tokens = Some(Secret::from(format!("kiosk-1 {KIOSK}")));
}

impl<'a> Case<'a> {
    /// Asks for a reference.
    pub fn refer(&self, wish: &Value) -> Value {
        let body = wish.to_string();
        let (status, answer) = self.call("POST", "/referral", "application/json", body.as_bytes());
        assert_eq!(status, 201, "{answer}");
        answer
    }

    /// The same case as a kiosk goes on with it.
    pub fn visited(&self, referred: &Value) -> Case<'a> {
        let (status, answer) = open(self.station, KIOSK, referred["reference"].as_str().unwrap());
        assert_eq!(status, 201, "{answer}");
        assert_eq!(answer["id"], self.id.as_str());
        Case::at(self.station, &self.id, answer["token"].as_str().unwrap())
    }

    pub fn state(&self) -> String {
        self.call("GET", "", "", b"").1["state"].as_str().unwrap().to_owned()
    }

    pub fn face(&self) -> (u16, Value) {
        self.call("PUT", "/face", "image/jpeg", b"a face")
    }

    pub fn finish(&self) -> (u16, Value) {
        self.call("POST", "/finish", "", b"")
    }
}

pub fn open(station: &Station, token: &str, reference: &str) -> (u16, Value) {
    let body = json!({ "reference": reference }).to_string();
    station.call(Call { token, ..Call::new("POST", "/v1/kiosk/cases", body.as_bytes()) })
}

pub fn code((status, answer): (u16, Value)) -> (u16, String) {
    (status, answer["code"].as_str().unwrap_or_default().to_owned())
}

pub fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn a_referred_case_goes_on_at_a_kiosk_with_its_chip_read_anew() {
    // proves B5, H6
    let good = passport("good");
    for station in Station::all(&[&good], with_kiosk) {
        let home = Case::start(&station, &good.holder.cpr);
        home.page(&good.mrz_lines);
        home.chip(Chip::new(&good));
        let (_, drawn) = home.call("POST", "/relay-tickets", "", b"");
        let referred = home.refer(&json!({}));
        assert_eq!(
            (home.state().as_str(), reasons(&referred)),
            ("referred", vec!["referral.wish"])
        );
        assert_eq!(code(home.face()), refused(409, "case.state"), "not at home any more");
        assert_eq!(home.finish().1["decision"], "refer", "repeated");

        let desk = home.visited(&referred);
        assert_eq!(desk.state(), "page_read");
        for (method, step) in [("PUT", "/face"), ("POST", "/relay-tickets"), ("POST", "/finish")] {
            let answer = home.call(method, step, "image/jpeg", b"a face");
            assert_eq!(code(answer), refused(409, "case.state"), "the kiosk's turn: {step}");
        }
        let old = drawn["ticket"].as_str().unwrap();
        let redeemed = station.runtime.block_on(station.app.redeem(old));
        assert!(redeemed.is_err(), "a ticket of before the visit opens the chip");
        assert_eq!(code(desk.face()), refused(409, "case.state"), "the old chip still counts");
        assert_eq!(desk.chip(Chip::new(&good)), Ended::Finished { verdict: "accepted".to_owned() });
        assert_eq!(desk.face().0, 200);
        let (_, done) = desk.finish();
        assert_eq!(
            (&done["decision"], &done["identity"]["level"]),
            (&json!("issue"), &json!("Substantial")),
            "{done:#}"
        );

        assert_eq!(desk.call("GET", "", "", b"").0, 401, "the visit is over");
        let record = station.runtime.block_on(async {
            let id = done["identity"]["id"].as_str().unwrap().parse().unwrap();
            let kept = station.store.begin().await.unwrap().evidence(id).await.unwrap();
            serde_json::from_slice::<Value>(&kept[0].record).unwrap()
        });
        assert_eq!(record["method"], "kiosk_chip_and_face");
        assert_eq!(
            code(open(&station, KIOSK, referred["reference"].as_str().unwrap())),
            refused(404, "reference.unknown"),
            "ended"
        );
    }
}

#[test]
fn a_referral_keeps_no_portrait_and_what_is_left_goes_with_its_time() {
    // proves D8
    let good = passport("good");
    let change = |config: &mut Config| {
        with_kiosk(config);
        config.policy.desk.referral_s = 0;
    };
    for station in Station::all(&[&good], change) {
        let home = Case::start(&station, &good.holder.cpr);
        home.page(&good.mrz_lines);
        home.chip(Chip::new(&good));
        let sealed = |name: &'static str| {
            let id = home.id.parse().unwrap();
            let got = async { station.store.begin().await.unwrap().get(id, name).await };
            station.runtime.block_on(got)
        };
        let has = |file: &str| {
            let chip = sealed("chip").unwrap().unwrap();
            serde_json::from_slice::<Value>(&chip).unwrap()["files"][file].is_string()
        };
        assert!(has("DG1") && has("DG2"));
        home.refer(&json!({}));
        assert!(has("DG1") && !has("DG2"), "the portrait is kept");
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_eq!(station.runtime.block_on(station.app.expire_overdue()).unwrap(), 1);
        assert_eq!(home.state(), "expired");
        assert!(sealed("cpr").is_err(), "something is left");
    }
}

#[test]
fn who_does_not_consent_to_biometrics_is_referred_and_no_face_is_taken() {
    // proves A2
    let good = passport("good");
    for station in Station::all(&[&good], with_kiosk) {
        let body = json!({
            "consent": {"terms_version": "2026-02", "biometrics": false, "language": "da"},
            "cpr": good.holder.cpr,
        })
        .to_string();
        let (status, started) = station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()));
        assert_eq!((status, &started["state"]), (201, &json!("referred")));
        let text = |name: &str| started[name].as_str().unwrap().to_owned();
        let home = Case::at(&station, &text("id"), &text("token"));
        let referred = home.refer(&json!({}));
        assert_eq!(reasons(&referred), ["consent.biometrics"]);
        let desk = home.visited(&referred);
        desk.page(&good.mrz_lines);
        desk.chip(Chip::new(&good));
        assert_eq!(code(desk.face()), refused(409, "consent.biometrics"));
        let (_, done) = desk.finish();
        assert_eq!(
            (&done["decision"], reasons(&done)),
            (&json!("refer"), vec!["consent.biometrics"])
        );
        assert_eq!(home.state(), "referred", "an officer decides");
    }
}

#[test]
fn used_up_attempts_are_referred_and_counted_anew_at_the_kiosk() {
    // proves D5, H6
    let good = passport("good");
    let change = |config: &mut Config| {
        with_kiosk(config);
        config.policy.attempts.page = 1;
        (config.policy.desk.attempts.page, config.policy.desk.visits) = (2, 2);
    };
    for station in Station::all(&[&good], change) {
        let home = Case::start(&station, &good.holder.cpr);
        let bad = json!({ "lines": ["no MRZ"] }).to_string();
        let page =
            |case: &Case<'_>| code(case.call("PUT", "/page", "application/json", bad.as_bytes()));
        assert_eq!(page(&home), refused(422, "mrz.format"));
        assert_eq!(page(&home), refused(429, "case.attempts"));
        let referred = home.refer(&json!({}));
        assert_eq!(reasons(&referred), ["case.attempts"]);
        for _ in 0..2 {
            let desk = home.visited(&referred);
            assert_eq!(page(&desk), refused(422, "mrz.format"));
            assert_eq!(page(&desk), refused(422, "mrz.format"));
            assert_eq!(page(&desk), refused(429, "case.attempts"));
        }
        let again = open(&station, KIOSK, referred["reference"].as_str().unwrap());
        assert_eq!(code(again), refused(429, "referral.visits"));
    }
}

#[test]
fn a_reference_opens_one_case_to_kiosks_only_and_is_nowhere_in_clear() {
    // proves H6, H4
    for station in Station::all(&[], with_kiosk) {
        let home = Case::start(&station, "120874-0002");
        let first = home.refer(&json!({}));
        let second = home.refer(&json!({}));
        let of = |referred: &Value| referred["reference"].as_str().unwrap().to_owned();
        let (first, reference) = (of(&first), of(&second));
        assert_eq!(
            code(open(&station, KIOSK, &first)),
            refused(404, "reference.unknown"),
            "drawn anew"
        );
        for token in ["", &home.token, "0123456789abcdef0123456789abcdeF"] {
            assert_eq!(code(open(&station, token, &reference)), refused(401, "request.token"));
        }
        let mut wrong = reference.clone().into_bytes();
        wrong[0] = if wrong[0] == b'2' { b'3' } else { b'2' };
        let wrong = String::from_utf8(wrong).unwrap();
        assert_eq!(code(open(&station, KIOSK, &wrong)), refused(422, "reference.form"));
        let (status, answer) = open(&station, KIOSK, &reference.to_lowercase().replace('-', " "));
        assert_eq!((status, &answer["state"]), (201, &json!("consented")), "{answer}");
        assert_eq!(home.call("POST", "/referral", "application/json", b"{}").0, 409);
        let desk = Case::at(&station, &home.id, answer["token"].as_str().unwrap());
        assert_eq!(
            desk.call("POST", "/referral", "application/json", b"{}").0,
            401,
            "the person's own"
        );

        let (again, answer) = open(&station, KIOSK, &reference);
        assert_eq!(again, 201, "a visit that broke off");
        assert_eq!(desk.call("GET", "", "", b"").0, 401, "its token is dead");
        assert_eq!(answer["expires_in"], 1800);
        let trail = station.runtime.block_on(async {
            station.store.read().await.unwrap().audit_after(0, 100).await.unwrap()
        });
        let visits: Vec<_> = trail.iter().filter(|entry| entry.kind == "case.visited").collect();
        // Nothing was tried in the first.
        assert_eq!(visits[1].data, json!({ "kiosk": "kiosk-1", "visit": 1 }));
        let plain = reference.replace('-', "");
        assert!(!format!("{trail:?}").contains(&plain));
        let rows = std::fs::read(station.folder.path().join("indrul.db")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&rows).contains(&plain));
    }
}

#[test]
fn a_kiosk_cannot_try_references_on_and_on() {
    let change = |config: &mut Config| {
        with_kiosk(config);
        (config.limits.reference_burst, config.limits.reference_per_hour) = (3, 1);
    };
    for station in Station::all(&[], change) {
        let tried = || code(open(&station, KIOSK, "22222222"));
        for _ in 0..3 {
            assert_eq!(tried(), refused(404, "reference.unknown"));
        }
        assert_eq!(tried(), refused(429, "request.too_often"));
    }
}

#[test]
fn a_referred_person_books_moves_and_cancels_a_time() {
    // proves H6
    for station in Station::all(&[], with_kiosk) {
        let home = Case::start(&station, "120874-0002");
        let other = Case::start(&station, "120874-0001");
        let json = |case: &Case<'_>, method: &str, step: &str, body: Value| {
            case.call(method, step, "application/json", body.to_string().as_bytes())
        };
        let book =
            |case: &Case<'_>, slot: &str| json(case, "PUT", "/booking", json!({ "slot": slot }));
        assert_eq!(code(book(&home, "slot-0")), refused(409, "case.state"), "not referred");
        let referred = home.refer(&json!({}));
        assert_eq!(
            referred["witness"],
            json!({"minimum_age": 18, "identity_days": 30, "most": 3, "period_days": 120})
        );
        other.refer(&json!({}));
        let (_, offers) = home.call("GET", "/slots", "", b"");
        assert_eq!(offers["slots"].as_array().unwrap().len(), 3);
        assert!(offers["bring"][0]["da"].as_str().unwrap().contains("pas"));
        let first = offers["slots"][0]["id"].as_str().unwrap();
        assert_eq!(home.call("GET", "/booking", "", b"").1, json!({ "booking": null }));
        assert_eq!(book(&home, first).1["booking"], offers["slots"][0]);
        assert_eq!(code(book(&other, first)), refused(409, "booking.taken"));
        assert_eq!(code(book(&other, "nowhere")), refused(409, "booking.taken"));
        assert_eq!(home.call("GET", "/booking", "", b"").1["booking"], offers["slots"][0]);
        assert_eq!(home.call("DELETE", "/booking", "", b""), (200, json!({ "booking": null })));
        assert_eq!(code(home.call("DELETE", "/booking", "", b"")), refused(404, "booking.unknown"));
        assert_eq!(book(&other, first).0, 200);
    }
}

/// Makes the owner's token of a pick-up code.
pub fn pick_up(station: &Station, code: &str) -> (u16, Value) {
    let body = json!({ "code": code }).to_string();
    station.call(Call::new("POST", "/v1/pick-ups", body.as_bytes()))
}

#[test]
fn what_a_visit_proves_is_set_up_by_who_stood_there_and_not_by_who_began_at_home() {
    // proves F3, A5
    let good = passport("good");
    for station in Station::all(&[&good], with_kiosk) {
        let home = Case::start(&station, &good.holder.cpr);
        let desk = home.visited(&home.refer(&json!({})));
        let done = desk.through(&good);
        assert_eq!(done["decision"], "issue", "{done:#}");
        let identity = done["identity"]["id"].as_str().unwrap();
        let path = format!("/v1/identities/{identity}");
        let with = |token: &str, method: &str, step: &str, body: &str| {
            let path = format!("{path}{step}");
            station.call(Call { token, ..Call::new(method, &path, body.as_bytes()) })
        };
        let name = json!({ "user_id": "soerenk" }).to_string();
        let no = refused(401, "request.token");
        for token in [&home.token, &desk.token] {
            assert_eq!(code(with(token, "GET", "", "")), no);
            assert_eq!(code(with(token, "PUT", "/user-id", &name)), no);
            assert_eq!(code(with(token, "POST", "/block", "")), no);
        }
        let (_, again) = home.finish();
        assert_eq!((&again["identity"], &again["pick_up"]), (&Value::Null, &Value::Null));
        let seen = format!("{again}{}", home.call("GET", "", "", b"").1);
        for hidden in [&good.holder.surname, "1974-08-12", "jws"] {
            assert!(!seen.contains(hidden), "{hidden}: {seen}");
        }

        let given = done["pick_up"]["code"].as_str().unwrap();
        assert_eq!(code(pick_up(&station, "2222")), refused(422, "pick_up.form"));
        let unknown = refused(404, "pick_up.unknown");
        assert_eq!(code(pick_up(&station, "2222-2222-2222-2222")), unknown);
        let (status, picked) = pick_up(&station, &given.to_lowercase());
        assert_eq!((status, &picked["identity"]), (201, &done["identity"]), "{picked}");
        assert_eq!(code(pick_up(&station, given)), unknown, "once");
        let token = picked["token"].as_str().unwrap();
        assert_eq!(with(token, "PUT", "/user-id", &name).0, 200);
        assert_eq!(code(with(&home.token, "GET", "", "")), no, "still");
        let trail = station.runtime.block_on(async {
            station.store.read().await.unwrap().audit_after(0, 100).await.unwrap()
        });
        assert!(!format!("{trail:?}").contains(given));
        assert_eq!(with(token, "POST", "/block", "").0, 200);
    }
}

#[test]
fn a_pick_up_code_runs_out() {
    // proves E4
    let good = passport("good");
    let change = |config: &mut Config| {
        with_kiosk(config);
        config.policy.desk.pick_up_s = 0;
    };
    for station in Station::all(&[&good], change) {
        let home = Case::start(&station, &good.holder.cpr);
        let done = home.visited(&home.refer(&json!({}))).through(&good);
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let late = pick_up(&station, done["pick_up"]["code"].as_str().unwrap());
        assert_eq!(code(late), refused(404, "pick_up.unknown"));
    }
}

#[test]
fn after_its_visit_a_kiosk_can_do_nothing_more_with_a_case() {
    // proves B5
    let good = passport("good");
    for station in Station::all(&[&good], with_kiosk) {
        let home = Case::start(&station, &good.holder.cpr);
        let referred = home.refer(&json!({ "high": true }));
        let desk = home.visited(&referred);
        assert_eq!(desk.through(&good)["decision"], "refer");
        for (method, step) in [("GET", ""), ("POST", "/finish"), ("DELETE", "/booking")] {
            let answer = desk.call(method, step, "", b"");
            assert_eq!(code(answer), refused(401, "request.token"), "{method} {step}");
        }
        assert_eq!(home.state(), "referred");
        assert_eq!(home.visited(&referred).state(), "page_read", "another visit");
    }
}

#[test]
fn a_visit_that_is_left_ends_and_nothing_read_at_it_stays() {
    // proves D8, B5
    let good = passport("good");
    let change = |config: &mut Config| {
        with_kiosk(config);
        config.policy.desk.session_s = 15;
    };
    for station in Station::all(&[&good], change) {
        let home = Case::start(&station, &good.holder.cpr);
        let referred = home.refer(&json!({}));
        let sweep = || station.runtime.block_on(station.app.expire_overdue()).unwrap();
        let desk = home.visited(&referred);
        desk.page(&good.mrz_lines);
        desk.chip(Chip::new(&good));
        sweep();
        assert_eq!(home.state(), "document_verified", "the kiosk is at work");
        std::thread::sleep(std::time::Duration::from_millis(16_100));
        sweep();
        let (_, view) = home.call("GET", "", "", b"");
        assert_eq!(
            (&view["state"], reasons(&view)),
            (&json!("referred"), vec!["referral.visit_ended"])
        );
        let kept = station.runtime.block_on(async {
            station.store.begin().await.unwrap().get(home.id.parse().unwrap(), "chip").await
        });
        assert!(kept.unwrap().is_none(), "the chip is kept");
        assert!(!view["checks"].to_string().contains("sod.signature"));
        assert_eq!(home.visited(&referred).state(), "page_read", "another visit");
    }
}

#[test]
fn a_person_who_leaves_the_kiosk_ends_the_visit_at_once() {
    let good = passport("good");
    for station in Station::all(&[&good], with_kiosk) {
        let home = Case::start(&station, &good.holder.cpr);
        home.page(&good.mrz_lines);
        let referred = home.refer(&json!({}));
        let (_, opened) = open(&station, KIOSK, referred["reference"].as_str().unwrap());
        let token = opened["token"].as_str().unwrap();
        let desk = Case::at(&station, &home.id, token);
        desk.chip(Chip::new(&good));
        let leaves = |token: &str| {
            station.runtime.block_on(async {
                let access = station.app.authorise(&home.id, token).await?;
                station.app.end_visit(access).await
            })
        };
        assert!(matches!(leaves(&home.token), Err(AppError::Unauthorized)), "it is not theirs");
        leaves(token).unwrap();
        assert_eq!(desk.call("GET", "", "", b"").0, 401, "the kiosk's token is dead");
        assert!(matches!(leaves(token), Err(AppError::Unauthorized)));
        let (_, view) = home.call("GET", "", "", b"");
        assert_eq!(
            (&view["state"], reasons(&view)),
            (&json!("referred"), vec!["referral.visit_ended"])
        );
        assert!(!view["checks"].to_string().contains("sod.signature"), "what was read is gone");
        assert_eq!(home.visited(&referred).state(), "page_read", "another visit");
    }
}
