//! Whether a picture is good enough, and if not, what the person should do (REQUIREMENTS D4).
//!
//! Only what can be acted on is measured. The limits are data (`[quality]` in models.toml); a
//! portrait from a chip may miss them, so the caller decides for which pictures they hold.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::crop::Crop;
use crate::mesh::{Mesh, Pose};

/// The aligned face is a square of this many pixels; the measures of light and sharpness look at
/// its middle, where there is skin and no background.
const SIDE: usize = 112;
const MARGIN: usize = 20;

/// What a picture measures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measures {
    /// Between the centres of the eyes, in pixels.
    pub inter_eye_px: f32,
    /// Degrees; positive when the nose points to the picture's right.
    pub yaw_deg: f32,
    /// Degrees; positive looking up.
    pub pitch_deg: f32,
    /// Degrees; positive clockwise on the screen.
    pub roll_deg: f32,
    /// Variance of the Laplacian of the face's brightness over the variance of the brightness.
    pub sharpness: f32,
    /// Mean brightness of the face, 0 black, 1 white.
    pub brightness: f32,
    /// Standard deviation of the face's brightness.
    pub contrast: f32,
    /// Brightness of the darker half of the face over that of the lighter, 1 when lit evenly.
    pub evenness: f32,
    /// The share of the face's points that lie in the picture.
    pub in_picture: f32,
}

/// The `[quality]` table of models.toml.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QualityLimits {
    pub(crate) min_inter_eye_px: f32,
    pub(crate) max_yaw_deg: f32,
    pub(crate) max_pitch_deg: f32,
    pub(crate) max_roll_deg: f32,
    pub(crate) min_sharpness: f32,
    pub(crate) min_brightness: f32,
    pub(crate) max_brightness: f32,
    pub(crate) min_contrast: f32,
    pub(crate) min_evenness: f32,
    pub(crate) min_in_picture: f32,
    /// What the mesh's line from forehead to chin is tilted by in a person looking straight ahead.
    pub(crate) neutral_pitch_deg: f32,
}

/// Why a picture is not good enough.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QualityReason {
    /// Too few pixels between the eyes: come closer.
    TooFar,
    /// Part of the face is outside the picture: move back or to the middle.
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
}

impl QualityReason {
    /// The stable reason code.
    pub fn code(self) -> &'static str {
        match self {
            QualityReason::TooFar => "face.quality.too_far",
            QualityReason::CutOff => "face.quality.cut_off",
            QualityReason::Turned => "face.quality.turned",
            QualityReason::TooDark => "face.quality.too_dark",
            QualityReason::TooBright => "face.quality.too_bright",
            QualityReason::Flat => "face.quality.flat",
            QualityReason::Uneven => "face.quality.uneven",
            QualityReason::Blurred => "face.quality.blurred",
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
        Quality { measures, reasons: reasons(&measures, limits) }
    }
}

/// Every comparison holds for good values, so that a value that is no number fails it.
fn reasons(m: &Measures, limits: &QualityLimits) -> Vec<QualityReason> {
    let straight = m.yaw_deg.abs() <= limits.max_yaw_deg
        && m.pitch_deg.abs() <= limits.max_pitch_deg
        && m.roll_deg.abs() <= limits.max_roll_deg;
    let wanted = [
        (m.inter_eye_px >= limits.min_inter_eye_px, QualityReason::TooFar),
        (m.in_picture >= limits.min_in_picture, QualityReason::CutOff),
        (straight, QualityReason::Turned),
        (m.brightness >= limits.min_brightness, QualityReason::TooDark),
        (m.brightness <= limits.max_brightness, QualityReason::TooBright),
        (m.contrast >= limits.min_contrast, QualityReason::Flat),
        (m.evenness >= limits.min_evenness, QualityReason::Uneven),
        (m.sharpness >= limits.min_sharpness, QualityReason::Blurred),
    ];
    wanted.into_iter().filter(|(good, _)| !good).map(|(_, reason)| reason).collect()
}

/// Measures a face; `aligned` is the crop that the template is made of.
pub(crate) fn measure(
    image: &RgbImage,
    mesh: &Mesh,
    aligned: &Crop,
    limits: &QualityLimits,
) -> Measures {
    let Pose { yaw, pitch, roll } = mesh.pose(limits.neutral_pitch_deg);
    let light = Light::of(&aligned.luma());
    Measures {
        inter_eye_px: mesh.inter_eye(),
        yaw_deg: yaw,
        pitch_deg: pitch,
        roll_deg: roll,
        sharpness: light.sharpness,
        brightness: light.brightness,
        contrast: light.contrast,
        evenness: light.evenness,
        in_picture: in_picture(image, mesh),
    }
}

fn in_picture(image: &RgbImage, mesh: &Mesh) -> f32 {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let inside =
        mesh.points().filter(|p| (0.0..=width).contains(&p.x) && (0.0..=height).contains(&p.y));
    inside.count() as f32 / mesh.points().count().max(1) as f32
}

struct Light {
    brightness: f32,
    contrast: f32,
    evenness: f32,
    sharpness: f32,
}

impl Light {
    fn of(luma: &[f32]) -> Light {
        let rows: Vec<&[f32]> = luma.chunks(SIDE).collect();
        let middle: Vec<f32> = inner(&rows).map(|(_, [_, _, centre, _, _])| centre).collect();
        let half = |left: bool| {
            let half = inner(&rows).filter(|(x, _)| (*x < SIDE / 2) == left);
            mean(&half.map(|(_, [_, _, centre, _, _])| centre).collect::<Vec<_>>())
        };
        let (left, right) = (half(true), half(false));
        let edges: Vec<f32> =
            inner(&rows).map(|(_, [n, w, c, e, s])| n + w + e + s - 4.0 * c).collect();
        Light {
            brightness: mean(&middle),
            contrast: variance(&middle).sqrt(),
            evenness: left.min(right) / left.max(right).max(f32::EPSILON),
            sharpness: variance(&edges) / variance(&middle).max(f32::EPSILON),
        }
    }
}

/// Each pixel of the middle with its column and its neighbours: north, west, itself, east, south.
fn inner<'a>(rows: &'a [&'a [f32]]) -> impl Iterator<Item = (usize, [f32; 5])> + 'a {
    let middle = MARGIN..SIDE - MARGIN;
    rows.windows(3).skip(MARGIN - 1).take(middle.len()).flat_map(move |three| {
        let middle = middle.clone();
        let (north, row, south) = match three {
            [north, row, south] => (*north, *row, *south),
            _ => (&[][..], &[][..], &[][..]),
        };
        let rows = row.windows(3).zip(north.iter().skip(1)).zip(south.iter().skip(1));
        rows.zip(1..).filter_map(move |(((across, north), south), x)| match across {
            [west, centre, east] if middle.contains(&x) => {
                Some((x, [*north, *west, *centre, *east, *south]))
            }
            _ => None,
        })
    })
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn variance(values: &[f32]) -> f32 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / values.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: QualityLimits = QualityLimits {
        min_inter_eye_px: 40.0,
        max_yaw_deg: 20.0,
        max_pitch_deg: 20.0,
        max_roll_deg: 20.0,
        min_sharpness: 0.02,
        min_brightness: 0.2,
        max_brightness: 0.85,
        min_contrast: 0.05,
        min_evenness: 0.5,
        min_in_picture: 0.98,
        neutral_pitch_deg: 0.0,
    };

    const GOOD: Measures = Measures {
        inter_eye_px: 90.0,
        yaw_deg: 3.0,
        pitch_deg: -4.0,
        roll_deg: 2.0,
        sharpness: 0.1,
        brightness: 0.5,
        contrast: 0.2,
        evenness: 0.9,
        in_picture: 1.0,
    };

    #[test]
    fn each_fault_has_its_own_instruction() {
        // proves D4
        let cases = [
            (GOOD, None),
            (Measures { inter_eye_px: 39.0, ..GOOD }, Some("face.quality.too_far")),
            (Measures { in_picture: 0.9, ..GOOD }, Some("face.quality.cut_off")),
            (Measures { yaw_deg: -21.0, ..GOOD }, Some("face.quality.turned")),
            (Measures { pitch_deg: 30.0, ..GOOD }, Some("face.quality.turned")),
            (Measures { roll_deg: 45.0, ..GOOD }, Some("face.quality.turned")),
            (Measures { brightness: 0.1, ..GOOD }, Some("face.quality.too_dark")),
            (Measures { brightness: 0.9, ..GOOD }, Some("face.quality.too_bright")),
            (Measures { contrast: 0.01, ..GOOD }, Some("face.quality.flat")),
            (Measures { evenness: 0.3, ..GOOD }, Some("face.quality.uneven")),
            (Measures { sharpness: 0.001, ..GOOD }, Some("face.quality.blurred")),
            (Measures { sharpness: f32::NAN, ..GOOD }, Some("face.quality.blurred")),
        ];
        for (measures, code) in cases {
            let found: Vec<_> = reasons(&measures, &LIMITS).iter().map(|r| r.code()).collect();
            assert_eq!(found, code.into_iter().collect::<Vec<_>>());
        }
    }

    fn light(value: impl Fn(usize, usize) -> f32) -> Light {
        let luma: Vec<f32> = (0..SIDE * SIDE).map(|i| value(i % SIDE, i / SIDE)).collect();
        Light::of(&luma)
    }

    #[test]
    fn light_is_measured_in_the_middle() {
        let even = light(|x, _| if x < MARGIN { 1.0 } else { 0.25 });
        assert!((even.brightness - 0.25).abs() < 1e-6);
        assert!(even.contrast < 1e-6 && (even.evenness - 1.0).abs() < 1e-6);
        let sided = light(|x, _| if x < SIDE / 2 { 0.2 } else { 0.8 });
        assert!((sided.evenness - 0.25).abs() < 1e-6);
        assert!((sided.contrast - 0.3).abs() < 1e-5);
    }

    #[test]
    fn a_fine_pattern_is_sharper_than_a_coarse_one() {
        let stripes = |width: f32| light(move |x, _| 0.5 + 0.4 * (x as f32 / width).sin());
        assert!(stripes(1.0).sharpness > 10.0 * stripes(6.0).sharpness);
    }
}
