//! A person with a phone who logs in, for the tests of the app and of the demonstration's relying parties:
//! an enrolment over the public interface, and one browser's screen before another one's camera.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test that cannot go on fails"
)]

use std::{
    fs,
    io::Cursor,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

use fixtures::{chip::Chip, passport::Passport};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, imageops};
use serde_json::{Value, json};

use crate::{
    chip_link::ChipLink,
    citizen::{Enrolment, Method},
    demo::Demo,
    person::{PATIENCE, Person},
    webdriver::Browser,
};

/// The user ID that they choose, whoever they are.
pub const USER_ID: &str = "anna.eriksson";
/// And the PIN.
pub const PIN: &str = "284917";

/// An enrolment that has made an identity, with user ID and contacts.
#[must_use]
pub fn enrolled(demo: &Demo, passport: &Passport) -> Enrolment {
    let case = Enrolment::start(demo.url(), &passport.holder.cpr).expect("a case");
    case.typed_page(&passport.mrz_lines).expect("its page");
    case.read_chip(&mut ChipLink(Chip::new(passport))).expect("its chip");
    case.face(passport.selfies.first().expect("a selfie")).expect("the face");
    let end = case.finish().expect("a decision");
    let identity = end.get("identity").and_then(|identity| identity.get("id"));
    let identity = identity.and_then(Value::as_str).expect("an identity");
    let own = format!("/v1/identities/{identity}");
    let user_id = json!({ "user_id": USER_ID });
    case.send(Method::Put, &format!("{own}/user-id"), &user_id).expect("a user ID");
    let contacts = json!({ "phone": "+4520304050", "email": "anna@example.invalid" });
    case.send(Method::Put, &format!("{own}/contacts"), &contacts).expect("contacts");
    case
}

/// Makes `browser` the one that `case` was begun in.
pub fn owns(demo: &Demo, browser: &Browser, case: &Enrolment) {
    let cookie = json!({
        "name": "indrul-case", "value": format!("{}.{}", case.id, case.token()), "url": demo.url(),
        "httpOnly": true, "sameSite": "Strict",
    });
    browser.command("Network.setCookie", &cookie).expect("a cookie");
}

/// Activates the app in the page of `phone`, whose browser has the enrolment.
pub fn activates(phone: &Person<'_>) {
    phone.open("/app");
    phone.wait("#app[data-shown=activate]:not([aria-busy])");
    phone.fill("user-id", USER_ID);
    phone.press("#send-codes");
    phone.wait("#codes:not([hidden])");
    types_codes(phone);
    phone.press("#activate-now");
    phone.wait("#app[data-shown=activated]");
}

/// Types both codes, and the PIN twice.
pub fn types_codes(phone: &Person<'_>) {
    phone.fill("sms", &phone.demo.code("sms"));
    phone.fill("email", &phone.demo.code("email"));
    phone.fill("new-pin", PIN);
    phone.fill("new-pin2", PIN);
}

/// The address of one of the demonstration's relying parties.
#[must_use]
pub fn relying_party(demo: &Demo, name: &str) -> String {
    let answer = ureq::get(format!("{}/demo/relying-parties", demo.url())).call();
    let all: Vec<Value> = answer.expect("a list").body_mut().read_json().expect("JSON");
    let found = all.iter().find(|party| party.get("name").is_some_and(|known| known == name));
    let url = found.and_then(|party| party.get("url")).and_then(Value::as_str);
    url.expect("a relying party of that name").to_owned()
}

/// The page of the QR code, from a relying party's page in `browser`.
pub fn goes_to_code(desk: &Person<'_>, party: &str) {
    desk.browser.open(party).expect("the relying party");
    desk.press("#log-in");
    desk.wait("form[action^='/log-in?'] #user_id");
    desk.press("a[href^='/log-in/qr']");
    desk.wait("#log-in:not([hidden]) #half-1");
}

/// A picture of what `css` selects as it stands on the screen of `browser`, with light around it.
fn picture_of(browser: &Browser, css: &str, file: &Path) -> DynamicImage {
    let place = format!(
        "const at = document.querySelector({css:?}); at.scrollIntoView({{ block: 'center' }}); \
         const r = at.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]"
    );
    let place = browser.evaluate(&place).expect("its place");
    let side = |index: usize| place.get(index).and_then(Value::as_f64).unwrap_or_default() as u32;
    browser.screenshot(file).expect("a screenshot");
    let screen = image::open(file).expect("a picture");
    let (left, top) = (side(0).saturating_sub(20), side(1).saturating_sub(20));
    screen.crop_imm(left, top, side(2) + 40, side(3) + 40)
}

/// Pictures of both halves of the code on the screen of `desk`, as they take turns: of one code, which did not
/// turn into the next one meanwhile.
#[must_use]
pub fn halves(desk: &Person<'_>) -> [DynamicImage; 2] {
    let code = "return ['half-1', 'half-2'].map((id) => document.getElementById(id).src)";
    let deadline = Instant::now() + Duration::from_secs(PATIENCE);
    loop {
        let before = desk.script(code);
        let taken = halves_now(desk);
        if desk.script(code) == before {
            return taken;
        }
        assert!(Instant::now() < deadline, "no code stands long enough to be photographed");
    }
}

fn halves_now(desk: &Person<'_>) -> [DynamicImage; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    [1, 2].map(|half| {
        let css = format!("#half-{half}:not([hidden])");
        let file = folder.path().join(format!("{half}.png"));
        let deadline = Instant::now() + Duration::from_secs(PATIENCE);
        loop {
            // It may have turned while the picture was taken: then this one is the other half's.
            desk.wait(&css);
            let picture = picture_of(&desk.browser, ".qr", &file);
            let loaded = format!("return document.querySelector({css:?})?.complete === true");
            if desk.script(&loaded) == true {
                return picture;
            }
            assert!(Instant::now() < deadline, "half {half} is not shown");
        }
    })
}

/// A picture of the code on the screen of `phone`, to copy its app with.
#[must_use]
pub fn copy_code(phone: &Person<'_>) -> DynamicImage {
    let folder = tempfile::tempdir().expect("a folder");
    picture_of(&phone.browser, "#offer-qr", &folder.path().join("code.png"))
}

/// Lets the cameras of the demonstration's browsers show `pictures` in turn.
pub fn film(demo: &Demo, pictures: &[DynamicImage]) {
    const SIZE: (u32, u32) = (960, 720);
    let mut video = Vec::new();
    for picture in pictures {
        let fitted = picture.resize(600, 600, imageops::FilterType::Triangle).to_rgb8();
        let mut frame = RgbImage::from_pixel(SIZE.0, SIZE.1, Rgb([210, 212, 214]));
        let left = i64::from((SIZE.0 - fitted.width()) / 2);
        let top = i64::from((SIZE.1 - fitted.height()) / 2);
        imageops::overlay(&mut frame, &fitted, left, top);
        let mut jpeg = Cursor::new(Vec::new());
        DynamicImage::from(frame).write_to(&mut jpeg, ImageFormat::Jpeg).expect("a JPEG");
        for _ in 0..12 {
            video.extend_from_slice(jpeg.get_ref());
        }
    }
    let new = demo.folder().join("camera.new");
    fs::write(&new, video).expect("a film");
    fs::rename(new, demo.video()).expect("a film");
}

/// Holds the phone's camera to the screen of `desk` until the app asks.
pub fn scans(phone: &Person<'_>, desk: &Person<'_>) {
    scans_until(phone, desk, "#app[data-shown=asked]");
}

/// The same until the app shows what `css` selects. A code that turned into the next period between two pictures is filmed
/// anew, as a hand would just be held still.
pub fn scans_until(phone: &Person<'_>, desk: &Person<'_>, css: &str) {
    let patience = Instant::now() + Duration::from_secs(PATIENCE);
    while Instant::now() < patience {
        phone.open("/app");
        phone.wait("#app[data-shown=home]:not([aria-busy])");
        film(phone.demo, &halves(desk));
        phone.press("#scan");
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            let shown = format!("return document.querySelector({css:?}) !== null");
            if phone.script(&shown) == true {
                return;
            }
            sleep(Duration::from_millis(200));
        }
    }
    let shown = phone.browser.text("main").unwrap_or_default();
    assert_eq!(shown, "", "the code was not read, or something else came of it");
}
