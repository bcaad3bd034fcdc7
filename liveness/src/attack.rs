//! Signs that the camera saw a print or a screen instead of a person, in one picture.
//!
//! One network of unknown training: its score is evidence for an officer, not a decision. The
//! measured separation stands in `models/thresholds.toml`.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::crop::{Channel, Crop};
use crate::detect::Bounds;
use crate::geometry::{Affine, Point};
use crate::model::{Network, RunError};

/// The `[attack]` table of models.toml.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttackLimits {
    /// The crop is this many times as wide and high as the face, or as the picture allows.
    pub(crate) scale: f32,
    /// Least probability of a live face.
    pub(crate) threshold: f32,
}

/// How live a face looks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AttackScore {
    /// 0 an attack, 1 a live face.
    pub score: f32,
    /// Least score of a live face.
    pub threshold: f32,
    /// Whether the score reaches the threshold.
    pub live: bool,
}

pub(crate) fn score(
    network: &Network,
    image: &RgbImage,
    face: &Bounds,
    limits: AttackLimits,
) -> Result<AttackScore, RunError> {
    let side = network.side();
    let window = surroundings(image, face, limits.scale);
    let map = Affine {
        a: window.width / side as f32,
        b: 0.0,
        c: 0.0,
        d: window.height / side as f32,
        tx: window.x,
        ty: window.y,
    };
    let input = Crop::sample(image, &map, side).planes(Channel::BGR, |v| v);
    let [logits] = network.run(input, [3])?;
    let score = first_of_softmax(&logits);
    let threshold = limits.threshold;
    Ok(AttackScore { score, threshold, live: score >= threshold })
}

/// The face's box made larger about its centre and moved, not cut, to lie in the picture.
fn surroundings(image: &RgbImage, face: &Bounds, scale: f32) -> Bounds {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let scale = scale.min(width / face.width).min(height / face.height);
    let size = (face.width * scale, face.height * scale);
    let centre: Point = face.centre();
    Bounds {
        x: (centre.x - size.0 / 2.0).clamp(0.0, (width - size.0).max(0.0)),
        y: (centre.y - size.1 / 2.0).clamp(0.0, (height - size.1).max(0.0)),
        width: size.0,
        height: size.1,
    }
}

/// Class 0 is a live face, the others are kinds of attack.
fn first_of_softmax(logits: &[f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let parts: Vec<f32> = logits.iter().map(|l| (l - most).exp()).collect();
    parts.first().map_or(0.0, |live| live / parts.iter().sum::<f32>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Role;
    use crate::model::fake;

    const FACE: Bounds = Bounds { x: 40.0, y: 40.0, width: 20.0, height: 30.0 };
    const LIMITS: AttackLimits = AttackLimits { scale: 2.0, threshold: 0.5 };

    #[test]
    fn the_window_moves_into_the_picture_and_keeps_the_shape_of_the_face() {
        let image = RgbImage::new(100, 100);
        let middle = surroundings(&image, &FACE, 2.0);
        assert_eq!(middle, Bounds { x: 30.0, y: 25.0, width: 40.0, height: 60.0 });
        let corner = Bounds { x: -10.0, y: 90.0, ..FACE };
        let moved = surroundings(&image, &corner, 2.0);
        assert_eq!(moved, Bounds { x: 0.0, y: 40.0, width: 40.0, height: 60.0 });
        let most = surroundings(&image, &FACE, 9.0);
        assert!((most.height - 100.0).abs() < 1e-3 && most.y == 0.0);
    }

    #[test]
    fn the_first_class_is_live() {
        let judge = |logits: [f32; 3]| {
            let network = fake::network(Role::Attack, 8, move |_| vec![logits.to_vec()]);
            score(&network, &RgbImage::new(100, 100), &FACE, LIMITS)
        };
        assert!(judge([5.0, 0.0, 0.0]).unwrap().live);
        assert!(!judge([0.0, 5.0, 0.0]).unwrap().live);
        assert!(judge([0.0, f32::NAN, 0.0]).is_err());
    }
}
