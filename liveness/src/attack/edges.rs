//! Straight edges beside the face: where a sheet of paper ends, or a screen's frame begins.

use image::RgbImage;

use super::{networks::onto, surroundings};
use crate::crop::Crop;
use crate::detect::Bounds;

/// The window is so many times as large as the face, and looked at in so many pixels.
const SCALE: f32 = 2.4;
const SIDE: usize = 96;
/// How far an edge may lean over the window, in pixels of it.
const LEAN: i32 = 14;
/// Contrast below this is noise.
const FAINT: f32 = 0.01;

/// How straight and strong the strongest edges on two sides of the face are, by how much they stand
/// out of what else changes in the window (logarithm).
pub(super) fn strongest(image: &RgbImage, face: &Bounds) -> [f32; 2] {
    let window = surroundings(image, face, SCALE);
    let light = Crop::sample(image, &onto(&window, SIDE), SIDE).luma();
    let unit = SIDE as f32;
    let along = |place: f32, from: f32, length: f32| ((place - from) / length * unit) as i32;
    let (left, right) =
        (along(face.x, window.x, window.width), along(face.x + face.width, window.x, window.width));
    let (top, bottom) = (
        along(face.y, window.y, window.height),
        along(face.y + face.height, window.y, window.height),
    );
    let turned: Vec<f32> = (0..SIDE * SIDE)
        .filter_map(|at| light.get(at % SIDE * SIDE + at / SIDE))
        .copied()
        .collect();
    let (upright, level) = (Changes::across(&light), Changes::across(&turned));
    let mut sides = [
        upright.best(0..left, top..bottom),
        upright.best(right..SIDE as i32, top..bottom),
        level.best(0..top, left..right),
        level.best(bottom..SIDE as i32, left..right),
    ];
    sides.sort_by(|a, b| b.total_cmp(a));
    let [first, second, ..] = sides;
    [first, second]
}

/// From each pixel of a row to the next but one.
struct Changes {
    values: Vec<f32>,
    usual: f32,
}

impl Changes {
    fn across(light: &[f32]) -> Changes {
        let mut values = vec![0.0; light.len()];
        for (row, out) in light.chunks(SIDE).zip(values.chunks_mut(SIDE)) {
            for (three, change) in row.windows(3).zip(out.iter_mut().skip(1)) {
                if let [before, _, after] = three {
                    *change = after - before;
                }
            }
        }
        let usual = values.iter().map(|v| v.abs()).sum::<f32>() / values.len().max(1) as f32;
        Changes { values, usual }
    }

    /// The strongest line that crosses these rows within these columns.
    fn best(&self, columns: std::ops::Range<i32>, rows: std::ops::Range<i32>) -> f32 {
        let rows = rows.start.clamp(0, SIDE as i32)..rows.end.clamp(0, SIDE as i32);
        let columns = columns.start.max(0)..columns.end.min(SIDE as i32);
        let lines = columns.flat_map(|from| (-LEAN..=LEAN).map(move |lean| (from, lean)));
        let strongest = lines.map(|line| self.along(line, rows.clone())).fold(0.0, f32::max);
        ((strongest + FAINT) / (self.usual + FAINT)).ln()
    }

    /// The mean change along a line, which only an edge of one kind all along has.
    fn along(&self, (from, lean): (i32, i32), rows: std::ops::Range<i32>) -> f32 {
        let count = rows.len().max(1) as f32;
        let changes = rows.map(|y| {
            let x = from + lean * y / SIDE as i32;
            let place = (0..SIDE as i32).contains(&x).then_some((y * SIDE as i32 + x) as usize);
            place.and_then(|place| self.values.get(place)).copied().unwrap_or_default()
        });
        (changes.sum::<f32>() / count).abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const FACE: Bounds = Bounds { x: 80.0, y: 80.0, width: 100.0, height: 100.0 };

    fn seen(of: impl Fn(i64, i64) -> bool) -> [f32; 2] {
        let image = RgbImage::from_fn(260, 260, |x, y| {
            let noise = ((x * 7919 + y * 104_729) % 40) as u8;
            Rgb([if of(x.into(), y.into()) { 200 } else { 60 } + noise; 3])
        });
        strongest(&image, &FACE)
    }

    #[test]
    fn a_leaning_sheet_has_edges_and_a_crowd_of_patches_has_none() {
        let [patch, _] = seen(|x, y| (x / 9 + y / 9) % 2 == 0);
        let [one, no_second] = seen(|x, y| x > 40 + y / 12);
        let [_, second] = seen(|x, y| x > 40 + y / 12 && y > 50 - x / 14);
        assert!(one > patch + 1.0, "{one} {patch}");
        assert!(second > no_second + 1.0, "{second} {no_second}");
    }
}
