//! A kiosk at which somebody goes on, and one that is left.

use std::time::{Duration, Instant};

use indrul_tests::person::Person;
use serde_json::json;

use super::{cookies, demo, demo_with, is_cleared, is_handed_over, kiosk, types_reference};

#[test]
fn a_kiosk_that_is_left_clears_itself_and_the_case_waits_on() {
    let demo = demo_with("[policy.desk.idle]\nafter_s = 30\nwarn_s = 25\n");
    let citizen = Person::new(&demo, "good");
    let reference = is_handed_over(&citizen);
    let kiosk = kiosk(&demo, "good", "attended", true);
    kiosk.open("/kiosk?lang=en");
    types_reference(&kiosk, &reference);
    is_left(&kiosk);
    citizen.open("/enrol");
    citizen.press("#resume");
    citizen.wait("#reference");
    // What a kiosk was left with opens there again.
    types_reference(&kiosk, &reference);
    kiosk.wait("#line1");
}

#[test]
fn a_kiosk_gives_the_code_to_who_is_there_and_to_nobody_after_them() {
    let demo = demo();
    let citizen = Person::new(&demo, "good");
    citizen.consents();
    citizen.open("/enrol/borgercenter");
    citizen.look("borgercenter-open", &["en", "da"]);
    let reference = is_handed_over(&citizen);

    let kiosk = kiosk(&demo, "good", "attended", true);
    // A wrong sign is told before anything is looked up.
    let wrong = if reference.starts_with('2') { "3" } else { "2" };
    types_reference(&kiosk, &format!("{wrong}{}", &reference[1..]));
    kiosk.wait("[data-reason='reference.form']");
    kiosk.look_here("reference-form");
    kiosk.browser.screen(1080, 1920).unwrap();
    types_reference(&kiosk, &reference);
    kiosk.wait("#line1");
    kiosk.look("page", &["en", "da"]);
    let none = kiosk.script("return document.getElementById('camera').dataset.none");
    assert!(none.as_str().unwrap().contains("medarbejder"), "{none}");
    kiosk.browser.screen(1080, 1920).unwrap();
    // REQUIREMENTS M1: 60 seconds, of which the last 20 are counted down.
    let times =
        "const { idle, warn } = document.getElementById('idle').dataset; return [idle, warn]";
    assert_eq!(kiosk.script(times), json!(["60", "20"]));
    kiosk.script("document.getElementById('idle').showModal()");
    kiosk.look_here("idle");
    kiosk.press("#stay");
    kiosk.wait("#idle:not([open])");
    kiosk.types_page();
    kiosk.wait("#chip:not([hidden])");
    kiosk.press("#start");
    kiosk.reads_chip();
    kiosk.wait("#camera");
    kiosk.shows_face();
    kiosk.wait("[data-verdict=accepted]");
    assert_eq!(kiosk.script(times), json!(["300", "20"]), "somebody may be writing it down");
    kiosk.wait("#pick-up-qr");
    kiosk.look_here("issued");
    let code = kiosk.browser.text("#pick-up-code").unwrap();
    assert_eq!(code.len(), 19, "{code}");
    kiosk.press("#finish-button");
    is_cleared(&kiosk);

    // Another device than the one on which it began: the code alone is enough, once.
    let own = Person::new(&demo, "good");
    for found in ["#user_id", "[data-reason='pick_up.unknown']"] {
        own.open("/enrol/pick-up");
        own.fill("code", &code);
        own.press("form[action='/enrol/pick-up'] button");
        own.wait(found);
    }
}

/// Nobody is at the kiosk any more, whose times are shorter here: it warns before, which can be stopped, and clears
/// itself.
fn is_left(kiosk: &Person<'_>) {
    kiosk.wait("#line1");
    let opened = Instant::now();
    kiosk.open("/enrol/page");
    let case = cookies(kiosk).into_iter().find(|c| c["name"] == "indrul-case").unwrap();
    assert_eq!(
        (&case["session"], &case["httpOnly"], &case["sameSite"]),
        (&json!(true), &json!(true), &json!("Strict"))
    );
    kiosk.wait("#idle[open]");
    assert!(opened.elapsed() >= Duration::from_millis(2900), "{:?}", opened.elapsed());
    assert_eq!(kiosk.script("return document.activeElement.id"), "stay");
    kiosk.press("#stay");
    kiosk.wait("#idle:not([open])");
    kiosk.wait("#idle[open]");
    kiosk.wait("#waits");
    assert!(opened.elapsed() >= Duration::from_millis(12_900), "{:?}", opened.elapsed());
    assert_eq!(kiosk.script("return document.documentElement.lang"), "da", "choices are cleared");
    is_cleared(kiosk);
    // The token of the visit is dead, whoever kept it.
    let kept = format!("indrul-case={}", case["value"].as_str().unwrap());
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let answer =
        agent.get(format!("{}/enrol/page", kiosk.demo.url())).header("cookie", kept).call();
    assert_eq!(answer.unwrap().status().as_u16(), 401);
}
