//! Bad input over HTTP: each ends in a clear problem answer that the description declares, and the
//! service answers the next request.

use super::station::{Call, Station};
use serde_json::{Value, json};

const LINES: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];

fn start_body() -> Value {
    json!({
        "consent": {"terms_version": "2026-02", "biometrics": true, "language": "da"},
        "cpr": "120874-0002",
    })
}

/// A started case: its address and token.
pub fn started(station: &Station) -> (String, String) {
    let body = start_body().to_string();
    let (status, answer) = station.call(Call::new("POST", "/v1/enrolments", body.as_bytes()));
    assert_eq!((status, &answer["state"]), (201, &json!("consented")));
    let id = answer["id"].as_str().unwrap();
    (format!("/v1/enrolments/{id}"), answer["token"].as_str().unwrap().to_owned())
}

/// A started case with its page read.
pub fn with_page(station: &Station) -> (String, String) {
    let (case, token) = started(station);
    let (path, body) = (format!("{case}/page"), json!({ "lines": LINES }).to_string());
    let call = Call { token: &token, ..Call::new("PUT", &path, body.as_bytes()) };
    let (status, answer) = station.call(call);
    assert_eq!((status, &answer["mrz"]["fields"]["document_number"]), (200, &json!("L898902C3")));
    (case, token)
}

fn problem(station: &Station, call: Call<'_>) -> (u16, String) {
    let (status, answer) = station.call(call);
    assert_eq!(answer["status"], status, "{answer}");
    for language in ["da", "en"] {
        assert!(!answer["text"][language].as_str().unwrap().is_empty(), "{answer}");
    }
    (status, answer["code"].as_str().unwrap().to_owned())
}

#[test]
fn starting_needs_terms_and_a_number() {
    // proves A1
    let station = Station::start(&[], |_| {});
    let changed = |pointer: &str, value: Value| {
        let mut body = start_body();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let cases = [
        (changed("/consent/terms_version", json!("2020-01")), 409, "case.consent"),
        (changed("/consent/language", json!("de")), 400, "request.malformed"),
        (changed("/cpr", json!("12")), 400, "request.malformed"),
        ("{".to_owned(), 400, "request.malformed"),
        (json!({"passive_auth": true}).to_string(), 400, "request.malformed"),
        (" ".repeat(20_000), 413, "request.too_large"),
    ];
    for (body, status, code) in cases {
        let found = problem(&station, Call::new("POST", "/v1/enrolments", body.as_bytes()));
        assert_eq!(found, (status, code.to_owned()), "{}", body.trim());
    }
    let body = start_body().to_string();
    let call = Call { kind: "text/plain", ..Call::new("POST", "/v1/enrolments", body.as_bytes()) };
    assert_eq!(problem(&station, call), (415, "request.media_type".to_owned()));
    started(&station);
}

#[test]
fn unknown_cases_wrong_tokens_and_wrong_addresses_are_told_apart() {
    let station = Station::start(&[], |_| {});
    let (case, token) = started(&station);
    let nobody = "/v1/enrolments/00000000-0000-4000-8000-000000000000";
    let cases = [
        (Call::new("GET", nobody, b""), 404, "case.unknown"),
        (Call::new("GET", "/v1/enrolments/x", b""), 404, "case.unknown"),
        (Call::new("GET", &case, b""), 401, "request.token"),
        (Call { token: "wrong", ..Call::new("GET", &case, b"") }, 401, "request.token"),
        (Call::new("GET", "/v1/identities/x", b""), 404, "case.unknown"),
        (Call::new("GET", "/v1/identities/%ff", b""), 404, "case.unknown"),
        (Call::new("GET", "/v1/identities/%ff/messages", b""), 404, "case.unknown"),
        (Call::new("POST", "/v1/authenticators/%ff/challenges", b""), 404, "case.unknown"),
        (Call::new("GET", "/v1/nothing", b""), 404, "request.not_found"),
        (Call::new("DELETE", &case, b""), 405, "request.method"),
        (Call::new("GET", "/v1/relay", b""), 400, "request.malformed"),
        (Call::new("GET", "/v1/relay?ticket=x", b""), 400, "request.malformed"),
    ];
    for (call, status, code) in cases {
        assert_eq!(problem(&station, call), (status, code.to_owned()), "{}", call.path);
    }
    let (status, answer) = station.call(Call { token: &token, ..Call::new("GET", &case, b"") });
    assert_eq!((status, &answer["state"]), (200, &json!("consented")));
}

#[test]
fn a_step_out_of_turn_changes_nothing() {
    let station = Station::start(&[], |_| {});
    let (case, token) = started(&station);
    let (face, ticket, finish) =
        (format!("{case}/face"), format!("{case}/relay-tickets"), format!("{case}/finish"));
    for (method, path, kind) in
        [("PUT", &face, "image/jpeg"), ("POST", &ticket, ""), ("POST", &finish, "")]
    {
        let call = Call { token: &token, kind, ..Call::new(method, path, b"x") };
        assert_eq!(problem(&station, call), (409, "case.state".to_owned()), "{path}");
    }
    with_page(&station);
    let (_, answer) = station.call(Call { token: &token, ..Call::new("GET", &case, b"") });
    assert_eq!((&answer["state"], &answer["checks"]), (&json!("consented"), &json!([])));
}

#[test]
fn a_page_that_cannot_be_read_for_sure_is_refused_until_the_tries_are_used() {
    // proves B1 and D5
    let station = Station::start(&[], |config| {
        config.policy.attempts.page = 5;
        config.server.max_picture = 10_000;
    });
    let (case, token) = started(&station);
    let path = format!("{case}/page");
    let typed = |lines: &[&str]| json!({ "lines": lines }).to_string().into_bytes();
    let misread = LINES[1].replace("L898902C3", "L8989O2C3");
    let cases = [
        ("application/json", typed(&[LINES[0], &misread]), 422, "mrz.check_digit"),
        ("application/json", typed(&["no MRZ"]), 422, "mrz.format"),
        ("application/json", b"[]".to_vec(), 400, "request.malformed"),
        ("image/png", vec![0; 20_000], 413, "request.too_large"),
        ("image/png", b"no picture".to_vec(), 422, "mrz.picture.unreadable"),
        ("text/html", b"<p>".to_vec(), 415, "request.media_type"),
        ("image/png", b"no picture".to_vec(), 422, "mrz.picture.unreadable"),
        ("application/json", typed(&["no MRZ"]), 422, "mrz.format"),
        ("application/json", typed(&LINES), 429, "case.attempts"),
    ];
    for (n, (kind, body, status, code)) in cases.iter().enumerate() {
        let call = Call { token: &token, kind, ..Call::new("PUT", &path, body) };
        assert_eq!(problem(&station, call), (*status, (*code).to_owned()), "case {n}");
    }
}

#[test]
fn a_case_whose_time_is_out_says_so_and_is_erased() {
    // proves D8 (timeout)
    let station = Station::start(&[], |config| config.policy.lifetime_s = 0);
    let (case, token) = started(&station);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let path = format!("{case}/page");
    let body = json!({ "lines": LINES }).to_string();
    let call = Call { token: &token, ..Call::new("PUT", &path, body.as_bytes()) };
    assert_eq!(problem(&station, call), (410, "case.expired".to_owned()));
    assert_eq!(station.runtime.block_on(station.app.expire_overdue()).unwrap(), 1);
    let (_, answer) = station.call(Call { token: &token, ..Call::new("GET", &case, b"") });
    assert_eq!(answer["state"], "expired");
    let finish = format!("{case}/finish");
    let call = Call { token: &token, ..Call::new("POST", &finish, b"") };
    assert_eq!(problem(&station, call), (410, "case.expired".to_owned()));
}
