//! Portraits from strangers: every format we take, every way they may be wrong.
//!
//! The pictures in `vectors/` all show the same four colours; `vectors/make.py` made them.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, also in its helpers"
)]

use std::fs;
use std::path::Path;

use image::RgbImage;
use liveness::portrait::{self, DecodeError, MAX_BYTES, MAX_PIXELS};
use proptest::prelude::*;

const COLOURS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 30], [30, 30, 220], [250, 250, 250]];
const GREYS: [[u8; 3]; 4] = [[87; 3], [130; 3], [52; 3], [250; 3]];

fn vector(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

/// The middles of the four quarters: top left, top right, bottom left, bottom right.
fn quarters(image: &RgbImage) -> [[u8; 3]; 4] {
    [(12, 8), (36, 8), (12, 24), (36, 24)].map(|(x, y)| image.get_pixel(x, y).0)
}

fn shows(name: &str, expected: [[u8; 3]; 4]) {
    let image = portrait::decode(&vector(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(image.dimensions(), (48, 32), "{name}");
    let found = quarters(&image);
    let pairs = found.as_flattened().iter().zip(expected.as_flattened());
    assert!(pairs.clone().all(|(a, b)| a.abs_diff(*b) <= 6), "{name}: {found:?}");
}

#[test]
fn every_format_shows_the_same_colours() {
    let lossless = ["colour.png", "colour.webp", "colour.jp2", "colour.j2k"];
    let others = ["colour.jpg", "progressive.jpg", "lossy.jp2"];
    let transparent = ["palette.png", "alpha.png", "alpha.jp2"];
    lossless.into_iter().chain(others).chain(transparent).for_each(|name| shows(name, COLOURS));
}

#[test]
fn grey_portraits_become_rgb() {
    ["grey.png", "grey.jpg", "grey.jp2"].into_iter().for_each(|name| shows(name, GREYS));
}

#[test]
fn a_picture_is_turned_as_its_exif_says() {
    (2..=8).for_each(|n| shows(&format!("exif{n}.jpg"), COLOURS));
}

/// As `colour.jpg`, but large: stored lying on its side where `exif` turns it.
fn photograph(exif: Option<&[u8]>) -> Vec<u8> {
    let quarter = |x: u32, y: u32| COLOURS[usize::from(x >= 1500) + 2 * usize::from(y >= 1300)];
    let image = RgbImage::from_fn(3000, 2600, |x, y| image::Rgb(quarter(x, y)));
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
    if let Some(exif) = exif {
        image::ImageEncoder::set_exif_metadata(&mut encoder, exif.to_vec()).unwrap();
    }
    encoder.encode_image(&image).unwrap();
    bytes
}

#[test]
fn a_large_photograph_comes_at_half_its_size_and_upright() {
    let corners = |image: &RgbImage| {
        let (right, low) = (image.width() - 100, image.height() - 100);
        [(100, 100), (right, 100), (100, low), (right, low)].map(|(x, y)| image.get_pixel(x, y).0)
    };
    let near = |found: [[u8; 3]; 4], expected: [[u8; 3]; 4]| {
        let pairs = found.as_flattened().iter().zip(expected.as_flattened());
        assert!(pairs.clone().all(|(a, b)| a.abs_diff(*b) <= 6), "{found:?}");
    };
    let image = portrait::decode(&photograph(None)).unwrap();
    assert_eq!(image.dimensions(), (1500, 1300));
    near(corners(&image), COLOURS);
    // Exif 2.32 §4.6.4: row 0 is the right side, column 0 the top.
    let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let image = portrait::decode(&photograph(Some(exif))).unwrap();
    assert_eq!(image.dimensions(), (1300, 1500));
    let [a, b, c, d] = COLOURS;
    near(corners(&image), [c, a, d, b]);
    let cut = photograph(None);
    assert!(portrait::decode(&cut[..600]).is_err());
}

#[test]
fn other_formats_are_refused() {
    for bytes in [&b""[..], b"GIF89a\x01\x00\x01\x00\x00\x00\x00", b"BM", b"\xFF", b"<svg/>"] {
        let error = portrait::decode(bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Format), "{error}");
        assert_eq!(error.code(), "face.portrait_unreadable");
    }
}

#[test]
fn a_file_that_is_too_long_is_not_looked_at() {
    let mut bytes = vector("colour.png");
    bytes.resize(MAX_BYTES + 1, 0);
    let error = portrait::decode(&bytes).unwrap_err();
    assert!(matches!(error, DecodeError::TooLong { length } if length == MAX_BYTES + 1));
}

/// The same file with another size in its header, at the offset where the format keeps it.
fn resized(name: &str, width: (usize, &[u8]), height: (usize, &[u8])) -> Vec<u8> {
    let mut bytes = vector(name);
    for (offset, value) in [width, height] {
        bytes[offset..offset + value.len()].copy_from_slice(value);
    }
    bytes
}

fn position(bytes: &[u8], marker: &[u8]) -> usize {
    bytes.windows(marker.len()).position(|w| w == marker).unwrap()
}

fn size_refused(what: &str, bytes: &[u8]) {
    match portrait::decode(bytes).unwrap_err() {
        DecodeError::Demanding if bytes.windows(2).any(|w| w == b"\xFF\x4F") => {}
        DecodeError::Size { width, height } => {
            let pixels = u64::from(width) * u64::from(height);
            assert!(pixels > MAX_PIXELS, "{what}: {width} x {height}");
        }
        error => panic!("{what}: {error:?}"),
    }
}

#[test]
fn the_size_is_checked_before_anything_is_decoded() {
    let jpeg = vector("colour.jpg");
    let frame = position(&jpeg, b"\xFF\xC0");
    size_refused(
        "jpeg",
        &resized("colour.jpg", (frame + 7, b"\xFF\xFF"), (frame + 5, b"\xFF\xFF")),
    );
    let jp2 = position(&vector("colour.jp2"), b"\xFF\x4F\xFF\x51");
    for (name, start) in [("colour.jp2", jp2), ("colour.j2k", 0)] {
        let large = b"\x00\x00\x27\x10"; // 10,000; also the tile's, so that there is one tile
        let bytes = resized(name, (start + 8, large), (start + 12, large));
        let mut bytes = bytes;
        bytes[start + 24..start + 28].copy_from_slice(large);
        bytes[start + 28..start + 32].copy_from_slice(large);
        size_refused(name, &bytes);
    }
    let vp8l = position(&vector("colour.webp"), b"VP8L");
    let webp = resized("colour.webp", (vp8l + 9, b"\xFE\xBF\xFF"), (vp8l + 12, b"\x0F"));
    size_refused("webp", &webp);
}

/// `colour.j2k` with 32-bit values written at offsets of its SIZ segment, which starts at 2.
fn codestream(values: &[(usize, u32)]) -> Vec<u8> {
    let mut bytes = vector("colour.j2k");
    for (offset, value) in values {
        bytes[*offset..offset + 4].copy_from_slice(&value.to_be_bytes());
    }
    bytes
}

const TILE_WIDTH: usize = 24;
const TILE_HEIGHT: usize = 28;

#[test]
fn a_small_file_cannot_ask_for_much() {
    // 1,536 tiles of one pixel; then one tile, but precincts of one pixel.
    let tiles = codestream(&[(TILE_WIDTH, 1), (TILE_HEIGHT, 1)]);
    let mut precincts = vector("colour.j2k");
    let cod = position(&precincts, b"\xFF\x52");
    let levels = precincts[cod + 9];
    precincts[cod + 3] += levels + 1;
    precincts[cod + 4] |= 1;
    let sizes = vec![0x11; usize::from(levels) + 1];
    precincts.splice(cod + 14..cod + 14, sizes);
    for bytes in [tiles, precincts] {
        let error = portrait::decode(&bytes).unwrap_err();
        assert!(matches!(error, DecodeError::Demanding), "{error:?}");
    }
}

#[test]
fn a_jp2_with_a_palette_is_refused() {
    let mut bytes = vector("colour.jp2");
    let header = position(&bytes, b"jp2h");
    let colour = position(&bytes, b"colr");
    bytes[colour..colour + 4].copy_from_slice(b"pclr");
    assert!(header < colour);
    let error = portrait::decode(&bytes).unwrap_err();
    assert!(matches!(error, DecodeError::Demanding), "{error:?}");
}

#[test]
fn a_codestream_hidden_behind_a_second_one_is_checked_too() {
    let mut bytes = vector("colour.jp2");
    let first = position(&bytes, b"jp2c") - 4;
    let length = u32::try_from(bytes.len() - first).unwrap();
    bytes[first..first + 4].copy_from_slice(&length.to_be_bytes());
    bytes.extend(b"\0\0\0\0jp2c");
    bytes.extend(codestream(&[(TILE_WIDTH, 1), (TILE_HEIGHT, 1)]));
    let error = portrait::decode(&bytes).unwrap_err();
    assert!(matches!(error, DecodeError::Demanding), "{error:?}");
}

#[test]
fn a_png_that_claims_to_be_a_poster_is_refused() {
    let png = resized("colour.png", (16, b"\x00\x00\xFF\xFF"), (20, b"\x00\x00\xFF\xFF"));
    let mut png = png;
    let crc = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    size_refused("png", &png);
}

/// PNG's checksum (ISO/IEC 15948 §5.5).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 }
        })
    })
}

#[test]
fn a_truncated_file_never_shows_what_was_cut_off() {
    for name in ["colour.png", "colour.webp"] {
        let bytes = vector(name);
        for length in 0..bytes.len() - 16 {
            assert!(portrait::decode(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
    }
    // Decoders of JPEG fill what is missing, so that the end itself is looked for.
    for name in ["colour.jpg", "progressive.jpg", "exif6.jpg", "grey.jpg"] {
        let bytes = vector(name);
        assert!(bytes.ends_with(b"\xFF\xD9"), "{name}");
        for length in 0..bytes.len() - 1 {
            assert!(portrait::decode(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        let followed = [bytes.as_slice(), &[0; 70]].concat();
        assert!(portrait::decode(&followed).is_ok(), "{name} with something after its end");
    }
}

/// A change of a file: bytes replaced, and perhaps the end cut off.
#[derive(Clone, Debug)]
struct Mutation {
    name: &'static str,
    replaced: Vec<(prop::sample::Index, u8)>,
    length: Option<prop::sample::Index>,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let names = prop::sample::select(vec![
        "colour.jpg",
        "progressive.jpg",
        "exif6.jpg",
        "grey.jpg",
        "colour.png",
        "palette.png",
        "colour.webp",
        "colour.jp2",
        "colour.j2k",
        "lossy.jp2",
        "grey.jp2",
        "alpha.jp2",
    ]);
    let replaced = prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..6);
    let length = prop::option::weighted(0.2, any::<prop::sample::Index>());
    (names, replaced, length).prop_map(|(name, replaced, length)| Mutation {
        name,
        replaced,
        length,
    })
}

impl Mutation {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vector(self.name);
        for (index, value) in &self.replaced {
            let at = index.index(bytes.len());
            bytes[at] = *value;
        }
        if let Some(length) = self.length {
            bytes.truncate(length.index(bytes.len()));
        }
        bytes
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_an_error_or_a_picture_within_the_budget(mutation in mutation()) {
        match portrait::decode(&mutation.bytes()) {
            Ok(image) => {
                let pixels = u64::from(image.width()) * u64::from(image.height());
                prop_assert!((1..=MAX_PIXELS).contains(&pixels));
            }
            Err(error) => prop_assert_eq!(error.code(), "face.portrait_unreadable"),
        }
    }
}

/// Portraits of the reference DG2 files, where those files are at hand (`INDRUL_FIELD_DATA`).
#[test]
fn reference_portraits_decode() {
    let data = std::env::var("INDRUL_FIELD_DATA").unwrap_or_else(|_| "../../shared/data".into());
    let names = [
        "dg2-samples/dg2_silver_all_fields.bin",
        "dg2-samples/ISO19794_Test1_Data.bin",
        "bsi-tr03105-5/Datagroup2.bin",
    ];
    for name in names {
        let Ok(file) = fs::read(Path::new(&data).join(name)) else {
            println!("skipped {name}: not at hand");
            continue;
        };
        let image = portrait::decode(picture_in(&file)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(image.width() >= 64 && image.height() >= 64, "{name}: {:?}", image.dimensions());
    }
}

/// The bytes from the first picture signature on.
fn picture_in(file: &[u8]) -> &[u8] {
    let signatures = [&b"\x00\x00\x00\x0CjP  "[..], b"\xFF\x4F\xFF\x51", b"\xFF\xD8\xFF"];
    let start = (0..file.len()).find(|i| signatures.iter().any(|s| file[*i..].starts_with(s)));
    &file[start.expect("a picture")..]
}
