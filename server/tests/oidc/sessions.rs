//! What a session is good for, what it tells of a person, and how it ends.

use super::desk::{Desk, PIN, refusal, refused as reason};
use super::parties::{Browser, Party, Phone, Site, claims, encoded, refused};
use axum::Form;
use axum::routing::post;
use enroll_core::findings::document::DocumentStatus;
use enroll_core::findings::person::PersonAnswer;
use enroll_core::life::Actor;
use serde_json::{Value, json};
use server::config;
use server::oidc::claims::PROTECTED;
use server::registers::Registers;
use server::registers::http::HttpRegisters;
use server::registers::standin::{Holder, Scripted, StandIn};
use server::storage::PersonalNumber;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use time::Duration;

fn token(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

/// A relying party's address for ended sessions, and what came to it.
fn listening(desk: &Desk) -> (String, Arc<Mutex<Vec<String>>>) {
    let arrived = Arc::new(Mutex::new(Vec::new()));
    let kept = arrived.clone();
    let take = move |Form(form): Form<HashMap<String, String>>| async move {
        kept.lock().unwrap().push(form["logout_token"].clone());
    };
    let url = desk.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/logout", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    });
    (url, arrived)
}

#[test]
fn a_block_ends_sessions_before_it_returns_and_the_relying_party_is_told() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (url, arrived) = listening(&desk);
        let netbank = site.party(|table| {
            table.insert("backchannel_logout_uri".to_owned(), url.into());
        });
        for way in ["app", "identity"] {
            let phone = Phone::of(if way == "app" { &anna } else { &bert });
            let who = phone.citizen;
            let tokens = netbank.logged_in(&phone, &[]);
            let open = netbank.begin(&[]);
            let browser = Browser::at(&netbank, &open);
            let claimed = phone.claimed(&browser);
            // Approved, and the code taken: neither is worth anything after the block.
            assert_eq!(phone.approve(&claimed, PIN).0, 200);
            let code = browser.get("/log-in/continue").param("code").unwrap();
            let blocked = match way {
                "app" => who.call(
                    "POST",
                    &format!("/v1/authenticators/{}/block", phone.app),
                    &Value::Null,
                ),
                _ => who.own("POST", "/block", &Value::Null),
            };
            assert_eq!(blocked.0, 200);
            assert_eq!(netbank.userinfo(token(&tokens)).error(), refused(401, "invalid_token"));
            let active = netbank.form("/oidc/introspect", &[("token", token(&tokens))]).json();
            assert_eq!(active, json!({ "active": false }));
            let late = netbank.tokens(&code, &open.verifier).error();
            assert_eq!(late, refused(400, "invalid_grant"));

            arrived.lock().unwrap().clear();
            assert_eq!(desk.runtime.block_on(desk.app.send_log_outs()).unwrap(), 1);
            let told = arrived.lock().unwrap().clone();
            let logout = claims(&site, &told[0], "logout+jwt");
            let id_token = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
            for name in ["iss", "aud", "sub", "sid"] {
                assert_eq!(logout[name], id_token[name], "{name}");
            }
            assert!(
                logout["events"]["http://schemas.openid.net/event/backchannel-logout"].is_object()
            );
            assert_eq!(logout["nonce"], Value::Null);
            assert_eq!(desk.runtime.block_on(desk.app.send_log_outs()).unwrap(), 0, "once");
        }
    }
}

#[test]
fn several_are_told_at_once_and_none_of_them_more_than_four_times() {
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let anna = desk.enrolled(1);
    let phone = Phone::of(&anna);
    // A relying party that answers nobody until it has four in hand, and then takes its time, in which a fifth
    // could come; and how many it had in hand at most.
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (held, seen) = (now, most.clone());
    let take = move || async move {
        seen.fetch_max(held.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        for _ in 0..200 {
            if seen.load(Ordering::SeqCst) >= 4 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        held.fetch_sub(1, Ordering::SeqCst);
    };
    let url = desk.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/logout", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    });
    let slow = site.party(|table| {
        table.insert("backchannel_logout_uri".to_owned(), url.into());
    });
    for _ in 0..6 {
        slow.logged_in(&phone, &[]);
    }
    assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
    assert_eq!(desk.runtime.block_on(desk.app.send_log_outs()).unwrap(), 6);
    assert_eq!(most.load(Ordering::SeqCst), 4);
}

#[test]
fn a_revoked_token_leaves_the_session_whose_end_is_told() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let (url, arrived) = listening(&desk);
        let netbank = site.party(|table| {
            table.insert("backchannel_logout_uri".to_owned(), url.into());
        });
        let [kept, left] = [(); 2].map(|()| netbank.logged_in(&phone, &[]));
        for tokens in [&kept, &left] {
            assert_eq!(netbank.form("/oidc/revoke", &[("token", token(tokens))]).status, 200);
            assert_eq!(netbank.userinfo(token(tokens)).error(), refused(401, "invalid_token"));
        }
        // The person logs out of one of them.
        let hint = encoded(&[("id_token_hint", left["id_token"].as_str().unwrap())]);
        assert_eq!(site.send("GET", &format!("/oidc/logout?{hint}"), &[], "").status, 200);
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        assert_eq!(desk.runtime.block_on(desk.app.send_log_outs()).unwrap(), 1);
        let told = arrived.lock().unwrap().clone();
        let id_token = claims(&site, kept["id_token"].as_str().unwrap(), "JWT");
        assert_eq!(claims(&site, &told[0], "logout+jwt")["sid"], id_token["sid"]);
    }
}

#[test]
fn a_relying_party_that_does_not_answer_is_told_again() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|table| {
            let nowhere = "http://127.0.0.1:9/logout";
            table.insert("backchannel_logout_uri".to_owned(), nowhere.into());
        });
        netbank.logged_in(&phone, &[]);
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        let dead = || {
            desk.runtime.block_on(async {
                desk.store.read().await.unwrap().dead_letters().await.unwrap().len()
            })
        };
        for _ in 0..13 {
            assert_eq!(desk.runtime.block_on(desk.app.send_log_outs()).unwrap(), 0);
            assert_eq!(dead(), 0);
            desk.wait(Duration::hours(12));
        }
        desk.runtime.block_on(desk.app.send_log_outs()).unwrap();
        assert_eq!(dead(), 1, "a dead letter in the end");
    }
}

#[test]
fn an_identity_blocked_before_the_approval_logs_in_nowhere() {
    // proves F1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let browser = Browser::at(&netbank, &netbank.begin(&[]));
        let claimed = phone.claimed(&browser);
        assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
        assert_eq!(browser.state(), "over");
        assert_eq!(refusal(phone.approve(&claimed, PIN)), reason(409, "identity.blocked"));
        let fresh = Browser::at(&netbank, &netbank.begin(&[]));
        assert_eq!(refusal(phone.scan(&fresh.halves())), reason(409, "identity.blocked"));
    }
}

#[test]
fn a_personal_number_is_kept_as_long_as_the_identity_may_be_used() {
    for desk in Desk::all() {
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let number = PersonalNumber { cpr: Some("1208740002".to_owned()), protected: false };
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            tx.put_number(anna.identity, &number).await.unwrap();
            tx.put_number(bert.identity, &number).await.unwrap();
            tx.commit().await.unwrap();
        });
        let swept = || {
            desk.runtime.block_on(async {
                desk.app.expire_overdue().await.unwrap();
                let mut tx = desk.store.read().await.unwrap();
                let annas = tx.number(anna.identity).await.unwrap().is_some();
                (annas, tx.number(bert.identity).await.unwrap().is_some())
            })
        };
        for citizen in [&anna, &bert] {
            assert_eq!(citizen.own("POST", "/block", &Value::Null).0, 200);
        }
        desk.wait(Duration::days(89));
        assert_eq!(swept(), (true, true), "an officer may open them again");
        let officer = Actor::Officer { officer: "bc-17".to_owned() };
        desk.runtime.block_on(desk.app.reopen(bert.identity, officer)).unwrap();
        desk.wait(Duration::days(1));
        assert_eq!(swept(), (false, true));
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        let erased: Vec<_> = trail.iter().filter(|entry| entry.kind == "number.erased").collect();
        assert_eq!(erased.len(), 1);
        assert_eq!(erased[0].data["identity"], json!(anna.identity));
        desk.wait(Duration::days(365));
        assert_eq!(swept(), (false, true), "open again");
    }
}

#[test]
fn two_organisations_know_a_person_by_two_identifiers() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let (phone, berts) = (Phone::of(&anna), Phone::of(&bert));
        let bank = site.party(|_| {});
        let same = site.party(|table| table["client_id"] = "mobilbank".into());
        let other = site.party(|table| {
            table["client_id"] = "kommunen".into();
            table["organisation"] = "Kommunen".into();
        });
        let of = |party: &Party<'_>, phone: &Phone<'_>| {
            let tokens = party.logged_in(phone, &[]);
            let info = party.userinfo(token(&tokens)).json();
            [info["sub"].clone(), info["mitid.uuid"].clone()]
        };
        let known = of(&bank, &phone);
        assert_eq!(of(&bank, &phone), known, "the same each time");
        assert_eq!(of(&same, &phone), known, "of one organisation");
        let [sub, uuid] = of(&other, &phone);
        assert!(sub != known[0] && uuid != known[1]);
        assert_ne!(of(&bank, &berts), known);
        assert!(!known.contains(&json!(anna.identity)), "not our own identifier");
    }
}

#[test]
fn a_protected_name_goes_to_no_private_relying_party() {
    // proves C3
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        let put = |identity, cpr: Option<&str>, protected| {
            let number = PersonalNumber { cpr: cpr.map(str::to_owned), protected };
            desk.runtime.block_on(async {
                let mut tx = desk.store.begin().await.unwrap();
                tx.put_number(identity, &number).await.unwrap();
                tx.commit().await.unwrap();
            });
        };
        let scopes = ["openid", "mitid", "ssn", "ssn.details_name"];
        let list = |names: &[&str]| {
            toml::Value::from(names.iter().map(|n| toml::Value::from(*n)).collect::<Vec<_>>())
        };
        let private = site.party(|table| table["scopes"] = list(&scopes));
        let public = site.party(|table| {
            table["client_id"] = "borger".into();
            table["sector"] = "public".into();
            table["scopes"] = list(&scopes);
        });
        let all = ("scope", "openid mitid ssn ssn.details_name");
        let info = |party: &Party<'_>, phone: &Phone<'_>| {
            let tokens = party.logged_in(phone, &[all]);
            party.userinfo(token(&tokens)).json()
        };
        let name = "Anna Maria Eriksson";
        let (phone, other) = (Phone::of(&anna), Phone::of(&bert));
        // Nothing is known of protection: protected.
        assert_eq!(info(&private, &phone)["mitid.identity_name"], PROTECTED);
        assert_eq!(info(&public, &phone)["mitid.identity_name"], name);
        // Known, by a P-code: as it was found.
        put(anna.identity, None, false);
        let told = info(&private, &phone);
        assert_eq!(
            (&told["mitid.identity_name"], &told["mitid.has_cpr"]),
            (&json!(name), &json!(false))
        );
        assert_eq!(told["dk.cpr"], Value::Null);
        put(anna.identity, None, true);
        let told = info(&private, &phone);
        assert_eq!(told["mitid.identity_name"], PROTECTED);
        assert_eq!(told["dk.cpr.details_name"], PROTECTED);
        // With a number the register is asked, and is not there: protected.
        put(bert.identity, Some("1208740002"), false);
        let told = info(&private, &other);
        assert_eq!(
            (&told["mitid.identity_name"], &told["dk.cpr"]),
            (&json!(PROTECTED), &json!("1208740002"))
        );
        assert_eq!(info(&public, &other)["mitid.identity_name"], name);
        let trail = desk.runtime.block_on(async {
            desk.store.read().await.unwrap().audit_after(0, 1000).await.unwrap()
        });
        enroll_core::audit::verify(&trail, None).unwrap();
        let asked = trail.iter().find(|entry| entry.kind == "register.asked").unwrap();
        assert_eq!(asked.data["purpose"], "log-in", "proves C4");
        assert!(!serde_json::to_string(&trail).unwrap().contains("1208740002"));
    }
}

/// Registers that know two persons, the second of them protected.
fn two_persons() -> (tokio::runtime::Runtime, StandIn, Arc<dyn Registers>) {
    let mut script = Scripted::default();
    for (cpr, protected) in [("120874-0002", false), ("130874-0001", true)] {
        let holder = json!({
            "cpr": cpr, "given_names": "Anna Maria", "surname": "Eriksson", "birth_date": "1974-08-12",
            "protected": protected, "issuer": "UTO", "document_number": "L898902C3",
        });
        script.add_holder(&serde_json::from_value::<Holder>(holder).unwrap());
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let standin = runtime.block_on(StandIn::start(script)).unwrap();
    let mut rules =
        config::Registers { persons_url: Some(standin.url()), ..config::Registers::default() };
    let registers = Arc::new(HttpRegisters::of(&mut rules).unwrap());
    (runtime, standin, registers)
}

#[test]
fn what_the_register_says_of_protection_now_counts() {
    // proves C3
    let (_runtime, _standin, registers) = two_persons();
    for desk in Desk::all_asking(&registers) {
        let site = Site::open(&desk);
        let (anna, bert) = (desk.enrolled(1), desk.enrolled(2));
        // Each was the other way round when the identity was issued.
        for (identity, cpr, protected) in
            [(anna.identity, "1208740002", true), (bert.identity, "1308740001", false)]
        {
            let number = PersonalNumber { cpr: Some(cpr.to_owned()), protected };
            desk.runtime.block_on(async {
                let mut tx = desk.store.begin().await.unwrap();
                tx.put_number(identity, &number).await.unwrap();
                tx.commit().await.unwrap();
            });
        }
        let scopes = ["openid", "mitid", "ssn.details_name"].map(toml::Value::from).to_vec();
        let private = site.party(|table| table["scopes"] = scopes.clone().into());
        let public = site.party(|table| {
            table["client_id"] = "borger".into();
            table["sector"] = "public".into();
            table["scopes"] = scopes.clone().into();
        });
        let names = |party: &Party<'_>, phone: &Phone<'_>| {
            let tokens = party.logged_in(phone, &[("scope", "openid mitid ssn.details_name")]);
            let info = party.userinfo(token(&tokens)).json();
            [info["mitid.identity_name"].clone(), info["dk.cpr.details_name"].clone()]
        };
        let (annas, berts) = (Phone::of(&anna), Phone::of(&bert));
        let name = json!("Anna Maria Eriksson");
        assert_eq!(names(&private, &annas), [name.clone(), name.clone()]);
        assert_eq!(names(&private, &berts), [json!(PROTECTED), json!(PROTECTED)]);
        assert_eq!(names(&public, &berts), [name.clone(), name]);
    }
}

/// A register that answers once the test lets it.
struct Slow {
    asked: Barrier,
    answers: Barrier,
}

impl Registers for Slow {
    fn person(&self, _: &str) -> PersonAnswer {
        self.asked.wait();
        self.answers.wait();
        PersonAnswer::NotFound
    }

    fn document(&self, _: &str, _: &str) -> DocumentStatus {
        DocumentStatus::Unavailable
    }
}

#[test]
fn userinfo_tells_nothing_of_what_was_blocked_while_the_register_was_asked() {
    // proves F1
    let slow = Arc::new(Slow { asked: Barrier::new(2), answers: Barrier::new(2) });
    for desk in Desk::all_asking(&(slow.clone() as Arc<dyn Registers>)) {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let number = PersonalNumber { cpr: Some("1208740002".to_owned()), protected: false };
        desk.runtime.block_on(async {
            let mut tx = desk.store.begin().await.unwrap();
            tx.put_number(anna.identity, &number).await.unwrap();
            tx.commit().await.unwrap();
        });
        let tokens = netbank.logged_in(&phone, &[]);
        let told = std::thread::scope(|scope| {
            let told = scope.spawn(|| netbank.userinfo(token(&tokens)));
            slow.asked.wait();
            assert_eq!(anna.own("POST", "/block", &Value::Null).0, 200);
            slow.answers.wait();
            told.join().unwrap()
        });
        assert_eq!(told.error(), refused(401, "invalid_token"));
    }
}

#[test]
fn a_personal_number_is_compared_three_times_in_a_quarter_of_an_hour() {
    // proves G7
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let tokens = netbank.logged_in(&phone, &[]);
        let compare = |tokens: &Value, cpr: &str| {
            let bearer = format!("Bearer {}", token(tokens));
            let kind = ("content-type", "application/x-www-form-urlencoded");
            let headers = [kind, ("authorization", bearer.as_str())];
            site.send("POST", "/oidc/cpr-match", &headers, &encoded(&[("cpr", cpr)]))
        };
        assert_eq!(compare(&tokens, "no number").error(), refused(400, "invalid_request"));
        for left in [2, 1, 0] {
            let found = compare(&tokens, "120874-0002").json();
            assert_eq!(found, json!({ "matches": false, "tries_left": left }));
        }
        assert_eq!(compare(&tokens, "120874-0002").error(), refused(400, "access_denied"));
        let again = netbank.logged_in(&phone, &[]);
        assert_eq!(compare(&again, "1208740002").status, 200, "another session");
        desk.wait(Duration::seconds(601));
        assert_eq!(netbank.userinfo(token(&again)).error(), refused(401, "invalid_token"));
        desk.wait(Duration::seconds(299));
        assert_eq!(compare(&again, "1208740002").status, 200, "at 900 seconds");
        desk.wait(Duration::seconds(1));
        assert_eq!(compare(&again, "1208740002").error(), refused(400, "access_denied"));
        assert_eq!(netbank.form("/oidc/revoke", &[("token", token(&again))]).status, 200);
        assert_eq!(compare(&again, "1208740002").error(), refused(401, "invalid_token"));
        let bare = netbank.logged_in(&phone, &[("scope", "openid")]);
        assert_eq!(compare(&bare, "1208740002").error(), refused(403, "insufficient_scope"));
        assert_eq!(
            compare(&json!({"access_token": "x"}), "1208740002").error(),
            refused(401, "invalid_token")
        );
    }
}

#[test]
fn the_number_of_the_person_matches() {
    // proves G7
    for desk in Desk::all() {
        let site = Site::open(&desk);
        // The person's hash is the one that an enrolment with this number makes.
        let hash = desk.runtime.block_on(async {
            let tx = desk.store.read().await.unwrap();
            tx.keyed_hash("person", b"1208740002").unwrap()
        });
        let anna = desk.enrolled_with(hash);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let tokens = netbank.logged_in(&phone, &[]);
        let bearer = format!("Bearer {}", token(&tokens));
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let headers = [kind, ("authorization", bearer.as_str())];
        let found =
            site.send("POST", "/oidc/cpr-match", &headers, &encoded(&[("cpr", "120874-0002")]));
        assert_eq!(found.json(), json!({ "matches": true, "tries_left": 2 }));
    }
}

#[test]
fn introspection_and_revocation_are_for_the_client_that_has_the_token() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let other = site.party(|table| table["client_id"] = "other".into());
        let tokens = netbank.logged_in(&phone, &[("scope", "openid transaction_token")]);
        let told = claims(&site, tokens["transaction_token"].as_str().unwrap(), "transaction+jwt");
        assert_eq!((&told["aud"], &told["action_text"]), (&json!("netbank"), &json!("LOG_ON")));
        let given = [("token", token(&tokens))];
        let found = netbank.form("/oidc/introspect", &given).json();
        assert_eq!(
            (&found["active"], &found["scope"]),
            (&json!(true), &json!("openid transaction_token"))
        );
        assert_eq!(found["exp"], json!(desk.now().unix_timestamp() + 600));
        assert_eq!(other.form("/oidc/introspect", &given).json(), json!({ "active": false }));
        assert_eq!(
            netbank.form("/oidc/introspect", &[("token", "x")]).json(),
            json!({ "active": false })
        );
        assert_eq!(netbank.form("/oidc/introspect", &[]).error(), refused(400, "invalid_request"));
        assert_eq!(
            site.send("POST", "/oidc/introspect", &[], "").error(),
            refused(401, "invalid_client")
        );
        assert_eq!(other.form("/oidc/revoke", &given).status, 200);
        assert_eq!(netbank.userinfo(token(&tokens)).status, 200, "another client revokes nothing");
        assert_eq!(netbank.form("/oidc/revoke", &given).status, 200);
        assert_eq!(netbank.userinfo(token(&tokens)).error(), refused(401, "invalid_token"));
        assert_eq!(netbank.form("/oidc/revoke", &given).status, 200, "repeated");
        assert_eq!(
            site.send("GET", "/oidc/userinfo", &[], "").error(),
            refused(401, "invalid_token")
        );
    }
}

#[test]
fn a_person_is_logged_out_by_the_id_token_of_the_session() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let log_out = |pairs: &[(&str, &str)]| {
            site.send("GET", &format!("/oidc/logout?{}", encoded(pairs)), &[], "")
        };
        let tokens = netbank.logged_in(&phone, &[]);
        let hint = ("id_token_hint", tokens["id_token"].as_str().unwrap());
        let bye = ("post_logout_redirect_uri", "https://netbank.invalid/bye");
        let unsaid = log_out(&[bye]);
        assert_eq!(unsaid.location, "", "without a hint nobody is sent anywhere");
        assert!(unsaid.text.contains("Vi har ikke logget dig af"), "{}", unsaid.text);
        assert!(!unsaid.text.contains("Du er logget af"), "{}", unsaid.text);
        assert_eq!(log_out(&[("id_token_hint", "a.b.c"), bye]).status, 410);
        assert_eq!(log_out(&[hint, ("client_id", "other"), bye]).status, 410);
        assert_eq!(netbank.userinfo(token(&tokens)).status, 200);
        let elsewhere = log_out(&[hint, ("post_logout_redirect_uri", "https://evil.invalid/")]);
        assert_eq!((elsewhere.status, elsewhere.location.as_str()), (200, ""));
        assert!(elsewhere.text.contains("Du er logget af"));
        assert_eq!(netbank.userinfo(token(&tokens)).error(), refused(401, "invalid_token"));
        let sent = log_out(&[hint, bye, ("state", "s 1")]);
        assert_eq!(
            (sent.status, sent.location.as_str()),
            (303, "https://netbank.invalid/bye?state=s+1")
        );
    }
}
