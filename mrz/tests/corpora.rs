//! The fuzzers' corpora and past findings, run through the same functions in the ordinary build
//! (`scripts/fuzz` looks for more).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a finding is a panic"
)]

#[path = "../fuzz/src/targets.rs"]
pub mod targets;

use std::{fs, path::Path};

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
fn parse() {
    run("parse", targets::parse);
}

#[test]
fn names() {
    run("names", targets::names);
}

#[test]
fn access_key() {
    run("access_key", targets::access_key);
}
