//! The fixture passports through the whole system, without and with sockets in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::print_stdout, reason = "a run says how long it took")]

use std::{path::Path, sync::Mutex, time::Instant};

use fixtures::{
    catalogue::{self, Entry},
    portraits::Portraits,
};
use indrul_tests::{
    conformance,
    report::Outcome,
    run::{self, Through},
    testing::{data, today, virtual_reader},
};

/// One such run at a time: each keeps every processor busy. One through pcscd does not: it waits for most of its time.
static RUN: Mutex<()> = Mutex::new(());

/// Runs the fixtures, says how long it took, and fails with every difference.
fn all_as_expected(entries: &[Entry], through: Through) -> Vec<Outcome> {
    let _alone = (through != Through::Pcsc).then(|| RUN.lock());
    let portraits = Portraits::load(&data().join("portraits")).unwrap();
    let started = Instant::now();
    let models = data().join("models");
    let outcomes = run::run(entries, through, &portraits, &models, today()).unwrap().outcomes;
    let (count, seconds) = (outcomes.len(), started.elapsed().as_secs());
    println!("{count} fixtures through {} in {seconds} s", through.name());
    assert_eq!(count, entries.len());
    let wrong: Vec<_> = outcomes.iter().filter(|o| !o.as_expected()).collect();
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
    outcomes
}

fn chosen() -> Vec<Entry> {
    catalogue::TWENTY.iter().map(|name| catalogue::find(name).unwrap()).collect()
}

// proves B3, B4, B6, B7, D1, D7 (`morphed-portrait`)
#[test]
fn all_through_the_relay_and_as_the_conformance_page_says() {
    let entries = catalogue::all().unwrap();
    let outcomes = all_as_expected(&entries, Through::Relay);
    let units = fixtures::conformance::units().unwrap();
    let page = conformance::page(&units, &conformance::players(entries), &outcomes);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md");
    let stale = "out of date: run `fixtures conformance`";
    assert_eq!(std::fs::read_to_string(kept).unwrap(), page, "{stale}");
}

/// The same without sockets in between; `fixtures run --through memory` takes all of them so.
#[test]
fn the_chosen_twenty_through_memory() {
    all_as_expected(&chosen(), Through::Memory);
}

#[test]
fn the_chosen_twenty_through_pcscd() {
    if virtual_reader().is_some() {
        all_as_expected(&chosen(), Through::Pcsc);
    }
}
