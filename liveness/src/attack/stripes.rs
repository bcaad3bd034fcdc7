//! The stripes of red, green and blue that a screen's pixels are made of.
//!
//! Side by side in each pixel, the three colours are waves a third apart. With the colour as a complex
//! number (red at 0, green at 120, blue at 240 degrees) they turn one way: the spectrum has a peak at a
//! frequency and none at the one against it. A colour of its own, however fine its pattern, has both.

use image::RgbImage;

use super::spectrum::{HALF, SIDE, over_the_face, radius};
use crate::detect::Bounds;

/// Less power than compression leaves is none.
const FAINT: f32 = 0.5;
/// A peak lies no nearer to the middle than this, where faces have colours of their own,
const COARSEST: usize = 4;
/// and no further off: the corners of the spectrum say nothing.
const FINEST: usize = HALF + 8;
/// Lenses shift the colours a little, too: so much was seen in photographs, with room above the most
/// (1.3 in the portraits, 1.1 in 99 of 100 modelled pictures), and says nothing.
const USUAL: f32 = 1.4;

/// By how much the strongest peak that turns one way rises above what lies around it and against it
/// (logarithm), beyond what photographs of faces have.
pub(super) fn strongest(image: &RgbImage, face: &Bounds) -> f32 {
    let turning = |[r, g, b]: [f32; 3]| (r - 0.5 * (g + b), 0.75_f32.sqrt() * (g - b));
    let power = over_the_face(image, face, turning);
    let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
    let places = places.filter(|&(x, y)| (COARSEST..FINEST).contains(&radius(x, y)));
    let one_way = places.map(|(x, y)| {
        let against = power.at(SIDE - x, SIDE - y);
        let more = ((power.at(x, y) + FAINT) / (against + FAINT)).ln();
        more.min(power.rise((x, y), FAINT))
    });
    (one_way.fold(0.0, f32::max) - USUAL).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const FACE: Bounds = Bounds { x: 40.0, y: 40.0, width: 100.0, height: 120.0 };

    fn seen(of: impl Fn(f32, f32) -> [f32; 3]) -> f32 {
        let image = RgbImage::from_fn(200, 200, |x, y| {
            let mixed = (x * 200 + y).wrapping_mul(0x9E37_79B1);
            let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x85EB_CA6B);
            let noise = (mixed ^ (mixed >> 13)) % 13;
            Rgb(of(x as f32, y as f32).map(|value| (value + noise as f32) as u8))
        });
        strongest(&image, &FACE)
    }

    #[test]
    fn the_stripes_of_a_screen_turn_and_those_of_a_shirt_do_not() {
        let third = std::f32::consts::TAU / 3.0;
        let wave = |x: f32, y: f32, at: f32| 110.0 + 6.0 * (0.9 * x + 0.1 * y + at).cos();
        let screen = seen(|x, y| [0.0, third, 2.0 * third].map(|at| wave(x, y, at)));
        let shirt = seen(|x, y| [wave(x, y, 0.0), 110.0, 220.0 - wave(x, y, 0.0)]);
        assert!(screen > 1.0, "{screen}");
        assert!(shirt == 0.0 && seen(|x, y| [60.0 + 0.3 * x + 0.2 * y; 3]) == 0.0, "{shirt}");
    }
}
