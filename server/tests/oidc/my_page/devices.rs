//! Code displays and audio code readers among one's means, and where a log-in was begun.

use super::super::desk::{Citizen, Desk, refusal, refused as reason};
use super::super::devices::{Device, PASSWORD, quick};
use super::super::parties::{Browser, Party, Phone, Site};
use super::super::station::Call;
use super::{Guest, opened, whats};
use enroll_core::code_device::Kind;
use serde_json::{Value, json};
use time::Duration;

/// A person with an app and an active code display, and the display.
fn with_both<'a>(desk: &Desk, anna: &'a Citizen<'a>) -> (Phone<'a>, Device) {
    let device = anna.ordered("KV-0001", Kind::Display);
    let phone = Phone::of(anna);
    let code = anna.device_code("KV-0001", "sms").unwrap();
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
        assert_eq!(call(&token, "finding").0, 409, "it is there");
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
        let guest = Guest { from: Some("203.0.113.77"), ..Guest::new(&site) };
        guest.logs_in(&phone);
        let page = guest.get("/my/activities?kind=log_in").text;
        for part in ["fra nettet 127.0.0.0/16", "begyndt i en browser på nettet 203.0.0.0/16"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let export = guest.get("/my/export.json").json();
        let all = export["activities"].as_array().unwrap();
        let approved = all.iter().find(|one| one["what"] == "log_in_approved").unwrap();
        assert_eq!(approved["place"], "127.0.0.0/16");
        assert_eq!(approved["begun"], "203.0.0.0/16");
    }
}
