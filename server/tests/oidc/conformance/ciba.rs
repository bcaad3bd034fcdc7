//! The plan `fapi-ciba-id1-test-plan`, poll mode with `private_key_jwt`: signed requests (CIBA §7.1.1) of a client
//! that is registered to sign them.

use super::super::desk::{Desk, PIN, refusal, refused as reason};
use super::super::parties::{Party, Phone, Reply, Site, claims, fresh, refused};
use super::{Rsa, answered, asserted, by_public_key, is_known, part, signed, wrong_proofs};
use serde_json::{Value, json};
use time::Duration;

const GRANT: (&str, &str) = ("grant_type", "urn:openid:params:grant-type:ciba");

/// A bank that signs each request by which it begins a log-in.
fn bank<'a>(site: &'a Site<'a>, id: &str) -> Party<'a> {
    bank_with(site, id, None)
}

fn bank_with<'a>(site: &'a Site<'a>, id: &str, beside: Option<Value>) -> Party<'a> {
    let change = |table: &mut toml::Table| {
        table["client_id"] = id.into();
        let name = "backchannel_authentication_request_signing_alg";
        table.insert(name.to_owned(), "ES256".into());
    };
    site.party_with(change, beside)
}

/// A person who has logged in at the bank before: by whom it names them.
fn known(party: &Party<'_>, phone: &Phone<'_>) -> String {
    let tokens = party.logged_in(phone, &[]);
    let told = claims(party.site, tokens["id_token"].as_str().unwrap(), "JWT");
    told["sub"].as_str().unwrap().to_owned()
}

/// The claims of a request, as they are meant.
fn asked(party: &Party<'_>, subject: &str) -> Value {
    let now = party.site.desk.now().unix_timestamp();
    json!({
        "iss": party.id, "aud": party.site.url, "iat": now, "nbf": now, "exp": now + 300, "jti": fresh(),
        "scope": "openid mitid", "login_hint": subject, "binding_message": "Kundeservice W4SCT",
    })
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "1", "typ": "oauth-authz-req+jwt" })
}

fn send(party: &Party<'_>, request: &str) -> Reply {
    party.form("/oidc/ciba", &[("request", request)])
}

/// A request with changed claims; what is set to nothing is left out.
fn begin(party: &Party<'_>, subject: &str, change: impl FnOnce(&mut Value)) -> Reply {
    let mut claims = asked(party, subject);
    change(&mut claims);
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    send(party, &signed(&party.device, &header(), &claims))
}

fn poll(party: &Party<'_>, id: &str) -> Reply {
    party.form("/oidc/token", &[GRANT, ("auth_req_id", id)])
}

fn id(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["auth_req_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_person_approves_what_a_signed_request_began() {
    // proves G1, G3
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let subject = known(&bank, &phone);
        for (what, change) in [
            ("as it is meant", json!({})),
            ("scopes in another order", json!({ "scope": "mitid openid" })),
            ("the issuer in a list", json!({ "aud": [site.url, "https://elsewhere.invalid"] })),
            ("expiry as a text", json!({ "requested_expiry": "30" })),
        ] {
            let begun = begin(&bank, &subject, |claims| {
                claims.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            });
            let id = id(&begun);
            assert_eq!(poll(&bank, &id).error(), refused(400, "authorization_pending"), "{what}");
            let (status, claimed) = phone.claim(&json!({}));
            assert_eq!((status, &claimed["reference_text"]), (200, &json!("Kundeservice W4SCT")));
            assert_eq!(phone.approve(&claimed, PIN).0, 200);
            desk.wait(Duration::seconds(3));
            let tokens = poll(&bank, &id);
            assert_eq!((tokens.status, &tokens.json()["scope"]), (200, &json!("openid mitid")));
            let told = claims(&site, tokens.json()["id_token"].as_str().unwrap(), "JWT");
            assert_eq!((&told["aud"], &told["sub"]), (&json!("bank"), &json!(subject)), "{what}");
            desk.wait(Duration::seconds(3));
            assert_eq!(poll(&bank, &id).error(), refused(400, "invalid_grant"), "used before");
        }
    }
}

#[test]
fn a_signed_request_with_a_wrong_claim_is_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let subject = known(&bank, &phone);
        let bad = refused(400, "invalid_request");
        let now = desk.now().unix_timestamp();
        let set = |name: &'static str, value: Value| (name, value);
        for (name, value) in [
            set("aud", Value::Null),
            set("aud", json!("https://elsewhere.invalid")),
            set("aud", json!(["https://elsewhere.invalid"])),
            set("aud", json!(format!("{}/oidc/ciba", site.url))),
            set("iss", Value::Null),
            set("iss", json!("other")),
            set("iss", json!(site.url)),
            set("client_id", json!("other")),
            set("exp", Value::Null),
            set("exp", json!(now - 300)),
            set("exp", json!(now + 70 * 60)),
            set("exp", json!(i64::MAX)),
            set("iat", Value::Null),
            set("iat", json!(now + 600)),
            set("nbf", Value::Null),
            set("nbf", json!(now + 600)),
            set("nbf", json!(now - 70 * 60)),
            set("nbf", json!(i64::MIN)),
            set("jti", Value::Null),
            set("jti", json!("")),
            set("jti", json!("a\nb")),
            set("sub", json!("bank")),
            set("sub", json!("somebody")),
            set("request", json!("a.b.c")),
            set("requested_expiry", json!(0)),
            set("requested_expiry", json!(-5)),
            set("requested_expiry", json!("soon")),
        ] {
            let found = begin(&bank, &subject, |claims| claims[name] = value.clone());
            assert_eq!(found.error(), bad, "{name}: {value}");
        }
        // An hour from one to the other is the most.
        let long = begin(&bank, &subject, |claims| {
            (claims["nbf"], claims["exp"]) = (json!(now - 1800), json!(now + 1801));
        });
        assert_eq!(long.error(), bad);
        assert_eq!(
            refusal(phone.claim(&json!({}))),
            reason(404, "log_in.nothing"),
            "nobody is asked"
        );
        let hour = begin(&bank, &subject, |claims| {
            (claims["nbf"], claims["exp"]) = (json!(now - 1800), json!(now + 1800));
        });
        assert_eq!(hour.status, 200, "{hour:?}");
    }
}

#[test]
fn a_request_that_its_client_did_not_sign_with_es256_is_refused() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let rsa = Rsa::new();
        let other = bank(&site, "other");
        let (phone, bank) = (Phone::of(&anna), bank_with(&site, "bank", Some(rsa.jwk())));
        let subject = known(&bank, &phone);
        let bad = refused(400, "invalid_request");
        let claims = asked(&bank, &subject);
        let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
        let whole = signed(&bank.device, &header(), &claims);
        let (text, _) = whole.rsplit_once('.').unwrap();
        for (what, request) in [
            ("alg none", unsigned),
            ("no signature", format!("{text}.")),
            ("another signature", format!("{text}.{}", bank.device.sign_bytes(b"something else"))),
            ("alg of another key", signed(&bank.device, &json!({ "alg": "HS256" }), &claims)),
            ("PS256", signed(&bank.device, &json!({ "alg": "PS256" }), &claims)),
            ("RS256 by a registered key", rsa.signed(&claims)),
            ("the key of another client", signed(&other.device, &header(), &claims)),
            (
                "another kind of token",
                signed(&bank.device, &json!({ "alg": "ES256", "typ": "dpop+jwt" }), &claims),
            ),
            ("no token", "x".to_owned()),
        ] {
            assert_eq!(send(&bank, &request).error(), bad, "{what}");
        }
        for request in by_public_key(&bank.device, &claims) {
            assert_eq!(send(&bank, &request).error(), bad, "HS256 by the public key");
        }
        // By another client that has proved who it is.
        assert_eq!(send(&other, &whole).error(), bad);
        assert_eq!(
            refusal(phone.claim(&json!({}))),
            reason(404, "log_in.nothing"),
            "nobody is asked"
        );
        assert_eq!(send(&bank, &whole).status, 200, "none of them spent it");
        assert_eq!(send(&bank, &whole).error(), bad, "used before");
    }
}

#[test]
fn nothing_stands_beside_a_signed_request_and_no_two_hints_in_it() {
    // proves G2, G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let tokens = bank.logged_in(&phone, &[]);
        let token = tokens["id_token"].as_str().unwrap();
        let told = claims(&site, token, "JWT");
        let subject = told["sub"].as_str().unwrap();
        let bad = refused(400, "invalid_request");
        for beside in [
            ("login_hint", subject),
            ("scope", "openid"),
            ("binding_message", "Anden tekst"),
            ("acr_values", "x"),
            ("requested_expiry", "30"),
            ("unknown", "x"),
        ] {
            let request = signed(&bank.device, &header(), &asked(&bank, subject));
            let found = bank.form("/oidc/ciba", &[("request", &request), beside]).error();
            assert_eq!(found, bad, "{beside:?}");
        }
        let two = begin(&bank, subject, |claims| claims["id_token_hint"] = json!(token));
        assert_eq!(two.error(), bad);
        let three = begin(&bank, subject, |claims| claims["login_hint_token"] = json!(token));
        assert_eq!(three.error(), bad);
        let code = begin(&bank, subject, |claims| claims["user_code"] = json!("1234"));
        assert_eq!(code.error(), bad);
        let none = begin(&bank, subject, |claims| claims["login_hint"] = Value::Null);
        assert_eq!(none.error(), bad);
        let unknown = begin(&bank, "bob@example.com", |_| {});
        assert_eq!(unknown.error(), refused(400, "unknown_user_id"));
        let request_uri = [("request_uri", "https://bank.invalid/request")];
        assert_eq!(bank.form("/oidc/ciba", &request_uri).error(), bad);
        assert_eq!(
            refusal(phone.claim(&json!({}))),
            reason(404, "log_in.nothing"),
            "nobody is asked"
        );
    }
}

#[test]
fn a_request_that_is_not_signed_is_refused_where_it_has_to_be() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let plain = site.party(|_| {});
        let by_secret = site.party(|table| {
            table["client_id"] = "by-secret".into();
            table["token_endpoint_auth_method"] = "client_secret_post".into();
        });
        let subject = known(&bank, &phone);
        let text = ("binding_message", "Kundeservice W4SCT");
        let pairs = [("scope", "openid"), text, ("login_hint", subject.as_str())];
        let bad = refused(400, "invalid_request");
        assert_eq!(bank.form("/oidc/ciba", &pairs).error(), bad);
        assert_eq!(plain.form("/oidc/ciba", &pairs).status, 200, "who need not may leave it");
        assert_eq!(begin(&plain, &subject, |_| {}).status, 200, "or sign all the same");
        let found = begin(&by_secret, &subject, |_| {}).error();
        assert_eq!(found, bad, "who has no key signs nothing");
    }
}

#[test]
fn a_text_that_cannot_be_shown_is_refused_by_its_name() {
    // proves G3
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let subject = known(&bank, &phone);
        let bad = refused(400, "invalid_binding_message");
        let long = "æ 漢字 ".repeat(60);
        for text in [json!(long), json!(""), Value::Null, json!("a\nb"), json!("a\u{202e}b")] {
            let found = begin(&bank, &subject, |claims| claims["binding_message"] = text.clone());
            assert_eq!(found.error(), bad, "{text}");
        }
        let shown = "Betaling 1.250,00 kr. 漢字 ✓ <b>&amp;</b>";
        let begun = begin(&bank, &subject, |claims| claims["binding_message"] = json!(shown));
        assert_eq!(begun.status, 200, "{begun:?}");
        let (_, claimed) = phone.claim(&json!({}));
        assert_eq!(claimed["reference_text"], shown, "sign for sign");
    }
}

#[test]
fn polls_are_answered_by_the_state_and_an_identifier_is_its_clients_alone() {
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank, other) = (Phone::of(&anna), bank(&site, "bank"), bank(&site, "other"));
        let subject = known(&bank, &phone);
        let short = begin(&bank, &subject, |claims| claims["requested_expiry"] = json!(30));
        assert_eq!(short.json()["expires_in"], 30);
        let waiting = id(&short);
        for _ in 0..4 {
            let (status, error) = poll(&bank, &waiting).error();
            let known = ["authorization_pending", "slow_down"].contains(&error.as_str());
            assert!(status == 400 && known, "{status} {error}");
        }
        assert_eq!(
            poll(&other, &waiting).error(),
            refused(400, "invalid_grant"),
            "another client's"
        );
        assert_eq!(poll(&bank, "guess").error(), refused(400, "invalid_grant"));
        desk.wait(Duration::seconds(31));
        assert_eq!(poll(&bank, &waiting).error(), refused(400, "expired_token"));
        assert_eq!(refusal(phone.claim(&json!({}))), reason(404, "log_in.nothing"));
        // No longer than without asking.
        let long = begin(&bank, &subject, |claims| claims["requested_expiry"] = json!(90_000));
        assert_eq!(long.json()["expires_in"], 300);
        let (_, claimed) = phone.claim(&json!({}));
        assert_eq!(phone.refuse(&claimed).0, 200);
        assert_eq!(poll(&bank, &id(&long)).error(), refused(400, "access_denied"));
    }
}

#[test]
fn a_signed_request_is_known_as_long_as_it_could_be_sent_again_and_forgotten_then() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let mut claims = asked(&bank, &known(&bank, &phone));
        claims["jti"] = json!("one of the test");
        let request = signed(&bank.device, &header(), &claims);
        assert_eq!(send(&bank, &request).status, 200);
        // Its last second, with a minute that clocks may differ by: by its time alone it would be good.
        desk.wait(Duration::seconds(359));
        let row = "request\nbank\none of the test";
        assert!(is_known(&desk, row));
        let again = send(&bank, &request).json();
        let said = (&again["error"], &again["error_description"]);
        assert_eq!(said, (&json!("invalid_request"), &json!("the request was used before")));
        desk.wait(Duration::seconds(2));
        assert!(!is_known(&desk, row), "nothing of it is kept");
        assert_eq!(send(&bank, &request).json()["error_description"], "the request is late");
    }
}

#[test]
fn nobody_uses_up_what_another_will_sign() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let subject = known(&bank, &phone);
        let bad = refused(401, "invalid_client");
        // By names that the other kinds begin with, and an identifier that goes on as they do.
        for (id, jti) in [("request", "bank\nX"), ("dpop", "bank\nX"), ("netbank", "X\n")] {
            let other = site.party(|table| table["client_id"] = id.into());
            let proof = asserted(&other, |claims| claims["jti"] = json!(jti));
            assert_eq!(answered(&other, "/oidc/par", &[], &proof).error(), bad, "{id}");
        }
        let begun = begin(&bank, &subject, |claims| claims["jti"] = json!("X"));
        assert_eq!(begun.status, 200, "{begun:?}");
    }
}

#[test]
fn an_assertion_where_a_log_in_is_begun_is_for_any_address_that_ciba_has() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let rsa = Rsa::new();
        let (phone, bank) = (Phone::of(&anna), bank_with(&site, "bank", Some(rsa.jwk())));
        let subject = known(&bank, &phone);
        let bad = refused(401, "invalid_client");
        let began = |proof: &[(&str, String)]| {
            let request = signed(&bank.device, &header(), &asked(&bank, &subject));
            answered(&bank, "/oidc/ciba", &[("request", &request)], proof)
        };
        // CIBA Core §7.1: the issuer, the token endpoint, or the endpoint itself.
        for path in ["", "/oidc/token", "/oidc/ciba"] {
            let aud = json!(format!("{}{path}", site.url));
            let own = asserted(&bank, |claims| claims["aud"] = aud.clone());
            let id = id(&began(&own));
            assert_eq!(began(&own).error(), bad, "{path}: used before");
            // Where it polls the issuer is the one (FAPI 2.0 §5.3.2.1).
            let polls = asserted(&bank, |claims| claims["aud"] = aud.clone());
            let polled = answered(&bank, "/oidc/token", &[GRANT, ("auth_req_id", &id)], &polls);
            let pending = refused(400, "authorization_pending");
            assert_eq!(polled.error(), if path.is_empty() { pending } else { bad.clone() });
        }
        for path in ["/oidc/par", "/oidc/userinfo", "/oidc/ciba/", "/oidc/cib", "/oidc/ciba?x"] {
            let aud = json!(format!("{}{path}", site.url));
            let found = began(&asserted(&bank, |claims| claims["aud"] = aud.clone()));
            assert_eq!(found.error(), bad, "{path}");
        }
        let listed = json!([site.url, format!("{}/oidc/ciba", site.url)]);
        assert_eq!(began(&asserted(&bank, |claims| claims["aud"] = listed)).error(), bad);
    }
}

#[test]
fn a_wrong_assertion_is_refused_where_a_log_in_is_begun_and_where_it_is_polled() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let rsa = Rsa::new();
        let (phone, bank) = (Phone::of(&anna), bank_with(&site, "bank", Some(rsa.jwk())));
        let request = signed(&bank.device, &header(), &asked(&bank, &known(&bank, &phone)));
        let bad = refused(401, "invalid_client");
        for (what, proof) in wrong_proofs(&bank, &rsa) {
            let found = answered(&bank, "/oidc/ciba", &[("request", &request)], &proof);
            assert_eq!(found.error(), bad, "{what}");
        }
        let id = id(&send(&bank, &request));
        for (what, proof) in wrong_proofs(&bank, &rsa) {
            let found = answered(&bank, "/oidc/token", &[GRANT, ("auth_req_id", &id)], &proof);
            assert_eq!(found.error(), bad, "{what}");
        }
        assert_eq!(poll(&bank, &id).error(), refused(400, "authorization_pending"));
    }
}

#[test]
fn a_signed_request_is_no_assertion_and_an_assertion_no_request() {
    // proves G8
    for desk in Desk::all() {
        let site = Site::open(&desk);
        let anna = desk.enrolled(1);
        let (phone, bank) = (Phone::of(&anna), bank(&site, "bank"));
        let subject = known(&bank, &phone);
        let request = signed(&bank.device, &header(), &asked(&bank, &subject));
        let proof = |token: String| {
            [("client_assertion_type", super::ASSERTION.to_owned()), ("client_assertion", token)]
        };
        let found = answered(&bank, "/oidc/par", &[], &proof(request)).error();
        assert_eq!(found, refused(401, "invalid_client"));
        // One that is as good for the other by its type and all of its claims.
        let mut claims = asked(&bank, &subject);
        claims["sub"] = json!("bank");
        let both = signed(&bank.device, &json!({ "alg": "ES256", "typ": "JWT" }), &claims);
        assert_eq!(send(&bank, &both).error(), refused(400, "invalid_request"));
        let found = answered(&bank, "/oidc/par", &[], &proof(both)).error();
        assert_eq!(found, refused(400, "invalid_request"), "an assertion it is");
        let assertion = bank.assertion(json!({"alg": "ES256"}), |_| {});
        assert_eq!(send(&bank, &assertion).error(), refused(400, "invalid_request"));
    }
}
