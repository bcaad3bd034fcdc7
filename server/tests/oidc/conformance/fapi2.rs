//! The plan `fapi2-security-profile-final-test-plan`, with `private_key_jwt` and DPoP, but for what is about
//! proofs of a key (`dpop.rs`).

use super::super::desk::Desk;
use super::super::parties::{Browser, Party, Phone, Site, claims, encoded, fresh, refused};
use super::{Key, Rsa, answered, asserted, back, code, wrong_proofs};
use serde_json::{Value, json};
use time::Duration;

/// Registered as FAPI 2.0 wants it: by key, and its tokens bound to one.
fn bank<'a>(site: &'a Site<'a>) -> Party<'a> {
    site.party(|table| {
        table.insert("dpop_bound_access_tokens".to_owned(), true.into());
    })
}

#[test]
fn a_log_in_as_fapi_wants_it() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank, key) = (Phone::of(&anna), bank(&site), Key::new(&site));
        // What may be left out of a request, and how long what is in it may be.
        let nonce = "n".repeat(64);
        for changes in [
            &[][..],
            &[("state", "")],
            &[("nonce", "")],
            &[("nonce", nonce.as_str())],
            &[("scope", "mitid openid")],
        ] {
            let begun = bank.begin(changes);
            let back = back(&bank, &phone, &begun);
            assert_eq!(back.param("iss").as_deref(), Some(site.url.as_str()), "RFC 9207");
            let tokens = key.tokens(&bank, &back.param("code").unwrap(), &begun.verifier).json();
            assert_eq!(
                (&tokens["token_type"], &tokens["refresh_token"]),
                (&json!("DPoP"), &Value::Null)
            );
            let told = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
            assert_eq!(told["aud"], json!(bank.id), "one audience");
            let token = tokens["access_token"].as_str().unwrap();
            assert_eq!(key.userinfo(token).json()["sub"], told["sub"], "{changes:?}");
        }
    }
}

#[test]
fn a_nonce_of_384_and_a_state_of_1000_signs_come_back_and_what_is_too_long_is_refused() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank, key) = (Phone::of(&anna), bank(&site), Key::new(&site));
        let (nonce, state) = ("n".repeat(384), "s".repeat(1000));
        let begun = bank.begin(&[("nonce", &nonce), ("state", &state)]);
        let back = back(&bank, &phone, &begun);
        assert_eq!(back.param("state"), Some(state));
        let tokens = key.tokens(&bank, &back.param("code").unwrap(), &begun.verifier).json();
        let told = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
        assert_eq!(told["nonce"], json!(nonce));
        let long = "x".repeat(1025);
        for name in ["nonce", "state"] {
            let found = bank.push(&[(name, &long)]).0.error();
            assert_eq!(found, refused(400, "invalid_request"), "{name}");
        }
    }
}

#[test]
fn a_request_that_was_not_pushed_is_not_looked_at() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let bank = bank(&site);
        let browser = Browser::empty(&site);
        let query = encoded(&[
            ("client_id", &bank.id),
            ("response_type", "code"),
            ("redirect_uri", &bank.redirect),
            ("scope", "openid"),
            ("state", "s"),
            ("code_challenge", &fresh()),
            ("code_challenge_method", "S256"),
        ]);
        let reply = browser.get(&format!("/oidc/authorize?{query}"));
        assert_eq!((reply.status, reply.location.as_str()), (400, ""), "nobody is sent anywhere");
        let without = [("redirect_uri", "")];
        assert_eq!(bank.push(&without).0.error(), refused(400, "invalid_request"));
    }
}

#[test]
fn a_client_that_does_not_say_who_it_is_gets_no_tokens() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank, key) = (Phone::of(&anna), bank(&site), Key::new(&site));
        let other = site.party(|table| table["client_id"] = "other".into());
        let (code, verifier) = code(&bank, &phone, &[]);
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &bank.redirect),
            ("code_verifier", &verifier),
        ];
        let bad = refused(401, "invalid_client");
        let found = bank.form_with("/oidc/token", &pairs, &[("client_id", &bank.id)]).error();
        assert_eq!(found, bad, "no assertion");
        let as_other = |change: &dyn Fn(&mut Value)| {
            let proof = asserted(&bank, change);
            let named = [&proof[..], &[("client_id", other.id.clone())]].concat();
            answered(&bank, "/oidc/token", &pairs, &named).error()
        };
        assert_eq!(as_other(&|_| {}), bad, "another client_id than the assertion's");
        let signed_for_it = |claims: &mut Value| {
            (claims["iss"], claims["sub"]) = (json!(other.id), json!(other.id));
        };
        assert_eq!(as_other(&signed_for_it), bad, "an assertion of the other by the bank's key");
        // The other client, with the code and its verifier, has a key of its own.
        let stolen = key.tokens(&other, &code, &verifier).error();
        assert_eq!(stolen, refused(400, "invalid_grant"), "the code is bound to its client");
        assert_eq!(key.tokens(&bank, &code, &verifier).status, 200, "its own still");
    }
}

#[test]
fn a_wrong_assertion_is_refused_at_the_token_endpoint_and_where_requests_are_pushed() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let rsa = Rsa::new();
        let bank = site.party_with(|_| {}, Some(rsa.jwk()));
        let now = desk.now().unix_timestamp();
        let bad = refused(401, "invalid_client");
        let endpoint = |path: &str| json!(format!("{}{path}", site.url));
        for path in ["/oidc/par", "/oidc/token"] {
            let answer = |proof: &[(&str, String)]| {
                answered(&bank, path, &[("grant_type", "authorization_code")], proof).error()
            };
            for (what, proof) in wrong_proofs(&bank, &rsa) {
                assert_eq!(answer(&proof), bad, "{path}: {what}");
            }
            // FAPI 2.0 §5.3.2.1: the issuer, and no endpoint.
            for aud in ["/oidc/par", "/oidc/token", "/oidc/ciba"].map(endpoint) {
                let proof = asserted(&bank, |claims| claims["aud"] = aud.clone());
                assert_eq!(answer(&proof), bad, "{path}: for {aud}");
            }
            // 8 seconds ahead is what clocks differ by: it reaches what is behind.
            let ahead = asserted(&bank, |claims| {
                (claims["iat"], claims["nbf"]) = (json!(now + 8), json!(now + 8));
            });
            assert_eq!(answer(&ahead), refused(400, "invalid_request"), "{path}: 8 s ahead");
            let good = answer(&asserted(&bank, |_| {}));
            assert_eq!(good, refused(400, "invalid_request"), "{path}: none of them is why");
        }
    }
}

#[test]
fn requests_are_pushed_by_post_with_each_parameter_once() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let bank = bank(&site);
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            assert_eq!(site.send(method, "/oidc/par", &[], "").status, 405, "{method}");
        }
        let begun = bank.begin(&[]);
        let found = bank.push(&[("request_uri", &begun.request_uri)]).0.error();
        assert_eq!(found, refused(400, "invalid_request"), "one that was pushed");
        let twice = [("response_type", "code"), ("response_type", "code")];
        assert_eq!(bank.form("/oidc/par", &twice).error(), refused(400, "invalid_request"));
        // Beside what was pushed the browser may bring it again: what was pushed counts.
        let browser = Browser::empty(&site);
        let query = encoded(&[
            ("client_id", &bank.id),
            ("request_uri", &begun.request_uri),
            ("redirect_uri", "https://evil.invalid/cb"),
            ("state", "another"),
        ]);
        let reply = browser.get(&format!("/oidc/authorize?{query}"));
        assert_eq!(reply.status, 303, "{reply:?}");
        assert!(reply.location.starts_with("/log-in"), "{}", reply.location);
    }
}

#[test]
fn a_request_that_a_browser_has_opened_is_opened_by_no_other() {
    // proves G2, G8: one browser, one log-in; docs/conformance-openid.md says why
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let bank = bank(&site);
        let begun = bank.begin(&[]);
        let (first, second) = (Browser::empty(&site), Browser::empty(&site));
        assert_eq!(first.arrive(&bank, &begun).status, 303);
        let again = second.arrive(&bank, &begun);
        assert_eq!((again.status, again.location.as_str()), (410, ""));
        assert_eq!(first.state(), "showing", "and the first goes on, with its page loaded again");
        assert_eq!(first.get("/log-in").status, 200);
    }
}

#[test]
fn an_authorization_code_is_late_after_a_minute() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank, key) = (Phone::of(&anna), bank(&site), Key::new(&site));
        let (late, verifier) = code(&bank, &phone, &[]);
        desk.wait(Duration::seconds(61));
        let found = key.tokens(&bank, &late, &verifier).error();
        assert_eq!(found, refused(400, "invalid_grant"));
    }
}

#[test]
fn a_person_who_refuses_sends_the_browser_back_with_that() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site));
        let browser = Browser::at(&bank, &bank.begin(&[]));
        let claimed = phone.claimed(&browser);
        assert_eq!(phone.refuse(&claimed).0, 200);
        let ended = browser.get("/log-in/ended").text;
        for part in ["error=access_denied", "state=state+of+the+test", "iss="] {
            assert!(ended.contains(part), "{part}: {ended}");
        }
    }
}
