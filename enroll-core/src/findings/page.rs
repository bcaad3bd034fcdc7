//! The printed page: `mrz.check_digits` (B1) and `mrz.confidence`.

use mrz::Mrz;
use serde_json::json;

use crate::{check::Check, reason::ReasonCode};

/// `mrz.check_digits`: every check digit that the format has must hold.
#[must_use]
pub fn check_digits(mrz: &Mrz) -> Check {
    let evidence =
        json!({ "format": mrz.format(), "checks": mrz.checks(), "warnings": mrz.warnings() });
    Check::of("mrz.check_digits", mrz.valid(), ReasonCode::MRZ_CHECK_DIGIT, evidence)
}

/// `mrz.check_digits` of what is no MRZ.
#[must_use]
pub fn not_read(code: &str) -> Check {
    Check::failed("mrz.check_digits", ReasonCode::nearest(code), json!({}))
}

/// `mrz.confidence` of a page that was read from a picture: `confidence` in 0..=1, `sure` if no
/// second reading came close.
#[must_use]
pub fn confidence(confidence: f32, sure: bool) -> Check {
    let sure = sure && confidence.is_finite();
    let evidence = json!({ "confidence": confidence });
    Check::of("mrz.confidence", sure, ReasonCode::MRZ_UNSURE, evidence)
}

/// `mrz.confidence` of a page that a person typed.
#[must_use]
pub fn typed() -> Check {
    Check::waiting("mrz.confidence", "a picture of the page")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 2] = [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ];

    // proves B1
    #[test]
    fn one_wrong_digit_fails_and_nothing_personal_is_evidence() {
        let good = check_digits(&mrz::parse(&LINES.join("\n")).unwrap());
        assert!(good.is_passed());
        let text = serde_json::to_string(&good).unwrap();
        assert!(!["ERIKSSON", "L898902C3", "740812"].iter().any(|part| text.contains(part)));
        let wrong = LINES.join("\n").replace("7408122", "7408123");
        let check = check_digits(&mrz::parse(&wrong).unwrap());
        assert_eq!(check.reason, Some(ReasonCode::MRZ_CHECK_DIGIT));
    }

    // proves D6 (a score that is no number passes nothing)
    #[test]
    fn a_confidence_that_is_no_number_is_unsure() {
        assert!(confidence(0.99, true).is_passed());
        assert!(!confidence(f32::NAN, true).is_passed());
        assert_eq!(confidence(0.4, false).reason, Some(ReasonCode::MRZ_UNSURE));
    }
}
