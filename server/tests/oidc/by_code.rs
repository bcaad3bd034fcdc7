//! Logging in with a code display or an audio code reader.

use super::desk::{Citizen, Desk, PIN, refusal, refused};
use super::devices::{Device, PASSWORD, packed, post, quick};
use super::parties::{Begun, Browser, Party, Phone, Site, claims};
use super::timing;
use enroll_core::code_device::{Kind, Tries};
use fixtures::leaks::leak;
use serde_json::{Value, json};
use server::app::{AppError, TypedCode};
use server::config::{Config, Secret};
use server::oidc::Level;
use time::Duration;

pub(super) fn desks() -> Vec<Desk> {
    Desk::all_changed(quick)
}

/// A log-in before a browser.
pub(super) struct Page<'a> {
    pub(super) browser: Browser<'a>,
    begun: Begun,
}

impl<'a> Page<'a> {
    pub(super) fn of(party: &'a Party<'a>) -> Self {
        Self::asking(party, &[])
    }

    fn asking(party: &'a Party<'a>, changes: &[(&str, &str)]) -> Self {
        let begun = party.begin(changes);
        Self { browser: Browser::at(party, &begun), begun }
    }

    /// Status and where it goes on, or the reason on the page.
    fn types(&self, user_id: &str, password: &str, code: &str) -> (u16, String) {
        let given = [("user_id", user_id), ("password", password), ("code", code)];
        let reply = self.browser.post("/log-in/code", &given);
        let reason =
            reply.text.split_once("data-reason=\"").and_then(|(_, rest)| rest.split_once('"'));
        let reason = reason.map_or(reply.location.clone(), |(code, _)| code.to_owned());
        (reply.status, reason)
    }

    pub(super) fn tokens(&self, party: &Party<'_>) -> Value {
        assert!(self.browser.get("/log-in/code").text.contains("href=\"/log-in/continue"));
        let back = self.browser.get("/log-in/continue");
        let tokens = party.tokens(&back.param("code").unwrap(), &self.begun.verifier);
        assert_eq!(tokens.status, 200, "{tokens:?}");
        tokens.json()
    }
}

fn taken() -> (u16, String) {
    (303, "/log-in/code".to_owned())
}

fn wrong() -> (u16, String) {
    refused(422, "log_in.code")
}

fn stopped() -> (u16, String) {
    (303, "/log-in/ended".to_owned())
}

#[test]
fn a_person_logs_in_with_password_and_code_at_substantial() {
    // proves E2, G3, G5
    for desk in desks() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        for (number, serial, kind, method) in [
            (1, "KV-0001", Kind::Display, "code_token"),
            (2, "KO-0001", Kind::Reader, "code_reader"),
        ] {
            let anna = desk.enrolled(number);
            let device = anna.with_device(serial, kind);
            let text = openssl::base64::encode_block("Betal 100 kr. til Bent".as_bytes());
            let params = json!({ "mitid": { "reference_text": text, "action_text": "APPROVE" } });
            let acr = Level::Substantial.uri();
            let page = Page::asking(
                &netbank,
                &[("idp_params", &params.to_string()), ("acr_values", &acr)],
            );
            let start = page.browser.get("/log-in");
            assert!(start.text.contains("/log-in/code"), "{start:?}");
            // Who asks, and for what, before anything is typed.
            let shown = page.browser.get("/log-in/code");
            for part in ["Netbanken", "Betal 100 kr. til Bent", "At godkende"] {
                let at = shown.text.find(part).unwrap();
                assert!(at < shown.text.find("id=\"code-form\"").unwrap(), "{part}");
            }
            let code = device.code(&desk);
            assert_eq!(page.types(&anna.user_id().to_uppercase(), PASSWORD, &code), taken());
            let tokens = page.tokens(&netbank);
            let told = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
            assert_eq!(told["amr"], json!(["password", method]));
            for name in ["acr", "loa", "ial", "aal"] {
                assert_eq!(told[name], json!(acr), "{name}");
            }
            let trail = desk.runtime.block_on(async {
                desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
            });
            let approved = trail.iter().rfind(|entry| entry.kind == "log_in.approved").unwrap();
            assert_eq!(
                (&approved.data["way"], &approved.data["kind"]),
                (&json!("code"), &json!(kind))
            );
            assert_eq!(approved.data["identity"], json!(anna.identity));
            let trail = format!("{trail:?}");
            assert_eq!((leak(&trail, &code), leak(&trail, PASSWORD)), (None, None));
        }
    }
}

#[test]
fn whatever_does_not_fit_is_answered_the_same() {
    // proves G4, E2 (one factor alone gets nowhere), E10 (nor does an inactive device)
    for desk in desks() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let [anna, bert, carl, dora] = [1, 2, 3, 4].map(|person| desk.enrolled(person));
        let device = anna.with_device("KV-0001", Kind::Display);
        let berts = bert.with_device("KV-0002", Kind::Display);
        let inactive = carl.ordered("KV-0003", Kind::Display);
        let lost = dora.with_device("KV-0004", Kind::Display);
        assert_eq!(dora.stand("KV-0004", "lost").0, 200);
        let seen = |user_id: &str, password: &str, code: &str| {
            let page = Page::of(&netbank);
            let given = [("user_id", user_id), ("password", password), ("code", code)];
            let reply = page.browser.post("/log-in/code", &given);
            assert_eq!(page.browser.state(), "showing");
            (reply.status, reply.text.replace(&format!("value=\"{user_id}\""), "value=\"\""))
        };
        let unknown = seen("nobody.has.this", PASSWORD, &device.code(&desk));
        assert_eq!(unknown.0, 422);
        for (user_id, password, code, why) in [
            (anna.user_id(), "not the password", device.code(&desk), "wrong password"),
            (anna.user_id(), "", device.code(&desk), "no password"),
            (anna.user_id(), PASSWORD, device.wrong_code(&desk), "wrong code"),
            (anna.user_id(), "not the password", device.wrong_code(&desk), "both"),
            (bert.user_id(), PASSWORD, device.code(&desk), "another's device"),
            (carl.user_id(), PASSWORD, inactive.code(&desk), "inactive"),
            (dora.user_id(), PASSWORD, lost.code(&desk), "lost"),
        ] {
            assert_eq!(seen(&user_id, password, &code), unknown, "{why}");
        }
        // A blocked identity, and one whose codes rest.
        let blocked = desk.enrolled(5);
        let theirs = blocked.with_device("KV-0005", Kind::Display);
        assert_eq!(blocked.own("POST", "/block", &Value::Null).0, 200);
        assert_eq!(seen(&blocked.user_id(), PASSWORD, &theirs.code(&desk)), unknown, "blocked");
        for _ in 0..3 {
            seen(&bert.user_id(), PASSWORD, &berts.wrong_code(&desk));
        }
        assert_eq!(seen(&bert.user_id(), PASSWORD, &berts.code(&desk)), unknown, "resting");
    }
}

#[test]
fn a_code_guessed_at_random_rests_the_codes_after_the_third_and_the_person_is_told() {
    // proves G6
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        for _ in 0..3 {
            let guess = device.wrong_code(&desk);
            assert_eq!(Page::of(&netbank).types(&anna.user_id(), PASSWORD, &guess), wrong());
        }
        let right = |page: &Page<'_>| page.types(&anna.user_id(), PASSWORD, &device.code(&desk));
        assert_eq!(right(&Page::of(&netbank)), wrong(), "nothing is taken");
        assert!(desk.deliver().is_empty(), "nothing is sent while somebody waits for the answer");
        assert_eq!(desk.runtime.block_on(desk.app.tell_rests()).unwrap(), 1);
        let told = desk.deliver();
        // Noon in UTC+1, and a quarter of an hour after the 30 seconds that the test waited.
        assert!(told.len() == 2 && told[0].text.contains("01.03.2026 12:15"), "{:?}", told[0].text);
        assert_eq!(desk.runtime.block_on(desk.app.tell_rests()).unwrap(), 0, "told once");
        desk.wait(Duration::minutes(15) - Duration::SECOND);
        assert_eq!(right(&Page::of(&netbank)), wrong());
        desk.wait(Duration::seconds(31));
        assert_eq!(right(&Page::of(&netbank)), taken());
        // The device is what somebody else has: its code with guessed passwords counts, too.
        for guess in ["hest batteri 1", "hest batteri 2", "hest batteri 3"] {
            desk.wait(Duration::seconds(30));
            let code = device.code(&desk);
            assert_eq!(Page::of(&netbank).types(&anna.user_id(), guess, &code), wrong());
        }
        desk.wait(Duration::seconds(30));
        assert_eq!(right(&Page::of(&netbank)), wrong(), "rests again");
    }
}

#[test]
fn who_knows_a_user_id_alone_shuts_nobody_out_and_a_page_ends_after_three_tries() {
    // proves G4, G6
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let ends = |user_id: &str| {
            let page = Page::of(&netbank);
            let wrong_code = device.wrong_code(&desk);
            let all: Vec<_> =
                (0..4).map(|_| page.types(user_id, "a guess of it", &wrong_code)).collect();
            let ended = page.browser.get("/log-in/ended").text;
            assert!(ended.contains("log_in.tries") && ended.contains("error=access_denied"));
            all
        };
        let known = ends(&anna.user_id());
        assert_eq!(known, [wrong(), wrong(), stopped(), stopped()]);
        assert_eq!(known, ends("nobody.has.this"));
        for _ in 0..3 {
            ends(&anna.user_id());
        }
        let page = Page::of(&netbank);
        assert_eq!(page.types(&anna.user_id(), PASSWORD, &device.code(&desk)), taken());
    }
}

#[test]
fn a_stolen_code_is_worth_nothing_a_second_time() {
    // proves G6
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let code = device.code(&desk);
        let page = Page::of(&netbank);
        assert_eq!(page.types(&anna.user_id(), PASSWORD, &code), taken());
        page.tokens(&netbank);
        assert_eq!(Page::of(&netbank).types(&anna.user_id(), PASSWORD, &code), wrong());
        // Nor one of a step before it, though the window has it.
        let before = device.code_off(&desk, -1);
        assert_eq!(Page::of(&netbank).types(&anna.user_id(), PASSWORD, &before), wrong());
        desk.wait(Duration::seconds(30));
        let next = Page::of(&netbank);
        assert_eq!(next.types(&anna.user_id(), PASSWORD, &device.code(&desk)), taken());
    }
}

#[test]
fn of_two_requests_at_once_with_one_code_one_is_taken() {
    // proves G6
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        for round in 0..4 {
            let pages: Vec<_> = (0..2).map(|_| Page::of(&netbank)).collect();
            let tries: Vec<_> = pages
                .iter()
                .map(|page| {
                    let typed = TypedCode {
                        user_id: anna.user_id(),
                        password: Secret::from(PASSWORD.to_owned()),
                        code: Secret::from(device.code(&desk)),
                    };
                    let (app, secret) = (desk.app.clone(), page.browser.secret());
                    desk.runtime.spawn(async move { app.log_in_by_code(&secret, typed).await })
                })
                .collect();
            let done: Vec<_> =
                tries.into_iter().map(|one| desk.runtime.block_on(one).unwrap()).collect();
            assert_eq!(done.iter().filter(|one| one.is_ok()).count(), 1, "{round}: {done:?}");
            let refused = done.into_iter().find_map(Result::err).unwrap();
            let AppError::Reason(reason) = refused else { panic!("{refused:?}") };
            assert_eq!(reason.as_str(), "log_in.code");
            let first = pages.iter().find(|page| page.browser.state() == "approved").unwrap();
            first.tokens(&netbank);
            desk.wait(Duration::seconds(30));
        }
    }
}

#[test]
fn one_who_cannot_be_told_of_a_rest_keeps_nobody_else_from_it() {
    // proves G6
    for desk in desks() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let people = [(1, "KV-0001"), (2, "KV-0002")].map(|(number, serial)| {
            let person = desk.enrolled(number);
            let device = person.with_device(serial, Kind::Display);
            for _ in 0..3 {
                let guess = device.wrong_code(&desk);
                assert_eq!(Page::of(&netbank).types(&person.user_id(), PASSWORD, &guess), wrong());
            }
            person.identity
        });
        desk.deliver();
        desk.spoil_profile(people[0]);
        let tell = || desk.runtime.block_on(desk.app.tell_rests()).unwrap();
        assert_eq!(tell(), 1);
        assert_eq!(desk.deliver().len(), 2, "the second, by both channels");
        assert_eq!(tell(), 0, "once, and the first is still to be told");
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            let untold = tx.untold_rests(10).await.unwrap();
            let [(first, until)] = untold.as_slice() else { panic!("{untold:?}") };
            assert_eq!(*first, people[0]);
            let another = *until - Duration::SECOND;
            assert!(!tx.told_rest(*first, another).await.unwrap(), "another rest");
            assert!(tx.told_rest(*first, *until).await.unwrap());
        });
    }
}

#[test]
fn a_clock_that_drifts_is_followed_one_step_at_a_time() {
    // proves G6 (RFC 6238 §5.2, §6)
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let types = |off: i64| {
            let page = Page::of(&netbank);
            let found = page.types(&anna.user_id(), PASSWORD, &device.code_off(&desk, off));
            if found == taken() {
                page.tokens(&netbank);
            }
            desk.wait(Duration::minutes(20));
            found
        };
        assert_eq!(types(2), wrong(), "two steps at once");
        for off in 1..=4 {
            assert_eq!(types(off), taken(), "{off} steps ahead by now");
        }
        // Where it would be if somebody had only been slow; it is still where it was.
        assert_eq!(types(0), taken());
        assert_eq!(types(4), taken());
        assert_eq!(types(2), wrong(), "between the two");
    }
}

#[test]
fn who_was_slow_at_the_activation_logs_in_with_the_code_of_now() {
    // proves G6, E10 (RFC 6238 §6)
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.ordered("KV-0001", Kind::Display);
        let sent = anna.device_code("KV-0001", "sms").unwrap();
        let mut body = anna.activation_of(&device, &sent);
        body["device_code"] = json!(device.code_off(&desk, -4));
        body["next_code"] = json!(device.code_off(&desk, -3));
        assert_eq!(anna.activate_device(&body).0, 200);
        let page = Page::of(&netbank);
        assert_eq!(page.types(&anna.user_id(), PASSWORD, &device.code(&desk)), taken());
    }
}

#[test]
fn a_last_try_that_was_counted_and_never_decided_ends_the_log_in_with_the_next() {
    // proves G6 (the browser went away, or the server ended, while the password was hashed)
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let page = Page::of(&netbank);
        desk.runtime.block_on(async {
            let secret = openssl::sha::sha256(page.browser.secret().as_bytes());
            let mut tx = desk.store.begin().await.unwrap();
            let found = tx.find_log_in(server::storage::Opens::Browser, &secret).await.unwrap();
            let id = found.unwrap().id;
            for tried in 1..=3 {
                assert_eq!(tx.count_try(id, 3).await.unwrap(), Some(tried));
            }
            tx.commit().await.unwrap();
        });
        assert_eq!(page.types(&anna.user_id(), PASSWORD, &device.code(&desk)), stopped());
        let ended = page.browser.get("/log-in/ended").text;
        assert!(ended.contains("log_in.tries") && ended.contains("error=access_denied"));
    }
}

#[test]
fn a_try_waits_for_another_of_the_same_user_id_whether_there_is_one_or_not() {
    // proves G4
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        anna.with_device("KV-0001", Kind::Display);
        for user_id in [anna.user_id(), "nobody.has.this".to_owned()] {
            let page = Page::of(&netbank);
            let (app, secret) = (desk.app.clone(), page.browser.secret());
            let typed = typed(&user_id, "not the password", "000000");
            desk.runtime.block_on(async {
                let mut tx = desk.store.begin().await.unwrap();
                let hash = tx.keyed_hash("user_id", user_id.as_bytes()).unwrap();
                tx.hold_user_id(&hash).await.unwrap();
                let mut tries =
                    desk.runtime.spawn(async move { app.log_in_by_code(&secret, typed).await });
                let while_held = std::time::Duration::from_millis(500);
                assert!(tokio::time::timeout(while_held, &mut tries).await.is_err(), "{user_id}");
                tx.commit().await.unwrap();
                assert!(tries.await.unwrap().is_err());
            });
        }
    }
}

#[test]
fn level_high_is_refused_before_anything_is_typed() {
    // proves G5, E1
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let page = Page::asking(&netbank, &[("acr_values", &Level::High.uri())]);
        let shown = page.browser.get("/log-in/code").text;
        assert!(shown.contains("log_in.code_level") && !shown.contains("name=\"code\""), "{shown}");
        assert!(shown.contains("Borgercenteret"));
        let code = device.code(&desk);
        let high = refused(409, "log_in.code_level");
        assert_eq!(page.types(&anna.user_id(), PASSWORD, &code), high);
        assert_eq!(page.browser.state(), "showing");
        let next = Page::of(&netbank);
        assert_eq!(next.types(&anna.user_id(), PASSWORD, &code), taken(), "it was not used up");
    }
}

/// What happened last to the identity, as it is kept for its person.
fn last_activity(desk: &Desk, anna: &Citizen<'_>) -> Value {
    let kept = desk.runtime.block_on(async {
        desk.store.begin().await.unwrap().activities(anna.identity, None, None, 1).await.unwrap()
    });
    serde_json::from_slice(&kept[0].payload).unwrap()
}

#[test]
fn two_log_ins_of_one_person_at_once_are_both_stopped() {
    // proves G2
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let types = |page: &Page<'_>| page.types(&anna.user_id(), PASSWORD, &device.code(&desk));
        // By code twice, before the relying party has anything of the first.
        let (first, second) = (Page::of(&netbank), Page::of(&netbank));
        assert_eq!(types(&first), taken());
        desk.wait(Duration::seconds(30));
        assert_eq!(types(&second), stopped());
        assert!(second.browser.get("/log-in/ended").text.contains("log_in.parallel"));
        let told = last_activity(&desk, &anna);
        assert_eq!(told["what"], "log_in_stopped", "the person sees it: {told}");
        assert_eq!(
            (&told["detail"], &told["service"]),
            (&json!("log_in.parallel"), &json!("Netbanken"))
        );
        assert_eq!(first.browser.get("/log-in/continue").location, "/log-in/ended");
        // What waits for the app, which a relying party began.
        let sub = {
            desk.wait(Duration::seconds(30));
            let page = Page::of(&netbank);
            assert_eq!(types(&page), taken());
            let tokens = page.tokens(&netbank);
            claims(&site, tokens["id_token"].as_str().unwrap(), "JWT")["sub"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let asked = netbank.form(
            "/oidc/ciba",
            &[("scope", "openid"), ("login_hint", &sub), ("binding_message", "Betal 1 kr.")],
        );
        assert_eq!(asked.status, 200, "{asked:?}");
        desk.wait(Duration::seconds(30));
        let beside = Page::of(&netbank);
        assert_eq!(types(&beside), stopped());
        let id = asked.json()["auth_req_id"].as_str().unwrap().to_owned();
        let grant = ("grant_type", "urn:openid:params:grant-type:ciba");
        let polled = netbank.form("/oidc/token", &[grant, ("auth_req_id", &id)]);
        assert_eq!(polled.error().1, "access_denied", "{polled:?}");
    }
}

#[test]
fn an_app_beside_a_code_stops_both() {
    // proves G2
    for desk in desks() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let device = handed_out(&desk, &anna);
        let (by_app, by_code) = (Page::of(&netbank), Page::of(&netbank));
        let claimed = phone.claimed(&by_app.browser);
        let code = device.code(&desk);
        assert_eq!(by_code.types(&anna.user_id(), PASSWORD, &code), stopped());
        assert_eq!(refusal(phone.approve(&claimed, PIN)), refused(409, "log_in.parallel"));
        // And the other way round.
        desk.wait(Duration::seconds(30));
        let (by_app, by_code) = (Page::of(&netbank), Page::of(&netbank));
        assert_eq!(by_code.types(&anna.user_id(), PASSWORD, &device.code(&desk)), taken());
        let scanned = phone.scan(&by_app.browser.halves());
        assert_eq!(refusal(scanned), refused(409, "log_in.parallel"));
        assert_eq!(by_code.browser.get("/log-in/continue").location, "/log-in/ended");
    }
}

/// An active device of somebody who has an app.
fn handed_out(desk: &Desk, anna: &Citizen<'_>) -> Device {
    let device = Device::in_stock(desk, "KV-0001", Kind::Display);
    let holder = server::app::DeviceHolder::logged_in(anna.identity);
    let wanted = serde_json::from_value(json!({ "kind": "display" })).unwrap();
    desk.runtime.block_on(desk.app.order_code_device(holder, wanted)).unwrap();
    post(desk, &packed(desk, "KV-0001")).unwrap();
    let code = anna.device_code("KV-0001", "sms").unwrap();
    assert_eq!(anna.activate_device(&anna.activation_of(&device, &code)).0, 200);
    desk.wait(Duration::seconds(30));
    device
}

#[test]
fn blocking_a_device_ends_its_sessions_before_the_call_returns() {
    // proves F1
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        for (standing, back) in [("blocked", "reopened"), ("lost", "found")] {
            let page = Page::of(&netbank);
            assert_eq!(page.types(&anna.user_id(), PASSWORD, &device.code(&desk)), taken());
            let tokens = page.tokens(&netbank);
            let token = tokens["access_token"].as_str().unwrap();
            assert_eq!(netbank.userinfo(token).status, 200);
            desk.wait(Duration::seconds(30));
            let open = Page::of(&netbank);
            assert_eq!(open.types(&anna.user_id(), PASSWORD, &device.code(&desk)), taken());
            assert_eq!(anna.stand("KV-0001", standing).0, 200);
            assert_eq!(netbank.userinfo(token).status, 401, "{standing}");
            assert_eq!(open.browser.get("/log-in/continue").location, "/log-in/ended");
            desk.wait(Duration::seconds(30));
            let code = device.code(&desk);
            assert_eq!(Page::of(&netbank).types(&anna.user_id(), PASSWORD, &code), wrong());
            assert_eq!(anna.stand("KV-0001", back).1["state"], "inactive");
            assert_eq!(
                Page::of(&netbank).types(&anna.user_id(), PASSWORD, &code),
                wrong(),
                "{back}"
            );
            let sent = anna.device_code("KV-0001", "sms").unwrap();
            desk.wait(Duration::seconds(30));
            assert_eq!(anna.activate_device(&anna.activation_of(&device, &sent)).0, 200);
            desk.wait(Duration::seconds(30));
        }
    }
}

/// Somebody who has an app and no code device.
fn with_app_only<'a>(desk: &'a Desk, person: u8) -> Citizen<'a> {
    let citizen = desk.enrolled(person);
    Phone::of(&citizen);
    citizen
}

#[test]
fn a_refusal_takes_the_same_statements_and_openings_whoever_it_is_of() {
    // proves G4
    for desk in desks() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let [anna, bert, carl] = [1, 2, 3].map(|person| desk.enrolled(person));
        let device = anna.with_device("KV-0001", Kind::Display);
        bert.with_device("KV-0002", Kind::Display);
        let inactive = carl.ordered("KV-0003", Kind::Display);
        let dora = with_app_only(&desk, 4);
        assert_eq!(bert.own("POST", "/block", &Value::Null).0, 200);
        let (right, guess) = (device.code(&desk), device.wrong_code(&desk));
        let cost = |user_id: &str, password: &str, code: &str| {
            let page = Page::of(&netbank);
            let (secret, before) = (page.browser.secret(), desk.store.effort());
            let typed = typed(user_id, password, code);
            let refused = desk.runtime.block_on(desk.app.log_in_by_code(&secret, typed));
            assert!(refused.is_err(), "{user_id}");
            let after = desk.store.effort();
            (after.statements - before.statements, after.openings - before.openings)
        };
        let unknown = cost("nobody.has.this", "not the password", &guess);
        assert!(unknown.0 > 5 && unknown.1 > 3, "{unknown:?}");
        // Also once codes rest.
        for _ in 0..5 {
            for (user_id, password, code, why) in [
                (anna.user_id(), "not the password", &guess, "both"),
                (anna.user_id(), PASSWORD, &guess, "wrong code"),
                (anna.user_id(), "not the password", &right, "wrong password"),
                (bert.user_id(), PASSWORD, &guess, "blocked"),
                (carl.user_id(), PASSWORD, &inactive.code(&desk), "inactive"),
                (dora.user_id(), "not the password", &guess, "an app only"),
            ] {
                assert_eq!(cost(&user_id, password, code), unknown, "{why}");
            }
        }
    }
}

pub(super) fn typed(user_id: &str, password: &str, code: &str) -> TypedCode {
    TypedCode {
        user_id: user_id.to_owned(),
        password: Secret::from(password.to_owned()),
        code: Secret::from(code.to_owned()),
    }
}

#[test]
fn a_password_is_hashed_anew_once_it_was_right_and_costs_have_grown() {
    // proves G4, E2
    for desk in desks() {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let later = desk.app_beside(|config| {
            let activation = &mut config.policy.activation;
            (activation.pin_memory_kib, activation.pin_passes) = (128, 1);
        });
        let tries = |app: &server::app::App, code: &str| {
            let page = Page::of(&netbank);
            let typed = typed(&anna.user_id(), PASSWORD, code);
            let secret = page.browser.secret();
            let done = desk.runtime.block_on(app.log_in_by_code(&secret, typed)).is_ok();
            if done {
                page.tokens(&netbank);
            }
            desk.wait(Duration::seconds(30));
            done
        };
        let costs = || {
            desk.runtime.block_on(async {
                desk.store.read().await.unwrap().password_costs().await.unwrap()
            })
        };
        assert_eq!(costs(), ["m=64,t=1,p=1"]);
        assert!(!tries(&later, &device.wrong_code(&desk)));
        assert_eq!(costs(), ["m=64,t=1,p=1"], "it was not used");
        assert!(tries(&later, &device.code(&desk)));
        assert_eq!(costs(), ["m=128,t=1,p=1"]);
        assert!(tries(&later, &device.code(&desk)), "the same password");
    }
}

/// Nothing of the person's is taken for `time`.
fn rest(desk: &Desk, citizen: &Citizen<'_>, time: Duration) {
    let tries = Tries { until: Some(desk.now() + time), ..Tries::default() };
    desk.runtime.block_on(async {
        let mut tx = desk.store.begin().await.unwrap();
        tx.save_tries(citizen.identity, &tries, false).await.unwrap();
        tx.commit().await.unwrap();
    });
}

/// `INDRUL_TIMING=10000` asks so often each, and what it prints is the figure. The passwords are hashed quickly:
/// in production that is nearly all of the time, and would hide the rest; the wait for the next whole step is as much
/// shorter. The desk's clock stands, so one whose
/// password is right is let try as often as it takes, beside one who may try nothing for a day.
#[test]
fn the_time_of_a_refusal_does_not_tell_whether_there_is_a_user_id() {
    // proves G4
    refusals::<10>(|measure| {
        let told = |tries| measure(tries).iter().map(|(t, _)| *t).collect();
        assert!(!timing::told_apart(timing::tries(100), told));
    });
}

/// What the wait hides is no multiple of the work: another hash, or a round of questions more.
#[test]
fn the_work_of_a_refusal_is_not_a_multiple_where_there_is_a_user_id() {
    // proves G4
    refusals::<0>(|measure| {
        for (t, percent) in measure(timing::tries(100)) {
            assert!(percent.abs() < 100.0, "{t}, {percent} %");
        }
    });
}

fn never_rests<const REFUSAL_MS: u16>(config: &mut Config) {
    quick(config);
    let policy = &mut config.policy.code_devices;
    (policy.wrong, policy.refusal_ms) = (u16::MAX, REFUSAL_MS);
    (config.limits.address_burst, config.limits.client_burst) = (u32::MAX, u32::MAX);
}

/// What `measure` is given a number of tries for: refusals that are answered at the next whole `REFUSAL_MS`, and of
/// each of those whose user ID there is beside nobody's Welch's t, and by how many parts of a hundred it takes longer.
#[expect(clippy::print_stdout, reason = "what it prints is the figure")]
fn refusals<const REFUSAL_MS: u16>(judge: impl Fn(&dyn Fn(usize) -> Vec<(f64, f64)>)) {
    for desk in Desk::all_changed(never_rests::<REFUSAL_MS>) {
        let site = Site::open(&desk);
        let (netbank, anna) = (site.party(|_| {}), desk.enrolled(1));
        let device = anna.with_device("KV-0001", Kind::Display);
        let bert = desk.enrolled(2);
        bert.with_device("KV-0002", Kind::Display);
        rest(&desk, &bert, Duration::DAY);
        let dora = with_app_only(&desk, 4);
        let code = device.wrong_code(&desk);
        let unknown: String = anna.user_id().chars().rev().collect();
        let who = [
            (unknown, "not the password", "nobody"),
            (anna.user_id(), "not the password", "both wrong"),
            (anna.user_id(), PASSWORD, "password right"),
            (bert.user_id(), PASSWORD, "password right, rests"),
            (dora.user_id(), "not the password", "an app only"),
        ];
        let ask = |one: usize| {
            let (user_id, password, name) = &who[one];
            let page = Page::of(&netbank);
            let (secret, typed) = (page.browser.secret(), typed(user_id, password, &code));
            timing::time_of(|| {
                let refused = desk.runtime.block_on(desk.app.log_in_by_code(&secret, typed));
                assert!(refused.is_err(), "{name}");
            })
        };
        judge(&|tries| {
            let [nobody, others @ ..] = &timing::times::<5>(tries, ask);
            let told = others.iter().zip(&who[1..]).map(|(other, (_, _, name))| {
                let (t, percent) = (timing::welch(other, nobody), timing::percent(other, nobody));
                println!(
                    "{:?}, {tries} refusals each, at whole {REFUSAL_MS} ms, {name} and nobody: \
                     Welch's t {t:.2}, {percent:.2} %",
                    desk.store
                );
                (t, percent)
            });
            told.collect()
        });
    }
}
