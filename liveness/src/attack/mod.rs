//! Signs that the camera saw a print or a screen instead of a person, in one picture.
//!
//! Networks of others and cues of our own (REQUIREMENTS D2) are fused by coefficients that are data
//! (`models/thresholds.toml`), measured with the very networks that they name. The measure is a
//! generator's attacks and press photographs: it shows a trend, and certifies nothing
//! (ISO/IEC 30107-3 wants attacks that people made).

mod cuts;
mod edges;
mod fusion;
mod networks;
mod observer;
mod signs;
mod spectrum;
mod stripes;

use image::RgbImage;
use serde::{Deserialize, Serialize};

pub use fusion::{Fusion, Species, Unknown, Weighed};
pub use observer::{Observed, Observer};
pub use signs::{Cue, Signs};

use crate::detect::Bounds;
use crate::geometry::Point;
use crate::manifest::{Folder, ModelError, Role, ThresholdFault};
use crate::model::{Failure, Network, RunError};
use networks::Networks;

/// The `[attack]` table of models.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttackLimits {
    /// What may be fused: one for each set of networks that it was measured with.
    pub(crate) fusion: Vec<Fusion>,
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
    /// The likeliest attack, where the face does not look live.
    pub species_hint: Option<Species>,
}

/// The networks and what they and our own cues weigh.
pub(crate) struct Detector {
    networks: Networks,
    fusion: Fusion,
}

impl Detector {
    /// Takes the optional networks where the folder holds both, and the coefficients that were
    /// measured with what there is.
    pub(crate) fn load(folder: &Folder<'_>) -> Result<Detector, ModelError> {
        let networks = Networks::load(folder)?;
        let installed = folder.sha256(&networks.roles())?;
        let fits = |fusion: &&Fusion| fusion.networks == installed;
        let fusion = folder.settings.attack.fusion.iter().find(fits).cloned();
        let fusion = fusion.filter(|fusion| fusion.is_usable(&networks.roles()));
        let fault = ThresholdFault::Attack;
        Ok(Detector { networks, fusion: fusion.ok_or(ModelError::Thresholds { fault })? })
    }

    /// The networks in use.
    pub(crate) fn roles(&self) -> Vec<Role> {
        self.networks.roles()
    }

    /// The network of a role, where it is installed.
    pub(crate) fn network(&self, role: Role) -> Option<&Network> {
        self.networks.network(role)
    }

    /// How live the face looks by all of it.
    pub(crate) fn score(
        &self,
        image: &RgbImage,
        face: &Bounds,
        points: &[Point; 5],
    ) -> Result<AttackScore, RunError> {
        let failed = RunError { role: Role::Attack, failure: Failure::NotFinite };
        self.fusion.judge(&signs_of(&self.networks, image, face, points)?).ok_or(failed)
    }
}

/// What can be seen around a face.
fn signs_of(
    networks: &Networks,
    image: &RgbImage,
    face: &Bounds,
    points: &[Point; 5],
) -> Result<Signs, RunError> {
    let [left, right, ..] = *points;
    let mut signs = Signs::seen(image, face, [left, right]);
    networks.judge(image, face, &mut signs)?;
    Ok(signs)
}

/// The face's box made larger about its centre and moved, not cut, to lie in the picture.
fn surroundings(image: &RgbImage, face: &Bounds, scale: f32) -> Bounds {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let scale = scale.min(width / face.width).min(height / face.height);
    let size = (face.width * scale, face.height * scale);
    let centre = face.centre();
    Bounds {
        x: (centre.x - size.0 / 2.0).clamp(0.0, (width - size.0).max(0.0)),
        y: (centre.y - size.1 / 2.0).clamp(0.0, (height - size.1).max(0.0)),
        width: size.0,
        height: size.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACE: Bounds = Bounds { x: 40.0, y: 40.0, width: 20.0, height: 30.0 };

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
}
