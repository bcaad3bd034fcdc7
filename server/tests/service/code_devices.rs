//! Code devices from the stock to activation, loss and finding, and the password beside them.

use super::desk::{Desk, PHONE, code_in, refusal, refused};
use super::devices::{Device, PASSWORD, block_code, packed, post, quick};
use super::station::Call;
use enroll_core::audit::Entry;
use enroll_core::code_device::Kind;
use enroll_core::life::Actor;
use fixtures::leaks::leak;
use serde_json::{Value, json};
use server::app::{NewDevice, Parcel, StockError, add_officer, import_code_devices};
use server::clock::SystemEntropy;
use time::Duration;

fn desks() -> Vec<Desk> {
    Desk::all_changed(quick)
}

fn wrong() -> (u16, String) {
    refused(422, "code_device.activation")
}

fn trail(desk: &Desk) -> Vec<Entry> {
    let found = desk
        .runtime
        .block_on(async { desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap() });
    enroll_core::audit::verify(&found, None).unwrap();
    found
}

#[test]
fn an_ordered_device_comes_inactive_and_is_activated_by_two_codes() {
    // proves E10, E2, E7
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.ordered("KV-0001", Kind::Display);
        let told = desk.deliver();
        assert!(told.iter().any(|message| message.text.contains("A code display or audio")));
        let (_, list) = anna.own("GET", "/code-devices", &Value::Null);
        assert_eq!(
            (&list[0]["serial"], &list[0]["state"]),
            (&json!("KV-0001"), &json!("inactive"))
        );
        // Without the independent code nothing of it counts.
        let early = anna.activation_of(&device, "123456");
        assert_eq!(refusal(anna.activate_device(&early)), wrong());
        let code = anna.device_code("kv-0001 ", "email").unwrap();
        let good = anna.activation_of(&device, &code);
        let guess = device.wrong_code(&desk);
        for (name, value) in [("code", "000000"), ("device_code", &guess)] {
            let value = json!(value);
            let mut bad = good.clone();
            bad[name] = value;
            assert_eq!(refusal(anna.activate_device(&bad)), wrong(), "{name}");
        }
        let (status, answer) = anna.activate_device(&good);
        assert_eq!((status, &answer["state"]), (200, &json!("active")), "{answer}");
        assert_eq!(refusal(anna.activate_device(&good)), wrong(), "once");
        let told = desk.deliver();
        assert_eq!(told.len(), 2, "both channels");
        // The enrolment has done what it was for.
        let again = anna.own("PUT", "/user-id", &json!({ "user_id": "anna.else" }));
        assert_eq!(refusal(again), refused(409, "case.state"));
        // How to block is in the notice, and holds for the device alone.
        let (status, blocked) = desk.post("/v1/blocks", &json!({ "code": block_code(&told) }));
        assert_eq!((status, &blocked["state"]), (200, &json!("blocked")), "{blocked}");
        let life = desk.runtime.block_on(desk.app.life(anna.identity)).unwrap();
        assert_eq!((life.blocked, life.epoch), (false, 1));
    }
}

#[test]
fn a_code_by_the_wrong_way_or_of_somebody_else_activates_nothing() {
    // proves E10, E4, E5
    for desk in desks() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let annas = anna.ordered("KV-0001", Kind::Display);
        let berts = bert.ordered("KV-0002", Kind::Display);
        // A letter comes the way that the device came.
        assert_eq!(refusal(anna.ask_for_device_code("KV-0001", "letter")).0, 400);
        // The code of another device, also with that device's own; and another person's device.
        let code = anna.device_code("KV-0001", "sms").unwrap();
        let other = bert.device_code("KV-0002", "sms").unwrap();
        if code != other {
            assert_eq!(refusal(anna.activate_device(&anna.activation_of(&annas, &other))), wrong());
        }
        let mut stolen = bert.activation_of(&annas, &code);
        assert_eq!(refusal(bert.activate_device(&stolen)), wrong(), "not their device");
        stolen["user_id"] = json!("nobody.has.this");
        assert_eq!(refusal(bert.activate_device(&stolen)), wrong(), "nobody's");
        assert_eq!(bert.device_code("KV-0001", "sms"), None, "no code for another's device");
        assert_eq!(bert.device_code("KV-9999", "sms"), None, "nor for one that there is not");
        // Beside it another one by e-mail. Three wrong, and both are dead.
        let anew = anna.device_code("KV-0001", "email").unwrap();
        for _ in 0..3 {
            let _ = anna.activate_device(&anna.activation_of(&annas, "000001"));
        }
        for dead in [code, anew] {
            assert_eq!(refusal(anna.activate_device(&anna.activation_of(&annas, &dead))), wrong());
        }
        // Too late.
        desk.wait(Duration::minutes(31));
        assert_eq!(refusal(bert.activate_device(&bert.activation_of(&berts, &other))), wrong());
    }
}

#[test]
fn a_clock_that_is_off_is_believed_by_two_codes_in_a_row_only() {
    // proves E10 (RFC 4226 §7.4)
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.ordered("KV-0001", Kind::Display);
        let code = anna.device_code("KV-0001", "sms").unwrap();
        let good = anna.activation_of(&device, &code);
        let off = |first: i64, second: i64| {
            let mut body = good.clone();
            body["device_code"] = json!(device.code_off(&desk, first));
            body["next_code"] = json!(device.code_off(&desk, second));
            anna.activate_device(&body)
        };
        for (first, second) in [(7, 7), (8, 7)] {
            assert_eq!(refusal(off(first, second)), wrong(), "{first} {second}");
        }
        let mut missing = good.clone();
        missing.as_object_mut().unwrap().remove("next_code");
        assert_eq!(anna.activate_device(&missing).0, 400);
        assert_eq!(off(7, 8).1["state"], "active");
    }
}

#[test]
fn codes_that_somebody_asks_for_all_day_are_good_and_the_last_is_told() {
    // proves E4, E7, E10
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.ordered("KV-0001", Kind::Display);
        for turn in 1..=5 {
            desk.deliver();
            assert_eq!(anna.ask_for_device_code("KV-0001", "sms").0, 202);
            assert_eq!(desk.runtime.block_on(desk.app.send_asked_codes()), 1, "{turn}");
            let arrived = desk.deliver();
            let code = arrived.iter().find_map(|message| code_in(&message.text)).unwrap();
            for _ in 0..10 {
                assert_eq!(anna.device_code("KV-0001", "sms"), None, "one is under way");
            }
            let told = arrived.iter().find(|message| message.text.contains("as often as one can"));
            assert_eq!(told.is_some(), turn == 5);
            if let Some(told) = told {
                // A day after the first.
                assert!(told.text.contains("02.03.2026 12:00"), "{}", told.text);
                assert_eq!(anna.device_code("KV-0001", "email"), None);
                let body = anna.activation_of(&device, &code);
                assert_eq!(anna.activate_device(&body).1["state"], "active", "still good");
            }
            desk.wait(Duration::minutes(31));
        }
    }
}

#[test]
fn no_more_codes_come_for_a_device_that_was_lost_and_found_or_blocked_meanwhile() {
    // proves E4, E10
    for desk in desks() {
        let anna = desk.enrolled(1);
        anna.ordered("KV-0001", Kind::Display);
        for (standing, back) in [("lost", "found"), ("blocked", "reopened")] {
            for channel in ["sms", "email"] {
                assert!(anna.device_code("KV-0001", channel).is_some(), "{standing} {channel}");
            }
            assert_eq!(anna.stand("KV-0001", standing).0, 200);
            assert_eq!(anna.stand("KV-0001", back).1["state"], "inactive");
        }
        assert!(anna.device_code("KV-0001", "sms").is_some(), "the fifth");
        assert_eq!(anna.device_code("KV-0001", "email"), None);
    }
}

#[test]
fn a_code_that_went_where_the_person_is_not_reached_any_more_is_worth_nothing() {
    // proves E4, E5
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.ordered("KV-0001", Kind::Display);
        let before = anna.device_code("KV-0001", "email").unwrap();
        let mut contacts = json!({ "phone": PHONE, "email": "else@example.invalid" });
        contacts["user_id"] = json!(anna.user_id());
        assert_eq!(anna.own("PUT", "/contacts", &contacts).0, 200);
        assert_eq!(refusal(anna.activate_device(&anna.activation_of(&device, &before))), wrong());
        let code = anna.device_code("KV-0001", "email").expect("a new one is sent at once");
        assert_eq!(anna.activate_device(&anna.activation_of(&device, &code)).0, 200);
    }
}

#[test]
fn who_knows_a_serial_number_alone_uses_up_nothing_of_its_persons() {
    // proves E10
    let few = |config: &mut server::config::Config| {
        quick(config);
        (config.limits.case_burst, config.limits.case_per_minute) = (8, 1);
    };
    for desk in Desk::all_changed(few) {
        let anna = desk.enrolled(1);
        let device = anna.ordered("KV-0001", Kind::Display);
        let mut junk = anna.activation_of(&device, "000000");
        junk["user_id"] = json!("nobody.has.this");
        let asked = json!({ "user_id": junk["user_id"], "serial": "KV-0001", "channel": "sms" });
        for _ in 0..7 {
            assert_eq!(refusal(desk.post("/v1/code-device-activations", &junk)), wrong());
        }
        assert_eq!(desk.post("/v1/code-device-codes", &asked).0, 202);
        assert_eq!(desk.post("/v1/code-device-codes", &asked).0, 429);
        assert_eq!(desk.post("/v1/code-device-activations", &junk).0, 429);
        let code = anna.device_code("KV-0001", "sms").unwrap();
        assert_eq!(anna.activate_device(&anna.activation_of(&device, &code)).0, 200);
        let trail = trail(&desk);
        let of_nobody = trail.iter().filter(|entry| entry.kind == "code_device.not_activated");
        let whose: Vec<_> = of_nobody.map(|entry| entry.data.get("identity")).collect();
        assert_eq!(whose, [None; 7]);
    }
}

#[test]
fn a_device_that_became_somebody_elses_meanwhile_stays_as_it_is() {
    // proves E10, E7
    for desk in desks() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        Device::in_stock(&desk, "KV-0001", Kind::Display);
        anna.reach(PHONE);
        assert_eq!(anna.order(Kind::Display, &anna.user_id()).1["state"], "ordered");
        let holder = server::app::DeviceHolder::logged_in(anna.identity);
        let lost = serde_json::from_value(json!({ "standing": "lost" })).unwrap();
        let app = desk.app.clone();
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            tx.hold_profile(anna.identity).await.unwrap();
            let row = tx.code_device_of("KV-0001").await.unwrap().unwrap();
            let saying = desk
                .runtime
                .spawn(async move { app.stand_code_device(holder, "KV-0001", lost).await });
            // On PostgreSQL it has read the device by then, and waits for the profile.
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            let theirs =
                server::storage::CodeDeviceRow { identity: Some(bert.identity), ..row.clone() };
            tx.save_code_device(&theirs).await.unwrap();
            tx.commit().await.unwrap();
            let refused = saying.await.unwrap().unwrap_err();
            assert!(matches!(refused, server::app::AppError::UnknownCase), "{refused:?}");
            let mut tx = desk.store.read().await.unwrap();
            assert_eq!(tx.code_device_of("KV-0001").await.unwrap(), Some(theirs));
        });
    }
}

#[test]
fn whoever_has_the_letter_learns_no_user_id_by_what_is_done() {
    // proves G4, E10
    for desk in desks() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let device = anna.ordered("KV-0001", Kind::Display);
        bert.reach("+4520304051");
        let cost = |call: &dyn Fn()| {
            let before = desk.store.effort();
            call();
            let after = desk.store.effort();
            (after.statements - before.statements, after.openings - before.openings)
        };
        let tries = |user_id: &str| {
            let mut body = anna.activation_of(&device, "000000");
            body["user_id"] = json!(user_id);
            cost(&|| assert_eq!(refusal(anna.activate_device(&body)), wrong()))
        };
        let asks = |user_id: &str| {
            let body = json!({ "user_id": user_id, "serial": "KV-0001", "channel": "sms" });
            cost(&|| assert_eq!(desk.post("/v1/code-device-codes", &body).0, 202))
        };
        let users = [anna.user_id(), bert.user_id(), "nobody.has.this".to_owned()];
        let nobody = tries("nobody.has.this");
        assert!(nobody.0 > 5 && nobody.1 > 1, "{nobody:?}");
        // Before a code is under way, with one, and with a dead one.
        for turn in 0..5 {
            for user_id in &users {
                assert_eq!(tries(user_id), nobody, "{turn} {user_id}");
                assert_eq!(asks(user_id), (0, 0), "nothing before the answer");
            }
            desk.runtime.block_on(desk.app.send_asked_codes());
        }
    }
}

#[test]
fn of_two_changes_at_once_with_the_old_password_one_is_taken() {
    // proves E2
    for desk in desks() {
        let anna = desk.enrolled(1);
        anna.with_device("KV-0001", Kind::Display);
        let holder = server::app::DeviceHolder::logged_in(anna.identity);
        let mut old = PASSWORD.to_owned();
        for round in 0..4 {
            let new = ["en", "en anden"].map(|which| format!("{which} hest batteri nr. {round}"));
            let changes: Vec<_> = new
                .iter()
                .map(|new| {
                    let given = serde_json::from_value(json!({ "old": old, "new": new })).unwrap();
                    let app = desk.app.clone();
                    desk.runtime.spawn(async move { app.change_password(holder, given).await })
                })
                .collect();
            let done: Vec<bool> = changes
                .into_iter()
                .map(|one| desk.runtime.block_on(one).unwrap().is_ok())
                .collect();
            assert_eq!(done.iter().filter(|one| **one).count(), 1, "{round}: {done:?}");
            let taken = done.iter().position(|one| *one).unwrap();
            old = new[taken].clone();
        }
    }
}

#[test]
fn a_lost_device_that_is_found_is_activated_anew_and_nobody_has_two() {
    // proves F2, E10
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.with_device("KV-0001", Kind::Display);
        assert_eq!(anna.stand("KV-0001", "found").0, 409);
        let (status, lost) = anna.stand("kv-0001", "lost");
        assert_eq!((status, &lost["state"]), (200, &json!("lost")), "{lost}");
        assert_eq!(anna.stand("KV-0001", "lost"), (200, lost), "said twice");
        assert_eq!(desk.deliver().len(), 2);
        assert_eq!(anna.device_code("KV-0001", "sms"), None, "it is lost");
        assert_eq!(anna.stand("KV-0001", "found").1["state"], "inactive");
        let code = anna.device_code("KV-0001", "sms").unwrap();
        let used = anna.activation_of(&device, &code);
        assert_eq!(refusal(anna.activate_device(&used)), wrong(), "a code that was used before");
        desk.wait(Duration::seconds(30));
        let activated = anna.activate_device(&anna.activation_of(&device, &code));
        assert_eq!(activated.1["state"], "active", "{activated:?}");
        // Another one, while this is active.
        let second = Device::in_stock(&desk, "KO-0001", Kind::Reader);
        let holder = server::app::DeviceHolder::logged_in(anna.identity);
        let wanted = serde_json::from_value(json!({ "kind": "reader" })).unwrap();
        desk.runtime.block_on(desk.app.order_code_device(holder, wanted)).unwrap();
        let again = desk.runtime.block_on(desk.app.order_code_device(holder, wanted));
        assert!(format!("{:?}", again.unwrap_err()).contains("code_device.other"));
        post(&desk, &packed(&desk, "KO-0001")).unwrap();
        let code = anna.device_code("KO-0001", "sms").unwrap();
        let body = anna.activation_of(&second, &code);
        assert_eq!(refusal(anna.activate_device(&body)), refused(409, "code_device.other"));
        assert_eq!(anna.stand("KV-0001", "blocked").1["state"], "blocked");
        assert_eq!(anna.activate_device(&body).1["state"], "active");
        // Another's is not theirs.
        let bert = desk.enrolled(2);
        assert_eq!(bert.stand("KO-0001", "lost").0, 404);
    }
}

#[test]
fn what_a_notice_has_blocked_only_an_officer_opens() {
    // proves F1, F2, E7 (also against who set the device up)
    for desk in desks() {
        for (number, serial, blocked_before) in [(1, "KV-0001", false), (2, "KV-0002", true)] {
            let anna = desk.enrolled(number);
            let device = anna.ordered(serial, Kind::Display);
            let code = anna.device_code(serial, "sms").unwrap();
            assert_eq!(anna.activate_device(&anna.activation_of(&device, &code)).0, 200);
            let told = desk.deliver();
            if blocked_before {
                assert_eq!(anna.stand(serial, "blocked").0, 200);
            }
            let (status, answer) = desk.post("/v1/blocks", &json!({ "code": block_code(&told) }));
            assert_eq!((status, &answer["state"]), (200, &json!("blocked")), "{answer}");
            assert_eq!(
                refusal(anna.stand(serial, "reopened")),
                refused(409, "code_device.state"),
                "{serial}"
            );
            assert_eq!(anna.device_code(serial, "sms"), None, "{serial}");
        }
    }
}

#[test]
fn an_identity_opened_again_gets_no_device_back_that_came_since_its_renewal() {
    // proves F2 (also one that was said to be lost, or blocked, before the identity was)
    for desk in desks() {
        let officer = || Actor::Officer { officer: "bc-17".to_owned() };
        for (number, serial, standing, back) in
            [(1, "KV-0001", "lost", "found"), (2, "KV-0002", "blocked", "reopened")]
        {
            let anna = desk.enrolled(number);
            desk.wait(Duration::SECOND);
            let other = desk.enrolled(number);
            other.with_device(serial, Kind::Display);
            assert_eq!(other.stand(serial, standing).0, 200);
            assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
            desk.runtime.block_on(desk.app.reopen(anna.identity, officer())).unwrap();
            let late = other.stand(serial, back);
            assert_eq!(refusal(late), refused(410, "activation.window"), "{serial}");
            desk.wait(Duration::SECOND);
            let again = desk.enrolled(number);
            let theirs = again.own("GET", "/code-devices", &Value::Null).1;
            assert_eq!(theirs[0]["state"], "blocked", "{theirs}");
            for back in ["found", "reopened"] {
                let answer = again.stand(serial, back);
                assert_eq!(refusal(answer), refused(409, "code_device.state"), "{serial} {back}");
            }
        }
    }
}

#[test]
fn after_an_opening_who_enrolled_before_brings_no_device_back_and_who_enrols_anew_does() {
    // proves F2
    for desk in desks() {
        let anna = desk.enrolled(1);
        anna.with_device("KV-0001", Kind::Display);
        assert_eq!(anna.stand("KV-0001", "lost").0, 200);
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        desk.runtime.block_on(desk.app.reopen(anna.identity, officer)).unwrap();
        let late = anna.stand("KV-0001", "found");
        assert_eq!(refusal(late), refused(410, "activation.window"));
        desk.wait(Duration::SECOND);
        let again = desk.enrolled(1);
        assert_eq!(again.stand("KV-0001", "found").1["state"], "inactive");
    }
}

#[test]
fn a_parcel_packed_for_an_order_that_is_off_is_not_anothers() {
    // proves E10 (nobody holds the device whose codes are another one's)
    for desk in desks() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        Device::in_stock(&desk, "KV-0001", Kind::Display);
        for person in [&anna, &bert] {
            person.reach(PHONE);
        }
        let orders = |person: &super::desk::Citizen<'_>| {
            let ordered = person.order(Kind::Display, &person.user_id());
            assert_eq!(ordered.1["state"], "ordered", "{ordered:?}");
            packed(&desk, "KV-0001")
        };
        let for_anna = orders(&anna);
        assert_eq!(anna.stand("KV-0001", "lost").1["state"], "in_stock");
        let for_bert = orders(&bert);
        let refused = post(&desk, &for_anna).unwrap_err();
        assert!(matches!(refused, StockError::OtherOrder { .. }), "{refused:?}");
        assert!(refused.to_string().contains("take the device out"), "{refused}");
        let state = || bert.own("GET", "/code-devices", &Value::Null).1[0]["state"].clone();
        assert_eq!(state(), "ordered", "nothing was entered");
        post(&desk, &for_bert).unwrap();
        assert_eq!(state(), "inactive");
        // The command is repeated, with a number that there is not.
        let twice = post(&desk, &for_bert).unwrap_err().to_string();
        assert!(twice.contains("do not put it back into the stock"), "{twice}");
        let none = Parcel { serial: "KV-0404".to_owned(), order: for_bert.order };
        let none = post(&desk, &none).unwrap_err().to_string();
        assert!(none.contains("there is no code device KV-0404"), "{none}");
        let trail = trail(&desk);
        let orders = trail.iter().filter(|entry| entry.kind == "code_device.ordered");
        let numbers: Vec<_> = orders.map(|entry| entry.data["order"].as_str().unwrap()).collect();
        assert_eq!(numbers, [for_anna, for_bert].map(|parcel| parcel.order.to_string()));
    }
}

#[test]
fn an_order_that_is_lost_or_blocked_is_off_and_takes_nothing_from_the_stock() {
    // proves E7 (the code of a notice blocks for whom it was sent to, and nobody else)
    for desk in desks() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        Device::in_stock(&desk, "KV-0001", Kind::Display);
        for person in [&anna, &bert] {
            person.reach(PHONE);
        }
        let order =
            |person: &super::desk::Citizen<'_>| person.order(Kind::Display, &person.user_id());
        // More often than there are devices, and than a person may have.
        for _ in 0..4 {
            assert_eq!(order(&anna).1["state"], "ordered");
            let parcel = packed(&desk, "KV-0001");
            assert_eq!(anna.stand("KV-0001", "lost").1["state"], "in_stock");
            assert_eq!(anna.stand("KV-0001", "found").0, 404, "nobody's");
            let posted = post(&desk, &parcel).unwrap_err().to_string();
            assert!(posted.contains("called off") && posted.contains("into the stock"), "{posted}");
        }
        desk.deliver();
        assert_eq!(order(&anna).1["state"], "ordered");
        let code = json!({ "code": block_code(&desk.deliver()) });
        let (status, off) = desk.post("/v1/blocks", &code);
        assert_eq!((status, &off["state"]), (200, &json!("in_stock")), "{off}");
        let told = desk.deliver();
        let sms = told.iter().find(|message| message.channel == "sms").unwrap();
        assert!(sms.text.contains("was called off") && !sms.text.contains("was blocked"));
        assert_eq!(desk.post("/v1/blocks", &code), (200, off), "said twice");
        assert_eq!(order(&bert).1["state"], "ordered");
        assert_eq!(desk.post("/v1/blocks", &code).1["state"], "in_stock", "the one who was told");
        let theirs = bert.own("GET", "/code-devices", &Value::Null).1;
        assert_eq!(theirs[0]["state"], "ordered", "{theirs}");
        post(&desk, &packed(&desk, "KV-0001")).unwrap();
        // What was sent does not come back, and there is an end to it.
        assert_eq!(bert.stand("KV-0001", "lost").1["state"], "lost");
        for serial in ["KV-0002", "KV-0003"] {
            bert.ordered(serial, Kind::Display);
            assert_eq!(bert.stand(serial, "lost").1["state"], "lost");
        }
        Device::in_stock(&desk, "KV-0004", Kind::Display);
        assert_eq!(refusal(order(&bert)), refused(409, "code_device.many"));
        assert_eq!(bert.stand("KV-0003", "found").1["state"], "inactive");
        assert_eq!(bert.stand("KV-0003", "found").1["state"], "inactive", "said twice");
    }
}

#[test]
fn the_notice_of_a_device_or_order_that_is_off_has_a_code_for_the_whole_identity() {
    // proves E7, F1
    for desk in desks() {
        for (number, serial, is_sent) in [(1, "KV-0001", true), (2, "KV-0002", false)] {
            let anna = desk.enrolled(number);
            if is_sent {
                anna.ordered(serial, Kind::Display);
            } else {
                Device::in_stock(&desk, serial, Kind::Display);
                anna.reach(PHONE);
                assert_eq!(anna.order(Kind::Display, &anna.user_id()).1["state"], "ordered");
            }
            desk.deliver();
            assert_eq!(anna.stand(serial, "lost").0, 200);
            let code = json!({ "code": block_code(&desk.deliver()) });
            let (status, life) = desk.post("/v1/blocks", &code);
            assert_eq!((status, &life["blocked"]), (200, &json!(true)), "{serial}: {life}");
        }
    }
}

#[test]
fn contacts_changed_after_a_loss_or_a_block_are_told_to_the_old_ones_and_get_no_sms() {
    // proves E5, E7
    for desk in desks() {
        for (number, serial, standing, back) in
            [(1, "KV-0001", "lost", "found"), (2, "KV-0002", "blocked", "reopened")]
        {
            let anna = desk.enrolled(number);
            anna.with_device(serial, Kind::Display);
            desk.wait(Duration::SECOND);
            let other = desk.enrolled(number);
            assert_eq!(other.stand(serial, standing).0, 200);
            desk.deliver();
            let contacts = json!({ "phone": "+4520304099", "email": "else@example.invalid" });
            assert_eq!(other.own("PUT", "/contacts", &contacts).0, 200);
            let told = desk.deliver();
            assert!(told.iter().any(|message| message.to == PHONE), "{standing}: {told:?}");
            assert_eq!(other.stand(serial, back).1["state"], "inactive");
            assert_eq!(other.device_code(serial, "sms"), None, "{standing}");
            assert!(other.device_code(serial, "email").is_some(), "{standing}");
        }
    }
}

#[test]
fn an_officer_hands_out_by_name_and_sees_no_secret() {
    // proves E10
    for desk in desks() {
        let cpr = "1208740002";
        let person = desk.runtime.block_on(async {
            desk.store.begin().await.unwrap().keyed_hash("person", cpr.as_bytes()).unwrap()
        });
        let (anna, bert) = (desk.enrolled_with(person), desk.enrolled(2));
        bert.reach("+4520304051");
        let device = Device::in_stock(&desk, "KV-0001", Kind::Display);
        Device::in_stock(&desk, "KO-0001", Kind::Reader);
        let officer = signed_in(&desk, "bc-17");
        let call = |token: &str, method: &str, path: &str, body: &Value| {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            let path = format!("/v1/officer/code-devices{path}");
            desk.call(Call { token, ..Call::new(method, &path, body.as_bytes()) })
        };
        let to_anna = json!({ "serial": "kv-0001", "cpr": "120874-0002" });
        assert_eq!(call(&anna.token, "POST", "", &to_anna).0, 401, "not signed in");
        let both = json!({ "serial": "KV-0001", "cpr": cpr, "identity": bert.identity });
        assert_eq!(call(&officer, "POST", "", &both).0, 400);
        let nobody = json!({ "serial": "KV-0001", "cpr": "0101900000" });
        assert_eq!(call(&officer, "POST", "", &nobody).0, 404);
        let (status, handed) = call(&officer, "POST", "", &to_anna);
        assert_eq!((status, &handed["state"]), (201, &json!("inactive")), "{handed}");
        let fields: Vec<_> = handed.as_object().unwrap().keys().cloned().collect();
        assert_eq!(fields, ["kind", "serial", "since", "state"]);
        let taken = json!({ "serial": "KV-0001", "identity": bert.identity });
        assert_eq!(refusal(call(&officer, "POST", "", &taken)), refused(409, "code_device.state"));
        let to_bert = json!({ "serial": "KO-0001", "identity": bert.identity });
        assert_eq!(call(&officer, "POST", "", &to_bert).0, 201);
        assert_eq!(desk.deliver().len(), 2, "the one who can be reached is told");
        // Activated by its person, lost and found by the officer.
        anna.reach(PHONE);
        let code = anna.device_code("KV-0001", "sms").unwrap();
        assert_eq!(anna.activate_device(&anna.activation_of(&device, &code)).0, 200);
        assert_eq!(call(&officer, "GET", "/kv-0001", &Value::Null).1["state"], "active");
        assert_eq!(call(&officer, "GET", "/KV-0404", &Value::Null).0, 404);
        let stand = |standing: &str| {
            let body = json!({ "standing": standing });
            call(&officer, "PUT", "/KV-0001/standing", &body)
        };
        assert_eq!(stand("lost").1["state"], "lost");
        assert_eq!(stand("found").1["state"], "inactive");
        assert_eq!(stand("blocked").1["state"], "blocked");
        assert_eq!(refusal(anna.stand("KV-0001", "reopened")), refused(409, "code_device.state"));
        assert_eq!(stand("reopened").1["state"], "inactive");
        let trail = trail(&desk);
        let handed = trail.iter().find(|entry| entry.kind == "code_device.handed_out").unwrap();
        assert_eq!(handed.data["officer"], "bc-17");
        let by = trail.iter().filter(|entry| entry.data["actor"]["officer"] == "bc-17").count();
        assert_eq!(by, 4);
    }
}

fn signed_in(desk: &Desk, name: &str) -> String {
    let keys = desk.app.keys();
    let mut config = server::config::Config::default();
    quick(&mut config);
    let parts = (&desk.store, keys.as_ref(), &SystemEntropy as &dyn server::clock::Entropy);
    let who = (name, server::storage::Role::Borgercenter);
    let new = add_officer(parts, &config.policy, who, PASSWORD, desk.now());
    let secret = desk.runtime.block_on(new).unwrap();
    let code = secret.code(desk.now().unix_timestamp() / 30).unwrap();
    let body = json!({ "name": name, "password": PASSWORD, "code": *code });
    let (status, answer) = desk.post("/v1/officer/sessions", &body);
    assert_eq!(status, 201, "{answer}");
    answer["token"].as_str().unwrap().to_owned()
}

#[test]
fn a_password_follows_the_rules_and_is_changed_with_the_one_before() {
    // proves E2
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.ordered("KV-0001", Kind::Display);
        let code = anna.device_code("KV-0001", "sms").unwrap();
        let mut body = anna.activation_of(&device, &code);
        for weak in ["short", "adgangskode1", "xx0101900000", "qwertyuiop!", &anna.user_id()] {
            body["password"] = json!(weak);
            assert_eq!(refusal(anna.activate_device(&body)), refused(422, "password.weak"));
        }
        body["password"] = json!(PASSWORD);
        assert_eq!(anna.activate_device(&body).0, 200);
        desk.deliver();
        let change = |old: &str, new: &str| {
            refusal(anna.own("PUT", "/password", &json!({ "old": old, "new": new })))
        };
        let new = "en anden hest batteri";
        assert_eq!(change(PASSWORD, "password1"), refused(422, "password.weak"));
        assert_eq!(change("not the old one", new), refused(422, "password.wrong"));
        assert_eq!(change(PASSWORD, new).0, 200);
        assert_eq!(desk.deliver().len(), 2, "the person is told");
        assert_eq!(change(PASSWORD, new), refused(422, "password.wrong"), "the old one");
        for _ in 0..2 {
            assert_eq!(change("not the old one", PASSWORD).0, 422);
        }
        assert_eq!(change(new, PASSWORD), refused(422, "password.wrong"), "it rests");
        desk.wait(Duration::minutes(15));
        assert_eq!(change(new, PASSWORD).0, 200);
    }
}

#[test]
fn no_seed_code_or_password_lies_in_clear_and_an_import_can_be_repeated() {
    // proves H4, E10
    for desk in desks() {
        let anna = desk.enrolled(1);
        let device = anna.with_device("KV-0001", Kind::Display);
        let list = format!(
            "KV-0001 display sha1 {}\nKV-0002 display sha1 {}",
            "31".repeat(20),
            "32".repeat(20)
        );
        let devices = NewDevice::list(&list).unwrap();
        for (added, known) in [(1, 1), (0, 2)] {
            let imported = import_code_devices(&desk.store, &SystemEntropy, &devices, desk.now());
            let imported = desk.runtime.block_on(imported).unwrap();
            assert_eq!((imported.added, imported.known), (added, known));
        }
        let code = device.code(&desk);
        let trail = format!("{:?}", trail(&desk));
        let rows = desk.rows();
        let seed = hex::encode(&device.key);
        let raw = String::from_utf8_lossy(&device.key).into_owned();
        for secret in [seed.as_str(), &raw, PASSWORD, &"31".repeat(20), "11111111111111111111"] {
            assert!(!rows.contains(secret) && !trail.contains(secret), "{secret}");
        }
        assert!(leak(&trail, &code).is_none() && !trail.contains(&anna.user_id()));
        assert!(!format!("{devices:?}").contains("3131"));
    }
}
