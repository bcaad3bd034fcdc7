//! The citizen's pages as a person meets them: `enroll demo` in a real Chromium, whose camera shows a
//! generated video of the passport's page and then of a face, and a fixture's chip behind the shell's
//! bridge (docs/bridges.md).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Cursor},
    path::PathBuf,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use fixtures::{chip::Chip, passport::Passport};
use image::{DynamicImage, Rgb, RgbImage, imageops};
use indrul_tests::{
    chip_link::ChipLink,
    run::Plugged,
    testing::{data, enroll, passport, root, virtual_reader},
    webdriver::{Browser, ENTER, SPACE, TAB},
};
use serde_json::{Value, json};
use server::relay_client::{self, Ended};

/// A running demonstration, stopped when dropped.
struct Demo {
    process: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Demo {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["models", "portraits", "pages"] {
            let from = data().canonicalize().unwrap().join(name);
            std::os::unix::fs::symlink(from, folder.path().join(name)).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_fixtures");
        let mut process = enroll(program)
            .args(["demo", "--listen", "127.0.0.1:0", "--fixtures", program, "--data"])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("listening ").map(str::to_owned))
            .expect("the demonstration prints its address");
        Self { process, url, folder }
    }

    /// The file that the camera shows.
    fn video(&self) -> PathBuf {
        self.folder.path().join("camera.mjpeg")
    }

    /// The newest code sent by `channel`.
    fn code(&self, channel: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let mut answer = ureq::get(format!("{}/demo/messages", self.url)).call().unwrap();
            let all: Value = answer.body_mut().read_json().unwrap();
            let of_channel = |m: &&Value| m["channel"] == channel;
            if let Some(message) = all.as_array().unwrap().iter().rfind(of_channel) {
                return digits_after(message["text"].as_str().unwrap(), "Din kode er ");
            }
            assert!(Instant::now() < deadline, "no code by {channel}");
            sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The digits after `words`; an e-mail's soft line breaks (RFC 2045 §6.7) do not count.
fn digits_after(text: &str, words: &str) -> String {
    let text = text.replace("=\r\n", "").replace("=\n", "");
    let after = text.split(words).nth(1).expect("a code in the message");
    after.chars().take_while(char::is_ascii_digit).collect()
}

/// Lets the camera show `picture`, a little moved from frame to frame as in a hand.
fn film(demo: &Demo, picture: &[u8], share: f32, ground: [u8; 3]) {
    const SIZE: (u32, u32) = (1280, 720);
    let picture = image::load_from_memory(picture).unwrap();
    let scale =
        (SIZE.0 as f32 / picture.width() as f32).min(SIZE.1 as f32 / picture.height() as f32);
    let side = |pixels: u32| (pixels as f32 * scale * share) as u32;
    let (width, height) = (side(picture.width()), side(picture.height()));
    let shown = picture.resize_exact(width, height, imageops::FilterType::Triangle).to_rgb8();
    let mut video = Vec::new();
    for (dx, dy) in [(0, 0), (2, 1), (3, 3), (1, 2), (-1, 1), (-2, -1), (0, -2), (1, -1)] {
        let mut frame = RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb(ground));
        let left = i64::from((SIZE.0 - width) / 2) + dx;
        let top = i64::from((SIZE.1 - height) / 2) + dy;
        imageops::overlay(&mut frame, &shown, left, top);
        let mut jpeg = Cursor::new(Vec::new());
        DynamicImage::from(frame).write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
        video.extend(jpeg.into_inner());
    }
    let new = demo.folder.path().join("camera.new");
    fs::write(&new, video).unwrap();
    fs::rename(new, demo.video()).unwrap();
}

/// Where screenshots are kept, to be looked at.
fn pictures() -> PathBuf {
    let folder = std::env::var_os("INDRUL_SCREENSHOTS")
        .map_or_else(|| root().join("target/screenshots"), PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A person with a browser and a passport.
struct Person<'a> {
    demo: &'a Demo,
    browser: Browser,
    passport: Passport,
    axe: String,
}

impl<'a> Person<'a> {
    /// With the pages in the app, whose shell reads the chip.
    fn new(demo: &'a Demo, fixture: &str) -> Self {
        let person = Self::without_shell(demo, fixture);
        let shell = "window.indrulReadChip = (url) => new Promise((done, fail) => {
            Object.assign(window, { testUrl: url, testDone: done, testFail: fail }); });";
        let script = json!({ "source": shell });
        person.browser.command("Page.addScriptToEvaluateOnNewDocument", &script).unwrap();
        person
    }

    fn without_shell(demo: &'a Demo, fixture: &str) -> Self {
        let passport = passport(fixture);
        film(demo, &passport.page_png().unwrap(), 0.96, [40, 44, 48]);
        let browser = Browser::with_camera(1280, 1000, &demo.video()).unwrap();
        let axe = data().join("pages-test/axe.min.js");
        let axe = fs::read_to_string(axe).expect("run scripts/pages first, as ./test does");
        Self { demo, browser, passport, axe }
    }

    fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.demo.url)).unwrap();
    }

    fn wait(&self, css: &str) {
        if let Err(error) = self.browser.wait_for(css, 60) {
            let text = self.browser.text("main").unwrap_or_default();
            panic!("{error} at {}: {text}", self.browser.url().unwrap());
        }
    }

    fn script(&self, script: &str) -> Value {
        self.browser.evaluate(script).unwrap()
    }

    fn fill(&self, id: &str, text: &str) {
        let field = format!(
            "const field = document.getElementById({id:?}); field.focus(); field.value = ''"
        );
        self.script(&field);
        self.browser.keys(text).unwrap();
    }

    /// Clicks as soon as there is something that can be clicked.
    fn press(&self, css: &str) {
        self.wait(css);
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = self.browser.click(css) {
            assert!(Instant::now() < deadline, "{css}: {error:?}");
            sleep(Duration::from_millis(100));
        }
    }

    /// That the page is accessible, holds no word of the other language, and does not scroll sideways.
    fn is_sound(&self, name: &str) {
        let run = format!(
            "{}; return axe.run().then((found) => {{ if (!found.passes.length) throw Error('nothing was looked at'); return found.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]); }})",
            self.axe
        );
        let found = self.script(&run);
        assert_eq!(found, json!([]), "{name}: axe-core");
        let lost = "return performance.getEntriesByType('resource') \
            .filter((e) => e.responseStatus >= 400 && e.name.includes('/assets/')).map((e) => e.name)";
        assert_eq!(self.script(lost), json!([]), "{name}: files that are not there");
        let wide = "return document.documentElement.scrollWidth <= window.innerWidth";
        assert_eq!(self.script(wide), true, "{name} scrolls sideways");
    }

    /// Looks at the page as a phone, a kiosk and a zoomed screen show it, in both languages where it can
    /// be had again, and keeps pictures.
    fn look(&self, name: &str, languages: &[&str]) {
        for language in languages {
            let path = "return location.pathname";
            let path = self.script(path).as_str().unwrap().to_owned();
            self.open(&format!("{path}?lang={language}"));
            assert_eq!(self.script("return document.documentElement.lang"), *language);
            for (screen, width, height) in
                [("phone", 360, 800), ("zoomed", 640, 512), ("kiosk", 1080, 1920)]
            {
                self.browser.screen(width, height).unwrap();
                self.is_sound(&format!("{name} {language} {screen}"));
                if screen != "zoomed" {
                    let file = format!("citizen-{name}-{screen}-{language}.png");
                    self.browser.whole_page(&pictures().join(file)).unwrap();
                }
            }
        }
        if languages.len() > 1 {
            let path = self.script("return location.pathname");
            self.open(&format!("{}?lang=da", path.as_str().unwrap()));
        }
    }

    fn consents(&self) {
        self.open("/enrol/consent");
        for part in ["terms", "care", "privacy", "face"] {
            self.press(&format!("label[for={part}]"));
        }
        self.press("form[action='/enrol/consent'] button");
        self.wait("#cpr");
        self.fill("cpr", &self.passport.holder.cpr);
        self.press("form[action='/enrol/number'] button");
        self.wait("#line1");
    }

    fn types_page(&self) {
        self.fill("line1", &self.passport.mrz_lines[0]);
        self.fill("line2", &self.passport.mrz_lines[1]);
        self.press("form[action='/enrol/page'] button");
    }

    /// The relay that the page asks the shell to open.
    fn relay(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(url) = self.script("return window.testUrl ?? null").as_str() {
                return url.to_owned();
            }
            assert!(Instant::now() < deadline, "the page asked for no chip");
            sleep(Duration::from_millis(100));
        }
    }

    /// Holds the passport to the phone.
    fn reads_chip(&self) {
        let mut chip = ChipLink(Chip::new(&self.passport));
        let ended = relay_client::run(&self.relay(), &mut chip, &mut |_| {}).unwrap();
        let frame = match ended {
            Ended::Finished { verdict } => json!({ "type": "finished", "verdict": verdict }),
            Ended::Failed { reason, .. } => json!({ "type": "failed", "reason": reason }),
        };
        self.script(&format!("window.testDone({frame})"));
    }

    fn shows_face(&self) {
        self.wait("#start:not([hidden])");
        film(self.demo, &self.passport.selfies[0], 0.98, [120, 124, 128]);
        self.press("#start");
    }

    /// What a camera page has sent: frames a second.
    fn rate(&self) -> f64 {
        let sent = "const { sent, ms } = document.getElementById('video').dataset; \
            return [Number(sent ?? 0), Number(ms ?? 0)]";
        let found = self.script(sent);
        found[0].as_f64().unwrap() * 1000.0 / found[1].as_f64().unwrap().max(1.0)
    }
}

#[test]
fn a_person_enrols_with_camera_and_passport_and_activates_the_app() {
    let demo = Demo::start();
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
    sets_up(&person);
}

/// From the issued identity to the activated app, looking at each page.
fn sets_up(person: &Person<'_>) {
    person.press("#continue");
    person.wait("#user_id");
    person.look("8-user-id", &["en", "da"]);
    person.fill("user_id", "anna.eriksson");
    person.press("form[action='/enrol/user-id'] button");
    person.wait("#phone");
    person.look("8-contacts", &["en", "da"]);
    person.fill("phone", "+45 20 30 40 50");
    person.fill("email", "anna@example.invalid");
    person.press("form[action='/enrol/contacts'] button");
    person.wait("#activate:not([hidden])");
    person.look("8-activate", &["en", "da"]);
    person.press("#send");
    person.wait("#codes:not([hidden])");
    // Whoever comes back goes on with the codes that are under way.
    person.open("/enrol");
    person.press("#resume");
    person.wait("#codes:not([hidden])");
    person.is_sound("codes");
    person.browser.whole_page(&pictures().join("citizen-8-codes-kiosk-da.png")).unwrap();
    person.fill("sms", &person.demo.code("sms"));
    person.fill("email", &person.demo.code("email"));
    person.fill("pin", "284917");
    person.fill("pin2", "284918");
    person.press("#go");
    person.wait("#problem:not([hidden])");
    person.is_sound("different PINs");
    person.fill("pin2", "284917");
    person.press("#go");
    person.wait("#receipt");
    person.look("9-done", &["en", "da"]);
    person.press("form[action='/enrol/leave'] button");
    person.wait("#begin");
}

#[test]
fn the_page_in_the_camera_is_read_from_its_frames() {
    let demo = Demo::start();
    let person = Person::new(&demo, "good");
    // Nothing to read yet: a wall.
    let mut wall = Cursor::new(Vec::new());
    let grey = RgbImage::from_pixel(640, 400, Rgb([150, 150, 150]));
    DynamicImage::from(grey).write_to(&mut wall, image::ImageFormat::Png).unwrap();
    film(&demo, wall.get_ref(), 1.0, [150, 150, 150]);
    person.consents();
    person.press("#start");
    person.wait("#stop:not([hidden])");
    let place = "return JSON.stringify(document.getElementById('stop').getBoundingClientRect())";
    let before = person.script(place);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        assert_eq!(person.script(place), before, "the page jumps while the camera advises");
        sleep(Duration::from_millis(500));
    }
    println!("frames of the page: {:.1} a second", person.rate());
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
    let demo = Demo::start();
    ends_in(&demo, "clone", "chip_authentication.failed", false);
    ends_in(&demo, "expired", "document.expired", false);
    ends_in(&demo, "other-face", "face.mismatch", true);
}

#[test]
fn a_mistake_is_told_where_it_was_made() {
    let demo = Demo::start();
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
}

impl Person<'_> {
    /// Looks at a state that cannot be had again by its address.
    fn look_here(&self, name: &str) {
        for (screen, width, height) in [("phone", 360, 800), ("kiosk", 1080, 1920)] {
            self.browser.screen(width, height).unwrap();
            self.is_sound(&format!("{name} {screen}"));
            let file = format!("citizen-{name}-{screen}-da.png");
            self.browser.whole_page(&pictures().join(file)).unwrap();
        }
    }

    /// Goes to what `css` selects with the tabulator alone.
    fn tab_to(&self, css: &str) {
        self.wait(css);
        for _ in 0..60 {
            let here = format!("return document.activeElement.matches({css:?})");
            if self.script(&here) == true {
                let seen = "const style = getComputedStyle(document.activeElement); \
                    return style.outlineStyle !== 'none' || document.activeElement.matches('[type=checkbox]')";
                assert_eq!(self.script(seen), true, "{css} does not show that it has the focus");
                return;
            }
            self.browser.keys(TAB).unwrap();
        }
        panic!("{css} cannot be reached with the keyboard");
    }

    fn tab_and(&self, css: &str, keys: &str) {
        self.tab_to(css);
        self.browser.keys(keys).unwrap();
    }
}

#[test]
fn the_keyboard_alone_completes_the_enrolment() {
    let demo = Demo::start();
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
    person.tab_and("#send", ENTER);
    person.wait("#codes:not([hidden])");
    person.tab_and("#sms", &demo.code("sms"));
    person.tab_and("#email", &demo.code("email"));
    person.tab_and("#pin", "284917");
    person.tab_and("#pin2", "284917");
    person.tab_and("#go", ENTER);
    person.wait("#receipt");
}

/// The bridge of a desk's reader, stopped when dropped.
struct Desk(Child);

impl Desk {
    fn start(server: &str, reader: &str) -> Self {
        let mut process = enroll(env!("CARGO_BIN_EXE_fixtures"))
            .args(["kiosk", "--listen", "127.0.0.1:8490", "--server", server, "--reader", reader])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "listening ws://127.0.0.1:8490\n");
        Self(process)
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn at_a_desk_the_passport_lies_on_a_reader() {
    let Some(reader) = virtual_reader() else { return };
    let demo = Demo::start();
    let person = Person::without_shell(&demo, "good");
    person.consents();
    person.types_page();
    // Nobody is at the desk yet.
    person.press("#start");
    person.wait("#none:not([hidden])");
    person.look_here("5-no-reader");
    let plugged = Plugged::new(Chip::new(&person.passport)).unwrap();
    drop(plugged.reader().unwrap());
    let _desk = Desk::start(&demo.url, &reader);
    person.press("#start");
    person.wait("#progress[value]");
    person.wait("#camera");
}

#[test]
fn large_text_contrast_and_a_helper_work_on_a_phone() {
    let demo = Demo::start();
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

#[test]
fn without_scripts_the_forms_work_and_the_camera_says_what_is_needed() {
    let demo = Demo::start();
    let person = Person::new(&demo, "good");
    let off = json!({ "value": true });
    person.open("/enrol");
    person.browser.command("Emulation.setScriptExecutionDisabled", &off).unwrap();
    person.browser.click("#begin").unwrap();
    for part in ["terms", "care", "privacy", "face"] {
        person.browser.click(&format!("label[for={part}]")).unwrap();
    }
    person.browser.click("form[action='/enrol/consent'] button").unwrap();
    person.browser.click("#cpr").unwrap();
    person.browser.keys(&person.passport.holder.cpr).unwrap();
    person.browser.click("form[action='/enrol/number'] button").unwrap();
    let text = person.browser.text("main").unwrap();
    assert!(text.contains("kræver JavaScript"), "{text}");
    for (line, text) in [("#line1", 0), ("#line2", 1)] {
        person.browser.click(line).unwrap();
        person.browser.keys(&person.passport.mrz_lines[text]).unwrap();
    }
    person.browser.click("form[action='/enrol/page'] button").unwrap();
    let text = person.browser.text("main").unwrap();
    assert!(
        text.contains("Hold passet til telefonen") && text.contains("kræver JavaScript"),
        "{text}"
    );
}

#[test]
fn the_first_page_is_light_and_loads_nothing_from_elsewhere() {
    let demo = Demo::start();
    let browser = Browser::start(360, 800).unwrap();
    browser.open(&format!("{}/enrol", demo.url)).unwrap();
    let loaded = "return document.fonts.ready.then(() => [...performance.getEntriesByType('navigation'), \
        ...performance.getEntriesByType('resource')].map((e) => [e.name, e.transferSize]))";
    let loaded = browser.evaluate(loaded).unwrap();
    let loaded = loaded.as_array().unwrap();
    let bytes: u64 = loaded.iter().map(|entry| entry[1].as_u64().unwrap()).sum();
    println!("the first page: {bytes} bytes in {} files", loaded.len());
    let names: Vec<&str> = loaded.iter().map(|entry| entry[0].as_str().unwrap()).collect();
    assert!(names.iter().all(|name| name.starts_with(&demo.url)), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("dkfds.css")), "{names:?}");
    assert!(names.iter().any(|name| name.ends_with("woff2")), "{names:?}");
    assert!(bytes < 150_000, "{loaded:#?}");
    let size = browser.evaluate("return getComputedStyle(document.documentElement).fontSize");
    assert_eq!(size.unwrap(), "10px", "the design system is not in force");
}

#[test]
fn nobody_else_sends_a_form_and_no_answer_is_kept() {
    let demo = Demo::start();
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
        ("origin", demo.url.as_str(), 303),
    ] {
        let request = agent.post(format!("{}/enrol/again", demo.url)).header(name, value);
        assert_eq!(request.send_empty().unwrap().status().as_u16(), status, "{name}: {value}");
    }
    let answer = agent.get(format!("{}/enrol", demo.url)).call().unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("referrer-policy"), "same-origin");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    // A cookie of nobody opens nothing.
    let cookie = "indrul-case=00000000-0000-4000-8000-000000000000.x";
    for path in ["/enrol/page", "/enrol/result", "/enrol/done", "/enrol/chip/state"] {
        let request = agent.get(format!("{}{path}", demo.url)).header("cookie", cookie);
        assert_eq!(request.call().unwrap().status().as_u16(), 401, "{path}");
    }
}
