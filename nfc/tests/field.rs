//! Documents and trust lists of the real world, which are not part of the project: the tests run
//! where they lie (`INDRUL_FIELD_DATA`, default `../shared/data` beside the workspace) and say so
//! where they do not.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

#[path = "shared/field_data.rs"]
mod field_data;

use std::path::{Path, PathBuf};

use field_data::field_data;
use nfc::{
    check::{Check, Outcome, Reason},
    files::{FileId, Files},
    lds::{com, dg1, dg2, dg14, dg15},
    passive,
    trust::{Domain, TrustStore, certificate::Certificate, master_list},
};
use time::macros::date;

fn files_in(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files_in(&path)) } else { out.push(path) }
    }
    out.sort();
    out
}

fn bsi() -> Option<Files> {
    let dir = field_data("bsi-tr03105-5")?;
    let read = |name: &str| std::fs::read(dir.join(name)).unwrap();
    let mut files = Files::new();
    files.insert(FileId::Com, read("EF_COM.bin"));
    files.insert(FileId::Sod, read("EF_SOD.bin"));
    for number in [1, 2, 3, 4, 14, 15] {
        files.insert(FileId::dg(number).unwrap(), read(&format!("Datagroup{number}.bin")));
    }
    Some(files)
}

fn outcome(checks: &[Check], id: &str) -> Outcome {
    checks.iter().find(|check| check.id == id).unwrap().outcome
}

/// BSI TR-03105 Part 5: RSA-PSS; its issuer is not public. The signer was valid for the year 2014;
/// DG15 lies beside the files but is not signed.
#[test]
fn the_reference_passport_is_genuine_but_for_its_unknown_issuer() {
    let Some(files) = bsi() else { return };
    let report = passive::verify(&files, &TrustStore::new(Domain::Qa), date!(2014 - 06 - 01));
    for id in ["sod.signature", "sod.digest", "dg.hash"] {
        assert_eq!(outcome(&report.checks, id), Outcome::Passed, "{:?}", report.checks);
    }
    let hashes = report.checks.iter().find(|check| check.id == "dg.hash").unwrap();
    for group in ["DG1", "DG2", "DG3", "DG4", "DG14"] {
        assert_eq!(hashes.evidence["data_groups"][group], "equal", "{group}");
    }
    assert_eq!(hashes.evidence["data_groups"]["DG15"], "not listed");
    let failed: Vec<_> =
        report.checks.iter().filter(|check| matches!(check.outcome, Outcome::Failed(_))).collect();
    let unknown = Outcome::Failed(Reason::CscaUnknown);
    assert_eq!(outcome(&report.checks, "signer.chain"), unknown, "{failed:?}");
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert!(report.verified.is_none());
}

#[test]
fn the_reference_passport_is_parsed() {
    let Some(files) = bsi() else { return };
    let get = |id| files.get(id).unwrap();
    assert_eq!(com::parse(get(FileId::Com)).unwrap().odd_tags, 0);
    assert_eq!(dg1::issuer(get(FileId::DG1)).unwrap(), "D");
    assert!(!dg2::portraits(get(FileId::DG2)).unwrap().is_empty());
    let infos = dg14::parse(get(FileId::DG14)).unwrap();
    assert!(nfc::chip_auth::is_offered(&infos));
    let key = dg15::parse(get(FileId::DG15)).unwrap();
    assert!(nfc::crypto::public_key::PublicKey::parse(key).is_ok());
}

#[test]
fn master_lists_are_read_and_their_signatures_hold() {
    let Some(dir) = field_data("masterlists") else { return };
    for path in files_in(&dir).iter().filter(|path| path.extension().is_some_and(|e| e == "ml")) {
        let list = master_list::parse(&std::fs::read(path).unwrap()).unwrap();
        let mut store = TrustStore::new(Domain::Production);
        let rejected = list.certificates.iter().filter(|der| store.add_der(der).is_err()).count();
        let total = list.certificates.len();
        let name = path.file_name().unwrap().display();
        println!("{name}: {total} certificates, {rejected} rejected");
        assert!(list.signer.verified, "{name}");
        assert_eq!(rejected, 0, "{name}");
        let chained = store.anchors().iter().filter(|a| store.path(&a.certificate).is_ok()).count();
        println!("{name}: {chained} lead to an anchor");
        assert!(chained * 10 > total * 9, "{name}: {chained} of {total}");
    }
}

#[test]
fn odd_certificates_are_parsed() {
    let Some(dir) = field_data("certs") else { return };
    for path in files_in(&dir).iter().filter(|path| path.extension().is_some_and(|e| e != "txt")) {
        let der = std::fs::read(path).unwrap();
        if der.starts_with(b"-----") {
            continue;
        }
        let certificate = Certificate::parse(&der).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        certificate.public_key().unwrap_or_else(|e| panic!("{path:?}: {e}"));
    }
}

/// The Danish issuers share one name: key identifier and signature choose among them.
#[test]
fn danish_issuers_are_told_apart() {
    let Some(dir) = field_data("certs/DNK") else { return };
    let mut store = TrustStore::new(Domain::Production);
    for path in files_in(&dir) {
        store.add_der(&std::fs::read(path).unwrap()).unwrap();
    }
    assert_eq!(store.anchors().len(), 9);
    for anchor in store.anchors() {
        let issuer = store.issuer_of(&anchor.certificate).unwrap();
        assert!(anchor.certificate.is_signed_by(&issuer.certificate).unwrap());
        let path = store.path(&anchor.certificate).unwrap();
        assert!(path.is_whole());
        assert!(path.anchors().last().unwrap().certificate.is_self_signed());
    }
}

/// A DG2 of ISO/IEC 39794-5 with every field that the standard knows.
#[test]
fn the_face_of_iso_39794_is_read() {
    let Some(path) = field_data("dg2-samples/dg2_silver_all_fields.bin") else { return };
    let faces = dg2::parse(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(faces.standard, dg2::Standard::Iso39794);
    assert_eq!(faces.portraits.len(), 1);
    assert_eq!(faces.portraits[0].encoding, dg2::Encoding::Jpeg2000);
    assert_eq!(faces.portraits[0].bytes.len(), 15_000);
    assert_eq!(faces.remarks, []);
}
