//! What an app does by its key alone: reads the notices, and blocks itself.

use super::desk::{Citizen, Desk, PIN, refusal, refused};
use enroll_core::device_key::Purpose;
use serde_json::{Value, json};

fn messages(who: &Citizen<'_>, app: &str, purpose: Purpose) -> (u16, Value) {
    let (_, drawn) = who.challenge(app);
    let challenge = drawn["challenge"].as_str().unwrap_or_default();
    let body = json!({ "challenge": challenge, "signature": who.device.sign(purpose, challenge) });
    who.desk.post(&format!("/v1/authenticators/{app}/messages"), &body)
}

fn block(who: &Citizen<'_>, app: &str, of: &str) -> (u16, Value) {
    let body = json!({ "signature": who.device.sign(Purpose::Block, of) });
    who.desk.post(&format!("/v1/authenticators/{app}/self-block"), &body)
}

#[test]
fn an_app_reads_the_notices_of_its_person_by_its_key() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let (status, read) = messages(&anna, &app, Purpose::Inbox);
        let (_, owners) = anna.own("GET", "/messages", &Value::Null);
        assert_eq!((status, &read), (200, &owners));
        assert_eq!(read.as_array().unwrap().len(), 1, "that it was activated: {read}");
        // A signature for something else is none.
        let other = messages(&anna, &app, Purpose::Offer);
        assert_eq!(refusal(other), refused(422, "activation.device_key"));
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        let refused_now = messages(&anna, &app, Purpose::Inbox);
        assert_eq!(refusal(refused_now), refused(409, "identity.blocked"));
    }
}

#[test]
fn an_app_blocks_itself_and_only_itself_by_its_key() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        desk.deliver();
        let others = block(&anna, &app, &anna.identity.to_string());
        assert_eq!(refusal(others), refused(422, "activation.device_key"));
        let bert = desk.enrolled(2);
        assert_eq!(refusal(block(&bert, &app, &app)), refused(422, "activation.device_key"));
        assert_eq!(anna.offer(&app, PIN).0, 201, "nothing was blocked");
        let (status, blocked) = block(&anna, &app, &app);
        assert_eq!((status, &blocked["state"]), (200, &json!("blocked")), "{blocked}");
        assert_eq!(refusal(anna.offer(&app, PIN)), refused(409, "authenticator.blocked"));
        assert_eq!(block(&anna, &app, &app), (200, blocked), "repeated");
        assert_eq!(desk.deliver().len(), 2, "the person is told once");
    }
}
