//! Whether two templates are one person.
//!
//! The similarity is the sum, over the networks, of how many standard deviations a cosine lies above
//! what different people have in the mean (its z-score), divided by what that sum is for one picture
//! and itself: 0 is what different people have in the mean, 1 the same picture. The weights and the
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
    /// In the order of a template's parts.
    pub(crate) recognition: Vec<Weight>,
    pub(crate) operating_point: Vec<OperatingPoint>,
}

/// A network's cosines over different people, and the file they were measured with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weight {
    pub(crate) sha256: String,
    pub(crate) mean: f32,
    pub(crate) deviation: f32,
}

/// What came of comparing two templates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// 0 is what different people have in the mean, 1 the same picture.
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
        let usable = |weight: &Weight| {
            weight.mean < 1.0 && weight.deviation.is_normal() && weight.deviation > 0.0
        };
        if self.recognition.is_empty() || !self.recognition.iter().all(usable) {
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

    /// Not a number where the templates have not one cosine for each network.
    pub(crate) fn similarity(&self, Agreement(cosines): &Agreement) -> f32 {
        if cosines.len() != self.recognition.len() {
            return f32::NAN;
        }
        let above =
            self.recognition.iter().zip(cosines).map(|(weight, cosine)| weight.above(*cosine));
        let most = self.recognition.iter().map(|weight| weight.above(1.0));
        above.sum::<f32>() / most.sum::<f32>()
    }

    /// A similarity that is no number is not accepted.
    pub(crate) fn compare(&self, a: &Template, b: &Template, point: OperatingPoint) -> Comparison {
        let OperatingPoint { threshold, false_match_rate, .. } = point;
        let similarity = self.similarity(&a.agreement(b));
        Comparison { similarity, threshold, accepted: similarity >= threshold, false_match_rate }
    }
}

impl Weight {
    /// How far a cosine lies above what different people have, in standard deviations.
    fn above(&self, cosine: f32) -> f32 {
        (cosine - self.mean) / self.deviation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(deviation: f32, threshold: f32) -> Verification {
        let weight = |mean, deviation| Weight { sha256: String::new(), mean, deviation };
        Verification {
            false_match_rate: 1e-4,
            recognition: vec![weight(0.0, deviation), weight(0.2, 0.1)],
            operating_point: vec![OperatingPoint {
                threshold,
                false_match_rate: 1e-4,
                true_match_rate: 0.97,
            }],
        }
    }

    #[test]
    fn the_narrower_network_weighs_more() {
        let similarity = measured(0.2, 0.5).similarity(&Agreement(vec![0.0, 1.0]));
        assert!((similarity - 8.0 / 13.0).abs() < 1e-6);
    }

    #[test]
    fn different_people_have_zero_in_the_mean_and_one_picture_one() {
        assert_eq!(measured(0.3, 0.5).similarity(&Agreement(vec![0.0, 0.2])), 0.0);
        assert_eq!(measured(0.3, 0.5).similarity(&Agreement(vec![1.0, 1.0])), 1.0);
    }

    #[test]
    fn a_cosine_for_each_network_or_none() {
        // proves D6
        for cosines in [vec![], vec![1.0], vec![1.0; 3], vec![1.0, f32::NAN]] {
            assert!(measured(0.3, 0.5).similarity(&Agreement(cosines)).is_nan());
        }
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
