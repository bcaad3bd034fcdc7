//! The networks together: from a picture to a face, and from two faces to a verdict.

use std::fmt;
use std::path::Path;

use image::RgbImage;
use thiserror::Error;

use crate::attack::{self, AttackScore};
use crate::challenge::Limits;
use crate::detect::{self, Bounds, Detection, DetectionLimits};
use crate::embed::{self, Recogniser, Template};
use crate::geometry::Point;
use crate::manifest::{Folder, ModelError, Role, Settings};
use crate::mesh::{Mesh, Pose};
use crate::model::{Model, Network, Onnx, RunError};
use crate::morph::{MorphPoint, MorphScore};
use crate::quality::{self, Quality};
use crate::verification::{Comparison, OperatingPoint, Points};

/// The loaded networks with their thresholds. Loading takes a moment; load once and share.
pub struct Engine {
    detection: Network,
    landmarks: Network,
    recognisers: Vec<Recogniser>,
    attack: attack::Detector,
    eyes: Network,
    settings: Settings,
    points: Points,
    morphs: MorphPoint,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("points", &self.points).finish_non_exhaustive()
    }
}

/// Where a face of a picture is and how good the picture is, without who it is.
#[derive(Clone, Debug)]
pub struct Look {
    /// Around the whole face from forehead to chin, in the picture's pixels.
    pub bounds: Bounds,
    /// Eyes, nose, mouth corners; the picture's left first.
    pub points: [Point; 5],
    /// Where the head points.
    pub pose: Pose,
    /// How good the picture is.
    pub quality: Quality,
}

/// One face of one picture. Its `Debug` shows where it is and nothing of who it is.
pub struct Face {
    /// Around the whole face from forehead to chin, in the picture's pixels.
    pub bounds: Bounds,
    /// Eyes, nose, mouth corners; the picture's left first.
    pub points: [Point; 5],
    /// Where the head points.
    pub pose: Pose,
    /// How good the picture is.
    pub quality: Quality,
    /// What is compared.
    pub template: Template,
}

impl fmt::Debug for Face {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Face").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// No face could be described.
#[derive(Debug, Error)]
pub enum FaceError {
    /// Nothing in the picture is a face.
    #[error("no face was found")]
    NotFound,
    /// More than one face is prominent.
    #[error("{count} faces were found")]
    Several {
        /// How many.
        count: usize,
    },
    /// A network failed; nothing can be said of the picture.
    #[error("the face could not be described")]
    Model(#[from] RunError),
}

impl FaceError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        match self {
            FaceError::NotFound => "face.not_found",
            FaceError::Several { .. } => "face.several",
            FaceError::Model(_) => "face.model",
        }
    }
}

impl Engine {
    /// Loads the models of a folder that `scripts/models` filled. Every file's SHA-256 is checked
    /// before the file is used.
    pub fn load(models: &Path) -> Result<Engine, ModelError> {
        let folder = Folder::open(models)?;
        let refused = |fault| ModelError::Thresholds { fault };
        let points = folder.settings.verification.chosen().map_err(refused)?;
        let morphs = folder.settings.morph.chosen(&points).map_err(refused)?;
        Ok(Engine {
            detection: network(&folder, Role::Detection)?,
            landmarks: network(&folder, Role::Landmarks)?,
            recognisers: Role::RECOGNITION
                .into_iter()
                .map(|role| recogniser(&folder, role))
                .collect::<Result<_, _>>()?,
            attack: attack::Detector::load(&folder)?,
            eyes: network(&folder, Role::Eyes)?,
            settings: folder.settings,
            points,
            morphs,
        })
    }

    /// Describes the one face of a picture. Faces much smaller than the widest are bystanders and
    /// do not count; two of like size are an error, since nobody can say who is meant.
    pub fn analyse(&self, image: &RgbImage) -> Result<Face, FaceError> {
        self.face(image, &only_face(&self.detection, image, &self.settings.detection)?)
    }

    /// Describes every face of a picture, in no order.
    pub fn analyse_each(&self, image: &RgbImage) -> Result<Vec<Face>, FaceError> {
        let found = detect::find(&self.detection, image, &self.settings.detection)?;
        let faces = found.iter().map(|detection| self.face(image, detection));
        faces.filter(|face| !matches!(face, Err(FaceError::NotFound))).collect()
    }

    /// What [`Engine::analyse`] says of a picture but for the template, which is most of the work.
    pub fn look(&self, image: &RgbImage) -> Result<Look, FaceError> {
        self.seen(image, &self.only_face(image)?)
    }

    /// The one face of a picture, cut out and upright, 112 pixels a side: what quality is judged by, and
    /// what somebody who compares two faces wants to see beside each other.
    ///
    /// # Errors
    /// As [`Engine::analyse`].
    pub fn aligned(&self, image: &RgbImage) -> Result<RgbImage, FaceError> {
        let five = self.mesh(image)?.five();
        embed::align(image, &five).map(|crop| crop.image()).ok_or(FaceError::NotFound)
    }

    fn face(&self, image: &RgbImage, detection: &Detection) -> Result<Face, FaceError> {
        let Look { bounds, points, pose, quality } = self.seen(image, detection)?;
        let template =
            embed::describe(&self.recognisers, image, &points)?.ok_or(FaceError::NotFound)?;
        Ok(Face { bounds, points, pose, quality, template })
    }

    fn seen(&self, image: &RgbImage, detection: &Detection) -> Result<Look, FaceError> {
        let mesh = Mesh::fit(&self.landmarks, image, detection)?.ok_or(FaceError::NotFound)?;
        let points = mesh.five();
        let aligned = embed::align(image, &points).ok_or(FaceError::NotFound)?;
        let limits = &self.settings.quality;
        let measures = quality::measure(&self.eyes, image, &mesh, &aligned, limits)?;
        Ok(Look {
            bounds: mesh.bounds(),
            points,
            pose: mesh.pose(limits.neutral_pitch_deg),
            quality: Quality::judge(measures, limits),
        })
    }

    /// Whether two faces are one person, at the operating point of REQUIREMENTS D1 for as many
    /// pictures as the templates are made of.
    pub fn compare(&self, a: &Template, b: &Template) -> Comparison {
        self.settings.verification.compare(a, b, self.points)
    }

    /// Whether the `portrait` of a chip, compared with pictures taken now, may be a morph of two people
    /// (REQUIREMENTS D7). No network runs.
    pub fn morph(&self, portrait: &Template, live: &Template) -> MorphScore {
        self.morphs.judge(self.compare(portrait, live).similarity)
    }

    /// The operating point that [`Engine::compare`] uses for one picture a side.
    pub fn operating_point(&self) -> OperatingPoint {
        self.points.one
    }

    /// Looks for signs of a print or a screen around a face of this picture.
    pub fn attack(&self, image: &RgbImage, face: &Face) -> Result<AttackScore, FaceError> {
        Ok(self.attack.score(image, &face.bounds, &face.points)?)
    }

    /// The SHA-256 of the networks that [`Engine::compare`] weighs, as thresholds name them.
    pub fn recognition(&self) -> Vec<String> {
        let weighed = self.settings.verification.recognition.iter();
        weighed.map(|weight| weight.sha256.clone()).collect()
    }

    /// The networks that [`Engine::attack`] asks: an optional one only where it is installed.
    pub fn attack_networks(&self) -> Vec<Role> {
        self.attack.roles()
    }

    /// The points of the one face of a picture.
    pub(crate) fn mesh(&self, image: &RgbImage) -> Result<Mesh, FaceError> {
        let face = self.only_face(image)?;
        Mesh::fit(&self.landmarks, image, &face)?.ok_or(FaceError::NotFound)
    }

    /// What is compared, of a face whose points are known.
    pub(crate) fn template(&self, image: &RgbImage, mesh: &Mesh) -> Result<Template, FaceError> {
        embed::describe(&self.recognisers, image, &mesh.five())?.ok_or(FaceError::NotFound)
    }

    pub(crate) fn challenge(&self) -> &Limits {
        &self.settings.challenge
    }

    pub(crate) fn neutral_pitch(&self) -> f32 {
        self.settings.quality.neutral_pitch_deg
    }

    /// What one network answers to each of some inputs, numbers as it takes them, by itself: to measure
    /// it, and to check it against answers on record. An optional network that is not installed answers
    /// nothing.
    pub fn infer(
        &self,
        role: Role,
        inputs: &[Vec<f32>],
    ) -> Option<Result<Vec<Vec<Vec<f32>>>, RunError>> {
        self.network(role).map(|network| network.infer(inputs))
    }

    /// The shape of what a network takes: one picture, its colours, its height and width.
    pub fn input_shape(&self, role: Role) -> Option<[usize; 4]> {
        self.network(role).map(Network::shape)
    }

    fn network(&self, role: Role) -> Option<&Network> {
        let recogniser = |at: usize| self.recognisers.get(at).map(|own| &own.network);
        match role {
            Role::Detection => Some(&self.detection),
            Role::Landmarks => Some(&self.landmarks),
            Role::RecognitionA => recogniser(0),
            Role::RecognitionB => recogniser(1),
            Role::RecognitionC => recogniser(2),
            Role::Eyes => Some(&self.eyes),
            Role::Attack | Role::AttackNear | Role::AttackWide => self.attack.network(role),
        }
    }

    fn only_face(&self, image: &RgbImage) -> Result<Detection, FaceError> {
        only_face(&self.detection, image, &self.settings.detection)
    }
}

/// The one prominent face.
pub(crate) fn only_face(
    network: &Network,
    image: &RgbImage,
    limits: &DetectionLimits,
) -> Result<Detection, FaceError> {
    let found = detect::find(network, image, limits)?;
    match detect::prominent(&found, limits) {
        0 | 1 => found.into_iter().next().ok_or(FaceError::NotFound),
        count => Err(FaceError::Several { count }),
    }
}

pub(crate) fn recogniser(folder: &Folder<'_>, role: Role) -> Result<Recogniser, ModelError> {
    Ok(Recogniser { embedder: folder.embedder(role)?, network: network(folder, role)? })
}

pub(crate) fn network(folder: &Folder<'_>, role: Role) -> Result<Network, ModelError> {
    let bytes = folder.read(role)?;
    let model = Onnx::load(role, &bytes)
        .map_err(|source| ModelError::Unusable { role, source: source.into() })?;
    let model: Box<dyn Model> = Box::new(model);
    Ok(Network::new(role, model))
}
