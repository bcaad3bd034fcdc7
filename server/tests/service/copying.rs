//! One app made of another.

use super::desk::{Citizen, Desk, Device, PIN, refusal, refused};
use enroll_core::device_key::Purpose;
use serde_json::{Value, json};
use time::Duration;

fn copy(desk: &Desk, code: &str, device: &Device, pin: &str) -> (u16, Value) {
    let signature = device.sign(Purpose::Copy, code);
    let key = device.public_key();
    let body = json!({ "code": code, "public_key": key, "signature": signature, "pin": pin });
    desk.post("/v1/copies", &body)
}

fn offered(who: &Citizen<'_>, app: &str) -> String {
    let (status, answer) = who.offer(app, PIN);
    assert_eq!((status, &answer["expires_in"]), (201, &json!(180)), "{answer}");
    answer["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_copied_app_waits_an_hour_and_the_person_is_told_at_once() {
    // proves E6, E7
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        desk.deliver();
        let code = offered(&anna, &app);
        let device = Device::new();
        assert_eq!(refusal(copy(&desk, &code, &device, "111111")), refused(422, "pin.weak"));
        let (status, made) = copy(&desk, &code, &device, "739104");
        assert_eq!((status, &made["state"]), (201, &json!("waiting")), "{made}");
        assert_eq!(copy(&desk, &code, &device, "739104"), (201, made.clone()), "repeated");
        let other = copy(&desk, &code, &Device::new(), "739104");
        assert_eq!(refusal(other), refused(410, "copy.late"));
        let told = desk.deliver();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().any(|m| m.text.contains("01.03.2026 13:00")), "when it can be used");

        let new = Citizen { device, token: String::new(), ..desk.enrolled(1) };
        let id = made["id"].as_str().unwrap();
        let early = new.offer(id, "739104");
        assert_eq!(refusal(early), refused(409, "authenticator.waiting"));
        desk.wait(Duration::HOUR);
        assert_eq!(new.offer(id, "739104").0, 201);
    }
}

#[test]
fn a_qr_code_lives_three_minutes_and_needs_key_and_pin() {
    // proves E6
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let code = offered(&anna, &app);
        desk.wait(Duration::seconds(181));
        assert_eq!(refusal(copy(&desk, &code, &Device::new(), PIN)), refused(410, "copy.late"));
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            // The QR code, and nothing of the challenge, which was used.
            assert_eq!(tx.forget_passes(desk.now()).await.unwrap(), 1);
        });
        let unknown = copy(&desk, "x", &Device::new(), PIN);
        assert_eq!(refusal(unknown), refused(410, "copy.late"));

        let path = format!("/v1/authenticators/{app}/copies");
        let mut proof = anna.proof(&app, PIN);
        assert_eq!(desk.post(&path, &proof).0, 201);
        let replayed = desk.post(&path, &proof);
        assert_eq!(refusal(replayed), refused(422, "activation.device_key"), "used up");
        proof = anna.proof(&app, PIN);
        let right = proof["signature"].take();
        proof["signature"] = json!(Device::new().sign(Purpose::Offer, "x"));
        assert_eq!(refusal(desk.post(&path, &proof)), refused(422, "activation.device_key"));
        proof["signature"] = right;
        assert_eq!(desk.post(&path, &proof).0, 201, "a stranger used up the challenge");
        proof = anna.proof(&app, PIN);
        desk.wait(Duration::seconds(121));
        assert_eq!(refusal(desk.post(&path, &proof)), refused(422, "activation.device_key"));
        let nobody = "/v1/authenticators/00000000-0000-4000-8000-000000000000/challenges";
        assert_eq!(refusal(desk.post(nobody, &Value::Null)), refused(404, "case.unknown"));
    }
}

#[test]
fn a_few_challenges_of_an_app_that_can_be_used_live_at_once() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let path = format!("/v1/authenticators/{app}/copies");
        let mut proofs = Vec::new();
        for _ in 0..17 {
            proofs.push(anna.proof(&app, PIN));
            desk.wait(Duration::SECOND);
        }
        let oldest = desk.post(&path, &proofs[0]);
        assert_eq!(refusal(oldest), refused(422, "activation.device_key"));
        assert_eq!(desk.post(&path, &proofs[1]).0, 201);

        let bert = desk.enrolled(2);
        bert.reach(super::desk::PHONE);
        let pending = bert.registered();
        assert_eq!(refusal(bert.challenge(&pending.id)), refused(409, "activation.state"));
    }
}

#[test]
fn there_are_three_apps_at_most() {
    // proves E6
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let mut made = Vec::new();
        for _ in 0..2 {
            let (status, view) = copy(&desk, &offered(&anna, &app), &Device::new(), "739104");
            assert_eq!(status, 201);
            made.push(view["id"].as_str().unwrap().to_owned());
        }
        let code = offered(&anna, &app);
        let fourth = copy(&desk, &code, &Device::new(), "739104");
        assert_eq!(refusal(fourth), refused(409, "activation.devices"));
        let path = format!("/v1/authenticators/{}/block", made[0]);
        assert_eq!(anna.call("POST", &path, &Value::Null).0, 200);
        assert_eq!(copy(&desk, &code, &Device::new(), "739104").0, 201, "room again");
    }
}

#[test]
fn a_pin_wrong_too_often_locks_the_app_until_a_new_proofing() {
    // proves F3, E9
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        desk.deliver();
        for n in 1..=5 {
            let code = if n < 5 { (422, "pin.wrong") } else { (409, "pin.locked") };
            assert_eq!(refusal(anna.offer(&app, "000001")), refused(code.0, code.1), "{n}");
        }
        assert_eq!(refusal(anna.offer(&app, PIN)), refused(409, "pin.locked"));
        let life = desk.runtime.block_on(desk.app.life(anna.identity)).unwrap();
        let told = desk.deliver();
        let locked = told.iter().any(|m| m.text.contains("An app was locked on 01.03.2026"));
        assert_eq!((life.epoch, told.len(), locked), (1, 2, true), "{told:?}");
        assert_eq!(refusal(anna.ask_for_codes()), refused(409, "case.state"));
        let again = desk.enrolled(1);
        let new = again.with_app();
        assert_eq!(again.offer(&new, PIN).0, 201);
    }
}

#[test]
fn copies_made_at_once_are_counted_one_by_one() {
    // proves E6 (also for who makes many at the same time)
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let codes: Vec<_> = (0..4).map(|_| offered(&anna, &app)).collect();
        let made: Vec<_> = std::thread::scope(|scope| {
            let copies: Vec<_> = codes
                .iter()
                .map(|code| scope.spawn(|| copy(&desk, code, &Device::new(), "739104").0))
                .collect();
            copies.into_iter().map(|made| made.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|status| **status == 201).count(), 2, "{made:?}");
        assert_eq!(made.iter().filter(|status| **status == 409).count(), 2, "{made:?}");
    }
}

#[test]
fn a_copy_that_is_asked_for_while_it_is_made_answers_with_the_same_app() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let app = anna.with_app();
        let (code, device) = (offered(&anna, &app), Device::new());
        let sent = || copy(&desk, &code, &device, "739104");
        let made: Vec<_> = std::thread::scope(|scope| {
            let first = scope.spawn(sent);
            let more: Vec<_> = (0..4).map(|_| scope.spawn(|| [sent(), sent(), sent()])).collect();
            let more = more.into_iter().flat_map(|sent| sent.join().unwrap());
            more.chain([first.join().unwrap()]).collect()
        });
        assert!(made.iter().all(|answer| answer.0 == 201 && answer == &made[0]), "{made:?}");
    }
}
