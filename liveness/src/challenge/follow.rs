//! Points of the face followed from one picture to another by what they look like.
//!
//! The landmark network tells where a face's points should be; where the skin is that was there before,
//! only the pictures tell. Around each point of the straight face lies a patch; near where the network has
//! the point on the turned face, the place is sought whose patch correlates best with it (normalised
//! cross-correlation: light that grows, or changes its colour on skin of one colour, drops out). Between
//! pixels a parabola through the neighbours gives the place. A nose that is painted moves with the paint.
//!
//! Both pictures are made so small that the eyes are [`EYES`] pixels apart: what it costs does not
//! depend on how near somebody sits.

use image::RgbImage;
use image::imageops::{FilterType, resize};
use serde::Serialize;

use super::relief::{Axis, Moved, Relief, robust_relief};
use crate::geometry::Point;
use crate::mesh::Mesh;

/// Pixels between the eyes, at the most.
const EYES: f32 = 60.0;
/// Half a patch, and how far from where the network has it a point is sought: in distances between
/// the eyes.
const PATCH: f32 = 0.13;
const REACH: f32 = 0.2;
/// First every second place is looked at, then those around the best.
const STEP: i32 = 2;
/// Every so many of the 468 points are followed.
const EVERY: usize = 2;
/// Less like it than this is not found.
const ALIKE: f32 = 0.8;
/// A patch whose brightness varies less is skin like any other: standard deviation against the mean.
const PLAIN: f32 = 0.02;
/// With fewer points found nothing is told.
const LEAST: usize = 40;

/// What became of the points of one turn's frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Followed {
    /// Their relief, and twice its standard error; absent where it could not be told.
    pub relief: Option<Relief>,
    /// How many were found again.
    pub found: u32,
    /// How many lie in skin like any other.
    pub plain: u32,
    /// How many are not there again, or at the edge of where they were sought.
    pub lost: u32,
    /// The frames.
    pub frames: [u32; 2],
    /// Pixels between the eyes, as they came.
    pub eyes_px: f32,
}

/// A face that looks straight, or has turned.
pub(super) struct Seen<'a> {
    pub(super) number: u32,
    pub(super) image: &'a RgbImage,
    pub(super) mesh: &'a Mesh,
}

/// Follows the points of the straight face to the turned one.
pub(super) fn follow(straight: &Seen<'_>, turned: &Seen<'_>, axis: Axis) -> Followed {
    let frames = [straight.number, turned.number];
    let eyes_px = straight.mesh.inter_eye();
    let mut followed = Followed { frames, eyes_px, ..Followed::default() };
    // The turned face as small as the straight one: a patch keeps its size.
    let scale = (EYES / eyes_px).min(1.0);
    let (Some(before), Some(after)) =
        (Plane::of(straight.image, scale), Plane::of(turned.image, scale))
    else {
        return followed;
    };
    let search = Search { plane: &after, unit: eyes_px * scale };
    let [own, other] = [straight, turned].map(|seen| Frame::of(seen.mesh));
    let mut moved = Vec::new();
    for ([x, y, z], near) in straight.mesh.places().zip(turned.mesh.points()).step_by(EVERY) {
        let middle = ((x * scale) as i32, (y * scale) as i32);
        let Some(wanted) = before.patch(middle, search.half()) else {
            followed.plain += 1;
            continue;
        };
        let Some(place) = search.seek(&wanted, Point::new(near.x * scale, near.y * scale)) else {
            followed.lost += 1;
            continue;
        };
        followed.found += 1;
        // Its patch was cut out around the middle of a pixel.
        let to = [x * scale - middle.0 as f32, y * scale - middle.1 as f32];
        let to = other.free(Point::new((place.x + to[0]) / scale, (place.y + to[1]) / scale));
        let from = own.free(Point::new(x, y));
        let to = match axis {
            Axis::Across => to.x,
            Axis::Along => to.y,
        };
        moved.push(Moved { from: [from.x, from.y, z / eyes_px].map(f64::from), to: to.into() });
    }
    followed.relief = (moved.len() >= LEAST).then(|| robust_relief(&moved)).flatten();
    followed
}

/// The brightness of a picture, with what makes means and deviations quick.
struct Plane {
    width: i32,
    height: i32,
    values: Vec<f32>,
    /// Of all values above and to the left of a corner: their sum, and that of their squares.
    sums: Vec<[f64; 2]>,
}

/// A patch less its mean, of length 1.
struct Patch(Vec<f32>);

impl Plane {
    /// None of a picture that becomes nothing.
    fn of(image: &RgbImage, scale: f32) -> Option<Plane> {
        let [width, height] =
            [image.width(), image.height()].map(|side| (side as f32 * scale).round() as u32);
        if width == 0 || height == 0 {
            return None;
        }
        let small = resize(image, width, height, FilterType::Triangle);
        let brightness = |pixel: &image::Rgb<u8>| pixel.0.map(f32::from).iter().sum::<f32>() / 3.0;
        let values: Vec<f32> = small.pixels().map(brightness).collect();
        let (columns, mut sums) = (width as usize, Vec::with_capacity(values.len()));
        let mut above = vec![[0.0; 2]; columns + 1];
        sums.extend_from_slice(&above);
        for row in values.chunks(columns) {
            let mut left = [0.0; 2];
            for (above, value) in above.iter_mut().skip(1).zip(row) {
                let value = f64::from(*value);
                left = [left[0] + value, left[1] + value * value];
                *above = [above[0] + left[0], above[1] + left[1]];
            }
            sums.extend_from_slice(&above);
        }
        Some(Plane { width: width as i32, height: height as i32, values, sums })
    }

    fn inside(&self, (x, y): (i32, i32), half: i32) -> bool {
        let fits = |place: i32, side: i32| place >= half && place < side - half;
        fits(x, self.width) && fits(y, self.height)
    }

    fn row(&self, x: i32, y: i32, half: i32) -> &[f32] {
        let from = (y * self.width + x - half) as usize;
        self.values.get(from..=from + 2 * half as usize).unwrap_or_default()
    }

    /// The mean, and the square root of the sum of squares about it.
    fn spread(&self, (x, y): (i32, i32), half: i32) -> (f32, f32) {
        let corner = |x: i32, y: i32| {
            self.sums.get((y * (self.width + 1) + x) as usize).copied().unwrap_or([f64::NAN; 2])
        };
        let [left, right, top, bottom] = [x - half, x + half + 1, y - half, y + half + 1];
        let corners =
            [(right, bottom, 1.0), (left, bottom, -1.0), (right, top, -1.0), (left, top, 1.0)];
        let [sum, squares] = corners.iter().fold([0.0; 2], |[sum, squares], (x, y, sign)| {
            let [own, square] = corner(*x, *y);
            [sum + sign * own, squares + sign * square]
        });
        let count = f64::from((2 * half + 1).pow(2));
        let mean = sum / count;
        (mean as f32, (squares - count * mean * mean).max(0.0).sqrt() as f32)
    }

    /// None beyond the edge and in skin like any other.
    fn patch(&self, at: (i32, i32), half: i32) -> Option<Patch> {
        if !self.inside(at, half) {
            return None;
        }
        let (mean, length) = self.spread(at, half);
        let side = (2 * half + 1) as f32;
        if !(length / side >= PLAIN * mean && length > 0.0) {
            return None;
        }
        let rows = (at.1 - half..=at.1 + half).flat_map(|y| self.row(at.0, y, half));
        Some(Patch(rows.map(|value| (value - mean) / length).collect()))
    }

    /// How like a patch the place is, -1 to 1; less than that where it cannot be told.
    fn alike(&self, wanted: &Patch, at: (i32, i32), half: i32) -> f32 {
        if !self.inside(at, half) {
            return f32::NEG_INFINITY;
        }
        let (_, length) = self.spread(at, half);
        let rows = wanted.0.chunks((2 * half + 1) as usize);
        // What is wanted has no mean: that of the place drops out.
        let product: f32 =
            rows.zip(at.1 - half..).map(|(row, y)| product(row, self.row(at.0, y, half))).sum();
        if length > 0.0 { product / length } else { f32::NEG_INFINITY }
    }
}

/// Summed up in eight columns, which a processor does at once.
fn product(one: &[f32], other: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (ones, others) = (one.chunks_exact(8), other.chunks_exact(8));
    let rest: f32 = ones.remainder().iter().zip(others.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in ones.zip(others) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    rest + sums.iter().sum::<f32>()
}

/// Where points are sought.
struct Search<'a> {
    plane: &'a Plane,
    /// Pixels between the eyes.
    unit: f32,
}

impl Search<'_> {
    fn half(&self) -> i32 {
        (PATCH * self.unit).round().max(2.0) as i32
    }

    /// Where the patch is near `at`, by the upper left corner of its middle pixel.
    fn seek(&self, wanted: &Patch, at: Point) -> Option<Point> {
        let reach = (REACH * self.unit).round() as i32;
        let (x, y) = (at.x as i32, at.y as i32);
        let score = |place: (i32, i32)| self.plane.alike(wanted, place, self.half());
        let coarse = self.best((x, y), reach, STEP, &score)?;
        let best = self.best(coarse, STEP - 1, 1, &score)?;
        let (column, row) = best;
        let most = score(best);
        // At the edge of where it was sought it may lie beyond.
        let within = (column - x).abs() < reach && (row - y).abs() < reach;
        if !(most >= ALIKE && within) {
            return None;
        }
        let across = peak(score((column - 1, row)), most, score((column + 1, row)));
        let along = peak(score((column, row - 1)), most, score((column, row + 1)));
        Some(Point::new(column as f32 + across, row as f32 + along))
    }

    /// The place with the greatest score among those around one.
    fn best(
        &self,
        (x, y): (i32, i32),
        reach: i32,
        step: i32,
        score: &impl Fn((i32, i32)) -> f32,
    ) -> Option<(i32, i32)> {
        let around = |middle: i32| {
            (-reach..=reach).step_by(step as usize).map(move |by| middle.saturating_add(by))
        };
        let places = around(y).flat_map(|row| around(x).map(move |column| (column, row)));
        let scored = places.map(|place| (place, score(place)));
        scored.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
    }
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

    /// What is seen when each place of the face has moved by `moved`, across or along.
    fn picture(axis: Axis, moved: impl Fn(f32, f32) -> f32, light: f32) -> RgbImage {
        RgbImage::from_fn(360, 480, |x, y| {
            let (x, y) = (x as f32 + 0.5 - 180.0, y as f32 + 0.5 - 240.0);
            let near = |place: f32| place.clamp(-70.0, 70.0);
            let value = match axis {
                Axis::Across => {
                    let from = (0..30).fold(x, |from, _| x - moved(near(from), near(y)));
                    marks(from, y, light)
                }
                Axis::Along => {
                    let from = (0..30).fold(y, |from, _| y - moved(near(x), near(from)));
                    marks(x, from, light)
                }
            };
            image::Rgb([value; 3])
        })
    }

    /// The face straight, and where a network has its points once it turned: as those of a head,
    /// whatever is there.
    fn meshes(axis: Axis, sine: f32) -> [Mesh; 2] {
        let place = |by: f32| {
            let moved = |[x, y, z]: [f32; 3]| match axis {
                Axis::Across => [x - by * depth(x, y) + 180.0, y + 240.0, z],
                Axis::Along => [x + 180.0, y - by * depth(x, y) + 240.0, z],
            };
            Mesh::of(&head(false).into_iter().map(moved).collect::<Vec<_>>())
        };
        [place(0.0), place(sine)]
    }

    fn found(axis: Axis, sine: f32, moved: impl Fn(f32, f32) -> f32) -> Relief {
        let [straight, turned] = meshes(axis, sine);
        let (before, after) = (picture(axis, |_, _| 0.0, 1.0), picture(axis, moved, 0.8));
        let straight = Seen { number: 0, image: &before, mesh: &straight };
        let turned = Seen { number: 1, image: &after, mesh: &turned };
        let followed = follow(&straight, &turned, axis);
        followed.relief.unwrap_or_else(|| panic!("{followed:?}"))
    }

    #[test]
    fn a_head_that_turns_shows_its_relief_whichever_way() {
        for axis in [Axis::Across, Axis::Along] {
            for sine in [TURN, -TURN] {
                let head = found(axis, sine, |x, y| -sine * depth(x, y));
                // On the sides of so steep a nose patches are drawn out by half, and are lost.
                let part = head.relief / sine;
                assert!((0.7..1.15).contains(&part), "{axis:?} {sine}: {head:?}");
            }
        }
    }

    #[test]
    fn paint_shows_none_wherever_a_network_has_the_points() {
        // proves D3
        for axis in [Axis::Across, Axis::Along] {
            let none = |moved: fn(f32, f32) -> f32| {
                let sheet = found(axis, TURN, moved);
                assert!(sheet.relief.abs() < 0.08, "{axis:?}: {sheet:?}");
            };
            none(|x, y| -TURN * (x * x + y * y) / 90.0);
            none(|x, y| 3.0 - 0.04 * x + 0.03 * y);
            // Folded along the nose, to either side and across.
            none(|x, _| -TURN * 0.5 * x.abs());
            none(|_, y| -TURN * 0.5 * y.abs());
        }
    }

    #[test]
    fn what_is_not_there_again_is_not_followed() {
        let [straight, turned] = meshes(Axis::Across, TURN);
        let before = picture(Axis::Across, |_, _| 0.0, 1.0);
        let blank = RgbImage::from_pixel(360, 480, image::Rgb([128; 3]));
        let small = RgbImage::new(3, 3);
        let pairs = [(&before, &blank), (&blank, &before), (&before, &small), (&small, &small)];
        for (one, other) in pairs {
            let straight = Seen { number: 0, image: one, mesh: &straight };
            let turned = Seen { number: 1, image: other, mesh: &turned };
            let followed = follow(&straight, &turned, Axis::Across);
            assert_eq!((followed.relief, followed.found), (None, 0));
        }
    }

    #[test]
    fn a_face_that_fills_the_picture_costs_no_more() {
        let large = |[x, y, z]: [f32; 3]| [5.0 * x + 320.0, 5.0 * y + 545.0, 5.0 * z];
        let mesh = Mesh::of(&head(false).into_iter().map(large).collect::<Vec<_>>());
        let search = Search { plane: &Plane::of(&RgbImage::new(9, 9), 1.0).unwrap(), unit: EYES };
        assert!(mesh.inter_eye() > EYES && search.half() <= 8);
        let image = RgbImage::from_fn(640, 1090, |x, y| {
            image::Rgb([marks(x as f32 / 5.0, y as f32 / 5.0, 1.0); 3])
        });
        let seen = || Seen { number: 0, image: &image, mesh: &mesh };
        let followed = follow(&seen(), &seen(), Axis::Across);
        let relief = followed.relief.unwrap();
        assert!(relief.relief.abs() < 0.02, "{followed:?}");
    }
}
