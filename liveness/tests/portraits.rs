//! The real engine on the fixture portraits: three pictures of one person, one of another.
//!
//! The models come from `scripts/models`; without them these tests fail and say so.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

mod jp2;
mod spoil;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use liveness::{Engine, Face, FaceError, ModelError, QualityReason, Role, Template, portrait};

static DATA: LazyLock<PathBuf> = LazyLock::new(data);
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load(&DATA.join("models")).unwrap());

/// `INDRUL_DATA`, else the workspace's `data`, else the cache's.
fn data() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let cache = env::var("XDG_CACHE_HOME")
        .unwrap_or_else(|_| format!("{}/.cache", env::var("HOME").unwrap_or_default()));
    let named = env::var("INDRUL_DATA").map(PathBuf::from);
    let places = named.into_iter().chain([workspace, Path::new(&cache).join("indrul/data")]);
    places
        .into_iter()
        .find(|place| place.join("models/models.toml").is_file())
        .expect("the models are missing: run scripts/models")
}

fn picture(name: &str) -> RgbImage {
    portrait::decode(&fs::read(DATA.join("portraits").join(name)).unwrap()).unwrap()
}

fn face_of(name: &str) -> Face {
    ENGINE.analyse(&picture(name)).unwrap()
}

fn scaled(image: &RgbImage, factor: f32) -> RgbImage {
    let side = |length: u32| (length as f32 * factor) as u32;
    let (width, height) = (side(image.width()), side(image.height()));
    imageops::resize(image, width, height, imageops::FilterType::Triangle)
}

#[test]
fn the_same_person_is_accepted_and_another_refused() {
    // proves D1
    let holder = face_of("obama.jpg");
    for name in ["obama2.jpg", "obama3.jpg"] {
        let comparison = ENGINE.compare(&holder.template, &face_of(name).template);
        assert!(comparison.accepted, "{name}: {comparison:?}");
        assert_eq!(comparison.code(), None);
    }
    let comparison = ENGINE.compare(&holder.template, &face_of("biden.jpg").template);
    assert!(!comparison.accepted, "{comparison:?}");
    assert_eq!(comparison.code(), Some("face.mismatch"));
    assert!(comparison.similarity < comparison.threshold - 0.1, "{comparison:?}");
    assert!(comparison.false_match_rate <= 1e-4);
}

#[test]
fn portraits_of_one_person_are_no_morphs() {
    // proves D7
    for (one, other) in [("obama.jpg", "obama2.jpg"), ("obama.jpg", "obama3.jpg")] {
        let (portrait, live) = (face_of(one), face_of(other));
        let score = ENGINE.morph(&portrait.template, &live.template);
        assert!(!score.suspected && score.code().is_none(), "{one} {other}: {score:?}");
        let comparison = ENGINE.compare(&portrait.template, &live.template);
        assert_eq!(score.similarity, comparison.similarity);
        assert!(score.threshold > comparison.threshold, "no band in which to suspect anybody");
        assert!(score.bona_fide_suspected <= 0.02 && score.morphs_missed < 0.8, "{score:?}");
    }
    // Several pictures have a threshold of their own to be accepted, and the same one here.
    let [one, other] = ["obama2.jpg", "obama3.jpg"].map(face_of);
    let several = Template::of([&one.template, &other.template]).unwrap();
    let holder = face_of("obama.jpg");
    let score = ENGINE.morph(&holder.template, &several);
    assert!(!score.suspected, "{score:?}");
    assert!(score.threshold > ENGINE.compare(&holder.template, &several).threshold);
}

/// The pictures beside each other on grey.
fn beside(pictures: &[&RgbImage]) -> RgbImage {
    let width = pictures.iter().map(|p| p.width()).sum();
    let height = pictures.iter().map(|p| p.height()).max().unwrap();
    let mut sheet = RgbImage::from_pixel(width, height, Rgb([128; 3]));
    let mut x = 0;
    for picture in pictures {
        imageops::replace(&mut sheet, *picture, x, 0);
        x += i64::from(picture.width());
    }
    sheet
}

fn reasons(image: &RgbImage) -> Vec<QualityReason> {
    ENGINE.analyse(image).unwrap().quality.reasons
}

#[test]
fn a_picture_without_a_face_is_not_a_match() {
    // proves D6
    let noise = RgbImage::from_fn(640, 480, |x, y| Rgb([(x * y % 251) as u8, (x ^ y) as u8, 90]));
    for image in [RgbImage::new(1, 1), RgbImage::new(640, 480), noise] {
        let error = ENGINE.analyse(&image).unwrap_err();
        assert_eq!(error.code(), "face.not_found");
    }
}

#[test]
fn two_people_are_refused_and_a_bystander_is_not_taken_for_the_holder() {
    let (one, other) = (picture("obama.jpg"), picture("biden.jpg"));
    let error = ENGINE.analyse(&beside(&[&one, &scaled(&other, 0.9)])).unwrap_err();
    assert!(matches!(error, FaceError::Several { count: 2 }), "{error}");
    assert_eq!(error.code(), "face.several");
    let both = ENGINE.analyse_each(&beside(&[&one, &scaled(&other, 0.9)])).unwrap();
    let [first, second] = both.as_slice() else { panic!("two faces") };
    let is = |face: &Face, name| ENGINE.compare(&face.template, &face_of(name).template).accepted;
    let named = |name| [is(first, name), is(second, name)];
    let (obama, biden) = (named("obama.jpg"), named("biden.jpg"));
    assert!(obama[0] != obama[1] && biden == [obama[1], obama[0]], "{obama:?}, {biden:?}");
    let face = ENGINE.analyse(&beside(&[&one, &scaled(&other, 0.25)])).unwrap();
    assert!(ENGINE.compare(&face.template, &face_of("obama.jpg").template).accepted);
}

#[test]
fn a_small_face_in_a_large_picture_is_found() {
    let mut room = RgbImage::from_pixel(2400, 1800, Rgb([120, 125, 130]));
    imageops::replace(&mut room, &scaled(&picture("obama.jpg"), 0.6), 300, 1000);
    let face = ENGINE.analyse(&room).unwrap();
    assert!(ENGINE.compare(&face.template, &face_of("obama2.jpg").template).accepted);
}

#[test]
fn the_template_does_not_depend_on_size_tilt_or_encoding() {
    let upright = face_of("obama.jpg");
    let small = scaled(&picture("obama.jpg"), 0.4);
    let tilted = {
        let turned = imageops::rotate90(&small);
        imageops::rotate270(&turned)
    };
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 60).encode_image(&small).unwrap();
    for image in [small, tilted, portrait::decode(&jpeg).unwrap()] {
        let comparison =
            ENGINE.compare(&upright.template, &ENGINE.analyse(&image).unwrap().template);
        assert!(comparison.similarity > 0.9, "{comparison:?}");
    }
}

#[test]
fn a_mirror_image_is_the_same_person_with_the_head_turned_the_other_way() {
    let image = picture("obama2.jpg");
    let (face, mirrored) = (face_of("obama2.jpg"), imageops::flip_horizontal(&image));
    let mirrored = ENGINE.analyse(&mirrored).unwrap();
    assert!(ENGINE.compare(&face.template, &mirrored.template).similarity > 0.9);
    assert!((face.pose.yaw + mirrored.pose.yaw).abs() < 3.0);
    assert!((face.pose.roll + mirrored.pose.roll).abs() < 2.0);
    assert!((face.pose.pitch - mirrored.pose.pitch).abs() < 3.0);
}

#[test]
fn the_portraits_are_good_enough_and_spoiled_ones_say_what_to_do() {
    // proves D4
    for name in ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"] {
        let quality = face_of(name).quality;
        assert_eq!(quality.reasons, [], "{name}: {:?}", quality.measures);
    }
    let good = picture("obama.jpg");
    let dimmed = |factor: f32, add: f32| {
        let mut image = good.clone();
        image.pixels_mut().for_each(|p| p.0 = p.0.map(|v| (f32::from(v) * factor + add) as u8));
        image
    };
    assert!(reasons(&dimmed(0.2, 0.0)).contains(&QualityReason::TooDark));
    assert!(reasons(&dimmed(0.25, 190.0)).contains(&QualityReason::TooBright));
    assert!(reasons(&scaled(&good, 0.12)).contains(&QualityReason::TooFar));
    assert!(reasons(&imageops::fast_blur(&good, 12.0)).contains(&QualityReason::Blurred));
    let half = imageops::crop_imm(&good, 430, 0, 480, 1137).to_image();
    match ENGINE.analyse(&half) {
        Ok(face) => assert!(face.quality.reasons.contains(&QualityReason::CutOff)),
        Err(error) => assert_eq!(error.code(), "face.not_found"),
    }
}

#[test]
fn every_fault_is_named_where_it_is_bad_and_not_where_it_is_slight() {
    // proves D4
    let image = picture("obama.jpg");
    let look = ENGINE.look(&image).unwrap();
    for spoil::Fault { name, unit, levels, wanted, apply } in spoil::FAULTS {
        let judged = |level| ENGINE.look(&apply(&image, &look, level)).unwrap().quality;
        let [slight, .., bad] = levels;
        let (slight, bad) = (judged(slight), judged(bad));
        assert!(!slight.reasons.contains(&wanted), "{name}, {unit}: {:?}", slight.measures);
        // Drawn lids are not always closed enough; they must look more closed than open eyes.
        let more_closed = bad.measures.eyes_open < look.quality.measures.eyes_open - 5.0;
        let drawn_lids = wanted == QualityReason::EyesClosed && more_closed;
        let named = bad.reasons.contains(&wanted) || drawn_lids;
        assert!(named, "{name}, {unit}: {:?}", bad.measures);
    }
}

/// Whether the picture shows the person of `obama.jpg`, to the engine.
fn shows_the_holder(image: &RgbImage) -> bool {
    let holder = face_of("obama2.jpg").template;
    let face = ENGINE.analyse(image).unwrap();
    ENGINE.compare(&holder, &face.template).accepted
}

#[test]
fn a_face_is_known_at_any_turn_of_the_camera_and_told_to_look_straight() {
    let upright = scaled(&picture("obama.jpg"), 0.5);
    let turns = [imageops::rotate90, imageops::rotate180, imageops::rotate270];
    for image in turns.map(|turn| turn(&upright)) {
        assert!(shows_the_holder(&image));
        assert!(reasons(&image).contains(&QualityReason::Turned));
    }
    let look = ENGINE.look(&upright).unwrap();
    let tilted = spoil::FAULTS.iter().find(|fault| fault.name == "tilted").unwrap();
    for degrees in [-45.0, -25.0, 25.0, 45.0] {
        let image = (tilted.apply)(&upright, &look, degrees);
        assert!(shows_the_holder(&image), "{degrees}");
        let roll = ENGINE.look(&image).unwrap().pose.roll;
        assert!((roll - degrees).abs() < 5.0, "{degrees}: {roll}");
    }
}

#[test]
fn a_face_that_fills_the_picture_is_found_and_told_to_move_back() {
    let image = picture("obama.jpg");
    let bounds = ENGINE.look(&image).unwrap().bounds;
    let (x, y) = (bounds.x as u32, bounds.y as u32);
    let (width, height) = (bounds.width as u32, bounds.height as u32);
    for cut in [0, width / 10] {
        let (width, height) = (width - 2 * cut, height - 2 * cut);
        let part = imageops::crop_imm(&image, x + cut, y + cut, width, height).to_image();
        assert!(reasons(&part).contains(&QualityReason::TooClose), "{cut}");
    }
}

#[test]
fn a_small_face_in_twelve_megapixels_is_found() {
    let mut room = RgbImage::from_fn(4032, 3024, |x, y| Rgb([(x / 40) as u8, (y / 40) as u8, 90]));
    let image = picture("obama.jpg");
    let distance = ENGINE.look(&image).unwrap().quality.measures.inter_eye_px;
    imageops::replace(&mut room, &scaled(&image, 50.0 / distance), 2900, 400);
    assert!(shows_the_holder(&room));
}

#[test]
fn a_selfie_in_low_light_shows_the_same_person() {
    let mut image = picture("obama.jpg");
    let mut noise = 1_u32;
    for value in image.iter_mut() {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (noise >> 28) as f32 - 8.0;
        *value = (f32::from(*value) * 0.35 + grain).clamp(0.0, 255.0) as u8;
    }
    assert!(shows_the_holder(&image));
    assert!(shows_the_holder(&imageops::flip_horizontal(&image)));
}

/// Head and shoulders of `obama.jpg`, 3 : 4, as wide as a chip's portrait.
fn chip_portrait(width: u32) -> RgbImage {
    let part = imageops::crop_imm(&picture("obama.jpg"), 250, 0, 480, 640).to_image();
    imageops::resize(&part, width, width * 4 / 3, imageops::FilterType::CatmullRom)
}

/// The best JPEG of at most so many bytes.
fn jpeg_within(image: &RgbImage, most: usize) -> Vec<u8> {
    let encoded = |quality| {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image).unwrap();
        bytes
    };
    (5..=95).rev().map(encoded).find(|bytes| bytes.len() <= most).unwrap()
}

#[test]
fn portraits_as_chips_hold_them_show_the_same_person() {
    // proves D1
    for (width, bytes) in [(240, 5_000), (300, 12_000), (480, 20_000)] {
        let plain = chip_portrait(width);
        for image in [grey(&plain), guilloche(&plain), plain] {
            let (jpeg, jp2) = (jpeg_within(&image, bytes), jp2::compressed(&image, bytes));
            for file in [jpeg, jp2] {
                assert!(file.len() <= bytes + 500, "{} of {bytes}", file.len());
                assert!(shows_the_holder(&portrait::decode(&file).unwrap()), "{width}, {bytes}");
            }
        }
    }
}

/// Grey, as most documents' portraits were for long.
fn grey(image: &RgbImage) -> RgbImage {
    let mut made = image.clone();
    made.pixels_mut().for_each(|p| p.0 = [image::Pixel::to_luma(p).0[0]; 3]);
    made
}

/// Under fine interwoven lines, as printed over a document's portrait.
fn guilloche(image: &RgbImage) -> RgbImage {
    let mut made = image.clone();
    let size = image.width() as f32;
    for (x, y, pixel) in made.enumerate_pixels_mut() {
        let (x, y) = (x as f32 / size * 60.0, y as f32 / size * 60.0);
        let lines = [y + 2.0 * x.sin(), y + 2.0 * (x + 2.1).sin(), x + 2.0 * (y / 2.0).cos()];
        let on_a_line = lines.iter().any(|line| line.rem_euclid(2.5) < 0.35);
        let Rgb(colour) = *pixel;
        let tint = [150.0, 120.0, 170.0];
        let drawn = |(v, t): (u8, f32)| (0.6 * f32::from(v) + 0.4 * t) as u8;
        if on_a_line {
            let [r, g, b] = colour;
            *pixel = Rgb([(r, tint[0]), (g, tint[1]), (b, tint[2])].map(drawn));
        }
    }
    made
}

#[test]
fn the_portraits_look_live() {
    for name in ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"] {
        let image = picture(name);
        let score = ENGINE.attack(&image, &ENGINE.analyse(&image).unwrap()).unwrap();
        assert!(score.live, "{name}: {score:?}");
    }
}

/// A copy of the models, to be spoiled.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::TempDir::new().unwrap();
    for entry in fs::read_dir(DATA.join("models")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    folder
}

/// Changes the text of a folder's models.toml.
fn rewrite(folder: &Path, change: impl Fn(String) -> String) {
    let path = folder.join("models.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, change(text)).unwrap();
}

#[test]
fn one_altered_byte_of_a_model_is_refused() {
    // proves D6
    let folder = copied();
    let file = folder.path().join("recognition-b.onnx");
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = Engine::load(folder.path()).unwrap_err();
    assert!(matches!(error, ModelError::Altered { role: Role::RecognitionB }), "{error}");
    fs::remove_file(&file).unwrap();
    let error = Engine::load(folder.path()).unwrap_err();
    assert!(matches!(error, ModelError::Missing { role: Role::RecognitionB, .. }), "{error}");
    assert!(error.to_string().contains("scripts/models"));
}

/// models.toml without the entry of a role.
fn without(text: &str, role: Role) -> String {
    let (before, rest) = text.split_once(&format!("[[model]]\nrole = \"{role}\"\n")).unwrap();
    format!("{before}{}", &rest[rest.find("\n[").unwrap()..])
}

#[test]
fn the_optional_networks_are_used_together_or_not_at_all_and_never_altered() {
    // proves D6
    if ENGINE.attack_networks().len() == 1 {
        println!("skipped: the optional networks are not installed (INDRUL_EXTRA_MODELS)");
        return;
    }
    let folder = copied();
    let (near, wide) =
        (folder.path().join("attack-near.onnx"), folder.path().join("attack-wide.onnx"));
    let (one, other) = (fs::read(&near).unwrap(), fs::read(&wide).unwrap());
    fs::write(&near, &other).unwrap();
    let swapped = Engine::load(folder.path()).unwrap_err();
    assert!(matches!(swapped, ModelError::Altered { role: Role::AttackNear }), "{swapped}");
    fs::write(&near, one).unwrap();
    fs::remove_file(&wide).unwrap();
    let missing = Engine::load(folder.path()).unwrap_err();
    assert!(matches!(missing, ModelError::Missing { role: Role::AttackWide, .. }), "{missing}");
    rewrite(folder.path(), |text| without(&text, Role::AttackWide));
    let engine = Engine::load(folder.path()).unwrap();
    assert_eq!(engine.attack_networks(), [Role::Attack]);
    let image = picture("obama.jpg");
    let score = engine.attack(&image, &engine.analyse(&image).unwrap()).unwrap();
    assert!(score.live, "{score:?}");
}

#[test]
fn coefficients_for_other_networks_or_of_no_number_are_refused() {
    // proves D6
    use liveness::ThresholdFault::{Attack, NotFinite};
    for (from, to, fault) in [
        ("bias = [", "bias = [nan, ", NotFinite),
        ("networks = [", "networks = [\n \"0\",", Attack),
    ] {
        let folder = copied();
        rewrite(folder.path(), |text| text.replace(from, to));
        let error = Engine::load(folder.path()).unwrap_err();
        assert!(
            matches!(error, ModelError::Thresholds { fault: found } if found == fault),
            "{error}"
        );
        assert_eq!(error.code(), "face.model");
    }
}

#[test]
fn one_engine_serves_many_threads() {
    let image = picture("obama2.jpg");
    let faces: Vec<Face> = std::thread::scope(|scope| {
        let running: Vec<_> =
            (0..3).map(|_| scope.spawn(|| ENGINE.analyse(&image).unwrap())).collect();
        running.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let [a, b, c] = faces.as_slice() else { panic!("three faces") };
    assert!(ENGINE.compare(&a.template, &b.template).similarity > 0.999);
    assert!(ENGINE.compare(&b.template, &c.template).similarity > 0.999);
    assert!(format!("{a:?}").len() < 120);
}

/// A print, a screen and a live face, where those pictures are at hand (`INDRUL_FIELD_DATA`).
#[test]
fn the_reference_attacks_do_not_look_live() {
    let field = env::var("INDRUL_FIELD_DATA").unwrap_or_else(|_| "../../shared/data".into());
    for (name, live) in [("F1", false), ("F2", false), ("T1", true)] {
        let path = Path::new(&field).join(format!("faces/attacks/image_{name}.jpg"));
        let Ok(bytes) = fs::read(path) else {
            println!("skipped {name}: not at hand");
            continue;
        };
        let image = portrait::decode(&bytes).unwrap();
        let score = ENGINE.attack(&image, &ENGINE.analyse(&image).unwrap()).unwrap();
        println!("{name}: {score:?}");
        assert_eq!(score.live, live, "{name}: {score:?}");
    }
}

/// A portrait as a phone's camera would store it, decoded in full and as the engine decodes it.
fn photograph(name: &str) -> [RgbImage; 2] {
    let large = imageops::resize(&picture(name), 3000, 4000, imageops::FilterType::Triangle);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(&large).unwrap();
    let whole = image::load_from_memory(&bytes).unwrap().into_rgb8();
    let halved = portrait::decode(&bytes).unwrap();
    assert_eq!((whole.dimensions(), halved.dimensions()), ((3000, 4000), (1500, 2000)));
    [whole, halved]
}

#[test]
fn a_photograph_decoded_at_half_its_size_is_judged_as_the_whole() {
    let (holder, another) = (face_of("obama.jpg"), face_of("biden.jpg"));
    let [whole, halved] = photograph("obama2.jpg").map(|image| ENGINE.analyse(&image).unwrap());
    assert_eq!(whole.quality.reasons, halved.quality.reasons);
    assert!(ENGINE.compare(&whole.template, &halved.template).similarity > 0.9);
    for (other, accepted) in [(&holder, true), (&another, false)] {
        let found = [&whole, &halved].map(|own| ENGINE.compare(&own.template, &other.template));
        assert!(found.iter().all(|found| found.accepted == accepted), "{found:?}");
    }
}
