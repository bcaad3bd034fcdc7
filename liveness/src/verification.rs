//! Whether two templates are one person.
//!
//! The similarity is the mean of the two networks' cosines, each weighted by the inverse of its
//! standard deviation over different people. That is the sum of their z-scores but for a constant
//! and a factor, so it orders pairs the same way and stays within -1..=1. The weights and the
//! threshold for each false-match rate are measured by `examples/verification.rs` and stand in
//! `models/thresholds.toml`.

use serde::{Deserialize, Serialize};

use crate::embed::{Agreement, Template};
use crate::manifest::ThresholdFault;

/// A threshold and the rates measured at it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// The least similarity that is accepted.
    pub threshold: f32,
    /// The share of different people that is accepted.
    pub false_match_rate: f64,
    /// The share of the same people that is accepted.
    pub true_match_rate: f64,
}

/// The `[verification]` table of models.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verification {
    pub(crate) false_match_rate: f64,
    pub(crate) recognition_a: Weight,
    pub(crate) recognition_b: Weight,
    pub(crate) operating_point: Vec<OperatingPoint>,
}

/// A network's cosines over different people, and the file they were measured with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weight {
    pub(crate) sha256: String,
    pub(crate) deviation: f32,
}

/// What came of comparing two templates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// -1..=1; one person's pictures lie high.
    pub similarity: f32,
    /// The least similarity that is accepted.
    pub threshold: f32,
    /// Whether the two count as one person.
    pub accepted: bool,
    /// The measured share of different people accepted at this threshold.
    pub false_match_rate: f64,
}

impl Comparison {
    /// `face.mismatch` where the two are not accepted as one person.
    pub fn code(&self) -> Option<&'static str> {
        (!self.accepted).then_some("face.mismatch")
    }
}

impl Verification {
    /// The operating point of REQUIREMENTS D1 that the file chooses.
    pub(crate) fn chosen(&self) -> Result<OperatingPoint, ThresholdFault> {
        let weights = [self.recognition_a.deviation, self.recognition_b.deviation];
        if weights.iter().any(|w| !(w.is_normal() && *w > 0.0)) {
            return Err(ThresholdFault::Weight);
        }
        let point = self.operating_point(self.false_match_rate).ok_or(ThresholdFault::Missing)?;
        let plausible = point.threshold > 0.0 && point.threshold < 1.0;
        plausible.then_some(point).ok_or(ThresholdFault::Threshold)
    }

    /// The measured point with exactly this false-match rate.
    pub(crate) fn operating_point(&self, false_match_rate: f64) -> Option<OperatingPoint> {
        self.operating_point.iter().find(|p| p.false_match_rate == false_match_rate).copied()
    }

    pub(crate) fn similarity(&self, agreement: Agreement) -> f32 {
        let (a, b) = (1.0 / self.recognition_a.deviation, 1.0 / self.recognition_b.deviation);
        (a * agreement.a + b * agreement.b) / (a + b)
    }

    /// A similarity that is no number is not accepted.
    pub(crate) fn compare(&self, a: &Template, b: &Template, point: OperatingPoint) -> Comparison {
        let OperatingPoint { threshold, false_match_rate, .. } = point;
        let similarity = self.similarity(a.agreement(b));
        Comparison { similarity, threshold, accepted: similarity >= threshold, false_match_rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(deviation: f32, threshold: f32) -> Verification {
        let weight = |deviation| Weight { sha256: String::new(), deviation };
        Verification {
            false_match_rate: 1e-4,
            recognition_a: weight(deviation),
            recognition_b: weight(0.1),
            operating_point: vec![OperatingPoint {
                threshold,
                false_match_rate: 1e-4,
                true_match_rate: 0.97,
            }],
        }
    }

    #[test]
    fn the_narrower_network_weighs_more() {
        let similarity = measured(0.3, 0.5).similarity(Agreement { a: 0.0, b: 1.0 });
        assert!((similarity - 0.75).abs() < 1e-6);
    }

    #[test]
    fn a_table_that_cannot_judge_is_refused() {
        // proves D6
        assert!(measured(0.1, 0.5).chosen().is_ok());
        assert_eq!(measured(0.0, 0.5).chosen(), Err(ThresholdFault::Weight));
        assert_eq!(measured(f32::NAN, 0.5).chosen(), Err(ThresholdFault::Weight));
        assert_eq!(measured(0.1, -1.0).chosen(), Err(ThresholdFault::Threshold));
        assert_eq!(measured(0.1, f32::NAN).chosen(), Err(ThresholdFault::Threshold));
        let mut other_rate = measured(0.1, 0.5);
        other_rate.false_match_rate = 1e-5;
        assert_eq!(other_rate.chosen(), Err(ThresholdFault::Missing));
    }
}
