//! Whether two templates are one person.
//!
//! Of each network, the share of different people who are at least as alike falls off like the tail of
//! a normal distribution: its logarithm is a parabola in the cosine, fitted by
//! `examples/verification`. What the networks find improbable is added up (Fisher 1925, *Statistical
//! Methods for Research Workers*, §21.1: the sum of the logarithms of probabilities), and divided by
//! what one picture and itself have: 0 is nothing alike, 1 the same picture. Weights and thresholds
//! stand in `models/thresholds.toml`.
//!
//! A template of several pictures is more alike to everyone than one of a single picture, so that it
//! has thresholds of its own.

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
    /// One picture against one.
    pub(crate) operating_point: Vec<OperatingPoint>,
    /// One picture against a template of several, or several against several.
    pub(crate) operating_point_of_several: Vec<OperatingPoint>,
}

/// The normal distribution whose tail a network's cosines over different people have, and the file
/// they were measured with.
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
    /// 0 is nothing alike, 1 the same picture.
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

/// The operating points of REQUIREMENTS D1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Points {
    /// For one picture a side.
    pub(crate) one: OperatingPoint,
    /// Where a side is made of several.
    pub(crate) several: OperatingPoint,
}

impl Points {
    fn of(&self, a: &Template, b: &Template) -> OperatingPoint {
        if a.pictures().max(b.pictures()) > 1 { self.several } else { self.one }
    }
}

impl Verification {
    /// The operating points that the file chooses. Several pictures are never judged more mildly than
    /// one.
    pub(crate) fn chosen(&self) -> Result<Points, ThresholdFault> {
        let usable = |weight: &Weight| {
            (-1.0..1.0).contains(&weight.mean)
                && weight.deviation.is_normal()
                && weight.deviation > 0.0
        };
        if self.recognition.is_empty() || !self.recognition.iter().all(usable) {
            return Err(ThresholdFault::Weight);
        }
        let one = self.chosen_of(&self.operating_point)?;
        let several = self.chosen_of(&self.operating_point_of_several)?;
        let ordered = several.threshold >= one.threshold;
        ordered.then_some(Points { one, several }).ok_or(ThresholdFault::Threshold)
    }

    /// The measured point with exactly the false-match rate that the file chooses.
    fn chosen_of(&self, measured: &[OperatingPoint]) -> Result<OperatingPoint, ThresholdFault> {
        let point = measured.iter().find(|p| p.false_match_rate == self.false_match_rate);
        let point = point.copied().ok_or(ThresholdFault::Missing)?;
        let plausible = point.threshold > 0.0 && point.threshold < 1.0;
        plausible.then_some(point).ok_or(ThresholdFault::Threshold)
    }

    /// Not a number where the templates have not one cosine for each network.
    pub(crate) fn similarity(&self, Agreement(cosines): &Agreement) -> f32 {
        if cosines.len() != self.recognition.len() {
            return f32::NAN;
        }
        let found =
            self.recognition.iter().zip(cosines).map(|(weight, cosine)| weight.surprise(*cosine));
        let most = self.recognition.iter().map(|weight| weight.surprise(1.0));
        found.sum::<f32>() / most.sum::<f32>()
    }

    /// A similarity that is no number is not accepted.
    pub(crate) fn compare(&self, a: &Template, b: &Template, points: Points) -> Comparison {
        let OperatingPoint { threshold, false_match_rate, .. } = points.of(a, b);
        let similarity = self.similarity(&a.agreement(b));
        Comparison { similarity, threshold, accepted: similarity >= threshold, false_match_rate }
    }
}

impl Weight {
    /// How improbable it is that different people have this cosine, but for a constant and a factor of
    /// two: the square of how many standard deviations it lies above the mean. Not a number stays so.
    fn surprise(&self, cosine: f32) -> f32 {
        ((cosine - self.mean) / self.deviation).clamp(0.0, f32::INFINITY).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(threshold: f32) -> OperatingPoint {
        OperatingPoint { threshold, false_match_rate: 1e-4, true_match_rate: 0.97 }
    }

    fn measured(deviation: f32, threshold: f32) -> Verification {
        let weight = |mean, deviation| Weight { sha256: String::new(), mean, deviation };
        Verification {
            false_match_rate: 1e-4,
            recognition: vec![weight(0.0, deviation), weight(0.2, 0.1)],
            operating_point: vec![point(threshold)],
            operating_point_of_several: vec![point(threshold + 0.1)],
        }
    }

    #[test]
    fn the_narrower_network_weighs_more() {
        let similarity = measured(0.2, 0.5).similarity(&Agreement(vec![0.0, 1.0]));
        assert!((similarity - 64.0 / 89.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_alike_has_zero_and_one_picture_one() {
        assert_eq!(measured(0.3, 0.5).similarity(&Agreement(vec![0.0, 0.2])), 0.0);
        assert_eq!(measured(0.3, 0.5).similarity(&Agreement(vec![-1.0, -1.0])), 0.0);
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
        let fault = |change: fn(&mut Verification)| {
            let mut table = measured(0.1, 0.5);
            change(&mut table);
            table.chosen().unwrap_err()
        };
        assert_eq!(measured(0.1, 0.5).chosen().unwrap().several.threshold, 0.6);
        assert_eq!(fault(|t| t.recognition[0].deviation = 0.0), ThresholdFault::Weight);
        assert_eq!(fault(|t| t.recognition[0].deviation = f32::NAN), ThresholdFault::Weight);
        assert_eq!(fault(|t| t.recognition[0].mean = f32::NAN), ThresholdFault::Weight);
        assert_eq!(fault(|t| t.recognition.clear()), ThresholdFault::Weight);
        assert_eq!(fault(|t| t.operating_point[0].threshold = -1.0), ThresholdFault::Threshold);
        assert_eq!(fault(|t| t.operating_point[0].threshold = f32::NAN), ThresholdFault::Threshold);
        assert_eq!(fault(|t| t.false_match_rate = 1e-5), ThresholdFault::Missing);
        assert_eq!(fault(|t| t.operating_point_of_several.clear()), ThresholdFault::Missing);
        let milder = fault(|t| t.operating_point_of_several[0].threshold = 0.4);
        assert_eq!(milder, ThresholdFault::Threshold);
    }
}
