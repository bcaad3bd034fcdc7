//! A code display and an audio code reader as people meet them, in real Chromiums against `enroll demo`: ordered
//! by the citizen, posted, activated, and used to log in; and an officer's page of them.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::{
    fs,
    thread::sleep,
    time::{Duration, Instant},
};

use indrul_tests::{
    demo::Demo,
    person::{PATIENCE, Person, pictures, two_codes},
    testing::{enroll, stdout},
};
use serde_json::{Value, json};
use server::clock::{SystemEntropy, random};
use server::keys::base64url;

const PROGRAM: &str = env!("CARGO_BIN_EXE_fixtures");
const PASSWORD: &str = "hest batteri hæfteklamme";

/// Looks at `path` of QA's console in both languages.
fn looks(tester: &Person<'_>, name: &str, path: &str) {
    for language in ["en", "da"] {
        tester.open(&format!("{path}?lang={language}"));
        tester.wait(&format!("html[lang={language}]"));
        for (screen, width, height) in [("phone", 360, 800), ("desktop", 1280, 1000)] {
            tester.browser.screen(width, height).unwrap();
            tester.is_sound(&format!("{name} {language} {screen}"));
            let file = format!("qa-{name}-{screen}-{language}.png");
            tester.browser.whole_page(&pictures().join(file)).unwrap();
        }
    }
}

#[test]
fn a_citizen_without_a_phone_orders_activates_and_logs_in_with_a_code_display() {
    // proves E2, E10
    let demo = Demo::start(PROGRAM, &[]);
    let citizen = Person::new(&demo, "good");
    let tester = Person::without_shell(&demo, "good").named("qa");
    citizen.consents();
    citizen.types_page();
    citizen.press("#start");
    citizen.reads_chip();
    citizen.wait("#camera");
    citizen.shows_face();
    citizen.wait("[data-verdict=accepted]");
    citizen.press("#continue");
    citizen.wait("#user_id");
    citizen.fill("user_id", "anna.eriksson");
    citizen.press("form[action='/enrol/user-id'] button");
    citizen.wait("#phone");
    citizen.fill("phone", "+45 20 30 40 50");
    citizen.fill("email", "anna@example.invalid");
    citizen.press("form[action='/enrol/contacts'] button");
    citizen.wait("#order-instead");
    citizen.press("#order-instead");
    citizen.wait("#order");
    citizen.look("order", &["en", "da"]);
    citizen.fill("user_id", "anna.eriksson");
    citizen.press("#order");
    citizen.wait("#ordered");
    citizen.is_sound("ordered");
    let serial = citizen.script("return document.getElementById('ordered').dataset.serial");
    let serial = serial.as_str().unwrap();
    assert_eq!(serial, "QA-KV-0001");
    // The post brings it.
    looks(&tester, "code-devices", "/qa/code-devices");
    tester.press(&format!("#post-{serial}"));
    tester.wait("#devices:not(:has([id^=post-]))");
    looks(&tester, "code-device", &format!("/qa/code-devices/{serial}"));
    // It is activated in a browser that has nothing of the enrolment; whoever holds the device looks at it there.
    let device = Person::without_shell(&demo, "good").named("qa");
    activates(&tester, (serial, &device));
    // Back where it was ordered, the receipt is of a code device.
    citizen.open("/enrol/done");
    citizen.wait("#receipt #serial");
    citizen.look("done-code-device", &["en", "da"]);
    assert!(!citizen.browser.text("main").unwrap().to_lowercase().contains("app"), "of no app");
    logs_in(&demo, &tester, serial);
}

fn activates(person: &Person<'_>, (serial, device): (&str, &Person<'_>)) {
    person.open("/enrol/code-device");
    person.look("code-device-ask", &["en", "da"]);
    person.wait("#ask");
    person.fill("user_id", "Anna.Eriksson");
    person.fill("serial", &serial.to_lowercase());
    person.press("#ask");
    person.wait("#device_code");
    person.is_sound("both codes");
    person.browser.whole_page(&pictures().join("qa-code-device-codes-da.png")).unwrap();
    let fill = |code: &str, password: &str, [first, second]: &[String; 2]| {
        person.fill("code", code);
        person.fill("password", password);
        person.fill("again", password);
        person.fill("device_code", first);
        person.fill("next_code", second);
        person.press("#activate");
    };
    let code = person.demo.code("sms");
    let own = two_codes(device, serial);
    fill(&code, "adgangskode1", &own);
    person.wait("[data-reason='password.weak']");
    person.is_sound("a weak password");
    fill(&code, PASSWORD, &own);
    person.wait("#active");
    person.is_sound("activated");
}

/// Logs in at a relying party that is only registered: where the browser is sent in the end is nobody's.
fn logs_in(demo: &Demo, person: &Person<'_>, serial: &str) {
    let file = demo.folder().join("netbank.toml");
    let registration = "client_id = \"netbank\"\nname = \"Netbanken\"\norganisation = \"Banken A/S\"\n\
        sector = \"private\"\nredirect_uris = [\"https://netbank.invalid/cb\"]\n\
        token_endpoint_auth_method = \"client_secret_post\"\nscopes = [\"openid\", \"mitid\"]\n";
    fs::write(&file, registration).unwrap();
    let added = enroll(PROGRAM)
        .args(["relying-party", "add", "--json", "--data"])
        .arg(demo.folder())
        .arg(&file)
        .output()
        .unwrap();
    assert!(added.status.success(), "{added:?}");
    let added: Value = serde_json::from_str(&stdout(&added)).unwrap();
    let secret = added["client_secret"].as_str().unwrap();
    let verifier = base64url(&random::<32>(&SystemEntropy).unwrap());
    let challenge = base64url(&openssl::sha::sha256(verifier.as_bytes()));
    let text = openssl::base64::encode_block("Betal 100 kr. til Bent".as_bytes());
    let params = json!({ "mitid": { "reference_text": text, "action_text": "APPROVE" } });
    let pushed: Value = ureq::post(format!("{}/oidc/par", demo.url()))
        .send_form([
            ("client_id", "netbank"),
            ("client_secret", secret),
            ("response_type", "code"),
            ("redirect_uri", "https://netbank.invalid/cb"),
            ("scope", "openid mitid"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("idp_params", &params.to_string()),
        ])
        .unwrap()
        .into_body()
        .read_json()
        .unwrap();
    let uri = pushed["request_uri"].as_str().unwrap();
    person.open(&format!("/oidc/authorize?client_id=netbank&request_uri={uri}"));
    person.wait("#by-code");
    person.press("#by-code");
    person.wait("#code-form");
    let asked = person.browser.text("#asked").unwrap();
    assert!(asked.contains("Netbanken") && asked.contains("Betal 100 kr. til Bent"), "{asked}");
    person.is_sound("log-in by code");
    person.browser.whole_page(&pictures().join("log-in-code-da.png")).unwrap();
    person.fill("user_id", "anna.eriksson");
    person.fill("password", "not the password");
    person.fill("code", "000000");
    person.press("#send");
    person.wait("[data-reason='log_in.code']");
    person.is_sound("a wrong code");
    // It is good for a minute or so, in which no page is looked at. The second one was not shown before.
    let [_, code] = two_codes(person, serial);
    person.open("/log-in/code");
    person.wait("#code-form");
    person.fill("user_id", "anna.eriksson");
    person.fill("password", PASSWORD);
    person.fill("code", &code);
    person.press("#send");
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    while !person.browser.url().unwrap().starts_with("https://netbank.invalid/cb?code=") {
        assert!(Instant::now() < deadline, "it is at {}", person.browser.url().unwrap());
        sleep(Duration::from_millis(250));
    }
}

#[test]
fn an_audio_code_reader_speaks_and_its_code_is_written_nowhere() {
    let demo = Demo::start(PROGRAM, &[]);
    let tester = Person::without_shell(&demo, "good").named("qa");
    looks(&tester, "audio-reader", "/qa/code-devices/QA-KO-0001");
    tester.open("/qa/code-devices/QA-KO-0001");
    tester.wait("#spoken");
    let length = "const sound = document.getElementById('spoken'); return sound.readyState > 0 ? sound.duration : 0";
    let mut seconds = 0.0;
    for _ in 0..120 {
        seconds = tester.script(length).as_f64().unwrap();
        if seconds > 0.0 {
            break;
        }
        sleep(Duration::from_millis(250));
    }
    assert!((3.0..7.0).contains(&seconds), "{seconds} seconds of sound");
    let now: Value = ureq::get(format!("{}/qa/code-devices/QA-KO-0001/now", demo.url()))
        .call()
        .unwrap()
        .into_body()
        .read_json()
        .unwrap();
    assert_eq!(now["code"], Value::Null);
    let page = tester.browser.text("main").unwrap();
    let digits = page.split(|c: char| !c.is_ascii_digit()).any(|part| part.len() == 6);
    assert!(!digits, "{page}");
}
