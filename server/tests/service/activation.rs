//! From an issued identity to its first app.

use super::desk::{Citizen, Desk, Device, EMAIL, PHONE, PIN, refusal, refused};
use enroll_core::code_device::Kind;
use enroll_core::device_key::Purpose;
use fixtures::leaks::leak;
use serde_json::{Value, json};
use server::notices::standin::Arrived;
use std::io::Write;
use std::sync::{Arc, Mutex};
use time::Duration;
use tracing_subscriber::EnvFilter;

#[test]
fn two_codes_a_device_key_and_a_pin_make_an_app_and_the_person_is_told() {
    // proves E2, E3, E7
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        let pending = anna.registered();
        let body = anna.activation(&pending);
        let (status, answer) = anna.activate(&pending, &body);
        assert_eq!((status, &answer["state"]), (200, &json!("active")), "{answer}");
        assert_eq!(anna.activate(&pending, &body), (status, answer), "repeated");

        let path = format!("/v1/enrolments/{}", anna.enrolment);
        assert_eq!(anna.call("GET", &path, &Value::Null).1["state"], "activated");

        let told = desk.deliver();
        let channels: Vec<_> = told.iter().map(|m| (m.channel.as_str(), m.to.as_str())).collect();
        assert!(channels.contains(&("sms", PHONE)) && channels.contains(&("email", EMAIL)));
        assert_eq!(channels.len(), 2, "{channels:?}");
        let (_, inbox) = anna.own("GET", "/messages", &Value::Null);
        let text = inbox[0]["text"]["da"].as_str().unwrap();
        for part in ["Prøvetjenesten", "01.03.2026 12:00", "spærrekode", "indrul.invalid/block"] {
            assert!(text.contains(part), "{text}");
        }
        let sms = told.iter().find(|m| m.channel == "sms").unwrap();
        assert!(sms.text.starts_with(text), "Danish first: {}", sms.text);
    }
}

#[test]
fn a_part_that_is_missing_or_wrong_activates_nothing() {
    // proves E2, E3, E9
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        assert_eq!(refusal(anna.ask_for_codes()), refused(422, "activation.channels"));
        anna.reach(PHONE);
        let pending = anna.registered();
        let good = anna.activation(&pending);
        let with = |pointer: &str, value: Value| {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap() = value;
            body
        };
        let stranger = Device::new().sign(Purpose::Activate, &pending.challenge);
        let other = anna.device.sign(Purpose::Copy, &pending.challenge);
        for (body, status, code) in [
            (with("/signature", json!(stranger)), 422, "activation.device_key"),
            (with("/signature", json!(other)), 422, "activation.device_key"),
            (with("/signature", json!("")), 422, "activation.device_key"),
            (with("/pin", json!("123456")), 422, "pin.weak"),
            (with("/pin", json!("120874")), 422, "pin.weak"),
            (with("/pin", json!("")), 422, "pin.weak"),
            (with("/codes", json!({ "sms": pending.sms })), 422, "activation.codes"),
            (with("/codes/email", json!(pending.sms)), 422, "activation.codes"),
        ] {
            assert_eq!(refusal(anna.activate(&pending, &body)), refused(status, code));
        }
        let bad = json!({ "pin": PIN });
        assert_eq!(refusal(anna.activate(&pending, &bad)), refused(400, "request.malformed"));
        let bert = desk.enrolled(2);
        assert_eq!(refusal(bert.activate(&pending, &good)), refused(401, "request.token"));
        let (_, apps) = anna.own("GET", "/authenticators", &Value::Null);
        assert_eq!(apps[0]["state"], "pending");
    }
}

#[test]
fn codes_die_of_three_wrong_tries_of_age_and_of_new_ones() {
    // proves E4
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        let first = anna.registered();
        let mut wrong = anna.activation(&first);
        wrong["codes"]["sms"] = json!("x");
        assert_eq!(refusal(anna.activate(&first, &wrong)), refused(422, "activation.codes"));
        assert_eq!(refusal(anna.activate(&first, &wrong)), refused(422, "activation.codes"));
        assert_eq!(refusal(anna.activate(&first, &wrong)), refused(410, "activation.dead"));
        let right = anna.activation(&first);
        assert_eq!(refusal(anna.activate(&first, &right)), refused(410, "activation.dead"));

        let second = anna.registered();
        let third = anna.registered();
        let replaced = anna.activate(&second, &anna.activation(&second));
        assert_eq!(refusal(replaced), refused(410, "activation.dead"));
        let crossed = anna.activate(
            &third,
            &json!({
                "codes": { "sms": second.sms, "email": second.email }, "pin": PIN,
                "signature": anna.device.sign(Purpose::Activate, &third.challenge),
            }),
        );
        assert_eq!(refusal(crossed), refused(422, "activation.codes"), "codes of another app");

        desk.wait(Duration::minutes(31));
        let late = anna.activate(&third, &anna.activation(&third));
        assert_eq!(refusal(late), refused(410, "activation.late"));
        let last = anna.registered();
        assert_eq!(anna.activate(&last, &anna.activation(&last)).0, 200);
        assert_eq!(refusal(anna.ask_for_codes()), refused(409, "case.state"), "one activation");
    }
}

#[test]
fn codes_are_asked_for_a_few_times_a_day_and_within_the_window() {
    // proves E4
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        for _ in 0..5 {
            assert_eq!(anna.ask_for_codes().0, 201);
        }
        assert_eq!(refusal(anna.ask_for_codes()), refused(429, "activation.too_often"));
        desk.wait(Duration::hours(24));
        assert_eq!(anna.ask_for_codes().0, 201);
        desk.wait(Duration::hours(49));
        assert_eq!(refusal(anna.ask_for_codes()), refused(410, "activation.window"));
    }
}

#[test]
fn a_phone_number_that_was_changed_gets_no_codes_for_five_days() {
    // proves E5
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach("+4511111111");
        // Put right before there is an app: no change.
        anna.with_app();
        let again = desk.enrolled(1);
        assert_eq!(again.identity, anna.identity);
        again.reach(PHONE);
        assert_eq!(again.ask_for_codes().0, 201, "the same number");
        desk.deliver();
        // A new user ID is told there as well, and one that is sent again is not.
        let name = json!({ "user_id": "anna.else", "current": again.name() });
        assert_eq!(again.own("PUT", "/user-id", &name).0, 200);
        assert_eq!(again.own("PUT", "/user-id", &name).0, 200, "repeated");
        let told = desk.deliver();
        let news = |m: &&Arrived| m.to == PHONE && m.text.contains("Et nyt bruger-ID er valgt");
        assert_eq!((told.iter().filter(news).count(), told.len()), (1, 2), "{told:?}");
        let name = json!({ "user_id": again.name(), "current": "anna.else" });
        assert_eq!(again.own("PUT", "/user-id", &name).0, 200);
        desk.deliver();
        again.reach("+4522222222");
        let told = desk.deliver();
        let old = told.iter().any(|m| {
            m.to == PHONE && m.text.contains("Telefon, e-mail eller valg af beskeder er ændret")
        });
        assert!(old && told.len() == 2, "who was reached until now is told: {told:?}");
        assert_eq!(refusal(again.ask_for_codes()), refused(409, "activation.new_phone"));
        desk.wait(Duration::hours(119));
        let later = desk.enrolled(1);
        later.reach("+4522222222");
        assert_eq!(refusal(later.ask_for_codes()), refused(409, "activation.new_phone"));
        desk.wait(Duration::hours(1));
        assert_eq!(later.ask_for_codes().0, 201);
    }
}

#[test]
fn a_user_id_follows_the_rules_and_is_one_persons() {
    // proves E8
    for desk in Desk::all() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let choose =
            |who: &Citizen<'_>, id: &str| who.own("PUT", "/user-id", &json!({"user_id": id}));
        assert_eq!(choose(&anna, "Anna.Æ").1, json!({"user_id": "anna.æ"}));
        assert_eq!(choose(&anna, "anna.æ").0, 200, "repeated");
        assert_eq!(refusal(choose(&bert, "ANNA.æ")), refused(409, "user_id.taken"));
        for bad in ["anna", " anna1", "120874-0002", "anna/1"] {
            assert_eq!(refusal(choose(&bert, bad)), refused(422, "user_id.form"), "{bad}");
        }
        let new = json!({"user_id": "anna.b", "current": "ANNA.æ"});
        assert_eq!(anna.own("PUT", "/user-id", &new).0, 200);
        // Its answer was lost: the same again is answered the same, and is no guess.
        for _ in 0..6 {
            assert_eq!(anna.own("PUT", "/user-id", &new), (200, json!({"user_id": "anna.b"})));
        }
        assert_eq!(choose(&bert, "Anna.Æ").0, 200, "free again");
        let path = format!("/v1/identities/{}/user-id", bert.identity);
        let stranger = anna.call("PUT", &path, &json!({"user_id": "berta"}));
        assert_eq!(refusal(stranger), refused(401, "request.token"));
    }
}

#[test]
fn no_codes_are_sent_before_a_user_id_is_chosen() {
    // proves E8: once there is an app, none can be chosen
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        let contacts = json!({ "phone": PHONE, "email": EMAIL });
        assert_eq!(anna.own("PUT", "/contacts", &contacts).0, 200);
        assert_eq!(refusal(anna.ask_for_codes()), refused(409, "user_id.missing"));
        assert_eq!(anna.own("PUT", "/user-id", &json!({"user_id": "anna1"})).0, 200);
        assert_eq!(anna.ask_for_codes_as("anna1").0, 201);
    }
}

#[test]
fn what_was_chosen_is_changed_by_who_types_the_user_id() {
    // proves E8, E2: who finds a browser with an enrolment in it makes no app of it
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach("+4511111111");
        let other = refused(422, "user_id.other");
        let own = |step: &str, body: Value| refusal(anna.own("PUT", step, &body));
        // Each of these is a try.
        assert_eq!(own("/user-id", json!({ "user_id": "finder" })), other);
        let mut theirs = json!({ "phone": "+4599999999", "email": "finder@example.invalid" });
        // Without one nothing is guessed, and nothing is changed.
        assert_eq!(own("/contacts", theirs.clone()), other);
        assert_eq!(own("/contacts", theirs.clone()), other);
        theirs["user_id"] = json!("finder");
        assert_eq!(own("/contacts", theirs.clone()), other);
        assert_eq!(refusal(anna.ask_for_codes_as("finder")), other);
        // The person puts a number right, and gets the codes there.
        assert_eq!(own("/contacts", json!({ "phone": "+4511111111", "email": EMAIL })).0, 200);
        anna.reach(PHONE);
        let pending = anna.registered();
        assert!(desk.post.mailbox.arrived().iter().all(|sent| sent.to != "+4599999999"));
        // One that is wrong too often ends it, for whoever knows the right one too.
        let current = json!({ "user_id": "finder", "current": "finder.2" });
        assert_eq!(own("/user-id", current), other);
        let tries = refused(410, "user_id.tries");
        assert_eq!(
            refusal(anna.order(Kind::Display, &anna.name())),
            refused(409, "code_device.stock")
        );
        assert_eq!(refusal(anna.ask_for_codes_as("finder.3")), tries);
        assert_eq!(refusal(anna.ask_for_codes()), tries);
        assert_eq!(refusal(anna.order(Kind::Display, &anna.name())), tries);
        assert_eq!(own("/contacts", theirs), tries);
        // Codes that are under way still are.
        assert_eq!(anna.activate(&pending, &anna.activation(&pending)).0, 200);
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        assert_eq!(trail.iter().filter(|entry| entry.kind == "user_id.wrong").count(), 5);
        assert!(!serde_json::to_string(&trail).unwrap().contains("finder"));
    }
}

#[test]
fn who_forgot_the_user_id_proves_themselves_again_and_chooses_another() {
    // proves E8
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        for _ in 0..5 {
            anna.ask_for_codes_as("was.it.this");
        }
        assert_eq!(refusal(anna.ask_for_codes()), refused(410, "user_id.tries"));
        let again = desk.enrolled(1);
        assert_eq!(again.identity, anna.identity);
        assert_eq!(again.own("PUT", "/user-id", &json!({ "user_id": "anna.new" })).0, 200);
        let contacts = json!({ "phone": PHONE, "email": EMAIL });
        assert_eq!(again.own("PUT", "/contacts", &contacts).0, 200, "as they were");
        assert_eq!(again.ask_for_codes_as("anna.new").0, 201);
        assert_eq!(refusal(anna.ask_for_codes()), refused(401, "request.token"));
    }
}

#[test]
fn an_activation_sent_twice_at_once_answers_twice() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        let pending = anna.registered();
        let body = anna.activation(&pending);
        let found: Vec<_> = std::thread::scope(|scope| {
            let sent: Vec<_> =
                (0..2).map(|_| scope.spawn(|| anna.activate(&pending, &body))).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!((found[0].0, &found[0]), (200, &found[1]));
    }
}

#[test]
fn a_pin_is_hashed_only_where_the_app_can_be_activated() {
    // Hashing at this cost fails: it is our fault where it is tried.
    let desk = Desk::changed(|config| config.policy.activation.pin_memory_kib = 1);
    let anna = desk.enrolled(1);
    anna.reach(PHONE);
    let pending = anna.registered();
    let body = anna.activation(&pending);
    assert_eq!(refusal(anna.activate(&pending, &body)), refused(500, "server.error"));
    desk.wait(Duration::minutes(31));
    assert_eq!(refusal(anna.activate(&pending, &body)), refused(410, "activation.late"));
    assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
    assert_eq!(refusal(anna.activate(&pending, &body)), refused(409, "identity.blocked"));
}

#[test]
fn what_is_no_address_is_not_kept() {
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        for body in [
            json!({}),
            json!({"phone": "20304050"}),
            json!({"email": "anna"}),
            json!({"email": "a@b.dk\r\nBcc: x@y.dk"}),
            json!({"phone": PHONE, "notices": ["email"]}),
        ] {
            assert_eq!(refusal(anna.own("PUT", "/contacts", &body)), refused(422, "contact.form"));
        }
        let fax = json!({"phone": PHONE, "notices": ["fax"]});
        assert_eq!(refusal(anna.own("PUT", "/contacts", &fax)), refused(400, "request.malformed"));
    }
}

#[test]
fn neither_rows_nor_audit_hold_codes_contacts_or_pin_in_clear() {
    // proves E4, E9, H4
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        let name = json!({"user_id": "anna.eriksson", "current": anna.name()});
        assert_eq!(anna.own("PUT", "/user-id", &name).0, 200);
        let (_, answer) = anna.ask_for_codes_as("anna.eriksson");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let (id, challenge) = (text("id"), text("challenge"));
        let pending =
            super::desk::Pending { id, challenge, sms: String::new(), email: String::new() };
        let pending = anna.arrived(&pending);
        assert_eq!(anna.activate(&pending, &anna.activation(&pending)).0, 200);
        assert!(desk.rows().contains("authenticator.activated"), "nothing was read");
        let secrets =
            [PHONE, EMAIL, PIN, "anna.eriksson", "Eriksson", &pending.sms, &pending.email];
        for secret in secrets {
            assert!(!desk.stores(secret), "{} characters are in clear", secret.len());
        }
    }
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Trap(Arc<Mutex<Vec<u8>>>);

impl Write for Trap {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_activation_logs_no_code_pin_or_address() {
    // proves H4
    use server::notices::standin::Mood;
    let trap = Trap::default();
    let sink = trap.clone();
    tracing_subscriber::fmt()
        .without_time()
        .with_env_filter(EnvFilter::new("debug,server=trace,lettre=trace,ureq=info,hyper=info"))
        .with_writer(move || sink.clone())
        .init();
    let desk = &Desk::all()[0];
    let anna = desk.enrolled(1);
    let pending = {
        anna.reach(PHONE);
        anna.registered()
    };
    assert_eq!(anna.activate(&pending, &anna.activation(&pending)).0, 200);
    desk.post.mailbox.set(Mood::Refusing, Mood::Busy);
    desk.deliver();
    let log = String::from_utf8_lossy(&trap.0.lock().unwrap()).into_owned();
    assert!(log.contains("was not delivered"), "nothing of the run was logged:\n{log}");
    for secret in [PHONE, EMAIL, PIN, &anna.token, &pending.sms, &pending.email] {
        assert_eq!(leak(&log, secret), None, "{} characters are in the log", secret.len());
    }
}

#[test]
fn wrong_codes_at_once_are_counted_one_by_one() {
    // proves E4 (also for who tries many at the same time)
    for desk in Desk::all() {
        let anna = desk.enrolled(1);
        anna.reach(PHONE);
        let pending = anna.registered();
        let mut wrong = anna.activation(&pending);
        wrong["codes"]["email"] = json!("000000x");
        let mut found: Vec<_> = std::thread::scope(|scope| {
            let tries: Vec<_> =
                (0..6).map(|_| scope.spawn(|| refusal(anna.activate(&pending, &wrong)))).collect();
            tries.into_iter().map(|tried| tried.join().unwrap()).collect()
        });
        found.sort();
        let codes = (422, "activation.codes".to_owned());
        assert_eq!(found.iter().filter(|answer| **answer == codes).count(), 2, "{found:?}");
        assert!(found[..4].iter().all(|answer| *answer == refused(410, "activation.dead")));
    }
}
