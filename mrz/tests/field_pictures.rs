//! The reader on pictures of real specimen passports (`mrz/images` under `INDRUL_FIELD_DATA`): prints
//! how many it reads, and demands that it is all but one, that all but three are called valid, and none
//! with a wrong character. Skipped where they are not there.
#![cfg(feature = "reader")]

use std::{env, fs, path::PathBuf};

use mrz::reader::{MrzReader, Reason};
use serde_json::Value;

fn field_data() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    env::var_os("INDRUL_FIELD_DATA").map_or_else(|| beside.into(), PathBuf::from)
}

// proves B1
#[test]
fn specimens_are_read_and_none_is_valid_with_a_wrong_character() {
    let folder = field_data().join("mrz/images");
    let Ok(truth) = fs::read_to_string(folder.join("TRUTH.json")) else {
        println!("skipped: no field data at {}", folder.display());
        return;
    };
    let truth: Vec<Value> = serde_json::from_str(&truth).unwrap();
    let reader = MrzReader::new().unwrap();
    let (mut exact, mut valid, mut wrong) = (0, 0, Vec::new());
    for case in &truth {
        let name = case["image"].as_str().unwrap();
        let picture = image::open(folder.join(name)).unwrap();
        let reading = reader.read(&picture);
        let right = serde_json::to_value(&reading.lines).unwrap() == case["lines"];
        exact += usize::from(right);
        valid += usize::from(reading.valid);
        println!(
            "{name}: exact {right}, {:?} {:.3}",
            reading.reason.map(Reason::code),
            reading.confidence
        );
        if env::var_os("INDRUL_SHOW_LINES").is_some() && !right {
            println!("  {}\n  {:?}", case["lines"], reading.lines);
        }
        if reading.valid && !right {
            wrong.push(name);
        }
    }
    println!("{exact} of {} exact, {valid} valid", truth.len());
    assert!(wrong.is_empty(), "valid and wrong: {wrong:?}");
    assert!(exact + 1 >= truth.len() && valid + 3 >= truth.len(), "{exact} exact, {valid} valid");
}
