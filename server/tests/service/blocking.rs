//! Blocking an app or an identity.

use super::desk::{Desk, PHONE, PIN, refusal, refused};
use super::devices::block_code;
use enroll_core::life::Actor;
use serde_json::{Value, json};
use time::Duration;

#[test]
fn a_blocked_app_is_dead_before_the_call_returns() {
    // proves F1, F2
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        desk.deliver();
        let path = format!("/v1/authenticators/{app}/block");
        let (status, answer) = anna.call("POST", &path, &Value::Null);
        assert_eq!((status, &answer["state"]), (200, &json!("blocked")), "{answer}");
        assert_eq!(refusal(anna.offer(&app, PIN)), refused(409, "authenticator.blocked"));
        let life = desk.runtime.block_on(desk.app.life(anna.identity)).unwrap();
        assert_eq!((life.blocked, life.epoch), (false, 1));
        assert_eq!(anna.call("POST", &path, &Value::Null), (status, answer), "repeated");
        let told = desk.deliver();
        assert_eq!(told.len(), 2, "the person is told once");
        let bert = desk.enrolled(2);
        assert_eq!(refusal(bert.call("POST", &path, &Value::Null)), refused(401, "request.token"));
        let code = json!({ "code": block_code(&told) });
        assert_eq!(desk.post("/v1/blocks", &code).1["blocked"], true, "and may block all of it");
    }
}

fn code_in(sms: &str) -> String {
    let (_, rest) = sms.split_once("blocking code ").unwrap();
    rest.chars().take_while(char::is_ascii_hexdigit).collect()
}

#[test]
fn an_earlier_token_blocks_the_identity_and_does_nothing_else() {
    // proves F1 (also against who proved to be the person)
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        desk.wait(Duration::SECOND);
        let other = desk.enrolled(1);
        let theirs = other.with_app();
        for (method, step) in [("GET", "/messages"), ("GET", "/authenticators"), ("GET", "")] {
            let answer = anna.own(method, step, &Value::Null);
            assert_eq!(refusal(answer), refused(401, "request.token"), "{step}");
        }
        let path = format!("/v1/identities/{}/block", desk.enrolled(2).identity);
        let stranger = anna.call("POST", &path, &Value::Null);
        assert_eq!(refusal(stranger), refused(401, "request.token"));
        let (status, answer) = anna.own("POST", "/block", &Value::Null);
        assert_eq!((status, &answer["blocked"]), (200, &json!(true)), "{answer}");

        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        desk.runtime.block_on(desk.app.reopen(anna.identity, officer)).unwrap();
        assert_eq!(anna.offer(&app, PIN).0, 201, "made before the renewal");
        assert_eq!(refusal(other.offer(&theirs, PIN)), refused(409, "authenticator.blocked"));
    }
}

#[test]
fn a_reopened_identity_is_set_up_by_a_new_enrolment_only() {
    // proves F2
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        desk.runtime.block_on(desk.app.reopen(anna.identity, officer)).unwrap();
        assert_eq!(refusal(anna.ask_for_codes()), refused(410, "activation.window"));
        desk.wait(Duration::SECOND);
        desk.enrolled(1).with_app();
    }
}

#[test]
fn the_code_told_of_changed_contacts_blocks_the_identity() {
    // proves E7, F1
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.with_app();
        desk.deliver();
        let other = desk.enrolled(1);
        let contacts = json!({ "email": "elsewhere@example.invalid" });
        assert_eq!(other.own("PUT", "/contacts", &contacts).0, 200);
        let told = desk.deliver();
        let sms = told.iter().find(|m| m.to == PHONE).unwrap();
        let (status, answer) = desk.post("/v1/blocks", &json!({ "code": code_in(&sms.text) }));
        assert_eq!((status, &answer["blocked"]), (200, &json!(true)), "{answer}");
        assert_eq!(refusal(other.ask_for_codes()), refused(409, "identity.blocked"));
    }
}

#[test]
fn the_code_in_a_notice_blocks_what_it_tells_of() {
    // proves E7, F1
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let told = desk.deliver();
        let sms = told.iter().find(|m| m.channel == "sms").unwrap();
        let code = code_in(&sms.text);
        let unknown = desk.post("/v1/blocks", &json!({ "code": "0123456789abcdef" }));
        assert_eq!(refusal(unknown), refused(401, "request.token"));
        for _ in 0..2 {
            let (status, answer) =
                desk.post("/v1/blocks", &json!({ "code": format!(" {} ", code.to_uppercase()) }));
            assert_eq!(status, 200, "{answer}");
            assert_eq!((&answer["id"], &answer["state"]), (&json!(app), &json!("blocked")));
        }
        assert_eq!(refusal(anna.offer(&app, PIN)), refused(409, "authenticator.blocked"));
    }
}

#[test]
fn a_blocked_identity_is_opened_by_an_officer_only() {
    // proves F1, F2
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let (status, answer) = anna.own("POST", "/block", &Value::Null);
        assert_eq!((status, &answer["blocked"], &answer["epoch"]), (200, &json!(true), &json!(1)));
        assert_eq!(anna.own("POST", "/block", &Value::Null), (status, answer), "repeated");
        assert_eq!(refusal(anna.offer(&app, PIN)), refused(409, "identity.blocked"));

        // A new proofing at home does not open it.
        desk.wait(Duration::SECOND);
        let again = desk.enrolled(1);
        let contacts = json!({ "phone": "+4520304050" });
        let refusals = [
            again.own("PUT", "/contacts", &contacts),
            again.own("PUT", "/user-id", &json!({ "user_id": "anna1" })),
            again.ask_for_codes(),
        ];
        for answer in refusals {
            assert_eq!(refusal(answer), refused(409, "identity.blocked"));
        }
        let reopen = |by| desk.runtime.block_on(desk.app.reopen(anna.identity, by));
        assert!(reopen(Actor::Holder).is_err() && reopen(Actor::Notice).is_err());
        let life = reopen(Actor::Officer { officer: "bc-17".to_owned() }).unwrap();
        assert_eq!((life.blocked, life.epoch), (false, 1), "old sessions stay dead");
        assert_eq!(anna.offer(&app, PIN).0, 201);

        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 100).await.unwrap()
        });
        enroll_core::audit::verify(&trail, None).unwrap();
        let opened = trail.iter().find(|entry| entry.kind == "identity.reopened").unwrap();
        assert_eq!(opened.data["actor"]["officer"], "bc-17");
    }
}

#[test]
fn nobody_elses_requests_keep_an_owner_from_blocking() {
    // proves F1 (also under limits)
    let desk = Desk::changed(|config| {
        (config.limits.case_burst, config.limits.case_per_minute) = (20, 1);
    });
    let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
    let app = anna.with_app();
    let path = |step| format!("/v1/authenticators/{app}/{step}");
    for _ in 0..20 {
        assert_eq!(desk.post(&path("challenges"), &Value::Null).0, 201);
        assert_eq!(bert.call("POST", &path("block"), &Value::Null).0, 401);
    }
    // One a minute comes back, however slow this machine is.
    let is_limited = |ask: &dyn Fn() -> (u16, Value)| {
        (0..100).any(|_| refusal(ask()) == refused(429, "request.too_often"))
    };
    for step in ["challenges", "copies"] {
        assert!(is_limited(&|| desk.post(&path(step), &Value::Null)), "{step}");
    }
    assert_eq!(anna.call("POST", &path("block"), &Value::Null).0, 200);
    assert!(is_limited(&|| anna.own("GET", "/messages", &Value::Null)));
}
