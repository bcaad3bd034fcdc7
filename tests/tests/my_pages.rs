//! My page and support's pages as people meet them, in a real Chromium against `enroll demo`; a device of the test's
//! approves, and every page is accessible, whole and in one language on a phone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::{fs, process::Output};

use enroll_core::{device_key::Purpose, totp::TotpSecret};
use fixtures::chip::Chip;
use indrul_tests::{
    chip_link::ChipLink,
    citizen::{Enrolment, Method},
    demo::Demo,
    device::Device,
    person::{PATIENCE, Person, two_codes},
    testing::{enroll, passport, stdout},
};
use serde_json::{Value, json};
use server::{
    clock::{Clock as _, SystemClock},
    keys::base64url,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fixtures");
const PIN: &str = "284917";
const USER_ID: &str = "soeren.klit";
const PASSWORD: &str = "hest batteri hæfteklamme";

/// Nobody asks too often.
fn demo() -> Demo {
    let settings = [("INDRUL_LIMITS__CASE_BURST", "0"), ("INDRUL_LIMITS__ADDRESS_BURST", "0")];
    Demo::start(PROGRAM, &settings)
}

/// A person's phone with an app.
struct Phone<'a> {
    demo: &'a Demo,
    device: Device,
    app: String,
}

fn word(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned()
}

impl<'a> Phone<'a> {
    /// Of who enrols with the fixture's passport, over the public interface.
    fn enrolled(demo: &'a Demo, fixture: &str) -> Self {
        Self::set_up(demo, fixture, |_, _| {})
    }

    /// The same of who has ordered a code display, too.
    fn with_display(demo: &'a Demo, fixture: &str) -> Self {
        Self::set_up(demo, fixture, |case, own| {
            let body = json!({ "kind": "display", "user_id": USER_ID });
            case.send(Method::Post, &format!("{own}/code-devices"), &body).unwrap();
        })
    }

    fn set_up(demo: &'a Demo, fixture: &str, more: impl FnOnce(&Enrolment, &str)) -> Self {
        let passport = passport(fixture);
        let case = Enrolment::start(demo.url(), &passport.holder.cpr).unwrap();
        case.typed_page(&passport.mrz_lines).unwrap();
        case.read_chip(&mut ChipLink(Chip::new(&passport))).unwrap();
        case.face(&passport.selfies[0]).unwrap();
        let identity = word(&case.finish().unwrap()["identity"], "id");
        let own = format!("/v1/identities/{identity}");
        let put = |step: &str, body: Value| {
            case.send(Method::Put, &format!("{own}/{step}"), &body).unwrap();
        };
        put("user-id", json!({ "user_id": USER_ID }));
        put("contacts", json!({ "phone": "+4520304050", "email": "soeren@example.invalid" }));
        more(&case, &own);
        let device = Device::new().unwrap();
        let body = json!({
            "public_key": device.public_key().unwrap(), "channels": ["sms", "email"],
            "user_id": USER_ID,
        });
        let new = case.send(Method::Post, &format!("{own}/authenticators"), &body).unwrap();
        let (app, challenge) = (word(&new, "id"), word(&new, "challenge"));
        let body = json!({
            "codes": { "sms": demo.code("sms"), "email": demo.code("email") }, "pin": PIN,
            "signature": device.sign(Purpose::Activate, &challenge).unwrap(),
        });
        let path = format!("/v1/authenticators/{app}/activation");
        let view = case.send(Method::Post, &path, &body).unwrap();
        assert_eq!(view["state"], "active");
        Self { demo, device, app }
    }

    fn post(&self, step: &str, body: &Value) -> Value {
        let url = format!("{}/v1/authenticators/{}/{step}", self.demo.url(), self.app);
        ureq::post(url).send_json(body).unwrap().body_mut().read_json().unwrap()
    }

    /// Approves what the page opened this app for; where the app leads its browser then.
    fn approves(&self, switch: &str) -> String {
        let challenge = word(&self.post("challenges", &Value::Null), "challenge");
        let signature = self.device.sign(Purpose::LogIn, &challenge).unwrap();
        let body = json!({ "challenge": challenge, "signature": signature, "switch": switch });
        let claimed = self.post("log-ins", &body);
        assert_eq!(claimed["relying_party"], "Min side");
        let transaction = word(&claimed, "transaction");
        let shown = base64url(&openssl::sha::sha256(transaction.as_bytes()));
        let challenge = word(&claimed, "challenge");
        let signed = format!("{challenge}.{shown}");
        let signature = self.device.sign(Purpose::Approve, &signed).unwrap();
        let body = json!({ "challenge": challenge, "signature": signature, "pin": PIN });
        let log_in = word(&claimed, "log_in");
        word(&self.post(&format!("log-ins/{log_in}/approval"), &body), "return_to")
    }
}

/// From the page of a log-in to where the approval leads: the app is on the same device.
fn approves_here(person: &Person<'_>, phone: &Phone<'_>) {
    person.press("a[href^='/log-in/qr']");
    person.wait("#log-in:not([hidden])");
    let opens = "const id = document.getElementById('log-in').dataset.logIn; \
        return fetch(`/log-in/switch?log_in=${id}`, { method: 'POST' }).then((a) => a.json()).then((a) => a.url)";
    let url = person.script(opens).as_str().unwrap().to_owned();
    let switch = url.split_once("#log-in=").unwrap().1;
    person.browser.open(&phone.approves(switch)).unwrap();
}

fn logs_in(person: &Person<'_>, phone: &Phone<'_>) {
    person.open("/my");
    person.press("#log-in-button");
    approves_here(person, phone);
    person.wait("#user-id");
}

/// Looks at one of My page's places on small and large screens, in both languages.
fn looks(person: &Person<'_>, place: &str, name: &str, sign: &str) {
    person.open(&format!("/my{place}"));
    person.wait(sign);
    person.look(name, &["en", "da"]);
    person.wait(sign);
}

#[test]
fn a_person_sees_their_log_in_exports_and_blocks_on_my_page() {
    // proves F1, F5
    let demo = demo();
    let phone = Phone::enrolled(&demo, "good");
    let person = Person::without_shell(&demo, "good").named("my");
    looks(&person, "", "start", "#log-in-button");
    logs_in(&person, &phone);
    assert_eq!(person.browser.text("#user-id").unwrap(), USER_ID);
    looks(&person, "", "overview", "[data-what=log_in_approved]");
    looks(&person, "/activities", "activities", "[data-what=log_in_approved]");
    person.press("a[href='/my/activities?kind=means']");
    person.wait("[aria-current=true][href='/my/activities?kind=means']");
    let listed = "return [...document.querySelectorAll('[data-what]')].map((e) => e.dataset.what)";
    assert_eq!(person.script(listed), json!(["app_activated", "app_registered"]));
    looks(&person, "/contacts", "contacts", "#keep");
    looks(&person, "/pin", "pin", "#change");
    looks(&person, "/password", "password", "#none");
    looks(&person, "/export", "export", "#fetch");
    let file = "return fetch('/my/export.json').then((a) => a.json())";
    let export = person.script(file);
    assert_eq!(export["profile"]["user_id"], USER_ID);
    assert_eq!(export["means"][0]["id"], json!(phone.app));
    looks(&person, "/erase", "erase", "#until");
    changes_the_name_and_blocks(&person);
    logged_out_by_the_block(&person);
}

fn changes_the_name_and_blocks(person: &Person<'_>) {
    looks(person, "/means", "means", "#block-1");
    person.press("details.rename summary");
    person.fill("name-1", "Min telefon");
    person.press("details.rename[open] button");
    // Only the page that was loaded anew has the name in its heading.
    let is_named = "return document.querySelector('#m-1')?.textContent === 'Min telefon'";
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(PATIENCE);
    while person.browser.evaluate(is_named).ok() != Some(json!(true)) {
        assert!(std::time::Instant::now() < deadline, "the name is not shown");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    person.press("#block-1");
    person.wait("#last");
    person.look_here("block");
    person.press("#block");
    person.wait("#ended");
    person.look_here("blocked");
}

fn logged_out_by_the_block(person: &Person<'_>) {
    for place in ["/my", "/my/activities", "/my/export"] {
        person.open(place);
        person.wait("#log-in-button");
    }
    person.open("/block");
    person.wait("#pick");
    person.look("notice", &["en", "da"]);
}

/// Activates a display, which `person` looks at in QA's console.
fn activates(person: &Person<'_>, serial: &str) {
    let demo = person.demo;
    let post = |path: &str, body: Value| {
        ureq::post(format!("{}/v1/{path}", demo.url())).send_json(&body).unwrap();
    };
    let before = demo.code("sms");
    post("code-device-codes", json!({ "user_id": USER_ID, "serial": serial, "channel": "sms" }));
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(PATIENCE);
    while demo.code("sms") == before {
        assert!(std::time::Instant::now() < deadline, "no code comes");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let [first, next] = two_codes(person, serial);
    let body = json!({
        "user_id": USER_ID, "serial": serial, "code": demo.code("sms"),
        "device_code": first, "next_code": next, "password": PASSWORD,
    });
    post("code-device-activations", body);
}

#[test]
fn a_person_loses_finds_blocks_and_opens_a_code_display_on_my_page() {
    // proves F1, F2, F5
    let demo = demo();
    let phone = Phone::with_display(&demo, "good");
    let stock = |args: &[&str]| {
        let mut command = enroll(PROGRAM);
        let done = command.arg("code-device").args(args).arg("--data").arg(demo.folder());
        let done = done.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap()
    };
    let list = stock(&["list", "--state", "ordered"]);
    let order = list.trim().strip_prefix("QA-KV-0001 display ordered ").unwrap();
    stock(&["posted", &format!("QA-KV-0001={order}")]);
    let person = Person::without_shell(&demo, "good").named("my-devices");
    logs_in(&person, &phone);
    looks(&person, "/means", "means", "#lose-2");
    person.press("#lose-2");
    person.wait("#lose");
    person.look_here("lose");
    person.press("#lose");
    // Each page alone has the device stand so.
    person.wait("[data-state=lost]");
    person.look_here("lost");
    person.press("#find-2");
    person.wait("[data-state=inactive]");
    person.look_here("found");
    person.press("#block-2");
    person.wait("#block");
    person.look_here("block");
    person.press("#block");
    person.wait("[data-state=blocked]");
    person.look_here("blocked");
    person.press("#reopen-2");
    person.wait("[data-state=inactive]");
    person.open("/my/activities?kind=means");
    person.wait("[data-what=code_device_blocked]");
    person.look("activities", &["en", "da"]);
    person.open("/my/export");
    person.wait("#fetch");
    assert!(person.browser.text("main").unwrap().contains("QA-KV-0001"));
    activates(&person, "QA-KV-0001");
    looks(&person, "/password", "password-form", "#change");
    person.fill("old", PASSWORD);
    person.fill("new", "en anden hest batteri");
    person.fill("again", "en anden hest batteri");
    person.press("#change");
    person.wait("#kept");
    person.look_here("password-kept");
}

fn supporter(demo: &Demo, name: &str) -> TotpSecret {
    let password = demo.folder().join("password");
    fs::write(&password, PASSWORD).unwrap();
    let added: Output = enroll(PROGRAM)
        .args(["officer", "add", name, "--role", "support", "--json", "--password-file"])
        .arg(&password)
        .arg("--data")
        .arg(demo.folder())
        .output()
        .unwrap();
    assert!(added.status.success(), "{added:?}");
    let answer: Value = serde_json::from_str(&stdout(&added)).unwrap();
    let uri = word(&answer, "otpauth");
    let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
    TotpSecret::new(base32(secret))
}

/// RFC 4648 §6, of 20 bytes.
fn base32(text: &str) -> [u8; 20] {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for sign in text.chars() {
        bits = (bits << 5 | u32::try_from(ALPHABET.find(sign).unwrap()).unwrap()) & 0xFFFF;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xFF).unwrap());
        }
    }
    bytes.try_into().unwrap()
}

#[test]
fn support_finds_who_called_and_blocks() {
    // proves F1
    let demo = demo();
    let phone = Phone::enrolled(&demo, "good");
    let secret = supporter(&demo, "su-3");
    let desk = Person::without_shell(&demo, "good").named("support");
    desk.browser.screen(1280, 1000).unwrap();
    desk.open("/officer");
    desk.wait("#password");
    desk.fill("name", "su-3");
    desk.fill("password", PASSWORD);
    let code = secret.code(SystemClock.now().unix_timestamp() / 30).unwrap().to_string();
    desk.fill("code", &code);
    desk.press("form[action='/officer'] button");
    desk.wait("#find");
    desk.look("find", &["en", "da"]);
    desk.fill("user_id", USER_ID);
    desk.press("#find");
    desk.wait("[data-reason='support.call']");
    desk.fill("user_id", USER_ID);
    desk.press("label[for=called]");
    desk.press("#find");
    desk.wait(&format!("[data-means='{}'][data-state=active]", phone.app));
    desk.look_here("seen");
    desk.press("#block-1");
    desk.wait(&format!("[data-means='{}'][data-state=blocked]", phone.app));
    desk.press("#block-all");
    desk.wait("#standing[data-open=false]");
    desk.is_sound("all blocked");
}
