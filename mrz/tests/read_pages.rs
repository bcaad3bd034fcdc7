//! The reader on pages drawn here: twenty people's, each in another picture, all read to the letter;
//! and pictures without an MRZ, in which nothing may be found.
#![cfg(feature = "reader")]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod pages;

use image::{DynamicImage, GrayImage, Luma};
use mrz::{
    Sex, Td3Fields,
    reader::{Advice, MrzReader, Reason},
    transliterate,
};
use pages::{Dice, SCAN, Shot, page, take};

const SURNAMES: [&str; 10] = [
    "Østergård",
    "Hansen",
    "Åkjær-Sørensen",
    "Nguyen",
    "Vestergaard Thomsen",
    "Kowalski",
    "Müller",
    "Ó Briain",
    "Wang",
    "Quist Xenakis",
];
const GIVEN: [&str; 8] =
    ["Hanne Kristine", "Bo", "Zoë Freja Jytte", "Søren", "William Victor", "Ida", "Emma Kiki", ""];

fn digits(dice: &mut Dice, count: usize) -> String {
    (0..count).map(|_| dice.pick(&['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])).collect()
}

fn lines(dice: &mut Dice) -> Vec<String> {
    let state = dice.pick(&["DNK", "D", "SWE", "UTO", "NOR", "GRL"]);
    let letter = dice.pick(&["A", "C", "L", "X", "2"]);
    let number = format!("{letter}{}", digits(dice, 8));
    let optional = dice.pick(&["", "0610851178", "ZE184226B", "061085<1178"]);
    let day = |dice: &mut Dice, from: f32, to: f32| {
        format!(
            "{:02}{:02}{:02}",
            dice.between(from, to) as u32,
            dice.between(1.0, 12.9) as u32,
            dice.between(1.0, 28.9) as u32
        )
    };
    let (birth, expiry) = (day(dice, 40.0, 99.0), day(dice, 27.0, 36.0));
    let fields = Td3Fields {
        document_code: dice.pick(&["P", "PD", "PP"]),
        issuer: state,
        surname: &transliterate(dice.pick(&SURNAMES)).unwrap(),
        given_names: &transliterate(dice.pick(&GIVEN)).unwrap(),
        document_number: &number,
        nationality: state,
        birth_date: &birth,
        sex: dice.pick(&[Sex::Female, Sex::Male, Sex::Unspecified]),
        expiry_date: &expiry,
        optional_data: optional,
    };
    fields.lines().unwrap().to_vec()
}

/// One way each of making it harder, and all at once.
fn shots() -> Vec<Shot> {
    let hard = Shot {
        width: 1700,
        margin: 0.06,
        degrees: -1.5,
        noise: 5.0,
        light: (0.6, 0.95),
        jpeg: Some(75),
    };
    vec![
        SCAN,
        Shot { width: 1000, ..SCAN },
        Shot { width: 1200, ..SCAN },
        Shot { width: 2400, ..SCAN },
        Shot { degrees: 3.0, margin: 0.05, ..SCAN },
        Shot { degrees: -3.0, margin: 0.05, ..SCAN },
        Shot { degrees: 0.7, ..SCAN },
        Shot { margin: 0.1, ..SCAN },
        Shot { margin: 0.2, width: 2000, ..SCAN },
        Shot { noise: 8.0, ..SCAN },
        Shot { light: (0.45, 1.0), ..SCAN },
        Shot { light: (0.9, 0.4), noise: 3.0, ..SCAN },
        Shot { jpeg: Some(40), ..SCAN },
        Shot { jpeg: Some(85), width: 1100, ..SCAN },
        Shot { degrees: 2.0, width: 1100, margin: 0.03, ..SCAN },
        Shot { degrees: -2.2, noise: 4.0, margin: 0.04, ..SCAN },
        hard,
        Shot { degrees: 2.5, ..hard },
        Shot { width: 2300, jpeg: Some(60), ..hard },
        Shot { degrees: 0.0, light: (1.0, 0.7), ..hard },
    ]
}

// proves B1
#[test]
fn twenty_pages_are_read_to_the_letter() {
    let reader = MrzReader::new().unwrap();
    let mut wrong = Vec::new();
    for (number, shot) in shots().into_iter().enumerate() {
        let dice = &mut Dice(number as u64);
        let lines = lines(dice);
        let pattern = [0.0, 8.0, 16.0][number % 3];
        let reading = reader.read(&take(&page(&lines, pattern, dice), shot, dice));
        if reading.lines != lines || !reading.valid {
            let reason = reading.reason.map(Reason::code);
            wrong.push(format!(
                "{number}: {reason:?} {}\n{lines:#?}\n{:#?}",
                reading.confidence, reading.lines
            ));
        }
    }
    assert!(wrong.is_empty(), "{} pages:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_wrong_check_digit_on_the_page_is_not_mended() {
    let reader = MrzReader::new().unwrap();
    let dice = &mut Dice(100);
    let mut lines = lines(dice);
    let printed = lines[1].pop().unwrap();
    lines[1].push(if printed == '9' { '0' } else { (printed as u8 + 1) as char });
    let reading = reader.read(&take(&page(&lines, 4.0, dice), SCAN, dice));
    assert_eq!(reading.lines, lines);
    assert_eq!((reading.valid, reading.reason), (false, Some(Reason::CheckDigit)));
}

#[test]
fn nothing_is_found_where_there_is_no_mrz() {
    let reader = MrzReader::new().unwrap();
    let dice = &mut Dice(200);
    let blank = GrayImage::from_pixel(1400, 1000, Luma([210]));
    let noise = GrayImage::from_fn(1400, 1000, |_, _| Luma([dice.between(0.0, 255.0) as u8]));
    let stripes =
        GrayImage::from_fn(1400, 1000, |x, y| Luma([if (x + y / 3) % 17 < 5 { 40 } else { 220 }]));
    let without = take(&page(&[], 12.0, dice), SCAN, dice);
    let upper_only = take(&page(&lines(dice)[..1], 12.0, dice), SCAN, dice);
    let pictures = [blank, noise, stripes].map(DynamicImage::ImageLuma8).into_iter();
    for (number, picture) in pictures.chain([without, upper_only]).enumerate() {
        let reading = reader.read(&picture);
        assert!(!reading.found() && !reading.valid, "{number}");
        assert_eq!(reading.reason, Some(Reason::NotFound), "{number}");
    }
}

#[test]
fn pictures_out_of_bounds_are_refused_with_advice() {
    let reader = MrzReader::new().unwrap();
    let small = reader.read(&DynamicImage::new_luma8(150, 140));
    assert_eq!(small.advice, [Advice::Closer]);
    let large = reader.read(&DynamicImage::new_luma8(9000, 9000));
    assert_eq!(large.advice, [Advice::TooLarge]);
    let thin = reader.read(&DynamicImage::new_luma8(20_000, 64));
    assert_eq!(thin.reason, Some(Reason::NotFound));
}

#[test]
fn debug_shows_no_personal_data_and_json_has_the_fixed_names() {
    let reader = MrzReader::new().unwrap();
    let dice = &mut Dice(300);
    let lines = lines(dice);
    let reading = reader.read(&take(&page(&lines, 4.0, dice), SCAN, dice));
    assert!(reading.valid);
    assert!(!format!("{reading:?}").contains(lines[1].get(..9).unwrap()));
    let json = serde_json::to_value(&reading).unwrap();
    for name in ["found", "lines", "valid", "format", "checks", "fields", "confidence", "advice"] {
        assert!(json.get(name).is_some(), "{name}");
    }
}
