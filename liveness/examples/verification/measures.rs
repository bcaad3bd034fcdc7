//! How the measures of quality are spread over the pictures, for choosing their limits.

use liveness::Face;

type Measure = (&'static str, fn(&Face) -> f32);

const MEASURES: [Measure; 9] = [
    ("inter_eye_px", |f| f.quality.measures.inter_eye_px),
    ("yaw_deg", |f| f.quality.measures.yaw_deg),
    ("pitch_deg", |f| f.quality.measures.pitch_deg),
    ("roll_deg", |f| f.quality.measures.roll_deg),
    ("sharpness", |f| f.quality.measures.sharpness),
    ("brightness", |f| f.quality.measures.brightness),
    ("contrast", |f| f.quality.measures.contrast),
    ("evenness", |f| f.quality.measures.evenness),
    ("in_picture", |f| f.quality.measures.in_picture),
];

/// One line for each measure.
pub(crate) fn lines<'a>(
    faces: impl Iterator<Item = &'a Face> + Clone,
) -> impl Iterator<Item = String> {
    MEASURES.into_iter().map(move |(name, of)| {
        let mut values: Vec<f32> = faces.clone().map(of).collect();
        values.sort_by(f32::total_cmp);
        let at = |share: f64| values.get((share * values.len() as f64) as usize).copied();
        let shares = [0.0, 0.01, 0.05, 0.5, 0.95, 0.99];
        format!("{name} at {shares:?}: {:.3?}", shares.map(|s| at(s).unwrap_or(0.0)))
    })
}
