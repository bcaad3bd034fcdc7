//! What calibration needs of an engine: the signs of an attack, without the coefficients that it is
//! about to find.

use std::fmt;
use std::path::Path;

use image::RgbImage;

use super::{Signs, networks::Networks, signs_of};
use crate::detect::{Bounds, DetectionLimits};
use crate::engine::{self, FaceError};
use crate::geometry::Point;
use crate::manifest::{Folder, ModelError, Role};
use crate::mesh::Mesh;
use crate::model::Network;

/// Finds the face and looks for signs of an attack, but judges nothing.
pub struct Observer {
    detection: Network,
    landmarks: Network,
    networks: Networks,
    sha256: Vec<String>,
    limits: DetectionLimits,
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer").field("networks", &self.sha256).finish_non_exhaustive()
    }
}

/// Where a face is, and what can be seen around it.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Around the whole face from forehead to chin.
    pub bounds: Bounds,
    /// Eyes, nose, mouth corners; the picture's left first.
    pub points: [Point; 5],
    /// The signs.
    pub signs: Signs,
}

impl Observer {
    /// Loads the models of a folder as [`crate::Engine::load`] does, those it needs.
    pub fn load(models: &Path) -> Result<Observer, ModelError> {
        let folder = Folder::open(models)?;
        let networks = Networks::load(&folder)?;
        Ok(Observer {
            detection: engine::network(&folder, Role::Detection)?,
            landmarks: engine::network(&folder, Role::Landmarks)?,
            sha256: folder.sha256(&networks.roles())?,
            networks,
            limits: folder.settings.detection,
        })
    }

    /// The SHA-256 of the networks whose answers are among the signs.
    pub fn networks(&self) -> &[String] {
        &self.sha256
    }

    /// The one face of a picture and the signs of an attack around it.
    pub fn observe(&self, image: &RgbImage) -> Result<Observed, FaceError> {
        let detection = engine::only_face(&self.detection, image, &self.limits)?;
        let mesh = Mesh::fit(&self.landmarks, image, &detection)?.ok_or(FaceError::NotFound)?;
        let (bounds, points) = (mesh.bounds(), mesh.five());
        Ok(Observed { bounds, points, signs: signs_of(&self.networks, image, &bounds, &points)? })
    }
}
