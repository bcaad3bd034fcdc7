//! Whether a chip's portrait may be a morph: blended of pictures of two people, so that it opens for both
//! (ISO/IEC 20059; differential detection, the portrait against a picture taken now).
//!
//! Half of a morph is somebody else, so that it is less like its person than a portrait is: between what
//! two people have and what one person has lies a band of similarities that are accepted, where morphs
//! are many and people few. A portrait there is suspected, and goes to a person (REQUIREMENTS D7).
//! `fixtures morphs` measures how many of both do, and what else was tried.

use serde::{Deserialize, Serialize};

use crate::manifest::ThresholdFault;
use crate::verification::Points;

/// A threshold and the rates measured at it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MorphPoint {
    /// The least similarity that is not suspected.
    pub threshold: f32,
    /// The share of portraits of one person that are suspected, of those that are accepted (ISO/IEC 20059:
    /// BSCER).
    pub bona_fide_suspected: f64,
    /// The share of morphs that are not suspected, of those that are accepted (MACER).
    pub morphs_missed: f64,
}

/// The `[morph]` table of models.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MorphLimits {
    /// The files that it was measured with, as `[verification]` names them.
    pub(crate) recognition: Vec<String>,
    /// The share of people that is chosen.
    pub(crate) bona_fide_suspected: f64,
    /// For one picture against the portrait, and for several, which are alike to their person as one is, or
    /// more.
    pub(crate) operating_point: Vec<MorphPoint>,
}

/// What came of looking for a morph.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MorphScore {
    /// How alike portrait and person are: of two that are accepted, the less, the more a morph is likely.
    pub similarity: f32,
    /// The least similarity that is not suspected.
    pub threshold: f32,
    /// Whether the portrait may be a morph. It never says that it is one.
    pub suspected: bool,
    /// The measured share of portraits of one person that are suspected.
    pub bona_fide_suspected: f64,
    /// The measured share of morphs that are not.
    pub morphs_missed: f64,
}

impl MorphScore {
    /// `face.morph_suspected` where the portrait may be a morph.
    pub fn code(&self) -> Option<&'static str> {
        self.suspected.then_some("face.morph_suspected")
    }
}

impl MorphLimits {
    /// The measured point with exactly the share that the file chooses. One that suspects nothing that is
    /// accepted is none.
    pub(crate) fn chosen(&self, accepted: &Points) -> Result<MorphPoint, ThresholdFault> {
        let chosen = |point: &&MorphPoint| point.bona_fide_suspected == self.bona_fide_suspected;
        let point = *self.operating_point.iter().find(chosen).ok_or(ThresholdFault::Morph)?;
        let least = accepted.one.threshold.max(accepted.several.threshold);
        let plausible = point.threshold > least && point.threshold < 1.0;
        plausible.then_some(point).ok_or(ThresholdFault::Morph)
    }
}

impl MorphPoint {
    /// What is no number is suspected.
    pub(crate) fn judge(&self, similarity: f32) -> MorphScore {
        let MorphPoint { threshold, bona_fide_suspected, morphs_missed } = *self;
        let suspected = similarity.is_nan() || similarity < threshold;
        MorphScore { similarity, threshold, suspected, bona_fide_suspected, morphs_missed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::OperatingPoint;

    fn accepted(one: f32, several: f32) -> Points {
        let point =
            |threshold| OperatingPoint { threshold, false_match_rate: 1e-4, true_match_rate: 0.97 };
        Points { one: point(one), several: point(several) }
    }

    fn limits(threshold: f32) -> MorphLimits {
        let point = |threshold, bona_fide_suspected| MorphPoint {
            threshold,
            bona_fide_suspected,
            morphs_missed: 0.7,
        };
        MorphLimits {
            recognition: Vec::new(),
            bona_fide_suspected: 0.02,
            operating_point: vec![point(0.26, 0.01), point(threshold, 0.02)],
        }
    }

    #[test]
    fn what_is_accepted_and_little_alike_is_suspected() {
        // proves D7 and D6
        let point = limits(0.3).chosen(&accepted(0.2, 0.25)).unwrap();
        let suspected = |similarity| point.judge(similarity).suspected;
        assert!(suspected(0.21) && suspected(0.299) && !suspected(0.3) && !suspected(0.9));
        assert!(suspected(f32::NAN) && suspected(f32::NEG_INFINITY));
        assert_eq!(point.judge(0.25).code(), Some("face.morph_suspected"));
        assert_eq!(point.judge(0.5).code(), None);
    }

    #[test]
    fn a_table_that_suspects_nothing_is_refused() {
        // proves D7
        let fault = |limits: MorphLimits| limits.chosen(&accepted(0.2, 0.25)).unwrap_err();
        for threshold in [0.1, 0.2, 0.25, 1.0, f32::NAN] {
            assert_eq!(fault(limits(threshold)), ThresholdFault::Morph);
        }
        let none = MorphLimits { bona_fide_suspected: 0.03, ..limits(0.3) };
        assert_eq!(fault(none), ThresholdFault::Morph);
    }
}
