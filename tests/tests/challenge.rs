//! The face challenge through the service: drawn, filmed, bound, uploaded, judged, and used up.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    thread,
    time::{Duration, Instant},
};

use fixtures::{
    capture::{Shot, Species},
    chip::Chip,
    passport::Passport,
    portraits::Portraits,
};
use indrul_tests::{
    captures::Studio,
    chip_link::ChipLink,
    citizen::{CitizenError, Enrolment},
    station::Station,
    testing::{data, passport},
};
use liveness::{Engine, challenge::Script};
use serde_json::Value;

/// Films an answer to the challenge that the service draws now, and waits until it may be there.
fn filmed(studio: &Studio, enrolment: &Enrolment, species: Species, file: &str) -> Vec<Shot> {
    let (challenge, drawn) = (enrolment.challenge().unwrap(), Instant::now());
    let script: Script = serde_json::from_value(challenge.get("script").unwrap().clone()).unwrap();
    let mut nonce = [0; 32];
    let text = challenge.get("nonce").and_then(Value::as_str).unwrap();
    hex::decode_to_slice(text, &mut nonce).unwrap();
    let portrait = studio.portrait(file).unwrap();
    let capture = studio.answer(species, portrait, 1, (&nonce, &script)).unwrap();
    let least = Duration::from_millis(capture.after_ms);
    thread::sleep(least.saturating_sub(drawn.elapsed()));
    capture.shots
}

fn refused(answer: Result<Value, CitizenError>) -> String {
    match answer {
        Err(CitizenError::Problem { code, .. }) => code,
        other => format!("{other:?}"),
    }
}

/// Outcome of each check that the view tells of.
fn outcomes(view: &Value) -> Vec<(String, String)> {
    let text = |check: &Value, name: &str| check.get(name).unwrap().as_str().unwrap().to_owned();
    let checks = view.get("checks").unwrap().as_array().unwrap().iter();
    checks.map(|check| (text(check, "id"), text(check, "outcome"))).collect()
}

#[test]
fn a_challenge_is_answered_once_by_the_person_of_the_passport_and_by_no_attack() {
    // proves D3, D6
    let passport = passport("good");
    let models = data().join("models");
    let station = Station::start(std::slice::from_ref(&passport), &models).unwrap();
    let portraits = Portraits::load(&data().join("portraits")).unwrap();
    let studio = Studio::new(Engine::load(&models).unwrap(), &portraits).unwrap();
    // Of the scripts that may be drawn a few ask the filmed person for more than the landmarks see of a turn
    // (liveness/README.md): then all of it is done once more. Attacks have one try each time.
    let accepted = (0..2).any(|_| is_answered(&station, &studio, &passport));
    assert!(accepted, "the person of the passport was refused twice");
}

/// Whether the person was accepted, after attacks that were not.
fn is_answered(station: &Station, studio: &Studio, passport: &Passport) -> bool {
    let enrolment = Enrolment::start(&station.url(), &passport.holder.cpr).unwrap();
    assert_eq!(refused(enrolment.challenge()), "case.state", "before the chip");
    enrolment.typed_page(&passport.mrz_lines).unwrap();
    enrolment.read_chip(&mut ChipLink(Chip::new(passport))).unwrap();
    assert_eq!(refused(enrolment.capture(&[])), "face.challenge", "none was drawn");

    let replay = filmed(studio, &enrolment, Species::Replay, "obama.jpg");
    assert_eq!(refused(enrolment.capture(&replay)), "face.challenge");
    assert_eq!(refused(enrolment.capture(&replay)), "face.challenge", "it is used up");
    let view = enrolment.view().unwrap();
    let told = view.to_string();
    assert!(
        ["refusals", "correlation", "species"].iter().all(|word| !told.contains(word)),
        "{told}"
    );

    // A challenge drawn before another is void.
    let first = filmed(studio, &enrolment, Species::Person, "obama.jpg");
    enrolment.challenge().unwrap();
    assert_eq!(refused(enrolment.capture(&first)), "face.challenge", "bound to another");
    let person = filmed(studio, &enrolment, Species::Person, "obama.jpg");
    let answer = enrolment.capture(&person);
    if matches!(&answer, Err(CitizenError::Problem { code, .. }) if code == "face.challenge") {
        return false;
    }
    let view = answer.unwrap();
    for id in [
        "face.challenge",
        "face.detected",
        "face.quality",
        "face.match",
        "face.morph",
        "face.attack",
    ] {
        let found = outcomes(&view).into_iter().find(|(name, _)| name == id);
        assert_eq!(found.map(|(_, outcome)| outcome).as_deref(), Some("passed"), "{id} {view:#}");
    }
    assert_eq!(refused(enrolment.capture(&person)), "face.challenge", "it is used up");

    assert_eq!(refused(enrolment.challenge()), "case.attempts", "all four tries");
    let finished = enrolment.finish().unwrap();
    assert_eq!(finished.get("verdict").unwrap(), "accepted", "{finished:#}");
    true
}
