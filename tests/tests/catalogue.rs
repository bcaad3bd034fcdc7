//! The fixture passports through the whole system, without and with sockets in between.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use fixtures::{catalogue, portraits::Portraits};
use indrul_tests::{
    run::{self, Through},
    testing::{data, today, virtual_reader},
};

/// Runs the named fixtures and fails with every difference.
fn all_as_expected(names: &[&str], through: Through) {
    let entries: Vec<_> = names.iter().map(|name| catalogue::find(name).unwrap()).collect();
    let portraits = Portraits::load(&data().join("portraits")).unwrap();
    let outcomes =
        run::run(&entries, through, &portraits, &data().join("models"), today()).unwrap();
    assert_eq!(outcomes.len(), names.len());
    let wrong: Vec<_> = outcomes.iter().filter(|o| !o.as_expected()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn whole_catalogue() -> Vec<String> {
    catalogue::all().unwrap().into_iter().map(|entry| entry.name).collect()
}

// proves B3, B4, B6, B7, D1
#[test]
fn through_memory() {
    let names = whole_catalogue();
    all_as_expected(&names.iter().map(String::as_str).collect::<Vec<_>>(), Through::Memory);
}

#[test]
fn through_the_relay() {
    let names = whole_catalogue();
    all_as_expected(&names.iter().map(String::as_str).collect::<Vec<_>>(), Through::Relay);
}

#[test]
fn the_six_through_pcscd() {
    if virtual_reader().is_some() {
        all_as_expected(&catalogue::SIX, Through::Pcsc);
    }
}
