//! What holds from one frame to the next: noise, movement that a head and a camera can make, one
//! scene.

use image::RgbImage;
use serde::Serialize;

use super::limits::Limits;
use super::refusal::Refusal;
use super::sight::{Sight, middle};
use super::turns::median;

/// Every so many pixels are compared.
const STRIDE: usize = 5;
/// With less of a difference in the mean two frames are one picture, in levels of 256.
const ONE_PICTURE: f32 = 0.05;

/// The most of each over the whole capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StillEvidence {
    /// Noise from frame to frame, in levels of 256: the median over the capture.
    pub grain: f32,
    /// Movement of the face, in distances between the eyes.
    pub jump: f32,
    /// Change of its size, as a ratio less 1.
    pub growth: f32,
    /// Turn of the head, in degrees.
    pub swing_deg: f32,
    /// Change of the scene's brightness, as a logarithm.
    pub scene: f32,
}

/// The noise between two pictures and how far they differ at all.
#[derive(Clone, Copy)]
pub(super) struct Difference {
    grain: f32,
    mean: f32,
}

/// The differences of pixels, each taken with its right, lower and diagonal neighbour, so that
/// brightness and soft edges cancel: d(x,y) − d(x+1,y) − d(x,y+1) + d(x+1,y+1), which has twice the noise
/// of d. The median leaves out what moves.
pub(super) fn difference(one: &RgbImage, other: &RgbImage) -> Difference {
    let width = one.width() as usize;
    let at = |index: usize| {
        let green = |image: &RgbImage| image.as_raw().get(3 * index + 1).copied();
        green(one).zip(green(other)).map(|(a, b)| f32::from(a) - f32::from(b))
    };
    let (mut cells, mut sum) = (Vec::new(), 0.0);
    for y in (0..one.height().saturating_sub(1) as usize).step_by(STRIDE) {
        for x in (0..width.saturating_sub(1)).step_by(STRIDE) {
            let four =
                [y * width + x, y * width + x + 1, (y + 1) * width + x, (y + 1) * width + x + 1];
            if let [Some(a), Some(b), Some(c), Some(d)] = four.map(at) {
                cells.push((a - b - c + d).abs());
                sum += a.abs();
            }
        }
    }
    let count = cells.len().max(1) as f32;
    // A median of absolute values is 0.6745 standard deviations.
    Difference { grain: mean_of_middle(cells) / 0.6745 / 2.0, mean: sum / count }
}

/// The mean of the middle fifth: a median of whole numbers that tells more.
fn mean_of_middle(mut values: Vec<f32>) -> f32 {
    values.sort_by(f32::total_cmp);
    let (from, count) = (values.len() * 2 / 5, values.len().div_ceil(5));
    let middle: Vec<f32> = values.into_iter().skip(from).take(count).collect();
    middle.iter().sum::<f32>() / middle.len() as f32
}

impl Difference {
    /// Whether they are one picture.
    pub(super) fn is_none(self) -> bool {
        self.mean.is_nan() || self.mean < ONE_PICTURE
    }
}

/// What changes from one frame to the next, and refusals where it is too much.
pub(super) fn judge(
    sights: &[Sight],
    differences: &[Difference],
    limits: &Limits,
) -> (StillEvidence, Vec<Refusal>) {
    let grain = median(differences.iter().map(|difference| difference.grain));
    let mut most = StillEvidence { grain, ..StillEvidence::default() };
    let mut wrong = Vec::new();
    let has_grain = grain >= limits.min_grain;
    wrong.extend((!has_grain).then_some(Refusal::NoGrain));
    for pair in sights.windows(2) {
        if let [before, after] = pair {
            let step = step(before, after);
            wrong.extend(refusals(&step, after.number, limits));
            let unseen_ms = after.at_ms - before.at_ms;
            let seen = unseen_ms <= 2.0 * limits.max_gap_ms as f32;
            wrong.extend((!seen).then_some(Refusal::NoFace));
            most.raise(&step);
        }
    }
    (most, wrong)
}

fn step(before: &Sight, after: &Sight) -> StillEvidence {
    let unit = before.mesh.inter_eye();
    let ratio = after.mesh.inter_eye() / unit;
    let turn = (after.pose.yaw - before.pose.yaw).hypot(after.pose.pitch - before.pose.pitch);
    StillEvidence {
        grain: 0.0,
        jump: middle(&before.mesh).distance(middle(&after.mesh)) / unit,
        growth: ratio.max(1.0 / ratio) - 1.0,
        swing_deg: turn,
        scene: scene_change(before, after),
    }
}

/// The median over the places that both show, without what all of them share: exposure.
fn scene_change(before: &Sight, after: &Sight) -> f32 {
    let brightness = |[red, green, blue]: &[f32; 3]| (0.02 + red + green + blue).ln();
    let both = after.scene.iter().filter_map(|(place, own)| Some((own, before.scene.get(place)?)));
    let changes: Vec<f32> =
        both.map(|(own, before)| brightness(own) - brightness(before)).collect();
    let shared = median(changes.iter().copied());
    if changes.is_empty() { 0.0 } else { median(changes.iter().map(|own| (own - shared).abs())) }
}

fn refusals(step: &StillEvidence, number: u32, limits: &Limits) -> Vec<Refusal> {
    let moves = step.jump <= limits.max_jump
        && step.growth <= limits.max_growth
        && step.swing_deg <= limits.max_swing_deg;
    let stays = step.scene <= limits.max_scene_change;
    let wanted = [(moves, Refusal::Jump { number }), (stays, Refusal::SceneJump { number })];
    wanted.into_iter().filter(|(good, _)| !good).map(|(_, refusal)| refusal).collect()
}

impl StillEvidence {
    fn raise(&mut self, step: &StillEvidence) {
        self.jump = self.jump.max(step.jump);
        self.growth = self.growth.max(step.growth);
        self.swing_deg = self.swing_deg.max(step.swing_deg);
        self.scene = self.scene.max(step.scene);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::limits::tests::LIMITS;
    use crate::challenge::script::Script;
    use crate::challenge::sight::tests::{Acting, GOOD, acted};

    const NOISY: Difference = Difference { grain: 1.0, mean: 1.0 };

    /// A little of a turn from frame to frame, as a head does.
    fn sights() -> Vec<Sight> {
        acted(&Script::draw(&[1; 32], &LIMITS), Acting { far: 3.0, ..GOOD })
    }

    #[test]
    fn a_person_before_a_camera_moves_on() {
        let (evidence, refusals) = judge(&sights(), &[NOISY; 9], &LIMITS);
        assert_eq!(refusals, []);
        assert!(evidence.swing_deg > 1.0 && evidence.jump < 0.5, "{evidence:?}");
    }

    #[test]
    fn jumps_are_refused() {
        // proves D3
        let one = |change: fn(&mut Sight)| {
            let mut sights = sights();
            change(&mut sights[7]);
            judge(&sights, &[NOISY; 9], &LIMITS).1
        };
        let jump = one(|sight| {
            let places: Vec<_> = sight.mesh.places().map(|[x, y, z]| [x + 60.0, y, z]).collect();
            sight.mesh = crate::mesh::Mesh::of(&places);
        });
        assert_eq!(jump, [7, 8].map(|number| Refusal::Jump { number }));
        let swing = one(|sight| sight.pose.yaw += 40.0);
        assert_eq!(swing, [7, 8].map(|number| Refusal::Jump { number }));
        let scene = one(|sight| {
            sight.scene.iter_mut().for_each(|(at, light)| *light = [(at.0 % 3) as f32; 3]);
        });
        assert_eq!(scene, [7, 8].map(|number| Refusal::SceneJump { number }));
        let broken = one(|sight| sight.pose.pitch = f32::NAN);
        assert_eq!(broken, [7, 8].map(|number| Refusal::Jump { number }));
    }

    fn noisy(level: u32) -> RgbImage {
        RgbImage::from_fn(80, 80, |x, y| {
            let noise = (x * 7919 + y * 104_729 + (x * y) % 97 * 31) % (2 * level + 1);
            image::Rgb([(100 + x / 4 + noise) as u8; 3])
        })
    }

    #[test]
    fn noise_is_measured_and_its_absence_refused() {
        let plain = noisy(0);
        assert!(difference(&plain, &plain).is_none());
        assert!(!difference(&plain, &noisy(3)).is_none());
        assert!(difference(&plain, &noisy(3)).grain > 0.5);
        let brighter = RgbImage::from_fn(80, 80, |x, _| image::Rgb([(110 + x / 4) as u8; 3]));
        let moved = difference(&plain, &brighter);
        assert!(moved.grain < 1e-3 && !moved.is_none());
        assert_eq!(judge(&sights(), &[moved; 9], &LIMITS).1, [Refusal::NoGrain]);
        assert!(judge(&[], &[], &LIMITS).1.contains(&Refusal::NoGrain));
        assert!(difference(&RgbImage::new(1, 1), &RgbImage::new(1, 1)).grain.is_nan());
    }
}
