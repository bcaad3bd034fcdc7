//! OpenID Connect Core: the plan `oidcc-basic-certification-test-plan`.

use super::super::desk::Desk;
use super::super::parties::{Browser, Party, Phone, Site, claims, encoded, fresh, refused};
use super::{back, code};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::ecdsa::EcdsaSig;
use openssl::nid::Nid;
use serde_json::{Value, json};
use server::keys::base64url_decode;
use server::oidc::Level;
use time::Duration;

fn by<'a>(site: &'a Site<'a>, method: &'static str) -> Party<'a> {
    site.party(|table| {
        table["client_id"] = method.replace('_', "-").into();
        table["token_endpoint_auth_method"] = method.into();
    })
}

/// The header of a token.
fn header(token: &str) -> Value {
    let head = token.split('.').next().unwrap();
    serde_json::from_slice(&base64url_decode(head).unwrap()).unwrap()
}

/// Whether a published key signed a token with ES256 (RFC 7518 §3.4), as OpenSSL says.
fn is_signed(token: &str, jwk: &Value) -> bool {
    let number = |name: &str| {
        BigNum::from_slice(&base64url_decode(jwk[name].as_str().unwrap()).unwrap()).unwrap()
    };
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = EcKey::from_public_key_affine_coordinates(&group, &number("x"), &number("y"));
    let (text, signature) = token.rsplit_once('.').unwrap();
    let signature = base64url_decode(signature).unwrap();
    assert_eq!(signature.len(), 64);
    let [r, s] = [&signature[..32], &signature[32..]].map(|half| BigNum::from_slice(half).unwrap());
    let signature = EcdsaSig::from_private_components(r, s).unwrap();
    signature.verify(&openssl::sha::sha256(text.as_bytes()), &key.unwrap()).unwrap()
}

#[test]
fn a_code_gives_the_tokens_of_the_standard_by_either_secret() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let phone = Phone::of(&anna);
        for method in ["client_secret_basic", "client_secret_post"] {
            let party = by(&site, method);
            let (nonce, state) = (fresh(), fresh());
            let begun = party.begin(&[("nonce", &nonce), ("state", &state)]);
            let back = back(&party, &phone, &begun);
            assert_eq!(back.param("state").as_deref(), Some(state.as_str()));
            assert_eq!(back.param("iss").as_deref(), Some(site.url.as_str()));
            let tokens = party.tokens(&back.param("code").unwrap(), &begun.verifier);
            assert_eq!(tokens.status, 200, "{tokens:?}");
            let tokens = tokens.json();
            assert_eq!(
                (&tokens["token_type"], &tokens["expires_in"]),
                (&json!("Bearer"), &json!(600))
            );
            assert_eq!(tokens["refresh_token"], Value::Null);
            let id_token = tokens["id_token"].as_str().unwrap();
            let told = claims(&site, id_token, "JWT");
            let now = desk.now().unix_timestamp();
            assert_eq!((&told["iss"], &told["aud"]), (&json!(site.url), &json!(party.id)));
            assert_eq!((&told["nonce"], &told["iat"]), (&json!(nonce), &json!(now)));
            assert!(
                told["exp"].as_i64().unwrap() > now && told["sub"].as_str().unwrap().len() < 256
            );
            assert_eq!(told["auth_time"], json!(now));
        }
    }
}

#[test]
fn an_id_token_is_signed_with_a_published_key_and_never_unsigned() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        // Whatever a request says of signatures.
        let none = [("id_token_signed_response_alg", "none")];
        let tokens = netbank.logged_in(&phone, &none);
        let token = tokens["id_token"].as_str().unwrap();
        let head = header(token);
        assert_eq!(head["alg"], "ES256");
        let keys = site.send("GET", "/v1/keys", &[], "").json();
        let kids: Vec<_> = keys["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
        assert!(kids.contains(&&head["kid"]) && head["kid"].is_string(), "{head}");
        let by = |key: &&Value| key["kid"] == head["kid"];
        let key = keys["keys"].as_array().unwrap().iter().find(by).unwrap();
        assert!(is_signed(token, key), "by the key that its header names");
        let (text, signature) = token.rsplit_once('.').unwrap();
        let (head, _) = text.split_once('.').unwrap();
        let other = format!("{head}.{}.{signature}", super::part(&json!({ "sub": "somebody" })));
        assert!(!is_signed(&other, key), "and nothing else is");
    }
}

#[test]
fn userinfo_is_told_by_get_by_post_and_with_the_token_in_the_body() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let tokens = netbank.logged_in(&phone, &[]);
        let token = tokens["access_token"].as_str().unwrap();
        let sub = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT")["sub"].clone();
        let bearer = format!("Bearer {token}");
        let (by, kind) = (
            ("authorization", bearer.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        );
        let body = encoded(&[("access_token", token)]);
        let told = [
            site.send("GET", "/oidc/userinfo", &[by], ""),
            site.send("POST", "/oidc/userinfo", &[by, kind], ""),
            site.send("POST", "/oidc/userinfo", &[kind], &body),
        ];
        for told in told {
            assert_eq!((told.status, &told.json()["sub"]), (200, &sub));
        }
        let both = site.send("POST", "/oidc/userinfo", &[by, kind], &body);
        assert_eq!(both.error(), refused(400, "invalid_request"));
        let in_query = format!("/oidc/userinfo?{body}");
        let found = site.send("GET", &in_query, &[], "");
        assert_eq!(found.error(), refused(401, "invalid_token"), "RFC 9700 §4.3.2");
    }
}

#[test]
fn scopes_that_there_are_not_and_their_order_make_no_difference() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        for (asked, granted) in [
            ("openid profile", "openid"),
            ("openid email", "openid"),
            ("openid address", "openid"),
            ("openid phone", "openid"),
            ("openid profile email address phone", "openid"),
            ("mitid openid", "openid mitid"),
        ] {
            let tokens = netbank.logged_in(&phone, &[("scope", asked)]);
            assert_eq!(tokens["scope"], granted, "{asked}");
        }
    }
}

#[test]
fn parameters_that_change_nothing_here_are_taken() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let first = netbank.logged_in(&phone, &[]);
        let hint = first["id_token"].as_str().unwrap().to_owned();
        let sub = claims(&site, &hint, "JWT")["sub"].clone();
        let level = Level::Substantial.uri();
        for changes in [
            &[("display", "page")][..],
            &[("display", "popup")],
            &[("extra", "foobar")],
            &[("ui_locales", "se en-GB")],
            &[("claims_locales", "se")],
            &[("login_hint", "bob@example.com")],
            &[("id_token_hint", hint.as_str())],
            &[("acr_values", level.as_str())],
            &[("claims", r#"{"userinfo":{"name":{"essential":true}}}"#)],
            &[("max_age", "10000")],
        ] {
            let tokens = netbank.logged_in(&phone, changes);
            let told = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
            assert_eq!((&told["sub"], &told["acr"]), (&sub, &json!(level)), "{changes:?}");
            let info = netbank.userinfo(tokens["access_token"].as_str().unwrap());
            assert_eq!(info.json()["sub"], sub, "{changes:?}");
        }
    }
}

#[test]
fn every_log_in_asks_the_person_anew() {
    // proves G1
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let at = |changes: &[(&str, &str)]| {
            let tokens = netbank.logged_in(&phone, changes);
            let told = claims(&site, tokens["id_token"].as_str().unwrap(), "JWT");
            told["auth_time"].as_i64().unwrap()
        };
        let first = at(&[]);
        for changes in [&[("prompt", "login")][..], &[("max_age", "1")], &[("max_age", "10000")]] {
            desk.wait(Duration::seconds(2));
            assert_eq!(at(changes), desk.now().unix_timestamp(), "{changes:?}");
        }
        assert!(desk.now().unix_timestamp() > first);
        // One who has just logged in is not logged in for anybody else's sake.
        let begun = netbank.begin(&[]);
        let browser = Browser::at(&netbank, &begun);
        let claimed = phone.claimed(&browser);
        assert_eq!(phone.approve(&claimed, super::PIN).0, 200);
        assert!(browser.get("/log-in/continue").param("code").is_some());
        let silent = browser.arrive(&netbank, &netbank.begin(&[("prompt", "none")]));
        assert_eq!(silent.param("error").as_deref(), Some("login_required"));
        assert_eq!(silent.param("code"), None);
    }
}

#[test]
fn a_browser_may_come_by_a_form() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let begun = netbank.begin(&[]);
        let pairs = [("client_id", netbank.id.as_str()), ("request_uri", &begun.request_uri)];
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        let reply = site.send("POST", "/oidc/authorize", &kind, &encoded(&pairs));
        assert_eq!(reply.status, 303, "{reply:?}");
        assert!(reply.location.starts_with("/log-in?log_in="), "{}", reply.location);
    }
}

#[test]
fn a_code_used_again_after_half_a_minute_ends_what_came_of_it_too() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        for seconds in [1, 30, 61] {
            let (once, verifier) = code(&netbank, &phone, &[]);
            let tokens = netbank.tokens(&once, &verifier).json();
            let token = tokens["access_token"].as_str().unwrap();
            assert_eq!(netbank.userinfo(token).status, 200);
            desk.wait(Duration::seconds(seconds));
            let again = netbank.tokens(&once, &verifier).error();
            assert_eq!(again, refused(400, "invalid_grant"), "after {seconds} s");
            assert_eq!(netbank.userinfo(token).error(), refused(401, "invalid_token"));
        }
    }
}

#[test]
fn a_request_in_an_object_or_at_an_address_is_refused_by_its_name() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let netbank = site.party(|_| {});
        let unsigned = format!(
            "{}.{}.",
            super::part(&json!({ "alg": "none" })),
            super::part(&json!({ "redirect_uri": "https://evil.invalid/cb", "state": "x" })),
        );
        let found = netbank.push(&[("request", &unsigned)]).0.error();
        assert_eq!(found, refused(400, "request_not_supported"));
        let found = netbank.push(&[("request_uri", "https://netbank.invalid/request")]).0.error();
        assert_eq!(found, refused(400, "invalid_request"), "RFC 9126 §2.1 has this for it");
        let browser = Browser::empty(&site);
        for pairs in [
            &[("client_id", "netbank"), ("request_uri", "https://netbank.invalid/request")][..],
            &[("client_id", "netbank"), ("request", unsigned.as_str())],
        ] {
            let reply = browser.get(&format!("/oidc/authorize?{}", encoded(pairs)));
            assert!(reply.status >= 400 && reply.location.is_empty(), "{reply:?}");
        }
    }
}

#[test]
fn there_are_no_refresh_tokens() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, netbank) = (Phone::of(&anna), site.party(|_| {}));
        let tokens = netbank.logged_in(&phone, &[("scope", "openid offline_access")]);
        assert_eq!((&tokens["refresh_token"], &tokens["scope"]), (&Value::Null, &json!("openid")));
        let token = tokens["access_token"].as_str().unwrap();
        let pairs = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let found = netbank.form("/oidc/token", &pairs).error();
        assert_eq!(found, refused(400, "unsupported_grant_type"));
    }
}
