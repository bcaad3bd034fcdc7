//! Points of the face followed from one picture to another by what they look like.
//!
//! The landmark network tells where a face's points should be; where the skin is that was there before,
//! only the pictures tell. Around each point of the straight face lies a patch; near where the network has
//! the point on the turned face, the place is sought whose patch correlates best with it (normalised
//! cross-correlation, so that light which grows or changes its colour drops out). Between pixels a
//! parabola through the neighbours gives the place. A nose that is painted moves with the paint.

use image::RgbImage;

use super::relief::{Axis, Moved};
use crate::geometry::Point;
use crate::mesh::Mesh;

/// Half a patch, and how far from where the network has it a point is sought: in distances between
/// the eyes.
const PATCH: f32 = 0.13;
const REACH: f32 = 0.2;
/// Less like it than this is not found.
const ALIKE: f32 = 0.8;
/// A patch whose brightness varies less is skin like any other: standard deviation, levels of 256.
const PLAIN: f32 = 3.0;
/// With fewer points found nothing is told.
const LEAST: usize = 60;

/// The brightness of a picture.
struct Plane {
    width: i32,
    height: i32,
    values: Vec<f32>,
}

impl Plane {
    fn of(image: &RgbImage) -> Plane {
        let values = image.pixels().map(|pixel| pixel.0.map(f32::from).iter().sum::<f32>() / 3.0);
        Plane {
            width: image.width() as i32,
            height: image.height() as i32,
            values: values.collect(),
        }
    }

    /// The values around a pixel less their mean, of length 1, with their standard deviation; none
    /// beyond the edge.
    fn patch(&self, (x, y): (i32, i32), half: i32) -> Option<(Vec<f32>, f32)> {
        let inside = x >= half && y >= half && x + half < self.width && y + half < self.height;
        if !inside {
            return None;
        }
        let row = |row: i32| {
            let from = (row * self.width + x - half) as usize;
            self.values.get(from..=from + 2 * half as usize)
        };
        let mut patch = Vec::new();
        for y in y - half..=y + half {
            patch.extend_from_slice(row(y)?);
        }
        let count = patch.len() as f32;
        let mean = patch.iter().sum::<f32>() / count;
        patch.iter_mut().for_each(|value| *value -= mean);
        let length = patch.iter().map(|value| value * value).sum::<f32>().sqrt();
        patch.iter_mut().for_each(|value| *value /= length.max(f32::MIN_POSITIVE));
        Some((patch, length / count.sqrt()))
    }
}

fn alike(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// A face that looks straight, or has turned.
pub(super) struct Seen<'a> {
    pub(super) image: &'a RgbImage,
    pub(super) mesh: &'a Mesh,
}

/// The points that are found again, with their places free of the faces' places, sizes and tilts. None
/// where too few are.
pub(super) fn follow(straight: &Seen<'_>, turned: &Seen<'_>, axis: Axis) -> Option<Vec<Moved>> {
    let planes = [straight, turned].map(|seen| Plane::of(seen.image));
    let [before, after] = &planes;
    let frame = Frame::of(straight.mesh);
    let unit = straight.mesh.inter_eye();
    let half = (PATCH * unit).round().max(2.0) as i32;
    let reach = (REACH * unit).round() as i32;
    let others = turned.mesh.points();
    let mut found = Vec::new();
    for ([x, y, z], other) in straight.mesh.places().zip(others) {
        let Some((wanted, varies)) = before.patch((x as i32, y as i32), half) else { continue };
        if varies < PLAIN {
            continue;
        }
        let Some(place) = seek(after, &wanted, other, half, reach) else { continue };
        // From the middle of the pixel that its patch was cut out around.
        let off = Point::new(x - x.trunc(), y - y.trunc());
        let moved = Frame::of(turned.mesh).free(Point::new(place.x + off.x, place.y + off.y));
        let from = frame.free(Point::new(x, y));
        let to = match axis {
            Axis::Across => moved.x,
            Axis::Along => moved.y,
        };
        let from = [from.x, from.y, z / unit].map(f64::from);
        found.push(Moved { from, to: to.into() });
    }
    (found.len() >= LEAST).then_some(found)
}

/// Where the patch is near `at`: its middle pixel's upper left corner.
fn seek(plane: &Plane, wanted: &[f32], at: Point, half: i32, reach: i32) -> Option<Point> {
    let side = 2 * reach + 1;
    let (left, top) = (at.x as i32 - reach, at.y as i32 - reach);
    let score = |nth: i32| {
        let patch = plane.patch((left + nth % side, top + nth / side), half);
        patch.map_or(f32::NEG_INFINITY, |(patch, _)| alike(wanted, &patch))
    };
    let scores: Vec<f32> = (0..side * side).map(score).collect();
    let (best, most) = (0..).zip(&scores).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let (best, most): (i32, f32) = (best, *most);
    let (column, row) = (best % side, best / side);
    // At the edge of where it was sought it may lie beyond.
    let within = |place: i32| place > 0 && place < side - 1;
    if most < ALIKE || !within(column) || !within(row) {
        return None;
    }
    let near = |step: i32| scores.get((best + step) as usize).copied();
    let x = (left + column) as f32 + peak(near(-1)?, most, near(1)?);
    let y = (top + row) as f32 + peak(near(-side)?, most, near(side)?);
    Some(Point::new(x, y))
}

/// Where between -½ and ½ a parabola through three values has its top.
fn peak(before: f32, at: f32, after: f32) -> f32 {
    let bend = 2.0 * at - before - after;
    if bend > 0.0 && bend.is_finite() {
        (0.5 * (after - before) / bend).clamp(-0.5, 0.5)
    } else {
        0.0
    }
}

/// The place, size and tilt of a face.
struct Frame {
    middle: Point,
    sin: f32,
    cos: f32,
    unit: f32,
}

impl Frame {
    fn of(mesh: &Mesh) -> Frame {
        let (sin, cos) = mesh.tilt().sin_cos();
        Frame { middle: mesh.bounds().centre(), sin, cos, unit: mesh.inter_eye() }
    }

    fn free(&self, point: Point) -> Point {
        let (x, y) = (point.x - self.middle.x, point.y - self.middle.y);
        let (x, y) = (x * self.cos + y * self.sin, y * self.cos - x * self.sin);
        Point::new(x / self.unit, y / self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::challenge::relief::robust_relief;
    use crate::challenge::sight::tests::head;

    /// The sine of the turn.
    const TURN: f32 = 0.3;

    /// Something else at every node of a lattice.
    fn node(x: i32, y: i32) -> f32 {
        let mixed =
            (x.wrapping_mul(73_856_093) ^ y.wrapping_mul(19_349_663)).wrapping_mul(83_492_791);
        ((mixed >> 8) & 0xFF) as f32 - 127.5
    }

    /// Skin with marks that are nowhere twice, lit differently.
    fn marks(x: f32, y: f32, light: f32) -> u8 {
        let (x, y) = (x / 6.0, y / 6.0);
        let ease = |part: f32| part * part * (3.0 - 2.0 * part);
        let (dx, dy) = (ease(x - x.floor()), ease(y - y.floor()));
        let at = |i: i32, j: i32| node(x.floor() as i32 + i, y.floor() as i32 + j);
        let above = at(0, 0) * (1.0 - dx) + at(1, 0) * dx;
        let below = at(0, 1) * (1.0 - dx) + at(1, 1) * dx;
        (light * (120.0 + 0.6 * (above * (1.0 - dy) + below * dy))) as u8
    }

    fn depth(x: f32, y: f32) -> f32 {
        (x * x + y * y) / 90.0 - 35.0 * (-(x * x + (y - 5.0) * (y - 5.0)) / 300.0).exp()
    }

    /// What is seen when each place of the face has moved across by `moved`.
    fn picture(moved: impl Fn(f32, f32) -> f32, light: f32) -> RgbImage {
        RgbImage::from_fn(360, 480, |x, y| {
            let (x, y) = (x as f32 + 0.5 - 180.0, y as f32 + 0.5 - 240.0);
            let from =
                (0..30).fold(x, |from, _| x - moved(from.clamp(-70.0, 70.0), y.clamp(-70.0, 70.0)));
            let value = marks(from, y, light);
            image::Rgb([value; 3])
        })
    }

    /// The face straight, and where a network has its points once it turned: as those of a head,
    /// whatever is there.
    fn meshes() -> [Mesh; 2] {
        let place = |by: f32| {
            let points = head(false).into_iter();
            let points = points.map(|[x, y, z]| [x - by * depth(x, y) + 180.0, y + 240.0, z]);
            Mesh::of(&points.collect::<Vec<_>>())
        };
        [place(0.0), place(TURN)]
    }

    fn found(moved: impl Fn(f32, f32) -> f32) -> f32 {
        let [straight, turned] = meshes();
        let (before, after) = (picture(|_, _| 0.0, 1.0), picture(moved, 0.8));
        let straight = Seen { image: &before, mesh: &straight };
        let turned = Seen { image: &after, mesh: &turned };
        robust_relief(&follow(&straight, &turned, Axis::Across).unwrap())
    }

    #[test]
    fn a_head_that_turns_shows_its_relief() {
        let head = found(|x, y| -TURN * depth(x, y));
        // On the sides of so steep a nose patches are drawn out by half, and are lost.
        assert!((0.8 * TURN..1.1 * TURN).contains(&head), "{head}");
    }

    #[test]
    fn paint_shows_none_wherever_a_network_has_the_points() {
        // proves D3
        let bent = found(|x, y| -TURN * (x * x + y * y) / 90.0);
        assert!(bent.abs() < 0.05, "{bent}");
        let moved = found(|x, _| 3.0 - 0.06 * x);
        assert!(moved.abs() < 0.05, "{moved}");
    }

    #[test]
    fn what_is_not_there_again_is_not_followed() {
        let [straight, turned] = meshes();
        let before = picture(|_, _| 0.0, 1.0);
        let blank = RgbImage::from_pixel(360, 480, image::Rgb([128; 3]));
        let small = RgbImage::new(3, 3);
        for (one, other) in
            [(&before, &blank), (&blank, &before), (&before, &small), (&small, &small)]
        {
            let straight = Seen { image: one, mesh: &straight };
            let turned = Seen { image: other, mesh: &turned };
            assert!(follow(&straight, &turned, Axis::Across).is_none());
        }
    }
}
