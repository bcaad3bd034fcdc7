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
    for case in &cases {
        let lines = case["lines"].as_array().unwrap().iter();
        let text = lines.map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n");
        if found(&text) != expected(case) {
            wrong.push(format!("{}: {:?} for {:?}", case["id"], found(&text), expected(case)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
