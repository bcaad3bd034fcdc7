//! Cut edges of a print that is worn: its outline about the face, and its holes about the eyes.
//!
//! Paper lies before the skin, so a cut edge is an oval along which the picture is darker on the
//! skin's side, in the paper's shadow, than on the paper and than further off. Brightness is compared
//! by ratio, for a shadow takes the same share of light skin and of dark.

use std::f32::consts::TAU;

use image::RgbImage;

use super::{networks::onto, surroundings};
use crate::crop::Crop;
use crate::detect::Bounds;
use crate::geometry::Point;

/// The window is so many times as large as the face, and looked at in so many pixels.
const SCALE: f32 = 1.5;
const SIDE: usize = 192;
/// Added to brightness before it is compared: what a sensor takes for black.
const BLACK: f32 = 0.04;
/// A place where more than this differs shows something else, and counts as this.
const MOST: f32 = 0.35;
/// Directions from the middle in which an edge is looked at.
const DIRECTIONS: usize = 40;

/// Ovals that a cut edge may follow. Lengths are shares of the face's.
struct Cut {
    widths: &'static [f32],
    heights: &'static [f32],
    /// How far the middle may be off.
    offsets: &'static [f32],
    /// On the paper, in its shadow, and beyond that: shares of the oval's radius.
    profile: [f32; 3],
}

const OUTLINE: Cut = Cut {
    widths: &[0.48, 0.51, 0.54, 0.57, 0.6, 0.63],
    heights: &[0.5, 0.53, 0.56, 0.59, 0.62, 0.65, 0.68],
    offsets: &[-0.06, -0.03, 0.0, 0.03, 0.06],
    profile: [0.97, 1.025, 1.15],
};
const HOLES: Cut = Cut {
    widths: &[0.1, 0.115, 0.13, 0.15],
    heights: &[0.04, 0.05, 0.06, 0.07],
    offsets: &[-0.03, -0.015, 0.0, 0.015, 0.03],
    profile: [1.15, 0.93, 0.65],
};

/// How far the best outline, and the best pair of holes, looks like a cut edge.
pub(super) fn strongest(image: &RgbImage, face: &Bounds, eyes: [Point; 2]) -> [f32; 2] {
    let window = surroundings(image, face, SCALE);
    let scale = [window.width, window.height].map(|length| SIDE as f32 / length.max(1.0));
    let place = |p: Point| Point::new((p.x - window.x) * scale[0], (p.y - window.y) * scale[1]);
    let light = Crop::sample(image, &onto(&window, SIDE), SIDE).luma();
    let light = Light(light.iter().map(|light| (light + BLACK).ln()).collect());
    let size = Point::new(face.width * scale[0], face.height * scale[1]);
    let outline = light.best(&OUTLINE, &[place(face.centre())], size);
    [outline, light.best(&HOLES, &eyes.map(place), size)]
}

/// Logarithms of brightness, row by row.
struct Light(Vec<f32>);

impl Light {
    /// The best of all ovals of a kind about the middles, the same about each.
    fn best(&self, cut: &Cut, middles: &[Point], size: Point) -> f32 {
        let mut best = f32::NEG_INFINITY;
        for (width, height) in pairs(cut.widths, cut.heights) {
            let radii = Point::new(width * size.x, height * size.y);
            for (x, y) in pairs(cut.offsets, cut.offsets) {
                let off = |middle: &Point| Point::new(middle.x + x * size.x, middle.y + y * size.y);
                let all = middles.iter().map(|middle| self.along(off(middle), radii, cut.profile));
                best = best.max(all.sum::<f32>() / middles.len() as f32);
            }
        }
        best
    }

    /// The mean over the directions of what the shadow takes.
    fn along(&self, middle: Point, radii: Point, [paper, shadow, beyond]: [f32; 3]) -> f32 {
        let directions = (0..DIRECTIONS).map(|at| {
            let (sin, cos) = (TAU * at as f32 / DIRECTIONS as f32).sin_cos();
            let at = |share: f32| {
                self.at(middle.x + share * radii.x * cos, middle.y + share * radii.y * sin)
            };
            let dark = at(shadow);
            (at(paper) - dark).clamp(-MOST, MOST) + (at(beyond) - dark).clamp(-MOST, MOST)
        });
        directions.sum::<f32>() / DIRECTIONS as f32
    }

    /// Between four pixels; beyond the edge is as at the edge.
    fn at(&self, x: f32, y: f32) -> f32 {
        let last = SIDE as f32 - 1.001;
        let (x, y) = ((x - 0.5).clamp(0.0, last), (y - 0.5).clamp(0.0, last));
        let (right, low) = (x.fract(), y.fract());
        let first = y as usize * SIDE + x as usize;
        let pixel = |at: usize| self.0.get(at).copied().unwrap_or_default();
        let row = |at: usize| pixel(at) + right * (pixel(at + 1) - pixel(at));
        row(first) + low * (row(first + SIDE) - row(first))
    }
}

fn pairs<'a>(ones: &'a [f32], others: &'a [f32]) -> impl Iterator<Item = (f32, f32)> + 'a {
    ones.iter().flat_map(|one| others.iter().map(move |other| (*one, *other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const FACE: Bounds = Bounds { x: 70.0, y: 70.0, width: 120.0, height: 140.0 };
    const EYES: [Point; 2] = [Point { x: 105.0, y: 120.0 }, Point { x: 155.0, y: 120.0 }];

    fn seen(of: impl Fn(f32, f32) -> f32) -> [f32; 2] {
        let image = RgbImage::from_fn(260, 280, |x, y| {
            let noise = (x * 7919 + y * 104_729) % 9;
            Rgb([(140.0 * of(x as f32, y as f32)) as u8 + noise as u8; 3])
        });
        strongest(&image, &FACE, EYES)
    }

    fn distance((x, y): (f32, f32), middle: Point, radii: (f32, f32)) -> f32 {
        ((x - middle.x) / radii.0).hypot((y - middle.y) / radii.1)
    }

    #[test]
    fn paper_casts_a_shadow_on_skin_and_a_face_before_a_dark_wall_none() {
        let face = |x, y| distance((x, y), FACE.centre(), (66.0, 80.0));
        let shadow = |off: f32| 1.0 - 0.5 * (-off * 25.0).exp();
        let [wall, _] = seen(|x, y| if face(x, y) < 1.0 { 1.0 } else { 0.3 });
        let [worn, no_holes] =
            seen(|x, y| if face(x, y) < 1.0 { 1.0 } else { shadow(face(x, y) - 1.0) });
        assert!(worn > wall + 0.1, "{worn} {wall}");
        let eye = |x, y| EYES.map(|eye| distance((x, y), eye, (15.0, 8.0)));
        let [_, holes] = seen(|x, y| match eye(x, y).into_iter().fold(9.0, f32::min) {
            within if within < 1.0 => 0.9 - 0.3 * within.powi(4),
            _ => 1.0,
        });
        assert!(holes > no_holes + 0.2, "{holes} {no_holes}");
    }
}
