//! From signs to one score: the probabilities of a live face and of each attack.
//!
//! A live face is the class that the others are weighed against (multinomial logistic regression;
//! Hastie, Tibshirani and Friedman, §4.4): with the signs as deviations `z` from their means, an
//! attack has the odds `exp(bias + Σ weight · z)`, and the score is 1 / (1 + the sum of the odds).
//!
//! An attack that nobody has shown has no weights to learn. It has odds of its own: by how much all
//! signs together deviate the way in which they speak for an attack.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::AttackScore;
use super::signs::{Cue, Signs};
use crate::manifest::Role;

/// A sign so far off the usual says no more than one this far off.
const FARTHEST: f32 = 5.0;

/// A kind of attack (ISO/IEC 30107-3).
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Species {
    /// A print on paper.
    Print,
    /// A picture on a screen.
    Screen,
    /// A print that is worn.
    Mask,
    /// A video on a screen.
    Replay,
}

impl fmt::Display for Species {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Species::Print => "print",
            Species::Screen => "screen",
            Species::Mask => "mask",
            Species::Replay => "replay",
        })
    }
}

/// One sign's place in the sum.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Weighed {
    /// The sign.
    pub cue: Cue,
    /// What it is over live faces in the mean.
    pub mean: f32,
    /// How far it deviates from that, over live faces.
    pub deviation: f32,
    /// What a deviation adds to the logarithm of each attack's odds, in the order of the species.
    pub weights: Vec<f32>,
}

/// The odds of an attack of no species that was there: `exp(bias + Σ weight · z)` over the deviations
/// that speak for an attack.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Unknown {
    /// The logarithm of the odds where nothing speaks for an attack.
    pub bias: f32,
    /// What each deviation of a sign of our own adds to it.
    pub own: f32,
    /// What each deviation of a network's answer adds.
    pub networks: f32,
}

/// The coefficients that were measured with a set of networks.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fusion {
    /// The SHA-256 of each network that was there.
    pub networks: Vec<String>,
    /// Least score of a live face.
    pub threshold: f32,
    /// What stands for all other attacks.
    pub unknown: Unknown,
    /// The attacks that were there.
    pub species: Vec<Species>,
    /// The logarithm of each attack's odds where every sign is at its mean.
    pub bias: Vec<f32>,
    /// Each sign once.
    pub cues: Vec<Weighed>,
}

impl Fusion {
    /// Whether every number is finite and there is one for each place, each sign that the networks
    /// give is weighed once, and none of an attack speaks for a face.
    pub(crate) fn is_usable(&self, roles: &[Role]) -> bool {
        let count = self.species.len();
        let numbers = self.bias.iter().chain(self.cues.iter().flat_map(|cue| &cue.weights));
        let whole = self.bias.len() == count && self.cues.iter().all(|c| c.weights.len() == count);
        let spread = self.cues.iter().all(|c| c.mean.is_finite() && c.deviation.is_normal());
        let known = |cue: Cue| cue.network().is_none_or(|role| roles.contains(&role));
        let times = |cue: Cue| self.cues.iter().filter(|own| own.cue == cue).count();
        let Unknown { bias, own, networks } = self.unknown;
        let open = bias.is_finite() && [own, networks].iter().all(|w| w.is_finite() && *w > 0.0);
        count > 0
            && open
            && whole
            && spread
            && self.cues.iter().all(|cue| cue.deviation > 0.0 && cue.points_its_way())
            && (0..count).all(|species| self.cues.iter().any(|cue| cue.speaks_of(species)))
            && numbers.into_iter().all(|number| number.is_finite())
            && self.threshold > 0.0
            && self.threshold < 1.0
            && Cue::ALL.into_iter().all(|cue| times(cue) == usize::from(known(cue)))
    }

    /// The odds of each attack against a live face. None if a sign is missing or no number.
    #[must_use]
    pub fn odds(&self, signs: &Signs) -> Option<Vec<(Species, f32)>> {
        let mut logarithms = self.bias.clone();
        for weighed in &self.cues {
            let z = weighed.deviations(signs.of(weighed.cue)?)?;
            let parts = weighed.weights.iter().map(|weight| weight * z);
            logarithms.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        let odds = self.species.iter().copied().zip(logarithms.iter().map(|l| l.exp()));
        Some(odds.collect())
    }

    /// The logarithm of the odds of an attack of no known species. None if a sign is missing or no
    /// number.
    fn unknown(&self, signs: &Signs) -> Option<f32> {
        let mut logarithm = self.unknown.bias;
        for weighed in &self.cues {
            let z = weighed.deviations(signs.of(weighed.cue)?)?;
            let network = weighed.cue.network().is_some();
            let weight = if network { self.unknown.networks } else { self.unknown.own };
            logarithm += weight * (z * weighed.cue.direction()).max(0.0);
        }
        Some(logarithm)
    }

    /// The score and what it means. None if a sign is missing or no number.
    #[must_use]
    pub fn judge(&self, signs: &Signs) -> Option<AttackScore> {
        let (odds, unknown) = (self.odds(signs)?, self.unknown(signs)?.exp());
        let score = 1.0 / (1.0 + unknown + odds.iter().map(|(_, odds)| odds).sum::<f32>());
        let (threshold, live) = (self.threshold, score >= self.threshold);
        // One that nothing speaks for is no hint: then it is an attack of no known species.
        let shown = odds.into_iter().zip(&self.bias).filter(|((_, odds), bias)| *odds > bias.exp());
        let likeliest = shown.map(|(own, _)| own).max_by(|a, b| a.1.total_cmp(&b.1));
        let likeliest = likeliest.filter(|_| !live);
        let species_hint = likeliest.map(|(species, _)| species);
        score.is_finite().then_some(AttackScore { score, threshold, live, species_hint })
    }
}

impl Weighed {
    /// Whether it weighs anything for a species: one of which nothing speaks is never seen.
    fn speaks_of(&self, species: usize) -> bool {
        self.weights.get(species).is_some_and(|weight| *weight != 0.0)
    }

    fn points_its_way(&self) -> bool {
        let direction = self.cue.direction();
        self.weights.iter().all(|weight| weight * direction >= 0.0)
    }

    /// How far off the mean, within bounds. What a network says for a face counts no more than its
    /// mean: no certainty of a network outweighs what is seen. None for what is no number.
    pub fn deviations(&self, value: f32) -> Option<f32> {
        let most = if self.cue.network().is_some() { 0.0 } else { FARTHEST };
        let z = (value - self.mean) / self.deviation;
        z.is_finite().then_some(z.clamp(-FARTHEST, most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 1] = [Role::Attack];

    /// Only the network counts.
    fn fusion() -> Fusion {
        let own =
            Cue::ALL.into_iter().filter(|cue| cue.network().is_none_or(|r| r == Role::Attack));
        let weighed = |cue| {
            let weights = if cue == Cue::Network { vec![-2.0, -1.0] } else { vec![0.0; 2] };
            Weighed { cue, mean: 0.0, deviation: 1.0, weights }
        };
        Fusion {
            networks: vec![],
            threshold: 0.5,
            unknown: Unknown { bias: -9.0, own: 0.5, networks: 0.5 },
            species: vec![Species::Print, Species::Screen],
            bias: vec![-3.0, -3.0],
            cues: own.map(weighed).collect(),
        }
    }

    fn seen(network: f32) -> Signs {
        let mut signs = Signs::default();
        Cue::ALL.into_iter().for_each(|cue| signs.set(cue, 0.0));
        signs.set(Cue::Network, network);
        signs
    }

    #[test]
    fn the_score_falls_as_the_odds_of_an_attack_rise() {
        let live = fusion().judge(&seen(0.0)).unwrap();
        let odds = 2.0 * (-3.0_f32).exp() + (-9.0_f32).exp();
        assert!((live.score - 1.0 / (1.0 + odds)).abs() < 1e-6);
        assert_eq!((live.live, live.species_hint), (true, None));
        let print = fusion().judge(&seen(-4.0)).unwrap();
        assert_eq!((print.live, print.species_hint), (false, Some(Species::Print)));
        let farthest = fusion().judge(&seen(-1e9)).unwrap();
        assert!(farthest.score.to_bits() == fusion().judge(&seen(-5.0)).unwrap().score.to_bits());
    }

    #[test]
    fn what_deviates_in_many_ways_is_an_attack_of_no_species() {
        let mut signs = seen(0.0);
        let own = Cue::ALL.into_iter().filter(|cue| cue.network().is_none());
        own.for_each(|cue| signs.set(cue, 3.0 * cue.direction()));
        let strange = fusion().judge(&signs).unwrap();
        assert_eq!((strange.live, strange.species_hint), (false, None), "{strange:?}");
        // The other way nothing speaks for an attack.
        let own = Cue::ALL.into_iter().filter(|cue| cue.network().is_none());
        own.for_each(|cue| signs.set(cue, -3.0 * cue.direction()));
        let calm = fusion().judge(&signs).unwrap();
        assert_eq!(calm.score.to_bits(), fusion().judge(&seen(0.0)).unwrap().score.to_bits());
    }

    #[test]
    fn a_sign_that_is_missing_or_no_number_is_never_a_score() {
        // proves D6
        assert_eq!(fusion().judge(&Signs::default()), None);
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(fusion().judge(&seen(value)), None);
        }
    }

    #[test]
    fn coefficients_that_say_nothing_or_too_much_are_refused() {
        // proves D6
        assert!(fusion().is_usable(&ROLES));
        let spoiled: [fn(&mut Fusion); 13] = [
            |f| f.unknown.bias = f32::NAN,
            |f| f.unknown.own = 0.0,
            |f| f.unknown.networks = -0.1,
            |f| f.threshold = f32::NAN,
            |f| f.threshold = 0.0,
            |f| f.bias = vec![0.0],
            |f| f.bias[0] = f32::INFINITY,
            |f| f.cues[0].weights[0] = f32::NAN,
            |f| f.cues[3].deviation = 0.0,
            |f| f.cues[3].mean = f32::NAN,
            |f| f.cues[0].weights[0] = 0.1,
            |f| drop(f.cues.pop()),
            |f| f.cues[1] = f.cues[0].clone(),
        ];
        for spoil in spoiled {
            let mut fusion = fusion();
            spoil(&mut fusion);
            assert!(!fusion.is_usable(&ROLES), "{fusion:?}");
        }
        assert!(!fusion().is_usable(&[Role::Attack, Role::AttackNear, Role::AttackWide]));
    }
}
