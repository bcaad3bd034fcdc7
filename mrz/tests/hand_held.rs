//! Documents of every format, turned in the hand, and frames of a video in which documents change or
//! are covered.
#![cfg(feature = "reader")]

mod pages;

use image::{DynamicImage, GrayImage, Luma, imageops};
use mrz::reader::{MrzReader, Reason};
use pages::{Dice, SCAN, Shot, page, take};

const PASSPORT: [&str; 2] = [
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];
const SIBLING: [&str; 2] = [
    "P<UTOERIKSSON<<INGA<MARIE<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
];
// ICAO 9303-5 appendix B, 9303-6 appendix B, 9303-7 appendices A and B.
const CARD: [&str; 3] = [
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F1204159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
];
const LARGE_CARD: [&str; 2] =
    ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"];
const VISA: [&str; 2] = [
    "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
];
const SMALL_VISA: [&str; 2] =
    ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"];

const HELD: Shot = Shot { width: 2000, margin: 0.25, noise: 3.0, jpeg: Some(80), ..SCAN };

fn owned(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

fn drawn(lines: &[&str], dice: &mut Dice) -> GrayImage {
    page(&owned(lines), 8.0, dice)
}

/// The page with the columns from one on of all its lines under something of one grey.
fn covered(mut page: GrayImage, column: u32, grey: u8) -> GrayImage {
    let scale = page.width() as f32 / 125.0;
    let left = ((6.6 + 2.54 * column as f32) * scale) as u32;
    let top = (66.0 * scale) as u32;
    let (width, height) = (page.width() - left, page.height() - top);
    let cover = GrayImage::from_pixel(width, height, Luma([grey]));
    imageops::replace(&mut page, &cover, left.into(), top.into());
    page
}

// proves B1
#[test]
fn every_format_is_read_however_it_is_turned() {
    let reader = MrzReader::new().unwrap();
    let formats: [&[&str]; 5] = [&PASSPORT, &CARD, &LARGE_CARD, &VISA, &SMALL_VISA];
    let mut wrong = Vec::new();
    for (number, lines) in formats.into_iter().enumerate() {
        for degrees in [12.0f32, 70.0, 200.0, 262.0] {
            let dice = &mut Dice(number as u64);
            let picture = take(&drawn(lines, dice), Shot { degrees, ..HELD }, dice);
            let reading = reader.read(&picture);
            if !reading.valid || reading.lines != owned(lines) {
                let (reason, advice) = (reading.reason.map(Reason::code), reading.advice);
                wrong.push(format!(
                    "{lines:#?} {degrees} {reason:?} {advice:?} {:#?}",
                    reading.lines
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_character_has_a_confidence() {
    let dice = &mut Dice(20);
    let picture = take(&drawn(&PASSPORT, dice), SCAN, dice);
    let reading = MrzReader::new().unwrap().read(&picture);
    let sure: Vec<usize> = reading
        .characters
        .iter()
        .map(|row| row.iter().filter(|sure| **sure > 0.5).count())
        .collect();
    assert!(reading.valid);
    assert_eq!(sure, [44, 44]);
}

#[test]
fn the_beginning_of_a_visa_is_no_smaller_visa() {
    let reader = MrzReader::new().unwrap();
    for grey in [60, 110, 170] {
        let dice = &mut Dice(7);
        let page = covered(drawn(&VISA, dice), 36, grey);
        let reading = reader.read(&take(&page, HELD, dice));
        assert!(!reading.valid, "{grey}");
    }
}

#[test]
fn a_mark_beside_the_names_of_a_card_does_not_move_them() {
    let marked = [" I<UTOD231458907<<<<<<<<<<<<<<<", " 7408122F1204159UTO<<<<<<<<<<<6"];
    let reader = MrzReader::new().unwrap();
    for mark in ["I", "<", "L"] {
        let dice = &mut Dice(50);
        let names = format!("{mark}{}", CARD[2]);
        let page = drawn(&[marked[0], marked[1], &names], dice);
        let reading = reader.read(&take(&page, HELD, dice));
        assert!(reading.lines == owned(&CARD), "{mark}");
    }
}

#[test]
fn half_a_letter_at_the_edge_is_not_believed() {
    // No check digit covers the last column of either line: half an O is a C, most of a Q a G.
    let lower = "L8988901C4XXX4009078F96121096ZE184226B<<<<<<";
    let reader = MrzReader::new().unwrap();
    for (last, shown) in "OQN".chars().flat_map(|last| [0.5, 0.6].map(|s| (last, s))) {
        let upper = format!("V<UTOERIKSSON<<ANNA<MARIA<JOHANNA<CHARLOTTE{last}");
        let dice = &mut Dice(60);
        let picture = take(&drawn(&[&upper, lower], dice), SCAN, dice);
        let width = (6.6 + 2.54 * (43.0 + shown)) * picture.width() as f32 / 125.0;
        let reading = reader.read(&picture.crop_imm(0, 0, width as u32, picture.height()));
        assert!(!reading.valid, "{last} {shown}");
    }
}

fn frame(page: &GrayImage, degrees: f32, dice: &mut Dice) -> DynamicImage {
    take(page, Shot { degrees, width: 1600, ..HELD }, dice)
}

#[test]
fn a_video_goes_over_to_another_document() {
    let dice = &mut Dice(30);
    let (first, second) = (drawn(&PASSPORT, dice), drawn(&SIBLING, dice));
    let mut reader = MrzReader::new().unwrap();
    for (degrees, page, lines) in [
        (1.0, &first, PASSPORT),
        (2.0, &first, PASSPORT),
        (3.0, &second, SIBLING),
        (4.0, &second, SIBLING),
    ] {
        let reading = reader.push(&frame(page, degrees, dice));
        assert!(reading.lines == owned(&lines), "{degrees}");
    }
    assert!(reader.push(&frame(&second, 5.0, dice)).valid);
}

#[test]
fn a_part_of_another_document_does_not_confirm_the_one_before() {
    let dice = &mut Dice(40);
    let (first, second) = (drawn(&PASSPORT, dice), drawn(&SIBLING, dice));
    let mut reader = MrzReader::new().unwrap();
    for degrees in [1.0, 2.0] {
        reader.push(&frame(&first, degrees, dice));
    }
    // Half of another, and the same without its last columns, where another might differ.
    for part in [covered(second, 25, 90), covered(first.clone(), 40, 90)] {
        assert!(!reader.push(&frame(&part, 3.0, dice)).valid);
    }
    // The document of before comes back.
    let reading = [4.0, 5.0].map(|degrees| reader.push(&frame(&first, degrees, dice)));
    assert!(reading[1].valid && reading[1].lines == owned(&PASSPORT));
    // It is gone.
    let nothing = GrayImage::from_pixel(1600, 1200, Luma([150]));
    for _ in 0..6 {
        assert!(!reader.push(&DynamicImage::ImageLuma8(nothing.clone())).valid);
    }
    let reading = reader.push(&frame(&covered(first, 25, 90), 4.0, dice));
    assert!(!reading.valid && reading.lines != owned(&PASSPORT));
}
