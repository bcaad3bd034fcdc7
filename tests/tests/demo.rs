//! The demonstration as a person meets it: `enroll demo`, its page in a real Chromium, and one
//! enrolment from *Start* to the issued identity.

use std::time::Instant;

use indrul_tests::{
    demo::Demo,
    person::{PATIENCE, pictures},
    sound,
    webdriver::Browser,
};

#[test]
fn a_person_starts_an_enrolment_and_watches_it_end_in_an_identity() {
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[]);
    let browser = Browser::start(1280, 1400).unwrap();
    browser.open(demo.url()).unwrap();
    browser.screenshot(&pictures().join("demo-start.png")).unwrap();
    let started = Instant::now();
    browser.click("[data-fixture=good] button").unwrap();
    browser.wait_for("[data-verdict=accepted]", PATIENCE).unwrap();
    println!("from Start to the identity: {} ms", started.elapsed().as_millis());
    browser.screenshot(&pictures().join("demo-good.png")).unwrap();
    sound::check(&browser, "an issued identity");
    let place = browser.url().unwrap();
    for (name, address) in [
        ("start", format!("{}/?lang=en", demo.url())),
        ("start", format!("{}/?lang=da", demo.url())),
        ("watched", place.replace("lang=da", "lang=en")),
        ("trouble", format!("{}/demo/enrolments/none?lang=en", demo.url())),
        ("trouble", format!("{}/demo/enrolments/none?lang=da", demo.url())),
        ("watched", place),
    ] {
        browser.open(&address).unwrap();
        sound::check(&browser, name);
    }
    let text = browser.text("main").unwrap();
    assert!(text.contains("Betydelig"), "{text}");
    let failed =
        browser.evaluate("return document.querySelectorAll('[data-outcome=failed]').length");
    assert_eq!(failed.unwrap(), 0);
    let passed =
        browser.evaluate("return document.querySelectorAll('[data-outcome=passed]').length");
    assert!(passed.unwrap().as_u64().unwrap() >= 10, "{text}");
}

#[test]
fn a_copied_chip_is_refused_in_words_that_say_what_to_do() {
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[]);
    let browser = Browser::start(360, 900).unwrap();
    browser.open(demo.url()).unwrap();
    browser.screenshot(&pictures().join("demo-phone.png")).unwrap();
    browser.click("[data-fixture=clone] button").unwrap();
    browser.wait_for("[data-verdict=refused]", PATIENCE).unwrap();
    browser.screenshot(&pictures().join("demo-clone-phone.png")).unwrap();
    let text = browser.text("main").unwrap();
    assert!(text.contains("chip_authentication.failed"), "{text}");
    assert!(text.contains("Borgercenter"), "{text}");
    sound::check(&browser, "a refusal on a phone");
}
