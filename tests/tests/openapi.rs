//! Everything that the service answers is what its OpenAPI document says, whoever asks: schemathesis
//! makes the requests, from the document alone, for a case and an identity that there are. And a linter
//! reads it as those do who generate clients from it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    process::{Command, Stdio},
};

use fixtures::chip::Chip;
use indrul_tests::{chip_link::ChipLink, citizen::Enrolment, demo::Demo, testing::passport};

/// Nothing is refused for having been asked too often.
const SETTINGS: [(&str, &str); 8] = [
    ("INDRUL_LIMITS__ADDRESS_BURST", "1000000"),
    ("INDRUL_LIMITS__ADDRESS_PER_MINUTE", "1000000"),
    ("INDRUL_LIMITS__START_BURST", "1000000"),
    ("INDRUL_LIMITS__START_PER_HOUR", "1000000"),
    ("INDRUL_LIMITS__DOCUMENT_BURST", "1000000"),
    ("INDRUL_LIMITS__DOCUMENT_PER_HOUR", "1000000"),
    ("INDRUL_LIMITS__CASE_BURST", "1000000"),
    ("INDRUL_LIMITS__CASE_PER_MINUTE", "1000000"),
];

/// An identity, and a case that has come as far as the chip.
fn prepared(demo: &Demo) -> (Enrolment, String) {
    let passport = passport("good");
    let enrolment = Enrolment::start(demo.url(), &passport.holder.cpr).unwrap();
    enrolment.typed_page(&passport.mrz_lines).unwrap();
    enrolment.read_chip(&mut ChipLink(Chip::new(&passport))).unwrap();
    enrolment.face(passport.selfies.first().unwrap()).unwrap();
    let finished = enrolment.finish().unwrap();
    let identity = finished.pointer("/identity/id").and_then(|id| id.as_str());
    let identity = identity.unwrap().to_owned();
    (enrolment, identity)
}

#[test]
fn schemathesis_finds_nothing() {
    let Some(program) = std::env::var_os("INDRUL_SCHEMATHESIS") else {
        eprintln!("skipped: no schemathesis; ./test and scripts/schemathesis bring one");
        return;
    };
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &SETTINGS);
    let (enrolment, identity) = prepared(&demo);
    let folder = tempfile::tempdir().unwrap();
    let settings = include_str!("schemathesis.toml")
        .replace("TOKEN", enrolment.token())
        .replace("ENROLMENT", &enrolment.id)
        .replace("IDENTITY", &identity);
    fs::write(folder.path().join("schemathesis.toml"), settings).unwrap();
    let run = Command::new(program)
        .args(["run", "--seed", "1", "--max-examples", "30", "--generation-database", "none"])
        .arg(format!("{}/openapi.json", demo.url()))
        .current_dir(&folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn a_linter_finds_nothing() {
    let Some(program) = std::env::var_os("INDRUL_OPENAPI_LINT") else {
        eprintln!("skipped: no linter; ./test and scripts/openapi-lint bring one");
        return;
    };
    let demo = Demo::start(env!("CARGO_BIN_EXE_fixtures"), &[]);
    let document = ureq::get(format!("{}/openapi.json", demo.url())).call();
    let document = document.unwrap().body_mut().read_to_string().unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("openapi.json"), document).unwrap();
    let rules = include_str!("../openapi-lint/redocly.yaml");
    fs::write(folder.path().join("redocly.yaml"), rules).unwrap();
    let run = Command::new(program)
        .args(["lint", "openapi.json", "--format", "stylish"])
        .current_dir(&folder)
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
}
