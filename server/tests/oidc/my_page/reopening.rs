//! Blocking one app and opening it again with another.

use super::super::desk::{Citizen, Desk, Device, PIN, refusal, refused as reason};
use super::super::parties::{Phone, Site};
use super::Guest;
use enroll_core::device_key::Purpose;
use serde_json::json;
use time::Duration;

/// A second app of `anna`, made of her first one and used after the hour.
pub(super) fn second<'a>(desk: &'a Desk, anna: &Citizen<'a>, app: &str) -> (Citizen<'a>, String) {
    let (status, offer) = anna.offer(app, PIN);
    assert_eq!(status, 201, "{offer}");
    let (device, code) = (Device::new(), offer["code"].as_str().unwrap().to_owned());
    let body = json!({
        "code": code, "public_key": device.public_key(),
        "signature": device.sign(Purpose::Copy, &code), "pin": PIN,
    });
    let (status, made) = desk.post("/v1/copies", &body);
    assert_eq!(status, 201, "{made}");
    desk.wait(Duration::HOUR);
    let (identity, enrolment, token) = (anna.identity, anna.enrolment, anna.token.clone());
    let id = made["id"].as_str().unwrap().to_owned();
    (Citizen { desk, identity, enrolment, token, device }, id)
}

/// The code that blocks in the newest SMS.
pub(super) fn code_in(desk: &Desk) -> String {
    let told = desk.deliver();
    let sms = told.iter().rfind(|message| message.channel == "sms").unwrap();
    let (_, rest) = sms.text.split_once("blocking code ").unwrap();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

/// What stands behind the `#` of the link in the newest SMS.
fn link_in(desk: &Desk) -> String {
    let told = desk.deliver();
    let sms = told.iter().rfind(|message| message.channel == "sms").unwrap();
    let (_, rest) = sms.text.rsplit_once("https://indrul.invalid/block#").unwrap();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

#[test]
fn the_link_of_a_copied_app_and_of_another_pin_blocks_that_app() {
    // proves E7, F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        desk.deliver();
        let (other, id) = second(&desk, &anna, &phone.app);
        let code = link_in(&desk);
        let stranger = Guest::new(&site);
        let done = stranger.post("/block", &[("code", &code)]);
        assert!(done.status == 200 && done.text.contains("id=\"blocked\""), "{done:?}");
        assert_eq!(refusal(other.offer(&id, PIN)), reason(409, "authenticator.blocked"));
        assert_eq!(anna.offer(&phone.app, PIN).0, 201, "that one alone");
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        desk.deliver();
        let form =
            [("app", phone.app.as_str()), ("old", PIN), ("new", "739104"), ("again", "739104")];
        let kept = guest.post("/my/pin", &form);
        assert!(kept.text.contains("id=\"kept\""), "{kept:?}");
        let done = stranger.post("/block", &[("code", &link_in(&desk))]);
        assert!(done.status == 200 && done.text.contains("id=\"blocked\""), "{done:?}");
        assert!(!guest.is_in());
        assert_eq!(refusal(anna.offer(&phone.app, "739104")), reason(409, "authenticator.blocked"));
    }
}

#[test]
fn a_blocked_app_is_opened_again_by_a_fresh_approval_with_another() {
    // proves F1, F2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let code = code_in(&desk);
        let (other, id) = second(&desk, &anna, &phone.app);
        let tablet = Phone { citizen: &other, app: id };
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        assert!(guest.get("/my/means").text.contains("data-state=\"active\""));
        let asked = guest.get(&format!("/my/means/block?id={}", phone.app));
        assert!(asked.status == 200 && !asked.text.contains("id=\"last\""), "{asked:?}");
        let blocked = guest.post("/my/means/block", &[("id", &phone.app)]);
        assert!(blocked.status == 200 && blocked.text.contains("id=\"ended\""), "{blocked:?}");
        assert!(!guest.is_in(), "signed out by the block");
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(409, "authenticator.blocked"));

        guest.logs_in(&tablet);
        let last = guest.get(&format!("/my/means/block?id={}", tablet.app));
        assert!(last.text.contains("id=\"last\""), "what it entails: {last:?}");
        desk.wait(Duration::minutes(5) + Duration::SECOND);
        let late = guest.post("/my/means/reopen", &[("id", &phone.app)]);
        assert!(late.status == 422 && late.text.contains("my_page.approval"), "{late:?}");
        guest.steps_up(&tablet, "means");
        desk.deliver();
        let opened = guest.post("/my/means/reopen", &[("id", &phone.app)]);
        assert_eq!((opened.status, opened.location.as_str()), (303, "/my/means"), "{opened:?}");
        let told = desk.deliver();
        assert_eq!(told.len(), 2, "by both channels: {told:?}");
        assert_eq!(anna.offer(&phone.app, PIN).0, 201);
        let again = guest.post("/my/means/reopen", &[("id", &phone.app)]);
        assert!(again.text.contains("authenticator.for_good"), "it is open: {again:?}");
        // What a notice of before could block, it blocks still: somebody else may have opened it.
        let (status, _) = desk.post("/v1/blocks", &json!({ "code": code }));
        assert_eq!(status, 200);
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(409, "authenticator.blocked"));
        guest.logs_in(&tablet);
        let again = guest.post("/my/means/reopen", &[("id", &phone.app)]);
        assert!(again.text.contains("authenticator.for_good"), "{again:?}");
    }
}

#[test]
fn what_its_person_blocked_is_blocked_for_good_by_the_code_of_a_notice() {
    // proves F1, F2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        desk.deliver();
        // Whoever has her phone makes an app, blocks it, and waits for her.
        let (_, id) = second(&desk, &anna, &phone.app);
        let code = code_in(&desk);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        assert_eq!(guest.post("/my/means/block", &[("id", &id)]).status, 200);
        guest.logs_in(&phone);
        desk.deliver();
        let (status, answer) = desk.post("/v1/blocks", &json!({ "code": code }));
        assert_eq!((status, &answer["state"]), (200, &json!("blocked")), "{answer}");
        assert_eq!(desk.deliver().len(), 2, "a block of its own, and told");
        assert!(!guest.is_in(), "every session ends");
        guest.logs_in(&phone);
        let again = guest.post("/my/means/reopen", &[("id", &id)]);
        assert!(again.status == 422 && again.text.contains("authenticator.for_good"), "{again:?}");
    }
}

#[test]
fn what_a_notice_has_blocked_is_not_opened_again() {
    // proves F2
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        desk.deliver();
        let (other, id) = second(&desk, &anna, &phone.app);
        let code = code_in(&desk);
        let opened = Guest::new(&site);
        assert_eq!(opened.get(&format!("/block?code={code}")).status, 200);
        assert_eq!(other.offer(&id, PIN).0, 201, "opening the page does nothing");
        let blocked = opened.post("/block", &[("code", &code)]);
        assert!(blocked.status == 200 && blocked.text.contains("id=\"blocked\""), "{blocked:?}");
        assert_eq!(refusal(other.offer(&id, PIN)), reason(409, "authenticator.blocked"));
        let wrong = opened.post("/block", &[("code", "0123456789abcdef")]);
        assert_eq!(wrong.status, 422);
        let guest = Guest::new(&site);
        guest.logs_in(&phone);
        let again = guest.post("/my/means/reopen", &[("id", &id)]);
        assert!(again.status == 422 && again.text.contains("authenticator.for_good"), "{again:?}");
        // Everything with one press; only a Borgercenter opens that.
        let all = guest.post("/my/block", &[]);
        assert!(all.status == 200 && all.text.contains("id=\"ended\""), "{all:?}");
        assert_eq!(refusal(anna.offer(&phone.app, PIN)), reason(409, "identity.blocked"));
    }
}
