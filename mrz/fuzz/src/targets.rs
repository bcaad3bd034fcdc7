//! The functions that are fuzzed. Each takes any bytes; what must hold for all of them is asserted.
//!
//! Shared with the ordinary tests, which run the committed corpora through them.

use mrz::{
    AccessKey, Codes, DANISH, Mrz, PrintedDate, parse as parse_text, parse_as, same_name,
    spellings, transliterate,
};
use time::{Date, macros::date};

/// The day by which centuries are told.
const TODAY: Date = date!(2027 - 01 - 01);

/// Text as a person types it: parsed, read again from its own lines, and written where it can be.
pub fn parse(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = match parse_text(&text) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1);
            assert!(error.column <= text.len() + 1 && error.line <= text.len() + 1);
            return;
        }
    };
    let (lines, format) = (parsed.lines(), parsed.format());
    assert_eq!(lines.len(), format.lines());
    assert!(lines.iter().all(|line| line.len() == format.width()));
    assert!(parse_text(&lines.join("\n")).as_ref() == Ok(&parsed), "parsed to itself");
    assert!(parse_text(&lines.concat()).as_ref() == Ok(&parsed), "parsed to itself in a row");
    let issued = parse_as(&text, Codes::Issued).expect("what parses");
    assert!(issued.warnings().len() >= parsed.warnings().len());
    assert!(issued.fields() == parsed.fields() && issued.checks() == parsed.checks());
    written(&parsed);
    key(&parsed);
    for day in [parsed.fields().birth_date, parsed.fields().expiry_date] {
        dated(day);
    }
}

/// What can be written comes back, with every check digit right.
fn written(parsed: &Mrz) {
    let Ok(lines) = parsed.fields().lines(parsed.format()) else { return };
    let again = parse_text(&lines.join("\n")).expect("what was written is read");
    assert!(again.valid());
    assert!(again.fields() == parsed.fields() && again.format() == parsed.format());
}

/// The key to the chip holds the printed fields; it holds the printed digits where they hold.
fn key(parsed: &Mrz) {
    let fields = parsed.fields();
    let information = parsed.access_key().information();
    let number = format!("{:<<9}", fields.document_number);
    let rest = information.strip_prefix(&number).expect("the number");
    assert_eq!(rest.len(), 15);
    assert_eq!(rest.get(1..7), Some(fields.birth_date.as_str()));
    assert_eq!(rest.get(8..14), Some(fields.expiry_date.as_str()));
    let (birth, expiry) = (fields.birth_date.as_str(), fields.expiry_date.as_str());
    if let Ok(typed) = AccessKey::new(&fields.document_number, birth, expiry) {
        assert_eq!(typed.information(), information);
    }
}

fn dated(day: PrintedDate) {
    let complete = day.is_complete();
    assert_eq!(day.is_possible(), complete || day.is_partial());
    assert!(!(complete && day.is_partial()));
    assert!(complete || (day.birth(TODAY).is_none() && day.expiry(TODAY).is_none()));
    assert!(!complete || day.expiry(TODAY).is_some());
    assert!(day.birth(TODAY).is_none_or(|birth| birth <= TODAY));
    assert!(!complete || day.known().iter().all(Option::is_some));
}

/// Two names, on a line each.
pub fn names(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    if let Ok(written) = transliterate(one) {
        assert!(written.bytes().all(|b| b == b' ' || b.is_ascii_uppercase()));
        assert_eq!(transliterate(&written).as_ref(), Ok(&written));
        assert!(same_name(one, &written) && same_name(&written, one));
        for spelling in spellings(&written, DANISH) {
            assert!(same_name(&spelling, &written));
        }
    }
    assert_eq!(same_name(one, other), same_name(other, one));
    assert_eq!(same_name(one, one), transliterate(one).is_ok());
    let any = spellings(one, other);
    assert!((1..=64).contains(&any.len()));
    assert_eq!(any.last().map(String::as_str), Some(one));
}

/// Number, birth and expiry date as a person types them, on a line each.
pub fn access_key(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (number, birth, expiry) = (line(), line(), line());
    if let Ok(key) = AccessKey::new(number, birth, expiry) {
        let information = key.information();
        assert!((24..=37).contains(&information.len()));
        assert!(information.starts_with(number.trim_end_matches('<')));
        assert!(information.contains(birth) && information.contains(expiry));
    }
    PrintedDate::new(birth).into_iter().for_each(dated);
    PrintedDate::new(expiry).into_iter().for_each(dated);
}
