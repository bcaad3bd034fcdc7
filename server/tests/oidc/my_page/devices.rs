//! Code displays and audio code readers among one's means, and where a log-in was begun.

use super::super::desk::{Citizen, Desk, EMAIL, refusal, refused as reason};
use super::super::devices::{Device, PASSWORD, block_code, quick};
use super::super::parties::{Browser, Party, Phone, Site};
use super::super::station::Call;
use super::{Guest, block_by, opened, whats};
use enroll_core::code_device::Kind;
use enroll_core::life::Actor;
use serde_json::{Value, json};
use time::Duration;

/// A person with an app and an active code display, and the display.
fn with_both<'a>(desk: &Desk, anna: &'a Citizen<'a>) -> (Phone<'a>, Device) {
    with_app_and(desk, anna, ("KV-0001", Kind::Display))
}

/// The same with a code device of this number and kind.
fn with_app_and<'a>(
    desk: &Desk,
    anna: &'a Citizen<'a>,
    (serial, kind): (&str, Kind),
) -> (Phone<'a>, Device) {
    let device = anna.ordered(serial, kind);
    let phone = Phone::of(anna);
    let code = anna.device_code(serial, "sms").unwrap();
    let (status, answer) = anna.activate_device(&anna.activation_of(&device, &code));
    assert_eq!((status, &answer["state"]), (200, &json!("active")), "{answer}");
    desk.deliver();
    desk.wait(Duration::seconds(30));
    (phone, device)
}

/// Of the person whose token it is, the one code device.
fn device_of(desk: &Desk, token: &str) -> Value {
    let (status, means) = desk.call(Call { token, ..Call::new("GET", "/v1/my/means", b"") });
    assert_eq!(status, 200, "{means}");
    let mut all = means.as_array().unwrap().iter();
    all.find(|means| means["kind"] != "app").unwrap().clone()
}

/// Status of a log-in by user ID, password and code, which is gone on with.
fn by_code(party: &Party<'_>, anna: &Citizen<'_>, code: &str) -> u16 {
    let begun = party.begin(&[]);
    let browser = Browser::at(party, &begun);
    let (user_id, password) = (anna.user_id(), PASSWORD);
    let form = [("user_id", user_id.as_str()), ("password", password), ("code", code)];
    let status = browser.post("/log-in/code", &form).status;
    match browser.get("/log-in/continue").param("code") {
        Some(code) => assert_eq!(party.tokens(&code, &begun.verifier).status, 200),
        None => drop(browser.post("/log-in/cancel", &[])),
    }
    status
}

#[test]
fn a_code_device_is_named_lost_found_blocked_and_opened_on_my_page() {
    // proves F1, F2, F5
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, device) = with_both(&desk, &anna);
        let netbank = site.party(|_| {});
        let id = device_of(&desk, &opened(&phone))["id"].as_str().unwrap().to_owned();
        let which = [("id", id.as_str())];
        assert_eq!(by_code(&netbank, &anna, &device.code(&desk)), 303);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let page = guest.get("/my/means");
        assert!(page.text.contains("Kodeviser KV-0001") && page.text.contains("id=\"lose-2\""));
        let named = guest.post("/my/means/name", &[("id", &id), ("name", "I køkkenet")]);
        assert_eq!(named.status, 303, "{named:?}");
        let page = guest.get("/my/activities?kind=log_in");
        assert!(page.text.contains("Netbanken") && page.text.contains("I køkkenet"), "{page:?}");
        assert!(guest.get("/my/export.json").text.contains("KV-0001"));
        let other = Guest::new(&site);
        other.logs_in(&Phone::of(&bert));
        for path in ["lose", "find", "block", "reopen"] {
            assert_eq!(other.post(&format!("/my/means/{path}"), &which).status, 404, "{path}");
        }
        let app = guest.post("/my/means/lose", &[("id", &phone.app)]);
        assert!(app.status == 422 && app.text.contains("code_device.state"), "{app:?}");

        desk.wait(Duration::seconds(30));
        desk.deliver();
        let lost = guest.post("/my/means/lose", &which);
        assert!(lost.status == 200 && lost.text.contains("id=\"ended\""), "{lost:?}");
        assert!(!guest.is_in(), "whoever has it is out before it returns");
        assert_eq!(desk.deliver().len(), 2, "told by both channels");
        assert_eq!(by_code(&netbank, &anna, &device.code(&desk)), 422);
        guest.logs_in(&phone);
        desk.wait(Duration::minutes(5) + Duration::SECOND);
        let late = guest.post("/my/means/find", &which);
        assert!(late.status == 422 && late.text.contains("my_page.approval"), "{late:?}");
        guest.steps_up(&phone, "means");
        for (path, state) in [("find", "inactive"), ("block", "blocked"), ("reopen", "inactive")] {
            desk.wait(Duration::SECOND);
            let done = guest.post(&format!("/my/means/{path}"), &which);
            assert_eq!((done.status, done.location.as_str()), (303, "/my/means"), "{done:?}");
            let shown = format!("data-means=\"{id}\" data-state=\"{state}\"");
            assert!(guest.get("/my/means").text.contains(&shown), "{path}");
        }
        let listed = whats(&guest.get("/my/activities?kind=means").text);
        let last = ["code_device_back", "code_device_blocked", "code_device_back"];
        assert_eq!(listed[..3], last, "{listed:?}");
        for what in ["code_device_lost", "code_device_activated", "code_device_ordered"] {
            assert!(listed.contains(&what.to_owned()), "{what} in {listed:?}");
        }
        assert_eq!(guest.post("/my/erase", &[("sure", "on")]).status, 200);
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            assert!(tx.password(anna.identity).await.unwrap().is_none());
            let devices = tx.code_devices(anna.identity).await.unwrap();
            assert!(devices.iter().all(|device| device.state.name() == "blocked"));
        });
    }
}

#[test]
fn the_page_of_a_notice_says_what_it_blocked() {
    // proves E7
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let block = || {
            let code = block_code(&desk.deliver());
            let page = Guest::new(&site).post("/block", &[("code", &code)]);
            assert_eq!(page.status, 200, "{page:?}");
            page.text
        };
        anna.ordered("KO-0001", Kind::Reader);
        let reader = block();
        assert!(reader.contains("Kodeoplæseren er spærret"), "{reader}");
        // What tells of that has a code, too.
        desk.deliver();
        anna.ordered("KV-0001", Kind::Display);
        let display = block();
        assert!(display.contains("Kodeviseren er spærret"), "{display}");
        Device::in_stock(&desk, "KV-0002", Kind::Display);
        desk.deliver();
        assert_eq!(anna.order(Kind::Display, &anna.user_id()).1["state"], "ordered");
        let order = block();
        assert!(order.contains("Denne bestilling er annulleret"), "{order}");
        let told = desk.deliver();
        let sms = told.iter().find(|message| message.channel == "sms").unwrap();
        assert!(sms.text.contains("was called off") && !sms.text.contains("was blocked"));
        let guest = Guest::new(&site);
        guest.logs_in(&Phone::of(&anna));
        let listed = whats(&guest.get("/my/activities?kind=means").text);
        let off = listed.iter().filter(|what| *what == "code_device_order_off").count();
        let blocked = listed.iter().filter(|what| *what == "code_device_blocked").count();
        assert_eq!((off, blocked), (1, 2), "{listed:?}");
    }
}

/// A log-in to My page by user ID, password and code.
fn logs_in_by_code(guest: &Guest<'_>, anna: &Citizen<'_>, (password, code): (&str, &str)) {
    let arrived = guest.get(&guest.post("/my/log-in", &[]).location);
    assert!(arrived.location.starts_with("/log-in?log_in="), "{arrived:?}");
    let id = guest.cookie("indrul-log-in").unwrap().split_once('.').unwrap().0.to_owned();
    let user_id = anna.user_id();
    let form = [("user_id", user_id.as_str()), ("password", password), ("code", code)];
    let taken = guest.post(&format!("/log-in/code?log_in={id}"), &form);
    assert_eq!(taken.status, 303, "{taken:?}");
    let back = guest.get(&guest.get(&format!("/log-in/continue?log_in={id}")).location);
    assert_eq!((back.status, back.location.as_str()), (303, "/my"), "{back:?}");
}

#[test]
fn an_audio_reader_is_blocked_on_my_page_and_logs_in_no_more() {
    // proves F1, F5
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, reader) = with_app_and(&desk, &anna, ("KO-0001", Kind::Reader));
        let netbank = site.party(|_| {});
        let id = device_of(&desk, &opened(&phone))["id"].as_str().unwrap().to_owned();
        assert_eq!(by_code(&netbank, &anna, &reader.code(&desk)), 303);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let asked = guest.get(&format!("/my/means/block?id={id}"));
        assert!(asked.status == 200 && asked.text.contains("Kodeoplæser KO-0001"), "{asked:?}");
        assert!(!asked.text.contains("id=\"last\""), "there is the app: {asked:?}");
        desk.wait(Duration::seconds(30));
        let blocked = guest.post("/my/means/block", &[("id", &id)]);
        assert!(blocked.status == 200 && blocked.text.contains("id=\"ended\""), "{blocked:?}");
        assert!(!guest.is_in());
        assert_eq!(by_code(&netbank, &anna, &reader.code(&desk)), 422);
        guest.logs_in(&phone);
        let shown = format!("data-means=\"{id}\" data-state=\"blocked\"");
        assert!(guest.get("/my/means").text.contains(&shown));
        assert_eq!(whats(&guest.get("/my/activities?kind=means").text)[0], "code_device_blocked");
    }
}

#[test]
fn a_log_in_by_code_is_told_with_the_link_that_blocks_the_device() {
    // proves F1, F5
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let reader = anna.with_device("KO-0001", Kind::Reader);
        let netbank = site.party(|_| {});
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            let mut profile = tx.hold_profile(anna.identity).await.unwrap();
            profile.details.log_in_notices = true;
            tx.save_profile(&profile).await.unwrap();
            tx.commit().await.unwrap();
        });
        desk.deliver();
        assert_eq!(by_code(&netbank, &anna, &reader.code(&desk)), 303);
        let told = desk.deliver();
        assert_eq!(told.len(), 2, "by both channels: {told:?}");
        let sms = told.iter().find(|message| message.channel == "sms").unwrap();
        assert!(sms.text.contains("Netbanken"), "{}", sms.text);
        let (_, rest) = sms.text.rsplit_once("https://indrul.invalid/block#").unwrap();
        let code: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
        let done = Guest::new(&site).post("/block", &[("code", &code)]);
        assert!(done.status == 200 && done.text.contains("id=\"blocked\""), "{done:?}");
        desk.runtime.block_on(async {
            let mut tx = desk.store.read().await.unwrap();
            let devices = tx.code_devices(anna.identity).await.unwrap();
            assert!(devices.iter().all(|device| device.state.name() == "blocked"));
        });
        desk.wait(Duration::seconds(30));
        assert_eq!(by_code(&netbank, &anna, &reader.code(&desk)), 422);
    }
}

#[test]
fn whoever_activated_a_code_device_changes_no_contacts_for_an_hour() {
    // proves E7
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let device = anna.with_device("KV-0001", Kind::Display);
        let guest = Guest::new(&site);
        logs_in_by_code(&guest, &anna, (PASSWORD, &device.code(&desk)));
        let form = [("phone", "+4599887766"), ("email", EMAIL), ("sms_notices", "on")];
        let new = guest.post("/my/contacts", &form);
        assert!(new.status == 422 && new.text.contains("contact.new_app"), "{new:?}");
        desk.wait(Duration::HOUR);
        logs_in_by_code(&guest, &anna, (PASSWORD, &device.code(&desk)));
        let kept = guest.post("/my/contacts", &form);
        assert!(kept.text.contains("id=\"kept\""), "{kept:?}");
    }
}

#[test]
fn who_loses_the_last_means_is_told_before_and_after() {
    // proves F1
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let device = anna.with_device("KO-0001", Kind::Reader);
        let guest = Guest::new(&site);
        logs_in_by_code(&guest, &anna, (PASSWORD, &device.code(&desk)));
        let page = guest.get("/my/means").text;
        assert!(page.contains("Kodeoplæser KO-0001") && page.contains("id=\"lose-1\""), "{page}");
        let (_, rest) = page.split_once("data-means=\"").unwrap();
        let id = rest.split_once('"').unwrap().0;
        let asked = guest.get(&format!("/my/means/lose?id={id}"));
        assert!(asked.status == 200 && asked.text.contains("id=\"last\""), "{asked:?}");
        assert!(guest.is_in(), "nothing is done yet");
        let lost = guest.post("/my/means/lose", &[("id", id)]);
        assert!(lost.status == 200 && lost.text.contains("Det var det sidste"), "{lost:?}");
        assert!(!guest.is_in());
    }
}

#[test]
fn a_password_is_changed_on_my_page_with_the_one_before_which_is_counted() {
    // proves E2, E7, G6
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let device = anna.with_device("KV-0001", Kind::Display);
        let guest = Guest::new(&site);
        logs_in_by_code(&guest, &anna, (PASSWORD, &device.code(&desk)));
        desk.deliver();
        let other = "en anden hest batteri";
        let change = |old: &str, new: &str, again: &str| {
            guest.post("/my/password", &[("old", old), ("new", new), ("again", again)])
        };
        for (old, new, code) in
            [(PASSWORD, "password1", "password.weak"), ("another", other, "password.wrong")]
        {
            let answer = change(old, new, new);
            assert!(answer.status == 422 && answer.text.contains(code), "{code}: {answer:?}");
        }
        let differ = change(PASSWORD, other, PASSWORD);
        assert!(differ.status == 422 && differ.text.contains("ikke ens"), "{differ:?}");
        let kept = change(PASSWORD, other, other);
        assert!(kept.status == 200 && kept.text.contains("id=\"kept\""), "{kept:?}");
        assert_eq!(desk.deliver().len(), 2, "by both channels");
        assert_eq!(whats(&guest.get("/my/activities?kind=means").text)[0], "password_changed");
        desk.wait(Duration::minutes(6));
        let late = change(other, PASSWORD, PASSWORD);
        assert!(late.status == 422 && late.text.contains("my_page.approval"), "{late:?}");
        logs_in_by_code(&guest, &anna, (other, &device.code(&desk)));
        for _ in 0..3 {
            assert_eq!(change("another", PASSWORD, PASSWORD).status, 422);
        }
        let rests = change(other, PASSWORD, PASSWORD);
        assert!(rests.status == 422 && rests.text.contains("password.wrong"), "{rests:?}");
    }
}

#[test]
fn what_was_lost_before_the_identity_was_opened_again_does_not_come_back_on_my_page() {
    // proves F2
    for desk in Desk::all_changed(quick) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, _) = with_both(&desk, &anna);
        let token = opened(&phone);
        let id = device_of(&desk, &token)["id"].as_str().unwrap().to_owned();
        let step = |token: &str, step: &str| {
            let path = format!("/v1/my/means/{id}/{step}");
            desk.call(Call { token, ..Call::new("POST", &path, b"") })
        };
        assert_eq!(step(&token, "loss").0, 200);
        block_by(&desk, &anna);
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        desk.runtime.block_on(desk.app.reopen(anna.identity, officer)).unwrap();
        desk.wait(Duration::SECOND);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let found = guest.post("/my/means/find", &[("id", &id)]);
        assert!(found.status == 422 && found.text.contains("activation.window"), "{found:?}");
        let token = opened(&phone);
        assert_eq!(refusal(step(&token, "finding")), reason(410, "activation.window"));
        assert_eq!(device_of(&desk, &token)["state"], "lost");
    }
}

#[test]
fn an_app_loses_finds_blocks_and_opens_a_code_device() {
    // proves F1, F2, F5
    for desk in Desk::all_changed(quick) {
        let anna = desk.enrolled(1);
        let (phone, _) = with_both(&desk, &anna);
        let token = opened(&phone);
        let id = device_of(&desk, &token)["id"].as_str().unwrap().to_owned();
        let call = |token: &str, step: &str| {
            let path = format!("/v1/my/means/{id}/{step}");
            desk.call(Call { token, ..Call::new("POST", &path, b"") })
        };
        let path = format!("/v1/my/means/{id}/name");
        let long = "x".repeat(41);
        for (name, status) in [("I køkkenet", 200), (long.as_str(), 400), ("\n", 200)] {
            let body = json!({ "name": name }).to_string();
            let call = Call { token: &token, ..Call::new("PUT", &path, body.as_bytes()) };
            let (found, means) = desk.call(call);
            assert_eq!(found, status, "{means}");
            if status == 200 {
                assert_eq!(means["name"].as_str().unwrap_or_default(), name.trim());
            }
        }
        let (status, lost) = call(&token, "loss");
        assert_eq!((status, &lost["state"]), (200, &json!("lost")), "{lost}");
        assert_eq!(refusal(call(&token, "loss")), reason(401, "request.token"));
        let token = opened(&phone);
        for (step, state) in
            [("finding", "inactive"), ("block", "blocked"), ("reopening", "inactive")]
        {
            let (status, means) = call(&token, step);
            assert_eq!((status, &means["state"]), (200, &json!(state)), "{means}");
        }
        let (status, means) = call(&token, "finding");
        assert_eq!(
            (status, &means["state"]),
            (200, &json!("inactive")),
            "said twice, it answers the same"
        );
        desk.wait(Duration::minutes(6));
        assert_eq!(refusal(call(&token, "reopening")), reason(403, "my_page.approval"));
    }
}

#[test]
fn of_a_log_in_both_the_apps_and_the_browsers_network_are_seen_and_exported() {
    // proves F5
    let behind = |config: &mut server::config::Config| {
        quick(config);
        config.limits.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    };
    for desk in Desk::all_changed(behind) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        desk.calls_come_from("198.51.100.7");
        let guest = Guest { from: Some("203.0.113.77"), ..Guest::new(&site) };
        guest.logs_in(&phone);
        let page = guest.get("/my/activities?kind=log_in").text;
        for part in ["fra nettet 198.51.0.0/16", "begyndt i en browser på nettet 203.0.0.0/16"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let export = guest.get("/my/export.json").json();
        let all = export["activities"].as_array().unwrap();
        let approved = all.iter().find(|one| one["what"] == "log_in_approved").unwrap();
        assert_eq!(approved["place"], "198.51.0.0/16");
        assert_eq!(approved["begun"], "203.0.0.0/16");
    }
}
