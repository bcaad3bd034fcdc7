//! The citizen's pages as a person meets them: `enroll demo` in a real Chromium, whose camera shows a
//! generated video of the passport's page and then of a face, and a fixture's chip behind the shell's
//! bridge (docs/bridges.md).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    io::Cursor,
    thread::sleep,
    time::{Duration, Instant},
};

use fixtures::chip::Chip;
use image::{DynamicImage, Rgb, RgbImage};
use indrul_tests::{
    bridge::Bridge,
    demo::Demo,
    person::{PATIENCE, Person, film, pictures},
    run::Plugged,
    testing::virtual_reader,
    webdriver::{Browser, ENTER, SPACE},
};
use serde_json::{Value, json};

/// A running demonstration.
fn demo() -> Demo {
    Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[])
}

#[test]
fn a_person_enrols_with_camera_and_passport_and_activates_the_app() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    person.open("/enrol");
    person.look("1-start", &["en", "da"]);
    person.open("/enrol/consent");
    person.look("2-consent", &["en", "da"]);
    person.open("/enrol/borgercenter");
    person.look("borgercenter", &["en", "da"]);
    person.browser.screen(1280, 1000).unwrap();
    person.consents();
    person.look("4-page", &["en", "da"]);
    person.browser.screen(360, 800).unwrap();
    person.press("#start");
    person.wait("#stop:not([hidden])");
    person.browser.whole_page(&pictures().join("citizen-4-camera-phone-da.png")).unwrap();
    // Coming back later goes on where the person left: the page is read, so the chip is next.
    person.wait("#chip");
    person.open("/enrol");
    person.look("1-resume", &["da"]);
    person.press("#resume");
    person.wait("#chip");
    person.look("5-chip", &["en", "da"]);
    person.browser.screen(360, 800).unwrap();
    person.press("#start");
    person.reads_chip();
    person.wait("#camera");
    person.look("6-face", &["en", "da"]);
    person.browser.screen(360, 800).unwrap();
    person.shows_face();
    person.wait("#start[hidden]");
    person.browser.whole_page(&pictures().join("citizen-6-camera-phone-da.png")).unwrap();
    person.wait("[data-verdict=accepted]");
    person.look("7-good", &["en", "da"]);
    let text = person.browser.text("main").unwrap();
    assert!(text.contains("Betydelig"), "{text}");
    person.press("#continue");
    person.sets_up();
}

/// Counts, apart from the page's own script, what a camera page does from now on: frames under way, how long
/// the server has them, what it refuses, and shifts of the layout (Layout Instability, WICG).
const COUNTS: &str = "
    const counts = window.testCounts = { sent: 0, flying: 0, most: 0, served_ms: 0, refused: 0,
        shifts: 0, advice: 0, first: null, last: null };
    const real = window.fetch;
    window.fetch = async (path, ...more) => {
        const began = performance.now();
        counts.first ??= began;
        counts.flying += 1;
        counts.most = Math.max(counts.most, counts.flying);
        const response = await real(path, ...more);
        counts.flying -= 1;
        counts.sent += 1;
        counts.refused += response.ok ? 0 : 1;
        counts.last = performance.now();
        counts.served_ms += counts.last - began;
        counts.advice = document.getElementById('advice').textContent.length;
        return response;
    };
    new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) counts.shifts += shift.hadRecentInput ? 0 : shift.value;
    }).observe({ type: 'layout-shift' });";

/// Least time from one frame to the next, which the page keeps (`camera.js`), milliseconds.
const GAP_MS: f64 = 80.0;

/// Time of the processor that the page has taken so far, milliseconds: its own work, however busy the machine is.
fn work_ms(person: &Person<'_>) -> f64 {
    let all = person.browser.command("Performance.getMetrics", &json!({})).unwrap();
    let all = all.get("metrics").and_then(Value::as_array).unwrap();
    let task = all.iter().find(|metric| metric.get("name").unwrap() == "TaskDuration").unwrap();
    task.get("value").and_then(Value::as_f64).unwrap() * 1000.0
}

/// Frames for which a camera page is looked at.
const FRAMES: f64 = 20.0;

/// Lets a camera page advise for so many frames, however long the server takes, and counts meanwhile.
#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn advises(person: &Person<'_>, what: &str) {
    let ticks = json!({ "timeDomain": "threadTicks" });
    person.browser.command("Performance.enable", &ticks).unwrap();
    person.script(COUNTS);
    let before = work_ms(person);
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    let counts = loop {
        let counts = person.script("return { ...testCounts }");
        if counts.get("sent").and_then(Value::as_f64).unwrap() >= FRAMES {
            break counts;
        }
        assert!(Instant::now() < deadline, "no more frames: {counts}");
        sleep(Duration::from_millis(200));
    };
    let worked = work_ms(person) - before;
    let count = |name: &str| counts.get(name).and_then(Value::as_f64).unwrap_or_default();
    let (sent, all_ms) = (count("sent"), count("last") - count("first"));
    let own_ms = worked / sent;
    println!(
        "frames of the {what}: {:.1} a second; {:.0} ms each at the server, {own_ms:.0} ms of work in the page",
        sent * 1000.0 / all_ms,
        count("served_ms") / sent
    );
    assert!((count("most") - 1.0).abs() < 0.1, "frames under way at once: {counts}");
    assert!(count("refused") < 0.5, "frames that no reader saw: {counts}");
    assert!(count("shifts") < 1e-9, "the layout shifts while the camera advises: {counts}");
    assert!(count("advice") >= 1.0, "{counts}");
    // Five a second or more, as far as it is the page's: its work for a frame and the pause that it makes.
    let most = 1000.0 / (own_ms + GAP_MS);
    assert!(own_ms > 0.0 && most >= 5.0, "{most:.1} frames a second at most: {counts}");
}

/// Nothing to read, and nobody there.
fn shows_a_wall(demo: &Demo) {
    let mut wall = Cursor::new(Vec::new());
    let grey = RgbImage::from_pixel(640, 400, Rgb([150, 150, 150]));
    DynamicImage::from(grey).write_to(&mut wall, image::ImageFormat::Png).unwrap();
    film(demo, wall.get_ref(), 1.0, [150, 150, 150]);
}

#[test]
fn the_face_in_the_camera_is_looked_at_as_often() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    person.consents();
    person.types_page();
    person.press("#start");
    person.reads_chip();
    person.wait("#camera:not([hidden])");
    shows_a_wall(&demo);
    person.press("#start");
    person.wait("#start[hidden]");
    advises(&person, "face");
    person.is_sound("the camera looks for a face");
}

#[test]
fn the_page_in_the_camera_is_read_from_its_frames() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    shows_a_wall(&demo);
    person.consents();
    person.press("#start");
    person.wait("#stop:not([hidden])");
    advises(&person, "page");
    person.is_sound("the camera looks");
    let advice = person.browser.text("#advice").unwrap();
    assert!(advice.contains("linjer"), "{advice}");
    person.press("#stop");
    film(&demo, &person.passport.page_png().unwrap(), 0.96, [40, 44, 48]);
    person.press("#start");
    person.wait("#chip");
}

/// The way to the decision with lines typed, for a passport that is refused.
fn ends_in(demo: &Demo, fixture: &str, reason: &str, face: bool) {
    let person = Person::new(demo, fixture);
    person.consents();
    person.types_page();
    person.press("#start");
    person.reads_chip();
    if face {
        person.wait("#camera");
        person.shows_face();
    }
    person.wait(&format!("[data-reason='{reason}']"));
    person.wait("a[href='/enrol/borgercenter'].button");
    let text = person.browser.text("main").unwrap();
    assert!(text.contains("Det kan du gøre nu") && text.contains(reason), "{text}");
    person.look(&format!("7-{fixture}"), &["en", "da"]);
}

#[test]
fn refusals_say_what_happened_and_what_to_do_now() {
    let demo = demo();
    ends_in(&demo, "clone", "chip_authentication.failed", false);
    ends_in(&demo, "expired", "document.expired", false);
    ends_in(&demo, "other-face", "face.mismatch", true);
    ends_in(&demo, "morphed-portrait", "face.morph_suspected", true);
}

#[test]
fn a_mistake_is_told_where_it_was_made() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    for (name, path) in [("trouble-no-case", "/enrol/done"), ("trouble-no-page", "/enrol/nothing")]
    {
        person.open(path);
        person.look(name, &["en", "da"]);
    }
    person.open("/enrol/consent");
    person.press("form[action='/enrol/consent'] button");
    person.wait("#error");
    assert_eq!(person.script("return document.activeElement.id"), "error");
    person.is_sound("consent missing");
    person.consents();
    // A letter for a digit: the check digit does not hold, and nothing is put right in silence (B1).
    let wrong = format!("X{}", &person.passport.mrz_lines[1][1..]);
    person.fill("line1", &person.passport.mrz_lines[0]);
    person.fill("line2", &wrong);
    person.press("form[action='/enrol/page'] button");
    person.wait("[data-reason='mrz.check_digit']");
    person.look_here("4-check-digit");
    person.types_page();
    // The passport leaves the phone.
    person.press("#start");
    person.relay();
    person.script("window.testDone({ type: 'failed', reason: 'chip.link_lost' })");
    person.wait("[data-reason='chip.link_lost']");
    person.look_here("5-link-lost");
    person.press("#start");
    person.relay();
    person.script("window.testFail(new Error())");
    person.wait("#start:not([disabled])");
    person.open("/enrol/chip?reason=chip.access_denied");
    person.wait("a[href='/enrol/page'].button");
    person.look_here("5-access-denied");
    is_asked_before_the_case_goes(&person);
}

/// Neither beginning again nor helping somebody drops one's own case before one has said so.
fn is_asked_before_the_case_goes(person: &Person<'_>) {
    for form in ["/enrol/helper", "/enrol/again"] {
        person.open("/enrol");
        person.press(&format!("form[action='{form}'] button"));
        person.wait("#keep");
        person.look_here(&format!("1-sure{}", form.replace('/', "-")));
        person.press("#keep");
        person.wait("#resume");
    }
    person.press("form[action='/enrol/again'] button");
    person.press("#sure");
    person.wait("label[for=terms]");
    person.open("/enrol");
    person.wait("#begin");
}

#[test]
fn the_keyboard_alone_completes_the_enrolment() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    person.open("/enrol");
    person.tab_and("#begin", ENTER);
    for part in ["terms", "care", "privacy", "face"] {
        person.tab_and(&format!("#{part}"), SPACE);
    }
    person.tab_and("form[action='/enrol/consent'] button", ENTER);
    person.tab_and("#cpr", &person.passport.holder.cpr);
    person.tab_and("form[action='/enrol/number'] button", ENTER);
    person.tab_and("#start", ENTER);
    person.wait("#chip:not([hidden])");
    person.tab_and("#start", ENTER);
    person.reads_chip();
    person.wait("#camera:not([hidden])");
    film(&demo, &person.passport.selfies[0], 0.98, [120, 124, 128]);
    person.tab_and("#start", ENTER);
    person.tab_and("#continue", ENTER);
    person.tab_and("#user_id", "anna.keyboard");
    person.browser.keys(ENTER).unwrap();
    person.tab_and("#phone", "+4520304050");
    person.tab_and("#email", "anna@example.invalid");
    person.browser.keys(ENTER).unwrap();
    person.tab_and("#user_id", "anna.keyboard");
    person.tab_and("#send", ENTER);
    person.wait("#codes:not([hidden])");
    person.tab_and("#sms", &demo.code("sms"));
    person.tab_and("#email", &demo.code("email"));
    person.tab_and("#pin", "284917");
    person.tab_and("#pin2", "284917");
    person.tab_and("#go", ENTER);
    person.wait("#receipt");
}

#[test]
fn at_a_desk_the_passport_lies_on_a_reader() {
    let Some(reader) = virtual_reader() else { return };
    let demo = demo();
    let person = Person::without_shell(&demo, "good");
    person.consents();
    person.types_page();
    // Nobody is at the desk yet.
    person.press("#start");
    person.wait("#none:not([hidden])");
    person.look_here("5-no-reader");
    let plugged = Plugged::new(Chip::new(&person.passport)).unwrap();
    drop(plugged.reader().unwrap());
    let _bridge = Bridge::start(env!("CARGO_BIN_EXE_fixtures"), demo.url(), &reader);
    person.press("#start");
    person.wait("#progress[value]");
    person.wait("#camera");
}

#[test]
fn large_text_contrast_and_a_helper_work_on_a_phone() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    person.browser.screen(360, 800).unwrap();
    person.open("/enrol?text=large");
    person.open("/enrol?contrast=high");
    assert_eq!(person.script("return document.documentElement.className"), "large contrast");
    for path in ["/enrol", "/enrol/consent", "/enrol/borgercenter"] {
        person.open(path);
        person.is_sound(&format!("large and contrasting {path}"));
    }
    person.open("/enrol");
    person.browser.whole_page(&pictures().join("citizen-1-start-large-contrast.png")).unwrap();
    person.open("/enrol?contrast=normal");
    person.open("/enrol?text=normal");
    person.press("form[action='/enrol/helper'] button");
    person.wait(".helper");
    person.is_sound("helper");
    person.consents();
    person.browser.whole_page(&pictures().join("citizen-helper-phone-da.png")).unwrap();
    let cookies = person.browser.command("Network.getCookies", &json!({})).unwrap();
    let cookies = cookies["cookies"].as_array().unwrap();
    let case = cookies.iter().find(|c| c["name"] == "indrul-case").unwrap();
    assert_eq!(
        (&case["session"], &case["httpOnly"], &case["sameSite"]),
        (&json!(true), &json!(true), &json!("Strict"))
    );
    assert_eq!(person.script("return document.cookie"), "");
    person.press("form[action='/enrol/leave'] button");
    person.wait("#begin");
    let cookies = person.browser.command("Network.getCookies", &json!({})).unwrap();
    let names: Vec<&str> =
        cookies["cookies"].as_array().unwrap().iter().filter_map(|c| c["name"].as_str()).collect();
    assert!(!names.iter().any(|n| ["indrul-case", "indrul-helper"].contains(n)), "{names:?}");
}

/// Asks for `path` of `demo`, with `headers`: status, headers and body.
fn asked(
    demo: &Demo,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
) -> (u16, ureq::http::HeaderMap, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{}{path}", demo.url()))
        .header("sec-fetch-site", "same-origin");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent.run(request.body(()).unwrap()).unwrap();
    let body = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), answer.headers().clone(), body)
}

#[test]
fn a_page_that_is_kept_back_says_so_in_the_persons_language() {
    let token = "a-kiosk's-token,-of-32-signs;-or-more";
    let kiosk = format!("kiosk-1 {token}");
    let settings = [
        ("INDRUL_LIMITS__ADDRESS_BURST", "6"),
        ("INDRUL_LIMITS__ADDRESS_PER_MINUTE", "1"),
        ("INDRUL_KIOSKS__TOKENS", kiosk.as_str()),
    ];
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &settings);
    let english = ("cookie", "indrul-language=en");
    // These count as well as others do: three of six.
    for (asks, headers, says) in [
        (("GET", "/enrol/leave"), &[][..], "Siden kan ikke hentes på den måde"),
        (("GET", "/kiosk/finish"), &[english], "The page is not to be had in this way"),
        (("DELETE", "/officer/cases"), &[english], "The page is not to be had in this way"),
    ] {
        let (status, head, body) = asked(&demo, asks, headers);
        assert_eq!((status, head.contains_key("allow")), (405, true), "{asks:?}");
        assert!(body.starts_with("<!doctype html>") && body.contains(says), "{asks:?}: {body}");
    }
    for _ in 0..3 {
        assert_eq!(asked(&demo, ("GET", "/enrol"), &[]).0, 200);
    }
    for (asks, headers, says) in [
        (("GET", "/enrol"), &[][..], "for mange"),
        (("GET", "/officer"), &[english], "too many"),
        (("POST", "/kiosk/finish"), &[english], "too many"),
        (("POST", "/log-in"), &[], "for mange"),
    ] {
        let (status, head, body) = asked(&demo, asks, headers);
        assert_eq!(status, 429, "{asks:?}");
        let after: u64 = head["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&after), "{after}");
        assert!(body.starts_with("<!doctype html>"), "{asks:?}: {body}");
        assert!(body.to_lowercase().contains(says), "{asks:?}: {body}");
    }
    let (status, _, body) =
        asked(&demo, ("POST", "/enrol/chip/ticket"), &[("sec-fetch-dest", "empty")]);
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &told["busy"]), (429, &json!(true)), "{body}");
    // A kiosk clears itself whatever was asked before.
    let station = format!("indrul-station=attended.{}", base64url(token));
    let (status, head, _) = asked(&demo, ("POST", "/kiosk/finish"), &[("cookie", &station)]);
    assert_eq!((status, head["location"].to_str().unwrap()), (303, "/kiosk"));
    assert!(head.contains_key("clear-site-data"));
}

/// RFC 4648 §5, without padding.
fn base64url(text: &str) -> String {
    let padded = openssl::base64::encode_block(text.as_bytes());
    padded.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// The code on the helper's screen.
fn shown_code(person: &Person<'_>) -> String {
    person.press("#draw");
    person.wait("#code");
    person.browser.text("#code").unwrap()
}

/// Nobody's app is made on a helper's device, whatever asks for it.
fn makes_no_app(helper: &Person<'_>) {
    let asked = r#"
        const key = { user_id: "anna.eriksson", public_key: "" };
        const activation = { codes: {}, pin: "284917", signature: "" };
        const app = { app: "00000000-0000-4000-8000-000000000000", activation };
        const asks = [["/app/codes", key], ["/app/activation", app],
            ["/enrol/activate/app", key], ["/enrol/activate", app]];
        return Promise.all(asks.map(async ([path, body]) => {
            const headers = { "content-type": "application/json" };
            const sent = { method: "POST", headers, body: JSON.stringify(body) };
            return (await (await fetch(path, sent)).json()).code;
        }));"#;
    assert_eq!(helper.script(asked), json!(vec!["activation.state"; 4]));
}

/// Sets the identity up with a wrong phone number, which is put right by who knows the user ID alone.
fn puts_a_number_right(own: &Person<'_>) {
    let keep = "form[action='/enrol/contacts'] button";
    own.wait("#user_id");
    own.fill("user_id", "anna.eriksson");
    own.press("form[action='/enrol/user-id'] button");
    own.fill("phone", "+45 20 30 40 51");
    own.fill("email", "anna@example.invalid");
    own.press(keep);
    own.wait("#activate:not([hidden])");
    own.press("a[href='/enrol/contacts']");
    own.wait("form[action='/enrol/contacts'] #user_id");
    own.look("8-contacts-again", &["en", "da"]);
    own.fill("phone", "+45 20 30 40 50");
    own.fill("email", "anna@example.invalid");
    own.fill("user_id", "somebody.else");
    own.press(keep);
    own.wait("[data-reason='user_id.other']");
    own.is_sound("another user ID");
    own.fill("user_id", "anna.eriksson");
    own.press(keep);
    own.wait("#activate:not([hidden])");
    own.open("/enrol/user-id");
    own.look("8-user-id-again", &["en", "da"]);
    own.open("/enrol/activate");
    own.wait("#activate:not([hidden])");
    own.fill("user_id", "anna.eriksson");
    own.press("#send");
    own.wait("#codes:not([hidden])");
    own.fill("sms", &own.demo.code("sms"));
    own.fill("email", &own.demo.code("email"));
    own.fill("pin", "284917");
    own.fill("pin2", "284917");
    own.press("#go");
    own.wait("#receipt");
}

#[test]
fn what_a_helper_made_goes_on_to_the_persons_own_device() {
    let demo = demo();
    let helper = Person::new(&demo, "good");
    helper.open("/enrol");
    helper.press("form[action='/enrol/helper'] button");
    helper.consents();
    helper.types_page();
    helper.press("#start");
    helper.reads_chip();
    helper.wait("#camera");
    helper.shows_face();
    helper.press("#continue");
    helper.look("8-hand-over", &["en", "da"]);
    makes_no_app(&helper);
    let lost = shown_code(&helper);
    helper.look_here("8-hand-over-code");
    // The code was lost: another takes its place.
    helper.open("/enrol/next");
    let code = shown_code(&helper);
    assert_ne!(lost, code);
    helper.open("/enrol/user-id");
    helper.wait("a[href='/enrol'].button");

    let own = Person::new(&demo, "good");
    own.open("/enrol/pick-up");
    own.look("8-pick-up", &["en", "da"]);
    own.fill("code", &lost);
    own.press("#pick");
    own.wait("[data-reason='pick_up.unknown']");
    own.is_sound("a code that is worth nothing");
    own.open("/enrol");
    own.open(&format!("/enrol/pick-up#{code}"));
    assert_eq!(own.script("return document.getElementById('code').value"), code);
    assert_eq!(own.script("return location.href.includes('#')"), false, "it stays in no history");
    own.press("#pick");
    puts_a_number_right(&own);

    helper.open("/enrol/hand-over");
    helper.wait("#gone");
    helper.look_here("8-handed-over");
    helper.press("#gone + form button");
    helper.wait("#begin");
    let kept = "return indexedDB.databases().then((all) => [all.length, localStorage.length, \
        sessionStorage.length, document.querySelectorAll('.helper').length])";
    assert_eq!(helper.script(kept), json!([0, 0, 0, 0]), "what the helper's device keeps");
}

#[test]
fn without_scripts_the_forms_work_and_the_camera_says_what_is_needed() {
    let demo = demo();
    let person = Person::new(&demo, "good");
    let off = json!({ "value": true });
    person.open("/enrol");
    person.browser.command("Emulation.setScriptExecutionDisabled", &off).unwrap();
    // No script, no word of the page's that it is being left: each thing waited for is on the next page only.
    person.press("#begin");
    for part in ["terms", "care", "privacy", "face"] {
        person.press(&format!("label[for={part}]"));
    }
    person.press("form[action='/enrol/consent'] button");
    person.press("#cpr");
    person.browser.keys(&person.passport.holder.cpr).unwrap();
    person.press("form[action='/enrol/number'] button");
    person.wait("#line1");
    let text = person.browser.text("main").unwrap();
    assert!(text.contains("kræver JavaScript"), "{text}");
    for (line, text) in [("#line1", 0), ("#line2", 1)] {
        person.press(line);
        person.browser.keys(&person.passport.mrz_lines[text]).unwrap();
    }
    person.press("form[action='/enrol/page'] button");
    person.wait("#chip");
    let text = person.browser.text("main").unwrap();
    assert!(
        text.contains("Hold passet til telefonen") && text.contains("kræver JavaScript"),
        "{text}"
    );
}

#[test]
fn the_first_page_is_light_and_loads_nothing_from_elsewhere() {
    let demo = demo();
    let browser = Browser::start(360, 800).unwrap();
    browser.open(&format!("{}/enrol", demo.url())).unwrap();
    let loaded = "return document.fonts.ready.then(() => [...performance.getEntriesByType('navigation'), \
        ...performance.getEntriesByType('resource')].map((e) => [e.name, e.transferSize]))";
    let loaded = browser.evaluate(loaded).unwrap();
    let loaded = loaded.as_array().unwrap();
    let bytes: u64 = loaded.iter().map(|entry| entry[1].as_u64().unwrap()).sum();
    println!("the first page: {bytes} bytes in {} files", loaded.len());
    let names: Vec<&str> = loaded.iter().map(|entry| entry[0].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| name.starts_with(demo.url())), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("dkfds.css")), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("woff2")), "{names:?}");
    assert!(bytes < 150_000, "{loaded:#?}");
    let size = browser.evaluate("return getComputedStyle(document.documentElement).fontSize");
    assert_eq!(size.unwrap(), "10px", "the design system is not in force");
}

#[test]
fn nobody_else_sends_a_form_and_no_answer_is_kept() {
    let demo = demo();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .build()
        .into();
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://elsewhere.invalid", 403),
        ("x-nothing", "", 403),
        ("sec-fetch-site", "same-origin", 303),
        ("origin", demo.url(), 303),
    ] {
        let request = agent.post(format!("{}/enrol/again", demo.url())).header(name, value);
        assert_eq!(request.send_empty().unwrap().status().as_u16(), status, "{name}: {value}");
    }
    let answer = agent.get(format!("{}/enrol", demo.url())).call().unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "same-origin");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    // A cookie of nobody opens nothing.
    let cookie = "indrul-case=00000000-0000-4000-8000-000000000000.x";
    for path in ["/enrol/page", "/enrol/result", "/enrol/done", "/enrol/chip/state"] {
        let request = agent.get(format!("{}{path}", demo.url())).header("cookie", cookie);
        assert_eq!(request.call().unwrap().status().as_u16(), 401, "{path}");
    }
}
