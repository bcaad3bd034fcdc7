//! Still attacks made of the fixture portraits are refused, the portraits themselves accepted (D2).
//!
//! Four pictures of two people: this shows that the detector is wired and still sees what it saw,
//! and measures nothing. `fixtures attacks` counts errors over many people.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{env, fs, path::PathBuf, sync::LazyLock};

use fixtures::attacks::{Original, Species};
use indrul_tests::attacks::original;
use liveness::{AttackScore, Engine, Observer, portrait};

const PORTRAITS: [&str; 4] = ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"];
/// Attacks of each species on each portrait.
const SEEDS: std::ops::Range<u64> = 0..3;
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load(&data().join("models")).unwrap());

fn data() -> PathBuf {
    let workspace = concat!(env!("CARGO_MANIFEST_DIR"), "/../data");
    env::var_os("INDRUL_DATA").map_or_else(|| workspace.into(), PathBuf::from)
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(data().join("portraits").join(name)).unwrap()
}

fn originals() -> Vec<Original> {
    let observer = Observer::load(&data().join("models")).unwrap();
    let pictures = PORTRAITS.map(|name| portrait::decode(&bytes(name)).unwrap());
    pictures.iter().map(|picture| original(&observer, picture).unwrap()).collect()
}

/// None where no face is found: then there is nothing to accept.
fn judged(bytes: &[u8]) -> Option<AttackScore> {
    let picture = portrait::decode(bytes).unwrap();
    let face = ENGINE.analyse(&picture).ok()?;
    Some(ENGINE.attack(&picture, &face).unwrap())
}

#[test]
fn every_species_made_of_the_portraits_is_refused() {
    // proves D2
    let originals = originals();
    for (at, original) in originals.iter().enumerate() {
        let behind = &originals[(at + 1) % originals.len()];
        for species in Species::ALL {
            for seed in SEEDS {
                let made = original.attack(species, behind, seed).unwrap();
                let score = judged(&made);
                let refused = score.is_none_or(|score| !score.live && score.species_hint.is_some());
                assert!(refused, "{} {} {seed}: {score:?}", PORTRAITS[at], species.name());
            }
        }
    }
}

#[test]
fn the_portraits_are_accepted_as_they_are_and_through_the_generators_camera() {
    // proves D2
    for (name, original) in PORTRAITS.into_iter().zip(originals()) {
        let score = judged(&bytes(name)).unwrap();
        assert!(score.live && score.species_hint.is_none(), "{name}: {score:?}");
        for seed in SEEDS {
            let score = judged(&original.bona_fide(seed).unwrap()).unwrap();
            assert!(score.live, "{name} {seed}: {score:?}");
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_picture_and_another_another() {
    let originals = originals();
    let made = |species, seed| originals[0].attack(species, &originals[3], seed).unwrap();
    for species in Species::ALL {
        assert!(made(species, 1) == made(species, 1), "{}", species.name());
        assert!(made(species, 1) != made(species, 2), "{}", species.name());
    }
    assert!(originals[0].bona_fide(1).unwrap() == originals[0].bona_fide(1).unwrap());
}
