//! Pages changed at random, in the bytes of their files and in their pixels, decoded and read: no
//! panic, and next to nothing valid that the page does not say. `INDRUL_MUTATIONS` says how many
//! (200 where it is not set), or which (`2000..4000`); ten thousand:
//!
//!     INDRUL_MUTATIONS=10000 cargo test -p mrz --test mutated_pictures -- --nocapture
#![cfg(feature = "reader")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]
#![expect(clippy::print_stdout, reason = "what was read wrongly is for the eyes")]

mod pages;
mod png;

use std::{
    collections::BTreeMap,
    env,
    io::Cursor,
    ops::Range,
    panic::{self, AssertUnwindSafe},
    thread,
};

use image::{
    DynamicImage, GenericImageView, ImageEncoder, ImageFormat, Rgba, codecs::jpeg::JpegEncoder,
    imageops::FilterType,
};
use mrz::{picture, reader::MrzReader};
use pages::{Dice, SCAN, Shot, page, take};

const LINES: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];

/// What is changed: the page as it is shot, and its files.
struct Originals {
    shot: DynamicImage,
    files: Vec<(ImageFormat, Vec<u8>)>,
    /// Other kinds of files, of no page.
    small: Vec<(ImageFormat, Vec<u8>)>,
}

impl Originals {
    fn new() -> Self {
        let dice = &mut Dice(1);
        let page = page(&LINES.map(str::to_owned), 6.0, dice);
        let shot = take(&page, Shot { width: 760, margin: 0.02, degrees: 0.4, ..SCAN }, dice);
        let mut files = Vec::new();
        for format in [ImageFormat::Png, ImageFormat::WebP] {
            let mut file = Cursor::new(Vec::new());
            DynamicImage::ImageRgb8(shot.to_rgb8()).write_to(&mut file, format).unwrap();
            files.push((format, file.into_inner()));
        }
        for picture in [shot.clone(), DynamicImage::ImageRgb8(shot.to_rgb8())] {
            let mut file = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut file, 80);
            // Exif 2.32 §4.6.4: upright
            let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0";
            encoder.set_exif_metadata(exif.to_vec()).unwrap();
            encoder.encode_image(&picture).unwrap();
            files.push((ImageFormat::Jpeg, file));
        }
        let small = vec![
            (ImageFormat::Jpeg, include_bytes!("pictures/cmyk.jpg").to_vec()),
            (ImageFormat::Jpeg, include_bytes!("pictures/grey-progressive.jpg").to_vec()),
            (ImageFormat::Jpeg, include_bytes!("pictures/rgb-420.jpg").to_vec()),
            (ImageFormat::WebP, include_bytes!("pictures/lossy.webp").to_vec()),
            (ImageFormat::WebP, include_bytes!("pictures/animated.webp").to_vec()),
            (ImageFormat::Png, include_bytes!("pictures/animated.png").to_vec()),
        ];
        Self { shot, files, small }
    }
}

fn below(dice: &mut Dice, most: usize) -> usize {
    (dice.between(0.0, most as f32) as usize).min(most.saturating_sub(1))
}

fn byte(dice: &mut Dice) -> u8 {
    below(dice, 256) as u8
}

/// A file of the page with a few changes in its bytes.
fn changed_file(originals: &Originals, dice: &mut Dice) -> Vec<u8> {
    let kind = if below(dice, 5) == 0 { &originals.small } else { &originals.files };
    let (format, file) = &kind[below(dice, kind.len())];
    let mut file = file.clone();
    // What rules the rest stands at the beginning.
    let reach = if below(dice, 2) == 0 { file.len() } else { file.len().min(700) };
    for _ in 0..=below(dice, 4) {
        change(&mut file, reach, dice);
    }
    if *format == ImageFormat::Png && below(dice, 4) > 0 {
        with_right_checksums(&mut file);
    }
    file
}

fn change(file: &mut Vec<u8>, reach: usize, dice: &mut Dice) {
    let at = below(dice, reach.min(file.len()));
    let end = (at + 1 + below(dice, 40)).min(file.len());
    let part = file.get(at..end).unwrap_or_default().to_vec();
    match below(dice, 7) {
        0 => file.truncate(at),
        1 => drop(file.drain(at..end)),
        2 => drop(file.splice(at..at, part)),
        3 => file[at..end].fill([0, 0xff][below(dice, 2)]),
        4 => file.extend((0..below(dice, 300)).map(|_| byte(dice))),
        5 => file[at..end].iter_mut().for_each(|there| *there ^= 1 << below(dice, 8)),
        _ => file[at..end].iter_mut().for_each(|there| *there = byte(dice)),
    }
    if file.is_empty() {
        file.push(byte(dice));
    }
}

/// Makes a decoder look past the checksums, at what was changed.
fn with_right_checksums(file: &mut [u8]) {
    let mut at = 8;
    while let Some(head) = file.get(at..at + 4) {
        let length = u32::from_be_bytes(head.try_into().unwrap()) as usize;
        let Some(end) = (at + 8).checked_add(length).filter(|end| end + 4 <= file.len()) else {
            return;
        };
        let sum = png::crc(&file[at + 4..end]).to_be_bytes();
        file[end..end + 4].copy_from_slice(&sum);
        at = end + 4;
    }
}

/// The page's pixels with a few changes.
fn changed_pixels(originals: &Originals, dice: &mut Dice) -> DynamicImage {
    let mut picture = originals.shot.clone();
    for _ in 0..=below(dice, 3) {
        picture = changed(&picture, dice);
    }
    picture
}

fn changed(picture: &DynamicImage, dice: &mut Dice) -> DynamicImage {
    let (width, height) = picture.dimensions();
    let side = |dice: &mut Dice| [1, 2, 63, 64, 320, 321, 700, 1300][below(dice, 8)];
    let part = |dice: &mut Dice, whole: u32| {
        let from = below(dice, whole as usize) as u32;
        (from, 1 + below(dice, (whole - from) as usize) as u32)
    };
    let ((x, wide), (y, high)) = (part(dice, width), part(dice, height));
    match below(dice, 10) {
        0 => picture.resize_exact(side(dice), side(dice), FilterType::Nearest),
        1 => picture.resize_exact(width.max(2) / 2, height, FilterType::Triangle),
        2 => picture.crop_imm(x, y, wide, high),
        3 => [picture.rotate90(), picture.rotate180(), picture.fliph()][below(dice, 3)].clone(),
        4 => picture.brighten([-200, -60, 60, 200][below(dice, 4)]),
        5 => DynamicImage::ImageRgb16(picture.to_rgb16()),
        6 => picture.fast_blur(dice.between(0.3, 3.0)),
        7 => {
            let mut inverted = picture.clone();
            inverted.invert();
            inverted
        }
        _ => {
            let mut spotted = picture.to_rgba8();
            let flat = [None, Some(0), Some(255)][below(dice, 3)];
            for (column, row) in
                (x..x + wide.min(90)).flat_map(|x| (y..y + high.min(40)).map(move |y| (x, y)))
            {
                let value = flat.unwrap_or_else(|| byte(dice));
                spotted.put_pixel(column, row, Rgba([value, value, value, byte(dice)]));
            }
            DynamicImage::ImageRgba8(spotted)
        }
    }
}

/// What becomes of one change: the kind of end.
fn end(reader: &MrzReader, originals: &Originals, number: u64) -> &'static str {
    let dice = &mut Dice(number.wrapping_mul(0x9e37_79b9));
    let picture = match number % 3 {
        0 => changed_pixels(originals, dice),
        _ => match picture::decode(&changed_file(originals, dice)) {
            Ok(picture) => picture,
            Err(error) => return error.code(),
        },
    };
    let reading = reader.read(&picture);
    assert!(serde_json::to_value(&reading).is_ok());
    match (reading.valid, reading.found()) {
        (true, _) if reading.lines == LINES => "valid",
        (true, _) => {
            println!("{number}: {:#?}, confidence {}", reading.lines, reading.confidence);
            "valid and wrong"
        }
        (false, true) => "found, not valid",
        (false, false) => "not found",
    }
}

/// The numbers of the changes to try.
fn wanted() -> Range<u64> {
    let told = env::var("INDRUL_MUTATIONS").unwrap_or_else(|_| "200".to_owned());
    match told.split_once("..") {
        Some((start, end)) => start.parse().unwrap()..end.parse().unwrap(),
        None => 0..told.parse().unwrap(),
    }
}

#[test]
fn no_changed_picture_makes_the_reader_panic() {
    let Range { start, end: past } = wanted();
    let (reader, originals) = (MrzReader::new().unwrap(), Originals::new());
    let whole = originals.files.iter().map(|(_, file)| picture::decode(file).unwrap());
    for picture in whole {
        assert_eq!(reader.read(&picture).lines, LINES, "left alone");
    }
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let every = |first: u64| (start + first..past).step_by(threads);
    let run = |number| {
        let end = panic::catch_unwind(AssertUnwindSafe(|| end(&reader, &originals, number)));
        (number, end.ok())
    };
    let found: Vec<(u64, Option<&str>)> = thread::scope(|scope| {
        let share = |first| scope.spawn(move || every(first).map(run).collect::<Vec<_>>());
        let shares: Vec<_> = (0..threads as u64).map(share).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
    found.iter().filter_map(|(_, end)| *end).for_each(|end| *ends.entry(end).or_default() += 1);
    let numbers = |wanted: Option<&str>| -> Vec<u64> {
        found.iter().filter(|(_, end)| *end == wanted).map(|(number, _)| *number).collect()
    };
    let (panicked, wrong) = (numbers(None), numbers(Some("valid and wrong")));
    println!("{} changed pictures: {ends:?}, {} panics", past - start, panicked.len());
    assert!(panicked.is_empty(), "these panic: {panicked:?}");
    // A change may draw another character, as a damaged JPEG that cuts the top off a 0, and what it
    // then shows is a U, which weighs the same in every check digit.
    let valid = numbers(Some("valid")).len() + wrong.len();
    assert!(wrong.len() * 500 <= valid, "valid and wrong: {wrong:?}");
    assert!(ends.len() >= 4, "the changes reach every end");
}
