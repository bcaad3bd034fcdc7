//! P-codes instead of CPR numbers.

use super::borgercenter::{code, refused};
use super::enrolment::{Case, reasons};
use super::officers::{Signed, in_vain, quick};
use super::station::{Call, Station, passport};
use fixtures::passport::Passport;
use serde_json::{Value, json};
use server::config::Config;

fn start(station: &Station, code: &Value) -> (u16, Value) {
    let body = json!({
        "consent": {"terms_version": "2026-02", "biometrics": true, "language": "da"},
        "p_code": code,
    })
    .to_string();
    station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()))
}

pub fn started<'a>(station: &'a Station, code: &Value) -> Case<'a> {
    let (status, answer) = start(station, code);
    assert_eq!(status, 201, "{answer}");
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    Case::at(station, &text("id"), &text("token"))
}

pub fn issued(officer: &Signed<'_>, subject: &Value) -> Value {
    let (status, answer) = officer.call("POST", "/p-codes", subject);
    assert_eq!(status, 201, "{answer}");
    answer
}

/// Its holder as an officer sees them.
pub fn seen(passport: &Passport) -> Value {
    let digits: String = passport.holder.cpr.chars().filter(char::is_ascii_digit).collect();
    let odd = digits.ends_with(['1', '3', '5', '7', '9']);
    let holder = serde_json::to_value(&passport.holder).unwrap();
    json!({
        "given_names": passport.holder.given_names,
        "surname": passport.holder.surname,
        "birth_date": holder["birth_date"],
        "sex": if odd { "male" } else { "female" },
    })
}

#[test]
fn a_p_code_starts_three_enrolments_and_ends_in_one_identity() {
    // proves A4
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let officer = Signed::new(&station, "bc-17");
        let answer = issued(&officer, &json!({ "cpr": good.holder.cpr }));
        let p_code = &answer["p_code"];
        assert_eq!((p_code.as_str().unwrap().len(), &answer["starts"]), (8, &json!(3)));
        let first = started(&station, p_code);
        let second = started(&station, p_code);
        let done = second.through(&good);
        assert_eq!(done["decision"], "issue", "{done:#}");
        assert_eq!(code(start(&station, p_code)), refused(422, "p_code.invalid"), "used");
        // The other one that it started comes too late.
        first.page(&good.mrz_lines);
        first.chip(fixtures::chip::Chip::new(&good));
        first.face();
        assert_eq!(code(first.finish()), refused(422, "p_code.invalid"));
        let same = Case::start(&station, &good.holder.cpr).through(&good);
        assert_eq!(same["identity"]["id"], done["identity"]["id"], "the person of that number");

        let unused = issued(&officer, &json!({ "cpr": good.holder.cpr }));
        for _ in 0..3 {
            started(&station, &unused["p_code"]);
        }
        assert_eq!(code(start(&station, &unused["p_code"])), refused(422, "p_code.invalid"));
        for bad in ["00000000", "1234567", "x"] {
            assert_eq!(code(start(&station, &json!(bad))), refused(422, "p_code.invalid"), "{bad}");
        }
        let rows = std::fs::read(station.folder.path().join("indrul.db")).unwrap_or_default();
        let trail = station.runtime.block_on(async {
            station.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        let plain = p_code.as_str().unwrap();
        assert!(!String::from_utf8_lossy(&rows).contains(plain));
        assert!(!format!("{trail:?}").contains(plain));
        let by = trail.iter().find(|entry| entry.kind == "p_code.issued").unwrap();
        assert_eq!(by.data["officer"], "bc-17");
    }
}

#[test]
fn a_p_code_runs_out() {
    // proves A4
    let change = |config: &mut Config| {
        quick(config);
        config.policy.p_codes.life_s = 0;
    };
    for station in Station::all(&[], change) {
        let officer = Signed::new(&station, "bc-17");
        let answer = issued(&officer, &json!({ "cpr": "120874-0002" }));
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_eq!(code(start(&station, &answer["p_code"])), refused(422, "p_code.invalid"));
    }
}

#[test]
fn a_person_without_a_number_gets_one_identity_by_p_codes() {
    // proves A4, B11
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let officer = Signed::new(&station, "bc-17");
        let mut person = seen(&good);
        let answer = issued(&officer, &json!({ "person": person }));
        let first = started(&station, &answer["p_code"]).through(&good);
        assert_eq!(first["decision"], "issue", "{first:#}");
        person["known_as"] = answer["known_as"].clone();
        let mut wrong = person.clone();
        wrong["birth_date"] = json!("1974-08-13");
        let mut unknown = person.clone();
        unknown["known_as"] = json!("00000000-0000-4000-8000-000000000000");
        for bad in [wrong, unknown] {
            let answer = officer.call("POST", "/p-codes", &json!({ "person": bad }));
            assert_eq!(code(answer), refused(422, "p_code.known_as"));
        }
        let asked = in_vain(&station);
        let named = [&answer["known_as"], &json!("00000000-0000-4000-8000-000000000000")];
        assert_eq!(asked.iter().map(|data| &data["named"]).collect::<Vec<_>>(), named);
        assert!(asked.iter().all(|data| data["for"] == "known_as" && data["officer"] == "bc-17"));
        let again = issued(&officer, &json!({ "person": person }));
        let second = started(&station, &again["p_code"]).through(&good);
        assert_eq!(second["identity"]["id"], first["identity"]["id"]);
        person["known_as"] = Value::Null;
        let stranger = issued(&officer, &json!({ "person": person }));
        let third = started(&station, &stranger["p_code"]).through(&good);
        assert_eq!(reasons(&third), ["document.already_used"], "{third:#}");
    }
}

#[test]
fn a_start_takes_either_a_number_or_a_p_code_and_only_officers_issue_them() {
    for station in Station::all(&[], quick) {
        let consent = json!({"terms_version": "2026-02", "biometrics": true, "language": "da"});
        for body in [
            json!({ "consent": consent }),
            json!({ "consent": consent, "cpr": "120874-0002", "p_code": "12345678" }),
        ] {
            let body = body.to_string();
            let answer = station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()));
            assert_eq!(code(answer), refused(400, "request.malformed"));
        }
        let officer = Signed::new(&station, "bc-17");
        for body in [json!({}), json!({ "cpr": "12" }), json!({ "person": { "surname": "x" } })] {
            let answer = officer.call("POST", "/p-codes", &body);
            assert_eq!(code(answer), refused(400, "request.malformed"), "{body}");
        }
        let body = json!({ "cpr": "120874-0002" }).to_string();
        let nobody = station.call(Call::new("POST", "/v1/officer/p-codes", body.as_bytes()));
        assert_eq!(code(nobody), refused(401, "request.token"));
    }
}
