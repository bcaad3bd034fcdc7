//! The pictures of the README, made anew by `scripts/screenshots`: fixture persons only, and no face that can be
//! known. Run on demand, since it writes into the sources.

#![expect(clippy::unwrap_used, reason = "a program that cannot go on fails")]

use std::{fs, path::PathBuf};

use fixtures::{catalogue, passport::Passport, portraits::Portraits};
use indrul_tests::{
    demo::Demo,
    person::{Person, film},
    testing::{root, today},
    webdriver::Browser,
};
use serde_json::{Value, json};

/// Largest file, in bytes.
const MOST: usize = 80_000;

/// Where they lie.
fn folder() -> PathBuf {
    let folder = root().join("docs/screenshots");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A screen of this many CSS pixels, a little sharper than one pixel each.
fn screen(browser: &Browser, (width, height): (u32, u32), sharpness: f32) {
    let screen =
        json!({"width": width, "height": height, "deviceScaleFactor": sharpness, "mobile": false});
    browser.command("Emulation.setScrollbarsHidden", &json!({"hidden": true})).unwrap();
    browser.command("Emulation.setDeviceMetricsOverride", &screen).unwrap();
}

/// Keeps what the screen shows as `name`, its faces blurred: those that the fixtures have are of real people.
fn keep(browser: &Browser, name: &str, faces: &str) {
    let blur = format!(
        "document.querySelectorAll({faces:?}).forEach((one) => {{ one.style.filter = 'blur(9px)'; }}); \
        return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"
    );
    browser.evaluate(&blur).unwrap();
    let how = json!({"format": "webp", "quality": 70});
    let answer = browser.command("Page.captureScreenshot", &how).unwrap();
    let file = answer.get("data").and_then(Value::as_str).unwrap();
    let file = openssl::base64::decode_block(file).unwrap();
    assert!(file.len() < MOST, "{name}: {} bytes", file.len());
    fs::write(folder().join(format!("{name}.webp")), file).unwrap();
}

const PHONE: (u32, u32) = (360, 720);
const FACES: &str = "img[src*=demo], video";

/// Until the chip of `person` is read, with pictures on the way.
fn reads(person: &Person<'_>) {
    screen(&person.browser, PHONE, 1.5);
    person.open("/enrol");
    keep(&person.browser, "1-start", FACES);
    person.consents();
    // The passport's page with a portrait that is drawn: nothing of it has to be blurred.
    let spec = catalogue::find("good").unwrap().spec;
    let drawn = Passport::make(&spec, &Portraits::drawn(), today()).unwrap();
    film(person.demo, &drawn.page_png().unwrap(), 0.9, [40, 44, 48]);
    person.press("#start");
    person.wait("#stop:not([hidden])");
    person.script("document.getElementById('camera').scrollIntoView()");
    keep(&person.browser, "2-page", "img");
    person.wait("#chip");
    keep(&person.browser, "3-chip", FACES);
    person.press("#start");
    person.reads_chip();
}

#[test]
#[ignore = "it writes the README's pictures: scripts/screenshots"]
fn the_pictures_of_the_readme() {
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[]);
    let person = Person::new(&demo, "good");
    reads(&person);
    person.wait("#camera");
    person.shows_face();
    person.wait("[data-verdict=accepted]");
    keep(&person.browser, "5-result", FACES);
    let refused = Person::new(&demo, "clone");
    screen(&refused.browser, PHONE, 1.5);
    refused.consents();
    refused.types_page();
    refused.press("#start");
    refused.reads_chip();
    refused.wait("[data-reason='chip_authentication.failed']");
    keep(&refused.browser, "6-refused", FACES);
    drop(refused);
    let browser = &person.browser;
    screen(browser, (1100, 760), 1.0);
    person.open("/");
    person.press("[data-fixture=good] button");
    person.wait("[data-verdict=accepted]");
    keep(browser, "7-demonstration", FACES);
    person.open("/qa/fixtures/good");
    person.wait(".trace");
    person.script(
        "document.querySelectorAll('.trace details')[6].open = true; \
        document.getElementById('apdu-3').scrollIntoView()",
    );
    keep(browser, "8-trace", FACES);
}

#[test]
#[ignore = "it writes the README's pictures: scripts/screenshots"]
fn the_picture_of_the_challenge() {
    let policy = "[policy]\nrequired = [\"face.challenge\"]\n";
    let demo = Demo::with(env!("CARGO_BIN_EXE_fixtures"), &[], policy);
    let person = Person::new(&demo, "good");
    screen(&person.browser, PHONE, 1.5);
    person.consents();
    person.types_page();
    person.press("#start");
    person.reads_chip();
    person.wait("#camera:not([hidden])");
    person.script("const style = new CSSStyleSheet(); style.replaceSync('video { filter: blur(9px); }'); document.adoptedStyleSheets = [style]");
    person.shows_face();
    person.wait("#stage[open]:not([data-to=straight])");
    keep(&person.browser, "4-face", "video");
}
