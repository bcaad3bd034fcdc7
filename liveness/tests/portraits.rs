//! The real engine on the fixture portraits: three pictures of one person, one of another.
//!
//! The models come from `scripts/models`; without them these tests fail and say so.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage, imageops};
use liveness::{Engine, Face, FaceError, ModelError, QualityReason, Role, portrait};

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
fn the_portraits_look_live() {
    for name in ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"] {
        let image = picture(name);
        let score = ENGINE.attack(&image, &ENGINE.analyse(&image).unwrap()).unwrap();
        assert!(score.live, "{name}: {score:?}");
    }
}

#[test]
fn one_altered_byte_of_a_model_is_refused() {
    // proves D6
    let folder = tempfile::TempDir::new().unwrap();
    for entry in fs::read_dir(DATA.join("models")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
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
