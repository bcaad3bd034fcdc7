//! Finds the lines of an MRZ, at any angle: a first network sees where in the whole picture they are,
//! a second follows each line within that zone, upright and enlarged.
//!
//! What is found are candidates: the recogniser decides.

use super::{
    blobs::Maps,
    geometry::{Grid, Point},
    line::spread,
    network::{Locators, WHOLE},
    pyramid::Pyramid,
    trace::{Trace, traces},
    zone::{ZONE, Zone, zones},
};

/// A picture with a longer side than this is also searched part by part.
const LARGE: usize = 1000;
/// The detail without which a part shows no more than the whole picture did: of blurred pages it has
/// at most 0.03, of pages that can be read 0.1 or more.
const DETAIL: f32 = 0.05;
/// How near to the zone's left and right edge a line is cut off, in heights of the capitals.
const EDGE: f32 = 1.5;
/// The cosine of the angle up to which a line runs along its zone: what the second locator was
/// trained for.
const STRAIGHT: f32 = 0.997;

/// The zones of a picture, the likeliest first.
pub(super) fn zones_of(locators: &impl Locators, pyramid: &Pyramid) -> impl Iterator<Item = Zone> {
    let (width, height) = (pyramid.picture.width as f32, pyramid.picture.height as f32);
    let all = Part { left: 0.0, top: 0.0, width, height };
    all.seen(pyramid).zones(locators).into_iter()
}

/// The zones of a large picture's parts, in which small lines can be seen; each part is looked at
/// when its zones are asked for, and passed over where nothing in it is small.
pub(super) fn small_zones_of(
    locators: &impl Locators,
    pyramid: &Pyramid,
) -> impl Iterator<Item = Zone> {
    let (width, height) = (pyramid.picture.width, pyramid.picture.height);
    let parts =
        if width.max(height) < LARGE { Vec::new() } else { parts(width as f32, height as f32) };
    let seen = parts.into_iter().map(|part| part.seen(pyramid));
    seen.filter(|seen| seen.detail() >= DETAIL).flat_map(|seen| seen.zones(locators))
}

/// A part of the picture, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Part {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

/// Squares of half the longer side that overlap by two fifths or more: what is longer is not small.
fn parts(width: f32, height: f32) -> Vec<Part> {
    let side = width.max(height) / 2.0;
    let starts = |length: f32| {
        let steps = ((length - side) / (0.6 * side)).ceil().max(0.0);
        (0..=steps as usize).map(move |i| match steps {
            0.0 => 0.0,
            _ => i as f32 * (length - side) / steps,
        })
    };
    let row = |top: f32| {
        starts(width).map(move |left| Part {
            left,
            top,
            width: side.min(width),
            height: side.min(height),
        })
    };
    starts(height).flat_map(row).collect()
}

impl Part {
    fn seen(&self, pyramid: &Pyramid) -> Seen {
        let step = self.width.max(self.height) / WHOLE as f32;
        let grid = Grid {
            corner: Point { x: self.left - 0.5, y: self.top - 0.5 },
            across: Point { x: step, y: 0.0 },
            down: Point { x: 0.0, y: step },
        };
        let cells = |length: f32| ((length / step).round() as usize).clamp(1, WHOLE);
        let (columns, rows) = (cells(self.width), cells(self.height));
        Seen { values: normalised(pyramid.rectified(&grid, columns, rows), columns), columns, grid }
    }
}

/// A part of the picture in as many cells as the first locator takes, the longer side all of them.
struct Seen {
    values: Vec<f32>,
    columns: usize,
    grid: Grid,
}

impl Seen {
    fn zones(&self, locators: &impl Locators) -> Vec<Zone> {
        let mut input = vec![0.0; WHOLE * WHOLE];
        for (line, row) in input.chunks_exact_mut(WHOLE).zip(self.values.chunks_exact(self.columns))
        {
            line.iter_mut().zip(row).for_each(|(cell, value)| *cell = *value);
        }
        let Some(maps) = locators.whole(&input) else { return Vec::new() };
        let Some(maps) = of(&maps, WHOLE / 2) else { return Vec::new() };
        zones(&maps).iter().map(|zone| placed(zone, &self.grid)).collect()
    }

    /// How sharply it changes: what three cells of a row differ from a straight slope, in halves of
    /// its contrast, at the sharpest two of a thousand places.
    fn detail(&self) -> f32 {
        let bend = |cells: &[f32; 3]| (cells[0] + cells[2] - 2.0 * cells[1]).abs();
        let rows = self.values.chunks_exact(self.columns).step_by(2);
        let bends = rows.flat_map(|row| row.array_windows().map(bend));
        spread(bends.collect(), 0.002).1
    }
}

/// The lines of a zone, in pixels of the picture.
pub(super) struct Found {
    pub(super) traces: Vec<Trace>,
    /// The zone as the lines say it is.
    pub(super) zone: Zone,
    /// Whether a line runs on beyond the zone, or along another direction.
    pub(super) amiss: bool,
}

/// Follows the lines of a zone. `None` where there are none.
pub(super) fn lines_of(locators: &impl Locators, pyramid: &Pyramid, zone: &Zone) -> Option<Found> {
    let grid = zone.grid();
    let (columns, rows) = ZONE;
    let input = normalised(pyramid.rectified(&grid, columns, rows), columns);
    let maps = locators.zone(&input)?;
    let found = traces(&of(&maps, columns / 2)?);
    let cut = found.iter().any(|trace| is_cut(trace, columns as f32 / 2.0));
    let before = zone.along;
    let step = 2.0 * grid.step();
    let traces: Vec<Trace> = found
        .into_iter()
        .map(|trace| Trace {
            points: trace.points.iter().map(|at| grid.place(input_place(*at))).collect(),
            height: trace.height * step,
        })
        .collect();
    let zone = around(&traces)?;
    let amiss = cut || zone.along.dot(before) < STRAIGHT;
    Some(Found { traces, zone, amiss })
}

/// Whether a line in a map of so many columns comes so near to its left or right edge that it may run
/// on.
fn is_cut(trace: &Trace, columns: f32) -> bool {
    let edge = EDGE * trace.height;
    trace.points.iter().any(|at| !(edge..columns - 1.0 - edge).contains(&at.x))
}

/// The zone around lines.
fn around(traces: &[Trace]) -> Option<Zone> {
    let zero = Point { x: 0.0, y: 0.0 };
    let (mut sum, mut middle, mut length) = (zero, zero, 0.0f32);
    for trace in traces {
        let (first, last) = (trace.points.first()?, trace.points.last()?);
        sum = sum.plus(*last, 1.0).plus(*first, -1.0);
        middle = middle.plus(*first, 0.5).plus(*last, 0.5);
        length = length.max(first.distance(*last));
    }
    let count = traces.len() as f32;
    (count > 0.0 && length >= 1.0).then(|| Zone {
        middle: middle.times(1.0 / count),
        along: sum.unit(),
        length,
    })
}

/// A network's answer as maps.
fn of(maps: &[f32], width: usize) -> Option<Maps<'_>> {
    let mut parts = maps.chunks_exact((maps.len() / 3).max(1));
    Some(Maps { width, core: parts.next()?, cosine: parts.next()?, sine: parts.next()? })
}

/// A place of a map in pixels of the network's input, which is twice as large.
fn input_place(at: Point) -> Point {
    Point { x: 2.0 * at.x + 0.5, y: 2.0 * at.y + 0.5 }
}

/// A zone of a map, in pixels of the picture.
fn placed(zone: &Zone, grid: &Grid) -> Zone {
    let length = zone.length * 2.0 * grid.step();
    Zone { middle: grid.place(input_place(zone.middle)), along: zone.along, length }
}

/// As `training/locator.py`: the 1st and 99th percentile of every fourth row and column become -1 and
/// 1; what lies beyond ±1.5 is cut off.
fn normalised(mut values: Vec<f32>, columns: usize) -> Vec<f32> {
    let rows = values.chunks_exact(columns.max(1)).step_by(4);
    let (low, high) = spread(rows.flat_map(|row| row.iter().step_by(4).copied()).collect(), 0.01);
    let half = (high - low).max(16.0) / 2.0;
    values
        .iter_mut()
        .for_each(|value| *value = ((*value - (low + high) / 2.0) / half).clamp(-1.5, 1.5));
    values
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reader::gray::Gray;

    #[test]
    fn parts_cover_the_picture_and_overlap() {
        assert_eq!(parts(1000.0, 1000.0).len(), 3 * 3);
        let parts = parts(4000.0, 3200.0);
        assert_eq!(parts.len(), 3 * 2);
        assert!(parts.iter().all(|part| part.width == 2000.0 && part.height == 2000.0));
        assert_eq!(parts[5].left + parts[5].width, 4000.0);
        assert_eq!(parts[5].top + parts[5].height, 3200.0);
    }

    #[test]
    fn small_strokes_are_detail_and_smooth_changes_are_not() {
        let detail = |value: fn(usize, usize) -> u8| {
            let pyramid = Pyramid::new(Gray::compute(1600, 1200, value));
            parts(1600.0, 1200.0)
                .iter()
                .map(|part| part.seen(&pyramid).detail())
                .collect::<Vec<_>>()
        };
        let smooth = detail(|x, y| (128.0 + 90.0 * ((x + y) as f32 / 40.0).sin()) as u8);
        assert!(smooth.iter().all(|detail| *detail < DETAIL), "{smooth:?}");
        // A line of strokes as thin as those of capitals ten pixels high, in the middle of the picture.
        let strokes = detail(|x, y| {
            let line = (600..1000).contains(&x) && (600..610).contains(&y);
            if line && x % 4 < 2 { 40 } else { (x / 10 + 60) as u8 }
        });
        assert!(strokes.iter().any(|detail| *detail > 4.0 * DETAIL), "{strokes:?}");
        assert!(detail(|_, _| 200).iter().all(|detail| *detail == 0.0));
    }

    #[test]
    fn a_zone_is_placed_in_the_picture() {
        let grid = Grid {
            corner: Point { x: -0.5, y: -0.5 },
            across: Point { x: 4.0, y: 0.0 },
            down: Point { x: 0.0, y: 4.0 },
        };
        let along = Point { x: 1.0, y: 0.0 };
        let zone = Zone { middle: Point { x: 10.0, y: 5.0 }, along, length: 50.0 };
        let placed = placed(&zone, &grid);
        assert_eq!((placed.length, placed.middle), (400.0, Point { x: 83.5, y: 43.5 }));
    }

    #[test]
    fn the_zone_around_lines_is_as_long_as_the_longest() {
        let line = |y: f32, to: f32| Trace {
            points: vec![Point { x: 100.0, y }, Point { x: to, y }],
            height: 10.0,
        };
        let zone = around(&[line(50.0, 500.0), line(80.0, 480.0)]).unwrap();
        assert_eq!((zone.length, zone.middle.y, zone.along.x), (400.0, 65.0, 1.0));
        assert!(around(&[]).is_none());
    }
}
