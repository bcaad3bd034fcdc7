//! Which model files may be used: `models.toml` in the models' folder, against the pins compiled in.
//!
//! The folder is the operator's, but a changed model changes every verdict, so the SHA-256 that
//! counts is the one in `models/pins.toml` of this source. models.toml says what lies in the
//! folder and carries the measured thresholds, which name the files they were measured with.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::attack::AttackLimits;
use crate::challenge;
use crate::detect::DetectionLimits;
use crate::embed::Embedder;
use crate::morph::MorphLimits;
use crate::quality::QualityLimits;
use crate::verification::Verification;

pub(crate) const PINS: &str = include_str!("../models/pins.toml");
const MANIFEST: &str = "models.toml";

/// What a network is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Finds faces.
    Detection,
    /// Finds 468 points of a face.
    Landmarks,
    /// Describes an aligned face; the first of three.
    RecognitionA,
    /// The second.
    RecognitionB,
    /// The third.
    RecognitionC,
    /// Tells live faces from prints and screens.
    Attack,
    /// Tells open eyes from closed ones.
    Eyes,
    /// The same, from a little more around the face; optional.
    AttackNear,
    /// The same, from the room around the face; optional.
    AttackWide,
}

impl Role {
    /// The networks that describe a face, in the order of a template's parts.
    pub const RECOGNITION: [Role; 3] = [Role::RecognitionA, Role::RecognitionB, Role::RecognitionC];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Detection => "detection",
            Role::Landmarks => "landmarks",
            Role::RecognitionA => "recognition-a",
            Role::RecognitionB => "recognition-b",
            Role::RecognitionC => "recognition-c",
            Role::Attack => "attack",
            Role::Eyes => "eyes",
            Role::AttackNear => "attack-near",
            Role::AttackWide => "attack-wide",
        })
    }
}

/// The models cannot be used; `scripts/models DATA_DIR` puts them right.
#[derive(Debug, Error)]
pub enum ModelError {
    /// models.toml is missing or cannot be read.
    #[error("models.toml cannot be read; fetch the models with scripts/models DATA_DIR")]
    Manifest {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// models.toml is not what scripts/models writes.
    #[error("models.toml is malformed; write it anew with scripts/models DATA_DIR")]
    Malformed {
        /// Where.
        #[source]
        source: toml::de::Error,
    },
    /// models.toml does not name a file for the role, or not the pinned one.
    #[error("models.toml lists no pinned file for the {role} model; run scripts/models DATA_DIR")]
    Unlisted {
        /// The model's role.
        role: Role,
    },
    /// The file is missing or cannot be read.
    #[error("the {role} model is missing; fetch it with scripts/models DATA_DIR")]
    Missing {
        /// The model's role.
        role: Role,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file's SHA-256 is not the pinned one.
    #[error("the {role} model was altered; fetch it anew with scripts/models DATA_DIR")]
    Altered {
        /// The model's role.
        role: Role,
    },
    /// The runtime cannot run the file.
    #[error("the {role} model cannot be run")]
    Unusable {
        /// The model's role.
        role: Role,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The measured thresholds cannot be used.
    #[error("the thresholds in models.toml {fault}; run scripts/models DATA_DIR")]
    Thresholds {
        /// Why.
        fault: ThresholdFault,
    },
}

impl ModelError {
    /// The stable reason code.
    pub fn code(&self) -> &'static str {
        "face.model"
    }
}

/// What is wrong with the thresholds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThresholdFault {
    /// A limit is infinite or not a number.
    NotFinite,
    /// Measured with other recognition models.
    OtherModels,
    /// A weight is not a positive number.
    Weight,
    /// No operating point has the chosen false-match rate.
    Missing,
    /// A threshold lies outside 0..1.
    Threshold,
    /// The challenge asks for nothing, or one of its limits is no positive number.
    Challenge,
    /// The signs of an attack are not weighed, or not for the networks that are installed.
    Attack,
    /// No point of morphs has the chosen rate, or it suspects nothing that is accepted.
    Morph,
}

impl fmt::Display for ThresholdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ThresholdFault::OtherModels => "were measured with other models",
            ThresholdFault::NotFinite => "hold a limit that is infinite or no number",
            ThresholdFault::Weight => "weigh a model by no positive number",
            ThresholdFault::Missing => "do not hold the chosen false-match rate",
            ThresholdFault::Threshold => "lie outside 0 to 1",
            ThresholdFault::Challenge => "ask for nothing in the challenge",
            ThresholdFault::Attack => "do not weigh the signs of an attack for these networks",
            ThresholdFault::Morph => "do not say what portrait may be a morph",
        })
    }
}

#[derive(Deserialize)]
struct Pins {
    model: Vec<Pinned>,
    /// Models that may be missing.
    optional: Vec<Pinned>,
}

/// A model of the pins.
#[derive(Deserialize)]
struct Pinned {
    #[serde(flatten)]
    pin: Pin,
    embedder: Option<Embedder>,
}

/// Further keys of both files say where a model is from and are for people.
#[derive(Deserialize, PartialEq)]
struct Pin {
    role: Role,
    file: String,
    sha256: String,
}

/// models.toml.
#[derive(Deserialize)]
struct Manifest {
    model: Vec<Pin>,
    #[serde(flatten)]
    settings: Settings,
}

/// The measured limits in models.toml, from `models/thresholds.toml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) detection: DetectionLimits,
    pub(crate) quality: QualityLimits,
    pub(crate) attack: AttackLimits,
    pub(crate) challenge: challenge::Limits,
    pub(crate) verification: Verification,
    pub(crate) morph: MorphLimits,
}

/// A folder of models whose models.toml agrees with the pins.
pub(crate) struct Folder<'a> {
    path: &'a Path,
    pins: Vec<Pinned>,
    pub(crate) settings: Settings,
}

impl<'a> Folder<'a> {
    pub(crate) fn open(path: &'a Path) -> Result<Folder<'a>, ModelError> {
        Folder::against(path, PINS)
    }

    /// The same with other pins.
    pub(crate) fn against(path: &'a Path, pins: &str) -> Result<Folder<'a>, ModelError> {
        let text = fs::read_to_string(path.join(MANIFEST))
            .map_err(|source| ModelError::Manifest { source })?;
        let manifest: Manifest = parse(&text)?;
        all_finite(&parse(&text)?)?;
        let Pins { model: mut pins, optional } = parse(pins)?;
        // Listed, it must be the pinned one; not listed, it is not there.
        let listed = |own: &Pinned| manifest.model.iter().any(|pin| pin.role == own.pin.role);
        pins.extend(optional.into_iter().filter(listed));
        if let Some(unlisted) = pins.iter().find(|pinned| !manifest.model.contains(&pinned.pin)) {
            return Err(ModelError::Unlisted { role: unlisted.pin.role });
        }
        let folder = Folder { path, pins, settings: manifest.settings };
        folder.measured_with_these()?;
        if !folder.settings.challenge.are_usable() {
            return Err(ModelError::Thresholds { fault: ThresholdFault::Challenge });
        }
        Ok(folder)
    }

    /// The file of a role, proved to be the pinned one.
    pub(crate) fn read(&self, role: Role) -> Result<Vec<u8>, ModelError> {
        let Pinned { pin, .. } = self.pinned(role)?;
        let bytes = fs::read(self.path.join(&pin.file))
            .map_err(|source| ModelError::Missing { role, source })?;
        if hex(&Sha256::digest(&bytes)) != pin.sha256 {
            return Err(ModelError::Altered { role });
        }
        Ok(bytes)
    }

    /// Whether an optional model is installed.
    pub(crate) fn holds(&self, role: Role) -> bool {
        self.pinned(role).is_ok()
    }

    /// The SHA-256 of each role's file.
    pub(crate) fn sha256(&self, roles: &[Role]) -> Result<Vec<String>, ModelError> {
        roles.iter().map(|role| Ok(self.pinned(*role)?.pin.sha256.clone())).collect()
    }

    /// How a recognition network takes a face.
    pub(crate) fn embedder(&self, role: Role) -> Result<Embedder, ModelError> {
        self.pinned(role)?.embedder.clone().ok_or(ModelError::Unlisted { role })
    }

    fn pinned(&self, role: Role) -> Result<&Pinned, ModelError> {
        let pinned = self.pins.iter().find(|pinned| pinned.pin.role == role);
        pinned.ok_or(ModelError::Unlisted { role })
    }

    fn measured_with_these(&self) -> Result<(), ModelError> {
        let measured: Vec<&str> =
            self.settings.verification.recognition.iter().map(|own| own.sha256.as_str()).collect();
        let mut pinned = Vec::with_capacity(measured.len());
        for role in Role::RECOGNITION {
            pinned.push(self.pinned(role)?.pin.sha256.as_str());
        }
        let fault = ThresholdFault::OtherModels;
        let morphs = self.settings.morph.recognition.iter().map(String::as_str);
        (measured == pinned && morphs.eq(pinned.iter().copied()))
            .then_some(())
            .ok_or(ModelError::Thresholds { fault })
    }
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, ModelError> {
    toml::from_str(text).map_err(|source| ModelError::Malformed { source })
}

/// TOML can say `nan` and `inf`, which as limits would let anything pass.
fn all_finite(value: &toml::Value) -> Result<(), ModelError> {
    match value {
        toml::Value::Float(number) if !number.is_finite() => {
            Err(ModelError::Thresholds { fault: ThresholdFault::NotFinite })
        }
        toml::Value::Array(values) => values.iter().try_for_each(all_finite),
        toml::Value::Table(table) => table.iter().try_for_each(|(_, value)| all_finite(value)),
        _ => Ok(()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const THRESHOLDS: &str = include_str!("../models/thresholds.toml");
    const ROLES: [Role; 7] = {
        let [a, b, c] = Role::RECOGNITION;
        [Role::Detection, Role::Landmarks, a, b, c, Role::Attack, Role::Eyes]
    };

    /// A folder with the right models.toml, but for one change, and no model.
    fn folder(change: impl Fn(String) -> String) -> TempDir {
        let folder = TempDir::new().unwrap();
        let listed = PINS.split("[[portrait]]").next().unwrap();
        let text = change(format!("{listed}\n{THRESHOLDS}"));
        fs::write(folder.path().join(MANIFEST), text).unwrap();
        folder
    }

    fn refusal(change: impl Fn(String) -> String) -> ModelError {
        let Err(error) = Folder::open(folder(change).path()) else { panic!("opened") };
        assert_eq!(error.code(), "face.model");
        error
    }

    fn pin(role: Role) -> Pin {
        let Pins { model, optional: _ } = toml::from_str(PINS).unwrap();
        model.into_iter().find(|pinned| pinned.pin.role == role).unwrap().pin
    }

    #[test]
    fn the_pins_and_the_thresholds_of_this_source_go_together() {
        let folder = folder(|text| text);
        let opened = Folder::open(folder.path()).unwrap();
        assert!(opened.settings.verification.chosen().is_ok());
        assert!(opened.settings.verification.false_match_rate <= 1e-4); // proves D1
    }

    #[test]
    fn a_missing_or_malformed_manifest_is_refused() {
        let empty = TempDir::new().unwrap();
        assert!(matches!(Folder::open(empty.path()), Err(ModelError::Manifest { .. })));
        assert!(matches!(refusal(|_| "[[model]".into()), ModelError::Malformed { .. }));
        assert!(matches!(refusal(|_| String::new()), ModelError::Malformed { .. }));
    }

    #[test]
    fn a_limit_that_is_no_number_is_refused() {
        // proves D6
        for (limit, other) in [
            ("second_face = 0.5", "second_face = nan"),
            ("max_yaw_deg = 25.0", "max_yaw_deg = inf"),
            ("min_sharpness = 0.01", "min_sharpness = -inf"),
        ] {
            let error = refusal(|text| text.replacen(limit, other, 1));
            let ModelError::Thresholds { fault } = error else { panic!("{error}") };
            assert_eq!(fault, ThresholdFault::NotFinite);
        }
    }

    #[test]
    fn a_manifest_that_names_another_file_is_refused() {
        // proves D6
        for role in ROLES {
            let Pin { sha256, .. } = pin(role);
            let error = refusal(|text| text.replacen(&sha256, &"0".repeat(64), 1));
            assert!(matches!(error, ModelError::Unlisted { role: found } if found == role));
        }
    }

    /// models.toml with an optional model of this SHA-256.
    fn with_optional(sha256: &str) -> TempDir {
        let Pins { optional, .. } = toml::from_str(PINS).unwrap();
        let Pin { role, file, .. } = &optional[0].pin;
        let entry = format!(
            "[[model]]\nrole = \"{role}\"\nfile = \"{file}\"\nsha256 = \"{sha256}\"\n\n[detection]"
        );
        folder(|text| text.replacen("[detection]", &entry, 1))
    }

    #[test]
    fn an_optional_model_may_be_missing_but_not_be_another() {
        // proves D6
        let Pins { optional, .. } = toml::from_str(PINS).unwrap();
        let Pin { role, file, sha256 } = &optional[0].pin;
        let (without, with) = (folder(|text| text), with_optional(sha256));
        assert!(!Folder::open(without.path()).unwrap().holds(*role));
        let opened = Folder::open(with.path()).unwrap();
        assert!(opened.holds(*role));
        assert_eq!(opened.sha256(&[*role]).unwrap(), [sha256.as_str()]);
        assert!(matches!(opened.read(*role), Err(ModelError::Missing { .. })));
        fs::write(with.path().join(file), b"not a model").unwrap();
        assert!(matches!(opened.read(*role), Err(ModelError::Altered { .. })));
        let other = with_optional(&"0".repeat(64));
        let Err(error) = Folder::open(other.path()) else { panic!("opened") };
        assert!(matches!(error, ModelError::Unlisted { role: found } if found == *role));
    }

    #[test]
    fn thresholds_of_other_models_are_refused() {
        let sha256 = pin(Role::RecognitionA).sha256;
        let error = refusal(|text| {
            let (models, thresholds) = text.split_once("[verification]").unwrap();
            format!("{models}[verification]{}", thresholds.replace(&sha256, "other"))
        });
        let ModelError::Thresholds { fault } = error else { panic!("{error}") };
        assert_eq!(fault, ThresholdFault::OtherModels);
    }

    #[test]
    fn a_missing_and_an_altered_file_are_told_apart() {
        // proves D6
        let folder = folder(|text| text);
        let opened = Folder::open(folder.path()).unwrap();
        for role in ROLES {
            assert!(matches!(opened.read(role), Err(ModelError::Missing { .. })));
            fs::write(folder.path().join(pin(role).file), b"not a model").unwrap();
            assert!(matches!(opened.read(role), Err(ModelError::Altered { .. })));
        }
    }
}
