//! The specimens of ICAO 9303, from `vectors/icao-9303.json`: parsed as expected, and emitted again
//! character for character.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use mrz::parse;
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/icao-9303.json")).unwrap()
}

fn text(vector: &Value) -> String {
    let lines = vector["lines"].as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

// proves B1
#[test]
fn every_specimen_parses_as_expected() {
    for vector in vectors() {
        let parsed = parse(&text(&vector)).unwrap();
        assert_eq!(serde_json::to_value(&parsed).unwrap(), vector["expected"], "{}", vector["id"]);
        assert_eq!(*parsed.access_key().information(), vector["access_key"], "{}", vector["id"]);
    }
}

#[test]
fn every_specimen_is_emitted_as_it_was() {
    for vector in vectors() {
        let parsed = parse(&text(&vector)).unwrap();
        let lines = parsed.fields().lines(parsed.format()).unwrap();
        assert_eq!(lines, parsed.lines(), "{}", vector["id"]);
    }
}

// proves B1
#[test]
fn one_changed_digit_of_a_checked_field_is_seen() {
    for vector in vectors() {
        let text = text(&vector);
        let parsed = parse(&text).unwrap();
        for (at, digit) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            let other =
                if digit == '9' { "0".to_owned() } else { ((digit as u8 + 1) as char).into() };
            let mut changed = text.clone();
            changed.replace_range(at..=at, &other);
            let found = parse(&changed).unwrap();
            // A visa's optional data have no digit over them.
            let unchecked = parsed.fields().optional_data != found.fields().optional_data
                && parsed.checks().composite.is_none();
            assert_eq!(found.valid(), unchecked, "{} at {at}", vector["id"]);
        }
    }
}
