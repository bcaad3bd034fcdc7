//! What networks of others say: one that always is there, and a pair of MiniFASNets (Minivision,
//! Silent-Face-Anti-Spoofing, Apache-2.0) that no registry package holds.

use image::RgbImage;

use super::signs::{Cue, Signs};
use super::surroundings;
use crate::crop::{Channel, Crop};
use crate::detect::Bounds;
use crate::engine;
use crate::geometry::Affine;
use crate::manifest::{Folder, ModelError, Role};
use crate::model::{Network, RunError};

/// Beyond these odds nothing more is said: a network's own certainty has no measure.
const SUREST: f32 = 12.0;

/// How a network takes a face and says that it is live.
struct Judge {
    role: Role,
    cue: Cue,
    /// The crop is this many times as wide and high as the face, or as the picture allows.
    scale: f32,
    answer: Answer,
}

/// Three classes, one of them live.
#[derive(Clone, Copy)]
enum Answer {
    /// Logits, the first live.
    FirstOfLogits,
    /// Probabilities, the second live.
    SecondOfProbabilities,
}

/// Trained with a crop of unknown size; 1.4 separates best on the reference pictures.
const REGISTRY: Judge =
    Judge { role: Role::Attack, cue: Cue::Network, scale: 1.4, answer: Answer::FirstOfLogits };
/// MiniFASNetV2 and MiniFASNetV1SE.
const PAIR: [Judge; 2] = [
    Judge {
        role: Role::AttackNear,
        cue: Cue::NearNetwork,
        scale: 2.7,
        answer: Answer::SecondOfProbabilities,
    },
    Judge {
        role: Role::AttackWide,
        cue: Cue::WideNetwork,
        scale: 4.0,
        answer: Answer::SecondOfProbabilities,
    },
];

/// The networks that are installed.
pub(super) struct Networks(Vec<(Judge, Network)>);

impl Networks {
    pub(super) fn load(folder: &Folder<'_>) -> Result<Networks, ModelError> {
        let pair = PAIR.iter().all(|judge| folder.holds(judge.role));
        let judges = std::iter::once(REGISTRY).chain(PAIR.into_iter().filter(|_| pair));
        let load = |judge: Judge| engine::network(folder, judge.role).map(|own| (judge, own));
        judges.map(load).collect::<Result<_, _>>().map(Networks)
    }

    pub(super) fn roles(&self) -> Vec<Role> {
        self.0.iter().map(|(judge, _)| judge.role).collect()
    }

    pub(super) fn network(&self, role: Role) -> Option<&Network> {
        self.0.iter().find(|(judge, _)| judge.role == role).map(|(_, network)| network)
    }

    pub(super) fn judge(
        &self,
        image: &RgbImage,
        face: &Bounds,
        signs: &mut Signs,
    ) -> Result<(), RunError> {
        for (judge, network) in &self.0 {
            signs.set(judge.cue, judge.ask(network, image, face)?);
        }
        Ok(())
    }
}

impl Judge {
    /// The logarithm of the odds that the face is live.
    fn ask(&self, network: &Network, image: &RgbImage, face: &Bounds) -> Result<f32, RunError> {
        let side = network.side();
        let window = surroundings(image, face, self.scale);
        let map = onto(&window, side);
        let input = Crop::sample(image, &map, side).planes(Channel::BGR, |v| v);
        let [classes] = network.run(input, [3])?;
        Ok(self.answer.odds(&classes).clamp(-SUREST, SUREST))
    }
}

impl Answer {
    fn odds(self, classes: &[f32]) -> f32 {
        let [first, second, third] = *classes else { return -SUREST };
        match self {
            Answer::FirstOfLogits => {
                let most = second.max(third);
                first - most - ((second - most).exp() + (third - most).exp()).ln()
            }
            Answer::SecondOfProbabilities => {
                let live = second.clamp(1e-6, 1.0 - 1e-6);
                (live / (1.0 - live)).ln()
            }
        }
    }
}

/// The map of a square crop onto a rectangle.
pub(super) fn onto(window: &Bounds, side: usize) -> Affine {
    Affine {
        a: window.width / side as f32,
        b: 0.0,
        c: 0.0,
        d: window.height / side as f32,
        tx: window.x,
        ty: window.y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fake;

    const FACE: Bounds = Bounds { x: 40.0, y: 40.0, width: 20.0, height: 30.0 };

    fn asked(judge: &Judge, classes: [f32; 3]) -> Result<f32, RunError> {
        let network = fake::network(judge.role, 8, move |_| vec![classes.to_vec()]);
        judge.ask(&network, &RgbImage::new(100, 100), &FACE)
    }

    #[test]
    fn each_network_has_its_own_live_class() {
        assert!((asked(&REGISTRY, [2.0, 0.0, 0.0]).unwrap() - (2.0 - 2.0_f32.ln())).abs() < 1e-5);
        assert!(asked(&REGISTRY, [0.0, 5.0, 0.0]).unwrap() < 0.0);
        for judge in &PAIR {
            assert!((asked(judge, [0.1, 0.8, 0.1]).unwrap() - 4.0_f32.ln()).abs() < 1e-4);
            assert!(asked(judge, [0.8, 0.1, 0.1]).unwrap() < 0.0);
        }
    }

    #[test]
    fn certainty_is_bounded_and_what_is_no_number_is_refused() {
        // proves D6
        assert!((asked(&REGISTRY, [900.0, 0.0, 0.0]).unwrap() - SUREST).abs() < 1e-6);
        assert!((asked(&PAIR[0], [1.0, 0.0, 0.0]).unwrap() + SUREST).abs() < 1e-6);
        for classes in [[0.0, f32::NAN, 0.0], [f32::INFINITY, 0.0, 0.0]] {
            assert!(asked(&REGISTRY, classes).is_err());
            assert!(asked(&PAIR[1], classes).is_err());
        }
    }
}
