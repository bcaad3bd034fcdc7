//! Each odd certificate of the field data comes to what `field/quirks.toml` says, where the data
//! lie (`INDRUL_FIELD_DATA`).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "shared/field_data.rs"]
mod field_data;

use std::path::Path;

use field_data::field_data;
use nfc::trust::{Domain, PathError, TrustStore, certificate::Certificate, master_list};
use serde::Deserialize;

const EXPECTED: &str = include_str!("field/quirks.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectations {
    certificate: Vec<Expected>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    file: String,
    odd: String,
    country: Option<String>,
    key: String,
    algorithm: String,
    salt: Option<u64>,
    serial: String,
    path: String,
    not_after: Option<toml::value::Datetime>,
    #[serde(default)]
    document_signer: bool,
    #[serde(default)]
    remarks: Vec<String>,
}

/// The certificates of the master lists, and the odd ones.
fn store(quirks: &Path, lists: &Path) -> TrustStore {
    let mut store = TrustStore::new(Domain::Production);
    for entry in std::fs::read_dir(lists).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "ml") {
            for der in master_list::parse(&std::fs::read(&path).unwrap()).unwrap().certificates {
                store.add_der(&der).unwrap();
            }
        }
    }
    for entry in std::fs::read_dir(quirks).unwrap() {
        store.add_der(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
    }
    store
}

/// What `certificate` comes to, with the words and the date that were expected of it.
fn found(certificate: &Certificate, store: &TrustStore, expected: &Expected) -> Expected {
    let algorithm = certificate.signature_algorithm().unwrap();
    let unreadable = certificate.unreadable.iter().map(|oid| format!("unreadable {oid}"));
    let unknown = certificate.unknown_critical().map(|oid| format!("unknown critical {oid}"));
    let lax = certificate.key_usage.is_some() && !certificate.is_key_usage_critical();
    let lax = lax.then(|| "key usage not critical".to_owned());
    let path = match store.path(certificate) {
        _ if certificate.is_self_signed() => "root",
        Ok(path) if path.is_whole() => "whole",
        Ok(_) => "part",
        Err(PathError::Unknown) => "none",
        Err(error) => panic!("{}: {error}", expected.file),
    };
    let date = certificate.not_after.date().to_string().parse().unwrap();
    Expected {
        file: expected.file.clone(),
        odd: expected.odd.clone(),
        country: certificate.country(),
        key: certificate.public_key().unwrap().describe(),
        algorithm: algorithm.describe(),
        salt: algorithm.evidence()["salt_bytes"].as_u64(),
        serial: hex::encode(certificate.serial()),
        path: path.to_owned(),
        not_after: expected.not_after.map(|_| date),
        document_signer: certificate.is_document_signer(),
        remarks: lax.into_iter().chain(unreadable).chain(unknown).collect(),
    }
}

/// proves issue 4, Done-when 3
#[test]
fn every_odd_certificate_comes_to_what_is_written() {
    let Some((quirks, lists)) = field_data("certs/quirks").zip(field_data("masterlists")) else {
        return;
    };
    let expectations: Expectations = toml::from_str(EXPECTED).unwrap();
    let store = store(&quirks, &lists);
    for expected in &expectations.certificate {
        let der = std::fs::read(quirks.join(&expected.file).with_extension("der")).unwrap();
        let certificate = Certificate::parse(&der).unwrap();
        assert_eq!(found(&certificate, &store, expected), *expected);
        // None of them may be taken for what it is not.
        assert_eq!(certificate.may_issue(), !expected.document_signer, "{}", expected.file);
    }
    let files = std::fs::read_dir(&quirks).unwrap().count();
    assert_eq!(files, expectations.certificate.len(), "a certificate without an expectation");
}
