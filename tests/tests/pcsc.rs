//! The shipped commands against a fixture plugged into a real pcscd.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::{fs, path::Path, sync::Mutex, time::Duration};

use fixtures::{chip::Chip, passport::Passport};
use indrul_tests::{
    issuer::Issuer,
    run::{Plugged, await_empty},
    testing::{enroll, field_data, passport, stdout, today, virtual_reader},
};
use serde_json::Value;
use server::{commands::kiosk::Bridge, relay_client::Reader as _};

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
    import(&anchor, &store);
    store
}

fn import(anchor: &Path, store: &Path) {
    let imported = enroll(program())
        .args(["trust", "import", "--json"])
        .args([store, anchor])
        .args(["--domain", "qa"])
        .output()
        .unwrap();
    assert!(imported.status.success(), "{imported:?}");
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

/// The reference passport of BSI TR-03105-5 with the keys that are published beside it.
mod reference {
    use super::*;

    /// Its files in a folder of our own. EF.SOD as published: its issuer is not public, and it does
    /// not know DG15, nor does EF.COM. With `issuer`, EF.SOD signed anew over the same data groups and
    /// DG15, and EF.COM with the tag of DG15.
    fn folder(published: &Path, issuer: Option<&Issuer>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(published).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            fs::write(folder.path().join(name), fs::read(&path).unwrap()).unwrap();
        }
        if let Some(issuer) = issuer {
            let read = |n: u8| fs::read(published.join(format!("Datagroup{n}.bin"))).unwrap();
            let groups: Vec<(u8, Vec<u8>)> = [1, 2, 3, 4, 14, 15].map(|n| (n, read(n))).into();
            let groups: Vec<(u8, &[u8])> = groups.iter().map(|(n, b)| (*n, b.as_slice())).collect();
            fs::write(folder.path().join("EF_SOD.bin"), issuer.sign(&groups, 0).unwrap()).unwrap();
            fs::write(folder.path().join("csca.der"), &issuer.csca).unwrap();
            let mut com = fs::read(published.join("EF_COM.bin")).unwrap();
            let list = com.iter().rposition(|byte| *byte == 0x5C).unwrap();
            com.push(0x6F);
            com[1] += 1;
            com[list + 1] += 1;
            fs::write(folder.path().join("EF_COM.bin"), com).unwrap();
        }
        folder
    }

    /// Plays the folder with `fixtures plug --files` and reads it with `enroll chip read`.
    fn read(folder: &Path, reader: &str, at: &str, trust: Option<&Path>) -> (Option<i32>, Value) {
        let mut plug = std::process::Command::new(program())
            .args(["plug", "--files"])
            .arg(folder)
            .spawn()
            .unwrap();
        let seen = Bridge::new(reader, Duration::from_secs(60)).start();
        let mut command = enroll(program());
        command.args(["chip", "read", "--json", "--reader", reader, "--at", at]);
        command.args(["--document-number", "C11T002JM", "--birth", "960812", "--expiry", "231031"]);
        command.arg("--data").arg(folder).arg("--out").arg(folder.join("read"));
        if let Some(trust) = trust {
            command.arg("--trust").arg(trust);
        }
        let output = command.output().unwrap();
        plug.kill().unwrap();
        plug.wait().unwrap();
        await_empty(reader);
        assert!(seen.is_ok(), "the card was not seen");
        let json = serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code(), json)
    }

    #[test]
    fn chip_and_active_authentication_pass_once_an_issuer_has_signed_for_the_keys() {
        let (Some(reader), Some(published)) = (virtual_reader(), field_data("bsi-tr03105-5"))
        else {
            return;
        };
        let _alone = READER.lock();
        let issuer = Issuer::new("DE", today()).unwrap();
        let folder = folder(&published, Some(&issuer));
        let trust = folder.path().join("store");
        import(&folder.path().join("csca.der"), &trust);
        let (code, json) = read(folder.path(), &reader, &today().to_string(), Some(&trust));
        assert_eq!(json["chip_authentication"], "passed", "{json}");
        assert_eq!(json["active_authentication"], "passed", "{json}");
        assert_eq!((code, &json["verdict"]), (Some(0), &Value::from("accepted")), "{json}");
        for (name, published) in ["DG1", "DG2", "DG14", "DG15"].map(|name| {
            (name, fs::read(published.join(name.replace("DG", "Datagroup") + ".bin")).unwrap())
        }) {
            let read = fs::read(folder.path().join(format!("read/{name}.bin"))).unwrap();
            assert!(read == published, "{name}");
        }
    }

    #[test]
    fn as_published_it_is_refused_for_its_unknown_issuer_alone() {
        let (Some(reader), Some(published)) = (virtual_reader(), field_data("bsi-tr03105-5"))
        else {
            return;
        };
        let _alone = READER.lock();
        let folder = folder(&published, None);
        // The signer was valid for the year 2014.
        let (code, json) = read(folder.path(), &reader, "2014-06-01", None);
        assert_eq!(code, Some(1), "{json}");
        assert_eq!(json["reasons"], serde_json::json!(["csca.unknown"]), "{json}");
        // Keys that nobody vouches for prove nothing.
        assert_eq!(json["chip_authentication"], "not_performed", "{json}");
        assert_eq!(json["active_authentication"], "not_performed", "{json}");
    }
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
