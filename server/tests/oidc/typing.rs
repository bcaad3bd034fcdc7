//! Many who type at once: on one page, on two servers, and more than there are turns to hash what they type.

use super::by_code::{Page, desks, typed};
use super::desk::{Citizen, Desk};
use super::devices::{PASSWORD, quick};
use super::parties::Site;
use enroll_core::code_device::Kind;
use serde_json::{Value, json};
use server::app::{App, AppError};
use server::config::Config;
use server::storage::Opens;
use std::sync::Arc;
use time::Duration;

type Tried = tokio::task::JoinHandle<Result<(), AppError>>;

fn tries(
    desk: &Desk,
    app: &Arc<App>,
    page: &Page<'_>,
    (user_id, password, code): (&str, &str, &str),
) -> Tried {
    let (app, secret, typed) = (app.clone(), page.browser.secret(), typed(user_id, password, code));
    desk.runtime.spawn(async move { app.log_in_by_code(&secret, typed).await })
}

#[test]
fn of_many_tries_at_once_on_one_page_three_are_computed_and_none_fails() {
    // proves G4 (also by the way that it is refused), G6
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let user_ids = [anna.user_id(), "nobody.has.this".to_owned()];
        for user_id in user_ids.iter().cycle().take(6) {
            let page = Page::of(&netbank);
            let typed = || typed(user_id, "not the password", &device.wrong_code(&desk));
            let before = desk.store.effort().openings;
            let tries: Vec<_> = (0..20)
                .map(|_| {
                    let (app, secret, typed) = (desk.app.clone(), page.browser.secret(), typed());
                    desk.runtime.spawn(async move { app.log_in_by_code(&secret, typed).await })
                })
                .collect();
            let mut found: Vec<_> = tries
                .into_iter()
                .map(|one| match desk.runtime.block_on(one).unwrap() {
                    Err(AppError::Reason(reason)) => reason.as_str(),
                    other => panic!("{user_id}: {other:?}"),
                })
                .collect();
            found.sort_unstable();
            // The third ends the page, also for one before it that is not decided yet.
            let wrong = found.iter().filter(|code| **code == "log_in.code").count();
            assert!(wrong <= 2, "{user_id}: {found:?}");
            assert!(found[wrong..].iter().all(|code| *code == "log_in.tries"), "{found:?}");
            // One is read before the password is hashed, and three after that.
            let opened = desk.store.effort().openings - before;
            assert!((4..=12).contains(&opened), "{user_id}: {opened}");
            assert!(page.browser.get("/log-in/ended").text.contains("log_in.tries"));
        }
    }
}

#[test]
fn of_many_tries_on_two_servers_at_once_three_are_decided_and_a_code_is_taken_once() {
    // proves G6
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let servers = [desk.app.clone(), desk.app_beside(quick)];
        let (user_id, page) = (anna.user_id(), Page::of(&netbank));
        let guess = device.wrong_code(&desk);
        let guess = (user_id.as_str(), "not the password", guess.as_str());
        let each = servers.iter().cycle().take(20);
        let under_way: Vec<_> = each.map(|app| tries(&desk, app, &page, guess)).collect();
        let found = under_way.into_iter().map(|one| match desk.runtime.block_on(one).unwrap() {
            Err(AppError::Reason(reason)) => reason.as_str(),
            other => panic!("{other:?}"),
        });
        let found: Vec<_> = found.collect();
        let wrong = found.iter().filter(|code| **code == "log_in.code").count();
        let over = found.iter().filter(|code| **code == "log_in.tries").count();
        assert!(wrong <= 2 && wrong + over == 20, "{found:?}");
        assert!(page.browser.get("/log-in/ended").text.contains("log_in.tries"));
        for round in 0..4 {
            let pages = [(); 2].map(|()| Page::of(&netbank));
            let code = device.code(&desk);
            let right = (user_id.as_str(), PASSWORD, code.as_str());
            let under_way: Vec<_> = servers
                .iter()
                .zip(&pages)
                .map(|(app, page)| tries(&desk, app, page, right))
                .collect();
            let done: Vec<_> =
                under_way.into_iter().map(|one| desk.runtime.block_on(one).unwrap()).collect();
            assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{round}: {done:?}");
            let first = pages.iter().find(|page| page.browser.state() == "approved").unwrap();
            first.tokens(&netbank);
            desk.wait(Duration::seconds(30));
        }
    }
}

/// Tries that take the one turn to hash what is typed, for as long as `tx` holds what they wait for, once one that
/// found none has ended.
fn the_turn(desk: &Desk, pages: &[Page<'_>; 2], tx: &mut server::storage::Tx) -> Vec<Tried> {
    desk.runtime.block_on(async {
        for page in pages {
            let secret = openssl::sha::sha256(page.browser.secret().as_bytes());
            let row = tx.find_log_in(Opens::Browser, &secret).await.unwrap().unwrap();
            tx.hold_log_in(row.id).await.unwrap();
        }
    });
    let guess = ("nobody.has.this", "not the password", "000000");
    let under_way: Vec<_> = pages.iter().map(|page| tries(desk, &desk.app, page, guess)).collect();
    desk.runtime.block_on(async {
        while !under_way.iter().any(Tried::is_finished) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    });
    under_way
}

#[test]
fn who_finds_no_turn_to_type_is_told_when_to_come_back_and_nothing_is_counted() {
    // proves G6
    let impatient = |config: &mut Config| {
        quick(config);
        (config.limits.typing_at_once, config.limits.typing_wait_s) = (1, 0);
    };
    for desk in Desk::all_changed(impatient) {
        // What holds a connection to the database is dropped in here, whatever fails.
        let _inside = desk.runtime.enter();
        let site = Site::open(&desk);
        let (netbank, anna, bert) = (site.party(|_| {}), desk.enrolled(1), desk.enrolled(2));
        let device = anna.with_device("KV-0001", Kind::Display);
        let inactive = bert.ordered("KV-0002", Kind::Display);
        let code = bert.device_code("KV-0002", "sms").unwrap();
        let activation = bert.activation_of(&inactive, &code);
        let page = Page::of(&netbank);
        let right = [
            ("user_id", anna.user_id()),
            ("password", PASSWORD.to_owned()),
            ("code", device.code(&desk)),
        ];
        let right = right.each_ref().map(|(name, value)| (*name, value.as_str()));
        let (body, kind) = (activation.to_string(), [("content-type", "application/json")]);
        let pages = [(); 2].map(|()| Page::of(&netbank));
        let mut tx = desk.runtime.block_on(desk.store.begin()).unwrap();
        let under_way = the_turn(&desk, &pages, &mut tx);
        // As often as may be tried wrongly.
        for _ in 0..3 {
            let later = page.browser.post("/log-in/code", &right);
            assert_eq!((later.status, later.retry_after.as_str()), (503, "1"), "{later:?}");
            let later = site.send("POST", "/v1/code-device-activations", &kind, &body);
            assert_eq!((later.status, later.retry_after.as_str()), (503, "1"), "{later:?}");
            assert_eq!(later.json()["code"], "server.busy");
        }
        // Of who is logged in; but SQLite has one writer, who is held here.
        if format!("{:?}", desk.store).contains("ostgres") {
            let new = json!({ "old": PASSWORD, "new": "ko batteri hæfteklamme" });
            assert_eq!(anna.own("PUT", "/password", &new).0, 200, "waits for no such turn");
            let back = json!({ "old": "ko batteri hæfteklamme", "new": PASSWORD });
            assert_eq!(anna.own("PUT", "/password", &back).0, 200);
        }
        drop(tx);
        let ended = under_way.into_iter().map(|one| desk.runtime.block_on(one).unwrap());
        let busy = ended.filter(|tried| matches!(tried, Err(AppError::Busy(_)))).count();
        assert_eq!(busy, 1);
        assert_eq!(page.browser.post("/log-in/code", &right).location, "/log-in/code");
        assert_eq!(bert.activate_device(&activation).1["state"], "active");
    }
}

#[test]
fn a_device_is_counted_with_the_user_id_that_is_typed() {
    // proves E10
    let few = |config: &mut Config| {
        quick(config);
        (config.limits.case_burst, config.limits.case_per_minute) = (5, 1);
    };
    for desk in Desk::all_changed(few) {
        let ask = |serial: &str, user_id: &str| {
            let asked = json!({ "user_id": user_id, "serial": serial, "channel": "sms" });
            desk.post("/v1/code-device-codes", &asked)
        };
        for number in 0..5 {
            assert_eq!(ask("KV-0001", "anna.eriksson").0, 202, "{number}");
        }
        let (status, refused) = ask(" kv-0001", "anna.eriksson");
        assert_eq!((status, &refused["code"]), (429, &json!("request.too_often")), "{refused}");
        let activation = json!({
            "user_id": "anna.eriksson", "serial": "KV-0001", "code": "000000",
            "device_code": "000000", "next_code": "000001", "password": PASSWORD,
        });
        assert_eq!(desk.post("/v1/code-device-activations", &activation).0, 429, "the same count");
        assert_eq!(ask("KV-0001", "bert.eriksson").0, 202, "takes nobody's turn");
        assert_eq!(ask("KV-0002", "anna.eriksson").0, 202);
    }
}

/// A try of the right password and code, and the password set anew between its being read and compared and its being
/// read again; nothing if the try was quicker, and was taken.
fn overtaken(desk: &Desk, page: &Page<'_>, (anna, code): (&Citizen<'_>, &str)) -> Option<AppError> {
    let (app, secret) = (desk.app.clone(), page.browser.secret());
    let typed = typed(&anna.user_id(), PASSWORD, code);
    let before = desk.store.effort().openings;
    let trying = desk.runtime.spawn(async move { app.log_in_by_code(&secret, typed).await });
    let is_first = desk.runtime.block_on(async {
        while desk.store.effort().openings == before {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        let mut tx = desk.store.begin().await.unwrap();
        // Opens the profile itself. Nothing is read again as long as this is held.
        tx.hold_profile(anna.identity).await.unwrap();
        let is_first = desk.store.effort().openings == before + 2;
        if is_first {
            let kept = tx.password(anna.identity).await.unwrap().unwrap().hash;
            let mut other: Value = serde_json::from_slice(&kept).unwrap();
            other["salt"] = other["hash"].clone();
            let other = serde_json::to_vec(&other).unwrap();
            tx.put_password(anna.identity, (&other, "m=32768,t=6,p=1")).await.unwrap();
            tx.commit().await.unwrap();
        }
        is_first
    });
    let tried = desk.runtime.block_on(trying).unwrap();
    assert_eq!(tried.is_err(), is_first, "{tried:?}");
    tried.err()
}

#[test]
fn a_password_that_is_set_anew_while_it_is_compared_is_a_wrong_one() {
    // proves E2
    let slow = |config: &mut Config| {
        let activation = &mut config.policy.activation;
        (activation.pin_memory_kib, activation.pin_passes) = (32 * 1024, 6);
        config.policy.code_devices.refusal_ms = 0;
    };
    for desk in Desk::all_changed(slow) {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let refused = (0..20).find_map(|_| {
            let page = Page::of(&netbank);
            let refused = overtaken(&desk, &page, (&anna, &device.code(&desk)));
            match refused.is_some() {
                true => assert_eq!(page.browser.state(), "showing"),
                false => drop(page.tokens(&netbank)),
            }
            desk.wait(Duration::seconds(30));
            refused
        });
        let Some(reason) = refused else { panic!("it was quicker each time") };
        assert!(matches!(reason, AppError::Reason(reason) if reason.as_str() == "log_in.code"));
    }
}
