//! Finds faces: MediaPipe's BlazeFace, short range (Bazarevsky et al. 2019, arXiv:1907.05047).
//!
//! The network sees 128x128 pixels, so a face must fill about a tenth of what it is shown, and not all
//! of it. A picture is shown whole first; only if nothing is found, with room around it, then turned,
//! then in overlapping tiles, so that an ordinary picture costs one look.

use std::f32::consts::{FRAC_PI_2, PI};

use image::RgbImage;
use serde::{Deserialize, Serialize};

use crate::crop::{Channel, Crop};
use crate::geometry::{Affine, Point};
use crate::model::{Network, RunError};

const ANCHORS: usize = 896;
const VALUES: usize = 16;
/// A face that fills the picture is found with room around it of this many times the long side.
const ROOM: f32 = 1.5;
/// No box lies so far off or is so wide, in pixels; what is no number is neither.
const FARTHEST: f32 = 1e6;
/// Tiles of a quarter of the long side are looked at only in pictures longer than this: in a smaller
/// one a face that small has too few pixels to be described.
const LONG: u32 = 2048;

/// When a face counts as found.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DetectionLimits {
    /// Least score, 0..1.
    pub(crate) min_score: f32,
    /// Detections that overlap more (intersection over union) are one face.
    pub(crate) max_overlap: f32,
    /// A second face this many times as wide as the widest is a second person, not a bystander.
    pub(crate) second_face: f32,
}

/// A rectangle in a picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bounds {
    /// Left edge; may lie outside the picture.
    pub x: f32,
    /// Top edge; may lie outside the picture.
    pub y: f32,
    /// Width.
    pub width: f32,
    /// Height.
    pub height: f32,
}

impl Bounds {
    pub(crate) fn centre(&self) -> Point {
        Point::new(self.x + self.width / 2.0, self.y + self.height / 2.0)
    }

    /// The smallest rectangle around the points.
    pub(crate) fn around(points: impl Iterator<Item = Point> + Clone) -> Bounds {
        let low = |of: fn(Point) -> f32| points.clone().map(of).fold(f32::INFINITY, f32::min);
        let high = |of: fn(Point) -> f32| points.clone().map(of).fold(f32::NEG_INFINITY, f32::max);
        let (x, y) = (low(|p| p.x), low(|p| p.y));
        Bounds { x, y, width: high(|p| p.x) - x, height: high(|p| p.y) - y }
    }

    fn overlap(&self, other: &Bounds) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let common = width.max(0.0) * height.max(0.0);
        common / (self.width * self.height + other.width * other.height - common)
    }
}

/// A face as the detector sees it.
#[derive(Clone, Debug)]
pub(crate) struct Detection {
    pub(crate) score: f32,
    pub(crate) bounds: Bounds,
    /// Eyes, left and right in the picture.
    pub(crate) eyes: [Point; 2],
}

/// All faces of a picture, widest first.
pub(crate) fn find(
    network: &Network,
    image: &RgbImage,
    limits: &DetectionLimits,
) -> Result<Vec<Detection>, RunError> {
    for windows in LOOKS {
        let mut found = look(network, image, &windows(image), limits)?;
        if !found.is_empty() {
            found.sort_by(|a, b| b.bounds.width.total_cmp(&a.bounds.width));
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// How many of the faces, widest first, are as prominent as the first.
pub(crate) fn prominent(found: &[Detection], limits: &DetectionLimits) -> usize {
    let widest = found.first().map_or(0.0, |d| d.bounds.width);
    found.iter().filter(|d| !is_bystander(d, widest, limits)).count()
}

/// A limit that is no number lets nobody be overlooked.
fn is_bystander(face: &Detection, widest: f32, limits: &DetectionLimits) -> bool {
    face.bounds.width < limits.second_face * widest
}

/// A square of the picture, perhaps turned, which may reach over its edges.
#[derive(Clone, Copy)]
struct Window {
    centre: Point,
    side: f32,
    /// In radians, clockwise on the screen.
    angle: f32,
}

/// Where to look, one after another until a face is found.
const LOOKS: [fn(&RgbImage) -> Vec<Window>; 5] = [whole, with_room, turned, halves, quarters];

fn whole(image: &RgbImage) -> Vec<Window> {
    vec![window(image, 1.0, 0.0)]
}

fn with_room(image: &RgbImage) -> Vec<Window> {
    vec![window(image, ROOM, 0.0)]
}

/// A camera held on its side or upside down. Up to some sixty degrees the network needs no turn.
fn turned(image: &RgbImage) -> Vec<Window> {
    [FRAC_PI_2, PI, -FRAC_PI_2].map(|angle| window(image, 1.0, angle)).into()
}

fn window(image: &RgbImage, room: f32, angle: f32) -> Window {
    let (width, height) = (image.width() as f32, image.height() as f32);
    let centre = Point::new(width / 2.0, height / 2.0);
    Window { centre, side: room * width.max(height), angle }
}

fn halves(image: &RgbImage) -> Vec<Window> {
    tiles(image, 2.0)
}

fn quarters(image: &RgbImage) -> Vec<Window> {
    if image.width().max(image.height()) > LONG { tiles(image, 4.0) } else { Vec::new() }
}

/// Squares of a part of the long side that overlap by half.
fn tiles(image: &RgbImage, parts: f32) -> Vec<Window> {
    let side = image.width().max(image.height()) as f32 / parts;
    let centres = |length: u32| {
        let steps = (2.0 * (length as f32 - side) / side).ceil().max(0.0);
        (0..=steps as u32).map(move |i| match steps {
            0.0 => length as f32 / 2.0,
            _ => side / 2.0 + i as f32 * (length as f32 - side) / steps,
        })
    };
    let at = move |x, y| Window { centre: Point::new(x, y), side, angle: 0.0 };
    let row = |y| centres(image.width()).map(move |x| at(x, y));
    centres(image.height()).flat_map(row).collect()
}

fn look(
    network: &Network,
    image: &RgbImage,
    windows: &[Window],
    limits: &DetectionLimits,
) -> Result<Vec<Detection>, RunError> {
    let mut candidates = Vec::new();
    for window in windows {
        let side = network.side();
        let map = Affine::crop(window.centre, window.side, window.angle, side as f32);
        let input = Crop::sample(image, &map, side).planes(Channel::RGB, |v| v / 127.5 - 1.0);
        let [boxes, logits] = network.run(input, [ANCHORS * VALUES, ANCHORS])?;
        let found = boxes.chunks(VALUES).zip(&logits).zip(anchors());
        candidates.extend(
            found
                .map(|((values, &logit), anchor)| (values, sigmoid(logit), anchor))
                .filter(|(_, score, _)| *score >= limits.min_score)
                .filter_map(|(values, score, anchor)| decode(values, score, anchor, &map)),
        );
    }
    Ok(merge(candidates, limits.max_overlap))
}

/// The anchors' centres in the network's pixels: two for each cell of 8 pixels, then six for each
/// of 16, row by row.
fn anchors() -> impl Iterator<Item = Point> {
    let grid = |cell: usize, each: usize| {
        let cells = 128 / cell;
        (0..cells * cells * each).map(move |i| {
            let (x, y) = (i / each % cells, i / each / cells);
            Point::new((x as f32 + 0.5) * cell as f32, (y as f32 + 0.5) * cell as f32)
        })
    };
    grid(8, 2).chain(grid(16, 6))
}

/// Values: centre, size, then six key points as x, y; all in the network's pixels and all but the
/// size relative to the anchor. The box stays upright where the window is turned: it is nearly square.
fn decode(values: &[f32], score: f32, anchor: Point, map: &Affine) -> Option<Detection> {
    let [x, y, width, height, left_x, left_y, right_x, right_y, ..] = *values else { return None };
    let place = |x, y| map.apply(Point::new(anchor.x + x, anchor.y + y));
    let (width, height) = (width * map.stretch(), height * map.stretch());
    if width <= 0.0 || height <= 0.0 {
        return None;
    }
    let centre = place(x, y);
    let corner = Point::new(centre.x - width / 2.0, centre.y - height / 2.0);
    let bounds = Bounds { x: corner.x, y: corner.y, width, height };
    // A box that is no box is not even like itself: `merge` would never be done with it.
    if ![corner.x, corner.y, width, height].iter().all(|number| number.abs() < FARTHEST) {
        return None;
    }
    Some(Detection { score, bounds, eyes: [place(left_x, left_y), place(right_x, right_y)] })
}

/// Non-maximum suppression as BlazeFace does it: overlapping detections become their mean, weighted
/// by score.
fn merge(mut candidates: Vec<Detection>, max_overlap: f32) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut faces = Vec::new();
    while let Some(best) = candidates.first().cloned() {
        let (same, others) = candidates
            .into_iter()
            .partition(|d| d.bounds.overlap(&best.bounds) > max_overlap || d.bounds == best.bounds);
        candidates = others;
        faces.push(mean(&same, best.score));
    }
    faces
}

fn mean(same: &[Detection], score: f32) -> Detection {
    let total: f32 = same.iter().map(|d| d.score).sum();
    let of = |value: &dyn Fn(&Detection) -> f32| {
        same.iter().map(|d| d.score * value(d)).sum::<f32>() / total
    };
    let bounds = Bounds {
        x: of(&|d| d.bounds.x),
        y: of(&|d| d.bounds.y),
        width: of(&|d| d.bounds.width),
        height: of(&|d| d.bounds.height),
    };
    let left = Point::new(of(&|d| left(d).x), of(&|d| left(d).y));
    let right = Point::new(of(&|d| right(d).x), of(&|d| right(d).y));
    Detection { score, bounds, eyes: [left, right] }
}

fn left(detection: &Detection) -> Point {
    let [left, _] = detection.eyes;
    left
}

fn right(detection: &Detection) -> Point {
    let [_, right] = detection.eyes;
    right
}

pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Role;
    use crate::model::fake;

    const LIMITS: DetectionLimits =
        DetectionLimits { min_score: 0.5, max_overlap: 0.3, second_face: 0.5 };

    /// A detector that sees the given faces (anchor, values) in every window.
    fn seeing(faces: &'static [(usize, f32, [f32; 8])]) -> Network {
        fake::network(Role::Detection, 128, move |_| {
            let (mut boxes, mut logits) = (vec![0.0; ANCHORS * VALUES], vec![-9.0; ANCHORS]);
            for (anchor, logit, values) in faces {
                logits[*anchor] = *logit;
                boxes[anchor * VALUES..][..8].copy_from_slice(values);
            }
            vec![boxes, logits]
        })
    }

    const FACE: [f32; 8] = [0.0, 0.0, 32.0, 32.0, -8.0, -4.0, 8.0, -4.0];
    const SMALL: [f32; 8] = [0.0, 0.0, 8.0, 8.0, -2.0, -1.0, 2.0, -1.0];

    #[test]
    fn there_are_896_anchors_in_the_order_of_the_cells() {
        let all: Vec<_> = anchors().collect();
        assert_eq!(all.len(), ANCHORS);
        assert_eq!((all[0], all[2]), (Point::new(4.0, 4.0), Point::new(12.0, 4.0)));
        assert_eq!((all[512], all[895]), (Point::new(8.0, 8.0), Point::new(120.0, 120.0)));
    }

    #[test]
    fn a_face_is_placed_in_the_pixels_of_the_picture() {
        let image = RgbImage::new(256, 128);
        let found = find(&seeing(&[(0, 3.0, FACE)]), &image, &LIMITS).unwrap();
        let [face] = found.as_slice() else { panic!("one face") };
        assert_eq!((face.bounds.width, face.bounds.height), (64.0, 64.0));
        assert!(face.bounds.centre().distance(Point::new(8.0, -56.0)) < 1e-3);
        assert!(face.eyes[1].distance(Point::new(24.0, -64.0)) < 1e-3);
    }

    #[test]
    fn overlapping_detections_are_one_face_and_bystanders_do_not_count() {
        let faces = &[(0, 3.0, FACE), (1, 2.0, FACE), (890, 1.0, SMALL)];
        let found = find(&seeing(faces), &RgbImage::new(128, 128), &LIMITS).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(prominent(&found, &LIMITS), 1);
        let twins = &[(0, 3.0, FACE), (890, 1.0, FACE)];
        let found = find(&seeing(twins), &RgbImage::new(128, 128), &LIMITS).unwrap();
        assert_eq!(prominent(&found, &LIMITS), 2);
    }

    #[test]
    fn tiles_cover_the_picture_and_overlap() {
        let tiles = tiles(&RgbImage::new(400, 300), 2.0);
        assert_eq!(tiles.len(), 3 * 2);
        assert!(tiles.iter().all(|t| t.side == 200.0));
        let x: Vec<_> = tiles.iter().take(3).map(|t| t.centre.x).collect();
        assert_eq!(x, [100.0, 200.0, 300.0]);
        assert_eq!((tiles[0].centre.y, tiles[5].centre.y), (100.0, 200.0));
    }

    #[test]
    fn a_picture_is_turned_only_where_it_shows_no_face_upright() {
        // Sees a face where the top left corner of what it is shown is bright.
        let network = fake::network(Role::Detection, 128, |input| {
            let mut logits = vec![-9.0; ANCHORS];
            logits[0] = if input[0] > 0.0 { 9.0 } else { -9.0 };
            let boxes = FACE.iter().chain(&[0.0; 8]).copied().cycle().take(ANCHORS * VALUES);
            vec![boxes.collect(), logits]
        });
        let bright = |right: bool, low: bool| {
            RgbImage::from_fn(128, 128, |x, y| {
                image::Rgb([if (x >= 64) == right && (y >= 64) == low { 255 } else { 0 }; 3])
            })
        };
        let eyes = |right, low| {
            let found = find(&network, &bright(right, low), &LIMITS).unwrap();
            let [face] = found.as_slice() else { panic!("one face") };
            face.eyes[0].direction(face.eyes[1]).to_degrees().round()
        };
        assert_eq!(eyes(false, false), 0.0);
        assert_eq!(eyes(true, false), 90.0);
        assert_eq!(eyes(true, true).abs(), 180.0);
        assert_eq!(eyes(false, true), -90.0);
    }

    #[test]
    fn boxes_that_are_no_boxes_are_no_faces() {
        // proves D6
        let image = RgbImage::new(64, 64);
        for huge in [f32::MAX, -f32::MAX] {
            let network = fake::network(Role::Detection, 128, move |_| {
                vec![vec![huge; ANCHORS * VALUES], vec![9.0; ANCHORS]]
            });
            assert!(find(&network, &image, &LIMITS).unwrap().is_empty());
        }
        let limits = DetectionLimits { second_face: f32::NAN, ..LIMITS };
        let face = |width| Detection {
            score: 1.0,
            bounds: Bounds { x: 0.0, y: 0.0, width, height: width },
            eyes: [Point::default(); 2],
        };
        assert_eq!(prominent(&[face(50.0), face(10.0)], &limits), 2);
    }

    #[test]
    fn small_tiles_are_for_large_pictures() {
        assert!(quarters(&RgbImage::new(2048, 1000)).is_empty());
        let tiles = quarters(&RgbImage::new(4032, 3024));
        assert_eq!((tiles.len(), tiles[0].side), (7 * 5, 1008.0));
    }

    #[test]
    fn nothing_below_the_least_score_and_no_box_without_size() {
        let image = RgbImage::new(64, 64);
        assert!(find(&seeing(&[(0, -0.1, FACE)]), &image, &LIMITS).unwrap().is_empty());
        assert!(find(&seeing(&[(0, 9.0, [0.0; 8])]), &image, &LIMITS).unwrap().is_empty());
    }
}
