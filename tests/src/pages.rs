//! Pages as a person meets them: `enroll demo` in a real Chromium with a camera that shows what a test films,
//! and a fixture's chip. What the tests of the pages share.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "for tests only: one that cannot go on fails"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Cursor},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use fixtures::{chip::Chip, passport::Passport};
use image::{DynamicImage, Rgb, RgbImage, imageops};
use serde_json::{Value, json};
use server::relay_client::{self, Ended};

use crate::{
    chip_link::ChipLink,
    testing::{data, enroll, passport, root},
    webdriver::{Browser, TAB},
};

/// A running demonstration, stopped when dropped.
pub struct Demo {
    /// Where it answers.
    pub url: String,
    process: Child,
    folder: tempfile::TempDir,
}

impl Demo {
    /// Starts one on a free port, with the program `fixtures` at this path, the program `enroll` beside it,
    /// and these environment variables.
    #[must_use]
    pub fn start(program: &str, settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["models", "portraits", "pages"] {
            let from = data().canonicalize().unwrap().join(name);
            std::os::unix::fs::symlink(from, folder.path().join(name)).unwrap();
        }
        let mut process = enroll(program)
            .args(["demo", "--listen", "127.0.0.1:0", "--fixtures", program, "--data"])
            .arg(folder.path())
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines
            .map(Result::unwrap)
            .find_map(|line| line.strip_prefix("listening ").map(str::to_owned))
            .expect("the demonstration prints its address");
        Self { url, process, folder }
    }

    /// Its data directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file that the camera shows.
    #[must_use]
    pub fn video(&self) -> PathBuf {
        self.folder.path().join("camera.mjpeg")
    }

    /// The newest code sent by `channel`.
    #[must_use]
    pub fn code(&self, channel: &str) -> String {
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
pub fn film(demo: &Demo, picture: &[u8], share: f32, ground: [u8; 3]) {
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
#[must_use]
pub fn pictures() -> PathBuf {
    let folder = std::env::var_os("INDRUL_SCREENSHOTS")
        .map_or_else(|| root().join("target/screenshots"), PathBuf::from);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A person with a browser and a passport.
pub struct Person<'a> {
    /// Whose pages they look at.
    pub demo: &'a Demo,
    /// Their browser.
    pub browser: Browser,
    /// Their passport.
    pub passport: Passport,
    /// Before the names of screenshots: whose pages they show.
    whose: &'static str,
    axe: String,
}

impl<'a> Person<'a> {
    /// With the pages in the app, whose shell reads the chip.
    #[must_use]
    pub fn new(demo: &'a Demo, fixture: &str) -> Self {
        let person = Self::without_shell(demo, fixture);
        let shell = "window.indrulReadChip = (url) => new Promise((done, fail) => {
            Object.assign(window, { testUrl: url, testDone: done, testFail: fail }); });";
        let script = json!({ "source": shell });
        person.browser.command("Page.addScriptToEvaluateOnNewDocument", &script).unwrap();
        person
    }

    /// With a browser that knows no reader.
    #[must_use]
    pub fn without_shell(demo: &'a Demo, fixture: &str) -> Self {
        let passport = passport(fixture);
        film(demo, &passport.page_png().unwrap(), 0.96, [40, 44, 48]);
        let browser = Browser::with_camera(1280, 1000, &demo.video()).unwrap();
        let axe = data().join("pages-test/axe.min.js");
        let axe = fs::read_to_string(axe).expect("run scripts/pages first, as ./test does");
        Self { demo, browser, passport, whose: "citizen", axe }
    }

    /// Whose pages the screenshots show.
    #[must_use]
    pub fn named(self, whose: &'static str) -> Self {
        Self { whose, ..self }
    }

    /// Opens a page of the service.
    pub fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.demo.url)).unwrap();
    }

    /// Waits for what `css` selects.
    pub fn wait(&self, css: &str) {
        if let Err(error) = self.browser.wait_for(css, 60) {
            let text = self.browser.text("main").unwrap_or_default();
            panic!("{error} at {}: {text}", self.browser.url().unwrap());
        }
    }

    /// Runs a script in the page.
    pub fn script(&self, script: &str) -> Value {
        self.browser.evaluate(script).unwrap()
    }

    /// Types `text` into the field `id`.
    pub fn fill(&self, id: &str, text: &str) {
        let field = format!(
            "const field = document.getElementById({id:?}); field.focus(); field.value = ''"
        );
        self.script(&field);
        self.browser.keys(text).unwrap();
    }

    /// Clicks as soon as there is something that can be clicked.
    pub fn press(&self, css: &str) {
        self.wait(css);
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = self.browser.click(css) {
            assert!(Instant::now() < deadline, "{css}: {error:?}");
            sleep(Duration::from_millis(100));
        }
    }

    /// That the page is accessible, holds no word of the other language, and does not scroll sideways.
    pub fn is_sound(&self, name: &str) {
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
    pub fn look(&self, name: &str, languages: &[&str]) {
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
                    let file = format!("{}-{name}-{screen}-{language}.png", self.whose);
                    self.browser.whole_page(&pictures().join(file)).unwrap();
                }
            }
        }
        if languages.len() > 1 {
            let path = self.script("return location.pathname");
            self.open(&format!("{}?lang=da", path.as_str().unwrap()));
        }
    }

    /// Agrees to everything and gives the CPR number.
    pub fn consents(&self) {
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

    /// Types the page's lines.
    pub fn types_page(&self) {
        self.fill("line1", &self.passport.mrz_lines[0]);
        self.fill("line2", &self.passport.mrz_lines[1]);
        self.press("form[action='/enrol/page'] button");
    }

    /// The relay that the page asks the shell to open.
    pub fn relay(&self) -> String {
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
    pub fn reads_chip(&self) {
        let mut chip = ChipLink(Chip::new(&self.passport));
        let ended = relay_client::run(&self.relay(), &mut chip, &mut |_| {}).unwrap();
        let frame = match ended {
            Ended::Finished { verdict } => json!({ "type": "finished", "verdict": verdict }),
            Ended::Failed { reason, .. } => json!({ "type": "failed", "reason": reason }),
        };
        self.script(&format!("window.testDone({frame})"));
    }

    /// Turns the camera on before their face.
    pub fn shows_face(&self) {
        self.wait("#start:not([hidden])");
        film(self.demo, &self.passport.selfies[0], 0.98, [120, 124, 128]);
        self.press("#start");
    }

    /// What a camera page has sent: frames a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        let sent = "const { sent, ms } = document.getElementById('video').dataset; \
            return [Number(sent ?? 0), Number(ms ?? 0)]";
        let found = self.script(sent);
        found[0].as_f64().unwrap() * 1000.0 / found[1].as_f64().unwrap().max(1.0)
    }
}

impl Person<'_> {
    /// Looks at a state that cannot be had again by its address.
    pub fn look_here(&self, name: &str) {
        for (screen, width, height) in [("phone", 360, 800), ("kiosk", 1080, 1920)] {
            self.browser.screen(width, height).unwrap();
            self.is_sound(&format!("{name} {screen}"));
            let file = format!("{}-{name}-{screen}-da.png", self.whose);
            self.browser.whole_page(&pictures().join(file)).unwrap();
        }
    }

    /// Goes to what `css` selects with the tabulator alone.
    pub fn tab_to(&self, css: &str) {
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

    /// Goes there and presses `keys`.
    pub fn tab_and(&self, css: &str, keys: &str) {
        self.tab_to(css);
        self.browser.keys(keys).unwrap();
    }

    /// From the issued identity to the activated app, looking at each page.
    pub fn sets_up(&self) {
        self.press("#continue");
        self.wait("#user_id");
        self.look("8-user-id", &["en", "da"]);
        self.fill("user_id", "anna.eriksson");
        self.press("form[action='/enrol/user-id'] button");
        self.wait("#phone");
        self.look("8-contacts", &["en", "da"]);
        self.fill("phone", "+45 20 30 40 50");
        self.fill("email", "anna@example.invalid");
        self.press("form[action='/enrol/contacts'] button");
        self.wait("#activate:not([hidden])");
        self.look("8-activate", &["en", "da"]);
        self.press("#send");
        self.wait("#codes:not([hidden])");
        // Whoever comes back goes on with the codes that are under way.
        self.open("/enrol");
        self.press("#resume");
        self.wait("#codes:not([hidden])");
        self.is_sound("codes");
        self.browser.whole_page(&pictures().join("citizen-8-codes-kiosk-da.png")).unwrap();
        self.fill("sms", &self.demo.code("sms"));
        self.fill("email", &self.demo.code("email"));
        self.fill("pin", "284917");
        self.fill("pin2", "284918");
        self.press("#go");
        self.wait("#problem:not([hidden])");
        self.is_sound("different PINs");
        self.fill("pin2", "284917");
        self.press("#go");
        self.wait("#receipt");
        self.look("9-done", &["en", "da"]);
        self.press("form[action='/enrol/leave'] button");
        self.wait("#begin");
    }
}

/// The bridge of a desk's reader, stopped when dropped.
pub struct Bridge(Child);

impl Bridge {
    /// For the pages of `server`, by the program `enroll` beside the program `fixtures` at this path.
    #[must_use]
    pub fn start(program: &str, server: &str, reader: &str) -> Self {
        let mut process = enroll(program)
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

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
