//! What holds from one frame to the next: no picture twice, movement that a head and a camera can
//! make, one scene.
//!
//! Whether a camera's noise is on the frames is not asked: once a photograph is moved and compressed, its own
//! noise is as much as that of a camera (README).

use image::RgbImage;
use serde::Serialize;

use super::limits::Limits;
use super::refusal::Refusal;
use super::sight::{Sight, middle};
use super::turns::median;

/// Every so many pixels are compared, in each direction.
const STRIDE: usize = 5;
/// With less of a difference in the mean two frames are one picture, in levels of 256.
const ONE_PICTURE: f32 = 0.05;

/// The most of each over the whole capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StillEvidence {
    /// Movement of the face, in distances between the eyes.
    pub jump: f32,
    /// Change of its size, as a ratio less 1.
    pub growth: f32,
    /// Turn of the head, in degrees.
    pub swing_deg: f32,
    /// Change of the scene's brightness, as a logarithm.
    pub scene: f32,
}

/// Whether two pictures of one size hardly differ.
pub(super) fn is_one_picture(one: &RgbImage, other: &RgbImage) -> bool {
    let rows = |image| RgbImage::rows(image).step_by(STRIDE);
    let pixels = rows(one).zip(rows(other)).flat_map(|(a, b)| a.zip(b).step_by(STRIDE));
    let (mut sum, mut count) = (0.0, 0.0);
    for (a, b) in pixels {
        let [[_, a, _], [_, b, _]] = [a.0, b.0];
        sum += f32::from(a.abs_diff(b));
        count += 1.0;
    }
    // Without a pixel, too.
    count == 0.0 || sum / count < ONE_PICTURE
}

/// What changes from one frame to the next, and refusals where it is too much.
pub(super) fn judge(sights: &[Sight], limits: &Limits) -> (StillEvidence, Vec<Refusal>) {
    let mut most = StillEvidence::default();
    let mut wrong = Vec::new();
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

    /// A little of a turn from frame to frame, as a head does.
    fn sights() -> Vec<Sight> {
        acted(&Script::draw(&[1; 32], &LIMITS), Acting { far: 3.0, ..GOOD })
    }

    #[test]
    fn a_person_before_a_camera_moves_on() {
        let (evidence, refusals) = judge(&sights(), &LIMITS);
        assert_eq!(refusals, []);
        assert!(evidence.swing_deg > 1.0 && evidence.jump < 0.5, "{evidence:?}");
    }

    #[test]
    fn jumps_are_refused() {
        // proves D3
        let one = |change: fn(&mut Sight)| {
            let mut sights = sights();
            change(&mut sights[7]);
            judge(&sights, &LIMITS).1
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

    #[test]
    fn a_picture_that_hardly_differs_is_the_same() {
        let lit = |value: u8| RgbImage::from_pixel(81, 80, image::Rgb([90, value, 90]));
        let plain = lit(100);
        assert!(is_one_picture(&plain, &plain));
        assert!(!is_one_picture(&plain, &lit(101)));
        let mut spot = plain.clone();
        spot.put_pixel(5, 5, image::Rgb([90, 110, 90]));
        assert!(is_one_picture(&plain, &spot));
        assert!(is_one_picture(&RgbImage::new(0, 0), &RgbImage::new(0, 0)));
    }
}
