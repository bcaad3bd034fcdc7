//! Authorization codes in the wrong hands, twice, and too late.

use super::desk::{Desk, PIN};
use super::parties::{Begun, Browser, Party, Phone, Site, fresh, refused};
use serde_json::{Value, json};
use server::storage::PersonalNumber;
use time::Duration;

/// A code that a browser has brought back, and what it needs.
fn code(party: &Party<'_>, phone: &Phone<'_>) -> (String, Begun) {
    let begun = party.begin(&[]);
    let browser = Browser::at(party, &begun);
    let claimed = phone.claimed(&browser);
    assert_eq!(phone.approve(&claimed, PIN).0, 200);
    (browser.get("/log-in/continue").param("code").unwrap(), begun)
}

#[test]
fn a_guessed_code_is_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        for guess in [fresh(), "a".to_owned()] {
            let refusal = netbank.tokens(&guess, &fresh()).error();
            assert_eq!(refusal, refused(400, "invalid_grant"));
        }
        assert_eq!(netbank.tokens("", "").error(), refused(400, "invalid_request"));
        let password = netbank.form("/oidc/token", &[("grant_type", "password")]);
        assert_eq!(password.error(), refused(400, "unsupported_grant_type"));
    }
}

#[test]
fn a_stolen_code_is_of_no_use_to_another_client_or_without_the_verifier() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let netbank = site.party(|_| {});
        let thief = site.party(|table| {
            table["client_id"] = "thief".into();
        });
        let grant = refused(400, "invalid_grant");
        let (stolen, begun) = code(&netbank, &phone);
        assert_eq!(thief.tokens(&stolen, &begun.verifier).error(), grant, "another client");
        assert_eq!(netbank.tokens(&stolen, &begun.verifier).status, 200, "its own still");

        let (stolen, begun) = code(&netbank, &phone);
        assert_eq!(netbank.tokens(&stolen, &fresh()).error(), grant, "another verifier");
        assert_eq!(netbank.tokens(&stolen, &begun.verifier).error(), grant, "and it is dead then");
        let (stolen, _) = code(&netbank, &phone);
        assert_eq!(netbank.tokens(&stolen, "").error(), grant, "no verifier");

        let (stolen, begun) = code(&netbank, &phone);
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", stolen.as_str()),
            ("redirect_uri", "https://netbank.invalid/elsewhere"),
            ("code_verifier", &begun.verifier),
        ];
        assert_eq!(netbank.form("/oidc/token", &pairs).error(), grant, "another redirect");
    }
}

#[test]
fn a_code_used_twice_ends_what_came_of_it() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let (once, begun) = code(&netbank, &phone);
        let tokens = netbank.tokens(&once, &begun.verifier).json();
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(netbank.userinfo(token).status, 200);
        assert_eq!(netbank.tokens(&once, &begun.verifier).error(), refused(400, "invalid_grant"));
        assert_eq!(netbank.userinfo(token).error(), refused(401, "invalid_token"));
    }
}

#[test]
fn a_code_sent_twice_at_once_gives_tokens_once() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let (once, begun) = code(&netbank, &phone);
        let found: Vec<u16> = std::thread::scope(|scope| {
            let send = || netbank.tokens(&once, &begun.verifier).status;
            let sent: Vec<_> = (0..4).map(|_| scope.spawn(send)).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        });
        assert_eq!(found.iter().filter(|status| **status == 200).count(), 1, "{found:?}");
    }
}

#[test]
fn a_code_and_a_token_have_short_lives() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let (late, begun) = code(&netbank, &phone);
        desk.wait(Duration::seconds(61));
        assert_eq!(netbank.tokens(&late, &begun.verifier).error(), refused(400, "invalid_grant"));
        let tokens = netbank.logged_in(&phone, &[]);
        let token = tokens["access_token"].as_str().unwrap();
        desk.wait(Duration::seconds(600));
        assert_eq!(netbank.userinfo(token).status, 200);
        desk.wait(Duration::seconds(1));
        assert_eq!(netbank.userinfo(token).error(), refused(401, "invalid_token"));
    }
}

#[test]
fn nonce_and_state_come_back_as_they_were_and_not_at_all_where_there_were_none() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        for (nonce, state) in [("n æ&=", "s ø?#"), ("", "")] {
            let begun = netbank.begin(&[("nonce", nonce), ("state", state)]);
            let browser = Browser::at(&netbank, &begun);
            let claimed = phone.claimed(&browser);
            assert_eq!(phone.approve(&claimed, PIN).0, 200);
            let back = browser.get("/log-in/continue");
            assert_eq!(back.param("state").unwrap_or_default(), state);
            assert_eq!(back.location.contains("state="), !state.is_empty());
            let tokens = netbank.tokens(&back.param("code").unwrap(), &begun.verifier).json();
            let token = tokens["id_token"].as_str().unwrap();
            let told = super::parties::claims(&site, token, "JWT");
            let expected = if nonce.is_empty() { Value::Null } else { Value::from(nonce) };
            assert_eq!(told["nonce"], expected);
        }
    }
}

#[test]
fn no_secret_of_a_log_in_and_nothing_that_names_a_person_is_in_a_row_in_clear() {
    // proves H4 (secrets of log-ins are kept as hashes)
    let desk = &Desk::all()[0];
    let site = Site::open(desk);
    let anna = desk.enrolled(1);
    let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
    let number = PersonalNumber { cpr: Some("1208740002".to_owned()), protected: false };
    desk.runtime.block_on(async {
        let mut tx = desk.store.begin().await.unwrap();
        tx.put_number(anna.identity, &number).await.unwrap();
        tx.commit().await.unwrap();
    });
    // By a switch, which has two secrets more.
    let begun = netbank.begin(&[]);
    let browser = Browser::at(&netbank, &begun);
    browser.post("/log-in", &[("user_id", &phone.user_id())]);
    let url = browser.post("/log-in/switch", &[]).json()["url"].as_str().unwrap().to_owned();
    let switch = url.split_once("#log-in=").unwrap().1;
    let (_, claimed) = phone.claim(&json!({ "switch": switch }));
    let (_, answer) = phone.approve(&claimed, PIN);
    let to = answer["return_to"].as_str().unwrap();
    let back = to.rsplit_once("back=").unwrap().1;
    let code = browser.get(to.strip_prefix(&site.url).unwrap()).param("code").unwrap();
    let cookie = browser.secret();
    let tokens = netbank.tokens(&code, &begun.verifier).json();
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(desk.folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    let rows = String::from_utf8_lossy(&bytes);
    assert!(rows.contains("log_in.granted"), "nothing was read");
    let secrets = [
        code.as_str(),
        cookie.as_str(),
        switch,
        back,
        &phone.user_id(),
        "1208740002",
        begun.request_uri.rsplit(':').next().unwrap(),
        tokens["access_token"].as_str().unwrap(),
        tokens["id_token"].as_str().unwrap(),
        "state of the test",
        "nonce of the test",
    ];
    for secret in secrets {
        assert!(secret.len() >= 10 && !rows.contains(secret), "{} are in clear", secret.len());
    }
}
