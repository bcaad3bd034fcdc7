//! The shipped commands against a fixture plugged into a real pcscd.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::{fs, path::Path, sync::Mutex};

use fixtures::{chip::Chip, passport::Passport};
use indrul_tests::{
    run::Plugged,
    testing::{enroll, passport, stdout, virtual_reader},
};
use serde_json::Value;

/// There is one virtual reader.
static READER: Mutex<()> = Mutex::new(());

fn program() -> &'static str {
    env!("CARGO_BIN_EXE_fixtures")
}

/// Plugs the fixture in and reads it with `enroll chip read` into `out`.
fn read(passport: &Passport, reader: &str, mrz: &[String], out: &Path) -> (Option<i32>, Value) {
    let plugged = Plugged::new(Chip::new(passport)).unwrap();
    drop(plugged.reader().unwrap());
    let lines = out.join("mrz.txt");
    fs::write(&lines, mrz.join("\n")).unwrap();
    let output = enroll(program())
        .args(["chip", "read", "--json", "--reader", reader, "--mrz"])
        .arg(&lines)
        .arg("--trust")
        .arg(store(passport, out))
        .arg("--out")
        .arg(out.join("read"))
        .output()
        .unwrap();
    let text = stdout(&output);
    let json = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), json)
}

fn store(passport: &Passport, folder: &Path) -> std::path::PathBuf {
    let store = folder.join("store");
    let anchor = folder.join("csca.der");
    fs::write(&anchor, &passport.trust.csca).unwrap();
    let imported = enroll(program())
        .args(["trust", "import", "--json"])
        .args([&store, &anchor])
        .args(["--domain", "qa"])
        .output()
        .unwrap();
    assert!(imported.status.success(), "{imported:?}");
    store
}

fn verify(folder: &Path, store: &Path) -> (Option<i32>, Value) {
    let output = enroll(program())
        .args(["chip", "verify", "--json"])
        .arg(folder)
        .arg("--trust")
        .arg(store)
        .output()
        .unwrap();
    let json = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code(), json)
}

#[test]
fn reads_the_plugged_fixture_and_verifies_what_it_wrote() {
    let Some(reader) = virtual_reader() else { return };
    let _alone = READER.lock();
    let folder = tempfile::tempdir().unwrap();
    let good = passport("good");
    let (code, json) = read(&good, &reader, &good.mrz_lines, folder.path());
    assert_eq!(code, Some(0), "{json}");
    assert_eq!(json["access"]["protocol"], "PACE");
    assert_eq!(json["access"]["mapping"], "GM");
    assert_eq!(json["access"]["parameter_id"], 13);
    assert_eq!(json["access"]["cipher"], "AES-128");
    assert_eq!(json["files"]["EF.SOD"], good.files["EF.SOD"].len());
    assert_eq!(json["chip_authentication"], "passed");
    assert_eq!(json["active_authentication"], "passed");
    for (name, file) in &good.files {
        let written = folder.path().join(format!("read/{name}.bin"));
        assert_eq!(&fs::read(&written).unwrap(), file, "{name}");
    }
    assert!(folder.path().join("read/portrait.png").exists());
    every_changed_byte_is_refused(&folder.path().join("read"), &store(&good, folder.path()));
}

/// What was read is accepted; with any one byte of any file changed it is not (Done when 4).
fn every_changed_byte_is_refused(read: &Path, store: &Path) {
    let (code, json) = verify(read, store);
    assert_eq!((code, &json["verdict"]), (Some(0), &Value::from("accepted")), "{json}");
    let files: Vec<_> = fs::read_dir(read)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "bin"))
        .collect();
    assert!(files.len() >= 7, "{files:?}");
    for path in files {
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
            let mut changed = whole.clone();
            changed[at] ^= 0x01;
            fs::write(&path, &changed).unwrap();
            let (code, json) = verify(read, store);
            assert_eq!(code, Some(1), "{} byte {at}: {json}", path.display());
        }
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn a_wrong_mrz_is_access_denied_and_no_lost_link() {
    let Some(reader) = virtual_reader() else { return };
    let _alone = READER.lock();
    let folder = tempfile::tempdir().unwrap();
    let other = [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<".to_owned(),
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10".to_owned(),
    ];
    let (code, json) = read(&passport("good"), &reader, &other, folder.path());
    assert_eq!(code, Some(1));
    assert_eq!(json["reasons"], serde_json::json!(["chip.access_denied"]));
}

#[test]
fn a_reader_that_is_not_there_ends_with_3() {
    let output = enroll(program())
        .args(["chip", "read", "--json", "--reader", "No such reader", "--can", "123456"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
