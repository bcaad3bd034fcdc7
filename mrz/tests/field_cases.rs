//! The parser against collected MRZs of real specimens and of other parsers' tests
//! (`mrz/parser-cases.json` under `INDRUL_FIELD_DATA`). Skipped where they are not there.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::{env, fs, path::PathBuf};

use mrz::parse;
use serde_json::{Value, json};

fn field_data() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    env::var_os("INDRUL_FIELD_DATA").map_or_else(|| beside.into(), PathBuf::from)
}

/// Our JSON form with the names and fillers of the collection.
fn found(text: &str) -> (Value, Value) {
    let Ok(parsed) = parse(text) else { return (json!({}), json!({})) };
    let fields = parsed.fields();
    let checks = parsed.checks();
    let mut told = json!({
        "format": parsed.format(), "doc_code": fields.document_code, "issuer": fields.issuer,
        "nationality": fields.nationality, "birth": fields.birth_date, "sex": fields.sex,
        "expiry": fields.expiry_date, "doc_number": fields.document_number,
        "surname": fields.surname, "given": fields.given_names,
        "name_maybe_truncated": fields.names_truncated,
    });
    match &fields.optional_data_2 {
        Some(second) => {
            told["optional1"] = json!(fields.optional_data);
            told["optional2"] = json!(second);
        }
        None => told["optional"] = json!(fields.optional_data),
    }
    let mut held = json!({
        "doc_number": checks.document_number, "birth": checks.birth_date,
        "expiry": checks.expiry_date,
    });
    for (name, check) in [("personal", checks.optional_data), ("composite", checks.composite)] {
        if let Some(check) = check {
            held[name] = json!(check);
        }
    }
    (told, held)
}

/// The collection's fields without trailing fillers (dates and sex keep theirs), and without what it
/// tells beside the fields.
fn expected(case: &Value) -> (Value, Value) {
    let mut fields = case["expected_fields"].clone();
    fields.as_object_mut().unwrap().remove("long_number");
    for name in ["doc_code", "issuer", "nationality", "optional", "optional1", "optional2"] {
        if let Some(text) = fields[name].as_str() {
            fields[name] = json!(text.trim_end_matches('<'));
        } else {
            fields.as_object_mut().unwrap().remove(name);
        }
    }
    let mut checks = case["expected_checks"].clone();
    checks.as_object_mut().unwrap().remove("doc_number_with_filler");
    (fields, checks)
}

/// Whether the check digits hold, by ICAO 9303-4 to -7 §4.2.4 written anew: positions as the standard
/// counts them, from 1, and whole sums instead of weights taken in turn.
fn reference(lines: &[&str]) -> Value {
    let value = |c: char| "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".find(c).unwrap_or(0);
    let digit = |text: &str| {
        let every_third =
            |from: usize| text.chars().skip(from).step_by(3).map(value).sum::<usize>();
        ((7 * every_third(0) + 3 * every_third(1) + every_third(2)) % 10).to_string()
    };
    let at = |line: usize, from: usize, to: usize| &lines[line - 1][from - 1..to];
    let holds = |text: &str, printed: &str| digit(text) == printed;
    let (card, visa) = (lines.len() == 3, lines[0].starts_with('V'));
    let wide = lines[0].len() == 44;
    let (number, digit_place, more) = match (card, wide) {
        (true, _) => (at(1, 6, 14), at(1, 15, 15), at(1, 16, 30)),
        (false, false) => (at(2, 1, 9), at(2, 10, 10), at(2, 29, 35)),
        (false, true) => (at(2, 1, 9), at(2, 10, 10), ""),
    };
    let rest = more.split('<').next().unwrap();
    let long = digit_place == "<" && !visa && !rest.is_empty() && !number.ends_with('<');
    let (birth, expiry) = match card {
        true => ((at(2, 1, 6), at(2, 7, 7)), (at(2, 9, 14), at(2, 15, 15))),
        false => ((at(2, 14, 19), at(2, 20, 20)), (at(2, 22, 27), at(2, 28, 28))),
    };
    let number = match long {
        true => holds(&format!("{number}{}", &rest[..rest.len() - 1]), &rest[rest.len() - 1..]),
        false => holds(number, digit_place),
    };
    let mut held = json!({
        "doc_number": number, "birth": holds(birth.0, birth.1), "expiry": holds(expiry.0, expiry.1),
    });
    if wide && !visa {
        let (data, printed) = (at(2, 29, 42), at(2, 43, 43));
        let none = data.chars().all(|c| c == '<') && printed == "<";
        held["personal"] = json!(none || holds(data, printed));
    }
    if !visa {
        let (covered, printed) = match (card, wide) {
            (true, _) => {
                let upper = format!("{}{}", at(1, 6, 30), at(2, 1, 7));
                (format!("{upper}{}{}", at(2, 9, 15), at(2, 19, 29)), at(2, 30, 30))
            }
            (_, true) => {
                (format!("{}{}{}", at(2, 1, 10), at(2, 14, 20), at(2, 22, 43)), at(2, 44, 44))
            }
            _ => (format!("{}{}{}", at(2, 1, 10), at(2, 14, 20), at(2, 22, 35)), at(2, 36, 36)),
        };
        held["composite"] = json!(holds(&covered, printed));
    }
    held
}

// proves B1
#[test]
fn every_collected_mrz_parses_as_expected() {
    let path = field_data().join("mrz/parser-cases.json");
    let Ok(text) = fs::read_to_string(&path) else {
        println!("skipped: no field data at {}", path.display());
        return;
    };
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty());
    let mut wrong = Vec::new();
    let mut referred = 0;
    for case in &cases {
        let lines = case["lines"].as_array().unwrap().iter();
        let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        let (told, held) = found(&lines.join("\n"));
        if (&told, &held) != (&expected(case).0, &expected(case).1) {
            wrong.push(format!("{}: {told:?} {held:?} for {:?}", case["id"], expected(case)));
        }
        // What is no MRZ has no digits to compare.
        if !case["expected_fields"].as_object().unwrap().is_empty() {
            assert_eq!(held, reference(&lines), "{}: the reference on check digits", case["id"]);
            referred += 1;
        }
    }
    let right = cases.len() - wrong.len();
    println!(
        "{right} of {} as expected; the check digits of all {referred} MRZs among them as the reference has them",
        cases.len()
    );
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
