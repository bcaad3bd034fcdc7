//! The fuzzers' corpora and past findings, run through the same functions in the ordinary build
//! (`scripts/fuzz` looks for more).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a finding is a panic"
)]

#[path = "../fuzz/src/targets/mod.rs"]
pub mod targets;

use std::{fs, path::Path};

use nfc::check::Outcome;
use targets::{Script, codec, files, keys, messaging, reading, trust};

/// Every file in the target's corpus.
fn run(name: &str, target: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut inputs: Vec<_> =
        fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{name} has no corpus");
    for path in inputs {
        println!("{}", path.file_name().unwrap().display());
        target(&fs::read(&path).unwrap());
    }
}

#[test]
fn tlv() {
    run("tlv", codec::tlv);
}

#[test]
fn apdu() {
    run("apdu", codec::apdu);
}

#[test]
fn lds() {
    run("lds", files::lds);
}

#[test]
fn security_infos() {
    run("security_infos", files::security_infos);
}

#[test]
fn sod() {
    run("sod", files::sod);
}

#[test]
fn certificates() {
    run("certificates", files::certificates);
}

#[test]
fn master_list() {
    run("master_list", trust::master_list);
}

#[test]
fn crl() {
    run("crl", trust::crl);
}

#[test]
fn ldif() {
    run("ldif", trust::ldif);
}

#[test]
fn paths() {
    run("paths", trust::paths);
}

#[test]
fn public_key() {
    run("public_key", keys::public_key);
}

#[test]
fn unwrap() {
    run("unwrap", messaging::unwrap);
}

#[test]
fn reader() {
    run("reader", reading::reader);
}

/// Without this the fuzzer could be content with readings that all end early.
#[test]
fn the_chip_that_is_fuzzed_with_is_genuine_when_left_alone() {
    let (_, result) = reading::read(&Script::new(&[]));
    let reading = result.unwrap();
    for check in &reading.checks {
        assert!(!matches!(check.outcome, Outcome::Failed(_)), "{check:?}");
    }
    for id in
        ["sod.signature", "dg.hash", "signer.chain", "chip_authentication", "active_authentication"]
    {
        let check = reading.checks.iter().find(|check| check.id == id).unwrap();
        assert_eq!(check.outcome, Outcome::Passed, "{check:?}");
    }
}

/// A chip without the private keys is read like any other, and proves nothing.
#[test]
fn its_clone_is_found_out() {
    let (nature, result) = reading::read(&Script::new(&[1]));
    assert!(nature.clone);
    let reading = result.unwrap();
    let check = reading.checks.iter().find(|check| check.id == "chip_authentication").unwrap();
    assert!(matches!(check.outcome, Outcome::Failed(_)), "{check:?}");
}
