//! The face: find it, align it, describe it, compare it, and judge the picture it is in.
//!
//! An [`Engine`] holds seven networks whose SHA-256 is pinned in `models/pins.toml`; `scripts/models`
//! fetches them. [`Engine::analyse`] takes one picture and gives a [`Face`]: where it is, how good
//! the picture is, and a [`Template`]. [`Engine::compare`] takes two templates. Pictures come from
//! strangers and from chips: [`portrait::decode`] is the only way from bytes to pixels.
//!
//! Nothing passes by accident (REQUIREMENTS D6): a missing or altered model, a number that is not
//! finite, or an empty template is an error, and every error has a reason code.

mod attack;
pub mod challenge;
mod crop;
mod detect;
mod embed;
mod engine;
mod geometry;
mod manifest;
mod mesh;
mod model;
mod morph;
mod nhwc;
pub mod portrait;
mod prelu;
mod quality;
#[cfg(test)]
mod replaced;
mod verification;

pub use attack::{AttackScore, Cue, Fusion, Observed, Observer, Signs, Species, Unknown, Weighed};
pub use detect::Bounds;
pub use embed::{Agreement, Template, TemplateError};
pub use engine::{Engine, Face, FaceError, Look};
pub use geometry::Point;
pub use manifest::{ModelError, Role, ThresholdFault};
pub use mesh::Pose;
pub use model::RunError;
pub use morph::{MorphPoint, MorphScore};
pub use quality::{Measures, Quality, QualityReason};
pub use verification::{Comparison, OperatingPoint};
