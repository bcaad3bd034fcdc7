//! Pictures changed at random: each ends as a picture within the budget or as a refusal with its
//! reason, soon, and never as a panic. `INDRUL_MUTATIONS` says how many (300 where it is not set), or
//! which (`2000..4000`); ten thousand:
//!
//!     INDRUL_MUTATIONS=10000 cargo test -p liveness --test hostile -- --nocapture
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::time::{Duration, Instant};

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use liveness::portrait::{self, DecodeError, MAX_PIXELS};

/// None of these pictures has more than some thousands of pixels: whatever is made of one is done long
/// before.
const LONGEST: Duration = Duration::from_secs(20);

const FILES: [&str; 14] = [
    "colour.jpg",
    "progressive.jpg",
    "exif6.jpg",
    "grey.jpg",
    "colour.png",
    "palette.png",
    "alpha.png",
    "colour.webp",
    "colour.jp2",
    "lossy.jp2",
    "grey.jp2",
    "alpha.jp2",
    "colour.j2k",
    "large.jpg",
];

/// Knuth's MMIX generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % most.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }
}

fn original(name: &str) -> Vec<u8> {
    if name == "large.jpg" {
        return large();
    }
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

/// As large as what phones make, in a small file.
fn large() -> Vec<u8> {
    let image = RgbImage::from_fn(3200, 2800, |x, y| Rgb([(x / 16) as u8, (y / 16) as u8, 90]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 30).encode_image(&image).unwrap();
    bytes
}

/// Headers of scans without any data, after the first one's: each would cost a pass over the picture.
#[test]
fn scans_without_data_cost_nothing() {
    let mut file = large();
    file.truncate(file.len() - 2);
    let scan = b"\xFF\xDA\x00\x08\x01\x01\x00\x00\x3F\x00";
    file.extend(scan.iter().copied().cycle().take(20_000 * scan.len()));
    file.extend(b"\xFF\xD9");
    let started = Instant::now();
    drop(portrait::decode(&file));
    assert!(started.elapsed() < LONGEST, "{:?}", started.elapsed());
}

/// ICAO 9303-10 §4.7.2: the record of a face with its picture at the end (ISO/IEC 19794-5), in the
/// templates of DG2; lengths are left wrong, since only the picture is looked for.
fn embedded(picture: &[u8]) -> Vec<u8> {
    let mut file = b"\x75\x82\x10\x00\x7F\x61\x82\x10\x00\x02\x01\x01FAC\x00010\x00".to_vec();
    file.extend([0; 46]);
    file.extend(picture);
    file
}

fn changed(mut file: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    // What rules the rest stands at the beginning.
    let reach = if dice.below(2) == 0 { file.len() } else { file.len().min(300) };
    for _ in 0..=dice.below(4) {
        change(&mut file, reach, dice);
    }
    file
}

fn change(file: &mut Vec<u8>, reach: usize, dice: &mut Dice) {
    let at = dice.below(reach.min(file.len()));
    let end = (at + 1 + dice.below(24)).min(file.len());
    let part = file.get(at..end).unwrap_or_default().to_vec();
    match dice.below(7) {
        0 => file.truncate(at),
        1 => drop(file.drain(at..end)),
        2 => drop(file.splice(at..at, part)),
        3 => file[at..end].fill([0, 0xFF][dice.below(2)]),
        4 => file.extend((0..dice.below(300)).map(|_| dice.byte())),
        5 => file[at..end].iter_mut().for_each(|there| *there ^= 1 << dice.below(8)),
        _ => file[at..end].iter_mut().for_each(|there| *there = dice.byte()),
    }
    if file.is_empty() {
        file.push(dice.byte());
    }
}

fn kind(error: &DecodeError) -> &'static str {
    match error {
        DecodeError::TooLong { .. } => "too long",
        DecodeError::Size { .. } => "too many pixels",
        DecodeError::Format => "another format",
        DecodeError::CutOff => "cut off",
        DecodeError::Damaged(_) | DecodeError::DamagedJpeg2000(_) => "damaged",
        DecodeError::Demanding => "demanding",
        DecodeError::Channels { .. } => "channels",
        DecodeError::Stopped => "the decoder stopped",
    }
}

/// What becomes of one change.
fn end(originals: &[Vec<u8>], number: u64) -> &'static str {
    let dice = &mut Dice(number.wrapping_mul(0x9E37_79B9).wrapping_add(7));
    // A large picture takes long to decode; one in forty is one.
    let last = originals.len() - 1;
    let which = if number.is_multiple_of(40) { last } else { dice.below(last) };
    let file = changed(originals[which].clone(), dice);
    let start = Instant::now();
    let found = portrait::decode(&file);
    assert!(start.elapsed() < LONGEST, "{number} takes {:?}", start.elapsed());
    match found {
        Ok(image) => {
            let pixels = u64::from(image.width()) * u64::from(image.height());
            assert!((1..=MAX_PIXELS).contains(&pixels), "{number}: {pixels}");
            "a picture"
        }
        Err(error) => {
            assert_eq!(error.code(), "face.portrait_unreadable", "{number}");
            kind(&error)
        }
    }
}

/// The numbers of the changes to try.
fn wanted() -> Range<u64> {
    let told = env::var("INDRUL_MUTATIONS").unwrap_or_else(|_| "300".to_owned());
    match told.split_once("..") {
        Some((start, end)) => start.parse().unwrap()..end.parse().unwrap(),
        None => 0..told.parse().unwrap(),
    }
}

#[test]
fn no_changed_picture_passes_for_anything_but_a_picture_or_a_refusal() {
    // proves D6
    let originals: Vec<Vec<u8>> = FILES.into_iter().map(original).collect();
    for original in &originals {
        assert!(portrait::decode(original).is_ok(), "left alone");
    }
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    let mut panicked = Vec::new();
    for number in wanted() {
        match panic::catch_unwind(AssertUnwindSafe(|| end(&originals, number))) {
            Ok(end) => *ends.entry(end).or_default() += 1,
            Err(_) => panicked.push(number),
        }
    }
    println!("{} changed pictures: {ends:?}, {} panics", wanted().count(), panicked.len());
    assert!(panicked.is_empty(), "these panic or take too long: {panicked:?}");
    assert!(ends.len() >= 4, "the changes reach every end: {ends:?}");
}

#[test]
fn a_picture_within_a_data_group_is_not_a_picture_by_itself() {
    for name in ["colour.jpg", "lossy.jp2", "colour.j2k"] {
        assert!(portrait::decode(&embedded(&original(name))).is_err(), "{name}");
    }
}
