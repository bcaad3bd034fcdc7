//! `enroll mrz read` on files of every kind: a fixture's page in each format and orientation, and
//! what is refused.

use std::{fs, io::Cursor, path::PathBuf};

use fixtures::{catalogue, passport::Passport, portraits::Portraits};
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder, ImageFormat,
    codecs::{jpeg::JpegEncoder, webp::WebPEncoder},
    metadata::Orientation,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::{complaint, enroll, objects, status, text};

struct Pages {
    dir: TempDir,
    lines: Vec<String>,
    png: Vec<u8>,
}

impl Pages {
    fn new() -> Self {
        let spec = catalogue::find("good").unwrap().spec;
        let day = time::macros::date!(2026 - 03 - 02);
        let made = Passport::make(&spec, &Portraits::drawn(), day).unwrap();
        let lines = made.mrz_lines.iter().map(ToString::to_string).collect();
        Self { dir: tempfile::tempdir().unwrap(), lines, png: made.page_png().unwrap() }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn picture(&self) -> DynamicImage {
        image::load_from_memory_with_format(&self.png, ImageFormat::Png).unwrap()
    }
}

fn read(paths: &[PathBuf]) -> std::process::Output {
    read_with(&["mrz", "read", "--json"], paths)
}

fn read_with(args: &[&str], paths: &[PathBuf]) -> std::process::Output {
    let args = args.iter().copied();
    enroll(&args.chain(paths.iter().map(|path| text(path))).collect::<Vec<_>>())
}

/// A TIFF directory with the orientation as its only entry (Exif 2.32 §4.6.4).
fn exif(orientation: u8) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// The page as a camera stores it that must be turned by its EXIF.
fn turned(page: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut page = page.clone();
    page.apply_orientation(match Orientation::from_exif(orientation).unwrap() {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        same => same,
    });
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.set_exif_metadata(exif(orientation)).unwrap();
    encoder.encode_image(&page.to_rgb8()).unwrap();
    bytes
}

#[test]
fn a_page_is_read_in_every_format_and_orientation() {
    let pages = Pages::new();
    let picture = pages.picture();
    let mut paths = vec![pages.file("page.png", &pages.png)];
    for orientation in 1..=8 {
        let bytes = turned(&picture, orientation);
        paths.push(pages.file(&format!("turned-{orientation}.jpg"), &bytes));
    }
    let mut webp = Vec::new();
    let rgb = picture.to_rgb8();
    let encoder = WebPEncoder::new_lossless(&mut webp);
    encoder.write_image(&rgb, rgb.width(), rgb.height(), ExtendedColorType::Rgb8).unwrap();
    paths.push(pages.file("page.webp", &webp));
    let mut deep = Cursor::new(Vec::new());
    let sixteen = DynamicImage::ImageRgb16(picture.to_rgb16());
    sixteen.write_to(&mut deep, ImageFormat::Png).unwrap();
    paths.push(pages.file("deep.png", deep.get_ref()));
    // The name says nothing about the format.
    paths.push(pages.file("named-wrongly.jpg", &pages.png));
    paths.push(pages.file("no-name-to-speak-of", &pages.png));
    let output = read(&paths);
    let results = objects(&output);
    assert_eq!(results.len(), paths.len(), "one object an image");
    for (path, result) in paths.iter().zip(&results) {
        assert_eq!(result["image"], text(path));
        let lines: Vec<&str> =
            result["lines"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(lines, pages.lines, "{}", path.display());
        assert_eq!((&result["found"], &result["valid"]), (&true.into(), &true.into()));
        assert_eq!(result["format"], "TD3");
        assert!(result["checks"]["composite"] == true && result["fields"]["surname"].is_string());
        assert!(result["confidence"].is_number() && result["advice"].is_array());
        assert!(result["ms"].is_u64() && result["reason"].is_null());
    }
    assert_eq!(status(&output), 0, "{}", complaint(&output));
}

/// A PNG header that claims a size, and nothing else.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    // Signature, IHDR and a checksum that no one looks at before the size.
    let mut png = pages_header();
    png[16..20].copy_from_slice(&width.to_be_bytes());
    png[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = checksum(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&sum);
    png
}

fn pages_header() -> Vec<u8> {
    let mut png = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(1, 1).write_to(&mut png, ImageFormat::Png).unwrap();
    png.into_inner()
}

/// PNG, third edition, Annex D.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[test]
fn what_cannot_be_used_is_refused_with_a_reason_in_both_languages() {
    let pages = Pages::new();
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
    let unreadable = [
        pages.file("empty.png", b""),
        pages.file("text.jpg", b"no picture"),
        pages.file("cut.png", &pages.png[..pages.png.len() / 2]),
        pages.file("head.jpg", &turned(&pages.picture(), 1)[..200]),
        pages.file("other.gif", gif),
        pages.dir.path().to_owned(),
        pages.dir.path().join("missing.png"),
    ];
    let large = [
        pages.file("bomb.png", &claiming(100_000, 100_000)),
        pages.file("wide.png", &claiming(64_000_001, 1)),
    ];
    let page = pages.file("page.png", &pages.png);
    let paths: Vec<PathBuf> = unreadable.iter().chain(&large).chain([&page]).cloned().collect();
    let output = read(&paths);
    assert_eq!(status(&output), 2, "{}", complaint(&output));
    let results = objects(&output);
    assert_eq!(results.len(), paths.len(), "one object an image");
    assert_eq!(results.last().unwrap()["valid"], true, "the others are read all the same");
    for (index, result) in results.iter().take(paths.len() - 1).enumerate() {
        let large = index >= unreadable.len();
        let code = if large { "mrz.picture.too_large" } else { "mrz.picture.unreadable" };
        assert_eq!(result["reason"], code, "{result}");
        assert_eq!((&result["found"], &result["valid"]), (&false.into(), &false.into()));
        assert_eq!(result["lines"], serde_json::json!([]));
        assert!(result["error"].is_string() && result["ms"].is_u64());
        for told in ["text", "next_step"] {
            assert!(result[told]["da"].is_string() && result[told]["en"].is_string());
        }
        assert_eq!(result["advice"] == serde_json::json!(["too_large"]), large);
    }
    let human = enroll(&["mrz", "read", text(&large[0])]);
    let shown = String::from_utf8(human.stdout).unwrap();
    assert!(
        shown.contains("Billedet er for stort.") && shown.contains("The picture is too large.")
    );
}

#[test]
fn a_picture_without_an_mrz_is_not_found() {
    let pages = Pages::new();
    let mut white = Cursor::new(Vec::new());
    let blank = image::GrayImage::from_pixel(1400, 1000, image::Luma([200]));
    blank.write_to(&mut white, ImageFormat::Png).unwrap();
    let output = read(&[pages.file("white.png", white.get_ref())]);
    assert_eq!(status(&output), 1);
    let result = &objects(&output)[0];
    assert_eq!((&result["found"], &result["reason"]), (&false.into(), &"mrz.not_found".into()));
    assert!(result["next_step"]["da"].is_string());
}

#[test]
fn frames_of_a_video_end_in_one_result() {
    let pages = Pages::new();
    let blank = image::GrayImage::from_pixel(1400, 1000, image::Luma([200]));
    let mut white = Cursor::new(Vec::new());
    blank.write_to(&mut white, ImageFormat::Png).unwrap();
    let page = pages.file("page.png", &pages.png);
    let white = pages.file("white.png", white.get_ref());
    let torn = pages.file("torn.png", &pages.png[..999]);
    let frames = [white.clone(), torn.clone(), page.clone(), page.clone(), page.clone()];
    let output = read_with(&["mrz", "read", "--json", "--video"], &frames);
    assert_eq!(status(&output), 0, "{}", complaint(&output));
    let [result] = objects(&output).try_into().unwrap();
    assert_eq!((&result["valid"], &result["image"]), (&true.into(), &text(&page).into()));
    let frames = result["frames"].as_u64().unwrap();
    assert!((3..=4).contains(&frames), "no more frames than leave no doubt: {frames}");
    let output = read_with(&["mrz", "read", "--json", "--video"], &[white, torn]);
    assert_eq!((status(&output), &objects(&output)[0]["reason"]), (1, &"mrz.not_found".into()));
}
