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

fn refusals(judged: &Judged, like: fn(&Refusal) -> bool) -> usize {
    judged.refusals.iter().filter(|refusal| like(refusal)).count()
}

// proves D3
#[test]
fn a_person_is_accepted_and_what_stands_in_for_one_is_not() {
    let studio = studio();
    let person = studio.one(Species::Person, 0, 0).unwrap();
    assert!(person.accepted, "{person:?}");
    let print = studio.one(Species::TurnedPrint, 0, 0).unwrap();
    assert!(refusals(&print, |r| matches!(r, Refusal::NotTheScreensLight)) == 1, "{print:?}");
    let replay = studio.one(Species::Replay, 0, 0).unwrap();
    assert!(refusals(&replay, |r| matches!(r, Refusal::NotTurned { .. })) > 0, "{replay:?}");
    assert!(refusals(&replay, |r| matches!(r, Refusal::NotTheScreensLight)) == 1, "{replay:?}");
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
