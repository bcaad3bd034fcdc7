//! The MRZs of `vectors/`: the specimens of ICAO 9303 (`icao-9303.json`), parsed as expected and
//! emitted again character for character; what issuers print beside the rule (`quirks.json`, of people
//! who do not exist); and the standard's examples of names (`names.json`).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use mrz::{Codes, Fields, Format, Mrz, PrintedDate, Sex, parse, parse_as, state, transliterate};
use serde_json::Value;

fn vectors() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/icao-9303.json")).unwrap()
}

fn quirks() -> Vec<Value> {
    serde_json::from_str(include_str!("vectors/quirks.json")).unwrap()
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

// proves B1
#[test]
fn what_issuers_print_beside_the_rule_is_understood() {
    for quirk in quirks() {
        let id = &quirk["id"];
        let parsed = parse(&text(&quirk)).unwrap();
        let told = serde_json::to_value(&parsed).unwrap();
        assert_eq!(told["valid"], quirk["valid"], "{id}");
        assert_eq!(told["warnings"], quirk["warnings"], "{id}");
        for (name, value) in quirk["fields"].as_object().into_iter().flatten() {
            assert_eq!(told["fields"][name], *value, "{id}: {name}");
        }
        if quirk["checks"].is_object() {
            assert_eq!(told["checks"], quirk["checks"], "{id}");
        }
        if let Some(key) = quirk["access_key"].as_str() {
            assert_eq!(*parsed.access_key().information(), key, "{id}");
        }
    }
}

/// Whatever is valid can be written again, up to the optional data's own digit, which may be 0 where
/// there are none.
#[test]
fn what_is_valid_is_emitted_as_it_was() {
    let mut emitted = 0;
    for quirk in quirks().iter().filter(|quirk| quirk["valid"] == true) {
        let parsed = parse(&text(quirk)).unwrap();
        let told = quirk["warnings"].to_string();
        if told.contains("names.") || quirk["id"] == "no-optional-data-zero" {
            continue;
        }
        let again = parsed.fields().lines(parsed.format()).unwrap();
        let zero = parsed.fields().optional_data.is_empty() && parsed.format() == Format::Td3;
        match zero {
            true => assert!(parse(&again.join("\n")).unwrap().fields() == parsed.fields()),
            false => assert_eq!(again, parsed.lines(), "{}", quirk["id"]),
        }
        emitted += 1;
    }
    assert!(emitted > 30, "{emitted}");
}

#[test]
fn every_code_may_stand_for_issuer_and_nationality() {
    // ICAO 9303-3 §5; a specimen's code only where specimens are taken
    let page = |code: &str| {
        let first = format!("P<{code:<<3}SOERENSEN<<IDA");
        format!("{first:<<44}\nX123456785{code:<<3}9003141F3301017<<<<<<<<<<<<<<04")
    };
    let warnings = |code: &str, codes| parse_as(&page(code), codes).unwrap().warnings().to_vec();
    for code in ["DNK", "D", "BDR", "XXA", "XXB", "XXC", "XXX", "UNO", "UNA", "XOM", "XPO", "EUE"] {
        assert_eq!(warnings(code, Codes::Issued), [], "{code}");
    }
    for code in ["RKS", "GBD", "GBN", "GBO", "GBP", "GBS", "XES", "XMP", "XCE", "XIM", "ANT"] {
        assert_eq!(warnings(code, Codes::Issued), [], "{code}");
    }
    assert_eq!(warnings("UTO", Codes::WithSpecimens), []);
    assert_eq!(warnings("UTO", Codes::Issued).len(), 2);
    assert_eq!(warnings("IAO", Codes::WithSpecimens).len(), 2);
    assert_eq!(state("DNK").unwrap().name, "Denmark");
}

fn fields(surname: &str, given_names: &str, class: &str) -> Fields {
    let date = |text| PrintedDate::new(text).unwrap();
    Fields {
        document_code: class.to_owned(),
        issuer: "UTO".to_owned(),
        surname: transliterate(surname).unwrap(),
        given_names: transliterate(given_names).unwrap(),
        names_truncated: false,
        document_number: "D23145890".to_owned(),
        nationality: "UTO".to_owned(),
        birth_date: date("740812"),
        sex: Sex::Female,
        expiry_date: date("120415"),
        optional_data: String::new(),
        optional_data_2: None,
    }
}

/// The standard leaves it to the issuer where to cut: ours must obey the same rules, and the
/// examples must be understood as names that were cut.
#[test]
fn names_are_written_and_read_as_in_the_examples() {
    let examples: Vec<Value> = serde_json::from_str(include_str!("vectors/names.json")).unwrap();
    for example in &examples {
        let told = |name: &str| example[name].as_str().unwrap();
        let (format, class, line, from) = match told("format") {
            "TD1" => (Format::Td1, "I", 2, 0),
            "TD2" => (Format::Td2, "I", 0, 5),
            "TD3" => (Format::Td3, "PP", 0, 5),
            "MRV-A" => (Format::MrvA, "V", 0, 5),
            other => unreachable!("{other}"),
        };
        let fields = fields(told("surname"), told("given_names"), class);
        let mut lines = fields.lines(format).unwrap();
        let ours = lines[line].split_off(from);
        let field = told("field");
        if example["cut"] == false {
            assert_eq!(ours, field, "{}", told("source"));
        }
        for field in [ours.as_str(), field] {
            let page = replaced(&lines, line, field);
            assert_eq!(page.fields().names_truncated, !field.ends_with('<'), "{field}");
            assert_eq!(example["cut"] == true, !whole(&page, &fields), "{field}");
            assert!(begins(&page.fields().surname, &fields.surname), "{field}");
            assert!(begins(&page.fields().given_names, &fields.given_names), "{field}");
            assert_eq!(page.fields().given_names.is_empty(), fields.given_names.is_empty());
        }
    }
}

fn replaced(lines: &[String], line: usize, field: &str) -> Mrz {
    let mut lines = lines.to_vec();
    lines[line].push_str(field);
    parse(&lines.join("\n")).unwrap()
}

fn whole(page: &Mrz, fields: &Fields) -> bool {
    page.fields().surname == fields.surname && page.fields().given_names == fields.given_names
}

/// Each part begins the part in the same place.
fn begins(cut: &str, whole: &str) -> bool {
    let mut parts = whole.split(' ');
    cut.split(' ').all(|cut| parts.next().is_some_and(|part| part.starts_with(cut)))
}
