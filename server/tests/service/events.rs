//! What registers tell of a person or a document after an identity was issued.

use super::borgercenter::{code, refused};
use super::enrolment::{Case, reasons};
use super::officers::{Signed, WHY, quick};
use super::station::{Call, Station, passport};
use fixtures::passport::Passport;
use serde_json::{Value, json};
use server::config::{Config, Secret};

const TOKEN: &str = "fedcba9876543210fedcba9876543210";

fn told(config: &mut Config) {
    quick(config);
    config.registers.events_token = Some(Secret::from(TOKEN.to_owned()));
}

fn tell(station: &Station, token: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    station.call(Call { token, ..Call::new("POST", "/v1/register-events", body.as_bytes()) })
}

/// A person with an identity and contacts.
fn enrolled<'a>(station: &'a Station, passport: &Passport) -> (Case<'a>, String) {
    let home = Case::start(station, &passport.holder.cpr);
    let answer = home.through(passport);
    let identity = answer["identity"]["id"].as_str().unwrap().to_owned();
    let body = json!({ "phone": "+4520304050", "email": "anna@example.invalid" });
    assert_eq!(own(&home, &identity, "PUT", "/contacts", &body).0, 200);
    (home, identity)
}

fn own(home: &Case<'_>, identity: &str, method: &str, step: &str, body: &Value) -> (u16, Value) {
    let path = format!("/v1/identities/{identity}{step}");
    let body = body.to_string();
    let call = Call::new(method, &path, body.as_bytes());
    home.station.call(Call { token: &home.token, ..call })
}

pub fn waiting(station: &Station) -> i64 {
    let size = async { station.store.read().await.unwrap().outbox_size().await.unwrap() };
    station.runtime.block_on(size).0
}

fn has_number(station: &Station, identity: &str) -> bool {
    let number = async {
        let mut tx = station.store.read().await.unwrap();
        tx.number(identity.parse().unwrap()).await.unwrap()
    };
    station.runtime.block_on(number).is_some()
}

#[test]
fn a_death_revokes_the_identity_for_ever() {
    // proves F4
    let good = passport("good");
    for station in Station::all(&[&good], told) {
        let (home, identity) = enrolled(&station, &good);
        assert!(has_number(&station, &identity));
        let event = json!({ "id": "cpr-1", "kind": "deceased", "cpr": good.holder.cpr });
        assert_eq!(code(tell(&station, "", &event)), refused(401, "request.token"));
        assert_eq!(
            tell(&station, TOKEN, &event),
            (200, json!({ "id": "cpr-1", "repeated": false }))
        );
        assert_eq!(tell(&station, TOKEN, &event).1["repeated"], true);
        let name = json!({ "user_id": "soerenk" });
        let choose = own(&home, &identity, "PUT", "/user-id", &name);
        assert_eq!(code(choose), refused(409, "identity.revoked"));
        assert_eq!(waiting(&station), 0, "nobody writes to the dead");
        assert!(!has_number(&station, &identity), "nor keeps their number");
        let again = Case::start(&station, &good.holder.cpr).through(&good);
        assert_eq!(
            (&again["verdict"], reasons(&again)),
            (&json!("refused"), vec!["identity.revoked"])
        );
        let officer = Signed::new(&station, "bc-17");
        let path = format!("/identities/{identity}/reopening");
        let reopen = officer.call("POST", &path, &json!({ "reason": WHY }));
        assert_eq!(code(reopen), refused(409, "identity.revoked"));
        let trail = station.runtime.block_on(async {
            station.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        enroll_core::audit::verify(&trail, None).unwrap();
        let entries: Vec<_> = trail.iter().filter(|entry| entry.kind == "register.told").collect();
        assert_eq!(entries.len(), 1, "each event once");
        assert_eq!(
            (&entries[0].data["kind"], &entries[0].data["changed"]),
            (&json!("deceased"), &json!(true))
        );
    }
}

#[test]
fn emigration_and_a_lost_or_expired_document_suspend_until_an_officer_has_looked() {
    // proves F4, F2, E7
    let good = passport("good");
    let holder = serde_json::to_value(&good.holder).unwrap();
    let document = json!({ "issuer": holder["issuer"], "number": holder["document_number"] });
    for station in Station::all(&[&good], told) {
        let (_, identity) = enrolled(&station, &good);
        let officer = Signed::new(&station, "bc-17");
        let life = || {
            let found = station.app.life(identity.parse().unwrap());
            station.runtime.block_on(found).unwrap()
        };
        let mut epoch = life().epoch;
        for (id, event) in [
            ("a", json!({ "id": "a", "kind": "emigrated", "cpr": good.holder.cpr })),
            ("b", json!({ "id": "b", "kind": "document_expired", "document": document })),
            ("c", json!({ "id": "c", "kind": "document_revoked", "document": document })),
        ] {
            let before = waiting(&station);
            assert_eq!(tell(&station, TOKEN, &event).0, 200, "{id}");
            assert!(life().blocked && life().epoch > epoch, "{id}: {:?}", life());
            epoch = life().epoch;
            assert_eq!(waiting(&station), before + 2, "{id}: by SMS and e-mail");
            let path = format!("/identities/{identity}/reopening");
            assert_eq!(officer.call("POST", &path, &json!({ "reason": WHY })).0, 200);
            assert!(!life().blocked);
        }
    }
}

#[test]
fn events_of_nobody_here_are_taken_in_and_bad_ones_are_not() {
    // proves F4
    for station in Station::all(&[], told) {
        let document = json!({ "issuer": "DNK", "number": "1" });
        let nobody = json!({ "id": "x-1", "kind": "deceased", "cpr": "120874-0002" });
        assert_eq!(tell(&station, TOKEN, &nobody).0, 200);
        for body in [
            json!({ "id": "", "kind": "deceased", "cpr": "120874-0002" }),
            json!({ "id": "x 2", "kind": "deceased", "cpr": "120874-0002" }),
            json!({ "id": "x-2", "kind": "married", "cpr": "120874-0002" }),
            json!({ "id": "x-2", "kind": "deceased", "cpr": "12" }),
            json!({ "id": "x-2", "kind": "deceased", "document": document }),
            json!({ "id": "x-2", "kind": "document_expired", "cpr": "120874-0002" }),
        ] {
            assert_eq!(
                code(tell(&station, TOKEN, &body)),
                refused(400, "request.malformed"),
                "{body}"
            );
        }
    }
    let station = Station::start(&[], quick);
    let event = json!({ "id": "x-1", "kind": "deceased", "cpr": "120874-0002" });
    assert_eq!(
        code(tell(&station, TOKEN, &event)),
        refused(401, "request.token"),
        "no credential is configured"
    );
}

#[test]
fn an_event_of_a_document_that_a_newer_one_replaced_is_kept_and_does_nothing() {
    // proves F4
    let (old, new) = (passport("good"), passport("good-jp2"));
    assert_eq!(old.holder.cpr, new.holder.cpr, "of one person");
    for station in Station::all(&[&old, &new], told) {
        let (_, identity) = enrolled(&station, &old);
        let renewed = Case::start(&station, &new.holder.cpr).through(&new);
        assert_eq!(renewed["identity"]["id"], identity.as_str(), "{renewed:#}");
        let blocked = || {
            let found = station.app.life(identity.parse().unwrap());
            station.runtime.block_on(found).unwrap().blocked
        };
        let expired = |id: &str, passport: &Passport| {
            let holder = serde_json::to_value(&passport.holder).unwrap();
            let document =
                json!({ "issuer": holder["issuer"], "number": holder["document_number"] });
            let event = json!({ "id": id, "kind": "document_expired", "document": document });
            assert_eq!(tell(&station, TOKEN, &event).0, 200);
        };
        expired("a", &old);
        assert!(!blocked(), "it rests on the new one");
        let trail = station.runtime.block_on(async {
            station.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        let entry = trail.iter().find(|entry| entry.kind == "register.told").unwrap();
        assert_eq!(
            (&entry.data["superseded"], &entry.data["changed"]),
            (&json!(true), &json!(false))
        );
        expired("b", &new);
        assert!(blocked());
    }
}

#[test]
fn a_document_is_of_the_new_identity_once_what_the_erased_one_rested_on_is_gone() {
    // proves F4, F5, B11
    let good = passport("good");
    let holder = serde_json::to_value(&good.holder).unwrap();
    let document = json!({ "issuer": holder["issuer"], "number": holder["document_number"] });
    for station in Station::all(&[&good], told) {
        let (_, erased) = enrolled(&station, &good);
        let erased = erased.parse().unwrap();
        let now = server::clock::Clock::now(&server::clock::SystemClock);
        station.runtime.block_on(async {
            let mut tx = station.store.begin().await.unwrap();
            tx.erase_identity(erased, (now, now)).await.unwrap();
            tx.commit().await.unwrap();
        });
        let (_, anew) = enrolled(&station, &good);
        assert_ne!(anew, erased.to_string());
        let gone = station.runtime.block_on(async {
            let mut tx = station.store.begin().await.unwrap();
            let gone = tx.erase_evidence(now).await.unwrap();
            tx.commit().await.unwrap();
            gone
        });
        assert_eq!(gone, [erased]);
        let event = json!({ "id": "a", "kind": "document_revoked", "document": document });
        assert_eq!(tell(&station, TOKEN, &event).0, 200);
        let life = station.app.life(anew.parse().unwrap());
        assert!(station.runtime.block_on(life).unwrap().blocked, "the event finds nobody");
    }
}
