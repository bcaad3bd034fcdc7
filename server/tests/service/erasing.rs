//! What is kept of a person: read and exported on My page, and erased, also while another server issues their
//! identity again.

use super::enrolment::Case;
use super::officers::{Signed, quick};
use super::p_codes::{issued, seen, started};
use super::station::{READER, Station, passport};
use fixtures::chip::Chip;
use serde_json::{Value, json};
use server::app::{App, AppError, Holder, Parts, Place, Rules};
use server::clock::{Clock, SystemClock, SystemEntropy, random};
use server::config::{Config, Limits};
use server::ids::IdentityId;
use server::registers::NoRegisters;
use server::storage::{MySession, Store};
use std::sync::Arc;
use time::Duration;

/// Another server over the same rows, with the same keys.
fn beside(station: &Station) -> App {
    let (entropy, keys) = (Arc::new(SystemEntropy), station.app.keys());
    let opened = Store::open(&station.database, keys.clone(), entropy.clone());
    let parts = Parts {
        store: station.runtime.block_on(opened).unwrap(),
        keys,
        clock: Arc::new(SystemClock),
        entropy,
        trust: station.trust.clone(),
        faces: station.faces.clone(),
        mrz: READER.clone(),
        registers: Arc::new(NoRegisters),
        appointments: Arc::new(NoRegisters),
    };
    App::new(parts, Rules::from(Config::default()))
}

/// The token of a session of My page that has just been approved.
async fn session(store: &Store, identity: IdentityId) -> String {
    let token = hex::encode(random::<32>(&SystemEntropy).unwrap());
    let now = SystemClock.now();
    let mut tx = store.begin().await.unwrap();
    let session = MySession {
        identity,
        log_in: None,
        app: None,
        epoch: tx.life(identity).await.unwrap().epoch,
        approved: now,
        seen: now,
        expires: now + Duration::HOUR,
    };
    tx.add_my_session(&openssl::sha::sha256(token.as_bytes()), &session).await.unwrap();
    tx.commit().await.unwrap();
    token
}

/// The person of an identity, as My page knows them.
fn holder(station: &Station, identity: IdentityId) -> Holder {
    station.runtime.block_on(async {
        let token = session(&station.store, identity).await;
        station.app.holder(&token, Place::default()).await.unwrap()
    })
}

/// On how many enrolments an identity rests.
async fn evidence(store: &Store, identity: IdentityId) -> usize {
    store.read().await.unwrap().evidence(identity).await.unwrap().len()
}

fn identity_in(answer: &Value) -> IdentityId {
    assert_eq!(answer["decision"], "issue", "{answer:#}");
    answer["identity"]["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_is_issued_beside_an_erasure_comes_before_it_or_is_another_identity() {
    // proves F5, B11
    let good = passport("good");
    for station in Station::all(&[&good], |config| config.limits = Limits::none()) {
        let other = beside(&station);
        for round in 0..4 {
            let first = identity_in(&Case::start(&station, &good.holder.cpr).through(&good));
            let again = Case::start(&station, &good.holder.cpr);
            again.page(&good.mrz_lines);
            again.chip(Chip::new(&good));
            assert_eq!(again.call("PUT", "/face", "image/jpeg", b"a face").0, 200);
            let before = station.runtime.block_on(evidence(&station.store, first));
            let token = station.runtime.block_on(session(&station.store, first));
            let (finished, erased) = std::thread::scope(|scope| {
                let finish = scope.spawn(|| again.call("POST", "/finish", "", b""));
                let erase = async {
                    let holder = other.holder(&token, Place::default()).await?;
                    other.erase_mine(&holder).await
                };
                let erased = station.runtime.block_on(erase);
                (finish.join().unwrap(), erased)
            });
            // Neither waited for the other in a circle.
            assert_eq!(finished.0, 200, "{round}: {finished:?}");
            assert!(erased.is_ok(), "{round}: {erased:?}");
            let issued = identity_in(&finished.1);
            station.runtime.block_on(async {
                let mut tx = station.store.begin().await.unwrap();
                // Nothing came onto the erased one after it was erased: neither what happened nor a person.
                assert!(tx.activities(first, None, None, 9).await.unwrap().is_empty(), "{round}");
                assert!(tx.number(first).await.unwrap().is_none(), "{round}");
                assert!(tx.life(first).await.unwrap().open().is_err(), "{round}");
                let is_another = issued != first;
                assert_eq!(tx.life(issued).await.unwrap().open().is_ok(), is_another, "{round}");
            });
            let rests_on = station.runtime.block_on(evidence(&station.store, first));
            assert_eq!(rests_on, before + usize::from(issued == first), "{round}");
        }
    }
}

#[test]
fn p_codes_are_exported_and_erased_with_what_the_identity_rested_on() {
    // proves F5
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let officer = Signed::new(&station, "bc-17");
        let mut person = seen(&good);
        let answer = issued(&officer, &json!({ "person": person }));
        let identity = identity_in(&started(&station, &answer["p_code"]).through(&good));
        let holder = holder(&station, identity);
        let export = station.runtime.block_on(station.app.export_mine(&holder)).unwrap();
        let export = serde_json::to_value(export).unwrap();
        let told = &export["p_codes"][0];
        assert_eq!(told["officer"], "bc-17");
        for part in ["given_names", "surname", "birth_date"] {
            assert_eq!(told["person"][part], person[part], "{part}");
        }
        assert!(!export.to_string().contains(answer["p_code"].as_str().unwrap()));
        assert_eq!(export["vouched"], json!([]));
        station.runtime.block_on(station.app.erase_mine(&holder)).unwrap();
        person["known_as"] = answer["known_as"].clone();
        let known = || officer.call("POST", "/p-codes", &json!({ "person": person }));
        assert_eq!(known().0, 201, "as long as the rest is kept");
        station.runtime.block_on(async {
            let mut tx = station.store.begin().await.unwrap();
            let later = SystemClock.now() + Duration::days(5 * 366);
            assert_eq!(tx.erase_evidence(later).await.unwrap(), [identity]);
            tx.commit().await.unwrap();
        });
        assert_eq!(known().1["code"], "p_code.known_as", "nobody is known by it any more");
    }
}

#[test]
fn what_a_person_reads_waits_for_nobody_who_writes_and_exports_have_a_limit() {
    // proves F5
    let good = passport("good");
    for station in Station::all(&[&good], |config| config.limits.export_burst = 1) {
        let identity = identity_in(&Case::start(&station, &good.holder.cpr).through(&good));
        let (holder, app) = (holder(&station, identity), &station.app);
        station.runtime.block_on(async {
            let mut writer = station.store.begin().await.unwrap();
            writer.hold_profile(identity).await.unwrap();
            let read = async {
                app.my_means(&holder).await.unwrap();
                app.my_profile(&holder).await.unwrap();
                app.my_activities(&holder, (None, None)).await.unwrap();
            };
            let most = std::time::Duration::from_secs(60);
            tokio::time::timeout(most, read).await.unwrap();
            drop(writer);
            app.export_mine(&holder).await.unwrap();
            let again = app.export_mine(&holder).await;
            assert!(matches!(again, Err(AppError::TooOften(_))), "{again:?}");
        });
    }
}
