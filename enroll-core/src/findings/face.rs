//! The face: `face.detected`, `face.quality` (D4), `face.match` (D1), `face.morph` (D7), `face.attack` (D2),
//! `face.challenge` (D3).
//!
//! Scores and measures are evidence; no picture and no template is. What could not be run is never
//! passed (D6).

use liveness::{
    AttackScore, Comparison, Face, FaceError, MorphScore, Quality, challenge::Judgement,
};
use serde_json::json;

use crate::{check::Check, reason::ReasonCode};

/// `face.detected` and `face.quality` of a picture of the person.
#[must_use]
pub fn of_picture(found: Result<&Face, &FaceError>) -> Vec<Check> {
    match found {
        Ok(face) => vec![Check::passed("face.detected", json!({})), quality(&face.quality)],
        Err(error) => {
            let reason = ReasonCode::nearest(error.code());
            let detected = Check::failed("face.detected", reason, json!({}));
            vec![detected, Check::waiting("face.quality", "face.detected")]
        }
    }
}

/// `face.detected` of a file that is no picture.
#[must_use]
pub fn unreadable() -> Vec<Check> {
    let reason = ReasonCode::FACE_QUALITY_UNREADABLE;
    let detected = Check::failed("face.detected", reason, json!({}));
    vec![detected, Check::waiting("face.quality", "face.detected")]
}

/// The first thing to mend is the reason; all of them are evidence.
fn quality(quality: &Quality) -> Check {
    let codes: Vec<&str> = quality.reasons.iter().map(|reason| reason.code()).collect();
    let evidence = json!({ "measures": quality.measures, "mend": codes });
    match codes.first() {
        Some(code) => Check::failed("face.quality", ReasonCode::nearest(code), evidence),
        None => Check::passed("face.quality", evidence),
    }
}

/// `face.match`: the person against the portrait of the proved chip.
#[must_use]
pub fn matched(comparison: &Comparison) -> Check {
    let accepted = comparison.accepted && comparison.similarity.is_finite();
    Check::of("face.match", accepted, ReasonCode::FACE_MISMATCH, json!(comparison))
}

/// `face.morph`: whether the portrait of the proved chip may be blended of two people's pictures. A
/// suspicion is no proof, and refuses nobody: a person looks at it. One who is not accepted as the person
/// shown at all has failed `face.match` beside it.
#[must_use]
pub fn morph(score: &MorphScore) -> Check {
    if !score.similarity.is_finite() {
        return Check::not_performed("face.morph", ReasonCode::FACE_MODEL, json!({}));
    }
    Check::of("face.morph", !score.suspected, ReasonCode::FACE_MORPH_SUSPECTED, json!(score))
}

/// `face.match` where the chip's portrait cannot be described; `found` is its error, or none if it
/// could not even be decoded.
#[must_use]
pub fn no_portrait(found: Option<&FaceError>) -> Check {
    let reason = match found {
        Some(error @ FaceError::Model(_)) => ReasonCode::nearest(error.code()),
        _ => ReasonCode::FACE_PORTRAIT_UNREADABLE,
    };
    Check::not_performed("face.match", reason, json!({}))
}

/// `face.attack` from one picture.
#[must_use]
pub fn attack(score: Result<&AttackScore, &FaceError>) -> Check {
    match score {
        Ok(score) => {
            let live = score.live && score.score.is_finite();
            Check::of("face.attack", live, ReasonCode::FACE_ATTACK, json!(score))
        }
        Err(error) => {
            let reason = ReasonCode::nearest(error.code());
            Check::not_performed("face.attack", reason, json!({}))
        }
    }
}

/// `face.challenge` of a capture: which of its many reasons it was is evidence only.
#[must_use]
pub fn challenge(judgement: &Judgement) -> Check {
    let id = "face.challenge";
    let evidence = json!({ "refusals": judgement.refusals, "measures": judgement.evidence });
    match judgement.code().map(ReasonCode::nearest) {
        None => Check::passed(id, evidence),
        Some(ReasonCode::FACE_MODEL) => Check::not_performed(id, ReasonCode::FACE_MODEL, evidence),
        Some(reason) => Check::failed(id, reason, evidence),
    }
}

#[cfg(test)]
mod tests {
    use liveness::{Measures, QualityReason};

    use super::*;
    use crate::check::Outcome;

    fn compared(similarity: f32, accepted: bool) -> Check {
        let (threshold, false_match_rate) = (0.5, 1e-4);
        matched(&Comparison { similarity, threshold, accepted, false_match_rate })
    }

    // proves D1 and D6
    #[test]
    fn only_an_accepted_number_matches() {
        assert!(compared(0.7, true).is_passed());
        assert_eq!(compared(0.3, false).reason, Some(ReasonCode::FACE_MISMATCH));
        assert!(!compared(f32::NAN, true).is_passed());
    }

    fn morph_of(similarity: f32) -> Check {
        let (threshold, suspected) = (0.6, similarity < 0.6);
        let (bona_fide_suspected, morphs_missed) = (0.02, 0.7);
        morph(&MorphScore { similarity, threshold, suspected, bona_fide_suspected, morphs_missed })
    }

    // proves D7 and D6
    #[test]
    fn a_suspected_morph_fails_and_what_is_no_number_is_not_run() {
        let suspected = morph_of(0.55);
        assert_eq!(suspected.outcome, Outcome::Failed);
        assert_eq!(suspected.reason, Some(ReasonCode::FACE_MORPH_SUSPECTED));
        assert!(suspected.evidence["similarity"].is_number());
        assert!(suspected.evidence["morphs_missed"].is_number());
        assert!(compared(0.55, true).is_passed(), "the same face is accepted beside it");
        assert!(morph_of(0.6).is_passed());
        let none = morph_of(f32::NAN);
        assert_eq!(
            (none.outcome, none.reason),
            (Outcome::NotPerformed, Some(ReasonCode::FACE_MODEL))
        );
    }

    // proves D4
    #[test]
    fn what_to_mend_first_is_the_reason() {
        let measures = Measures {
            inter_eye_px: 20.0,
            head_size: 0.2,
            yaw_deg: 0.0,
            pitch_deg: 0.0,
            roll_deg: 0.0,
            sharpness: 0.1,
            brightness: 0.1,
            under_exposed: 0.2,
            over_exposed: 0.0,
            contrast: 0.2,
            evenness: 0.9,
            in_picture: 1.0,
            uncovered: 30.0,
            eye_light: 0.7,
            eyes_open: 8.0,
            mouth_gap: 0.0,
        };
        let reasons = vec![QualityReason::TooFar, QualityReason::TooDark];
        let check = quality(&Quality { measures, reasons });
        assert_eq!(check.reason.unwrap().as_str(), "face.quality.too_far");
        assert_eq!(check.evidence["mend"][1], "face.quality.too_dark");
    }

    #[test]
    fn every_reason_of_the_instrument_has_a_text() {
        let quality = QualityReason::ALL.map(QualityReason::code);
        let errors = [FaceError::NotFound, FaceError::Several { count: 2 }];
        for code in quality.into_iter().chain(errors.iter().map(FaceError::code)) {
            assert!(ReasonCode::known(code).is_some(), "{code}");
        }
    }

    // proves D6
    #[test]
    fn what_cannot_be_run_passes_nothing() {
        let none = of_picture(Err(&FaceError::NotFound));
        assert!(none.iter().chain(&unreadable()).all(|check| !check.is_passed()));
        assert_eq!(no_portrait(None).outcome, Outcome::NotPerformed);
        assert_eq!(no_portrait(None).reason, Some(ReasonCode::FACE_PORTRAIT_UNREADABLE));
        let score = AttackScore { score: f32::NAN, threshold: 0.5, live: true, species_hint: None };
        assert!(!attack(Ok(&score)).is_passed());
        assert!(!attack(Err(&FaceError::NotFound)).is_passed());
    }
}
