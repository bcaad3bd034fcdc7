//! What the end-to-end tests share: where things lie, and how programs are run.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

use fixtures::{catalogue, passport::Passport, portraits::Portraits};
use server::clock::{Clock as _, SystemClock, copenhagen_date};
use time::Date;

/// The workspace.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The data directory that scripts/models filled.
#[must_use]
pub fn data() -> PathBuf {
    env::var_os("INDRUL_DATA").map_or_else(|| root().join("data"), PathBuf::from)
}

/// The name of the virtual reader, or `None` (said on standard error) without a pcscd to test with.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn virtual_reader() -> Option<String> {
    let reader = env::var("INDRUL_TEST_READER").ok();
    if reader.is_none() {
        eprintln!("skipped: no pcscd to test with; ./test and scripts/with-pcscd bring one");
    }
    reader
}

/// Reference data that are not part of the project (`INDRUL_FIELD_DATA`, else beside the workspace), or
/// `None` (said on standard error) where they are not.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn field_data(part: &str) -> Option<PathBuf> {
    let beside = root().join("../shared/data");
    let path = env::var_os("INDRUL_FIELD_DATA").map_or(beside, PathBuf::from).join(part);
    let found = path.exists();
    if !found {
        eprintln!("skipped: no field data ({part})");
    }
    found.then_some(path)
}

/// Today, as the service judges documents.
#[must_use]
pub fn today() -> Date {
    copenhagen_date(SystemClock.now())
}

/// The fixture `name`, with real portraits: made once in this process.
///
/// # Panics
/// If it cannot be made: run `scripts/models` first, as ./test does.
#[must_use]
pub fn passport(name: &str) -> Passport {
    static MADE: Mutex<BTreeMap<String, Passport>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(name.to_owned()).or_insert_with(|| make(name)).clone()
}

#[expect(clippy::expect_used, reason = "for tests only")]
fn make(name: &str) -> Passport {
    let portraits = Portraits::load(&data().join("portraits")).expect("run scripts/models first");
    let entry = catalogue::find(name).expect("a name of the catalogue");
    Passport::make(&entry.spec, &portraits, today()).expect("a passport")
}

/// The program `enroll`, built beside the program `fixtures`, which is `fixtures_program`.
#[must_use]
pub fn enroll(fixtures_program: &str) -> Command {
    Command::new(Path::new(fixtures_program).with_file_name("enroll"))
}

/// The standard output as text.
#[must_use]
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}
