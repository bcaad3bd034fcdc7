//! The face page where the policy asks for the challenge (docs/face-challenge.md): what the person is told and
//! shown, that the screen never flashes, and that the pictures which the page takes answer the challenge. The
//! camera is a canvas on which the test shows what it filmed for the script that was drawn.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use fixtures::{capture::Species, portraits::Portraits};
use indrul_tests::{
    captures::Studio,
    demo::Demo,
    person::{PATIENCE, Person, pictures},
    testing::data,
};
use liveness::{Engine, challenge::Script};
use serde_json::{Value, json};

/// The shipped policy's checks, and the challenge.
const POLICY: &str = "[policy]
required = [\"mrz.check_digits\", \"chip.access\", \"sod.signature\", \"sod.digest\", \"dg.hash\",
  \"signer.chain\", \"signer.validity\", \"signer.country\", \"document.type\", \"document.validity\",
  \"document.page_match\", \"document.status\", \"face.detected\", \"face.quality\", \"face.match\",
  \"face.morph\", \"person.match\", \"person.status\", \"person.age\", \"face.challenge\"]
attempts = { page = 10, chip = 20, face = 12 }
";

/// A camera that shows `testStill`, and while a challenge plays `testFilm`, one frame for each
/// `testEvery` ms, with the noise of a camera; the answer to the draw waits for the film, if one is to be
/// made. When the screen changed its colour is noted apart from the page.
const CAMERA: &str = "
    Object.assign(window, { testStill: null, testFilm: null, testWants: false, testColours: [] });
    const picture = async (base64) =>
        createImageBitmap(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))]));
    window.testLoad = async (list) => Promise.all(list.map(picture));
    const real = window.fetch;
    window.fetch = async (path, ...more) => {
        const response = await real(path, ...more);
        if (path !== '/enrol/face/challenge' || !response.ok || !window.testWants) return response;
        window.testDrawn = await response.clone().text();
        while (!window.testFilm) await new Promise((done) => setTimeout(done, 50));
        return response;
    };
    let began = null;
    document.addEventListener('DOMContentLoaded', () => {
        const stage = document.getElementById('stage');
        if (!stage) return;
        new MutationObserver(() => {
            if (!stage.open) { began = null; return; }
            const shown = stage.dataset.colour;
            if (shown && began === null) began = performance.now();
            const last = window.testColours.at(-1);
            const colour = getComputedStyle(stage).backgroundColor;
            if (shown && (!last || last[1] !== colour)) window.testColours.push([performance.now(), colour]);
        }).observe(stage, { attributes: true });
    });
    navigator.mediaDevices.getUserMedia = async () => {
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [window.testStill.width, window.testStill.height];
        const context = canvas.getContext('2d');
        const noise = new OffscreenCanvas(256, 256);
        const grain = noise.getContext('2d');
        const data = grain.createImageData(256, 256);
        for (let i = 0; i < data.data.length; i++) data.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
        grain.putImageData(data, 0, 0);
        const draw = () => {
            const [w, h] = [canvas.width, canvas.height];
            const at = began === null || !window.testFilm ? -1
                : (performance.now() - began) / window.testEvery;
            const last = window.testFilm ? window.testFilm.length - 1 : 0;
            const first = Math.min(last, Math.floor(at));
            context.globalAlpha = 1;
            context.drawImage(at < 0 ? window.testStill : window.testFilm[first], 0, 0, w, h);
            if (at >= 0 && first < last) {
                context.globalAlpha = at - first;
                context.drawImage(window.testFilm[first + 1], 0, 0, w, h);
            }
            context.globalAlpha = 0.015;
            const [x, y] = [Math.random() * 128, Math.random() * 128];
            for (let left = -x; left < w; left += 256)
                for (let top = -y; top < h; top += 256) context.drawImage(noise, left, top);
        };
        draw();
        setInterval(draw, 66);
        return canvas.captureStream(15);
    };";

fn base64(file: &[u8]) -> String {
    openssl::base64::encode_block(file)
}

/// A person before such a camera, whose passport is proved.
fn before_the_camera(demo: &Demo) -> Person<'_> {
    let person = Person::new(demo, "good");
    person
        .browser
        .command("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": CAMERA }))
        .unwrap();
    person.consents();
    person.types_page();
    person.press("#start");
    person.reads_chip();
    person.wait("#camera:not([hidden])");
    person
}

/// Shows the person as they sit there.
fn sits_there(person: &Person<'_>) {
    let still = base64(&person.passport.selfies[0]);
    person.script(&format!("return testLoad(['{still}']).then(([one]) => {{ testStill = one; testFilm = null; testWants = false; }})"));
}

/// Sits before the camera until a challenge plays; a busy machine may be too slow at first.
fn begins(person: &Person<'_>) {
    for _ in 0..20 {
        sits_there(person);
        person.press("#start");
        person.wait("#start[hidden]");
        person.wait("#stage[open][data-colour], #start:not([hidden])");
        if person.script("return document.getElementById('stage').open") == true {
            return;
        }
        sleep(Duration::from_secs(2));
    }
    panic!("no challenge: {}", person.browser.text("main").unwrap());
}

/// Films what the person does for the challenge that the page draws now; false if it draws none, since the
/// machine takes pictures too slowly.
#[expect(clippy::print_stdout, reason = "filming has to be quicker than a challenge is good for")]
fn films(person: &Person<'_>, studio: &Studio) -> bool {
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    let drawn = loop {
        if let Some(drawn) = person.script("return window.testDrawn ?? null").as_str() {
            break serde_json::from_str::<Value>(drawn).unwrap();
        }
        if person.script("return !document.getElementById('start').hidden") == true {
            return false;
        }
        assert!(
            Instant::now() < deadline,
            "no challenge: {}",
            person.browser.text("main").unwrap()
        );
        sleep(Duration::from_millis(100));
    };
    let began = Instant::now();
    let script: Script = serde_json::from_value(drawn["script"].clone()).unwrap();
    let portrait = studio.portrait("obama.jpg").unwrap();
    let film = studio.answer(Species::Person, portrait, 1, (&[0; 32], &script)).unwrap();
    let shots: Vec<String> = film.shots.iter().map(|shot| base64(&shot.picture)).collect();
    let every = script.frame_every_ms;
    person.script(&format!(
        "delete window.testDrawn; testEvery = {every}; \
        return testLoad({}).then((film) => {{ testFilm = film; }})",
        json!(shots)
    ));
    println!("filmed {} pictures in {} ms", shots.len(), began.elapsed().as_millis());
    true
}

/// The colours that the screen showed since the last look: when it changed to each, in milliseconds.
fn changes(person: &Person<'_>) -> Vec<f64> {
    let told = person.script("return window.testColours.splice(0)");
    let told: Vec<(f64, String)> = serde_json::from_value(told).unwrap();
    let pure = [
        "rgb(255, 0, 0)",
        "rgb(255, 255, 0)",
        "rgb(0, 255, 0)",
        "rgb(0, 255, 255)",
        "rgb(0, 0, 255)",
        "rgb(255, 0, 255)",
    ];
    assert!(told.iter().all(|(_, colour)| pure.contains(&colour.as_str())), "{told:?}");
    told.into_iter().map(|(at, _)| at).collect()
}

/// Waits until the screen asks for a turn, which is looked at. A machine that is too slow on the way gives up
/// first, and tries again.
fn stands_before_the_stage(person: &Person<'_>) {
    for _ in 0..3 {
        begins(person);
        person.is_sound("the challenge");
        assert_eq!(person.script("return document.activeElement.id"), "abort");
        person.wait("#stage[open]:not([data-to=straight]), #start:not([hidden])");
        if person.browser.wait_for("#stage[open]:not([data-to=straight])", 1).is_ok() {
            return;
        }
    }
    panic!("no challenge lasted until it was looked at");
}

/// Sitting still is not following, and the colours shown meanwhile never flash.
#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn sits_still(person: &Person<'_>) {
    // A machine that is too slow on the way says so, and tries again.
    for _ in 0..3 {
        begins(person);
        person.wait("#missed:not([hidden]), #start:not([hidden])");
        if person.browser.wait_for("#missed:not([hidden])", 1).is_ok() {
            break;
        }
        println!("sitting still: {}", person.browser.text("#advice").unwrap());
    }
    person.wait("#missed:not([hidden])");
    let text = person.browser.text("main").unwrap();
    assert!(
        text.contains("passede ikke til det, vi bad om") && text.contains("Hver øvelse er ny"),
        "{text}"
    );
    person.look_here("6-missed");
    let seen = changes(person);
    assert!(seen.len() >= 6, "{seen:?}");
    // WCAG 2.2 §2.3.1: no more than three in any second.
    let busiest = seen
        .iter()
        .map(|from| seen.iter().filter(|at| (0.0..1000.0).contains(&(*at - from))).count());
    assert!(busiest.clone().max() <= Some(3), "{seen:?}");
    println!("{} colours, at most {} in a second", seen.len(), busiest.max().unwrap());
}

#[test]
fn a_person_follows_the_challenge_and_whoever_does_not_is_told_how() {
    // proves D3
    let demo = Demo::with(env!("CARGO_BIN_EXE_fixtures"), &[], POLICY);
    let portraits = Portraits::load(&data().join("portraits")).unwrap();
    let studio = Studio::new(Engine::load(&data().join("models")).unwrap(), &portraits).unwrap();
    let person = before_the_camera(&demo);
    person.look("6-challenge", &["en", "da"]);
    person.browser.screen(360, 800).unwrap();
    let calm = "return getComputedStyle(document.querySelector('.calm')).display !== 'none'";
    assert_eq!(person.script(calm), false);
    let reduced = json!({"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]});
    person.browser.command("Emulation.setEmulatedMedia", &reduced).unwrap();
    assert_eq!(person.script(calm), true, "whoever asked for less motion is told of the colours");

    // Who wants out presses Escape, and no picture leaves the page.
    stands_before_the_stage(&person);
    person.browser.screenshot(&pictures().join("citizen-6-stage-phone-da.png")).unwrap();
    person.browser.keys("\u{e00c}").unwrap();
    person.wait("#start:not([hidden])");
    let text = person.browser.text("#advice").unwrap();
    assert!(text.contains("Du stoppede"), "{text}");

    sits_still(&person);

    // Who follows is accepted; a machine that is busy elsewhere may spoil some tries, and the page says so.
    for tries in 1..=7 {
        sits_there(&person);
        person.script("window.testWants = true");
        // Still shown from the try before, until the page begins.
        person.press("#start");
        person.wait("#start[hidden]");
        if films(&person, &studio) {
            person.wait("[data-verdict=accepted], #start:not([hidden])");
        }
        if person.browser.wait_for("[data-verdict=accepted]", 1).is_ok() {
            return;
        }
        println!("try {tries}: {}", person.browser.text("#advice").unwrap());
        sleep(Duration::from_secs(2));
    }
    let shots = person.script("return document.getElementById('stage')?.dataset.shots ?? null");
    panic!("nobody was accepted; pictures at {shots}");
}

#[test]
fn without_such_a_policy_one_picture_is_enough() {
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[]);
    let person = before_the_camera(&demo);
    assert_eq!(person.script("return document.querySelectorAll('#stage, #flashes').length"), 0);
}
