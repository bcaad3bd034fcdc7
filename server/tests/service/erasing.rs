//! What is kept of a person: read and exported on My page, and erased, also while another server issues their
//! identity again.

use super::borgercenter::{code, refused};
use super::enrolment::Case;
use super::officers::{Signed, WHY, known_as, quick};
use super::p_codes::{issued, seen, started};
use super::station::{Call, READER, Station, passport};
use enroll_core::audit::Event;
use enroll_core::code_device::Kind;
use enroll_core::totp::{Algorithm, Seed};
use fixtures::chip::Chip;
use serde_json::{Value, json};
use server::app::{
    App, AppError, Erased, Holder, NewDevice, Parts, Place, Rules, import_code_devices,
};
use server::clock::{Clock, SystemClock, SystemEntropy, random};
use server::config::{Config, Limits};
use server::ids::{AuthenticatorId, IdentityId, LogInId};
use server::oidc::{Approval, Level, LogIn, Means, Way};
use server::registers::NoRegisters;
use server::storage::{CodeDeviceRow, LogInRow, MySession, Store, Tx};
use sqlx::any::AnyPoolOptions;
use std::sync::Arc;
use std::time::Instant;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

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

/// Erases the identity of the session.
async fn erased(app: &App, token: &str) -> Result<Erased, AppError> {
    let holder = app.holder(token, Place::default()).await?;
    app.erase_mine(&holder).await
}

/// Officers, and no limits.
fn with_officers(config: &mut Config) {
    quick(config);
    config.limits = Limits::none();
}

/// On how many enrolments an identity rests.
async fn evidence(store: &Store, identity: IdentityId) -> usize {
    store.read().await.unwrap().evidence(identity).await.unwrap().len()
}

fn identity_in(answer: &Value) -> IdentityId {
    assert_eq!(answer["decision"], "issue", "{answer:#}");
    answer["identity"]["id"].as_str().unwrap().parse().unwrap()
}

/// Returns once as many units of work wait for a row, on PostgreSQL.
async fn waiting(station: &Station, many: i64) {
    let pool = AnyPoolOptions::new().max_connections(1).connect(&station.database).await.unwrap();
    let asked = "SELECT COUNT(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + std::time::Duration::from_secs(60);
    while sqlx::query_as::<_, (i64,)>(asked).fetch_one(&pool).await.unwrap().0 != many {
        assert!(Instant::now() < deadline, "{many} do not wait");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn is_on_postgres(station: &Station) -> bool {
    station.database.starts_with("postgres")
}

/// Does both, in this order and beside each other: on PostgreSQL both wait for the held profile before either goes
/// on. SQLite has one who writes.
fn beside_each_other<A: Send, B: Send>(
    station: &Station,
    identity: IdentityId,
    (first, second): (impl FnOnce() -> A + Send, impl FnOnce() -> B + Send),
) -> (A, B) {
    if !is_on_postgres(station) {
        return (first(), second());
    }
    let hold = || async {
        let mut held = station.store.begin().await.unwrap();
        held.hold_profile(identity).await.unwrap();
        held
    };
    let held = station.runtime.block_on(async {
        // Who waits for a row waits in turn, who waits for it to be there does not.
        hold().await.commit().await.unwrap();
        hold().await
    });
    std::thread::scope(|scope| {
        let first = scope.spawn(first);
        station.runtime.block_on(waiting(station, 1));
        let second = scope.spawn(second);
        station.runtime.block_on(async {
            waiting(station, 2).await;
            held.commit().await.unwrap();
        });
        (first.join().unwrap(), second.join().unwrap())
    })
}

/// A log-in that `identity` has approved.
async fn begin_log_in(tx: &mut Tx, identity: IdentityId, now: OffsetDateTime) {
    let party = json!({
        "client_id": "netbank", "name": "Netbanken", "organisation": "Banken", "sector": "private",
        "redirect_uris": [], "post_logout_redirect_uris": [], "backchannel_logout_uri": null,
        "auth": { "method": "client_secret_post", "secret_sha256": "" }, "scopes": ["openid"],
        "ciba": true,
    });
    assert!(tx.add_relying_party(&serde_json::from_value(party).unwrap(), now).await.unwrap());
    let request = json!({
        "issuer": "https://i", "to": { "to": "poll" }, "scopes": ["openid"], "nonce": null,
        "level": "Low", "action": "LOG_ON", "text": "a text",
    });
    let approval = Approval {
        means: Means::App(AuthenticatorId::random(&SystemEntropy).unwrap()),
        identity,
        way: Way::Qr,
        at: now,
        epoch: 0,
        ial: Level::Substantial,
        aal: Level::Substantial,
        poll: None,
        back: None,
        shown: None,
    };
    let row = LogInRow {
        id: LogInId::random(&SystemEntropy).unwrap(),
        client_id: "netbank".to_owned(),
        user_hash: None,
        request: serde_json::from_value(request).unwrap(),
        state: LogIn::Approved { approval },
        expires: now + Duration::HOUR,
        network: None,
    };
    tx.insert_log_in(&row, &[7; 32], now).await.unwrap();
}

/// What issuing beside an erasure of `first` has come to, which issued `issued`.
fn stands(station: &Station, (first, issued): (IdentityId, IdentityId), name: &str) {
    station.runtime.block_on(async {
        let mut tx = station.store.begin().await.unwrap();
        // Nothing came onto the erased one after it was erased: neither what happened nor a person.
        assert!(tx.activities(first, None, None, 9).await.unwrap().is_empty(), "{name}");
        assert!(tx.number(first).await.unwrap().is_none(), "{name}");
        assert!(tx.life(first).await.unwrap().open().is_err(), "{name}");
        let is_another = issued != first;
        assert_eq!(tx.life(issued).await.unwrap().open().is_ok(), is_another, "{name}");
    });
}

#[test]
fn what_is_issued_beside_an_erasure_comes_before_it_or_is_another_identity() {
    // proves F5, B11
    let near = known_as("Søren Ærø Sofus", "Kjærgård");
    let approve = json!({ "decision": "approve", "reason": WHY });
    for station in Station::all(&[&near], with_officers) {
        let (other, officer) = (beside(&station), Signed::new(&station, "bc-17"));
        let referred = || {
            let case = Case::start(&station, &near.holder.cpr);
            assert_eq!(case.through(&near)["decision"], "refer");
            case
        };
        let mut first = identity_in(&officer.rule(&referred(), &approve).1);
        for erases_first in [true, false] {
            let case = referred();
            let rule = || officer.rule(&case, &approve);
            first = issued_beside_an_erasure((&station, &other), first, erases_first, rule);
        }
    }
}

/// What `issues` gives while `first` is erased at another server: the one that came first is done first, and neither
/// waits for the other in a circle.
fn issued_beside_an_erasure(
    (station, other): (&Station, &App),
    first: IdentityId,
    erases_first: bool,
    issues: impl Fn() -> (u16, Value) + Send + Sync,
) -> IdentityId {
    let before = station.runtime.block_on(evidence(&station.store, first));
    let token = station.runtime.block_on(session(&station.store, first));
    let erase = || station.runtime.block_on(erased(other, &token));
    let (answer, erased) = if erases_first {
        let (erased, answer) = beside_each_other(station, first, (erase, issues));
        (answer, erased)
    } else {
        beside_each_other(station, first, (issues, erase))
    };
    assert!(erased.is_ok(), "{erases_first}: {erased:?}");
    assert_eq!(answer.0, 200, "{erases_first}: {answer:?}");
    let issued = identity_in(&answer.1);
    assert_eq!(issued != first, erases_first, "the one that came first is done first");
    stands(station, (first, issued), "what was issued");
    let rests_on = station.runtime.block_on(evidence(&station.store, first));
    assert_eq!(rests_on, before + usize::from(issued == first));
    issued
}

#[test]
fn what_is_finished_beside_an_erasure_comes_before_it_or_is_another_identity() {
    // proves F5, B11
    let good = passport("good");
    for station in Station::all(&[&good], |config| config.limits = Limits::none()) {
        let other = beside(&station);
        let mut first = identity_in(&Case::start(&station, &good.holder.cpr).through(&good));
        for erases_first in [true, false] {
            let again = Case::start(&station, &good.holder.cpr);
            again.page(&good.mrz_lines);
            again.chip(Chip::new(&good));
            assert_eq!(again.face().0, 200);
            let finish = || again.finish();
            first = issued_beside_an_erasure((&station, &other), first, erases_first, finish);
        }
    }
}

#[test]
fn who_holds_a_code_device_and_then_the_trail_waits_for_no_erasure() {
    // proves F5
    let good = passport("good");
    for station in Station::all(&[&good], |_| {}).iter().filter(|one| is_on_postgres(one)) {
        let first = identity_in(&Case::start(station, &good.holder.cpr).through(&good));
        let token = station.runtime.block_on(session(&station.store, first));
        let seed = Seed::new(Algorithm::Sha1, Zeroizing::new(vec![7; 20])).unwrap();
        let serial = "KV-0001".to_owned();
        let new = [NewDevice { serial: serial.clone(), kind: Kind::Display, seed }];
        let now = SystemClock.now();
        let held = station.runtime.block_on(async {
            import_code_devices(&station.store, &SystemEntropy, &new, now).await.unwrap();
            let mut tx = station.store.begin().await.unwrap();
            let row = tx.code_device_of(&serial).await.unwrap().unwrap();
            let state = row.state.order(now).unwrap();
            let row = CodeDeviceRow { identity: Some(first), state, ..row };
            tx.save_code_device(&row).await.unwrap();
            // A log-in that the erasure ends, which it writes down.
            begin_log_in(&mut tx, first, now).await;
            tx.commit().await.unwrap();
            let mut held = station.store.begin().await.unwrap();
            held.hold_code_device(row.id).await.unwrap();
            held
        });
        let erased = std::thread::scope(|scope| {
            let erase = scope.spawn(|| station.runtime.block_on(erased(&station.app, &token)));
            station.runtime.block_on(async {
                waiting(station, 1).await;
                let mut held = held;
                let (kind, data) = ("code_device.posted".to_owned(), json!({}));
                let written = held.audit(Event { time: now, kind, case: None, data });
                let most = std::time::Duration::from_secs(60);
                tokio::time::timeout(most, written).await.unwrap().unwrap();
                held.commit().await.unwrap();
            });
            erase.join().unwrap()
        });
        assert!(erased.is_ok(), "{erased:?}");
    }
}

#[test]
fn an_export_has_read_everything_before_it_waits_for_who_writes() {
    // proves F5
    let good = passport("good");
    for station in Station::all(&[&good], |_| {}) {
        // SQLite has one who writes, and nobody who can be seen to wait.
        if !is_on_postgres(&station) {
            continue;
        }
        let identity = identity_in(&Case::start(&station, &good.holder.cpr).through(&good));
        let holder = holder(&station, identity);
        let held = station.runtime.block_on(async {
            let mut held = station.store.begin().await.unwrap();
            let mut profile = held.hold_profile(identity).await.unwrap();
            assert!(!profile.details.log_in_notices);
            profile.details.log_in_notices = true;
            held.save_profile(&profile).await.unwrap();
            held
        });
        let export = std::thread::scope(|scope| {
            let export = || station.runtime.block_on(station.app.export_mine(&holder));
            let export = scope.spawn(export);
            station.runtime.block_on(async {
                waiting(&station, 1).await;
                held.commit().await.unwrap();
            });
            export.join().unwrap().unwrap()
        });
        assert!(!export.profile.log_in_notices, "as it was before what it waited for");
        let mine = station.runtime.block_on(station.app.my_profile(&holder)).unwrap();
        assert!(mine.log_in_notices);
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
fn a_p_code_of_after_an_erasure_is_worth_something_when_those_of_before_are_gone() {
    // proves F5, A4
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let officer = Signed::new(&station, "bc-17");
        let mut person = seen(&good);
        let answer = issued(&officer, &json!({ "person": person }));
        let identity = identity_in(&started(&station, &answer["p_code"]).through(&good));
        let holder = holder(&station, identity);
        station.runtime.block_on(station.app.erase_mine(&holder)).unwrap();
        // Erasures and P-codes are dated by the second.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        person["known_as"] = answer["known_as"].clone();
        let anew = issued(&officer, &json!({ "person": person }));
        let under_way = started(&station, &anew["p_code"]);
        station.runtime.block_on(async {
            let mut tx = station.store.begin().await.unwrap();
            let later = SystemClock.now() + Duration::days(5 * 366);
            assert_eq!(tx.erase_evidence(later).await.unwrap(), [identity]);
            tx.commit().await.unwrap();
        });
        assert_ne!(identity_in(&under_way.through(&good)), identity);
    }
}

#[test]
fn the_number_that_a_p_code_was_issued_for_goes_with_the_identity() {
    // proves F5
    let good = passport("good");
    for station in Station::all(&[&good], quick) {
        let officer = Signed::new(&station, "bc-17");
        let used = issued(&officer, &json!({ "cpr": good.holder.cpr }));
        let identity = identity_in(&started(&station, &used["p_code"]).through(&good));
        let unused = issued(&officer, &json!({ "cpr": good.holder.cpr }));
        let under_way = started(&station, &unused["p_code"]);
        let codes = || {
            station.runtime.block_on(async {
                station.store.read().await.unwrap().p_codes_of(identity).await.unwrap()
            })
        };
        let before = codes();
        assert_eq!(before.len(), 2);
        let holder = holder(&station, identity);
        station.runtime.block_on(station.app.erase_mine(&holder)).unwrap();
        station.runtime.block_on(async {
            let mut tx = station.store.begin().await.unwrap();
            for (code, ..) in before {
                let kept = tx.hold_p_code_of(code.id).await.unwrap().unwrap();
                assert_eq!(kept.subject.as_slice(), br#""erased""#);
            }
        });
        let body = json!({
            "consent": {"terms_version": "2026-02", "biometrics": true, "language": "da"},
            "p_code": unused["p_code"],
        })
        .to_string();
        let late = Call::new("POST", "/v1/enrolments", body.as_bytes());
        assert_eq!(code(station.call(late)), refused(422, "p_code.invalid"));
        // What it had started before goes on.
        assert_ne!(identity_in(&under_way.through(&good)), identity);
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
