//! The pages of a Borgercenter as people meet them: a kiosk and an officer beside the citizen, in real
//! Chromiums against `enroll demo`, with a fixture's chip in a real pcscd where there is one.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod code_devices;
mod kiosk;

use std::{
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use enroll_core::{audit::Entry, totp::TotpSecret};
use fixtures::chip::Chip;
use indrul_tests::{
    bridge::Bridge,
    citizen::{Enrolment, Method},
    demo::Demo,
    person::{PATIENCE, Person, film, pictures},
    run::Plugged,
    testing::{enroll, stdout, virtual_reader},
    webdriver::{ENTER, SPACE},
};
use serde_json::{Value, json};
use server::{
    clock::{Clock as _, SystemClock, SystemEntropy},
    keys::KeyRing,
    storage::{Store, embedded_url},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fixtures");
/// The kiosk's credential.
const TOKEN: &str = "a-kiosk's-token,-of-32-signs;-or-more";
const PASSWORD: &str = "hest batteri hæfteklamme";
const WHY: &str = "Set, sammenlignet og spurgt om fødested.";

/// A demonstration with one kiosk, where nobody asks too often.
fn demo() -> Demo {
    demo_with("")
}

/// The same with more of a configuration.
fn demo_with(config: &str) -> Demo {
    let kiosk = format!("kiosk-1 {TOKEN}");
    let settings = [
        ("INDRUL_KIOSKS__TOKENS", kiosk.as_str()),
        ("INDRUL_LIMITS__CASE_BURST", "0"),
        ("INDRUL_LIMITS__ADDRESS_BURST", "0"),
    ];
    Demo::with(PROGRAM, &settings, config)
}

/// pcscd has one reader, and the bridge one port.
static READER: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    READER.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A browser that somebody has made a kiosk.
fn kiosk<'a>(demo: &'a Demo, fixture: &str, mode: &str, shell: bool) -> Person<'a> {
    let new = if shell { Person::new } else { Person::without_shell };
    let kiosk = new(demo, fixture).named("kiosk");
    kiosk.browser.screen(1080, 1920).unwrap();
    kiosk.open("/kiosk");
    kiosk.wait("#token");
    kiosk.fill("token", "not the kiosk's token, however long");
    kiosk.press("form[action='/kiosk/station'] button");
    kiosk.wait("#error");
    kiosk.fill("token", TOKEN);
    kiosk.press(&format!("label[for={mode}]"));
    kiosk.press("form[action='/kiosk/station'] button");
    kiosk.wait("#reference");
    kiosk
}

/// Types the reference on the kiosk's screen.
fn types_reference(kiosk: &Person<'_>, reference: &str) {
    for sign in reference.chars().filter(|c| *c != '-') {
        kiosk.press(&format!("[data-sign='{sign}']"));
    }
    let typed = kiosk.script("return document.getElementById('reference').value");
    assert_eq!(typed, reference);
    // Whoever does not see the field hears each sign, and how many there are.
    let heard = kiosk.script("return document.getElementById('typed').textContent");
    let last = format!("{}, 8 ", &reference[8..]);
    assert!(heard.as_str().unwrap().starts_with(&last), "{heard}");
    kiosk.press("form[action='/kiosk/cases'] button[type=submit]");
}

/// The cookies that the browser has, by name.
fn cookies(person: &Person<'_>) -> Vec<Value> {
    let found = person.browser.command("Network.getCookies", &json!({})).unwrap();
    found["cookies"].as_array().unwrap().clone()
}

/// That nothing of a person is left in the kiosk's browser: no cookie of any place, nothing stored, and nothing
/// behind the back button, whether the browser kept the page or asks for it again.
fn is_cleared(kiosk: &Person<'_>) {
    kiosk.wait("#waits");
    let all = kiosk.browser.command("Storage.getCookies", &json!({})).unwrap();
    let all = all["cookies"].as_array().unwrap();
    let names: Vec<_> = all.iter().map(|cookie| cookie["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["indrul-station"]);
    let kept = "return Promise.all([indexedDB.databases(), caches.keys(), \
        navigator.serviceWorker.getRegistrations()]).then((all) => [...all.map((one) => one.length), \
        localStorage.length, sessionStorage.length, document.cookie, window.name, \
        document.getElementById('reference').value, history.state])";
    assert_eq!(kiosk.script(kept), json!([0, 0, 0, 0, 0, "", "", "", null]));
    for path in ["/enrol/next", "/enrol/chip", "/enrol/result", "/enrol", "/enrol/consent"] {
        kiosk.open(path);
        kiosk.wait("#waits");
    }
    goes_back_to_nothing(kiosk);
}

/// Back through all of the history: its addresses tell nothing of a person, and each leads to the idle screen.
fn goes_back_to_nothing(kiosk: &Person<'_>) {
    let history = || kiosk.browser.command("Page.getNavigationHistory", &json!({})).unwrap();
    let visited = history();
    for entry in visited["entries"].as_array().unwrap() {
        let url = entry["url"].as_str().unwrap();
        let tells = ["reason=", "lang=", "text=", "contrast="];
        let (_, query) = url.split_once('?').unwrap_or((url, ""));
        let parts = query.split('&').filter(|part| !part.is_empty());
        let told: Vec<_> =
            parts.filter(|part| !tells.iter().any(|t| part.starts_with(t))).collect();
        assert!(told.is_empty() && !url.contains('#'), "{url}");
    }
    let holder = &kiosk.passport.holder;
    let personal =
        [&holder.cpr, &holder.surname, &holder.given_names, &kiosk.passport.mrz_lines[1]];
    let urls: Vec<_> =
        visited["entries"].as_array().unwrap().iter().map(|e| e["url"].clone()).collect();
    let first =
        urls.iter().rposition(|url| url.as_str().unwrap().ends_with("/kiosk/station")).unwrap();
    // What staff did to set it up is of nobody.
    for _ in first + 2..urls.len() {
        kiosk.browser.back().unwrap();
        kiosk.wait("#waits");
        let page = kiosk.script("return document.documentElement.outerHTML");
        let page = page.as_str().unwrap();
        assert!(personal.iter().all(|text| !page.contains(text.as_str())), "{page}");
        assert!(!page.contains("pick-up-code"), "{page}");
    }
    kiosk.open("/kiosk");
    kiosk.wait("#waits");
}

/// An officer of the demonstration, and what makes their one-time codes.
struct Account {
    name: &'static str,
    secret: TotpSecret,
    used: std::cell::Cell<i64>,
}

impl Account {
    fn add(demo: &Demo, name: &'static str) -> Self {
        let password = demo.folder().join("password");
        fs::write(&password, PASSWORD).unwrap();
        let added = enroll(PROGRAM)
            .args(["officer", "add", name, "--json", "--password-file"])
            .arg(&password)
            .arg("--data")
            .arg(demo.folder())
            .output()
            .unwrap();
        assert!(added.status.success(), "{added:?}");
        let answer: Value = serde_json::from_str(&stdout(&added)).unwrap();
        let uri = answer["otpauth"].as_str().unwrap();
        let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap();
        Self { name, secret: TotpSecret::new(base32(secret)), used: 0.into() }
    }

    /// A code that was not used yet: each is taken once. The one after now's is taken, too (RFC 6238 §5.2); of more
    /// than two within a minute the next is waited for.
    fn code(&self) -> String {
        loop {
            let now = SystemClock.now().unix_timestamp() / 30;
            let step = now.max(self.used.get() + 1);
            if step <= now + 1 {
                self.used.set(step);
                return self.secret.code(step).unwrap().to_string();
            }
            sleep(Duration::from_millis(500));
        }
    }
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

/// A browser at the officer's desk.
fn desk(demo: &Demo) -> Person<'_> {
    let desk = Person::without_shell(demo, "good").named("officer");
    desk.browser.screen(1280, 1000).unwrap();
    desk
}

fn tries(desk: &Person<'_>, name: &str, password: &str, code: &str) {
    desk.wait("#password");
    desk.fill("name", name);
    desk.fill("password", password);
    desk.fill("code", code);
    desk.press("form[action='/officer'] button");
}

fn signs_in(desk: &Person<'_>, account: &Account) {
    desk.open("/officer");
    tries(desk, account.name, PASSWORD, &account.code());
    desk.wait("#sign-out");
}

/// Looks at an officer's page on a phone, and on a desktop's screen as it is and at 200 %, in both languages.
fn looks(desk: &Person<'_>, name: &str) {
    let at = desk.script("return location.pathname + location.search");
    let at = at.as_str().unwrap().to_owned();
    for language in ["en", "da"] {
        desk.open(&format!("/officer?lang={language}"));
        desk.open(&at);
        assert_eq!(desk.script("return document.documentElement.lang"), language);
        for (screen, width, height) in
            [("phone", 360, 800), ("zoomed", 640, 512), ("desktop", 1280, 1000)]
        {
            desk.browser.screen(width, height).unwrap();
            desk.is_sound(&format!("officer {name} {language} {screen}"));
            if screen == "zoomed" {
                continue;
            }
            let file = format!("officer-{name}-{screen}-{language}.png");
            desk.browser.whole_page(&pictures().join(file)).unwrap();
        }
    }
    desk.browser.screen(1280, 1000).unwrap();
}

/// The trail of the demonstration, which holds together.
fn trail(demo: &Demo) -> Vec<Entry> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let entropy = Arc::new(SystemEntropy);
    let keys = KeyRing::open(&demo.folder().join("keys"), None, entropy.as_ref()).unwrap();
    let found = runtime.block_on(async {
        let store = Store::open(&embedded_url(demo.folder()), Arc::new(keys), entropy).await?;
        store.read().await?.audit_after(0, 10_000).await
    });
    let found = found.unwrap();
    enroll_core::audit::verify(&found, None).unwrap();
    found
}

/// How many entries of `kind` there are that name the officer.
fn looked(demo: &Demo, kind: &str, officer: &str) -> usize {
    let of_them = |entry: &&Entry| entry.kind == kind && entry.data["officer"] == officer;
    trail(demo).iter().filter(of_them).count()
}

/// The case at home, up to the booked time: its reference.
fn books(citizen: &Person<'_>) -> String {
    citizen.press("#book-1");
    citizen.wait("#booked");
    citizen.browser.text("#reference").unwrap()
}

#[test]
fn a_case_that_cannot_end_at_home_is_booked_seen_at_a_kiosk_approved_and_picked_up() {
    let Some(reader) = virtual_reader() else { return };
    let _alone = alone();
    let demo = demo();
    let citizen = Person::new(&demo, "no-proof-at-all");
    let reference = is_referred_and_books(&citizen);
    let kiosk = kiosk(&demo, "no-proof-at-all", "unattended", false);
    goes_on_at_the_kiosk(&citizen, &kiosk, (&reference, &reader));
    let code = is_approved_at_level_high(&demo);
    picks_up(&citizen, &code);
    citizen.press("#continue");
    citizen.sets_up();
}

/// A chip that cannot prove itself: the case needs a Borgercenter, and a time is booked at once.
fn is_referred_and_books(citizen: &Person<'_>) -> String {
    citizen.consents();
    citizen.types_page();
    citizen.press("#start");
    citizen.reads_chip();
    citizen.wait("#camera");
    citizen.shows_face();
    citizen.wait("[data-reason='chip_authentication.missing']");
    citizen.look("7-referred", &["en", "da"]);
    let reference = books(citizen);
    citizen.look("booked", &["en", "da"]);
    // The same time, cancelled and booked again.
    citizen.press("#cancel");
    citizen.wait("#book-1");
    assert!(citizen.browser.text("#booked").is_err(), "cancelled");
    assert_eq!(books(citizen), reference, "the reference stays");
    reference
}

/// Chip and face again, with the passport on a reader of pcscd.
fn goes_on_at_the_kiosk(
    citizen: &Person<'_>,
    kiosk: &Person<'_>,
    (reference, reader): (&str, &str),
) {
    kiosk.look("start", &["en", "da"]);
    kiosk.browser.screen(1080, 1920).unwrap();
    kiosk.wait("#reader.bad");
    let plugged = Plugged::new(Chip::new(&kiosk.passport)).unwrap();
    drop(plugged.reader().unwrap());
    let _bridge = Bridge::start(PROGRAM, kiosk.demo.url(), reader);
    kiosk.open("/kiosk");
    kiosk.wait("#reader.good");
    kiosk.wait("#camera.good");
    kiosk.browser.whole_page(&pictures().join("kiosk-ready-kiosk-da.png")).unwrap();
    types_reference(kiosk, reference);
    kiosk.wait("#chip:not([hidden])");
    kiosk.look("chip", &["en", "da"]);
    kiosk.browser.screen(1080, 1920).unwrap();
    citizen.open("/enrol/next");
    citizen.wait("#there");
    kiosk.press("#start");
    kiosk.wait("#camera");
    kiosk.look("face", &["en", "da"]);
    kiosk.browser.screen(1080, 1920).unwrap();
    kiosk.shows_face();
    kiosk.wait("[data-reason='chip_authentication.missing']");
    kiosk.look_here("referred");
    kiosk.press("#finish-button");
    is_cleared(kiosk);
}

/// The officer's pages from the queue to the approval: the pick-up code.
fn is_approved_at_level_high(demo: &Demo) -> String {
    let account = Account::add(demo, "bc-17");
    let desk = desk(demo);
    signs_in(&desk, &account);
    looks(&desk, "queue");
    desk.open("/officer/appointments");
    looks(&desk, "appointments");
    desk.open("/officer/cases");
    let before = looked(demo, "case.looked", "bc-17");
    desk.press("#queue a");
    desk.wait("#decide");
    assert_eq!(looked(demo, "case.looked", "bc-17"), before + 1);
    for (check, standing) in
        [("sod.signature", "passed"), ("face.match", "passed"), ("chip_authentication", "missing")]
    {
        desk.wait(&format!("[data-check='{check}'].{standing}"));
    }
    looks(&desk, "case");
    let case = desk.script("return location.pathname");
    desk.open(&format!("{}?contrast=high", case.as_str().unwrap()));
    desk.is_sound("a case in high contrast");
    desk.browser.whole_page(&pictures().join("officer-case-contrast-da.png")).unwrap();
    desk.open(&format!("{}?contrast=normal", case.as_str().unwrap()));
    decides_with_the_keyboard(&desk);
    desk.is_sound("approved");
    desk.browser.whole_page(&pictures().join("officer-approved-desktop-da.png")).unwrap();
    desk.browser.text("#pick-up-code").unwrap()
}

/// Who began at home sees nothing of the identity without the code, and all of it with.
fn picks_up(citizen: &Person<'_>, code: &str) {
    citizen.open("/enrol/result");
    citizen.wait("#pick-up");
    assert!(!citizen.browser.text("main").unwrap().contains(&citizen.passport.holder.surname));
    citizen.look("there", &["en", "da"]);
    citizen.open("/enrol/next");
    citizen.wait("#code");
    citizen.look("pick-up", &["en", "da"]);
    let other = if code.starts_with('2') { "3" } else { "2" };
    citizen.fill("code", &format!("{other}{}", &code[1..]));
    citizen.press("form[action='/enrol/pick-up'] button");
    citizen.wait("#error[data-reason='pick_up.form']");
    citizen.fill("code", &code.to_lowercase());
    citizen.press("form[action='/enrol/pick-up'] button");
    citizen.wait("#user_id");
    citizen.open("/enrol/result");
    citizen.wait("[data-verdict=accepted]");
}

/// From the case's page to its approval at level Høj, with nothing but the keyboard.
fn decides_with_the_keyboard(desk: &Person<'_>) {
    desk.script("document.activeElement.blur(); window.scrollTo(0, 0)");
    desk.tab_and("#approve", SPACE);
    desk.tab_and("#reason", "kort");
    desk.tab_to("#substantial");
    // Arrows choose among radio buttons (HTML, ARIA radio group).
    desk.browser.keys("\u{e015}").unwrap();
    assert_eq!(desk.script("return document.getElementById('high').checked"), true);
    desk.tab_and("#in_person", SPACE);
    desk.tab_and("#rule", ENTER);
    // Too short a reason is held back by the browser; without it the server says so.
    desk.script("document.getElementById('decide').noValidate = true");
    desk.tab_and("#rule", ENTER);
    desk.wait("[data-reason='officer.reason']");
    assert_eq!(desk.script("return document.activeElement.id"), "error");
    let kept = "return [document.getElementById('approve').checked, \
        document.getElementById('high').checked, document.getElementById('in_person').checked, \
        document.getElementById('reason').value]";
    assert_eq!(desk.script(kept), json!([true, true, true, "kort"]));
    desk.is_sound("a reason that is too short");
    desk.tab_and("#reason", ": set og sammenlignet med pas og ansigt.");
    desk.tab_and("#rule", ENTER);
    desk.wait("[data-decision=issue]");
    assert_eq!(desk.browser.text("#level").unwrap(), "Høj");
    let code = desk.browser.text("#pick-up-code").unwrap();
    desk.script("document.body.dataset.before = 'reload'");
    desk.browser.reload().unwrap();
    desk.wait("body:not([data-before]) #pick-up-qr");
    assert_eq!(desk.browser.text("#pick-up-code").unwrap(), code, "decided once, shown again");
}

/// A case from home, handed over without a time: its reference.
fn is_handed_over(citizen: &Person<'_>) -> String {
    citizen.consents();
    citizen.open("/enrol/borgercenter");
    citizen.press("#no-time");
    citizen.wait("#reference");
    citizen.browser.text("#reference").unwrap()
}

#[test]
fn officers_sign_in_with_password_and_code_and_their_session_is_theirs_alone() {
    let demo = demo();
    let account = Account::add(&demo, "bc-17");
    let desk = desk(&demo);
    for path in ["/officer/cases", "/officer/appointments", "/officer/p-codes", "/officer/x"] {
        desk.open(path);
        desk.wait("#password");
    }
    looks(&desk, "sign-in");
    desk.open("/officer");
    tries(&desk, "bc-17", "en anden adgangskode", &account.code());
    desk.wait("[data-reason='officer.sign_in']");
    desk.is_sound("refused");
    let told = desk.browser.text("#error").unwrap();
    desk.browser.whole_page(&pictures().join("officer-refused-desktop-da.png")).unwrap();
    tries(&desk, "bc-17", PASSWORD, "000000");
    desk.wait("[data-reason='officer.sign_in']");
    assert_eq!(desk.browser.text("#error").unwrap(), told, "which was wrong is not told");
    tries(&desk, "nobody", PASSWORD, "000000");
    desk.wait("[data-reason='officer.sign_in']");
    assert_eq!(desk.browser.text("#error").unwrap(), told);
    signs_in(&desk, &account);
    looks(&desk, "queue-empty");
    for path in ["/officer/p-codes", "/officer/identities"] {
        desk.open(&format!("{path}?contrast=high"));
        desk.is_sound(&format!("high contrast {path}"));
    }
    desk.open("/officer/cases?contrast=normal");
    let session = cookies(&desk).into_iter().find(|c| c["name"] == "indrul-officer").unwrap();
    assert_eq!(
        (&session["session"], &session["httpOnly"], &session["sameSite"], &session["path"]),
        (&json!(true), &json!(true), &json!("Strict"), &json!("/"))
    );
    assert_eq!(desk.script("return document.cookie"), "");

    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    let cookie = format!("indrul-officer={}", session["value"].as_str().unwrap());
    let asks = |path: &str| {
        let request = agent.get(format!("{}{path}", demo.url())).header("cookie", &cookie);
        request.call().unwrap().status().as_u16()
    };
    let none = "/officer/cases/00000000-0000-4000-8000-000000000000";
    assert_eq!((asks("/officer/cases"), asks(none), asks("/officer/no")), (200, 404, 404));
    assert_eq!(asks("/officer/cases?after=x"), 400);
    let elsewhere =
        agent.post(format!("{}/officer/sign-out", demo.url())).header("cookie", &cookie);
    let elsewhere = elsewhere.header("sec-fetch-site", "cross-site").send_empty().unwrap();
    assert_eq!(elsewhere.status().as_u16(), 403, "no other page signs them out");
    desk.press("#sign-out");
    desk.wait("#password");
    assert_eq!(asks("/officer/cases"), 303, "the token is dead");
    assert!(cookies(&desk).iter().all(|c| c["name"] != "indrul-officer"));
    assert_eq!(looked(&demo, "officer.sign_in_refused", "bc-17"), 2);
    assert_eq!(looked(&demo, "officer.signed_out", "bc-17"), 1);
}

#[test]
fn without_recognition_an_officer_compares_the_portrait_and_may_ask_refuse_and_approve() {
    let demo = demo_with("[policy.witness]\nidentity_s = 0\n");
    let account = Account::add(&demo, "bc-18");
    let desk = desk(&demo);
    signs_in(&desk, &account);
    let citizen = Person::new(&demo, "good");
    let code = issues_a_p_code(&desk, &citizen.passport.holder.cpr);
    let reference = begins_without_recognition(&citizen, &code);

    let kiosk = kiosk(&demo, "good", "attended", true);
    reads_without_face(&kiosk, &reference);
    kiosk.open("/kiosk?text=large");
    kiosk.open("/kiosk?contrast=high");
    kiosk.look_here("large-contrast");

    let code = compares_and_approves(&demo, &desk);
    let identity = picks_up_and_blocks(&citizen, &code);
    reopens(&desk, &identity);
    assert_eq!(looked(&demo, "officer.ruled", "bc-18"), 2, "approved and opened");
    is_vouched_for(&demo, &desk, &identity);
    asks_for_more_and_refuses(&demo, &desk);
}

/// Somebody without a CPR number, for whom `witness` vouches beside the officer.
fn is_vouched_for(demo: &Demo, desk: &Person<'_>, witness: &str) {
    let (citizen, kiosk) =
        (Person::new(demo, "good-jp2"), kiosk(demo, "good-jp2", "attended", true));
    let holder = &citizen.passport.holder;
    desk.open("/officer/p-codes");
    desk.fill("given_names", &holder.given_names);
    desk.fill("surname", &holder.surname);
    let born = format!("document.getElementById('birth_date').value = {:?}", holder.birth_date);
    desk.script(&born);
    desk.press("label[for=female]");
    desk.press("#without-button");
    let code = desk.browser.text("#p-code").unwrap();
    let reference = begins_without_recognition(&citizen, &code);
    reads_without_face(&kiosk, &reference);
    desk.open("/officer/cases");
    desk.press("#queue a");
    desk.press("#show-portrait");
    desk.wait("#portrait");
    for part in ["approve", "in_person", "portrait_compared"] {
        desk.press(&format!("label[for={part}]"));
    }
    desk.fill("reason", WHY);
    for (named, found) in [
        ("00000000-0000-4000-8000-000000000000", "[data-reason='witness.not_allowed']"),
        (witness, "[data-decision=issue]"),
    ] {
        desk.fill("witness", named);
        desk.press("#rule");
        desk.wait(found);
    }
    let vouched = trail(demo).into_iter().rfind(|entry| entry.kind == "officer.ruled").unwrap();
    assert_eq!(vouched.data["witness"], witness);
    assert_eq!(
        looked(demo, "officer.asked_in_vain", "bc-18"),
        2,
        "no such identity, no such witness"
    );
}

/// At a kiosk, without consent to recognise the face: the case is decided as it is.
fn reads_without_face(kiosk: &Person<'_>, reference: &str) {
    types_reference(kiosk, reference);
    kiosk.wait("#line1");
    kiosk.types_page();
    kiosk.wait("#chip:not([hidden])");
    kiosk.press("#start");
    kiosk.reads_chip();
    kiosk.press("#decide");
    kiosk.wait("[data-reason='consent.biometrics']");
    kiosk.press("#finish-button");
    is_cleared(kiosk);
}

fn issues_a_p_code(desk: &Person<'_>, cpr: &str) -> String {
    desk.open("/officer/p-codes");
    looks(desk, "p-codes");
    desk.fill("cpr", "x");
    desk.press("#with-button");
    desk.wait("#error");
    desk.is_sound("no number");
    desk.fill("given_names", "Uden Nummer");
    desk.fill("surname", "Prøve");
    desk.script("document.getElementById('birth_date').value = '1980-02-29'");
    desk.press("label[for=female]");
    desk.press("#without-button");
    desk.wait("#known-as");
    desk.open("/officer/p-codes");
    desk.fill("cpr", cpr);
    let before = looked(desk.demo, "p_code.issued", "bc-18");
    desk.press("#with-button");
    desk.wait("#p-code");
    let code = desk.browser.text("#p-code").unwrap();
    // Loaded again, and in both languages: neither another one nor none.
    looks(desk, "p-code");
    desk.browser.reload().unwrap();
    desk.wait("#p-code");
    assert_eq!(desk.browser.text("#p-code").unwrap(), code);
    assert_eq!(looked(desk.demo, "p_code.issued", "bc-18"), before + 1);
    desk.open("/officer/p-codes");
    desk.open("/officer/p-codes/issued");
    desk.wait("#cpr");
    code
}

/// Consent to everything but the recognition of the face, and a P-code: the reference.
fn begins_without_recognition(citizen: &Person<'_>, code: &str) -> String {
    citizen.open("/enrol/consent");
    for part in ["terms", "care", "privacy"] {
        citizen.press(&format!("label[for={part}]"));
    }
    citizen.press("#center");
    citizen.wait("#p_code");
    citizen.look("3-number", &["en", "da"]);
    for (code, found) in [("00000000", "[data-reason='p_code.invalid']"), (code, "#reference")] {
        citizen.fill("p_code", code);
        citizen.press("section form[action='/enrol/number'] button");
        citizen.wait(found);
        citizen.is_sound("P-code");
    }
    citizen.browser.text("#reference").unwrap()
}

/// Approves in person, once the portrait was looked at beside the person.
fn compares_and_approves(demo: &Demo, desk: &Person<'_>) -> String {
    desk.open("/officer/cases");
    desk.press("#queue a");
    desk.wait("#decide");
    let approves = || {
        for part in ["approve", "in_person", "portrait_compared"] {
            desk.press(&format!("label[for={part}]"));
        }
        desk.fill("reason", WHY);
    };
    approves();
    desk.press("#rule");
    // Nobody was shown the portrait: the officer's word is not enough.
    desk.wait("[data-reason='officer.portrait']");
    desk.press("#show-portrait");
    desk.wait("#portrait");
    let drawn = "const picture = document.getElementById('portrait'); \
        return picture.decode().then(() => picture.naturalWidth > 0)";
    assert_eq!(desk.script(drawn), true);
    assert_eq!(looked(demo, "portrait.looked", "bc-18"), 1);
    film(demo, &desk.passport.selfies[0], 0.98, [120, 124, 128]);
    desk.press("#live-button");
    let live = "return document.getElementById('video').videoWidth > 0";
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    while desk.script(live) != true {
        assert!(Instant::now() < deadline, "no live picture");
        sleep(Duration::from_millis(200));
    }
    desk.is_sound("portrait and person");
    desk.browser.whole_page(&pictures().join("officer-portrait-desktop-da.png")).unwrap();
    desk.press("#live-button");
    approves();
    desk.fill("witness", "not an identity");
    desk.press("#rule");
    desk.wait("#error");
    assert!(desk.browser.text("#error").unwrap().contains("Vidnets identitet"));
    desk.fill("witness", "");
    desk.press("#rule");
    desk.wait("[data-decision=issue]");
    assert_eq!(desk.browser.text("#level").unwrap(), "Betydelig");
    desk.browser.text("#pick-up-code").unwrap()
}

/// The owner picks the identity up, sets it up, and reads its number; then blocks it, over HTTP since no page does.
fn picks_up_and_blocks(citizen: &Person<'_>, code: &str) -> String {
    citizen.open("/enrol/pick-up");
    citizen.fill("code", code);
    citizen.press("form[action='/enrol/pick-up'] button");
    citizen.wait("#user_id");
    let case = cookies(citizen).into_iter().find(|c| c["name"] == "indrul-case").unwrap();
    let (_, token) = case["value"].as_str().unwrap().split_once('.').unwrap();
    citizen.activates();
    let identity = citizen.browser.text("#identity").unwrap();
    let block = format!("{}/v1/identities/{identity}/block", citizen.demo.url());
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let request = agent.post(block).header("authorization", format!("Bearer {token}"));
    let blocked: Value = request.send_empty().unwrap().body_mut().read_json().unwrap();
    assert_eq!(blocked["blocked"], true, "{blocked}");
    identity
}

/// A case from home: the officer asks for more, the person reads it, and then it is refused.
fn asks_for_more_and_refuses(demo: &Demo, desk: &Person<'_>) {
    let other = Person::new(demo, "dg1-other-name");
    other.consents();
    other.open("/enrol/borgercenter");
    other.press("#no-time");
    other.wait("#reference");
    desk.open("/officer/cases");
    desk.press("#queue a");
    desk.wait("#decide");
    desk.press("label[for=more]");
    desk.fill("reason", "Tag dit sundhedskort med, og kom igen.");
    desk.press("#rule");
    desk.wait("[data-decision='officer.more']");
    desk.is_sound("more");
    other.open("/enrol/borgercenter");
    assert!(other.browser.text("#asked").unwrap().contains("sundhedskort"));
    other.look("asked", &["en", "da"]);
    desk.press("#back");
    desk.wait("#queue");
    desk.press("#queue a");
    desk.wait(".rulings");
    desk.is_sound("decided before");
    desk.press("label[for=refuse]");
    desk.fill("reason", "Personen vil ikke fortsætte.");
    desk.press("#rule");
    desk.wait("[data-decision='officer.refused']");
    desk.browser.whole_page(&pictures().join("officer-refused-case-desktop-da.png")).unwrap();
    other.open("/enrol/result");
    other.wait("[data-reason='officer.refused']");
    other.look("officer-refused", &["en", "da"]);
}

#[test]
fn a_session_that_ends_is_told_in_time_and_what_was_typed_outlives_it() {
    let demo = demo_with("[policy.officer]\nsession_s = 60\nwarn_s = 50\n");
    let account = Account::add(&demo, "bc-19");
    let desk = desk(&demo);
    signs_in(&desk, &account);
    desk.open("/officer?again");
    desk.wait("#password");
    desk.open("/officer/identities");
    desk.fill("id", "00000000-0000-4000-8000-000000000000");
    desk.fill("reason", WHY);
    desk.wait("#session-left");
    desk.is_sound("the session ends");
    desk.browser.whole_page(&pictures().join("officer-session-desktop-da.png")).unwrap();
    desk.wait("#session .session-ends:not(:has(#session-left))");
    // Nothing is done any more, and the reason waits in this tab for whoever typed it.
    desk.press("form[action='/officer/identities'] button");
    desk.wait("#password");
    tries(&desk, account.name, PASSWORD, &account.code());
    desk.wait("#sign-out");
    desk.open("/officer/identities");
    desk.wait("#draft-kept:not([hidden])");
    assert_eq!(desk.script("return document.getElementById('reason').value"), WHY);
    desk.is_sound("a reason from before");
    desk.press("#sign-out");
    desk.wait("#password");
    assert_eq!(desk.script("return sessionStorage.length"), 0);
}

#[test]
fn a_long_queue_has_pages() {
    let demo = demo();
    let account = Account::add(&demo, "bc-20");
    let cases: Vec<Enrolment> = (0..27)
        .map(|_| {
            let case = Enrolment::start(demo.url(), "120874-0002").unwrap();
            let path = format!("/v1/enrolments/{}/referral", case.id);
            case.send(Method::Post, &path, &json!({})).unwrap();
            case
        })
        .collect();
    let desk = desk(&demo);
    signs_in(&desk, &account);
    let shown = || {
        let links = "return [...document.querySelectorAll('#queue a')].map((a) => a.href.split('/').at(-1))";
        serde_json::from_value::<Vec<String>>(desk.script(links)).unwrap()
    };
    let mut all = shown();
    assert_eq!(all.len(), 25);
    desk.press("#next");
    all.extend(shown());
    looks(&desk, "queue-next");
    let mut begun: Vec<String> = cases.iter().map(|case| case.id.clone()).collect();
    all.sort();
    begun.sort();
    assert_eq!(all, begun, "each case is on one page");
    assert!(desk.browser.text("#next").is_err(), "it is the last");
    desk.press("#first");
    desk.wait("#next");
}

fn reopens(desk: &Person<'_>, identity: &str) {
    desk.open("/officer/identities?id=00000000-0000-4000-8000-000000000000");
    looks(desk, "identities");
    desk.fill("reason", WHY);
    desk.press("form[action='/officer/identities'] button");
    desk.wait("#error");
    desk.is_sound("no such identity");
    desk.fill("id", identity);
    desk.press("form[action='/officer/identities'] button");
    desk.wait("#opened");
    desk.is_sound("opened again");
}
