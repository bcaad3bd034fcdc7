//! What no compiler checks: who may use whom, and how large a file may be (STYLE 1, 4, 33).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Every name that follows `nfc::` in the code of `file`, `use` groups included.
fn modules_of_nfc(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let code: String =
        text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word =
        |s: &str| s.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut found = Vec::new();
    for (_, after) in code.match_indices("nfc::").map(|(at, m)| (at, &code[at + m.len()..])) {
        match after.strip_prefix('{') {
            Some(group) => found.extend(top_level_parts(group).into_iter().map(word)),
            None => found.push(word(after)),
        }
    }
    found
}

/// The comma-separated parts of a `use` group, up to its closing brace.
fn top_level_parts(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.into_iter().filter(|p| !p.trim().is_empty()).collect()
}

#[test]
fn the_emulated_chip_shares_nothing_of_the_readers_protocols() {
    let files = rust_files(&root().join("fixtures/src"));
    assert!(files.len() > 5, "the chip's sources were not found");
    for file in files {
        for module in modules_of_nfc(&file) {
            assert!(
                ["apdu", "tlv"].contains(&module.as_str()),
                "{} uses nfc::{module}",
                file.display()
            );
        }
    }
}

#[test]
fn the_check_above_sees_groups_and_nested_groups() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(
        file.path(),
        "use nfc::{apdu::{Command, Response}, bac};\nfn f() { nfc::pace::x() }\n// nfc::sm\n",
    )
    .unwrap();
    assert_eq!(modules_of_nfc(file.path()), ["apdu", "bac", "pace"]);
}

#[test]
fn what_ships_does_not_depend_on_fixtures() {
    for name in ["mrz", "nfc", "liveness", "enroll-core", "server"] {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        let shipped = manifest.split("[dev-dependencies]").next().unwrap();
        assert!(!shipped.contains("\nfixtures"), "{name} ships fixtures");
    }
}

#[test]
fn only_the_server_knows_tokio_http_and_sql() {
    for name in ["mrz", "nfc", "liveness", "enroll-core"] {
        let manifest = fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap();
        for crate_name in ["tokio", "axum", "sqlx", "ureq"] {
            assert!(
                !manifest.contains(&format!("\n{crate_name}")),
                "{name} depends on {crate_name}"
            );
        }
    }
}

#[test]
fn no_file_is_longer_than_its_budget() {
    for name in ["mrz", "nfc", "liveness", "enroll-core", "server", "fixtures", "tests"] {
        for file in rust_files(&root().join(name)) {
            let text = fs::read_to_string(&file).unwrap();
            let lines = text.lines().take_while(|l| *l != "#[cfg(test)]").count();
            assert!(lines <= 800, "{} has {lines} lines", file.display());
        }
    }
}
