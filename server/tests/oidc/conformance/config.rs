//! What there is and where: the plan `oidcc-config-certification-test-plan`, and the discovery modules of the
//! others.

use super::super::desk::Desk;
use super::super::parties::Site;
use serde_json::{Value, json};
use std::collections::HashSet;

const METADATA: &str = "/.well-known/openid-configuration";

/// A service with a public address.
fn public() -> Desk {
    Desk::changed(|config| {
        config.server.public_url = Some("https://indrul.invalid".to_owned());
    })
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

#[test]
fn the_metadata_have_what_the_standards_want_of_them() {
    let desk = public();
    let site = Site::open(&desk);
    let reply = site.send("GET", METADATA, &[], "");
    assert_eq!(reply.status, 200);
    let found = reply.json();
    // OpenID Connect Discovery §4.3: the issuer is what the address was made of, and an address without query.
    assert_eq!(found["issuer"], "https://indrul.invalid");
    // §3: required, and those that RFC 8414 §2 and the profiles want.
    for required in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "pushed_authorization_request_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
        "backchannel_authentication_endpoint",
    ] {
        let uri = found[required].as_str().unwrap_or_else(|| panic!("no {required}"));
        assert!(uri.starts_with("https://indrul.invalid/") && !uri.contains(['?', '#']), "{uri}");
    }
    let named = found.as_object().unwrap().iter();
    for (name, value) in named.filter(|(name, _)| name.ends_with("_endpoint")) {
        assert!(value.as_str().unwrap().starts_with("https://"), "{name}");
    }
    assert_eq!(words(&found["response_types_supported"]), ["code"]);
    assert_eq!(words(&found["subject_types_supported"]), ["pairwise"]);
    assert_eq!(words(&found["id_token_signing_alg_values_supported"]), ["ES256"]);
    assert!(words(&found["grant_types_supported"]).contains(&"authorization_code"));
    let scopes = words(&found["scopes_supported"]);
    let is_scope = |s: &&str| s.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\".contains(&b));
    assert!(scopes.contains(&"openid") && scopes.iter().all(is_scope));
    let told = words(&found["claims_supported"]);
    assert!(["sub", "iss", "auth_time", "acr"].iter().all(|claim| told.contains(claim)));
    assert_eq!(words(&found["ui_locales_supported"]), ["da", "en"]);
    for no in [
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
    ] {
        assert_eq!(found[no], false, "{no}");
    }
    // RFC 8414 §2: `none` is no algorithm here, and each list is one.
    for (name, value) in found.as_object().unwrap() {
        if name.ends_with("_supported") && value.is_array() {
            assert!(!words(value).contains(&"none") || name == "prompt_values_supported", "{name}");
            let unique: HashSet<_> = words(value).into_iter().collect();
            assert_eq!(unique.len(), words(value).len(), "{name}");
        }
    }
}

#[test]
fn the_metadata_of_fapi_2_and_of_fapi_ciba_are_there() {
    let desk = public();
    let found = Site::open(&desk).send("GET", METADATA, &[], "").json();
    for (name, expected) in [
        // FAPI 2.0 Security Profile §5.3.2.2; RFC 9126 §5, RFC 9207 §3, RFC 9449 §5.1.
        ("require_pushed_authorization_requests", json!(true)),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("dpop_signing_alg_values_supported", json!(["ES256"])),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["ES256"])),
        ("response_modes_supported", json!(["query"])),
        // CIBA §4.
        ("backchannel_token_delivery_modes_supported", json!(["poll"])),
        ("backchannel_authentication_request_signing_alg_values_supported", json!(["ES256"])),
        ("backchannel_user_code_parameter_supported", json!(false)),
    ] {
        assert_eq!(found[name], expected, "{name}");
    }
    assert!(words(&found["token_endpoint_auth_methods_supported"]).contains(&"private_key_jwt"));
    assert!(words(&found["grant_types_supported"]).contains(&"urn:openid:params:grant-type:ciba"));
    assert_eq!(found["tls_client_certificate_bound_access_tokens"], Value::Null, "no mutual TLS");
}

#[test]
fn the_published_keys_are_public_and_told_apart() {
    let desk = public();
    let site = Site::open(&desk);
    let found = site.send("GET", "/v1/keys", &[], "").json();
    let keys = found["keys"].as_array().unwrap();
    let mut kids = HashSet::new();
    assert!(!keys.is_empty());
    for key in keys {
        assert_eq!(
            (&key["kty"], &key["crv"], &key["alg"]),
            (&json!("EC"), &json!("P-256"), &json!("ES256"))
        );
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key[private], Value::Null, "{private}");
        }
        assert!(kids.insert(key["kid"].as_str().unwrap().to_owned()), "a kid twice");
    }
}
