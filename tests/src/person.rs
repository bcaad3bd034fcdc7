//! A person with a browser, a camera and a passport, for the tests of the pages: `enroll demo` in a real
//! Chromium, whose camera shows a generated video, and a fixture's chip behind the shell's bridge
//! (docs/bridges.md).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a test that cannot go on fails"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::Cursor,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::{Duration, Instant},
};

use fixtures::{chip::Chip, passport::Passport};
use image::{DynamicImage, Rgb, RgbImage, imageops};
use serde_json::{Value, json};
use server::relay_client::{self, Ended};

use crate::{
    chip_link::ChipLink,
    demo::Demo,
    sound,
    testing::{passport, root},
    webdriver::{Browser, BrowserError, TAB},
};

/// Lets the camera show `picture`, a little moved from frame to frame as in a hand.
pub fn film(demo: &Demo, picture: &[u8], share: f32, ground: [u8; 3]) {
    let new = demo.folder().join("camera.new");
    fs::write(&new, &*video(picture, share, ground)).unwrap();
    fs::rename(new, demo.video()).unwrap();
}

/// What a film is of: the picture's SHA-256, its share of the frame's height in percent, and the ground.
type Filmed = ([u8; 32], u32, [u8; 3]);

/// The films of this process: most tests show the same few pictures.
static FILMS: Mutex<BTreeMap<Filmed, Arc<Vec<u8>>>> = Mutex::new(BTreeMap::new());

/// The film of `picture`, as MJPEG.
fn video(picture: &[u8], share: f32, ground: [u8; 3]) -> Arc<Vec<u8>> {
    let of = (openssl::sha::sha256(picture), (share * 100.0) as u32, ground);
    let mut films = FILMS.lock().unwrap_or_else(PoisonError::into_inner);
    films.entry(of).or_insert_with(|| Arc::new(filmed(picture, share, ground))).clone()
}

fn filmed(picture: &[u8], share: f32, ground: [u8; 3]) -> Vec<u8> {
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
    video
}

/// Longest wait for what a page does, seconds: a limit for what never comes, however busy the machine is.
pub const PATIENCE: u64 = 240;

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
    /// Where they are.
    pub demo: &'a Demo,
    /// What they look at it with.
    pub browser: Browser,
    /// What they hold.
    pub passport: Passport,
    /// Before the names of screenshots: whose pages they show.
    whose: &'static str,
}

impl<'a> Person<'a> {
    /// With the pages in the app, whose shell reads the chip.
    pub fn new(demo: &'a Demo, fixture: &str) -> Self {
        let person = Self::without_shell(demo, fixture);
        let shell = "window.indrulReadChip = (url) => new Promise((done, fail) => {
            Object.assign(window, { testUrl: url, testDone: done, testFail: fail }); });";
        let script = json!({ "source": shell });
        person.browser.command("Page.addScriptToEvaluateOnNewDocument", &script).unwrap();
        person
    }

    /// With the pages in an ordinary browser.
    pub fn without_shell(demo: &'a Demo, fixture: &str) -> Self {
        let passport = passport(fixture);
        film(demo, &passport.page_png().unwrap(), 0.96, [40, 44, 48]);
        let browser = Browser::with_camera(1280, 1000, &demo.video()).unwrap();
        Self { demo, browser, passport, whose: "citizen" }
    }

    /// Whose pages the screenshots show.
    #[must_use]
    pub fn named(self, whose: &'static str) -> Self {
        Self { whose, ..self }
    }

    /// Opens a page of the demonstration.
    pub fn open(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.demo.url())).unwrap();
    }

    /// Waits until `css` selects something.
    pub fn wait(&self, css: &str) {
        if let Err(error) = self.browser.wait_for(css, PATIENCE) {
            let text = self.browser.text("main").unwrap_or_default();
            panic!("{error} at {}: {text}", self.browser.url().unwrap());
        }
    }

    /// Runs JavaScript in the page.
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

    /// Clicks as soon as there is something that can be clicked. If that asks for another page, it has loaded
    /// when this returns ([`Browser::click`]).
    pub fn press(&self, css: &str) {
        self.wait(css);
        let deadline = Instant::now() + Duration::from_secs(PATIENCE);
        while let Err(error) = self.browser.click(css) {
            let clicked = matches!(error, BrowserError::Timeout { .. });
            assert!(!clicked && Instant::now() < deadline, "{css}: {error:?}");
            sleep(Duration::from_millis(100));
        }
    }

    /// That the page is accessible, holds no word of the other language, and does not scroll sideways.
    pub fn is_sound(&self, name: &str) {
        sound::check(&self.browser, name);
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

    /// Agrees to everything and gives the personal number.
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

    /// Types the two lines of the page.
    pub fn types_page(&self) {
        self.fill("line1", &self.passport.mrz_lines[0]);
        self.fill("line2", &self.passport.mrz_lines[1]);
        self.press("form[action='/enrol/page'] button");
    }

    /// The relay that the page asks the shell to open.
    pub fn relay(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(PATIENCE);
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

    /// Looks into the camera.
    pub fn shows_face(&self) {
        self.wait("#start:not([hidden])");
        film(self.demo, &self.passport.selfies[0], 0.98, [120, 124, 128]);
        self.press("#start");
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

    /// Goes to what `css` selects with the tabulator, and presses `keys`.
    pub fn tab_and(&self, css: &str, keys: &str) {
        self.tab_to(css);
        self.browser.keys(keys).unwrap();
    }

    /// From the issued identity to the activated app, and no look at anything.
    pub fn activates(&self) {
        self.wait("#user_id");
        self.fill("user_id", "anna.activates");
        self.press("form[action='/enrol/user-id'] button");
        self.fill("phone", "+45 20 30 40 50");
        self.fill("email", "anna@example.invalid");
        self.press("form[action='/enrol/contacts'] button");
        self.wait("#activate:not([hidden])");
        self.fill("user_id", "anna.activates");
        self.press("#send");
        self.wait("#codes:not([hidden])");
        self.fill("sms", &self.demo.code("sms"));
        self.fill("email", &self.demo.code("email"));
        self.fill("pin", "284917");
        self.fill("pin2", "284917");
        self.press("#go");
        self.wait("#receipt");
    }

    /// From the issued identity to the activated app, looking at each page.
    pub fn sets_up(&self) {
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
        self.fill("user_id", "anna.eriksson");
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

/// Two codes in a row of a simulated display, as it shows them. The second one begins now.
///
/// # Panics
/// If it goes on to no other code.
pub fn two_codes(person: &Person<'_>, serial: &str) -> [String; 2] {
    person.open(&format!("/qa/code-devices/{serial}"));
    person.wait("#code");
    let look = "const step = document.getElementById('device').dataset.step; \
        return [Number(step), document.getElementById('code').textContent]";
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    let mut before: Option<(i64, String)> = None;
    loop {
        let seen = person.script(look);
        let seen = (seen[0].as_i64().unwrap(), seen[1].as_str().unwrap().to_owned());
        match before {
            Some((step, first)) if seen.0 == step + 1 => return [first, seen.1],
            // The first look, or one code was missed.
            _ => before = Some(seen),
        }
        assert!(Instant::now() < deadline, "it shows no other code");
        sleep(Duration::from_millis(500));
    }
}
