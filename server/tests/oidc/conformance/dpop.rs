//! Tokens that are bound to a key (RFC 9449): the modules of FAPI 2.0 that are about them.

use super::super::desk::{Desk, PIN};
use super::super::parties::{Phone, Site, claims, encoded, fresh, private_jwk, refused};
use super::{Key, code, is_known, part, signed};
use serde_json::{Value, json};
use time::Duration;

const USERINFO: (&str, &str) = ("GET", "/oidc/userinfo");
const TOKEN: (&str, &str) = ("POST", "/oidc/token");

#[test]
fn a_token_is_good_with_the_key_that_it_was_given_to_and_never_without() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let (key, other) = (Key::new(&site), Key::new(&site));
        let token = key.token(&netbank, &phone);
        assert_eq!(key.userinfo(&token).status, 200);
        let told = netbank.form("/oidc/introspect", &[("token", &token)]).json();
        let expected = (json!("DPoP"), json!({ "jkt": key.thumbprint() }));
        assert_eq!((told["token_type"].clone(), told["cnf"].clone()), expected);

        let bearer = netbank.userinfo(&token);
        assert_eq!(bearer.error(), refused(401, "invalid_token"), "as a bearer's");
        assert!(bearer.challenges.iter().any(|c| c.starts_with("DPoP") && c.contains("ES256")));
        let body = encoded(&[("access_token", &token)]);
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let in_body = site.send("POST", "/oidc/userinfo", &kind, &body);
        assert_eq!(in_body.error(), refused(401, "invalid_token"), "in the body");
        let unproven = refused(401, "invalid_dpop_proof");
        assert_eq!(key.userinfo_with(&token, &[]).error(), unproven, "without a proof");
        let stolen = other.userinfo(&token);
        assert_eq!(stolen.error(), unproven, "with another key");
        assert!(stolen.challenges.iter().all(|c| c.starts_with("DPoP ")), "{stolen:?}");

        // A token of nobody's key is no better for a proof.
        let plain = netbank.logged_in(&phone, &[]);
        assert_eq!(plain["token_type"], "Bearer");
        let plain = plain["access_token"].as_str().unwrap();
        assert_eq!(key.userinfo(plain).error(), refused(401, "invalid_token"));
        let told = netbank.form("/oidc/introspect", &[("token", plain)]).json();
        assert_eq!((&told["token_type"], &told["cnf"]), (&json!("Bearer"), &Value::Null));
        assert_eq!(key.userinfo(&token).status, 200, "still");
    }
}

#[test]
fn a_stolen_token_spends_nothing_of_its_relying_party() {
    // proves G8
    let desk = Desk::changed(|config| {
        (config.limits.client_burst, config.limits.client_per_minute) = (20, 1);
    });
    let site = Site::open(&desk);
    let anna = desk.enrolled(1);
    let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
    let key = Key::new(&site);
    let token = key.token(&netbank, &phone);
    for number in 0..30 {
        let stolen = key.userinfo_with(&token, &[]);
        assert_eq!(stolen.error(), refused(401, "invalid_dpop_proof"), "{number}");
        assert_eq!(netbank.userinfo(&token).error(), refused(401, "invalid_token"), "{number}");
    }
    assert_eq!(key.userinfo(&token).status, 200, "who has the key has the whole share");
}

#[test]
fn the_number_is_compared_for_who_has_the_key() {
    // proves G7, G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let key = Key::new(&site);
        let token = key.token(&netbank, &phone);
        let compare = |scheme: &str, proof: &str| {
            let by = format!("{scheme} {token}");
            let kind = ("content-type", "application/x-www-form-urlencoded");
            let headers = [kind, ("authorization", by.as_str()), ("dpop", proof)];
            site.send("POST", "/oidc/cpr-match", &headers, &encoded(&[("cpr", "1208740002")]))
        };
        let at = ("POST", "/oidc/cpr-match");
        let proof = key.proof_with(at, Some(&token), |_, _| {});
        assert_eq!(compare("Bearer", &proof).error(), refused(401, "invalid_token"));
        let elsewhere = key.proof_with(USERINFO, Some(&token), |_, _| {});
        assert_eq!(compare("DPoP", &elsewhere).error(), refused(401, "invalid_dpop_proof"));
        let found = compare("DPoP", &proof);
        assert_eq!(found.json(), json!({ "matches": false, "tries_left": 2 }), "none was spent");
        assert_eq!(compare("DPoP", &proof).error(), refused(401, "invalid_dpop_proof"), "twice");
    }
}

#[test]
fn every_wrong_proof_at_userinfo_is_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let key = Key::new(&site);
        let token = key.token(&netbank, &phone);
        let unproven = refused(401, "invalid_dpop_proof");
        let now = desk.now().unix_timestamp();
        type Change<'a> = &'a dyn Fn(&mut Value, &mut Value);
        let private = private_jwk(&key.device);
        let wrong: [(&str, Change<'_>); 23] = [
            ("typ is missing", &|head, _| head["typ"] = Value::Null),
            ("typ of another token", &|head, _| head["typ"] = json!("JWT")),
            ("alg is missing", &|head, _| head["alg"] = Value::Null),
            ("alg is none", &|head, _| head["alg"] = json!("none")),
            ("alg is RS256", &|head, _| head["alg"] = json!("RS256")),
            ("alg is HS256", &|head, _| head["alg"] = json!("HS256")),
            ("jwk is missing", &|head, _| head["jwk"] = Value::Null),
            ("jwk is private", &|head, _| head["jwk"] = private.clone()),
            ("jwk is another key", &|head, _| head["jwk"] = Key::new(&site).jwk()),
            ("jwk is symmetric", &|head, _| head["jwk"] = json!({"kty": "oct", "k": "AAAA"})),
            ("jti is missing", &|_, claims| claims["jti"] = Value::Null),
            ("htm is missing", &|_, claims| claims["htm"] = Value::Null),
            ("htm is PUT", &|_, claims| claims["htm"] = json!("PUT")),
            ("htu is missing", &|_, claims| claims["htu"] = Value::Null),
            ("htu is elsewhere", &|_, claims| claims["htu"] = json!("https://evil.invalid/")),
            ("htu is another endpoint", &|_, claims| {
                claims["htu"] = json!(format!("{}/oidc/token", site.url));
            }),
            ("iat is missing", &|_, claims| claims["iat"] = Value::Null),
            ("iat an hour ahead", &|_, claims| claims["iat"] = json!(now + 3600)),
            ("iat an hour ago", &|_, claims| claims["iat"] = json!(now - 3600)),
            ("exp is over", &|_, claims| claims["exp"] = json!(now - 3600)),
            ("nbf is to come", &|_, claims| claims["nbf"] = json!(now + 3600)),
            ("ath is missing", &|_, claims| claims["ath"] = Value::Null),
            ("ath is another token's", &|_, claims| claims["ath"] = json!(fresh())),
        ];
        for (what, change) in wrong {
            let proof = key.proof_with(USERINFO, Some(&token), change);
            assert_eq!(key.userinfo_with(&token, &[&proof]).error(), unproven, "{what}");
        }
        let good = || key.proof_with(USERINFO, Some(&token), |_, _| {});
        let proof = good();
        assert_eq!(key.userinfo_with(&token, &[&proof, &good()]).error(), unproven, "two");
        for broken in [format!("{proof}x"), proof.replace('.', ""), String::new()] {
            assert_eq!(key.userinfo_with(&token, &[&broken]).error(), unproven, "{broken}");
        }
        let header = json!({ "typ": "dpop+jwt", "alg": "none", "jwk": key.jwk() });
        let (_, rest) = proof.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let unsigned = format!("{}.{claims}.", part(&header));
        assert_eq!(key.userinfo_with(&token, &[&unsigned]).error(), unproven, "unsigned");
        assert_eq!(key.userinfo_with(&token, &[&proof]).status, 200, "none of them spent it");
        assert_eq!(key.userinfo_with(&token, &[&proof]).error(), unproven, "used before");
    }
}

#[test]
fn what_a_proof_may_have_and_how_its_address_is_written_makes_no_difference() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let key = Key::new(&site);
        let token = key.token(&netbank, &phone);
        let now = desk.now().unix_timestamp();
        let url = format!("{}/oidc/userinfo", site.url);
        type Change<'a> = &'a dyn Fn(&mut Value, &mut Value);
        let changes: [(&str, Change<'_>); 6] = [
            ("10 s ago", &|_, claims| claims["iat"] = json!(now - 10)),
            ("10 s ahead", &|_, claims| claims["iat"] = json!(now + 10)),
            ("nbf and exp", &|_, claims| {
                (claims["nbf"], claims["exp"]) = (json!(now), json!(now + 300));
            }),
            ("query and fragment", &|_, claims| claims["htu"] = json!(format!("{url}?a=1#b"))),
            ("capitals", &|_, claims| claims["htu"] = json!(url.replace("http:", "HTTP:"))),
            ("unknown members", &|head, claims| {
                (head["x"], claims["x"]) = (json!(1), json!({ "y": 2 }));
            }),
        ];
        for (what, change) in changes {
            let proof = key.proof_with(USERINFO, Some(&token), change);
            assert_eq!(key.userinfo_with(&token, &[&proof]).status, 200, "{what}");
        }
        // The name of the scheme and of the header is written as one likes (RFC 9110 §5.1, §11.1).
        for scheme in ["DPoP", "dpop", "DPOP", "dPoP"] {
            let proof = key.proof_with(USERINFO, Some(&token), |_, _| {});
            let by = format!("{scheme} {token}");
            let headers = [("authorization", by.as_str()), ("DPOP", &proof)];
            assert_eq!(site.send("GET", "/oidc/userinfo", &headers, "").status, 200, "{scheme}");
        }
        let plain = netbank.logged_in(&phone, &[]);
        let plain = plain["access_token"].as_str().unwrap();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let by = format!("{scheme} {plain}");
            let headers = [("authorization", by.as_str())];
            assert_eq!(site.send("GET", "/oidc/userinfo", &headers, "").status, 200, "{scheme}");
        }
    }
}

#[test]
fn a_proof_at_the_token_endpoint_is_of_now_for_it_and_used_once() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let key = Key::new(&site);
        let (code, verifier) = code(&netbank, &phone, &[]);
        let now = desk.now().unix_timestamp();
        let wrong = [
            key.proof("POST", "/oidc/par"),
            key.proof("GET", "/oidc/token"),
            key.proof_with(TOKEN, None, |_, claims| claims["iat"] = json!(now - 61)),
            key.proof_with(TOKEN, None, |_, claims| claims["iat"] = json!(now + 61)),
            key.proof_with(TOKEN, None, |_, claims| claims["jti"] = json!("")),
            key.proof_with(TOKEN, None, |_, claims| claims["jti"] = json!("a\nb")),
            key.proof_with(TOKEN, None, |head, _| head["jwk"]["d"] = json!("AAAA")),
            signed(&key.device, &json!({ "typ": "dpop+jwt", "alg": "ES256" }), &json!({})),
        ];
        for proof in &wrong {
            let found = key.tokens_with(&netbank, (&code, &verifier), proof).error();
            assert_eq!(found, refused(400, "invalid_dpop_proof"));
        }
        let proof = key.proof("POST", "/oidc/token");
        let tokens = key.tokens_with(&netbank, (&code, &verifier), &proof);
        assert_eq!(tokens.status, 200, "a wrong proof costs no code: {tokens:?}");
        let (code, verifier) = super::code(&netbank, &phone, &[]);
        let again = key.tokens_with(&netbank, (&code, &verifier), &proof).error();
        assert_eq!(again, refused(400, "invalid_dpop_proof"), "used before");
        for early in [-10, 10] {
            let (code, verifier) = super::code(&netbank, &phone, &[]);
            let change = |_: &mut Value, claims: &mut Value| {
                claims["iat"] = json!(now + early);
                (claims["nbf"], claims["exp"]) = (json!(now), json!(now + 300));
            };
            let proof = key.proof_with(TOKEN, None, change);
            let found = key.tokens_with(&netbank, (&code, &verifier), &proof);
            assert_eq!(found.status, 200, "{early}: {found:?}");
        }
    }
}

#[test]
fn a_proof_is_known_as_long_as_it_could_be_sent_again_and_forgotten_then() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let key = Key::new(&site);
        let proof = key.proof_with(("POST", "/oidc/par"), None, |_, claims| {
            claims["jti"] = json!("one of the test");
        });
        let push = || netbank.push_beside(&[], &[("dpop", &proof)]).0;
        assert_eq!(push().status, 201);
        let row = format!("dpop\n{}\none of the test", key.thumbprint());
        // Its last second: by its time alone it would be good.
        desk.wait(Duration::seconds(60));
        assert!(is_known(&desk, &row));
        let again = push().json();
        let said = (&again["error"], &again["error_description"]);
        assert_eq!(said, (&json!("invalid_dpop_proof"), &json!("the proof was used before")));
        desk.wait(Duration::seconds(2));
        assert!(!is_known(&desk, &row), "nothing of it is kept");
        assert_ne!(push().json()["error_description"], again["error_description"], "too old");
    }
}

#[test]
fn what_nobody_has_proved_waits_for_no_writer() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let by_secret = site.party(|table| {
            table["client_id"] = "by-secret".into();
            table["token_endpoint_auth_method"] = "client_secret_post".into();
        });
        let key = Key::new(&site);
        let token = key.token(&netbank, &phone);
        let wrong = key.proof_with(USERINFO, Some("another"), |_, _| {});
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let number = encoded(&[("cpr", "1208740002")]);
        // The store's one writer, where it has one, is somebody else.
        let writer = desk.runtime.block_on(desk.store.begin()).unwrap();
        for token in ["x", &token] {
            let by = format!("DPoP {token}");
            let headers = [("authorization", by.as_str()), ("dpop", wrong.as_str()), kind];
            for (method, path) in [USERINFO, ("POST", "/oidc/cpr-match")] {
                let found = site.send(method, path, &headers, &number);
                assert_eq!(found.status, 401, "{path}: {found:?}");
            }
        }
        let guess = [("client_id", "by-secret"), ("client_secret", "guess")];
        let bad = refused(401, "invalid_client");
        assert_eq!(by_secret.form_with("/oidc/par", &[], &guess).error(), bad);
        let forged = super::asserted(&netbank, |claims| claims["aud"] = json!("elsewhere"));
        assert_eq!(super::answered(&netbank, "/oidc/par", &[], &forged).error(), bad);
        desk.runtime.block_on(async move { drop(writer) });
        assert_eq!(key.userinfo(&token).status, 200);
    }
}

#[test]
fn a_client_whose_tokens_are_bound_gets_none_without_a_proof() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        let bound = site.party(|table| {
            table.insert("dpop_bound_access_tokens".to_owned(), true.into());
        });
        let key = Key::new(&site);
        let (code, verifier) = code(&bound, &phone, &[]);
        let found = bound.tokens(&code, &verifier).error();
        assert_eq!(found, refused(400, "invalid_dpop_proof"));
        let tokens = key.tokens(&bound, &code, &verifier);
        assert_eq!((tokens.status, &tokens.json()["token_type"]), (200, &json!("DPoP")));
        let told = claims(&site, tokens.json()["id_token"].as_str().unwrap(), "JWT");
        assert_eq!(told["aud"], "netbank", "the ID token is nobody's key's");
        // A log-in that it begins by itself is no other way to one.
        let grant = ("grant_type", "urn:openid:params:grant-type:ciba");
        let polled = bound.form("/oidc/token", &[grant, ("auth_req_id", "x")]).error();
        assert_eq!(polled, refused(400, "invalid_dpop_proof"));
    }
}

#[test]
fn a_code_is_bound_to_the_key_that_the_request_named() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let (key, other) = (Key::new(&site), Key::new(&site));
        let own = ("dpop_jkt", key.thumbprint());
        let named = [(own.0, own.1.as_str())];
        let grant = refused(400, "invalid_grant");

        let (good, verifier) = code(&netbank, &phone, &named);
        assert_eq!(key.tokens(&netbank, &good, &verifier).status, 200);
        let (stolen, verifier) = code(&netbank, &phone, &named);
        assert_eq!(other.tokens(&netbank, &stolen, &verifier).error(), grant, "another key");
        assert_eq!(key.tokens(&netbank, &stolen, &verifier).error(), grant, "and it is dead then");
        let (stolen, verifier) = code(&netbank, &phone, &named);
        assert_eq!(netbank.tokens(&stolen, &verifier).error(), grant, "no key");

        // By a proof beside the pushed request.
        for (changes, opens) in [(&[][..], "the proof alone"), (&named[..], "both, of one key")] {
            let pushed = || {
                let proof = key.proof("POST", "/oidc/par");
                let (pushed, verifier) = netbank.push_beside(changes, &[("dpop", &proof)]);
                assert_eq!(pushed.status, 201, "{opens}: {pushed:?}");
                let request_uri = pushed.json()["request_uri"].as_str().unwrap().to_owned();
                let begun = super::Begun { request_uri, verifier };
                let code = super::back(&netbank, &phone, &begun).param("code").unwrap();
                (code, begun.verifier)
            };
            let (good, verifier) = pushed();
            assert_eq!(key.tokens(&netbank, &good, &verifier).status, 200, "{opens}: its own key");
            let (stolen, verifier) = pushed();
            assert_eq!(other.tokens(&netbank, &stolen, &verifier).error(), grant, "{opens}");
            let (stolen, verifier) = pushed();
            assert_eq!(netbank.tokens(&stolen, &verifier).error(), grant, "{opens}: no key");
        }
        let proof = other.proof("POST", "/oidc/par");
        let (pushed, _) = netbank.push_beside(&named, &[("dpop", &proof)]);
        assert_eq!(pushed.error(), refused(400, "invalid_request"), "dpop_jkt of another key");
        let (pushed, _) = netbank.push_beside(&[], &[("dpop", &proof)]);
        assert_eq!(pushed.error(), refused(400, "invalid_dpop_proof"), "used before");
        let (pushed, _) = netbank.push_beside(&[], &[("dpop", "a.b.c")]);
        assert_eq!(pushed.error(), refused(400, "invalid_dpop_proof"));
        let bad = netbank.push(&[("dpop_jkt", "x")]).0.error();
        assert_eq!(bad, refused(400, "invalid_request"));
    }
}

#[test]
fn what_a_client_began_by_itself_is_bound_too() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let key = Key::new(&site);
        let before = netbank.logged_in(&phone, &[]);
        let hint = ("id_token_hint", before["id_token"].as_str().unwrap());
        let text = ("binding_message", "Kundeservice W4SCT");
        let begun = netbank.form("/oidc/ciba", &[("scope", "openid"), text, hint]).json();
        let (status, claimed) = phone.claim(&json!({}));
        assert_eq!(status, 200, "{claimed}");
        assert_eq!(phone.approve(&claimed, PIN).0, 200);
        let grant = ("grant_type", "urn:openid:params:grant-type:ciba");
        let pairs = [grant, ("auth_req_id", begun["auth_req_id"].as_str().unwrap())];
        let proof = key.proof("POST", "/oidc/token");
        let tokens = netbank.form_beside("/oidc/token", &pairs, &[("dpop", &proof)]).json();
        assert_eq!(tokens["token_type"], "DPoP", "{tokens}");
        let token = tokens["access_token"].as_str().unwrap();
        assert_eq!(key.userinfo(token).status, 200);
        assert_eq!(netbank.userinfo(token).error(), refused(401, "invalid_token"));
    }
}

#[test]
fn a_proof_names_the_public_address_whatever_the_request_came_to() {
    // proves G8
    let desk = Desk::changed(|config| {
        config.server.public_url = Some("https://indrul.invalid".to_owned());
    });
    let site = Site::open(&desk);
    let bank = site.party(|table| {
        table["token_endpoint_auth_method"] = "client_secret_post".into();
    });
    let key = Key::new(&site);
    let push = |htu: &str| {
        let proof = key.proof_with(("POST", ""), None, |_, claims| claims["htu"] = json!(htu));
        bank.push_beside(&[], &[("dpop", &proof)]).0
    };
    assert_eq!(push("https://indrul.invalid/oidc/par").status, 201);
    assert_eq!(push("https://INDRUL.invalid:443/oidc/par").status, 201);
    let reached = format!("{}/oidc/par", site.url);
    assert_eq!(push(&reached).error(), refused(400, "invalid_dpop_proof"));
}
