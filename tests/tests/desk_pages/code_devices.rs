//! The officer's page of code devices: handed out to the person before the desk, looked at, and said to be lost,
//! found, blocked and open again.

use indrul_tests::person::{Person, pictures};

use super::{Account, demo, desk, looks, signs_in, trail};

/// From the start to the issued identity.
fn is_issued(citizen: &Person<'_>) {
    citizen.consents();
    citizen.types_page();
    citizen.press("#start");
    citizen.reads_chip();
    citizen.wait("#camera");
    citizen.shows_face();
    citizen.wait("[data-verdict=accepted]");
}

/// Looks at what a form has led to, which cannot be had again by its address.
fn looks_here(desk: &Person<'_>, name: &str) {
    for (screen, width, height) in [("phone", 360, 800), ("desktop", 1280, 1000)] {
        desk.browser.screen(width, height).unwrap();
        desk.is_sound(&format!("officer {name} {screen}"));
        let file = format!("officer-{name}-{screen}-da.png");
        desk.browser.whole_page(&pictures().join(file)).unwrap();
    }
}

fn hands_out(desk: &Person<'_>, serial: &str, identity: &str, cpr: &str) {
    desk.open("/officer/code-devices");
    desk.wait("#hand-out-button");
    for (field, text) in [("serial", serial), ("identity", identity), ("cpr", cpr)] {
        desk.fill(field, text);
    }
    desk.press("#hand-out-button");
}

#[test]
fn an_officer_hands_a_code_device_out_and_says_how_it_stands() {
    let demo = demo();
    let citizen = Person::new(&demo, "good");
    is_issued(&citizen);
    let cpr = citizen.passport.holder.cpr.clone();
    let desk = desk(&demo);
    signs_in(&desk, &Account::add(&demo, "bc-17"));
    desk.open("/officer/code-devices");
    desk.wait("#hand-out-button");
    looks(&desk, "code-devices");
    is_refused(&desk, &cpr);
    // What lies in stock: nothing can be said of it.
    desk.open("/officer/code-devices?serial=qa-kv-0001");
    desk.wait("#state[data-state=in_stock]");
    looks(&desk, "code-devices-in-stock");
    assert_eq!(desk.script("return document.querySelectorAll('[id^=say-]').length"), 0);
    hands_out(&desk, "qa-kv-0001 ", "", &cpr);
    desk.wait("#handed");
    desk.wait("#state[data-state=inactive]");
    looks_here(&desk, "code-devices-handed");
    assert!(!desk.browser.text("main").unwrap().contains(&cpr), "the number is not kept on it");
    for (said, state) in
        [("lost", "lost"), ("found", "inactive"), ("blocked", "blocked"), ("reopened", "inactive")]
    {
        desk.press(&format!("#say-{said}"));
        desk.wait(&format!("#state[data-state={state}]:not(:has(#handed))"));
        looks_here(&desk, &format!("code-devices-{said}"));
        desk.open("/officer/code-devices?serial=QA-KV-0001");
        desk.wait(&format!("#state[data-state={state}]"));
    }
    looks(&desk, "code-devices-inactive");
    let trail = trail(&demo);
    let of = |kind: &str| trail.iter().filter(|entry| entry.kind == kind).collect::<Vec<_>>();
    assert_eq!(of("code_device.handed_out")[0].data["officer"], "bc-17");
    for kind in ["lost", "found", "blocked", "reopened"] {
        let said = of(&format!("code_device.{kind}"));
        assert_eq!((said.len(), &said[0].data["actor"]["officer"]), (1, &"bc-17".into()), "{kind}");
    }
}

/// What does not fit is told on the page, with what was typed still in it.
fn is_refused(desk: &Person<'_>, cpr: &str) {
    hands_out(desk, "QA-KV-0404", "", cpr);
    desk.wait("[data-reason='code_device.state']");
    let told = desk.script("return document.getElementById('error').innerText");
    let told = told.as_str().unwrap();
    assert!(told.contains("slå det op") && !told.contains("Kontakt"), "{told}");
    looks_here(desk, "code-devices-refused");
    let typed = desk.script("return document.getElementById('serial').value");
    assert_eq!(typed, "QA-KV-0404");
    for (name, identity, cpr) in
        [("neither", "", ""), ("both", "17", cpr), ("nobody", "", "0101900000")]
    {
        hands_out(desk, "QA-KV-0001", identity, cpr);
        desk.wait("#error");
        looks_here(desk, &format!("code-devices-{name}"));
    }
    desk.open("/officer/code-devices?serial=QA-KV-0404");
    desk.wait("#error");
    looks(desk, "code-devices-unknown");
}
