//! From what the first locator saw of the whole picture to the zone in which the lines are.

use super::{
    blobs::{Blob, Maps, Spot, blobs},
    geometry::{Grid, Point},
};

/// What the second locator takes, in pixels.
pub(super) const ZONE: (usize, usize) = (512, 128);
/// The share of its columns that the longest line fills.
const FILLED: f32 = 0.8;
/// How many zones are tried.
const ZONES: usize = 3;
/// Lines lie no further from one another than this share of their length: on a card three of 30
/// characters, 5 to 6.4 mm apart (ICAO 9303-5 §3.2).
const REACH: f32 = 0.3;

/// Where lines are: the middle, the direction of reading (of length 1), and the length along it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zone {
    pub(super) middle: Point,
    pub(super) along: Point,
    pub(super) length: f32,
}

impl Zone {
    /// The grid over the picture that the second locator looks at.
    pub(super) fn grid(&self) -> Grid {
        let step = self.length / (FILLED * ZONE.0 as f32);
        let (across, down) = (self.along.times(step), self.along.turned().times(step));
        let corner =
            self.middle.plus(across, -(ZONE.0 as f32) / 2.0).plus(down, -(ZONE.1 as f32) / 2.0);
        Grid { corner, across, down }
    }
}

/// The zones of a map, the likeliest first, in places of the map.
pub(super) fn zones(maps: &Maps<'_>) -> Vec<Zone> {
    let mut blobs = blobs(maps);
    let mut found = Vec::new();
    while found.len() < ZONES && !blobs.is_empty() {
        let heaviest = blobs.remove(0);
        let frame = Frame::of(&heaviest);
        let (near, far) = blobs.into_iter().partition(|blob| frame.reaches(blob));
        blobs = far;
        found.push(zone(&heaviest, &near));
    }
    found
}

/// A blob's own axes: along its direction of reading, and how far it reaches.
struct Frame {
    along: Point,
    extent: (f32, f32),
    across: (f32, f32),
}

impl Frame {
    fn of(blob: &Blob) -> Self {
        Self::over(direction(blob), &blob.places)
    }

    fn over(along: Point, places: &[Spot]) -> Self {
        Self { along, extent: extent(places, along), across: extent(places, along.turned()) }
    }

    fn length(&self) -> f32 {
        self.extent.1 - self.extent.0 + 1.0
    }

    /// Whether a blob may be another line, or another part of the line.
    fn reaches(&self, blob: &Blob) -> bool {
        let other = Self::over(self.along, &blob.places);
        let reach = REACH * self.length();
        let apart = (other.extent.0 - self.extent.1).max(self.extent.0 - other.extent.1);
        let beside = (other.across.0 - self.across.1).max(self.across.0 - other.across.1);
        direction(blob).dot(self.along) > 0.7 && apart < reach && beside < reach
    }
}

/// The direction of reading: that in which the blob is long, where it is, and the network's word for
/// which way along it.
fn direction(blob: &Blob) -> Point {
    let seen = blob.along.unit();
    match axis(&blob.places) {
        Some(axis) if axis.dot(seen) < 0.0 => axis.times(-1.0),
        Some(axis) => axis,
        None => seen,
    }
}

/// The first principal axis of places that are at least twice as long as wide.
fn axis(places: &[Spot]) -> Option<Point> {
    let count = places.len() as f32;
    let sum = places.iter().fold(Point { x: 0.0, y: 0.0 }, |sum, seen| sum.plus(seen.at, 1.0));
    let middle = sum.times(1.0 / count);
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    for seen in places {
        let from = seen.at.plus(middle, -1.0);
        (xx, xy, yy) = (xx + from.x * from.x, xy + from.x * from.y, yy + from.y * from.y);
    }
    let (half, apart) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
    let turn = xy.atan2((xx - yy) / 2.0) / 2.0;
    (half + apart > 4.0 * (half - apart)).then(|| Point { x: turn.cos(), y: turn.sin() })
}

fn zone(heaviest: &Blob, near: &[Blob]) -> Zone {
    let along = direction(heaviest);
    let places: Vec<Spot> = std::iter::once(heaviest)
        .chain(near)
        .flat_map(|blob| blob.places.iter().copied())
        .collect();
    let frame = Frame::over(along, &places);
    let half = |(from, to): (f32, f32)| (from + to) / 2.0;
    let origin = Point { x: 0.0, y: 0.0 };
    let middle = origin.plus(along, half(frame.extent)).plus(along.turned(), half(frame.across));
    Zone { middle, along, length: frame.length() }
}

/// How far places reach along a direction.
fn extent(places: &[Spot], along: Point) -> (f32, f32) {
    let reach = places.iter().map(|seen| seen.at.dot(along));
    reach.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Maps with lines from (x, y), so long, at a slope, read to the right or to the left.
    fn zones_of(lines: &[(f32, f32, f32, f32)], reading: f32) -> Vec<Zone> {
        let (width, height) = (192, 192);
        let mut core = vec![-5.0; width * height];
        for (x, y, length, slope) in lines {
            for step in 0..*length as usize {
                for thick in 0..3 {
                    let row = (y + slope * step as f32) as usize + thick;
                    core[row * width + *x as usize + step] = 5.0;
                }
            }
        }
        let slope = lines[0].3;
        let unit = Point { x: 1.0, y: slope }.unit().times(reading);
        let (cosine, sine) = (vec![unit.x; core.len()], vec![unit.y; core.len()]);
        zones(&Maps { width, core: &core, cosine: &cosine, sine: &sine })
    }

    #[test]
    fn two_lines_and_a_part_of_one_are_one_zone() {
        let found = zones_of(
            &[(20.0, 100.0, 60.0, 0.1), (95.0, 107.5, 50.0, 0.1), (20.0, 110.0, 120.0, 0.1)],
            1.0,
        );
        assert_eq!(found.len(), 1);
        let zone = found[0];
        assert!((zone.length - 126.0).abs() < 4.0, "{zone:?}");
        assert!(zone.middle.distance(Point { x: 82.0, y: 113.0 }) < 3.0, "{zone:?}");
    }

    #[test]
    fn what_lies_far_away_is_another_zone() {
        let found = zones_of(&[(20.0, 30.0, 60.0, 0.0), (20.0, 150.0, 80.0, 0.0)], 1.0);
        assert_eq!(found.len(), 2);
        assert!(found[0].middle.y > 140.0, "the heavier first");
    }

    #[test]
    fn upside_down_the_zone_is_read_from_right_to_left() {
        let zone = zones_of(&[(20.0, 30.0, 100.0, 0.0), (20.0, 40.0, 100.0, 0.0)], -1.0)[0];
        assert!(zone.along.x < -0.99);
        let grid = zone.grid();
        let first = grid.place(Point { x: 0.0, y: 0.0 });
        assert!(first.x > zone.middle.x && first.y > zone.middle.y);
    }
}
