//! The QA console in a real Chromium: the catalogue, a run with its trace and times, scripted registers, and the
//! reasons. That another server has none of it is tested in `server/tests/serve.rs`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use indrul_tests::{
    demo::Demo,
    person::{PATIENCE, pictures},
    sound,
    webdriver::Browser,
};
use serde_json::{Value, json};

/// Somebody at QA.
struct Tester {
    demo: Demo,
    browser: Browser,
}

impl Tester {
    fn new() -> Self {
        let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[]);
        Self { demo, browser: Browser::start(1280, 1200).unwrap() }
    }

    fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.demo.url())).unwrap();
    }

    fn wait(&self, css: &str) {
        if let Err(error) = self.browser.wait_for(css, PATIENCE) {
            let text = self.browser.text("main").unwrap_or_default();
            panic!("{error} at {}: {text}", self.browser.url().unwrap());
        }
    }

    fn press(&self, css: &str) {
        self.wait(css);
        self.browser.click(css).unwrap();
    }

    fn script(&self, script: &str) -> Value {
        self.browser.evaluate(script).unwrap()
    }

    /// Looks at `path` in both languages, on a phone and on a screen.
    fn look(&self, name: &str, path: &str) {
        for language in ["en", "da"] {
            let sign = if path.contains('?') { '&' } else { '?' };
            self.open(&format!("{path}{sign}lang={language}"));
            assert_eq!(self.script("return document.documentElement.lang"), language);
            for (screen, width, height) in [("phone", 360, 800), ("screen", 1280, 1000)] {
                self.browser.screen(width, height).unwrap();
                sound::check(&self.browser, &format!("{name} {language} {screen}"));
                let file = format!("qa-{name}-{screen}-{language}.png");
                self.browser.whole_page(&pictures().join(file)).unwrap();
            }
        }
    }

    /// Chooses `value` in the list `id`.
    fn choose(&self, id: &str, value: &str) {
        self.script(&format!("document.getElementById({id:?}).value = {value:?}"));
    }

    /// Runs `fixture` and waits for what comes of it: whether that was expected, and the reasons.
    fn run(&self, fixture: &str) -> (String, Vec<String>) {
        self.open(&format!("/qa/fixtures/{fixture}"));
        self.press("#run");
        self.wait("[data-same]");
        for _ in 0..3000 {
            let going = "return document.querySelector('[role=status].notice') !== null";
            if self.script(going) == false {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let told = "return [document.querySelector('[data-same]').dataset.same, \
            [...document.querySelectorAll('[data-same] > div:nth-child(2) a')].map((a) => a.textContent)]";
        serde_json::from_value(self.script(told)).unwrap()
    }
}

#[test]
fn a_fixture_is_run_and_its_trace_is_opened_line_by_line() {
    let qa = Tester::new();
    qa.look("catalogue", "/qa");
    let listed = qa.script("return document.querySelectorAll('[data-fixture]').length");
    assert!(listed.as_u64().unwrap() >= 6, "{listed}");

    assert_eq!(qa.run("good"), ("good".to_owned(), vec![]));
    // Each detail open, as one looks at it.
    qa.script("document.querySelectorAll('.trace details').forEach((d) => { d.open = true; })");
    let text = qa.browser.text("main").unwrap();
    for said in [
        "SELECT: vælg pas-applikationen",
        "MSE:Set AT: begynd PACE",
        "PACE 4",
        "READ BINARY: EF.SOD",
        "READ BINARY: DG2",
        "8E: MAC over det hele og tælleren",
        "Tælleren (SSC), under AES-128",
        "nøgleaftale med chippens faste nøgle",
    ] {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    // EF.SOD begins with its tag, which nobody reads without the keys.
    let inside = "return [...document.querySelectorAll('.inside .code')].map((c) => c.textContent)";
    let inside: Vec<String> = serde_json::from_value(qa.script(inside)).unwrap();
    assert!(inside.iter().any(|bytes| bytes.starts_with("7782")), "{inside:?}");
    let bars = qa.script("return document.querySelectorAll('.chart .bar').length");
    assert!(bars.as_u64().unwrap() >= 8, "{bars}");
    sound::check(&qa.browser, "an opened trace");
    qa.look("fixture", "/qa/fixtures/good");
    qa.open("/qa/fixtures/good");
    qa.script("document.querySelectorAll('.trace details')[6].open = true; document.querySelectorAll('.trace details')[9].open = true");
    qa.browser.whole_page(&pictures().join("qa-trace-screen-da.png")).unwrap();

    // A group of variations, whose issuers this service does not know; and one of them.
    qa.open("/qa/groups/cards");
    qa.press("#run-group");
    qa.wait("[data-same=none]");
    for _ in 0..3000 {
        if qa.browser.wait_for("#going", 0).is_err() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let same =
        "return [...document.querySelectorAll('[data-fixture]')].map((row) => row.dataset.same)";
    assert_eq!(qa.script(same), json!(["good", "good", "good", "good"]));
    assert_eq!(qa.run("mac-wrong"), ("good".to_owned(), vec!["chip.secure_messaging".to_owned()]));
    let text = qa.browser.text("main").unwrap();
    assert!(text.contains("beskyttet"), "{text}");
}

#[test]
fn all_of_the_demonstration_end_as_expected_and_each_reason_has_its_text() {
    let qa = Tester::new();
    qa.open("/qa");
    qa.press("#run-own");
    qa.wait("#going");
    sound::check(&qa.browser, "a run goes on");
    // One at a time.
    let busy = qa.script("return fetch('/qa/runs', { method: 'POST', body: new URLSearchParams({ group: '' }) }).then((r) => r.status)");
    assert_eq!(busy, 409);
    let all = "return [...document.querySelectorAll('[data-fixture]')].every((row) => row.dataset.same !== 'none')";
    for _ in 0..3000 {
        if qa.script(all) == true {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let wrong = "return [...document.querySelectorAll('[data-fixture]')].filter((row) => row.dataset.same !== 'good').map((row) => row.innerText)";
    assert_eq!(qa.script(wrong), json!([]), "not as expected");
    qa.look("catalogue-run", "/qa");
    qa.press("[data-fixture=clone] td:nth-child(3) a");
    let target = "return document.querySelector(':target').innerText";
    let text = qa.script(target);
    assert!(text.as_str().unwrap().starts_with("chip_authentication.failed"), "{text}");
    qa.look("reasons", "/reasons");
    qa.look("group", "/qa/groups/access");
}

#[test]
fn the_registers_say_what_they_are_told_to() {
    let qa = Tester::new();
    qa.open("/qa/registers");
    qa.choose("fixture", "good");
    qa.choose("document", "stolen");
    qa.press("#set-answer");
    qa.wait("#saved");
    qa.wait("#changed");
    qa.look("registers", "/qa/registers");
    assert_eq!(qa.run("good"), ("bad".to_owned(), vec!["document.status.stolen".to_owned()]));
    qa.look("fixture-stolen", "/qa/fixtures/good");
    qa.open("/qa/registers");
    qa.choose("fixture", "good");
    qa.choose("person", "deceased");
    qa.press("#set-answer");
    assert_eq!(qa.run("good").1, ["person.deceased"]);
    qa.open("/qa/registers");
    qa.press("#reset");
    qa.wait("#saved");
    qa.choose("fault-persons", "fails");
    qa.choose("delay-persons", "150");
    qa.press("#set-persons");
    qa.wait("#saved");
    assert_eq!(qa.run("good").1, ["person.unavailable"]);
    // What is not in the form changes nothing, and nobody else's page changes anything.
    let refused = |body: &str, site: &str| {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{}/qa/registers", qa.demo.url()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.header("sec-fetch-site", site).send(body).unwrap().status().as_u16()
    };
    let delay = "change=behaviour&register=persons&fault=scripted&delay_ms=60001";
    assert_eq!(refused(delay, "same-origin"), 422);
    assert_eq!(refused("change=reset", "cross-site"), 403);
    qa.open("/qa/registers");
    assert_eq!(qa.script("return document.getElementById('delay-persons').value"), "150");
}
