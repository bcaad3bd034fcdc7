//! The face challenge from end to end: a client's side written from the page, before the engine.
//! Simulated captures: wiring and trend, no measure of people or of real attacks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use fixtures::{capture::Species, portraits::Portraits};
use indrul_tests::{
    captures::{Judged, Studio},
    testing::data,
};
use liveness::{
    Engine,
    challenge::{Judgement, Refusal},
};

fn studio() -> Studio {
    let engine = Engine::load(&data().join("models")).unwrap();
    Studio::new(engine, &Portraits::load(&data().join("portraits")).unwrap()).unwrap()
}

/// The numbers of obama.jpg, obama2.jpg and biden.jpg among the portraits.
const STRAIGHT: usize = 0;
const ASIDE: usize = 1;
const ASIDE_AND_PALE: usize = 3;

// proves D3
#[test]
fn a_person_is_accepted_even_one_whose_cheek_turns_out_of_sight() {
    let studio = studio();
    for portrait in [ASIDE, ASIDE_AND_PALE] {
        let person = studio.one(Species::Person, portrait, 0).unwrap();
        assert!(person.accepted, "{person:?}");
    }
}

// proves D3
#[test]
fn what_stands_in_for_a_person_is_refused_for_its_light_and_its_turns() {
    let studio = studio();
    let refused = |species, portrait| studio.one(species, portrait, 0).unwrap().refusals;
    let puppet = refused(Species::Puppet, STRAIGHT);
    assert_eq!(puppet, [Refusal::NotTheScreensLight]);
    let print = refused(Species::TurnedPrint, ASIDE_AND_PALE);
    assert!(print.contains(&Refusal::NotTheScreensLight), "{print:?}");
    let replay = refused(Species::Replay, STRAIGHT);
    assert!(replay.contains(&Refusal::NotTheScreensLight), "{replay:?}");
    assert!(replay.iter().any(|r| matches!(r, Refusal::NotTurned { .. })), "{replay:?}");
}

// proves D3
#[test]
fn a_head_cut_out_of_a_print_is_refused_for_its_relief_though_the_screens_light_falls_on_it() {
    let studio = studio();
    let person = studio.one(Species::Person, STRAIGHT, 2).unwrap();
    let least = reliefs(&person).fold(f32::INFINITY, f32::min);
    for species in [Species::BentCutOut, Species::FoldedCutOut] {
        let sheet = studio.one(species, STRAIGHT, 2).unwrap();
        assert!(!sheet.refusals.contains(&Refusal::NotTheScreensLight), "{sheet:?}");
        let flat = |refusal: &Refusal| matches!(refusal, Refusal::Flat { .. });
        assert!(sheet.refusals.iter().any(flat), "{sheet:?}");
        // By what the pictures show: the landmark network sees a head.
        let turns = sheet.evidence.path.as_ref().unwrap().turns.iter();
        assert!(turns.clone().all(|turn| turn.relief > 0.1), "{sheet:?}");
        assert!(reliefs(&sheet).fold(0.0, f32::max) < least / 2.0, "{sheet:?} {person:?}");
    }
}

/// What followed points show, turn by turn.
fn reliefs(judged: &Judged) -> impl Iterator<Item = f32> {
    let followed = judged.evidence.followed.iter();
    followed.map(|turn| turn.and_then(|turn| turn.relief).unwrap().relief)
}

// proves D3
#[test]
fn a_capture_that_is_not_bound_is_refused_before_anything_is_looked_at() {
    let studio = studio();
    let refused = |species| {
        let judged = studio.one(species, 0, 0).unwrap();
        assert_eq!(judged.evidence.faces, 0);
        judged.refusals
    };
    assert_eq!(refused(Species::OtherNonce), [Refusal::NotBound { number: 0 }]);
    assert!(matches!(refused(Species::Reordered)[..], [Refusal::FrameMissing { .. }]));
    assert!(matches!(refused(Species::OneMissing)[..], [Refusal::FrameMissing { .. }]));
    assert_eq!(refused(Species::TooFew), [Refusal::TooFewFrames]);
    assert_eq!(refused(Species::TooEarly), [Refusal::TooEarly]);
    assert_eq!(refused(Species::Late), [Refusal::Late]);
}

// proves D6
#[test]
fn nothing_is_no_capture() {
    let refused = |judgement: &Judgement| judgement.code();
    let engine = Engine::load(&data().join("models")).unwrap();
    let script = engine.draw_challenge(&[1; 32]);
    let nonce = liveness::challenge::Nonce::new([2; 32]);
    let arrival = liveness::challenge::Arrival {
        nonce: &nonce,
        script: &script,
        after_ms: u64::from(script.duration_ms),
    };
    let judgement = engine.judge_challenge(&arrival, &[]);
    assert_eq!(refused(&judgement), Some("face.challenge"));
    assert!(judgement.kept.is_empty());
}
