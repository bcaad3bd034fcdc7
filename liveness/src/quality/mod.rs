//! Whether a picture is good enough, and if not, what the person should do (REQUIREMENTS D4).
//!
//! Only what can be acted on is measured, after the components of ISO/IEC 29794-5, which each field
//! of [`Measures`] names. The standard maps what it measures to 0..100; here the measure itself is
//! kept, since the limits (`[quality]` in models.toml) are set on it by measuring. They are for
//! pictures that a person takes now; a portrait from a chip may miss them, so the caller decides for
//! which pictures they hold.

mod eyes;
mod light;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::crop::Crop;
use crate::mesh::{Mesh, Pose};
use crate::model::{Network, RunError};
use light::Light;

/// What a picture measures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Between the centres of the eyes, in pixels (InterEyeDistance, without its part for the yaw).
    pub inter_eye_px: f32,
    /// The share of the picture's width or height, whichever is more, that the face from forehead to
    /// chin fills (HeadSize, which takes the height alone and a fixed part of the face).
    pub head_size: f32,
    /// Degrees; positive when the nose points to the picture's right (HeadPose, yaw).
    pub yaw_deg: f32,
    /// Degrees; positive looking up (HeadPose, pitch).
    pub pitch_deg: f32,
    /// Degrees; positive clockwise on the screen (HeadPose, roll).
    pub roll_deg: f32,
    /// Variance of the Laplacian of the face's brightness over the variance of the brightness
    /// (Sharpness).
    pub sharpness: f32,
    /// Mean brightness of the face, 0 black, 1 white (LuminanceMean).
    pub brightness: f32,
    /// The share of the face that is all but black (UnderExposurePrevention).
    pub under_exposed: f32,
    /// The share of the face that is all but white (OverExposurePrevention).
    pub over_exposed: f32,
    /// Standard deviation of the face's brightness (LuminanceVariance, DynamicRange).
    pub contrast: f32,
    /// Brightness of the darker half of the face over that of the lighter, 1 when lit evenly
    /// (IlluminationUniformity).
    pub evenness: f32,
    /// The share of the face's points that lie in the picture (LeftwardCropOfTheFaceImage and the
    /// other three margins).
    pub in_picture: f32,
    /// Log-odds of a whole face, as the landmark network sees it (FaceOcclusionPrevention,
    /// MouthOcclusionPrevention).
    pub uncovered: f32,
    /// Brightness of the eyes with their lids over that of the cheeks: low behind dark glasses, high
    /// over a dark mask (EyesVisible, MouthOcclusionPrevention).
    pub eye_light: f32,
    /// Log-odds that the eyes are open, the mean of both (EyesOpen).
    pub eyes_open: f32,
    /// The widest gap between the lips over the way from between the eyes to the chin (MouthClosed).
    pub mouth_gap: f32,
}

/// The `[quality]` table of models.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QualityLimits {
    pub(crate) min_inter_eye_px: f32,
    pub(crate) max_head_size: f32,
    pub(crate) max_yaw_deg: f32,
    pub(crate) max_pitch_deg: f32,
    pub(crate) max_roll_deg: f32,
    pub(crate) min_sharpness: f32,
    pub(crate) min_brightness: f32,
    pub(crate) max_brightness: f32,
    pub(crate) max_under_exposed: f32,
    pub(crate) max_over_exposed: f32,
    pub(crate) min_contrast: f32,
    pub(crate) min_evenness: f32,
    pub(crate) min_in_picture: f32,
    pub(crate) min_uncovered: f32,
    pub(crate) min_eye_light: f32,
    pub(crate) max_eye_light: f32,
    pub(crate) min_eyes_open: f32,
    pub(crate) max_mouth_gap: f32,
    /// What the mesh's line from forehead to chin is tilted by in a person looking straight ahead.
    pub(crate) neutral_pitch_deg: f32,
}

/// Why a picture is not good enough, in the order of what to mend first: first what spoils every
/// other measure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QualityReason {
    /// Too few pixels between the eyes: come closer.
    TooFar,
    /// The face fills the picture, and the lens distorts it: move back.
    TooClose,
    /// Part of the face is outside the picture: move to the middle.
    CutOff,
    /// The head is turned or tilted: look straight.
    Turned,
    /// More light.
    TooDark,
    /// Less light.
    TooBright,
    /// No contrast: no light from behind, a clean lens.
    Flat,
    /// Light from one side: turn to the light.
    Uneven,
    /// Hold still, clean the lens.
    Blurred,
    /// A hand, a mask, hair, dark glasses: uncover the face.
    Occluded,
    /// Open the eyes.
    EyesClosed,
    /// Close the mouth.
    MouthOpen,
}

impl QualityReason {
    /// All of them, what to mend first first.
    pub const ALL: [QualityReason; 12] = [
        QualityReason::TooFar,
        QualityReason::TooClose,
        QualityReason::CutOff,
        QualityReason::Turned,
        QualityReason::TooDark,
        QualityReason::TooBright,
        QualityReason::Flat,
        QualityReason::Uneven,
        QualityReason::Blurred,
        QualityReason::Occluded,
        QualityReason::EyesClosed,
        QualityReason::MouthOpen,
    ];

    /// The stable reason code.
    pub fn code(self) -> &'static str {
        match self {
            QualityReason::TooFar => "face.quality.too_far",
            QualityReason::TooClose => "face.quality.too_close",
            QualityReason::CutOff => "face.quality.cut_off",
            QualityReason::Turned => "face.quality.turned",
            QualityReason::TooDark => "face.quality.too_dark",
            QualityReason::TooBright => "face.quality.too_bright",
            QualityReason::Flat => "face.quality.flat",
            QualityReason::Uneven => "face.quality.uneven",
            QualityReason::Blurred => "face.quality.blurred",
            QualityReason::Occluded => "face.quality.occluded",
            QualityReason::EyesClosed => "face.quality.eyes_closed",
            QualityReason::MouthOpen => "face.quality.mouth_open",
        }
    }

    /// Whether a picture gives no such reason. Every comparison holds for good values, so that a value
    /// that is no number fails it.
    fn is_absent(self, m: &Measures, limits: &QualityLimits) -> bool {
        let eyes_visible = m.eye_light >= limits.min_eye_light;
        match self {
            QualityReason::TooFar => m.inter_eye_px >= limits.min_inter_eye_px,
            QualityReason::TooClose => m.head_size <= limits.max_head_size,
            QualityReason::CutOff => m.in_picture >= limits.min_in_picture,
            QualityReason::Turned => {
                m.yaw_deg.abs() <= limits.max_yaw_deg
                    && m.pitch_deg.abs() <= limits.max_pitch_deg
                    && m.roll_deg.abs() <= limits.max_roll_deg
            }
            QualityReason::TooDark => {
                m.brightness >= limits.min_brightness && m.under_exposed <= limits.max_under_exposed
            }
            QualityReason::TooBright => {
                m.brightness <= limits.max_brightness && m.over_exposed <= limits.max_over_exposed
            }
            QualityReason::Flat => m.contrast >= limits.min_contrast,
            QualityReason::Uneven => m.evenness >= limits.min_evenness,
            QualityReason::Blurred => m.sharpness >= limits.min_sharpness,
            QualityReason::Occluded => {
                let cheeks_visible = m.eye_light <= limits.max_eye_light;
                m.uncovered >= limits.min_uncovered && eyes_visible && cheeks_visible
            }
            // Nobody can say of eyes behind dark glasses that they are closed.
            QualityReason::EyesClosed => m.eyes_open >= limits.min_eyes_open || !eyes_visible,
            QualityReason::MouthOpen => m.mouth_gap <= limits.max_mouth_gap,
        }
    }
}

/// The measures and what is wrong with them, the first thing to mend first.
#[derive(Clone, Debug)]
pub struct Quality {
    /// What was measured.
    pub measures: Measures,
    /// Empty where the picture is good enough.
    pub reasons: Vec<QualityReason>,
}

impl Quality {
    pub(crate) fn judge(measures: Measures, limits: &QualityLimits) -> Quality {
        let present = |reason: &QualityReason| !reason.is_absent(&measures, limits);
        Quality { measures, reasons: QualityReason::ALL.into_iter().filter(present).collect() }
    }
}

/// Measures a face; `aligned` is the face as the first two recognition networks take it.
pub(crate) fn measure(
    eyes: &Network,
    image: &RgbImage,
    mesh: &Mesh,
    aligned: &Crop,
    limits: &QualityLimits,
) -> Result<Measures, RunError> {
    let Pose { yaw, pitch, roll } = mesh.pose(limits.neutral_pitch_deg);
    let light = Light::of(&aligned.luma());
    Ok(Measures {
        inter_eye_px: mesh.inter_eye(),
        head_size: head_size(image, mesh),
        yaw_deg: yaw,
        pitch_deg: pitch,
        roll_deg: roll,
        sharpness: light.sharpness,
        brightness: light.brightness,
        under_exposed: light.under_exposed,
        over_exposed: light.over_exposed,
        contrast: light.contrast,
        evenness: light.evenness,
        in_picture: in_picture(image, mesh),
        uncovered: mesh.presence(),
        eye_light: light.eye_light,
        eyes_open: eyes::open(eyes, image, mesh)?,
        mouth_gap: mesh.mouth_gap() / mesh.length(),
    })
}

fn head_size(image: &RgbImage, mesh: &Mesh) -> f32 {
    let bounds = mesh.bounds();
    (bounds.width / image.width() as f32).max(bounds.height / image.height() as f32)
}

fn in_picture(image: &RgbImage, mesh: &Mesh) -> f32 {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let inside =
        mesh.points().filter(|p| (0.0..=width).contains(&p.x) && (0.0..=height).contains(&p.y));
    inside.count() as f32 / mesh.points().count().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: QualityLimits = QualityLimits {
        min_inter_eye_px: 40.0,
        max_head_size: 0.8,
        max_yaw_deg: 20.0,
        max_pitch_deg: 20.0,
        max_roll_deg: 20.0,
        min_sharpness: 0.02,
        min_brightness: 0.2,
        max_brightness: 0.85,
        max_under_exposed: 0.5,
        max_over_exposed: 0.2,
        min_contrast: 0.05,
        min_evenness: 0.5,
        min_in_picture: 0.98,
        min_uncovered: 15.0,
        min_eye_light: 0.3,
        max_eye_light: 1.3,
        min_eyes_open: -5.0,
        max_mouth_gap: 0.2,
        neutral_pitch_deg: 0.0,
    };

    const GOOD: Measures = Measures {
        inter_eye_px: 90.0,
        head_size: 0.6,
        yaw_deg: 3.0,
        pitch_deg: -4.0,
        roll_deg: 2.0,
        sharpness: 0.1,
        brightness: 0.5,
        under_exposed: 0.01,
        over_exposed: 0.0,
        contrast: 0.2,
        evenness: 0.9,
        in_picture: 1.0,
        uncovered: 30.0,
        eye_light: 0.7,
        eyes_open: 8.0,
        mouth_gap: 0.05,
    };

    #[test]
    fn each_fault_has_its_own_instruction() {
        // proves D4
        let cases = [
            (GOOD, None),
            (Measures { inter_eye_px: 39.0, ..GOOD }, Some("face.quality.too_far")),
            (Measures { head_size: 0.85, ..GOOD }, Some("face.quality.too_close")),
            (Measures { in_picture: 0.9, ..GOOD }, Some("face.quality.cut_off")),
            (Measures { yaw_deg: -21.0, ..GOOD }, Some("face.quality.turned")),
            (Measures { pitch_deg: 30.0, ..GOOD }, Some("face.quality.turned")),
            (Measures { roll_deg: 45.0, ..GOOD }, Some("face.quality.turned")),
            (Measures { brightness: 0.1, ..GOOD }, Some("face.quality.too_dark")),
            (Measures { brightness: 0.9, ..GOOD }, Some("face.quality.too_bright")),
            (Measures { under_exposed: 0.6, ..GOOD }, Some("face.quality.too_dark")),
            (Measures { over_exposed: 0.3, ..GOOD }, Some("face.quality.too_bright")),
            (Measures { contrast: 0.01, ..GOOD }, Some("face.quality.flat")),
            (Measures { evenness: 0.3, ..GOOD }, Some("face.quality.uneven")),
            (Measures { sharpness: 0.001, ..GOOD }, Some("face.quality.blurred")),
            (Measures { uncovered: 9.0, ..GOOD }, Some("face.quality.occluded")),
            (Measures { eye_light: 3.0, ..GOOD }, Some("face.quality.occluded")),
            (Measures { eyes_open: -6.0, ..GOOD }, Some("face.quality.eyes_closed")),
            (Measures { mouth_gap: 0.3, ..GOOD }, Some("face.quality.mouth_open")),
        ];
        for (measures, code) in cases {
            assert_eq!(codes(measures), code.into_iter().collect::<Vec<_>>());
        }
    }

    fn codes(measures: Measures) -> Vec<&'static str> {
        Quality::judge(measures, &LIMITS).reasons.into_iter().map(QualityReason::code).collect()
    }

    #[test]
    fn eyes_behind_dark_glasses_are_covered_not_closed() {
        let glasses = Measures { eye_light: 0.1, eyes_open: -6.0, ..GOOD };
        assert_eq!(codes(glasses), ["face.quality.occluded"]);
    }

    #[test]
    fn what_is_no_number_gives_every_reason_in_the_order_of_mending() {
        // proves D6
        let nothing = f32::NAN;
        let measures = Measures {
            inter_eye_px: nothing,
            head_size: nothing,
            yaw_deg: nothing,
            pitch_deg: nothing,
            roll_deg: nothing,
            sharpness: nothing,
            brightness: nothing,
            under_exposed: nothing,
            over_exposed: nothing,
            contrast: nothing,
            evenness: nothing,
            in_picture: nothing,
            uncovered: nothing,
            eye_light: 0.7,
            eyes_open: nothing,
            mouth_gap: nothing,
        };
        assert_eq!(codes(measures), QualityReason::ALL.map(QualityReason::code));
        let unseen = codes(Measures { eye_light: nothing, ..GOOD });
        assert_eq!(unseen, ["face.quality.occluded"]);
    }
}
